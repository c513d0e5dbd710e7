# SPDX-License-Identifier: BSD-3-Clause
"""The target's side of a task: one message a period and coupler rank in, fields out."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import ExchangeError
from coupler.exact_sum import exact_bins
from coupler.exchange.mapping import HEADER, unpack
from coupler.exchange.routes import Route, output_tag
from coupler.exchange.transport import Transport
from coupler.plan import Plan, Task

Floats = npt.NDArray[np.float64]


class Receiver:
    """Receives the deliveries of one task on one rank of the target.

    Parameters
    ----------
    plan, task, slot : Plan, Task, int
        The plan, the task and which of its outputs.
    cells : int
        Cells of this rank.
    routes : list of Route
        Where the cells come from.
    transport : Transport
        Messages.
    """

    def __init__(self, plan: Plan, task: Task, slot: int, cells: int, routes: list[Route], transport: Transport):
        self.plan, self.task, self.slot, self.cells = plan, task, slot, cells
        self.delivery = task.outputs[slot]
        self.columns = self.delivery.columns
        self.routes = routes
        tag = output_tag(task.index, slot)
        self._boxes = [transport.inbox(r.peer, tag, HEADER + r.positions.size * self.columns) for r in routes]
        self.covered = np.zeros(cells)
        self.area: Floats | None = None if not routes or any(r.area is None for r in routes) else np.zeros(cells)
        for r in routes:
            assert r.covered is not None
            self.covered[r.positions] = r.covered
            if self.area is not None and r.area is not None:
                self.area[r.positions] = r.area
        self._view = len(routes) == 1 and np.array_equal(routes[0].positions, np.arange(cells))
        self.held: Floats = np.zeros((self.columns, cells))
        self.interval = -1
        self._lent = False
        self._queue: collections.deque[Floats] = collections.deque()
        self.budget: list[tuple[int, int, list[Any]]] = []

    def due(self, time: int) -> bool:
        """Whether a new delivery belongs to the step that begins at `time`."""
        return self.interval < time // self.task.period

    def ready(self) -> bool:
        """Whether the next delivery is there."""
        return bool(self._queue) or all(box.ready() for box in self._boxes)

    def advance(self, time: int) -> None:
        """Take up the delivery for the interval that begins at `time`; it must be `ready`."""
        n = time // self.task.period
        if n != self.interval + 1:
            last = self.plan.clock.text(self.interval * self.task.period) if self.interval >= 0 else "the start"
            raise ExchangeError(
                f"{self.task.name}: {self.delivery.component} asks for the interval from {self.plan.clock.text(time)}, "
                f"but its last was from {last} and the period is {self.task.period} s"
            )
        if self._queue:
            self._return()
            self.held = self._queue.popleft()
        else:
            self.held = self._receive(n)
        self.interval = n

    def _return(self) -> None:
        if self._lent:
            for box in self._boxes:
                box.release()
            self._lent = False

    def _receive(self, n: int) -> Floats:
        """The message for interval n as [column, cell]; a view of the receive buffer where that is possible."""
        self._return()
        whole = None if self._view else np.zeros((self.columns, self.cells))
        for route, box in zip(self.routes, self._boxes, strict=True):
            buffer = box.take()
            window = n - self.task.lag_windows
            if buffer[0] != self.task.index or buffer[1] != window:
                raise ExchangeError(
                    f"{self.task.name}: a message for window {int(buffer[1])} of task {int(buffer[0])}, valid at "
                    f"{self.plan.clock.text(int(buffer[2]))}, came where window {window} (up to "
                    f"{self.plan.clock.text(max(0, (window + 1) * self.task.period))}) was due"
                )
            payload = buffer[HEADER:].reshape(self.columns, -1)
            if whole is None:
                self._lent = True
                whole = payload
            else:
                unpack(payload, route.positions, whole)
        if not self._view:
            for box in self._boxes:
                box.release()
        assert whole is not None
        if self.plan.check_budget and self.area is not None:
            self.budget.append((self.task.index, n - self.task.lag_windows, self._integrals(whole)))
        return whole

    def _integrals(self, values: Floats) -> list[Any]:
        """Exact sums of area x flux of every flux of the delivery."""
        assert self.area is not None
        out: list[Any] = []
        row = 0
        # the normalisation by the covered part is undone: area is the covered area; a diluted value has the whole cell
        remap = self.task.remap  # (a correction to conserve has the areas of whole cells at once)
        diluted = remap.normalization == "destarea" and not remap.conserve and self.task.kind == "connection"
        weight = np.divide(self.area, self.covered, out=np.zeros(self.cells), where=self.covered > 0)
        weight = weight if diluted else self.area
        for f in self.delivery.fields:
            if f.conserved:
                out.append((f.name, exact_bins(values[row : row + f.columns] * weight)))
            row += f.columns
        return out

    def in_flight(self, time: int) -> int:
        """Deliveries that exist at `time` for intervals that have not begun."""
        last = time // self.task.period - 1 + self.task.lag_windows
        return max(0, last - self.interval)

    def drain(self) -> bool:
        """Take in one delivery ahead of its time, to be kept in the restart; False if it is not there yet."""
        if not all(box.ready() for box in self._boxes):
            return False
        if self._lent:
            self.held = self.held.copy()
        n = self.interval + 1 + len(self._queue)
        self._queue.append(self._receive(n).copy())
        self._return()
        return True

    @property
    def queued(self) -> int:
        """Deliveries taken in ahead of their time."""
        return len(self._queue)

    def state(self) -> dict[str, Any]:
        """What is held, and what is in flight."""
        return {"interval": self.interval, "held": self.held.copy(), "queue": [q.copy() for q in self._queue]}

    def begin(self, time: int) -> None:
        """Start at `time` with nothing held: the next step waits for the delivery of its interval."""
        self.interval = time // self.task.period - 1

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what was held and in flight."""
        self.interval = int(state["interval"])
        self.held = np.ascontiguousarray(state["held"])
        self._queue = collections.deque(np.ascontiguousarray(q) for q in state["queue"])
