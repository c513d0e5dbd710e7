# SPDX-License-Identifier: BSD-3-Clause
"""Wind, temperature and humidity between the ground and the lowest air, from the fluxes there (Monin & Obukhov 1954).

A quantity of the scale s* has the profile s(z_1) - s(z) = s* / kappa [ln(z_1 / z) - psi(z_1 / L) + psi(z / L)], which
needs no roughness. Unstable air after Dyer (1974) and Paulson (1970), stable after Beljaars & Holtslag (1991).
"""

import math
from typing import NamedTuple

import torch

from components.science.constants import CP_DRY, GRAVITY, VIRTUAL, VON_KARMAN
from components.science.surface_layer import referred_to_ground

DYER = 16.0
STABLE = (1.0, 0.667, 5.0, 0.35)  # a, b, c, d of Beljaars & Holtslag (1991, J. Appl. Meteor. 30, eq. 28 and 32)
LEAST_FRICTION = 0.02  # u*, m s-1
MOST_STABLE, MOST_UNSTABLE = 10.0, -1000.0  # z / L to which the functions are used


class LowestAir(NamedTuple):
    """Air of the lowest layer and what passes the ground below it (y, x).

    Attributes
    ----------
    u, v : wind, m s-1
    t, q : temperature, K, and specific humidity, kg/kg
    rho : density of moist air, kg m-3
    z : height above the ground, m
    heat, water : upward fluxes of sensible heat, W m-2, and of vapour, kg m-2 s-1
    stress_x, stress_y : on the ground, Pa
    ground : temperature of the ground, K
    """

    u: torch.Tensor
    v: torch.Tensor
    t: torch.Tensor
    q: torch.Tensor
    rho: torch.Tensor
    z: torch.Tensor
    heat: torch.Tensor
    water: torch.Tensor
    stress_x: torch.Tensor
    stress_y: torch.Tensor
    ground: torch.Tensor


def psi(zeta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Integrated stability functions of momentum and of heat at zeta = z / L."""
    x2 = torch.sqrt(1.0 - DYER * torch.clamp(zeta, max=0.0))
    x = torch.sqrt(x2)
    heat = 2.0 * torch.log(0.5 * (1.0 + x2))
    momentum = 2.0 * torch.log(0.5 * (1.0 + x)) + 0.5 * heat - 2.0 * torch.atan(x) + 0.5 * math.pi
    a, b, c, d = STABLE
    stable = torch.clamp(zeta, min=0.0)
    tail = b * (stable - c / d) * torch.exp(-d * stable) + b * c / d
    cube = torch.sqrt(1.0 + 2.0 / 3.0 * a * stable) * (1.0 + 2.0 / 3.0 * a * stable)
    rising = zeta > 0.0
    return torch.where(rising, -(a * stable + tail), momentum), torch.where(rising, 1.0 - cube - tail, heat)


def below(air: LowestAir, height: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Wind u, v (m s-1), temperature (K) and specific humidity (kg/kg) at ``height`` m above the ground.

    The wind has the direction of that of the air. Temperature is bounded by those of air and ground, wind and
    humidity are not negative: where the air is so stable that it slides over the ground the profiles do not hold.

    Parameters
    ----------
    air : lowest air and the fluxes below it
    height : m, at most that of the air
    """
    stress = torch.sqrt(air.stress_x * air.stress_x + air.stress_y * air.stress_y)
    friction = torch.clamp(torch.sqrt(stress / air.rho), min=LEAST_FRICTION)
    theta = referred_to_ground(air.t, air.z)
    scale_theta, scale_q = (-flux / (air.rho * friction) for flux in (air.heat / CP_DRY, air.water))
    buoyancy = scale_theta * (1.0 + VIRTUAL * air.q) + VIRTUAL * theta * scale_q
    inverse_length = VON_KARMAN * GRAVITY * buoyancy / (theta * (1.0 + VIRTUAL * air.q) * friction * friction)
    zeta = torch.clamp(air.z * inverse_length, MOST_UNSTABLE, MOST_STABLE)
    upper, lower = psi(zeta), psi(zeta * (height / air.z))
    log = torch.log(air.z / height)
    momentum, scalar = ((log - up + low) / VON_KARMAN for up, low in zip(upper, lower, strict=True))
    speed = torch.sqrt(air.u * air.u + air.v * air.v)
    share = torch.clamp(1.0 - momentum * stress / (air.rho * friction * torch.clamp(speed, min=1.0e-6)), min=0.0)
    at = theta - scalar * scale_theta
    at = torch.minimum(torch.maximum(at, torch.minimum(theta, air.ground)), torch.maximum(theta, air.ground))
    q = torch.clamp(air.q - scalar * scale_q, min=0.0)
    return share * air.u, share * air.v, at - GRAVITY / CP_DRY * height, q
