# SPDX-License-Identifier: BSD-3-Clause
"""Fields of history files, ready to be drawn: in the units a reader expects, with dates and places."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError
from coupler.fields import ZERO_CELSIUS, dictionary
from coupler.netcdf.opening import open_dataset

Floats = npt.NDArray[np.float64]
SHOWN = {"K": ("°C", 1.0, -ZERO_CELSIUS), "kg m-2 s-1": ("mm day⁻¹", 86400.0, 0.0), "Pa": ("hPa", 0.01, 0.0)}
"""Unit of a figure for the unit of a file: its name, factor and offset."""
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Record:
    """A field of a history file, with what a figure needs to know.

    Parameters
    ----------
    name, label, unit : str
        CF name, readable name, unit shown.
    component, stream : str
        Where it comes from.
    values : array (time, ...)
        In the unit shown; NaN where there is none.
    times : list of cftime dates
        End of each record's interval, or its instant.
    intervals : list of (date, date)
        Averaging intervals; empty of instants.
    longitude, latitude : array
        Of the field's shape.
    """

    name: str
    label: str
    unit: str
    component: str
    stream: str
    values: Floats
    times: list[Any]
    intervals: list[tuple[Any, Any]]
    longitude: Floats
    latitude: Floats
    note: str = ""

    @property
    def weights(self) -> Floats:
        """Relative cell areas for means."""
        return np.cos(np.deg2rad(self.latitude))

    def mean(self, number: int) -> float:
        """Area-weighted mean of a record."""
        values = self.values[number]
        there = np.isfinite(values)
        return float((values * self.weights)[there].sum() / self.weights[there].sum()) if there.any() else np.nan

    def when(self, number: int) -> str:
        """Date of a record, or its interval."""
        if not self.intervals:
            return short_date(self.times[number])
        first, last = self.intervals[number]
        return f"mean of {short_date(first)} to {short_date(last)}"


def shown_unit(name: str, units: str) -> tuple[str, float, float]:
    """Unit of figures of a field, with the factor and the offset from ``units``; stresses stay in Pa.

    Carbon dioxide, some 0.0004 of the air, is shown in ppm.

    Parameters
    ----------
    name : CF name of the field
    units : of its values
    """
    if units == "Pa" and "pressure" not in name:
        return units, 1.0, 0.0
    if units == "1" and name.startswith("mole_fraction_of_carbon_dioxide"):
        return "ppm", 1e6, 0.0
    return SHOWN.get(units, (units, 1.0, 0.0))


def unit_of(name: str) -> str:
    """SI unit of a field of the output, or of what it is at a height; empty of one that nobody knows.

    >>> unit_of("geopotential_height_at_500hPa")
    'm'

    Parameters
    ----------
    name : of the field
    """
    known = dictionary()
    return str(known.get(name, known.get(name.partition("_at_")[0], {})).get("units", ""))


def outputs(history: Path) -> list[Path]:
    """Files of a run's output, by name; one that lies in pieces, in folders by month, counts once.

    Parameters
    ----------
    history : folder of the output
    """
    return [
        history / name for name in sorted({p.name for pattern in ("*.nc", "*/*.nc") for p in history.glob(pattern)})
    ]


def parts(path: Path) -> list[Path]:
    """The pieces of a file of the output, in order of time; none if there is no such output.

    Parameters
    ----------
    path : as `outputs` names it
    """
    return [*sorted(path.parent.glob(f"*/{path.name}")), *([path] if path.is_file() else [])]


def opened(path: Path) -> Any:
    """A file of the output, open; its numbers come unpacked, masked where they are missing.

    Parameters
    ----------
    path : of one file

    Raises
    ------
    CaseError
        It cannot be read: cut short by a stop, or something else.
    """
    file = open_dataset(path, CaseError)
    file.set_auto_maskandscale(True)
    return file


def fields_of(path: Path) -> list[str]:
    """Names of the fields of a history file, or one in pieces, that can be drawn."""
    with opened(parts(path)[-1]) as file:
        return [
            name
            for name, v in file.variables.items()
            if "time" in v.dimensions and v.ndim >= 2 and "bounds" not in name and v.dimensions != ("time", "bounds2")
        ]


def read(path: Path, name: str, level: int = 0) -> Record:
    """Read a field of a history file, or of its pieces; of a field with levels, one of them.

    Parameters
    ----------
    path : history file, as `outputs` names it
    name : field in it
    level : of a field with levels, counted from 0
    """
    records = [_read(part, name, level) for part in parts(path)]
    first = records[0] if records else _read(path, name, level)
    if len(records) < 2:
        return first
    values = np.concatenate([r.values for r in records])
    times, intervals = ([x for r in records for x in getattr(r, kind)] for kind in ("times", "intervals"))
    return replace(first, values=values, times=times, intervals=intervals)


def _read(path: Path, name: str, level: int) -> Record:
    with opened(path) as file:
        variable = file[name]
        time = file["time"]
        dates = list(np.atleast_1d(cftime.num2date(time[:], time.units, time.calendar)))
        intervals: list[tuple[Any, Any]] = []
        if hasattr(time, "bounds") and time.bounds in file.variables:
            intervals = [tuple(p) for p in cftime.num2date(file[time.bounds][:], time.units, time.calendar)]
        values = np.ma.filled(np.ma.asarray(variable[:], dtype=np.float64), np.nan)
        suffix = str(variable.dimensions[-1]).partition("_")[2]
        suffix = f"_{suffix}" if suffix else ""
        lon, lat = (np.asarray(file[n + suffix][:], dtype=np.float64) for n in ("lon", "lat"))
        if lon.ndim == 1 and variable.dimensions[-1].startswith("lon"):
            lon, lat = np.meshgrid(lon, lat)
        unit, factor, offset = shown_unit(name, str(variable.units))
        note = ""
        if values.ndim > 1 + lon.ndim:
            note = f", level {level + 1} of {values.shape[1]}"
            values = values[:, level]
        component, stream = path.stem.split(".", 1)
        label = str(getattr(variable, "long_name", name)).replace("_", " ")
    return Record(
        name, label, _pretty(unit), component, stream, values * factor + offset, dates, intervals, lon, lat, note
    )


def _pretty(unit: str) -> str:
    """Unit with superscripts: W m-2 becomes W m⁻²."""
    words = []
    for word in unit.split():
        letters = word.rstrip("-0123456789")
        words.append(letters + word[len(letters) :].translate(SUPERSCRIPT) if letters else word)
    return " ".join(words)


def short_date(date: Any) -> str:
    """Date of a cftime date, with the time of day where it is not midnight."""
    return str(date.strftime("%Y-%m-%d" if (date.hour, date.minute, date.second) == (0, 0, 0) else "%Y-%m-%d %H:%M"))
