# SPDX-License-Identifier: BSD-3-Clause
"""Sizes, fall and growth of the particles that the cloud schemes with ice share.

Distributions n(D) = N_0 exp(-lambda D) and fall speeds a D^b (rho_0 / rho)^(1/2) after Lin, Farley & Orville (1983,
J. Clim. Appl. Meteor. 22, LFO below), Rutledge & Hobbs (1983, J. Atmos. Sci. 40) and Hong, Dudhia & Chen (2004,
Mon. Wea. Rev. 132, 103-120, HDC). Cloud ice has a number that follows its mass (HDC). Mixing ratios are to dry air.
"""

import math
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.science.constants import FREEZING_POINT, GRAVITY, R_VAPOUR, WATER_DENSITY

CLOUD_RADIUS = 8.0e-6  # critical mean radius of autoconversion, m
LEAST = 1.0e-12  # kg/kg of a class below which it does nothing


class Kind(NamedTuple):
    """A class of falling particles, SI units.

    Attributes
    ----------
    density : of a particle, kg m-3
    a, b : fall speed a D^b, m s-1
    still, moving : factors of its ventilation at rest and in fall
    steepest : largest slope of the distribution, m-1
    """

    density: float
    a: float
    b: float
    still: float
    moving: float
    steepest: float


RAIN_DROPS = Kind(WATER_DENSITY, 841.9, 0.8, 0.78, 0.31, 8.0e4)
SNOW_FLAKES = Kind(100.0, 11.72, 0.41, 0.65, 0.44, 1.0e5)
N_0R = 8.0e6  # intercept of rain, m-4
N_0S, MOST_N_0S = 2.0e6, 1.0e11  # of snow at 0 degC, and at most


class Properties(NamedTuple):
    """Properties of the air in the step: pressure (Pa), density of dry air (kg m-3) and the coefficients of diffusion.

    Attributes
    ----------
    thin : factor of the fall speeds in thinner air
    viscosity, diffusivity : kinematic, and of vapour, m2 s-1
    conductivity : of heat, W m-1 K-1
    schmidt : cube root of the Schmidt number
    """

    p: torch.Tensor
    rho: torch.Tensor
    thin: torch.Tensor
    viscosity: torch.Tensor
    diffusivity: torch.Tensor
    conductivity: torch.Tensor
    schmidt: torch.Tensor


def properties(t: torch.Tensor, p: torch.Tensor, rho: torch.Tensor) -> Properties:
    """Of air at temperature ``t`` (K), pressure ``p`` (Pa) and density of dry air ``rho`` (kg m-3)."""
    viscosity = dynamic_viscosity(t) / rho
    diffusivity = 8.794e-5 * torch.exp(1.81 * torch.log(t)) / p
    conductivity = 1.414e3 * viscosity * rho
    schmidt = torch.exp((1.0 / 3.0) * torch.log(viscosity / diffusivity))
    return Properties(p, rho, thinness(rho), viscosity, diffusivity, conductivity, schmidt)


def dynamic_viscosity(t: torch.Tensor) -> torch.Tensor:
    """Of air at temperature ``t`` (K), kg m-1 s-1."""
    return 1.496e-6 * t * torch.sqrt(t) / (t + 120.0)


def thinness(rho: torch.Tensor) -> torch.Tensor:
    """Factor of the fall speeds in air of density ``rho`` (kg m-3)."""
    return torch.sqrt(1.28 / rho)


def slope(kind: Kind, intercept: float | torch.Tensor, rho: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Lambda = (pi rho_x N_0 / (rho q))^(1/4) of ``q`` kg/kg, at most the kind's steepest, m-1."""
    ratio = math.pi * kind.density * intercept / torch.clamp(rho * q, min=1.0e-15)
    return torch.clamp(torch.sqrt(torch.sqrt(ratio)), max=kind.steepest)


def snow_intercept(t: torch.Tensor) -> torch.Tensor:
    """N_0 of snow, m-4, which grows exp(0.12 (T_0 - T)) times in the cold (HDC eq. 6)."""
    cold = torch.clamp(FREEZING_POINT - t, 0.0, 90.0)
    return torch.clamp(N_0S * torch.exp(0.12 * cold), max=MOST_N_0S)


def speed(kind: Kind, lam: torch.Tensor, thin: torch.Tensor) -> torch.Tensor:
    """Mean fall speed weighted with mass, a Gamma(4 + b) / (6 lambda^b) (rho_0 / rho)^(1/2), m s-1."""
    return kind.a * math.gamma(4.0 + kind.b) / 6.0 * torch.exp(-kind.b * torch.log(lam)) * thin


def sweep(kind: Kind, intercept: float | torch.Tensor, lam: torch.Tensor, thin: torch.Tensor) -> torch.Tensor:
    """Share of the volume that is swept, pi/4 N_0 a Gamma(3 + b) / lambda^(3 + b) (rho_0 / rho)^(1/2), s-1."""
    factor = 0.25 * math.pi * kind.a * math.gamma(3.0 + kind.b)
    return factor * intercept * torch.exp(-(3.0 + kind.b) * torch.log(lam)) * thin


def ventilation(kind: Kind, lam: torch.Tensor, air: Properties) -> torch.Tensor:
    """Size of the particles times how the air they fall through ventilates them, per N_0, m2 (LFO eq. 46)."""
    falling = math.gamma(0.5 * (5.0 + kind.b)) * torch.exp(-0.5 * (5.0 + kind.b) * torch.log(lam))
    wind = air.schmidt * power(kind.a * air.thin / air.viscosity, 0.5)
    return kind.still / (lam * lam) + kind.moving * wind * falling


def resistance(latent: float, t: torch.Tensor, q_s: torch.Tensor, air: Properties) -> torch.Tensor:
    """Of the air to the growth of particles by vapour, rho (A + B), m-2 s.

    Heat leaves by conduction, vapour comes by diffusion.

    Parameters
    ----------
    latent : latent heat, J kg-1
    t, q_s : temperature (K) and mixing ratio at saturation
    air : its properties
    """
    heat = air.rho * latent * latent / (air.conductivity * R_VAPOUR * t * t)
    return heat + 1.0 / (q_s * air.diffusivity)


def crystals(rho: torch.Tensor, q_i: torch.Tensor) -> torch.Tensor:
    """Number of ice crystals, m-3 (HDC eq. 5c)."""
    return torch.clamp(5.38e7 * power(rho * q_i, 0.75), 1.0e3, 1.0e6)


def crystal_diameter(rho: torch.Tensor, q_i: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
    """Diameter of ice crystals, 11.9 times the root of their mass, at most .5 mm (HDC eq. 5b), m."""
    return torch.clamp(11.9 * power(rho * q_i / number, 0.5), max=5.0e-4)


def crystal_speed(diameter: torch.Tensor) -> torch.Tensor:
    """Fall speed of ice crystals, m s-1 (HDC eq. 5a)."""
    return 1.49e4 * torch.exp(1.31 * torch.log(torch.clamp(diameter, min=1.0e-9)))


def nuclei(t: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
    """Ice (kg/kg) that the nuclei active at a temperature begin, 4.92e-11 N^1.33 / rho (HDC eq. 8)."""
    active = 1.0e3 * torch.exp(0.1 * torch.clamp(FREEZING_POINT - t, 0.0, 60.0))
    return 4.92e-11 * power(active, 1.33) / rho


def freezing_cloud(
    t: torch.Tensor, q_c: torch.Tensor, rho: torch.Tensor, droplets: float | torch.Tensor, dt: float
) -> torch.Tensor:
    """Cloud water that freezes in ``dt`` s, kg/kg: all below -40 degC, else by volume (Bigg 1953)."""
    frozen = torch.where(t < FREEZING_POINT - 40.0, q_c, 0.0)
    cold = torch.clamp(FREEZING_POINT - t, 0.0, 40.0)
    rate = 100.0 * torch.expm1(0.66 * cold) * rho / (WATER_DENSITY * droplets) * q_c * q_c
    return torch.maximum(frozen, torch.minimum(dt * rate, q_c))


def freezing_rain(t: torch.Tensor, lam: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
    """Rain that freezes, s-1: Bigg (1953) over its distribution of sizes (LFO eq. 45)."""
    cold = torch.clamp(FREEZING_POINT - t, 0.0, 40.0)
    factor = 20.0 * math.pi * math.pi * 100.0 * N_0R * WATER_DENSITY
    cube = 1.0 / (lam * lam * lam)
    return factor / rho * torch.expm1(0.66 * cold) * (cube * cube / lam)


def autoconversion(q_c: torch.Tensor, rho: torch.Tensor, droplets: float | torch.Tensor) -> torch.Tensor:
    """Cloud water that becomes rain, s-1, above that of droplets of the critical radius (Tripoli & Cotton 1980)."""
    critical = 4.0 / 3.0 * math.pi * WATER_DENSITY * droplets * CLOUD_RADIUS**3 / rho
    dense = droplets * WATER_DENSITY
    root = power(dense, 1.0 / 3.0) if isinstance(dense, torch.Tensor) else dense ** (1.0 / 3.0)
    factor = 0.104 * GRAVITY * 0.55 / root / 1.718e-5
    return torch.where(q_c > critical, factor * power(rho, 4.0 / 3.0) * power(q_c, 7.0 / 3.0), 0.0)
