# SPDX-License-Identifier: BSD-3-Clause
"""The coupler ranks: receive windows, apply weights or flux laws, send deliveries.

Every coupler rank owns a run of rows of every target grid and receives only the source values that those rows need.
Tasks are done as their windows arrive; the numbers of a task do not depend on that order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.exact_sum import exact_bins
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.mapping import HEADER, compact_counts, header_rows, product, put_constants
from coupler.exchange.operators import LinearOperator, Operator
from coupler.exchange.partition import Partitions
from coupler.exchange.routes import TAG_ROUTE, Route, input_tag, output_tag
from coupler.exchange.subgrid_operator import SubgridOperator
from coupler.exchange.transport import Transport
from coupler.plan import Plan, Task
from coupler.remap.shared import shared_overlaps

Floats = npt.NDArray[np.float64]
BUFFERS = 2
"""Windows that may wait at the coupler."""


class InputBuffer:
    """One bundle as a [cell, column] matrix of the cells that this coupler rank needs."""

    def __init__(self, task: Task, slot: int, needed: npt.NDArray[np.int64], parts: Partitions, transport: Transport):
        bundle = task.inputs[slot]
        self.columns = bundle.columns
        head = header_rows(self.columns)
        ranks = parts.plan[bundle.component].ranks
        pieces = []
        row = 0
        self.row_of = np.full(parts.plan[bundle.component].grids[bundle.grid].size, -1, dtype=np.int64)
        for r, process in enumerate(ranks):
            cells = parts.cells(bundle.component, r, bundle.grid)
            positions = np.flatnonzero(np.isin(cells, needed, assume_unique=True))
            if positions.size == 0:
                continue
            self.row_of[cells[positions]] = row + head + np.arange(positions.size)
            pieces.append((process, positions, row, row + head + positions.size))
            row += head + positions.size
        self._turn = 0
        tag = input_tag(task.index, slot)
        self.pieces = [(process, positions) for process, positions, _, _ in pieces]
        self._first = [a for _, _, a, _ in pieces]
        if len(pieces) == 1:
            self.matrices: list[Floats] = []
            self._boxes = [transport.inbox(pieces[0][0], tag, row * self.columns)]
            return
        self.matrices = [np.zeros((row, self.columns)) for _ in range(BUFFERS)]
        self._boxes = [
            transport.inbox(process, tag, (b - a) * self.columns, [m[a:b].reshape(-1) for m in self.matrices])
            for process, _, a, b in pieces
        ]

    def ready(self) -> bool:
        """Whether the next window is complete."""
        return all(box.ready() for box in self._boxes)

    def requests(self) -> list[Any]:
        """What MPI completes when a message comes; None of a channel within this process."""
        return [box.request() for box in self._boxes]

    def take(self) -> tuple[Floats, float, float]:
        """The next window: matrix, window number and model time of its headers."""
        taken = [box.take() for box in self._boxes]
        if not taken:
            return np.zeros((0, self.columns)), np.nan, np.nan
        if len(taken) == 1:
            matrix = taken[0].reshape(-1, self.columns)
        else:
            matrix = self.matrices[self._turn]
            self._turn = (self._turn + 1) % BUFFERS
        flat = matrix.reshape(-1)
        windows = {flat[a * self.columns + 1] for a in self._first}
        if len(windows) > 1:
            raise RuntimeError(f"ranks of one component sent windows {sorted(windows)} together")
        start = self._first[0] * self.columns
        return matrix, float(flat[start + 1]), float(flat[start + 2])

    def release(self) -> None:
        """Let the buffer of the window taken be overwritten."""
        for box in self._boxes:
            box.release()


class OutputMap:
    """Rows of one delivery for one rank of the target, as a product into its message."""

    def __init__(
        self, task: Task, slot: int, process: int, operator: Operator, rows: npt.NDArray[np.int64], transport: Transport
    ):
        indptr, self.indices, self.data = operator.rows(slot, rows)
        self.counts = compact_counts(indptr)
        self.columns = task.outputs[slot].columns
        self.positions = rows - operator.target_rows(slot)[0]
        self.n = rows.size
        self.constants = operator.constants(slot, rows)
        self.fraction = task.outputs[slot].fraction
        self.box = transport.outbox(
            process, output_tag(task.index, slot), HEADER + self.n * self.columns, task.lag_windows + 3
        )

    def send(self, task: int, window: float, time: float, values: Floats, fields: Floats | None = None) -> None:
        """Map and send; or send those of ``[column, row]`` fields that this coupler rank has mapped already.

        Parameters
        ----------
        task : number of the task
        window : number of the window
        time : model time at its end, s
        values : (cells, columns) on the points of the operator
        fields : (columns, rows) mapped before, or None
        """
        buffer = self.box.buffer()
        buffer[0], buffer[1], buffer[2] = task, window, time
        out = buffer[HEADER:].reshape(self.columns, self.n)
        if fields is not None:
            out[...] = fields[:, self.positions]
            self.box.send(buffer)
            return
        product(self.counts, self.indices, self.data, values, out)
        put_constants(out, self.constants, self.fraction)
        self.box.send(buffer)


def make_operator(plan: Plan, task: Task, index: int, count: int) -> Operator:
    """What a task does to its windows, on coupler rank `index` of `count`.

    Parameters
    ----------
    plan : of the run
    task : the recurring exchange
    index : of this coupler rank
    count : of coupler ranks
    """
    if task.kind == "flux":
        return FluxOperator(plan, task, index, count)
    kind = LinearOperator if task.remap.subgrid is None else SubgridOperator
    return kind(plan, task, index, count)


class TaskLoop:
    """One task on one coupler rank."""

    def __init__(self, plan: Plan, task: Task, index: int, parts: Partitions, transport: Transport):
        self.plan, self.task = plan, task
        self.operator = make_operator(plan, task, index, len(plan.coupler_ranks))
        self.inputs = [InputBuffer(task, i, self.operator.needed(i), parts, transport) for i in range(len(task.inputs))]
        self.operator.bind([b.row_of for b in self.inputs])
        self.outputs: list[list[OutputMap]] = []
        self.done = 0
        self.held = False
        """Whether a window is complete and only waits for room at a target."""
        self.budget: list[tuple[str, int, int, list[Any]]] = []
        for i, buffer in enumerate(self.inputs):
            b = task.inputs[i]
            ranks = plan[b.component].ranks
            by_process = dict(buffer.pieces)
            for r, process in enumerate(ranks):
                positions = by_process.get(process)
                if positions is None:
                    continue
                cells = parts.cells(b.component, r, b.grid)[positions]
                area = self.operator.input_area(i, cells)
                route = Route(task.index, i, False, b.component, transport.rank, positions, area, None)
                transport.send_object(process, TAG_ROUTE, vars(route))
        for i, d in enumerate(task.outputs):
            maps = []
            mine = self.operator.target_rows(i)
            for r, process in enumerate(plan[d.component].ranks):
                cells = parts.cells(d.component, r, d.grid)
                positions = np.flatnonzero((cells >= mine[0]) & (cells < mine[1]))
                if positions.size == 0:
                    continue
                rows = cells[positions]
                maps.append(OutputMap(task, i, process, self.operator, rows, transport))
                area, covered = self.operator.output_area(i, rows)
                route = Route(task.index, i, True, d.component, transport.rank, positions, area, covered)
                transport.send_object(process, TAG_ROUTE, vars(route))
            self.outputs.append(maps)

    def advance(self) -> bool:
        """Do the next window if it is there; says whether anything was done."""
        if not self.inputs or not all(b.ready() for b in self.inputs):
            return False
        self.held = not all(m.box.free() for maps in self.outputs for m in maps)
        if self.held:
            return False
        taken = [b.take() for b in self.inputs]
        known = [(w, t) for _, w, t in taken if w == w]
        if not known:
            return False
        if len({w for w, _ in known}) > 1:
            raise RuntimeError(f"{self.task.name}: windows {known} do not belong together")
        window, time = known[0]
        values = self.operator.values([m for m, _, _ in taken])
        if isinstance(self.operator, FluxOperator) and self.plan.check_budget:
            self._book(int(window), values)
        for slot, maps in enumerate(self.outputs):
            fields = self.operator.mapped(values[slot])
            for m in maps:
                m.send(self.task.index, window, time, values[slot], fields)
        for b in self.inputs:
            b.release()
        self.done += 1
        return True

    def _book(self, window: int, values: list[Floats]) -> None:
        """What the flux law made, integrated over the points of the rows that this rank owns."""
        assert isinstance(self.operator, FluxOperator)
        for slot, delivery in enumerate(self.task.outputs):
            weight = self.operator.own_area(slot)
            entries: list[Any] = []
            row = 0
            for f in delivery.fields:
                if f.conserved:
                    flux = values[slot][:, row] * weight
                    entries.append((f.name, exact_bins(flux), float(np.abs(flux).sum())))
                row += f.columns
            self.budget.append((f"made:{slot}", self.task.index, window, entries))


class CouplerRank:
    """All tasks on one coupler rank.

    Parameters
    ----------
    plan : Plan
        The plan.
    index : int
        Which of the coupler ranks this is.
    parts : Partitions
        Cells of all ranks.
    transport : Transport
        Messages.
    """

    def __init__(self, plan: Plan, index: int, parts: Partitions, transport: Transport):
        self.plan, self.index = plan, index
        with shared_overlaps():
            self.loops = [TaskLoop(plan, t, index, parts, transport) for t in plan.tasks if t.route == "coupler"]
        self.transport = transport
        self._awaited: list[Any] = []

    def progress(self) -> bool:
        """Do what can be done; says whether anything was."""
        if self._awaited and not self.transport.arrived(self._awaited):  # one call to MPI where nothing has come
            return False
        busy = False
        for loop in self.loops:
            while loop.advance():
                busy = True
        awaited = [r for loop in self.loops for b in loop.inputs for r in b.requests()]
        self._awaited = [] if any(loop.held for loop in self.loops) or None in awaited else awaited
        return busy

    def books(self) -> list[tuple[str, int]]:
        """Sides of flux nodes whose windows this rank gives a budget entry each."""
        laws = [loop for loop in self.loops if isinstance(loop.operator, FluxOperator)]
        return [
            (f"made:{slot}", loop.task.index)
            for loop in laws
            if self.plan.check_budget and any(b.pieces for b in loop.inputs)
            for slot in range(len(loop.outputs))
        ]

    def budgets(self) -> list[tuple[str, int, int, list[Any]]]:
        """Budget entries since the last call."""
        out: list[tuple[str, int, int, list[Any]]] = []
        for loop in self.loops:
            out += loop.budget
            loop.budget = []
        return out
