# SPDX-License-Identifier: BSD-3-Clause
"""The source's side of a task: samples in, one message a period and coupler rank out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import ExchangeError
from coupler.exact_sum import exact_bins
from coupler.exchange.mapping import HEADER, header_rows, pack
from coupler.exchange.routes import Route, input_tag, output_tag
from coupler.exchange.transport import Transport
from coupler.exchange.waterways import mouths_beyond
from coupler.plan import Plan, Task
from coupler.watch.budget import BEYOND
from coupler.window import Window

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
NOTHING, ACCUMULATED, SENT = "nothing due", "accumulated", "sent"


class Sender:
    """Collects the fields of one bundle on one rank of its component and sends their windows.

    Parameters
    ----------
    plan : Plan
        Plan of the run.
    task : Task
        The task.
    slot : int
        Which of its inputs.
    cells : int
        Cells of this rank.
    routes : list of Route
        Where the cells go.
    transport : Transport
        Messages.
    numbers : int64 array, optional
        Of the cells in the whole grid: what flows out of them and reaches nobody is then booked by name.
    """

    def __init__(
        self, plan: Plan, task: Task, slot: int, cells: int, routes: list[Route], transport: Transport,
        numbers: Index | None = None,
    ):  # fmt: skip
        self.plan, self.task, self.slot = plan, task, slot
        self.bundle = task.inputs[slot]
        self.direct = task.route == "direct"
        columns = self.bundle.columns - (1 if self.bundle.fraction else 0)
        self.window = Window(columns, cells, self.bundle.statistic, self.bundle.fraction is not None)
        self.routes = routes
        tag = output_tag(task.index, 0) if self.direct else input_tag(task.index, slot)
        c = self.bundle.columns
        self._whole = [np.array_equal(r.positions, np.arange(cells)) for r in routes]
        self._boxes = [
            transport.outbox(r.peer, tag, self._size(r.positions.size, c), task.lag_windows + 3) for r in routes
        ]
        self._waiting: dict[str, Floats] = {}
        self.budget: list[tuple[int, int, list[Any]]] = []
        self._areas = self._sum_areas(cells)
        self._beyond: dict[str, Index] = {}
        if numbers is not None and self.bundle.fields[0].kind == "outflow":
            self._areas = np.zeros(cells) if self._areas is None else self._areas
            self._beyond = mouths_beyond(plan, task, numbers, self._areas)

    def _size(self, cells: int, columns: int) -> int:
        return HEADER + cells * columns if self.direct else (header_rows(columns) + cells) * columns

    def _sum_areas(self, cells: int) -> Floats | None:
        if not self.routes or any(r.area is None for r in self.routes):
            return None
        total = np.zeros(cells)
        for r in self.routes:
            assert r.area is not None
            total[r.positions] += r.area
        return total

    @property
    def books(self) -> bool:
        """Whether every window sent makes an entry of the budget."""
        return self.plan.check_budget and self._areas is not None

    @property
    def names(self) -> list[str]:
        """Fields of the bundle, the fraction last."""
        extra = [self.bundle.fraction.name] if self.bundle.fraction else []
        return [f.name for f in self.bundle.fields] + extra

    def put(self, name: str, time: int, values: Floats) -> str:
        """Take one field valid at `time`; returns what happened.

        Parameters
        ----------
        name : CF name of the field
        time : model time at which it is valid, s
        values : (levels, cells)
        """
        if self.bundle.statistic == "instant" and time % self.task.period:
            return NOTHING
        self._waiting[name] = values
        if len(self._waiting) < len(self.names):
            return ACCUMULATED
        samples = [self._waiting[f.name] for f in self.bundle.fields]
        fraction = self._waiting[self.bundle.fraction.name].reshape(-1) if self.bundle.fraction else None
        self._waiting = {}
        self.window.add(samples, fraction)
        if time % self.task.period:
            return ACCUMULATED
        self._send(self.window.take(), time // self.task.period - 1, time)
        return SENT

    def put_initial(self, fields: Mapping[str, Floats], time: int = 0) -> None:
        """Send the initial exports as the windows before the start at `time`, one for every period of lag.

        Parameters
        ----------
        fields : (levels, cells) by CF name
        time : model time of the start, s
        """
        if self.task.lag == 0:
            return
        samples = [fields[f.name] for f in self.bundle.fields]
        fraction = fields[self.bundle.fraction.name].reshape(-1) if self.bundle.fraction else None
        self.window.add(samples, fraction)
        values = self.window.take()
        for k in range(self.task.lag_windows, 0, -1):
            self._send(values, time // self.task.period - k, time)

    def _send(self, values: Floats, window: int, time: int) -> None:
        columns = values.shape[0]
        for route, box, whole in zip(self.routes, self._boxes, self._whole, strict=True):
            buffer = box.buffer()
            buffer[0], buffer[1], buffer[2] = self.task.index, window, time
            if self.direct:
                payload = buffer[HEADER:].reshape(columns, -1)
                payload[...] = values if whole else values[:, route.positions]
            elif columns == 1 and whole:
                buffer[header_rows(1) :] = values[0]
            else:
                matrix = buffer.reshape(-1, columns)[header_rows(columns) :]
                pack(values, route.positions, matrix)
            box.send(buffer)
        if self.books:
            self.budget.append((self.task.index, window, self._integrals(values)))

    def _integrals(self, values: Floats) -> list[Any]:
        """Exact sums of area x flux, and of its absolute value, of every flux of the bundle."""
        assert self._areas is not None
        out: list[Any] = []
        row = 0
        for f in self.bundle.fields:
            if f.conserved:
                product = np.where(self._areas > 0, values[row : row + f.columns] * self._areas, 0.0)
                out.append((f.name, exact_bins(product), float(np.abs(product).sum())))
                for name, mouths in self._beyond.items():
                    lost = values[row : row + f.columns, mouths]
                    out.append((f"{f.name}{BEYOND}{name}", exact_bins(lost), float(np.abs(lost).sum())))
            row += f.columns
        return out

    def state(self) -> dict[str, Any]:
        """The window as it stands."""
        if self._waiting:
            raise ExchangeError(f"{self.task.name}: only {', '.join(self._waiting)} was put before the restart")
        return self.window.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a window."""
        self.window.restore(state)
