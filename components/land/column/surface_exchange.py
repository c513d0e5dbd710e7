# SPDX-License-Identifier: BSD-3-Clause
"""Light, canopy and ground of a step: what precipitation leaves on leaves and snow, and the fluxes at the surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from components.land.column import canopy, heat, interception, plant_water, snow
from components.land.column.canopy_leaves import CanopyLeaves, Water
from components.land.column.column_state import Forcing, Options, State, ground_albedo
from components.land.column.gas_exchange import Leaves, split_leaves
from components.land.column.hydraulics import Weibull
from components.land.column.ozone import Exposure
from components.land.column.parameters import Parameters
from components.land.column.radiation import Foliage, Shortwave, two_stream
from components.land.column.soil_evaporation import RESISTANCE
from components.land.column.soil_properties import soil_conductivity, soil_heat_capacity
from components.science.constants import (
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_SUBLIMATION,
    LATENT_VAPORISATION,
    R_VAPOUR,
    WATER_DENSITY,
    WATER_MOLAR_MASS,
)

MPA_PER_METRE = 1e-6 * WATER_DENSITY * GRAVITY  # of water
LEAST_SWE = 0.1  # kg m-2 of snow on the ground that hold its surface at 0 C
SNOW_ROUGHNESS = 0.002  # m
SOIL_EMISSIVITY, SNOW_EMISSIVITY = 0.97, 0.99
IMPEDANCE = 6.0  # decades of conductivity lost from no ice to all pores frozen (Swenson et al. 2012)


class Fallen(NamedTuple):
    """Rain and snow of a step where they have fallen.

    Attributes
    ----------
    caught : what leaves hold and what passes them, kg m-2
    pack : snow with the new one on it
    settled : temperature at which new snow settles, K
    covered : share of the ground under snow
    snowy : where the surface is snow
    """

    caught: interception.Intercepted
    pack: snow.Snow
    settled: Tensor
    covered: Tensor
    snowy: Tensor


class Beneath(NamedTuple):
    """Snow and soil as the surface sees them, layers from the top of the snow down.

    Attributes
    ----------
    capacity, resistance, warmth : (layer, columns) J m-2 K-1, K m2 W-1 and K
    deep : admittance (W m-2 K-1) and temperature (K) under the lowest layer, or None
    response : of all of it to the surface
    """

    capacity: Tensor
    resistance: Tensor
    warmth: Tensor
    deep: tuple[Tensor, Tensor] | None
    response: heat.Ground


class Surface(NamedTuple):
    """The surface at the end of a step.

    Attributes
    ----------
    fluxes : of canopy and ground
    light : shortwave in the canopy
    below : (2, columns) albedo of the ground by band
    leaves, exchange : leaf areas and what they exchange
    ground : surface below the canopy
    drawn : (layer, columns) what roots draw, kg m-2 s-1
    plant : water of the plant, or None
    """

    fluxes: canopy.Fluxes
    light: Shortwave
    below: Tensor
    leaves: Leaves
    exchange: CanopyLeaves
    ground: canopy.Ground
    drawn: Tensor
    plant: plant_water.Stores | None


def let_fall(state: State, forcing: Forcing, seconds: float) -> Fallen:
    """Rain and snow of a step, caught by leaves or laid on the ground.

    Parameters
    ----------
    state : State at the start
    forcing : Forcing of the step
    seconds : length of the step, s
    """
    plant_area = forcing.lai + forcing.sai
    caught = interception.intercept(
        state.held, forcing.rain * seconds, forcing.snowfall * seconds, plant_area, state.canopy, seconds
    )
    settled = snow.surface_temperature(state.snow, state.soil_temperature[0])
    pack = snow.add_snowfall(state.snow, caught.snowfall, settled, snow.fresh_density(forcing.temperature))
    pack = snow.relayer(pack)
    covered = snow.cover_fraction(pack)
    return Fallen(caught, pack, settled, covered, (covered > 0.5) & (snow.over_layers(pack.ice) > LEAST_SWE))


def look_beneath(state: State, p: Parameters, pack: snow.Snow, seconds: float) -> Beneath:
    """Snow and soil as layers of heat.

    Parameters
    ----------
    state : State at the start
    p : Parameters of the columns
    pack : snow on the ground
    seconds : length of the step, s
    """
    snow_capacity, snow_resistance = snow.thermal(pack)
    capacity = torch.cat([snow_capacity, soil_heat_capacity(p.texture, state.liquid, state.ice) * p.thickness])
    conductivity = soil_conductivity(p.texture, state.liquid, state.ice)
    resistance = torch.cat([snow_resistance, p.thickness / conductivity])
    warmth = torch.cat([pack.temperature, state.soil_temperature])
    deep = None
    if p.deep_temperature is not None:
        deep = conductivity[-1] / (p.deep_depth - float(p.thickness.sum())), p.deep_temperature
    response = heat.ground_response(warmth, capacity, resistance, seconds, deep)
    return Beneath(capacity, resistance, warmth, deep, response)


def exchange_at_surface(
    state: State, forcing: Forcing, p: Parameters, fallen: Fallen, beneath: Beneath, seconds: float, options: Options
) -> Surface:
    """Light in the canopy, then the energy balance of leaves and ground.

    Parameters
    ----------
    state : State at the start
    forcing : Forcing of the step
    p : Parameters of the columns
    fallen, beneath : of `let_fall` and `look_beneath`
    seconds : length of the step, s
    options : schemes and iterations
    """
    caught, plant_area = fallen.caught, forcing.lai + forcing.sai
    below = ground_albedo(state, p, fallen.covered)
    stems = forcing.sai / torch.clamp(plant_area, min=1e-6)
    foliage = Foliage(
        forcing.lai, forcing.sai, (1.0 - stems) * p.reflectance + stems * p.stem_reflectance,
        (1.0 - stems) * p.transmittance, p.orientation, p.clumping,
    )  # fmt: skip
    light = two_stream(foliage, forcing.cos_zenith, forcing.direct, forcing.diffuse, below, below)
    psi = frozen_curves(p, state.ice).head(state.liquid)
    uptake, tension = _root_uptake(p, psi, Weibull(p.weibull_b, p.weibull_c))
    leaves = split_leaves(p.traits, light, forcing.lai, forcing.sai)
    water = Water(p.kmax, p.weibull_b, p.weibull_c, tension)
    if state.plant_water is not None:  # leaves see the stem
        water = Water(plant_water.LEAF * p.kmax, p.weibull_b, p.weibull_c, state.plant_water.stem)
    exchange = CanopyLeaves(options.stomata, options.photosynthesis, p.traits, leaves, water, forcing.pressure)
    air = canopy.Air(
        forcing.temperature, forcing.humidity, forcing.pressure, forcing.wind, forcing.height, forcing.longwave,
        forcing.co2, None if forcing.ozone is None or p.ozone is None else Exposure(forcing.ozone, p.ozone),
    )  # fmt: skip
    cover = canopy.Cover(
        forcing.lai, forcing.sai, p.height, p.leaf_width,
        light.sunlit[0] + light.sunlit[1] + light.shaded[0] + light.shaded[1],
        caught.held.water + caught.held.snow, interception.wet_fraction(caught.held, plant_area),
        canopy.wet_latent(frozen_share(caught.held)),
    )  # fmt: skip
    ground = _ground(state, p, psi[0], fallen, beneath.response, light.ground, options.soil_resistance, seconds)
    warm = canopy.Warm(state.canopy, state.ground, state.zeta, state.conductance, state.air_humidity)
    f = canopy.solve(air, ground, cover, leaves.area, exchange, warm, seconds, options.outer, options.inner)
    drawn, plant = uptake * f.transpiration, state.plant_water
    if plant is not None and p.vessels is not None:
        body, phi = plant_water.body(p.vessels, p.kmax, forcing.lai, p.roots, _soil_tension(psi))
        flow = plant_water.step(p.vessels.potential, body, plant, phi, f.transpiration / WATER_MOLAR_MASS, seconds)
        drawn, plant = WATER_MOLAR_MASS * flow.uptake, flow.stores
    return Surface(f, light, below, leaves, exchange, ground, drawn, plant)


def _soil_tension(psi: Tensor) -> Tensor:
    """Of the water in the layers, MPa."""
    return torch.clamp(-psi * MPA_PER_METRE, max=50.0)


def frozen_share(held: interception.Held) -> Tensor:
    """Share of what leaves hold that is snow."""
    return held.snow / torch.clamp(held.snow + held.water, min=1e-9)


def frozen_curves(p: Parameters, ice: Tensor) -> Any:
    """Retention of the pores the ice leaves open, and conductivity impeded by it.

    Parameters
    ----------
    p : Parameters of the columns
    ice : (layer, columns) volume fraction as water
    """
    share = torch.clamp(ice / p.texture.theta_s, 0.0, 1.0)
    room = torch.clamp(p.retention.theta_s - ice, min=0.01)
    room = torch.maximum(room, torch.as_tensor(p.retention.theta_r + 0.01).to(room))
    return replace(cast(Any, p.retention), theta_s=room, ks=p.retention.ks * torch.exp(-2.302585 * IMPEDANCE * share))


def _root_uptake(p: Parameters, psi: Tensor, curve: Weibull) -> tuple[Tensor, Tensor]:
    """Share of the uptake by layer, and the tension the roots meet, MPa: layers count by roots and conductance."""
    tension = _soil_tension(psi)
    weight = p.roots * (curve.fraction(tension) + 1e-6)
    total = snow.over_layers(weight)
    share = weight / total
    return share, snow.over_layers(share * tension)


def _ground(
    state: State,
    p: Parameters,
    psi: Tensor,
    fallen: Fallen,
    under: heat.Ground,
    shortwave: Tensor,
    resistance_by: str,
    seconds: float,
) -> canopy.Ground:
    """Surface below the canopy, soil and snow together."""
    covered, snowy = fallen.covered, fallen.snowy
    bare = 1.0 - covered
    resistance = bare * RESISTANCE[resistance_by](p.texture, state.liquid[0], p.thickness[0])
    suction = torch.clamp(psi, min=-1e5)
    humidity = torch.exp(GRAVITY * suction / (R_VAPOUR * state.ground))
    one = torch.ones_like(covered)
    return canopy.Ground(
        under.admittance, under.temperature, shortwave,
        (1.0 - covered) * SOIL_EMISSIVITY + covered * SNOW_EMISSIVITY,
        torch.where(snowy, SNOW_ROUGHNESS * one, p.soil_roughness), torch.where(snowy, one, humidity), resistance,
        bare * (1.0 - torch.exp(-p.litter)),
        torch.where(snowy, LATENT_SUBLIMATION * one, LATENT_VAPORISATION * one),
        torch.where(snowy, FREEZING_POINT * one, 1000.0 * one),
        LATENT_FUSION * snow.over_layers(fallen.pack.ice) / seconds,
    )  # fmt: skip
