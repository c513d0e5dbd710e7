# SPDX-License-Identifier: BSD-3-Clause
"""Rules of flux nodes, resolved into tasks: a flux law between two components."""

from __future__ import annotations

from collections.abc import Mapping

from coupler.errors import FieldError
from coupler.exchange.mosaic import tile_of
from coupler.exchange.rules import FluxRule
from coupler.fields import FieldSpec, dictionary, did_you_mean
from coupler.flux_law import FluxLaw, find_law
from coupler.namelist import Node
from coupler.plan import Bundle, ComponentPlan, Delivery, Inactive, Task


def flux_node(
    rule: FluxRule, node: Node, lag: int, components: Mapping[str, ComponentPlan], index: int
) -> Task | Inactive:
    """The task of a flux rule, or why it does nothing.

    Parameters
    ----------
    rule, node : FluxRule, Node
        The rule, and where it stands.
    lag : int
        Age of the states, s.
    components : mapping of str to ComponentPlan
        The case's.
    index : int
        Number that the task gets.

    Raises
    ------
    FieldError
        No such law, or something that cannot be computed.
    NamelistError
        What is wrong in the law's options, each at its line.
    """
    sides = [components[name] for name in rule.between]
    law = find_law(rule.flux, rule.scheme, sides[0].setting.folder)
    options = node.part("options").parse(law.Options)
    called = f"{rule.flux} flux ({rule.scheme})" if rule.scheme else f"flux {rule.flux}"
    title = f"{called} between {rule.between[0]} and {rule.between[1]}"
    _known_names(law, components, called)
    lacking = [
        f"{c.name} (model {c.model}) does not export {name}"
        for c, side in zip(sides, law.sides, strict=True)
        for name in side.needs
        if c.exported(name) is None
    ]
    gets = [tuple(s for n in side.gets if (s := c.imported(n))) for c, side in zip(sides, law.sides, strict=True)]
    if lacking or not any(gets):
        nobody = "" if any(gets) else "neither side imports what it delivers"
        return Inactive(title, "; and ".join(filter(None, ("; ".join(lacking), nobody))))
    if lag == 0:
        raise FieldError("a flux node needs a lag (one period by default): both sides wait for its result")
    takes = [tuple(s for n in side.takes if (s := c.exported(n))) for c, side in zip(sides, law.sides, strict=True)]
    bundles = [
        Bundle(c.name, _one_grid(c, fields, called), fields, rule.statistic)
        for c, fields in zip(sides, takes, strict=True)
    ]
    outputs = [
        Delivery(c.name, _one_grid(c, fields, called), fields, (1.0,) * len(fields), (0.0,) * len(fields))
        for c, fields in zip(sides, gets, strict=True)
        if fields
    ]
    return Task(
        index=index,
        name=title,
        kind="flux",
        inputs=tuple(bundles),
        outputs=tuple(outputs),
        period=rule.period,
        lag=lag,
        scheme=rule.scheme,
        tile=tile_of(sides[0], sides[1], components),
        options={
            "flux": rule.flux,
            "grid": rule.grid,
            "states": rule.states,
            "law": options.model_dump(mode="json"),
        },
    )


def _known_names(law: FluxLaw, components: Mapping[str, ComponentPlan], called: str) -> None:
    """Refuse a law that names a field which neither the dictionary nor a component knows: a slip of its author's."""
    known = {*dictionary(), *(f.name for c in components.values() for f in (*c.imports, *c.exports))}
    for name in (*law.first.needs, *law.second.needs, *law.delivers):
        if name not in known:
            raise FieldError(f"{called} names an unknown field {name!r}{did_you_mean(name, known)}")


def _one_grid(component: ComponentPlan, fields: tuple[FieldSpec, ...], called: str) -> str:
    """The grid on which a side's fields live, one and the same."""
    layers = [f.name for f in fields if f.levels]
    if layers:
        raise FieldError(f"{called} takes fields of the surface; {component.name} has levels in {', '.join(layers)}")
    grids = {f.grid: f.name for f in fields} or {"default": ""}
    if len(grids) > 1:
        where = ", ".join(f"{name} on {grid}" for grid, name in grids.items())
        raise FieldError(f"{called} needs fields on one grid; {component.name} has {where}")
    return next(iter(grids))
