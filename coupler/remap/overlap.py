"""Overlap areas of the cells of two grids."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coupler.remap.cells import Cells
from coupler.remap.clip import (
    NEGLIGIBLE,
    Bench,
    clip_area,
    clip_area_mixed,
    edge_normals,
    load,
    make_bench,
    position,
)
from coupler.remap.compiled import compiled
from coupler.remap.search import Pyramid, candidates, cell_box, make_pyramid

Floats = NDArray[np.float64]
GROUP = 8  # target cells that search together
BLOCK = 8192  # target cells a thread takes at a time


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
def _first(cells: Cells, a: int, others: Cells, b: int) -> bool:
    """Order of two cells that does not depend on which grid is called the source."""
    for d in range(3):
        if cells.center[a, d] != others.center[b, d]:
            return bool(cells.center[a, d] < others.center[b, d])
    return cells.points[cells.corners[a, 0], 0] < others.points[others.corners[b, 0], 0]


@compiled
def _mixed_or_concave(sources: Cells, c: int, targets: Cells, row: int, bench: Bench) -> float:
    """Overlap area where an edge follows a latitude or a cell is concave."""
    n_source = load(sources, c, bench.source)
    n_target = int(targets.count[row])
    if sources.concave[c] and targets.concave[row]:
        # a simple polygon is the signed sum of the triangles from its first corner
        total = 0.0
        full = bench.target.copy()
        bits = targets.along[row]
        for k in range(1, n_target - 1):
            order = np.array([0, k, k + 1])
            sides = np.array(
                [k == 1 and bits & 1 == 1, (bits >> k) & 1 == 1, k == n_target - 2 and (bits >> (k + 1)) & 1 == 1]
            )
            triangle = bench.target
            for m in range(3):
                triangle[m] = full[order[m]]
            edge_normals(triangle, 3, bench.target_normals)
            sign = 1.0
            if (
                bench.target_normals[0, 0] * (triangle[2, 0] - triangle[0, 0])
                + bench.target_normals[0, 1] * (triangle[2, 1] - triangle[0, 1])
                + bench.target_normals[0, 2] * (triangle[2, 2] - triangle[0, 2])
            ) < 0.0:
                sign = -1.0
                triangle[1] = full[order[2]]
                triangle[2] = full[order[1]]
                sides[0], sides[2] = sides[2], sides[0]
                edge_normals(triangle, 3, bench.target_normals)
            along = 0
            for m in range(3):
                if sides[m]:
                    along |= 1 << m
            total += sign * clip_area_mixed(
                bench.source, n_source, sources.along[c], triangle, bench.target_normals, 3, along, bench
            )
        bench.target[:] = full
        edge_normals(bench.target, n_target, bench.target_normals)
        return total
    source_is_subject = _first(sources, c, targets, row)
    if sources.concave[c] != targets.concave[row]:
        source_is_subject = sources.concave[c]
    if source_is_subject:
        return clip_area_mixed(
            bench.source,
            n_source,
            sources.along[c],
            bench.target,
            bench.target_normals,
            n_target,
            targets.along[row],
            bench,
        )
    edge_normals(bench.source, n_source, bench.source_normals)
    return clip_area_mixed(
        bench.target,
        n_target,
        targets.along[row],
        bench.source,
        bench.source_normals,
        n_source,
        sources.along[c],
        bench,
    )


@compiled
def _convex(sources: Cells, c: int, targets: Cells, row: int, bench: Bench) -> float:
    """Overlap area of convex cells with great-circle edges; the target is on the bench already."""
    tolerance = NEGLIGIBLE * min(sources.area[c], targets.area[row])
    n_source, n_target = load(sources, c, bench.source), int(targets.count[row])
    source, target = bench.source, bench.target
    source_in = position(target, bench.target_normals, n_target, source, n_source, tolerance)
    if source_in == 0:
        return 0.0
    edge_normals(source, n_source, bench.source_normals)
    target_in = position(source, bench.source_normals, n_source, target, n_target, tolerance)
    if target_in == 0:
        return 0.0
    if source_in == 2 and target_in == 2:
        return min(sources.area[c], targets.area[row])
    if source_in == 2:
        return sources.area[c]
    if target_in == 2:
        return targets.area[row]
    if _first(sources, c, targets, row):
        return clip_area(source, n_source, target, bench.target_normals, n_target, bench, tolerance)
    return clip_area(target, n_target, source, bench.source_normals, n_source, bench, tolerance)


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
    filled = 0
    start = 0
    while start < rows.size:
        if not active[rows[start]] or targets.count[rows[start]] < 3:
            start += 1
            continue
        members = 0
        while start + members < rows.size and members < GROUP:
            row = rows[start + members]
            if not active[row] or targets.count[row] < 3:
                break
            cell_box(targets, row, boxes[members])
            if members == 0:
                union[:] = boxes[0]
            else:
                # a jump (the end of a grid row) must not make a box that holds half the world
                near = True
                for d in range(3):
                    lo, hi = min(union[d], boxes[members, d]), max(union[d + 3], boxes[members, d + 3])
                    size = max(boxes[0, 3] - boxes[0, 0], boxes[0, 4] - boxes[0, 1], boxes[0, 5] - boxes[0, 2])
                    if hi - lo > 10.0 * size:
                        near = False
                if not near:
                    break
                for d in range(3):
                    union[d] = min(union[d], boxes[members, d])
                    union[d + 3] = max(union[d + 3], boxes[members, d + 3])
            members += 1
        n = candidates(pyramid, union, stack, found)
        for member in range(members):
            row = rows[start + member]
            begin = filled
            if n > 0:
                edge_normals(bench.target, load(targets, row, bench.target), bench.target_normals)
            simple = targets.along[row] == 0 and not targets.concave[row]
            x0, y0, z0 = boxes[member, 0], boxes[member, 1], boxes[member, 2]
            x1, y1, z1 = boxes[member, 3], boxes[member, 4], boxes[member, 5]
            for k in range(n):
                c = found[k]
                if members > 1:
                    box = pyramid.boxes[c] if pyramid.order.size == 0 else boxes[member]
                    if box[0] > x1 or box[3] < x0 or box[1] > y1 or box[4] < y0 or box[2] > z1 or box[5] < z0:
                        continue
                if simple and sources.along[c] == 0 and not sources.concave[c]:
                    area = _convex(sources, c, targets, row, bench)
                else:
                    area = _mixed_or_concave(sources, c, targets, row, bench)
                if area <= 10.0 * NEGLIGIBLE * min(sources.area[c], targets.area[row]):
                    continue
                if filled == indices.size:
                    more_indices = np.empty(2 * filled, np.int32)
                    more_indices[:filled] = indices
                    indices = more_indices
                    more_areas = np.empty(2 * filled)
                    more_areas[:filled] = areas
                    areas = more_areas
                indices[filled] = c
                areas[filled] = area
                filled += 1
            number[start + member] = filled - begin
        start += members
    return number, indices[:filled].copy(), areas[:filled].copy()


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
    if threads is None:
        threads = int(os.environ.get("OMP_NUM_THREADS", "1") or "1")
    pyramid = make_pyramid(sources, source_shape, source_active)
    blocks = [rows[k : k + BLOCK] for k in range(0, rows.size, BLOCK)]

    def work(block: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
        return _rows(sources, pyramid, targets, block, target_active)

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
