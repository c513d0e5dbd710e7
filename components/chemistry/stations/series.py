# SPDX-License-Identifier: BSD-3-Clause
"""What a station has measured: mole fractions over intervals of time, at a place."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cftime
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.errors import FieldError
from coupler.units import conversion

Floats = npt.NDArray[np.float64]
EPOCH = "seconds since 1970-01-01"
LEAST, MOST = 100e-6, 2000e-6
"""Mole fractions beyond which nothing near the ground can be: 100 and 2000 ppm."""
UNITS = "ppm, micromol mol-1, mol mol-1"


class Series(NamedTuple):
    """The values of a station in the order of their times.

    Attributes
    ----------
    name : of the station
    longitude, latitude : degrees
    height : m above sea level; NaN where the file does not say
    begin, end : (n,) of the interval that a value is the mean of, s since 1970-01-01 UTC; equal for a sample
    value : (n,) mole fraction of dry air, mol mol-1
    error : (n,) standard deviation, mol mol-1; NaN where the file does not say
    """

    name: str
    longitude: float
    latitude: float
    height: float
    begin: Floats
    end: Floats
    value: Floats
    error: Floats


class Found(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    series : one a station
    notes : what a user should know beside it, a line each
    problems : why the file cannot be used, a line each
    """

    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def series_of(name: str, place: Sequence[float], begin: Any, end: Any, value: Any, error: Any, good: Any) -> Series:
    """A station's good values, in the order of their times.

    Parameters
    ----------
    name : of the station
    place : longitude and latitude in degrees, height in m
    begin, end : (n,) s since 1970-01-01
    value, error : (n,) mol mol-1
    good : (n,) bool, which values pass the file's flags
    """
    b, e, v, s = (np.atleast_1d(np.asarray(a, dtype=np.float64)) for a in (begin, end, value, error))
    keep = np.asarray(good, dtype=bool) & np.isfinite(v) & np.isfinite(b) & np.isfinite(e)
    s = np.where(s > 0.0, s, np.nan)
    order = np.flatnonzero(keep)[np.argsort(b[keep], kind="stable")]
    lon, lat, height = (float(a) for a in place)
    return Series(name.strip(), lon, lat, height, *(a[order] for a in (b, e, v, s)))


def factor(units: str) -> float:
    """What turns values of a unit into mol mol-1.

    Parameters
    ----------
    units : as the file writes them

    Raises
    ------
    FieldError
        No unit of a mole fraction.
    """
    if not units.strip():
        raise FieldError(f"carbon dioxide has no units; expected one such as {UNITS}")
    return conversion(units, "1")[0]


def wrong_places(series: Sequence[Series], units: str) -> list[str]:
    """What no station may be: off the Earth, without a place, or with values that its unit makes impossible.

    Parameters
    ----------
    series : of a file
    units : as the file writes them
    """
    problems = []
    for s in series:
        if not (abs(s.latitude) <= 90.0 and -180.0 <= s.longitude <= 360.0):
            problems.append(
                f"{s.name}: expected a latitude of -90 to 90 and a longitude of -180 to 360 degrees, "
                f"found {s.latitude:g} and {s.longitude:g}"
            )
        bad = np.flatnonzero(~((s.value >= LEAST) & (s.value <= MOST)))
        if bad.size:
            worst = s.value[bad[0]]
            problems.append(
                f"{s.name}: expected 100 to 2000 ppm of carbon dioxide, found {1e6 * worst:.4g} ppm "
                f"({worst / factor(units):.4g} {units}) in {bad.size} of {s.value.size} values; is the unit right?"
            )
    return problems


def unit_note(units: str) -> tuple[str, ...]:
    """That a unit is not ppm, where carbon dioxide seldom is in it.

    Parameters
    ----------
    units : as the file writes them
    """
    size = factor(units)
    return () if size in (1e-6, 1.0) else (f"values are in {units}, of which 1 is {1e6 * size:g} ppm",)


def seconds_of_dates(dates: Any) -> Floats:
    """Seconds since 1970-01-01 of cftime dates.

    Parameters
    ----------
    dates : (n,) cftime dates; those of other calendars count by their year, month and day
    """
    texts = [d.strftime("%Y-%m-%dT%H:%M:%S") for d in np.atleast_1d(dates)]
    return np.array(texts, dtype="datetime64[s]").astype(np.int64).astype(np.float64)


def seconds_of_text(text: str) -> float:
    """Seconds since 1970-01-01 of ``2014-01-31`` or ``2014-01-31 06:00``; NaN of what is no date.

    Parameters
    ----------
    text : ISO 8601 without a zone
    """
    try:
        return float(np.datetime64(text.strip().replace(" ", "T"), "s").astype(np.int64))
    except ValueError:
        return float("nan")


def model_time(seconds: Floats, clock: Clock) -> Floats:
    """Model time of seconds since 1970-01-01; NaN of days that the calendar of the case lacks.

    Parameters
    ----------
    seconds : (n,) s since 1970-01-01
    clock : dates of the case
    """
    if clock.calendar in ("standard", "proleptic_gregorian"):
        return seconds - float(cftime.date2num(clock.origin, EPOCH, calendar=clock.calendar))
    out = np.full(len(seconds), np.nan)
    for i, text in enumerate(np.asarray(seconds, dtype=np.int64).astype("datetime64[s]").astype(str)):
        try:
            out[i] = clock.seconds_at(text)
        except ValueError:  # such as 29 February
            continue
    return out
