# SPDX-License-Identifier: BSD-3-Clause
"""Both sides of what one component takes out of another, or gives it: neither may stand in a rule by itself.

An import that lets a component take from its giver names the export by which it says so (`FieldSpec.taking`). A case
whose rules bring the one and not the other would make water out of nothing, and is refused. A flux that a rule leaves
out although its source gives it and its target would take it is lost, which is noted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from coupler.errors import Problem
from coupler.namelist import Node
from coupler.plan import ComponentPlan, Task

Carried = dict[tuple[str, str, str], tuple[float, float]]
"""Source, target and the name of a field of the source: by which factor and offset it arrives."""


def _carried(tasks: Sequence[Task]) -> Carried:
    found: Carried = {}
    for task in tasks:
        given, taken = task.inputs[0], task.outputs[0]
        if task.kind == "connection":
            for field, scale, offset in zip(given.fields, taken.scale, taken.offset, strict=False):
                found[given.component, taken.component, field.name] = scale, offset
    return found


def untold(rules: Node, tasks: Sequence[Task], components: Mapping[str, ComponentPlan]) -> list[Problem]:
    """What components would take out of others that are not told of it.

    Parameters
    ----------
    rules : Node
        The list ``coupling:``.
    tasks : sequence of Task
        That came of it.
    components : mapping of str to ComponentPlan
        Plans by name.
    """
    carried = _carried(tasks)
    by_which: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for task in (t for t in tasks if t.kind == "connection"):
        giver, taker = task.inputs[0].component, task.outputs[0].component
        for field in task.outputs[0].fields:
            wanted = components[taker].imported(field.name)
            told = components[giver].imported(wanted.taking) if wanted and wanted.taking else None
            if told and carried.get((taker, giver, told.name)) != (1.0, 0.0):
                by_which[giver, taker, told.name].append(field.name)
    found = []
    for (giver, taker, name), fields in by_which.items():
        changed = (taker, giver, name) in carried
        place = _place(rules, taker, giver, name if changed else "") or _place(rules, giver, taker, "") or ()
        remedy = (
            "leave its scale and offset out" if changed else f"add it to the fields of a rule {taker} -> {giver}"
            if _place(rules, taker, giver, "") is not None else f"add a rule {{from: {taker}, to: {giver}, ...}}"
        )  # fmt: skip
        found.append(
            rules.problem(
                f"{giver} gives {taker} {' and '.join(fields)}, by which {taker} takes {name} out of {giver}; "
                f"{giver} is told {'another number' if changed else 'nothing'} of it, so that what is taken would come "
                f"from nowhere: {remedy}, or leave {' and '.join(fields)} out of the fields of {giver} -> {taker}",
                *place,
            )
        )
    return found


def lost(rules: Node, tasks: Sequence[Task], components: Mapping[str, ComponentPlan]) -> list[str]:
    """Fluxes that the ``fields:`` of a rule leave out, although its source gives them and its target would take them.

    Parameters
    ----------
    rules : Node
        The list ``coupling:``.
    tasks : sequence of Task
        That came of it.
    components : mapping of str to ComponentPlan
        Plans by name.
    """
    arriving = {(source, name) for source, _, name in _carried(tasks)}
    found: dict[str, None] = {}
    for entry in rules.values if isinstance(rules.values, list) else []:
        ends = (entry.get("from"), entry.get("to")) if isinstance(entry, dict) and entry.get("fields") else ("", "")
        source, target = (components.get(str(name)) for name in ends)
        if source is None or target is None:
            continue
        for field in source.exports:
            if field.conserved and target.imported(field.name) and (source.name, field.name) not in arriving:
                found[
                    f"{source.name} -> {target.name}: {field.name} is not among the fields of any rule, though "
                    f"{source.name} gives it and {target.name} would take it: it is lost"
                ] = None
    return list(found)


def _place(rules: Node, source: str, target: str, field: str) -> tuple[int, str] | tuple[int] | None:
    """Where a rule between two components stands, by the fields that it names; with ``field`` the one that names it."""
    for n, entry in enumerate(rules.values if isinstance(rules.values, list) else []):
        if isinstance(entry, dict) and (entry.get("from"), entry.get("to")) == (source, target):
            named = entry.get("fields")
            if not field or field in str(named):
                return (n, "fields") if named else (n,)
    return None
