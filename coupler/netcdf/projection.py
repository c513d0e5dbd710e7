# SPDX-License-Identifier: BSD-3-Clause
"""Projections that a `grid_mapping` of a file describes: from longitude and latitude into the plane and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coupler.errors import FieldError, ForcingError, TesseraError
from coupler.netcdf.packed import Floats, values
from coupler.units import conversion

Way = Callable[[Any, Any], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Plane:
    """Coordinates of a field in the plane of its projection.

    Parameters
    ----------
    y, x : (ny,), (nx,)
        Coordinates, metres, or degrees of a rotated pole.
    forward, inverse : callables
        (longitude, latitude) in degrees to (x, y), and back.
    period : float
        360 where x is an angle, else 0.
    """

    y: Floats
    x: Floats
    forward: Way
    inverse: Way
    period: float = 0.0


def read_plane(dataset: Any, mapping: str, names: tuple[str, str], error: type[TesseraError] = ForcingError) -> Plane:
    """The plane of a variable with the projection `mapping` and the coordinates `names` (y, x)."""
    crs = dataset[mapping]
    attributes = {k: crs.getncattr(k) for k in crs.ncattrs()}
    rotated = str(attributes.get("grid_mapping_name")) == "rotated_latitude_longitude"
    way, back = _rotated(attributes) if rotated else _projected(attributes, f"{dataset.filepath()}: {mapping}", error)
    along = {}
    for key, name in zip("yx", names, strict=True):
        units = str(getattr(dataset[name], "units", "degrees" if rotated else "m"))
        try:
            factor, _ = conversion(units, "degree" if rotated else "m")
        except FieldError as problem:
            raise error(f"{dataset.filepath()}: {name} of the projection {mapping}: {problem}") from None
        along[key] = values(dataset[name], error=error) * factor
    return Plane(along["y"], along["x"], way, back, 360.0 if rotated else 0.0)


def _projected(attributes: dict[str, Any], here: str, error: type[TesseraError]) -> tuple[Way, Way]:
    import pyproj
    from pyproj.exceptions import CRSError, ProjError

    plain = {k: v for k, v in attributes.items() if k not in ("units", "long_name")}
    try:
        crs = pyproj.CRS.from_cf(plain)
        forward = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    except (CRSError, ProjError, KeyError, TypeError, ValueError) as problem:
        raise error(
            f"{here} (grid_mapping_name {attributes.get('grid_mapping_name')!r}) is not a projection that PROJ knows: "
            f"{problem}"
        ) from None

    def way(longitude: Any, latitude: Any) -> tuple[Floats, Floats]:
        x, y = forward.transform(longitude, latitude)
        return np.asarray(x, np.float64), np.asarray(y, np.float64)

    def back(x: Any, y: Any) -> tuple[Floats, Floats]:
        longitude, latitude = forward.transform(x, y, direction="INVERSE")
        return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)

    return way, back


def _rotated(attributes: dict[str, Any]) -> tuple[Way, Way]:
    """A rotated pole (CF conventions, appendix F), on the sphere."""
    pole = np.deg2rad(float(attributes.get("grid_north_pole_latitude", 90.0)))
    meridian = float(attributes.get("grid_north_pole_longitude", 0.0))
    turn = float(attributes.get("north_pole_grid_longitude", 0.0))

    def rotate(longitude: Any, latitude: Any, centre: float, shift: float) -> tuple[Floats, Floats]:
        lam, phi = np.deg2rad(np.asarray(longitude, np.float64) - centre), np.deg2rad(np.asarray(latitude, np.float64))
        east = -np.cos(phi) * np.sin(lam)
        north = np.sin(phi) * np.cos(pole) - np.cos(phi) * np.cos(lam) * np.sin(pole)
        up = np.sin(phi) * np.sin(pole) + np.cos(phi) * np.cos(lam) * np.cos(pole)
        x = np.rad2deg(np.arctan2(east, north)) + shift
        return (x + 180.0) % 360.0 - 180.0, np.rad2deg(np.arctan2(up, np.hypot(east, north)))

    def way(longitude: Any, latitude: Any) -> tuple[Floats, Floats]:
        return rotate(longitude, latitude, meridian, turn)

    def back(x: Any, y: Any) -> tuple[Floats, Floats]:
        return rotate(x, y, turn, meridian)

    return way, back
