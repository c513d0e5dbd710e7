# SPDX-License-Identifier: BSD-3-Clause
"""What rain takes out of clouds and from the air below, and gives back where it evaporates.

In clouds after Giorgi & Chameides (1986) in the form of Jacob et al. (2000) and Liu et al. (2001); below them by drops
of one size that sweep up particles (Slinn 1983; Seinfeld & Pandis 2006, eq. 20.56). From the top down, layer by layer;
what rain carries passes through the layers, so that nothing is lost.
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
    """Share of the particles in its way that a falling drop collects (Slinn 1983).

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
    relaxation = fall_speed(diameter, density, temperature, pressure) / GRAVITY
    stokes = 2.0 * relaxation * speed / drop
    phi, omega = diameter / drop, WATER_VISCOSITY / mu
    root = torch.sqrt(reynolds)
    third = torch.exp(torch.log(schmidt) / 3.0)
    brownian = 4.0 / (reynolds * schmidt) * (1.0 + 0.4 * root * third + 0.16 * root * torch.sqrt(schmidt))
    caught = 4.0 * phi * (1.0 / omega + (1.0 + 2.0 * root) * phi)
    log = torch.log(1.0 + reynolds)
    critical = (1.2 + log / 12.0) / (1.0 + log)
    over = torch.clamp((stokes - critical) / (stokes - critical + 2.0 / 3.0), min=0.0)
    impact = torch.where(stokes > critical, over * torch.sqrt(over), torch.zeros_like(over))
    return torch.clamp(brownian + caught + impact, max=1.0)


def drop_speed(drop: Tensor) -> Tensor:
    """Terminal speed of rain drops, m s-1 (Atlas et al. 1973, as 9.65 - 10.3 exp(-0.6 D/mm)).

    Parameters
    ----------
    drop : diameter, m
    """
    return torch.clamp(9.65 - 10.3 * torch.exp(-600.0 * drop), min=0.1)


def washout_rate(rain: Tensor, efficiency: Tensor) -> Tensor:
    """Share of what is below clouds that rain takes out in a second, s-1: 3 E R / (2 D) (eq. 20.57).

    Parameters
    ----------
    rain : where it falls, kg m-2 s-1
    efficiency : of collection
    """
    return 1.5 * efficiency * rain / (WATER_DENSITY * drop_diameter(rain))


def drop_diameter(rain: Tensor) -> Tensor:
    """Representative diameter of drops, m: 0.97 mm (R / mm h-1)^0.158 (Loosmore & Cederwall 2004).

    Parameters
    ----------
    rain : where it falls, kg m-2 s-1
    """
    per_hour = torch.clamp(rain * (3600.0 * 1000.0 / WATER_DENSITY), min=1.0e-3)
    return 0.97e-3 * torch.exp(0.158 * torch.log(per_hour))


def fallen(
    q: Tensor, rain: Rain, taken: Tensor, collected: Tensor, mass: Tensor, depth: Tensor, seconds: float
) -> tuple[Tensor, Tensor]:
    """Tracers after rain, and what reached the ground.

    In a layer where rain grows by Q it forms in the share f = Q / (k C) of it at the rate k = k_min + Q / C, C its
    condensate. Below, rain falls through the largest share above. Where it evaporates it gives back half the share
    that evaporates, and all where nothing is left (Liu et al. 2001).

    Parameters
    ----------
    q : (n, nz, y, x) mixing ratios, lowest layer first
    rain : of one kind
    taken : (n,) share of a tracer that is in the cloud's water
    collected : (n, nz, y, x) collection efficiency; 0 for what rain does not sweep up
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
    share_in_cloud = taken[:, None, None].to(q)
    for k in range(mass.shape[0] - 1, -1, -1):
        above, below = flux[k + 1], flux[k]
        layer = q[:, k]
        made = torch.clamp(below - above, min=0.0) / depth[k]  # kg m-3 s-1
        rate = FASTEST + made / rain.condensate
        share = torch.clamp(made / (rate * rain.condensate), max=rain.widest)
        rained = -share_in_cloud * share * torch.expm1(-rate * seconds)
        wide = torch.where(below > LEAST_RAIN, torch.maximum(wide, share), torch.zeros_like(wide))
        falls = (above > LEAST_RAIN) & (wide > 0.0)
        area = torch.where(falls, torch.clamp(wide, min=1.0e-3), torch.ones_like(wide))
        local = torch.where(falls, torch.minimum(above, below) / area, torch.zeros_like(wide))
        swept = -area * torch.expm1(-washout_rate(local, collected[:, k]) * seconds)
        gone = layer * (rained + (1.0 - share) * swept) * mass[k]
        lost = torch.clamp(above - below, min=0.0) / torch.clamp(above, min=LEAST_RAIN)
        back = torch.where(below > LEAST_RAIN, 0.5 * torch.clamp(lost, max=1.0), torch.ones_like(lost)) * carried
        layers.append(layer + (back - gone) / mass[k])
        carried = carried + gone - back
    return torch.stack(layers[::-1], dim=1), carried
