# SPDX-License-Identifier: BSD-3-Clause
"""What files of observations have in common: CF netCDF, a row an observation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]
Rows = dict[str, Any]
NAMES = ("variable", "platform")
T = TypeVar("T")


def read(path: Path, clock: Clock, numbers: tuple[str, ...], further: tuple[str, ...] = ()) -> Rows:
    """``time`` (s since the start of the case), numbers and names (``variable``, ``platform``) of all rows, by name.

    Parameters
    ----------
    path : netCDF
    clock : dates of the case
    numbers : variables of numbers that must be there
    further : variables that may be there, of numbers (...) or of names

    Raises
    ------
    CaseError
        A file that cannot be read, lacks a variable, or has columns of several lengths.
    """
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            missing = [n for n in ("time", *numbers, *NAMES) if n not in file.variables]
            if missing:
                raise CaseError(f"{path.name}: expected variables {', '.join(missing)}, found none of that name")
            rows: Rows = {"time": _seconds(file["time"], clock, path)}
            rows |= {n: np.asarray(file[n][:], dtype=np.float64) for n in numbers}
            rows |= {n: _names(file, n) for n in NAMES}
            for n in further:
                if n in file.variables:
                    text = file[n].dtype is str or file[n].dtype.kind in "SU"
                    rows[n] = _names(file, n) if text else np.asarray(file[n][:], dtype=np.float64)
    except (OSError, RuntimeError) as error:
        raise CaseError(f"{path.name} cannot be read to its end: {error}") from None
    if len({len(a) for a in rows.values()}) > 1:
        found = [len(a) for a in rows.values()]
        raise CaseError(f"{path.name}: expected as many rows of every variable, found {found}")
    return rows


def wrong(rows: Rows, known: tuple[str, ...]) -> list[str]:
    """What no row may be, with its number (the first is 0): an unknown variable, an error that is not above zero.

    Parameters
    ----------
    rows : as `read` gives them
    known : variables that may be observed
    """
    problems = []
    for name in sorted(set(rows["variable"]) - set(known)):
        row = int(np.flatnonzero(rows["variable"] == name)[0])
        problems.append(f"row {row} observes {str(name)!r}, which is unknown; known: {', '.join(known)}")
    bad = np.flatnonzero(~(rows["error"] > 0.0))
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
