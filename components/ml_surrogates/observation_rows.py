# SPDX-License-Identifier: BSD-3-Clause
"""What files of observations have in common: CF netCDF, a row an observation."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import CaseError, FieldError
from coupler.netcdf.dates import decode
from coupler.netcdf.packed import values
from coupler.units import conversion

Floats = npt.NDArray[np.float64]
Rows = dict[str, Any]
NAMES = ("variable", "platform")
MEASURED = ("value", "error")
T = TypeVar("T")


def read(
    path: Path, clock: Clock, numbers: Mapping[str, str], observed: Mapping[str, str],
    further: Mapping[str, str] | None = None,
) -> Rows:  # fmt: skip
    """``time`` (s since the start of the case), numbers and names (``variable``, ``platform``) of all rows, by name.

    What says its unit is converted to the one asked for; a number that is missing is NaN.

    Parameters
    ----------
    path : netCDF
    clock : dates of the case
    numbers : units of the variables of numbers that must be there besides ``value`` and ``error``
    observed : units of ``value`` and ``error`` by what the row observes
    further : units of variables that may be there, of numbers (...) or of names (none)

    Raises
    ------
    CaseError
        A file that cannot be read, lacks a variable, has columns of several lengths, or a unit that is another thing.
    """
    try:
        with netCDF4.Dataset(path) as file:
            missing = [n for n in ("time", *numbers, *MEASURED, *NAMES) if n not in file.variables]
            if missing:
                raise CaseError(f"{path.name}: expected variables {', '.join(missing)}, found none of that name")
            rows: Rows = {n: _names(file, n) for n in NAMES}
            rows["time"] = _seconds(file["time"], clock, path)
            for n, unit in {**numbers, **(further or {})}.items():
                if n in file.variables:
                    rows[n] = _numbers(file, n, unit, path) if unit else _names(file, n)
            rows |= {n: _measured(file, n, rows["variable"], observed, path) for n in MEASURED}
    except (OSError, RuntimeError) as error:
        raise CaseError(f"{path.name} cannot be read to its end: {error}") from None
    if len({len(a) for a in rows.values()}) > 1:
        found = [len(a) for a in rows.values()]
        raise CaseError(f"{path.name}: expected as many rows of every variable, found {found}")
    return rows


def wrong(rows: Rows, known: tuple[str, ...]) -> list[str]:
    """What no row may be, with its number (the first is 0): of an unknown variable, off the Earth, without an error.

    Parameters
    ----------
    rows : as `read` gives them
    known : variables that may be observed
    """
    problems = []
    for name in sorted(set(rows["variable"]) - set(known)):
        row = int(np.flatnonzero(rows["variable"] == name)[0])
        problems.append(f"row {row} observes {str(name)!r}, which is unknown; known: {', '.join(known)}")
    for name, least, most in (("longitude", -180.0, 360.0), ("latitude", -90.0, 90.0)):
        away = np.flatnonzero((rows[name] < least) | (rows[name] > most))
        if away.size:
            problems.append(
                f"{away.size} rows have a {name} beyond {least:g} to {most:g} degrees, the first is row {away[0]} "
                f"({rows[name][away[0]]:g}); say _FillValue where that stands for none"
            )
    bad = np.flatnonzero(~(rows["error"] > 0.0) & np.isfinite(rows["value"]))
    if bad.size:
        problems.append(
            f"{bad.size} rows have an error that is not above zero, the first is row {bad[0]} "
            f"({rows['error'][bad[0]]:g}); an error is a standard deviation"
        )
    return problems


def of_case(name: str, setting: Setting, read: Callable[[Path, Clock], T]) -> tuple[T | None, list[str]]:
    """The observations that a case names, and what is wrong with their file.

    Parameters
    ----------
    name : of the file, which is looked up in the case, then in data/
    setting : of the component
    read : reader of such files
    """
    path = setting.file(name)
    if not path.exists():
        return None, [f"{name} does not exist, neither in the case nor in data/"]
    try:
        return read(path, setting.clock), []
    except CaseError as error:
        return None, str(error).splitlines()


def none_left(name: str, keep: npt.NDArray[np.bool_], where: str) -> list[str]:
    """That there are observations, but none that could be used.

    Parameters
    ----------
    name : of the file
    keep : (n,) rows that could be
    where : words for where those lie
    """
    return [f"{name}: none of {len(keep)} observations lies {where}"] if len(keep) and not keep.any() else []


def _names(file: Any, name: str) -> npt.NDArray[np.str_]:
    values = file[name][:]
    if values.ndim > 1:
        values = netCDF4.chartostring(values)
    return np.array([str(v).strip() for v in np.atleast_1d(values)], dtype=str)


def _numbers(file: Any, name: str, unit: str, path: Path) -> Floats:
    """A variable in a unit; bounds have that of the variable whose they are."""
    given = getattr(file[name], "units", "") or getattr(file.variables.get(name.removesuffix("_bounds")), "units", "")
    factor, offset = _conversion(given, unit, f"{path.name}: {name}")
    return factor * values(file[name], error=CaseError) + offset


def _measured(file: Any, name: str, variable: npt.NDArray[np.str_], observed: Mapping[str, str], path: Path) -> Floats:
    """Values or errors in the unit of what each row observes; an error is a difference, which no zero moves."""
    out, given = values(file[name], error=CaseError), getattr(file[name], "units", "")
    for kind in sorted(set(variable) & set(observed)) if given else ():
        factor, offset = _conversion(given, observed[kind], f"{path.name}: {name} of {kind}")
        rows = variable == kind
        out[rows] = factor * out[rows] + (offset if name == "value" else 0.0)
    return out


def _conversion(given: str, unit: str, what: str) -> tuple[float, float]:
    if not given:
        return 1.0, 0.0
    try:
        return conversion(given, unit, water=True)
    except FieldError as error:
        raise CaseError(f"{what}: expected {unit}, found {given!r}: {error}") from None


def _seconds(variable: Any, clock: Clock, path: Path) -> Floats:
    texts = [d.strftime("%Y-%m-%dT%H:%M:%S") for d in decode(variable, path.name, CaseError).dates]
    try:
        return np.array([clock.seconds_at(text) for text in texts], dtype=np.float64)
    except ValueError as error:
        raise CaseError(f"{path.name}: {error}; leave its rows out, or take another calendar for the case") from None
