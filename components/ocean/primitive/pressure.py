"""The horizontal pressure gradient of the density field on z* levels with partial bottom cells."""

import torch
from torch import Tensor

from components.ocean.primitive.constants import GRAVITY
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at


def pressure_force(anomaly: Tensor, eta: Tensor, rho0: float, g: Geometry) -> tuple[Tensor, Tensor]:
    """Acceleration by the baroclinic pressure gradient, ``-(1/rho0) (dp/dx|_s + g rho dz/dx|_s)``.

    The pressure is integrated by the trapezoidal rule between cell centres and the density of the slope term is the mean of the two
    columns, so that a density linear in depth exerts no force, however thick the partial bottom cells on either side are
    (the density Jacobian of Shchepetkin and McWilliams 2003, eq. 3.2, without its harmonic averages).

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
    step = 0.5 * h
    weight = torch.cat([rho[:1] * step[:1], 0.5 * (rho[1:] + rho[:-1]) * (step[1:] + step[:-1])])
    p = GRAVITY * torch.cumsum(weight, 0)
    z = eta - (torch.cumsum(h, 0) - step)
    p, z, rho = at(p), at(z), at(rho)
    force_x = at(p, 0, 1) - at(p) + (0.5 * GRAVITY) * (at(rho) + at(rho, 0, 1)) * (at(z, 0, 1) - at(z))
    force_y = at(p, 1, 0) - at(p) + (0.5 * GRAVITY) * (at(rho) + at(rho, 1, 0)) * (at(z, 1, 0) - at(z))
    return (
        at(at(g.mask_u)) * force_x / at(at(g.dxu)) * (-1.0 / rho0),
        at(at(g.mask_v)) * force_y / at(at(g.dyv)) * (-1.0 / rho0),
    )
