# SPDX-License-Identifier: BSD-3-Clause
"""Implicit vertical diffusion of what columns hold: a backward step, exact in the column's content."""

import torch

from components.science.column_solver import Elimination, eliminate, substitute


def diffusion(conductance: torch.Tensor, mass: torch.Tensor, dt: float, drag: torch.Tensor | None) -> Elimination:
    """Factors of the backward step of mass da/dt = d/dz(conductance da) - drag a in the lowest layer.

    Parameters
    ----------
    conductance : (nz-1, y, x) rho K / dz on inner interfaces, kg m-2 s-1
    mass : (nz, y, x) kg m-2
    dt : time step, s
    drag : (y, x) kg m-2 s-1, or None
    """
    nz, zero = mass.shape[0], torch.zeros_like(mass[0])
    below = [-dt * conductance[k - 1] / mass[k] if k > 0 else zero for k in range(nz)]
    above = [-dt * conductance[k] / mass[k] if k < nz - 1 else zero for k in range(nz)]
    diagonal = [1.0 - b - a for b, a in zip(below, above, strict=True)]
    if drag is not None:
        diagonal[0] = diagonal[0] + dt * drag / mass[0]
    return eliminate(below, diagonal, above)


def solve(
    a: torch.Tensor,
    f: Elimination,
    mass: torch.Tensor,
    dt: float,
    source: torch.Tensor | None,
    explicit: torch.Tensor | None = None,
) -> torch.Tensor:
    """``a`` (nz, y, x) after the step.

    Parameters
    ----------
    a : (nz, y, x) before the step
    f : factors of `diffusion`, with the same ``mass`` and ``dt``
    mass, dt : of the layers (nz, y, x), kg m-2, and the time step, s
    source : (y, x) upward flux through the ground, or None
    explicit : (nz-1, y, x) further upward flux through inner interfaces, or None
    """
    nz = a.shape[0]
    right: list[torch.Tensor] = []
    for k in range(nz):
        into = source if k == 0 else None if explicit is None else explicit[k - 1]
        out = None if explicit is None or k == nz - 1 else explicit[k]
        net = into if out is None else -out if into is None else into - out
        right.append(a[k] if net is None else a[k] + dt * net / mass[k])
    return torch.stack(substitute(f, right))
