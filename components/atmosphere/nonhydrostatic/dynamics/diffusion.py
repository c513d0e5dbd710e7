# SPDX-License-Identifier: BSD-3-Clause
"""Diffusion of momentum, heat and tracers in flux form, and the two-dimensional Smagorinsky viscosity.

Tendencies are div(rho K grad q) along coordinate surfaces in the horizontal and d/dz(rho K dq/dz) in the vertical
(Skamarock et al. 2021, NCAR/TN-556, section 4.2). Heat is diffused as the departure of theta from the base state's,
so that the stratification is not mixed along sloping levels. Viscosities are (nz, ny+2, nx+2) with one halo cell, or
numbers, m2 s-1.
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.science.advection import difference, total
from components.science.cuts import cut, inside

Viscosity = torch.Tensor | float
ONE = slice(H - 1, 1 - H)


def smagorinsky_2d(g: Geometry, d: Diagnostics, constant: float = 0.25) -> torch.Tensor:
    """K = (c_s l)^2 |D|, D2 = (u_x - v_y)^2 + (u_y + v_x)^2 (Smagorinsky 1963), (nz, ny+2, nx+2), m2 s-1.

    l is the square root of the area of a cell; K is at most 0.1 l2 per 10 s, which no time step in use comes near.
    """
    rdx, rdy = g.inverse_dx[ONE, ONE], g.inverse_dy[ONE, ONE]
    one, two, most = slice(1, -1), slice(2, -2), slice(None)
    u, v = cut(d.u[2:-2], one, two), cut(d.v[2:-2], two, one)
    ux = difference(cut(u, one, most), 2) * (0.5 * (rdx[:, 1:] + rdx[:, :-1]))
    vy = difference(cut(v, one), 1) * (0.5 * (rdy[1:] + rdy[:-1]))
    uc = 0.5 * total(u, 2)
    vc = 0.5 * total(v, 1)
    uy = (cut(uc, slice(2, None), most) - cut(uc, slice(-2), most)) * (0.25 * (rdy[1:] + rdy[:-1]))
    vx = (cut(vc, slice(2, None)) - cut(vc, slice(-2))) * (0.25 * (rdx[:, 1:] + rdx[:, :-1]))
    stretch, shear = ux - vy, uy + vx
    area = 1.0 / g.inverse_area[ONE, ONE]
    return (constant * constant) * area * torch.sqrt(stretch * stretch + shear * shear + 1.0e-30)


def diffuse(
    g: Geometry, s: State, d: Diagnostics, k_h: Viscosity, k_v: Viscosity = 0.0, prandtl: float = 1.0
) -> Tendencies:
    """Rates of change of momentum and heat by diffusion, as :class:`state.Tendencies`.

    ``prandtl`` is the ratio of the viscosity to the diffusivity of heat.
    """
    r = g.rho_base[:, ONE, ONE] + inside(s.rho, H - 1)
    two, three = slice(2, -2), slice(3, -3)
    u, v, theta = d.u[2:-2], d.v[2:-2], d.theta[2:-2]
    zero = torch.zeros_like(r)
    rk_h, rk_v = r * k_h + zero, r * k_v + zero
    heat_h, heat_v = rk_h * (1.0 / prandtl), rk_v * (1.0 / prandtl)
    one_x, one_y = g.length_u * g.inverse_dx, g.length_v * g.inverse_dy
    i = slice(H, -H)

    theta_base = g.rtheta_base[:, ONE, ONE] / g.rho_base[:, ONE, ONE]
    theta = inside(theta, 2) - theta_base
    f_theta = horizontal_scalar(g, theta, heat_h) + vertical_scalar(g, inside(theta, 1), inside(heat_v, 1))

    # u: fluxes at cell centres in x, at corners in y
    ratio = 0.5 * (one_x[i, H - 1 : 1 - H][:, 1:] + one_x[i, H - 1 : 1 - H][:, :-1])
    fx = cut(rk_h, slice(1, -1), slice(None)) * ratio * difference(cut(u, three, two), 2)
    before, after = slice(-1), slice(1, None)
    corner = cut(rk_h, after, after) + cut(rk_h, before, after) + cut(rk_h, after, before) + cut(rk_h, before, before)
    corner = 0.25 * corner
    fy = corner * one_y[i, H : 1 - H] * difference(cut(u, two, three), 1)
    f_u = (difference(fx, 2) + difference(fy, 1)) * g.inverse_area_u[i, i]
    rk_u = 0.5 * total(cut(rk_v, slice(1, -1), slice(None)), 2)
    iz_u = 0.5 * (g.inverse_dz_interface[:, i, H : 1 - H] + g.inverse_dz_interface[:, i, H - 1 : -H])
    f_u = f_u + _vertical(inside(u, 3), rk_u, iz_u)

    ratio = 0.5 * (one_y[H - 1 : 1 - H, i][1:] + one_y[H - 1 : 1 - H, i][:-1])
    fy = cut(rk_h, slice(1, -1)) * ratio * difference(cut(v, two, three), 1)
    fx = corner * one_x[H : 1 - H, i] * difference(cut(v, three, two), 2)
    f_v = (difference(fx, 2) + difference(fy, 1)) * g.inverse_area_v[i, i]
    rk_w = 0.5 * total(cut(rk_v, slice(1, -1)), 1)
    iz_v = 0.5 * (g.inverse_dz_interface[:, H : 1 - H, i] + g.inverse_dz_interface[:, H - 1 : -H, i])
    f_v = f_v + _vertical(inside(v, 3), rk_w, iz_v)

    # w: on inner interfaces; fluxes in z at layer centres
    rk = 0.5 * total(rk_h, 0)
    w = inside(d.w[2:-2], 2)
    f_w = horizontal_scalar(g, w, rk)
    flux = inside(rk_v, 1) / (g.dz[:, i, i] * g.dz[:, i, i]) * difference(inside(d.w[1:-1], 3), 0)
    return Tendencies(f_u, f_v, f_w + difference(flux, 0), torch.zeros_like(f_theta), f_theta)


def horizontal_scalar(g: Geometry, q: torch.Tensor, rk: torch.Tensor) -> torch.Tensor:
    """Horizontal div(rho K dz grad q) of a cell-centred (..., nz, ny+2, nx+2) field on the interior.

    ``rk`` is rho dz K.
    """
    i = slice(H, -H)
    fx = (
        0.5
        * total(cut(rk, slice(1, -1), slice(None)), -1)
        * (g.length_u * g.inverse_dx)[i, i]
        * difference(cut(q, slice(1, -1), slice(None)), -1)
    )
    fy = (
        0.5
        * total(cut(rk, slice(1, -1)), -2)
        * (g.length_v * g.inverse_dy)[i, i]
        * difference(cut(q, slice(1, -1)), -2)
    )
    return (difference(fx, -1) + difference(fy, -2)) * g.inverse_area[i, i]


def vertical_scalar(g: Geometry, q: torch.Tensor, rk: torch.Tensor) -> torch.Tensor:
    """d/dz(rho K dq/dz) dz of a cell-centred field (..., nz, ny, nx) with no flux through ground and lid."""
    return _vertical(q, rk, g.inverse_dz_interface[:, H:-H, H:-H])


def _vertical(q: torch.Tensor, rk: torch.Tensor, inverse_dz: torch.Tensor) -> torch.Tensor:
    # rk / dz at an interface is (rho dz K)_mean / dz2: the mass of half the two layers over the distance squared
    iz = inverse_dz[1:-1]
    flux = 0.5 * total(rk, 0) * iz * iz * difference(q, -3)
    head, tail = flux.narrow(-3, 0, 1), flux.narrow(-3, flux.shape[-3] - 1, 1)
    return torch.cat([head, difference(flux, -3), -tail], -3)
