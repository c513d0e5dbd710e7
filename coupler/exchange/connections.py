# SPDX-License-Identifier: BSD-3-Clause
"""Rules of the namelist's ``coupling:`` list, resolved into tasks.

A rule is active where the source offers and the target wants a field; inactive rules say why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from coupler.clock import format_duration
from coupler.errors import CaseError, FieldError, GridError, NamelistError, Problem
from coupler.exchange.flux_nodes import flux_node
from coupler.exchange.keys import keyed
from coupler.exchange.mosaic import tile_of
from coupler.exchange.rules import ConnectionRule, FluxRule, SubgridRule
from coupler.exchange.takings import lost, untold
from coupler.exchange.waterways import mistake, origin_of, without_short_cuts
from coupler.fields import FieldSpec, conversion, dictionary, did_you_mean, is_water
from coupler.namelist import Node
from coupler.plan import Bundle, ComponentPlan, Delivery, Inactive, Remap, Statistic, Subgrid, Task
from coupler.remap.weights import read_method


@dataclass
class Resolved:
    """Tasks that came of the rules, what is inactive, what is wrong, and what a user should know."""

    tasks: list[Task]
    inactive: list[Inactive]
    problems: list[Problem]
    notes: list[str]


def mistakes_of_form(rules: Node) -> list[Problem]:
    """Mistakes of the rules by themselves, where the components are not known yet.

    Parameters
    ----------
    rules : Node
        The list ``coupling:``.
    """
    found: list[Problem] = []
    for n, entry in enumerate(rules.values if isinstance(rules.values, list) else []):
        found += rules.part(n).read(_kind(entry))[1].values()
    return found


def _kind(entry: Any) -> type[ConnectionRule] | type[FluxRule]:
    return FluxRule if isinstance(entry, dict) and "flux" in entry else ConnectionRule


def resolve(rules: Node, components: Mapping[str, ComponentPlan], absent: Collection[str] = ()) -> Resolved:
    """All rules as tasks; mistakes are gathered, not raised.

    Parameters
    ----------
    rules : the ``coupling`` list
    components : plans by name
    absent : names of components that the case has as ``model: none``: their rules do nothing
    """
    out = _resolved(rules, components, absent)
    alone = _alone(out.tasks, components)
    if not alone:
        return out
    fewer = {
        name: replace(c, imports=tuple(f for f in c.imports if (name, f.name) not in alone))
        for name, c in components.items()
    }
    out = _resolved(rules, fewer, absent)
    out.inactive += [
        Inactive(f"{field} to {name}", f"not all that gives {name} {companion} gives it too")
        for (name, field), companion in alone.items()
    ]
    return out


def _alone(tasks: list[Task], components: Mapping[str, ComponentPlan]) -> dict[tuple[str, str], str]:
    """Imports, by component and name, that fewer sources supply than their companion, with that one's name."""

    def sources(component: str, name: str) -> set[tuple[str, ...]]:
        return {
            tuple(b.component for b in t.inputs)
            for t in tasks
            if any(d.component == component and any(f.name == name for f in d.fields) for d in t.outputs)
        }

    with_companion = [(c.name, f) for c in components.values() for f in c.imports if f.companion]
    return {
        (name, f.name): f.companion
        for name, f in with_companion
        if sources(name, f.name) and sources(name, f.name) != sources(name, f.companion)
    }


def _resolved(rules: Node, components: Mapping[str, ComponentPlan], absent: Collection[str]) -> Resolved:
    out = Resolved([], [], [], [])
    taken: dict[tuple[str, str, str], str] = {}

    def say(message: str, *path: str | int) -> None:
        out.problems.append(rules.problem(message, *path))

    for n, entry in enumerate(rules.values if isinstance(rules.values, list) else []):
        node = rules.part(n)
        try:
            rule = node.parse(_kind(entry))
        except NamelistError as error:
            out.problems.extend(error.problems)
            continue
        names = rule.between if isinstance(rule, FluxRule) else (rule.source, rule.target)
        left_out = [m for m in names if m in absent]
        unknown = [m for m in names if m not in components and m not in absent]
        for m in unknown:
            say(f"unknown component {m!r}{did_you_mean(m, components)}; the case has {', '.join(components)}", n)
        if unknown or left_out:
            out.inactive += [Inactive(" -> ".join(names), f"{m} has model: none") for m in left_out]
            continue
        lag = rule.period if rule.lag is None else rule.lag
        for c in dict.fromkeys(names):
            step = components[c].step
            if rule.period % step:
                say(
                    f"period {format_duration(rule.period)} is not a multiple of the step {format_duration(step)} of "
                    f"{c}; take {format_duration(max(1, rule.period // step) * step)} or change the step",
                    n,
                    "period",
                )
        if lag % rule.period:
            say(
                f"lag {format_duration(lag)} is not a multiple of the period {format_duration(rule.period)}; "
                f"take 0 or {format_duration(rule.period)}",
                n,
                "lag",
            )
        try:
            if isinstance(rule, FluxRule):
                made = flux_node(rule, node, lag, components, len(out.tasks))
                out.tasks.append(made) if isinstance(made, Task) else out.inactive.append(made)
            else:
                _connection(rule, components, out, taken, lambda text, n=n: say(text, n))  # type: ignore[misc]
        except NamelistError as error:
            out.problems.extend(error.problems)
        except (CaseError, FieldError, GridError) as error:
            say(str(error), n)
    _missing(rules, components, out)
    out.tasks, short = without_short_cuts(out.tasks, components)
    out.inactive += short
    out.problems += untold(rules, out.tasks, components)
    out.notes += lost(rules, out.tasks, components)
    out.tasks = keyed(out.tasks)
    return out


def _missing(rules: Node, components: Mapping[str, ComponentPlan], out: Resolved) -> None:
    """Required imports that nobody supplies."""
    supplied = {(d.component, f.name) for t in out.tasks for d in t.outputs for f in d.fields}
    for c in components.values():
        lacking = [f.name for f in c.imports if f.required and (c.name, f.name) not in supplied]
        for name in lacking:
            offering = [o.name for o in components.values() if o.exported(name)]
            hint = (
                f"{' and '.join(offering)} could: add a rule {{from: {offering[0]}, to: {c.name}, ...}}"
                if offering
                else "no component of this case exports it"
            )
            out.problems.append(rules.problem(f"{c.name} needs {name!r}, and no rule supplies it; {hint}"))


def _connection(
    rule: ConnectionRule,
    components: Mapping[str, ComponentPlan],
    out: Resolved,
    taken: dict[tuple[str, str, str], str],
    say: Callable[[str], None],
) -> None:
    source, target = components[rule.source], components[rule.target]
    pairs = _pairs(rule, source, target, out, taken, say)
    methods = tuple(rule.remap) if isinstance(rule.remap, list) else (rule.remap,)
    try:
        steps = [name for name, _ in read_method(list(methods))]
    except GridError as error:
        say(str(error))
        return
    wrong = [text for pair in pairs if (text := mistake(pair.offered, steps, target))]
    wrong += [text for pair in pairs if (text := rule.leaves_out(pair.offered, source.step))]
    for text in wrong:
        say(text)
    if wrong:
        return
    tile = tile_of(source, target, components)
    if rule.limiter and "conservative_second_order" not in steps:
        say("limiter: true limits the gradients of remap: conservative_second_order; this rule has none")
    elif rule.limiter and tile.kind == "land":
        say("limiter: on the land's tile of the mosaic remapping is of first order; leave the limiter out")
    corrected = _subgrid(rule, source, target, pairs, out, say)
    groups: dict[_Group, list[_Pair]] = defaultdict(list)
    for pair in pairs:
        groups[_group_of(rule, pair, corrected)].append(pair)
    for group, members in groups.items():
        weight = _weight(rule, source, group, members, say)
        same = source.grids[group.source_grid].fingerprint == target.grids[group.target_grid].fingerprint
        if rule.route == "direct" and not same:
            say(f"route: direct needs both sides on the same grid; {rule.source} and {rule.target} differ")
            continue
        correction = corrected.get(group.alone)
        remap = Remap(
            methods, rule.normalization, rule.conserve, rule.limiter, correction[0] if correction else None
        )  # fmt: skip
        out.tasks.append(
            Task(
                index=len(out.tasks),
                name=_title(rule) + _suffix(group, len(members), len(groups), correction),
                kind="connection",
                inputs=_inputs(rule, group, members, weight, correction),
                outputs=(_delivery(rule, group, members, weight),),
                period=rule.period,
                lag=rule.lag,
                remap=remap,
                route=rule.route,
                tile=tile,
            )
        )


class _Pair(NamedTuple):
    """A field as it is offered and as it is wanted: wanted = scale offered + offset."""

    offered: FieldSpec
    wanted: FieldSpec
    scale: float
    offset: float


class _Group(NamedTuple):
    """What fields that travel together have in common."""

    source_grid: str
    target_grid: str
    fraction: str | None
    statistic: Statistic
    alone: str  # a field with a subgrid correction travels by itself; empty for others
    origin: str  # what runs off and what flows out are remapped by themselves; see `waterways.origin_of`


Correction = tuple[Subgrid, tuple[FieldSpec, ...], FieldSpec]  # how, the source's derivative, the target's state


def _title(rule: ConnectionRule) -> str:
    return f"{rule.source} -> {rule.target}"


def _pairs(
    rule: ConnectionRule,
    source: ComponentPlan,
    target: ComponentPlan,
    out: Resolved,
    taken: dict[tuple[str, str, str], str],
    say: Callable[[str], None],
) -> list[_Pair]:
    """Fields that the rule carries; what is offered or wanted by one side only is noted as inactive."""
    title = _title(rule)
    if rule.fields is None:
        names = [(f.name, f.name, 1.0, 0.0) for f in source.exports if target.imported(f.name)]
        if not names:
            out.inactive.append(Inactive(title, _why_none(source, target)))
    else:
        names = [
            (f, f, 1.0, 0.0) if isinstance(f, str) else (f.source, f.target, f.scale, f.offset) for f in rule.fields
        ]
    pairs: list[_Pair] = []
    known = {*dictionary(), *(f.name for f in source.exports), *(f.name for f in target.imports)}
    for source_name, target_name, scale, offset in names:
        bad = next((name for name in (source_name, target_name) if name not in known), None)
        if bad is not None:
            say(f"unknown field {bad!r}{did_you_mean(bad, known)}")
            continue
        label = f"{title}: {source_name}" + (f" as {target_name}" if target_name != source_name else "")
        offered, wanted = source.exported(source_name), target.imported(target_name)
        if not offered:
            out.inactive.append(Inactive(label, f"{rule.source} (model {source.model}) does not export it"))
            continue
        if not wanted:
            out.inactive.append(Inactive(label, f"{rule.target} (model {target.model}) does not import it"))
            continue
        key = (rule.source, rule.target, target_name)
        if key in taken:
            say(
                f"{target_name} is given to {rule.target} twice by {rule.source}: here and by {taken[key]};"
                " leave it out of one of the two rules"
            )
            continue
        taken[key] = title
        if offered.levels != wanted.levels:
            say(
                f"{label}: {rule.target} expects {wanted.levels or 'no'} levels, "
                f"{rule.source} gives {offered.levels or 'none'}: set the same number of levels on both sides"
            )
            continue
        if rule.statistic and wanted.window not in ("", rule.statistic):
            say(
                f"{label}: {rule.target} needs it as statistic: {wanted.window}, not {rule.statistic}; leave the"
                " statistic out, or carry the field by a rule of its own"
            )
            continue
        _convertible(label, offered, wanted, out)
        pairs.append(_Pair(offered, wanted, scale, offset))
    return pairs


def _convertible(label: str, offered: FieldSpec, wanted: FieldSpec, out: Resolved) -> None:
    """Refuse units that do not fit; note a conversion."""
    water = is_water(offered.name)
    if offered.kind == "outflow":
        conversion(f"{offered.units} m-2", wanted.standard_units, water)
        return
    conversion(offered.units, offered.standard_units, water)
    conversion(wanted.standard_units, wanted.units, water)
    if offered.name != wanted.name:
        return
    if offered.standard_units != wanted.standard_units:
        conversion(offered.standard_units, wanted.standard_units, water)
    if offered.units != wanted.units:
        out.notes.append(f"{label}: converted from {offered.units} to {wanted.units}")


def _group_of(rule: ConnectionRule, pair: _Pair, corrected: Mapping[str, Correction]) -> _Group:
    usual: Statistic = "mean" if pair.offered.conserved else "instant"
    statistic = rule.statistic or pair.wanted.window or usual
    alone = pair.wanted.name if pair.wanted.name in corrected else ""
    origin = origin_of(pair.offered)
    return _Group(pair.offered.grid, pair.wanted.grid, pair.offered.fraction, statistic, alone, origin)


def _weight(
    rule: ConnectionRule, source: ComponentPlan, group: _Group, members: list[_Pair], say: Callable[[str], None]
) -> FieldSpec | None:
    """The fraction that weights a group's fields, if one does."""
    if group.fraction is None:
        return None
    name, weight = members[0].offered.name, source.exported(group.fraction)
    if weight is None or weight.kind != "fraction":
        raise FieldError(
            f"{rule.source} weights {name} by {group.fraction!r}, which it does not export as a fraction:"
            " add it to its exports"
        )
    if rule.limiter or group.alone:
        say(f"{name} is weighted by {group.fraction}, which varies: no limiter and no subgrid for it")
    return weight


def _suffix(group: _Group, fields: int, groups: int, correction: Correction | None) -> str:
    """What tells the tasks of a rule apart."""
    if correction:
        return f" ({group.alone}, {correction[0].kind} subgrid)"
    return "" if groups == 1 else f" ({group.statistic}, {fields} fields)"


def _inputs(
    rule: ConnectionRule, group: _Group, members: list[_Pair], weight: FieldSpec | None, correction: Correction | None
) -> tuple[Bundle, ...]:
    if correction is None:
        offered = tuple(m.offered for m in members)
        return (Bundle(rule.source, group.source_grid, offered, group.statistic, weight),)
    _, slope, state = correction
    return (
        Bundle(rule.source, group.source_grid, (members[0].offered, *slope), group.statistic),
        Bundle(rule.target, state.grid, (state,), "instant"),
    )


def _delivery(rule: ConnectionRule, group: _Group, members: list[_Pair], weight: FieldSpec | None) -> Delivery:
    wanted = tuple(m.wanted for m in members)
    scales, offsets = tuple(m.scale for m in members), tuple(m.offset for m in members)
    return Delivery(rule.target, group.target_grid, wanted, scales, offsets, weight is not None)


def _subgrid(
    rule: ConnectionRule,
    source: ComponentPlan,
    target: ComponentPlan,
    pairs: list[_Pair],
    out: Resolved,
    say: Callable[[str], None],
) -> dict[str, Correction]:
    """Corrections of the rule by field."""
    found: dict[str, Correction] = {}
    for entry in rule.subgrid:
        label = f"{rule.source} -> {rule.target}: subgrid correction of {entry.field}"
        wrong = _subgrid_mistake(rule, entry)
        known = {*dictionary(), *(f.name for f in (*source.exports, *target.exports, *target.imports))}
        slope_name = entry.derivative if isinstance(entry.derivative, str) else None
        for name in (entry.field, entry.state, *([slope_name] if slope_name else [])):
            if name not in known:
                wrong = f"unknown field {name!r}{did_you_mean(name, known)}"
        if wrong:
            say(f"{label}: {wrong}")
            continue
        pair = next((p for p in pairs if p[1].name == entry.field), None)
        if pair is None:
            out.inactive.append(Inactive(label, "this rule does not carry it"))
            continue
        flux, wanted = pair[:2]
        state, slope = target.exported(entry.state), source.exported(slope_name) if slope_name else None
        if state is None or (slope_name and slope is None):
            owner, lacking = (target, entry.state) if state is None else (source, slope_name)
            why = f"{owner.name} (model {owner.model}) does not export {lacking}; the flux goes uncorrected"
            out.inactive.append(Inactive(label, why))
            continue
        misplaced = state.grid != wanted.grid or (slope is not None and slope.grid != flux.grid)
        if flux.kind != "flux" or misplaced or any(f.levels for f in (flux, state, *((slope,) if slope else ()))):
            say(f"{label}: expected a flux of the surface, with state and derivative on the same grids as the flux")
            continue
        how = Subgrid(entry.kind, entry.state, None if isinstance(entry.derivative, str) else entry.derivative)
        found[entry.field] = (how, (slope,) if slope else (), state)
    return found


def _subgrid_mistake(rule: ConnectionRule, entry: SubgridRule) -> str:
    """What is wrong with a correction, whatever the components; empty where nothing is."""
    if rule.lag == 0:
        return f"the target's own state takes part: give the rule a lag, such as {format_duration(rule.period)}"
    if rule.remap not in ("conservative", ["conservative"]) or rule.normalization != "fracarea":
        return "it comes with remap: conservative and normalization: fracarea"
    if rule.conserve or rule.limiter or rule.route == "direct":
        return "it keeps integrals by itself and goes through the coupler: no conserve, limiter or route: direct"
    if (entry.kind == "nonsolar") != (entry.derivative is not None):
        return "nonsolar needs a derivative (W m-2 K-1, or an export of the source); solar takes none"
    return ""


def _why_none(source: ComponentPlan, target: ComponentPlan) -> str:
    if not source.exports:
        return f"{source.name} (model {source.model}) exports nothing"
    if not target.imports:
        return f"{target.name} (model {target.model}) imports nothing"
    return (
        f"none of what {source.name} (model {source.model}) exports is imported by {target.name} (model {target.model})"
    )
