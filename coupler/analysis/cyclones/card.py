# SPDX-License-Identifier: BSD-3-Clause
"""The cyclones of a run on one page, beside best tracks where they are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.cyclones.best_tracks import read_best_tracks
from coupler.analysis.cyclones.errors import TrackError, compare
from coupler.analysis.cyclones.track import Track
from coupler.analysis.cyclones.tracker import Maps, tracks
from coupler.analysis.figures import LINES, map_axes, pyplot
from coupler.analysis.gathered import Gathered, gather, standard_date
from coupler.analysis.page import embedded, note, number, table, write, write_numbers
from coupler.errors import CaseError
from coupler.files.land_mask import is_land

Floats = npt.NDArray[np.float64]
PRESSURE = "air_pressure_at_mean_sea_level"
WIND = ("eastward_wind_at_850hPa", "northward_wind_at_850hPa")
COLUMNS = ("track", "time", "longitude", "latitude", "pressure_Pa", "wind_m_s")
ALOFT = ("air_temperature_at_300hPa", "air_temperature_at_500hPa")


def make_cyclone_card(case: Path, best: Sequence[Path]) -> list[Path]:
    """Write ``run/score/cyclones.html`` and the CSV of its tracks; returns their paths.

    Parameters
    ----------
    case : folder of a case that has run
    best : files of best tracks; may be none

    Raises
    ------
    CaseError
        Output that lacks a field, or best tracks that cannot be read.
    """
    known: list[Track] = []
    wrong = []
    for path in best:
        try:
            known += read_best_tracks(path)
        except CaseError as error:
            wrong.append(str(error))
    try:
        run = gather(case / "run" / "history", (PRESSURE, *WIND, *ALOFT), "cyclones")
    except CaseError as error:
        raise CaseError("\n".join([*wrong, str(error)])) from None
    if wrong:
        raise CaseError("\n".join(wrong))
    found = tracks_of(run)
    errors = compare(found, _during(known, run), is_land)
    folder = case / "run" / "score"
    parts = [note(_said(found, run))]
    shown = [e.best for e in errors]
    parts.append(embedded(_drawn(found, [t for t in known if t.name in shown], run), "tracks of the cyclones"))
    head = ["cyclone of the run", "first seen", "last seen", "lowest pressure (hPa)", "strongest wind (m/s)"]
    parts.append(table(head, [
        [t.name, str(t.times[0]), str(t.times[-1]), number(float(np.nanmin(t.pressure)) / 100.0),
         number(float(np.nanmax(t.wind)))]
        for t in found
    ]))  # fmt: skip
    if best:
        parts.append(_errors(errors, _during(known, run), known))
    rows = [
        {"track": t.name, "time": str(when), "longitude": x, "latitude": y, "pressure_Pa": p, "wind_m_s": w}
        for t in found
        for when, x, y, p, w in zip(t.times, t.longitude, t.latitude, t.pressure, t.wind, strict=True)
    ]
    made = [write(f"Cyclones of {case.name}", parts, folder / "cyclones.html")]
    return [*made, write_numbers(rows, folder / "cyclones.csv", COLUMNS)]


def tracks_of(run: Gathered) -> list[Track]:
    """Tracks of the cyclones in gathered fields.

    Parameters
    ----------
    run : pressure at sea level (hPa), wind at 850 hPa, temperature at 300 and 500 hPa
    """
    aloft = 0.5 * (run.values[ALOFT[0]] + run.values[ALOFT[1]])
    maps = [
        Maps(100.0 * run.values[PRESSURE][k], run.values[WIND[0]][k], run.values[WIND[1]][k], aloft[k])
        for k in range(len(run.times))
    ]
    dates = [standard_date(t) for t in run.times]
    return tracks(list(3600.0 * run.hours), maps, run.longitude, run.latitude, dates=dates, on_land=is_land)


def _during(known: Sequence[Track], run: Gathered) -> list[Track]:
    """Best tracks that have a time within the run."""
    first, last = standard_date(run.times[0]), standard_date(run.times[-1])
    return [t for t in known if any(first <= when <= last for when in t.times)]


def _said(found: Sequence[Track], run: Gathered) -> str:
    step = f"{np.median(np.diff(run.hours)):g} h" if len(run.times) > 1 else "one time"
    return (
        f"{len(found)} cyclone{'' if len(found) == 1 else 's'} in {run.times[0]} to {run.times[-1]} (every {step}):"
        " minima of sea-level pressure in a closed contour, with vorticity at 850 hPa above 3.5e-5 s-1 and a warm core"
        " at 300 to 500 hPa that is closed, too, born over the sea, for a day or more. Winds are those of 850 hPa."
    )


def _errors(errors: Sequence[TrackError], during: Sequence[Track], known: Sequence[Track]) -> str:
    if not during:
        span = f"{min(t.times[0] for t in known)} to {max(t.times[-1] for t in known)}" if known else "no cyclone"
        return note(f"No best track lies in the time of the run: the files have {span}.")
    head = ["best track", "cyclone of the run", "times", "distance (km)", "along (km)", "across (km)", "pressure (hPa)",
            "wind (m/s)", "landfall, time (h)", "landfall, place (km)"]  # fmt: skip
    rows = []
    for e in errors:
        far, along, across = (float(np.mean(a)) / 1e3 for a in (e.apart, e.along, e.across))
        pressure, wind = (_mean(a) for a in (e.pressure, e.wind))
        numbers = [far, along, across, pressure / 100.0, wind, e.landfall_hours, e.landfall_apart / 1e3]
        rows.append([e.best, e.model, str(len(e.hours)), *(number(v) for v in numbers)])
    shares = f"{len(errors)} of {len(during)} best tracks"
    remark = f"Means of run minus best track. {shares} in the time of the run have a cyclone."
    return table(head, rows) + note(remark)


def _mean(a: Floats) -> float:
    known = a[np.isfinite(a)]
    return float(known.mean()) if known.size else float("nan")


def _drawn(found: Sequence[Track], best: Sequence[Track], run: Gathered) -> Any:
    figure, axes = pyplot().subplots(figsize=(8.0, 6.2), layout="constrained")
    for n, track in enumerate(found):
        axes.plot(track.longitude, track.latitude, "-o", ms=3, lw=1.5, color=LINES[n % len(LINES)], zorder=4)
        axes.annotate(track.name, (track.longitude[0], track.latitude[0]), fontsize=8, zorder=5)
    for track in best:
        axes.plot(track.longitude, track.latitude, "--", lw=1.2, color="#000000", zorder=4)
        axes.annotate(track.name, (track.longitude[-1], track.latitude[-1]), fontsize=8, zorder=5)
    map_axes(axes, run.longitude, run.latitude)
    span = f"{str(run.times[0])[:10]} to {str(run.times[-1])[:10]}"
    title = f"cyclones of the run, {span}, n = {len(found)}; dashed: best tracks, n = {len(best)}"
    axes.set_title(title, loc="left", fontsize=9)
    return figure
