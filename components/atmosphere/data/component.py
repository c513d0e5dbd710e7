# SPDX-License-Identifier: BSD-3-Clause
"""Atmosphere prescribed from CF files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from coupler.component import Array, Context, Fields
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

    def _at(self, time: int) -> Fields:
        fields = super()._at(time)
        if self.options.height:
            fields["height"] = np.full(self._wanted.shape, self.options.height)
        return fields

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
