# SPDX-License-Identifier: BSD-3-Clause
"""One component on one process: its steps with all that belongs to them, its part of a restart."""

from __future__ import annotations

import contextlib
import hashlib
import time as wall
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from coupler.component import Context, OnGrid
from coupler.errors import ComponentError, TesseraError
from coupler.exchange import answers
from coupler.exchange.control import Grants, Pilot
from coupler.exchange.endpoint import Endpoint
from coupler.exchange.partition import Partitions
from coupler.exchange.routes import Route
from coupler.exchange.transport import Transport
from coupler.files import restart as restart_files
from coupler.files.history import HistoryStream
from coupler.grids.decomposition import Decomposition
from coupler.plan import ComponentPlan, Plan
from coupler.watch.timing import Timer
from coupler.watch.watchdog import Watchdog


class Host(Protocol):
    """What a component needs of the process that it runs on."""

    plan: Plan
    transport: Transport
    groups: dict[str, Any]
    grants: Grants
    timer: Timer
    watch: Watchdog
    threads: int

    def log(self, text: str) -> None:
        """One line of the run's log."""

    def progress(self) -> None:
        """Do what there is to do for the coupler."""


class Failure(Exception):
    """A component's own exception, with where and when it happened."""

    def __init__(self, component: str, rank: int, date: str, call: str = ""):
        self.component, self.rank, self.date, self.call = component, rank, date, call
        super().__init__(f"{component}, rank {rank}, at {date}")


class Member:
    """One component on this process: its object, context, exchanges and history."""

    def __init__(self, process: Host, component: ComponentPlan, routes: list[Route], parts: Partitions, start: int):
        plan, transport = process.plan, process.transport
        self.plan, self.component = plan, component
        self.name, self.model = component.name, component.component
        assert self.model is not None
        self.rank = component.ranks.index(transport.rank)
        self.watch, self.call, self.now = process.watch, "", start
        comm = process.groups[component.name]
        decompositions = {name: Decomposition(g.shape, comm, self._waiting) for name, g in component.grids.items()}
        self.context = Context(
            name=component.name, clock=plan.clock, step=component.step, duration=plan.duration,
            grid=component.grids["default"], folder=plan.folder, seed=plan.seed, grids=component.grids,
            decompositions=decompositions, device=component.device, threads=process.threads, logger=process.log,
        )  # fmt: skip
        self.timer = process.timer
        cells = {name: parts.cells(component.name, self.rank, name) for name in component.grids}
        shapes = {name: d.local_shape for name, d in decompositions.items()}
        self.endpoint = Endpoint(plan, component, self.rank, cells, shapes, routes, transport, process.progress)
        self.pilot = Pilot(plan, component, transport.rank, transport, process.grants, process.progress)
        self.pilot.register(self.endpoint.books())
        self.streams = [HistoryStream(plan, component, s, self.context, start) for s in component.streams]

    def begin(self, arrays: Mapping[str, Any] | None, start: int) -> None:
        """Initialise the component, from a restart if there is one.

        Parameters
        ----------
        arrays : of the restart by name, or None
        start : model time at which the run begins, s
        """
        assert self.model is not None
        with self.timer.measure(self.name, "computing"), self.calling("initialize"):
            exports = answers.exports(self.name, "initialize", self.model.initialize(self.context))
        if arrays is None:
            with self.timer.measure(self.name, "sending"):
                self.endpoint.put_initial(exports)
        else:
            with self.timer.measure(self.name, "writing"):
                self._restore(arrays, exports, start)

    def step(self, time: int) -> None:
        """One step from `time`, with everything that belongs to it."""
        assert self.model is not None
        end = time + self.component.step
        before, start = self.endpoint.waited, wall.perf_counter()
        imports = self.endpoint.get_all(time)
        waited = self.endpoint.waited - before
        self.timer.add(self.name, "waiting", start, start + waited)
        self.timer.add(self.name, "sending", start + waited, wall.perf_counter())
        self.now = time
        with self.timer.measure(self.name, "computing"), self.calling("step"):
            exports = answers.exports(self.name, "step", self.model.step(time, self.component.step, imports))
        with self.timer.measure(self.name, "sending"):
            self.endpoint.put_all(exports, end)
        if self.streams:
            with self.timer.measure(self.name, "writing"):
                fields = {**imports, **exports}
                wanted = {n for s in self.streams if s.takes(end) for n in s.stream.fields} - set(fields)
                if wanted:
                    fields |= self._diagnostics(wanted)
                with self.watch.watching(lambda: f"{self._who()}: its history is not written yet"):
                    for stream in self.streams:
                        stream.add(end, fields)
        self.pilot.alive()

    def _diagnostics(self, wanted: set[str]) -> dict[str, Any]:
        """Those of the component's further fields that output takes now: the others need not be computed."""
        assert self.model is not None
        with self.calling("diagnostics"):
            given = self.model.diagnostics()
            if isinstance(given, Mapping) and not isinstance(given, dict):  # computes a field when it is asked for
                given = {n: given[n] for n in wanted if n in given}
            return dict(answers.exports(self.name, "diagnostics", given))

    @contextlib.contextmanager
    def calling(self, call: str) -> Iterator[None]:
        """The component's own code runs: its time is watched, and an error belongs to it."""
        self.call = call
        with self.watch.watching(lambda: f"{self._who()}: {call} has not returned"):
            yield
        self.call = ""

    def _waiting(self, what: str) -> Any:
        return self.watch.watching(
            lambda: f"{self._who()}: waits in {self.call or 'a restart or history'} for the other ranks ({what})",
            waits=True,
        )

    def _who(self) -> str:
        return f"{self.name}, rank {self.rank}, at {self.plan.clock.text(self.now)}"

    # ---------------------------------------------------------------- restart

    def save(self, time: int) -> None:
        """Write this component's part of the restart at `time`."""
        assert self.model is not None
        exchanges = self.endpoint.save(time, self._whole_columns)
        self.now = time
        with self.timer.measure(self.name, "writing"):
            with self.calling("state"):
                state = answers.state(self.name, self.model.state())
            names = self._agreed(state)
            arrays: dict[str, Any] = {f"state.{name}": self._whole(name, state[name]) for name in names}
            arrays.update(exchanges)
            for stream in self.streams:
                for name, value in stream.state().items():
                    arrays[f"history.{stream.stream.name}.{name}"] = value
            entry = None
            if self.rank == 0:
                date = restart_files.set_name(self.plan.clock.text(time))
                folder = self.plan.folder / "run" / "restart" / f".{date}.part"
                with self.watch.watching(lambda: f"{self._who()}: its restart is not written yet"):
                    entry = restart_files.write_part(folder, self.name, arrays)
            self.pilot.saved(time, entry, self.endpoint.budgets())

    def _agreed(self, state: Mapping[str, Any]) -> list[str]:
        """Names of a state in the first rank's order; refused where what is no block of a grid differs by rank."""
        said: dict[str, str] = {}
        for name, value in state.items():
            grid, array, block = self._placed(name, value)
            said[name] = f"a block of grid {grid!r}" if block else f"one and the same on all ranks, {_digest(array)}"
        everybody = self.context.decomposition.share(said, "what their states hold")
        for rank, other in enumerate(everybody):
            for name in {**everybody[0], **other}:
                if other.get(name) != everybody[0].get(name):
                    raise ComponentError(
                        f"{self.name}: state returned another {name} on rank {rank} than on rank 0 "
                        f"({other.get(name, 'nothing')}; {everybody[0].get(name, 'nothing')}), and it is not a block "
                        "of a grid; expected arrays of this rank's cells, or what is the same on all ranks"
                    )
        return list(everybody[0])

    def _placed(self, name: str, value: Any) -> tuple[str, npt.NDArray[Any], bool]:
        """Grid and array of an entry of the state, and whether it is this rank's block of the grid."""
        grid = "default"
        if isinstance(value, OnGrid):
            grid, value = value.grid, value.values
            if grid not in self.context.decompositions:
                raise ComponentError(
                    f"{self.name}: state returned {name} on the grid {grid!r}; its grids are "
                    f"{', '.join(self.context.decompositions)}"
                )
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
        local = self.context.decompositions[grid].local_shape
        return grid, array, array.ndim >= len(local) and array.shape[-len(local) :] == local

    def _whole(self, name: str, value: Any) -> Any:
        grid, array, block = self._placed(name, value)
        return self.context.decompositions[grid].gather(array) if block else array

    def _whole_columns(self, values: Any, grid: str) -> Any:
        d = self.context.decompositions[grid]
        return d.gather(np.ascontiguousarray(values).reshape(-1, *d.local_shape))

    def _local_columns(self, whole: Any, grid: str) -> Any:
        d = self.context.decompositions[grid]
        return np.ascontiguousarray(d.local(whole).reshape(whole.shape[0], -1))

    def _restore(self, arrays: Mapping[str, Any], exports: Mapping[str, Any], start: int) -> None:
        assert self.model is not None
        self.endpoint.restore(arrays, self._local_columns, start)
        if self.endpoint.begins:  # before the model is restored, whose arrays its exports may be
            self.endpoint.put_initial(exports, start)
        shapes = {name: grid.shape for name, grid in self.component.grids.items()}
        state: dict[str, Any] = {}
        for name, value in arrays.items():
            if name.startswith("state."):
                fit = [g for g, s in shapes.items() if value.ndim >= len(s) and value.shape[-len(s) :] == s]
                state[name[6:]] = self.context.decompositions[fit[0]].local(value) if fit else value
        with self.calling("restore"):
            self._taken_up(state)
        for stream in self.streams:
            prefix = f"history.{stream.stream.name}."
            stream.restore({n[len(prefix) :]: v for n, v in arrays.items() if n.startswith(prefix)})

    def _taken_up(self, state: Mapping[str, Any]) -> None:
        """Let the model restore; where it cannot, say which arrays are not those that it has."""
        assert self.model is not None
        try:
            self.model.restore(state)
        except TesseraError:
            raise
        except Exception as error:
            own = {n: _shape(v.values if isinstance(v, OnGrid) else v) for n, v in self.model.state().items()}
            there = {name: _shape(value) for name, value in state.items()}
            wrong = [f"{name} is not in the restart" for name in own.keys() - there.keys()]
            wrong += [f"{name} is in the restart only" for name in there.keys() - own.keys()]
            wrong += [
                f"{name} has the shape {there[name]} in the restart, {own[name]} now"
                for name in own.keys() & there.keys()
                if own[name] != there[name]
            ]
            if not wrong:
                raise
            raise ComponentError(
                f"{self.name}: cannot restore the state of the restart ({type(error).__name__}: {error}): "
                f"{'; '.join(sorted(wrong)[:6])}{f'; and {len(wrong) - 6} more' if len(wrong) > 6 else ''}. Put the "
                "options back that shape it; a state from before the model had these is continued by the version that "
                "wrote it; or start anew without --continue"
            ) from error

    def finish(self) -> None:
        """Last words of the component."""
        assert self.model is not None
        with self.calling("call_seconds"):
            self.timer.calls[self.name] = list(self.model.call_seconds())
        with self.calling("finalize"):
            self.model.finalize()
        for stream in self.streams:
            stream.close()
        self.pilot.finish()


def _digest(array: npt.NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]}"


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
