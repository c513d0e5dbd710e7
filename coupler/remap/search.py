# SPDX-License-Identifier: BSD-3-Clause
"""Which cells may overlap: a pyramid of boxes in space over the cells of one grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coupler.grids.cells import Cells
from coupler.remap.compiled import compiled

MARGIN = 2e-7  # boxes are stored in single precision; everything is on the unit sphere


class Pyramid(NamedTuple):
    """Boxes (lo x y z, hi x y z) of all cells and of blocks of blocks of them, from the cells up to one box.

    Attributes
    ----------
    boxes : (nodes, 6) float32; level 0 has one box a cell.
    levels : (number of levels, 3) int64: first node, rows, columns.
    fan : (2,) int64, rows and columns of a block.
    order, place : (cells,) int32, the cell of each node of level 0 and the node of each cell; empty where node
        number and cell number are the same.
    """

    boxes: NDArray[np.float32]
    levels: NDArray[np.int64]
    fan: NDArray[np.int64]
    order: NDArray[np.int32]
    place: NDArray[np.int32]


@compiled
def cell_box(
    points: NDArray[np.float64],
    corners: NDArray[np.int32],
    count: NDArray[np.int32],
    bulge: NDArray[np.float64],
    cell: int,
    boxes: NDArray[np.float32],
    at: int,
) -> None:
    """Write into boxes[at] the box that holds a curved cell.

    Parameters
    ----------
    points : (points, 3) corners of all cells, unit vectors
    corners : (cells, n) numbers of their corners
    count : (cells,) how many corners each has
    bulge : (cells,) how far edges leave their chords
    cell : number of the cell
    boxes : (boxes, 6) written
    at : row to write to
    """
    pad = bulge[cell] + MARGIN
    for d in range(3):
        lo, hi = 2.0, -2.0
        for k in range(count[cell]):
            x = points[corners[cell, k], d]
            lo = min(lo, x)
            hi = max(hi, x)
        boxes[at, d] = lo - pad
        boxes[at, d + 3] = hi + pad


@compiled
def _fill(
    cells: Cells,
    active: NDArray[np.bool_],
    boxes: NDArray[np.float32],
    levels: NDArray[np.int64],
    fan: NDArray[np.int64],
    order: NDArray[np.int32],
    place: NDArray[np.int32],
) -> None:
    points, corners, count, bulge = cells.points, cells.corners, cells.count, cells.bulge
    for node in range(count.size):
        cell = order[node] if order.size > 0 else node
        if order.size > 0:
            place[cell] = node
        if active[cell] and count[cell] > 2:
            cell_box(points, corners, count, bulge, cell, boxes, node)
        else:
            for d in range(3):
                boxes[node, d] = 2.0
                boxes[node, d + 3] = -2.0
    for level in range(1, levels.shape[0]):
        first, rows, columns = levels[level]
        below, rows_below, columns_below = levels[level - 1]
        for j in range(rows):
            for i in range(columns):
                node = first + j * columns + i
                for d in range(3):
                    boxes[node, d] = 2.0
                    boxes[node, d + 3] = -2.0
                for jj in range(j * fan[0], min((j + 1) * fan[0], rows_below)):
                    for ii in range(i * fan[1], min((i + 1) * fan[1], columns_below)):
                        child = below + jj * columns_below + ii
                        for d in range(3):
                            boxes[node, d] = min(boxes[node, d], boxes[child, d])
                            boxes[node, d + 3] = max(boxes[node, d + 3], boxes[child, d + 3])


def make_pyramid(cells: Cells, shape: tuple[int, ...], active: NDArray[np.bool_]) -> Pyramid:
    """Pyramid over the active cells; `shape` (ny, nx) of a structured grid, (n,) of an unstructured one.

    Parameters
    ----------
    cells : of the grid
    shape : of the grid
    active : (cells,) mask
    """
    if len(shape) == 2 and min(shape) > 1:
        rows, columns = shape
        fan = (4, 4)
        order = np.empty(0, np.int32)
    else:  # neighbours in memory need not be neighbours on the sphere: follow a space-filling curve
        rows, columns = 1, cells.count.size
        fan = (1, 8)
        order = _along_curve(cells.center)
    levels = [(0, rows, columns)]
    while rows * columns > 1:
        first = levels[-1][0] + rows * columns
        rows, columns = -(-rows // fan[0]), -(-columns // fan[1])
        levels.append((first, rows, columns))
    table = np.array(levels, np.int64)
    boxes = np.empty((levels[-1][0] + 1, 6), np.float32)
    pyramid = Pyramid(boxes, table, np.array(fan, np.int64), order, np.empty_like(order))
    _fill(cells, active, *pyramid)
    return pyramid


def _along_curve(center: NDArray[np.float64]) -> NDArray[np.int32]:
    """Order of points (n, 3) along a Morton curve through space."""
    code = np.zeros(center.shape[0], np.int64)
    for d in range(3):
        bits = np.minimum((center[:, d] + 1.0) * 2**19, 2**20 - 1).astype(np.int64)
        for shift, keep in (
            (32, 0x1F00000000FFFF),
            (16, 0x1F0000FF0000FF),
            (8, 0x100F00F00F00F00F),
            (4, 0x10C30C30C30C30C3),
            (2, 0x1249249249249249),
        ):
            bits = (bits | (bits << shift)) & keep
        code |= bits << d
    return np.argsort(code, kind="stable").astype(np.int32)


@compiled
def candidates(pyramid: Pyramid, box: NDArray[np.float32], stack: NDArray[np.int64], found: NDArray[np.int64]) -> int:
    """Cells whose box meets `box`, ascending, into `found` (as long as there are cells); returns how many.

    Parameters
    ----------
    pyramid : of the searched grid
    box : (6,) to look in
    stack, found : working places, changed
    """
    boxes, levels, order = pyramid.boxes, pyramid.levels, pyramid.order
    fan_rows, fan_columns = pyramid.fan[0], pyramid.fan[1]
    x0, y0, z0, x1, y1, z1 = box[0], box[1], box[2], box[3], box[4], box[5]
    n = 0
    top = levels.shape[0] - 1
    stack[0, 0], stack[0, 1], stack[0, 2] = top + 1, 0, 0
    depth = 1
    while depth > 0:
        depth -= 1
        level, j, i = stack[depth, 0] - 1, stack[depth, 1], stack[depth, 2]
        first, rows, columns = levels[level, 0], levels[level, 1], levels[level, 2]
        for jj in range(j * fan_rows, min((j + 1) * fan_rows, rows)):
            for ii in range(i * fan_columns, min((i + 1) * fan_columns, columns)):
                node = first + jj * columns + ii
                if (
                    (boxes[node, 0] <= x1)
                    & (boxes[node, 3] >= x0)
                    & (boxes[node, 1] <= y1)
                    & (boxes[node, 4] >= y0)
                    & (boxes[node, 2] <= z1)
                    & (boxes[node, 5] >= z0)
                ):
                    if level == 0:
                        found[n] = order[node] if order.size > 0 else node
                        n += 1
                    else:
                        stack[depth, 0], stack[depth, 1], stack[depth, 2] = level, jj, ii
                        depth += 1
    gap = 1  # Shell's sort with Knuth's gaps: numba's own costs seconds of compilation
    while gap < n:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, n):
            value = found[k]
            m = k - gap
            while m >= 0 and found[m] > value:
                found[m + gap] = found[m]
                m -= gap
            found[m + gap] = value
        gap //= 3
    return n
