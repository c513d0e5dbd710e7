# SPDX-License-Identifier: BSD-3-Clause
"""The smallest change of fine fields that gives them the coarse means they came from, by conservative weights."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import splu

from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights

Array = npt.NDArray[np.float64]
TRACE = 1e-3
"""Part of a coarse mean that each of its cells gets before it is scaled."""


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

    def positive(self, x: Array, y: Array, turns: int = 60) -> Array:
        """The same for fields that cannot be negative: each cell times the mean of what its coarse cells ask for.

        By Lucy's (1974, Astron. J. 79, 745, eq. 15) iteration; where cells nest, its first turn ends it. A factor keeps
        dry what is dry, and the pattern within a coarse cell, where a difference would spread evenly what heavy rain
        lacks. A trace of the coarse field is added first: what was drawn dry may be wet.

        Parameters
        ----------
        x : (..., fine cells)
        y : (..., coarse cells), not negative
        turns : at most; ends when the means are right to a thousandth of their standard deviation
        """
        means = y.reshape(-1, y.shape[-1])
        given = means[:, self.cells].T
        share = np.asarray(self.means.T.sum(1)).reshape(-1, 1)
        inside = share[:, 0] > 0.0
        share = np.where(share > 0.0, share, 1.0)
        fields = np.clip(x.reshape(-1, x.shape[-1]), 0.0, None).T
        fields[inside] += TRACE * (self.means.T @ given / share)[inside]
        for _ in range(turns):
            found = self.means @ fields
            if np.abs(found - given).max() <= 1e-3 * means.std():
                break
            asked = np.divide(given, found, out=np.zeros_like(given), where=found > 0.0)
            fields[inside] *= (self.means.T @ asked / share)[inside]
        return np.asarray(fields.T).reshape(x.shape)
