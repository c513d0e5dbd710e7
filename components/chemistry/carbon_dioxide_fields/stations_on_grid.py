# SPDX-License-Identifier: BSD-3-Clause
"""Stations in the cells of a grid, and what they report in a period."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.chemistry.stations.series import Floats, Series, model_time
from components.science.constants import EARTH_RADIUS
from coupler.clock import Clock

LONGEST = 2 * 86400.0
"""Interval above which a mean says nothing of a day, s."""
REACH = 0.75
"""Distance from the nearest middle of a cell up to which a station is inside, in diagonals of a cell."""


class Placed(NamedTuple):
    """Stations of a case.

    Attributes
    ----------
    cells : (p,) flat numbers of the cells that hold stations, each once
    time : (n,) middles of the intervals, s since the start of the case
    cell : (n,) number among ``cells`` of each value
    value, error : (n,) mol mol-1; an error of NaN is not known
    names : of the stations inside
    outside : what is to be said of each that lies outside
    """

    cells: npt.NDArray[np.int64]
    time: Floats
    cell: npt.NDArray[np.int64]
    value: Floats
    error: Floats
    names: tuple[str, ...]
    outside: tuple[str, ...]


def place(series: Sequence[Series], longitude: Floats, latitude: Floats, clock: Clock) -> Placed:
    """Stations in the cells whose middles are nearest.

    Parameters
    ----------
    series : of the stations
    longitude, latitude : (ny, nx) of the middles of the cells, degrees
    clock : dates of the case
    """
    centres = _unit(longitude, latitude)
    flat = centres.reshape(-1, 3)
    size = max(_longest(np.diff(centres, axis=k)) for k in (0, 1))
    inside, outside, cells, rows = [], [], [], []
    for s in series:
        chord = np.linalg.norm(flat - _unit(np.array(s.longitude), np.array(s.latitude)), axis=1)
        nearest = int(np.argmin(chord))
        if not chord[nearest] <= REACH * size:
            away = 2e-3 * EARTH_RADIUS * math.asin(min(0.5 * chord[nearest], 1.0))
            outside.append(
                f"{s.name} ({s.latitude:g} N, {s.longitude:g} E) lies outside the grid, "
                f"{away:.0f} km from its nearest cell"
            )
            continue
        inside.append(s.name)
        cells.append(nearest)
        rows.append((model_time(0.5 * (s.begin + s.end), clock), s.value, s.error))
    unique, number = np.unique(np.array(cells, dtype=np.int64), return_inverse=True)
    time, value, error = (np.concatenate([r[k] for r in rows]) if rows else np.zeros(0) for k in range(3))
    cell = np.repeat(number, [len(r[0]) for r in rows]) if rows else np.zeros(0, dtype=np.int64)
    known = np.isfinite(time)
    order = np.flatnonzero(known)[np.argsort(time[known], kind="stable")]
    return Placed(unique, time[order], cell[order], value[order], error[order], tuple(inside), tuple(outside))


def long_means(series: Sequence[Series]) -> list[str]:
    """Stations whose values are means over too long an interval to be of any hour.

    Parameters
    ----------
    series : of the stations
    """
    return [
        f"{s.name}: expected samples or means of up to two days, "
        f"found means over {np.max(s.end - s.begin) / 86400:.0f} days"
        for s in series
        if len(s.value) and np.max(s.end - s.begin) > LONGEST
    ]


def reported(p: Placed, begin: float, end: float, least_error: float) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Mean of each cell's values of a period, its error, and whether there is one: (p,) each, mol mol-1.

    Parameters
    ----------
    p : stations of the case
    begin, end : of the period: later than the one, up to the other, s since the start of the case
    least_error : standard deviation of what a station stands for in a cell, mol mol-1
    """
    first, last = np.searchsorted(p.time, [begin, end], side="right")
    at, n = p.cell[first:last], len(p.cells)
    count = np.bincount(at, minlength=n)
    value = np.bincount(at, weights=p.value[first:last], minlength=n) / np.maximum(count, 1)
    own = np.nan_to_num(p.error[first:last])
    variance = np.bincount(at, weights=own * own, minlength=n) / np.maximum(count, 1) ** 2
    return value, np.sqrt(variance + least_error * least_error), count > 0


def _unit(longitude: Any, latitude: Any) -> Floats:
    a, b = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], -1)


def _longest(step: Floats) -> float:
    """Longest step between neighbours along an axis, as a chord of the unit sphere."""
    longest: float = np.linalg.norm(step, axis=-1).max(initial=0.0)
    return math.sqrt(2.0) * longest
