# SPDX-License-Identifier: BSD-3-Clause
"""Non-local boundary layer of Hong, Noh & Dudhia (2006, Mon. Wea. Rev. 134, 2318-2341), the YSU scheme.

A parabolic K profile below the height h where the bulk Richardson number becomes critical, counter-gradient terms
for heat and vapour (that of momentum, small, is left out), entrainment at h; local diffusion by the
Richardson number above (Louis 1979; Noh et al. 2003), which in clouds is that of saturated air (Durran & Klemp 1982);
beneath clouds whose top radiation cools `cloud_top_mixing`.
Surface fluxes are given. Equations are numbered HND. Implicit in time.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.atmosphere.nonhydrostatic.physics import cloud_top_mixing
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes, Parts, Turbulence
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, VAPOUR
from components.atmosphere.nonhydrostatic.physics.turbulent_mixing import Carried, Counter, Ground, at_the_ground, mix
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, R_DRY, R_VAPOUR, VIRTUAL, VON_KARMAN
from components.science.sums import at_first

PRANDTL_COUNTER = 6.8  # b, HND eq. A4
SURFACE_LAYER = 0.1  # its share of h
LEAST_JUMP = 0.01  # K, of theta_v at h
STABLE_SLOPE = 5.0  # of phi_m in stable air
CONVECTIVE_FACTOR = 8.0  # phi of the convective part of the velocity scale (Noh et al. 2003)
CLOUDY = 1.0e-5  # kg/kg of droplets and ice, above which air is saturated


class Mixed(NamedTuple):
    """After mixing: u, v (m s-1), theta (K), vapour, further tracers (n, nz, y, x).

    It holds the depth of the boundary layer (y, x), m, and the diffusivity of heat on inner interfaces, with the
    entrainment in it (nz-1, y, x), m2 s-1, too.
    """

    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    q_v: torch.Tensor
    tracers: torch.Tensor
    depth: torch.Tensor
    diffusivity: torch.Tensor


class StableSide(NamedTuple):
    """What the scheme does in stable air.

    Attributes
    ----------
    critical : bulk Richardson number at the top of a stable layer
    velocity : of the profile on interfaces, from the ground, the layer, theta_v of the lowest air and the height
    reduction : of the local rate by the gradient Richardson number
    profile_alone : 1 where the local rate leaves a stable layer to the profile, else 0
    """

    critical: float
    velocity: Callable[[Ground, "Layer", torch.Tensor, torch.Tensor], torch.Tensor]
    reduction: Callable[[torch.Tensor], torch.Tensor]
    profile_alone: int


def _velocity_by_layer(ground: Ground, layer: "Layer", theta_v: torch.Tensor, z_i: torch.Tensor) -> torch.Tensor:
    """One phi_m for the whole layer (HND eq. A6)."""
    return (ground.u_star / layer.phi_m).expand_as(z_i)


def _velocity_by_height(ground: Ground, layer: "Layer", theta_v: torch.Tensor, z_i: torch.Tensor) -> torch.Tensor:
    """phi_m that grows with height (Hong 2010)."""
    u3 = ground.u_star * ground.u_star * ground.u_star
    over_l = VON_KARMAN * GRAVITY * torch.clamp(-ground.buoyancy, min=0.0) / (theta_v * u3)
    return ground.u_star / (1.0 + STABLE_SLOPE * z_i * over_l)


def _long_tail(ri: torch.Tensor) -> torch.Tensor:
    """Mixing that dies away slowly with stability (HND eq. A18)."""
    return 1.0 / ((1.0 + 5.0 * ri) * (1.0 + 5.0 * ri))


def _short_tail(ri: torch.Tensor) -> torch.Tensor:
    """At most what similarity has, and Ri^-2 beyond (King et al. 2001)."""
    ratio = torch.where(ri < 0.1, 1.0 - STABLE_SLOPE * ri, 0.05 / torch.clamp(ri, min=0.1))
    return ratio * ratio


DEEP = StableSide(0.25, _velocity_by_layer, _long_tail, 0)
"""Hong, Noh & Dudhia (2006)."""
SHALLOW = StableSide(0.18, _velocity_by_height, _short_tail, 1)
"""After Hong (2010); the critical number is within Vickers & Mahrt's (2004) .15 to .3, chosen on GABLS1."""


def step(
    air: Columns,
    u: torch.Tensor,
    v: torch.Tensor,
    theta: torch.Tensor,
    q: Parts,
    fluxes: Fluxes,
    sources: Parts,
    dt: float,
    stable: StableSide = DEEP,
) -> Turbulence:
    """`ysu` as a scheme of the table."""
    others = [name for name in q if name != VAPOUR.name]
    tracers = torch.stack([q[name] for name in others]) if others else theta.new_zeros((0, *theta.shape))
    above_ground = air.z - air.z_interface[:1]
    given, driven, vapour = [sources.get(name) for name in others], None, q[VAPOUR.name]
    if CLOUD_WATER.name in q:
        heating = air.pi * (theta - air.theta) / dt
        driven = cloud_top_mixing.conductance(air, theta, vapour, q[CLOUD_WATER.name], heating)
    cloud = sum((q[kind.name] for kind in (CLOUD_WATER, CLOUD_ICE) if kind.name in q), torch.zeros_like(theta))
    m = ysu(
        u, v, theta, vapour, tracers, above_ground, air.rho, air.mass, air.pi, fluxes, dt, given, stable, driven, cloud
    )  # fmt: skip
    mixed = dict(zip(others, m.tracers, strict=True))
    return Turbulence(m.u, m.v, m.theta, {VAPOUR.name: m.q_v, **mixed}, m.diffusivity)


step_shallow = partial(step, stable=SHALLOW)
"""`ysu_shallow` as a scheme of the table."""


class Layer(NamedTuple):
    """Boundary layer (y, x): depth (m), velocity scale (m s-1), phi_m at the top of the surface layer, ``w_*^3``."""

    h: torch.Tensor
    w_s: torch.Tensor
    phi_m: torch.Tensor
    w_star3: torch.Tensor


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
    sources: Sequence[torch.Tensor | None] | None = None,
    stable: StableSide = DEEP,
    driven: torch.Tensor | None = None,
    cloud: torch.Tensor | None = None,
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
    dt : time step, s
    sources : (y, x) upward flux of each of ``tracers`` through the ground, kg m-2 s-1, or None
    stable : `DEEP` or `SHALLOW`
    driven : (nz-1, y, x) further conductance of all on inner interfaces, as by the cooling of a cloud's top
    cloud : (nz, y, x) droplets and ice, kg/kg; none by default
    """
    theta_v = theta * (1.0 + VIRTUAL * q_v)
    ground = at_the_ground(theta[0], q_v[0], rho[0], pi[0], fluxes)
    layer = depth_and_scales(u, v, theta_v, z, ground, stable.critical)
    h = layer.h
    z_i = 0.5 * (z[1:] + z[:-1])
    step = z[1:] - z[:-1]
    clouds = None if cloud is None else in_clouds(cloud, theta, theta * pi, q_v, step)
    k_m, k_h = diffusivities(u, v, theta_v, z_i, step, ground, layer, stable, clouds)
    rho_i = 0.5 * (rho[1:] + rho[:-1])
    inside = z_i / h < 1.0
    # counter-gradient fluxes of heat and vapour below h (A4; of vapour Troen & Mahrt 1986, Holtslag & Boville 1993)
    carried = torch.where(inside & ground.unstable, rho_i * k_h * PRANDTL_COUNTER / (layer.w_s * h), 0.0)
    counter = Counter(carried * ground.heat, carried * torch.clamp(fluxes.water, min=0.0) / rho[0])
    # the entrainment flux is w_e times the jump: an exchange between two layers, implicit like the diffusion
    velocity = entrainment_velocity(theta_v, z, ground, layer)
    exchange = rho_i * torch.where((z[:-1] <= h) & (h < z[1:]), velocity, 0.0)

    conduct_h, conduct_m = rho_i * k_h / step + exchange, rho_i * k_m / step + exchange
    if driven is not None:
        conduct_h, conduct_m = conduct_h + driven, conduct_m + driven
    before = Carried(u, v, theta, q_v, tracers)
    m = mix(before, conduct_m, conduct_h, rho[0], mass, ground, fluxes, dt, sources, counter)
    return Mixed(*m, h, conduct_h * step / rho_i)


def depth_and_scales(
    u: torch.Tensor,
    v: torch.Tensor,
    theta_v: torch.Tensor,
    z: torch.Tensor,
    ground: Ground,
    critical_stable: float = DEEP.critical,
) -> Layer:
    """Depth of the boundary layer, without and then twice with the thermal's excess (HND eq. A1-A3), and its scales."""
    critical = torch.where(ground.unstable, 0.0, critical_stable)
    h = boundary_layer_depth(u, v, theta_v, z, theta_v[0], critical)
    for _ in range(2):
        w_s, _ = velocity_scale(ground.u_star, ground.buoyancy, theta_v[0], h)
        excess = torch.where(ground.unstable, torch.clamp(PRANDTL_COUNTER * ground.buoyancy / w_s, max=3.0), 0.0)
        h = boundary_layer_depth(u, v, theta_v, z, theta_v[0] + excess, critical)
    w_s, phi_m = velocity_scale(ground.u_star, ground.buoyancy, theta_v[0], h)
    convective = power(torch.clamp(GRAVITY / theta_v[0] * ground.buoyancy * h, min=0.0), 1.0 / 3.0)
    return Layer(h, w_s, phi_m, convective * convective * convective)


def diffusivities(
    u: torch.Tensor,
    v: torch.Tensor,
    theta_v: torch.Tensor,
    z_i: torch.Tensor,
    step: torch.Tensor,
    ground: Ground,
    layer: Layer,
    stable: StableSide = DEEP,
    clouds: "Clouds | None" = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Viscosity and diffusivity (m2 s-1) on inner interfaces at ``z_i``, ``step`` m apart (HND eq. A5-A7, A13-A18)."""
    h, u_star, unstable = layer.h, ground.u_star, ground.unstable
    share = z_i / h
    inside = share < 1.0
    w_z = power(
        u_star * u_star * u_star + CONVECTIVE_FACTOR * VON_KARMAN * layer.w_star3 * torch.clamp(share, max=1.0),
        1.0 / 3.0,
    )
    w_z = torch.where(unstable, w_z, stable.velocity(ground, layer, theta_v[0], z_i))
    away = torch.clamp(1.0 - share, min=0.0)
    k_m = VON_KARMAN * w_z * z_i * away * away
    # phi_t = phi_m2 when unstable, phi_m when stable (A6)
    ratio = torch.where(unstable, layer.phi_m + PRANDTL_COUNTER * VON_KARMAN * SURFACE_LAYER, 1.0)
    prandtl = 1.0 + (ratio - 1.0) * torch.exp(-3.0 * (z_i - SURFACE_LAYER * h) * (z_i - SURFACE_LAYER * h) / (h * h))
    k_h = k_m / prandtl
    free_m, free_h = local_diffusivity(u, v, theta_v, z_i, step, stable.reduction, clouds)
    local = torch.where(unstable, 1.0, 1.0 - stable.profile_alone)
    k_m = torch.where(inside, torch.maximum(k_m, local * free_m), free_m)
    return k_m, torch.where(inside, torch.maximum(k_h, local * free_h), free_h)


def entrainment_velocity(theta_v: torch.Tensor, z: torch.Tensor, ground: Ground, layer: Layer) -> torch.Tensor:
    """Velocity w_e (y, x) at which the top of an unstable layer takes in air from above, m s-1 (HND eq. A8-A12)."""
    u_star = ground.u_star
    w_m3 = layer.w_star3 + 5.0 * u_star * u_star * u_star
    # K m s-1, of theta_v, downwards
    entrained = torch.where(ground.unstable, 0.15 * theta_v[0] / GRAVITY * w_m3 / layer.h, 0.0)
    # between thin layers the jump is small: what is entrained is not, up to the speed of the eddies
    velocity = entrained / torch.clamp(jump_at(theta_v, z, layer.h), min=LEAST_JUMP)
    return torch.minimum(velocity, power(w_m3, 1.0 / 3.0))


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
    shear = torch.clamp(u[1:] * u[1:] + v[1:] * v[1:], min=1.0)
    now = GRAVITY * (theta_v[1:] - surface) * z[1:] / (theta_v[0] * shear)
    before = torch.cat([torch.zeros_like(now[:1]), now[:-1]])
    reached = now >= critical
    part = torch.clamp((critical - before) / torch.clamp(now - before, min=1.0e-6), 0.0, 1.0)
    h = at_first(reached, z[:-1] + part * (z[1:] - z[:-1]))
    return torch.clamp(torch.where(reached.any(0), h, z[-1]), min=20.0)


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
    u: torch.Tensor,
    v: torch.Tensor,
    theta_v: torch.Tensor,
    z_i: torch.Tensor,
    step: torch.Tensor,
    reduction: Callable[[torch.Tensor], torch.Tensor] = _long_tail,
    clouds: "Clouds | None" = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Viscosity and diffusivity by the gradient Richardson number above the mixed layer (HND eq. A15-A20), m2 s-1."""
    du, dv = (u[1:] - u[:-1]) / step, (v[1:] - v[:-1]) / step
    shear2 = torch.clamp(du * du + dv * dv, min=1.0e-9)
    n2 = GRAVITY * 2.0 * (theta_v[1:] - theta_v[:-1]) / (step * (theta_v[1:] + theta_v[:-1]))
    if clouds is not None:
        n2 = torch.where(clouds.inside, clouds.n2, n2)
    ri = torch.clamp(n2 / shear2, -100.0, 100.0)
    length = VON_KARMAN * z_i * 30.0 / (VON_KARMAN * z_i + 30.0)
    base = length * length * torch.sqrt(shear2)
    plus = torch.clamp(ri, min=0.0)
    stable = reduction(plus)
    minus = torch.clamp(-ri, min=0.0)
    root = torch.sqrt(torch.clamp(minus, min=1.0e-12))  # a root of zero has no finite derivative
    k_h = base * torch.where(ri > 0.0, stable, 1.0 + 8.0 * minus / (1.0 + 1.286 * root))
    k_m = torch.where(
        ri > 0.0, k_h * torch.clamp(1.0 + 2.1 * plus, max=4.0), base * (1.0 + 8.0 * minus / (1.0 + 1.746 * root))
    )
    return torch.clamp(k_m, 0.01, 1000.0), torch.clamp(k_h, 0.01, 1000.0)


class Clouds(NamedTuple):
    """On inner interfaces (nz-1, y, x): whether both layers are cloudy, and N_m^2 of saturated air, s-2."""

    inside: torch.Tensor
    n2: torch.Tensor


def in_clouds(
    cloud: torch.Tensor, theta: torch.Tensor, t: torch.Tensor, q_v: torch.Tensor, step: torch.Tensor
) -> Clouds:
    """Where clouds are, and how stable: air that rises in them condenses.

    Durran & Klemp (1982, J. Atmos. Sci. 39, 2152-2158): N_m^2 = (1 + B) (g / T) (dT/dz + Gamma_m) - g dq_w/dz with
    Gamma_m = (g / c_p) (1 + B) / (1 + A), A = L^2 q_v / (c_p R_v T^2), B = L q_v / (R_d T), and q_w all water.

    Parameters
    ----------
    cloud, q_v : (nz, y, x) droplets and ice, and vapour, kg/kg
    theta, t : (nz, y, x) potential temperature and temperature, K
    step : (nz-1, y, x) between the layers' centres, m
    """
    cloudy = cloud > CLOUDY
    mean_t, mean_q = 0.5 * (t[1:] + t[:-1]), 0.5 * (q_v[1:] + q_v[:-1])
    b = LATENT_VAPORISATION * mean_q / (R_DRY * mean_t)
    a = LATENT_VAPORISATION * LATENT_VAPORISATION * mean_q / (CP_DRY * R_VAPOUR * mean_t * mean_t)
    dry = GRAVITY * 2.0 * (theta[1:] - theta[:-1]) / (step * (theta[1:] + theta[:-1]))
    less = GRAVITY * GRAVITY / (CP_DRY * mean_t) * (a - b) / (1.0 + a)  # (g / T) (Gamma_d - Gamma_m)
    heavier = GRAVITY * (q_v[1:] - q_v[:-1] + cloud[1:] - cloud[:-1]) / step
    return Clouds(cloudy[1:] & cloudy[:-1], (1.0 + b) * (dry - less) - heavier)


def jump_at(a: torch.Tensor, z: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Difference of ``a`` between the layer above and the layer below height ``h`` (y, x)."""
    return at_first((z[:-1] <= h) & (h < z[1:]), a[1:] - a[:-1])
