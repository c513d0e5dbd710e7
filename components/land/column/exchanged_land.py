# SPDX-License-Identifier: BSD-3-Clause
"""How land passes between the tiles of a cell: what lies in the ground goes with it, what stands on it is felled."""

from __future__ import annotations

import torch
from torch import Tensor

from components.science.sums import in_order


class Exchange:
    """How land passes between the tiles of each cell.

    Parameters
    ----------
    old, new : Tensor
        Shares, (tile, cell), each summing to 1 over the tiles.
    """

    def __init__(self, old: Tensor, new: Tensor):
        self.kept = torch.minimum(old, new)
        self.lost, self.gained, self.new = old - self.kept, new - self.kept, new
        total = in_order(self.gained, 0)
        self.part = self.gained / torch.where(total > 0.0, total, torch.ones_like(total))
        self.grows = (new > 0.0) & (self.gained > 0.0)
        self._one = torch.where(self.grows, new, torch.ones_like(new))

    def __call__(self, values: Tensor) -> Tensor:
        """What each square metre has of what goes with the land; tiles without land keep theirs.

        Parameters
        ----------
        values : Tensor
            Per square metre, (..., tile cell).
        """
        rows = self.rows(values)
        mixed = (rows * self.kept + self.felled(values)[..., None, :] * self.part) / self._one
        return torch.where(self.grows, mixed, rows).reshape(values.shape)

    def rows(self, values: Tensor) -> Tensor:
        """(..., tile cell) as (..., tile, cell)."""
        return values.reshape(*values.shape[:-1], *self.new.shape)

    def felled(self, values: Tensor) -> Tensor:
        """What was on the land that is lost, per area of the cell, (..., cell)."""
        return in_order((self.rows(values) * self.lost).movedim(-2, 0), 0)

    def thinned(self, values: Tensor) -> Tensor:
        """What stands on each square metre once land with nothing on it has come, (..., tile cell)."""
        rows = self.rows(values)
        return torch.where(self.grows, rows * (self.kept / self._one), rows).reshape(values.shape)

    def given(self, amount: Tensor) -> Tensor:
        """An amount per area of the cell, (..., cell), on the growing tiles, per their area, (..., tile cell)."""
        spread = amount[..., None, :] * torch.where(self.grows, self.part / self._one, torch.zeros_like(self._one))
        return spread.reshape(*amount.shape[:-1], -1)
