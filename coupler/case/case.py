# SPDX-License-Identifier: BSD-3-Clause
"""A case: a folder of namelists, read and resolved into a `Plan`.

``case.yaml`` holds what concerns the whole system; ``<component>.yaml`` what concerns one component. A model's own
options stand under the model's name, so that swapping a component is editing one word: the other model's options stay
where they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from coupler import layout
from coupler.case import on_demand
from coupler.case.component_plan import checked_by_author, remarks_of, resolve_component
from coupler.case.ranks import ranks_wanted, shared_out, undividable
from coupler.case.reading import Case as Case
from coupler.case.reading import read_case as read_case
from coupler.case.reading import read_what_can_be
from coupler.case.streams import check_streams, never_written
from coupler.clock import Clock, format_duration
from coupler.errors import LayoutError, NamelistError, Problem, ScheduleError
from coupler.exchange import connections, schedule
from coupler.paths import COMMAND, typed
from coupler.plan import ComponentPlan, Inactive, Plan, Task

UNTIL = "TESSERA_UNTIL"
"""Variable of the environment with the date at which this piece of a longer run ends."""


def make_plan(
    folder: Path,
    size: int | None = None,
    *,
    offline_checks: bool = False,
    placed: Mapping[str, tuple[int, ...]] | None = None,
) -> Plan:
    """Resolve a case into the plan of a run on `size` processes (the namelist's number without it).

    Parameters
    ----------
    folder : Path
        Folder of the case.
    size : int, optional
        Number of processes.
    offline_checks : bool
        Also run the components' own checks (forcing files and their coverage), and play the schedule.
    placed : mapping of str to tuple of int, optional
        World ranks of external programs, where they have been started.

    Raises
    ------
    NamelistError
        With every mistake that can be found, in all files, at once.
    LayoutError
        Too few processes.
    """
    case = read_what_can_be(folder)
    problems = list(case.problems)
    clock, duration, wrong = _dates(case)
    problems += wrong
    case = replace(case, dated=case.dated and not wrong)
    components: dict[str, ComponentPlan] = {}
    for name in case.components:
        try:
            resolved_component = resolve_component(case, name, clock, duration)
        except NamelistError as error:
            problems.extend(error.problems)
        else:
            if resolved_component is not None:
                components[name] = resolved_component
    if offline_checks:
        problems += [p for c in components.values() for p in checked_by_author(case, c)]
    wanted: dict[str, int] = {}
    sharing: dict[str, str] = {}
    coupler = 1
    try:
        wanted, coupler, sharing = ranks_wanted(case)
    except NamelistError as error:
        problems.extend(error.problems)
    tasks: tuple[Task, ...] = ()
    inactive: tuple[Inactive, ...] = ()
    notes: list[str] = []
    rules = case.node.part("coupling")
    if len(components) == len(case.options.components):
        resolved, components = on_demand.resolve(rules, components, case.absent)
        wanted, sharing = ({n: v for n, v in given.items() if n in components} for given in (wanted, sharing))  # type: ignore[assignment]
        problems.extend(resolved.problems)
        notes = resolved.notes
        tasks, inactive = tuple(resolved.tasks), tuple(resolved.inactive)
        mistaken, left_out = check_streams(case.components, components)
        problems.extend(mistaken)
        inactive = (*inactive, *left_out)
        notes += never_written(components.values(), clock.seconds_of(case.options.duration) if duration else 0)
        if wanted and size is None:
            problems += undividable(case, components, wanted)
    else:
        problems += connections.mistakes_of_form(rules)
    if problems:
        raise NamelistError(sorted(problems, key=lambda p: (p.file, p.line)))
    fixed = dict(placed or {})
    if size is not None:
        external = [n for n, c in components.items() if c.component is None and n not in fixed]
        if external:
            raise LayoutError(_start_external(folder, components, wanted, coupler, external))
        own = {n: k for n, k in wanted.items() if n not in fixed}
        free = size - sum(len(r) for r in fixed.values())
        ranks, note = shared_out(free, own, components, coupler, sharing, folder)
        ranks = layout.place(ranks, fixed, size) if fixed else ranks
    else:
        ranks, note = layout.assign(wanted, coupler, sharing), ""
    notes = [note, *notes] if note else notes
    if offline_checks:
        notes += [line for c in components.values() for line in remarks_of(c)]
    for name, c in components.items():
        device, warning = layout.device_of(c.device, 0)
        notes += [f"{name}: {warning}"] if warning else []
        components[name] = replace(c, ranks=ranks[name], device=device)
    options = case.options
    plan = Plan(
        folder, options.title or folder.resolve().name, clock, duration, tuple(components.values()), tasks, inactive,
        ranks["coupler"], options.restart.period, options.restart.keep, float(options.deadline),
        options.checks.values, options.checks.budget, options.checks.budget_tolerance, options.trace, options.seed,
        tuple(notes),
    )  # fmt: skip
    _check_times(case, plan)
    if offline_checks:
        _check_schedule(case, plan)
    return plan


def _dates(case: Case) -> tuple[Clock, int, list[Problem]]:
    """Clock and length (s) of a case, and what is wrong with them."""
    clock = Clock(case.options.start, case.options.calendar)
    duration, key = 0, "start"
    try:
        clock.origin  # noqa: B018
        key = "duration"
        duration = clock.seconds_of(case.options.duration)
        clock.text(duration)
        if os.environ.get(UNTIL):
            duration = min(duration, clock.seconds_at(os.environ[UNTIL]))
    except (ValueError, OverflowError) as error:
        return clock, 0, [case.node.problem(str(error), key)]
    return clock, duration, []


def _start_external(
    folder: Path, components: Mapping[str, ComponentPlan], wanted: Mapping[str, int], coupler: int, external: list[str]
) -> str:
    """What to say when an external program is missing."""
    own = coupler + sum(k for n, k in wanted.items() if components[n].component is not None)
    programs = " ".join(f": -n {wanted[n]} python my_{n}.py" for n in external)
    return (
        f"{', '.join(external)} is an external program, and nobody has started it. Start all together:\n"
        f"  mpirun -n {own} {typed(folder)} {programs}\n"
        f"or say  program: python my_program.py  in its namelist, and {COMMAND} starts it"
    )


def _check_times(case: Case, plan: Plan) -> None:
    problems = []
    if plan.duration % plan.stop_period:
        text = (
            f"duration {case.options.duration} is not a multiple of {format_duration(plan.stop_period)}, the time "
            "after which all components can stop together (their steps, and the periods without lag)"
        )
        problems.append(case.node.problem(text, "duration"))
    period = plan.restart_period
    wrong_end = None if period is None else period.misfit(plan.clock, plan.stop_period, plan.duration)
    if period is not None and wrong_end is not None:
        nearest = max(1, period.seconds // plan.stop_period) * plan.stop_period
        when = f": it ends at {plan.clock.text(wrong_end)}" if period.months else f"; take {format_duration(nearest)}"
        text = (
            f"restart period {period} is not a multiple of {format_duration(plan.stop_period)} (steps, and periods "
            f"without lag){when}"
        )
        problems.append(case.node.problem(text, "restart", "period"))
    if problems:
        raise NamelistError(problems)


def _check_schedule(case: Case, plan: Plan) -> None:
    """Components that would wait for each other for ever."""
    try:
        schedule.rehearse(plan)
    except ScheduleError as error:
        raise NamelistError([case.node.problem(str(error), "coupling")]) from error
