# SPDX-License-Identifier: BSD-3-Clause
"""Snow on the ground: up to three layers of ice and water, compaction, melt and refreezing, albedo.

Layers are filled from the top; layers not in use are empty and cost nothing but arithmetic. Thicknesses
follow the depth (.1, .2 m, the rest) and are remapped conservatively every step.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.humidity import saturation_humidity
from components.science.constants import (
    C_LIQUID,
    CP_DRY,
    FREEZING_POINT,
    GRAVITY,
    ICE_DENSITY,
    ICE_HEAT_CAPACITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    WATER_DENSITY,
    ZERO_CELSIUS,
)
from components.science.sums import in_order

LAYERS = 3
UPPER, MIDDLE = 0.1, 0.2  # m, thickness of the first two layers of a deep snowpack
HELD_WATER = 0.03  # share of the pores that keeps water against gravity
FRESH_ALBEDO, OLD_ALBEDO = 0.8, 0.5  # as all of its ageing, Essery (2015)
COLD_AGEING, MELT_AGEING = 3.6e6, 3.6e5  # s, in which 1/e of the freshness is left: 1000 and 100 h
REFRESHING_FALL = 10.0  # kg m-2 of snowfall that leave 1/e of the age
COVERING_DEPTH = 0.1  # m
WET_BULB_STEPS = 3  # of Newton's method: the share within 2e-4 from -2 to 20 C and 5 to 100 % of humidity
LEAST_SNOW = 1e-6  # kg m-2; less than this is no layer


class Snow(NamedTuple):
    """Snow state; layer first, uppermost first."""

    ice: Tensor  # kg m-2
    liquid: Tensor  # kg m-2
    thickness: Tensor  # m
    temperature: Tensor  # K; that of an empty layer has no meaning
    albedo: Tensor  # broadband, one value a column


def no_snow(like: Tensor) -> Snow:
    """Bare ground for columns shaped ``like``."""
    zero = torch.zeros((LAYERS, *like.shape), dtype=like.dtype, device=like.device)
    return Snow(zero, zero, zero, zero + FREEZING_POINT, torch.full_like(like, FRESH_ALBEDO))


def over_layers(values: Tensor) -> Tensor:
    """Sum over the layers, always in the same order."""
    return in_order(values, 0)


def fresh_density(air_temperature: Tensor) -> Tensor:
    """Density of new snow, kg m-3 (Hedstrom and Pomeroy 1998), 50 at least."""
    warmth = torch.clamp(air_temperature - FREEZING_POINT, -30.0, 2.0)
    return torch.clamp(67.92 + 51.25 * torch.exp(warmth / 2.59), min=50.0)


def falling_share(temperature: Tensor, humidity: Tensor, pressure: Tensor) -> Tensor:
    """Share of precipitation that falls as snow: linear in wet-bulb temperature from 2 to 0 C.

    Wang et al. (2019, Geophys. Res. Lett. 46) have a sigmoid of it, half at .8 C. The wet bulb is that of the
    psychrometer equation, over ice below 0 C, by Newton's method from the air's temperature.

    Parameters
    ----------
    temperature : K
    humidity : specific humidity, kg kg-1
    pressure : Pa
    """
    dry = CP_DRY / LATENT_VAPORISATION
    wet_bulb = temperature
    for turn in range(WET_BULB_STEPS):
        q, slope = saturation_humidity(wet_bulb, pressure)
        if turn == 0:
            humidity = torch.minimum(humidity, q)
        wet_bulb = wet_bulb - (q - humidity - dry * (temperature - wet_bulb)) / (slope + dry)
    return torch.clamp((2.0 - (wet_bulb - ZERO_CELSIUS)) / 2.0, 0.0, 1.0)


def surface_temperature(snow: Snow, ground: Tensor) -> Tensor:
    """Temperature of the pack's top, K, or of the bare ``ground``, 0 C at most: that which new snow takes on.

    Parameters
    ----------
    snow : the pack
    ground : (columns,) K
    """
    return torch.clamp(torch.where(snow.ice[0] > LEAST_SNOW, snow.temperature[0], ground), max=FREEZING_POINT)


def add_snowfall(snow: Snow, mass: Tensor, temperature: Tensor, density: Tensor) -> Snow:
    """Lay ``mass`` (kg m-2) of new snow at ``temperature`` (K) and ``density`` (kg m-3) on the top layer.

    Parameters
    ----------
    snow : the pack
    mass : (columns,) kg m-2
    temperature : (columns,) K
    density : (columns,) kg m-3
    """
    temperature = torch.clamp(temperature, max=FREEZING_POINT)
    old = snow.ice[0] * ICE_HEAT_CAPACITY + snow.liquid[0] * C_LIQUID
    new = mass * ICE_HEAT_CAPACITY
    both = old + new
    mixed = torch.where(
        both > 0.0,
        (old * snow.temperature[0] + new * temperature) / torch.where(both > 0.0, both, torch.ones_like(both)),
        snow.temperature[0],
    )
    first = torch.stack([snow.ice[0] + mass, snow.thickness[0] + mass / density, mixed])
    return snow._replace(
        ice=torch.cat([first[0][None], snow.ice[1:]]),
        thickness=torch.cat([first[1][None], snow.thickness[1:]]),
        temperature=torch.cat([mixed[None], snow.temperature[1:]]),
    )


def relayer(snow: Snow) -> Snow:
    """Divide the pack anew: .1 m, .2 m and the rest, with no layer thinner than half the one above."""
    depth = over_layers(snow.thickness)
    first = torch.where(depth > 1.5 * UPPER, torch.full_like(depth, UPPER), depth)
    rest = depth - first
    second = torch.where(rest > 1.5 * MIDDLE, torch.full_like(depth, MIDDLE), rest)
    new = torch.stack([first, second, rest - second])
    capacity = snow.ice * ICE_HEAT_CAPACITY + snow.liquid * C_LIQUID
    contents = (snow.ice, snow.liquid, capacity * (snow.temperature - FREEZING_POINT))
    old_edge = _edges(snow.thickness)
    new_edge = _edges(new)
    inverse = 1.0 / torch.clamp(snow.thickness, min=1e-12)
    mapped: list[list[Tensor]] = [[], [], []]
    for j in range(LAYERS):
        totals = [torch.zeros_like(depth) for _ in contents]
        for i in range(LAYERS):
            top = torch.maximum(old_edge[i], new_edge[j])
            bottom = torch.minimum(old_edge[i + 1], new_edge[j + 1])
            share = torch.clamp(bottom - top, min=0.0) * inverse[i]
            totals = [t + share * c[i] for t, c in zip(totals, contents, strict=True)]
        for store, total in zip(mapped, totals, strict=True):
            store.append(total)
    # Rounding of the shares must not lose mass: the top layer takes what the others did not get.
    for store, content in zip(mapped, contents, strict=True):
        store[0] = over_layers(content) - store[1] - store[2]
    ice, liquid, heat = (torch.stack(store) for store in mapped)
    ice, liquid = torch.clamp(ice, min=0.0), torch.clamp(liquid, min=0.0)
    capacity = ice * ICE_HEAT_CAPACITY + liquid * C_LIQUID
    used = capacity > 0.0
    temperature = FREEZING_POINT + torch.where(
        used, heat / torch.where(used, capacity, torch.ones_like(heat)), 0.0 * heat
    )
    return Snow(ice, liquid, new, temperature, snow.albedo)


def _edges(thickness: Tensor) -> list[Tensor]:
    edges = [torch.zeros_like(thickness[0])]
    for layer in thickness:
        edges.append(edges[-1] + layer)
    return edges


def thermal(snow: Snow) -> tuple[Tensor, Tensor]:
    """Heat capacity (J m-2 K-1) and thermal resistance (m2 K W-1) of the layers; 0 where there is no snow.

    Conductivity of Calonne et al. (2011, eq. 12): 2.5e-6 rho2 - 1.23e-4 rho + .024.
    """
    mass = snow.ice + snow.liquid
    used = mass > LEAST_SNOW
    rho = torch.clamp(mass / torch.clamp(snow.thickness, min=1e-9), 50.0, ICE_DENSITY)
    conductivity = 2.5e-6 * rho * rho - 1.23e-4 * rho + 0.024
    capacity = snow.ice * ICE_HEAT_CAPACITY + snow.liquid * C_LIQUID
    return capacity, torch.where(used, snow.thickness / conductivity, torch.zeros_like(mass))


def melt_and_freeze(snow: Snow, temperature: Tensor, surface_energy: Tensor) -> tuple[Snow, Tensor, Tensor]:
    """Phase change after conduction.

    Parameters
    ----------
    snow
        State; its temperatures are replaced by ``temperature`` (K).
    surface_energy
        Energy left at a melting surface, J m-2, into the top layer.

    Returns
    -------
    tuple
        Snow, heat that passes on to the ground (J m-2), and the ice melted (kg m-2).
    """
    carry, total_melt = surface_energy, torch.zeros_like(surface_energy)
    ice, liquid, warm, thick = [], [], [], []
    for i in range(LAYERS):
        capacity = snow.ice[i] * ICE_HEAT_CAPACITY + snow.liquid[i] * C_LIQUID
        heat = capacity * (temperature[i] - FREEZING_POINT) + carry
        melt = torch.minimum(torch.clamp(heat / LATENT_FUSION, min=0.0), snow.ice[i])
        freeze = torch.minimum(torch.clamp(-heat / LATENT_FUSION, min=0.0), snow.liquid[i])
        left = heat - (melt - freeze) * LATENT_FUSION
        new_ice, new_liquid = snow.ice[i] - melt + freeze, snow.liquid[i] + melt - freeze
        carry = torch.clamp(left, min=0.0)  # more heat than ice: on to the next layer
        new_capacity = new_ice * ICE_HEAT_CAPACITY + new_liquid * C_LIQUID
        used = new_capacity > 0.0
        below = torch.clamp(left, max=0.0) / torch.where(used, new_capacity, torch.ones_like(left))
        # A trace of snow has no heat to speak of: its cold goes to the ground instead of into its
        # temperature.
        trace = below < -100.0
        carry = carry + torch.where(trace, torch.clamp(left, max=0.0), 0.0 * left)
        warm.append(FREEZING_POINT + torch.where(used & ~trace, below, 0.0 * below))
        kept = torch.clamp(1.0 - melt / torch.clamp(snow.ice[i], min=1e-12), 0.0, 1.0)
        thick.append(torch.where(melt > 0.0, snow.thickness[i] * kept, snow.thickness[i]))
        ice.append(new_ice)
        liquid.append(new_liquid)
        total_melt = total_melt + melt
    new = Snow(torch.stack(ice), torch.stack(liquid), torch.stack(thick), torch.stack(warm), snow.albedo)
    return new, carry, total_melt


def sublimate(snow: Snow, mass: Tensor) -> tuple[Snow, Tensor]:
    """Take ``mass`` (kg m-2; negative: frost) from the ice, uppermost first; returns what was not there.

    Parameters
    ----------
    snow : the pack
    mass : (columns,) kg m-2, negative for frost
    """
    ice, thick, missing = [], [], mass
    for i in range(LAYERS):
        wanted = missing if i == 0 else torch.clamp(missing, min=0.0)
        taken = torch.minimum(wanted, snow.ice[i])
        left = snow.ice[i] - taken
        kept = torch.where(taken > 0.0, left / torch.clamp(snow.ice[i], min=1e-12), torch.ones_like(left))
        thick.append(snow.thickness[i] * kept + torch.clamp(-taken, min=0.0) / 200.0)
        ice.append(left)
        missing = missing - taken
    return snow._replace(ice=torch.stack(ice), thickness=torch.stack(thick)), missing


def percolate(snow: Snow, rain: Tensor) -> tuple[Snow, Tensor]:
    """Pass rain and meltwater down; returns the water that leaves the pack, kg m-2.

    Columns without ice let all through. Water moves at 0 C: a layer keeps its heat and shares it with what it holds.

    Parameters
    ----------
    snow : the pack
    rain : (columns,) kg m-2
    """
    flow, liquid, warm = rain, [], []
    for i in range(LAYERS):
        water = snow.liquid[i] + flow
        pores = torch.clamp(snow.thickness[i] - snow.ice[i] / ICE_DENSITY, min=0.0)
        held = torch.where(snow.ice[i] > LEAST_SNOW, HELD_WATER * WATER_DENSITY * pores, 0.0 * pores)
        kept = torch.minimum(water, held)
        liquid.append(kept)
        flow = water - kept
        old = snow.ice[i] * ICE_HEAT_CAPACITY + snow.liquid[i] * C_LIQUID
        new = snow.ice[i] * ICE_HEAT_CAPACITY + kept * C_LIQUID
        heat = old * (snow.temperature[i] - FREEZING_POINT)
        warm.append(FREEZING_POINT + torch.where(new > 0.0, heat / torch.where(new > 0.0, new, old + 1.0), 0.0 * heat))
    return snow._replace(liquid=torch.stack(liquid), temperature=torch.stack(warm)), flow


def compact(snow: Snow, seconds: float) -> Snow:
    """Settle under the snow above and by metamorphism (Anderson 1976; constants of Essery et al. 2013).

    d rho/dt = rho (g M / eta + 2.8e-6 exp(-.042 (Tm - T) - .046 max(rho - 150, 0))), with
    eta = 3.7e7 exp(rho/55.6 + (Tm - T)/12.4) Pa s.

    Parameters
    ----------
    snow : the pack
    seconds : length of the step, s
    """
    above = torch.zeros_like(snow.albedo)
    thick = []
    for i in range(LAYERS):
        mass = snow.ice[i] + snow.liquid[i]
        rho = torch.clamp(mass / torch.clamp(snow.thickness[i], min=1e-9), 20.0, ICE_DENSITY)
        cold = torch.clamp(FREEZING_POINT - snow.temperature[i], min=0.0)
        weight = GRAVITY * (above + 0.5 * mass)
        rate = weight / 3.7e7 * torch.exp(-rho / 55.6 - cold / 12.4)
        rate = rate + 2.8e-6 * torch.exp(-0.042 * cold - 0.046 * torch.clamp(rho - 150.0, min=0.0))
        densest = torch.clamp(mass / ICE_DENSITY, min=0.0)
        thick.append(torch.maximum(snow.thickness[i] / (1.0 + rate * seconds), densest))
        above = above + mass
    some = over_layers(snow.ice) > LEAST_SNOW
    thickness = torch.stack(thick)
    return snow._replace(thickness=torch.where(some, thickness, torch.zeros_like(thickness)))


def age_albedo(snow: Snow, surface: Tensor, snowfall: Tensor, seconds: float) -> Snow:
    """Age the albedo towards old snow's, the faster when melting, and renew it by snowfall (Essery 2015).

    d alpha/dt = (.5 - alpha)/tau + (.8 - alpha) S/S*, exact for what is steady through the step.

    Parameters
    ----------
    snow
        The pack.
    surface
        Surface temperature, K.
    snowfall
        kg m-2 in this step.
    seconds
        Length of the step.
    """
    melting = surface >= FREEZING_POINT - 0.01
    ageing = seconds / torch.where(melting, MELT_AGEING, surface.new_tensor(COLD_AGEING))
    renewal = torch.clamp(snowfall, min=0.0) / REFRESHING_FALL
    both = ageing + renewal
    towards = (OLD_ALBEDO * ageing + FRESH_ALBEDO * renewal) / both
    aged = towards + (snow.albedo - towards) * torch.exp(-both)
    gone = over_layers(snow.ice) <= LEAST_SNOW
    return snow._replace(albedo=torch.where(gone, torch.full_like(aged, FRESH_ALBEDO), aged))


def band_albedo(albedo: Tensor) -> Tensor:
    """Albedo in the visible and the near infrared, whose mean is the broadband one, (2, ...)."""
    return torch.stack([torch.clamp(albedo + 0.12, max=0.98), torch.clamp(albedo - 0.12, min=0.1)])


def cover_fraction(snow: Snow) -> Tensor:
    """Share of the ground under snow, tanh(depth/.1 m)."""
    return torch.tanh(over_layers(snow.thickness) / COVERING_DEPTH)
