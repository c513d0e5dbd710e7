"""A flux node on the coupler: a flux law on the exchange grid between two components."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import WeightsError
from coupler.exchange.connections import flux_scheme
from coupler.exchange.mapping import compact_counts, product
from coupler.exchange.operators import CSR, Floats, Index, Operator, sum_by
from coupler.exchange.plan import Plan, Task
from coupler.exchange.tiles import Links, outside_areas
from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights


class FluxOperator(Operator):
    """A flux node: a flux law on the overlaps of both sides' cells, summed to both sides.

    Points are the overlaps of the second side's active cells with the first side's, in the
    order of the second side's cells; a point's flux is that of the two cells it lies in.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        self.law = flux_scheme(str(task.options["flux"]), task.scheme)
        first, second = (plan[b.component].grids[b.grid] for b in task.inputs)
        overlap = self._overlaps(first, second)
        cells = (overlap.indices.astype(np.int64), np.repeat(np.arange(second.size), np.diff(overlap.indptr)))
        area = overlap.area
        sides = [0 if d.component == task.inputs[0].component else 1 for d in task.outputs]
        keep = np.zeros(area.size, dtype=bool)
        for slot, side in enumerate(sides):
            a, b = self._rows[slot]
            keep |= (cells[side] >= a) & (cells[side] < b)
        self.sides = sides
        self.cells = tuple(c[keep] for c in cells)
        self.area = area[keep]
        self._all_area = [sum_by(c, area, g.size) for c, g in zip(cells, (first, second), strict=True)]
        self._grids = (first, second)
        self._columns = [[f.name for f in b.fields] for b in task.inputs]
        self._delivered = [[f.name for f in d.fields] for d in task.outputs]
        self._states = [self._state_map(side) for side in (0, 1)]
        self._positions: list[npt.NDArray[np.int32]] = []

    def _overlaps(self, first: Grid, second: Grid) -> Links:
        """Overlaps of the active cells of both sides; of a prescribed ocean those outside the ocean's domain."""
        if self.task.tile.kind == "outside":
            return outside_areas(self.plan, self.task, first, second)
        made = make_weights(first, second, "conservative", source_mask="default", target_mask="default")
        if made.area is None:
            raise WeightsError(f"{self.task.name}: a flux node needs overlap areas")
        return Links(made.indptr, made.indices, made.area)

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

    def needed(self, slot: int) -> Index:  # noqa: D102
        return np.unique(self._states[slot][1]).astype(np.int64)

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._positions = [rows[m[1]].astype(np.int32) for rows, m in zip(row_of, self._states, strict=True)]
        self._simple = [bool(np.all(m[0] == 1)) for m in self._states]
        self._counts = [compact_counts(np.concatenate([[0], np.cumsum(m[0])])) for m in self._states]

    def values(self, matrices: list[Floats]) -> list[Floats]:  # noqa: D102
        given: dict[str, Any] = {}
        for side, (names, matrix) in enumerate(zip(self._columns, matrices, strict=True)):
            if self._simple[side]:
                fields = np.ascontiguousarray(matrix[self._positions[side]].T)
            else:
                fields = np.empty((len(names), self.area.size))
                product(self._counts[side], self._positions[side], self._states[side][2], matrix, fields)
            given.update(zip(names, fields, strict=True))
        made = self.law(**given, **self.task.options["law"])
        return [np.ascontiguousarray(np.stack([made[n] for n in names], axis=1)) for names in self._delivered]

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

    def own_area(self, slot: int) -> Floats:
        """Area of each point, zero where its cell of the output's side is owned elsewhere, m2."""
        a, b = self._rows[slot]
        cells = self.cells[self.sides[slot]]
        return np.where((cells >= a) & (cells < b), self.area, 0.0)

    def input_area(self, slot: int, cells: Index) -> Floats | None:  # noqa: D102
        return None

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:  # noqa: D102
        side = self.sides[slot]
        whole: Floats = np.asarray(self._grids[side].area, np.float64).reshape(-1)[cells]
        area = self._all_area[side][cells]
        return area, np.minimum(area / whole, 1.0)
