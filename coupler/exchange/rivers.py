# SPDX-License-Identifier: BSD-3-Clause
"""Rivers: what runs off the land's part of its cells enters the sea at the nearest coast.

A land model gives runoff for each square metre of land; only the part of its cell that neither ocean has discharges.
Land whose nearest coast belongs to the sea outside the ocean's domain drains out of the system. An open edge is
no coast.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coupler.exchange.mosaic import oceans_of
from coupler.exchange.tiles import keepers
from coupler.grids.grid import Grid
from coupler.plan import Plan, Task
from coupler.remap.fill import neighbours, river_mouth_rows
from coupler.remap.matrix import Weights
from coupler.remap.points import centers
from coupler.remap.tiles import TileOverlap, dry_overlap

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


def drains_land(plan: Plan, task: Task) -> bool:
    """Whether a connection brings the land's runoff to the ocean that says where land is, by `river_mouths`.

    Parameters
    ----------
    plan : of the run
    task : a connection
    """
    source, target = plan[task.inputs[0].component], plan[task.outputs[0].component]
    first = next(iter(task.remap.methods), "")
    name = first if isinstance(first, str) else next(iter(first))
    return name == "river_mouths" and source.realm == "land" and oceans_of(plan.components)[0] == target.name


def river_weights(plan: Plan, task: Task, source: Grid, target: Grid, rows: Index) -> Weights:
    """Weights from the runoff of the land's cells (per area of land) to some cells of the ocean.

    Parameters
    ----------
    plan : of the run
    task : the connection from land to ocean
    source, target : their grids
    rows : flat target cells

    Returns
    -------
    Weights
        ``data`` is drained area / area of the mouth's cells: what leaves the drained land arrives.
    """
    first = task.remap.methods[0]
    radius = 0.0 if isinstance(first, str) else float(next(iter(first.values())) or 0.0)
    prescribed = oceans_of(plan.components)[1]
    outer = plan[prescribed].grids["default"] if prescribed else None
    wet = np.asarray(target.mask).reshape(-1)
    domain = np.asarray(target.masks.get("domain", np.ones(target.shape, np.bool_))).reshape(-1)
    shore = wet & _beside(target, domain & ~wet)
    found = dry_overlap(source, source if outer is None else outer, target)
    dry = _drained_area(source, found, outer)
    discharges = (
        (dry > 0.0) & np.asarray(source.mask).reshape(-1) & ~_nearer_outside(source, target, shore, found, outer)
    )
    indptr, indices, data = river_mouth_rows(source, target, discharges, wet, radius, shore)
    data = data * (dry / np.asarray(source.area).reshape(-1))[indices]
    everything = Weights(
        indptr, indices, data, (target.size, source.size), wet.astype(np.float64), np.arange(target.size),
        "river_mouths", task.remap.normalization, source.fingerprint, target.fingerprint, target.size,
        constant=np.where(wet & (np.diff(indptr) == 0), 0.0, np.nan),
    )  # fmt: skip
    return everything.rows(rows)


def _rows(found: TileOverlap) -> Index:
    """The row's cell of every link."""
    return np.repeat(found.target_cells, np.diff(found.indptr))


def _drained_area(land: Grid, found: TileOverlap, outer: Grid | None) -> Floats:
    """Area of land that each column drains, m2; ``outer`` has the mask of the sea outside the ocean's domain."""
    area = found.dry
    if outer is not None:
        area = np.where(np.asarray(outer.mask).reshape(-1)[_rows(found)], area - found.outside, area)
    return np.bincount(keepers(land)[found.indices], area, minlength=land.size).astype(np.float64)


def _beside(grid: Grid, these: Mask) -> Mask:
    """Cells next to some cells, flat."""
    cell, other = neighbours(grid)
    found = np.zeros(grid.size, np.bool_)
    found[cell[these[other]]] = True
    return found


def _nearer_outside(land: Grid, ocean: Grid, shore: Mask, found: TileOverlap, outer: Grid | None) -> Mask:
    """Land cells that are nearer to the coast of the outer sea than to the ocean's."""
    from scipy.spatial import cKDTree  # slow to load, and few cases have rivers

    if outer is None:
        return np.zeros(land.size, np.bool_)
    sea = np.asarray(outer.mask).reshape(-1)
    outside = np.bincount(_rows(found), found.outside, minlength=outer.size)
    beyond = sea & _beside(outer, ~sea) & (outside > 0.5 * np.asarray(outer.area).reshape(-1))
    if not beyond.any():
        return np.zeros(land.size, np.bool_)
    points = centers(land)
    inner_distance = cKDTree(centers(ocean)[shore]).query(points)[0]
    return np.asarray(cKDTree(centers(outer)[beyond]).query(points)[0] < inner_distance)
