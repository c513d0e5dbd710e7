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
    """
    n = len(diagonal)
    factor, value = [None] * n, [None] * n
    pivot = diagonal[0]
    value[0] = right[0] / pivot
    for i in range(1, n):
        factor[i - 1] = upper[i - 1] / pivot
        pivot = diagonal[i] - lower[i] * factor[i - 1]
        value[i] = (right[i] - lower[i] * value[i - 1]) / pivot
    for i in range(n - 2, -1, -1):
        value[i] = value[i] - factor[i] * value[i + 1]
    return value
