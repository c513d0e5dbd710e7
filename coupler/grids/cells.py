# SPDX-License-Identifier: BSD-3-Clause
"""Cells of a grid as oriented polygons on the unit sphere, ready for clipping."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coupler.grids.compiled import compiled
from coupler.grids.sphere import polygon_area, to_cartesian
from coupler.made_once import announce

Floats = NDArray[np.float64]
SAME_POINT = 1e-13  # radians (0.6 micrometres on the earth): closer corners are one corner
MAX_CORNERS = 30
BLOCK = 16384  # cells a thread takes at a time


class Cells(NamedTuple):
    """Polygons of n cells: corners counter-clockwise, repeated corners removed.

    Attributes
    ----------
    points : (m, 3) corner points, unit vectors.
    corners : (n, nv) int32, indices into `points`; the first ``count`` of each row count.
    count : (n,) int32, corners of the cell; 0 for a degenerate cell, which has no area and overlaps nothing.
    along : (n,) int32, bit k: the edge from corner k to the next follows its circle of latitude.
    concave : (n,) bool.
    center : (n, 3) unit vector.
    bulge : (n,) how far the curved cell can stand out of the box around its corners.
    area : (n,) steradians.
    """

    points: Floats
    corners: NDArray[np.int32]
    count: NDArray[np.int32]  # type: ignore[assignment]  # tuple.count is not used
    along: NDArray[np.int32]
    concave: NDArray[np.bool_]
    center: Floats
    bulge: Floats
    area: Floats


@compiled
def _orient(
    points: Floats,
    latitude: Floats,
    corners: NDArray[np.int32],
    edges_along_latitude: bool,
    count: NDArray[np.int32],
    along: NDArray[np.int32],
    concave: NDArray[np.bool_],
    center: Floats,
    bulge: Floats,
    area: Floats,
    begin: int,
    end: int,
) -> int:
    """Fill the arrays of Cells in place for some cells; returns the first one that is too large, or -1."""
    n_corners = corners.shape[1]
    ring = np.empty(n_corners, np.int32)
    p = np.empty((n_corners, 3))
    for cell in range(begin, end):
        count[cell] = 0
        along[cell] = 0
        concave[cell] = False
        area[cell] = 0.0
        n = 0
        for k in range(n_corners):
            v = corners[cell, k]
            if v < 0 or math.isnan(points[v, 0]):
                continue
            if n > 0:
                u = ring[n - 1]
                if (
                    abs(points[v, 0] - points[u, 0])
                    + abs(points[v, 1] - points[u, 1])
                    + abs(points[v, 2] - points[u, 2])
                    < SAME_POINT
                ):
                    continue
            ring[n] = v
            n += 1
        while n > 1:
            u, v = ring[0], ring[n - 1]
            if (
                abs(points[v, 0] - points[u, 0]) + abs(points[v, 1] - points[u, 1]) + abs(points[v, 2] - points[u, 2])
                >= SAME_POINT
            ):
                break
            n -= 1
        cx = cy = cz = 0.0
        for k in range(n):
            for d in range(3):
                p[k, d] = points[ring[k], d]
            cx += p[k, 0]
            cy += p[k, 1]
            cz += p[k, 2]
        norm = math.sqrt(cx * cx + cy * cy + cz * cz)
        if n == 0 or norm == 0.0:
            center[cell, 0] = center[cell, 1] = 0.0
            center[cell, 2] = 1.0
            bulge[cell] = 0.0
            if n > 0:
                return cell
            continue
        cx, cy, cz = cx / norm, cy / norm, cz / norm
        center[cell, 0], center[cell, 1], center[cell, 2] = cx, cy, cz
        reach = sagitta = 0.0
        bits = 0
        for k in range(n):
            dx, dy, dz = p[k, 0] - cx, p[k, 1] - cy, p[k, 2] - cz
            reach = max(reach, dx * dx + dy * dy + dz * dz)
            following = k + 1 if k + 1 < n else 0
            u, v = ring[k], ring[following]
            if edges_along_latitude and p[k, 2] == p[following, 2] and latitude[u] != 0.0:
                bits |= 1 << k
                ex, ey = 0.5 * (p[k, 0] + p[following, 0]), 0.5 * (p[k, 1] + p[following, 1])
                r = math.sqrt(p[k, 0] * p[k, 0] + p[k, 1] * p[k, 1])
                sagitta = max(sagitta, r - math.sqrt(ex * ex + ey * ey))
        reach = math.sqrt(reach) + sagitta
        if reach > 1.3:  # more than about 80 degrees from the middle: no longer the inside of its edges
            return cell
        bulge[cell] = 0.5 * reach * reach + sagitta
        if n < 3:
            continue
        size = polygon_area(p, n, bits)
        if size < 0.0:  # clockwise: turn it round
            flipped = 0
            for k in range(n):
                corners[cell, k] = ring[n - 1 - k]
                if (bits >> ((2 * n - 2 - k) % n)) & 1:
                    flipped |= 1 << k
            bits = flipped
            for k in range(n):
                for d in range(3):
                    p[k, d] = points[corners[cell, k], d]
            size = polygon_area(p, n, bits)
        else:
            for k in range(n):
                corners[cell, k] = ring[k]
        if size < SAME_POINT * reach:
            continue
        area[cell] = size
        along[cell] = bits
        count[cell] = n
        for k in range(n):
            a, b = (k + 1) % n, (k + 2) % n
            ux, uy, uz = p[a, 0] - p[k, 0], p[a, 1] - p[k, 1], p[a, 2] - p[k, 2]
            vx, vy, vz = p[b, 0] - p[k, 0], p[b, 1] - p[k, 1], p[b, 2] - p[k, 2]
            turn = p[k, 0] * (uy * vz - uz * vy) + p[k, 1] * (uz * vx - ux * vz) + p[k, 2] * (ux * vy - uy * vx)
            if turn < -1e-12 * size:
                concave[cell] = True
    return -1


def make_cells(
    corner_longitude: Floats,
    corner_latitude: Floats,
    corners: NDArray[np.int32],
    edges_along_latitude: bool,
    threads: int = 1,
) -> Cells:
    """Oriented polygons of the cells ``corners`` (n, nv), indices into the corner coordinates (degrees, (m,)).

    A missing corner is -1 or a NaN coordinate. Raises ValueError, with the cell's number, for a cell wider than
    about 160 degrees.
    """
    n, n_corners = corners.shape
    if n_corners > MAX_CORNERS:
        raise ValueError(f"cells have up to {n_corners} corners; at most {MAX_CORNERS} are supported")
    announce(_orient, "the remapping kernels", 15)
    longitude = np.ascontiguousarray(corner_longitude, dtype=np.float64).ravel()
    latitude = np.ascontiguousarray(corner_latitude, dtype=np.float64).ravel()
    points = np.empty((latitude.size, 3))
    cells = Cells(
        points,
        np.array(corners, dtype=np.int32, order="C"),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.zeros(n, np.bool_),
        np.empty((n, 3)),
        np.empty(n),
        np.zeros(n),
    )

    def place(block: tuple[int, int]) -> int:
        points[slice(*block)] = to_cartesian(longitude[slice(*block)], latitude[slice(*block)])
        return -1

    def orient(block: tuple[int, int]) -> int:
        return _orient(points, latitude, cells.corners, edges_along_latitude, *cells[2:], *block)

    too_large = -1
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for work, size in ((place, latitude.size), (orient, n)):
            block = size if threads < 2 else BLOCK
            blocks = [(k, min(k + block, size)) for k in range(0, size, max(block, 1))]
            found = list(map(work, blocks) if threads < 2 else pool.map(work, blocks))
            too_large = next((cell for cell in found if cell >= 0), -1)
    if too_large >= 0:
        raise ValueError(f"cell {too_large} (flat index) spans more than a hemisphere can hold")
    return cells
