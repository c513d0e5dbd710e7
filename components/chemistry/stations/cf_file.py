# SPDX-License-Identifier: BSD-3-Clause
"""Time series of stations in CF netCDF (discrete sampling geometries, CF chapter 9 and appendix H.2).

A station alone, arrays of stations and times, and both ragged arrays: contiguous (a variable with ``sample_dimension``)
and indexed (one with ``instance_dimension``). ``ancillary_variables`` with ``flag_values`` and ``flag_meanings`` say
which values are good.
"""

from pathlib import Path
from typing import Any

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from components.chemistry.stations.series import (
    Floats,
    Found,
    factor,
    seconds_of_dates,
    series_of,
    unit_note,
    wrong_places,
)
from coupler.errors import FieldError

NAMES = ("mole_fraction_of_carbon_dioxide_in_air", "mole_fraction_of_carbon_dioxide_in_dry_air")
VARIABLES = ("co2", "CO2", "xco2", "value")
GOOD = ("good", "valid", "ok", "pass", "passed", "representative", "background", "no_problem", "accepted")
BAD = ("not_", "in", "un", "non_", "bad", "rejected")


def read(path: Path) -> Found:
    """The series of a file.

    Parameters
    ----------
    path : netCDF
    """
    with netCDF4.Dataset(path) as file:
        name = _variable(file)
        if name is None:
            known = f"standard name {NAMES[0]}, or a name of {', '.join(VARIABLES)}"
            return Found(
                (), (), (f"expected a variable of carbon dioxide ({known}), found {', '.join(file.variables)}",)
            )
        v = file[name]
        missing = [n for n in ("time", "latitude", "longitude") if _coordinate(file, n) is None]
        if missing:
            return Found((), (), (f"expected variables of {', '.join(missing)} (standard_name), found none",))
        units = str(getattr(v, "units", ""))
        try:
            scale = factor(units)
            notes = unit_note(units)
        except FieldError as wrong:
            return Found((), (), (f"{name}: {wrong}",))
        try:
            begin, end = _times(file)
        except ValueError as wrong:
            return Found((), (), (f"time: {wrong}",))
        value = np.ma.filled(np.ma.asarray(v[:], dtype=np.float64), np.nan) * scale
        error = _error(file, v, value.shape)
        good, said = _good(file, v, value.shape)
        if _times_first(file, v):
            value, error, good = value.T, error.T, good.T
        owner = _owners(file, v, value.shape)
        places = [_place(file, n) for n in ("longitude", "latitude", "height")]
        names = _names(file, int(owner.max()) + 1 if owner.size else 0, path)
    begin, end = (_spread(a, value.shape) for a in (begin, end))
    series = tuple(
        series_of(names[k], [p[min(k, p.size - 1)] for p in places], begin[at], end[at], value[at], error[at], good[at])
        for k in range(len(names))
        for at in (owner == k,)
    )
    return Found(series, (*notes, *said), tuple(wrong_places(series, units)))


def _variable(file: Any) -> str | None:
    by_name = [n for n, v in file.variables.items() if getattr(v, "standard_name", "") in NAMES]
    return next(iter([*by_name, *(n for n in VARIABLES if n in file.variables)]), None)


def _coordinate(file: Any, standard: str) -> Any:
    """The variable of a standard name, or of that name."""
    others = {
        "height": ("altitude", "alt", "surface_altitude", "elevation"),
        "latitude": ("lat",),
        "longitude": ("lon",),
    }
    for v in file.variables.values():
        if getattr(v, "standard_name", "") in (standard, *others.get(standard, ())):
            return v
    return next((file[n] for n in (standard, *others.get(standard, ())) if n in file.variables), None)


def _place(file: Any, standard: str) -> Floats:
    v = _coordinate(file, standard)
    if v is None:
        return np.array([np.nan])
    return np.atleast_1d(np.ma.filled(np.ma.asarray(v[:], dtype=np.float64), np.nan)).ravel()


def _times(file: Any) -> tuple[Floats, Floats]:
    time = _coordinate(file, "time")
    units, calendar = str(getattr(time, "units", "")), str(getattr(time, "calendar", "standard"))

    def seconds(values: Any) -> Floats:
        plain = np.ma.masked_invalid(np.ma.asarray(values, dtype=np.float64))
        out = np.full(plain.shape, np.nan)
        known = ~np.ma.getmaskarray(plain)
        dates = cftime.num2date(plain[known].data, units, calendar, only_use_cftime_datetimes=True)
        out[known] = seconds_of_dates(dates) if known.any() else []
        return out

    bounds = str(getattr(time, "bounds", ""))
    if bounds in file.variables:
        both = file[bounds][:]
        return seconds(both[..., 0]), seconds(both[..., 1])
    at = seconds(time[:])
    return at, at


def _times_first(file: Any, v: Any) -> bool:
    """Whether values of stations and times have the times first, as a table of columns has."""
    time = _coordinate(file, "time")
    return len(v.dimensions) == 2 and time.dimensions == v.dimensions[:1]


def _spread(time: Floats, shape: tuple[int, ...]) -> Floats:
    """Times of every value: an axis shared by all stations is repeated for each."""
    return np.broadcast_to(time, shape) if time.shape != shape else time


def _owners(file: Any, v: Any, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Number of the station of every value."""
    for other in file.variables.values():
        if getattr(other, "sample_dimension", None) in v.dimensions:
            return np.repeat(np.arange(other.size), np.asarray(other[:], dtype=int))
        if getattr(other, "instance_dimension", None) is not None and other.dimensions == v.dimensions:
            return np.asarray(other[:], dtype=np.int64)
    if len(shape) < 2:
        return np.zeros(shape, dtype=np.int64)
    return np.broadcast_to(np.arange(shape[0])[:, None], shape)


def _names(file: Any, n: int, path: Path) -> list[str]:
    for v in file.variables.values():
        if getattr(v, "cf_role", "") == "timeseries_id" or v.name in ("station_name", "station_id", "station"):
            texts = v[:]
            if v.dtype != str and getattr(v.dtype, "kind", "") == "S":
                texts = netCDF4.chartostring(np.ma.filled(texts, b""))
            found = [str(t).strip("\x00 ") for t in np.atleast_1d(texts).ravel()]
            if len(found) >= n:
                return found[:n]
    return [path.stem if n == 1 else f"{path.stem} {k}" for k in range(n)]


def _ancillary(file: Any, v: Any) -> list[Any]:
    return [file[n] for n in str(getattr(v, "ancillary_variables", "")).split() if n in file.variables]


def _error(file: Any, v: Any, shape: tuple[int, ...]) -> Floats:
    for other in _ancillary(file, v):
        words = f"{getattr(other, 'standard_name', '')} {getattr(other, 'long_name', '')} {other.name}".lower()
        if any(w in words for w in ("standard_error", "uncertainty", "standard_deviation", "std", "_unc", "error")):
            scale = factor(str(getattr(other, "units", "") or v.units))
            return np.ma.filled(np.ma.asarray(other[:], dtype=np.float64), np.nan) * scale
    return np.full(shape, np.nan)


def _good(file: Any, v: Any, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Which values the flags call good, and what is to be said of it."""
    good = np.ones(shape, dtype=bool)
    said = []
    for other in _ancillary(file, v):
        meanings = str(getattr(other, "flag_meanings", "")).split()
        values = np.atleast_1d(getattr(other, "flag_values", []))
        if not meanings or len(values) != len(meanings):
            continue
        wanted = [x for x, word in zip(values, meanings, strict=True) if is_good(word)]
        passed = np.isin(np.ma.filled(np.ma.asarray(other[:]), -99), wanted)
        good &= passed
        said.append(f"{other.name}: {int((~passed).sum())} of {passed.size} values are not good and are left out")
    return good, tuple(said)


def is_good(meaning: str) -> bool:
    """Whether a word of ``flag_meanings`` says that a value may be used.

    Parameters
    ----------
    meaning : such as ``good_data`` or ``invalid``

    Examples
    --------
    >>> [is_good(w) for w in ("good_data", "valid", "invalid", "not_background", "unrepresentative")]
    [True, True, False, False, False]
    """
    word = meaning.lower()
    return any(word.startswith(g) for g in GOOD) and not word.startswith(BAD)
