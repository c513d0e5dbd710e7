# SPDX-License-Identifier: BSD-3-Clause
"""Second-order conservative remapping: a gradient inside each source cell.

Kritsikis, Aechtner, Meurdesoif and Dubos (2017), section 3: with the mean position C_j of source cell j (the integral
of the position vector over its area) and a gradient g_j, the source field is f_j + g_j . (x - C_j), and its integral
over an overlap of area A_ij and moment M_ij (the integral of x) is A_ij f_j + g_j . (M_ij - A_ij C_j). The second
terms cancel over each source cell: the integral is conserved. The gradients are least-squares fits to the neighbours.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from coupler.grids.cells import Cells
from coupler.grids.grid import EARTH_RADIUS, Grid
from coupler.remap.clip import (
    NEGLIGIBLE,
    SOURCE,
    TARGET,
    clip,
    clip_mixed,
    load,
    load_triangle,
    make_bench,
    set_along,
)
from coupler.remap.compiled import compiled
from coupler.remap.fill import neighbours
from coupler.remap.matrix import Floats, Integers, Mask, SecondOrder, Weights
from coupler.remap.points import is_periodic

IN_LINE = 0.0025
"""Determinant of the neighbours' directions over the square of their trace: a quarter of the sine's square of two, some
six degrees. Nearer to a line, as in a strait, what lies across it is told by the line's bend alone."""


@compiled
def _moment(bench: Floats, at: int, n: int, factor: float, out: Floats, row: int) -> None:
    """Add to out[row] the integral of the position vector over a polygon on the bench, times `factor`.

    It is half the line integral of x cross dx: for a great circle p x q (angle / sine), for an arc along a latitude
    p x q + (0, 0, r^2 (dlon - sin dlon)). The sum of p x q is taken relative to the first corner.
    """
    for m in range(n):
        p, q = at + m, at + (m + 1 if m + 1 < n else 0)
        ax, ay, az = bench[p, 0] - bench[at, 0], bench[p, 1] - bench[at, 1], bench[p, 2] - bench[at, 2]
        bx, by, bz = bench[q, 0] - bench[at, 0], bench[q, 1] - bench[at, 1], bench[q, 2] - bench[at, 2]
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        dx, dy, dz = bench[q, 0] - bench[p, 0], bench[q, 1] - bench[p, 1], bench[q, 2] - bench[p, 2]
        px, py, pz = bench[p, 0], bench[p, 1], bench[p, 2]
        if bench[p, 3] == 1.0:
            sine = px * dy - py * dx
            r2 = px * px + py * py
            turn = math.atan2(sine, px * bench[q, 0] + py * bench[q, 1])
            if abs(turn) < 0.05:
                s = turn * turn
                z += r2 * turn * s * (1.0 / 6.0 - s * (1.0 / 120.0 - s / 5040.0))
            else:
                z += r2 * turn - sine
        else:
            s = 0.25 * (dx * dx + dy * dy + dz * dz)
            if s < 1e-3:
                excess = s * (2.0 / 3.0 + s * (8.0 / 15.0 + s * (16.0 / 35.0 + s * 128.0 / 315.0)))
            else:
                half = math.sqrt(s)
                excess = math.asin(half) / (half * math.sqrt(1.0 - s)) - 1.0
            x += (py * dz - pz * dy) * excess
            y += (pz * dx - px * dz) * excess
            z += (px * dy - py * dx) * excess
        out[row, 0] += 0.5 * factor * x
        out[row, 1] += 0.5 * factor * y
        out[row, 2] += 0.5 * factor * z


@compiled
def cell_moments(cells: Cells, out: Floats) -> None:
    """Integral of the position vector over each cell, (cells, 3), added to zeros.

    Parameters
    ----------
    cells : of the grid
    out : (cells, 3) zeros, added to
    """
    bench = make_bench()
    for c in range(cells.count.size):
        n = cells.count[c]
        load(cells.points, cells.corners, c, n, bench, SOURCE)
        set_along(bench, SOURCE, n, cells.along[c])
        _moment(bench, SOURCE, n, 1.0, out, c)


@compiled
def _link_moments(
    sources: Cells, targets: Cells, rows: Integers, indptr: Integers, indices: NDArray[np.int32], out: Floats
) -> None:
    """Integral of the position vector over the overlap of each link."""
    bench = make_bench()
    for r in range(rows.size):
        row = rows[r]
        n_target, along = targets.count[row], targets.along[row]
        for link in range(indptr[r], indptr[r + 1]):
            c = indices[link]
            n = sources.count[c]
            load(sources.points, sources.corners, c, n, bench, SOURCE)
            load(targets.points, targets.corners, row, n_target, bench, TARGET)
            set_along(bench, SOURCE, n, sources.along[c])
            set_along(bench, TARGET, n_target, along)
            if targets.concave[row]:
                full = bench[TARGET : TARGET + n_target].copy()
                for k in range(1, n_target - 1):  # the signed sum of triangles, as for the area
                    sign = load_triangle(bench, full, n_target, k, TARGET)
                    at, left = clip_mixed(bench, SOURCE, n, TARGET, 3)
                    _moment(bench, at, left, sign, out, link)
                continue
            if along == 0 and sources.along[c] == 0:
                tolerance = NEGLIGIBLE * min(sources.area[c], targets.area[row])
                at, left = clip(bench, SOURCE, n, TARGET, n_target, tolerance)
                for m in range(at, at + left):
                    bench[m, 3] = 0.0
            else:
                at, left = clip_mixed(bench, SOURCE, n, TARGET, n_target)
            _moment(bench, at, left, 1.0, out, link)


def all_neighbours(grid: Grid) -> tuple[Integers, Integers]:
    """Pairs (cell, neighbour) that share an edge or a corner, both ways."""
    if len(grid.shape) == 1:
        return neighbours(grid)
    number = np.arange(grid.size, dtype=np.int64).reshape(grid.shape)
    if is_periodic(grid):
        number = np.concatenate([number, number[:, :1]], axis=1)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    pairs += [(number[:-1, :-1], number[1:, 1:]), (number[:-1, 1:], number[1:, :-1])]
    a = np.concatenate([pair[0].ravel() for pair in pairs])
    b = np.concatenate([pair[1].ravel() for pair in pairs])
    both = np.unique(np.stack([np.concatenate([a, b]), np.concatenate([b, a])], axis=1), axis=0)
    return both[:, 0], both[:, 1]


@compiled
def _slopes(center: Floats, start: Integers, neighbour: NDArray[np.int32], slope: Floats) -> None:
    """Least-squares gradient operators in the tangent plane, weighted by 1/distance^2."""
    for j in range(start.size - 1):
        cx, cy, cz = center[j, 0], center[j, 1], center[j, 2]
        norm = math.sqrt(cx * cx + cy * cy + cz * cz)
        if norm == 0.0:
            continue
        cx, cy, cz = cx / norm, cy / norm, cz / norm
        if abs(cz) < 0.7:
            ax, ay, az = -cy, cx, 0.0
        else:
            ax, ay, az = 0.0, -cz, cy
        size = math.sqrt(ax * ax + ay * ay + az * az)
        ax, ay, az = ax / size, ay / size, az / size
        bx, by, bz = cy * az - cz * ay, cz * ax - cx * az, cx * ay - cy * ax
        maa = mab = mbb = 0.0
        for k in range(start[j], start[j + 1]):
            v = neighbour[k]
            dx, dy, dz = center[v, 0] - center[j, 0], center[v, 1] - center[j, 1], center[v, 2] - center[j, 2]
            da, db = ax * dx + ay * dy + az * dz, bx * dx + by * dy + bz * dz
            w = 1.0 / (da * da + db * db)
            maa += w * da * da
            mab += w * da * db
            mbb += w * db * db
        det = maa * mbb - mab * mab
        if det < IN_LINE * (maa + mbb) ** 2:  # too few neighbours, or all near a line: the gradient along it
            turn = 0.5 * math.atan2(2.0 * mab, maa - mbb)
            ca, cb = math.cos(turn), math.sin(turn)
            size = maa * ca * ca + 2.0 * mab * ca * cb + mbb * cb * cb
            for k in range(start[j], start[j + 1]):
                v = neighbour[k]
                dx, dy, dz = center[v, 0] - center[j, 0], center[v, 1] - center[j, 1], center[v, 2] - center[j, 2]
                da, db = ax * dx + ay * dy + az * dz, bx * dx + by * dy + bz * dz
                g = (ca * da + cb * db) / ((da * da + db * db) * size)
                slope[k, 0] = g * (ca * ax + cb * bx)
                slope[k, 1] = g * (ca * ay + cb * by)
                slope[k, 2] = g * (ca * az + cb * bz)
            continue
        for k in range(start[j], start[j + 1]):
            v = neighbour[k]
            dx, dy, dz = center[v, 0] - center[j, 0], center[v, 1] - center[j, 1], center[v, 2] - center[j, 2]
            da, db = ax * dx + ay * dy + az * dz, bx * dx + by * dy + bz * dz
            w = 1.0 / (da * da + db * db)
            ga, gb = w * (mbb * da - mab * db) / det, w * (maa * db - mab * da) / det
            slope[k, 0] = ga * ax + gb * bx
            slope[k, 1] = ga * ay + gb * by
            slope[k, 2] = ga * az + gb * bz


@compiled
def _combined(
    indptr: Integers,
    indices: NDArray[np.int32],
    data: Floats,
    moment: Floats,
    start: Integers,
    neighbour: NDArray[np.int32],
    slope: Floats,
) -> tuple[Integers, NDArray[np.int32], Floats]:
    """One matrix: first-order weights and gradients, columns ascending."""
    new_indptr = np.zeros(indptr.size, np.int64)
    room = 0
    widest = 0
    for row in range(indptr.size - 1):
        width = 0
        for link in range(indptr[row], indptr[row + 1]):
            width += 1 + start[indices[link] + 1] - start[indices[link]]
        room += width
        widest = max(widest, width)
    columns, values = np.empty(room, np.int32), np.empty(room)
    column, value = np.empty(widest, np.int64), np.empty(widest)
    filled = 0
    for row in range(indptr.size - 1):
        n = 0
        for link in range(indptr[row], indptr[row + 1]):
            j = indices[link]
            own = n
            column[n], value[n] = j, data[link]
            n += 1
            for k in range(start[j], start[j + 1]):
                w = moment[link, 0] * slope[k, 0] + moment[link, 1] * slope[k, 1] + moment[link, 2] * slope[k, 2]
                column[n], value[n] = neighbour[k], w
                value[own] -= w
                n += 1
        order = np.argsort(column[:n], kind="mergesort")
        for m in range(n):
            if m > 0 and column[order[m]] == column[order[m - 1]]:
                values[filled - 1] += value[order[m]]
            else:
                columns[filled], values[filled] = column[order[m]], value[order[m]]
                filled += 1
        new_indptr[row + 1] = filled
    return new_indptr, columns[:filled].copy(), values[:filled].copy()


def second_order(source: Grid, target: Grid, first: Weights, active: Mask) -> Weights:
    """Second-order weights from first-order ones; `active` is the flat mask of the source.

    Parameters
    ----------
    source, target : grids
    first : first-order weights
    active : (cells,) of the source
    """
    assert first.area is not None
    cells = source.polygons
    whole = np.zeros((source.size, 3))
    cell_moments(cells, whole)
    size = cells.area
    mean = np.divide(whole, size[:, None], out=np.zeros_like(whole), where=size[:, None] > 0.0)
    cell, other = all_neighbours(source)
    usable = active & (size > 0.0)
    keep = usable[cell] & usable[other]
    cell, other = cell[keep], other[keep]
    order = np.lexsort((other, cell))
    cell, around = cell[order], other[order].astype(np.int32)
    start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=source.size))]).astype(np.int64)
    slope = np.zeros((around.size, 3))
    _slopes(mean, start, around, slope)
    moment = np.zeros((first.indices.size, 3))
    _link_moments(cells, target.polygons, first.target_cells, first.indptr, first.indices, moment)
    area = first.area / EARTH_RADIUS**2
    moment = (moment - area[:, None] * mean[first.indices]) * (first.data / area)[:, None]
    indptr, indices, data = _combined(first.indptr, first.indices, first.data, moment, start, around, slope)
    reach = cells.points[cells.corners] - mean[:, None, :]
    beyond = np.arange(cells.corners.shape[1]) >= cells.count[:, None]
    reach[beyond] = 0.0
    extra = SecondOrder(first.indptr, first.indices, first.data, moment, start, around, slope, reach, cells.bulge)
    return dataclasses.replace(
        first, indptr=indptr, indices=indices, data=data, area=None, second=extra, method="conservative_second_order"
    )


@compiled
def _limited(
    needed: Mask,
    start: Integers,
    neighbour: NDArray[np.int32],
    slope: Floats,
    reach: Floats,
    bulge: Floats,
    values: Floats,
    gradient: Floats,
) -> None:
    """Gradients (source cells, 3) of one field, cut back so that no cell leaves the range of its neighbours."""
    for j in range(start.size - 1):
        if not needed[j]:
            continue
        f = values[j]
        lo = hi = f
        gx = gy = gz = 0.0
        for k in range(start[j], start[j + 1]):
            d = values[neighbour[k]] - f
            lo, hi = min(lo, values[neighbour[k]]), max(hi, values[neighbour[k]])
            gx += slope[k, 0] * d
            gy += slope[k, 1] * d
            gz += slope[k, 2] * d
        up = down = 0.0
        for k in range(reach.shape[1]):
            s = gx * reach[j, k, 0] + gy * reach[j, k, 1] + gz * reach[j, k, 2]
            up, down = max(up, s), min(down, s)
        margin = bulge[j] * math.sqrt(gx * gx + gy * gy + gz * gz)
        up, down = up + margin, down - margin
        factor = 1.0
        if up > hi - f:
            factor = min(factor, (hi - f) / up)
        if down < lo - f:
            factor = min(factor, (lo - f) / down)
        gradient[j, 0], gradient[j, 1], gradient[j, 2] = factor * gx, factor * gy, factor * gz


@compiled
def _limited_rows(
    indptr: Integers,
    indices: NDArray[np.int32],
    data: Floats,
    moment: Floats,
    gradient: Floats,
    values: Floats,
    out: Floats,
) -> None:
    for row in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            j = indices[k]
            total += data[k] * values[j]
            total += moment[k, 0] * gradient[j, 0] + moment[k, 1] * gradient[j, 1] + moment[k, 2] * gradient[j, 2]
        out[row] = total


def apply_limited(second: SecondOrder, values: Floats, out: Floats) -> None:
    """Apply with the limiter of Barth and Jespersen (1989): (n_source, n_fields) -> out (rows, n_fields).

    Parameters
    ----------
    second : gradients of the weights
    values : (n_source, n_fields)
    out : (rows, n_fields), written
    """
    needed = np.zeros(second.neighbour_start.size - 1, np.bool_)
    needed[second.indices] = True
    gradient = np.zeros((needed.size, 3))
    s = second
    for field in range(values.shape[1]):
        one, result = np.ascontiguousarray(values[:, field]), np.empty(out.shape[0])
        _limited(needed, s.neighbour_start, s.neighbour, s.slope, s.reach, s.bulge, one, gradient)
        _limited_rows(s.indptr, s.indices, s.data, s.moment, gradient, one, result)
        out[:, field] = result
