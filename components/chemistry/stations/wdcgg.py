# SPDX-License-Identifier: BSD-3-Clause
"""Text of the World Data Centre for Greenhouse Gases: the tables of today, and those of before 2018.

Today's begin with ``#`` and name their columns in the last such line; before, the header was ``C01`` ... ``C32`` with a
line ``NN KEY: value`` each (GAW report 188), and data followed as dates, value, number, deviation, flag.
"""

import re
from pathlib import Path

import numpy as np

from components.chemistry.stations.series import Found, factor, seconds_of_text, series_of, unit_note, wrong_places
from components.chemistry.stations.text_tables import Table, header_value, number
from coupler.errors import FieldError

START = ("st_year", "st_month", "st_day", "st_hour", "st_minute", "st_second")
END = tuple(name.replace("st_", "end_") for name in START)
VALID = {"1", "-9", "-999", "-999.999", ""}
"""Of QCflag: valid, or not judged; 2 is valid but not of clean air, 3 invalid."""


def is_old(first: str) -> bool:
    """Whether a text is a table of before 2018.

    Parameters
    ----------
    first : its first line
    """
    return re.match(r"C\d\d\s", first) is not None


def read_new(path: Path, lines: list[str]) -> Found:
    """A table of today; several stations or heights may be in it.

    Parameters
    ----------
    path : of the file
    lines : of it
    """
    table = Table.of_columns(lines)
    missing = [n for n in (*START[:2], "value", "latitude", "longitude") if n not in table.columns]
    if missing:
        return Found((), (), (f"expected columns {', '.join(missing)}, found {', '.join(table.columns) or 'none'}",))
    header = [line for line in lines if line.startswith("#")]
    units = header_value(header, ("value_unit", "value:units", "dataset_unit", "unit")) or "ppm"
    try:
        scale, notes = factor(units), unit_note(units)
    except FieldError as wrong:
        return Found((), (), (str(wrong),))
    begin, end = (_dates(table, names) for names in (START, END))
    end = np.where(np.isfinite(end), end, _ends(begin, path.name, header))
    value, error, lat, lon = (table.numbers(n) for n in ("value", "value_unc_1", "latitude", "longitude"))
    if "value_sd" in table.columns:
        error = np.where(error > 0.0, error, table.numbers("value_sd"))
    height = table.numbers("altitude")
    good = np.isin(table.texts("QCflag"), list(VALID))
    keys = list(zip(table.texts("site_wdcgg_id"), lat.round(3), lon.round(3), height.round(0), strict=True))
    site = header_value(header, ("site_name", "site_gaw_id", "site_code")) or path.stem
    series = []
    for key in dict.fromkeys(map(str, keys)):
        at = np.array([str(k) == key for k in keys])
        k = int(np.flatnonzero(at)[0])
        place = (lon[k], lat[k], height[k])
        series.append(series_of(site, place, begin[at], end[at], value[at] * scale, error[at] * scale, good[at]))
    left = int((~good).sum())
    said = (f"{left} of {good.size} values are flagged and left out",) if left else ()
    return Found(tuple(series), (*notes, *said), tuple(wrong_places(series, units)))


def _dates(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """Seconds since 1970-01-01 of columns of years to seconds; what is missing below the year begins it."""
    parts = [table.numbers(n) if n in table.columns else np.full(len(table.rows), np.nan) for n in names]
    out = np.full(len(table.rows), np.nan)
    for i, (year, month, *rest) in enumerate(zip(*parts, strict=True)):
        if not (1000 <= year <= 9999 and 1 <= month <= 12):
            continue
        day, hour, minute, second = (int(x) if np.isfinite(x) and x >= 0 else 0 for x in rest)
        midnight = seconds_of_text(f"{int(year):04d}-{int(month):02d}-{max(day, 1):02d}")
        out[i] = midnight + 3600.0 * hour + 60.0 * minute + second
    return out


def _ends(begin: np.ndarray, name: str, header: list[str]) -> np.ndarray:
    """Ends of intervals that the table does not give, by the words for its interval."""
    words = " ".join([name, *(h for h in header if re.search("interval|integration|frequency", h))]).lower()
    if "monthly" in words:
        known = np.nan_to_num(begin).astype(np.int64).astype("datetime64[s]").astype("datetime64[M]")
        later = (known + 1).astype("datetime64[s]").astype(np.int64).astype(np.float64)
        return np.where(np.isfinite(begin), later, np.nan)
    return begin + (86400.0 if "daily" in words else 3600.0 if "hourly" in words else 0.0)


def read_old(path: Path, lines: list[str]) -> Found:
    """A table of before 2018.

    Parameters
    ----------
    path : of the file
    lines : of it
    """
    header = {m[1].strip().upper(): m[2].strip() for m in (re.match(r"C\d\d\s+([^:]+):(.*)", x) for x in lines) if m}
    rows = [x.split() for x in lines if re.match(r"\s*\d{4}-\d\d", x)]
    place = [number(header.get(k, "")) for k in ("LONGITUDE", "LATITUDE", "ALTITUDE")]
    problems = []
    if not all(np.isfinite(place[:2])):
        problems.append("expected lines LATITUDE and LONGITUDE with degrees in the header, found none that say so")
    if header.get("PARAMETER", "CO2").upper() != "CO2":
        problems.append(f"expected PARAMETER: CO2, found {header['PARAMETER']}")
    units = header.get("MEASUREMENT UNIT", "ppm")
    try:
        scale, notes = factor(units), unit_note(units)
    except FieldError as wrong:
        problems.append(str(wrong))
        scale, notes = 1.0, ()
    zone = header.get("TIME ZONE", "UTC")
    offset = re.search(r"UTC\s*([+-]\s*\d+(?:\.\d+)?)", zone.upper())
    if not offset and "UTC" not in zone.upper() and "GMT" not in zone.upper():
        problems.append(f"expected a TIME ZONE such as UTC or UTC+9, found {zone!r}")
    if problems:
        return Found((), (), tuple(problems))
    shift = 3600.0 * float(offset[1].replace(" ", "")) if offset else 0.0
    begin, end, value, error, good = (np.full(len(rows), np.nan) for _ in range(5))
    for i, row in enumerate(rows):
        begin[i], end[i] = _old_time(row[:2]), _old_time(row[2:4])
        value[i], error[i] = number(row[4]), number(row[6]) if len(row) > 6 else np.nan
        good[i] = value[i] > 0.0
    # a mean of months is written with one date in either column: 1999-01-00
    end = np.where(end > begin, end, begin)
    if "month" in header.get("TIME INTERVAL", "").lower():
        end = _ends(begin, "monthly", [])
    name = header.get("STATION NAME", path.stem)
    s = series_of(name, place, begin - shift, end - shift, value * scale, error * scale, good > 0.0)
    said = (f"times are those of {zone}, taken back to UTC",) if shift else ()
    return Found((s,), (*notes, *said), tuple(wrong_places([s], units)))


def _old_time(words: list[str]) -> float:
    date, clock = words[0], words[1]
    day, hour = date.replace("-00", "-01") if date.count("-") == 2 else f"{date}-01", clock.split(":")
    seconds = seconds_of_text(day)
    if not hour[0].isdigit() or int(hour[0]) > 24:  # 99:99 says nothing of the hour
        return seconds
    return seconds + 3600.0 * int(hour[0]) + 60.0 * int(hour[1] if int(hour[1]) < 60 else 0)
