# SPDX-License-Identifier: BSD-3-Clause
"""Stirring by eddies that the grid does not hold: diffusion along neutral surfaces, and their flattening.

Redi (1982, J. Phys. Oceanogr. 12, 1154-1158); Gent & McWilliams (1990, J. Phys. Oceanogr. 20, 150-155) as a skew flux
(Griffies 1998, J. Phys. Oceanogr. 28, 831-841). Discretised by triads (Griffies et al. 1998, J. Phys. Oceanogr. 28,
805-830): a cell, a face beside it and an interface above or below it share one slope S of the neutral surface, found
from the two differences that the triad holds::

    F_x = -f (A dT/dx + (A - K) S dT/dz)        F_z = -f ((A + K) S dT/dx + A S^2 dT/dz)

with A the isoneutral and K the thickness diffusivity. The neutral density of a triad, alpha T - beta S with the
coefficients of its cell, is carried by none of the first, and falls by all of the second. Steep slopes are tapered by
f (Danabasoglu & McWilliams 1995, J. Climate 8, 2967-2987). The part of A S^2 is implicit.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at, inner

WIDTH = 0.25  # of the taper, in largest slopes
LEAST = 1.0e-8  # kg m-4, vertical gradient of density, below which slopes are as steep as it makes them
STEP_T, STEP_S = 1.0e-2, 1.0e-2  # K, g kg-1, for the derivatives of density
Density = Callable[[Tensor, Tensor, Tensor], Tensor]


class Stirred(NamedTuple):
    """What eddies do to the block's own cells.

    Attributes
    ----------
    gain : (n, z, y, x) tracer times m s-1, by the explicit fluxes
    diffusivity : (z, y, x) vertical, at the bottom of the cells, m2 s-1, for the implicit solution
    """

    gain: Tensor
    diffusivity: Tensor


def stir(
    tracers: Tensor, eta: Tensor, density: Density, along: float, thickness: float, steepest: float, g: Geometry
) -> Stirred:
    """Explicit fluxes of all triads, and the vertical diffusivity that belongs to them.

    Parameters
    ----------
    tracers : Tensor
        Temperature (degC), salinity (g kg-1) and others ``(n, z, y, x)`` with a halo of two, of which one ring is read.
    eta : Tensor
        Sea level ``(y, x)``, m, with the same halo.
    density : callable
        Of salinity, temperature and depth, kg m-3.
    along, thickness : float
        Isoneutral and thickness diffusivity, m2 s-1.
    steepest : float
        Slope at which the fluxes are tapered to a half.
    g : Geometry
        The block.
    """
    q, centre, mask = at(tracers).contiguous(), at(g.centre).contiguous(), at(g.mask_t).contiguous()
    t, s = q[0], q[1]
    by_t = (density(s, t + STEP_T, centre) - density(s, t - STEP_T, centre)) / (2.0 * STEP_T) * mask
    by_s = (density(s + STEP_S, t, centre) - density(s - STEP_S, t, centre)) / (2.0 * STEP_S) * mask
    h = at(g.h0) * (1.0 + at(eta) / at(g.depth_t))
    apart = 0.5 * (h[:-1] + h[1:])
    down = (q[:, :-1] - q[:, 1:]) / apart  # d/dz at the interfaces, z upwards
    wet = at(g.below)[:-1]
    area = inner(g.area_t)
    inside_u, inside_v = g.inside  # only the current crosses an open edge
    x = _Axis(-1, at(g.dxu)[..., :-1], at(g.wide_u * inside_u * g.hu0)[..., :-1])
    y = _Axis(-2, at(g.dyv)[..., :-1, :], at(g.wide_v * inside_v * g.hv0)[..., :-1, :])
    numbers = (along, thickness, steepest)
    gain, through, weight = _triads(q, down, apart, wet, by_t, by_s, x, numbers)
    gain_y, through_y, weight_y = _triads(q, down, apart, wet, by_t, by_s, y, numbers)
    gain, through, weight = gain + gain_y, through + through_y, weight + weight_y
    none = torch.zeros_like(through[:, :1])
    gain = gain + torch.cat([through, none], 1) - torch.cat([none, through], 1)
    mixing = weight / (area * apart[..., 1:-1, 1:-1])
    return Stirred(gain / area, torch.cat([mixing, torch.zeros_like(mixing[:1])]))


class _Axis(NamedTuple):
    """One of the two: its axis, the distance of the cells at its faces (m), the faces' area (m2) at rest."""

    axis: int
    distance: Tensor
    face: Tensor


def _triads(
    q: Tensor, down: Tensor, apart: Tensor, wet: Tensor, by_t: Tensor, by_s: Tensor, x: _Axis,
    numbers: tuple[float, float, float],
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Sum over the triads of the faces along one axis, for own cells.

    Returns what comes in through the faces and what goes up through the interfaces (tracer times m3 s-1), and A S^2
    times the volume (m5 s-1) at the interfaces.
    """
    along, thickness, steepest = numbers
    axis = x.axis

    def side(a: Tensor, k: int) -> Tensor:  # the cells before (0) or after (1) each face
        return a.narrow(axis, k, a.shape[axis] - 1)

    def across(a: Tensor) -> Tensor:  # own cells only, along the other axis
        return a[..., 1:-1, :] if axis == -1 else a[..., 1:-1]

    q, down, apart, wet, by_t, by_s = (across(a) for a in (q, down, apart, wet, by_t, by_s))
    distance, face = across(x.distance), across(x.face)
    slope_x = (side(q, 1) - side(q, 0)) / distance
    nz = q.shape[1]
    none = torch.zeros_like(slope_x[:, :1])
    flux: Tensor = torch.zeros_like(slope_x)
    through: Tensor = torch.zeros_like(down.narrow(axis, 1, down.shape[axis] - 2))
    weight: Tensor = torch.zeros_like(through[0])
    for k in (0, 1):  # cell before and after the face
        d_z, gap, open_ = side(down, k), side(apart, k), side(wet, k)
        for low in (0, 1):  # cell above and below the interface
            level = slice(low, nz - 1 + low)
            d_x = slope_x[:, level]
            r_t, r_s = side(by_t, k)[level], side(by_s, k)[level]
            dense_x = r_t * d_x[0] + r_s * d_x[1]
            dense_z = r_t * d_z[0] + r_s * d_z[1]
            steep = dense_x / torch.clamp(-dense_z, min=LEAST)
            taper = 0.5 * (1.0 + torch.tanh((1.0 - torch.abs(steep) / steepest) / WIDTH))
            volume = 0.25 * face[level] * distance * open_ * taper
            part = volume / distance * (along * d_x + (along - thickness) * steep * d_z)
            flux = flux + torch.cat([none, part] if low else [part, none], 1)
            rising = volume / gap * (along + thickness) * steep * d_x
            own = rising.narrow(axis, 1 - k, rising.shape[axis] - 1)
            through = through + own
            square = volume * along * steep * steep
            weight = weight + square.narrow(axis, 1 - k, square.shape[axis] - 1)
    return side(flux, 1) - side(flux, 0), -through, weight
