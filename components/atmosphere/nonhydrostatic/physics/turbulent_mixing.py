# SPDX-License-Identifier: BSD-3-Clause
"""What the boundary layers share: fluxes at the ground, and the implicit mixing of columns with given conductances."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.science.constants import CP_DRY, VIRTUAL
from components.science.vertical_mixing import diffusion, solve


class Ground(NamedTuple):
    """Kinematic fluxes at the ground (y, x).

    Attributes
    ----------
    stress : size of the stress, Pa
    u_star : friction velocity, m s-1
    heat, buoyancy : of theta and of theta_v, K m s-1
    unstable : whether the buoyancy flux is upward
    """

    stress: torch.Tensor
    u_star: torch.Tensor
    heat: torch.Tensor
    buoyancy: torch.Tensor
    unstable: torch.Tensor


class Carried(NamedTuple):
    """What is mixed: u, v (m s-1), theta (K), vapour (kg/kg), all (nz, y, x), further tracers (n, nz, y, x)."""

    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    q_v: torch.Tensor
    tracers: torch.Tensor


class Counter(NamedTuple):
    """Upward fluxes on inner interfaces that do not follow the gradient (nz-1, y, x).

    Attributes
    ----------
    theta : K kg m-2 s-1
    vapour : kg m-2 s-1
    """

    theta: torch.Tensor
    vapour: torch.Tensor


def at_the_ground(
    theta: torch.Tensor, q_v: torch.Tensor, rho: torch.Tensor, pi: torch.Tensor, fluxes: Fluxes
) -> Ground:
    """Kinematic fluxes from ``fluxes`` and the lowest layer's theta (K), vapour (kg/kg), density and Exner function."""
    squared = fluxes.stress_x * fluxes.stress_x + fluxes.stress_y * fluxes.stress_y
    stress = torch.sqrt(torch.clamp(squared, min=1.0e-24))  # a root of zero has no finite derivative
    u_star = torch.sqrt(torch.clamp(stress / rho, min=1.0e-6))
    heat = fluxes.sensible_heat / (rho * CP_DRY * pi)
    buoyancy = heat * (1.0 + VIRTUAL * q_v) + VIRTUAL * theta * (fluxes.water / rho)
    return Ground(stress, u_star, heat, buoyancy, buoyancy > 0.0)


def mix(
    a: Carried,
    conduct_m: torch.Tensor,
    conduct_h: torch.Tensor,
    rho: torch.Tensor,
    mass: torch.Tensor,
    ground: Ground,
    fluxes: Fluxes,
    dt: float,
    sources: Sequence[torch.Tensor | None] | None = None,
    counter: Counter | None = None,
) -> Carried:
    """Columns after ``dt`` s of mixing; ground heat enters the lowest layer, stress as a drag that cannot overshoot.

    Parameters
    ----------
    a : before
    conduct_m, conduct_h : (nz-1, y, x) rho K / dz of momentum and of the rest on inner interfaces, kg m-2 s-1
    rho : (y, x) density of the lowest layer, kg m-3
    mass : (nz, y, x) of the layers, kg m-2
    ground, fluxes : through the ground
    dt : s
    sources : (y, x) upward flux of each tracer through the ground, kg m-2 s-1, or None
    counter : further upward fluxes, or None
    """
    u, v = a.u, a.v
    speed = torch.sqrt(u[0] * u[0] + v[0] * v[0] + 0.01)
    drag = ground.stress / speed
    aligned = (fluxes.stress_x * u[0] + fluxes.stress_y * v[0]) > 0.0
    drag = torch.where(aligned, drag, 0.0)
    rest_x, rest_y = fluxes.stress_x - drag * u[0], fluxes.stress_y - drag * v[0]
    scalars, momentum = diffusion(conduct_h, mass, dt, None), diffusion(conduct_m, mass, dt, drag)
    theta = solve(a.theta, scalars, mass, dt, rho * ground.heat, counter and counter.theta)
    q_v = solve(a.q_v, scalars, mass, dt, fluxes.water, counter and counter.vapour)
    u, v = solve(u, momentum, mass, dt, -rest_x), solve(v, momentum, mass, dt, -rest_y)
    tracers = a.tracers
    if tracers.shape[0]:
        given = sources or [None] * tracers.shape[0]
        tracers = torch.stack([solve(b, scalars, mass, dt, f) for b, f in zip(tracers, given, strict=True)])
    return Carried(u, v, theta, q_v, tracers)
