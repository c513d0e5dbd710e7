# SPDX-License-Identifier: BSD-3-Clause
"""Explicit momentum tendencies: vector-invariant advection with the Coriolis force, and lateral friction.

Arakawa, A. and V. R. Lamb (1981): A potential enstrophy and energy conserving scheme for the shallow water
equations. Mon. Wea. Rev. 109, 18-36 (the triads of potential vorticity, eq. 3.5, taken layer by layer).
"""

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at


def face_elevation(eta: Tensor, g: Geometry) -> tuple[Tensor, Tensor]:
    """Sea level at the east and north faces (m), area-weighted; one ring less than ``eta``.

    Parameters
    ----------
    eta : (y, x) sea level, m
    g : geometry of the block
    """
    volume = eta * g.area_t
    eta_u = 0.5 * (at(volume, 0, 0) + at(volume, 0, 1)) / at(g.area_u)
    eta_v = 0.5 * (at(volume, 0, 0) + at(volume, 1, 0)) / at(g.area_v)
    return eta_u, eta_v


def face_thickness(eta: Tensor, g: Geometry) -> tuple[Tensor, Tensor]:
    """Layer thickness at the faces in z* coordinates (m), ``hu0 (1 + eta_u / depth_u)``; one ring less than ``eta``.

    Parameters
    ----------
    eta : (y, x) sea level, m
    g : geometry of the block
    """
    eta_u, eta_v = face_elevation(eta, g)
    return at(g.hu0) * (1.0 + eta_u / at(g.depth_u)), at(g.hv0) * (1.0 + eta_v / at(g.depth_v))


def relative_vorticity(u: Tensor, v: Tensor, g: Geometry) -> Tensor:
    """Relative vorticity at the corners (s-1) with the side-wall condition in ``g.slip``; one ring less than ``u``.

    Parameters
    ----------
    u, v : (z, y, x) velocities at the faces, m s-1
    g : geometry of the block
    """
    u_dx, v_dy = u * _like(g.dxu, u), v * _like(g.dyv, v)
    circulation = at(v_dy, 0, 1) - at(v_dy, 0, 0) - at(u_dx, 1, 0) + at(u_dx, 0, 0)
    return circulation / at(_like(g.area_q, u)) * at(_like(g.slip, u))


def _like(metric: Tensor, a: Tensor) -> Tensor:
    """A metric term cut to the rings that ``a`` still has."""
    trim = (metric.shape[-1] - a.shape[-1]) // 2
    return metric if trim == 0 else metric[..., trim:-trim, trim:-trim]


def vector_invariant(
    u: Tensor, v: Tensor, w_flux: Tensor, eta: Tensor, g: Geometry, advection: bool
) -> tuple[Tensor, Tensor]:
    """Coriolis force and advection: ``(zeta + f) k x u - grad(K) - w du/dz``.

    Parameters
    ----------
    u, v : Tensor
        Velocity at the east and north faces, m s-1, halo of two.
    w_flux : Tensor
        Volume flux up through the bottom of each cell, m3 s-1, halo of one.
    eta : Tensor
        Sea level, m, halo of two.
    advection : bool
        Without it only the Coriolis force is left (linear momentum equations).

    Returns
    -------
    tuple of Tensor
        Tendencies at the block's own faces, m s-2.
    """
    hu, hv = face_thickness(eta, g)
    stretch = 1.0 + eta / g.depth_t
    hq = at(g.hq0) * (0.25 * (at(stretch, 0, 0) + at(stretch, 0, 1) + at(stretch, 1, 0) + at(stretch, 1, 1)))
    q = at(g.f_q) / hq if not advection else (at(g.f_q) + relative_vorticity(u, v, g)) / hq
    flux_x, flux_y = hu * at(u) * at(g.wide_u), hv * at(v) * at(g.wide_v)

    # the four triads around the centre of cell (j, i), for own cells and one more row and column to the north and east
    sw, se, nw, ne = q[..., :-1, :-1], q[..., :-1, 1:], q[..., 1:, :-1], q[..., 1:, 1:]
    to_ne, to_nw, to_se, to_sw = nw + ne + se, sw + nw + ne, ne + se + sw, se + sw + nw
    here, east, north = (
        (slice(None, -1), slice(None, -1)),
        (slice(None, -1), slice(1, None)),
        (slice(1, None), slice(None, -1)),
    )
    gu = (
        to_ne[(..., *here)] * at(flux_y, 0, 0) + to_nw[(..., *east)] * at(flux_y, 0, 1)
        + to_se[(..., *here)] * at(flux_y, -1, 0) + to_sw[(..., *east)] * at(flux_y, -1, 1)
    ) * (1.0 / 12.0) / at(at(g.dxu))  # fmt: skip
    gv = (
        to_sw[(..., *north)] * at(flux_x, 1, -1) + to_se[(..., *north)] * at(flux_x, 1, 0)
        + to_nw[(..., *here)] * at(flux_x, 0, -1) + to_ne[(..., *here)] * at(flux_x, 0, 0)
    ) * (-1.0 / 12.0) / at(at(g.dyv))  # fmt: skip
    if not advection:
        return gu, gv

    uu, vv = u * u, v * v
    kinetic = 0.25 * (at(uu, 0, 0) + at(uu, 0, -1) + at(vv, 0, 0) + at(vv, -1, 0))
    gu = gu - (at(kinetic, 0, 1) - at(kinetic, 0, 0)) / at(at(g.dxu))
    gv = gv - (at(kinetic, 1, 0) - at(kinetic, 0, 0)) / at(at(g.dyv))
    if u.shape[0] > 1:
        area_u, area_v = at(at(g.area_u)), at(at(g.area_v))
        gu = gu - _vertical_advection(
            at(at(u)), 0.5 * (at(w_flux, 0, 0) + at(w_flux, 0, 1)), at(hu) * area_u, at(at(g.mask_u))
        )
        gv = gv - _vertical_advection(
            at(at(v)), 0.5 * (at(w_flux, 0, 0) + at(w_flux, 1, 0)), at(hv) * area_v, at(at(g.mask_v))
        )
    return gu, gv


def _vertical_advection(u: Tensor, w_flux: Tensor, volume: Tensor, mask: Tensor) -> Tensor:
    """W du/dz, centred: the mean of the products at the top and the bottom of the cell (m s-2)."""
    product = w_flux[:-1] * (u[:-1] - u[1:]) * mask[1:]
    none = torch.zeros_like(product[:1])
    return 0.5 * (torch.cat([none, product]) + torch.cat([product, none])) / (volume + (1.0 - mask))


def divergence_and_vorticity_force(
    u: Tensor, v: Tensor, a_t: Tensor, a_q: Tensor, g: Geometry
) -> tuple[Tensor, Tensor]:
    """Return the vector Laplacian ``grad(a div u) - curl(a zeta)``, masked; one ring less than ``u``.

    ``a_t``, ``a_q``: viscosity at centres and corners (m2 s-1), with the rings of ``u``.

    Parameters
    ----------
    u, v : (z, y, x) velocities at the faces, m s-1
    a_t, a_q : viscosity at centres and corners, m2 s-1
    g : geometry of the block
    """
    u_dy, v_dx = u * _like(g.dyu, u), v * _like(g.dxv, v)
    u_dx, v_dy = u * _like(g.dxu, u), v * _like(g.dyv, v)
    # divergence at cells 1.., vorticity at corners ..-2: each has one row and column more than the result
    divergence = u_dy[..., 1:, 1:] - u_dy[..., 1:, :-1] + v_dx[..., 1:, 1:] - v_dx[..., :-1, 1:]
    divergence = divergence / _like(g.area_t, u)[..., 1:, 1:] * a_t[..., 1:, 1:]
    vorticity = v_dy[..., :-1, 1:] - v_dy[..., :-1, :-1] - u_dx[..., 1:, :-1] + u_dx[..., :-1, :-1]
    vorticity = vorticity / _like(g.area_q, u)[..., :-1, :-1] * (_like(g.slip, u) * a_q)[..., :-1, :-1]
    lap_u = (divergence[..., :-1, 1:] - divergence[..., :-1, :-1]) / at(_like(g.dxu, u)) - (
        vorticity[..., 1:, 1:] - vorticity[..., :-1, 1:]
    ) / at(_like(g.dyu, u))
    lap_v = (divergence[..., 1:, :-1] - divergence[..., :-1, :-1]) / at(_like(g.dyv, u)) + (
        vorticity[..., 1:, 1:] - vorticity[..., 1:, :-1]
    ) / at(_like(g.dxv, u))
    return lap_u * at(_like(g.mask_u, u)), lap_v * at(_like(g.mask_v, u))


def root_of_biharmonic(constant: float, velocity: float, area: Tensor) -> Tensor:
    """Root of the biharmonic viscosity (m2 s-1): of a constant and of U D^3 / 12, D^2 the cell's area.

    Each of the two Laplacians takes the root, so that the force takes kinetic energy also where it varies (Griffies &
    Hallberg 2000, Mon. Wea. Rev. 128, 2935-2946, eq. 12).

    Parameters
    ----------
    constant : m4 s-1
    velocity : U, m s-1
    area : (y, x) of the cells, m2
    """
    return torch.sqrt(constant + velocity / 12.0 * area * torch.sqrt(area))


def smagorinsky_viscosity(u: Tensor, v: Tensor, coefficient: float, g: Geometry) -> tuple[Tensor, Tensor]:
    """Harmonic viscosity ``(C / pi)^2 area |D|`` at centres and corners (m2 s-1).

    Smagorinsky (1963) as in Griffies and Hallberg (2000).

    Values on the outermost ring are those of zero strain: no force at an own face reads them.

    Parameters
    ----------
    u, v : (z, y, x) velocities at the faces, m s-1
    coefficient : C, about 2 to 4
    g : geometry of the block
    """
    tension = g.dyt[..., 1:, 1:] / g.dxt[..., 1:, 1:] * (
        u[..., 1:, 1:] / g.dyu[..., 1:, 1:] - u[..., 1:, :-1] / g.dyu[..., 1:, :-1]
    ) - g.dxt[..., 1:, 1:] / g.dyt[..., 1:, 1:] * (
        v[..., 1:, 1:] / g.dxv[..., 1:, 1:] - v[..., :-1, 1:] / g.dxv[..., :-1, 1:]
    )
    shear = g.dxq[..., :-1, :-1] / g.dyq[..., :-1, :-1] * (
        u[..., 1:, :-1] / g.dxu[..., 1:, :-1] - u[..., :-1, :-1] / g.dxu[..., :-1, :-1]
    ) + g.dyq[..., :-1, :-1] / g.dxq[..., :-1, :-1] * (
        v[..., :-1, 1:] / g.dyv[..., :-1, 1:] - v[..., :-1, :-1] / g.dyv[..., :-1, :-1]
    )
    tension, shear = tension * tension, shear * shear * g.slip[..., :-1, :-1]
    # tension holds cells 1.. and shear corners 0..-2; around a cell or a corner one ring in, all four neighbours exist
    shear_t = 0.25 * (shear[..., :-1, :-1] + shear[..., :-1, 1:] + shear[..., 1:, :-1] + shear[..., 1:, 1:])
    tension_q = 0.25 * (tension[..., :-1, :-1] + tension[..., :-1, 1:] + tension[..., 1:, :-1] + tension[..., 1:, 1:])
    c2 = (coefficient / torch.pi) ** 2
    tiny = 1e-30  # keeps the square root differentiable in a fluid at rest
    a_t = c2 * at(g.area_t) * torch.sqrt(tension[..., :-1, :-1] + shear_t + tiny)
    a_q = c2 * at(g.area_q) * torch.sqrt(tension_q + shear[..., 1:, 1:] + tiny)
    return torch.nn.functional.pad(a_t, (1, 1, 1, 1)), torch.nn.functional.pad(a_q, (1, 1, 1, 1))
