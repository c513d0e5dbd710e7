# SPDX-License-Identifier: BSD-3-Clause
"""Implicit vertical diffusion: a tridiagonal system in every column."""

import torch
from torch import Tensor

from components.science.column_solver import solve


def diffuse(q: Tensor, h: Tensor, diffusivity: Tensor, dt: float, drag: Tensor | None = None) -> Tensor:
    """Backward-Euler diffusion in the vertical, conserving ``sum(h q)``.

    Parameters
    ----------
    q : Tensor
        Quantities ``(n, z, y, x)``, holding all that the step added explicitly.
    h : Tensor
        Layer thicknesses (m), positive also where dry.
    diffusivity : Tensor
        At the bottom of each layer (m2 s-1), zero at the sea floor and below; ``(z, y, x)``.
    dt : float
        Time step, s.
    drag : Tensor or None
        Linear drag velocity in each layer (m s-1), taken implicitly.
    """
    # exchange velocity between layers k and k + 1 times dt: m
    e = dt * diffusivity[:-1] / (0.5 * (h[:-1] + h[1:]))
    none = torch.zeros_like(h[:1])
    above, below = torch.cat([e, none]), torch.cat([none, e])
    diagonal = h + above + below
    if drag is not None:
        diagonal = diagonal + dt * drag
    return solve(-below, diagonal, -above, (h * q).movedim(1, 0)).movedim(0, 1)
