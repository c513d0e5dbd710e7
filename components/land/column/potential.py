# SPDX-License-Identifier: BSD-3-Clause
"""The integral of a vulnerability curve, tabulated once: phi(P) = integral of f from 0 to P, and its inverse.

In phi flow through xylem is linear, E = K (phi(P) - phi(P0)) (Kirchhoff's transform of Sperry and Love 2015, eq. 1).
Between the nodes phi is the cubic that has its values and slopes there, so that it rises everywhere; beyond the last
node it goes on with the slope left there, and below no tension with slope 1.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.land.column.hydraulics import CRITICAL_FRACTION, Curve

NODES = 128
HALVES = (64, 32, 16, 8, 4, 2, 1)  # of the search for the node below
TURNS = 3  # of Newton's method, between two nodes, from the straight line
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

    def both(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """The integral at tension ``p`` (..., columns), MPa, and its slope f, as the table has it."""
        x = torch.clamp(p, min=0.0) / self.width
        x = torch.minimum(x, torch.full_like(x, NODES - 1.0))
        i = torch.clamp(x.detach().floor(), max=NODES - 2.0)
        inside, slope = self._between(_as_rows(i.long()), p.shape).at(x - i)
        outside = torch.minimum(p, torch.zeros_like(p)) + self.slopes[-1] * torch.clamp(p - self.limit, min=0.0)
        return inside + outside, slope / self.width

    def _between(self, row: Tensor, shape: torch.Size) -> _Cubic:
        """From nodes (rows, columns) to the next ones."""
        y0, y1 = (torch.gather(self.values, 0, number).reshape(shape) for number in (row, row + 1))
        d0, d1 = (torch.gather(self.slopes, 0, number).reshape(shape) * self.width for number in (row, row + 1))
        return _Cubic(y0, y1, d0, 3.0 * (y1 - y0) - 2.0 * d0 - d1, 2.0 * (y0 - y1) + d0 + d1)

    def of(self, p: Tensor) -> Tensor:
        """The integral at tension ``p`` (..., columns), MPa."""
        return self.both(p)[0]

    def slope(self, p: Tensor) -> Tensor:
        """Its slope f at tension ``p`` (..., columns) as the table has it."""
        return self.both(p)[1]

    def tension(self, phi: Tensor) -> Tensor:
        """Tension (MPa) at ``phi`` (..., columns): the node below, then Newton's method on the cubic."""
        rows = _as_rows(phi.detach())
        low = torch.zeros(rows.shape, dtype=torch.long, device=phi.device)
        for half in HALVES:
            higher = torch.clamp(low + half, max=NODES - 2)
            low = torch.where(rows >= torch.gather(self.values.detach(), 0, higher), higher, low)
        cubic = self._between(low, phi.shape)
        u = torch.clamp((phi - cubic.low) / (cubic.high - cubic.low), 0.0, 1.0)
        for _ in range(TURNS):
            value, slope = cubic.at(u)
            u = torch.clamp(u + (phi - value) / slope, 0.0, 1.0)
        p = (low.reshape(phi.shape).to(phi.dtype) + u) * self.width
        above = phi > self.values[-1]
        beyond = self.limit + (phi - self.values[-1]) / self.slopes[-1]
        return torch.where(phi <= 0.0, phi, torch.where(above, beyond, p))


class _Cubic(NamedTuple):
    """Between two nodes, by the share u of the way: values at both, and what stands before u, u2 and u3."""

    low: Tensor
    high: Tensor
    c1: Tensor
    c2: Tensor
    c3: Tensor

    def at(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Value and slope, by u."""
        value = self.low + u * (self.c1 + u * (self.c2 + u * self.c3))
        return value, self.c1 + u * (2.0 * self.c2 + 3.0 * u * self.c3)


def _as_rows(values: Tensor) -> Tensor:
    """Values (..., columns) as (rows, columns), of no columns too."""
    return values[None] if values.dim() == 1 else values.flatten(0, -2)
