"""What the coupler does to the windows of a task: a linear map, or a flux law on the exchange grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import WeightsError
from coupler.exchange.connections import flux_scheme
from coupler.exchange.plan import Plan, Task
from coupler.grids.decomposition import split
from coupler.grids.grid import Grid
from coupler.remap.weights import Weights, make_weights

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
CSR = tuple[Index, npt.NDArray[np.int32], Floats]


class Operator:
    """Common part: which rows this coupler rank owns.

    Parameters
    ----------
    plan, task : Plan, Task
        The plan and the task.
    index, count : int
        This coupler rank, and how many there are.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        self.plan, self.task = plan, task
        self._rows = []
        for d in task.outputs:
            bounds = split(plan[d.component].grids[d.grid].size, count)
            self._rows.append((bounds[index], bounds[index + 1]))

    def target_rows(self, slot: int) -> tuple[int, int]:
        """First and last + 1 of the target cells owned here."""
        return self._rows[slot]

    def needed(self, slot: int) -> Index:
        """Source cells of an input that the rows owned here need."""
        raise NotImplementedError

    def bind(self, row_of: list[Index]) -> None:
        """Tell where the needed cells stand in the input matrices."""
        raise NotImplementedError

    def values(self, matrices: list[Floats]) -> list[Floats]:
        """Matrices [point, column] from which the rows of each output are summed."""
        raise NotImplementedError

    def rows(self, slot: int, cells: Index) -> CSR:
        """Weights of some target cells of an output, on the points of `values`."""
        raise NotImplementedError

    def input_area(self, slot: int, cells: Index) -> Floats | None:
        """Area of source cells that takes part in the rows owned here, m2."""
        raise NotImplementedError

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:
        """Area of target cells that takes part, m2 (None: the method does not conserve), and covered fraction."""
        raise NotImplementedError


def link_rows(weights: Weights) -> Index:
    """Row number of every link."""
    return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))


def sum_by(cells: npt.NDArray[Any], values: Floats, size: int) -> Floats:
    """Sum of the values that belong to each cell, in their order."""
    return np.bincount(cells, values, minlength=size).astype(np.float64)


class LinearOperator(Operator):
    """A connection: weights from the source's cells to the target's."""

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        source = plan[task.inputs[0].component].grids[task.inputs[0].grid]
        target = plan[task.outputs[0].component].grids[task.outputs[0].grid]
        start, stop = self._rows[0]
        self.start = start
        self.weights = connection_weights(source, target, task, np.arange(start, stop))
        self._indices = self.weights.indices
        w = self.weights
        self._row_area: Floats | None = None
        self._cell_area: Floats | None = None
        if w.area is not None:
            self._row_area = sum_by(link_rows(w), w.area, w.shape[0])
            self._cell_area = sum_by(w.indices, w.area, w.shape[1])

    def needed(self, slot: int) -> Index:  # noqa: D102
        return self.weights.source_cells

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._indices = row_of[0][self.weights.indices].astype(np.int32)
        if self._indices.size and self._indices.min() < 0:
            cell = int(self.weights.indices[np.argmin(self._indices)])
            raise WeightsError(f"{self.task.name}: source cell {cell} is needed, but lives on no rank")

    def values(self, matrices: list[Floats]) -> list[Floats]:  # noqa: D102
        return matrices

    def rows(self, slot: int, cells: Index) -> CSR:  # noqa: D102
        w = self.weights
        chosen = cells - self.start
        counts = np.diff(w.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        links = np.repeat(w.indptr[chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        return indptr, np.ascontiguousarray(self._indices[links]), np.ascontiguousarray(w.data[links])

    def input_area(self, slot: int, cells: Index) -> Floats | None:  # noqa: D102
        return None if self._cell_area is None else self._cell_area[cells]

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:  # noqa: D102
        chosen = cells - self.start
        return None if self._row_area is None else self._row_area[chosen], self.weights.covered[chosen]


def connection_weights(source: Grid, target: Grid, task: Task, rows: Index) -> Weights:
    """Weights of a connection for some target cells: its methods in order, each filling what is still open."""
    from coupler.remap.weights import Weights as W

    if source.fingerprint == target.fingerprint and np.array_equal(source.mask, target.mask):
        active = np.asarray(source.mask).reshape(-1)[rows]
        indptr = np.concatenate([[0], np.cumsum(active)]).astype(np.int64)
        area = np.asarray(source.area).reshape(-1)[rows][active]
        return W(
            indptr=indptr, indices=rows[active].astype(np.int32), data=np.ones(int(active.sum())),
            shape=(rows.size, source.size), covered=active.astype(np.float64), target_cells=rows, method="identity",
            normalization="destarea", source_fingerprint=source.fingerprint, target_fingerprint=target.fingerprint,
            target_size=target.size, area=area,
        )  # fmt: skip
    methods = task.remap.methods
    if len(methods) > 1:
        raise WeightsError(f"{task.name}: methods in a row are not there yet")
    return make_weights(
        source,
        target,
        str(methods[0]),
        normalization=task.remap.normalization,
        target_mask=None,
        rows=rows,
    )


class FluxOperator(Operator):
    """A flux node: a flux law on the overlaps of both sides' cells, summed to both sides.

    Points are the overlaps of the second side's active cells with the first side's, in the
    order of the second side's cells; a point's flux is that of the two cells it lies in.
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        self.law = flux_scheme(str(task.options["flux"]), task.scheme)
        first, second = (plan[b.component].grids[b.grid] for b in task.inputs)
        overlap = make_weights(first, second, "conservative", source_mask="default", target_mask="default")
        if overlap.area is None:
            raise WeightsError(f"{task.name}: a flux node needs overlap areas")
        cells = (overlap.indices.astype(np.int64), overlap.target_cells[link_rows(overlap)])
        area = np.asarray(overlap.area)
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
        self._positions: tuple[Index, Index] = (np.zeros(0, np.int64), np.zeros(0, np.int64))

    def needed(self, slot: int) -> Index:  # noqa: D102
        return np.unique(self.cells[slot])

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._positions = (row_of[0][self.cells[0]], row_of[1][self.cells[1]])

    def values(self, matrices: list[Floats]) -> list[Floats]:  # noqa: D102
        given: dict[str, Any] = {}
        for names, matrix, positions in zip(self._columns, matrices, self._positions, strict=True):
            for c, name in enumerate(names):
                given[name] = np.ascontiguousarray(matrix[positions, c])
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


def make_operator(plan: Plan, task: Task, index: int, count: int) -> Operator:
    """The operator of a task on one coupler rank."""
    kind = FluxOperator if task.kind == "flux" else LinearOperator
    return kind(plan, task, index, count)
