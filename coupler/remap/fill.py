# SPDX-License-Identifier: BSD-3-Clause
"""Methods that need the neighbourhood of the target: creep fill, and river mouths on a coast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap.points import Rows, centers, is_periodic

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


def neighbours(grid: Grid) -> tuple[Integers, Integers]:
    """Pairs (cell, neighbour) of flat cells that share an edge (structured) or a corner (unstructured), both ways."""
    if len(grid.shape) == 2:
        number = np.arange(grid.size, dtype=np.int64).reshape(grid.shape)
        pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
        if is_periodic(grid):
            pairs.append((number[:, -1], number[:, 0]))
        a = np.concatenate([pair[0].ravel() for pair in pairs])
        b = np.concatenate([pair[1].ravel() for pair in pairs])
    else:
        polygons = grid.polygons
        valid = np.arange(polygons.corners.shape[1]) < polygons.count[:, None]
        cell = np.nonzero(valid)[0]
        keys = np.round(polygons.points[polygons.corners[valid]], 9) + 0.0
        corner = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        order = np.argsort(corner, kind="stable")
        cell, corner = cell[order], corner[order]
        first, second = [], []
        for shift in range(1, 12):  # cells around one corner
            same = corner[shift:] == corner[:-shift]
            if not same.any():
                break
            first.append(cell[:-shift][same])
            second.append(cell[shift:][same])
        a = np.concatenate(first) if first else np.empty(0, np.int64)
        b = np.concatenate(second) if second else np.empty(0, np.int64)
        different = a != b
        a, b = a[different], b[different]
    return np.concatenate([a, b]), np.concatenate([b, a])


def creep(target: Grid, rows: Rows, source_size: int, wanted: Mask, steps: int | None = None) -> Rows:
    """Fill empty wanted rows, ring by ring, with the mean of the neighbouring rows that have links.

    Parameters
    ----------
    rows : compressed rows of all cells of `target`.
    wanted : rows to be filled.
    steps : rings at most; as many as it takes by default.
    """
    from scipy.sparse import csr_matrix, diags

    indptr, indices, data = rows
    matrix: Any = csr_matrix((data, indices, indptr), shape=(target.size, source_size))
    cell, other = neighbours(target)
    adjacent: Any = csr_matrix((np.ones(cell.size), (cell, other)), shape=(target.size, target.size))
    adjacent.data[:] = 1.0
    filled = np.diff(matrix.indptr) > 0
    for _ in range(target.size if steps is None else steps):
        count = adjacent @ filled.astype(float)
        ring = wanted & ~filled & (count > 0)
        if not ring.any():
            break
        share = np.where(ring, 1.0 / np.maximum(count, 1.0), 0.0)
        matrix = matrix + diags(share) @ adjacent @ diags(filled.astype(float)) @ matrix
        matrix.eliminate_zeros()
        filled = filled | ring
    matrix.sort_indices()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data


def coast(target: Grid, wet: Mask) -> Mask:
    """Wet cells with a dry neighbour, flat.

    Parameters
    ----------
    target : grid
    wet : (cells,) bool
    """
    cell, other = neighbours(target)
    beside = np.zeros(target.size, bool)
    beside[cell[~wet[other]]] = True
    return wet & beside


def river_mouth_rows(
    source: Grid, target: Grid, active: Mask, wet: Mask, radius: float = 0.0, shore: Mask | None = None
) -> Rows:
    """Everything that leaves an active source cell enters the sea at the coast nearest to it.

    Fluxes are per area: the weight is source area / target area, so the total is conserved.

    Parameters
    ----------
    active : source cells that discharge, flat.
    wet : wet cells of the target, flat.
    radius : metres; with it the water is spread over all coastal cells this near to the nearest one, by area.
    shore : wet cells that may have a mouth, flat; by default those with a dry neighbour.
    """
    from scipy.spatial import cKDTree

    mouths = np.flatnonzero(coast(target, wet) if shore is None else shore)
    cells = np.flatnonzero(active)
    if mouths.size == 0:
        raise GridError(
            f"grid {target.name!r} has no coast: its mask must have both wet (True) and dry cells; give it "
            "one, or remap by another method"
        )
    points = centers(target)[mouths]
    tree = cKDTree(points)
    chord, place = tree.query(centers(source)[cells], k=min(4, mouths.size))
    chord, place = chord.reshape(cells.size, -1), place.reshape(cells.size, -1)
    nearest = np.take_along_axis(place, np.lexsort((place, np.round(chord, 13)), axis=1)[:, :1], axis=1)[:, 0]
    source_area, target_area = source.area.ravel(), target.area.ravel()
    if radius > 0.0:
        groups = tree.query_ball_point(points, 2.0 * np.sin(0.5 * radius / EARTH_RADIUS), return_sorted=True)
    else:
        groups = [[k] for k in range(mouths.size)]
    total = np.array([target_area[mouths[group]].sum() for group in groups])
    sizes = np.array([len(group) for group in groups])
    flat = np.concatenate([np.asarray(group, np.int64) for group in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    counts = sizes[nearest]
    within = np.arange(counts.sum()) - np.repeat(np.concatenate([[0], np.cumsum(counts)])[:-1], counts)
    row = mouths[flat[np.repeat(starts[nearest], counts) + within]]
    column = np.repeat(cells, counts)
    weight = np.repeat(source_area[cells] / total[nearest], counts)
    order = np.lexsort((column, row))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=target.size))]).astype(np.int64)
    return indptr, column[order].astype(np.int32), weight[order]
