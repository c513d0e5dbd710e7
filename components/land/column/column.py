"""One step of the whole column: canopy, snow and soil, energy, water and carbon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from components.land.column import canopy, heat, interception, snow, water_heat
from components.land.column.canopy_leaves import CanopyLeaves, Water
from components.land.column.carbon import soil_respiration
from components.land.column.gas_exchange import Stomata, split_leaves
from components.land.column.hydraulics import Weibull
from components.land.column.parameters import Parameters
from components.land.column.radiation import Foliage, two_stream
from components.land.column.richards import Bottom, Top, richards_step
from components.land.column.runoff import noah_infiltration, topmodel_infiltration
from components.land.column.soil_evaporation import RESISTANCE
from components.land.column.soil_properties import soil_conductivity, soil_heat_capacity
from components.science.constants import (
    CARBON_MOLAR_MASS,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_SUBLIMATION,
    LATENT_VAPORISATION,
    R_VAPOUR,
    WATER_DENSITY,
)

MPA_PER_METRE = 1e-6 * WATER_DENSITY * GRAVITY  # of water
LEAST_SWE = 0.1  # kg m-2 of snow on the ground that hold its surface at 0 C
SNOW_ROUGHNESS = 0.002  # m
SOIL_EMISSIVITY, SNOW_EMISSIVITY = 0.97, 0.99
IMPEDANCE = 6.0  # decades of conductivity lost from no ice to all pores frozen (Swenson et al. 2012)


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
    """

    stomata: Stomata = field(default_factory=Stomata)
    photosynthesis: str = "c3"
    infiltration: str = "noah"
    bottom: Bottom = field(default_factory=Bottom)
    soil_resistance: str = "sellers"
    outer: int = 5
    inner: int = 4
    water_iterations: int = 3


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


def initial_state(
    parameters: Parameters, temperature: Tensor, wetness: float | Tensor = 0.5, snow_mass: Tensor | None = None
) -> State:
    """A start at rest: one temperature (K), soil water between wilting point (0) and saturation (1).

    ``temperature`` is one value a column or (layer, ...); the soil is frozen where it is cold.
    ``snow_mass`` in kg m-2,
    at 250 kg m-3.

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
    return soil + pack + state.held.water + state.held.snow


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
    p, soil = parameters, parameters.texture
    start = water_stored(state, p)
    plant_area = forcing.lai + forcing.sai
    caught = interception.intercept(
        state.held, forcing.rain * seconds, forcing.snowfall * seconds, plant_area, state.canopy, seconds
    )
    settled = snow.surface_temperature(state.snow, state.soil_temperature[0])
    pack = snow.add_snowfall(state.snow, caught.snowfall, settled, snow.fresh_density(forcing.temperature))
    pack = snow.relayer(pack)
    covered = snow.cover_fraction(pack)
    swe = snow.over_layers(pack.ice)
    snowy = (covered > 0.5) & (swe > LEAST_SWE)

    below = ground_albedo(state, p, covered)
    stems = forcing.sai / torch.clamp(plant_area, min=1e-6)
    foliage = Foliage(
        forcing.lai, forcing.sai, (1.0 - stems) * p.reflectance + stems * p.stem_reflectance,
        (1.0 - stems) * p.transmittance, p.orientation, p.clumping,
    )  # fmt: skip
    light = two_stream(foliage, forcing.cos_zenith, forcing.direct, forcing.diffuse, below, below)

    snow_capacity, snow_resistance = snow.thermal(pack)
    capacity = torch.cat([snow_capacity, soil_heat_capacity(soil, state.liquid, state.ice) * p.thickness])
    conductivity = soil_conductivity(soil, state.liquid, state.ice)
    resistance = torch.cat([snow_resistance, p.thickness / conductivity])
    warmth = torch.cat([pack.temperature, state.soil_temperature])
    deep = None
    if p.deep_temperature is not None:
        deep = conductivity[-1] / (p.deep_depth - float(p.thickness.sum())), p.deep_temperature
    under = heat.ground_response(warmth, capacity, resistance, seconds, deep)

    curves = _frozen_curves(p, state.ice)
    psi = curves.head(state.liquid)
    vulnerability = Weibull(p.weibull_b, p.weibull_c)
    uptake, tension = _root_uptake(p, psi, vulnerability)
    leaves = split_leaves(p.traits, light, forcing.lai, forcing.sai)
    water = Water(p.kmax, p.weibull_b, p.weibull_c, tension)
    exchange = CanopyLeaves(options.stomata, options.photosynthesis, p.traits, leaves, water, forcing.pressure)

    air = canopy.Air(
        forcing.temperature, forcing.humidity, forcing.pressure, forcing.wind, forcing.height,
        forcing.longwave,
        forcing.co2,
    )  # fmt: skip
    frozen_share = caught.held.snow / torch.clamp(caught.held.snow + caught.held.water, min=1e-9)
    cover = canopy.Cover(
        forcing.lai, forcing.sai, p.height, p.leaf_width,
        light.sunlit[0] + light.sunlit[1] + light.shaded[0] + light.shaded[1],
        caught.held.water + caught.held.snow, interception.wet_fraction(caught.held, plant_area),
        canopy.wet_latent(frozen_share),
    )  # fmt: skip
    ground = _ground(state, p, psi[0], covered, snowy, under, light.ground, options.soil_resistance)
    warm = canopy.Warm(state.canopy, state.ground, state.zeta, state.conductance, state.air_humidity)
    f = canopy.solve(air, ground, cover, leaves.area, exchange, warm, seconds, options.outer, options.inner)

    temperature, _ = heat.ground_temperature(under, capacity, resistance, warmth, seconds, f.ground)
    pack, passed_on, _ = snow.melt_and_freeze(pack, temperature[: snow.LAYERS], f.melt_energy * seconds)
    soil_capacity = capacity[snow.LAYERS :]
    soil_warmth = temperature[snow.LAYERS :]
    soil_warmth = torch.cat([(soil_warmth[0] + passed_on / soil_capacity[0])[None], soil_warmth[1:]])
    mass = WATER_DENSITY * p.thickness
    phase = heat.soil_phase_change(
        soil_warmth, state.liquid * mass, state.ice * mass, soil_capacity, soil.theta_s * mass, soil.psi_s, soil.b
    )
    gained = f.ground_heat + f.melt_energy
    if deep is not None:
        y, x = under.below[-1]
        gained = gained - y * (temperature[-1] - x)
    liquid, ice = phase.liquid / mass, phase.ice / mass
    # Ice holds less warmth than water: what the phase change left in the layer is kept.
    mid_capacity = soil_heat_capacity(soil, liquid, ice) * p.thickness
    soil_warmth = FREEZING_POINT + (phase.temperature - FREEZING_POINT) * (soil_capacity / mid_capacity)

    held, overdrawn, lacking = interception.evaporate(caught.held, frozen_share, f.interception_loss * seconds)
    to_snow = torch.where(snowy, f.ground_evaporation * seconds, 0.0 * swe)
    with_snow = water_heat.snow_heat(pack)
    pack, missing = snow.sublimate(pack, to_snow)
    sublimed = water_heat.snow_heat(pack) - with_snow
    on_snow = snow.over_layers(pack.ice) > snow.LEAST_SNOW
    pack, arriving = snow.percolate(pack, caught.rain)
    pack = snow.compact(pack, seconds)
    pack = snow.age_albedo(pack, f.ground, caught.snowfall, seconds)
    with_snow = water_heat.snow_heat(pack)
    pack, dregs = _sweep(pack)
    arriving = arriving + dregs
    # Ice that was to sublimate and is not there: the soil's water freezes and sublimates in its place.
    frozen = LATENT_FUSION * (missing + lacking)
    left = (with_snow - water_heat.snow_heat(pack) + frozen) / mid_capacity[0]
    soil_warmth = torch.cat([(soil_warmth[0] + left)[None], soil_warmth[1:]])

    from_soil = torch.where(snowy, 0.0 * swe, f.ground_evaporation * seconds) + missing + overdrawn
    curves = _frozen_curves(p, ice)
    offered = _infiltration_limit(options, p, arriving, liquid + ice, seconds)
    into = (offered - from_soil) / (WATER_DENSITY * seconds)
    drawn = uptake * f.transpiration / (WATER_DENSITY * p.thickness)
    moisture = richards_step(
        curves, curves.head(liquid), liquid, p.thickness, seconds, Top(into), options.bottom, drawn,
        iterations=options.water_iterations, tolerance=1e-7,
    )  # fmt: skip
    refused = torch.clamp(into - moisture.infiltration, min=0.0) * WATER_DENSITY
    surface = (arriving - offered) / seconds + refused + moisture.excess * WATER_DENSITY / seconds
    # Soil that was asked for more than it has draws the rest from below.
    drained = moisture.drainage * WATER_DENSITY + torch.clamp(surface, max=0.0)
    surface = torch.clamp(surface, min=0.0)

    taken = seconds * uptake * f.transpiration
    taken = torch.cat([(taken[0] + from_soil)[None], taken[1:]])
    # Water brings no warmth from the air: it enters as warm as the soil it meets; what comes through snow is at 0 C.
    wet = torch.where(on_snow, FREEZING_POINT, torch.clamp(soil_warmth[0], min=FREEZING_POINT))
    moved = water_heat.move_soil_water(
        soil_warmth, mid_capacity, soil_heat_capacity(soil, moisture.theta, ice) * p.thickness,
        (moisture.theta - liquid) * mass, taken, drained * seconds, wet,
    )  # fmt: skip
    new = State(
        f.canopy, f.ground, f.zeta, f.conductance, f.air_humidity, held, pack, moved.temperature, moisture.theta, ice
    )
    fallen = water_heat.snowfall_heat(settled) * caught.snowfall
    from_canopy = LATENT_FUSION * (caught.held.snow - held.snow - forcing.snowfall * seconds)
    by_water = (moved.gained + sublimed + fallen + from_canopy + frozen) / seconds
    ground_residual = (heat_stored(new, p) - heat_stored(state, p)) / seconds - gained - by_water
    lost = f.transpiration + f.interception_loss + f.ground_evaporation + surface + drained
    water_residual = water_stored(new, p) - start - seconds * (forcing.rain + forcing.snowfall - lost)
    incoming = forcing.direct + forcing.diffuse
    absorbed = incoming[0] + incoming[1] - light.reflected[0] - light.reflected[1]
    net = absorbed + forcing.longwave - f.longwave_up
    balance = net - f.sensible - f.latent - f.ground_heat - f.melt_energy - f.canopy_storage
    gross = leaves.area * (f.assimilation + exchange.respiration(f.canopy))
    net_leaf = leaves.area * f.assimilation
    uptake_net = (
        net_leaf[0]
        + net_leaf[1]
        - soil_respiration(p.soil_respiration, soil_warmth[2], (liquid[2] + ice[2]) / soil.theta_s)
    )
    lit = torch.clamp(incoming, min=1e-9)
    albedo = torch.where(incoming > 1e-6, light.reflected / lit, below)
    thermal = 1.0 - torch.exp(-plant_area)
    emissivity = thermal + (1.0 - thermal) * ground.emissivity
    radiating = (f.longwave_up - (1.0 - emissivity) * forcing.longwave) / emissivity
    return new, Output(
        f.sensible, f.latent, f.ground_heat, f.melt_energy, net, f.canopy_storage, by_water, light.reflected,
        f.longwave_up,
        canopy.emission_temperature(radiating), albedo, emissivity, f.momentum_roughness, f.friction_velocity,
        f.transpiration, f.interception_loss, f.ground_evaporation,
        (frozen_share * f.interception_loss + to_snow / seconds), surface, drained, gross[0] + gross[1],
        uptake_net, uptake_net * (1e-6 * CARBON_MOLAR_MASS), balance, ground_residual, water_residual,
        (f.drift > 0.05).to(net.dtype), (f.residual > 10.0 * canopy.TOLERANCE[net.dtype]).to(net.dtype),
    )  # fmt: skip


def _frozen_curves(p: Parameters, ice: Tensor):
    """Retention of the pores the ice leaves open, and conductivity impeded by it."""
    share = torch.clamp(ice / p.texture.theta_s, 0.0, 1.0)
    room = torch.clamp(p.retention.theta_s - ice, min=0.01)
    room = torch.maximum(room, torch.as_tensor(p.retention.theta_r + 0.01).to(room))
    return replace(cast(Any, p.retention), theta_s=room, ks=p.retention.ks * torch.exp(-2.302585 * IMPEDANCE * share))


def _root_uptake(p: Parameters, psi: Tensor, curve: Weibull) -> tuple[Tensor, Tensor]:
    """Share of the uptake by layer, and the tension the roots meet, MPa: layers count by roots and conductance."""
    tension = torch.clamp(-psi * MPA_PER_METRE, max=50.0)
    weight = p.roots * (curve.fraction(tension) + 1e-6)
    total = snow.over_layers(weight)
    share = weight / total
    return share, snow.over_layers(share * tension)


def _ground(
    state: State,
    p: Parameters,
    psi: Tensor,
    covered: Tensor,
    snowy: Tensor,
    under: heat.Ground,
    shortwave: Tensor,
    resistance_by: str,
) -> canopy.Ground:
    """Surface below the canopy, soil and snow together."""
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
    )  # fmt: skip


def _sweep(pack: snow.Snow) -> tuple[snow.Snow, Tensor]:
    """Give the last trace of a pack to the ground as water."""
    gone = snow.over_layers(pack.ice) <= snow.LEAST_SNOW
    rest = torch.where(gone, snow.over_layers(pack.ice) + snow.over_layers(pack.liquid), torch.zeros_like(pack.albedo))
    zero = torch.zeros_like(pack.ice)
    return pack._replace(
        ice=torch.where(gone, zero, pack.ice), liquid=torch.where(gone, zero, pack.liquid),
        thickness=torch.where(gone, zero, pack.thickness),
        temperature=torch.where(gone, zero + FREEZING_POINT, pack.temperature),
    ), rest  # fmt: skip


def _infiltration_limit(options: Options, p: Parameters, water: Tensor, wetness: Tensor, seconds: float) -> Tensor:
    """Water that may enter the soil, kg m-2."""
    room = snow.over_layers(torch.clamp(p.texture.theta_s - wetness, min=0.0) * p.thickness)
    if options.infiltration == "topmodel":
        # The deficit of the column as the depth of a water table above which half the pores are empty.
        return topmodel_infiltration(water, 2.0 * room / p.texture.theta_s)
    return noah_infiltration(water, WATER_DENSITY * room, p.texture.ks, seconds)
