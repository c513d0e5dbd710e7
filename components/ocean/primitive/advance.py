# SPDX-License-Identifier: BSD-3-Clause
"""A step of the ocean as a pure function of tensors, from what the surface gives to what the surface gets.

Gradients pass from the exports and the new state to the old state and the forcing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from components.ocean.primitive.conservative_temperature import potential_temperature
from components.ocean.primitive.open_boundary import Outside
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import HALO, inner
from components.ocean.primitive.surface import SurfaceForcing
from components.ocean.primitive.timestep import Ocean
from components.science.constants import C_LIQUID, LATENT_FUSION, ZERO_CELSIUS
from components.science.surface_fields import RUNOFF_HEAT

SALINITY_FACTOR = 35.0 / 35.16504  # practical from reference salinity (TEOS-10)


@dataclass(frozen=True)
class Forcing:
    """What drives a step from outside the state.

    Attributes
    ----------
    fluxes : mapping of str to Tensor
        Imports by CF name on the block's own cells ``(y, x)``, in any subset; what is missing is zero.
    climatology : Tensor
        Conservative temperature (degC) and absolute salinity (g kg-1), ``(2, z, y, x)`` with a halo of two.
    outside : Outside or None
        The sea beyond open edges.
    """

    fluxes: Mapping[str, Tensor]
    climatology: Tensor
    outside: Outside | None = None


def advance(
    ocean: Ocean, state: State, forcing: Forcing, seconds: float, restoring_time: float = 0.0
) -> tuple[State, dict[str, Tensor]]:
    """One baroclinic step.

    Parameters
    ----------
    ocean : Ocean
        Geometry and schemes of the block.
    state : State
        At the start of the step.
    forcing : Forcing
        What holds during the step.
    seconds : float
        Length of the step: that of the schemes, s.
    restoring_time : float
        Time in which the first level's salinity relaxes towards the climatology, s; 0: never.

    Returns
    -------
    State, dict of str to Tensor
        At the end of the step, and the exports there, ``(y, x)``.

    Raises
    ------
    ValueError
        Another length than the schemes were made for.
    """
    if seconds != ocean.p.dt:
        raise ValueError(f"expected a step of {ocean.p.dt:g} s, as this ocean was made for, not {seconds:g} s")
    new = ocean.step(state, surface_forcing(ocean, state, forcing, restoring_time), forcing.outside)
    return new, exports(ocean, new)


def surface_forcing(ocean: Ocean, state: State, forcing: Forcing, restoring_time: float) -> SurfaceForcing:
    """What passes the surface, from the imports of a step and the restoring of salinity (see `advance`)."""
    g = ocean.g
    wet = inner(g.wet_t)
    dry = torch.zeros_like(wet)

    def own(name: str) -> Tensor:
        block = forcing.fluxes.get(name)
        return dry if block is None else torch.where(wet > 0, block, dry)

    light = own("surface_net_downward_shortwave_flux")
    melting = LATENT_FUSION * own("snowfall_flux")
    heat = own("surface_downward_heat_flux_in_sea_water") - light - melting
    if RUNOFF_HEAT in forcing.fluxes:  # runoff is to enter as warm as it is, and not as the sea that it meets
        heat = heat + own(RUNOFF_HEAT) - C_LIQUID * inner(state.tracers[0, 0]) * own("runoff_flux")
    water = own("precipitation_flux") - own("water_evapotranspiration_flux") + own("runoff_flux")
    stress_x, stress_y, heat, light, water, pressure = ocean.halo(
        own("surface_downward_eastward_stress"), own("surface_downward_northward_stress"), heat, light, water,
        own("air_pressure_at_mean_sea_level"),
    )  # fmt: skip
    source = torch.zeros_like(state.tracers[:, 0])
    if restoring_time > 0:
        salt = g.h0[0] / restoring_time * (forcing.climatology[1, 0] - state.tracers[1, 0]) * g.wet_t
        source = torch.stack([source[0], salt, *source[2:]])
    return SurfaceForcing(stress_x, stress_y, heat, light, water, source, pressure)


def exports(ocean: Ocean, state: State) -> dict[str, Tensor]:
    """Fields by CF name on the block's own cells ``(y, x)``; velocities at the centres of cells, zero on land."""
    s, wet = state, inner(ocean.g.wet_t) > 0
    temperature, salinity = inner(s.tracers[0, 0]), inner(s.tracers[1, 0])
    if ocean.p.equation_of_state == "teos10":  # the air meets the water's temperature, not its heat
        temperature = potential_temperature(salinity, temperature)
    u = 0.5 * (s.u[0, HALO:-HALO, HALO:-HALO] + s.u[0, HALO:-HALO, HALO - 1 : -HALO - 1])
    v = 0.5 * (s.v[0, HALO:-HALO, HALO:-HALO] + s.v[0, HALO - 1 : -HALO - 1, HALO:-HALO])
    dry = torch.zeros_like(u)
    return {
        "sea_surface_temperature": torch.where(wet, temperature, dry) + ZERO_CELSIUS,
        "surface_eastward_sea_water_velocity": torch.where(wet, u, dry),
        "surface_northward_sea_water_velocity": torch.where(wet, v, dry),
        "sea_surface_height_above_geoid": torch.where(wet, inner(s.eta), dry),
        "sea_surface_salinity": torch.where(wet, SALINITY_FACTOR * salinity, dry),
        "heat_flux_into_sea_water_due_to_freezing_of_frazil_ice": s.freezing,
    }
