# SPDX-License-Identifier: BSD-3-Clause
"""The East Asian monsoon: indices by name, onset and march of the rain belt, the subtropical high.

Fields are (..., ny, nx) on any grid whose cells' longitudes and latitudes (ny, nx) are given, in degrees; winds in m/s,
rain in mm/day, heights in m.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.analysis.scores import Box
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]


def area_mean(field: Floats, lon: Floats, lat: Floats, box: Box) -> Floats:
    """Mean over the cells in a box, weighted by the cosine of latitude; over values that are known.

    Parameters
    ----------
    field : (..., ny, nx)
    lon, lat : (ny, nx) degrees
    box : of degrees

    Raises
    ------
    CaseError
        A box without a cell.
    """
    inside = box.holds(lon, lat)
    if not inside.any():
        raise CaseError(
            f"{box.name}: no cell lies in {box.west:g} to {box.east:g} E, {box.south:g} to {box.north:g} N;"
            f" the grid spans {lon.min():.1f} to {lon.max():.1f} E, {lat.min():.1f} to {lat.max():.1f} N"
        )
    values, weights = field[..., inside], np.cos(np.deg2rad(lat[inside]))
    known = np.isfinite(values)
    total = (known * weights).sum(axis=-1)
    return np.asarray(np.where(known, values, 0.0) @ weights / np.where(total > 0.0, total, np.nan))


@dataclass(frozen=True)
class Winds:
    """Eastward and northward winds (..., ny, nx) in m/s by level in hPa, and where they are.

    Attributes
    ----------
    u, v : by 850 and 200
    lon, lat : (ny, nx) degrees
    """

    u: dict[int, Floats]
    v: dict[int, Floats]
    lon: Floats
    lat: Floats

    def mean(self, which: str, level: int, *box: float) -> Floats:
        """Area mean of a component in a box: west, east, south, north.

        Parameters
        ----------
        which : ``u`` or ``v``
        level : hPa
        box : degrees
        """
        there = getattr(self, which)
        if level not in there:
            raise CaseError(f"the index needs {which} at {level} hPa; there are {', '.join(map(str, there)) or 'none'}")
        return area_mean(there[level], self.lon, self.lat, Box(f"{which} at {level} hPa", *box))


def wang_fan(w: Winds) -> Floats:
    """Reversed Wang & Fan (1999, BAMS 80, 629): u850 (22.5-32.5 N, 110-140 E) less (5-15 N, 90-130 E).

    Positive in strong East Asian summer monsoons (Wang et al. 2008, J. Climate 21, 4449, as others read it, too: the
    East Asian Monsoon Toolkit of R. Geen). The Climate Prediction Center shows its opposite with 20-30 N as the
    northern box: https://www.cpc.ncep.noaa.gov/products/Global_Monsoons/Asian_Monsoons/Figures/Index/.

    Parameters
    ----------
    w : winds, m/s

    Returns
    -------
    array (...)
        m/s.
    """
    return np.asarray(w.mean("u", 850, 110, 140, 22.5, 32.5) - w.mean("u", 850, 90, 130, 5, 15))


def western_north_pacific(w: Winds) -> Floats:
    """Western North Pacific index (Wang & Fan 1999): u850 (5-15 N, 100-130 E) less (20-30 N, 110-140 E), m/s.

    Boxes: Wang, Wu & Lau (2001, J. Climate 14, 4073), as http://iprc.soest.hawaii.edu/users/ykaji/monsoon/.

    Parameters
    ----------
    w : winds, m/s
    """
    return np.asarray(w.mean("u", 850, 100, 130, 5, 15) - w.mean("u", 850, 110, 140, 20, 30))


def lau_yang(w: Winds) -> Floats:
    """RM2 of Lau, Kim & Yang (2000, J. Climate 13, 2461): u200 (40-50 N, 110-150 E) less (25-35 N, 110-150 E), m/s.

    Parameters
    ----------
    w : winds, m/s
    """
    return np.asarray(w.mean("u", 200, 110, 150, 40, 50) - w.mean("u", 200, 110, 150, 25, 35))


def south_china_sea(w: Winds) -> Floats:
    """u850 over the South China Sea (5-15 N, 110-120 E), whose change of sign is the onset, m/s.

    Wang et al. (2004, J. Climate 17, 699).

    Parameters
    ----------
    w : winds, m/s
    """
    return w.mean("u", 850, 110, 120, 5, 15)


def southerlies(w: Winds) -> Floats:
    """v850 over eastern China and the sea (20-40 N, 110-140 E), m/s; positive in strong summer monsoons.

    An index of southerly winds, of the kind that Wang et al. (2008, J. Climate 21, 4449) compare; the box is this
    project's own.

    Parameters
    ----------
    w : winds, m/s
    """
    return w.mean("v", 850, 110, 140, 20, 40)


INDICES: dict[str, Callable[[Winds], Floats]] = {
    "wang_fan": wang_fan,
    "western_north_pacific": western_north_pacific,
    "lau_yang": lau_yang,
    "south_china_sea": south_china_sea,
    "southerlies": southerlies,
}
"""Indices by name."""


def index(name: str, winds: Winds) -> Floats:
    """An index by its name in `INDICES`.

    Parameters
    ----------
    name : of the index
    winds : what it is made of

    Raises
    ------
    CaseError
        An unknown name, a level that is not there, or a box without a cell.
    """
    if name not in INDICES:
        raise CaseError(f"unknown monsoon index {name!r}; known: {', '.join(INDICES)}")
    return INDICES[name](winds)


AFTER_APRIL_25 = 23
"""Number, from 0, of the pentad that begins on 26 April."""


def onset_pentad(u850: Floats) -> int | None:
    """Pentad of the South China Sea's summer monsoon onset; None without one.

    The first pentad after 25 April (number 23, counted from 0) with u > 0 in it, in at least three of the four from it
    on, and a mean above 1 m/s over these four (Wang et al. 2004, J. Climate 17, 699).

    Parameters
    ----------
    u850 : (73,) pentads of a year of `south_china_sea`
    """
    for p in range(AFTER_APRIL_25, len(u850) - 3):
        four = u850[p : p + 4]
        if four[0] > 0.0 and (four > 0.0).sum() >= 3 and four.mean() > 1.0:
            return p
    return None


def rain_onset(rain: Floats, january: Floats, above: float = 5.0) -> npt.NDArray[np.int64]:
    """Pentad in which the rainy season begins by place; -1 where it does not.

    The first of pentads 24 to 48 (counted from 0) whose rain exceeds that of January by ``above`` (Wang & LinHo 2002,
    J. Climate 15, 386).

    Parameters
    ----------
    rain : (73, ...) mm/day, smoothed
    january : (...) mm/day
    above : mm/day
    """
    wet = rain[24:49] - january >= above
    return np.where(wet.any(axis=0), 24 + wet.argmax(axis=0), -1)


def rain_belt(rain: Floats, lon: Floats, lat: Floats, west: float = 110.0, east: float = 122.0) -> Floats:
    """Latitude (n,) of the rain belt over eastern China: the centre of the strongest rain between 15 and 50 N.

    Zonal means over 2.5 degrees of latitude between ``west`` and ``east``; the belt is the mean latitude, weighted by
    rain, of those with at least three quarters of the strongest.

    Parameters
    ----------
    rain : (n, ny, nx) mm/day
    lon, lat : (ny, nx) degrees
    west, east : degrees
    """
    edges = np.arange(15.0, 50.1, 2.5)
    rows = []
    for south, north in itertools.pairwise(edges):
        inside = Box("rain belt", west, east, south, north - 1e-9).holds(lon, lat)
        rows.append(rain[:, inside].mean(axis=1) if inside.any() else np.full(rain.shape[0], np.nan))
    profile = np.array(rows).T
    if np.isnan(profile).all():
        raise CaseError(f"rain belt: no cell lies in {west:g} to {east:g} E, 15 to 50 N")
    strong = np.where(profile >= 0.75 * np.nanmax(profile, axis=1, keepdims=True), np.nan_to_num(profile), 0.0)
    middles = 0.5 * (edges[1:] + edges[:-1])
    total = strong.sum(axis=1)
    return np.asarray(np.where(total > 0.0, strong @ middles / np.where(total > 0.0, total, 1.0), np.nan))


@dataclass(frozen=True)
class SubtropicalHigh:
    """The western Pacific subtropical high: latitude of its ridge, and longitude of its western point, degrees."""

    ridge: float
    west: float


def subtropical_high(z500: Floats, u500: Floats, lon: Floats, lat: Floats, contour: float = 5880.0) -> SubtropicalHigh:
    """Ridge and western point of the subtropical high.

    The ridge is the mean latitude between 110 and 150 E where u is zero and grows northward, within the contour or,
    where there is none (this project's own), anywhere in 10 to 40 N; the western point is the westernmost cell within
    the contour between 90 and 180 E, 10 to 45 N (after China's National Climate Centre: Liu et al. 2012, J. Appl.
    Meteor. Sci. 23).

    Parameters
    ----------
    z500, u500 : (ny, nx) m and m/s; columns of the grid about northward
    lon, lat : (ny, nx) degrees
    contour : m

    Returns
    -------
    SubtropicalHigh
        NaN for what is not there.
    """
    east = lon % 360.0
    inside = (z500 >= contour) & (east >= 90.0) & (east <= 180.0) & (lat >= 10.0) & (lat <= 45.0)
    west = float(east[inside].min()) if inside.any() else np.nan
    south_first = lat[0].mean() < lat[-1].mean()
    u, x, y, z = (a if south_first else a[::-1] for a in (u500, east, lat, z500))
    turns = (u[:-1] <= 0.0) & (u[1:] > 0.0)
    turns &= (x[:-1] >= 110.0) & (x[:-1] <= 150.0) & (y[:-1] >= 10.0) & (y[1:] <= 40.0)
    if (turns & (z[:-1] >= contour)).any():
        turns &= z[:-1] >= contour
    if not turns.any():
        return SubtropicalHigh(np.nan, west)
    share = u[:-1] / np.where(turns, u[:-1] - u[1:], 1.0)
    return SubtropicalHigh(float((y[:-1] + share * (y[1:] - y[:-1]))[turns].mean()), west)
