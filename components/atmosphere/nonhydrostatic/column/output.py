# SPDX-License-Identifier: BSD-3-Clause
"""A column's run as a CF netCDF file."""

from pathlib import Path

from components.atmosphere.nonhydrostatic.column.parameters import Case
from components.atmosphere.nonhydrostatic.column.run import Course
from components.science.single_column.output import variable, write_course

UNITS = {
    "height": "m", "height_interface": "m", "air_pressure": "Pa", "air_potential_temperature": "K",
    "air_temperature": "K", "specific_humidity": "1", "eastward_wind": "m s-1", "northward_wind": "m s-1",
    "dry_air_mass": "kg m-2", "rainfall_flux": "kg m-2 s-1", "snowfall_flux": "kg m-2 s-1",
    "friction_velocity": "m s-1", "surface_upward_sensible_heat_flux": "W m-2",
    "surface_upward_latent_heat_flux": "W m-2", "column_water_residual": "kg m-2 s-1",
    "column_energy_residual": "W m-2", "column_radiative_heating": "W m-2",
    "atmosphere_updraft_convective_mass_flux": "kg m-2 s-1",
    "convective_cloud_area_fraction_in_atmosphere_layer": "1", "toa_outgoing_longwave_flux": "W m-2",
    "toa_absorbed_shortwave_flux": "W m-2", "surface_net_downward_radiative_flux": "W m-2",
    "net_downward_radiative_flux_at_top_of_atmosphere_model": "W m-2",
}  # fmt: skip
NOT_CF = (
    "height_interface", "dry_air_mass", "friction_velocity", "column_water_residual", "column_energy_residual",
    "column_radiative_heating", "toa_absorbed_shortwave_flux",
)  # fmt: skip
"""Names that CF does not have."""


def write(path: Path, case: Case, course: Course) -> None:
    """Write a run; the file appears once it is whole.

    Parameters
    ----------
    path : netCDF file
    case, course : namelist and run
    """
    levels = course.profiles["height"].shape[1]
    variables = {}
    for name, values in course.profiles.items():
        dims = ["time"] if values.ndim == 1 else ["time", "level" if values.shape[1] == levels else "interface"]
        unit = UNITS.get(name) or ("kg m-2" if name.startswith("atmosphere_mass_content") else "kg kg-1")
        variables[name] = variable(name, dims, values, unit, name in UNITS and name not in NOT_CF)
    write_course(path, variables, course.time, case.title, "Tessera, single column", case.source)
