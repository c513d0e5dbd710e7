# SPDX-License-Identifier: BSD-3-Clause
"""A run beside hourly stations on one page: errors, correlation and diurnal cycle of each quantity at each station."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cftime
import numpy as np
import numpy.typing as npt

from coupler.analysis.air_quality import AirQuality, Station, read_station, score_hours
from coupler.analysis.cyclones.track import distance
from coupler.analysis.figures import LINES, pyplot, tidy
from coupler.analysis.gathered import find, middle, standard_date
from coupler.analysis.page import embedded, note, number, table, write, write_numbers
from coupler.analysis.records import Record, short_date
from coupler.analysis.similarity import NothingToScore
from coupler.errors import CaseError
from coupler.namelist import Namelist, Range, read_file

Floats = npt.NDArray[np.float64]
LONGEST = 3.0  # h, between two records of a run that hours are interpolated in
Number = Annotated[float, Range(least=-1.0e15, most=1.0e15)]


class Place(Namelist):
    """A station."""

    file: str
    """CSV of its hours, beside the list or with a path."""
    longitude: Annotated[float, Range(least=-180.0, most=360.0)]
    """Degrees east."""
    latitude: Annotated[float, Range(least=-90.0, most=90.0)]
    """Degrees north."""
    utc_offset: Annotated[float, Range(least=-12.0, most=14.0)] = 0.0
    """Hours by which the clock of the file is ahead of UTC, such as 8 in China, 5.5 in India."""


class Column(Namelist):
    """What a column of the files is in the run: ``factor`` times the field plus ``offset`` is in the column's unit."""

    field: str
    """Field of the run's output; of one with levels the lowest."""
    unit: str
    """Unit of the column, for the page."""
    factor: Number = 1.0
    """Such as 2.14e9 from a mole fraction of ozone to microgrammes a cubic metre at 273.15 K."""
    offset: Number = 0.0
    """Added after the factor. Fields come in degrees Celsius, hPa, mm/day where the file has K, Pa, kg m-2 s-1."""


class StationList(Namelist):
    """Stations, and which columns of their files are which fields."""

    stations: dict[str, Place]
    """By name."""
    columns: dict[str, Column]
    """By the name in the files."""


@dataclass(frozen=True)
class Scored:
    """One quantity at one station."""

    station: str
    column: str
    unit: str
    kilometres: float
    scores: AirQuality


def make_station_card(case: Path, listed: Path) -> list[Path]:
    """Write ``run/score/stations.html`` and ``stations.csv``; returns their paths.

    Parameters
    ----------
    case : folder of a case that has run
    listed : YAML of a `StationList`

    Raises
    ------
    CaseError
        A list or station files that cannot be read, fields that no output has, or nothing in common.
    """
    places = read_file(listed).parse(StationList)
    wrong: list[str] = []
    records: dict[str, Record] = {}
    stations: dict[str, Station] = {}
    try:
        records = _records(case / "run" / "history", places)
    except CaseError as error:
        wrong.append(str(error))
    for name, place in places.stations.items():
        try:
            stations[name] = read_station(_path(listed, place.file))
        except CaseError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise CaseError("\n".join(wrong))
    made: list[Scored] = []
    reasons: list[str] = []
    for name, station in stations.items():
        place = places.stations[name]
        shared = [c for c in records if c in station.values]
        if not shared:
            reasons.append(f"{name}: {place.file} has {', '.join(station.values)}; the list names {', '.join(records)}")
        for column in shared:
            try:
                made.append(_scored(name, place, station, column, places.columns[column], records[column]))
            except NothingToScore as error:
                reasons.append(str(error))
    if not made:
        raise CaseError("\n".join([f"{listed}: nothing to score:", *(f"  {r}" for r in reasons)]))
    folder = case / "run" / "score"
    page = write(f"{case.name} beside stations", _parts(made, reasons), folder / "stations.html")
    return [page, write_numbers([_row(s) for s in made], folder / "stations.csv")]


def _records(history: Path, places: StationList) -> dict[str, Record]:
    found = {column: find(history, c.field) for column, c in places.columns.items()}
    missing = [places.columns[c].field for c, record in found.items() if record is None]
    if missing:
        raise CaseError(
            f"no output in {history} has {', '.join(missing)}; add them to an output of the component's namelist with"
            " period: PT1H  and run the case"
        )
    return {c: record for c, record in found.items() if record is not None}


def _path(listed: Path, name: str) -> Path:
    return Path(name) if Path(name).is_absolute() else listed.parent / name


def _scored(name: str, place: Place, station: Station, column: str, what: Column, record: Record) -> Scored:
    lon, lat = record.longitude.ravel(), record.latitude.ravel()
    far = distance(place.longitude, place.latitude, lon, lat)
    cell = int(np.argmin(far))
    widest = _spacing(record, cell)
    if far[cell] > widest:
        raise NothingToScore(
            f"{column} at {name}: {place.longitude:g} E {place.latitude:g} N lies {far[cell] / 1e3:.0f} km from the"
            f" nearest cell of {what.field}, whose cells are {widest / 1e3:.0f} km apart: outside the run's domain"
        )
    series = record.values.reshape(len(record.times), -1)[:, cell] * what.factor + what.offset
    hours = _hours(record)
    if len(hours) > 1 and float(np.median(np.diff(hours))) > LONGEST:
        raise CaseError(
            f"{name}: {what.field} of the run has a record every {np.median(np.diff(hours)):g} h; stations are hourly:"
            " take an output with  period: PT1H"
        )
    asked = _since(list(station.times)) + 0.5 - place.utc_offset
    model = np.interp(asked, hours, series, left=np.nan, right=np.nan)
    clock = np.array([t.hour for t in station.times])
    if not np.isfinite(model).any():
        ends = [station.times[0], station.times[-1], record.times[0], record.times[-1]]
        first, last, begin, end = (short_date(t) for t in ends)
        raise NothingToScore(
            f"{column} at {name}: no hour in common: the station has {first} to {last}, the run {begin} to {end} (UTC)"
        )
    scores = score_hours(model, station.values[column], clock, f"{column} at {name}")
    return Scored(name, column, what.unit, float(far[cell]) / 1e3, scores)


def _spacing(record: Record, cell: int) -> float:
    """Distance of a cell from the farthest of its neighbours, m; of a list of cells from the second nearest."""
    lon, lat = record.longitude, record.latitude
    if lon.ndim != 2 or min(lon.shape) < 2:
        far = np.sort(distance(lon.ravel()[cell], lat.ravel()[cell], lon.ravel(), lat.ravel()))
        return float(far[min(2, far.size - 1)])
    y, x = (int(n) for n in np.unravel_index(cell, lon.shape))
    beside = [(max(y - 1, 0) if y else 1, x), (y, max(x - 1, 0) if x else 1)]
    return float(max(distance(lon[y, x], lat[y, x], lon[j, i], lat[j, i]) for j, i in beside))


def _hours(record: Record) -> Floats:
    """Hours since a fixed date for which the records stand."""
    return _since([middle(record, k) for k in range(len(record.times))])


def _since(dates: list[Any]) -> Floats:
    standard = [standard_date(d) for d in dates]
    return np.asarray(cftime.date2num(standard, "hours since 1900-01-01", "standard"), float)


def _row(s: Scored) -> dict[str, Any]:
    a = s.scores
    return {
        "station": s.station, "quantity": s.column, "unit": s.unit, "hours": a.n, "distance_km": s.kilometres,
        "model": a.model, "observed": a.observed, "bias": a.bias, "rmse": a.rmse, "normalised_mean_bias": a.nmb,
        "normalised_mean_error": a.nme, "fractional_bias": a.fractional_bias, "correlation": a.correlation,
        "within_a_factor_of_two": a.within_two,
    }  # fmt: skip


def _parts(made: list[Scored], reasons: list[str]) -> list[str]:
    head = ["station", "quantity", "unit", "hours", "cell's distance (km)", "model", "observed", "bias", "RMSE",
            "normalised mean bias", "normalised mean error", "fractional bias", "correlation",
            "within a factor of two"]  # fmt: skip
    rows = [[v if isinstance(v, str) else number(float(v)) for v in _row(s).values()] for s in made]
    remark = (
        "The nearest cell of the run at the middle of each hour, between its records. Normalised: sums of the errors"
        " over the sum observed. The diurnal cycles are over the hours that both have, by the stations' clock."
    )
    parts = [table(head, rows), note(remark), *(note(r) for r in reasons)]
    columns = list(dict.fromkeys(s.column for s in made))
    return [*parts, *(embedded(_cycles([s for s in made if s.column == c]), f"diurnal cycle of {c}") for c in columns)]


def _cycles(made: list[Scored]) -> Any:
    figure, axes = pyplot().subplots(figsize=(8.5, 3.4), layout="constrained")
    for n, s in enumerate(made):
        colour = LINES[n % len(LINES)]
        axes.plot(s.scores.model_hours, color=colour, label=f"{s.station}, run (n = {s.scores.n} h)")
        axes.plot(s.scores.observed_hours, color=colour, ls="--", label=f"{s.station}, observed")
    axes.set_xlabel("hour of the day at the station (h)")
    axes.set_ylabel(f"{made[0].column} ({made[0].unit})")
    axes.set_xlim(0, 23)
    tidy(axes)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
