# SPDX-License-Identifier: BSD-3-Clause
"""One component's namelist, resolved into a `ComponentPlan`."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from coupler.author_code import call, expect
from coupler.case.grid_choice import grid_of, levels_of
from coupler.case.models import REALMS, find_model, models_of, realm_of
from coupler.case.options import ComponentSettings, ExternalField
from coupler.case.reading import COMMON, Case
from coupler.clock import Clock, format_duration
from coupler.component import Component, Setting
from coupler.errors import CaseError, NamelistError, Problem, TesseraError
from coupler.fields import FieldSpec, did_you_mean
from coupler.grids.grid import Grid
from coupler.namelist import Namelist, Node
from coupler.plan import ComponentPlan, Stream


def _external_fields(entries: list[str | ExternalField]) -> tuple[FieldSpec, ...]:
    return tuple(FieldSpec(e) if isinstance(e, str) else FieldSpec(**e.model_dump()) for e in entries)


def resolve_component(case: Case, name: str, clock: Clock, duration: int) -> ComponentPlan | None:
    """One component's namelist as a `ComponentPlan` (ranks still unset); None in a case without valid dates.

    Parameters
    ----------
    case : Case
        The namelists.
    name : str
        Name of the component.
    clock : Clock
        Dates of the case.
    duration : int
        Length of the case, s.

    Raises
    ------
    NamelistError
        With every mistake in it.
    """
    entry = _Entry(case, name, case.components[name])
    model, realm, cls = _model_of(entry)
    common, own, inline = _sections(entry, model, realm, cls)
    settings = _parsed(entry, common, ComponentSettings)
    options = None if cls is None else _options(entry, cls, own, inline, settings)
    _check_other_models(entry, model, realm)
    grid = None if settings is None else _grid(entry, common, settings)
    if settings is not None:
        _check_settings(entry, common, settings, clock, duration)
    if entry.problems or settings is None or grid is None:
        raise NamelistError([_with_name(p, name, case) for p in entry.problems])
    if not case.dated:
        return None
    streams = _streams(common, settings)
    setting = Setting(name, clock, settings.step, duration, grid, case.folder, case.options.seed)
    component: Component | None = None
    grids: Mapping[str, Grid] = {"default": grid}
    marks: Mapping[str, str] = {}
    try:
        if cls is None:
            imports, exports = _external_fields(settings.imports), _external_fields(settings.exports)
        else:
            component = call(f"the constructor of {name}", lambda: cls(options))
            grids, marks = _made(component, cls, setting, name)
            imports, exports = tuple(component.imports), tuple(component.exports)
    except NamelistError:
        raise
    except TesseraError as error:
        first = entry.node.problem(str(error), _section(model))
        others = [] if component is None else _found_by_author(entry.node, model, component, setting)
        raise NamelistError([first, *(p for p in others if p != first)]) from error
    return ComponentPlan(
        name, realm, model, component, setting, settings.step, grids, imports, exports, settings.device, streams,
        options, program=settings.program, role=settings.role,
        shapes_state=() if component is None else tuple(component.shapes_state), state_marks=marks,
    )  # fmt: skip


Settings = TypeVar("Settings", bound=Namelist)
BOTH = ("step", "grid", "device", "output")  # keys that stand beside `model` or in the model's own section


@dataclass
class _Entry:
    """A component as the case has it, and the mistakes found in it so far."""

    case: Case
    name: str
    node: Node
    problems: list[Problem] = field(default_factory=list)


def _section(model: str) -> str:
    """Key under which a model's own options stand."""
    return "options" if ":" in model else model


def _option_names(cls: type[Component] | None) -> set[str]:
    return set() if cls is None else {info.alias or key for key, info in cls.Options.model_fields.items()}


def _model_of(entry: _Entry) -> tuple[str, str, type[Component] | None]:
    """Name of the model, realm, and the model's class; None for an external program."""
    case, name, node = entry.case, entry.name, entry.node
    model = node.values.get("model")
    if not isinstance(model, str) or not model:
        text = f"component {name!r} needs a model, such as  {name}: {{model: slab}}"
        raise NamelistError([case.node.problem(text, "components", name)])
    realm = realm_of(name, node)
    if realm and realm not in REALMS:
        text = f"unknown realm {realm!r}{did_you_mean(realm, REALMS)}; known realms: {', '.join(REALMS)}"
        raise NamelistError([node.problem(text, "realm")])
    if model == "external":
        return model, realm, None
    if ":" not in model and realm not in REALMS:
        message = f"component {name!r} needs a realm: one of {', '.join(REALMS)}{did_you_mean(name, REALMS)}"
        raise NamelistError([case.node.problem(message, "components", name)])
    try:
        return model, realm, find_model(model, realm, case.folder)
    except CaseError as error:
        raise NamelistError([node.problem(str(error), "model")]) from error


def _sections(entry: _Entry, model: str, realm: str, cls: type[Component] | None) -> tuple[Node, Node, list[str]]:
    """What every component has, the model's own section, and its options that stand beside `model`."""
    node, section, fields = entry.node, _section(model), _option_names(cls)
    known = [] if ":" in model else models_of(realm)
    inline = [k for k in node.values if k in fields]
    for key in node.values:
        if key not in (*COMMON, *known, *fields, section):
            choices = [*COMMON, *known, *fields]
            entry.problems.append(node.problem(f"unknown key {key!r}{did_you_mean(str(key), choices)}", key))
    own = node.part(section)
    wrong = own.mapping("depth: 50 m", section)
    if wrong:
        entry.problems.append(wrong)
        own = Node({}, {(): own.place()}, own.file)
    common = node.without(*[k for k in node.values if k not in COMMON])
    common = common.merged(own.without(*[k for k in own.values if k not in BOTH]))
    return common.without("model", "realm"), own, inline


def _parsed(entry: _Entry, node: Node, kind: type[Settings]) -> Settings | None:
    try:
        return node.parse(kind)
    except NamelistError as error:
        entry.problems.extend(error.problems)
        return None


def _options(
    entry: _Entry, cls: type[Component], own: Node, inline: list[str], settings: ComponentSettings | None
) -> Namelist | None:
    """The model's options; the number of levels follows the grid's where they do not say it."""
    case, node, fields = entry.case, entry.node, _option_names(cls)
    mine = own.without(*[k for k in own.values if k in BOTH and k not in fields])
    mine = mine.merged(node.without(*[k for k in node.values if k not in inline]))
    if settings is not None and "levels" in fields - mine.values.keys():
        levels = levels_of(settings.grid, case.components, case.folder)
        if levels is not None:
            mine = Node({**mine.values, "levels": levels}, mine.places, mine.file)
    return _parsed(entry, mine, cls.Options)


def _check_other_models(entry: _Entry, model: str, realm: str) -> None:
    """Options of models that are not in use (they may be tomorrow)."""
    for other in [] if ":" in model else models_of(realm):
        if other != model and entry.node.values.get(other) is not None:
            entry.problems.extend(_check_section(entry.node, other, realm, entry.case.folder))


def _grid(entry: _Entry, common: Node, settings: ComponentSettings) -> Grid | None:
    case, name = entry.case, entry.name
    try:
        return call(f"grid of {name}", lambda: grid_of(settings.grid, name, case.components, case.folder, common))
    except NamelistError as error:
        entry.problems.extend(error.problems)
    except TesseraError as error:
        entry.problems.append(common.problem(str(error), "grid"))
    return None


def _check_settings(entry: _Entry, common: Node, settings: ComponentSettings, clock: Clock, duration: int) -> None:
    """Periods of the output against the step, and the command of an external program."""
    for i, s in enumerate(settings.output if entry.case.dated else []):
        wrong_end = s.period.misfit(clock, settings.step, duration)
        if wrong_end is not None:
            when = f" (it ends at {clock.text(wrong_end)})" if s.period.months else ""
            text = f"period {s.period} is not a multiple of the step {format_duration(settings.step)}{when}"
            entry.problems.append(common.problem(text, "output", i, "period"))
    if entry.node.values["model"] == "external" and settings.program:
        entry.problems += [common.problem(text, "program") for text in _command_mistakes(settings.program)]


def _streams(common: Node, settings: ComponentSettings) -> tuple[Stream, ...]:
    """Streams of the history, each with a name of its own."""
    streams = tuple(
        Stream(s.name or f"{s.statistic}_{s.period}", tuple(s.fields), s.period, s.statistic) for s in settings.output
    )
    doubled = {s.name for s in streams if sum(o.name == s.name for o in streams) > 1}
    if doubled:
        text = f"two streams are called {', '.join(sorted(doubled))}: give each a name of its own"
        raise NamelistError([common.problem(text, "output")])
    return streams


def _with_name(problem: Problem, name: str, case: Case) -> Problem:
    """A problem with the component's name where no file of its own says which it is."""
    own = case.folder / f"{name}.yaml"
    if problem.file != "case.yaml" or not problem.message.endswith((" is missing", ": give it a value")):
        return problem
    where = "" if own in case.files else f"; a file {own.name} can say it too"
    return replace(problem, message=f"{name}: {problem.message}{where}")


def _command_mistakes(program: str) -> list[str]:
    """What is wrong with the command line of an external program."""
    try:
        words = shlex.split(program)
    except ValueError as error:
        return [f"program: {program!r} is not a command line: {str(error).lower()}"]
    if not words or ":" in words:
        return [f"program: expected one command, such as  python my_ocean.py (given: {program!r})"]
    shell = [w for w in words if w in SHELL or w.endswith(";")]
    if shell:
        return [f"program: no shell reads it, so {shell[0]!r} would be an argument; write a script and name that"]
    if shutil.which(words[0]) is None:
        return [f"program: {words[0]!r} is not a command here: neither on the PATH nor a file that can be run"]
    python = Path(words[0]).name.startswith("python") and len(words) > 1 and words[1].endswith(".py")
    if python and not Path(words[1]).is_file():
        return [f"program: there is no file {words[1]!r} in {Path.cwd()}, where the run is started"]
    return []


SHELL = {"|", "||", "|&", "&", "&&", ";", ">", ">>", "<", "<<", "2>", "&>", "2>&1"}
"""Words that only a shell understands."""


def _made(
    component: Component, cls: type[Component], setting: Setting, name: str
) -> tuple[Mapping[str, Grid], Mapping[str, str]]:
    """Grids of a component and the marks of its state; what its author's code gives is looked at."""
    grids = call(f"grids() of {name}", lambda: component.grids(setting))
    expect(f"what grids() of {name} returns", grids, Mapping, "a mapping of names to grids with 'default'")
    if "default" not in grids:
        raise CaseError(f"grids() of {name} gives no grid called 'default'; it gives {', '.join(map(str, grids))}")
    for key, grid in grids.items():
        expect(f"grid {key!r} of {name}", grid, Grid, "a Grid")
    for what in ("imports", "exports"):
        fields = getattr(component, what, None)
        expect(f"{what} of {name}", fields, (tuple, list), "a tuple of FieldSpec, such as specs(...)")
        for spec in fields or ():
            expect(f"{spec!r} in {what} of {name}", spec, FieldSpec, "a FieldSpec")
            if spec.grid not in grids:
                raise CaseError(f"{what} of {name}: {spec.name} lives on {spec.grid!r}, which grids() does not give")
    words = component.shapes_state
    expect(f"shapes_state of {name}", words, (tuple, list), "a tuple of names of options")
    known = list(cls.Options.model_fields)
    for word in words:
        if word not in known:
            raise CaseError(
                f"shapes_state of {name} has {word!r}, which is not an option{did_you_mean(str(word), known)}"
            )
    marks = call(f"state_marks() of {name}", lambda: component.state_marks(setting))
    expect(f"what state_marks() of {name} returns", marks, Mapping, "a mapping of names to words")
    for key, words in marks.items():
        expect(f"mark {key!r} of {name}", words, str, "a str")
    return grids, marks


def checked_by_author(case: Case, plan: ComponentPlan) -> list[Problem]:
    """What a component's own check finds.

    Parameters
    ----------
    case : Case
        The namelists.
    plan : ComponentPlan
        The component.
    """
    if plan.component is None:
        return []
    return _found_by_author(case.components[plan.name], plan.model, plan.component, plan.setting)


def _found_by_author(node: Node, model: str, component: Component, setting: Setting) -> list[Problem]:
    """What is wrong with a component in a setting, as far as its own check can tell."""
    try:
        found = call(f"check() of {setting.name}", lambda: component.check(setting))
        expect(f"what check() of {setting.name} returns", found, (list, tuple), "a list of messages")
    except NamelistError as error:
        return list(error.problems)
    except TesseraError as error:
        found = [str(error)]
    return [node.problem(str(text), _section(model)) for text in found]


def remarks_of(plan: ComponentPlan) -> list[str]:
    """What a component says of itself in ``check``, once nothing is wrong with it.

    Parameters
    ----------
    plan : ComponentPlan
        The component.
    """
    component = plan.component
    if component is None:
        return []
    found = call(f"remarks() of {plan.name}", lambda: component.remarks(plan.setting))
    return [f"{plan.name}: {line}" for line in found]


def _check_section(node: Node, model: str, realm: str, folder: Path) -> list[Problem]:
    """Mistakes in the options of a model that is not in use."""
    try:
        cls = find_model(model, realm, folder)
        part = node.part(model)
        wrong = part.mapping("depth: 50 m", model)
        if wrong:
            return [wrong]
        part.without(*[k for k in part.values if k in ("step", "grid", "device", "output")]).parse(cls.Options)
    except NamelistError as error:
        return list(error.problems)
    except CaseError as error:
        return [node.problem(str(error), model)]
    return []
