# SPDX-License-Identifier: BSD-3-Clause
"""The columns or cells of a block that a scheme has work for, side by side: it goes on with these alone.

What happens in one does not depend on the others, so the bits are those of the whole block. Where a gradient is wanted,
within compiled code, and on a GPU, which would have to wait for their number, all remain.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

FEW = 0.6
"""Share below which it is worth while to go on without the others."""
Fields = TypeVar("Fields")


class Remaining:
    """Some of the ``n`` places of a block.

    Parameters
    ----------
    places : their numbers in the block; None: all
    narrows : whether there may be fewer; else all remain
    """

    def __init__(self, places: Tensor | None = None, narrows: bool = True):
        self.places, self._narrows = places, narrows

    def those(self, wanted: Tensor) -> tuple[Remaining, Tensor | None]:
        """The ``wanted`` of the remaining ones, and their numbers among these; None where (nearly) all of them are.

        Parameters
        ----------
        wanted : (m,) of the m that remain
        """
        whole = torch.is_grad_enabled() or torch.compiler.is_compiling() or wanted.device.type != "cpu"
        if whole or not self._narrows or int(wanted.sum()) > FEW * wanted.numel():
            return self, None
        numbers = wanted.nonzero()[:, 0]
        return Remaining(numbers if self.places is None else self.places[numbers]), numbers

    @property
    def none(self) -> bool:
        """Whether nothing remains."""
        return self.places is not None and self.places.numel() == 0

    def spread(self, part: Fields, whole: Fields) -> Fields:
        """Fields (n,) of the whole block: ``part`` (m,) at the places that remain, elsewhere ``whole``."""
        if self.places is None:
            return part
        return _same(whole, tree_map(lambda a, b: b.index_copy(0, self.places, a), part, whole))


def at(numbers: Tensor | None, fields: Fields) -> Fields:
    """Fields (..., n) at some of their places, contiguous; None: as they are."""
    return fields if numbers is None else _same(fields, tree_map(lambda a: a.index_select(-1, numbers), fields))


def of_each(numbers: Tensor | None, value: float | Tensor, shape: torch.Size) -> float | Tensor:
    """A ``value`` for a block of ``shape`` at some of its places (m,), or at all if None; one number stays one."""
    return at(numbers, flat(value.expand(shape), len(shape))) if isinstance(value, Tensor) else value


def flat(fields: Fields, dims: int) -> Fields:
    """Fields with their last ``dims`` dimensions as one."""
    return _same(fields, tree_map(lambda a: a.reshape(*a.shape[: a.dim() - dims], -1), fields))


def shaped(fields: Fields, shape: torch.Size) -> Fields:
    """Fields (..., n) with their last dimension as one of ``shape``."""
    return _same(fields, tree_map(lambda a: a.reshape(*a.shape[:-1], *shape), fields))


def _same(form: Fields, made: Any) -> Fields:
    """What was made of a tuple of fields, of its type."""
    result: Fields = made
    return result
