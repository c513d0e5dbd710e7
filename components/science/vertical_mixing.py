# SPDX-License-Identifier: BSD-3-Clause
"""Implicit vertical diffusion of what columns hold: a backward step, exact in the column's content."""

from typing import NamedTuple

import torch

from components.science import column_solver


class Diffusion(NamedTuple):
    """Coefficients (nz, y, x) of a backward step's system; see `column_solver.solve`."""

    below: torch.Tensor
    diagonal: torch.Tensor
    above: torch.Tensor


def diffusion(conductance: torch.Tensor, mass: torch.Tensor, dt: float, drag: torch.Tensor | None) -> Diffusion:
    """The backward step of mass da/dt = d/dz(conductance da) - drag a in the lowest layer.

    Parameters
    ----------
    conductance : (nz-1, y, x) rho K / dz on inner interfaces, kg m-2 s-1
    mass : (nz, y, x) kg m-2
    dt : time step, s
    drag : (y, x) kg m-2 s-1, or None
    """
    zero = torch.zeros_like(mass[:1])
    below = torch.cat([zero, -dt * conductance / mass[1:]])
    above = torch.cat([-dt * conductance / mass[:-1], zero])
    diagonal = 1.0 - below - above
    if drag is not None:
        diagonal = torch.cat([diagonal[:1] + dt * drag / mass[:1], diagonal[1:]])
    return Diffusion(below, diagonal, above)


def solve(
    a: torch.Tensor,
    f: Diffusion,
    mass: torch.Tensor,
    dt: float,
    source: torch.Tensor | None,
    explicit: torch.Tensor | None = None,
) -> torch.Tensor:
    """``a`` (nz, y, x) after the step.

    Parameters
    ----------
    a : (nz, y, x) before the step
    f : coefficients of `diffusion`, with the same ``mass`` and ``dt``
    mass, dt : of the layers (nz, y, x), kg m-2, and the time step, s
    source : (y, x) upward flux through the ground, or None
    explicit : (nz-1, y, x) further upward flux through inner interfaces, or None
    """
    if explicit is not None:
        ground = torch.zeros_like(a[:1]) if source is None else source[None]
        net = torch.cat([ground - explicit[:1], explicit[:-1] - explicit[1:], explicit[-1:]])
        a = a + dt * net / mass
    elif source is not None:
        a = torch.cat([a[:1] + dt * source / mass[:1], a[1:]])
    return column_solver.solve(*f, a)
