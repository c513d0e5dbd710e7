# SPDX-License-Identifier: BSD-3-Clause
"""Bilinear interpolation of a file's fields on parallels and meridians to the cells of any other grid."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import ForcingError

Array = npt.NDArray[np.float64]
LEAST = 1e-6
"""Weight of the values that are there below which a cell has none."""


class Bilinear:
    """Values at points from the four cell centres around each; corners without a value are left out.

    Parameters
    ----------
    y, x : (ny,), (nx,)
        Latitudes, ascending, and longitudes, ascending, of the file's cell centres, degrees.
    latitude, longitude : arrays of one shape
        The points, degrees.
    period : float
        Period of `x`; 0 in the plane of a projection, where all four are in metres.

    Raises
    ------
    ForcingError
        Points further than half a cell beyond the outer centres.

    Examples
    --------
    >>> to = Bilinear(np.array([0.0, 1.0]), np.array([10.0, 11.0]), np.array([0.5]), np.array([10.25]))
    >>> to(np.array([[1.0, 2.0], [3.0, np.nan]])).round(6).tolist()
    [2.0]
    """

    def __init__(self, y: Array, x: Array, latitude: Array, longitude: Array, period: float = 360.0):
        if y.size < 2 or x.size < 2:
            raise ForcingError(f"it has {y.size} x {x.size} cells; to interpolate takes two in each direction")
        low, columns, lon = x[0] - 0.5 * (x[1] - x[0]), x, longitude
        if period:
            lon = low + (longitude - low) % period
            around = abs(x[-1] - x[0] + (x[1] - x[0]) - period) < 1e-6 * period
            columns = np.append(x, x[0] + period) if around else x
        self._rows, self._up = _between(y, latitude, "N" if period else "in y")
        self._columns, self._right = _between(columns, lon, "E" if period else "in x")
        self._next = (self._columns + 1) % x.size

    def __call__(self, values: Array) -> Array:
        """Values (..., ny, nx) at the points, (..., *points.shape); NaN where none of the four has one."""
        total: Any = 0.0
        weight: Any = 0.0
        for rows, up in ((self._rows, 1.0 - self._up), (self._rows + 1, self._up)):
            for columns, right in ((self._columns, 1.0 - self._right), (self._next, self._right)):
                corner = values[..., rows, columns]
                there = np.isfinite(corner)
                share = np.where(there, up * right, 0.0)
                total = total + share * np.where(there, corner, 0.0)
                weight = weight + share
        enough = weight > LEAST
        return np.where(enough, total / np.where(enough, weight, 1.0), np.nan)


def _between(centres: Array, points: Array, unit: str) -> tuple[npt.NDArray[np.intp], Array]:
    """Number of the centre before each point, and how far the point is on the way to the next, 0 to 1."""
    first, last = centres[0] - 0.5 * (centres[1] - centres[0]), centres[-1] + 0.5 * (centres[-1] - centres[-2])
    if points.min() < first - 1e-9 or points.max() > last + 1e-9:
        raise ForcingError(
            f"it reaches from {first:g} to {last:g} {unit}, the grid from {points.min():g} to {points.max():g} {unit};"
            " make the grid smaller or the file larger"
        )
    before = np.clip(np.searchsorted(centres, points, side="right") - 1, 0, centres.size - 2)
    way = (points - centres[before]) / (centres[before + 1] - centres[before])
    return before, np.clip(way, 0.0, 1.0)
