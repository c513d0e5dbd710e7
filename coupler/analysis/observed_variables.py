# SPDX-License-Identifier: BSD-3-Clause
"""Which variable of a file holds a field: by its name, its standard name or a short name in use, at its height.

``geopotential_height_at_500hPa`` is read from a variable on pressure levels; ``air_temperature_at_2m`` and the lowest
``air_temperature`` of a run from one without levels, else from the lowest level above the ground.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError, FieldError
from coupler.fields import conversion
from coupler.netcdf.axes import Axes, find_axes, read
from coupler.netcdf.coordinates import kind
from coupler.netcdf.packed import values as numbers
from coupler.netcdf.short_names import NEAR_GROUND, SURFACE, UPPER_AIR

Floats = npt.NDArray[np.float64]
OPPOSITES = ("upward", "downward"), ("upwelling", "downwelling")
_PRESSURE = re.compile(r"^(.+)_at_([0-9.]+)hPa$")
_HEIGHT = re.compile(r"^(.+)_at_(2|10)m$")
GROUND = "surface_air_pressure"
SEA, SURFACE_TEMPERATURE = "sea_surface_temperature", "surface_temperature"


@dataclass(frozen=True)
class Held:
    """Where a file holds a field.

    Attributes
    ----------
    variable, axes : its name and axes
    sign : -1 where it is the flux of the opposite direction
    pressure : Pa, to which levels are interpolated; 0: there is no level, or the lowest above the ground is meant
    ground : the variable of surface pressure, which tells the lowest level above the ground; may be empty
    at_sea : whether values on land are of something else
    """

    variable: str
    axes: Axes
    sign: float = 1.0
    pressure: float = 0.0
    ground: str = ""
    at_sea: bool = False

    @property
    def says(self) -> str:
        """What the reader must know of the variable, beside its name."""
        if self.at_sea:
            return "temperature of the surface, at sea"
        if not self.axes.level:
            return ""
        return f"at {self.pressure / 100.0:g} hPa" if self.pressure else "its lowest level above the ground"


def opposite(name: str) -> str:
    """Name of the same flux counted the other way, or an empty string.

    >>> opposite("surface_upward_latent_heat_flux")
    'surface_downward_latent_heat_flux'
    """
    for a, b in OPPOSITES:
        for this, other in ((a, b), (b, a)):
            if this in name.split("_"):
                return "_".join(other if word == this else word for word in name.split("_"))
    return ""


def locate(file: Any, name: str) -> Held | None:
    """Where an open file holds a field; None where it does not.

    Parameters
    ----------
    file : netCDF4.Dataset
    name : of the field in a run, such as eastward_wind_at_850hPa
    """
    aloft, near = _PRESSURE.match(name), _HEIGHT.match(name)
    if aloft:
        return _aloft(file, name, aloft[1], 100.0 * float(aloft[2]))
    for wanted, sign in ((name, 1.0), (opposite(name), -1.0)):
        found = wanted and _flat(file, wanted, near[1] if near else wanted)
        if found:
            return Held(found, find_axes(file, found, error=CaseError), sign)
    if name == SEA:
        found = _flat(file, SURFACE_TEMPERATURE, SURFACE_TEMPERATURE)
        return Held(found, find_axes(file, found, error=CaseError), at_sea=True) if found else None
    base = near[1] if near else name
    if base not in NEAR_GROUND:
        return None
    for key in _candidates(file, base, UPPER_AIR[base]):
        axes = find_axes(file, key, error=CaseError)
        if axes.level and _pressures(file, axes) is not None:
            return Held(key, axes, ground=_flat(file, GROUND, GROUND) or "")
    return None


def read_field(file: Any, held: Held, record: int | None) -> Floats:
    """Values (y, x) of a record in the file's unit, NaN where unknown.

    Parameters
    ----------
    file : netCDF4.Dataset
    held : where the field is
    record : number along the time; None without one
    """
    values = read(file, held.axes, record, error=CaseError)
    if not held.axes.level:
        return values
    p = _pressures(file, held.axes)
    assert p is not None
    order = np.argsort(-p)
    values, p = values[order], p[order]
    if held.pressure:
        upper = min(int(np.searchsorted(-p, -held.pressure)), p.size - 1)
        lower = max(upper - 1, 0) if p[upper] < held.pressure else upper
        if lower == upper:
            return np.asarray(values[upper])
        share = np.log(p[lower] / held.pressure) / np.log(p[lower] / p[upper])
        return np.asarray((1.0 - share) * values[lower] + share * values[upper])
    above = np.isfinite(values)
    if held.ground:
        axes = find_axes(file, held.ground, error=CaseError)
        factor, _ = conversion(str(getattr(file[held.ground], "units", "Pa")), "Pa")
        ground = factor * read(file, axes, record if axes.time else None, error=CaseError)
        above &= ~(p[:, None, None] > ground)
    first = above.argmax(axis=0)
    lowest = np.take_along_axis(values, first[None], axis=0)[0]
    return np.asarray(np.where(above.any(axis=0), lowest, np.nan))


def _aloft(file: Any, name: str, base: str, pressure: float) -> Held | None:
    """A field at a pressure: of that name, on levels around it, or with it as the only one."""
    if name in file.variables:
        return Held(name, find_axes(file, name, error=CaseError))
    for key in _candidates(file, base, UPPER_AIR.get(base, ())):
        axes = find_axes(file, key, error=CaseError)
        if not axes.level and abs(_only_pressure(file, key) - pressure) < 1.0:
            return Held(key, axes)
        p = _pressures(file, axes) if axes.level else None
        if p is not None and p.min() - 1.0 <= pressure <= p.max() + 1.0:
            return Held(key, axes, pressure=pressure)
    return None


def _flat(file: Any, name: str, standard: str) -> str | None:
    """Variable without levels: of that name, of that standard name near the ground, or of a short name."""
    if name in file.variables and file[name].ndim > 1 and not find_axes(file, name, error=CaseError).level:
        return name
    short = NEAR_GROUND.get(standard, ()) or SURFACE.get(standard, ())
    for key in _candidates(file, standard, short):
        if not find_axes(file, key, error=CaseError).level and not np.isfinite(_only_pressure(file, key)):
            return key
    return None


def _candidates(file: Any, standard: str, short: tuple[str, ...]) -> list[str]:
    aliases = (standard, "geopotential") if standard == "geopotential_height" else (standard,)
    fields = {str(n): str(getattr(v, "standard_name", "")) for n, v in file.variables.items() if v.ndim > 1}
    return [n for n, s in fields.items() if s in aliases] + [n for n in short if n in fields]


def _only_pressure(file: Any, key: str) -> float:
    """Pressure, Pa, of the one level that a variable is on; NaN where none is said."""
    variable = file[key]
    names = [*str(getattr(variable, "coordinates", "")).split(), *variable.dimensions]
    for name in names:
        if name in file.variables and file[name].size == 1 and kind(file[name]) == "level":
            try:
                factor, _ = conversion(str(getattr(file[name], "units", "")), "Pa")
            except FieldError:
                continue
            return float(factor * numbers(file[name], error=CaseError).item())
    return np.nan


def _pressures(file: Any, axes: Axes) -> Floats | None:
    """Pressures of levels, Pa; None of levels that are none."""
    if not axes.level_variable:
        return None
    units = str(getattr(file[axes.level_variable], "units", "")).strip()
    p = numbers(file[axes.level_variable], error=CaseError)
    if units in ("", "1", "level", "levels"):
        units = "hPa" if p.max() <= 1100.0 else "Pa"
    try:
        factor, _ = conversion(units, "Pa")
    except FieldError:
        return None
    return np.asarray(factor * p, dtype=np.float64)
