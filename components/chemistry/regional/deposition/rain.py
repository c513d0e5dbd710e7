# SPDX-License-Identifier: BSD-3-Clause
"""Wet deposition of gases and particles: out of clouds, from the air below, and back where rain evaporates.

In clouds after Giorgi & Chameides (1986) in the form of Jacob et al. (2000) and Liu et al. (2001): the share of a gas
that is in the cloud's water is x = L K / (1 + L K), L the volume of water in that of air and K = H R T (Seinfeld &
Pandis 2006, eq. 7.9). Below them drops of one size sweep up particles (Slinn 1983; Seinfeld & Pandis 2006, p. 950);
a gas approaches equilibrium with the drops, not faster than a highly soluble one is washed out (.1 for each mm of rain:
Levine & Schwartz 1982, Atmos. Environ. 16, 1725), and may leave them again. From the top down, layer by layer; what
rain carries passes through the layers, so that nothing is lost.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.aerosol.particle_motion import brownian_diffusivity, fall_speed, viscosity
from components.science.constants import GRAVITY, WATER_DENSITY

FASTEST = 1.0e-4  # k_min, s-1, at which cloud becomes rain at the least (Jacob et al. 2000)
STRATIFORM = 1.0e-3  # kg m-3 of condensate where it rains (Liu et al. 2001)
CONVECTIVE = 2.0e-3
WIDEST = 0.3  # of a cell that convective rain fills at the most
LEAST_RAIN = 1.0e-9  # kg m-2 s-1
WATER_VISCOSITY = 1.0e-3  # kg m-1 s-1, of drops at 20 degC


WASHED = 0.1  # share of a highly soluble gas that a kg m-2 of rain takes out of the air that it falls through
SHRINKING = 0.5  # share of what evaporating drops held of particles that is free: others only shrink (Liu et al. 2001)


class Uptake(NamedTuple):
    """What water takes up of tracers.

    Attributes
    ----------
    taken : (n, nz, y, x) share that the cloud's water takes of what could be in it
    solubility : (n, nz, y, x) K, concentration in water over that in air, by volume; infinite for particles
    collected : (n, nz, y, x) collection efficiency of drops; 0 for gases
    washed : (n, nz, y, x) share that a kg m-2 of rain takes out at the most, m2 kg-1; 0 for particles
    returned : (n,) share of what evaporating rain held that is free again
    """

    taken: Tensor
    solubility: Tensor
    collected: Tensor
    washed: Tensor
    returned: Tensor


def of_particles(taken: Tensor, collected: Tensor) -> Uptake:
    """Uptake of particles.

    Parameters
    ----------
    taken : (n,) share of a tracer that is in the cloud's water
    collected : (n, nz, y, x) collection efficiency
    """
    all_ = taken[:, None, None, None].to(collected).expand_as(collected)
    none = torch.zeros_like(collected)
    return Uptake(all_, none + torch.inf, collected, none, torch.full_like(taken, SHRINKING).to(collected))


def of_gases(solubility: Tensor, takes: Tensor) -> Uptake:
    """Uptake of gases, which are free where drops evaporate.

    Parameters
    ----------
    solubility : (n, nz, y, x) K
    takes : (n, nz, y, x) 1, or 0 where it is too cold for water to take any
    """
    return Uptake(takes, solubility, torch.zeros_like(takes), WASHED * takes, torch.ones_like(takes[:, 0, 0, 0]))


class Rain(NamedTuple):
    """Precipitation of a kind (nz + 1, y, x) at interfaces, lowest first, kg m-2 s-1, and its condensate (kg m-3).

    Attributes
    ----------
    flux : downward, of rain and snow
    condensate : where it forms
    widest : share of a cell that it fills at the most
    """

    flux: Tensor
    condensate: float
    widest: float


def stratiform(flux: Tensor) -> Rain:
    """Rain of layered clouds.

    Parameters
    ----------
    flux : (nz + 1, y, x) downward at interfaces, kg m-2 s-1
    """
    return Rain(flux, STRATIFORM, 1.0)


def convective(flux: Tensor) -> Rain:
    """Rain of towers.

    Parameters
    ----------
    flux : (nz + 1, y, x) downward at interfaces, kg m-2 s-1
    """
    return Rain(flux, CONVECTIVE, WIDEST)


def collection_efficiency(
    diameter: Tensor, density: Tensor, drop: Tensor, temperature: Tensor, pressure: Tensor, air: Tensor
) -> Tensor:
    """Share of the particles in its way that a falling drop collects (Slinn 1983; Seinfeld & Pandis 2006, p. 950).

    Parameters
    ----------
    diameter, density : of the particles, m, kg m-3
    drop : diameter of the drops, m
    temperature, pressure, air : of the air, K, Pa, density in kg m-3
    """
    mu = viscosity(temperature)
    nu = mu / air
    speed = drop_speed(drop)
    reynolds = 0.5 * drop * speed / nu
    schmidt = nu / brownian_diffusivity(diameter, temperature, pressure)
    own = fall_speed(diameter, density, temperature, pressure)
    stokes = 2.0 * (own / GRAVITY) * torch.clamp(speed - own, min=0.0) / drop
    phi, omega = diameter / drop, WATER_VISCOSITY / mu
    root = torch.sqrt(reynolds)
    third = torch.exp(torch.log(schmidt) / 3.0)
    brownian = 4.0 / (reynolds * schmidt) * (1.0 + 0.4 * root * third + 0.16 * root * torch.sqrt(schmidt))
    caught = 4.0 * phi * (1.0 / omega + (1.0 + 2.0 * root) * phi)
    log = torch.log(1.0 + reynolds)
    critical = (1.2 + log / 12.0) / (1.0 + log)
    over = torch.clamp((stokes - critical) / (stokes - critical + 2.0 / 3.0), min=0.0)
    heavy = torch.sqrt(WATER_DENSITY / torch.as_tensor(density, dtype=over.dtype))  # of other density than water
    impact = torch.where(stokes > critical, over * torch.sqrt(over) * heavy, torch.zeros_like(over))
    return torch.clamp(brownian + caught + impact, max=1.0)


def drop_speed(drop: Tensor) -> Tensor:
    """Terminal speed of rain drops, m s-1 (Atlas et al. 1973, as 9.65 - 10.3 exp(-0.6 D/mm)).

    Parameters
    ----------
    drop : diameter, m
    """
    return torch.clamp(9.65 - 10.3 * torch.exp(-600.0 * drop), min=0.1)


def washout_rate(rain: Tensor, efficiency: Tensor, washed: Tensor | float = 0.0) -> Tensor:
    """Share of what is below clouds that rain takes out in a second, s-1: 3 E R / (2 D) (eq. 20.57), or of gases.

    Parameters
    ----------
    rain : where it falls, kg m-2 s-1
    efficiency : of collection
    washed : share that a kg m-2 takes out of a gas, m2 kg-1
    """
    return (1.5 * efficiency / (WATER_DENSITY * drop_diameter(rain)) + washed) * rain


def drop_diameter(rain: Tensor) -> Tensor:
    """Representative diameter of drops, m: 0.97 mm (R / mm h-1)^0.158 (Loosmore & Cederwall 2004).

    Parameters
    ----------
    rain : where it falls, kg m-2 s-1
    """
    per_hour = torch.clamp(rain * (3600.0 * 1000.0 / WATER_DENSITY), min=1.0e-3)
    return 0.97e-3 * torch.exp(0.158 * torch.log(per_hour))


def fallen(q: Tensor, rain: Rain, water: Uptake, mass: Tensor, depth: Tensor, seconds: float) -> tuple[Tensor, Tensor]:
    """Tracers after rain, and what reached the ground.

    In a layer where rain grows by Q it forms in the share f = Q / (k C) of it at the rate k = k_min + Q / C, C its
    condensate. Below, rain falls through the largest share above. Where it evaporates it gives back half the share
    of particles that evaporates (of gases all), and all where nothing is left (Liu et al. 2001).

    Parameters
    ----------
    q : (n, nz, y, x) mixing ratios, not negative, lowest layer first
    rain : of one kind
    water : what it takes up
    mass, depth : (nz, y, x) dry air in the layers, kg m-2, and their depth, m
    seconds : time step, s

    Returns
    -------
    q : (n, nz, y, x)
    ground : (n, y, x) deposited, kg m-2 if ``q`` is kg kg-1
    """
    flux = torch.clamp(rain.flux, min=0.0)
    carried = torch.zeros_like(q[:, 0])
    wide = torch.zeros_like(mass[0])
    layers = []
    in_cloud = water.taken / (1.0 + WATER_DENSITY / (rain.condensate * water.solubility))
    returned = water.returned[:, None, None].to(q)
    for k in range(mass.shape[0] - 1, -1, -1):
        above, below = flux[k + 1], flux[k]
        layer = q[:, k]
        made = torch.clamp(below - above, min=0.0) / depth[k]  # kg m-3 s-1
        rate = FASTEST + made / rain.condensate
        share = torch.clamp(made / (rate * rain.condensate), max=rain.widest)
        rained = -in_cloud[:, k] * share * torch.expm1(-rate * seconds)
        wide = torch.where(below > LEAST_RAIN, torch.maximum(wide, share), torch.zeros_like(wide))
        falls = (above > LEAST_RAIN) & (wide > 0.0)
        area = torch.where(falls, torch.clamp(wide, min=1.0e-3), torch.ones_like(wide))
        local = torch.where(falls, torch.minimum(above, below) / area, torch.zeros_like(wide))
        swept = -torch.expm1(-washout_rate(local, water.collected[:, k], water.washed[:, k]) * seconds)
        lost = torch.clamp(above - below, min=0.0) / torch.clamp(above, min=LEAST_RAIN)
        back = torch.where(below > LEAST_RAIN, returned * torch.clamp(lost, max=1.0), torch.ones_like(lost)) * carried
        reached = layer * (1.0 - share) * area * mass[k]
        # what the drops would hold of what is in them and in the air around, in equilibrium
        volume = local * seconds / (WATER_DENSITY * depth[k])
        held = carried - back
        wanted = (reached + held) / (1.0 + 1.0 / (volume * water.solubility[:, k])) - held
        moved = torch.where(falls & (local > 0.0), torch.minimum(swept * reached, wanted), torch.zeros_like(reached))
        gone = layer * rained * mass[k] + moved
        layers.append(layer + (back - gone) / mass[k])
        carried = held + gone
    return torch.stack(layers[::-1], dim=1), carried
