# SPDX-License-Identifier: BSD-3-Clause
"""Rain by days and hours: wet days, the 95th percentile of days, the hour of the diurnal peak; run and observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.figures import draw_panel, pyplot, shared_scale
from coupler.analysis.gathered import find as find_record
from coupler.analysis.gathered import middle
from coupler.analysis.monsoon import area_mean
from coupler.analysis.observations import Observed, day_of, moment
from coupler.analysis.page import embedded, note, number, table
from coupler.analysis.records import Record, shown_unit, unit_of
from coupler.analysis.scores import EVERYWHERE, Box
from coupler.analysis.similarity import diurnal_peak, percentile, wet_day_share
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]
RAIN = "precipitation_flux"
WET = 1.0
"""mm a day of a wet day."""
FINEST = 3.0
"""Hours between records from which on a diurnal cycle can be seen."""
LEAST_DAYS = 2


@dataclass(frozen=True)
class Days:
    """Rain of whole days, and through the day.

    Attributes
    ----------
    who, span : run or file of the observations; first and last day
    months : (n,) calendar month of each day
    days : (n, ny, nx) mm a day
    peak : (ny, nx) local solar hour of the diurnal peak; None of records that are too far apart
    longitude, latitude : (ny, nx) degrees
    """

    who: str
    span: str
    months: npt.NDArray[np.int64]
    days: Floats
    peak: Floats | None
    longitude: Floats
    latitude: Floats


QUANTITIES: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "mean": ("mm day⁻¹", lambda days: np.asarray(days.mean(axis=0))),
    "wet days": ("%", lambda days: 100.0 * wet_day_share(days, WET)),
    "95th percentile of days": ("mm day⁻¹", lambda days: percentile(days, 95.0, "rain")),
}


def days_of(who: str, when: list[Any], values: Floats, longitude: Floats, latitude: Floats) -> Days | str:
    """Means by calendar day (UTC), of days with as many records as the others; or why there are none.

    Parameters
    ----------
    who : for the table
    when : (n,) middle of each record, such as `moment` gives
    values : (n, ny, nx) mm a day
    longitude, latitude : (ny, nx) degrees
    """
    labels = [w[:3] for w in when]
    kept = list(dict.fromkeys(labels))
    number_of = np.array([kept.index(label) for label in labels])
    counts = np.bincount(number_of)
    if len(kept) < LEAST_DAYS:
        return f"{who} has rain of {len(kept)} day{'' if len(kept) == 1 else 's'}: too few for wet days and percentiles"
    whole = np.flatnonzero(counts == counts.max())
    days = np.stack([values[number_of == k].mean(axis=0) for k in whole])
    peak = None
    if 24.0 / counts.max() <= FINEST:
        inside = np.isin(number_of, whole)
        hours = np.array([w[3] + w[4] / 60.0 for w in when])
        peak = diurnal_peak(values[inside], hours[inside], longitude)
    months = np.array([kept[k][1] for k in whole])
    span = f"{day_of(kept[whole[0]])} to {day_of(kept[whole[-1]])}"
    return Days(who, span, months, days, peak, longitude, latitude)


def rain_of(history: Path, observed: Observed | None) -> tuple[list[Days], list[str]]:
    """Days of rain of the run and of the observations; and why some are not there.

    Parameters
    ----------
    history : folder of the output
    observed : rain of a reanalysis or satellite, with a record a day or more; may be none
    """
    record = find_record(history, RAIN)
    if record is None or record.values.ndim != 3:
        return [], []
    when = [moment(middle(record, k)) for k in range(len(record.times))]
    made = [days_of("run", when, record.values, record.longitude, record.latitude)]
    if observed is not None:
        made.append(_observed(observed, when, record))
    return [d for d in made if isinstance(d, Days)], [d for d in made if isinstance(d, str)]


def _observed(observed: Observed, when: list[Any], record: Record) -> Days | str:
    if observed.climatology:
        return f"{observed.path.name} has means by month alone: no wet days and percentiles of it"
    days = sorted({w[:3] for w in when})
    numbers = [i for i, m in enumerate(observed.moments) if m[:3] in days]
    name = observed.path.name
    if len(numbers) < LEAST_DAYS:
        return f"{name} has rain of {len(numbers)} of the run's {len(days)} days: too few for wet days and percentiles"
    lon, lat = (np.asarray(a, float) for a in (observed.grid.longitude, observed.grid.latitude))
    inside = (lat >= record.latitude.min()) & (lat <= record.latitude.max())
    west = record.longitude.min()
    inside &= (lon - west) % 360.0 <= record.longitude.max() - west
    _, factor, offset = shown_unit(RAIN, unit_of(RAIN))
    if lat.ndim != 2 or not inside.any():
        return f"{name} has no cell in the domain of the run"
    part = np.ix_(inside.any(axis=1), inside.any(axis=0))
    values = factor * observed.values(numbers)[(slice(None), *part)] + offset
    return days_of(name, [observed.moments[i] for i in numbers], values, lon[part], lat[part])


def rows_of(made: list[Days], regions: list[Box]) -> list[dict[str, Any]]:
    """Area means of each quantity by region and calendar month, run and observations.

    Parameters
    ----------
    made : days of rain
    regions : beside the whole
    """
    rows = []
    for d in made:
        for month in [*sorted(set(d.months.tolist())), 0]:
            days = d.days if month == 0 else d.days[d.months == month]
            fields = {n: (unit, make(days)) for n, (unit, make) in QUANTITIES.items()}
            for box in (EVERYWHERE, *regions):
                for name, (unit, field) in fields.items():
                    value = _mean(field, d, box)
                    if np.isfinite(value):
                        rows.append({"source": d.who, "quantity": name, "unit": unit, "month": month or "all",
                                     "region": box.name, "days": len(days), "value": value})  # fmt: skip
                peak = np.nan if d.peak is None or month else _hour(d, box)
                if np.isfinite(peak):
                    rows.append({"source": d.who, "quantity": "diurnal peak", "unit": "h, local solar", "month": "all",
                                 "region": box.name, "days": len(days), "value": peak})  # fmt: skip
    return rows


def _mean(field: Floats, d: Days, box: Box) -> float:
    try:
        return float(area_mean(field, d.longitude, d.latitude, box))
    except CaseError:
        return np.nan


def _hour(d: Days, box: Box) -> float:
    """Mean hour around the clock."""
    assert d.peak is not None
    parts = [_mean(f(d.peak * np.pi / 12.0), d, box) for f in (np.cos, np.sin)]
    return float(np.arctan2(parts[1], parts[0]) * 12.0 / np.pi % 24.0)


def section(made: list[Days], reasons: list[str], regions: list[Box]) -> list[str]:
    """HTML of the section.

    Parameters
    ----------
    made, reasons : of `rain_of`
    regions : beside the whole
    """
    if not made:
        return [note(reason) for reason in reasons]
    rows = [r for r in rows_of(made, regions) if r["month"] == "all"]
    names = list(dict.fromkeys((r["quantity"], r["unit"]) for r in rows))
    head = ["region", *(f"{q} ({unit}), {d.who}" for q, unit in names for d in made)]
    values = {(r["quantity"], r["source"], r["region"]): r["value"] for r in rows}
    cells = [
        [region, *(number(values.get((q, d.who, region), np.nan)) for q, _ in names for d in made)]
        for region in dict.fromkeys(r["region"] for r in rows)
    ]
    told = [
        f"Days of UTC; wet: {WET:g} mm or more; n = "
        + ", ".join(f"{len(d.days)} days ({d.who})" for d in made)
        + ". By month: rain.csv."
    ]
    if any(d.peak is None for d in made):
        told.append(f"The diurnal peak needs a record every {FINEST:g} h or more often.")
    return [
        '<h2 id="rain">rain by days</h2>',
        embedded(_drawn(made), "maps of rain by days"),
        table(head, cells),
        *(note(t) for t in [*told, *reasons]),
    ]


def _drawn(made: list[Days]) -> Any:
    plt = pyplot()
    figure, axes = plt.subplots(
        len(made), len(QUANTITIES), figsize=(13.0, 4.6 * len(made)), squeeze=False, layout="constrained"
    )
    for column, (name, (unit, make)) in enumerate(QUANTITIES.items()):
        fields = [make(d.days) for d in made]
        scale = shared_scale(np.concatenate([f.ravel() for f in fields]), about_zero=False)
        for panel, d, field in zip(axes[:, column], made, fields, strict=True):
            draw_panel(panel, d.longitude, d.latitude, field, scale, unit)
            panel.set_title(f"{name}, {d.who}\n{d.span}, n = {len(d.days)} days", loc="left", fontsize=8.5)
    return figure
