# SPDX-License-Identifier: BSD-3-Clause
"""How particles move through air: slip, fall, diffusion (Seinfeld & Pandis 2006, chapter 9) and growth in moist air."""

import math

import torch
from torch import Tensor

from components.science.constants import BOLTZMANN, GRAVITY, R_DRY, WATER_DENSITY

MOISTEST = 0.95  # relative humidity up to which particles grow outside clouds
SUTHERLAND = (1.8325e-5, 416.16, 120.0, 296.16)  # kg m-1 s-1, K, K, K, of dry air (List 1951)


def viscosity(temperature: Tensor) -> Tensor:
    """Dynamic viscosity of air, kg m-1 s-1.

    Parameters
    ----------
    temperature : K
    """
    mu, a, b, t0 = SUTHERLAND
    r = temperature / t0
    return mu * a / (temperature + b) * r * torch.sqrt(r)


def slip(diameter: Tensor, temperature: Tensor, pressure: Tensor) -> Tensor:
    """Cunningham's correction, 1 (eqs. 9.6, 9.34).

    Parameters
    ----------
    diameter : m
    temperature, pressure : of the air, K, Pa
    """
    free_path = 2.0 * viscosity(temperature) / pressure * torch.sqrt(math.pi * R_DRY / 8.0 * temperature)
    r = free_path / diameter
    return 1.0 + 2.0 * r * (1.257 + 0.4 * torch.exp(-0.55 / r))


def fall_speed(diameter: Tensor, density: Tensor, temperature: Tensor, pressure: Tensor) -> Tensor:
    """Terminal speed of small spheres, m s-1 (Stokes; eq. 9.42).

    Parameters
    ----------
    diameter : m
    density : of the particle, kg m-3
    temperature, pressure : of the air, K, Pa
    """
    c = slip(diameter, temperature, pressure)
    return density * diameter * diameter * GRAVITY * c / (18.0 * viscosity(temperature))


def brownian_diffusivity(diameter: Tensor, temperature: Tensor, pressure: Tensor) -> Tensor:
    """Diffusivity of particles, m2 s-1 (eq. 9.73).

    Parameters
    ----------
    diameter : m
    temperature, pressure : of the air, K, Pa
    """
    c = slip(diameter, temperature, pressure)
    return BOLTZMANN * temperature * c / (3.0 * math.pi * viscosity(temperature) * diameter)


def swollen(dry: Tensor, density: Tensor, kappa: Tensor, humidity: Tensor) -> tuple[Tensor, Tensor]:
    """Diameter (m) and density (kg m-3) of particles in moist air (Petters & Kreidenweis 2007, eq. 6, no curvature).

    Parameters
    ----------
    dry : diameter without water, m
    density : without water, kg m-3
    kappa : hygroscopicity, 0 for what takes up no water
    humidity : relative humidity, 1
    """
    rh = torch.clamp(humidity, 0.0, MOISTEST)
    growth = 1.0 + kappa * rh / (1.0 - rh)  # of the volume
    wet = dry * torch.exp(torch.log(growth) / 3.0)
    return wet, (density + (growth - 1.0) * WATER_DENSITY) / growth
