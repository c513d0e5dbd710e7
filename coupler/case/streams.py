# SPDX-License-Identifier: BSD-3-Clause
"""History streams of a case: fields that there are, and periods that end within the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from coupler.case.models import find_model, models_of
from coupler.clock import format_duration
from coupler.errors import Problem
from coupler.fields import dictionary, did_you_mean
from coupler.namelist import Node
from coupler.plan import ComponentPlan, Inactive


def check_streams(
    nodes: Mapping[str, Node], components: dict[str, ComponentPlan]
) -> tuple[list[Problem], list[Inactive]]:
    """Leave out of the history what a swapped model does not have; a name that nobody knows is a mistake.

    Parameters
    ----------
    nodes : namelists by component
    components : plans by name
    """
    problems: list[Problem] = []
    inactive: list[Inactive] = []
    for c in list(components.values()):
        if c.component is None:
            continue
        known = {f.name for f in (*c.exports, *c.imports)} | set(c.component.diagnostic_units)
        kept = []
        for i, s in enumerate(c.streams):
            for f in s.fields:
                if f not in known and f not in dictionary() and not _of_another_model(c, f):
                    there = ", ".join(sorted(known))
                    text = f"output: {c.name} has no field {f!r}{did_you_mean(f, known)}; it has {there}"
                    problems.append(nodes[c.name].problem(text, "output", i))
            missing = [f for f in s.fields if f not in known]
            if missing:
                why = f"{c.name} (model {c.model}) has no such field"
                inactive.append(Inactive(f"output {c.name}.{s.name}: {', '.join(missing)}", why))
            if len(missing) < len(s.fields):
                kept.append(replace(s, fields=tuple(f for f in s.fields if f in known)))
        components[c.name] = replace(c, streams=tuple(kept))
    return problems, inactive


def never_written(components: Iterable[ComponentPlan], duration: int) -> list[str]:
    """Say which output has a period longer than the run: no record of it is ever complete.

    Parameters
    ----------
    components : plans
    duration : of the run, s
    """
    return [
        f"output {c.name}.{s.name}: its period {s.period} {'ends after' if s.period.months else 'is longer than'} "
        f"the run ({format_duration(duration)}), so no file will be written"
        for c in components
        for s in c.streams
        if duration > 0 and s.period.next_end(c.setting.clock, 0) > duration
    ]


def _of_another_model(component: ComponentPlan, field: str) -> bool:
    """Whether another model of the realm has a diagnostic of this name."""
    for model in models_of(component.realm):
        if field in find_model(model, component.realm).diagnostic_units:
            return True
    return False
