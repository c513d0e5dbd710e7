# SPDX-License-Identifier: BSD-3-Clause
"""Dry deposition of particles by size (Zhang, Gong, Padro & Barrie 2001, doi:10.1016/S1352-2310(00)00326-5)."""

from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.aerosol.particle_motion import brownian_diffusivity, fall_speed, viscosity
from components.science.constants import GRAVITY, VON_KARMAN

EPSILON_0 = 3.0  # of eq. 5
SMOOTH = 0.0  # A of ground without collectors
SURFACES = {  # alpha, gamma, A (m) of table 3, A of its season 1, midsummer
    "evergreen_needleleaf": (1.0, 0.56, 2.0e-3),
    "evergreen_broadleaf": (0.6, 0.58, 5.0e-3),
    "deciduous_needleleaf": (1.1, 0.56, 2.0e-3),
    "deciduous_broadleaf": (0.8, 0.56, 5.0e-3),
    "mixed_forest": (0.8, 0.56, 5.0e-3),
    "grass": (1.2, 0.54, 2.0e-3),
    "crops": (1.2, 0.54, 2.0e-3),
    "desert": (50.0, 0.54, SMOOTH),
    "tundra": (50.0, 0.54, SMOOTH),
    "shrubs": (1.3, 0.54, 10.0e-3),
    "wetland": (2.0, 0.54, 10.0e-3),
    "ice": (50.0, 0.54, SMOOTH),
    "inland_water": (100.0, 0.50, SMOOTH),
    "ocean": (100.0, 0.50, SMOOTH),
    "urban": (1.5, 0.56, 10.0e-3),
}


class Ground(NamedTuple):
    """Properties of the ground (...).

    Attributes
    ----------
    alpha, gamma : of impaction and of Brownian motion
    collector : radius A of what collects, m; 0 where the ground is smooth
    wet : 1 where particles do not bounce off, else 0
    """

    alpha: Tensor
    gamma: Tensor
    collector: Tensor
    wet: Tensor


class Air(NamedTuple):
    """Air of the lowest layer (...).

    Attributes
    ----------
    temperature, pressure, density : K, Pa, kg m-3
    friction : velocity u*, m s-1
    aerodynamic : resistance R_a between the layer and the ground, s m-1
    """

    temperature: Tensor
    pressure: Tensor
    density: Tensor
    friction: Tensor
    aerodynamic: Tensor


def of(surface: str, like: Tensor) -> Ground:
    """Ground of one kind everywhere.

    Parameters
    ----------
    surface : see `SURFACES`
    like : of the shape that is wanted

    Raises
    ------
    KeyError
        A surface that the table does not know.
    """
    if surface not in SURFACES:
        raise KeyError(f"unknown surface {surface!r} of particle deposition; known: {', '.join(SURFACES)}")
    water = float(surface in ("inland_water", "ocean"))
    return Ground(*(torch.full_like(like, v) for v in (*SURFACES[surface], water)))


def aerodynamic_resistance(height: Tensor, roughness: Tensor, friction: Tensor) -> Tensor:
    """Resistance of neutral air, s m-1.

    Parameters
    ----------
    height : of the middle of the lowest layer, m
    roughness : z_0, m
    friction : velocity u*, m s-1
    """
    ratio = torch.log(torch.clamp(height / torch.clamp(roughness, min=1.0e-6), min=1.1))
    return ratio / (VON_KARMAN * torch.clamp(friction, min=1.0e-3))


def velocity(diameter: Tensor, density: Tensor, air: Air, ground: Ground) -> Tensor:
    """Deposition velocity with the fall, m s-1 (eqs. 1 to 9).

    Parameters
    ----------
    diameter, density : of the particles as they are, m, kg m-3
    air, ground : of one shape with these
    """
    v_g = fall_speed(diameter, density, air.temperature, air.pressure)
    nu = viscosity(air.temperature) / air.density
    schmidt = nu / brownian_diffusivity(diameter, air.temperature, air.pressure)
    u = torch.clamp(air.friction, min=1.0e-3)
    rough = ground.collector > 0.0
    a = torch.where(rough, ground.collector, torch.ones_like(ground.collector))
    stokes = v_g * u / GRAVITY * torch.where(rough, 1.0 / a, u / nu)  # eqs. 7; smooth: Slinn & Slinn 1980
    diffusion = torch.exp(-ground.gamma * torch.log(schmidt))
    hit = stokes / (ground.alpha + stokes)
    caught = torch.where(rough, 0.5 * (diameter / a) * (diameter / a), torch.zeros_like(a))
    sticking = torch.where(ground.wet > 0.0, torch.ones_like(stokes), torch.exp(-torch.sqrt(stokes)))
    surface = 1.0 / (EPSILON_0 * u * (diffusion + hit * hit + caught) * sticking)
    return v_g + 1.0 / (air.aerodynamic + surface)


def deposited(q: Tensor, velocity: Tensor, density: Tensor, mass: Tensor, seconds: float) -> tuple[Tensor, Tensor]:
    """What is left in the lowest layer, and what went to the ground (kg m-2 if ``q`` is kg kg-1); exact, never below 0.

    Parameters
    ----------
    q : mixing ratio in the lowest layer
    velocity : of deposition, m s-1
    density, mass : of dry air, kg m-3, and in the layer, kg m-2
    seconds : time step, s
    """
    gone = -q * torch.expm1(-velocity * density * seconds / mass)
    return q - gone, gone * mass
