# SPDX-License-Identifier: BSD-3-Clause
"""The smallest change of fine fields that gives them the coarse means they came from, by conservative weights."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import splu

from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights

Array = npt.NDArray[np.float64]


class Projection:
    """x + C^T (C C^T)^-1 (y - C x), with C the conservative weights from the fine to the coarse grid.

    Parameters
    ----------
    fine, coarse : grids; coarse cells that the fine grid does not fill are left as they are
    """

    def __init__(self, fine: Grid, coarse: Grid):
        weights = make_weights(fine, coarse, "conservative")
        self.cells = weights.target_cells[weights.covered > 1.0 - 1e-9]
        self.means: Any = weights.matrix.tocsr()[weights.covered > 1.0 - 1e-9]
        self._solve = splu((self.means @ self.means.T).tocsc()).solve

    def __call__(self, x: Array, y: Array) -> Array:
        """Fine fields (..., fine cells) whose means are ``y``.

        Parameters
        ----------
        x : (..., fine cells)
        y : (..., coarse cells)
        """
        fields, means = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
        missing = means[:, self.cells].T - self.means @ fields.T
        return np.asarray(fields + (self.means.T @ self._solve(missing)).T).reshape(x.shape)

    def positive(self, x: Array, y: Array, turns: int = 30) -> Array:
        """The same for fields that cannot be negative: in turn projected and cut off at zero.

        Parameters
        ----------
        x : (..., fine cells)
        y : (..., coarse cells), not negative
        turns : at most; ends when the means are right to a thousandth of their standard deviation
        """
        fields, means = np.clip(x.reshape(-1, x.shape[-1]), 0.0, None), y.reshape(-1, y.shape[-1])
        for _ in range(turns):
            wrong = means[:, self.cells].T - self.means @ fields.T
            if np.abs(wrong).max() <= 1e-3 * means.std():
                break
            fields = np.clip(self(fields, means), 0.0, None)
        return fields.reshape(x.shape)
