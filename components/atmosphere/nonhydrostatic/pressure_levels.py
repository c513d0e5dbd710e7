"""Reading analyses on pressure levels and interpolating them to the model's columns.

Reads CF netCDF as ERA5, ERA-Interim, NCEP and CMIP6 write it: variables are found by standard name or by the
short names
in use; units are checked and converted; levels and latitudes come in any order; several files may share the variables.
Horizontally bilinear; vertically linear in height; below the data temperature grows by 6.5 K/km, pressure follows
hydrostatically and wind and humidity stay; above, temperature stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt

from .constants import GRAVITY, R_DRY
from .initial import specific_humidity

Array = npt.NDArray[np.float64]

NAMES = {
    "eastward_wind": ("u", "ua", "U", "u_component_of_wind", "uwnd"),
    "northward_wind": ("v", "va", "V", "v_component_of_wind", "vwnd"),
    "air_temperature": ("t", "ta", "T", "temperature", "air"),
    "geopotential_height": ("zg", "Z3", "hgt", "geopotential", "z"),
    "specific_humidity": ("q", "hus", "SHUM", "shum"),
    "relative_humidity": ("r", "hur", "RELHUM", "rhum"),
}
REQUIRED = ("eastward_wind", "northward_wind", "air_temperature", "geopotential_height")


class DriverError(ValueError):
    """Driving data that are missing, incomplete or do not cover the grid."""


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


def read_analysis(paths: Sequence[str | Path], record: int = 0, humidity: Array | None = None) -> Analysis:
    """One time of an analysis from one or several files.

    Parameters
    ----------
    paths : netCDF files that hold the variables between them
    record : number of the time
    humidity : (level,) relative humidity (0-1) to use where the files have none; 40 % falling to 1 % aloft if not given

    Raises
    ------
    DriverError
        A file or variable that is missing; the message names both.
    """
    found: dict[str, tuple[Array, Array]] = {}
    lat = lon = None
    for path in paths:
        if not Path(path).exists():
            raise DriverError(f"driving data {path} do not exist")
        with netCDF4.Dataset(path) as f:
            lat = _coordinate(f, ("lat", "latitude"))
            lon = _coordinate(f, ("lon", "longitude"))
            for name, short in NAMES.items():
                variable = _find(f, name, short)
                if variable is not None:
                    found[name] = _read(f, variable, name, record)
    missing = [name for name in REQUIRED if name not in found]
    if missing or lat is None or lon is None:
        raise DriverError(f"{', '.join(map(str, paths))}: no {' and no '.join(missing or ['latitude and longitude'])}")
    p = found["air_temperature"][1]
    notes: list[str] = []
    fields = {short: _onto(*found[name], p) for name, short in zip(REQUIRED, ("u", "v", "t", "z"), strict=True)}
    if "specific_humidity" in found:
        q, q_p = found["specific_humidity"]
        fields["q"] = np.clip(_onto(q, q_p, p), 1e-8, None)
    elif "relative_humidity" in found:
        r, r_p = found["relative_humidity"]
        fields["q"] = specific_humidity(np.clip(_onto(r, r_p, p), 0.01, 1.0), fields["t"], p[:, None, None])
    else:
        profile = np.clip(0.75 * p / 1e5, 0.01, 0.75) if humidity is None else humidity
        fields["q"] = specific_humidity(profile[:, None, None] + 0.0 * fields["t"], fields["t"], p[:, None, None])
        notes.append("the data have no humidity: relative humidity 0.75 p / 1000 hPa is assumed")
    fields["q"] = np.where(p[:, None, None] < 1.0e4, np.minimum(fields["q"], 5.0e-6), fields["q"])
    order = np.argsort(lat)
    fields = {k: np.ascontiguousarray(a[:, order]) for k, a in fields.items()}
    return Analysis(p, np.asarray(lat)[order], np.asarray(lon), fields, notes)


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
    south, north = float(data.lat[0]), float(data.lat[-1])
    if lat.min() < south - 1e-6 or lat.max() > north + 1e-6:
        raise DriverError(
            f"the grid reaches from {lat.min():.1f} to {lat.max():.1f} N, the data from {south:.1f} to {north:.1f} N"
        )
    step = float(np.median(np.diff(data.lon)))
    around = abs(step * data.lon.size - 360.0) < 0.5 * step
    x = (lon - data.lon[0]) % 360.0 / step
    if not around and float(x.max()) > data.lon.size - 1 + 1e-6:
        raise DriverError(f"the grid reaches beyond the data's longitudes {data.lon[0]:.1f} to {data.lon[-1]:.1f} E")
    i = np.minimum(np.floor(x).astype(int), data.lon.size - (1 if around else 2))
    wx = x - i
    i1 = (i + 1) % data.lon.size
    j = np.clip(np.searchsorted(data.lat, lat) - 1, 0, data.lat.size - 2)
    wy = (lat - data.lat[j]) / (data.lat[j + 1] - data.lat[j])

    def horizontal(a: Array) -> Array:
        return (1 - wy) * ((1 - wx) * a[:, j, i] + wx * a[:, j, i1]) + wy * (
            (1 - wx) * a[:, j + 1, i] + wx * a[:, j + 1, i1]
        )

    columns = {k: horizontal(a) for k, a in data.fields.items()}
    heights, log_p = columns.pop("z"), np.log(data.p)
    k = np.clip((heights[:, None] <= z[None]).sum(0) - 1, 0, data.p.size - 2)
    low, high = (np.take_along_axis(heights, k + m, 0) for m in (0, 1))
    w = np.clip((z - low) / (high - low), 0.0, 1.0)

    def vertical(a: Array) -> Array:
        return (1 - w) * np.take_along_axis(a, k, 0) + w * np.take_along_axis(a, k + 1, 0)

    out = {name: vertical(a) for name, a in columns.items()}
    below = np.minimum(z - heights[0], 0.0)
    out["t"] = out["t"] - 6.5e-3 * below
    # pressure: hydrostatic with the mean virtual temperature from the level below (or the lowest level)
    base_t = np.where(below < 0.0, columns["t"][:1], np.take_along_axis(columns["t"], k, 0))
    base_q = np.where(below < 0.0, columns["q"][:1], np.take_along_axis(columns["q"], k, 0))
    mean_t = 0.5 * (base_t * (1 + 0.608 * base_q) + out["t"] * (1 + 0.608 * out["q"]))
    inside = (below == 0.0) & (z <= heights[-1])
    weight_p = (1 - w) * log_p[k] + w * log_p[np.minimum(k + 1, data.p.size - 1)]
    # between two levels ln p is linear in z to the accuracy of the layer's mean temperature; correct it for the lapse
    start = np.where(below < 0.0, heights[:1], np.where(z > heights[-1], heights[-1:], low))
    start_p = np.where(below < 0.0, log_p[0], np.where(z > heights[-1], log_p[-1], log_p[k]))
    hydrostatic = start_p - GRAVITY * (z - start) / (R_DRY * mean_t)
    out["p"] = np.exp(np.where(inside, weight_p, hydrostatic))
    return out


def _find(f: netCDF4.Dataset, name: str, short: Sequence[str]) -> str | None:
    aliases = (name, "geopotential") if name == "geopotential_height" else (name,)
    for key, variable in f.variables.items():
        if getattr(variable, "standard_name", None) in aliases and variable.ndim >= 3:
            return str(key)
    return next((key for key in short if key in f.variables and f.variables[key].ndim >= 3), None)


def _coordinate(f: netCDF4.Dataset, names: Sequence[str]) -> Array | None:
    key = next((n for n in names if n in f.variables), None)
    return None if key is None else np.asarray(f[key][:], dtype=np.float64)


def _read(f: netCDF4.Dataset, key: str, name: str, record: int) -> tuple[Array, Array]:
    """A variable as (level, lat, lon) from the ground up in SI units, and its pressures (Pa)."""
    variable = f[key]
    dims = list(variable.dimensions)
    values = np.ma.filled(np.ma.asarray(variable[:], dtype=np.float64), np.nan)
    level = next((d for d in dims if d.startswith(("lev", "plev", "pressure", "isobaric"))), None)
    lat = next((d for d in dims if d.startswith("lat")), None)
    lon = next((d for d in dims if d.startswith("lon")), None)
    if level is None or lat is None or lon is None:
        raise DriverError(
            f"{f.filepath()}: {key} has the dimensions {dims}; pressure level, latitude and longitude are wanted"
        )
    for d in [d for d in dims if d not in (level, lat, lon)]:
        n = dims.index(d)
        if record >= values.shape[n]:
            raise DriverError(f"{f.filepath()}: {key} has {values.shape[n]} times, number {record} is wanted")
        values = np.take(values, record, n)
        dims.remove(d)
    values = values.transpose([dims.index(d) for d in (level, lat, lon)])
    p = np.asarray(f[level][:], dtype=np.float64)
    units = str(getattr(f[level], "units", "")).lower()
    if units in ("millibars", "millibar", "mbar", "mb", "hpa") or (not units.startswith("pa") and p.max() < 2000.0):
        p = 100.0 * p
    order = np.argsort(-p)
    values, p = values[order], p[order]
    units = str(getattr(variable, "units", ""))
    if units == "g/kg":
        values = values * 1e-3
    elif units in ("percent", "%"):
        values = values * 1e-2
    elif units in ("m**2 s**-2", "m2 s-2"):
        values = values / 9.80665
    elif units in ("degC", "C", "deg C"):
        values = values + 273.15
    if np.isnan(values).any():
        # below the ground some centres leave the levels out: take the value of the level above
        for n in range(values.shape[0] - 2, -1, -1):
            values[n] = np.where(np.isnan(values[n]), values[n + 1], values[n])
    return values, p


def _onto(values: Array, own: Array, p: Array) -> Array:
    """Values on levels ``own`` interpolated in ln p to levels ``p``, the ends held."""
    if own.size == p.size and np.allclose(own, p):
        return values
    x, target = -np.log(own), -np.log(p)
    k = np.clip(np.searchsorted(x, target) - 1, 0, own.size - 2)
    w = np.clip((target - x[k]) / (x[k + 1] - x[k]), 0.0, 1.0)[:, None, None]
    return (1 - w) * values[k] + w * values[k + 1]
