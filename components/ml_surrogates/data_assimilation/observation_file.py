# SPDX-License-Identifier: BSD-3-Clause
"""Observations in CF netCDF: a row an observation.

Variables of one dimension: ``time`` (units since a date), ``longitude``, ``latitude`` (degrees), ``air_pressure`` (Pa),
``variable`` (names), ``value`` and ``error`` (standard deviation, SI), ``platform`` (names); ``air_pressure_bounds``
(observations, 2) makes those rows means over a layer where it is given.
"""

from pathlib import Path
from typing import Any, NamedTuple

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.errors import CaseError
from coupler.files.atomic import whole_file

Floats = npt.NDArray[np.float64]
UNITS = {"air_temperature": "K", "humidity_mixing_ratio": "1", "eastward_wind": "m s-1", "northward_wind": "m s-1"}
"""Variables that may be observed."""
NUMBERS = ("longitude", "latitude", "air_pressure", "value", "error")


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


def _names(file: Any, name: str) -> npt.NDArray[np.str_]:
    values = file[name][:]
    if values.ndim > 1:
        values = netCDF4.chartostring(values)
    return np.array([str(v).strip() for v in np.atleast_1d(values)], dtype=str)


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
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            missing = [n for n in ("time", *NUMBERS, "variable", "platform") if n not in file.variables]
            if missing:
                raise CaseError(f"{path.name}: expected variables {', '.join(missing)}, found none of that name")
            time = _seconds(file["time"], clock, path)
            lon, lat, p, value, error = (np.asarray(file[n][:], dtype=np.float64) for n in NUMBERS)
            variable, platform = _names(file, "variable"), _names(file, "platform")
            bounds = np.stack([p, p], -1)
            if "air_pressure_bounds" in file.variables:
                given = np.asarray(file["air_pressure_bounds"][:], dtype=np.float64)
                bounds = np.where(np.isfinite(given) & (given > 0.0) & (given < 2e5), given, bounds)
                bounds = np.stack([bounds.max(-1), bounds.min(-1)], -1)
    except (OSError, RuntimeError) as error_of_file:
        raise CaseError(f"{path.name} cannot be read to its end: {error_of_file}") from None
    table = Table(time, lon, lat, bounds, variable, platform, value, error)
    if len({len(a) for a in table}) > 1:
        raise CaseError(f"{path.name}: expected as many rows of every variable, found {[len(a) for a in table]}")
    problems = wrong_rows(table)
    if problems:
        raise CaseError("\n".join(f"{path.name}: {text}" for text in problems))
    return table.where(np.argsort(table.time, kind="stable"))


def _seconds(variable: Any, clock: Clock, path: Path) -> Floats:
    units = getattr(variable, "units", "")
    try:
        dates = cftime.num2date(
            variable[:], units, getattr(variable, "calendar", clock.calendar), only_use_cftime_datetimes=True
        )
    except (ValueError, TypeError) as error:
        raise CaseError(f"{path.name}: time has units {units!r}: {error}") from None
    texts = [d.strftime("%Y-%m-%dT%H:%M:%S") for d in np.atleast_1d(dates)]
    return np.array([clock.seconds_at(text) for text in texts], dtype=np.float64)


def wrong_rows(t: Table) -> list[str]:
    """What no row may be, with its number (the first is 0)."""
    problems = []
    for name in sorted(set(t.variable) - set(UNITS)):
        row = int(np.flatnonzero(t.variable == name)[0])
        problems.append(f"row {row} observes {str(name)!r}, which is unknown; known: {', '.join(UNITS)}")
    bad = np.flatnonzero(~(t.error > 0.0))
    if bad.size:
        problems.append(
            f"{bad.size} rows have an error that is not above zero, the first is row {bad[0]} ({t.error[bad[0]]:g}); "
            "an error is a standard deviation"
        )
    return problems


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
