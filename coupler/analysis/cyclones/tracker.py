# SPDX-License-Identifier: BSD-3-Clause
"""Finds tropical cyclones in a run and joins them to tracks.

A cyclone is a minimum of sea-level pressure within a closed contour, with cyclonic vorticity at 850 hPa and a warm core
aloft, born in low latitudes over the sea. The core must be closed, too: colder air in every direction (Vitart et al.
1997, J. Climate 10, 745: by .5 K; Ullrich & Zarzycki 2017, Geosci. Model Dev. 10, 1069: the thickness between 300 and
500 hPa by 6 m, which is .4 K, within 6.5 degrees). To be warmer than the mean around is not enough: so is the warm
sector of a winter low in the lee of Tibet, whose air grows ever warmer towards the equator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.cyclones.track import OnLand, Track, distance, running_on

Floats = npt.NDArray[np.float64]
DEGREE = 111.2e3
"""m, of a degree of latitude: radii of the papers are in degrees."""


@dataclass(frozen=True)
class Criteria:
    """What makes a cyclone.

    Attributes
    ----------
    apart : m, within which there is but one
    closed_by, closed_within : Pa by which the pressure rises in every direction, and m within which it must
    vorticity : s-1 at 850 hPa, cyclonic, within ``core``
    warmer, core, ring : K by which it grows colder aloft in every direction within ``ring`` (m) of the warmest place
        within ``core`` (m) of the centre
    born_within, coast : degrees of latitude; and degrees within which the sea must be where it is born
    speed : m/s, of the centre from one time to the next
    gap, life : s, longest without being found, and shortest life
    """

    apart: float = 2.0 * DEGREE
    closed_by: float = 200.0
    closed_within: float = 5.5 * DEGREE
    vorticity: float = 3.5e-5
    warmer: float = 0.5
    core: float = 2.0 * DEGREE
    ring: float = 6.5 * DEGREE
    born_within: float = 40.0
    coast: float = 1.0
    speed: float = 30.0
    gap: float = 43200.0
    life: float = 86400.0


@dataclass(frozen=True)
class Maps:
    """Fields (ny, nx) of one time.

    Attributes
    ----------
    pressure : at sea level, Pa
    eastward, northward : wind at 850 hPa, m/s
    aloft : mean temperature of 300 to 500 hPa, K
    surface_wind : speed at 10 m, m/s; None: the wind at 850 hPa stands for it
    """

    pressure: Floats
    eastward: Floats
    northward: Floats
    aloft: Floats
    surface_wind: Floats | None = None


@dataclass(frozen=True)
class _Centre:
    lon: float
    lat: float
    pressure: float
    wind: float


def vorticity(maps: Maps, lon: Floats, lat: Floats) -> Floats:
    """Relative vorticity (ny, nx) at 850 hPa of any grid whose rows and columns meet at about right angles, s-1.

    Parameters
    ----------
    maps : with the eastward and northward wind
    lon, lat : (ny, nx) degrees
    """
    rad = np.deg2rad(lat)
    along = [_difference(np.deg2rad(running(lon, axis)), axis) for axis in (0, 1)]
    up = [_difference(rad, axis) for axis in (0, 1)]
    u, v = maps.eastward, maps.northward
    du, dv = ([_difference(a, axis) for axis in (0, 1)] for a in (u * np.cos(rad), v))
    area = along[1] * up[0] - along[0] * up[1]  # chain rule: d/dlon and d/dlat from differences along rows and columns
    v_lon = (dv[1] * up[0] - dv[0] * up[1]) / area
    u_lat = (du[0] * along[1] - du[1] * along[0]) / area
    from coupler.grids.grid import EARTH_RADIUS

    return np.asarray((v_lon - u_lat) / (EARTH_RADIUS * np.cos(rad)))


def running(lon: Floats, axis: int) -> Floats:
    """Longitudes without jumps along an axis.

    Parameters
    ----------
    lon : (ny, nx) degrees
    axis : 0 or 1
    """
    return np.asarray(np.rad2deg(np.unwrap(np.deg2rad(lon), axis=axis)))


def _difference(a: Floats, axis: int) -> Floats:
    return np.asarray(np.gradient(a, axis=axis))


def centres(maps: Maps, lon: Floats, lat: Floats, criteria: Criteria | None = None) -> list[_Centre]:
    """Cyclones of one time, the deepest first.

    Parameters
    ----------
    maps : fields
    lon, lat : (ny, nx) degrees, of the cells' centres
    criteria : what makes a cyclone
    """
    c = criteria or Criteria()
    from scipy import ndimage

    p = np.where(np.isfinite(maps.pressure), maps.pressure, np.inf)
    low = (p == ndimage.minimum_filter(p, size=3, mode="nearest")) & np.isfinite(p)
    low[[0, -1]] = low[:, [0, -1]] = False
    cyclonic = np.sign(lat) * vorticity(maps, lon, lat)
    wind = maps.surface_wind if maps.surface_wind is not None else np.hypot(maps.eastward, maps.northward)
    found: list[_Centre] = []
    for j, i in sorted(zip(*np.nonzero(low), strict=True), key=lambda place: float(p[place])):
        far = distance(lon[j, i], lat[j, i], lon, lat)
        core = max(c.core, 1.5 * float(np.sort(far, axis=None)[1]))
        if any(distance(lon[j, i], lat[j, i], f.lon, f.lat) < max(c.apart, core) for f in found):
            continue
        inside = far <= core
        if not np.nanmax(np.where(inside, cyclonic, -np.inf)) >= c.vorticity:
            continue
        if not _closed(p, int(j), int(i), far, c.closed_by, c.closed_within) or not _warm(
            maps.aloft, inside, lon, lat, c
        ):
            continue
        x, y = _between(p, lon, lat, int(j), int(i))
        found.append(_Centre(x, y, float(p[j, i]), float(np.nanmax(wind[inside]))))
    return found


def _closed(p: Floats, j: int, i: int, far: Floats, by: float, within: float) -> bool:
    """Whether no way leads out of the circle, or the domain, below the contour."""
    from scipy import ndimage

    basin, _ = ndimage.label(p < p[j, i] + by)
    own = basin == basin[j, i]
    edge = np.zeros(p.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    return not (own & (edge | (far > within))).any()


def _warm(aloft: Floats, inside: npt.NDArray[np.bool_], lon: Floats, lat: Floats, c: Criteria) -> bool:
    """Whether the warmest place aloft within the core has colder air in every direction."""
    cold = np.where(np.isfinite(aloft), -aloft, np.inf)
    place = int(np.argmin(np.where(inside, cold, np.inf)))
    j, i = (int(n) for n in np.unravel_index(place, cold.shape))
    far = distance(lon[j, i], lat[j, i], lon, lat)
    return bool(np.isfinite(cold[j, i])) and _closed(cold, j, i, far, c.warmer, c.ring)


def _between(p: Floats, lon: Floats, lat: Floats, j: int, i: int) -> tuple[float, float]:
    """Degrees of the lowest point of a paraboloid through the nine cells, no farther than half a cell."""
    dy, dx = np.mgrid[-1:2, -1:2]
    box = np.s_[j - 1 : j + 2, i - 1 : i + 2]
    terms = np.stack([np.ones(9), *(a.ravel() for a in (dx, dy, dx * dx, dx * dy, dy * dy))], axis=1)
    _, b, c, d, e, f = np.linalg.lstsq(terms, p[box].ravel(), rcond=None)[0]
    bend = 4.0 * d * f - e * e
    x, y = (np.clip([e * c - 2.0 * f * b, e * b - 2.0 * d * c] / bend, -0.5, 0.5)) if bend > 0.0 and d > 0.0 else (0, 0)
    place = running(running(lon[box], 0), 1)
    return tuple(  # type: ignore[return-value]
        float(a[1, 1] + x * 0.5 * (a[1, 2] - a[1, 0]) + y * 0.5 * (a[2, 1] - a[0, 1])) for a in (place, lat[box])
    )


def tracks(
    times: Sequence[float],
    maps: Sequence[Maps],
    lon: Floats,
    lat: Floats,
    criteria: Criteria | None = None,
    dates: Sequence[Any] = (),
    on_land: OnLand | None = None,
) -> list[Track]:
    """Tracks of all cyclones in a run's maps.

    Parameters
    ----------
    times : (n,) s, increasing
    maps : of each time
    lon, lat : (ny, nx) degrees
    criteria : what makes a cyclone
    dates : of the times, for the tracks; else the seconds
    on_land : takes longitudes and latitudes, degrees: where no cyclone is born, such as on high ground, where pressure
        at sea level is a guess; None: born anywhere
    """
    c = criteria or Criteria()
    growing: list[list[tuple[int, _Centre]]] = []
    for n, fields in enumerate(maps):
        left = centres(fields, lon, lat, c)
        pairs = sorted(
            (float(distance(*_expected(way, times, n), centre.lon, centre.lat)), k, m)
            for k, way in enumerate(growing)
            if times[n] - times[way[-1][0]] <= max(c.gap, times[n] - times[n - 1])
            for m, centre in enumerate(left)
            if distance(way[-1][1].lon, way[-1][1].lat, centre.lon, centre.lat)
            <= c.speed * (times[n] - times[way[-1][0]]) + c.core
        )
        ways, taken = set(), set()
        for _, k, m in pairs:
            if k not in ways and m not in taken:
                growing[k].append((n, left[m]))
                ways.add(k)
                taken.add(m)
        growing += [
            [(n, centre)]
            for m, centre in enumerate(left)
            if m not in taken and abs(centre.lat) <= c.born_within and _by_the_sea(centre, c.coast, on_land)
        ]
    lasting = [way for way in growing if times[way[-1][0]] - times[way[0][0]] >= c.life]
    return [_track(str(number + 1), way, dates or times) for number, way in enumerate(lasting)]


def _by_the_sea(centre: _Centre, within: float, on_land: OnLand | None) -> bool:
    """Whether there is sea at the centre or in one of eight directions."""
    if on_land is None:
        return True
    steps = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)], float) * within
    return not on_land(centre.lon + steps[:, 1], np.clip(centre.lat + steps[:, 0], -90.0, 90.0)).all()


def _expected(way: list[tuple[int, _Centre]], times: Sequence[float], n: int) -> tuple[float, float]:
    """Where a cyclone would be if it went on as before."""
    last, here = way[-1]
    if len(way) < 2:
        return here.lon, here.lat
    before, there = way[-2]
    share = (times[n] - times[last]) / (times[last] - times[before])
    step = (here.lon - there.lon + 180.0) % 360.0 - 180.0
    return here.lon + share * step, here.lat + share * (here.lat - there.lat)


def _track(name: str, way: list[tuple[int, _Centre]], times: Sequence[Any]) -> Track:
    lon, lat, pressure, wind = np.array([[x.lon, x.lat, x.pressure, x.wind] for _, x in way]).T
    return Track(name, tuple(times[n] for n, _ in way), running_on(lon), lat, pressure, wind)
