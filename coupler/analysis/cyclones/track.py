# SPDX-License-Identifier: BSD-3-Clause
"""A track: where a cyclone is, how deep and how strong, at its times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.grids.grid import EARTH_RADIUS

Floats = npt.NDArray[np.float64]
OnLand = Callable[[Floats, Floats], npt.NDArray[np.bool_]]
"""Whether places lie on land, of their longitudes and latitudes in degrees."""


@dataclass(frozen=True)
class Track:
    """One cyclone.

    Attributes
    ----------
    name : of the agency, or a number
    times : (n,) cftime dates or seconds, increasing
    longitude, latitude : (n,) degrees; longitudes run on over the date line
    pressure : (n,) central pressure, Pa; NaN where unknown
    wind : (n,) largest sustained wind, m/s; NaN where unknown
    basins : (n,) basin of each point; empty where nobody says
    landfall : (n,) whether the agency says that the centre is over land or crosses the coast; empty where it does not
    """

    name: str
    times: tuple[Any, ...]
    longitude: Floats
    latitude: Floats
    pressure: Floats
    wind: Floats
    basins: tuple[str, ...] = ()
    landfall: tuple[bool, ...] = ()

    def __len__(self) -> int:
        return len(self.times)


def distance(lon: Floats | float, lat: Floats | float, other_lon: Floats | float, other_lat: Floats | float) -> Floats:
    """Length of the great circle between points, m (haversine).

    Parameters
    ----------
    lon, lat, other_lon, other_lat : degrees
    """
    a, b, c, d = (np.deg2rad(x) for x in (lon, lat, other_lon, other_lat))
    h = np.sin((d - b) / 2.0) ** 2 + np.cos(b) * np.cos(d) * np.sin((c - a) / 2.0) ** 2
    return np.asarray(2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


def running_on(longitude: Floats) -> Floats:
    """Longitudes (n,) without jumps of 360 degrees.

    Parameters
    ----------
    longitude : (n,) degrees
    """
    return np.asarray(np.rad2deg(np.unwrap(np.deg2rad(longitude))))
