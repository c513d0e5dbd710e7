# SPDX-License-Identifier: BSD-3-Clause
"""The K-profile parameterization (KPP): mixing coefficients with a fixed shape in a diagnosed boundary layer.

Large, W. G., J. C. McWilliams and S. C. Doney (1994): Oceanic vertical mixing: a review and a model with a nonlocal
boundary layer parameterization. Rev. Geophys. 32, 363-403 (L94). The profiles meet what mixes below by the larger of
the two, without matching (as in Griffies and others 2015, "simple shapes").
"""

import torch
from torch import Tensor

from components.ocean.primitive.vertical_mixing import Boundary, Columns, Mixed
from components.science.constants import VON_KARMAN

CRITICAL = 0.3  # bulk Richardson number, L94 eq. 21
SURFACE_LAYER = 0.1  # epsilon, share of the boundary layer
ENTRAINMENT = -0.2  # beta_T, of the surface's flux, L94 eq. 23
C_V = 1.8  # stratification below over that of the entrainment zone
A_M, C_M, A_S, C_S = 1.26, 8.38, -28.86, 98.96  # L94 appendix B
NONLOCAL = 10.0  # C*, L94 eq. 20
SHEAR_VISCOSITY, RI_0 = 50.0e-4, 0.7  # m2 s-1, 1: L94 eq. 28
LEAST_N2 = 1.0e-12  # s-2


def velocity_scales(sigma: Tensor, depth: Tensor, friction: Tensor, flux: Tensor) -> tuple[Tensor, Tensor]:
    """Turbulent velocities of momentum and of scalars, m s-1 (L94 eq. 13, appendix B).

    Parameters
    ----------
    sigma : share of the boundary layer's depth
    depth : of the boundary layer, m
    friction : u*, m s-1
    flux : buoyancy flux into the layer, m2 s-3; negative: convection
    """
    u3 = friction * friction * friction
    bound = torch.where(flux < 0.0, torch.clamp(sigma, max=SURFACE_LAYER), sigma)
    z = VON_KARMAN * bound * depth * flux  # zeta u*^3
    stable = VON_KARMAN * friction * u3 / (u3 + 5.0 * torch.clamp(z, min=0.0) + 1e-30)
    loss = torch.clamp(-z, min=0.0)
    near_m = VON_KARMAN * torch.sqrt(torch.sqrt(friction * (u3 + 16.0 * loss) + 1e-40))
    far_m = VON_KARMAN * _cube_root(A_M * u3 + C_M * loss)
    near_s = VON_KARMAN * torch.sqrt((u3 + 16.0 * loss) / (friction + 1e-12))
    far_s = VON_KARMAN * _cube_root(torch.clamp(A_S * u3 + C_S * loss, min=0.0))
    w_m = torch.where(loss <= 0.2 * u3, near_m, far_m)
    w_s = torch.where(loss <= u3, near_s, far_s)
    return torch.where(flux < 0.0, w_m, stable), torch.where(flux < 0.0, w_s, stable)


def _cube_root(x: Tensor) -> Tensor:
    return torch.exp(torch.log(x + 1e-30) / 3.0)


def boundary_depth(c: Columns, b: Boundary) -> Tensor:
    """Depth where the bulk Richardson number first exceeds 0.3, m (L94 eq. 21), linear between cell centres.

    Under a flux that makes water lighter it is no deeper than Ekman's and Monin and Obukhov's depths (L94 eq. 24).

    Parameters
    ----------
    c, b : what the scheme sees
    """
    bottom = torch.cumsum(c.h, 0)
    d = bottom - 0.5 * c.h
    friction = torch.sqrt(c.friction_velocity2)
    flux = b.flux + b.light
    _, w_s = velocity_scales(torch.ones_like(d), d, friction, flux)
    n = torch.sqrt(torch.clamp(c.n2, min=0.0))
    constant = C_V * (-ENTRAINMENT / (C_S * SURFACE_LAYER)) ** 0.5 / (CRITICAL * VON_KARMAN * VON_KARMAN)
    unresolved = constant * d * n * w_s
    du, dv = b.u - b.u[:1], b.v - b.v[:1]
    bulk = -b.buoyancy * (d - d[:1]) / (du * du + dv * dv + torch.clamp(unresolved, min=1e-10))
    deepest = d[0]
    found = torch.zeros_like(deepest)
    floor = torch.zeros_like(deepest)
    for k in range(1, d.shape[0]):
        wet = c.below[k - 1]
        floor = torch.where(wet > 0.0, bottom[k], floor)
        rise = torch.clamp(bulk[k] - bulk[k - 1], min=1e-10)
        part = torch.clamp((CRITICAL - bulk[k - 1]) / rise, 0.0, 1.0)
        here = (bulk[k] > CRITICAL) & (found < 0.5) & (wet > 0.0)
        deepest = torch.where(here, d[k - 1] + part * (d[k] - d[k - 1]), deepest)
        found = torch.where(here, torch.ones_like(found), found)
    deepest = torch.where(found > 0.5, deepest, torch.maximum(floor, d[0]))
    total = b.flux + b.light[-1]
    obukhov = friction * c.friction_velocity2 / (VON_KARMAN * torch.clamp(total, min=1e-14))
    ekman = 0.7 * friction / torch.clamp(torch.abs(b.coriolis), min=1e-6)
    limited = torch.maximum(torch.minimum(deepest, torch.minimum(obukhov, ekman)), d[0])
    return torch.where(total > 0.0, limited, deepest)


def k_profile(c: Columns, dt: float, viscosity0: float, diffusivity0: float, convective: float = 0.1) -> Mixed:
    """Viscosity and diffusivity of boundary layer and interior, and the share that plumes carry (L94).

    Parameters
    ----------
    c : Columns
        What the scheme sees.
    dt : float
        Time step, s; not used, nothing is prognostic.
    viscosity0, diffusivity0 : float
        Background values (m2 s-1).
    convective : float
        Viscosity and diffusivity of unstable water below the boundary layer, m2 s-1.
    """
    b = c.boundary()
    depth = boundary_depth(c, b)
    friction = torch.sqrt(c.friction_velocity2)
    bottom = torch.cumsum(c.h, 0)
    sigma = bottom / depth
    inside = torch.clamp(sigma, max=1.0)
    flux = b.flux + torch.where(bottom <= depth, b.light, torch.zeros_like(b.light)).amax(0)
    shape = inside * (1.0 - inside) * (1.0 - inside)
    w_m, w_s = velocity_scales(inside, depth, friction, flux)
    # below: shear instability, and convection
    ratio = torch.clamp(torch.clamp(c.n2, min=0.0) / (c.shear2 + 1e-12) / RI_0, max=1.0)
    less = 1.0 - ratio * ratio
    interior = SHEAR_VISCOSITY * (less * less * less)
    interior = torch.where(c.n2 < -LEAST_N2, torch.clamp(interior, min=convective), interior)
    at_base_m, at_base_s = _beyond_base(c, depth, friction, flux)
    viscosity = torch.maximum(interior + viscosity0, torch.maximum(depth * w_m * shape, at_base_m)) * c.below
    diffusivity = torch.maximum(interior + diffusivity0, torch.maximum(depth * w_s * shape, at_base_s)) * c.below
    plumes = NONLOCAL * VON_KARMAN * (C_S * VON_KARMAN * SURFACE_LAYER) ** (1.0 / 3.0)
    share = torch.where(flux < 0.0, plumes * shape, torch.zeros_like(shape)) * c.below
    return Mixed(c.tke, viscosity, diffusivity, share)


def _beyond_base(c: Columns, depth: Tensor, friction: Tensor, flux: Tensor) -> tuple[Tensor, Tensor]:
    """Viscosity and diffusivity at the interface next to the layer's base, m2 s-1 (L94 appendix D).

    Where the base lies between the centres of two cells, the interface between them mixes by the share of the way that
    the base has gone, so that the layer deepens between the levels too.
    """
    centre = torch.cumsum(c.h, 0) - 0.5 * c.h
    under = torch.cat([centre[1:], centre[-1:] + c.h[-1:]])
    way = torch.clamp((depth - centre) / (under - centre), 0.0, 1.0)
    way = torch.where(depth < under, way, torch.zeros_like(way))
    inside = torch.clamp(centre / depth, max=1.0)
    shape = inside * (1.0 - inside) * (1.0 - inside)
    w_m, w_s = velocity_scales(inside, depth, friction, flux)
    share = way * (1.0 - way) * (1.0 - way)
    return share * depth * w_m * shape, share * depth * w_s * shape
