# SPDX-License-Identifier: BSD-3-Clause
"""Overlap areas of the cells of two grids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coupler.grids.cells import Cells
from coupler.remap.clip import (
    NEGLIGIBLE,
    SOURCE,
    TARGET,
    clip,
    clip_mixed,
    edge_normals,
    fan_area,
    load,
    load_triangle,
    make_bench,
    mixed_area,
    position,
    set_along,
)
from coupler.remap.compiled import compiled
from coupler.remap.search import Pyramid, candidates, cell_box, make_pyramid
from coupler.threads import granted

Floats = NDArray[np.float64]
GROUP = 8  # target cells that search together
BLOCK = 4096  # target cells a thread takes at a time
LATER = -1.0  # in place of an area: an edge follows a latitude or a cell is concave


@dataclass(frozen=True)
class Overlap:
    """Areas shared by target cells (rows) and source cells (columns), compressed rows, columns ascending.

    Attributes
    ----------
    indptr, indices : int64 (rows + 1,), int32 (links,).
    area : float64 (links,), steradians.
    rows : the target cell of each row.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    area: Floats
    rows: NDArray[np.int64]


@compiled
def comes_first(cells: Cells, a: int, others: Cells, b: int) -> bool:
    """Order of two cells that does not depend on which grid is called the source.

    Parameters
    ----------
    cells, a : first grid and the number of its cell
    others, b : second grid and the number of its cell
    """
    for d in range(3):
        if cells.center[a, d] != others.center[b, d]:
            return bool(cells.center[a, d] < others.center[b, d])
    if cells.area[a] != others.area[b]:
        return bool(cells.area[a] < others.area[b])
    if cells.along[a] != others.along[b]:
        return bool(cells.along[a] < others.along[b])
    for d in range(3):
        if cells.points[cells.corners[a, 0], d] != others.points[others.corners[b, 0], d]:
            return bool(cells.points[cells.corners[a, 0], d] < others.points[others.corners[b, 0], d])
    return False


@compiled
def choose_subject(sources: Cells, c: int, targets: Cells, row: int) -> tuple[int, int, int, int]:
    """Which of two cells on the bench is cut by the other: the concave one, else the first of them.

    Parameters
    ----------
    sources, targets : cells of both grids
    c, row : numbers of the two cells

    Returns
    -------
    subject, n_subject, planes, n_planes : places on the bench and numbers of corners of the cell that is cut, and of
        the one that cuts; the same whichever grid is the source.
    """
    source_is_subject = comes_first(sources, c, targets, row)
    if sources.concave[c] != targets.concave[row]:
        source_is_subject = sources.concave[c]
    if source_is_subject:
        return SOURCE, sources.count[c], TARGET, targets.count[row]
    return TARGET, targets.count[row], SOURCE, sources.count[c]


@compiled
def _mixed_or_concave(sources: Cells, c: int, targets: Cells, row: int, bench: Floats) -> float:
    """Overlap area where an edge follows a latitude or a cell is concave; the target is on the bench already."""
    load(sources.points, sources.corners, c, sources.count[c], bench, SOURCE)
    set_along(bench, SOURCE, sources.count[c], sources.along[c])
    set_along(bench, TARGET, targets.count[row], targets.along[row])
    subject, n_subject, planes, n = choose_subject(sources, c, targets, row)
    if not (sources.concave[c] and targets.concave[row]):
        at, left = clip_mixed(bench, subject, n_subject, planes, n)
        return mixed_area(bench, at, left)
    # two concave cells: a polygon is the signed sum of the triangles from its first corner
    total = 0.0
    full = bench[planes : planes + n].copy()
    for k in range(1, n - 1):
        sign = load_triangle(bench, full, n, k, planes)
        at, left = clip_mixed(bench, subject, n_subject, planes, 3)
        total += sign * mixed_area(bench, at, left)
    bench[planes : planes + n] = full
    edge_normals(bench, planes, n)
    return total


@compiled
def _convex(
    bench: Floats, n_source: int, source_area: float, n_target: int, target_area: float, source_first: bool
) -> float:
    """Overlap area of convex cells with great-circle edges; both are on the bench already."""
    tolerance = NEGLIGIBLE * min(source_area, target_area)
    # one call of each kernel below: what is inlined once is compiled once
    planes, n_planes, points, n_points = TARGET, n_target, SOURCE, n_source
    inside = False
    for _ in range(2):
        found = position(bench, planes, n_planes, points, n_points, tolerance)
        if found == 0:
            return 0.0
        inside = inside or found == 2
        planes, n_planes, points, n_points = points, n_points, planes, n_planes
    if inside:
        return min(source_area, target_area)
    if not source_first:
        planes, n_planes, points, n_points = points, n_points, planes, n_planes
    at, left = clip(bench, points, n_points, planes, n_planes, tolerance)
    return fan_area(bench, at, left)


@compiled
def _group(
    targets: Cells,
    rows: NDArray[np.int64],
    active: NDArray[np.bool_],
    start: int,
    boxes: NDArray[np.float32],
    union: NDArray[np.float32],
) -> int:
    """How many of the rows from `start` on search together; their boxes and the box around them."""
    members = 0
    size = np.float32(0.0)
    while start + members < rows.size and members < GROUP:
        row = rows[start + members]
        if not active[row] or targets.count[row] < 3:
            break
        cell_box(targets.points, targets.corners, targets.count, targets.bulge, row, boxes, members)
        if members == 0:
            for d in range(3):
                union[d], union[d + 3] = boxes[0, d], boxes[0, d + 3]
                size = max(size, boxes[0, d + 3] - boxes[0, d])
        else:
            # a jump (the end of a grid row) must not make a box that holds half the world
            for d in range(3):
                if max(union[d + 3], boxes[members, d + 3]) - min(union[d], boxes[members, d]) > 10.0 * size:
                    return members
            for d in range(3):
                union[d] = min(union[d], boxes[members, d])
                union[d + 3] = max(union[d + 3], boxes[members, d + 3])
        members += 1
    return members


@compiled
def _rows(
    sources: Cells, pyramid: Pyramid, targets: Cells, rows: NDArray[np.int64], active: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    """Links of the target cells `rows`: number a row, source cells, areas."""
    bench = make_bench()
    stack = np.empty((16 * pyramid.levels.shape[0] + 16, 3), np.int64)
    found = np.empty(sources.count.size, np.int64)
    boxes = np.empty((GROUP, 6), np.float32)
    union = np.empty(6, np.float32)
    number = np.zeros(rows.size, np.int64)
    indices = np.empty(4 * rows.size + 64, np.int32)
    areas = np.empty(4 * rows.size + 64)
    # plain local arrays: an array taken out of a tuple within the loop costs more than the geometry
    points, corners, count, size = sources.points, sources.corners, sources.count, sources.area
    center, along, concave, place, nodes = (
        sources.center,
        sources.along,
        sources.concave,
        pyramid.place,
        pyramid.boxes,
    )
    filled = 0
    start = 0
    while start < rows.size:
        members = _group(targets, rows, active, start, boxes, union)
        if members == 0:
            start += 1
            continue
        n = candidates(pyramid, union, stack, found)
        for member in range(members):
            row = rows[start + member]
            begin = filled
            n_target, target_area, target_x = targets.count[row], targets.area[row], targets.center[row, 0]
            load(targets.points, targets.corners, row, n_target, bench, TARGET)
            simple = targets.along[row] == 0 and not targets.concave[row]
            x0, y0, z0 = boxes[member, 0], boxes[member, 1], boxes[member, 2]
            x1, y1, z1 = boxes[member, 3], boxes[member, 4], boxes[member, 5]
            for k in range(n):
                c = found[k]
                node = place[c] if place.size > 0 else c
                if (
                    nodes[node, 0] > x1
                    or nodes[node, 3] < x0
                    or nodes[node, 1] > y1
                    or nodes[node, 4] < y0
                    or nodes[node, 2] > z1
                    or nodes[node, 5] < z0
                ):
                    continue
                if simple and along[c] == 0 and not concave[c]:
                    load(points, corners, c, count[c], bench, SOURCE)
                    first = center[c, 0] < target_x
                    if center[c, 0] == target_x:
                        first = comes_first(sources, c, targets, row)
                    area = _convex(bench, count[c], size[c], n_target, target_area, first)
                    if area <= 10.0 * NEGLIGIBLE * min(size[c], target_area):
                        continue
                else:
                    area = LATER
                if filled == indices.size:
                    indices, areas = _longer(indices, areas)
                indices[filled] = c
                areas[filled] = area
                filled += 1
            number[start + member] = filled - begin
        start += members
    return number, indices[:filled].copy(), areas[:filled].copy()


@compiled
def _finish(
    sources: Cells,
    targets: Cells,
    rows: NDArray[np.int64],
    number: NDArray[np.int64],
    indices: NDArray[np.int32],
    areas: Floats,
) -> int:
    """Work out the areas left for later and close the gaps, in place; returns the number of links."""
    bench = make_bench()
    read = kept = 0
    for k in range(rows.size):
        row, begin, end = rows[k], kept, read + number[k]
        loaded = False
        while read < end:
            c, area = indices[read], areas[read]
            if area == LATER:
                if not loaded:
                    load(targets.points, targets.corners, row, targets.count[row], bench, TARGET)
                    loaded = True
                area = _mixed_or_concave(sources, c, targets, row, bench)
                if area <= 10.0 * NEGLIGIBLE * min(sources.area[c], targets.area[row]):
                    area = 0.0
            if area > 0.0:
                indices[kept], areas[kept] = c, area
                kept += 1
            read += 1
        number[k] = kept - begin
    return kept


@compiled
def _longer(indices: NDArray[np.int32], areas: Floats) -> tuple[NDArray[np.int32], Floats]:
    more_indices, more_areas = np.empty(2 * indices.size, np.int32), np.empty(2 * areas.size)
    more_indices[: indices.size] = indices
    more_areas[: areas.size] = areas
    return more_indices, more_areas


def overlap(
    sources: Cells,
    source_shape: tuple[int, ...],
    targets: Cells,
    *,
    source_active: NDArray[np.bool_] | None = None,
    target_active: NDArray[np.bool_] | None = None,
    rows: NDArray[np.int64] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Overlap:
    """Overlap areas of active cells; the bits do not depend on `threads` or on which rows are asked for.

    Parameters
    ----------
    sources, targets : cells of both grids; `source_shape` (ny, nx) or (n,) is the layout of the source.
    source_active, target_active : flat masks, True where a cell takes part.
    rows : flat target cells to work on; all by default.
    threads : threads to use; by default the environment's OMP_NUM_THREADS, or 1.
    progress : called with (rows done, rows in all) as blocks finish.
    """
    if rows is None:
        rows = np.arange(targets.count.size, dtype=np.int64)
    if source_active is None:
        source_active = np.ones(sources.count.size, np.bool_)
    if target_active is None:
        target_active = np.ones(targets.count.size, np.bool_)
    threads = threads or granted()
    pyramid = make_pyramid(sources, source_shape, source_active)
    special = any(cells.along.any() or cells.concave.any() for cells in (sources, targets))
    blocks = [rows[k : k + BLOCK] for k in range(0, rows.size, BLOCK)]

    def work(block: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
        number, indices, areas = _rows(sources, pyramid, targets, block, target_active)
        if special:  # a second kernel, so that others need not wait for its compilation
            kept = _finish(sources, targets, block, number, indices, areas)
            indices, areas = indices[:kept].copy(), areas[:kept].copy()
        return number, indices, areas

    parts = []
    for part in _in_order(work, blocks, threads):
        parts.append(part)
        if progress is not None:
            progress(min(len(parts) * BLOCK, rows.size), rows.size)
    indptr = np.zeros(rows.size + 1, np.int64)
    if parts:
        np.cumsum(np.concatenate([part[0] for part in parts]), out=indptr[1:])
    indices = np.concatenate([part[1] for part in parts]) if parts else np.empty(0, np.int32)
    area = np.concatenate([part[2] for part in parts]) if parts else np.empty(0)
    return Overlap(indptr, indices, area, rows)


def _in_order(
    work: Callable[[NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int32], Floats]],
    blocks: list[NDArray[np.int64]],
    threads: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32], Floats]]:
    if threads < 2 or len(blocks) < 2:
        yield from map(work, blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, blocks)
