# SPDX-License-Identifier: BSD-3-Clause
"""Methods between cell centres: bilinear, nearest and inverse distance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from coupler.grids.cells import make_cells
from coupler.grids.grid import Grid, GridError
from coupler.grids.sphere import to_cartesian
from coupler.remap.compiled import compiled
from coupler.remap.search import MARGIN, Pyramid, candidates, make_pyramid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Rows = tuple[Integers, NDArray[np.int32], Floats]
"""Compressed rows: indptr, indices, data."""


def centers(grid: Grid) -> Floats:
    """Cell centres as unit vectors, (cells, 3)."""
    return to_cartesian(grid.longitude.ravel(), grid.latitude.ravel())


def nearest_rows(source: Grid, target: Grid, active: Mask, rows: Integers) -> Rows:
    """Weight one on the nearest active source centre; of equally near ones the first.

    Parameters
    ----------
    source, target : grids
    active : (cells,) of the source
    rows : flat target cells
    """
    return inverse_distance_rows(source, target, active, rows, neighbours=1)


def inverse_distance_rows(
    source: Grid, target: Grid, active: Mask, rows: Integers, neighbours: int = 4, power: float = 2.0
) -> Rows:
    """Weights 1/d^power of the nearest active source centres, d the great-circle distance (Shepard, 1968).

    Parameters
    ----------
    source, target : grids
    active : (cells,) of the source
    rows : flat target cells
    neighbours : how many source cells
    power : of the distance
    """
    from scipy.spatial import cKDTree

    cells = np.flatnonzero(active)
    if cells.size == 0 or rows.size == 0:
        return np.zeros(rows.size + 1, np.int64), np.empty(0, np.int32), np.empty(0)
    number = min(max(1, int(neighbours)), cells.size)
    asked = min(number + 3, cells.size)  # some more: equally near ones must not depend on the tree
    chord, place = cKDTree(centers(source)[cells]).query(centers(target)[rows], k=asked)
    chord, place = chord.reshape(rows.size, asked), place.reshape(rows.size, asked)
    # distances that differ by round-off are the same distance: the lower cell number wins
    rounded = np.round(chord, 13)
    order = np.lexsort((cells[place], rounded), axis=1)[:, :number]
    place, chord = np.take_along_axis(place, order, axis=1), np.take_along_axis(chord, order, axis=1)
    indices = cells[place]
    ascending = np.argsort(indices, axis=1, kind="stable")
    indices, chord = np.take_along_axis(indices, ascending, axis=1), np.take_along_axis(chord, ascending, axis=1)
    if number == 1:
        weight = np.ones_like(chord)
    else:
        distance = 2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))
        here = distance < 1e-12
        with np.errstate(divide="ignore"):
            weight = np.where(here.any(axis=1, keepdims=True), here, distance**-power)
        total = weight[:, 0].copy()
        for k in range(1, number):
            total += weight[:, k]
        weight = weight / total[:, None]
    indptr = number * np.arange(rows.size + 1, dtype=np.int64)
    keep = weight.ravel() > 0.0
    if not keep.all():
        indptr = np.concatenate([[0], np.cumsum(keep.reshape(rows.size, number).sum(axis=1))]).astype(np.int64)
    return indptr, indices.ravel()[keep].astype(np.int32), weight.ravel()[keep]


def is_periodic(grid: Grid) -> bool:
    """Whether the last column of a (ny, nx) grid is followed by the first."""
    if len(grid.shape) != 2 or grid.shape[1] < 3:
        return False
    if grid.is_structured:
        assert grid.corner_longitude is not None and grid.corner_latitude is not None
        lon, lat = grid.corner_longitude, grid.corner_latitude
        ends = [to_cartesian(np.ascontiguousarray(lon[:, k]), np.ascontiguousarray(lat[:, k])) for k in (0, -1)]
        return bool(np.abs(ends[0] - ends[1]).max() < 1e-9)
    points = centers(grid).reshape(*grid.shape, 3)
    gap = np.linalg.norm(points[:, -1] - points[:, 0], axis=1)
    step = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    return bool(np.all(gap < 1.5 * step + 1e-12))


def center_quads(grid: Grid) -> NDArray[np.int32]:
    """Quadrilaterals between four neighbouring cell centres of a (ny, nx) grid, (quads, 4) flat cells."""
    ny, nx = grid.shape
    number = np.arange(ny * nx, dtype=np.int32).reshape(ny, nx)
    if is_periodic(grid):
        number = np.concatenate([number, number[:, :1]], axis=1)
    around = (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1])
    return np.stack(around, axis=-1).reshape(-1, 4)


@compiled
def _in_quads(
    points: Floats, corners: Floats, quads: NDArray[np.int32], pyramid: Pyramid, choice: Integers, st: Floats
) -> None:
    """Quad and bilinear coordinates of each point; -1 where no quad holds it."""
    stack = np.empty((16 * pyramid.levels.shape[0] + 16, 3), np.int64)
    found = np.empty(quads.shape[0], np.int64)
    box = np.empty(6, np.float32)
    for row in range(points.shape[0]):
        px, py, pz = points[row, 0], points[row, 1], points[row, 2]
        choice[row] = -1
        for d in range(3):
            box[d], box[d + 3] = points[row, d] - MARGIN, points[row, d] + MARGIN
        # two directions across the point: the bilinear surface meets its ray where both components vanish
        if abs(pz) < 0.7:
            ax, ay, az = -py, px, 0.0
        else:
            ax, ay, az = 0.0, -pz, py
        norm = math.sqrt(ax * ax + ay * ay + az * az)
        ax, ay, az = ax / norm, ay / norm, az / norm
        bx, by, bz = py * az - pz * ay, pz * ax - px * az, px * ay - py * ax
        n = candidates(pyramid, box, stack, found)
        for m in range(n):
            quad = found[m]
            f = np.empty((4, 2))
            ahead = 0.0
            for k in range(4):
                v = quads[quad, k]
                x, y, z = corners[v, 0] - px, corners[v, 1] - py, corners[v, 2] - pz
                f[k, 0] = ax * x + ay * y + az * z
                f[k, 1] = bx * x + by * y + bz * z
                ahead += corners[v, 0] * px + corners[v, 1] * py + corners[v, 2] * pz
            if ahead <= 0.0:
                continue
            s = t = 0.5
            for _ in range(30):
                value0 = (1 - t) * ((1 - s) * f[0, 0] + s * f[1, 0]) + t * ((1 - s) * f[3, 0] + s * f[2, 0])
                value1 = (1 - t) * ((1 - s) * f[0, 1] + s * f[1, 1]) + t * ((1 - s) * f[3, 1] + s * f[2, 1])
                s0 = (1 - t) * (f[1, 0] - f[0, 0]) + t * (f[2, 0] - f[3, 0])
                s1 = (1 - t) * (f[1, 1] - f[0, 1]) + t * (f[2, 1] - f[3, 1])
                t0 = (1 - s) * (f[3, 0] - f[0, 0]) + s * (f[2, 0] - f[1, 0])
                t1 = (1 - s) * (f[3, 1] - f[0, 1]) + s * (f[2, 1] - f[1, 1])
                det = s0 * t1 - s1 * t0
                if det == 0.0:
                    s = math.nan
                    break
                ds = (value0 * t1 - value1 * t0) / det
                dt = (s0 * value1 - s1 * value0) / det
                s -= ds
                t -= dt
                if abs(ds) + abs(dt) < 1e-15:
                    break
            if -1e-10 <= s <= 1.0 + 1e-10 and -1e-10 <= t <= 1.0 + 1e-10:
                choice[row] = quad
                st[row, 0] = min(max(s, 0.0), 1.0)
                st[row, 1] = min(max(t, 0.0), 1.0)
                break


def bilinear_rows(source: Grid, target: Grid, active: Mask, rows: Integers) -> Rows:
    """Bilinear weights of the four source centres around each target centre, on the sphere.

    Rows outside the source's centres, or with an inactive centre among the four, stay empty: a fallback takes them.

    Parameters
    ----------
    source, target : grids
    active : (cells,) of the source
    rows : flat target cells
    """
    if len(source.shape) != 2 or min(source.shape) < 2:
        raise GridError(
            f"bilinear remapping needs a (ny, nx) source; grid {source.name!r} has shape {source.shape}: use"
            " 'inverse_distance' or 'conservative'"
        )
    quads = center_quads(source)
    cells = make_cells(source.longitude.ravel(), source.latitude.ravel(), quads, False)
    pyramid = make_pyramid(cells, (quads.shape[0],), np.asarray(active[quads].all(axis=1)))
    choice, st = np.empty(rows.size, np.int64), np.zeros((rows.size, 2))
    _in_quads(centers(target)[rows], centers(source), quads, pyramid, choice, st)
    inside = choice >= 0
    s, t = st[inside].T
    corner = quads[choice[inside]]
    weight = np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t], axis=1)
    ascending = np.argsort(corner, axis=1, kind="stable")
    corner, weight = np.take_along_axis(corner, ascending, axis=1), np.take_along_axis(weight, ascending, axis=1)
    keep = weight > 1e-14
    counts = np.zeros(rows.size, np.int64)
    counts[inside] = keep.sum(axis=1)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, corner[keep].astype(np.int32), weight[keep]
