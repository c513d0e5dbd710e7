# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of a component's exports over a coupling period, on the source's own ranks.

Fields whose fraction varies in time are weighted by it: the sums of f F and of f travel, so that the value delivered
is sum(f F) / sum(f) and the fraction is the mean of f. A smallest or largest value is that of the samples that have a
fraction.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import ExchangeError
from coupler.plan import Statistic

Floats = npt.NDArray[np.float64]


class Window:
    """One running window of a bundle of fields.

    Parameters
    ----------
    columns : int
        Values a cell: levels of all fields, the fraction not counted.
    cells : int
        Cells of this rank.
    statistic : {'instant', 'mean', 'sum', 'min', 'max'}
        What is made of the samples.
    weighted : bool
        Whether every sample comes with a fraction.

    Examples
    --------
    >>> w = Window(1, 2, "mean", weighted=False)
    >>> w.add([np.array([[1.0, 2.0]])]); w.add([np.array([[3.0, 2.0]])])
    >>> w.take()
    array([[2., 2.]])
    """

    def __init__(self, columns: int, cells: int, statistic: Statistic, weighted: bool):
        self.statistic = statistic
        self.weighted = weighted
        self.count = 0
        self.values: Floats = np.zeros((columns + (1 if weighted else 0), cells))

    def add(self, samples: Sequence[Floats], fraction: Floats | None = None) -> None:
        """Take one sample: arrays ``(levels, cells)`` of the fields in order, and the fraction ``(cells,)``.

        Parameters
        ----------
        samples : (levels, cells) of each field in order
        fraction : (cells,) 0 to 1, or None where it does not vary
        """
        first = self.count == 0 or self.statistic == "instant"
        row = 0
        for sample in samples:
            block = sample.reshape(-1, self.values.shape[1])
            target = self.values[row : row + block.shape[0]]
            row += block.shape[0]
            if fraction is not None and self.statistic not in ("min", "max"):
                block = block * fraction
            if first:
                target[...] = block
            elif self.statistic in ("min", "max"):
                outer = (np.minimum if self.statistic == "min" else np.maximum)(target, block)
                if fraction is not None:  # what stands where there is nothing counts for nothing
                    outer = np.where(self.values[-1] > 0.0, np.where(fraction > 0.0, outer, target), block)
                target[...] = outer
            else:
                target += block
        if fraction is not None:
            if first:
                self.values[row] = fraction
            else:
                self.values[row] += fraction
        self.count = 1 if self.statistic == "instant" else self.count + 1

    def take(self) -> Floats:
        """The statistic ``(columns, cells)`` of the samples since the last call; the window starts anew.

        Valid until the next `add`.
        """
        if self.count > 1:
            if self.statistic == "mean":
                self.values /= self.count
            elif self.weighted:
                self.values[-1] /= self.count
        if self.weighted and self.statistic in ("min", "max"):
            self.values[:-1] *= self.values[-1]
        self.count = 0
        return self.values

    def transpose(self, count: int | None = None) -> "Spread":
        """The transpose of what the window makes of `count` samples (by default of those it has taken by now).

        Raises
        ------
        ExchangeError
            For ``min`` and ``max``, which are not linear, or a window without samples.
        """
        if self.statistic in ("min", "max"):
            raise ExchangeError(f"a window of statistic {self.statistic} has no transpose: it is not linear")
        samples = self.count if count is None else count
        if samples < 1:
            raise ExchangeError("a window without samples has no transpose: say how many there are")
        return Spread(self.statistic, samples, self.weighted)

    def state(self) -> dict[str, Any]:
        """What a continuation in the middle of the window needs."""
        return {"count": self.count, "values": self.values.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        self.count = int(state["count"])
        self.values[...] = state["values"]


class Spread:
    """Gives every sample of a window its share of a field on the window's values: the transpose of `Window`.

    Parameters
    ----------
    statistic : {'instant', 'mean', 'sum'}
        Of the window.
    count : int
        Number of samples.
    weighted : bool
        Whether every sample comes with a fraction.

    Examples
    --------
    >>> Spread("mean", 2, weighted=False)(np.array([[3.0, 4.0]]))
    [array([[1.5, 2. ]]), array([[1.5, 2. ]])]
    """

    def __init__(self, statistic: Statistic, count: int, weighted: bool):
        self.statistic, self.count, self.weighted = statistic, count, weighted

    def __call__(self, values: Floats, fractions: Sequence[Floats] | None = None) -> list[Floats]:
        """Shares of the samples, in their order.

        Parameters
        ----------
        values : (columns, cells)
            On what `Window.take` gives. Of a weighted window the last row belongs to the fraction, and is not looked
            at: the window is linear in its fields under given fractions.
        fractions : sequence of (cells,)
            Of a weighted window: the fraction of each sample.
        """
        if self.weighted:
            if fractions is None or len(fractions) != self.count:
                raise ExchangeError(f"this window is weighted: give the fractions of its {self.count} samples")
            values = values[:-1]
        shares = []
        for k in range(self.count):
            if self.statistic == "instant":
                share = values.copy() if k == self.count - 1 else np.zeros_like(values)
            else:
                share = values / self.count if self.statistic == "mean" else values.copy()
            shares.append(share if fractions is None else share * fractions[k])
        return shares
