# SPDX-License-Identifier: BSD-3-Clause
"""Heat and water below the surface in a step: melting and freezing, what leaves the snow, what the soil takes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column import heat, interception, snow, water_heat
from components.land.column.column_state import Options, State
from components.land.column.paddy import Flooding, seeping
from components.land.column.parameters import Parameters
from components.land.column.richards import Top, WaterStep, richards_step
from components.land.column.runoff import noah_infiltration, topmodel_infiltration
from components.land.column.soil_properties import soil_heat_capacity
from components.land.column.surface_exchange import Beneath, Fallen, Surface, frozen_curves, frozen_share
from components.science.constants import FREEZING_POINT, LATENT_FUSION, WATER_DENSITY


class Thawed(NamedTuple):
    """Snow and soil after conduction and phase change.

    Attributes
    ----------
    pack : snow
    warmth : (layer, columns) temperature of the soil, K
    liquid, ice : (layer, columns) water of the soil, volume fractions as water
    capacity : (layer, columns) heat capacity of the soil, J m-2 K-1
    gained : (columns,) heat through the surface and from below, W m-2
    """

    pack: snow.Snow
    warmth: Tensor
    liquid: Tensor
    ice: Tensor
    capacity: Tensor
    gained: Tensor


class Passed(NamedTuple):
    """Snow, soil and leaves after their water has moved.

    Attributes
    ----------
    pack, held : snow on the ground, and what leaves hold
    warmth : (layer, columns) soil before its water moved, K
    moved : heat that the soil's water carried
    moisture : water of the soil
    sublimed, frozen : (columns,) heat that sublimation took from the snow, and from the soil for it, J m-2
    sublimation : (columns,) evaporation that leaves as ice, kg m-2 s-1
    surface, drained : (columns,) runoff, kg m-2 s-1
    stored, taken : (layer, columns) liquid gained by the layers, and taken by roots and at the surface, kg m-2
    pond : (columns,) water that stands on the ground, kg m-2, or None
    """

    pack: snow.Snow
    held: interception.Held
    warmth: Tensor
    moved: water_heat.Carried
    moisture: WaterStep
    sublimed: Tensor
    frozen: Tensor
    sublimation: Tensor
    surface: Tensor
    drained: Tensor
    stored: Tensor
    taken: Tensor
    pond: Tensor | None = None


def conduct_and_freeze(
    state: State, p: Parameters, pack: snow.Snow, beneath: Beneath, surface: Surface, seconds: float
) -> Thawed:
    """Conduct heat below the known surface, then melt and freeze.

    Parameters
    ----------
    state : State at the start
    p : Parameters of the columns
    pack : snow on the ground
    beneath, surface : layers of heat and the surface above them
    seconds : length of the step, s
    """
    soil, f = p.texture, surface.fluxes
    temperature, _ = heat.ground_temperature(
        beneath.response, beneath.capacity, beneath.resistance, beneath.warmth, seconds, f.ground
    )
    pack, passed_on, _ = snow.melt_and_freeze(pack, temperature[: snow.LAYERS], f.melt_energy * seconds)
    soil_capacity = beneath.capacity[snow.LAYERS :]
    soil_warmth = temperature[snow.LAYERS :]
    pack, lent = _melt_from_below(pack, soil_warmth[0] + passed_on / soil_capacity[0], soil_capacity[0])
    soil_warmth = torch.cat([(soil_warmth[0] + (passed_on - lent) / soil_capacity[0])[None], soil_warmth[1:]])
    mass = WATER_DENSITY * p.thickness
    phase = heat.soil_phase_change(
        soil_warmth, state.liquid * mass, state.ice * mass, soil_capacity, soil.theta_s * mass, soil.psi_s, soil.b
    )
    gained = f.ground_heat + f.melt_energy
    if beneath.deep is not None:
        y, x = beneath.response.below[-1]
        gained = gained - y * (temperature[-1] - x)
    liquid, ice = phase.liquid / mass, phase.ice / mass
    # Ice holds less warmth than water: what the phase change left in the layer is kept.
    capacity = soil_heat_capacity(soil, liquid, ice) * p.thickness
    soil_warmth = FREEZING_POINT + (phase.temperature - FREEZING_POINT) * (soil_capacity / capacity)
    return Thawed(pack, soil_warmth, liquid, ice, capacity, gained)


def _melt_from_below(pack: snow.Snow, soil: Tensor, capacity: Tensor) -> tuple[snow.Snow, Tensor]:
    """Melt snow that covers half of the ground or less with the warmth of the uppermost soil; also the heat that took.

    Conduction knows no melting: a thin layer would grow as warm as what lies beside it and let the heat pass, and melt
    by its own heat capacity a step, the less in a day the longer steps are. Two centimetres of soil give their warmth
    to what lies on them within minutes.
    """
    if not bool((pack.ice > 0.0).any()):
        return pack, torch.zeros_like(soil)
    thin = snow.cover_fraction(pack) <= 0.5
    offered = torch.where(thin, capacity * torch.clamp(soil - FREEZING_POINT, min=0.0), torch.zeros_like(soil))
    melted, back, _ = snow.melt_and_freeze(pack, pack.temperature, offered)
    return melted, offered - back


def pass_water(
    p: Parameters, fallen: Fallen, surface: Surface, thawed: Thawed, seconds: float, options: Options,
    flooding: Flooding | None = None,
) -> Passed:  # fmt: skip
    """Evaporate from leaves and snow, let water through the snow, and move that of the soil.

    Parameters
    ----------
    p : Parameters of the columns
    fallen, surface, thawed : what the step has done before
    seconds : length of the step, s
    options : schemes and iterations
    flooding : water on paddies, or None
    """
    soil, f, caught, pack = p.texture, surface.fluxes, fallen.caught, thawed.pack
    liquid, ice, capacity, soil_warmth = thawed.liquid, thawed.ice, thawed.capacity, thawed.warmth
    none = torch.zeros_like(f.ground_evaporation)
    white = frozen_share(caught.held)
    held, overdrawn, lacking = interception.evaporate(caught.held, white, f.interception_loss * seconds)
    to_snow = torch.where(fallen.snowy, f.ground_evaporation * seconds, none)
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
    left = (with_snow - water_heat.snow_heat(pack) + frozen) / capacity[0]
    soil_warmth = torch.cat([(soil_warmth[0] + left)[None], soil_warmth[1:]])

    from_soil = torch.where(fallen.snowy, none, f.ground_evaporation * seconds) + missing + overdrawn
    curves = frozen_curves(p, ice)
    if flooding is None:
        offered = _infiltration_limit(options, p, arriving, liquid + ice, seconds)
    else:
        arriving = arriving + flooding.standing
        offered = _infiltration_limit(options, p, arriving, liquid + ice, seconds)
        demand = from_soil + seconds * snow.over_layers(surface.drawn)
        offered = seeping(flooding, offered, arriving, demand, seconds)
    into = (offered - from_soil) / (WATER_DENSITY * seconds)
    drawn = surface.drawn / (WATER_DENSITY * p.thickness)
    moisture = richards_step(
        curves, curves.head(liquid), liquid, p.thickness, seconds, Top(into), options.bottom, drawn,
        iterations=options.water_iterations, tolerance=1e-7,
    )  # fmt: skip
    refused = torch.clamp(into - moisture.infiltration, min=0.0) * WATER_DENSITY
    runoff = (arriving - offered) / seconds + refused + moisture.excess * WATER_DENSITY / seconds
    # Soil that was asked for more than it has draws the rest from below.
    drained = moisture.drainage * WATER_DENSITY + torch.clamp(runoff, max=0.0)
    taken = seconds * surface.drawn
    taken = torch.cat([(taken[0] + from_soil)[None], taken[1:]])
    # Water brings no warmth from the air: it enters as warm as the soil it meets; what comes through snow is at 0 C.
    wet = torch.where(on_snow, FREEZING_POINT, torch.clamp(soil_warmth[0], min=FREEZING_POINT))
    stored = (moisture.theta - liquid) * (WATER_DENSITY * p.thickness)
    moved = water_heat.move_soil_water(
        soil_warmth, capacity, soil_heat_capacity(soil, moisture.theta, ice) * p.thickness, stored, taken,
        drained * seconds, wet,
    )  # fmt: skip
    sublimation = white * f.interception_loss + to_snow / seconds
    surface_runoff, pond = torch.clamp(runoff, min=0.0), None
    if flooding is not None:
        pond = torch.minimum(seconds * surface_runoff, flooding.bunds)
        surface_runoff = surface_runoff - pond / seconds
    return Passed(
        pack, held, soil_warmth, moved, moisture, sublimed, frozen, sublimation, surface_runoff, drained, stored, taken,
        pond,
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
        found = options.bottom.table
        return topmodel_infiltration(water, 2.0 * room / p.texture.theta_s if found is None else found.clamp(min=0.0))
    return noah_infiltration(water, WATER_DENSITY * room, p.texture.ks, seconds)
