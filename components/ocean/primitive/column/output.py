# SPDX-License-Identifier: BSD-3-Clause
"""A column's run as a CF netCDF file."""

from pathlib import Path

import numpy as np
import xarray as xr

from components.ocean.primitive.column.parameters import Case
from components.ocean.primitive.column.run import Course
from coupler.files.atomic import whole_file

UNITS = {
    "depth": "m", "cell_thickness": "m", "sea_water_conservative_temperature": "degree_C",
    "sea_water_absolute_salinity": "g kg-1", "eastward_sea_water_velocity": "m s-1",
    "northward_sea_water_velocity": "m s-1", "turbulent_kinetic_energy": "m2 s-2",
    "ocean_mixed_layer_thickness_defined_by_temperature": "m", "surface_net_downward_shortwave_flux": "W m-2",
    "surface_downward_heat_flux_without_shortwave": "W m-2",
}  # fmt: skip
NOT_CF = ("turbulent_kinetic_energy", "surface_downward_heat_flux_without_shortwave")
"""Names that CF does not have."""


def write(path: Path, case: Case, course: Course) -> None:
    """Write a run; the file appears once it is whole.

    Parameters
    ----------
    path : netCDF file
    case, course : namelist and run
    """
    variables = {}
    for name, values in course.fields.items():
        about = {"units": UNITS[name], "long_name": name.replace("_", " ")}
        if name not in NOT_CF:
            about["standard_name"] = name
        if name == "depth":
            about["positive"] = "down"
        dims = ["time", "level"][: values.ndim]
        variables[name] = xr.Variable(dims, values, about, encoding={"_FillValue": np.nan})
    seconds = xr.Variable(["time"], course.time, {"units": "seconds", "long_name": "time since the start"})
    attributes = {
        "Conventions": "CF-1.11",
        "title": case.title,
        "source": "Tessera, single column of the ocean",
        "references": case.source,
    }
    whole = xr.Dataset(variables, {"time": seconds}, attributes)
    with whole_file(path) as made:
        whole.to_netcdf(made, engine="netcdf4")
