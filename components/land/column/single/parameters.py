# SPDX-License-Identifier: BSD-3-Clause
"""The namelist of a single column of the land, in SI units."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from components.land.column.options import ColumnOptions
from components.land.column.site import BOUNDS
from components.science.single_column.parameters import Number, read, within
from coupler.clock import Clock, calendar_name
from coupler.namelist import Duration, Namelist, quantity, whole

CASES = "land_columns"
Area = quantity("1", least=0.0, most=15.0)


QUANTITIES: dict[str, tuple[float, float, str]] = {
    "air_temperature": BOUNDS["temperature"],
    "specific_humidity": BOUNDS["humidity"],
    "relative_humidity": (0.0, 1.1, "1"),
    "water_vapor_saturation_deficit_in_air": (0.0, 1.5e4, "Pa"),
    "surface_air_pressure": BOUNDS["pressure"],
    "wind_speed": BOUNDS["wind"],
    "surface_downwelling_shortwave_flux_in_air": BOUNDS["shortwave"],
    "surface_downwelling_longwave_flux_in_air": BOUNDS["longwave"],
    "precipitation_flux": BOUNDS["precipitation"],
    "snowfall_flux": BOUNDS["precipitation"],
    "mole_fraction_of_carbon_dioxide_in_air": (0.0, 1.0e-2, "1"),
    "mole_fraction_of_ozone_in_surface_air": (0.0, 1.0e-6, "1"),
}
"""Weather by CF name: least, most and unit. So degrees C, hPa, g/kg and mm a step are told from SI units."""
HUMIDITIES = ("specific_humidity", "relative_humidity", "water_vapor_saturation_deficit_in_air")
NEEDED = (
    "air_temperature", "surface_air_pressure", "wind_speed", "surface_downwelling_shortwave_flux_in_air",
    "surface_downwelling_longwave_flux_in_air", "precipitation_flux",
)  # fmt: skip


def _given(name: str) -> Any:
    least, most, unit = QUANTITIES[name]
    return within(Number, unit, least, most) | None


class Weather(Namelist):
    """A file, and numbers or values by time, which win over it."""

    file: str = ""
    """CSV file whose head has the names below and their units, such as ``air_temperature (degC)``, beside ``time``; or
    a netCDF file with these names and units."""
    label: Literal["start", "middle", "end"] = "start"
    """What part of its interval a time of the file stands for."""
    air_temperature: _given("air_temperature") = None
    """K."""
    specific_humidity: _given("specific_humidity") = None
    """kg kg-1; or one of the next two."""
    relative_humidity: _given("relative_humidity") = None
    """Over water, 0 to 1."""
    water_vapor_saturation_deficit_in_air: _given("water_vapor_saturation_deficit_in_air") = None
    """Over water, Pa."""
    surface_air_pressure: _given("surface_air_pressure") = None
    """Pa."""
    wind_speed: _given("wind_speed") = None
    """m s-1."""
    surface_downwelling_shortwave_flux_in_air: _given("surface_downwelling_shortwave_flux_in_air") = None
    """W m-2; a day's mean, shared out by the sun's height, with ``daily_means`` in ``column``."""
    surface_downwelling_longwave_flux_in_air: _given("surface_downwelling_longwave_flux_in_air") = None
    """W m-2."""
    precipitation_flux: _given("precipitation_flux") = None
    """Rain and snow, kg m-2 s-1."""
    snowfall_flux: _given("snowfall_flux") = None
    """Snow, kg m-2 s-1; without it by temperature and humidity."""
    mole_fraction_of_carbon_dioxide_in_air: _given("mole_fraction_of_carbon_dioxide_in_air") = None
    """mol mol-1; without it ``co2`` of ``column``."""
    mole_fraction_of_ozone_in_surface_air: _given("mole_fraction_of_ozone_in_surface_air") = None
    """mol mol-1, for leaves of a land with cycles."""

    @model_validator(mode="after")
    def _whole(self) -> "Weather":
        if sum(getattr(self, name) is not None for name in HUMIDITIES) > 1:
            raise ValueError(f"expected one of {', '.join(HUMIDITIES)}")
        if not self.file:
            lacking = [name for name in NEEDED if getattr(self, name) is None]
            lacking += [] if any(getattr(self, name) is not None for name in HUMIDITIES) else ["specific_humidity"]
            if lacking:
                raise ValueError(f"without a file expected also {', '.join(lacking)}")
        return self


class Case(Namelist):
    """A column's namelist."""

    title: str
    """For the output file."""
    source: str = ""
    """Where the case comes from."""
    latitude: quantity("degree", least=-89.5, most=89.5)
    """Degrees north."""
    longitude: quantity("degree", least=-180.0, most=360.0)
    """Degrees east: noon is by the sun."""
    start: str
    """Date of the start, UTC, such as 2014-06-01T00:00:00."""
    calendar: Annotated[str, AfterValidator(calendar_name)] = "standard"
    """CF calendar."""
    duration: Duration
    """Length of the run."""
    step: Duration = 1800
    """Time step."""
    output: Duration = 86400
    """Time between outputs."""
    repeat: whole(0, 10_000) = 0
    """Times the column goes through the weather before the run that is written, so that its soil is at home in it."""
    weather: Weather
    """What the air gives."""
    leaf_area_index: list[Area] | None = None
    """One value, or one a month; by default that of the plant's table."""
    canopy_height: quantity("m", above=0.0, most=120.0) | None = None
    """Of all plants in place of their table's."""
    column: ColumnOptions
    """The land's own options: plants, soil, stomata, cycles ..., as in a case."""

    @model_validator(mode="after")
    def _fits(self) -> "Case":
        for name in ("duration", "output"):
            if self.step < 1 or getattr(self, name) % self.step or getattr(self, name) < self.step:
                raise ValueError(f"{name} is not a multiple of step ({self.step} s)")
        Clock(self.start, self.calendar).origin  # noqa: B018  refuses what is no date
        if self.leaf_area_index is not None and len(self.leaf_area_index) not in (1, 12):
            raise ValueError(f"leaf_area_index: expected 1 or 12 values, found {len(self.leaf_area_index)}")
        if not self.column.plants and not self.column.surface:
            raise ValueError("column: say what grows, for example plants: {grassland: 1.0}")
        return self


def read_case(path: Path, changes: Sequence[str] = ()) -> Case:
    """A column's namelist from its file.

    Parameters
    ----------
    path : YAML file
    changes : such as ``step=PT1H`` or ``column.stomata=wang``, which win over the file
    """
    return read(path, Case, changes)
