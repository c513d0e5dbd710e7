# SPDX-License-Identifier: BSD-3-Clause
"""What is known at a tower: its weather, the fluxes that a land column gives under it, and those measured."""

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt

from components.ml_surrogates.model_file import Variable
from coupler.errors import TesseraError
from coupler.files.atomic import whole_file

Series = npt.NDArray[np.float64]
WEATHER = (
    Variable("air_temperature", "K"), Variable("water_vapor_saturation_deficit_in_air", "Pa"),
    Variable("wind_speed", "m s-1"), Variable("surface_downwelling_shortwave_flux_in_air", "W m-2"),
    Variable("surface_downwelling_longwave_flux_in_air", "W m-2"),
)  # fmt: skip
FLUXES = (
    Variable("gross_primary_productivity", "umol m-2 s-1"), Variable("surface_upward_latent_heat_flux", "W m-2"),
    Variable("surface_upward_sensible_heat_flux", "W m-2"),
)  # fmt: skip
INSIDE = (
    FLUXES[0], Variable("transpiration_flux", "kg m-2 s-1"), Variable("evaporation_flux", "kg m-2 s-1"),
    Variable("surface_net_downward_radiative_flux", "W m-2"),
)  # fmt: skip
"""What the mechanism has inside, or gives on the way: the intermediate variables."""
GROUPS = {"weather": WEATHER, "column": (*FLUXES, *INSIDE[1:]), "measured": FLUXES}


class SeriesError(TesseraError):
    """A file of series that cannot be used."""


@dataclass(frozen=True)
class Tower:
    """Half-hourly (or other) series of one place.

    Attributes
    ----------
    name : of the place
    seconds : from one value to the next
    weather, column, measured : (n, variables) in the order of `GROUPS`; measured values may be missing (NaN)
    """

    name: str
    seconds: float
    weather: Series
    column: Series
    measured: Series

    @property
    def a_day(self) -> int:
        """Values a day."""
        return round(86400.0 / self.seconds)

    @property
    def fluxes(self) -> Series:
        """The column's own values of the measured fluxes, (n, 3)."""
        return self.column[:, : len(FLUXES)]

    @property
    def inside(self) -> Series:
        """The column's intermediate variables, (n, 4)."""
        return self.column[:, [0, *range(len(FLUXES), self.column.shape[1])]]


def write(path: Path, tower: Tower) -> None:
    """Keep a tower's series in a netCDF file of three groups.

    Parameters
    ----------
    path : file to write
    tower : its series
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w", format="NETCDF4") as f:
        f.tower, f.seconds = tower.name, tower.seconds
        f.createDimension("time", len(tower.weather))
        for group, variables in GROUPS.items():
            g = f.createGroup(group)
            for variable, values in zip(variables, getattr(tower, group).T, strict=True):
                v = g.createVariable(variable.name, "f8", ("time",), zlib=True)
                v.units = variable.units
                v[:] = values


def read(path: Path) -> Tower:
    """The series of `write`.

    Raises
    ------
    SeriesError
        The file is missing or damaged, lacks a variable, has another unit, or gaps where none may be.
    """
    try:
        f = netCDF4.Dataset(path)
    except OSError as error:
        raise SeriesError(f"{path} cannot be read ({error}); benchmarks/tower_series.py writes it") from error
    with f:
        f.set_auto_mask(False)
        found = {}
        for group, variables in GROUPS.items():
            columns = []
            for v in variables:
                if group not in f.groups or v.name not in f[group].variables:
                    raise SeriesError(f"{path}: expected {group}/{v.name}, which is not there")
                given = f[group][v.name]
                if given.units != v.units:
                    raise SeriesError(f"{path}: {group}/{v.name}: expected {v.units}, found {given.units}")
                columns.append(np.asarray(given[:], dtype=np.float64))
                gaps = int((~np.isfinite(columns[-1])).sum())
                if gaps and group != "measured":
                    raise SeriesError(f"{path}: {group}/{v.name} has {gaps} gaps: fill them first")
            found[group] = np.stack(columns, axis=1)
        return Tower(str(f.tower), float(f.seconds), **found)
