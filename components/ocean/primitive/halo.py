# SPDX-License-Identifier: BSD-3-Clause
"""Filling the halo around a block: alone in the world, or among blocks of one process.

A halo is a callable ``halo(*fields, width=2) -> tuple``: every field is the block's own cells ``(..., ny, nx)``, every
result is ``(..., ny + 2 width, nx + 2 width)`` with its neighbours' values around it, in one exchange for all fields.
Beyond a closed edge the halo is zero; masks make it land. The exchange is a copy, so it is differentiable where the
arrays stay in one process.
"""

import threading
from typing import Protocol

import torch
from torch import Tensor

from components.ocean.primitive.stencil import HALO


class Halo(Protocol):
    """What the model asks of an exchange of halos."""

    def __call__(self, *fields: Tensor, width: int = HALO) -> tuple[Tensor, ...]:
        """Return the fields with their halos filled."""
        ...


class WholeDomain:
    """The halo of a block that is the whole domain, periodic or closed in each direction."""

    def __init__(self, periodic_x: bool = False, periodic_y: bool = False):
        self.periodic_x, self.periodic_y = periodic_x, periodic_y

    def __call__(self, *fields: Tensor, width: int = HALO) -> tuple[Tensor, ...]:
        """Return the fields with their halos filled."""
        return tuple(self._fill(a, width) for a in fields)

    def _fill(self, a: Tensor, w: int) -> Tensor:
        if not self.periodic_x and not self.periodic_y:
            return torch.nn.functional.pad(a, (w, w, w, w))
        if self.periodic_x:
            a = torch.cat([a[..., -w:], a, a[..., :w]], -1)
        else:
            a = torch.nn.functional.pad(a, (w, w))
        if self.periodic_y:
            return torch.cat([a[..., -w:, :], a, a[..., :w, :]], -2)
        return torch.nn.functional.pad(a, (0, 0, w, w))


class BlockMeeting:
    """Exchange among the blocks of one process.

    Each stepped by its own thread (how a decomposition is tested without MPI).

    Parameters
    ----------
    rows, columns : int
        Number of blocks in y and in x.
    periodic_x, periodic_y : bool
        Whether the domain is periodic.
    """

    def __init__(self, rows: int, columns: int, periodic_x: bool = False, periodic_y: bool = False):
        self.rows, self.columns = rows, columns
        self.periodic_x, self.periodic_y = periodic_x, periodic_y
        self._posted: dict[tuple[int, int], tuple[Tensor, ...]] = {}
        self._barrier = threading.Barrier(rows * columns)

    def abort(self) -> None:
        """Free the other threads when one of them has failed."""
        self._barrier.abort()

    def member(self, row: int, column: int) -> Halo:
        """Return the exchange of the block at ``(row, column)``.

        Parameters
        ----------
        row, column : place of the block
        """
        return lambda *fields, width=HALO: self._exchange(row, column, fields, width)

    def _exchange(self, row: int, column: int, fields: tuple[Tensor, ...], w: int) -> tuple[Tensor, ...]:
        wide = tuple(torch.nn.functional.pad(a, (w, w)) for a in fields)
        east, west = self._neighbour(row, column + 1), self._neighbour(row, column - 1)
        for theirs, mine, at_edge in ((west, slice(0, w), slice(-w, None)),
                                      (east, slice(-w, None), slice(0, w))):  # fmt: skip
            self._take((row, column), fields, theirs, wide, lambda a, s=mine: a[..., s], lambda a, s=at_edge: a[..., s])
        full = tuple(torch.nn.functional.pad(a, (0, 0, w, w)) for a in wide)
        north, south = self._neighbour(row + 1, column), self._neighbour(row - 1, column)
        for theirs, mine, at_edge in ((south, slice(0, w), slice(-w, None)),
                                      (north, slice(-w, None), slice(0, w))):  # fmt: skip
            self._take(
                (row, column), wide, theirs, full, lambda a, s=mine: a[..., s, :], lambda a, s=at_edge: a[..., s, :]
            )
        return full

    def _neighbour(self, row: int, column: int) -> tuple[int, int] | None:
        if self.periodic_y:
            row %= self.rows
        if self.periodic_x:
            column %= self.columns
        return (row, column) if 0 <= row < self.rows and 0 <= column < self.columns else None

    def _take(self, me, mine, theirs, into, here, there) -> None:
        self._posted[me] = mine
        self._barrier.wait()
        if theirs is not None:
            for a, b in zip(into, self._posted[theirs], strict=True):
                here(a).copy_(there(b))
        self._barrier.wait()
