# SPDX-License-Identifier: BSD-3-Clause
"""Physics of columns some rows of a block at a time: what a scheme works on stays in the processor's cache.

A scheme of whole-array operations goes through memory once for each of them. Columns do not depend on each other, so
the bits are those of the whole block; compiled, a scheme needs none of this.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

VALUES = 40_000
"""Values of a field in a slab; 20,000 to 80,000 are equally fast."""
Function = TypeVar("Function", bound=Callable[..., Any])


def in_slabs(function: Function, values: int = VALUES) -> Function:
    """A function of columns that does a block in slabs, unless gradients are wanted.

    Parameters
    ----------
    function : of tensors (..., y, x), also in tuples and dictionaries, and of numbers; gives such tensors, or None
    values : of a field in a slab
    """

    @wraps(function)
    def call(*arguments: Any) -> Any:
        leaves, form = tree_flatten(arguments)
        fields = [a for a in leaves if isinstance(a, torch.Tensor) and a.dim() >= 2]
        if torch.is_grad_enabled() or not fields or fields[0].device.type != "cpu":
            return function(*arguments)
        ny = fields[0].shape[-2]
        rows = max(1, values * ny // max(a.numel() for a in fields))
        if 2 * rows > ny:
            return function(*arguments)
        parts = []
        for first in range(0, ny, rows):
            rest = slice(first, first + rows)
            cut = (a[..., rest, :].contiguous() if isinstance(a, torch.Tensor) and a.dim() >= 2 else a for a in leaves)
            parts.append(tree_flatten(function(*tree_unflatten(list(cut), form))))
        whole = (
            torch.cat(a, -2) if isinstance(a[0], torch.Tensor) else a[0]
            for a in zip(*(p[0] for p in parts), strict=True)
        )
        return tree_unflatten(list(whole), parts[0][1])

    return call  # type: ignore[return-value]
