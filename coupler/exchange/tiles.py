# SPDX-License-Identifier: BSD-3-Clause
"""Areas of the tiles of `coupler.exchange.mosaic`: land where the ocean is dry, prescribed sea outside its domain."""

from __future__ import annotations

import dataclasses
import logging
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coupler.errors import GridError
from coupler.grids.grid import EARTH_RADIUS, Grid
from coupler.plan import Plan, Task
from coupler.remap.matrix import Weights
from coupler.remap.points import centers, nearest_rows
from coupler.remap.tiles import dry_overlap

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
_log = logging.getLogger(__name__)


class Links(NamedTuple):
    """Areas (m2) by pair of cells, compressed rows over the target's cells."""

    indptr: Index
    indices: npt.NDArray[np.int32]
    area: Floats


def keepers(land: Grid) -> Index:
    """The column that stands for each cell of a land's grid: its own, or the nearest where the land has none.

    Parameters
    ----------
    land : its mask says where there are columns

    Raises
    ------
    GridError
        A land without a single column.
    """
    mask = np.asarray(land.mask).reshape(-1)
    keeper = np.arange(land.size)
    bare = np.flatnonzero(~mask)
    if bare.size == land.size:
        raise GridError(f"grid {land.name!r} of the land has no active cell: nothing can stand for what is not sea")
    if bare.size:
        keeper[bare] = nearest_rows(land, land, mask, bare)[1]
    return keeper


def land_areas(plan: Plan, task: Task, source: Grid, target: Grid, rows: Index) -> Links:
    """Dry area of every pair of cells of some target rows: what neither ocean has.

    Land in a cell where the land model has no column belongs to the nearest column, in both directions.
    """
    from_atmosphere = plan[task.inputs[0].component].realm == "atmosphere"
    keeper = keepers(target if from_atmosphere else source)
    wanted = np.flatnonzero(np.isin(keeper, rows)) if from_atmosphere else rows
    found = dry_overlap(source, target, plan[task.tile.ocean].grids["default"], rows=np.union1d(wanted, rows))
    row = np.repeat(found.target_cells, np.diff(found.indptr))
    cell, area = found.indices.astype(np.int64), found.dry
    if task.tile.prescribed:
        sea = np.asarray(plan[task.tile.prescribed].grids["default"].mask).reshape(-1)
        area = np.where(sea[cell if from_atmosphere else row], area - found.outside, area)
    there = area > 0.0
    row, cell, area = row[there], cell[there], area[there]
    if from_atmosphere:
        row = keeper[row]
    else:
        _say(task, source, keeper, cell, area)
        cell = keeper[cell]
    return _summed(row, cell, area, rows)


def _summed(row: Index, cell: Index, area: Floats, rows: Index) -> Links:
    """Areas of pairs of cells as compressed ``rows`` (ascending); what belongs to one pair is added up."""
    order = np.lexsort((cell, row))
    row, cell, area = row[order], cell[order], area[order]
    new = np.concatenate([[True], (np.diff(row) != 0) | (np.diff(cell) != 0)])[: row.size]
    total = np.bincount(np.cumsum(new) - 1, area, minlength=int(new.sum())).astype(np.float64)
    row, cell = row[new], cell[new]
    mine = np.isin(row, rows)
    counts = np.bincount(np.searchsorted(rows, row[mine]), minlength=rows.size)
    return Links(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), cell[mine].astype(np.int32), total[mine])


def _say(task: Task, land: Grid, keeper: Index, cell: Index, area: Floats) -> None:
    """Log how much land lies where the land model has no column, and how far the columns are that stand for it."""
    moved = keeper[cell] != cell
    if moved.any():
        points = centers(land)
        bare = np.unique(cell[moved])
        chord = np.linalg.norm(points[bare] - points[keeper[bare]], axis=1).max()
        _log.warning(
            "%s: %.3g km2 of land (%.2g %%) in %d cells where %s has no column belong to the nearest column, at most"
            " %.0f km away", task.name, area[moved].sum() * 1e-6, 100.0 * area[moved].sum() / area.sum(), bare.size,
            task.inputs[0].component, 2e-3 * EARTH_RADIUS * np.arcsin(0.5 * chord),
        )  # fmt: skip


def outside_areas(plan: Plan, task: Task, first: Grid, second: Grid) -> Links:
    """Area of every pair of cells outside the first ocean's domain, where the prescribed ocean is sea."""
    found = dry_overlap(first, second, plan[task.tile.ocean].grids["default"])
    row = np.repeat(found.target_cells, np.diff(found.indptr))
    below = task.inputs[1].component == task.tile.prescribed  # the sides stand in the order of the rule
    sea = np.asarray((second if below else first).mask).reshape(-1)
    keep = sea[row if below else found.indices] & (found.outside > 0.0)
    counts = np.bincount(row[keep], minlength=second.size)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Links(indptr, found.indices[keep], found.outside[keep])


def land_weights(weights: Weights, tile: Links, target: Grid, *, keep_wet: bool) -> Weights:
    """Weights on the dry part of the overlaps: the land's tile of the mosaic.

    Parameters
    ----------
    weights : Weights
        Weights on the whole overlaps, for the same rows.
    tile : Links
        Dry areas of the same rows.
    target : Grid
        The target's grid.
    keep_wet : bool
        Rows without a dry part keep their whole weights (with no area): a land cell under the sea still gets values.
    """
    row_of_link = np.repeat(np.arange(weights.shape[0]), np.diff(tile.indptr))
    total = np.bincount(row_of_link, tile.area, minlength=weights.shape[0]).astype(np.float64)
    counts_dry, counts_all = np.diff(tile.indptr), np.diff(weights.indptr)
    dry_row = total > 0.0
    keep_all = ~dry_row & keep_wet
    links_dry = np.repeat(dry_row, counts_dry) & (tile.area > 0.0)
    links_all = np.repeat(keep_all, counts_all)
    row = np.concatenate(
        [
            np.repeat(np.arange(dry_row.size), counts_dry)[links_dry],
            np.repeat(np.arange(dry_row.size), counts_all)[links_all],
        ]
    )
    indices = np.concatenate([tile.indices[links_dry], weights.indices[links_all]])
    data = np.concatenate(
        [(tile.area / np.repeat(np.where(dry_row, total, 1.0), counts_dry))[links_dry], weights.data[links_all]]
    )
    area = np.concatenate([tile.area[links_dry], np.zeros(int(links_all.sum()))])
    order = np.argsort(row, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=dry_row.size))]).astype(np.int64)
    whole = np.asarray(target.area, np.float64).reshape(-1)[weights.target_cells]
    covered = np.where(keep_all, weights.covered, total / whole)
    return dataclasses.replace(
        weights, indptr=indptr, indices=indices[order].astype(np.int32), data=data[order], area=area[order],
        covered=np.where(dry_row & keep_wet, 1.0, covered) if keep_wet else covered, normalization="fracarea",
        second=None, constant=None,
    )  # fmt: skip
