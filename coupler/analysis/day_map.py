# SPDX-License-Identifier: BSD-3-Clause
"""One day on one map: a field in colours, another as contours, the wind as arrows, in a box of degrees."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.figures import INK, draw_panel, pyplot, saved, shared_scale
from coupler.analysis.records import Record, fields_of, outputs, read, short_date
from coupler.errors import CaseError
from coupler.fields import did_you_mean

Floats = npt.NDArray[np.float64]
WIND = ("eastward_wind", "northward_wind")
ARROWS = 24
"""Arrows across the longer side of a map."""
CONTOURS = "#0b3d91"


def draw_day(
    case: Path,
    field: str,
    *,
    day: str | None = None,
    box: Sequence[float] | None = None,
    wind: bool = False,
    contours: str | None = None,
) -> Path:
    """Draw the mean of a day of a run.

    Parameters
    ----------
    case : Path
        Folder of the case.
    field : str
        CF name of the field in colours.
    day : str, optional
        Date, such as 2001-01-05; without it the last day of the run's output.
    box : four numbers, optional
        West, east, south, north in degrees; without it the whole grid.
    wind : bool
        Add arrows of `eastward_wind` and `northward_wind`.
    contours : str, optional
        CF name of a field to add as lines.

    Returns
    -------
    Path
        ``run/figures/FIELD.DAY.png``.

    Raises
    ------
    CaseError
        A field or a day that the run's output does not have, or a box without a cell.
    """
    shown = _find(case, field)
    date = day or _days(shown)[-1]
    values = _mean(shown, date)
    inside = _inside(shown, box)
    if not np.isfinite(values[inside]).any():
        raise CaseError(f"{field} has no value in the box {_text(box)}; its grid spans {_span(shown)}")
    plt = pyplot()
    west, east, south, north = box or _limits(shown)
    tall = (north - south) / max((east - west) * np.cos(np.deg2rad(0.5 * (south + north))), 1e-6)
    figure, axes = plt.subplots(figsize=(7.2, float(np.clip(7.2 * tall, 3.0, 11.0)) + 1.2), layout="constrained")
    signed = shown.unit != "°C" and bool(np.nanmin(values[inside]) < 0.0 < np.nanmax(values[inside]))
    scale = shared_scale(values[inside], about_zero=signed)
    draw_panel(axes, shown.longitude, shown.latitude, values, scale, f"{shown.label} ({shown.unit})")
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / np.cos(np.deg2rad(0.5 * (south + north))))
    title = [f"{shown.label}{shown.note}, {shown.component}, {date}"]
    if contours is not None:
        title.append(_lines(axes, _find(case, contours), date, box))
    if wind:
        _arrows(axes, [_find(case, name) for name in WIND], date, (west, east, south, north))
        title.append("arrows: wind at the lowest level")
    axes.set_title("\n".join(title), loc="left", fontsize=10)
    path = Path(case) / "run" / "figures" / f"{field}.{date}.png"
    return saved(figure, path)


def _find(case: Path, name: str) -> Record:
    """The field in the first history file that has it."""
    known: list[str] = []
    for path in outputs(Path(case) / "run" / "history"):
        names = fields_of(path)
        if name in names:
            return read(path, name)
        known += names
    if not known:
        raise CaseError(f"{case} has no output: run the case first, with an output stream in a component's namelist")
    hint = did_you_mean(name, known) or "."
    raise CaseError(f"no history of {case} has a field {name!r}{hint} There are: {', '.join(dict.fromkeys(known))}")


def _day_of(record: Record, number: int) -> str:
    """The day that a record is about: that of the middle of its interval, or of its instant."""
    date = record.times[number]
    if record.intervals:
        first, last = record.intervals[number]
        date = first + (last - first) / 2
    elif (date.hour, date.minute, date.second) == (0, 0, 0) and number > 0:
        date = date - datetime.timedelta(seconds=1)  # midnight ends a day
    return str(date.strftime("%Y-%m-%d"))


def _days(record: Record) -> list[str]:
    return [_day_of(record, number) for number in range(len(record.times))]


def _mean(record: Record, date: str) -> Floats:
    """Mean of the records of a day."""
    days = _days(record)
    chosen = [number for number, day in enumerate(days) if day == date]
    if not chosen:
        raise CaseError(
            f"{record.name} of {record.component}.{record.stream} has no record of {date}: they are from"
            f" {short_date(record.times[0])} to {short_date(record.times[-1])}"
        )
    return np.asarray(record.values[chosen].mean(axis=0))


def _limits(record: Record) -> tuple[float, float, float, float]:
    x, y = record.longitude, record.latitude
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())


def _inside(record: Record, box: Sequence[float] | None) -> npt.NDArray[np.bool_]:
    west, east, south, north = box or _limits(record)
    x, y = record.longitude, record.latitude
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))


def _span(record: Record) -> str:
    return _text(_limits(record))


def _text(box: Sequence[float] | None) -> str:
    return "of the whole grid" if box is None else "{:g} to {:g} E, {:g} to {:g} N".format(*box)


def _lines(axes: Any, record: Record, date: str, box: Sequence[float] | None) -> str:
    """Draw contours at round values; returns what the title says of them."""
    from matplotlib.ticker import MaxNLocator

    values = _mean(record, date)
    inside = _inside(record, box)
    if values.ndim != 2 or not np.isfinite(values[inside]).any():
        return f"no {record.label} here"
    low, high = np.nanpercentile(values[inside], [1.0, 99.5])
    levels = [v for v in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high) if low < v < high]
    if not levels:
        return f"{record.label} nearly uniform: {np.nanmean(values[inside]):.3g} {record.unit}"
    drawn = axes.contour(record.longitude, record.latitude, values, levels, colors=CONTOURS, linewidths=1.0, zorder=4)
    axes.clabel(drawn, fontsize=7, fmt="%g")
    return f"lines: {record.label} ({record.unit})"


def _arrows(axes: Any, parts: Sequence[Record], date: str, box: tuple[float, float, float, float]) -> None:
    """Draw arrows of the wind on every few cells, with a key."""
    u, v = (_mean(record, date) for record in parts)
    x, y, inside = parts[0].longitude, parts[0].latitude, _inside(parts[0], box)
    if u.ndim == 2:
        rows, columns = np.nonzero(inside)
        if not rows.size:
            raise CaseError(f"the wind's grid has no cell in the box {_text(box)}")
        every = max(1, round(max(np.ptp(rows), np.ptp(columns)) / ARROWS))
        some = np.zeros_like(inside)
        some[::every, ::every] = True
        inside = inside & some
    strong = float(np.nanpercentile(np.hypot(u[inside], v[inside]), 95.0))
    key = float(f"{max(strong, 1e-3):.0e}")
    arrows = axes.quiver(
        x[inside], y[inside], u[inside], v[inside], color=INK, width=0.0022, scale=ARROWS * strong * 0.7, zorder=5
    )
    axes.quiverkey(arrows, 0.92, 1.03, key, f"{key:g} m s⁻¹", labelpos="W", fontproperties={"size": 8})
