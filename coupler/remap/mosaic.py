"""The surface mosaic: what lies under each cell of the atmosphere, and the cells on which air and sea exchange.

The ocean's wet mask decides where there is sea. Overlaps of atmosphere and wet ocean cells are the exchange grid:
fluxes computed there from the two sides' own states leave one side and enter the other to round-off.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap import subgrid
from coupler.remap.apply import row_sums
from coupler.remap.weights import resolve_mask

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Side = Literal["atmosphere", "ocean", "land"]
FULL = 1e-10
"""A cell covered to this much of its area is covered: what is missing is round-off of its corners."""


@dataclass(frozen=True, eq=False)
class SurfaceFractions:
    """Shares of each cell of a grid, of the grid's shape; they sum to one.

    Attributes
    ----------
    ocean : under wet cells of the ocean model.
    prescribed_ocean : sea outside the ocean model's domain.
    land : the rest.
    """

    ocean: Floats
    prescribed_ocean: Floats
    land: Floats


@dataclass(frozen=True, eq=False)
class ExchangeGrid:
    """Overlap cells of the atmosphere with the wet ocean, or with the land, ordered by atmosphere cell, then the other.

    Attributes
    ----------
    atmosphere_cell, surface_cell : int64 (n,), flat cells of both grids.
    area : (n,) m2, of the wet part for an ocean, of the dry part for a land.
    atmosphere_area, surface_area : areas of all cells of both grids, flat, m2.
    domain : (atmosphere cells,), share of each atmosphere cell inside the ocean's domain, wet or dry.

    Examples
    --------
    >>> air = Grid.regular_lonlat("air", 0, 4, 0, 4, resolution=2)
    >>> sea = Grid.regular_lonlat("sea", 0, 4, 0, 4, resolution=1)
    >>> exchange = make_exchange_grid(air, sea)
    >>> exchange.size, exchange.from_exchange("atmosphere", np.ones(16)).tolist()
    (16, [1.0, 1.0, 1.0, 1.0])
    """

    atmosphere_cell: Integers
    surface_cell: Integers
    area: Floats
    atmosphere_area: Floats
    surface_area: Floats
    domain: Floats

    @property
    def size(self) -> int:
        """Number of exchange cells."""
        return int(self.area.size)

    def cells(self, side: Side) -> Integers:
        """The flat cell of a side above or below each exchange cell."""
        return self.atmosphere_cell if side == "atmosphere" else self.surface_cell

    def side_area(self, side: Side) -> Floats:
        """Areas of all cells of a side, flat, m2."""
        return self.atmosphere_area if side == "atmosphere" else self.surface_area

    @cached_property
    def _atmosphere(self) -> ExchangePart:
        return self.part("atmosphere", np.arange(self.atmosphere_area.size))

    @cached_property
    def _surface(self) -> ExchangePart:
        return self.part("ocean", np.arange(self.surface_area.size))

    def whole(self, side: Side) -> ExchangePart:
        """All cells of a side with their exchange cells."""
        return self._atmosphere if side == "atmosphere" else self._surface

    def part(self, side: Side, cells: ArrayLike) -> ExchangePart:
        """Exchange cells of some flat cells of a side, for the rank that owns those.

        Sums over a part have the bits of the sums over everything.
        """
        wanted = np.asarray(cells, np.int64).ravel()
        order, starts = self._by_cell(side)
        counts = starts[wanted + 1] - starts[wanted]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        positions = np.repeat(starts[wanted] - indptr[:-1], counts) + np.arange(indptr[-1])
        members = order[positions]
        return ExchangePart(wanted, indptr, members, self.area[members], self.side_area(side)[wanted])

    def _by_cell(self, side: Side) -> tuple[Integers, Integers]:
        order = np.argsort(self.cells(side), kind="stable")
        counts = np.bincount(self.cells(side), minlength=self.side_area(side).size)
        return order, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def fraction(self, side: Side) -> Floats:
        """Share of each cell of a side that exchanges, flat; what the wet ocean covers of an atmosphere cell."""
        return self.whole(side).fraction

    def to_exchange(self, side: Side, values: ArrayLike) -> Floats:
        """Values of a side's cells, (cells,) or (cells, fields), on the exchange cells."""
        array = np.asarray(values, np.float64)
        size = self.side_area(side).size
        if array.shape[0] != size:
            array = array.reshape(size, *array.shape[1:]) if array.size == size else array
        if array.shape[0] != size:
            raise GridError(f"values have shape {array.shape}; the {side} has {size} cells (flat, fields last)")
        return array[self.cells(side)]

    def from_exchange(self, side: Side, values: ArrayLike) -> Floats:
        """Means over the exchange cells of each cell of a side; NaN where it has none.

        Sum over k of area_k values_k is the sum over cells of area x fraction x mean on either side.
        """
        array = np.asarray(values, np.float64)
        if array.shape[0] != self.size:
            raise GridError(f"values have shape {array.shape}; there are {self.size} exchange cells")
        return self.whole(side).mean(array[self.whole(side).members])

    def spread_solar(self, net_solar: ArrayLike, albedo: ArrayLike) -> Floats:
        """Net solar flux of the atmosphere's cells on exchange cells, by the albedo of the sea below each.

        `coupler.remap.subgrid.solar` with the mean albedo of the exchange cells of each atmosphere cell.

        Parameters
        ----------
        net_solar : (atmosphere cells,) absorbed solar flux in W m-2, computed with the mean albedo.
        albedo : (exchange cells,), dimensionless, below 1.
        """
        a = np.asarray(albedo, np.float64)
        mean = self.to_exchange("atmosphere", self.from_exchange("atmosphere", a))
        return subgrid.solar(self.to_exchange("atmosphere", net_solar), a, mean)

    def spread_nonsolar(self, flux: ArrayLike, derivative: ArrayLike, temperature: ArrayLike) -> Floats:
        """Non-solar flux of the atmosphere's cells on exchange cells, by the temperature of the sea below each.

        `coupler.remap.subgrid.nonsolar` with the mean temperature of the exchange cells of each atmosphere cell.

        Parameters
        ----------
        flux, derivative : (atmosphere cells,) W m-2 and W m-2 K-1, computed with the mean temperature.
        temperature : (exchange cells,) K.
        """
        t = np.asarray(temperature, np.float64)
        mean = self.to_exchange("atmosphere", self.from_exchange("atmosphere", t))
        given, slope = (self.to_exchange("atmosphere", values) for values in (flux, derivative))
        return subgrid.nonsolar(given, slope, t, mean)

    def fractions(self, outside_wet: ArrayLike | None = None) -> SurfaceFractions:
        """Surface fractions of the atmosphere's cells, flat.

        Parameters
        ----------
        outside_wet
            (cells,) share 0..1 that is sea of the part of each cell outside the ocean's domain. Needed where there
            is such a part: see `wet_share`.
        """
        ocean = np.minimum(self.fraction("atmosphere"), 1.0)
        outside = np.where(self.domain > 1.0 - FULL, 0.0, 1.0 - self.domain)
        prescribed = np.zeros_like(ocean)
        if outside_wet is not None:
            wet = np.asarray(outside_wet, np.float64).reshape(ocean.shape)
            if not (np.isfinite(wet).all() and wet.min() >= 0.0 and wet.max() <= 1.0):
                raise GridError("outside_wet must lie between 0 (land) and 1 (sea) in every cell")
            prescribed = outside * wet
        elif outside.any():
            raise GridError(
                f"{int((outside > 0.0).sum())} cells reach beyond the ocean's domain: say what is sea there with"
                " outside_wet (wet_share(grid, is_land) makes it from a land mask)"
            )
        land = 1.0 - ocean - prescribed
        round_off = land < 1e-12  # no land model for a rounding error
        prescribed = np.where(round_off & (prescribed > 0.0), 1.0 - ocean, prescribed)
        return SurfaceFractions(ocean, prescribed, np.where(round_off, 0.0, land))


@dataclass(frozen=True, eq=False)
class ExchangePart:
    """Some cells of a side with their exchange cells, in compressed rows.

    Attributes
    ----------
    cells : (rows,) flat cells of the side.
    indptr, members : row k has the exchange cells ``members[indptr[k] : indptr[k + 1]]``.
    area : (members,) m2.
    cell_area : (rows,) m2.
    """

    cells: Integers
    indptr: Integers
    members: Integers
    area: Floats
    cell_area: Floats

    @cached_property
    def wet_area(self) -> Floats:
        """Area of each row's exchange cells, m2."""
        return row_sums(self.indptr, self.area)

    @property
    def fraction(self) -> Floats:
        """Share of each row's cell that its exchange cells make up; 1 exactly where that is all but round-off."""
        share = np.divide(self.wet_area, self.cell_area, out=np.zeros_like(self.wet_area), where=self.cell_area > 0)
        return np.where(np.abs(share - 1.0) < 1e-12, 1.0, share)

    def integral(self, values: ArrayLike) -> Floats:
        """Sum of area x value over each row, in order; values (members,) or (members, fields)."""
        array = np.asarray(values, np.float64)
        if array.ndim == 1:
            return row_sums(self.indptr, self.area * array)
        columns = [row_sums(self.indptr, self.area * array[:, k]) for k in range(array.shape[1])]
        return np.stack(columns, axis=1)

    def mean(self, values: ArrayLike) -> Floats:
        """Mean of each row by area; NaN for a row without exchange cells."""
        total = self.integral(values)
        below = self.wet_area if total.ndim == 1 else self.wet_area[:, None]
        return np.divide(total, below, out=np.full_like(total, np.nan), where=below > 0.0)


def make_exchange_grid(
    atmosphere: Grid,
    ocean: Grid,
    *,
    ocean_mask: str | ArrayLike | None = "default",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ExchangeGrid:
    """Exchange grid of an atmosphere over the wet cells of an ocean.

    Parameters
    ----------
    ocean_mask : name or array, True where the ocean is wet.
    threads, progress : as in `coupler.remap.weights.make_weights`.
    """
    from coupler.remap.overlap import overlap

    wet = resolve_mask(ocean, ocean_mask)
    found = overlap(ocean.polygons, ocean.shape, atmosphere.polygons, threads=threads, progress=progress)
    size = atmosphere.polygons.area
    total = row_sums(found.indptr, found.area)
    covered = np.divide(total, size, out=np.zeros_like(total), where=size > 0.0)
    # a cell inside the ocean's domain is covered to round-off of its corners: make its pieces add up to its area
    scale = np.divide(1.0, covered, out=np.ones_like(covered), where=np.abs(covered - 1.0) < FULL)
    counts = np.diff(found.indptr)
    keep = wet[found.indices]
    square = EARTH_RADIUS**2
    return ExchangeGrid(
        np.repeat(np.arange(atmosphere.size, dtype=np.int64), counts)[keep],
        found.indices[keep].astype(np.int64),
        (found.area * np.repeat(scale, counts))[keep] * square,
        size * square,
        ocean.polygons.area * square,
        np.where(np.abs(covered - 1.0) < FULL, 1.0, covered),
    )


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

    The dry areas of an atmosphere cell add up to its land fraction, and those of a land cell to the land fraction of
    `surface_fractions` there.

    Parameters
    ----------
    ocean_mask : name or array, True where the ocean is wet.
    outside_wet : (atmosphere cells,) share that is sea of the part of each cell outside the ocean's domain.

    Raises
    ------
    GridError
        Where a cell reaches beyond the ocean's domain and `outside_wet` is not given.
    """
    from coupler.remap.tiles import dry_overlap

    tile = dry_overlap(land, atmosphere, ocean, ocean_mask=ocean_mask, threads=threads)
    air = np.repeat(tile.target_cells, np.diff(tile.indptr))
    beyond = row_sums(tile.indptr, tile.outside)
    if outside_wet is None and beyond.any():
        raise GridError(
            f"{int((beyond > 0.0).sum())} cells reach beyond the ocean's domain: say what is sea there with outside_wet"
        )
    sea = 0.0 if outside_wet is None else np.asarray(outside_wet, np.float64).ravel()[air]
    dry = tile.dry - tile.outside * sea
    keep = dry > 1e-12 * tile.area
    atmosphere_area, land_area = (np.asarray(grid.area).ravel() for grid in (atmosphere, land))
    share = np.divide(beyond, atmosphere_area, out=np.zeros_like(beyond), where=atmosphere_area > 0.0)
    return ExchangeGrid(
        air[keep], tile.indices[keep].astype(np.int64), dry[keep], atmosphere_area, land_area, 1.0 - share
    )


def surface_fractions(
    grid: Grid,
    ocean: Grid | None = None,
    *,
    ocean_mask: str | ArrayLike | None = "default",
    outside_wet: ArrayLike | None = None,
) -> SurfaceFractions:
    """Shares of ocean model, prescribed ocean and land of each cell of an atmosphere or land grid.

    Parameters
    ----------
    grid : the grid whose cells are shared out.
    ocean : the ocean model's grid; without one all sea is prescribed.
    ocean_mask : its wet mask.
    outside_wet : share 0..1 that is sea of each cell of `grid`, used outside the ocean's domain.

    Returns
    -------
    SurfaceFractions
        Of the grid's shape; ocean + prescribed_ocean + land is one.

    Raises
    ------
    GridError
        Where a cell reaches beyond the ocean's domain and `outside_wet` is not given.
    """
    if ocean is None:
        if outside_wet is None:
            raise GridError("without an ocean model outside_wet must say what is sea")
        empty = Grid.regular_lonlat("none", 0, 1, 0, 1, nx=1, ny=1)
        exchange = make_exchange_grid(grid, empty, ocean_mask=np.zeros(1, bool))
        exchange = dataclasses.replace(exchange, domain=np.zeros(grid.size))
    else:
        exchange = make_exchange_grid(grid, ocean, ocean_mask=ocean_mask)
    flat = exchange.fractions(None if outside_wet is None else np.asarray(outside_wet, np.float64).ravel())
    return SurfaceFractions(*(getattr(flat, field.name).reshape(grid.shape) for field in dataclasses.fields(flat)))


def wet_share(grid: Grid, is_land: Callable[[Floats, Floats], ArrayLike], samples: int = 5) -> Floats:
    """Share of each cell that is sea, from samples x samples points per cell; of the grid's shape.

    Parameters
    ----------
    is_land : takes latitude and longitude (-180..180) in degrees and returns True on land, such as
        ``global_land_mask.globe.is_land``.
    samples : points across a cell.
    """
    polygons = grid.polygons
    center = polygons.center
    wet = np.zeros(grid.size)
    weights = np.zeros(grid.size)
    # points of the triangles between the centre and each edge: every corner counts its own area
    steps = (np.arange(samples) + 0.5) / samples
    for k in range(polygons.corners.shape[1]):
        valid = polygons.count > k
        following = np.where(k + 1 < polygons.count, k + 1, 0)
        a = polygons.points[polygons.corners[:, k]]
        b = polygons.points[np.take_along_axis(polygons.corners, following[:, None], axis=1)[:, 0]]
        size = np.linalg.norm(np.cross(a - center, b - center), axis=1) * valid
        for along in steps:
            for out in steps:
                point = center + np.sqrt(out) * ((1.0 - along) * a + along * b - center)
                longitude = np.rad2deg(np.arctan2(point[:, 1], point[:, 0]))
                latitude = np.rad2deg(np.arctan2(point[:, 2], np.hypot(point[:, 0], point[:, 1])))
                longitude = np.where(longitude >= 180.0, longitude - 360.0, longitude)
                land = np.asarray(is_land(latitude, longitude), bool)
                wet += np.where(land, 0.0, size)
                weights += size
    share = np.divide(wet, weights, out=np.zeros_like(wet), where=weights > 0.0)
    return np.clip(share, 0.0, 1.0).reshape(grid.shape)


def merge_tiles(fractions: Mapping[str, Floats], values: Mapping[str, Floats]) -> Floats:
    """Sum over tiles of fraction x value; a tile's value is not looked at where its fraction is zero.

    Tiles are added in the order of `fractions`. Raises GridError where a tile has a fraction and no value.
    """
    total: Floats | None = None
    for name, fraction in fractions.items():
        if name not in values:
            if np.any(fraction > 0.0):
                raise GridError(f"tile {name!r} has cells and no values; the values are of {sorted(values)}")
            continue
        value = values[name]
        share = fraction.reshape(fraction.shape + (1,) * (value.ndim - fraction.ndim))
        part = np.where(share > 0.0, share * value, 0.0)
        total = part if total is None else total + part
    if total is None:
        raise GridError("no tile has values")
    return total
