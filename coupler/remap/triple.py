"""Overlaps of three grids: the land between an atmosphere and the wet cells of an ocean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid
from coupler.remap.cells import Cells
from coupler.remap.clip import (
    SOURCE,
    TARGET,
    clip_mixed,
    edge_normals,
    load,
    load_triangle,
    make_bench,
    mixed_area,
    set_along,
)
from coupler.remap.compiled import compiled
from coupler.remap.mosaic import ExchangeGrid, make_exchange_grid
from coupler.remap.weights import resolve_mask

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Links = NDArray[np.int32]
MOST = 32  # corners of a piece that are kept


@compiled
def third_areas(
    first: Cells,
    second: Cells,
    third: Cells,
    chosen: NDArray[np.bool_],
    second_start: Integers,
    second_cell: Links,
    third_start: Integers,
    third_cell: Links,
    work: NDArray[np.bool_],
    under: Floats,
    under_chosen: Floats,
) -> None:
    """Add the area (steradians) of each link first-second that lies in any cell, and in a chosen cell, of the third.

    Parameters
    ----------
    chosen : flat mask of the third grid.
    second_start, second_cell : links of the first grid's cells with the second's, compressed rows.
    third_start, third_cell : links of the first grid's cells with the third's.
    work : cells of the first grid to look at.
    under, under_chosen : (links first-second,), added to zeros.
    """
    bench, other = make_bench(), make_bench()
    for i in range(work.size):
        if not work[i] or third_start[i] == third_start[i + 1]:
            continue
        n = first.count[i]
        for link in range(second_start[i], second_start[i + 1]):
            c = second_cell[link]
            n_second = second.count[c]
            load(first.points, first.corners, i, n, bench, SOURCE)
            set_along(bench, SOURCE, n, first.along[i])
            load(second.points, second.corners, c, n_second, bench, TARGET)
            set_along(bench, TARGET, n_second, second.along[c])
            whole = bench[TARGET : TARGET + n_second].copy()
            pieces = n_second - 2 if second.concave[c] else 1
            for piece in range(1, pieces + 1):
                sign, n_planes = 1.0, n_second
                if pieces > 1:
                    sign, n_planes = load_triangle(bench, whole, n_second, piece, TARGET), 3
                at, left = clip_mixed(bench, SOURCE, n, TARGET, n_planes)
                if left < 2 or left > MOST:
                    continue
                other[SOURCE : SOURCE + left] = bench[at : at + left]
                edge_normals(other, SOURCE, left)
                for k in range(third_start[i], third_start[i + 1]):
                    j = third_cell[k]
                    n_third = third.count[j]
                    load(third.points, third.corners, j, n_third, other, TARGET)
                    set_along(other, TARGET, n_third, third.along[j])
                    all_third = other[TARGET : TARGET + n_third].copy()
                    parts = n_third - 2 if third.concave[j] else 1
                    for part in range(1, parts + 1):
                        turn, n_cut = sign, n_third
                        if parts > 1:
                            turn, n_cut = sign * load_triangle(other, all_third, n_third, part, TARGET), 3
                        where, rest = clip_mixed(other, SOURCE, left, TARGET, n_cut)
                        area = turn * mixed_area(other, where, rest)
                        under[link] += area
                        if chosen[j]:
                            under_chosen[link] += area


def make_land_exchange_grid(
    atmosphere: Grid,
    land: Grid,
    ocean: Grid,
    *,
    ocean_mask: str | ArrayLike | None = "default",
    outside_wet: ArrayLike | None = None,
    threads: int | None = None,
) -> ExchangeGrid:
    """Exchange grid of an atmosphere over the land, which is what the ocean leaves of each overlap of their cells.

    Where coasts cross, the overlap of three cells is cut: the dry areas of an atmosphere cell add up to its land
    fraction, and those of a land cell to the land fraction of `surface_fractions` there.

    Parameters
    ----------
    ocean_mask : name or array, True where the ocean is wet.
    outside_wet : (atmosphere cells,) share that is sea of the part of each cell outside the ocean's domain.

    Raises
    ------
    GridError
        Where a cell reaches beyond the ocean's domain and `outside_wet` is not given.
    """
    from coupler.remap.overlap import overlap

    sea = make_exchange_grid(atmosphere, ocean, ocean_mask=ocean_mask, threads=threads)
    share = sea.fractions(outside_wet)
    with_land = overlap(land.polygons, land.shape, atmosphere.polygons, threads=threads)
    with_sea = overlap(ocean.polygons, ocean.shape, atmosphere.polygons, threads=threads)
    air = np.repeat(np.arange(atmosphere.size), np.diff(with_land.indptr))
    under, wet = np.zeros(air.size), np.zeros(air.size)
    # only coasts and the rim of the ocean's domain need three grids; elsewhere all or nothing is wet
    inside = sea.domain == 1.0
    mixed = (sea.domain > 0.0) & ~(inside & ((share.ocean == 0.0) | (share.ocean == 1.0)))
    third_areas(
        atmosphere.polygons,
        land.polygons,
        ocean.polygons,
        resolve_mask(ocean, ocean_mask),
        with_land.indptr,
        with_land.indices,
        with_sea.indptr,
        with_sea.indices,
        mixed,
        under,
        wet,
    )
    wet = np.where(mixed[air], wet, with_land.area * (share.ocean[air] == 1.0))
    under = np.where(inside[air], with_land.area, under)
    outside = np.maximum(with_land.area - under, 0.0)
    sea_outside = 0.0 if outside_wet is None else np.asarray(outside_wet, np.float64).ravel()[air]
    dry = under - wet + outside * (1.0 - sea_outside)
    keep = dry > 1e-10 * np.minimum(atmosphere.polygons.area[air], land.polygons.area[with_land.indices])
    square = EARTH_RADIUS**2
    return ExchangeGrid(
        air[keep],
        with_land.indices[keep].astype(np.int64),
        dry[keep] * square,
        atmosphere.polygons.area * square,
        land.polygons.area * square,
        sea.domain,
    )
