# SPDX-License-Identifier: BSD-3-Clause
"""Large-time-step tendencies of the dry dynamics.

Klemp, Skamarock & Dudhia (2007, eq. 5-9); Skamarock et al. (2012, eq. 6-9).

Advection, pressure gradient, buoyancy and rotation on the state of a Runge-Kutta stage; everything here is held fixed
during the acoustic steps. Arrays are those of :mod:`state`, m and s and kg throughout.
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State
from components.science.advection import convergence, difference, ghost_levels, total
from components.science.constants import GAMMA, GRAVITY
from components.science.cuts import cut, inside


def diagnose(g: Geometry, s: State) -> Diagnostics:
    """Velocities, potential temperature, pressure and vertical mass flux of a state with halos."""
    r = g.rho_base + s.rho
    t = g.rtheta_base + s.rtheta
    inner = slice(1, -1)
    mass = inside(r, 1)
    theta = ghost_levels(inside(t, 1) / mass)
    u = inside(s.ru, 1) * 2.0 / total(cut(r, inner, slice(None)), -1)
    v = inside(s.rv, 1) * 2.0 / total(cut(r, inner), 1)
    w = inside(s.rw, 1) * 2.0 / total(mass, 0)
    if g.metric is None:
        ground = torch.zeros_like(w[:1])
    else:
        m = g.metric_ground[:, inner, inner]
        ground = (m[0] * u[:1, :, :-1] + m[1] * u[:1, :, 1:]) + (m[2] * v[:1, :-1] + m[3] * v[:1, 1:])
    lid = torch.zeros_like(w[:1])
    w = torch.cat([2.0 * ground - w[:1], ground, w, lid, -w[-1:]])
    x = inside(s.rtheta, H - 1) / inside(g.rtheta_base, H - 1)
    p_base = inside(g.p_base, H - 1)
    p = p_base * torch.expm1(GAMMA * torch.log1p(x))
    stiffness = GAMMA * (p_base + p) / inside(t, H - 1)
    return Diagnostics(ghost_levels(u), ghost_levels(v), w, theta, vertical_mass_flux(g, s, H - 1), p, stiffness)


def vertical_mass_flux(g: Geometry, s: State, trim: int) -> torch.Tensor:
    """Mass flux through coordinate surfaces omega = rho (w - u dz/dx - v dz/dy) (nz+1, ...), kg m-2 s-1.

    It is zero at both ends.

    ``trim`` cells of the halo are left out on every side.
    """
    omega = inside(s.rw, trim) * inside(g.inverse_dz_interface[1:-1], trim)
    if g.metric is not None:
        omega = omega - metric_flux(g, inside(s.ru, trim), inside(s.rv, trim), trim)
    zero = torch.zeros_like(omega[:1])
    return torch.cat([zero, omega, zero])


def metric_flux(g: Geometry, ru: torch.Tensor, rv: torch.Tensor, trim: int) -> torch.Tensor:
    """Rho (u dz/dx + v dz/dy) on the inner interfaces of cells (nz-1, ...).

    It is made from fluxes cut by ``trim`` on every side.
    """
    m = g.metric[:, :, trim:-trim, trim:-trim]
    ru, rv = total(ru, 0), total(rv, 0)
    return (m[0] * ru[..., :-1] + m[1] * ru[..., 1:]) + (m[2] * rv[:, :-1] + m[3] * rv[:, 1:])


def momentum(
    g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None, rayleigh: torch.Tensor, open_x: torch.Tensor,
    open_y: torch.Tensor, resting_x: torch.Tensor | None = None, resting_y: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Rates of change of ``ru``, ``rv`` and ``rw``, kg m-1 s-2.

    Parameters
    ----------
    s, d : a stage's state and diagnostics
    q_total : (nz, Y, X) mixing ratio of all water, kg/kg, or None
    rayleigh : (nz-1, ny, nx), or of one cell, damping rate of w, s-1
    open_x, open_y : (ny, nx+1) and (ny+1, nx) 1 on faces that air may pass, 0 on closed ones
    resting_x, resting_y : of `resting_air`, Pa
    """
    fw = w_tendency(g, s, d, q_total) - rayleigh * s.rw[:, H:-H, H:-H]
    fu = u_tendency(g, s, d, q_total, resting_x) * open_x
    return fu, v_tendency(g, s, d, q_total, resting_y) * open_y, fw


def u_tendency(
    g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None, resting: torch.Tensor | None = None
) -> torch.Tensor:
    """Rate of change of ``ru`` (nz, ny, nx+1) by advection, pressure gradient and rotation, kg m-1 s-2.

    ``resting`` is what `resting_air` subtracts from the difference of pressure, Pa.
    """
    ru = s.ru[:, H:-H, H - 1 : 1 - H] * g.length_u[H:-H, H - 1 : 1 - H]
    rv = s.rv[:, H:-H, H - 1 : 1 - H] * g.length_v[H:-H, H - 1 : 1 - H]
    om = d.omega[:, 1:-1]
    f = convergence(
        d.u,
        0.5 * total(ru, -1),
        0.5 * total(rv, -1),
        0.5 * total(om, -1),
        g.inverse_area_u[H:-H, H:-H],
    )
    p = d.p[:, 1:-1]
    rise = difference(p, -1)
    if g.rise_x is not None:
        rise = rise - metric_difference_x(g, p)
    if resting is not None:
        rise = rise - resting
    f = f - pressure_weight_x(g, q_total) * g.inverse_dx[H:-H, H:-H] * rise
    if g.coriolis is not None:
        rv_c = 0.5 * (s.rv[:, H : -H - 1, H - 1 : 1 - H] + s.rv[:, H + 1 : -H, H - 1 : 1 - H])
        frv = rotation(g, d)[:, 1:-1] * rv_c
        f = f + 0.5 * total(frv, -1)
    return f


def v_tendency(
    g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None, resting: torch.Tensor | None = None
) -> torch.Tensor:
    """Rate of change of ``rv`` (nz, ny+1, nx) by advection, pressure gradient and rotation, kg m-1 s-2."""
    ru = s.ru[:, H - 1 : 1 - H, H:-H] * g.length_u[H - 1 : 1 - H, H:-H]
    rv = s.rv[:, H - 1 : 1 - H, H:-H] * g.length_v[H - 1 : 1 - H, H:-H]
    om = d.omega[..., 1:-1]
    f = convergence(
        d.v,
        0.5 * total(ru, 1),
        0.5 * total(rv, 1),
        0.5 * total(om, 1),
        g.inverse_area_v[H:-H, H:-H],
    )
    p = d.p[..., 1:-1]
    rise = difference(p, 1)
    if g.rise_y is not None:
        rise = rise - metric_difference_y(g, p)
    if resting is not None:
        rise = rise - resting
    f = f - pressure_weight_y(g, q_total) * g.inverse_dy[H:-H, H:-H] * rise
    if g.coriolis is not None:
        ru_c = 0.5 * (s.ru[:, H - 1 : 1 - H, H : -H - 1] + s.ru[:, H - 1 : 1 - H, H + 1 : -H])
        fru = rotation(g, d)[..., 1:-1] * ru_c
        f = f - 0.5 * total(fru, 1)
    return f


def w_tendency(g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None) -> torch.Tensor:
    """Rate of change of ``rw`` (nz-1, ny, nx) by advection, pressure gradient and buoyancy, kg m-1 s-2."""
    ru = s.ru[:, H:-H, H:-H] * g.length_u[H:-H, H:-H]
    rv = s.rv[:, H:-H, H:-H] * g.length_v[H:-H, H:-H]
    om = d.omega[:, 1:-1, 1:-1]
    f = convergence(d.w, 0.5 * total(ru, 0), 0.5 * total(rv, 0), 0.5 * total(om, 0), g.inverse_area[H:-H, H:-H])
    p = d.p[:, 1:-1, 1:-1]
    mass = s.rho[:, H:-H, H:-H]
    if q_total is None:
        return f - difference(p, 0) - (0.5 * GRAVITY) * total(mass, 0)
    q = q_total[:, H:-H, H:-H]
    mass = mass + (g.rho_base[:, H:-H, H:-H] + mass) * q
    force = difference(p, 0) + (0.5 * GRAVITY) * total(mass, 0)
    return f - force / (1.0 + 0.5 * total(q, 0))


def scalars(g: Geometry, s: State, d: Diagnostics) -> tuple[torch.Tensor, torch.Tensor]:
    """Rates of change of ``rho``, kg m-2 s-1, and by advection of ``rtheta``, K kg m-2 s-1, (nz, ny, nx)."""
    ru, rv = inside(s.ru, H) * inside(g.length_u, H), inside(s.rv, H) * inside(g.length_v, H)
    omega, inverse_area = inside(d.omega, 1), inside(g.inverse_area, H)
    mass = -(difference(ru, 2) + difference(rv, 1)) * inverse_area - difference(omega, 0)
    return mass, convergence(d.theta, ru, rv, omega, inverse_area)


def rotation(g: Geometry, d: Diagnostics) -> torch.Tensor:
    """F plus the curvature of the grid, (v dh2/dx - u dh1/dy) / (h1 h2), at cell centres with one halo cell, s-1."""
    f = g.coriolis[H - 1 : 1 - H, H - 1 : 1 - H]
    if g.curvature_x is None:
        return f + torch.zeros_like(d.p)
    u = 0.5 * (d.u[2:-2, 2:-2, 2:-3] + d.u[2:-2, 2:-2, 3:-2])
    v = 0.5 * (d.v[2:-2, 2:-3, 2:-2] + d.v[2:-2, 3:-2, 2:-2])
    one = slice(H - 1, 1 - H)
    return f + v * g.curvature_x[one, one] - u * g.curvature_y[one, one]


def pressure_weight_x(g: Geometry, q_total: torch.Tensor | None) -> torch.Tensor:
    """Dz rho_d / rho_m at u (nz, ny, nx+1), m."""
    dz = g.dz[:, H:-H, H - 1 : 1 - H]
    dz = 0.5 * total(dz, -1)
    if q_total is None:
        return dz
    q = q_total[:, H:-H, H - 1 : 1 - H]
    return dz / (1.0 + 0.5 * total(q, -1))


def pressure_weight_y(g: Geometry, q_total: torch.Tensor | None) -> torch.Tensor:
    """Dz rho_d / rho_m at v (nz, ny+1, nx), m."""
    dz = g.dz[:, H - 1 : 1 - H, H:-H]
    dz = 0.5 * total(dz, 1)
    if q_total is None:
        return dz
    q = q_total[:, H - 1 : 1 - H, H:-H]
    return dz / (1.0 + 0.5 * total(q, 1))


def metric_difference_x(g: Geometry, p: torch.Tensor) -> torch.Tensor:
    """Rise of the surface times dp/dz at u (nz, ny, nx+1) from p (nz, ny, nx+2), Pa."""
    pz = vertical_gradient(p, g.inverse_dz_interface[:, H:-H, H - 1 : 1 - H])
    pz = g.rise_x[:, H:-H, H:-H] * total(pz, -1)
    return pz[1:] + pz[:-1]


def metric_difference_y(g: Geometry, p: torch.Tensor) -> torch.Tensor:
    """Rise of the surface times dp/dz at v (nz, ny+1, nx) from p (nz, ny+2, nx), Pa."""
    pz = vertical_gradient(p, g.inverse_dz_interface[:, H - 1 : 1 - H, H:-H])
    pz = g.rise_y[:, H:-H, H:-H] * total(pz, 1)
    return pz[1:] + pz[:-1]


def vertical_gradient(p: torch.Tensor, inverse_dz: torch.Tensor) -> torch.Tensor:
    """dp/dz on all interfaces (nz+1, ...), extrapolated linearly to the ground and constant to the lid."""
    pz = difference(p, 0) * inverse_dz[1:-1]
    ratio = inverse_dz[1:2] / (inverse_dz[0:1] - inverse_dz[1:2])  # thickness of the lowest layer / that of the next
    ground = pz[:1] + ratio * (pz[:1] - pz[1:2])
    return torch.cat([ground, pz, pz[-1:]])
