# SPDX-License-Identifier: BSD-3-Clause
"""Air quality beside hourly stations: bias, normalised mean bias, correlation, diurnal cycle."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cftime
import numpy as np
import numpy.typing as npt

from coupler.analysis.similarity import NothingToScore, likeness
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]
DATE = ("year", "month", "day", "hour")
MISSING = ("", "NA", "NaN", "nan", "-999", "-9999")


@dataclass(frozen=True)
class Station:
    """Hourly values of one station.

    Attributes
    ----------
    name : of the station
    times : (n,) dates at which the hours begin
    values : by column of the file (n,), NaN where missing, in the file's units
    """

    name: str
    times: tuple[cftime.datetime, ...]
    values: dict[str, Floats]


@dataclass(frozen=True)
class AirQuality:
    """Scores of one species at one station.

    Attributes
    ----------
    n : hours that both have
    model, observed : means
    bias, rmse : in the unit of the values
    nmb, nme : normalised mean bias and error, sum(m - o) / sum(o) and sum|m - o| / sum(o)
    fractional_bias : 2 mean((m - o) / (m + o))
    correlation : of the hours
    within_two : share of hours within a factor of two
    model_hours, observed_hours : (24,) diurnal cycles, by the hour of the stations' dates; NaN without a value
    """

    n: int
    model: float
    observed: float
    bias: float
    rmse: float
    nmb: float
    nme: float
    fractional_bias: float
    correlation: float
    within_two: float
    model_hours: Floats
    observed_hours: Floats


def read_station(path: Path) -> Station:
    """Hourly CSV (or gzip of one) with the columns year, month, day and hour, as the multi-site data of Beijing (UCI).

    Parameters
    ----------
    path : the file

    Raises
    ------
    CaseError
        Columns that are missing, or lines that cannot be read, by number.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", errors="replace")
    except OSError as error:
        raise CaseError(f"station {path}: {error.strerror or error}") from None
    rows = csv.DictReader(io.StringIO(text))
    names = list(rows.fieldnames or ())
    missing = [n for n in DATE if n not in names]
    if missing:
        raise CaseError(f"station {path}: no column {', '.join(missing)}; found {', '.join(names[:20])}")
    columns = [n for n in names if n not in (*DATE, "No", "station", "wd")]
    times, lines, wrong, name = [], [], [], path.name.split(".")[0]
    for row in rows:
        try:
            times.append(cftime.datetime(*(int(row[n]) for n in DATE), calendar="standard"))
            lines.append([np.nan if (row[n] or "").strip() in MISSING else float(row[n]) for n in columns])
            name = (row.get("station") or name).strip()
        except (ValueError, TypeError):
            wrong.append(f"line {rows.line_num}")
    if wrong:
        raise CaseError(
            f"station {path}: dates or numbers that cannot be read in {', '.join(wrong[:10])}"
            f"{f' and {len(wrong) - 10} more' if len(wrong) > 10 else ''}"
        )
    if not lines:
        raise CaseError(f"station {path}: no line of data")
    table = np.array(lines)
    return Station(name, tuple(times), {n: table[:, k] for k, n in enumerate(columns)})


def score_hours(model: Floats, observed: Floats, hours: Floats, what: str = "the species") -> AirQuality:
    """Scores of hourly values.

    Parameters
    ----------
    model, observed : (n,) in one unit, NaN where unknown
    hours : (n,) hour of the day, 0 to 23
    what : for messages

    Raises
    ------
    NothingToScore
        No common hour, a constant, or an observed sum of zero.
    """
    pair = likeness(model, observed, what=what)
    both = np.isfinite(model) & np.isfinite(observed)
    m, o, h = model[both], observed[both], np.asarray(hours)[both].astype(int)
    if o.sum() == 0.0:
        raise NothingToScore(f"{what}: the observed sum is zero, so that no bias can be normalised by it")
    positive = (m + o) != 0.0
    ratio = np.divide(m, o, out=np.full(m.shape, np.inf), where=o > 0.0)
    count = np.bincount(h, minlength=24)
    cycles = [np.bincount(h, x, minlength=24) / np.where(count > 0, count, np.nan) for x in (m, o)]
    return AirQuality(
        pair.n, pair.model, pair.observed, pair.bias, pair.rmse,
        float((m - o).sum() / o.sum()), float(np.abs(m - o).sum() / o.sum()),
        float(2.0 * np.mean((m - o)[positive] / (m + o)[positive])),
        pair.correlation, float(np.mean((ratio >= 0.5) & (ratio <= 2.0))), *cycles,
    )  # fmt: skip


def score_station(station: Station, model: Mapping[str, Floats], shift: int = 0) -> dict[str, AirQuality]:
    """Scores of all species that both have.

    Parameters
    ----------
    station : observed hours
    model : by the station's column names (n,), at the station's times
    shift : hours to be added to the station's hour of the day, such as none for local time

    Raises
    ------
    CaseError
        Other lengths, or no species in common.
    """
    shared = [n for n in model if n in station.values]
    if not shared:
        raise CaseError(f"{station.name}: it has {', '.join(station.values)}; the run has {', '.join(model)}")
    hours = np.array([(t.hour + shift) % 24 for t in station.times])
    wrong = [n for n in shared if len(model[n]) != len(hours)]
    if wrong:
        raise CaseError(f"{station.name}: {wrong[0]} of the run has {len(model[wrong[0]])} hours, not {len(hours)}")
    return {n: score_hours(model[n], station.values[n], hours, f"{n} at {station.name}") for n in shared}
