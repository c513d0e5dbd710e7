# SPDX-License-Identifier: BSD-3-Clause
"""Weights of water on its way to the sea: off the land to the coast or to rivers, and out of rivers at their mouths.

A land model gives runoff for each square metre of land; only the part of its cell that neither ocean has discharges.
Land whose nearest coast belongs to the sea outside the ocean's domain drains out of the system. An open edge is
no coast. An outflow is what a cell gives in all; no share of land goes into it.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from coupler.exchange.mosaic import oceans_of
from coupler.exchange.tiles import keepers
from coupler.exchange.waterways import MOUTHS, Way
from coupler.grids.grid import Grid
from coupler.plan import Plan, Task
from coupler.remap.fill import neighbours, river_mouth_rows
from coupler.remap.matrix import Weights
from coupler.remap.points import centers
from coupler.remap.shared import grid_overlap
from coupler.remap.tiles import TileOverlap, dry_overlap

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]
Rows = tuple[Index, npt.NDArray[np.int32], Floats]
_log = logging.getLogger(__name__)


def waterway_weights(plan: Plan, task: Task, way: Way, source: Grid, target: Grid, rows: Index) -> Weights:
    """Weights of a connection that carries water to the sea; what leaves the source arrives.

    Parameters
    ----------
    plan : of the run
    task : the connection
    way : see `coupler.exchange.waterways`
    source, target : their grids
    rows : flat target cells

    Returns
    -------
    Weights
        ``data`` is drained area / area of the cells reached; of an outflow 1 / that area.
    """
    make = {"coast": coast_rows, "reaches": reach_rows, "mouths": mouth_rows}[way]
    indptr, indices, data = make(plan, task, source, target)
    wet = np.asarray(target.mask).reshape(-1)
    everything = Weights(
        indptr, indices, data, (target.size, source.size), wet.astype(np.float64), np.arange(target.size),
        "river_mouths", task.remap.normalization, source.fingerprint, target.fingerprint, target.size,
        constant=np.where(wet & (np.diff(indptr) == 0), 0.0, np.nan),
    )  # fmt: skip
    return everything.rows(rows)


def _radius(task: Task) -> float:
    first = task.remap.methods[0]
    return 0.0 if isinstance(first, str) else float(next(iter(first.values())) or 0.0)


def _outer(plan: Plan) -> Grid | None:
    """The grid of the ocean that prescribes the sea outside the other's domain."""
    prescribed = oceans_of(plan.components)[1]
    return plan[prescribed].grids["default"] if prescribed else None


def _domain(ocean: Grid) -> Mask:
    return np.asarray(ocean.masks.get("domain", np.ones(ocean.shape, np.bool_))).reshape(-1)


def coast_rows(plan: Plan, task: Task, source: Grid, target: Grid) -> Rows:
    """From the runoff of the land's cells (per area of land) to the nearest coast of the ocean.

    Parameters
    ----------
    plan, task : of the run
    source, target : grids of land and ocean
    """
    outer = _outer(plan)
    wet = np.asarray(target.mask).reshape(-1)
    shore = wet & _beside(target, _domain(target) & ~wet)
    found = dry_overlap(source, source if outer is None else outer, target)
    dry = np.bincount(keepers(source), _dry_area(source, found, outer), minlength=source.size).astype(np.float64)
    discharges = (
        (dry > 0.0) & np.asarray(source.mask).reshape(-1) & ~_nearer_outside(source, target, shore, found, outer)
    )
    indptr, indices, data = river_mouth_rows(source, target, discharges, wet, _radius(task), shore)
    return indptr, indices, data * (dry / np.asarray(source.area).reshape(-1))[indices]


def mouth_rows(plan: Plan, task: Task, source: Grid, target: Grid) -> Rows:
    """From mouths inside the ocean's domain to the nearest wet cells; mouths outside are named in the log.

    Parameters
    ----------
    plan, task : of the run
    source, target : grids of rivers and ocean
    """
    wet, domain = np.asarray(target.mask).reshape(-1), _domain(target)
    mouths = np.asarray(source.masks.get(MOUTHS, source.mask)).reshape(-1) & np.asarray(source.mask).reshape(-1)
    overlap = grid_overlap(source, target, rows=np.flatnonzero(domain | wet))
    inside = np.zeros(source.size, np.bool_)
    inside[overlap.indices[overlap.area > 0.0]] = True
    outer = _outer(plan)
    if outer is not None:
        found = dry_overlap(outer, outer, target)
        inside &= ~_nearer_outside(source, target, wet, found, outer)
    beyond = np.flatnonzero(mouths & ~inside)
    if beyond.size:
        _name(plan, task, source, beyond)
    indptr, indices, data = river_mouth_rows(source, target, mouths & inside, wet, _radius(task), wet)
    return indptr, indices, data / np.asarray(source.area).reshape(-1)[indices]


def _name(plan: Plan, task: Task, rivers: Grid, cells: Index) -> None:
    """Log the mouths whose water leaves the system: the model's names, or where they are."""
    component = plan[task.inputs[0].component].component
    names = {} if component is None else component.cell_names(plan[task.inputs[0].component].setting)
    lon, lat = rivers.longitude.reshape(-1), rivers.latitude.reshape(-1)
    named = [f"{names[c]} ({lat[c]:.2f} N, {lon[c]:.2f} E)" for c in cells.tolist() if c in names]
    rest = cells.size - len(named)
    if not names:
        named, rest = [f"{lat[c]:.2f} N, {lon[c]:.2f} E" for c in cells[:MOST_NAMED].tolist()], cells[MOST_NAMED:].size
    listed = "; ".join(named) + (
        f"{' and ' if named else ''}{rest} {'others' if named else 'without a name'}" if rest else ""
    )
    _log.warning(
        "%s: %d mouths lie outside the domain of %s, and their water leaves the system: %s",
        task.name, cells.size, task.outputs[0].component, listed,
    )  # fmt: skip


MOST_NAMED = 20
"""Mouths without names that the log lists by place."""


def reach_rows(plan: Plan, task: Task, source: Grid, target: Grid) -> Rows:
    """From the runoff of the land's cells (per area of land) to the rivers' cells below them.

    A cell's land is what the mosaic gives the land there. It is shared out over the rivers' cells by what of them is
    dry; where none of them has a reach, the nearest one that has gets it.

    Parameters
    ----------
    plan, task : of the run
    source, target : grids of land and rivers
    """
    area, reach = np.asarray(source.area).reshape(-1), np.asarray(target.mask).reshape(-1)
    name, outer = oceans_of(plan.components)[0], _outer(plan)
    if name:
        ocean = plan[name].grids["default"]
        pairs = dry_overlap(source, target, ocean)
        shared, below = pairs.area, pairs.dry
        land = _dry_area(source, dry_overlap(source, source if outer is None else outer, ocean), outer)
        keeper = keepers(source)
    else:
        plain = grid_overlap(source, target)
        pairs, shared, below = plain, plain.area, plain.area  # type: ignore[assignment]
        land, keeper = np.where(np.asarray(source.mask).reshape(-1), area, 0.0), np.arange(source.size)
    row, cell = np.repeat(np.arange(target.size), np.diff(pairs.indptr)), pairs.indices.astype(np.int64)
    within = np.minimum(np.bincount(cell, shared, minlength=source.size) / area, 1.0)
    within = np.where(within > 1.0 - 1e-9, 1.0, within)
    _say_beyond(task, land, within)
    land = land * within
    part = np.where(reach[row], below, 0.0)
    total = np.bincount(cell, part, minlength=source.size)
    amount = part * (land / np.where(total > 0.0, total, 1.0))[cell]
    lost = np.flatnonzero((land > 0.0) & (total <= 0.0))
    if lost.size and reach.any():
        from scipy.spatial import cKDTree  # slow to load, and few cases have rivers

        able = np.flatnonzero(reach)
        near = able[cKDTree(centers(target)[able]).query(centers(source)[lost])[1]]
        row, cell, amount = (np.concatenate(p) for p in ((row, near), (cell, lost), (amount, land[lost])))
    there = amount > 0.0
    return _rows_of(row[there], keeper[cell[there]], amount[there], np.asarray(target.area).reshape(-1), target.size)


def _rows_of(row: Index, column: Index, amount: Floats, area: Floats, size: int) -> Rows:
    """Compressed rows of amounts over areas; what belongs to one pair is added up."""
    from scipy.sparse import csr_matrix  # slow to load, and few cases have rivers

    matrix = csr_matrix((amount, (row, column)), shape=(size, int(column.max(initial=-1)) + 1))
    matrix.sum_duplicates()
    matrix.sort_indices()
    data = matrix.data / np.repeat(area, np.diff(matrix.indptr))
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), data


def _say_beyond(task: Task, land: Floats, within: Floats) -> None:
    """Log how much land lies outside the rivers' grid."""
    beyond = float((land * (1.0 - within)).sum())
    if beyond > 0.0:
        _log.warning(
            "%s: %.3g km2 of land (%.2g %%) lie outside the grid of %s; what runs off there leaves the system",
            task.name, 1e-6 * beyond, 100.0 * beyond / float(land.sum()), task.outputs[0].component,
        )  # fmt: skip


def _rows(found: TileOverlap) -> Index:
    """The row's cell of every link."""
    return np.repeat(found.target_cells, np.diff(found.indptr))


def _dry_area(land: Grid, found: TileOverlap, outer: Grid | None) -> Floats:
    """Area of land in each of its cells, m2; ``outer`` has the mask of the sea outside the ocean's domain."""
    area = found.dry
    if outer is not None:
        area = np.where(np.asarray(outer.mask).reshape(-1)[_rows(found)], area - found.outside, area)
    return np.bincount(found.indices, area, minlength=land.size).astype(np.float64)


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
