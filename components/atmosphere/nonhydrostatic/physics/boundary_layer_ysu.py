"""Non-local boundary layer of Hong, Noh & Dudhia (2006, Mon. Wea. Rev. 134, 2318-2341), the YSU scheme.

A parabolic K profile below the height h where the bulk Richardson number becomes critical, a counter-gradient
term for heat
(the counter-gradient term of momentum, small, is left out), entrainment at h; local diffusion by the
Richardson number above (Louis 1979; Noh et al.
2003). Surface fluxes are given. Equations are numbered HND. Implicit in time.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.science.constants import CP_DRY, GRAVITY, VIRTUAL, VON_KARMAN

PRANDTL_COUNTER = 6.8  # b, HND eq. A4
SURFACE_LAYER = 0.1  # its share of h
CONVECTIVE_FACTOR = 8.0  # phi of the convective part of the velocity scale (Noh et al. 2003)


class Fluxes(NamedTuple):
    """Fluxes through the ground (y, x): upward heat W m-2 and water kg m-2 s-1, stress on the ground Pa."""

    sensible_heat: torch.Tensor
    water: torch.Tensor
    stress_x: torch.Tensor
    stress_y: torch.Tensor


class Mixed(NamedTuple):
    """After mixing: u, v (m s-1), theta (K), vapour, further tracers (n, nz, y, x).

    It holds the depth of the boundary layer (y, x), m, too.
    """

    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    q_v: torch.Tensor
    tracers: torch.Tensor
    depth: torch.Tensor


def ysu(
    u: torch.Tensor,
    v: torch.Tensor,
    theta: torch.Tensor,
    q_v: torch.Tensor,
    tracers: torch.Tensor,
    z: torch.Tensor,
    rho: torch.Tensor,
    mass: torch.Tensor,
    pi: torch.Tensor,
    fluxes: Fluxes,
    dt: float,
) -> Mixed:
    """Turbulent mixing over ``dt`` seconds.

    Parameters
    ----------
    u, v : (nz, y, x) wind at layer centres, m/s
    theta, q_v : potential temperature (K), vapour (kg/kg)
    tracers : (n, nz, y, x) what else is mixed (cloud water, ice), kg/kg
    z : height of layer centres above the ground, m
    rho, mass : density (kg m-3) and mass of the layer (kg m-2) of dry air
    pi : Exner function
    fluxes : through the ground
    """
    theta_v = theta * (1.0 + VIRTUAL * q_v)
    rho_s = rho[0]
    stress = torch.sqrt(fluxes.stress_x * fluxes.stress_x + fluxes.stress_y * fluxes.stress_y)
    u_star = torch.sqrt(torch.clamp(stress / rho_s, min=1.0e-6))
    heat = fluxes.sensible_heat / (rho_s * CP_DRY * pi[0])  # K m s-1
    water = fluxes.water / rho_s
    buoyancy = heat * (1.0 + VIRTUAL * q_v[0]) + VIRTUAL * theta[0] * water
    unstable = buoyancy > 0.0

    # depth of the boundary layer, twice: without and with the thermal's excess (HND eq. A1-A3)
    h = boundary_layer_depth(u, v, theta_v, z, theta_v[0], torch.where(unstable, 0.0, 0.25))
    for _ in range(2):
        w_s, phi_m = velocity_scale(u_star, buoyancy, theta_v[0], h)
        excess = torch.where(unstable, torch.clamp(PRANDTL_COUNTER * buoyancy / w_s, max=3.0), 0.0)
        h = boundary_layer_depth(u, v, theta_v, z, theta_v[0] + excess, torch.where(unstable, 0.0, 0.25))
    w_s, phi_m = velocity_scale(u_star, buoyancy, theta_v[0], h)
    convective = power(torch.clamp(GRAVITY / theta_v[0] * buoyancy * h, min=0.0), 1.0 / 3.0)
    w_star3 = convective * convective * convective

    # diffusivities on inner interfaces (HND eq. A5-A7, A13-A18)
    z_i = 0.5 * (z[1:] + z[:-1])
    step = z[1:] - z[:-1]
    share = z_i / h
    inside = share < 1.0
    w_z = power(
        u_star * u_star * u_star + CONVECTIVE_FACTOR * VON_KARMAN * w_star3 * torch.clamp(share, max=1.0), 1.0 / 3.0
    )
    w_z = torch.where(unstable, w_z, (u_star / phi_m).expand_as(w_z))
    away = torch.clamp(1.0 - share, min=0.0)
    k_m = VON_KARMAN * w_z * z_i * away * away
    # phi_t = phi_m2 when unstable, phi_m when stable (A6)
    ratio = torch.where(unstable, phi_m + PRANDTL_COUNTER * VON_KARMAN * SURFACE_LAYER, 1.0)
    prandtl = 1.0 + (ratio - 1.0) * torch.exp(-3.0 * (z_i - SURFACE_LAYER * h) * (z_i - SURFACE_LAYER * h) / (h * h))
    k_h = k_m / prandtl
    free_m, free_h = local_diffusivity(u, v, theta_v, z_i, step)
    k_m = torch.where(inside, torch.maximum(k_m, free_m), free_m)
    k_h = torch.where(inside, torch.maximum(k_h, free_h), free_h)
    rho_i = 0.5 * (rho[1:] + rho[:-1])

    # counter-gradient heat flux below h (A4), entrainment through the interface next to h (A8-A12)
    w_m3 = w_star3 + 5.0 * u_star * u_star * u_star
    entrained = torch.where(unstable, 0.15 * theta_v[0] / GRAVITY * w_m3 / h, 0.0)  # K m s-1, of theta_v, downwards
    velocity = torch.clamp(entrained / torch.clamp(jump_at(theta_v, z, h), min=0.5), max=0.2)  # m s-1
    gamma = torch.where(inside & unstable, PRANDTL_COUNTER * heat / (w_s * h), 0.0)
    flux_t = rho_i * k_h * gamma
    # the entrainment flux is w_e times the jump: an exchange between two layers, implicit like the diffusion
    exchange = rho_i * torch.where((z[:-1] <= h) & (h < z[1:]), velocity, 0.0)

    conduct_h, conduct_m = rho_i * k_h / step + exchange, rho_i * k_m / step + exchange
    # ground heat enters as the flux into the lowest layer; stress as linear drag, which cannot overshoot
    speed = torch.sqrt(u[0] * u[0] + v[0] * v[0] + 0.01)
    drag = stress / speed
    aligned = (fluxes.stress_x * u[0] + fluxes.stress_y * v[0]) > 0.0
    drag = torch.where(aligned, drag, 0.0)
    rest_x, rest_y = fluxes.stress_x - drag * u[0], fluxes.stress_y - drag * v[0]
    scalars, momentum = eliminate(conduct_h, mass, dt, None), eliminate(conduct_m, mass, dt, drag)
    new_theta = solve(theta, scalars, mass, dt, rho_s * heat, flux_t)
    new_q = solve(q_v, scalars, mass, dt, fluxes.water)
    new_u = solve(u, momentum, mass, dt, -rest_x)
    new_v = solve(v, momentum, mass, dt, -rest_y)
    if tracers.shape[0]:
        tracers = torch.stack([solve(a, scalars, mass, dt, None) for a in tracers])
    return Mixed(new_u, new_v, new_theta, new_q, tracers, h)


def boundary_layer_depth(
    u: torch.Tensor,
    v: torch.Tensor,
    theta_v: torch.Tensor,
    z: torch.Tensor,
    surface: torch.Tensor,
    critical: torch.Tensor,
) -> torch.Tensor:
    """Height (y, x) where the bulk Richardson number reaches ``critical``.

    It lies between the centre of the lowest layer and the lid, m.
    """
    h = torch.full_like(surface, 0.0) + z[0]
    found = torch.zeros_like(surface, dtype=torch.bool)
    before = torch.zeros_like(surface)
    for k in range(1, z.shape[0]):
        shear = torch.clamp(u[k] * u[k] + v[k] * v[k], min=1.0)
        now = GRAVITY * (theta_v[k] - surface) * z[k] / (theta_v[0] * shear)
        here = (now >= critical) & ~found
        part = torch.clamp((critical - before) / torch.clamp(now - before, min=1.0e-6), 0.0, 1.0)
        h = torch.where(here, z[k - 1] + part * (z[k] - z[k - 1]), h)
        found = found | here
        before = torch.where(found, before, now)
    return torch.clamp(torch.where(found, h, z[-1]), min=20.0)


def velocity_scale(
    u_star: torch.Tensor, buoyancy: torch.Tensor, theta_v: torch.Tensor, h: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixed-layer velocity scale at half of h (m/s) and phi_m at the top of the surface layer (HND eq. A2, A6)."""
    u3 = u_star * u_star * u_star
    # z/L at 0.1 h, between free convection and very stable
    over_l = -SURFACE_LAYER * h * VON_KARMAN * GRAVITY * buoyancy / (theta_v * u3)
    stable = 1.0 + 5.0 * torch.clamp(over_l, 0.0, 2.0)
    unstable = 1.0 / torch.sqrt(torch.sqrt(1.0 + 16.0 * torch.clamp(-over_l, 0.0, 50.0)))
    phi_m = torch.where(buoyancy > 0.0, unstable, stable)
    w3 = torch.clamp(GRAVITY / theta_v * buoyancy * h, min=0.0)
    w_s = power(u3 + CONVECTIVE_FACTOR * VON_KARMAN * w3 * 0.5, 1.0 / 3.0)
    return torch.clamp(torch.where(buoyancy > 0.0, w_s, u_star / phi_m), min=1.0e-3), phi_m


def local_diffusivity(
    u: torch.Tensor, v: torch.Tensor, theta_v: torch.Tensor, z_i: torch.Tensor, step: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Viscosity and diffusivity by the gradient Richardson number above the mixed layer (HND eq. A15-A20), m2 s-1."""
    du, dv = (u[1:] - u[:-1]) / step, (v[1:] - v[:-1]) / step
    shear2 = torch.clamp(du * du + dv * dv, min=1.0e-9)
    n2 = GRAVITY * 2.0 * (theta_v[1:] - theta_v[:-1]) / (step * (theta_v[1:] + theta_v[:-1]))
    ri = torch.clamp(n2 / shear2, -100.0, 100.0)
    length = VON_KARMAN * z_i * 30.0 / (VON_KARMAN * z_i + 30.0)
    base = length * length * torch.sqrt(shear2)
    plus = torch.clamp(ri, min=0.0)
    stable = 1.0 / ((1.0 + 5.0 * plus) * (1.0 + 5.0 * plus))
    minus = torch.clamp(-ri, min=0.0)
    root = torch.sqrt(minus)
    k_h = base * torch.where(ri > 0.0, stable, 1.0 + 8.0 * minus / (1.0 + 1.286 * root))
    k_m = torch.where(
        ri > 0.0, k_h * torch.clamp(1.0 + 2.1 * plus, max=4.0), base * (1.0 + 8.0 * minus / (1.0 + 1.746 * root))
    )
    return torch.clamp(k_m, 0.01, 1000.0), torch.clamp(k_h, 0.01, 1000.0)


def jump_at(a: torch.Tensor, z: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Difference of ``a`` between the layer above and the layer below height ``h`` (y, x)."""
    out = torch.zeros_like(h)
    for k in range(z.shape[0] - 1):
        here = (z[k] <= h) & (h < z[k + 1])
        out = torch.where(here, a[k + 1] - a[k], out)
    return out


class Elimination(NamedTuple):
    """Factors of the vertical solve that fields of the same conductance share, layer by layer, each (y, x).

    ``below`` coupling to the layer below, ``upper`` and ``inverse`` of the forward elimination.
    """

    below: list[torch.Tensor]
    upper: list[torch.Tensor]
    inverse: list[torch.Tensor]


def eliminate(conductance: torch.Tensor, mass: torch.Tensor, dt: float, drag: torch.Tensor | None) -> Elimination:
    """Factors of the backward step of mass da/dt = d/dz(conductance da) - drag a in the lowest layer.

    Parameters
    ----------
    conductance : (nz-1, y, x) rho K / dz on inner interfaces, kg m-2 s-1
    mass : (nz, y, x) kg m-2
    drag : (y, x) kg m-2 s-1, or None
    """
    nz, zero = mass.shape[0], torch.zeros_like(mass[0])
    f = Elimination([], [], [])
    for k in range(nz):
        below = dt * conductance[k - 1] / mass[k] if k > 0 else zero
        above = dt * conductance[k] / mass[k] if k < nz - 1 else zero
        diagonal = 1.0 + below + above
        if k == 0 and drag is not None:
            diagonal = diagonal + dt * drag / mass[0]
        inverse = 1.0 / (diagonal - below * f.upper[k - 1] if k > 0 else diagonal)
        f.below.append(below)
        f.upper.append(above * inverse)
        f.inverse.append(inverse)
    return f


def solve(
    a: torch.Tensor,
    f: Elimination,
    mass: torch.Tensor,
    dt: float,
    source: torch.Tensor | None,
    explicit: torch.Tensor | None = None,
) -> torch.Tensor:
    """``a`` (nz, y, x) after the step.

    Parameters
    ----------
    f : factors of :func:`eliminate`, with the same ``mass`` and ``dt``
    source : (y, x) upward flux through the ground, or None
    explicit : (nz-1, y, x) further upward flux through inner interfaces, or None
    """
    nz = a.shape[0]
    right: list[torch.Tensor] = []
    for k in range(nz):
        into = source if k == 0 else None if explicit is None else explicit[k - 1]
        out = None if explicit is None or k == nz - 1 else explicit[k]
        net = into if out is None else -out if into is None else into - out
        rhs = a[k] if net is None else a[k] + dt * net / mass[k]
        right.append((rhs + f.below[k] * right[k - 1] if k > 0 else rhs) * f.inverse[k])
    levels = [right[-1]]
    for k in range(nz - 2, -1, -1):
        levels.append(right[k] + f.upper[k] * levels[-1])
    return torch.stack(levels[::-1])
