# SPDX-License-Identifier: BSD-3-Clause
"""Where the cells of a netCDF variable lie: latitudes and longitudes of its rows and columns, or of every cell."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from coupler.errors import ForcingError, TesseraError
from coupler.netcdf.axes import Axes
from coupler.netcdf.coordinates import degrees
from coupler.netcdf.packed import Floats
from coupler.netcdf.projection import Plane, read_plane


@dataclass(frozen=True)
class Horizontal:
    """Where cells lie.

    Parameters
    ----------
    axes : Axes
        Axes of the variable; `y` is the dimension of the latitudes where these stand in rows.
    latitude, longitude : float64 arrays
        Degrees: (ny,) and (nx,) of rows and columns, both (ny, nx), or both (n,) of a list of cells; NaN where unknown.
    plane : Plane, optional
        The projection in whose plane the cells stand in rows and columns.
    """

    axes: Axes
    latitude: Floats
    longitude: Floats
    plane: Plane | None = None

    @property
    def in_rows(self) -> bool:
        """Whether every row is a parallel and every column a meridian."""
        return self.latitude.ndim == 1 and self.axes.y != self.axes.x

    @property
    def shape(self) -> tuple[int, ...]:
        """(ny, nx), or (n,) of a list of cells."""
        return (self.latitude.size, self.longitude.size) if self.in_rows else self.latitude.shape

    def extent(self) -> str:
        """What the coordinates span, for messages."""
        a, b = self.longitude, self.latitude
        shape = " x ".join(map(str, self.shape))
        if self.in_rows:
            return f"{a[0]:g}..{a[-1]:g} E, {np.nanmin(b):g}..{np.nanmax(b):g} N ({shape})"
        return f"{np.nanmin(a):g}..{np.nanmax(a):g} E, {np.nanmin(b):g}..{np.nanmax(b):g} N ({shape})"


def read_horizontal(dataset: Any, axes: Axes, error: type[TesseraError] = ForcingError) -> Horizontal | None:
    """Coordinates of a variable; None where the file has none.

    Raises
    ------
    error
        Coordinates that are no angles, of other sizes, or a projection that is not known.
    """
    plane = read_plane(dataset, axes.mapping, axes.plane, error) if all(axes.plane) else None
    if not axes.latitude:
        if plane is None:
            return None
        longitude, latitude = plane.inverse(*np.meshgrid(plane.x, plane.y))
        return Horizontal(axes, latitude, longitude, plane)
    latitude, longitude = (
        _without_time(degrees(dataset[n], error=error), dataset[n], axes, error)
        for n in (axes.latitude, axes.longitude)
    )
    if max(latitude.ndim, longitude.ndim) <= 1:
        for n, found in ((axes.latitude, latitude), (axes.longitude, longitude)):
            if not np.isfinite(found).all():
                raise error(f"{dataset.filepath()}: {n} has {int(np.isnan(found).sum())} missing values; mend the file")
        return Horizontal(axes, np.atleast_1d(latitude), np.atleast_1d(longitude))
    if plane is not None:
        fits = latitude.shape == (plane.y.size, plane.x.size)
        return Horizontal(axes, latitude, longitude, plane if fits and _agree(plane, latitude, longitude) else None)
    return _in_rows(axes, latitude, longitude)


def _without_time(found: Floats, variable: Any, axes: Axes, error: type[TesseraError]) -> Floats:
    """A coordinate by y and x: without dimensions of one, and without time where it does not change."""
    keep = {axes.y, axes.x}
    for place in reversed(range(found.ndim)):
        if variable.dimensions[place] in keep:
            continue
        first: Floats = np.asarray(found.take(0, axis=place))
        if not np.array_equal(np.broadcast_to(np.expand_dims(first, place), found.shape), found, equal_nan=True):
            raise error(
                f"{variable.group().filepath()}: {variable.name} changes with {variable.dimensions[place]}; a grid that"
                " moves cannot be read"
            )
        found = first
    kept = tuple(d for d in variable.dimensions if d in keep)
    return found.T if kept == (axes.x, axes.y) and axes.x != axes.y else found


def _in_rows(axes: Axes, latitude: Floats, longitude: Floats) -> Horizontal:
    """Coordinates in two dimensions; as rows and columns where they are parallels and meridians."""
    for turned in (False, True):
        lat, lon = (latitude.T, longitude.T) if turned else (latitude, longitude)
        wide = np.abs((lon - lon[:1] + 180.0) % 360.0 - 180.0)
        if np.ptp(lat, axis=1).max() < 1e-6 and wide.max() < 1e-6 and lat.shape[0] > 1 and lat.shape[1] > 1:
            y, x = (axes.x, axes.y) if turned else (axes.y, axes.x)
            return Horizontal(dataclasses.replace(axes, y=y, x=x), lat[:, 0].copy(), lon[0].copy())
    return Horizontal(axes, latitude, longitude)


def _agree(plane: Plane, latitude: Floats, longitude: Floats) -> bool:
    """Whether the plane's coordinates are where latitude and longitude are, to a tenth of a cell."""
    there = np.isfinite(latitude) & np.isfinite(longitude)
    x, y = plane.forward(np.where(there, longitude, 0.0), np.where(there, latitude, 0.0))
    off = []
    for found, wanted, period in ((x, plane.x[None, :], plane.period), (y, plane.y[:, None], 0.0)):
        cell = np.abs(np.diff(wanted.ravel())).min() if wanted.size > 1 else np.inf
        difference = found - wanted
        if period:
            difference = (difference + 0.5 * period) % period - 0.5 * period
        off.append(np.abs(difference[there]).max(initial=0.0) / cell)
    return bool(max(off) < 0.1)
