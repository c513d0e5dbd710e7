# SPDX-License-Identifier: BSD-3-Clause
"""What a surface is to particles by size (Zhang, Gong, Padro & Barrie 2001, doi:10.1016/S1352-2310(00)00326-5)."""

from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.aerosol.particle_motion import brownian_diffusivity, fall_speed, viscosity
from components.science.constants import GRAVITY

EPSILON_0 = 3.0  # of eq. 5
SMOOTH = (0.0,) * 5  # A of ground without collectors
SURFACES: dict[str, tuple[float, float, tuple[float, ...]]] = {  # alpha, gamma, A (mm) of table 3 by season
    "evergreen_needleleaf": (1.0, 0.56, (2.0, 2.0, 2.0, 2.0, 2.0)),
    "evergreen_broadleaf": (0.6, 0.58, (5.0, 5.0, 5.0, 5.0, 5.0)),
    "deciduous_needleleaf": (1.1, 0.56, (2.0, 2.0, 5.0, 5.0, 2.0)),
    "deciduous_broadleaf": (0.8, 0.56, (5.0, 5.0, 10.0, 10.0, 5.0)),
    "mixed_forest": (0.8, 0.56, (5.0, 5.0, 5.0, 5.0, 5.0)),
    "grass": (1.2, 0.54, (2.0, 2.0, 5.0, 5.0, 2.0)),
    "crops": (1.2, 0.54, (2.0, 2.0, 5.0, 5.0, 2.0)),
    "desert": (50.0, 0.54, SMOOTH),
    "tundra": (50.0, 0.54, SMOOTH),
    "shrubs": (1.3, 0.54, (10.0, 10.0, 10.0, 10.0, 10.0)),
    "wetland": (2.0, 0.54, (10.0, 10.0, 10.0, 10.0, 10.0)),
    "ice": (50.0, 0.54, SMOOTH),
    "inland_water": (100.0, 0.50, SMOOTH),
    "ocean": (100.0, 0.50, SMOOTH),
    "urban": (1.5, 0.56, (10.0, 10.0, 10.0, 10.0, 10.0)),
}
"""In the paper's order; its seasons are Wesely's, from midsummer to spring. Alpha and gamma of all, and A of all, agree
with public transcriptions of the table (two of alpha and gamma, one of A); the paper itself was not at hand."""


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


def of(surface: str, season: Tensor, like: Tensor) -> Ground:
    """Ground of one kind everywhere.

    Parameters
    ----------
    surface : see `SURFACES`
    season : number, see `SEASONS` of the gases
    like : of the shape and precision that are wanted

    Raises
    ------
    KeyError
        A surface that the table does not know.
    """
    if surface not in SURFACES:
        raise KeyError(f"unknown surface {surface!r} of particle deposition; known: {', '.join(SURFACES)}")
    alpha, gamma, collector = SURFACES[surface]
    full = torch.full_like
    radius = torch.tensor(collector).to(like)[season] * 1.0e-3
    wet = float(surface in ("inland_water", "ocean"))
    return Ground(full(like, alpha), full(like, gamma), radius.expand_as(like), full(like, wet))


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
