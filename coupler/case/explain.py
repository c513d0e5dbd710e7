# SPDX-License-Identifier: BSD-3-Clause
"""A plan in words, for ``check``; and as a graph of exchanges, for ``graph``."""

from __future__ import annotations

from coupler.clock import format_duration
from coupler.layout import describe
from coupler.plan import Plan, Task


def explain(plan: Plan) -> str:
    """What a plan will do, in a page."""
    lines = [f"{plan.title}: {plan.clock.start} + {plan.duration / 86400:g} days ({plan.clock.calendar} calendar)"]
    ranks = {"coupler": plan.coupler_ranks, **{c.name: c.ranks for c in plan.components}}
    lines.append(f"processes: {plan.size} ({describe(ranks)})")
    lines += [f"note: {n}" for n in plan.notes]
    lines.append("components:")
    for c in plan.components:
        shape = " x ".join(str(n) for n in reversed(c.grids["default"].shape))
        lines.append(f"  {c.name:<16} {c.model}, step {format_duration(c.step)}, {shape} cells, {c.device}")
    lines.append("exchanges:")
    for t in plan.tasks:
        lines.append(f"  {t.name}: every {format_duration(t.period)}, {_lag(t)}, {_how(t)}")
        for d in t.outputs:
            for f in d.fields:
                lines.append(f"      {f.name} [{f.units}] to {d.component}")
    if plan.inactive:
        lines.append("inactive:")
        lines += [f"  {i.rule}: {i.why}" for i in plan.inactive]
    return "\n".join(lines)


def _lag(task: Task) -> str:
    return f"lag {format_duration(task.lag)}" if task.lag else "no lag (the target waits)"


def _how(task: Task) -> str:
    if task.kind == "flux":
        return f"{task.inputs[0].statistic} states, computed on the {task.options['grid']} grid"
    if task.route == "direct":
        return f"{task.inputs[0].statistic}, direct"
    how = f"{task.inputs[0].statistic}, {' then '.join(str(m) for m in task.remap.methods)}"
    if task.remap.limiter:
        how += ", limited"
    if task.remap.subgrid is not None:
        s, target = task.remap.subgrid, task.outputs[0].component
        slope = s.derivative if s.derivative is not None else task.inputs[0].fields[-1].name
        by = f" and dQ/dT = {slope}" if s.kind == "nonsolar" else ""
        how += f", corrected by {s.state} of {target}{by}"
    return how


def graph(plan: Plan) -> str:
    """The exchanges as a Graphviz graph: ``./run_case.py graph CASE | dot -Tpng > graph.png``."""
    lines = [
        f'digraph "{plan.title}" {{',
        "  node [shape=box, fontname=Helvetica]; edge [fontname=Helvetica, fontsize=9];",
    ]
    for c in plan.components:
        lines.append(f'  {c.name} [label="{c.name}\\n{c.model}, step {format_duration(c.step)}"];')
    for t in plan.tasks:
        period = format_duration(t.period) + (f", lag {format_duration(t.lag)}" if t.lag else "")
        if t.kind == "connection":
            fields = "\\n".join(f.name for f in t.outputs[0].fields)
            lines.append(f'  {t.inputs[0].component} -> {t.outputs[0].component} [label="{period}\\n{fields}"];')
            lines += [f"  {b.component} -> {b.component} [style=dashed];" for b in t.inputs[1:]]
        else:
            node = f"flux{t.index}"
            lines.append(f'  {node} [shape=ellipse, label="{t.scheme or t.options["flux"]}\\n{period}"];')
            lines += [f"  {b.component} -> {node};" for b in t.inputs]
            for d in t.outputs:
                fields = "\\n".join(f.name for f in d.fields)
                lines.append(f'  {node} -> {d.component} [label="{fields}"];')
    return "\n".join([*lines, "}"])
