# SPDX-License-Identifier: BSD-3-Clause
"""Tridiagonal systems along columns, all columns at once (Thomas algorithm).

Differentiable; no pivoting, so a system must be diagonally dominant, as diffusion makes it. A loop over levels gives
the same bits for a block as for the whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Elimination(NamedTuple):
    """Factors of the forward elimination, level by level, which right-hand sides of the same system share.

    Attributes
    ----------
    below : coupling to the level below (before)
    factor : what the level above (after) counts in the substitution
    inverse : 1 / pivot
    """

    below: list[Tensor]
    factor: list[Tensor]
    inverse: list[Tensor]


def eliminate(below: Sequence[Tensor], diagonal: Sequence[Tensor], above: Sequence[Tensor]) -> Elimination:
    """Factors of ``below[k] x[k-1] + diagonal[k] x[k] + above[k] x[k+1] = right[k]``.

    Parameters
    ----------
    below, diagonal, above : one entry (any shape) a level; ``below[0]`` and ``above[-1]`` are not read
    """
    f = Elimination(list(below), [], [])
    for k in range(len(diagonal)):
        inverse = 1.0 / (diagonal[k] - below[k] * f.factor[k - 1] if k > 0 else diagonal[k])
        if k < len(diagonal) - 1:
            f.factor.append(above[k] * inverse)
        f.inverse.append(inverse)
    return f


def substitute(f: Elimination, right: Sequence[Tensor]) -> list[Tensor]:
    """The solution, level by level, for a right-hand side with one entry a level."""
    n = len(f.inverse)
    x: list[Tensor] = []
    for k in range(n):
        x.append((right[k] - f.below[k] * x[k - 1] if k > 0 else right[k]) * f.inverse[k])
    for k in range(n - 2, -1, -1):
        x[k] = x[k] - f.factor[k] * x[k + 1]
    return x


def solve(
    below: Sequence[Tensor], diagonal: Sequence[Tensor], above: Sequence[Tensor], right: Sequence[Tensor]
) -> list[Tensor]:
    """The solution, level by level, of a system with one right-hand side; see `eliminate`.

    Parameters
    ----------
    below, diagonal, above : one entry (any shape) a level; ``below[0]`` and ``above[-1]`` are not read
    right : right-hand side, one entry a level
    """
    return substitute(eliminate(below, diagonal, above), right)
