# SPDX-License-Identifier: BSD-3-Clause
"""The integral of a vulnerability curve, tabulated once: phi(P) = integral of f from 0 to P, and its inverse.

In phi flow through xylem is linear, E = K (phi(P) - phi(P0)) (Kirchhoff's transform of Sperry and Love 2015, eq. 1).
Between the nodes phi is the cubic that has its values and slopes there, so that it rises everywhere; beyond the last
node it goes on with the slope left there, and below no tension with slope 1.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np
import torch
from torch import Tensor

from components.land.column.hydraulics import CRITICAL_FRACTION, Curve

NODES = 128
HALVES = (64, 32, 16, 8, 4, 2, 1)  # of the search for the node below
TURNS = 5  # of Newton's method, between two nodes
_X, _WEIGHTS = (array.tolist() for array in np.polynomial.legendre.leggauss(8))


class Potential:
    """phi of one vulnerability curve a column.

    Parameters
    ----------
    curve : vulnerability, parameters of one value or (columns,)
    like : (columns,) any tensor of the columns' shape
    """

    def __init__(self, curve: Curve, like: Tensor) -> None:
        limit = torch.as_tensor(curve.tension(CRITICAL_FRACTION), dtype=like.dtype, device=like.device)
        self.limit = limit + torch.zeros_like(like)
        self.width = self.limit / (NODES - 1)
        value, values, slopes = torch.zeros_like(like), [], []
        for i in range(NODES):
            low = i * self.width
            values.append(value)
            slopes.append(curve.fraction(low))
            for x, weight in zip(_X, _WEIGHTS, strict=True):
                value = value + 0.5 * weight * self.width * curve.fraction(low + 0.5 * (1.0 + x) * self.width)
        self.values, self.slopes = torch.stack(values), torch.stack(slopes)

    def gather(self, pick: Callable[[Tensor], Tensor]) -> Potential:
        """The curves of some columns, ``pick`` choosing them from an array (structure.py)."""
        few = copy(self)
        few.limit, few.width = pick(self.limit), pick(self.width)
        few.values, few.slopes = pick(self.values), pick(self.slopes)
        return few

    def _at(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """The integral and its slope."""
        x = torch.clamp(p, min=0.0) / self.width
        x = torch.minimum(x, torch.full_like(x, NODES - 1.0))
        i = torch.clamp(x.detach().floor(), max=NODES - 2.0)
        u, row = x - i, _as_rows(i.long())

        def take(table: Tensor, number: Tensor) -> Tensor:
            return torch.gather(table, 0, number).reshape(p.shape)

        y0, y1 = take(self.values, row), take(self.values, row + 1)
        d0, d1 = take(self.slopes, row) * self.width, take(self.slopes, row + 1) * self.width
        c2, c3 = 3.0 * (y1 - y0) - 2.0 * d0 - d1, 2.0 * (y0 - y1) + d0 + d1
        inside = y0 + u * (d0 + u * (c2 + u * c3))
        slope = (d0 + u * (2.0 * c2 + 3.0 * u * c3)) / self.width
        outside = torch.minimum(p, torch.zeros_like(p)) + self.slopes[-1] * torch.clamp(p - self.limit, min=0.0)
        return inside + outside, slope

    def of(self, p: Tensor) -> Tensor:
        """The integral at tension ``p`` (..., columns), MPa."""
        return self._at(p)[0]

    def slope(self, p: Tensor) -> Tensor:
        """Its slope f at tension ``p`` (..., columns) as the table has it."""
        return self._at(p)[1]

    def tension(self, phi: Tensor) -> Tensor:
        """Tension (MPa) at ``phi`` (..., columns): the node below, then Newton's method."""
        rows = _as_rows(phi.detach())
        low = torch.zeros(rows.shape, dtype=torch.long, device=phi.device)
        for half in HALVES:
            higher = torch.clamp(low + half, max=NODES - 2)
            low = torch.where(rows >= torch.gather(self.values.detach(), 0, higher), higher, low)
        start = low.reshape(phi.shape).to(phi.dtype) * self.width
        p = start
        for _ in range(TURNS):
            value, slope = self._at(p)
            step = (phi - value) / slope
            p = torch.minimum(torch.maximum(p + step, start), start + self.width)
        above = phi > self.values[-1]
        beyond = self.limit + (phi - self.values[-1]) / self.slopes[-1]
        return torch.where(phi <= 0.0, phi, torch.where(above, beyond, p))


def _as_rows(values: Tensor) -> Tensor:
    """Values (..., columns) as (rows, columns), of no columns too."""
    return values[None] if values.dim() == 1 else values.flatten(0, -2)
