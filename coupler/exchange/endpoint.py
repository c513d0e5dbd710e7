# SPDX-License-Identifier: BSD-3-Clause
"""A component's side of all its exchanges on one rank: put, get, restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.component import as_block
from coupler.errors import DeadlineError, ExchangeError, RestartError, ValueCheckError
from coupler.exchange.mapping import first_bad
from coupler.exchange.merge import Merge, Share
from coupler.exchange.receiver import Receiver
from coupler.exchange.routes import Route
from coupler.exchange.sender import NOTHING, SENT, Sender
from coupler.exchange.transport import Transport, wait_until
from coupler.fields import FieldSpec, conversion, is_water
from coupler.plan import ComponentPlan, Plan

Floats = npt.NDArray[np.float64]


class Endpoint:
    """Puts the exports of a component into its windows and gets its imports.

    Parameters
    ----------
    plan, component : Plan, ComponentPlan
        The plan and the component.
    rank : int
        This rank within the component.
    cells : mapping of str to ndarray
        Flat numbers of this rank's cells, for each grid of the component.
    shapes : mapping of str to tuple
        Shape of this rank's block, for each grid.
    routes : list of Route
        All routes of this component's rank.
    transport : Transport
        Messages.
    progress : callable
        Other work of this process, done while waiting.
    """

    def __init__(
        self,
        plan: Plan,
        component: ComponentPlan,
        rank: int,
        cells: Mapping[str, npt.NDArray[np.int64]],
        shapes: Mapping[str, tuple[int, ...]],
        routes: list[Route],
        transport: Transport,
        progress: Callable[[], Any],
    ):
        self.plan, self.component, self.rank = plan, component, rank
        self.cells, self.shapes = cells, shapes
        self.progress = progress
        self.waited = 0.0

        def of(task: int, slot: int, outgoing: bool) -> list[Route]:
            return [r for r in routes if (r.task, r.slot, r.outgoing) == (task, slot, outgoing)]

        self.senders = [
            Sender(plan, t, i, cells[t.inputs[i].grid].size, of(t.index, i, False), transport, cells[t.inputs[i].grid])
            for t, i in plan.inputs_of(component.name)
        ]
        self.receivers = [
            Receiver(plan, t, i, cells[t.outputs[i].grid].size, of(t.index, i, True), transport)
            for t, i in plan.outputs_of(component.name)
        ]
        self._masks = {
            name: np.ascontiguousarray(np.asarray(grid.mask).reshape(-1)[cells[name]])
            for name, grid in component.grids.items()
        }
        self._exports = {
            f.name: (f, conversion(f.units, f.standard_units, is_water(f.name))) for f in component.exports
        }
        self._sources = {f.name: self._contributions(f) for f in component.imports}
        self.imports: dict[str, Floats] = {}
        self.last_exchange = 0
        self._restored: list[Sender] = []
        self._merges: dict[str, Merge] = {}
        for f in component.imports:
            if self._sources[f.name]:
                self._merges[f.name] = Merge(f, [_share(r, k) for r, k, _ in self._sources[f.name]], self._has_holes(f))

    # ---------------------------------------------------------------- put

    def put(self, name: str, time: int, values: npt.ArrayLike) -> str:
        """Give one export valid at `time`; returns ``sent``, ``accumulated`` or ``nothing due``.

        Parameters
        ----------
        name : CF name of the export
        time : model time at which it is valid, s
        values : this rank's block, ([level,] y, x)

        Raises
        ------
        ExchangeError
            Not an export of this component, or an array of a wrong shape.
        ValueCheckError
            A value that is not finite or outside the plausible range of the field.
        """
        return self._put(name, time, self._standard(name, time, values))

    def fitting(self, name: str, values: npt.ArrayLike) -> tuple[FieldSpec, tuple[int, ...]]:
        """The declaration of an export and the shape of this rank's block.

        Parameters
        ----------
        name : CF name of the export
        values : this rank's block

        Raises
        ------
        ExchangeError
            Not an export of this component, or an array of a wrong shape.
        """
        if name not in self._exports:
            raise ExchangeError(
                f"{self.component.name} puts {name!r}, which it does not export; it exports {', '.join(self._exports)}"
            )
        spec, _ = self._exports[name]
        shape = self.shapes[spec.grid]
        shape = (spec.levels, *shape) if spec.levels else shape
        given = np.shape(values)
        if given != shape and given != ():
            raise ExchangeError(
                f"{self.component.name} puts {name} with the shape {given}; its grid "
                f"{self.component.grids[spec.grid].name!r} has {shape} cells on this rank"
            )
        return spec, shape

    def _standard(self, name: str, time: int, values: npt.ArrayLike) -> Floats:
        spec, shape = self.fitting(name, values)
        _, (factor, offset) = self._exports[name]
        array = as_block(values, shape)
        if (factor, offset) != (1.0, 0.0):
            array = array * factor + offset
        if self.plan.check_values:
            self._check_values(spec, time, array)
        return array.reshape(spec.columns, -1)

    def _put(self, name: str, time: int, values: Floats) -> str:
        action = NOTHING
        for sender in self.senders:
            if name in sender.names:
                done = sender.put(name, time, values)
                action = done if action != SENT else action
                if done == SENT:
                    self.last_exchange = time
        return action

    def put_all(self, fields: Mapping[str, npt.ArrayLike], time: int) -> None:
        """Give all exports valid at `time`.

        Parameters
        ----------
        fields : this rank's blocks by CF name
        time : model time at which they are valid, s
        """
        wanted = {n for s in self.senders for n in s.names}
        missing = wanted - set(fields)
        if missing and any(
            not (s.bundle.statistic == "instant" and time % s.task.period) and missing & set(s.names)
            for s in self.senders
        ):
            raise ExchangeError(f"{self.component.name} did not return its exports {', '.join(sorted(missing))}")
        for name, values in fields.items():
            if name in wanted:
                self.put(name, time, values)
            else:
                self.fitting(name, values)

    def put_initial(self, fields: Mapping[str, npt.ArrayLike], time: int = 0) -> None:
        """Give the exports at the start, which serve where a lag reaches back beyond it.

        After `restore` they serve the rules that the restart does not know; `time` is the restart's, s.
        """
        senders = [s for s in self.senders if s.task.lag and s not in self._restored]
        wanted = {n for s in senders for n in s.names}
        missing = wanted - set(fields)
        if missing:
            raise ExchangeError(
                f"{self.component.name}: initialize returned no {', '.join(sorted(missing))}, which a rule with a lag "
                "sends at the start"
            )
        for name in fields:
            self.fitting(name, fields[name])
        ready = {n: self._standard(n, time, fields[n]) for n in wanted}
        for sender in senders:
            sender.put_initial(ready, time)

    def _check_values(self, spec: FieldSpec, time: int, values: Floats) -> None:
        low, high = spec.valid_range or (-np.inf, np.inf)
        low, high = max(low, -1e300), min(high, 1e300)
        mask = self._masks[spec.grid]
        bad = first_bad(values.reshape(-1), mask, low, high)
        if bad < 0:
            return
        level, cell = divmod(bad, mask.size)
        flat = int(self.cells[spec.grid][cell])
        grid = self.component.grids[spec.grid]
        where = np.unravel_index(flat, grid.shape)
        lon, lat = grid.longitude.reshape(-1)[flat], grid.latitude.reshape(-1)[flat]
        value = values.reshape(-1)[bad]
        what = "is not finite" if not np.isfinite(value) else f"is outside {low:g} .. {high:g}"
        raise ValueCheckError(
            f"{self.component.name}: {spec.name} {what}: {value:g} {spec.standard_units} in cell "
            f"{tuple(int(i) for i in where)}{f', level {level}' if spec.levels else ''} ({lon:.2f} E, {lat:.2f} N) "
            f"of grid {grid.name!r}, rank {self.rank}, at {self.plan.clock.text(time)}"
        )

    # ---------------------------------------------------------------- get

    def _contributions(self, spec: FieldSpec) -> list[tuple[Receiver, int, int]]:
        """Receivers that bring a field, with the field's number and its first column; in no order of the namelist's."""
        found = []
        for r in sorted(self.receivers, key=lambda r: r.task.key):
            row = 0
            for k, f in enumerate(r.delivery.fields):
                if f.name == spec.name:
                    found.append((r, k, row))
                row += f.columns
        return found

    def _has_holes(self, spec: FieldSpec) -> bool:
        """Whether cells can be without a source; active ones must not, unless the field is ``partial``."""
        sources = self._sources[spec.name]
        total = sum(r.covered for r, _, _ in sources)
        open_cells = np.flatnonzero((np.asarray(total) <= 0.0) & self._masks[spec.grid])
        if open_cells.size and not spec.partial:
            grid = self.component.grids[spec.grid]
            flat = int(self.cells[spec.grid][open_cells[0]])
            lon, lat = grid.longitude.reshape(-1)[flat], grid.latitude.reshape(-1)[flat]
            rules = " and ".join(r.task.name for r, _, _ in sources)
            raise ExchangeError(
                f"{self.component.name}: {open_cells.size} active cells on rank {self.rank} get no {spec.name} from "
                f"{rules}; the first is at {lon:.2f} E, {lat:.2f} N. Let a second method fill them, for example "
                "remap: [conservative, nearest], or make the source's grid larger"
            )
        return any(r.delivery.fraction for r, _, _ in sources) or bool(np.any(np.asarray(total) <= 0.0))

    def get_all(self, time: int) -> dict[str, Floats]:
        """Imports for the step that begins at `time`, waiting where they are still to come."""
        due = [r for r in self.receivers if r.due(time)]
        if due:
            self._wait(due, time)
            for r in due:
                r.advance(time)
            self.last_exchange = time
        if due or not self.imports:
            fresh = {id(r) for r in due}
            for f in self.component.imports:
                sources = self._sources[f.name]
                if sources and (f.name not in self.imports or any(id(r) in fresh for r, _, _ in sources)):
                    self.imports[f.name] = self._merge(f, sources)
        return self.imports

    def _wait(self, due: list[Receiver], time: int) -> None:
        def ready() -> bool:
            self.progress()
            return all(r.ready() for r in due)

        def late(waited: float) -> Exception:
            lacking = [r for r in due if not r.ready()]
            names = "; ".join(
                f"{' and '.join(b.component for b in r.task.inputs)} ({r.task.name}: the window up to "
                f"{self.plan.clock.text(r.task.needed_until(time))})"
                for r in lacking
            )
            return DeadlineError(
                f"{self.component.name} rank {self.rank} waits at {self.plan.clock.text(time)} for {names}, for "
                f"{waited:.0f} s; its last exchange was at {self.plan.clock.text(self.last_exchange)} "
                f"(deadline: {self.plan.deadline:.0f} s, key 'deadline' of case.yaml)"
            )

        if not ready():
            self.waited += wait_until(ready, self.plan.deadline, late)

    def _merge(self, spec: FieldSpec, sources: list[tuple[Receiver, int, int]]) -> Floats:
        values = [r.held[row : row + spec.columns] for r, _, row in sources]
        covers = [r.held[-1] if r.delivery.fraction else r.covered for r, _, _ in sources]
        shape = self.shapes[spec.grid]
        result = self._merges[spec.name](values, covers).reshape((spec.levels, *shape) if spec.levels else shape).view()
        result.flags.writeable = False
        return result

    def fraction(self, name: str) -> Floats:
        """Fraction of each cell that the sources of an import cover."""
        spec = self.component.imported(name)
        assert spec is not None
        total = np.zeros(self.cells[spec.grid].size)
        for receiver, _, _ in self._sources[name]:
            total += receiver.held[-1] if receiver.delivery.fraction else receiver.covered
        return total.reshape(self.shapes[spec.grid])

    # ---------------------------------------------------------------- restart

    def drain(self, time: int) -> None:
        """Take in everything that is in flight at `time`, so that a restart can hold it."""

        def ready() -> bool:
            self.progress()
            for r in self.receivers:
                while r.queued < r.in_flight(time) and r.drain():
                    pass
            return all(r.queued >= r.in_flight(time) for r in self.receivers)

        def late(waited: float) -> Exception:
            lacking = ", ".join(r.task.name for r in self.receivers if r.queued < r.in_flight(time))
            return DeadlineError(
                f"{self.component.name}: nothing came of {lacking} for a restart within {waited:.0f} s"
            )

        if not ready():
            self.waited += wait_until(ready, self.plan.deadline, late)

    def save(self, time: int, whole: Callable[[Floats, str], Any]) -> dict[str, Any]:
        """Everything of the exchanges that a restart at `time` needs.

        Parameters
        ----------
        time : int
            Model time, s.
        whole : callable
            Gathers ``[column, cell]`` of this rank, given the grid's name, into the whole field (None off the
            first rank).
        """
        self.drain(time)
        arrays: dict[str, Any] = {}
        for s in self.senders:
            key, state = f"window.{s.task.key}.{s.slot}", s.state()
            arrays[f"{key}.count"] = np.asarray(state["count"])
            if state["count"]:
                arrays[f"{key}.values"] = whole(state["values"], s.bundle.grid)
        for r in self.receivers:
            key, state = f"held.{r.task.key}.{r.slot}", r.state()
            arrays[f"{key}.interval"] = np.asarray(state["interval"])
            arrays[f"{key}.values"] = whole(state["held"], r.delivery.grid)
            arrays[f"{key}.queued"] = np.asarray(len(state["queue"]))
            for k, queued in enumerate(state["queue"]):
                arrays[f"{key}.queue{k}"] = whole(queued, r.delivery.grid)
        return arrays

    def restore(self, arrays: Mapping[str, Any], local: Callable[[Any, str], Floats], time: int) -> None:
        """Restore what `save` gave at `time`; rules that it does not know begin with `put_initial`.

        Parameters
        ----------
        arrays : mapping
            What `save` gave.
        local : callable
            Cuts this rank's ``[column, cell]`` out of a whole field, given the grid's name.
        time : int
            Model time of the restart, s.

        Parameters
        ----------
        arrays : whole fields of the restart by key
        local : cuts this rank's part out of a whole field

        Raises
        ------
        RestartError
            What is there of a rule does not fit it.
        """
        try:
            for s in self.senders:
                key = f"window.{s.task.key}.{s.slot}"
                if f"{key}.count" not in arrays:
                    continue
                self._restored.append(s)
                count = int(arrays[f"{key}.count"])
                if count:
                    s.restore({"count": count, "values": local(arrays[f"{key}.values"], s.bundle.grid)})
            for r in self.receivers:
                key, grid = f"held.{r.task.key}.{r.slot}", r.delivery.grid
                if f"{key}.interval" not in arrays:
                    r.begin(time)
                    continue
                queue = [local(arrays[f"{key}.queue{k}"], grid) for k in range(int(arrays[f"{key}.queued"]))]
                held = local(arrays[f"{key}.values"], grid)
                r.restore({"interval": int(arrays[f"{key}.interval"]), "held": held, "queue": queue})
        except (KeyError, ValueError) as error:
            raise RestartError(
                f"the restart does not fit the exchanges of {self.component.name} ({error}): the rules in case.yaml, "
                "or the fields of a model, have changed since it was written"
            ) from error

    @property
    def begins(self) -> bool:
        """Whether some rule with a lag waits for `put_initial`."""
        return any(s.task.lag and s not in self._restored for s in self.senders)

    def budgets(self) -> list[tuple[str, int, int, list[Any]]]:
        """Budget entries since the last call: (side, task, window, integrals)."""
        out: list[tuple[str, int, int, list[Any]]] = []
        for s in self.senders:
            out += [("sent", *entry) for entry in s.budget]
            s.budget = []
        for r in self.receivers:
            out += [(f"received:{r.slot}", *entry) for entry in r.budget]
            r.budget = []
        return out

    def books(self) -> list[tuple[str, int]]:
        """Sides of tasks whose windows this rank gives a budget entry each."""
        if not self.plan.check_budget:
            return []
        sent = [("sent", s.task.index) for s in self.senders if s.books]
        return sent + [(f"received:{r.slot}", r.task.index) for r in self.receivers if r.area is not None]


def _share(receiver: Receiver, k: int) -> Share:
    """How the `k`-th field of a delivery is meant."""
    d = receiver.delivery
    return Share(d.scale[k], d.offset[k], d.fraction, receiver.task.remap.normalization == "destarea")
