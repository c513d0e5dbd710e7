# SPDX-License-Identifier: BSD-3-Clause
"""Observations in CF netCDF: a row an observation.

Variables of one dimension: ``time`` (units since a date), ``longitude``, ``latitude`` (degrees), ``air_pressure`` (Pa,
or the unit that it says), ``variable`` (names), ``value`` and ``error`` (standard deviation, SI), ``platform`` (names);
``air_pressure_bounds`` (observations, 2) makes those rows means over a layer where it is given.
"""

from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt

from components.ml_surrogates import observation_rows
from coupler.clock import Clock
from coupler.errors import CaseError
from coupler.files.atomic import whole_file

Floats = npt.NDArray[np.float64]
UNITS = {"air_temperature": "K", "humidity_mixing_ratio": "1", "eastward_wind": "m s-1", "northward_wind": "m s-1"}
"""Variables that may be observed."""
NUMBERS = {"longitude": "degrees", "latitude": "degrees", "air_pressure": "Pa"}


class Table(NamedTuple):
    """Observations, (n,) each.

    Attributes
    ----------
    time : s since the start of the case
    longitude, latitude : degrees
    pressure : (n, 2) of the layer seen, its lower and upper end; equal at a point, Pa
    variable, platform : names
    value, error : and standard deviation, SI
    """

    time: Floats
    longitude: Floats
    latitude: Floats
    pressure: Floats
    variable: npt.NDArray[np.str_]
    platform: npt.NDArray[np.str_]
    value: Floats
    error: Floats

    def where(self, keep: npt.NDArray[Any]) -> "Table":
        """Some of the rows."""
        return Table(*(a[keep] for a in self))


_NONE, _NO_NAMES = np.zeros(0), np.zeros(0, dtype=str)
EMPTY = Table(_NONE, _NONE, _NONE, np.zeros((0, 2)), _NO_NAMES, _NO_NAMES, _NONE, _NONE)
"""No observation."""


def read(path: Path, clock: Clock) -> Table:
    """The observations of a file, in the order of their times.

    Parameters
    ----------
    path : netCDF
    clock : dates of the case

    Raises
    ------
    CaseError
        All that is wrong with the file.
    """
    rows = observation_rows.read(path, clock, NUMBERS, UNITS, {"air_pressure_bounds": "Pa"})
    p = rows["air_pressure"]
    bounds = np.stack([p, p], -1)
    if "air_pressure_bounds" in rows:
        given = rows["air_pressure_bounds"]
        bounds = np.where(np.isfinite(given) & (given > 0.0) & (given < 2e5), given, bounds)
        bounds = np.stack([bounds.max(-1), bounds.min(-1)], -1)
    problems = observation_rows.wrong(rows, tuple(UNITS))
    if problems:
        raise CaseError("\n".join(f"{path.name}: {text}" for text in problems))
    names = "longitude", "latitude", "variable", "platform", "value", "error"
    lon, lat, variable, platform, value, error = (rows[n] for n in names)
    table = Table(rows["time"], lon, lat, bounds, variable, platform, value, error)
    return table.where(np.argsort(table.time, kind="stable"))


def write(path: Path, t: Table, clock: Clock) -> None:
    """A file that `read` reads.

    Parameters
    ----------
    path : netCDF to write
    t : observations
    clock : dates of the case
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w") as file:
        file.Conventions = "CF-1.11"
        file.createDimension("observation", len(t.time))
        file.createDimension("bounds", 2)
        time = file.createVariable("time", "f8", ("observation",), zlib=True)
        time.setncatts({"units": f"seconds since {clock.text(0)}", "calendar": clock.calendar, "standard_name": "time"})
        time[:] = t.time
        numbers = {
            "longitude": (t.longitude, "degrees_east"), "latitude": (t.latitude, "degrees_north"),
            "air_pressure": (np.sqrt(t.pressure[:, 0] * t.pressure[:, 1]), "Pa"),
        }  # fmt: skip
        for name, (values, units) in numbers.items():
            made = file.createVariable(name, "f8", ("observation",), zlib=True)
            made.setncatts({"units": units, "standard_name": name})
            made[:] = values
        file["air_pressure"].bounds = "air_pressure_bounds"
        file.createVariable("air_pressure_bounds", "f8", ("observation", "bounds"), zlib=True)[:] = t.pressure
        for name, values in (("value", t.value), ("error", t.error)):
            made = file.createVariable(name, "f8", ("observation",), zlib=True)
            made.long_name = f"{name} of the variable that the row observes, SI units"
            made[:] = values
        for name, texts in (("variable", t.variable), ("platform", t.platform)):
            length = max((len(text) for text in texts), default=1)
            file.createDimension(f"{name}_length", length)
            made = file.createVariable(name, "S1", ("observation", f"{name}_length"), zlib=True)
            made.long_name = f"name of the {name}"
            if len(texts):
                made[:] = netCDF4.stringtochar(np.asarray(texts, dtype=f"S{length}"))
