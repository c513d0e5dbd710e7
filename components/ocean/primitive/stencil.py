# SPDX-License-Identifier: BSD-3-Clause
"""Windows on fields that carry a halo: the one way neighbours are written in this model.

Fields are ``(..., y, x)`` with a halo of two cells on every side. ``at(a, dj, di)`` is ``a`` shifted by ``(dj, di)``
cells with one ring taken off, so a formula that uses the nearest neighbours reads like the paper and each ring of
the halo is used up once. A face or corner carries the index of the cell to its west and south: ``u[j, i]`` is on the
east face of cell ``(j, i)``, ``v[j, i]`` on its north face, a vorticity on its north-east corner.
"""

import torch
from torch import Tensor

HALO = 2


def at(a: Tensor, dj: int = 0, di: int = 0) -> Tensor:
    """Window of ``a`` without its outermost ring, shifted by ``dj`` rows and ``di`` columns (each -1, 0 or 1).

    Parameters
    ----------
    a : (..., y, x) field
    dj, di : shift in rows and columns, -1, 0 or 1
    """
    ny, nx = a.shape[-2:]
    return a[..., 1 + dj : ny - 1 + dj, 1 + di : nx - 1 + di]


def inner(a: Tensor) -> Tensor:
    """``a`` without its halo."""
    return a[..., HALO:-HALO, HALO:-HALO]


def over_levels(a: Tensor) -> Tensor:
    """Sum over levels ``(z, y, x) -> (y, x)``.

    Added in the order of the levels so that a block gives the bits of the whole.
    """
    total = a[0]
    for k in range(1, a.shape[0]):
        total = total + a[k]
    return total


def shift_down(a: Tensor) -> Tensor:
    """Level k of the result holds level k - 1 of ``a``; the first level is repeated."""
    return torch.cat([a[..., :1, :, :], a[..., :-1, :, :]], -3)


def shift_up(a: Tensor) -> Tensor:
    """Level k of the result holds level k + 1 of ``a``; the last level is repeated."""
    return torch.cat([a[..., 1:, :, :], a[..., -1:, :, :]], -3)
