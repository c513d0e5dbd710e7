# SPDX-License-Identifier: BSD-3-Clause
"""Mean, spread and count of the members of an ensemble, from their history files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError
from coupler.files.atomic import whole_file

KINDS = ("", "_spread", "_count")
"""What follows a field's name: of its mean, of the standard deviation between members, of their number."""


def write_statistics(histories: Sequence[Path], folder: Path) -> list[Path]:
    """Write mean, standard deviation (of a sample: divided by members - 1) and count of every field of the output.

    The members are added up in their order, in double precision; a value that is missing in a member counts for none.

    Parameters
    ----------
    histories : sequence of Path
        Folders with the members' history files, in order.
    folder : Path
        Where the files go; each has its member's name and coordinates.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    CaseError
        A member lacks a file of the first one, or has other times in it.
    """
    written = []
    for first in sorted(histories[0].glob("*.nc")):
        with ExitStack() as stack, whole_file(folder / first.name) as part:
            members = []
            for history in histories:
                path = history / first.name
                if not path.is_file():
                    raise CaseError(f"{path} is not there, and {first} is: mean and spread need all members")
                members.append(stack.enter_context(netCDF4.Dataset(path)))
                members[-1].set_auto_mask(False)
            _refuse_other_times(members, [h / first.name for h in histories])
            with netCDF4.Dataset(part, "w", format=members[0].data_model) as out:
                _write(members, out)
        written.append(folder / first.name)
    return written


def _refuse_other_times(members: Sequence[Any], paths: Sequence[Path]) -> None:
    for other, path in zip(members[1:], paths[1:], strict=True):
        if "time" not in other.variables:
            continue
        if not np.array_equal(other["time"][:], members[0]["time"][:]):
            raise CaseError(f"{path} has other times than {paths[0]}: mean and spread need the same records")


def _write(members: Sequence[Any], out: Any) -> None:
    first = members[0]
    out.setncatts({k: first.getncattr(k) for k in first.ncattrs()})
    out.title = f"mean, spread and count of {len(members)} members"
    for name, dimension in first.dimensions.items():
        out.createDimension(name, None if dimension.isunlimited() else len(dimension))
    for name, variable in first.variables.items():
        if _varies(variable):
            _write_field(members, name, out)
        else:
            _copied(variable, name, out)[...] = variable[...]


def _varies(variable: Any) -> bool:
    """Whether it is a field of the run; the rest are coordinates, bounds and areas."""
    return variable.dimensions[:1] == ("time",) and variable.ndim > 1 and "cell_methods" in variable.ncattrs()


def _copied(variable: Any, name: str, out: Any, dtype: Any = None) -> Any:
    attributes = {k: variable.getncattr(k) for k in variable.ncattrs()}
    fill = attributes.pop("_FillValue", None) if dtype is None else None
    made = out.createVariable(name, dtype or variable.dtype, variable.dimensions, fill_value=fill, zlib=dtype == "i4")
    made.set_auto_mask(False)
    made.setncatts({k: v for k, v in attributes.items() if k != "_FillValue"})
    return made


def _write_field(members: Sequence[Any], name: str, out: Any) -> None:
    mean, spread = (_copied(members[0][name], name + kind, out) for kind in KINDS[:2])
    count = _copied(members[0][name], name + KINDS[2], out, "i4")
    methods = members[0][name].cell_methods
    label = str(getattr(members[0][name], "long_name", name.replace("_", " ")))
    mean.cell_methods = f"{methods} realization: mean"
    mean.ancillary_variables = f"{name}_spread {name}_count"
    spread.cell_methods = f"{methods} realization: standard_deviation"
    spread.long_name = f"standard deviation between members of {label}"
    count.long_name, count.units = f"number of members with {label}", "1"
    for made in (spread, count):
        for attribute in ("standard_name", "valid_range", "valid_min", "valid_max"):
            if attribute in made.ncattrs():
                made.delncattr(attribute)
    if "standard_name" in members[0][name].ncattrs():
        count.standard_name = f"{members[0][name].standard_name} number_of_observations"
    missing = getattr(members[0][name], "_FillValue", np.nan)
    for record in range(members[0][name].shape[0]):
        number, average, deviation = _moments([_values(m[name], record, missing) for m in members])
        mean[record] = np.where(number > 0, average, missing)
        spread[record] = np.where(number > 1, deviation, missing)
        count[record] = number


def _values(variable: Any, record: int, missing: Any) -> npt.NDArray[np.float64]:
    stored = variable[record]
    return np.where(stored == missing, np.nan, stored.astype(np.float64))


def _moments(values: Sequence[npt.NDArray[np.float64]]) -> tuple[Any, Any, Any]:
    """Count, mean and sample standard deviation over members, NaN being missing."""
    stack = np.stack(values)
    there = np.isfinite(stack)
    number = there.sum(axis=0)
    average = np.where(there, stack, 0.0).sum(axis=0) / np.maximum(number, 1)
    square = np.where(there, (stack - average) ** 2, 0.0).sum(axis=0)
    return number, average, np.sqrt(square / np.maximum(number - 1, 1))
