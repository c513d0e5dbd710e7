# SPDX-License-Identifier: BSD-3-Clause
"""What a state's own pressure and winds do to it at once: the linear terms of the equations of motion.

    du/dt = f v - R_d T_v d(ln p)/dx,   dv/dt = -f u - R_d T_v d(ln p)/dy
    dT/dt = -w (dT/dz + g / c_p),       w(z) = -1/rho(z) int_0^z rho div(u, v) dz
    dp/dt = -g int rho div(u, v) dz  at the lowest layer

They are small differences of large terms, which a network finds hard to form from the state. Centred differences,
taken as zero across the outermost cells, which the sides set.
"""

import torch
from torch import Tensor
from torch.nn import functional

from components.ml_surrogates.forecast.state import (
    Place,
    edges,
    levels_of,
    log_pressure,
    upward_sum,
    virtual_temperature,
)
from components.science.constants import CP_DRY, GRAVITY, R_DRY


def imbalance(x: Tensor, at: Place) -> Tensor:
    """Rates of change of t, both winds and ln p of the lowest layer (n, 3 nz + 1, ny, nx), K s-1, m s-2 and s-1.

    Parameters
    ----------
    x : (n, 4 nz + 1, ny, nx) states
    at : place
    """
    n = levels_of(x)
    t, _, u, v = x[:, :-1].split(n, 1)
    virtual = virtual_temperature(x)
    log_p = log_pressure(x, at)
    per_x, per_y = (0.5 / at.size).to(x)
    along = _centred(torch.cat([log_p, u], 1)) * per_x
    across = _centred(torch.cat([log_p, v], 1).mT).mT * per_y
    f, force = at.coriolis.to(x), R_DRY * virtual
    east, north = f * v - force * along[:, :n], -f * u - force * across[:, :n]
    z = at.height.to(x)
    p = torch.exp(log_p)
    rho = p / force
    outward = rho * (along[:, n:] + across[:, n:]) * torch.diff(edges(z))[:, None, None]
    up = (0.5 * outward - upward_sum(outward)) / rho
    apart = torch.diff(z)[:, None, None]
    slope = torch.diff(t, dim=1) / apart
    inner = (t[:, 2:] - t[:, :-2]) / (apart[1:] + apart[:-1])
    lapse = torch.cat([slope[:, :1], inner, slope[:, -1:]], 1)
    pressure = -GRAVITY * outward.sum(1, keepdim=True) / p[:, :1]
    return torch.cat([-up * (lapse + GRAVITY / CP_DRY), east, north, pressure], 1)


def _centred(a: Tensor) -> Tensor:
    """Differences of both neighbours along the last axis, none at the ends."""
    return functional.pad(a[..., 2:] - a[..., :-2], (1, 1))
