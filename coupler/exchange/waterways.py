# SPDX-License-Identifier: BSD-3-Clause
"""How water on its way to the sea is remapped, which the field decides: what runs off an area of land, or flows out.

===========  ============================================  ==============================================
way          from                                          to
===========  ============================================  ==============================================
``coast``    runoff of the land's part of its cells        the nearest coast of the ocean (`river_mouths`)
``reaches``  runoff of the land's part of its cells        the rivers' cells below it, or the nearest
``mouths``   outflow of a cell (kg s-1), no land's share   the nearest coast of the ocean (`river_mouths`)
===========  ============================================  ==============================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from coupler.exchange.mosaic import oceans_of
from coupler.fields import FieldSpec
from coupler.plan import ComponentPlan, Inactive, Plan, Task

Way = Literal["", "coast", "reaches", "mouths"]
OFF_LAND = "out of the land", "into the land"
"""What the dictionary says of the direction of a flux that leaves an area of land, or that this draws from rivers."""


MOUTHS = "mouths"
"""Mask of a grid of rivers: where they end in the sea, or at the grid's edge."""
UNNAMED = "mouths without a name"


def origin_of(field: FieldSpec) -> str:
    """``outflow``, ``runoff``, or nothing: fields of different origin are never remapped together.

    Parameters
    ----------
    field : FieldSpec
        As its source declares it.
    """
    if field.kind == "outflow":
        return "outflow"
    return "runoff" if field.positive in OFF_LAND else ""


def way_of(plan: Plan, task: Task) -> Way:
    """The way a connection's fields take; nothing where it is remapped as its rule says.

    Parameters
    ----------
    plan : Plan
        Of the run.
    task : Task
        A connection.
    """
    source, target = plan[task.inputs[0].component], plan[task.outputs[0].component]
    first = next(iter(task.remap.methods), "")
    name = first if isinstance(first, str) else next(iter(first))
    origin = origin_of(task.inputs[0].fields[0])
    if origin == "outflow":
        return "mouths"
    if name == "river_mouths":
        to_the_sea = source.realm == "land" and oceans_of(plan.components)[0] == target.name
        return "coast" if to_the_sea else ""
    between = origin == "runoff" and source.realm == target.realm == "land" and name == "conservative"
    return "reaches" if between and task.route == "coupler" else ""


def mistake(offered: FieldSpec, steps: Sequence[str], target: ComponentPlan) -> str:
    """What is wrong with a rule that carries an outflow; nothing where all is well.

    Parameters
    ----------
    offered : FieldSpec
        As its source declares it.
    steps : sequence of str
        Methods of the remapping.
    target : ComponentPlan
        Who gets it.
    """
    if offered.kind != "outflow" or list(steps) == ["river_mouths"]:
        return ""
    return (
        f"{offered.name} is an outflow at mouths ({offered.units}): bring it to {target.name} with  remap: river_mouths"
    )


def without_short_cuts(
    tasks: Sequence[Task], components: Mapping[str, ComponentPlan]
) -> tuple[list[Task], list[Inactive]]:
    """The tasks less those that bring to the sea at once what rivers bring there too.

    Parameters
    ----------
    tasks : sequence of Task
        Of all rules.
    components : mapping of str to ComponentPlan
        Plans by name.
    """
    carried = {
        (a.inputs[0].component, b.outputs[0].component, field.name): a.outputs[0].component
        for a in tasks
        for b in tasks
        if a.kind == b.kind == "connection" and a.outputs[0].component == b.inputs[0].component
        for field in a.inputs[0].fields
        if origin_of(field) == "runoff"
        and any(f.name == field.name and origin_of(f) == "outflow" for f in b.inputs[0].fields)
    }
    kept: list[Task] = []
    out: list[Inactive] = []
    for task in tasks:
        ends = task.inputs[0].component, task.outputs[0].component
        by = [carried.get((*ends, f.name)) for f in task.inputs[0].fields] if task.kind == "connection" else [None]
        if all(by):
            names = " and ".join(dict.fromkeys(str(name) for name in by))
            out.append(Inactive(task.name, f"{names} of the case brings it from {ends[0]} to {ends[1]}"))
        else:
            some = [(f.name, name) for f, name in zip(task.inputs[0].fields, by, strict=False) if name]
            kept.append(replace(task, index=len(kept)) if not some else _less(task, {n for n, _ in some}, len(kept)))
            out += [Inactive(f"{task.name}: {field}", f"{name} of the case brings it") for field, name in some]
    return kept, out


def _less(task: Task, names: set[str], index: int) -> Task:
    """A connection without some of its fields."""
    given, taken = task.inputs[0], task.outputs[0]
    stay = [k for k, f in enumerate(given.fields) if f.name not in names]
    delivery = replace(
        taken, fields=tuple(taken.fields[k] for k in stay), scale=tuple(taken.scale[k] for k in stay),
        offset=tuple(taken.offset[k] for k in stay),
    )  # fmt: skip
    bundle = replace(given, fields=tuple(given.fields[k] for k in stay))
    return replace(task, index=index, inputs=(bundle, *task.inputs[1:]), outputs=(delivery,))


def mouths_beyond(
    plan: Plan, task: Task, cells: npt.NDArray[np.int64], arriving: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.int64]]:
    """Mouths of a rank whose water leaves the system, by the model's names for them: their places among its cells.

    Parameters
    ----------
    plan : Plan
        Of the run.
    task : Task
        That brings an outflow to the sea.
    cells : int64 array
        Flat cells of the rank.
    arriving : float64 array
        Share of what each cell gives that arrives, (cells,).
    """
    source = plan[task.inputs[0].component]
    grid = source.grids[task.inputs[0].grid]
    mouths = np.asarray(grid.masks.get(MOUTHS, grid.mask)).reshape(-1)[cells]
    names = {} if source.component is None else source.component.cell_names(source.setting)
    found: dict[str, list[int]] = {}
    for place in np.flatnonzero(mouths & (arriving <= 0.0)).tolist():
        found.setdefault(names.get(int(cells[place]), UNNAMED), []).append(place)
    return {name: np.array(places, np.int64) for name, places in sorted(found.items())}
