# SPDX-License-Identifier: BSD-3-Clause
"""Sums and the like along columns, whose bits do not depend on how many columns are worked out together."""

import torch
from torch import Tensor


def in_order(values: Tensor, axis: int) -> Tensor:
    """Sum along one axis, from its first element to its last; torch's own sum changes its order with the shape.

    Parameters
    ----------
    values : Tensor
        With at least one element along the axis.
    axis : int
        Which of its axes.

    Returns
    -------
    Tensor
        Without that axis.
    """
    parts = values.unbind(axis)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def so_far(where: Tensor) -> Tensor:
    """Whether ``where`` (nz, ...) holds in a layer or in one before it."""
    return where.cumsum(0, dtype=torch.int32) > 0


def at_first(where: Tensor, values: Tensor) -> Tensor:
    """The ``values`` (nz, ...) in each column's first layer in which ``where`` holds; 0 where it holds in none.

    Parameters
    ----------
    where : (nz, ...) whether it holds
    values : (nz, ...)
    """
    before = torch.cat([torch.zeros_like(where[:1]), so_far(where[:-1])])
    return torch.where(where & ~before, values, 0.0).sum(0)  # of one value: no order
