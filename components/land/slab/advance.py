# SPDX-License-Identifier: BSD-3-Clause
"""A step of the slab land as a pure function, of numpy arrays or of torch tensors.

Gradients pass from the exports and the new state to the old state and the forcing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from components.land.energy_balance import Air, Fluxes, solve
from components.land.slab.bucket import snow_albedo, water_balance, wetness
from components.science.arrays import operations
from components.science.constants import WATER_DENSITY

BUCKET_DEPTH = 1.0  # m of soil that the bucket waters (Manabe 1969)
ELSEWHERE = {"air_temperature": 280.0, "surface_air_pressure": 1.0e5, "height": 10.0}
"""Air over cells that are no land, which get no values."""


class State(NamedTuple):
    """What a continuation needs, arrays ``(y, x)``."""

    temperature: Any  # K
    soil: Any  # kg m-2
    snow: Any  # kg m-2


@dataclass(frozen=True)
class Ground:
    """What stays the same through a run.

    Parameters
    ----------
    land : array (y, x) of bool
    heat_capacity : float, J m-2 K-1
    bucket : float, kg m-2
    roughness : float, m
    albedo, snow_albedo : float
        Of bare ground, and under deep snow.
    snow_masking : float, kg m-2
        Snow that covers half of the ground.
    emissivity : float
    air_height : float, m
        Height of the air's values, where none is given.
    """

    land: Any
    heat_capacity: float
    bucket: float
    roughness: float
    albedo: float
    snow_albedo: float
    snow_masking: float
    emissivity: float
    air_height: float

    def advance(self, state: State, forcing: Mapping[str, Any], seconds: float) -> tuple[State, dict[str, Any]]:
        """Energy balance, then water balance.

        Parameters
        ----------
        state : State
            At the start of the step.
        forcing : mapping of str to array (y, x)
            The air's fields by CF name; ``wind_speed``, ``height`` and ``snowfall_flux`` are optional.
        seconds : float
            Length of the step, s.

        Returns
        -------
        State, dict of str to array (y, x)
            At the end of the step, and the exports there by CF name.
        """
        xp = operations(*state, *forcing.values())
        land = xp.constant(self.land)

        def air_field(name: str) -> Any:
            return xp.where(land, forcing[name], ELSEWHERE.get(name, 0.0))

        east, north = air_field("eastward_wind"), air_field("northward_wind")
        calm = 1e-30  # m2 s-2, so that a gradient exists without wind
        air = Air(
            air_field("air_temperature"),
            air_field("specific_humidity"),
            east,
            north,
            air_field("wind_speed")
            if "wind_speed" in forcing
            else xp.sqrt(xp.maximum(east * east + north * north, calm)),
            air_field("surface_air_pressure"),
            air_field("surface_downwelling_shortwave_flux_in_air"),
            air_field("surface_downwelling_longwave_flux_in_air"),
        )
        temperature, fluxes = solve(
            state.temperature,
            air,
            wetness(state.soil, state.snow, self.bucket),
            state.soil + state.snow,
            self._albedo(state.snow),
            self.emissivity,
            self.roughness,
            self.heat_capacity,
            air_field("height") if "height" in forcing else self.air_height,
            seconds,
        )
        soil, snow, temperature, runoff = water_balance(
            state.soil,
            state.snow,
            temperature,
            air_field("precipitation_flux") * seconds,
            fluxes.evaporation * seconds,
            air.temperature,
            self.bucket,
            self.heat_capacity,
            air_field("snowfall_flux") * seconds if "snowfall_flux" in forcing else None,
        )
        new = State(temperature, soil, snow)
        return new, self.exports(new, fluxes, runoff / seconds)

    def _albedo(self, snow: Any) -> Any:
        return snow_albedo(snow, self.albedo, self.snow_albedo, self.snow_masking)

    def exports(self, state: State, fluxes: Fluxes, runoff: Any) -> dict[str, Any]:
        """Fields by CF name ``(y, x)``; ``runoff`` in kg m-2 s-1."""
        return {
            "surface_temperature": state.temperature,
            "surface_albedo": self._albedo(state.snow),
            "surface_longwave_emissivity": 0.0 * state.snow + self.emissivity,
            "surface_emitted_longwave_flux": fluxes.emitted,
            "surface_downward_sensible_heat_flux": fluxes.sensible,
            "surface_downward_latent_heat_flux": fluxes.latent,
            "surface_downward_eastward_stress": fluxes.eastward_stress,
            "surface_downward_northward_stress": fluxes.northward_stress,
            "water_evapotranspiration_flux": fluxes.evaporation,
            "surface_upwelling_longwave_flux_in_air": fluxes.longwave_up,
            "surface_upwelling_shortwave_flux_in_air": fluxes.shortwave_up,
            "surface_net_downward_longwave_flux": fluxes.net_longwave,
            "surface_net_downward_shortwave_flux": fluxes.net_shortwave,
            "runoff_flux": runoff,
            "mass_content_of_water_in_soil": state.soil,
            "volume_fraction_of_condensed_water_in_soil": state.soil / (WATER_DENSITY * BUCKET_DEPTH),
            "surface_snow_amount": state.snow,
        }
