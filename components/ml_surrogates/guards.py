# SPDX-License-Identifier: BSD-3-Clause
"""Guards: which columns of a call must not be trusted, and why."""

from collections.abc import Iterable

import torch


class Verdict:
    """Columns to be computed otherwise, (n,) booleans by reason; a column counts once, for its first reason."""

    def __init__(self, n: int, device: torch.device | str = "cpu"):
        self.bad = torch.zeros(n, dtype=torch.bool, device=device)
        self.counts: dict[str, int] = {}

    def add(self, reason: str, columns: torch.Tensor) -> None:
        """More columns that are not to be trusted.

        Parameters
        ----------
        reason : what is wrong with them
        columns : (n,) bool
        """
        new = columns & ~self.bad
        self.counts[reason] = self.counts.get(reason, 0) + int(new.sum())
        self.bad = self.bad | columns

    def text(self) -> str:
        """``3 outside the training range, 1 not finite``."""
        return ", ".join(f"{n} {reason}" for reason, n in self.counts.items() if n)


def not_finite(arrays: Iterable[torch.Tensor]) -> torch.Tensor:
    """Columns (last dimension) with a value that is no finite number."""
    bad = None
    for a in arrays:
        here = ~torch.isfinite(a.sum(0) if a.ndim > 1 else a)  # a sum keeps what is not finite
        bad = here if bad is None else bad | here
    assert bad is not None
    return bad


def outside(values: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Columns (last dimension) with a value beyond ``low`` ... ``high``; not a number is beyond.

    Parameters
    ----------
    values : (..., n)
    low, high : bounds in the values' unit
    """
    least, most = (values.amin(0), values.amax(0)) if values.ndim > 1 else (values, values)
    return ~((least >= low) & (most <= high))


def differs(value: torch.Tensor, other: torch.Tensor, part: float, size: float) -> torch.Tensor:
    """Where ``value`` is further from ``other`` than ``part`` of it and ``size``; not a number differs.

    Parameters
    ----------
    value, other : (n,) in the same unit
    part : share of ``other`` that is allowed
    size : difference that is allowed
    """
    return ~((value - other).abs() <= part * other.abs() + size)
