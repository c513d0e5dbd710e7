# SPDX-License-Identifier: BSD-3-Clause
"""The land tile of a mosaic of three grids: what two grids share, less what lies under the wet ocean.

The ocean's wet mask decides where there is sea, so the dry part of an overlap of an atmosphere and a land cell is
its area minus that of its intersections with wet ocean cells. Each overlap is made once as a polygon of its own and
cut by the ocean's cells like any other cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.cells import MAX_CORNERS, Cells
from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap.apply import row_sums
from coupler.remap.clip import (
    NEGLIGIBLE,
    SOURCE,
    TARGET,
    clip_mixed,
    load,
    load_triangle,
    make_bench,
    mixed_area,
    set_along,
)
from coupler.remap.compiled import compiled
from coupler.remap.matrix import transpose_rows
from coupler.remap.overlap import choose_subject, overlap
from coupler.remap.shared import grid_overlap, keep, kept
from coupler.remap.weights import resolve_mask
from coupler.threads import granted

Floats = NDArray[np.float64]
LINKS = 1 << 17  # pairs of cells whose polygons are kept at a time (about 40 MB)
SNAP = 1e-12  # of a piece: less than this is round-off


@dataclass(frozen=True, eq=False)
class TileOverlap:
    """What target cells (rows) and source cells (columns) share, compressed rows, columns ascending.

    Attributes
    ----------
    indptr, indices : int64 (rows + 1,), int32 (links,), flat source cells.
    target_cells : int64 (rows,), the flat target cell of each row.
    area : float64 (links,), m2, of source cell and target cell together.
    dry : float64 (links,), m2, `area` less what lies under wet ocean cells; the part outside the ocean's domain is
        dry.
    outside : float64 (links,), m2, the part of `dry` outside all ocean cells of the domain.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    target_cells: NDArray[np.int64]
    area: Floats
    dry: Floats
    outside: Floats

    def transposed(self, sources: int) -> TileOverlap:
        """The same pairs with the roles of both grids exchanged, of all rows.

        Parameters
        ----------
        sources : int
            Number of source cells, the rows of what is returned.
        """
        indptr, row, links = transpose_rows(self.indptr, self.indices, sources)
        areas = (part[links] for part in (self.area, self.dry, self.outside))
        return TileOverlap(indptr, row.astype(np.int32), np.arange(sources, dtype=np.int64), *areas)


def dry_overlap(
    source: Grid,
    target: Grid,
    ocean: Grid,
    *,
    ocean_mask: str | ArrayLike | None = "default",
    rows: ArrayLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TileOverlap:
    """Overlap areas of the cells of `source` and `target`, and what of them no wet cell of `ocean` covers.

    Masks of source and target are not looked at. The bits of a row depend neither on `threads` nor on which rows are
    made together, and exchanging source and target gives the same numbers, transposed.

    Parameters
    ----------
    source, target : such as atmosphere and land; any grids with cell corners.
    ocean : the grid whose wet mask rules. Cells outside its mask ``domain``, where it has one, are neither wet nor
        dry, as if the grid had no such cells.
    ocean_mask : name or array, True where the ocean is wet; None for all cells.
    rows : flat target cells to make, all by default.
    threads : threads to use; by default OMP_NUM_THREADS, or 1.
    progress : called with (pairs of cells done, pairs in all).

    Returns
    -------
    TileOverlap
        0 <= outside <= dry <= area. A remainder below 1e-12 of the overlap, or below what counts as an overlap at
        all (1e-13 of the smaller cell), is round-off: it becomes 0, and what is dry but for that is all dry.

    Raises
    ------
    GridError
        For grids without corners, a mask of another shape, or an overlap of more than 30 corners.

    Examples
    --------
    >>> air = Grid.regular_lonlat("air", 0, 4, 0, 4, resolution=2)
    >>> soil = Grid.regular_lonlat("soil", 0, 4, 0, 4, resolution=1)
    >>> sea = Grid.regular_lonlat("sea", 0, 4, 0, 4, resolution=4)
    >>> tile = dry_overlap(air, soil, sea, ocean_mask=[[False]])
    >>> tile.indices[:4].tolist(), bool((tile.dry == tile.area).all()), tile.outside.sum()
    ([0, 0, 1, 1], True, np.float64(0.0))
    """
    wet = resolve_mask(ocean, ocean_mask)
    domain = np.asarray(ocean.masks.get("domain", np.ones(ocean.shape, np.bool_))).ravel() | wet
    chosen = np.arange(target.size, dtype=np.int64) if rows is None else np.asarray(rows, np.int64).ravel()
    seas = ocean.fingerprint, wet.tobytes(), domain.tobytes()
    key = (source.fingerprint, target.fingerprint, *seas, chosen.tobytes())
    found: TileOverlap | None = kept(key)
    if found is None and np.array_equal(chosen, np.arange(target.size)):
        back: TileOverlap | None = kept((*key[1::-1], *seas, np.arange(source.size).tobytes()))
        found = back and back.transposed(target.size)
    if found is None:
        found = _dry_overlap(source, target, ocean, wet, domain, chosen, threads or granted(), progress)
        keep(key, found)
    return found


def _dry_overlap(
    source: Grid,
    target: Grid,
    ocean: Grid,
    wet: NDArray[np.bool_],
    domain: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> TileOverlap:
    """The pieces that the two grids share, cut by the ocean's cells."""
    sources, targets, waters = (grid.make_polygons(threads) for grid in (source, target, ocean))
    if source.fingerprint == target.fingerprint:  # each cell overlaps itself, exactly
        whole = targets.count[chosen] > 2
        cells = chosen[whole]
        indptr = np.concatenate([[0], np.cumsum(whole)]).astype(np.int64)
        indices, row, area = cells.astype(np.int32), cells, targets.area[cells]
        inside = _under(targets, cells, waters, ocean.shape, wet, domain, threads)
        if progress is not None:
            progress(cells.size, cells.size)
    else:
        found = grid_overlap(source, target, rows=chosen, threads=threads)
        indptr, indices, area = found.indptr, found.indices, found.area
        row = np.repeat(chosen, np.diff(indptr))

        def work(block: slice) -> Floats:
            return _pieces_under(sources, targets, indices[block], row[block], waters, ocean.shape, wet, domain)

        # blocks bound the memory; each searches the ocean, so they are large unless threads would idle
        size = min(LINKS, max(-(-area.size // threads), 4096))
        blocks = [slice(k, min(k + size, area.size)) for k in range(0, area.size, size)]
        parts = []
        with ThreadPoolExecutor(threads) as pool:
            for block, part in zip(blocks, map(work, blocks) if threads < 2 else pool.map(work, blocks), strict=True):
                parts.append(part)
                if progress is not None:
                    progress(block.stop, area.size)
        inside = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
    nothing = np.maximum(SNAP * area, 10.0 * NEGLIGIBLE * np.minimum(sources.area[indices], targets.area[row]))
    dry, outside = (_remainder(area, part, nothing) * EARTH_RADIUS**2 for part in inside)
    return TileOverlap(indptr, indices, chosen, area * EARTH_RADIUS**2, dry, np.minimum(outside, dry))


def _remainder(area: Floats, taken: Floats, nothing: Floats) -> Floats:
    """Area less what is taken of it, 0 or all of it where only round-off is missing."""
    rest = np.clip(area - taken, 0.0, area)
    return np.where(taken <= nothing, area, np.where(rest <= nothing, 0.0, rest))


def _under(
    pieces: Cells,
    rows: NDArray[np.int64],
    waters: Cells,
    shape: tuple[int, ...],
    wet: NDArray[np.bool_],
    domain: NDArray[np.bool_],
    threads: int,
) -> Floats:
    """Area of each piece under wet cells and under the domain's, (2, rows), steradians; summed by ascending cell."""
    found = overlap(waters, shape, pieces, rows=rows, threads=threads)
    parts = [np.where(mask[found.indices], found.area, 0.0) for mask in (wet, domain)]
    return np.stack([row_sums(found.indptr, part) for part in parts])


def _pieces_under(
    sources: Cells,
    targets: Cells,
    source_cell: NDArray[np.int32],
    target_cell: NDArray[np.int64],
    waters: Cells,
    shape: tuple[int, ...],
    wet: NDArray[np.bool_],
    domain: NDArray[np.bool_],
) -> Floats:
    """Area of the overlap of each pair of cells under wet cells and under the domain's, (2, pairs), steradians."""
    points, indptr, first, along, sign, bulge, area, unfit = _pieces(sources, targets, source_cell, target_cell)
    if unfit >= 0:
        raise GridError(
            f"the overlap of source cell {source_cell[unfit]} and target cell {target_cell[unfit]} (flat indices) has"
            f" more than {MAX_CORNERS} corners; use cells with fewer corners"
        )
    n = sign.size
    count = np.diff(first).astype(np.int32)
    corners = (first[:-1, None] + np.arange(count.max(initial=0))).astype(np.int32)
    # A piece may be concave or touch itself, which is right for the polygon that is cut and wrong for the one that
    # cuts. "Concave" and a centre that sorts before all others keep `overlap` from ever cutting with it.
    center = np.zeros((n, 3))
    center[:, 0] = -2.0
    pieces = Cells(points, corners, count, along, np.ones(n, np.bool_), center, bulge, area)
    inside = _under(pieces, np.arange(n, dtype=np.int64), waters, shape, wet, domain, 1)
    return np.stack([row_sums(indptr, sign * part) for part in inside])


@compiled
def _pieces(
    sources: Cells, targets: Cells, source_cell: NDArray[np.int32], target_cell: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Floats, Floats, Floats, int]:
    """Polygons that pairs of cells share.

    Returns
    -------
    points : (m, 3) corners, those of a piece one after the other.
    indptr : (pairs + 1,), the pieces of each pair; one, but several signed ones for two concave cells.
    first : (pieces + 1,), the first corner of each.
    along, sign, bulge, area : (pieces,), as in `Cells`; the sign is 1 or -1.
    unfit : a pair whose overlap has too many corners, or -1.
    """
    bench = make_bench()
    full = np.empty((MAX_CORNERS, 4))
    pairs = source_cell.size
    indptr = np.zeros(pairs + 1, np.int64)
    points = np.empty((8 * pairs + 64, 3))
    first = np.zeros(pairs + 2, np.int64)
    along = np.empty(pairs + 1, np.int32)
    numbers = np.empty((pairs + 1, 3))  # sign, bulge, area
    made = 0
    unfit = -1
    for pair in range(pairs):
        c, row = source_cell[pair], target_cell[pair]
        n_source, n_target = sources.count[c], targets.count[row]
        load(sources.points, sources.corners, c, n_source, bench, SOURCE)
        load(targets.points, targets.corners, row, n_target, bench, TARGET)
        set_along(bench, SOURCE, n_source, sources.along[c])
        set_along(bench, TARGET, n_target, targets.along[row])
        # the same choice as for the area, and the same whichever grid is the source
        subject, n_subject, planes, n_planes = choose_subject(sources, c, targets, row)
        turns = 1
        if sources.concave[c] and targets.concave[row]:
            turns = n_planes - 2
            for k in range(n_planes):
                full[k] = bench[planes + k]
        for turn in range(turns):
            sign = 1.0
            if turns > 1:  # a polygon is the signed sum of the triangles from its first corner
                sign = load_triangle(bench, full, n_planes, turn + 1, planes)
                n = 3
            else:
                n = n_planes
            at, left = clip_mixed(bench, subject, n_subject, planes, n)
            size = mixed_area(bench, at, left)
            if left < 2 or size <= 0.0:
                continue
            if made + 1 == first.size - 1:
                first, along, numbers = _more_pieces(first, along, numbers)
            while first[made] + left + 1 > points.shape[0]:
                points = _more_points(points)
            n, bits, bulge = _store(bench, at, left, points, first[made])
            if n > MAX_CORNERS:
                unfit = pair
                n = 0
            first[made + 1] = first[made] + n
            along[made] = bits
            numbers[made, 0], numbers[made, 1], numbers[made, 2] = sign, bulge, size
            made += 1
        indptr[pair + 1] = made
    sign_, bulge_, area_ = numbers[:made, 0].copy(), numbers[:made, 1].copy(), numbers[:made, 2].copy()
    return points, indptr, first[: made + 1].copy(), along[:made].copy(), sign_, bulge_, area_, unfit


@compiled
def _store(bench: Floats, at: int, n: int, points: Floats, begin: int) -> tuple[int, int, float]:
    """Copy the polygon bench[at : at + n] to `points`; returns corners, bits of edges along a latitude, bulge.

    A corner that is there twice is kept once. A lens of two corners gets a third on its arc: fewer than three make
    no cell.
    """
    kept, bits = 0, 0
    reach = sagitta = 0.0
    for k in range(n):
        p, q = at + k, at + (k + 1 if k + 1 < n else 0)
        px, py, pz = bench[p, 0], bench[p, 1], bench[p, 2]
        qx, qy = bench[q, 0], bench[q, 1]
        if px == qx and py == qy and pz == bench[q, 2]:
            continue
        points[begin + kept, 0], points[begin + kept, 1], points[begin + kept, 2] = px, py, pz
        dx, dy, dz = px - points[begin, 0], py - points[begin, 1], pz - points[begin, 2]
        reach = max(reach, dx * dx + dy * dy + dz * dz)
        if bench[p, 3] == 1.0:
            if kept < 32:
                bits |= 1 << kept
            r = math.sqrt(px * px + py * py)
            mx, my = 0.5 * (px + qx), 0.5 * (py + qy)
            half = math.sqrt(mx * mx + my * my)
            sagitta = max(sagitta, r - half)
            if n == 2:
                kept += 1
                bits |= 1 << kept
                scale = r / half
                points[begin + kept, 0], points[begin + kept, 1], points[begin + kept, 2] = mx * scale, my * scale, pz
        kept += 1
    reach = math.sqrt(reach) + sagitta
    return kept, bits, 0.5 * reach * reach + sagitta


@compiled
def _more_points(points: Floats) -> Floats:
    more = np.empty((2 * points.shape[0], 3))
    more[: points.shape[0]] = points
    return more


@compiled
def _more_pieces(
    first: NDArray[np.int64], along: NDArray[np.int32], numbers: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    n = first.size
    more_first, more_along = np.zeros(2 * n, np.int64), np.empty(2 * n - 1, np.int32)
    more_numbers = np.empty((2 * n - 1, 3))
    more_first[:n], more_along[: n - 1], more_numbers[: n - 1] = first, along, numbers
    return more_first, more_along, more_numbers
