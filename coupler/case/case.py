"""A case: a folder of namelists, read and resolved into a `Plan`.

``case.yaml`` holds what concerns the whole system; ``<component>.yaml`` what concerns one
component. A model's own options stand under the model's name, so that swapping a component
is editing one word: the other model's options stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coupler import layout
from coupler.case import on_demand
from coupler.case.grid_choice import grid_of, levels_of
from coupler.case.models import REALMS, find_model, models_of, realm_of
from coupler.case.options import CaseOptions, ComponentSettings
from coupler.case.streams import check_streams, never_written
from coupler.clock import Clock, format_duration
from coupler.component import Component, Setting
from coupler.errors import (
    CaseError,
    FieldError,
    GridError,
    LayoutError,
    NamelistError,
    Problem,
    ScheduleError,
    TesseraError,
)
from coupler.exchange import schedule
from coupler.fields import FieldSpec, did_you_mean
from coupler.grids.grid import Grid
from coupler.namelist import Node, read_file
from coupler.paths import COMMAND
from coupler.plan import ComponentPlan, Inactive, Plan, Stream, Task

COMMON = ("model", "realm", "role", "step", "grid", "device", "output", "imports", "exports", "program")


@dataclass(frozen=True)
class Case:
    """A case's namelists as read, before they are resolved."""

    folder: Path
    node: Node
    options: CaseOptions
    components: Mapping[str, Node]
    files: tuple[Path, ...]

    @property
    def run_folder(self) -> Path:
        """Where everything that the run makes goes."""
        return self.folder / "run"


def read_case(folder: Path) -> Case:
    """Read a case's namelists.

    Raises
    ------
    CaseError
        No case there.
    NamelistError
        What is wrong in ``case.yaml``.
    """
    if not folder.is_dir() or not (folder / "case.yaml").is_file():
        raise CaseError(
            f"{folder} is not a case: there is no {folder / 'case.yaml'}\n"
            f"Make one:  {COMMAND} new NAME --template east_asia      list them:  {COMMAND} list"
        )
    files = [folder / "case.yaml"]
    node = read_file(files[0])
    options = node.parse(CaseOptions)
    nodes: dict[str, Node] = {}
    for name in options.components:
        choice = node.part("components", name)
        path = folder / f"{name}.yaml"
        if path.is_file():
            files.append(path)
            own = read_file(path)
            twice = [k for k in own.values if k in choice.values and k in COMMON]
            if twice:
                raise NamelistError(
                    [own.problem(f"{k!r} stands in case.yaml too ({choice.place(k).line})", k) for k in twice]
                )
            choice = own.merged(choice)
        nodes[name] = choice
    return Case(folder, node, options, nodes, tuple(files))


def _external_fields(entries: list[Any]) -> tuple[FieldSpec, ...]:
    fields = []
    for entry in entries:
        if isinstance(entry, str):
            fields.append(FieldSpec(entry))
        else:
            try:
                fields.append(FieldSpec(**entry))
            except TypeError as error:
                raise FieldError(f"field {entry!r}: {error}") from None
    return tuple(fields)


def resolve_component(case: Case, name: str, clock: Clock, duration: int) -> ComponentPlan:
    """One component's namelist as a `ComponentPlan` (ranks still unset).

    Raises
    ------
    NamelistError
        With every mistake in it.
    """
    node = case.components[name]
    model = node.values.get("model")
    if not isinstance(model, str):
        raise NamelistError([case.node.problem(f"component {name!r} needs a model", "components", name)])
    realm = realm_of(name, node)
    external = model == "external"
    problems: list[Problem] = []
    cls: type[Component] | None = None
    if not external:
        if ":" not in model and realm not in REALMS:
            message = f"component {name!r} needs a realm: one of {', '.join(REALMS)}{did_you_mean(realm, REALMS)}"
            raise NamelistError([case.node.problem(message, "components", name)])
        try:
            cls = find_model(model, realm, case.folder)
        except CaseError as error:
            raise NamelistError([node.problem(str(error), "model")]) from error
    known = [] if ":" in model else models_of(realm)
    section = "options" if ":" in model else model
    fields = set() if cls is None else set(cls.Options.model_fields)
    inline = [k for k in node.values if k in fields]
    for key in node.values:
        if key not in (*COMMON, *known, *fields, section):
            choices = [*COMMON, *known, *fields]
            problems.append(node.problem(f"unknown key {key!r}{did_you_mean(str(key), choices)}", key))
    own = node.part(section)
    common = node.without(*[k for k in node.values if k not in COMMON]).merged(
        own.without(*[k for k in own.values if k not in ("step", "grid", "device", "output")])
    )
    common = common.without("model", "realm")
    settings: ComponentSettings | None = None
    options: Any = None
    grid: Grid | None = None
    try:
        settings = common.parse(ComponentSettings)
    except NamelistError as error:
        problems.extend(error.problems)
    if cls is not None:
        mine = own.without(*[k for k in own.values if k in ("step", "grid", "device", "output") and k not in fields])
        mine = mine.merged(node.without(*[k for k in node.values if k not in inline]))
        levels = (
            None
            if settings is None or "levels" not in fields - mine.values.keys()
            else levels_of(settings.grid, case.components, case.folder)
        )
        if levels is not None:
            mine = Node({**mine.values, "levels": levels}, mine.places, mine.file)
        try:
            options = mine.parse(cls.Options)
        except NamelistError as error:
            problems.extend(error.problems)
    for other in known:
        if other != section and isinstance(node.values.get(other), dict):
            problems.extend(_check_section(node, other, realm, case.folder))
    if settings is not None:
        try:
            grid = grid_of(settings.grid, name, case.components, case.folder, common)
        except NamelistError as error:
            problems.extend(error.problems)
        except (GridError, OSError, ValueError) as error:
            problems.append(common.problem(str(error), "grid"))
        for i, s in enumerate(settings.output):
            if s.period % settings.step:
                text = (
                    f"period {format_duration(s.period)} is not a multiple of the step {format_duration(settings.step)}"
                )
                problems.append(common.problem(text, "output", i, "period"))
    if problems or settings is None or grid is None:
        raise NamelistError(problems)
    setting = Setting(name, clock, settings.step, duration, grid, case.folder, case.options.seed)
    component = None
    try:
        if cls is None:
            imports, exports = _external_fields(settings.imports), _external_fields(settings.exports)
            grids: Mapping[str, Grid] = {"default": grid}
        else:
            component = cls(options)
            grids = component.grids(setting)
            imports, exports = tuple(component.imports), tuple(component.exports)
    except NamelistError:
        raise
    except (TesseraError, OSError, ValueError) as error:
        raise NamelistError([node.problem(str(error), section)]) from error
    streams = tuple(
        Stream(s.name or f"{s.statistic}_{format_duration(s.period)}", tuple(s.fields), s.period, s.statistic)
        for s in settings.output
    )
    doubled = {s.name for s in streams if sum(o.name == s.name for o in streams) > 1}
    if doubled:
        raise NamelistError([common.problem(f"two streams are called {', '.join(doubled)}: give them names", "output")])
    return ComponentPlan(
        name,
        realm,
        model,
        component,
        setting,
        settings.step,
        grids,
        imports,
        exports,
        settings.device,
        streams,
        options,
        program=settings.program,
        role=settings.role,
    )


def _check_section(node: Node, model: str, realm: str, folder: Path) -> list[Problem]:
    """Mistakes in the options of a model that is not in use (it may be tomorrow)."""
    try:
        cls = find_model(model, realm, folder)
        part = node.part(model)
        part.without(*[k for k in part.values if k in ("step", "grid", "device", "output")]).parse(cls.Options)
    except NamelistError as error:
        return list(error.problems)
    return []


def _layout(case: Case) -> tuple[dict[str, int], int, dict[str, str]]:
    """Ranks wanted, coupler ranks, and who shares whose, from ``layout:``."""
    components = list(case.components)
    problems: list[Problem] = []
    wanted = dict.fromkeys(components, 1)
    sharing: dict[str, str] = {}
    coupler = 1
    for key, value in case.options.layout.items():
        n = value
        if isinstance(value, dict):
            extra = set(value) - {"ranks", "with"}
            if extra:
                problems.append(case.node.problem(f"unknown key {extra.pop()!r} (ranks, with)", "layout", key))
            n = value.get("ranks", 1)
            if "with" in value:
                sharing[key] = str(value["with"])
        if key != "coupler" and key not in components:
            text = f"unknown component {key!r}{did_you_mean(key, [*components, 'coupler'])}"
            problems.append(case.node.problem(text, "layout", key))
            continue
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            problems.append(case.node.problem(f"layout.{key}: a number of ranks is wanted, not {n!r}", "layout", key))
            continue
        if key == "coupler":
            coupler = n
        else:
            wanted[key] = n
    if problems:
        raise NamelistError(problems)
    return wanted, coupler, sharing


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
    case = read_case(folder)
    problems: list[Problem] = []
    clock = Clock(case.options.start, case.options.calendar)
    duration = 0
    try:
        clock.origin  # noqa: B018
    except ValueError as error:
        problems.append(case.node.problem(str(error), "start"))
    else:
        try:
            duration = clock.seconds_of(case.options.duration)
        except ValueError as error:
            problems.append(case.node.problem(str(error), "duration"))
    components: dict[str, ComponentPlan] = {}
    for name in case.components:
        try:
            components[name] = resolve_component(case, name, clock, duration)
        except NamelistError as error:
            problems.extend(error.problems)
    wanted: dict[str, int] = {}
    sharing: dict[str, str] = {}
    coupler = 1
    try:
        wanted, coupler, sharing = _layout(case)
    except NamelistError as error:
        problems.extend(error.problems)
    tasks: tuple[Task, ...] = ()
    inactive: tuple[Inactive, ...] = ()
    notes: list[str] = []
    if len(components) == len(case.components):
        resolved, components = on_demand.resolve(case.node.part("coupling"), components)
        wanted, sharing = ({n: v for n, v in given.items() if n in components} for given in (wanted, sharing))  # type: ignore[assignment]
        problems.extend(resolved.problems)
        notes = resolved.notes
        tasks, inactive = tuple(resolved.tasks), tuple(resolved.inactive)
        wrong, left_out = check_streams(case.components, components)
        problems.extend(wrong)
        inactive = (*inactive, *left_out)
        notes += never_written(components.values(), duration)
    if problems:
        raise NamelistError(sorted(problems, key=lambda p: (p.file, p.line)))
    cells = {n: c.grids["default"].size for n, c in components.items()}
    fixed = dict(placed or {})
    if size is not None:
        external = [n for n, c in components.items() if c.component is None and n not in fixed]
        if external:
            raise LayoutError(_start_external(folder, components, wanted, coupler, external))
        own = {n: k for n, k in wanted.items() if n not in fixed}
        free = size - sum(len(r) for r in fixed.values())
        ranks, note = layout.divide(free, own, cells, coupler, sharing, str(folder))
        ranks = layout.place(ranks, fixed, size) if fixed else ranks
    else:
        ranks, note = layout.assign(wanted, coupler, sharing), ""
    notes = [note, *notes] if note else notes
    for name, c in components.items():
        device, warning = layout.device_of(c.device, 0)
        notes += [f"{name}: {warning}"] if warning else []
        components[name] = replace(c, ranks=ranks[name], device=device)
    options = case.options
    plan = Plan(
        folder, options.title or folder.name, clock, duration, tuple(components.values()), tasks, inactive,
        ranks["coupler"], options.restart.period or 0, options.restart.keep, float(options.deadline),
        options.checks.values, options.checks.budget, options.checks.budget_tolerance, options.trace, options.seed,
        tuple(notes),
    )  # fmt: skip
    _check_times(case, plan)
    if offline_checks:
        _check_offline(case, plan)
    return plan


def _start_external(
    folder: Path, components: Mapping[str, ComponentPlan], wanted: Mapping[str, int], coupler: int, external: list[str]
) -> str:
    """What to say when an external program is missing."""
    own = coupler + sum(k for n, k in wanted.items() if components[n].component is not None)
    programs = " ".join(f": -n {wanted[n]} python my_{n}.py" for n in external)
    return (
        f"{', '.join(external)} is an external program, and nobody has started it. Start all together:\n"
        f"  mpirun -n {own} {COMMAND} {folder} {programs}\n"
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
    if plan.restart_period % plan.stop_period:
        text = (
            f"restart period {format_duration(plan.restart_period)} is not a multiple of "
            f"{format_duration(plan.stop_period)} (steps, and periods without lag)"
        )
        problems.append(case.node.problem(text, "restart", "period"))
    if problems:
        raise NamelistError(problems)


def _check_offline(case: Case, plan: Plan) -> None:
    """Everything that can be wrong before anything runs."""
    problems: list[Problem] = []
    for c in plan.components:
        if c.component is not None:
            section = "options" if ":" in c.model else c.model
            problems += [case.components[c.name].problem(text, section) for text in c.component.check(c.setting)]
    try:
        schedule.rehearse(plan)
    except ScheduleError as error:
        problems.append(case.node.problem(str(error), "coupling"))
    if problems:
        raise NamelistError(problems)
