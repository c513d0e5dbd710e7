# SPDX-License-Identifier: BSD-3-Clause
"""What a column is told, carries and gives: options, forcing, state and output, and what its state holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column import canopy, heat, interception, plant_water, snow, water_heat
from components.land.column.cycles.fast import Exchanged
from components.land.column.cycles.pools import Cycles
from components.land.column.cycles.pools import at_start as cycles_at_start
from components.land.column.gas_exchange import Stomata
from components.land.column.parameters import Parameters
from components.land.column.richards import Bottom
from components.land.column.soil_properties import soil_heat_capacity
from components.science.constants import FREEZING_POINT, LATENT_FUSION, WATER_DENSITY


@dataclass(frozen=True)
class Options:
    """Choices of the column.

    Attributes
    ----------
    stomata
        Stomatal model.
    photosynthesis
        ``c3`` (Farquhar) or ``cytochrome``; C4 where the plants are.
    infiltration
        ``noah`` or ``topmodel``.
    bottom
        Lower boundary of the soil water.
    soil_resistance
        Of the soil to evaporation: a name of :data:`soil_evaporation.RESISTANCE`.
    outer, inner
        Iterations of the surface energy balance.
    water_iterations
        Newton iterations of Richards' equation.
    nitrogen
        Of plants with cycles: ``none`` (no want of it), ``fun`` or ``demand``.
    prognostic_leaves
        Whether leaf area and capacity follow from the pools of the cycles.
    irrigated
        Whether crops are irrigated by deficit; paddies are flooded where the state has a ``pond``.
    """

    stomata: Stomata = field(default_factory=Stomata)
    photosynthesis: str = "c3"
    infiltration: str = "noah"
    bottom: Bottom = field(default_factory=Bottom)
    soil_resistance: str = "sakaguchi_zeng"
    outer: int = 5
    inner: int = 4
    water_iterations: int = 3
    nitrogen: str = "none"
    prognostic_leaves: bool = False
    irrigated: bool = False


class Forcing(NamedTuple):
    """What the atmosphere gives, one value a column."""

    temperature: Tensor  # K
    humidity: Tensor  # kg kg-1
    pressure: Tensor  # Pa
    wind: Tensor  # m s-1
    height: Tensor  # m above the displacement height
    direct: Tensor  # downwelling direct shortwave by band, W m-2, (2, ...)
    diffuse: Tensor  # the same, diffuse
    longwave: Tensor  # W m-2
    rain: Tensor  # kg m-2 s-1
    snowfall: Tensor  # kg m-2 s-1
    co2: Tensor  # umol mol-1
    cos_zenith: Tensor
    lai: Tensor
    sai: Tensor
    nitrogen_deposition: Tensor | None = None  # kg N m-2 s-1
    day_length: Tensor | None = None  # s, for the season of plants; None: by the steps with sun
    longest_day: Tensor | None = None  # s, of the year; None: leaves have one capacity all the year
    ozone: Tensor | None = None  # nmol mol-1; None: it does no harm
    date: Tensor | None = None  # day of the year, where there is a calendar of sowing
    photoperiod: Tensor | None = None  # s, day length with the twilight that crops see; None: without it
    phosphorus_deposition: Tensor | None = None  # kg P m-2 s-1


class State(NamedTuple):
    """Everything a continuation needs."""

    canopy: Tensor  # K
    ground: Tensor  # K, surface of soil or snow
    zeta: Tensor
    conductance: Tensor  # mol m-2 s-1, (2, ...)
    air_humidity: Tensor  # kg kg-1
    held: interception.Held
    snow: snow.Snow
    soil_temperature: Tensor  # K, (layer, ...)
    liquid: Tensor  # volume fraction, (layer, ...)
    ice: Tensor  # volume fraction as water (mass over 1000 kg m-3), (layer, ...)
    cycles: Cycles | None = None  # carbon, nitrogen, phosphorus
    plant_water: plant_water.Stores | None = None  # of the continuum
    pond: Tensor | None = None  # water that stands on paddies, kg m-2


class Output(NamedTuple):
    """Fluxes of the step; positive as the names say."""

    upward_sensible: Tensor  # W m-2
    upward_latent: Tensor  # W m-2
    ground_heat: Tensor  # into the ground, W m-2
    melt: Tensor  # energy that melts a snow surface, W m-2
    net_radiation: Tensor  # W m-2
    canopy_storage: Tensor  # heat taken up by leaves and stems, W m-2
    water_heat: Tensor  # enthalpy carried in by water less that carried out, W m-2, from liquid at 0 C
    upward_shortwave: Tensor  # by band, (2, ...)
    upward_longwave: Tensor
    surface_temperature: Tensor  # radiative, K
    albedo: Tensor  # by band, (2, ...)
    emissivity: Tensor
    roughness: Tensor  # m
    friction_velocity: Tensor  # m s-1
    transpiration: Tensor  # kg m-2 s-1
    interception_loss: Tensor
    ground_evaporation: Tensor
    sublimation: Tensor  # the part of evaporation that leaves as ice, with the latent heat L0 + L_f
    surface_runoff: Tensor  # kg m-2 s-1
    subsurface_runoff: Tensor
    gross_uptake: Tensor  # GPP, umol m-2 s-1
    net_uptake: Tensor  # -NEE, umol m-2 s-1
    carbon_flux: Tensor  # downward, kg C m-2 s-1
    energy_residual: Tensor  # W m-2
    ground_residual: Tensor  # of the heat in snow and soil, with what water carries, W m-2
    water_residual: Tensor  # kg m-2
    unsettled: Tensor  # 1 where the conductances still moved by more than 5 %
    unsolved: Tensor  # 1 where the energy balance stayed open by more than 1e-6 W m-2 (single precision: 3)
    cycled: Exchanged | None = None  # what the cycles gave and took, kg m-2 s-1
    irrigation: Tensor | None = None  # from outside, kg m-2 s-1


def initial_state(
    parameters: Parameters, temperature: Tensor, wetness: float | Tensor = 0.5, snow_mass: Tensor | None = None
) -> State:
    """A start at rest: one temperature (K), soil water between wilting point (0) and saturation (1).

    ``temperature`` is one value a column or (layer, ...); the soil is frozen where it is cold. ``snow_mass`` in kg
    m-2, at 250 kg m-3.

    Parameters
    ----------
    parameters : Parameters of the columns
    temperature : (columns,) or (layer, columns), K
    wetness : soil water between wilting point (0) and saturation (1)
    snow_mass : (columns,) or None, kg m-2
    """
    layers = parameters.thickness.shape[0]
    profile = temperature if temperature.dim() > 1 else temperature.expand(layers, -1)
    top = profile[0].clone()
    soil = parameters.texture
    water = soil.wilting + wetness * (soil.theta_s - soil.wilting) + torch.zeros_like(profile)
    cold = profile < FREEZING_POINT
    most = heat.unfrozen_water(profile, soil.theta_s, soil.psi_s, soil.b)
    liquid = torch.where(cold, torch.minimum(most, water), water)
    pack = snow.no_snow(top)
    if snow_mass is not None:
        pack = snow.relayer(snow.add_snowfall(pack, snow_mass, top, torch.full_like(top, 250.0)))
    humidity = canopy.saturation_humidity(top, torch.full_like(top, 1e5))[0]
    zero = torch.zeros_like(top)
    return State(
        top, top.clone(), zero, torch.full((2, *top.shape), 0.05, dtype=top.dtype, device=top.device), 0.7 * humidity,
        interception.Held(zero, zero), pack, profile.clone(), liquid, water - liquid,
        None if parameters.cycles is None else cycles_at_start(parameters.cycles, parameters.thickness),
        None if parameters.vessels is None else plant_water.Stores(zero + 0.3, zero + 0.3),
    )  # fmt: skip


def water_stored(state: State, parameters: Parameters) -> Tensor:
    """All water of the column, kg m-2.

    Parameters
    ----------
    state : State of the columns
    parameters : their parameters
    """
    soil = snow.over_layers((state.liquid + state.ice) * parameters.thickness) * WATER_DENSITY
    pack = snow.over_layers(state.snow.ice) + snow.over_layers(state.snow.liquid)
    total = soil + pack + state.held.water + state.held.snow
    if state.pond is not None:
        total = total + state.pond
    if state.plant_water is None or parameters.vessels is None:
        return total
    return total + plant_water.water(parameters.vessels, state.plant_water)


def heat_stored(state: State, parameters: Parameters) -> Tensor:
    """Heat of soil, snow and the snow on leaves, J m-2, counted from liquid water at 0 C.

    Parameters
    ----------
    state : State of the columns
    parameters : their parameters
    """
    capacity = soil_heat_capacity(parameters.texture, state.liquid, state.ice) * parameters.thickness
    soil = water_heat.soil_heat(
        capacity, state.soil_temperature, water_heat.liquid_mass(state.ice, parameters.thickness)
    )
    return soil + water_heat.snow_heat(state.snow) - LATENT_FUSION * state.held.snow


def ground_albedo(state: State, parameters: Parameters, covered: Tensor) -> Tensor:
    """Albedo of soil and snow by band, (2, ...): wet soil is half as bright as dry (Dickinson et al. 1993).

    Parameters
    ----------
    state : State of the columns
    parameters : their parameters
    covered : (columns,) share of the ground under snow, 0 to 1
    """
    dryness = torch.clamp(0.11 - 0.40 * state.liquid[0], min=0.0)
    soil = parameters.soil_albedo + torch.minimum(parameters.soil_albedo, dryness + 0.0 * parameters.soil_albedo)
    return (1.0 - covered) * soil + covered * snow.band_albedo(state.snow.albedo)
