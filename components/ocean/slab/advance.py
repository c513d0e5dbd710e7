# SPDX-License-Identifier: BSD-3-Clause
"""A step of the mixed layer as a pure function, of numpy arrays or of torch tensors.

Gradients pass from the exports and the new state to the old state and the forcing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from components.ocean.slab.inertial import Propagator, accelerate, take_in_resting_water
from components.ocean.slab.mixed_layer import change_thickness, exchange_heat, penetrating_fraction
from components.science.arrays import operations
from components.science.constants import C_LIQUID, LATENT_FUSION, ZERO_CELSIUS
from components.science.surface_fields import RUNOFF_HEAT

CURRENTS = ("surface_eastward_sea_water_velocity", "surface_northward_sea_water_velocity")
STRESS = ("surface_downward_eastward_stress", "surface_downward_northward_stress")


class State(NamedTuple):
    """What a continuation needs, arrays ``(y, x)``."""

    temperature: Any  # K
    thickness: Any  # m
    latent: Any  # J m-2 of ice, not above 0
    below: Any  # J m-2 handed down since the start
    water: Any  # kg m-2 that came in since the start
    u: Any  # m s-1
    v: Any  # m s-1


class Forcing(NamedTuple):
    """What drives a step."""

    fluxes: Mapping[str, Any]  # by CF name, (y, x); what is missing is zero
    thickness: Any  # of the layer at the end of the step, m


@dataclass(frozen=True)
class Layer:
    """What stays the same through a run.

    Parameters
    ----------
    wet : array (y, x) of bool
    floor : array (y, x), m
        Depth of the sea, where sunlight ends.
    penetration : bool
        Whether sunlight passes through the layer.
    entrainment_jump : float, K
        How much colder the water is that a deepening layer takes in.
    propagator : Propagator or None
        Of the currents' step; None: there are none.
    """

    wet: Any
    floor: Any
    penetration: bool
    entrainment_jump: float
    propagator: Propagator | None

    def advance(self, state: State, forcing: Forcing, seconds: float) -> tuple[State, dict[str, Any]]:
        """Change the layer's thickness, then move it and put the heat of the step into it.

        Parameters
        ----------
        state : State
            At the start of the step.
        forcing : Forcing
            During the step.
        seconds : float
            Length of the step, s.

        Returns
        -------
        State, dict of str to array (y, x)
            At the end of the step, and the exports there by CF name.
        """
        xp = operations(*state, *forcing.fluxes.values())
        wet, floor = xp.constant(self.wet), xp.constant(self.floor)
        thickness, before = xp.constant(forcing.thickness), xp.constant(state.thickness)

        def flux(name: str) -> Any:
            values = forcing.fluxes.get(name)
            return 0.0 if values is None else xp.where(wet, values, 0.0)

        temperature, below = change_thickness(state.temperature, state.below, before, thickness, self.entrainment_jump)
        u, v = state.u, state.v
        if self.propagator is not None:
            u, v = take_in_resting_water(u, v, before, thickness)
            step = Propagator(*(xp.constant(part) for part in self.propagator))
            u, v = accelerate(u, v, flux(STRESS[0]), flux(STRESS[1]), thickness, step)
        heat = flux("surface_downward_heat_flux_in_sea_water")
        if "snowfall_flux" in forcing.fluxes:
            heat = heat - LATENT_FUSION * flux("snowfall_flux")
        if RUNOFF_HEAT in forcing.fluxes:  # runoff is as warm as it is, what it displaces as warm as the layer
            heat = heat + flux(RUNOFF_HEAT) - C_LIQUID * (state.temperature - ZERO_CELSIUS) * flux("runoff_flux")
        heat = heat * seconds
        if self.penetration:
            share = xp.where(thickness < floor, penetrating_fraction(thickness), 0.0)
            through = flux("surface_net_downward_shortwave_flux") * share * seconds
            heat = heat - through
            below = below + through
        temperature, latent = exchange_heat(temperature, state.latent, heat, thickness)
        fresh = flux("precipitation_flux") - flux("water_evapotranspiration_flux") + flux("runoff_flux")
        new = State(temperature, thickness, latent, below, state.water + fresh * seconds, u, v)
        return new, self.exports(new)

    def exports(self, state: State) -> dict[str, Any]:
        """Fields by CF name ``(y, x)``."""
        fields = {"sea_surface_temperature": state.temperature}
        if self.propagator is not None:
            fields |= dict(zip(CURRENTS, (state.u, state.v), strict=True))
        return fields
