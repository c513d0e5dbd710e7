# SPDX-License-Identifier: BSD-3-Clause
"""Reading a data set: always longitude -180 to 180 eastward, latitude -90 to 90 northward, whatever the file has."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cftime
import numpy as np
import numpy.typing as npt

from coupler.catalogue.shelf import Found
from coupler.errors import CatalogueError, FieldError, GridError
from coupler.grids.grid import Grid
from coupler.netcdf.axes import find_axes, read
from coupler.netcdf.dates import Dates, decode, months
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset
from coupler.remap.weights import make_weights
from coupler.units import conversion

Floats = npt.NDArray[np.float64]
SAME = 1e-4
"""Share of a cell within which rows and columns must be evenly spaced."""


@dataclass(frozen=True)
class DataSet:
    """A map in cells of one size.

    Parameters
    ----------
    tag : str
        Its name.
    values : float64 array
        (record, y, x), northward and eastward; NaN where missing.
    uncertainty : float64 array or None
        Of the same shape and unit.
    longitude, latitude : float64 array
        Of the cells' centres, degrees.
    dates : Dates or None
        Of the records; None of a map without time.
    units : str
        Of the values.
    citation, licence : str
        As the data's owner asks.
    """

    tag: str
    values: Floats
    uncertainty: Floats | None
    longitude: Floats
    latitude: Floats
    dates: Dates | None
    units: str
    citation: str
    licence: str

    @property
    def step(self) -> float:
        """Size of a cell, degrees."""
        return 180.0 / round(180.0 / float(self.latitude[1] - self.latitude[0]))

    @property
    def around(self) -> bool:
        """Whether it goes round the earth."""
        return self.longitude.size == round(360.0 / self.step)

    @property
    def grid(self) -> Grid:
        """Its cells."""
        half = 0.5 * self.step
        west, south = self.longitude[0] - half, max(self.latitude[0] - half, -90.0)
        ny, nx = self.values.shape[-2:]
        north = min(south + ny * self.step, 90.0)
        return Grid.regular_lonlat(self.tag, west, west + nx * self.step, south, north, nx=nx, ny=ny)

    # ------------------------------------------------------------------ parts of it

    def at(self, longitude: float, latitude: float, method: Literal["nearest", "bilinear"] = "nearest") -> Floats:
        """Values at a point, (record,).

        Parameters
        ----------
        longitude, latitude : float
            Degrees; longitudes have the period 360.
        method : {'nearest', 'bilinear'}
            The cell that holds the point, or between four centres; of those that are missing the others take the
            share.

        Raises
        ------
        CatalogueError
            A point outside the map.
        """
        if not -90.0 <= latitude <= 90.0 or not np.isfinite(longitude):
            raise CatalogueError(f"expected a latitude of -90 to 90 and a longitude, got {latitude:g}, {longitude:g}")
        x, y = self._place(longitude, latitude)
        ny = int(self.values.shape[-2])
        if method == "nearest":
            return self.values[:, min(max(int(np.floor(y + 0.5)), 0), ny - 1), self._column(int(np.floor(x + 0.5)))]
        total, weight = np.zeros(self.values.shape[0]), np.zeros(self.values.shape[0])
        y = min(max(y, 0.0), ny - 1.0)
        for j, a in ((int(np.floor(y)), 1.0 - y % 1.0), (min(int(np.floor(y)) + 1, ny - 1), y % 1.0)):
            for i, b in ((int(np.floor(x)), 1.0 - x % 1.0), (int(np.floor(x)) + 1, x % 1.0)):
                value = self.values[:, j, self._column(i)]
                there = np.isfinite(value)
                total += np.where(there, a * b * value, 0.0)
                weight += np.where(there, a * b, 0.0)
        return np.where(weight > 0.0, total / np.where(weight > 0.0, weight, 1.0), np.nan)

    def _place(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Where a point lies, in cells from the centre of the first."""
        x = ((longitude - self.longitude[0] + 0.5 * self.step) % 360.0) / self.step - 0.5
        y = (latitude - self.latitude[0]) / self.step
        ny, nx = self.values.shape[-2:]
        if x > nx - 0.5 and not self.around:
            x -= 360.0 / self.step
        if not (-0.5 - 1e-9 <= y <= ny - 0.5 + 1e-9 and (self.around or -0.5 - 1e-9 <= x <= nx - 0.5 + 1e-9)):
            raise CatalogueError(
                f"{self.tag} has no cell at {latitude:g} N, {longitude:g} E; it covers {self.extent()}"
            )
        return x, y

    def _column(self, i: int) -> int:
        nx = int(self.values.shape[-1])
        return i % nx if self.around else min(max(i, 0), nx - 1)

    def extent(self) -> str:
        """What the map covers, for messages."""
        half = 0.5 * self.step
        west, east = self.longitude[0] - half, self.longitude[-1] + half
        return f"{west:g}..{east:g} E, {self.latitude[0] - half:g}..{self.latitude[-1] + half:g} N"

    def box(self, west: float, east: float, south: float, north: float) -> tuple[Floats, Floats, Floats]:
        """The cells whose centres lie in a box: values (record, y, x), longitudes and latitudes.

        Parameters
        ----------
        west, east, south, north : float
            Degrees; a box whose west is greater than its east crosses the date line.

        Raises
        ------
        CatalogueError
            A box without a cell.
        """
        width = (east - west) % 360.0 if (east - west) % 360.0 or east == west else 360.0
        along = (self.longitude - west) % 360.0
        columns = np.flatnonzero(along <= width)
        columns = columns[np.argsort(along[columns], kind="stable")]
        rows = np.flatnonzero((self.latitude >= south) & (self.latitude <= north))
        if not columns.size or not rows.size:
            raise CatalogueError(f"{self.tag} has no cell in {west:g}..{east:g} E, {south:g}..{north:g} N")
        return self.values[:, rows[:, None], columns], self.longitude[columns], self.latitude[rows]

    def over(self, polygon: Sequence[tuple[float, float]]) -> Floats:
        """Mean over a polygon by area, of the part of it that has values, (record,).

        Parameters
        ----------
        polygon : sequence of (longitude, latitude)
            Its corners in order, degrees; two of one latitude are joined along it, others by great circles. It may
            cross the date line.

        Raises
        ------
        CatalogueError
            Fewer than three corners, or a polygon that meets no cell with a value.
        """
        if len(polygon) < 3:
            raise CatalogueError(f"expected a polygon of at least 3 corners, got {len(polygon)}")
        corners = np.asarray(polygon, float)
        longitude = np.degrees(np.unwrap(np.radians(corners[:, 0])))
        try:
            shape = Grid(
                "polygon", np.array([longitude.mean()]), np.array([corners[:, 1].mean()]), longitude[None],
                corners[None, :, 1], edges="latitude",
            )  # fmt: skip
            return self.on(shape)[:, 0]
        except GridError as error:
            raise CatalogueError(str(error)) from error

    def on(self, grid: Grid) -> Floats:
        """Means over the cells of a grid, by the area that has values, (record, *shape); NaN where there is none.

        Parameters
        ----------
        grid : Grid
            Any grid of cells.

        Raises
        ------
        CatalogueError
            No cell of the grid meets a value.
        """
        weights = make_weights(self.grid, grid, target_mask=None).matrix
        flat = self.values.reshape(self.values.shape[0], -1)
        there = np.isfinite(flat)
        covered = np.asarray((weights @ there.T.astype(float)).T)
        sums = np.asarray((weights @ np.where(there, flat, 0.0).T).T)
        if not (covered > 0.0).any():
            raise CatalogueError(f"{self.tag} has no value in {grid.name!r}; it covers {self.extent()}")
        found = np.where(covered > 1e-9, sums / np.where(covered > 1e-9, covered, 1.0), np.nan)
        return found.reshape(self.values.shape[0], *grid.shape)


def load(found: Found) -> DataSet:
    """Read a data set whole.

    Parameters
    ----------
    found : Found
        From `shelf.find`.

    Raises
    ------
    CatalogueError
        The file is not the one that was added, its variable is not there, its cells are not those of its tag, or its
        unit does not convert to that of its entry.
    """
    path, entry = found.whole(), found.entry
    dataset = open_dataset(path, CatalogueError)
    try:
        names = [entry.variable, *([entry.uncertainty] if entry.uncertainty else [])]
        missing = [name for name in names if name not in dataset.variables]
        if missing:
            raise CatalogueError(f"{path} has no {', '.join(missing)}; it has {', '.join(dataset.variables)}")
        axes = find_axes(dataset, entry.variable, error=CatalogueError)
        horizontal = read_horizontal(dataset, axes, CatalogueError)
        if horizontal is None or not horizontal.in_rows:
            raise CatalogueError(f"{path}: {entry.variable} is not on latitudes and longitudes; remap it first")
        axes = horizontal.axes
        rows, columns, longitude, latitude = _in_order(horizontal.longitude, horizontal.latitude, found)
        factor, offset, units = _unit(dataset[entry.variable], found)

        def ordered(name: str) -> Floats:
            values = read(dataset, find_axes(dataset, name, error=CatalogueError), None, error=CatalogueError)
            values = values if values.ndim == 3 else values.reshape(-1, *values.shape[-2:])
            return np.ascontiguousarray(values[:, rows[:, None], columns])

        uncertainty = ordered(entry.uncertainty) * abs(factor) if entry.uncertainty else None
        values = ordered(entry.variable) * factor + offset
        return DataSet(
            str(found.tag), values, uncertainty, longitude, latitude, _dates(dataset, axes, values.shape[0], found),
            units, entry.citation, entry.licence,
        )  # fmt: skip
    finally:
        dataset.close()


def _in_order(longitude: Floats, latitude: Floats, found: Found) -> tuple[Any, Any, Floats, Floats]:
    """Rows northward, columns eastward from -180, each place once; refuse cells that are not those of the tag."""
    step = 1.0 / found.tag.cells
    rows = np.argsort(latitude, kind="stable")
    wrapped = (longitude + 180.0) % 360.0 - 180.0
    wrapped = np.where(wrapped > 180.0 - 1e-9 * step, wrapped - 360.0, wrapped)
    columns = np.argsort(wrapped, kind="stable")
    once = np.concatenate([[True], np.diff(wrapped[columns]) > SAME * step])  # a column at -180 and again at 180
    columns = columns[once]
    x, y = wrapped[columns], latitude[rows]
    gaps = np.flatnonzero(np.abs(np.diff(x) - step) > SAME * step)
    if gaps.size == 1:  # a part of the earth that crosses the date line
        columns = np.roll(columns, -(int(gaps[0]) + 1))
        x = np.degrees(np.unwrap(np.radians(wrapped[columns])))
    for name, places in (("longitude", x), ("latitude", y)):
        if places.size < 2 or np.abs(np.diff(places) - step).max() > SAME * step:
            seen = np.diff(places)
            there = f"steps of {seen.min():g} to {seen.max():g}" if seen.size else "one value"
            raise CatalogueError(
                f"{found.path}: {found.tag} says cells of {step:g} degrees, but its {name} has {there} degrees; add it "
                "under the tag of its cells"
            )
    return rows, columns, x, y


def _unit(variable: Any, found: Found) -> tuple[float, float, str]:
    own = str(getattr(variable, "units", "1"))
    wanted = found.entry.units or own
    try:
        return (*conversion(own, wanted), wanted)
    except FieldError as error:
        raise CatalogueError(f"{found.path}: {found.entry.variable}: {error}; the index wants {wanted!r}") from error


def _dates(dataset: Any, axes: Any, records: int, found: Found) -> Dates | None:
    """Of the records; twelve without a coordinate, of a period of 1M, are the months of the tag's year."""
    if axes.time_variable and axes.time_variable in dataset.variables:
        return decode(dataset[axes.time_variable], f"{found.path}: {found.entry.variable}", CatalogueError)
    if not axes.time or records == 1:
        return None
    if records == 12 and found.tag.period == "1M":
        dates = months(list(range(1, 13)))
        if found.tag.year is None:
            return dates
        edges = [cftime.datetime(found.tag.year + n // 12, n % 12 + 1, 1, calendar="standard") for n in range(13)]
        pairs = list(itertools.pairwise(edges))
        return Dates([a + (b - a) / 2 for a, b in pairs], pairs, False)
    raise CatalogueError(
        f"{found.path}: the dimension {axes.time!r} of {records} has no coordinate that says its dates; add one"
    )
