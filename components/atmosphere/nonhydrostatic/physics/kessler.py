# SPDX-License-Identifier: BSD-3-Clause
"""Warm rain (Kessler 1969) in the form of Klemp & Wilhelmson (1978, J. Atmos. Sci. 35, eq. 2.11-2.16).

Vapour, cloud water and rain as mixing ratios to dry air. Autoconversion and accretion first, then saturation adjustment
and evaporation of rain, then rain falls with implicit upstream differences, which are stable for any time step.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    adjust_to_saturation,
    power,
    saturation_mixing_ratio,
)
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Parts
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, RAIN, VAPOUR
from components.science.constants import CP_DRY, LATENT_VAPORISATION
from components.science.settling import fall
from components.science.water import growth, saturation_pressure

SPECIES = (VAPOUR, CLOUD_WATER, RAIN)


class Rain(NamedTuple):
    """Result of a step: theta (K) and mixing ratios (kg/kg) as (nz, y, x).

    ``surface`` is the rain at the ground (y, x), kg m-2.
    """

    theta: torch.Tensor
    q_v: torch.Tensor
    q_c: torch.Tensor
    q_r: torch.Tensor
    surface: torch.Tensor


def step(air: Columns, theta: torch.Tensor, q: Parts, dt: float) -> Clouds:
    """`kessler` as a scheme of the table."""
    vapour, cloud, rain = (q[s.name] for s in SPECIES)
    k = kessler(theta, vapour, cloud, rain, air.p, air.pi, air.rho, air.mass, dt)
    parts = dict(zip((s.name for s in SPECIES), k[1:4], strict=True))
    return Clouds(k.theta, parts, k.surface, torch.zeros_like(k.surface))


def kessler(
    theta: torch.Tensor,
    q_v: torch.Tensor,
    q_c: torch.Tensor,
    q_r: torch.Tensor,
    p: torch.Tensor,
    pi: torch.Tensor,
    rho: torch.Tensor,
    mass: torch.Tensor,
    dt: float,
) -> Rain:
    """Warm-rain processes over ``dt`` seconds.

    Parameters
    ----------
    theta : (nz, y, x) potential temperature, K
    q_v, q_c, q_r : vapour, cloud water, rain, kg/kg of dry air
    p, pi : pressure (Pa) and Exner function
    rho, mass : density of dry air (kg m-3) and dry mass of the layer (kg m-2)
    """
    q_v, q_c, q_r = torch.clamp(q_v, min=0.0), torch.clamp(q_c, min=0.0), torch.clamp(q_r, min=0.0)
    # conversion of cloud water: of what is above 1 g/kg at most all, implicit in the accreted cloud (eq. 2.13)
    left = (q_c - min(0.001 * dt, 1.0) * torch.clamp(q_c - 0.001, min=0.0)) / (1.0 + dt * 2.2 * power(q_r, 0.875))
    q_r = q_r + (q_c - left)
    q_c = left
    lcp = LATENT_VAPORISATION / CP_DRY
    t, q_v, q_c = adjust_to_saturation(theta * pi, q_v, q_c, p, lcp)
    # evaporation of rain where it is subsaturated without cloud (eq. 2.14b)
    q_s = saturation_mixing_ratio(saturation_pressure(t), p)
    slope = q_s * growth(t)
    deficit = torch.clamp(q_s - q_v, min=0.0)
    r = 0.001 * rho  # g cm-3
    rate = (1.6 + 124.9 * power(r * q_r, 0.2046)) * power(r * q_r, 0.525) / (5.4e5 + 2.55e8 / (p * q_s)) / r
    evaporated = torch.minimum(torch.minimum(dt * rate * deficit / q_s, deficit / (1.0 + lcp * slope)), q_r)
    evaporated = torch.where(q_c > 0.0, 0.0, evaporated)
    q_v, q_r, t = q_v + evaporated, q_r - evaporated, t - lcp * evaporated
    speed = 36.34 * power(r * q_r, 0.1364) * torch.sqrt(rho[:1] / rho)
    q_r, surface = fall(q_r, speed, rho, mass, dt)
    return Rain(t / pi, q_v, q_c, q_r, surface)
