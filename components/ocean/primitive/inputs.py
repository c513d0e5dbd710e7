# SPDX-License-Identifier: BSD-3-Clause
"""Reading the input file of a regional ocean: sea floor, hydrography, open edges.

`data/make_ocean_inputs.py` writes such files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from components.ocean.primitive.surface import SHORTWAVE_BANDS
from components.science.fingerprint import fingerprint_of


class InputError(ValueError):
    """An input file that does not fit: the message says what to do."""


@dataclass(frozen=True)
class Inputs:
    """Arrays of an input file, ``(z, y, x)``, dry cells filled from their neighbours or from above.

    ``depth`` (m, 0 is land), ``thickness`` of the levels (m); ``temperature`` (conservative, annual mean, degC),
    ``anomaly`` ``(12, upper levels, y, x)`` by month; ``salinity`` (absolute, g kg-1); ``east_*`` ``(y,)`` or ``(z,
    y)`` and ``south_*`` ``(x,)`` or ``(z, x)``: transports (m2 s-1), velocities (m s-1) and sea level (m) at the
    open edges. ``tides``: amplitudes (m) and phases (degrees), which refer to the date ``tide_reference``, or are lags
    behind the equilibrium tide where that is `GREENWICH`. ``open_share``: of the east and north faces' lengths, what
    water passes, ``(y, x)``; None where the file does not say (all). ``water_type``: Jerlov's, as positions in
    `surface.SHORTWAVE_BANDS`, ``(y, x)``; None where the file does not say.
    """

    longitude: np.ndarray
    latitude: np.ndarray
    depth: np.ndarray
    thickness: np.ndarray
    temperature: np.ndarray
    anomaly: np.ndarray
    salinity: np.ndarray
    east_transport: np.ndarray
    east_velocity: np.ndarray
    east_level: np.ndarray
    south_transport: np.ndarray
    south_velocity: np.ndarray
    south_level: np.ndarray
    tides: dict[str, np.ndarray] | None = None
    tide_reference: str = ""
    open_share: tuple[np.ndarray, np.ndarray] | None = None
    water_type: np.ndarray | None = None

    def temperature_on(self, day_of_year: float) -> np.ndarray:
        """Temperature at a day of the year (0 to 365), linear between the middles of the months."""
        position = (day_of_year / 365.0 * 12.0 - 0.5) % 12.0
        low = int(position)
        weight = position - low
        out = self.temperature.copy()
        out[: self.anomaly.shape[1]] += (1 - weight) * self.anomaly[low % 12] + weight * self.anomaly[(low + 1) % 12]
        return out


NAMES = {
    "depth": "sea_floor_depth_below_geoid",
    "thickness": "cell_thickness",
    "temperature": "sea_water_conservative_temperature",
    "anomaly": "sea_water_conservative_temperature_anomaly",
    "salinity": "sea_water_absolute_salinity",
    "east_transport": "eastern_transport",
    "east_velocity": "eastern_velocity",
    "east_level": "eastern_sea_level",
    "south_transport": "southern_transport",
    "south_velocity": "southern_velocity",
    "south_level": "southern_sea_level",
}
GREENWICH = "Greenwich"  # tide_reference of phases that are lags behind the equilibrium tide at Greenwich
WATER_TYPE = "jerlov_water_type"  # with flag_values and flag_meanings, as CF says
OPEN_SHARE = "open_share_of_eastern_faces", "open_share_of_northern_faces"
TIDES = {f"{edge}_{part}": f"{edge}ern_tide_{part}" for edge in ("east", "south") for part in ("amplitude", "phase")}


def read_depth(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitudes, latitudes and depth of the sea floor alone (quick: every process asks for the wet mask)."""
    with netCDF4.Dataset(path) as data:
        x, y, depth = (np.ma.filled(data[n][:].astype(float), 0.0) for n in ("longitude", "latitude", NAMES["depth"]))
        return x, y, depth


def sea_floor_mark(path: Path) -> str:
    """Words for the sea floor and the levels on it, which end in their fingerprint."""
    with netCDF4.Dataset(path) as data:
        depth, thickness = (np.ma.filled(data[NAMES[n]][:].astype(float), 0.0) for n in ("depth", "thickness"))
    wet = depth[depth > 0]
    least, most = (wet.min(), wet.max()) if wet.size else (0.0, 0.0)
    return (
        f"{wet.size} columns, {least:g} to {most:g} m deep, {thickness.size} levels"
        f" (fingerprint {fingerprint_of(depth, thickness)})"
    )


def read_domain(path: Path) -> np.ndarray | None:
    """Where the model decides what is sea and what is land (y, x), bool; None where the file does not say."""
    with netCDF4.Dataset(path) as data:
        name = "model_domain_binary_mask"
        return np.ma.filled(data[name][:], 1) > 0 if name in data.variables else None


def read_inputs(path: Path) -> Inputs:
    """Read the file.

    Raises
    ------
    InputError
        If a variable is missing.
    """
    with netCDF4.Dataset(path) as data:
        missing = [name for name in NAMES.values() if name not in data.variables]
        if missing:
            raise InputError(f"{path} has no {', '.join(missing)}; data/make_ocean_inputs.py writes such a file")
        arrays: dict[str, Any] = {key: np.ma.filled(data[name][:].astype(float), np.nan) for key, name in NAMES.items()}
        arrays |= {name: np.asarray(data[name][:], float) for name in ("longitude", "latitude")}
        if all(name in data.variables for name in OPEN_SHARE):
            arrays["open_share"] = tuple(np.asarray(data[name][:], float) for name in OPEN_SHARE)
        if WATER_TYPE in data.variables:
            arrays["water_type"] = _water_types(path, data[WATER_TYPE])
        if any(name in data.variables for name in TIDES.values()):
            missing = [name for name in TIDES.values() if name not in data.variables]
            if missing or not hasattr(data, "tide_reference"):
                raise InputError(
                    f"{path} has tides but no {', '.join(missing) or 'attribute tide_reference (a date, or Greenwich)'}"
                )
            arrays["tides"] = {key: np.asarray(data[name][:], float) for key, name in TIDES.items()}
            arrays["tide_reference"] = str(data.tide_reference)
    arrays["depth"] = np.nan_to_num(arrays["depth"])
    for key, default in (("temperature", 4.0), ("anomaly", 0.0), ("salinity", 35.0)):
        arrays[key] = np.where(np.isnan(arrays[key]), default, arrays[key])
    return Inputs(**arrays)


def _water_types(path: Path, variable: netCDF4.Variable) -> np.ndarray:
    """Positions in `SHORTWAVE_BANDS` of the types that the variable's flags name."""
    names = str(getattr(variable, "flag_meanings", "")).split()
    flags = np.atleast_1d(getattr(variable, "flag_values", []))
    values, known = np.ma.filled(variable[:], flags[0] if flags.size else 0), list(SHORTWAVE_BANDS)
    if not names or len(names) != flags.size or not {*names} <= {*known} or not np.isin(values, flags).all():
        raise InputError(
            f"{path}: {WATER_TYPE} needs flag_values and flag_meanings that name all its values, of {', '.join(known)}"
        )
    out = np.zeros(values.shape, int)
    for flag, name in zip(flags, names, strict=True):
        out[values == flag] = known.index(name)
    return out
