# SPDX-License-Identifier: BSD-3-Clause
"""Turbulent exchange between the surface and the lowest air: Monin-Obukhov similarity.

Stability functions of Dyer (1974) when unstable and of Dyer (1974), flattened beyond zeta = 1 as in Zeng et al. (1998),
when stable.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import GRAVITY, VON_KARMAN

LEAST_WIND = 0.5  # m s-1: below it, gusts carry the exchange
MOST_STABLE, MOST_UNSTABLE = 2.0, -100.0  # limits of zeta = z/L
VISCOSITY = 1.5e-5  # m2 s-1


class Exchange(NamedTuple):
    """Transfer through the surface layer."""

    friction_velocity: Tensor  # m s-1
    conductance: Tensor  # for heat and vapour, m s-1
    zeta: Tensor  # z/L


def psi_momentum(zeta: Tensor) -> Tensor:
    """Integrated stability function for momentum."""
    x2 = torch.sqrt(1.0 - 16.0 * torch.clamp(zeta, max=0.0))
    x = torch.sqrt(x2)
    unstable = 2.0 * torch.log(0.5 * (1.0 + x)) + torch.log(0.5 * (1.0 + x2)) - 2.0 * torch.atan(x) + 1.5707963267948966
    return torch.where(zeta < 0.0, unstable, _psi_stable(zeta))


def psi_heat(zeta: Tensor) -> Tensor:
    """Integrated stability function for heat and vapour."""
    x2 = torch.sqrt(1.0 - 16.0 * torch.clamp(zeta, max=0.0))
    return torch.where(zeta < 0.0, 2.0 * torch.log(0.5 * (1.0 + x2)), _psi_stable(zeta))


def _psi_stable(zeta: Tensor) -> Tensor:
    z = torch.clamp(zeta, min=1e-12)
    return torch.where(z <= 1.0, -5.0 * z, -4.0 * torch.log(z) - z - 4.0)


def exchange(
    zeta: Tensor, wind: Tensor, height: Tensor, z0m: Tensor, z0h: Tensor, air: Tensor, surface: Tensor
) -> Exchange:
    """One step of the fixed point zeta -> u*, conductance -> zeta.

    Parameters
    ----------
    zeta
        Current guess of z/L.
    wind
        Wind speed, m s-1.
    height
        Of the air level above the displacement height, m.
    z0m, z0h
        Roughness lengths, m.
    air, surface
        Virtual potential temperatures, K.

    Notes
    -----
    zeta = Ri Fm2 / Fh with the bulk Richardson number Ri and the integrated profiles Fm, Fh. Calm air
    keeps :data:`LEAST_WIND`; convective gusts add with it (Beljaars 1995) through the least wind alone.
    """
    log_m, log_h = torch.log(height / z0m), torch.log(height / z0h)
    f_m = log_m - psi_momentum(zeta) + psi_momentum(zeta * z0m / height)
    f_h = log_h - psi_heat(zeta) + psi_heat(zeta * z0h / height)
    f_m = torch.maximum(f_m, 0.2 * log_m)
    f_h = torch.maximum(f_h, 0.2 * log_h)
    speed = torch.sqrt(wind * wind + LEAST_WIND * LEAST_WIND)
    friction = VON_KARMAN * speed / f_m
    conductance = VON_KARMAN * friction / f_h
    richardson = GRAVITY * height * (air - surface) / (air * speed * speed)
    new = torch.clamp(richardson * f_m * f_m / f_h, MOST_UNSTABLE, MOST_STABLE)
    return Exchange(friction, conductance, new)
