# SPDX-License-Identifier: BSD-3-Clause
"""What a coordinate variable of a netCDF file is: by standard name, units, `axis`, and by its name last."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from coupler.errors import FieldError, ForcingError, TesseraError
from coupler.netcdf.packed import Floats, values
from coupler.units import conversion, parse

STANDARD = {
    "latitude": "latitude", "longitude": "longitude", "geographic_latitude": "latitude",
    "geographic_longitude": "longitude", "grid_latitude": "y", "grid_longitude": "x", "projection_y_coordinate": "y",
    "projection_x_coordinate": "x", "projection_y_angular_coordinate": "y", "projection_x_angular_coordinate": "x",
    "time": "time", "forecast_period": "forecast", "forecast_reference_time": "forecast", "realization": "member",
    "air_pressure": "level", "height": "level", "altitude": "level", "depth": "level", "model_level_number": "level",
    "geopotential_height": "level", "height_above_mean_sea_level": "level", "height_above_reference_ellipsoid": "level",
    "depth_below_geoid": "level", "region": "other", "area_type": "other",
}  # fmt: skip
UNITS = (
    (re.compile(r"^degrees?[_ ]?(north|n)$", re.I), "latitude"),
    (re.compile(r"^degrees?[_ ]?(east|e)$", re.I), "longitude"),
    (re.compile(r"^degrees latitude$", re.I), "latitude"),
    (re.compile(r"^degrees longitude$", re.I), "longitude"),
    (re.compile(r"\bsince\b|%Y%m%d"), "time"),
    (re.compile(r"^months?$", re.I), "time"),
)
NAMES = tuple(
    (re.compile(rf"^({words})$", re.I), found)
    for words, found in (
        ("x?lat|latitude|lats|nav_lat|geolat|y?tlat|[uv]lat|gphi[tuvf]|lat_(rho|u|v|psi)|xlat_[muvc]", "latitude"),
        ("x?long?|longitude|lons|nav_lon|geolon|[tuv]lon|glam[tuvf]|lon_(rho|u|v|psi)|xlong_[muvc]", "longitude"),
        ("time|valid_time|time_counter|ocean_time|times|xtime|month|t", "time"),
        ("number|member|ensemble|ens|reali[sz]ation", "member"),
        ("step|reftime|forecast_reference_time|leadtime", "forecast"),
        (
            "(lev|levels?|plev|pressure|isobaric|depth|height|altitude|hybrid|sigma|s_rho|s_w|z|zt|zlev|layer"
            "|bottom_top|soil_layers|pfull|nav_lev|model_level)[tuvw]?(_?[0-9]+|_[a-z_]+)?",
            "level",
        ),
        ("y|rlat|yc|projection_y|south_north|eta_rho|nj|j", "y"),
        ("x|rlon|xc|projection_x|west_east|xi_rho|ni|i", "x"),
    )
)
ANGLES = ("", "1", "degree", "degrees", "deg", "radian", "radians", "rad", "none", "unknown")
"""Units under which the name of a latitude or longitude is believed."""


def kind(variable: Any) -> str:
    """What a coordinate is.

    Returns
    -------
    str
        ``latitude``, ``longitude``, ``y`` or ``x`` (of a projection), ``time``, ``level``, ``member``, ``forecast``;
        empty where nothing says.
    """
    standard = str(getattr(variable, "standard_name", "")).strip().lower()
    if standard in STANDARD:
        return STANDARD[standard]
    if standard.startswith(("atmosphere_", "ocean_")) and standard.endswith("coordinate"):
        return "level"
    units = " ".join(str(getattr(variable, "units", "")).split())
    for pattern, found in UNITS:
        if pattern.search(units):
            return found
    axis = str(getattr(variable, "axis", "")).strip().upper()
    by_name = next((found for pattern, found in NAMES if pattern.match(str(variable.name))), "")
    angular = units.lower() in ANGLES
    if axis in ("T", "Z"):
        return {"T": "time", "Z": "level"}[axis]
    if axis in ("X", "Y") and not angular:
        return axis.lower()
    if by_name in ("latitude", "longitude"):
        return by_name if angular else ""
    if axis in ("X", "Y"):
        return by_name if by_name in ("x", "y") else {"X": "longitude", "Y": "latitude"}[axis]
    if by_name:
        return by_name
    if hasattr(variable, "positive") or _is_pressure(units):
        return "level"
    return ""


def dimension_kind(name: str) -> str:
    """What a dimension without a coordinate is, by its name."""
    return next((found for pattern, found in NAMES if pattern.match(name)), "")


def _is_pressure(units: str) -> bool:
    try:
        return bool(units) and parse(units).dimensions == parse("Pa").dimensions
    except FieldError:
        return False


def degrees(variable: Any, where: Any = ..., error: type[TesseraError] = ForcingError) -> Floats:
    """Longitudes or latitudes in degrees, whatever angle the file has.

    Raises
    ------
    error
        Numbers that are missing or no angles: with the file, the variable and what it holds.
    """
    found = values(variable, where, error)
    units = " ".join(str(getattr(variable, "units", "")).split())
    here = f"{variable.group().filepath()}: {variable.name}"
    if units.lower().startswith("rad"):
        found = np.rad2deg(found)
    elif units not in ("", "1", "none", "unknown") and not any(
        words.match(units) for words, what in UNITS if what != "time"
    ):
        try:
            conversion(units, "degree")
        except FieldError:
            raise error(f"{here} is in {units!r}; expected degrees for a {kind(variable) or 'coordinate'}") from None
    if found.size and not np.isfinite(found).any():
        raise error(f"{here} has no values")
    largest = 90.0 if kind(variable) == "latitude" else 1080.0
    size = float(np.nanmax(np.abs(found), initial=0.0))
    if size > largest * (1.0 + 1e-6):
        raise error(
            f"{here} reaches {size:g} ({units or 'no unit'}); expected degrees: is it a projection's coordinate in"
            " metres, or were latitude and longitude swapped?"
        )
    return found
