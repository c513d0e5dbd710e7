"""A case: a folder of namelists, read and resolved into a `Plan`.

``case.yaml`` holds what concerns the whole system; ``<component>.yaml`` what concerns one
component. A model's own options stand under the model's name, so that swapping a component
is editing one word: the other model's options stay where they are.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from coupler.case.namelist import Duration, Namelist, Node, read_file
from coupler.clock import CALENDARS, Clock, format_duration
from coupler.component import Component, Setting
from coupler.errors import CaseError, FieldError, GridError, NamelistError, Problem, ScheduleError
from coupler.exchange import connections, layout, schedule
from coupler.exchange.plan import ComponentPlan, Plan, Stream
from coupler.fields import FieldSpec, dictionary, did_you_mean
from coupler.grids.grid import Grid

ROOT = Path(__file__).resolve().parents[2]
REALMS = ("atmosphere", "ocean", "land", "chemistry", "ml_surrogates")
COMMON = ("model", "realm", "step", "grid", "device", "output", "ranks", "imports", "exports")


class RestartOptions(Namelist):
    """Restarts."""

    period: Duration | None = None
    """Time between restarts; without it only at the end and when the run is asked to stop."""
    keep: int = Field(3, ge=1)
    """Newest restarts to keep; older ones are removed."""


class CheckOptions(Namelist):
    """What is watched at every exchange."""

    values: bool = True
    """Stop at a value that is not finite or outside its plausible range."""
    budget: bool = True
    """Sum what is sent and received at every interface."""
    budget_tolerance: float = Field(1e-12, gt=0)
    """Relative residual of a budget at which the run stops."""


class ComponentChoice(Namelist):
    """One component of the case; further keys are options of its model."""

    model: str
    """Model: a name in this component's realm, ``external``, or ``package.module:Class``."""
    realm: str | None = None
    """Realm, where the component's name does not say it."""


class CaseOptions(Namelist):
    """Options of ``case.yaml``."""

    title: str = ""
    """One line for figures and files."""
    start: str
    """First date, such as 2001-01-01 or 2001-01-01T06:00:00."""
    calendar: Literal["standard", "proleptic_gregorian", "noleap", "all_leap", "360_day", "julian"] = "standard"
    """CF calendar."""
    duration: str
    """Length of the run as ISO-8601 duration, such as P60D or P1Y."""
    seed: int = 0
    """Seed of everything random."""
    components: dict[str, Any]
    """Components by name: ``{model: slab}``."""
    layout: dict[str, Any] = {}
    """Ranks: ``coupler: 1``, and a number, or ``{ranks: 2, with: ocean}``, for each component."""
    coupling: list[Any] = []
    """Rules of exchange; see the coupling guide."""
    restart: RestartOptions = RestartOptions()
    checks: CheckOptions = CheckOptions()
    deadline: Duration = 600
    """Longest wait for a message, in wall-clock time, before the run gives up and says who waits for whom."""
    trace: bool = False
    """Write a Chrome/Perfetto trace of the run."""


class StreamOptions(Namelist):
    """One history file."""

    fields: list[str]
    """Fields: exports, imports or diagnostics of the component."""
    period: Duration
    """Time between records."""
    statistic: Literal["instant", "mean", "min", "max"] = "mean"
    """What of the period is written."""
    name: str = ""
    """Name in the file's name; by default the statistic and the period."""

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if name and not name.replace("_", "").replace("-", "").isalnum():
            raise ValueError("use letters, digits, - and _ only")
        return name


class GridOptions(Namelist):
    """A grid: a box in longitude and latitude, a projected plane, or a file."""

    west: float | None = None
    """Western edge, degrees east."""
    east: float | None = None
    """Eastern edge, degrees east."""
    south: float | None = None
    """Southern edge, degrees north."""
    north: float | None = None
    """Northern edge, degrees north."""
    resolution: float | tuple[float, float] | None = None
    """Cell size in degrees; or [longitude, latitude]."""
    projection: str | None = None
    """PROJ string of a projected grid."""
    nx: int | None = Field(None, gt=0)
    """Cells in x of a projected grid."""
    ny: int | None = Field(None, gt=0)
    """Cells in y of a projected grid."""
    spacing: float | None = Field(None, gt=0)
    """Cell size of a projected grid, m."""
    center: tuple[float, float] | None = None
    """Longitude and latitude of the middle of a projected grid."""
    file: str | None = None
    """CF, SCRIP or UGRID file."""
    edges: Literal["great_circle", "latitude"] | None = None
    """Whether cell edges follow great circles or latitudes."""

    def build(self, name: str, folder: Path) -> Grid:
        """The grid that these options describe."""
        edges: dict[str, Any] = {} if self.edges is None else {"edges": self.edges}
        if self.file is not None:
            return Grid.from_file(_input(self.file, folder), name=name, **edges)
        if self.projection is not None:
            if not (self.nx and self.ny and self.spacing):
                raise GridError(f"grid of {name}: a projected grid needs projection, nx, ny and spacing")
            return Grid.projected(name, self.projection, self.nx, self.ny, self.spacing, center=self.center)
        box = (self.west, self.east, self.south, self.north)
        if any(v is None for v in box) or self.resolution is None:
            raise GridError(
                f"grid of {name}: give west, east, south, north and resolution (degrees); or projection, nx, ny, "
                "spacing; or file; or the name of a grid in namelists/grids"
            )
        west, east, south, north = (float(v) for v in box if v is not None)
        return Grid.regular_lonlat(name, west, east, south, north, resolution=self.resolution, **edges)


class ComponentSettings(Namelist):
    """What every component's namelist may say, beside the options of its model."""

    step: Duration
    """Time step."""
    grid: Any
    """Grid: ``{west: 70, east: 160, south: -10, north: 65, resolution: 0.5}``, a projected grid, a file, or a name."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where its arrays live."""
    output: list[StreamOptions] = []
    """History files."""
    imports: list[Any] = []
    """Of an external program: names of the fields it takes, or mappings with name, units, levels."""
    exports: list[Any] = []
    """Of an external program: names of the fields it gives."""


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
            "Make one:  ./run_case.py new NAME --template east_asia      list them:  ./run_case.py list"
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


def _input(name: str, folder: Path) -> Path:
    path = Path(name).expanduser()
    if path.is_absolute():
        return path
    return folder / path if (folder / path).exists() else ROOT / "data" / path


def realm_of(name: str, node: Node) -> str:
    """Realm of a component: said, or the realm whose name its own begins or ends with."""
    said = node.values.get("realm")
    if said is not None:
        return str(said)
    return next((r for r in REALMS if name == r or name.endswith("_" + r) or name.startswith(r + "_")), "")


def models_of(realm: str) -> list[str]:
    """Names of the models of a realm that come with the project."""
    folder = ROOT / "components" / realm
    return sorted(p.parent.name for p in folder.glob("*/component.py"))


def find_model(model: str, realm: str, folder: Path | None = None) -> type[Component]:
    """The class of a model: a name in its realm, or ``package.module:Class``.

    Raises
    ------
    CaseError
        No such model; the message lists those there are.
    """
    if ":" in model:
        module_name, class_name = model.split(":", 1)
        for place in (folder, Path.cwd()):
            if place is not None and str(place) not in sys.path:
                sys.path.insert(0, str(place))
        try:
            found = getattr(importlib.import_module(module_name), class_name)
        except (ImportError, AttributeError) as error:
            raise CaseError(f"model {model!r} cannot be loaded: {error}") from error
        if not (inspect.isclass(found) and issubclass(found, Component)):
            raise CaseError(f"model {model!r} is not a subclass of coupler.component.Component")
        return found
    known = models_of(realm)
    if model not in known:
        listed = ", ".join([*known, "external", "package.module:Class"])
        raise CaseError(
            f"unknown {realm or 'component'} model {model!r}{did_you_mean(model, known)}; there are: {listed}"
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    module = importlib.import_module(f"components.{realm}.{model}.component")
    classes = [
        c
        for c in vars(module).values()
        if inspect.isclass(c) and issubclass(c, Component) and c.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise CaseError(f"components/{realm}/{model}/component.py must define one Component, and has {len(classes)}")
    return classes[0]


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
    common = common.without("model", "realm", "ranks")
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
        try:
            options = mine.parse(cls.Options)
        except NamelistError as error:
            problems.extend(error.problems)
    for other in known:
        if other != section and isinstance(node.values.get(other), dict):
            problems.extend(_check_section(node, other, realm, case.folder))
    if settings is not None:
        try:
            grid = _grid(settings.grid, name, case.folder, common)
        except NamelistError as error:
            problems.extend(error.problems)
        except (GridError, OSError, ValueError) as error:
            problems.append(common.problem(str(error), "grid"))
        for i, s in enumerate(settings.output):
            if s.period % settings.step:
                text = f"period {format_duration(s.period)} is no multiple of the step {format_duration(settings.step)}"
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
    except (FieldError, GridError, OSError, ValueError) as error:
        raise NamelistError([node.problem(str(error), section)]) from error
    except Exception as error:
        if isinstance(error, NamelistError):
            raise
        from coupler.errors import TesseraError

        if isinstance(error, TesseraError):
            raise NamelistError([node.problem(str(error), section)]) from error
        raise
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


def _grid(value: Any, name: str, folder: Path, node: Node) -> Grid:
    if isinstance(value, str):
        path = ROOT / "namelists" / "grids" / f"{value}.yaml"
        if not path.is_file():
            there = sorted(p.stem for p in path.parent.glob("*.yaml"))
            raise GridError(f"unknown grid {value!r}{did_you_mean(value, there)}; there are: {', '.join(there)}")
        return read_file(path).parse(GridOptions).build(name, folder)
    return node.part("grid").parse(GridOptions).build(name, folder)


def _layout(case: Case, components: Mapping[str, ComponentPlan]) -> tuple[dict[str, int], int, dict[str, str]]:
    """Ranks wanted, coupler ranks, and who shares whose, from ``layout:``."""
    problems, wanted, sharing = [], dict.fromkeys(components, 1), {}
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


def make_plan(folder: Path, size: int | None = None, *, offline_checks: bool = False) -> Plan:
    """Resolve a case into the plan of a run on `size` processes (the namelist's number without it).

    Parameters
    ----------
    folder : Path
        Folder of the case.
    size : int, optional
        Number of processes.
    offline_checks : bool
        Also run the components' own checks (forcing files and their coverage), and play the schedule.

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
    wanted, coupler, sharing = {}, 1, {}
    try:
        wanted, coupler, sharing = _layout(case, dict.fromkeys(case.components))  # type: ignore[arg-type]
    except NamelistError as error:
        problems.extend(error.problems)
    tasks, inactive = (), ()
    if len(components) == len(case.components):
        resolved = connections.resolve(case.node.part("coupling"), components)
        problems.extend(resolved.problems)
        tasks, inactive = tuple(resolved.tasks), tuple(resolved.inactive)  # type: ignore[assignment]
        problems.extend(_streams(case, components))
    if problems:
        raise NamelistError(sorted(problems, key=lambda p: (p.file, p.line)))
    cells = {n: c.grids["default"].size for n, c in components.items()}
    if size is None:
        ranks, note = layout.assign(wanted, coupler, sharing), ""
    else:
        ranks, note = layout.divide(size, wanted, cells, coupler, sharing, str(folder))
    notes = [note] if note else []
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


def _streams(case: Case, components: Mapping[str, ComponentPlan]) -> list[Problem]:
    problems = []
    for c in components.values():
        if c.component is None:
            continue
        known = {f.name for f in (*c.exports, *c.imports)} | set(c.component.diagnostic_units)
        for i, s in enumerate(c.streams):
            for f in s.fields:
                if f not in known and f not in dictionary():
                    text = f"output: {c.name} has no field {f!r}{did_you_mean(f, known)}; it has {', '.join(sorted(known))}"
                    problems.append(case.components[c.name].problem(text, "output", i))
    return problems


def _check_times(case: Case, plan: Plan) -> None:
    problems = []
    if plan.duration % plan.stop_period:
        text = (
            f"duration {case.options.duration} is no multiple of {format_duration(plan.stop_period)}, the time after "
            "which all components can stop together (their steps, and the periods without lag)"
        )
        problems.append(case.node.problem(text, "duration"))
    if plan.restart_period % plan.stop_period:
        text = (
            f"restart period {format_duration(plan.restart_period)} is no multiple of "
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


__all__ = ["CALENDARS", "Case", "find_model", "make_plan", "models_of", "read_case", "realm_of"]
