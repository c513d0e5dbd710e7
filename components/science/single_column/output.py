# SPDX-License-Identifier: BSD-3-Clause
"""A column's run as a CF netCDF file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from coupler.files.atomic import whole_file


def variable(
    name: str, dimensions: Sequence[str], values: npt.NDArray[Any], units: str, in_cf: bool, **more: str
) -> xr.Variable:
    """One variable of a column's file.

    Parameters
    ----------
    name : its name, also its standard name where ``in_cf``
    dimensions : of ``values``
    values : by record, or by record and level
    units : of the values
    in_cf : whether CF has the name
    **more : further attributes
    """
    about = {"units": units, "long_name": name.replace("_", " ")} | ({"standard_name": name} if in_cf else {}) | more
    return xr.Variable(dimensions, values, about, encoding={"_FillValue": np.nan})


def write_course(
    path: Path, variables: Mapping[str, xr.Variable], time: npt.NDArray[Any], title: str, source: str, references: str
) -> None:
    """Write a run; the file appears once it is whole.

    Parameters
    ----------
    path : netCDF file
    variables : by name
    time : of the records, s since the start
    title, source, references : of the file
    """
    seconds = xr.Variable(["time"], time, {"units": "seconds", "long_name": "time since the start"})
    attributes = {"Conventions": "CF-1.11", "title": title, "source": source, "references": references}
    whole = xr.Dataset(dict(variables), {"time": seconds}, attributes)
    with whole_file(path) as made:
        whole.to_netcdf(made, engine="netcdf4")
