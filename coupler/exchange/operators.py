# SPDX-License-Identifier: BSD-3-Clause
"""What the coupler does to the windows of a task: the common part, and the linear map of a connection."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import WeightsError
from coupler.exact_sum import exact_sum
from coupler.exchange.mapping import compact_counts, product, put_constants
from coupler.exchange.rivers import waterway_weights
from coupler.exchange.tiles import land_areas, land_weights
from coupler.exchange.waterways import way_of
from coupler.grids.decomposition import split
from coupler.grids.grid import Grid
from coupler.paths import user_cache
from coupler.plan import Plan, Task
from coupler.remap.conserve import correction, integral
from coupler.remap.files import weights_cached
from coupler.remap.matrix import CSR, Weights, transpose_rows
from coupler.remap.regridder import refuse_transpose
from coupler.remap.second_order import apply_limited
from coupler.remap.weights import make_weights

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


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
        """Weights of some target cells of an output, on the points of `values`.

        Parameters
        ----------
        slot : number of the output
        cells : flat target cells
        """
        raise NotImplementedError

    def mapped(self, matrix: Floats) -> Floats | None:
        """Fields ``[column, row]`` of all rows owned here, where they are no product of `rows`; None where they are."""
        return None

    def transpose(self, slot: int = 0) -> CSR:
        """The transpose of `rows` for all target cells owned here: rows for the points, columns for those cells.

        `coupler.remap.apply.apply_weights` applies it. Fixed values are no part of the linear map.
        """
        start, stop = self._rows[slot]
        indptr, indices, data = self.rows(slot, np.arange(start, stop))
        turned, row, links = transpose_rows(indptr, indices, self.points())
        return turned, row.astype(np.int32), data[links]

    def points(self) -> int:
        """Number of points that `rows` reads."""
        raise NotImplementedError

    def constants(self, slot: int, cells: Index) -> Floats | None:
        """Values of cells that get a fixed one (NaN elsewhere), or None.

        Parameters
        ----------
        slot : number of the output
        cells : flat target cells
        """
        return None

    def input_area(self, slot: int, cells: Index) -> Floats | None:
        """Area of source cells that takes part in the rows owned here, m2.

        Parameters
        ----------
        slot : number of the input
        cells : flat source cells
        """
        raise NotImplementedError

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:
        """Area of target cells that takes part, m2 (None: the method does not conserve), and covered fraction.

        Parameters
        ----------
        slot : number of the output
        cells : flat target cells
        """
        raise NotImplementedError


def link_rows(weights: Weights) -> Index:
    """Row number of every link."""
    return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))


def sum_by(cells: npt.NDArray[Any], values: Floats, size: int) -> Floats:
    """Sum of the values that belong to each cell, in their order.

    Parameters
    ----------
    cells : (n,) cell of each value
    values : (n,) or (n, fields)
    size : number of cells
    """
    return np.bincount(cells, values, minlength=size).astype(np.float64)


class LinearOperator(Operator):
    """A connection: weights from the source's cells to the target's.

    Areas, for the budget, are those shared by active cells of both grids; on the land's tile of the mosaic only what
    is dry (`Task.tile`).
    """

    def __init__(self, plan: Plan, task: Task, index: int, count: int):
        super().__init__(plan, task, index, count)
        if task.remap.conserve:
            # the correction needs the whole target field: one rank owns it all
            size = plan[task.outputs[0].component].grids[task.outputs[0].grid].size
            self._rows = [(0, size) if index == 0 else (0, 0)]
        source = plan[task.inputs[0].component].grids[task.inputs[0].grid]
        target = plan[task.outputs[0].component].grids[task.outputs[0].grid]
        start, stop = self._rows[0]
        self.start = start
        way = way_of(plan, task)
        make = partial(waterway_weights, plan, task, way) if way else partial(connection_weights, task)
        self.weights = make(source, target, np.arange(start, stop))
        if task.tile.kind == "land":
            on_land = plan[task.outputs[0].component].realm == "land"
            dry = land_areas(plan, task, source, target, self.weights.target_cells)
            self.weights = land_weights(self.weights, dry, target, keep_wet=on_land)
        w = self.weights
        self._indices = w.indices
        self._source_mask = np.asarray(source.mask).reshape(-1)
        active = np.asarray(target.mask).reshape(-1)[w.target_cells]
        self._row_area: Floats | None = None
        self._cell_area: Floats | None = None
        if w.area is not None and w.constant is None:
            area = np.where(np.repeat(active, np.diff(w.indptr)), w.area, 0.0)
            self._row_area = sum_by(link_rows(w), area, w.shape[0])
            self._cell_area = sum_by(w.indices, area, w.shape[1])
        if way:  # drained land or, of an outflow, 1 for each cell that arrives; and the cells reached
            reached = np.where(np.diff(w.indptr) > 0, np.asarray(target.area).reshape(-1)[w.target_cells], 0.0)
            self._row_area = reached
            self._cell_area = sum_by(w.indices, w.data * reached[link_rows(w)], w.shape[1])
        self._limited = task.remap.limiter and w.second is not None
        if task.remap.conserve:
            active[w.open_rows()] = False  # what is spread over a cell that nothing reaches is lost
            self._row_area = np.where(active, np.asarray(target.area).reshape(-1)[start:stop], 0.0)
            self._cell_area = np.where(self._source_mask, np.asarray(source.area).reshape(-1), 0.0)

    def needed(self, slot: int) -> Index:  # noqa: D102
        if self.task.remap.conserve and self.weights.shape[0]:
            return np.flatnonzero(self._source_mask)
        return self.weights.source_cells

    def bind(self, row_of: list[Index]) -> None:  # noqa: D102
        self._indices = row_of[0][self.weights.indices].astype(np.int32)
        self._row_of = row_of[0]
        self._counts = compact_counts(self.weights.indptr)
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

    def constants(self, slot: int, cells: Index) -> Floats | None:  # noqa: D102
        constant = self.weights.constant
        return None if constant is None else constant[cells - self.start]

    def transpose(self, slot: int = 0) -> CSR:
        """From the target cells owned here to all cells of the source.

        Raises
        ------
        GridError
            With a limiter or a global correction: they are not linear.
        """
        refuse_transpose(self._limited, self.task.remap.conserve)
        turned = self.weights.transpose()
        return turned.indptr, turned.indices, turned.data

    def mapped(self, matrix: Floats) -> Floats | None:
        """Fields of the rows owned here with limited gradients, or corrected to conserve; None for a plain product."""
        if not (self._limited or self.task.remap.conserve):
            return None
        out = np.empty((matrix.shape[1], self.weights.shape[0]))
        if self._limited:
            self._limit(matrix, out)
        else:
            product(self._counts, self._indices, self.weights.data, matrix, out)
        put_constants(out, self.weights.constant, self.task.outputs[0].fraction)
        if self.task.remap.conserve:
            self._correct(matrix, out)
        return out

    def _limit(self, matrix: Floats, out: Floats) -> None:
        assert self.weights.second is not None
        fields = np.zeros((self.weights.shape[1], matrix.shape[1]))
        there = self.weights.source_cells  # the cells under the rows, and the neighbours of those
        fields[there] = matrix[self._row_of[there]]
        rows = np.empty((out.shape[1], out.shape[0]))
        apply_limited(self.weights.second, fields, rows)
        out[...] = rows.T

    def _correct(self, matrix: Floats, out: Floats) -> None:
        """Make the remapped fields ``[column, cell]`` conserve their integrals, in place (`Remap.conserve`)."""
        kind = self.task.remap.conserve
        assert kind is not None and self._cell_area is not None and self._row_area is not None
        sources = np.flatnonzero(self._source_mask)
        area, row_area = self._cell_area[sources], self._row_area
        reached = row_area > 0.0
        for c in range(out.shape[0]):
            sent = integral(area, np.ascontiguousarray(matrix[self._row_of[sources], c]))
            got = integral(row_area[reached], out[c, reached])
            fix = correction(kind, sent, got, float(exact_sum(area)), float(exact_sum(row_area)))
            out[c, reached] = fix.factor * out[c, reached] + fix.offset

    def input_area(self, slot: int, cells: Index) -> Floats | None:  # noqa: D102
        return None if self._cell_area is None else self._cell_area[cells]

    def output_area(self, slot: int, cells: Index) -> tuple[Floats | None, Floats]:  # noqa: D102
        chosen = cells - self.start
        return None if self._row_area is None else self._row_area[chosen], self.weights.covered[chosen]


def connection_weights(task: Task, source: Grid, target: Grid, rows: Index) -> Weights:
    """Weights of a connection for some target cells: its methods in order, each filling what is still open.

    Parameters
    ----------
    task : the connection
    source, target : its grids
    rows : flat target cells
    """
    methods = list(task.remap.methods)
    same = source.fingerprint == target.fingerprint and np.array_equal(source.mask, target.mask)
    if same and methods[0] in ("conservative", "conservative_second_order", "bilinear", "nearest"):
        active = np.asarray(source.mask).reshape(-1)[rows]
        indptr = np.concatenate([[0], np.cumsum(active)]).astype(np.int64)
        area = np.asarray(source.area).reshape(-1)[rows][active]
        return Weights(
            indptr=indptr, indices=rows[active].astype(np.int32), data=np.ones(int(active.sum())),
            shape=(rows.size, source.size), covered=active.astype(np.float64), target_cells=rows, method="identity",
            normalization="destarea", source_fingerprint=source.fingerprint, target_fingerprint=target.fingerprint,
            target_size=target.size, area=area,
        )  # fmt: skip
    coastal = "river_mouths" in [m if isinstance(m, str) else next(iter(m)) for m in methods]
    options: dict[str, Any] = {
        "normalization": task.remap.normalization,
        "target_mask": "default" if coastal else None,
        "rows": rows,
    }
    if source.size + target.size < CACHED_FROM:
        return make_weights(source, target, methods, **options)
    return weights_cached(user_cache() / "weights", source, target, methods, **options)


CACHED_FROM = 200_000
"""Cells of both grids together from which weights are kept on disk."""
