# SPDX-License-Identifier: BSD-3-Clause
"""Acoustic steps: horizontally explicit, vertically implicit (Klemp, Skamarock & Dudhia 2007, eq. 11-17).

Deviations from the state of the Runge-Kutta stage, on the interior of the block. One step:

    u''  += dtau (F_u - chi dz grad_z p''_d)                      forward, p''_d with divergence damping (eq. 18)
    w''   : tridiagonal in the vertical, off-centred by epsilon    implicit, with Rayleigh damping (Klemp et al. 2008)
    rho'', (rho theta)'' += dtau (F - divergence)                  backward

with p'' = stiffness (rho theta dz)''.
"""

from typing import NamedTuple

import torch
from torch.autograd.function import once_differentiable

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.atmosphere.nonhydrostatic.dynamics.tendencies import (
    metric_flux,
    pressure_weight_x,
    pressure_weight_y,
    vertical_gradient,
)
from components.science.advection import difference, total
from components.science.constants import GRAVITY
from components.science.cuts import inside
from components.science.kernel_arrays import wanted

Stepped = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class Coefficients(NamedTuple):
    """What the acoustic steps of one stage share; shapes without halo unless said.

    Attributes
    ----------
    weight_x, weight_y : dz rho_d/rho_m / distance at u (nz, ny, nx+1) and v (nz, ny+1, nx); zero on closed faces
    theta_x, theta_y, theta_z : theta_m on the faces (nz, ny, nx+1), (nz, ny+1, nx) and inner interfaces (nz-1,
        ny, nx), K
    stiffness : dp / d(rho theta dz) (nz, ny, nx)
    chi : rho_d / rho_m on inner interfaces, or None when dry
    loading : (g/2) rho_m / rho_d (nz, ny, nx), or None when dry
    pivot, lower, upper : LU factors of the tridiagonal matrix (nz-1, ny, nx)

    """

    weight_x: torch.Tensor
    weight_y: torch.Tensor
    theta_x: torch.Tensor
    theta_y: torch.Tensor
    theta_z: torch.Tensor
    stiffness: torch.Tensor
    chi: torch.Tensor | None
    loading: torch.Tensor | None
    pivot: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor


class Deviation(NamedTuple):
    """Deviations from the stage's state on the interior: as :class:`state.State`, without halo, full end faces."""

    ru: torch.Tensor
    rv: torch.Tensor
    rw: torch.Tensor
    rho: torch.Tensor
    rtheta: torch.Tensor


def coefficients(
    g: Geometry,
    d: Diagnostics,
    q_total: torch.Tensor | None,
    rayleigh: torch.Tensor,
    dtau: torch.Tensor,
    off_centring: float,
    open_x: torch.Tensor,
    open_y: torch.Tensor,
) -> Coefficients:
    """Linearisation about a stage and the LU factors of its vertical solve.

    Parameters
    ----------
    q_total : (nz, Y, X) mixing ratio of all water, kg/kg, or None
    rayleigh : (nz-1, ny, nx), or of one cell, damping rate of w on the inner interfaces, s-1
    dtau : acoustic time step, s
    off_centring : epsilon; the new time level has weight (1 + epsilon) / 2
    open_x, open_y : (ny, nx+1) and (ny+1, nx) 1 on faces that feel the acoustic pressure gradient, 0 on closed ones
    """
    theta = d.theta[2:-2]
    weight_x = pressure_weight_x(g, q_total) * (g.inverse_dx[H:-H, H:-H] * open_x)
    weight_y = pressure_weight_y(g, q_total) * (g.inverse_dy[H:-H, H:-H] * open_y)
    theta_x = 0.5 * (theta[:, 3:-3, 3:-2] + theta[:, 3:-3, 2:-3])
    theta_y = 0.5 * (theta[:, 3:-2, 3:-3] + theta[:, 2:-3, 3:-3])
    theta_c = theta[:, 3:-3, 3:-3]
    theta_z = 0.5 * total(theta_c, 0)
    c = d.stiffness[:, 1:-1, 1:-1]
    e = (0.5 + 0.5 * off_centring) * dtau
    e2 = e * e
    iz = g.inverse_dz_interface[1:-1, H:-H, H:-H]
    if q_total is None:
        chi, loading = None, None
        diagonal = 1.0 + e2 * iz * theta_z * total(c, 0) + dtau * rayleigh
        above = -e2 * iz[1:] * (c[1:-1] * theta_z[1:] + 0.5 * GRAVITY)
        below = -e2 * iz[:-1] * (c[1:-1] * theta_z[:-1] - 0.5 * GRAVITY)
    else:
        q = q_total[:, H:-H, H:-H]
        chi = 1.0 / (1.0 + 0.5 * total(q, 0))
        loading = (0.5 * GRAVITY) * (1.0 + q)
        diagonal = 1.0 + e2 * chi * iz * (theta_z * total(c, 0) + difference(loading, 0)) + dtau * rayleigh
        above = -e2 * chi[:-1] * iz[1:] * (c[1:-1] * theta_z[1:] + loading[1:-1])
        below = -e2 * chi[1:] * iz[:-1] * (c[1:-1] * theta_z[:-1] - loading[1:-1])
    pivot: list[torch.Tensor] = []
    lower: list[torch.Tensor] = []
    upper: list[torch.Tensor] = []
    # taken apart at once: the gradient of each level taken alone would be an array of all levels
    diagonals, belows, aboves = diagonal.unbind(0), below.unbind(0), above.unbind(0)
    for k in range(g.nz - 1):
        if k == 0:
            pivot.append(1.0 / diagonals[0])
            lower.append(torch.zeros_like(pivot[0]))
        else:
            pivot.append(1.0 / (diagonals[k] - belows[k - 1] * upper[k - 1]))
            lower.append(pivot[k] * belows[k - 1])
        upper.append(pivot[k] * aboves[k] if k < g.nz - 2 else torch.zeros_like(pivot[0]))
    return Coefficients(
        weight_x, weight_y, theta_x, theta_y, theta_z, c, chi, loading,
        torch.stack(pivot), torch.stack(lower), torch.stack(upper),
    )  # fmt: skip


def horizontal_step(
    g: Geometry,
    x: Deviation,
    p: torch.Tensor,
    f: Tendencies,
    c: Coefficients,
    dtau: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Momentum deviations one step on; ``p`` (nz, ny+2, nx+2) is the damped pressure deviation with one halo cell, Pa.

    The gradient is that of the large steps: another one would leave gravity waves over slopes to the large time step,
    which is too long for them.
    """
    px, py = p[:, 1:-1], p[..., 1:-1]
    gx, gy = difference(px, -1), difference(py, 1)
    if g.rise_x is not None:
        one = slice(H - 1, 1 - H)
        pz = vertical_gradient(p, g.inverse_dz_interface[:, one, one])
        mx = (g.rise_x[:, H:-H, H:-H]) * (pz[:, 1:-1, 1:] + pz[:, 1:-1, :-1])
        my = (g.rise_y[:, H:-H, H:-H]) * (pz[:, 1:, 1:-1] + pz[:, :-1, 1:-1])
        gx = gx - total(mx, 0)
        gy = gy - total(my, 0)
    ru = x.ru + dtau * (f.ru - c.weight_x * gx)
    rv = x.rv + dtau * (f.rv - c.weight_y * gy)
    return ru, rv


def vertical_step(
    g: Geometry,
    x: Deviation,
    ru: torch.Tensor,
    rv: torch.Tensor,
    f: Tendencies,
    c: Coefficients,
    dtau: torch.Tensor,
    off_centring: float,
    divergence_damping: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Implicit w, then mass and heat, given the new ``ru`` and ``rv``.

    Returns
    -------
    rw, rho, rtheta : the new deviations
    omega : (nz-1, ny, nx) the mass flux through inner interfaces that the step used, kg m-2 s-1
    p : (nz, ny, nx) the new pressure deviation, weighted forward in time by the divergence damping, Pa
    """
    a, b = 0.5 + 0.5 * off_centring, 0.5 - 0.5 * off_centring
    iz = g.inverse_dz_interface[1:-1, H:-H, H:-H]
    mu, mv = ru * g.length_u[H:-H, H:-H], rv * g.length_v[H:-H, H:-H]
    inverse_area = g.inverse_area[H:-H, H:-H]
    mass_out = (mu[..., 1:] - mu[..., :-1] + mv[:, 1:] - mv[:, :-1]) * inverse_area
    tu, tv = mu * c.theta_x, mv * c.theta_y
    heat_out = (tu[..., 1:] - tu[..., :-1] + tv[:, 1:] - tv[:, :-1]) * inverse_area
    omega = b * x.rw * iz
    if g.metric is not None:
        omega = omega - metric_flux(g, ru, rv, H)
    rho = x.rho + dtau * (f.rho - mass_out - _between(omega))
    rtheta = x.rtheta + dtau * (f.rtheta - heat_out - _between(omega * c.theta_z))
    e, eb = a * dtau, b * dtau
    p_part = c.stiffness * (e * rtheta + eb * x.rtheta)
    weight = 0.5 * GRAVITY if c.loading is None else c.loading
    b_part = weight * (e * rho + eb * x.rho)
    force = (p_part[1:] - p_part[:-1]) + (b_part[1:] + b_part[:-1])
    rw = substituted((x.rw + dtau * f.rw - (force if c.chi is None else force * c.chi)) * c.pivot, c.lower, c.upper)
    flux = (a * iz) * rw
    rho = rho - dtau * _between(flux)
    rtheta = rtheta - dtau * _between(flux * c.theta_z)
    p = c.stiffness * (rtheta + divergence_damping * (rtheta - x.rtheta))
    return rw, rho, rtheta, omega + flux, p


def substituted(right: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """The solution x of f_k = right_k - lower_k f_(k-1), x_k = f_k - upper_k x_(k+1).

    Parameters
    ----------
    right, lower, upper : (n, ...) right-hand side over the pivots, and the LU factors of `Coefficients`
    """
    if wanted(right, lower, upper):
        return _Substitution.apply(right, lower, upper)
    return torch.stack(_substituted(right, lower, upper)[1])


def _substituted(
    right: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    rights, lowers, uppers = right.unbind(0), lower.unbind(0), upper.unbind(0)
    forward = [rights[0]]
    for k in range(1, len(rights)):
        forward.append(rights[k] - lowers[k] * forward[k - 1])
    back = [forward[-1]]
    for k in range(len(rights) - 2, -1, -1):
        back.append(forward[k] - uppers[k] * back[-1])
    return forward, back[::-1]


class _Substitution(torch.autograd.Function):
    """`substituted`; its gradient is the transposed system's solution."""

    @staticmethod
    def forward(ctx, right, lower, upper):
        half, x = (torch.stack(a) for a in _substituted(right, lower, upper))
        ctx.save_for_backward(lower, upper, half, x)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        lower, upper, half, x = ctx.saved_tensors
        # the transposed system: the same two loops, the upper factors first
        b, a = (torch.stack(v) for v in _substituted(grad, upper.roll(1, 0), lower.roll(-1, 0)))
        none = torch.zeros_like(x[:1])
        return a, -a * torch.cat([none, half[:-1]]), -b * torch.cat([x[1:], none])


def _between(flux: torch.Tensor) -> torch.Tensor:
    """Flux out through the upper minus in through the lower interface of each layer; none through ground and lid."""
    return torch.cat([flux[:1], flux[1:] - flux[:-1], -flux[-1:]])


def start(s0: State, s: State) -> Deviation:
    """Deviation of the state at the start of the time step from that of the stage, on the interior."""
    return Deviation(*(inside(a, H) - inside(b, H) for a, b in zip(s0, s, strict=True)))
