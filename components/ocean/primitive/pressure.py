# SPDX-License-Identifier: BSD-3-Clause
"""The horizontal pressure gradient of the density field on z* levels with partial bottom cells.

Shchepetkin, A. F. and J. C. McWilliams (2003): A method for computing horizontal pressure-gradient force in an
oceanic model with a nonaligned vertical coordinate. J. Geophys. Res. 108, 3090 (SM03).
"""

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at
from components.science.constants import GRAVITY


def vertical_derivative(rho: Tensor, spacing: Tensor, below: Tensor) -> Tensor:
    """Derivative of a field at the cell centres with respect to depth, second order.

    It is limited where the profile bends sharply.

    Parameters
    ----------
    rho : Tensor
        Field at the centres, ``(z, y, x)``.
    spacing : Tensor
        Distance between the centres of cells k and k + 1 (m), ``z - 1`` levels.
    below : Tensor
        1 where the cell below is wet.

    Notes
    -----
    Inside, the parabola through three points; in the last wet cell and the first one, that of the three nearest,
    kept between zero and twice the nearest slope so that a kink makes no new extreme (the role of the harmonic mean
    in SM03).
    """
    slope = (rho[1:] - rho[:-1]) / spacing * below[:-1]
    if rho.shape[0] == 2:
        return torch.cat([slope, slope])
    weight = spacing[:-1] / (spacing[:-1] + spacing[1:])
    centred = slope[1:] * weight + slope[:-1] * (1.0 - weight)
    # at the lower end of the interval between k - 1 and k, bending as between k - 2 and k
    last = slope[1:] + (slope[1:] - slope[:-1]) * (spacing[1:] / (spacing[:-1] + spacing[1:]))
    last = _between_zero_and_twice(last, slope[1:])
    second_is_last = torch.where(below[1:2] > 0, centred[:1], slope[:1])
    inside = torch.where(below[2:-1] > 0, centred[1:], last[:-1])
    first = slope[:1] - (slope[1:2] - slope[:1]) * weight[:1]
    first = torch.where(below[1:2] > 0, _between_zero_and_twice(first, slope[:1]), slope[:1])
    return torch.cat([first, second_is_last, inside, last[-1:]])


def _between_zero_and_twice(value: Tensor, slope: Tensor) -> Tensor:
    upper = torch.clamp(2.0 * slope, min=0.0)
    lower = torch.clamp(2.0 * slope, max=0.0)
    return torch.minimum(torch.maximum(value, lower), upper)


def pressure_force(anomaly: Tensor, eta: Tensor, rho0: float, g: Geometry) -> tuple[Tensor, Tensor]:
    """Acceleration by the baroclinic pressure gradient, ``-(1/rho0) (dp/dx|_s + g rho dz/dx|_s)``.

    The density is a cubic between cell centres in the vertical, and so is it along the short way in depth from a
    partial bottom cell to its neighbour: a density that depends on depth alone exerts a force of fourth order in the
    thickness of the cells, and none if it is quadratic in depth (the density Jacobian of SM03, its derivatives not
    harmonic but those of a parabola).

    Parameters
    ----------
    anomaly : Tensor
        Density less any function of depth alone (kg m-3), ``(z, y, x)`` with a halo of two.
    eta : Tensor
        Sea level, m. Its own gradient force belongs to the barotropic mode and is not part of the result.
    rho0 : float
        Boussinesq density, kg m-3.

    Returns
    -------
    tuple of Tensor
        Acceleration at the block's own faces (m s-2), zero at walls.
    """
    h = g.h0 * (1.0 + eta / g.depth_t)
    rho = anomaly - rho0
    half = 0.5 * h
    z = eta - (torch.cumsum(h, 0) - half)
    if rho.shape[0] == 1:
        p, slope = GRAVITY * rho * half, torch.zeros_like(rho)
    else:
        spacing = half[1:] + half[:-1]
        slope = vertical_derivative(rho, spacing, g.below)
        # integral of the cubic with these end values and slopes (Euler and Maclaurin)
        layer = spacing * (0.5 * (rho[1:] + rho[:-1]) + spacing * (slope[:-1] - slope[1:]) * (1.0 / 12.0))
        first = half[:1] * (rho[:1] - 0.5 * half[:1] * slope[:1])
        p = GRAVITY * torch.cumsum(torch.cat([first, layer]), 0)
    p, z, rho, slope = at(p), at(z), at(rho), at(slope)

    def force(dj: int, di: int) -> Tensor:
        rise = at(z, dj, di) - at(z)
        # slopes are per metre of depth, `rise` is upwards
        mean = 0.5 * (at(rho) + at(rho, dj, di)) + rise * (at(slope, dj, di) - at(slope)) * (1.0 / 12.0)
        return at(p, dj, di) - at(p) + GRAVITY * rise * mean

    return (
        at(at(g.mask_u)) * force(0, 1) / at(at(g.dxu)) * (-1.0 / rho0),
        at(at(g.mask_v)) * force(1, 0) / at(at(g.dyv)) * (-1.0 / rho0),
    )
