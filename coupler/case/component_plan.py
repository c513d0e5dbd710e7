# SPDX-License-Identifier: BSD-3-Clause
"""One component's namelist, resolved into a `ComponentPlan`."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from coupler.namelist import Node
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
    node = case.components[name]
    model = node.values.get("model")
    if not isinstance(model, str) or not model:
        text = f"component {name!r} needs a model, such as  {name}: {{model: slab}}"
        raise NamelistError([case.node.problem(text, "components", name)])
    realm = realm_of(name, node)
    if realm and realm not in REALMS:
        text = f"unknown realm {realm!r}{did_you_mean(realm, REALMS)}; there are: {', '.join(REALMS)}"
        raise NamelistError([node.problem(text, "realm")])
    external = model == "external"
    problems: list[Problem] = []
    cls: type[Component] | None = None
    if not external:
        if ":" not in model and realm not in REALMS:
            message = f"component {name!r} needs a realm: one of {', '.join(REALMS)}{did_you_mean(name, REALMS)}"
            raise NamelistError([case.node.problem(message, "components", name)])
        try:
            cls = find_model(model, realm, case.folder)
        except CaseError as error:
            raise NamelistError([node.problem(str(error), "model")]) from error
    known = [] if ":" in model else models_of(realm)
    section = "options" if ":" in model else model
    fields = set() if cls is None else {info.alias or key for key, info in cls.Options.model_fields.items()}
    inline = [k for k in node.values if k in fields]
    for key in node.values:
        if key not in (*COMMON, *known, *fields, section):
            choices = [*COMMON, *known, *fields]
            problems.append(node.problem(f"unknown key {key!r}{did_you_mean(str(key), choices)}", key))
    own = node.part(section)
    wrong = own.mapping("depth: 50 m", section)
    if wrong:
        problems.append(wrong)
        own = Node({}, {(): own.place()}, own.file)
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
        if other != section and node.values.get(other) is not None:
            problems.extend(_check_section(node, other, realm, case.folder))
    if settings is not None:
        try:
            chosen = settings.grid
            grid = call(f"grid of {name}", lambda: grid_of(chosen, name, case.components, case.folder, common))
        except NamelistError as error:
            problems.extend(error.problems)
        except TesseraError as error:
            problems.append(common.problem(str(error), "grid"))
        for i, s in enumerate(settings.output if case.dated else []):
            wrong_end = s.period.misfit(clock, settings.step, duration)
            if wrong_end is not None:
                when = f" (it ends at {clock.text(wrong_end)})" if s.period.months else ""
                text = f"period {s.period} is not a multiple of the step {format_duration(settings.step)}{when}"
                problems.append(common.problem(text, "output", i, "period"))
        if external and settings.program:
            problems += [common.problem(text, "program") for text in _command_mistakes(settings.program)]
    if problems or settings is None or grid is None:
        raise NamelistError([_with_name(p, name, case) for p in problems])
    if not case.dated:
        return None
    setting = Setting(name, clock, settings.step, duration, grid, case.folder, case.options.seed)
    component = None
    grids: Mapping[str, Grid] = {"default": grid}
    try:
        if cls is None:
            imports, exports = _external_fields(settings.imports), _external_fields(settings.exports)
        else:
            component, grids = _made(cls, options, setting, name)
            imports, exports = tuple(component.imports), tuple(component.exports)
    except NamelistError:
        raise
    except TesseraError as error:
        raise NamelistError([node.problem(str(error), section)]) from error
    streams = tuple(
        Stream(s.name or f"{s.statistic}_{s.period}", tuple(s.fields), s.period, s.statistic) for s in settings.output
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
        shapes_state=() if component is None else tuple(component.shapes_state),
    )


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
        return [f"program: {program!r} is no command line: {str(error).lower()}"]
    if not words or ":" in words:
        return [f"program: one command is wanted, such as  python my_ocean.py (given: {program!r})"]
    if shutil.which(words[0]) is None:
        return [f"program: {words[0]!r} is no command here: neither on the PATH nor a file that can be run"]
    return []


def _made(cls: type[Component], options: Any, setting: Setting, name: str) -> tuple[Component, Mapping[str, Grid]]:
    """The component and its grids; what its author's code gives is looked at."""
    component = call(f"the constructor of {name}", lambda: cls(options))
    grids = call(f"grids() of {name}", lambda: component.grids(setting))
    expect(f"what grids() of {name} returns", grids, Mapping, "a mapping of names to grids with 'default'")
    if "default" not in grids:
        raise CaseError(f"grids() of {name} gives no grid called 'default'; it gives {', '.join(map(str, grids))}")
    for key, grid in grids.items():
        expect(f"grid {key!r} of {name}", grid, Grid, "a Grid")
    for what in ("imports", "exports"):
        fields = getattr(component, what, None)
        expect(f"{what} of {name}", fields, (tuple, list), "a tuple of FieldSpec, such as specs(...)")
        for field in fields or ():
            expect(f"{field!r} in {what} of {name}", field, FieldSpec, "a FieldSpec")
            if field.grid not in grids:
                raise CaseError(f"{what} of {name}: {field.name} lives on {field.grid!r}, which grids() does not give")
    words = component.shapes_state
    expect(f"shapes_state of {name}", words, (tuple, list), "a tuple of names of options")
    known = list(cls.Options.model_fields)
    for word in words:
        if word not in known:
            raise CaseError(f"shapes_state of {name} has {word!r}, which is no option{did_you_mean(str(word), known)}")
    return component, grids


def checked_by_author(case: Case, plan: ComponentPlan) -> list[Problem]:
    """What a component's own check finds.

    Parameters
    ----------
    case : Case
        The namelists.
    plan : ComponentPlan
        The component.
    """
    component = plan.component
    if component is None:
        return []
    node, section = case.components[plan.name], "options" if ":" in plan.model else plan.model
    try:
        found = call(f"check() of {plan.name}", lambda: component.check(plan.setting))
        expect(f"what check() of {plan.name} returns", found, (list, tuple), "a list of messages")
    except NamelistError as error:
        return list(error.problems)
    except TesseraError as error:
        found = [str(error)]
    return [node.problem(str(text), section) for text in found]


def _check_section(node: Node, model: str, realm: str, folder: Path) -> list[Problem]:
    """Mistakes in the options of a model that is not in use (it may be tomorrow)."""
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
