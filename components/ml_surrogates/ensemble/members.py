# SPDX-License-Identifier: BSD-3-Clause
"""Members of an ensemble in training, spread over ranks that all see the same sample.

A score of the ensemble compares members with one truth: ranks that drew samples of their own would compare members of
different ones. The sum over ranks of the gradients is that of one rank with all members.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Members:
    """The members that a rank holds.

    Parameters
    ----------
    number : of the whole ensemble
    comm : communicator of MPI; None: this process has them all
    """

    def __init__(self, number: int, comm: Any = None):
        self.number, self.comm = number, comm
        self.rank: int = 0 if comm is None else comm.rank
        self.size: int = 1 if comm is None else comm.size
        if self.size > number:
            raise ValueError(f"expected at most a rank for each of {number} members, found {self.size} ranks")
        self.edges = [number * r // self.size for r in range(self.size + 1)]
        self.mine = slice(self.edges[self.rank], self.edges[self.rank + 1])

    def noise(self, shape: tuple[int, ...], samples: int, generator: torch.Generator) -> Tensor:
        """Standard normal noise of my members, (mine samples, ...).

        Parameters
        ----------
        shape : of one sample
        samples : of a batch
        generator : in the same state on all ranks; it draws for all members
        """
        whole = torch.randn((self.number, samples, *shape), generator=generator)
        return whole[self.mine].flatten(0, 1)

    def together(self, mine: Tensor) -> Tensor:
        """All members (number, ...) of which mine carry a gradient.

        Parameters
        ----------
        mine : (mine, ...)
        """
        if self.size == 1:
            return mine
        whole = self._everybody(mine)
        whole[self.rank] = mine
        return torch.cat(whole)

    def _everybody(self, mine: Tensor, *, members: bool = True) -> list[Tensor]:
        """What each rank has, of its members or of one shape on all."""
        out = []
        for r in range(self.size):
            there = self.edges[r + 1] - self.edges[r] if members else mine.shape[0]
            buffer = mine.detach().clone().contiguous() if r == self.rank else mine.new_empty((there, *mine.shape[1:]))
            self.comm.Bcast(buffer.numpy(), root=r)
            out.append(buffer)
        return out

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Each gradient becomes the sum over ranks, in their order.

        Parameters
        ----------
        parameters : of the network, the same on all ranks
        """
        if self.size == 1:
            return
        mine = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([a.reshape(-1) for a in mine])
        total = torch.zeros_like(flat)
        for part in self._everybody(flat, members=False):
            total += part
        for grad, part in zip(mine, total.split([a.numel() for a in mine]), strict=True):
            grad.copy_(part.reshape(grad.shape))
