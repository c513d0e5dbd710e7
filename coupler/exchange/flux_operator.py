# SPDX-License-Identifier: BSD-3-Clause
"""A flux node on the coupler: a flux law on the exchange grid between two components."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coupler.exchange.mapping import compact_counts, product
from coupler.exchange.operators import Floats, Index
from coupler.exchange.points import PointOperator
from coupler.flux_law import find_law
from coupler.plan import Plan, Task
from coupler.remap.matrix import CSR, transpose_rows
from coupler.remap.weights import make_weights


class FluxOperator(PointOperator):
    """A flux node: a flux law on the overlaps of both sides' cells, summed to both sides.

    A point's flux is that of the two cells it lies in.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        self.law = find_law(str(task.options["flux"]), task.scheme, plan.folder)
        self.options = self.law.Options(**task.options["law"])
        self._columns = [[f.name for f in b.fields] for b in task.inputs]
        self._delivered = [[f.name for f in d.fields] for d in task.outputs]
        self._states = [self._state_map(side) for side in (0, 1)]
        self._positions: list[npt.NDArray[np.int32]] = []

    def _state_map(self, side: int) -> CSR:
        """Weights from the cells of a side to the points: the cell that a point lies in, or a smoother field."""
        where = str(self.task.options["grid"])
        other = 1 - side
        smooth = side == 0 and self.task.options["states"] == "second_order"
        if smooth or where == ("second" if side == 0 else "first"):
            # values of this side on the other side's cells; every point takes its cell's
            method = "conservative_second_order" if smooth else "conservative"
            cells, back = np.unique(self.cells[other], return_inverse=True)
            w = make_weights(
                self._grids[side], self._grids[other], method, normalization="fracarea", rows=cells, target_mask=None
            ).rows(back)
            return np.diff(w.indptr).astype(np.int64), w.indices, w.data
        n = self.cells[side].size
        return np.ones(n, np.int64), self.cells[side].astype(np.int32), np.ones(n)

    def state_rows(self, side: int) -> CSR:
        """From the cells of a side to the points: what gives the law its states."""
        counts, indices, data = self._states[side]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), indices, data

    def transpose_states(self, side: int) -> CSR:
        """From the points to all cells of a side: the transpose of what gives the law its states."""
        indptr, indices, data = self.state_rows(side)
        turned, row, links = transpose_rows(indptr, indices, self._grids[side].size)
        return turned, row.astype(np.int32), data[links]

    def needed(self, slot: int) -> Index:  # noqa: D102
        return np.unique(self._states[slot][1]).astype(np.int64)

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._positions = [rows[m[1]].astype(np.int32) for rows, m in zip(row_of, self._states, strict=True)]
        self._simple = [bool(np.all(m[0] == 1)) for m in self._states]
        self._counts = [compact_counts(np.concatenate([[0], np.cumsum(m[0])])) for m in self._states]

    def values(self, matrices: list[Floats]) -> list[Floats]:  # noqa: D102
        given: list[dict[str, Floats]] = []
        for side, (names, matrix) in enumerate(zip(self._columns, matrices, strict=True)):
            if self._simple[side]:
                fields = np.ascontiguousarray(matrix[self._positions[side]].T)
            else:
                fields = np.empty((len(names), self.area.size))
                product(self._counts[side], self._positions[side], self._states[side][2], matrix, fields)
            given.append(dict(zip(names, fields, strict=True)))
        made = self.law.fluxes(given[0], given[1], self.options)
        return [np.ascontiguousarray(np.stack([made[n] for n in names], axis=1)) for names in self._delivered]
