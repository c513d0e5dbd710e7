# SPDX-License-Identifier: BSD-3-Clause
"""Tridiagonal systems along the first axis, all columns at once."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def solve_tridiagonal(
    lower: Sequence[Tensor], diagonal: Sequence[Tensor], upper: Sequence[Tensor], right: Sequence[Tensor]
) -> list[Tensor]:
    """Solve by the Thomas algorithm; every argument has one entry (any shape) a row.

    ``lower[0]`` and ``upper[-1]`` are not read. Differentiable; no pivoting, so the system must be diagonally
    dominant, as diffusion makes it.

    Parameters
    ----------
    lower, diagonal, upper : coefficients, an entry a row
    right : right-hand side, an entry a row
    """
    n = len(diagonal)
    pivot = diagonal[0]
    factor, value = [], [right[0] / pivot]
    for i in range(1, n):
        factor.append(upper[i - 1] / pivot)
        pivot = diagonal[i] - lower[i] * factor[i - 1]
        value.append((right[i] - lower[i] * value[i - 1]) / pivot)
    for i in range(n - 2, -1, -1):
        value[i] = value[i] - factor[i] * value[i + 1]
    return value
