# SPDX-License-Identifier: BSD-3-Clause
"""Turbulence with an equation for its energy: level 2.5 of Mellor & Yamada, improved by Nakanishi & Niino (MYNN).

Nakanishi & Niino (2009, J. Meteor. Soc. Japan 87, 895-912; NN, eq. numbers below), with the level-2 limit of Helfand &
Labraga (1988) for growing turbulence. The energy is a tracer, E = q^2 / 2; where L is the length scale and S_M, S_H
are the stability functions,

    dE/dt = d/dz (3 L q S_M dE/dz) + L q (S_M shear^2 - S_H N^2) - q^3 / (B_1 L)

Buoyancy is that of vapour; the counter-gradient terms of level 3 and the condensate are left out.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes, Parts, Turbulence
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.turbulent_mixing import Carried, Ground, at_the_ground, mix
from components.science.constants import GRAVITY, VIRTUAL, VON_KARMAN
from components.science.tracers import Tracer
from components.science.vertical_mixing import diffusion, solve

ENERGY = Tracer("turbulent_kinetic_energy", units="m2 s-2")
SPECIES = (VAPOUR, ENERGY)

A1, A2, B1, B2 = 1.18, 0.665, 24.0, 15.0  # NN eq. 66
C1, C2, C3, C5 = 0.137, 0.75, 0.352, 0.2
GAMMA_1 = 1.0 / 3.0 - 2.0 * A1 / B1
GAMMA_2 = (2.0 * A1 * (3.0 - 2.0 * C2) + B2 * (1.0 - C3)) / B1
F1 = B1 * (GAMMA_1 - C1) + 2.0 * A1 * (3.0 - 2.0 * C2) + 3.0 * A2 * (1.0 - C2) * (1.0 - C5)
F2 = B1 * (GAMMA_1 + GAMMA_2) - 3.0 * A1 * (1.0 - C2)
RF1, RF2, RFC = B1 * (GAMMA_1 - C1) / F1, B1 * GAMMA_1 / F2, GAMMA_1 / (GAMMA_1 + GAMMA_2)
RATIO = A1 * F1 / (A2 * F2)
LEAST_Q, TURBULENT = 1.0e-2, 0.1  # q, m s-1: at least, and where a layer counts for the depth
STABLE, UNSTABLE = 4.7, 16.0  # of phi_m at the ground (Businger et al. 1971; Dyer 1974)


class Stability(NamedTuple):
    """Stability functions S_M and S_H, and the square of q at level 2, m2 s-2."""

    momentum: torch.Tensor
    heat: torch.Tensor
    q2_squared: torch.Tensor


def step(
    air: Columns,
    u: torch.Tensor,
    v: torch.Tensor,
    theta: torch.Tensor,
    q: Parts,
    fluxes: Fluxes,
    sources: Parts,
    dt: float,
) -> Turbulence:
    """`mynn` as a scheme of the table."""
    z, rho, mass = air.z - air.z_interface[:1], air.rho, air.mass
    q_v = q[VAPOUR.name]
    theta_v = theta * (1.0 + VIRTUAL * q_v)
    ground = at_the_ground(theta[0], q_v[0], rho[0], air.pi[0], fluxes)
    apart, z_i = z[1:] - z[:-1], 0.5 * (z[1:] + z[:-1])
    rho_i = 0.5 * (rho[1:] + rho[:-1])
    n2 = GRAVITY * 2.0 * (theta_v[1:] - theta_v[:-1]) / (apart * (theta_v[1:] + theta_v[:-1]))
    du, dv = (u[1:] - u[:-1]) / apart, (v[1:] - v[:-1]) / apart
    shear2 = du * du + dv * dv

    speed = torch.clamp(torch.sqrt(2.0 * torch.clamp(q[ENERGY.name], min=0.0)), min=LEAST_Q)  # q
    between = 0.5 * (speed[1:] + speed[:-1])
    over_l = -VON_KARMAN * GRAVITY * ground.buoyancy / (theta_v[0] * ground.u_star * ground.u_star * ground.u_star)
    layer = layer_length(speed, z, air.dz)
    length = length_scale(z_i, between, n2, over_l, layer, ground, theta_v[0])
    s = stability(length, between, shear2, n2)
    k_m, k_h = (torch.clamp(length * between * f, 1.0e-3, 1.0e3) for f in (s.momentum, s.heat))

    others = [name for name in q if name not in (VAPOUR.name, ENERGY.name)]
    tracers = torch.stack([q[name] for name in others]) if others else theta.new_zeros((0, *theta.shape))
    given = [sources.get(name) for name in others]
    weight = rho_i / apart
    m = mix(Carried(u, v, theta, q_v, tracers), weight * k_m, weight * k_h, rho[0], mass, ground, fluxes, dt, given)

    gain = length * (s.momentum * shear2 - s.heat * n2)  # production over q
    zeta = z[0] * over_l
    phi = torch.where(
        zeta > 0.0,
        1.0 + STABLE * torch.clamp(zeta, min=0.0),
        1.0 / torch.sqrt(torch.sqrt(1.0 + UNSTABLE * torch.clamp(-zeta, min=0.0))),
    )
    u3 = ground.u_star * ground.u_star * ground.u_star
    first = u3 / (VON_KARMAN * z[0]) * torch.clamp(phi - zeta, min=0.0) / speed[0]
    gain = torch.cat([first[None], 0.5 * (gain[1:] + gain[:-1]), 0.5 * gain[-1:]])
    n2_centre = torch.cat([n2[:1], 0.5 * (n2[1:] + n2[:-1]), n2[-1:]])
    loss = speed / (B1 * length_scale(z, speed, n2_centre, over_l, layer, ground, theta_v[0]))
    speed = (speed + dt * torch.clamp(gain, min=0.0)) / (1.0 + dt * (loss + torch.clamp(-gain, min=0.0) / speed))
    spread = diffusion(weight * 3.0 * k_m, mass, dt, None)
    energy = solve(0.5 * speed * speed, spread, mass, dt, None)
    parts = dict(zip(others, m.tracers, strict=True))
    return Turbulence(m.u, m.v, m.theta, {VAPOUR.name: m.q_v, ENERGY.name: energy, **parts}, k_h)


def layer_length(speed: torch.Tensor, z: torch.Tensor, dz: torch.Tensor) -> torch.Tensor:
    """L_T (y, x), m: 0.23 times the mean height of the turbulence that reaches down to the ground (NN eq. 54).

    Parameters
    ----------
    speed : (nz, y, x) q, m s-1
    z, dz : (nz, y, x) height above the ground and thickness, m
    """
    reaching = torch.ones_like(speed[0])
    above = below = torch.zeros_like(speed[0])
    for k in range(speed.shape[0]):
        reaching = torch.where(speed[k] > TURBULENT, reaching, 0.0)
        weight = reaching * speed[k] * dz[k]
        above, below = above + weight * z[k], below + weight
    return torch.clamp(0.23 * above / torch.clamp(below, min=1.0e-3), 10.0, 1000.0)


def length_scale(
    z: torch.Tensor,
    speed: torch.Tensor,
    n2: torch.Tensor,
    over_l: torch.Tensor,
    layer: torch.Tensor,
    ground: Ground,
    theta_v: torch.Tensor,
) -> torch.Tensor:
    """L at heights ``z`` (m): the harmonic sum of those of the ground, the layer and buoyancy (NN eq. 52-55).

    Parameters
    ----------
    z : (n, y, x) above the ground
    speed, n2 : there, q (m s-1) and the square of the buoyancy frequency (s-2)
    over_l : (y, x) inverse of the Obukhov length, m-1
    layer : (y, x) L_T, m
    ground : fluxes at the ground
    theta_v : (y, x) of the lowest air, K
    """
    zeta = z * over_l
    stable = torch.where(zeta < 1.0, 1.0 / (1.0 + 2.7 * torch.clamp(zeta, min=0.0)), 1.0 / 3.7)
    near = VON_KARMAN * z * torch.where(zeta < 0.0, power(1.0 + 100.0 * torch.clamp(-zeta, min=0.0), 0.2), stable)
    n = torch.sqrt(torch.clamp(n2, min=1.0e-10))
    convective = power(torch.clamp(GRAVITY / theta_v * ground.buoyancy * layer, min=0.0), 1.0 / 3.0)
    factor = 1.0 + 5.0 * torch.sqrt(convective / (layer * n))
    buoyancy = torch.where(n2 > 0.0, n / (speed * factor), 0.0)
    return 1.0 / (1.0 / near + 1.0 / layer + buoyancy)


def stability(length: torch.Tensor, speed: torch.Tensor, shear2: torch.Tensor, n2: torch.Tensor) -> Stability:
    """S_M and S_H of level 2.5 (NN eq. 27-36), those of level 2 times q / q_2 where turbulence grows.

    Parameters
    ----------
    length, speed : L (m) and q (m s-1)
    shear2, n2 : squares of the shear and of the buoyancy frequency, s-2
    """
    ri = n2 / torch.clamp(shear2, min=1.0e-8)
    half = RATIO * RF1 + ri
    root = torch.sqrt(torch.clamp(half * half - 4.0 * RATIO * RF2 * ri, min=0.0))
    flux_ri = torch.clamp((half - root) / (2.0 * RATIO), max=RFC - 1.0e-3)
    heat = 3.0 * A2 * (GAMMA_1 + GAMMA_2) * (RFC - flux_ri) / (1.0 - flux_ri)
    momentum = RATIO * (RF1 - flux_ri) / (RF2 - flux_ri) * heat
    l2 = length * length
    q2 = torch.clamp(B1 * l2 * momentum * (1.0 - flux_ri) * torch.clamp(shear2, min=1.0e-8), min=LEAST_Q * LEAST_Q)
    square = speed * speed
    growing = square < q2
    alpha = torch.where(growing, torch.sqrt(square / q2), 1.0)
    g = l2 / torch.where(growing, q2, square)  # alpha_c^2 L^2 / q^2
    g_h, g_m = -g * n2, g * shear2
    p1 = 1.0 - 3.0 * A2 * B2 * (1.0 - C3) * g_h
    p2 = 1.0 - 9.0 * A1 * A2 * (1.0 - C2) * g_h
    p3 = p1 + 9.0 * A2 * A2 * (1.0 - C2) * (1.0 - C5) * g_h
    p4 = p1 - 12.0 * A1 * A2 * (1.0 - C2) * g_h
    p5 = 6.0 * A1 * A1 * g_m
    d = torch.clamp(p2 * p4 + p5 * p3, min=1.0e-3)
    s_m, s_h = alpha * A1 * (p3 - 3.0 * C1 * p4) / d, alpha * A2 * (p2 + 3.0 * C1 * p5) / d
    return Stability(torch.clamp(s_m, 0.0, 3.0), torch.clamp(s_h, 0.0, 3.0), q2)
