# SPDX-License-Identifier: BSD-3-Clause
"""Implicit vertical diffusion: a tridiagonal system in every column."""

import torch
from torch import Tensor


def solve_tridiagonal(below: Tensor, diagonal: Tensor, above: Tensor, rhs: Tensor) -> Tensor:
    """Thomas algorithm along the levels.

    ``below[k] x[k-1] + diagonal[k] x[k] + above[k] x[k+1] = rhs[k]`` with all coefficients ``(z, y, x)`` and ``rhs``
    ``(n, z, y, x)``.

    Parameters
    ----------
    below, diagonal, above : (z, y, x) coefficients
    rhs : (n, z, y, x)
    """
    levels = diagonal.shape[0]
    inverse = 1.0 / diagonal[0]
    c, d = [above[0] * inverse], [rhs[:, 0] * inverse]
    for k in range(1, levels):
        inverse = 1.0 / (diagonal[k] - below[k] * c[-1])
        c.append(above[k] * inverse)
        d.append((rhs[:, k] - below[k] * d[-1]) * inverse)
    x = [d[-1]]
    for k in range(levels - 2, -1, -1):
        x.append(d[k] - c[k] * x[-1])
    return torch.stack(x[::-1], 1)


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
    return solve_tridiagonal(-below, diagonal, -above, h * q)
