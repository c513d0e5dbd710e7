# SPDX-License-Identifier: BSD-3-Clause
"""A connection whose flux is corrected by the receiving cells' own state: OASIS3 ``SUBGRID``."""

from __future__ import annotations

import numpy as np

from coupler.exchange.operators import Floats, Index, sum_by
from coupler.exchange.points import Chosen, PointOperator
from coupler.plan import Plan, Task
from coupler.remap import subgrid


class SubgridOperator(PointOperator):
    """A flux of the source's cells, shared out on the overlaps by the state of the target's cells.

    The mean state of a source cell is taken over all its overlaps, so the integral over each source
    cell is what was sent. The first input is the flux (and its derivative), the second the target's state.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        self._sources, self._group = np.unique(self.cells[0], return_inverse=True)
        self._group_area = sum_by(self._group, self.area, self._sources.size)
        self._flux_at = self._state_at = np.zeros(0, np.int64)

    def _wanted(self, cells: tuple[Index, ...]) -> Chosen:
        """All points of every source cell that a row owned here touches: its mean state needs them."""
        touched = np.unique(cells[0][self._owned(0, cells)])
        return np.isin(cells[0], touched)

    def needed(self, slot: int) -> Index:  # noqa: D102
        return np.unique(self.cells[slot])

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._flux_at, self._state_at = (rows[cells] for rows, cells in zip(row_of, self.cells, strict=True))

    def values(self, matrices: list[Floats]) -> list[Floats]:  # noqa: D102
        how = self.task.remap.subgrid
        assert how is not None
        flux = matrices[0][self._flux_at, 0]
        state = matrices[1][self._state_at, 0]
        mean = self._mean(state)
        if how.kind == "solar":
            made = subgrid.solar(flux, state, mean)
        else:
            slope = matrices[0][self._flux_at, 1] if how.derivative is None else how.derivative
            made = subgrid.nonsolar(flux, slope, state, mean)
        return [made[:, None]]

    def _mean(self, state: Floats) -> Floats:
        """Mean over all points of a point's source cell."""
        return np.asarray((sum_by(self._group, self.area * state, self._sources.size) / self._group_area)[self._group])

    def transpose_values(self, given: Floats, matrices: list[Floats]) -> list[Floats]:
        """The transpose of `values`: from a field (points,) on what it makes to fields on its matrices.

        ``solar`` is linear in the flux under the albedo given, ``nonsolar`` in flux and temperature under the
        derivative given; what is given gets 0.
        """
        how = self.task.remap.subgrid
        assert how is not None
        out = [np.zeros_like(m) for m in matrices]
        if how.kind == "solar":
            albedo = matrices[1][self._state_at, 0]
            given = subgrid.solar(given, albedo, self._mean(albedo))
        else:
            slope = matrices[0][self._flux_at, 1] if how.derivative is None else how.derivative
            shared = slope * given
            below = (sum_by(self._group, shared, self._sources.size) / self._group_area)[self._group]
            out[1][:, 0] = sum_by(self._state_at, shared - self.area * below, len(matrices[1]))
        out[0][:, 0] = sum_by(self._flux_at, given, len(matrices[0]))
        return out

    def input_area(self, slot: int, cells: Index) -> Floats | None:
        """Area of source cells that lies in the rows owned here, m2; a state has none.

        Parameters
        ----------
        slot : number of the input
        cells : flat source cells
        """
        if slot == 1:
            return None
        return sum_by(self.cells[0], self.own_area(0), self._grids[0].size)[cells]
