# SPDX-License-Identifier: BSD-3-Clause
"""Atmosphere prescribed from CF files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.science.water import dew_point, saturation_pressure, specific_humidity, vapour_pressure
from coupler.component import Array, Context, Fields, Setting
from coupler.fields import FieldSpec
from coupler.files.prescribed import Prescribed
from coupler.namelist import quantity

HEAT = (
    "surface_downward_sensible_heat_flux",
    "surface_downward_latent_heat_flux",
    "surface_net_downward_shortwave_flux",
    "surface_net_downward_longwave_flux",
)
WATER = ("water_evapotranspiration_flux",)
MOMENTUM = ("surface_downward_eastward_stress", "surface_downward_northward_stress")


DewPointExcess = quantity("K", least=0.0, most=3.0)
AirHeight = quantity("m", least=0.0, most=1000.0)


class DataAtmosphere(Prescribed):
    """Lowest air, radiation and precipitation from CF files, interpolated in time."""

    description = "prescribed air, radiation and precipitation"
    offers = (
        "air_temperature",
        "specific_humidity",
        "eastward_wind",
        "northward_wind",
        "wind_speed",
        "air_pressure_at_mean_sea_level",
        "surface_air_pressure",
        "surface_downwelling_shortwave_flux_in_air",
        "surface_downwelling_longwave_flux_in_air",
        "precipitation_flux",
    )

    shapes_state = ("count_fluxes",)

    class Options(Prescribed.Options):
        """Options of the data atmosphere."""

        count_fluxes: bool = False
        """Whether to take in what sea and land exchange with the air, for budgets and output; it changes no air."""
        dew_point_excess: DewPointExcess = 0.0
        """By how much the file's dew points are too high: ships read 0.5 K too much (Isemer and Hasse 1987)."""
        height: AirHeight = 0.0
        """Height of the air's values above the surface, for flux laws and lands; 0: not said, and they take 10 m."""

    def __init__(self, options: Any):
        super().__init__(options)
        if options.count_fluxes:
            # beyond the sea and land of the case there is nobody to exchange with
            self.imports = tuple(FieldSpec(n, required=False, partial=True) for n in (*HEAT, *WATER, *MOMENTUM))
        if options.height:
            self.exports = (*self.exports, FieldSpec("height"))
        self.given: dict[str, Any] = {}

    def check(self, setting: Setting) -> list[str]:
        """As of every data model; and whether what the dew points need is read."""
        missing = {"specific_humidity", "surface_air_pressure"} - {f.name for f in self._read}
        if self.options.dew_point_excess and missing:
            return [f"dew_point_excess needs {', '.join(sorted(missing))} among the fields", *super().check(setting)]
        return super().check(setting)

    def _at(self, time: int) -> Fields:
        fields = super()._at(time)
        if self.options.dew_point_excess:
            fields["specific_humidity"] = self.drier(fields["specific_humidity"], fields["surface_air_pressure"])
        if self.options.height:
            fields["height"] = np.full(self._wanted.shape, self.options.height)
        return fields

    def drier(self, humidity: Array, pressure: Array) -> Array:
        """Specific humidity (kg kg-1) with the dew point lowered by `dew_point_excess`; where there is none, none.

        Parameters
        ----------
        humidity : kg kg-1
        pressure : of the air there, Pa
        """
        e = vapour_pressure(humidity, pressure)
        lowered = saturation_pressure(dew_point(np.maximum(e, 1e-3)) - self.options.dew_point_excess)
        return np.where(e > 1e-3, specific_humidity(lowered, np.maximum(pressure, 1.0)), humidity)

    def initialize(self, context: Context) -> Fields:
        """Open the files; nothing has been given away yet."""
        self.given = {f.name: np.zeros(context.local_shape) for f in self.imports}
        return super().initialize(context)

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """Count what passes during the step; the fields at its end."""
        for name, flux in imports.items():
            self.given[name] = self.given[name] + np.where(np.isfinite(flux), flux, 0.0) * seconds
        return super().step(time, seconds, imports)

    def budget(self) -> dict[str, Array]:
        """Heat, water and momentum that have left the air through the surface since the start, counted negative."""
        if not self.given:
            return {}
        heat = -sum(self.given[n] for n in HEAT)
        eastward, northward = (-self.given[n] for n in MOMENTUM)
        return {
            "heat": heat,
            "water": self.given[WATER[0]],
            "eastward_momentum": eastward,
            "northward_momentum": northward,
        }

    def state(self) -> dict[str, Any]:
        """What has passed the surface since the start; the files and the time say the rest."""
        return dict(self.given)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore what has passed."""
        self.given = {name: np.array(state[name]) for name in self.given}
