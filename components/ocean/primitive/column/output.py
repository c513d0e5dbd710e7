# SPDX-License-Identifier: BSD-3-Clause
"""A column's run as a CF netCDF file."""

from pathlib import Path

from components.ocean.primitive.column.parameters import Case
from components.ocean.primitive.column.run import Course
from components.science.single_column.output import variable, write_course

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
        dims = ["time", "level"][: values.ndim]
        more = {"positive": "down"} if name == "depth" else {}
        variables[name] = variable(name, dims, values, UNITS[name], name not in NOT_CF, **more)
    write_course(path, variables, course.time, case.title, "Tessera, single column of the ocean", case.source)
