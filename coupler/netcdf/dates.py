# SPDX-License-Identifier: BSD-3-Clause
"""Dates of the records of a netCDF variable: the one place where times of files are decoded."""

from __future__ import annotations

import itertools
import re
import warnings
from typing import Any, Literal, NamedTuple

import cftime
import numpy as np

from coupler.clock import calendar_name
from coupler.errors import ForcingError, TesseraError
from coupler.netcdf.packed import values

Label = Literal["auto", "start", "middle", "end"]
UNITS = {
    "microsecond": "microseconds", "us": "microseconds", "millisecond": "milliseconds", "ms": "milliseconds",
    "msec": "milliseconds", "second": "seconds", "sec": "seconds", "s": "seconds", "minute": "minutes",
    "min": "minutes", "hour": "hours", "hr": "hours", "h": "hours", "day": "days", "d": "days",
    "month": "months", "mon": "months",
}  # fmt: skip
_MONTHS = re.compile(r"^months?(_of_year| of (the )?year)?$|^month_?number$", re.I)
_TEXT = re.compile(r"(-?\d{1,4})-(\d\d)-(\d\d)[_T ](\d\d):(\d\d):(\d\d)")
NEAR = 1000
"""Microseconds within which a time is the whole second: times are often fractions of a day."""


class Dates(NamedTuple):
    """Dates of records.

    Parameters
    ----------
    dates : list of cftime dates
        One a record.
    bounds : list of (date, date)
        The interval of each; empty where the file gives none.
    climatological : bool
        Whether the records stand for parts of any year.
    """

    dates: list[cftime.datetime]
    bounds: list[tuple[cftime.datetime, cftime.datetime]]
    climatological: bool


def decode(time: Any, where: str, error: type[TesseraError] = ForcingError) -> Dates:
    """Dates of a time coordinate.

    Parameters
    ----------
    time : netCDF4.Variable
        Numbers of a unit ``... since`` a date, ``day as %Y%m%d.%f``, months 1 to 12, or text (``2005-08-28_12:00:00``).
    where : str
        File and variable, for messages.
    error : type
        What is raised of times that cannot be read with certainty.
    """
    here = f"{where}: time {time.name!r}"
    if time.dtype == str or getattr(time.dtype, "kind", "") in "SU":
        return Dates(_written(time, here, error), [], False)
    units = " ".join(str(getattr(time, "units", "")).split())
    calendar = _calendar(time, here, error)
    numbers = np.atleast_1d(values(time, error=error))
    if not np.isfinite(numbers).all():
        first = int(np.flatnonzero(~np.isfinite(numbers.ravel()))[0])
        raise error(f"{here} has no value at record {first + 1} of {numbers.size}; mend the file or leave it out")
    if time.dtype.kind in "iu" and not hasattr(time, "scale_factor"):
        numbers = np.atleast_1d(np.asarray(time[...]))  # whole numbers keep all their digits
    if _MONTHS.match(units) or (not units and _MONTHS.match(time.name)):
        return months([_month(n, here, error) for n in numbers.ravel()])
    if "%Y%m%d" in units:
        return Dates([_absolute(n, calendar, here, error) for n in numbers.ravel()], [], False)
    dates = _since(numbers.ravel(), units, calendar, here, error)
    climatological = hasattr(time, "climatology")
    name = str(getattr(time, "climatology", getattr(time, "bounds", "")))
    edges = time.group().variables.get(name)
    pairs: list[tuple[cftime.datetime, cftime.datetime]] = []
    if edges is not None:
        pairs = _bounds(edges, dates, units, calendar, climatological, here, error)
    return Dates(dates, pairs, climatological)


def months(numbers: list[int]) -> Dates:
    """Records that are months of any year, by their numbers 1 to 12."""
    edges = [cftime.datetime(2001 + n // 12, n % 12 + 1, 1, calendar="noleap") for n in range(13)]
    pairs = [(edges[n - 1], edges[n]) for n in numbers]
    return Dates([a + (b - a) / 2 for a, b in pairs], pairs, True)


def intervals(dates: list[cftime.datetime], label: Label) -> list[tuple[cftime.datetime, cftime.datetime]]:
    """Intervals of records that are labelled at their start or end; each reaches to the next record.

    Of monthly records on the first day the interval is the calendar month; else the one at the end of the series is as
    long as its neighbour.
    """
    if label not in ("start", "end") or not dates:
        return []
    if all(d.day == 1 and (d.hour, d.minute, d.second) == (0, 0, 0) for d in dates):
        step = 1 if label == "start" else -1
        others = [_months_later(d, step) for d in dates]
        pairs = [(d, o) if step > 0 else (o, d) for d, o in zip(dates, others, strict=True)]
        if all(one[1] == other[0] for one, other in itertools.pairwise(pairs)):
            return pairs
    if len(dates) < 2:
        return []
    if label == "start":
        ends = [*dates[1:], dates[-1] + (dates[-1] - dates[-2])]
        return list(zip(dates, ends, strict=True))
    starts = [dates[0] - (dates[1] - dates[0]), *dates[:-1]]
    return list(zip(starts, dates, strict=True))


def month_length(date: cftime.datetime) -> float:
    """Seconds of the month in which a date stands."""
    return 86400.0 * float(date.daysinmonth)


def _months_later(date: cftime.datetime, months_: int) -> cftime.datetime:
    number = 12 * date.year + date.month - 1 + months_
    return date.replace(year=number // 12, month=number % 12 + 1)


def _calendar(time: Any, here: str, error: type[TesseraError]) -> str:
    given = str(getattr(time, "calendar", "standard"))
    try:
        return calendar_name(given)
    except ValueError as problem:
        raise error(f"{here}: {problem}") from None


def _month(number: Any, here: str, error: type[TesseraError]) -> int:
    if float(number) not in range(1, 13):
        raise error(
            f"{here} has the month {number:g}; expected whole numbers from 1 to 12, or a unit such as 'days since"
            " 2001-01-01'"
        )
    return int(number)


def _absolute(number: Any, calendar: str, here: str, error: type[TesseraError]) -> cftime.datetime:
    """A date written as the number 20010131.25."""
    day = int(np.floor(float(number)))
    try:
        date = cftime.datetime(day // 10000, day // 100 % 100, day % 100, calendar=calendar)
    except ValueError:
        raise error(f"{here} has {number:.10g}, which is not a date YYYYMMDD of the calendar {calendar}") from None
    return _later(date, round((float(number) - day) * 86400.0 * 1e6))


def _later(date: cftime.datetime, microseconds: int) -> cftime.datetime:
    import datetime

    return _whole(date + datetime.timedelta(microseconds=microseconds))


def _whole(date: cftime.datetime) -> cftime.datetime:
    """A date, on the whole second where it is a round-off away from it."""
    import datetime

    off = date.microsecond if date.microsecond < 500000 else date.microsecond - 1000000
    return date - datetime.timedelta(microseconds=off) if off and abs(off) <= NEAR else date


def _since(numbers: Any, units: str, calendar: str, here: str, error: type[TesseraError]) -> list[cftime.datetime]:
    """Dates of numbers with a unit ``... since`` a date."""
    word, since, start = units.partition(" since ")
    key = word.strip().lower()
    name = UNITS.get(key) or UNITS.get(key.removesuffix("s"))
    if not since or name is None:
        raise error(f"{here} has the unit {units!r}; expected a unit such as 'days since 2001-01-01'")
    if name == "months" and calendar != "360_day":
        raise error(
            f"{here} is in {units!r} of the calendar {calendar}, in which months have no one length; write days since"
            " a date (cdo setreftime,2001-01-01,00:00:00,1day), or calendar 360_day where that is meant"
        )
    if name == "months":
        numbers, name = np.asarray(numbers, np.float64) * 30.0, "days"
    start = re.sub(r"\s*(UTC|GMT|Z)\s*$", "", start.strip(), flags=re.I)
    if re.match(r"^-?0+-", start):
        start = re.sub(r"^-?0+-", "0000-", start)
    try:
        try:
            found = cftime.num2date(numbers, f"{name} since {start}", calendar)
        except ValueError:
            with warnings.catch_warnings():  # of the year 0, which CF does not have in this calendar
                warnings.simplefilter("ignore")
                found = cftime.num2date(numbers, f"{name} since {start}", calendar, has_year_zero=True)
    except (ValueError, OverflowError, AttributeError, TypeError) as problem:
        low, high = np.min(numbers), np.max(numbers)
        raise error(
            f"{here} cannot be read: {low:g} to {high:g} {units!r} of the calendar {calendar}: {problem}"
        ) from None
    return [_whole(date) for date in np.atleast_1d(found)]


def _bounds(
    edges: Any,
    dates: list[cftime.datetime],
    units: str,
    calendar: str,
    climatological: bool,
    here: str,
    error: type[TesseraError],
) -> list[tuple[cftime.datetime, cftime.datetime]]:
    """Intervals of the records, in order of time."""
    units = " ".join(str(getattr(edges, "units", units)).split())
    numbers = values(edges, error=error)
    if numbers.shape == (2,) and len(dates) == 1:
        numbers = numbers[None]
    if numbers.shape != (len(dates), 2):
        raise error(f"{here}: its bounds {edges.name!r} have the shape {numbers.shape}, not ({len(dates)}, 2)")
    if not np.isfinite(numbers).all():
        first = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise error(f"{here}: its bounds {edges.name!r} have no value at record {first + 1}; mend or remove them")
    flat = _since(numbers.ravel(), units, calendar, f"{here}: its bounds {edges.name!r}", error)
    pairs = [(a, b) if a <= b else (b, a) for a, b in zip(flat[::2], flat[1::2], strict=True)]
    if all(a == b for a, b in pairs):
        return []
    for date, (a, b) in zip(dates, pairs, strict=True):
        if not climatological and not a <= date <= b:
            raise error(f"{here} has {date}, outside its bounds {edges.name!r}, {a} to {b}; mend the file")
    return pairs


def _written(time: Any, here: str, error: type[TesseraError]) -> list[cftime.datetime]:
    """Dates that are written as text, as WRF does."""
    import netCDF4

    raw = np.asarray(time[...])
    texts = [str(t) for t in np.atleast_1d(netCDF4.chartostring(raw) if raw.dtype.kind == "S" else raw)]
    dates = []
    for text in texts:
        match = _TEXT.match(text)
        if match is None:
            raise error(f"{here} has {text!r}; expected a date such as 2005-08-28_12:00:00")
        dates.append(cftime.datetime(*(int(g) for g in match.groups()), calendar="standard"))
    return dates
