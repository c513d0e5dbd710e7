# SPDX-License-Identifier: BSD-3-Clause
"""A state on pressure levels, with what it lacks supplied, and its interpolation to the model's columns.

Missing heights come from the wind and the temperature (`inversion`), missing humidity from the relative humidity of
another state or of a mean profile; what was supplied is said. Horizontally bilinear; vertically linear in height; below
the data temperature grows by 6.5 K/km, pressure follows hydrostatically and wind and humidity stay; above, temperature
stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.atmosphere.nonhydrostatic.driving import inversion
from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles
from components.atmosphere.nonhydrostatic.driving.analysis_files import DriverError as DriverError
from components.atmosphere.nonhydrostatic.driving.humidity import (
    MIXED,
    STRATOSPHERE,
    TROPOPAUSE,
    dried_aloft,
    relative_humidity,
    saturation,
    specific_humidity,
)
from components.science.constants import GRAVITY, P_REFERENCE, R_DRY, VIRTUAL

Array = npt.NDArray[np.float64]

DRY_AT = 0.02  # of the ground's pressure, at which relative humidity ends in that profile
PROFILE = "the mean relative humidity of Manabe & Wetherald (1967); name a state under humidity_from for a better one"


@dataclass
class Analysis:
    """A state of the air on pressure levels and a latitude-longitude grid, level from the ground up.

    Attributes
    ----------
    p : (level,) Pa, decreasing
    lat, lon : (ny,) increasing and (nx,) increasing, degrees
    fields : name to (level, ny, nx), SI units: u, v (m/s), t (K), z (m), q (kg/kg)
    notes : what had to be assumed
    """

    p: Array
    lat: Array
    lon: Array
    fields: dict[str, Array]
    notes: list[str]


def read_analysis(paths: Sequence[str | Path], record: int = 0, humidity_from: Sequence[str | Path] = ()) -> Analysis:
    """One time of an analysis from one or several files; see `state`."""
    return state(AnalysisFiles(paths), record, AnalysisFiles(humidity_from, ()) if humidity_from else None)


def state(
    files: AnalysisFiles,
    record: int,
    humidity_from: AnalysisFiles | None = None,
    latitudes: tuple[float, float] | None = None,
) -> Analysis:
    """One time of an analysis, complete.

    Parameters
    ----------
    files : what the files hold
    record : number of the time
    humidity_from : files of a state whose relative humidity is used where ``files`` have none; else a mean profile
    latitudes : only rows around these are read (degrees), unless heights must be made, which takes the globe

    Raises
    ------
    DriverError
        What is missing and cannot be supplied, a unit that cannot be right.
    """
    notes: list[str] = []
    whole = latitudes is None or "geopotential_height" not in files.names
    rows = slice(None) if whole or latitudes is None else files.rows(*latitudes)
    lat = files.lat[rows]

    def read(name: str, p: Array | None = None) -> tuple[Array, Array]:
        values, own, assumed = files.read(name, record, rows)
        notes.extend(n for n in assumed if n not in notes)
        return (values, own) if p is None else (onto(values, own, p), p)

    t, p = read("air_temperature")
    fields = {"u": read("eastward_wind", p)[0], "v": read("northward_wind", p)[0], "t": t}
    column = p[:, None, None]
    if "specific_humidity" in files.names:
        values, own = read("specific_humidity")
        q, top = np.clip(onto(values, own, p), 1e-8, None), float(own[-1])
    elif "relative_humidity" in files.names:
        values, own = read("relative_humidity")
        q = specific_humidity(np.clip(onto(values, own, p), 0.01, 1.0), t, column)
        top = max(float(own[-1]), TROPOPAUSE)  # relative humidity says nothing of the stratosphere
    else:
        relative, source, top = _relative_humidity(lat, files.lon, p, humidity_from)
        q, top = specific_humidity(relative, t, column), max(top, TROPOPAUSE)
        notes.append(f"the data have no humidity: it is made from {source}")
    if top > p[-1] * (1.0 + 1e-6):
        notes.append(
            f"humidity is known up to {top / 100:g} hPa; above, it falls to {STRATOSPHERE:g} kg/kg, that of the"
            f" stratosphere, at {MIXED:g} of the tropopause's pressure, {TROPOPAUSE / 100:g} hPa at least"
        )
    most = saturation(t, column)
    fields["q"] = np.minimum(dried_aloft(np.minimum(q, most), t, p, top), most)
    if "geopotential_height" in files.names:
        fields["z"] = read("geopotential_height", p)[0]
    else:
        try:
            fields["z"] = inversion.heights(p, files.lat, files.lon, *(fields[k] for k in ("u", "v", "t", "q")))
        except ValueError as error:
            raise DriverError(f"{files}: no geopotential_height, and {error}") from error
        notes.append(
            "the data have no geopotential: it is made from the wind at the level nearest 500 hPa (nonlinear balance on"
            " the globe) and the temperature (hydrostatic), with a global mean sea-level pressure of"
            f" {inversion.SEA_LEVEL_PRESSURE / 100:g} hPa; expect errors of 10 to 20 m"
        )
    return Analysis(p, lat, files.lon, fields, notes)


def to_columns(data: Analysis, lon: Array, lat: Array, z: Array) -> dict[str, Array]:
    """Fields at the heights ``z`` (nz, ny, nx; m) of columns at ``lon``, ``lat`` (ny, nx; degrees).

    Returns
    -------
    fields : u, v eastward and northward (m/s), t (K), q (kg/kg), p (Pa), each (nz, ny, nx)

    Raises
    ------
    DriverError
        If the grid reaches beyond the data.
    """
    covered(data.lat, lat)
    columns = horizontally(data, lon, lat)
    heights, log_p = columns.pop("z"), np.log(data.p)
    k = np.clip((heights[:, None] <= z[None]).sum(0) - 1, 0, data.p.size - 2)
    low, high = (np.take_along_axis(heights, k + m, 0) for m in (0, 1))
    w = np.clip((z - low) / (high - low), 0.0, 1.0)

    def vertical(a: Array) -> Array:
        return (1 - w) * np.take_along_axis(a, k, 0) + w * np.take_along_axis(a, k + 1, 0)

    out = {name: vertical(a) for name, a in columns.items()}
    below = np.minimum(z - heights[0], 0.0)
    out["t"] = out["t"] - 6.5e-3 * below
    virtual = columns["t"] * (1 + VIRTUAL * columns["q"])
    here = out["t"] * (1 + VIRTUAL * out["q"])
    low_t, high_t = (np.take_along_axis(virtual, k + m, 0) for m in (0, 1))
    # inside, ln p meets both levels, and between them is hydrostatic with virtual temperature linear in height
    share = w * (low_t + high_t) / (low_t + here)
    inside = (1 - share) * log_p[k] + share * log_p[k + 1]
    # outside, hydrostatic from the nearest level
    over = z > heights[-1]
    start = np.where(over, heights[-1:], heights[:1])
    start_t = np.where(over, virtual[-1:], virtual[:1])
    start_p = np.where(over, log_p[-1], log_p[0])
    outside = start_p - GRAVITY * (z - start) / (R_DRY * 0.5 * (start_t + here))
    out["p"] = np.exp(np.where(over | (below < 0.0), outside, inside))
    # between two saturated levels the mean humidity is more than air of the mean temperature holds
    out["q"] = np.minimum(out["q"], saturation(out["t"], out["p"]))
    return out


def covered(own: Array, lat: Array) -> None:
    """Refuse data on the latitudes ``own`` (degrees) for a grid that reaches beyond them.

    Raises
    ------
    DriverError
        With both ranges.
    """
    if lat.min() < own[0] - 1e-6 or lat.max() > own[-1] + 1e-6:
        raise DriverError(
            f"the grid reaches from {lat.min():.1f} to {lat.max():.1f} N, the data from {own[0]:.1f} to {own[-1]:.1f} N"
            ": take data of a larger region, or make the grid smaller"
        )


def _relative_humidity(lat: Array, lon: Array, p: Array, other: AnalysisFiles | None) -> tuple[Array, str, float]:
    """Relative humidity (level, lat, lon), 0-1, for data that have none, where it is from, and its lowest pressure."""
    if other is None:
        # Manabe & Wetherald (1967, J. Atmos. Sci. 24, eq. 2)
        profile = np.clip(0.77 * (p / P_REFERENCE - DRY_AT) / (1.0 - DRY_AT), 0.01, 0.77)[:, None, None]
        shape = (p.size, lat.size, lon.size)
        return np.broadcast_to(profile, shape), PROFILE, float(p[-1])
    if "relative_humidity" in other.names:
        relative, own, _ = other.read("relative_humidity", 0)
        top = own[-1]
    elif {"specific_humidity", "air_temperature"} <= set(other.names):
        t, own, _ = other.read("air_temperature", 0)
        q, q_p, _ = other.read("specific_humidity", 0)
        top = q_p[-1]
        relative = relative_humidity(onto(q, q_p, own), t, own[:, None, None])
    else:
        raise DriverError(f"{other}: neither relative humidity nor specific humidity with temperature; add one of them")
    points = np.meshgrid(lon, np.clip(lat, other.lat[0], other.lat[-1]))
    there = _bilinear(relative, *_around(other.lon, other.lat, *points))
    date = other.dates[0]
    return (
        np.clip(onto(there, own, p), 0.01, 1.0),
        f"the relative humidity of {other}{f' of {date}' if date else ''}, whatever the weather then",
        float(top),
    )


def horizontally(data: Analysis, lon: Array, lat: Array) -> dict[str, Array]:
    """Fields (level, ny, nx) of a state at other points, bilinear.

    Parameters
    ----------
    data : the state
    lon, lat : (ny, nx) degrees
    """
    where = _around(data.lon, data.lat, lon, lat)
    return {name: _bilinear(a, *where) for name, a in data.fields.items()}


def onto(values: Array, own: Array, p: Array) -> Array:
    """Values on levels ``own`` interpolated in ln p to levels ``p``, the ends held.

    Parameters
    ----------
    values : (level, ny, nx)
    own, p : (level,) Pa, decreasing
    """
    if own.size == p.size and np.allclose(own, p):
        return values
    x, target = -np.log(own), -np.log(p)
    k = np.clip(np.searchsorted(x, target) - 1, 0, own.size - 2)
    w = np.clip((target - x[k]) / (x[k + 1] - x[k]), 0.0, 1.0)[:, None, None]
    return (1 - w) * values[k] + w * values[k + 1]


def _around(own_lon: Array, own_lat: Array, lon: Array, lat: Array) -> tuple[Any, Any, Array, Any, Array]:
    """Columns west and east of points, the weight of the eastern, rows south of them, the weight of the northern."""
    step = float(np.median(np.diff(own_lon)))
    circle = abs(step * own_lon.size - 360.0) < 0.5 * step
    x = (lon - own_lon[0]) % 360.0 / step
    x = np.where(x > 360.0 / step - 1e-6, 0.0, x)
    if not circle and float(x.max()) > own_lon.size - 1 + 1e-6:
        raise DriverError(
            f"the grid reaches from {lon.min():.1f} to {lon.max():.1f} E, the data from {own_lon[0]:.1f} to"
            f" {own_lon[-1]:.1f} E: take data of a larger region, or make the grid smaller"
        )
    i = np.minimum(np.floor(x).astype(int), own_lon.size - (1 if circle else 2))
    j = np.clip(np.searchsorted(own_lat, lat) - 1, 0, own_lat.size - 2)
    return i, (i + 1) % own_lon.size, x - i, j, (lat - own_lat[j]) / (own_lat[j + 1] - own_lat[j])


def _bilinear(a: Array, i: Array, i_next: Array, w_x: Array, j: Array, w_y: Array) -> Array:
    south = (1 - w_x) * a[:, j, i] + w_x * a[:, j, i_next]
    north = (1 - w_x) * a[:, j + 1, i] + w_x * a[:, j + 1, i_next]
    return np.asarray((1 - w_y) * south + w_y * north)
