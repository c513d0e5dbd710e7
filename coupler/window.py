"""Statistics of a component's exports over a coupling period, on the source's own ranks.

Fields whose fraction varies in time are weighted by it: the sums of f F and of f travel,
so that the value delivered is sum(f F) / sum(f) and the fraction is the mean of f.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

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
            elif self.statistic == "min":
                np.minimum(target, block, out=target)
            elif self.statistic == "max":
                np.maximum(target, block, out=target)
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

    def state(self) -> dict[str, Any]:
        """What a continuation in the middle of the window needs."""
        return {"count": self.count, "values": self.values.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        self.count = int(state["count"])
        self.values[...] = state["values"]
