# SPDX-License-Identifier: BSD-3-Clause
"""Points of the exchange grid between two components: the overlaps of their active cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coupler.errors import WeightsError
from coupler.exchange.operators import Floats, Index, Operator, sum_by
from coupler.exchange.tiles import Links, land_areas, outside_areas
from coupler.grids.grid import Grid
from coupler.plan import Plan, Task
from coupler.remap.matrix import CSR
from coupler.remap.weights import make_weights

Chosen = npt.NDArray[np.bool_]


class PointOperator(Operator):
    """Something computed on the overlaps of both sides' cells and summed to either side.

    Points are the overlaps of the second input's active cells with the first one's, in the order of
    the second's cells. Points that no row owned here needs are left out.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        first, second = (plan[b.component].grids[b.grid] for b in task.inputs)
        overlap = self._overlaps(first, second)
        cells = (overlap.indices.astype(np.int64), np.repeat(np.arange(second.size), np.diff(overlap.indptr)))
        area = overlap.area
        self.sides = [0 if d.component == task.inputs[0].component else 1 for d in task.outputs]
        keep = self._wanted(cells) & (area > 0.0)
        self.cells: tuple[Index, ...] = tuple(c[keep] for c in cells)
        self.area = area[keep]
        self._all_area = [sum_by(c, area, g.size) for c, g in zip(cells, (first, second), strict=True)]
        self._grids = (first, second)

    def _owned(self, slot: int, cells: tuple[Index, ...]) -> Chosen:
        """Which points lie in cells of an output that are owned here."""
        a, b = self._rows[slot]
        side = cells[self.sides[slot]]
        return np.asarray((side >= a) & (side < b), np.bool_)

    def _wanted(self, cells: tuple[Index, ...]) -> Chosen:
        """Which points the rows owned here need."""
        wanted = np.zeros(cells[0].size, np.bool_)
        for slot in range(len(self.sides)):
            wanted |= self._owned(slot, cells)
        return wanted

    def _overlaps(self, first: Grid, second: Grid) -> Links:
        """Overlaps of the active cells of both sides, on the tile of the mosaic where they meet."""
        if self.task.tile.kind == "outside":
            return outside_areas(self.plan, self.task, first, second)
        if self.task.tile.kind == "land":
            return land_areas(self.plan, self.task, first, second, np.arange(second.size))
        made = make_weights(first, second, "conservative", source_mask="default", target_mask="default")
        if made.area is None:
            raise WeightsError(f"{self.task.name}: overlap areas are needed")
        return Links(made.indptr, made.indices, made.area)

    def rows(self, slot: int, cells: Index) -> CSR:  # noqa: D102
        side = self.sides[slot]
        order = np.argsort(self.cells[side], kind="stable")
        sorted_cells = self.cells[side][order]
        first = np.searchsorted(sorted_cells, cells, "left")
        counts = np.searchsorted(sorted_cells, cells, "right") - first
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        links = order[np.repeat(first - indptr[:-1], counts) + np.arange(indptr[-1])]
        total = self._all_area[side][cells]
        data = self.area[links] / np.repeat(total, counts)
        return indptr, links.astype(np.int32), data

    def points(self) -> int:  # noqa: D102
        return int(self.area.size)

    def own_area(self, slot: int) -> Floats:
        """Area of each point, zero where its cell of the output's side is owned elsewhere, m2."""
        return np.where(self._owned(slot, self.cells), self.area, 0.0)

    def input_area(self, slot: int, cells: Index) -> Floats | None:  # noqa: D102
        return None

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:  # noqa: D102
        side = self.sides[slot]
        whole: Floats = np.asarray(self._grids[side].area, np.float64).reshape(-1)[cells]
        area = self._all_area[side][cells]
        return area, np.minimum(area / whole, 1.0)
