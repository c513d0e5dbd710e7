# SPDX-License-Identifier: BSD-3-Clause
"""Settling of what falls through the air: implicit upstream differences, stable for any step."""

import torch


def fall(
    q: torch.Tensor, speed: torch.Tensor, rho: torch.Tensor, mass: torch.Tensor, dt: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sedimentation with implicit upstream differences from the top down; conserves what falls.

    Parameters
    ----------
    q : (nz, y, x) mixing ratio, kg/kg; ``speed`` its fall speed, m/s
    rho, mass : density of dry air (kg m-3) and mass of dry air in the layer (kg m-2)
    dt : time step, s

    Returns
    -------
    q : after ``dt`` seconds
    surface : (y, x) what reached the ground, kg m-2
    """
    falling = torch.zeros_like(q[0])
    layers = []
    for k in range(q.shape[0] - 1, -1, -1):
        layer = (mass[k] * q[k] + falling) / (mass[k] + dt * rho[k] * speed[k])
        falling = dt * rho[k] * speed[k] * layer
        layers.append(layer)
    return torch.stack(layers[::-1]), falling
