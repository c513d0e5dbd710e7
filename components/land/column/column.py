# SPDX-License-Identifier: BSD-3-Clause
"""One step of the whole column: canopy, snow and soil, energy, water and carbon."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column import canopy, water_heat
from components.land.column.carbon import soil_respiration
from components.land.column.column_state import Forcing as Forcing
from components.land.column.column_state import Options as Options
from components.land.column.column_state import Output as Output
from components.land.column.column_state import State as State
from components.land.column.column_state import heat_stored as heat_stored
from components.land.column.column_state import initial_state as initial_state
from components.land.column.column_state import water_stored as water_stored
from components.land.column.column_water import Passed, Thawed, conduct_and_freeze, pass_water
from components.land.column.cycles.fast import Exchanged
from components.land.column.growth import advance_cycles, with_leaves
from components.land.column.irrigation import sprinkle
from components.land.column.paddy import flood
from components.land.column.parameters import Parameters
from components.land.column.surface_exchange import (
    Fallen,
    Surface,
    exchange_at_surface,
    let_fall,
    look_beneath,
)
from components.science.constants import CARBON_MOLAR_MASS, LATENT_FUSION


def step(
    state: State, forcing: Forcing, parameters: Parameters, seconds: float, options: Options
) -> tuple[State, Output]:
    """Advance all columns by ``seconds``.

    Every array has the columns last; results of a column do not depend on its neighbours. Differentiable in
    parameters, forcing and state.

    Parameters
    ----------
    state : State at the start
    forcing : Forcing of the step, means over it
    parameters : Parameters of the columns
    seconds : length of the step, s
    options : schemes and tolerances
    """
    forcing, p = with_leaves(state, forcing, parameters, options)
    irrigation = None
    if options.irrigated:
        forcing, irrigation = sprinkle(state, forcing, p)
    flooding = flood(state, p, seconds)
    fallen = let_fall(state, forcing, seconds)
    beneath = look_beneath(state, p, fallen.pack, seconds)
    surface = exchange_at_surface(state, forcing, p, fallen, beneath, seconds, options)
    thawed = conduct_and_freeze(state, p, fallen.pack, beneath, surface, seconds)
    passed = pass_water(p, fallen, surface, thawed, seconds, options, flooding)
    f = surface.fluxes
    cycles, cycled = advance_cycles(state.cycles, p, forcing, surface, thawed, passed, seconds, options)
    new = State(
        f.canopy, f.ground, f.zeta, f.conductance, f.air_humidity, passed.held, passed.pack, passed.moved.temperature,
        passed.moisture.theta, thawed.ice, cycles, surface.plant, passed.pond,
    )  # fmt: skip
    by_water = _heat_of_water(forcing, fallen, passed, seconds)
    lost = f.transpiration + f.interception_loss + f.ground_evaporation + passed.surface + passed.drained
    supply = torch.zeros_like(lost) if flooding is None else flooding.supply
    if irrigation is not None:
        irrigation = irrigation + supply
    left = (
        (heat_stored(new, p) - heat_stored(state, p)) / seconds - thawed.gained - by_water,
        water_stored(new, p) - water_stored(state, p) - seconds * (forcing.rain + forcing.snowfall + supply - lost),
    )
    return new, _output(forcing, p, surface, thawed, passed, by_water, left, cycled)._replace(irrigation=irrigation)


def _heat_of_water(forcing: Forcing, fallen: Fallen, passed: Passed, seconds: float) -> Tensor:
    """Heat that water carried into the ground less that which it carried out, W m-2, from liquid at 0 C."""
    onto_ground = water_heat.snowfall_heat(fallen.settled) * fallen.caught.snowfall
    from_canopy = LATENT_FUSION * (fallen.caught.held.snow - passed.held.snow - forcing.snowfall * seconds)
    return (passed.moved.gained + passed.sublimed + onto_ground + from_canopy + passed.frozen) / seconds


def _output(
    forcing: Forcing, p: Parameters, surface: Surface, thawed: Thawed, passed: Passed, by_water: Tensor,
    left: tuple[Tensor, Tensor], cycled: Exchanged | None,
) -> Output:  # fmt: skip
    """Fluxes of a step, and what its budgets of energy (W m-2) and water (kg m-2) leave over."""
    f, light, leaves = surface.fluxes, surface.light, surface.leaves
    incoming = forcing.direct + forcing.diffuse
    absorbed = incoming[0] + incoming[1] - light.reflected[0] - light.reflected[1]
    net = absorbed + forcing.longwave - f.longwave_up
    balance = net - f.sensible - f.latent - f.ground_heat - f.melt_energy - f.canopy_storage
    gross = leaves.area * (f.assimilation + surface.exchange.respiration(f.canopy))
    net_leaf = leaves.area * f.assimilation
    if cycled is None:
        wetness = (thawed.liquid[2] + thawed.ice[2]) / p.texture.theta_s
        uptake_net = net_leaf[0] + net_leaf[1] - soil_respiration(p.soil_respiration, passed.warmth[2], wetness)
        carbon = uptake_net * (1e-6 * CARBON_MOLAR_MASS)
    else:
        carbon = cycled.uptake
        uptake_net = carbon / (1e-6 * CARBON_MOLAR_MASS)
    lit = torch.clamp(incoming, min=1e-9)
    albedo = torch.where(incoming > 1e-6, light.reflected / lit, surface.below)
    thermal = 1.0 - torch.exp(-(forcing.lai + forcing.sai))
    emissivity = thermal + (1.0 - thermal) * surface.ground.emissivity
    radiating = (f.longwave_up - (1.0 - emissivity) * forcing.longwave) / emissivity
    return Output(
        f.sensible, f.latent, f.ground_heat, f.melt_energy, net, f.canopy_storage, by_water, light.reflected,
        f.longwave_up,
        canopy.emission_temperature(radiating), albedo, emissivity, f.momentum_roughness, f.friction_velocity,
        f.transpiration, f.interception_loss, f.ground_evaporation, passed.sublimation, passed.surface, passed.drained,
        gross[0] + gross[1], uptake_net, carbon, balance, *left,
        (f.drift > 0.05).to(net.dtype), (f.residual > 10.0 * canopy.TOLERANCE[net.dtype]).to(net.dtype), cycled,
    )  # fmt: skip
