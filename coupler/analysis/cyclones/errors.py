# SPDX-License-Identifier: BSD-3-Clause
"""How far tracks of a run are from best tracks: position, intensity, landfall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.analysis.cyclones.track import OnLand, Track, distance

Floats = npt.NDArray[np.float64]
NEAR = 600.0e3
"""m, mean distance within which two tracks are one cyclone."""


@dataclass(frozen=True)
class TrackError:
    """Errors of one cyclone at the times that both tracks have.

    Attributes
    ----------
    model, best : names
    hours : (n,) since the best track's first time
    apart : (n,) distance of the centres, m
    along, across : (n,) of it along the best track's way (ahead is positive) and to the right of it, m
    pressure, wind : (n,) model minus best track, Pa and m/s; NaN where unknown
    landfall_hours, landfall_apart : model minus best track in time, h, and their distance, m; NaN without either
    """

    model: str
    best: str
    hours: Floats
    apart: Floats
    along: Floats
    across: Floats
    pressure: Floats
    wind: Floats
    landfall_hours: float
    landfall_apart: float


def compare(model: Sequence[Track], best: Sequence[Track], on_land: OnLand | None = None) -> list[TrackError]:
    """Each best track beside the nearest track of the run, if it is within `NEAR`; each track once.

    Parameters
    ----------
    model, best : tracks with dates
    on_land : takes longitudes and latitudes, degrees; None: no landfall
    """
    pairs = []
    for m, track in enumerate(model):
        for b, other in enumerate(best):
            there = _common(track, other)
            if there.size:
                far = float(distance(*_at(track, there), *_at(other, there)).mean())
                pairs.append((far, m, b, there))
    taken: set[tuple[str, int]] = set()
    made = []
    for far, m, b, there in sorted(pairs, key=lambda pair: pair[:3]):
        if far <= NEAR and not {("m", m), ("b", b)} & taken:
            taken |= {("m", m), ("b", b)}
            made.append(_errors(model[m], best[b], there, on_land))
    return made


def _hours(track: Track) -> Floats:
    """Hours since a fixed date."""
    import cftime

    return np.array([cftime.date2num(t, "hours since 1900-01-01", t.calendar) for t in track.times], float)


def _common(a: Track, b: Track) -> Floats:
    """Times of ``a`` within ``b``, hours."""
    here, there = _hours(a), _hours(b)
    return np.asarray(here[(here >= there[0]) & (here <= there[-1])])


def _at(track: Track, hours: Floats) -> tuple[Floats, Floats]:
    own = _hours(track)
    return np.interp(hours, own, track.longitude), np.interp(hours, own, track.latitude)


def _errors(track: Track, best: Track, when: Floats, on_land: OnLand | None) -> TrackError:
    x, y = _at(track, when)
    lon, lat = _at(best, when)
    apart = distance(lon, lat, x, y)
    before, after = (_at(best, np.clip(when + h, *_hours(best)[[0, -1]])) for h in (-3.0, 3.0))
    heading = np.arctan2((after[0] - before[0]) * np.cos(np.deg2rad(lat)), after[1] - before[1])
    turn = (x - lon + 180.0) % 360.0 - 180.0
    bearing = np.arctan2(turn * np.cos(np.deg2rad(0.5 * (lat + y))), y - lat)

    def beside(mine: Floats, theirs: Floats) -> Floats:
        return np.asarray(np.interp(when, _hours(track), mine) - np.interp(when, _hours(best), theirs))

    pressure, wind = beside(track.pressure, best.pressure), beside(track.wind, best.wind)
    fall = [landfall(t, on_land) if on_land is not None else None for t in (track, best)]
    hours, far = np.nan, np.nan
    if fall[0] is not None and fall[1] is not None:
        hours = fall[0][0] - fall[1][0]
        far = float(distance(fall[0][1], fall[0][2], fall[1][1], fall[1][2]))
    along, across = apart * np.cos(bearing - heading), apart * np.sin(bearing - heading)
    since = when - _hours(best)[0]
    return TrackError(track.name, best.name, since, apart, along, across, pressure, wind, hours, far)


def landfall(track: Track, on_land: OnLand) -> tuple[float, float, float] | None:
    """Hours, longitude and latitude at which a track first goes from sea to land; None if it does not.

    Parameters
    ----------
    track : the track
    on_land : takes longitudes and latitudes, degrees
    """
    own = _hours(track)
    fine = np.arange(own[0], own[-1] + 1e-9, 0.25)
    lon, lat = _at(track, fine)
    land = on_land((lon + 180.0) % 360.0 - 180.0, lat)
    ashore = np.flatnonzero(land[1:] & ~land[:-1])
    if not ashore.size:
        return None
    n = int(ashore[0]) + 1
    return float(fine[n]), float(lon[n]), float(lat[n])
