# SPDX-License-Identifier: BSD-3-Clause
"""Sums whose bits do not depend on how many columns are worked out together."""

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
