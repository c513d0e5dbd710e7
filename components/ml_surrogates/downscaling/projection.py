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

        A coarse cell without a value, or with a fine cell that has none, is left as it is.

        Parameters
        ----------
        x : (..., fine cells)
        y : (..., coarse cells)
        """
        fields, means = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
        known = self._known(fields, means)
        if known.all():
            lacking = means[:, self.cells].T - self.means @ fields.T
            return np.asarray(fields + (self.means.T @ self._solve(lacking)).T).reshape(x.shape)
        made = fields.copy()
        for field, mean, there in zip(made, means[:, self.cells], known, strict=True):
            if there.any():
                some = self.means[np.flatnonzero(there)]
                lacking = mean[there] - some @ np.nan_to_num(field)
                field += some.T @ splu((some @ some.T).tocsc()).solve(lacking)
        return made.reshape(x.shape)

    def _known(self, fields: Array, means: Array) -> npt.NDArray[np.bool_]:
        """Whether each coarse cell (fields, cells) and all fine cells in it have values."""
        holes = ~np.isfinite(fields)
        inside = np.asarray(self.means @ holes.T.astype(np.float64))
        return np.asarray(np.isfinite(means[:, self.cells]) & (inside.T == 0.0))

    def positive(self, x: Array, y: Array, turns: int = 60) -> Array:
        """The same for fields that cannot be negative: each cell times the mean of what its coarse cells ask for.

        By Lucy's (1974, Astron. J. 79, 745, eq. 15) iteration; where cells nest, its first turn ends it. A factor keeps
        dry what is dry, and the pattern within a coarse cell, where a difference would spread evenly what heavy rain
        lacks. A trace of the coarse field is added first: what was drawn dry may be wet.

        Parameters
        ----------
        x : (..., fine cells)
        y : (..., coarse cells); below zero counts as zero, as what advection leaves
        turns : at most; ends when the means are right to a thousandth of their standard deviation
        """
        means = np.maximum(y.reshape(-1, y.shape[-1]), 0.0)
        known = self._known(x.reshape(-1, x.shape[-1]), means).T
        given = np.where(known, means[:, self.cells].T, 0.0)
        share = np.asarray(self.means.T.sum(1)).reshape(-1, 1)
        inside = share[:, 0] > 0.0
        share = np.where(share > 0.0, share, 1.0)
        holes = ~np.isfinite(x.reshape(-1, x.shape[-1]).T)
        fields = np.where(holes, 0.0, np.clip(x.reshape(-1, x.shape[-1]).T, 0.0, None))
        fields[inside] += TRACE * (self.means.T @ given / share)[inside]
        for _ in range(turns):
            found = self.means @ fields
            if np.abs(np.where(known, found - given, 0.0)).max() <= 1e-3 * np.nanstd(means):
                break
            asked = np.divide(given, found, out=np.zeros_like(given), where=found > 0.0)
            asked = np.where(known, asked, 1.0)
            fields[inside] *= (self.means.T @ asked / share)[inside]
        return np.asarray(np.where(holes, np.nan, fields).T).reshape(x.shape)
