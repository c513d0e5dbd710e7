# SPDX-License-Identifier: BSD-3-Clause
"""Figures of a run: maps with coastline, time series, and the closure of the budget.

Files go to ``run/figures`` of the case. Nothing is downloaded: the coastline is the edge of the land
mask that the package global-land-mask brings.
"""

import csv
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.records import Record, fields_of, outputs, read, short_date
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.files.land_mask import is_land

Floats = npt.NDArray[np.float64]
LAND, INK, PALE = "#e4e2dd", "#222222", "#7a7a7a"
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that the colour-blind can tell apart (Okabe and Ito 2008)."""


def plot(case: Path, field: str | None = None) -> list[Path]:
    """Draw a field of a run, or all fields of its history and the budget.

    Parameters
    ----------
    case : Path
        Folder of the case.
    field : str, optional
        CF name.

    Returns
    -------
    list of Path
        The figures: for each history file with the field a map and a time series.

    Raises
    ------
    CaseError
        No output, or no such field; the message names those there are.
    """
    history = Path(case) / "run" / "history"
    ensemble = Path(case) / "run" / "ensemble"
    history = ensemble if ensemble.is_dir() and not history.is_dir() else history
    files = outputs(history)
    if not files:
        raise CaseError(f"{history} has no output: run the case first, with an output stream in a component's namelist")
    folder = Path(case) / "run" / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    known: list[str] = []
    for path in files:
        names = fields_of(path)
        known += names
        for name in names if field is None else [n for n in names if n == field]:
            record = read(path, name)
            stem = f"{record.component}.{record.stream}.{name}"
            made.append(draw_maps(record, folder / f"{stem}.map.png"))
            if len(record.times) > 1:
                made.append(draw_series(record, folder / f"{stem}.series.png"))
    if field is not None and not made:
        there = ", ".join(dict.fromkeys(known))
        hint = did_you_mean(field, known) or "."
        raise CaseError(f"no history of {case} has a field {field!r}{hint} There are: {there}")
    budget = Path(case) / "run" / "budget.csv"
    if field is None and budget.is_file():
        made += draw_budget(budget, folder / "budget.png")
    return made


def pyplot() -> Any:
    """Matplotlib without a screen, in the house's style."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "font.size": 9.5,
            "axes.edgecolor": PALE,
            "axes.labelcolor": INK,
            "axes.titlesize": 10.5,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.linewidth": 0.8,
            "savefig.dpi": 130,
            "axes.unicode_minus": True,
        }
    )
    return plt


@functools.cache
def coastline(west: float, east: float, south: float, north: float) -> list[Floats]:
    """Coastlines within a box of degrees, as lines of (longitude, latitude) points.

    Parameters
    ----------
    west, east, south, north : sides of the box, degrees
    """
    from contourpy import contour_generator

    step = max(max(east - west, north - south) / 1000.0, 1.0 / 60.0)
    lon, lat = np.arange(west, east + step, step), np.arange(south, north + step, step)
    lat = lat[np.abs(lat) <= 90.0]
    land = is_land(lon[None, :], lat[:, None]).astype(np.float64)
    # One smoothing: the edge of a mask is a staircase.
    padded = np.pad(land, 1, mode="edge")
    land = 0.5 * land + 0.125 * (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:])
    lines = contour_generator(lon, lat, land).lines(0.5)
    return [np.asarray(line) for line in lines if len(line) > 8]


def map_axes(axes: Any, longitude: Floats, latitude: Floats) -> None:
    """Limits, aspect, coastline and degrees of a map.

    Parameters
    ----------
    axes : matplotlib axes
    longitude, latitude : (y, x) degrees, of the cells shown
    """
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    dx, dy = _spacing(longitude, -1), _spacing(latitude, 0)
    west, east = float(longitude.min() - dx / 2), float(longitude.max() + dx / 2)
    south = float(max(latitude.min() - dy / 2, -90.0))
    north = float(min(latitude.max() + dy / 2, 90.0))
    axes.set_facecolor(LAND)
    axes.add_collection(LineCollection(coastline(west, east, south, north), colors=INK, linewidths=0.55, zorder=3))
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / np.cos(np.deg2rad(0.5 * (south + north))))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 1.5, 2, 3, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 1.5, 2, 3, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _degrees((v + 180.0) % 360.0 - 180.0, "E", "W")))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _degrees(v, "N", "S")))
    axes.tick_params(length=3, labelsize=8)


def _degrees(value: float, plus: str, minus: str) -> str:
    return f"{abs(value):g}°{plus if value > 0 else minus if value < 0 else ''}"


def _spacing(values: Floats, axis: int) -> float:
    if values.ndim < 2 or values.shape[axis] < 2:
        return 1.0
    return float(np.median(np.abs(np.diff(values, axis=axis))))


def _edges(centres: Floats) -> Floats:
    """Corners (ny + 1, nx + 1) halfway between the centres of a structured grid."""
    wide = (
        np.pad(centres, 1, mode="reflect", reflect_type="odd") if min(centres.shape) > 1 else np.pad(centres, 1, "edge")
    )
    return 0.25 * (wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:])


def shared_scale(values: Floats, *, about_zero: bool) -> tuple[Any, Any, str]:
    """Colour map, norm with round limits and the end caps of the colour bar.

    Parameters
    ----------
    values : of all panels, NaN where there is nothing
    about_zero : whether the middle of the colours is zero
    """
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm
    from matplotlib.ticker import MaxNLocator

    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.zeros(1)
    low, high = np.percentile(finite, [0.5, 99.5])
    least, most = float(finite.min()), float(finite.max())
    if most - least < 1.5 * (high - low):
        low, high = least, most
    if about_zero:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    if high - low <= 1e-9 * max(abs(high), abs(low), 1e-30):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    levels = MaxNLocator(18, steps=[1, 2, 2.5, 5, 10], symmetric=about_zero).tick_values(low, high)
    below, above = least < levels[0], most > levels[-1]
    extend: Any = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
        below, above
    ]
    cmap = colormaps["RdBu_r" if about_zero else "viridis"]
    return cmap, BoundaryNorm(levels, cmap.N, extend=extend), extend


def draw_panel(
    axes: Any, longitude: Floats, latitude: Floats, values: Floats, scale: tuple[Any, Any, str], label: str
) -> None:
    """Field, coastline and colour bar of one panel; places and values of one shape, ``scale`` of `shared_scale`.

    Parameters
    ----------
    axes : matplotlib axes
    longitude, latitude : (y, x) degrees
    values : (y, x) in the shown unit
    scale : of `shared_scale`
    label : of the colour bar, with the unit
    """
    cmap, norm, _ = scale
    if values.ndim == 2:
        x, y = _edges(longitude), _edges(latitude)
        image = axes.pcolormesh(x, y, np.ma.masked_invalid(values), cmap=cmap, norm=norm)
    else:
        there = np.isfinite(values)
        size = 20000.0 / max(values.size, 1)
        image = axes.scatter(longitude[there], latitude[there], size, values[there], cmap=cmap, norm=norm, linewidths=0)
    map_axes(axes, longitude, latitude)
    bar = axes.figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.03, aspect=34, shrink=0.96)
    bar.set_label(label, fontsize=9)
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(labelsize=8, length=2)


def _numbers(values: Floats, weights: Floats) -> str:
    there = np.isfinite(values)
    if not there.any():
        return "no values"
    mean = float((values * weights)[there].sum() / weights[there].sum())
    return f"mean {mean:.4g}   min {values[there].min():.4g}   max {values[there].max():.4g}"


def saved(figure: Any, path: Path) -> Path:
    """Write a figure and forget it.

    Parameters
    ----------
    figure : of matplotlib
    path : PNG to write
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot().close(figure)
    return path


def draw_maps(record: Record, path: Path) -> Path:
    """Map of the last record; with several records also of the first, in the same colours, and of the change.

    Parameters
    ----------
    record : field of a history file
    path : PNG to write
    """
    plt = pyplot()
    celsius = record.unit == "°C"
    signed = not celsius and bool(np.nanmin(record.values) < 0.0 < np.nanmax(record.values))
    shown = [0, -1] if len(record.times) > 1 else [-1]
    scale = shared_scale(record.values[shown], about_zero=signed)
    panels = [(record.values[i], record.when(i), scale, record.unit) for i in shown]
    if len(shown) > 1:
        change = record.values[-1] - record.values[0]
        panels.append((change, "change", shared_scale(change, about_zero=True), "K" if celsius else record.unit))
    middle = np.cos(np.deg2rad(0.5 * (record.latitude.min() + record.latitude.max())))
    tall = float(np.clip(np.ptp(record.latitude) / max(np.ptp(record.longitude), 1e-6) / middle, 0.3, 1.6))
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(4.5 * len(panels), 4.1 * tall + 1.4), squeeze=False, layout="constrained"
    )
    for axes, (values, when, colours, unit) in zip(all_axes[0], panels, strict=True):
        draw_panel(axes, record.longitude, record.latitude, values, colours, unit)
        axes.set_title(f"{when}\n{_numbers(values, record.weights)}", loc="left", fontsize=9)
    heading = f"{record.label} ({record.unit}){record.note}, {record.component}"
    figure.suptitle(heading, x=0.03, horizontalalignment="left", fontsize=12)  # takes height only, however long
    return saved(figure, path)


def draw_series(record: Record, path: Path) -> Path:
    """Area mean against time, and how far the cells have moved from where they began.

    Parameters
    ----------
    record : field of a history file
    path : PNG to write
    """
    plt = pyplot()
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.6, 5.0), sharex=True, layout="constrained")
    days = np.array([(t - record.times[0]).total_seconds() for t in record.times]) / 86400.0
    mean = [record.mean(i) for i in range(len(record.times))]
    above.plot(days, mean, color=LINES[0], lw=1.8)
    above.set_ylabel(f"area mean ({record.unit})")
    above.set_title(
        f"{record.label}{record.note}, {record.component}: "
        f"{short_date(record.times[0])} to {short_date(record.times[-1])}\n"
        f"area mean {mean[0]:.4g} to {mean[-1]:.4g} {record.unit}",
        loc="left",
    )
    flat = record.values.reshape(len(record.times), -1)
    flat = flat[:, np.isfinite(flat).all(axis=0)]
    flat = flat - flat[0]
    if flat.size:
        low, tenth, half, ninetieth, high = np.percentile(flat, [0, 10, 50, 90, 100], axis=1)
        below.fill_between(days, low, high, color=LINES[0], alpha=0.12, lw=0, label="all cells")
        below.fill_between(days, tenth, ninetieth, color=LINES[0], alpha=0.3, lw=0, label="10 to 90 % of the cells")
        below.plot(days, half, color=LINES[0], lw=1.2, label="median cell")
        below.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.24))
    below.axhline(0.0, color=PALE, lw=0.6)
    below.set_ylabel(f"change ({'K' if record.unit == '°C' else record.unit})")
    below.set_xlabel(f"days since {short_date(record.times[0])}")
    for axes in (above, below):
        tidy(axes)
        axes.margins(x=0)
    return saved(figure, path)


def draw_budget(table: Path, path: Path) -> list[Path]:
    """What each flux moved a day, and how far sent and received differ; nothing where the table is empty.

    Parameters
    ----------
    table : ``budget.csv`` of a run
    path : PNG to write, the first of several
    """
    rows = list(_budget_rows(table))
    if not rows:
        return []
    plt = pyplot()
    units = list(dict.fromkeys(r["unit"] for r in rows))
    figure, all_axes = plt.subplots(
        len(units) + 1, 1, figsize=(8.6, 2.7 * (len(units) + 1)), sharex=True, squeeze=False, layout="constrained"
    )
    first = min(r["day"] for r in rows)
    keys = list(dict.fromkeys((r["flux"], r["to"]) for r in rows))
    colour = {key: LINES[i % len(LINES)] for i, key in enumerate(keys)}
    dash = {key: ("-", "--", ":", "-.")[i // len(LINES) % 4] for i, key in enumerate(keys)}
    for axes, unit in zip(all_axes[:-1, 0], units, strict=True):
        for key in keys:
            mine = [r for r in rows if (r["flux"], r["to"]) == key and r["unit"] == unit]
            if mine:
                received: dict[Any, float] = {}  # of all rules that bring the flux: an atmosphere has sea and land
                for r in mine:
                    received[r["day"]] = received.get(r["day"], 0.0) + r["received"]
                x = [(day - first).days + 0.5 for day in received]
                label = f"{key[0].replace('_', ' ')} to {key[1]}"
                axes.plot(x, list(received.values()), color=colour[key], ls=dash[key], lw=1.4, label=label)
        axes.set_ylabel(f"{unit} a day" if unit else "a day")
        axes.axhline(0.0, color=PALE, lw=0.6)
        tidy(axes)
        axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    last = all_axes[-1, 0]
    for key in keys:
        mine = [r for r in rows if (r["flux"], r["to"]) == key]
        x = [(r["day"] - first).days + 0.5 for r in mine]
        last.semilogy(x, [max(r["worst"], 1e-18) for r in mine], ".", color=colour[key], ms=4)
    worst = max(r["worst"] for r in rows)
    last.set_ylim(1e-18, max(1e-12, 10.0 * worst))
    last.set_ylabel("relative residual")
    last.set_xlabel(f"days since {first.isoformat()}")
    last.set_title(f"sent minus received, worst of a day (0 drawn at 1e-18); at most {worst:.1e}", loc="left")
    tidy(last)
    all_axes[0, 0].set_title("Budget: what crossed the interfaces", loc="left", fontsize=12)
    return [saved(figure, path)]


def _budget_rows(table: Path) -> Iterator[dict[str, Any]]:
    import datetime

    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {
                "day": _plain_date(row["day_start"], datetime),
                "to": row["to"],
                "flux": row["flux"],
                "unit": row["unit"],
                "received": float(row["received"]),
                "worst": float(row["worst_relative_residual"]),
            }


def _plain_date(text: str, datetime: Any) -> Any:
    """Date for an axis; a 30 February of another calendar is drawn on the 28th."""
    year, month, day = (int(part) for part in text.split("-"))
    while True:
        try:
            return datetime.date(year, month, day)
        except ValueError:
            day -= 1


def tidy(axes: Any) -> None:
    """Fewer lines around a diagram."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
