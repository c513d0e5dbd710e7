# SPDX-License-Identifier: BSD-3-Clause
"""Tensors as the arrays that kernels work on."""

from typing import Any

from torch import Tensor


def flat(a: Tensor, shape: tuple[int, ...]) -> Any:
    """A tensor's values as an array of another shape: the tensor's own memory where that is in order.

    Parameters
    ----------
    a : on the CPU
    shape : of as many values; -1 for what is left
    """
    return a.detach().contiguous().view(shape).numpy()
