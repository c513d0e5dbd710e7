"""The loop of a process: its components' steps in the plan's order, and its share of the coupler."""

from __future__ import annotations

import os
import signal
import time as wall
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coupler.component import Context, OnGrid
from coupler.errors import ExchangeError, RestartError
from coupler.exchange import schedule
from coupler.exchange.control import Controller, Grants, Pilot
from coupler.exchange.endpoint import Endpoint
from coupler.exchange.partition import Partitions
from coupler.exchange.process import CouplerRank
from coupler.exchange.routes import TAG_CONTROL, TAG_ROUTE, Route, check_tags
from coupler.exchange.transport import Transport, wait_until
from coupler.files import restart as restart_files
from coupler.files.history import HistoryStream
from coupler.grids.decomposition import Decomposition
from coupler.plan import ComponentPlan, Plan
from coupler.watch.timing import Timer, write_trace

FINISHED, STOPPED = "finished", "stopped"


class Failure(Exception):
    """A component's own exception, with where and when it happened."""

    def __init__(self, component: str, rank: int, date: str):
        self.component, self.rank, self.date = component, rank, date
        super().__init__(f"{component}, rank {rank}, at {date}")


class Member:
    """One component on this process: its object, context, exchanges and history."""

    def __init__(self, process: Process, component: ComponentPlan, routes: list[Route], parts: Partitions, start: int):
        plan, transport = process.plan, process.transport
        self.plan, self.component = plan, component
        self.name, self.model = component.name, component.component
        assert self.model is not None
        self.rank = component.ranks.index(transport.rank)
        comm = process.groups[component.name]
        decompositions = {name: Decomposition(grid.shape, comm) for name, grid in component.grids.items()}
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
        with self.timer.measure(self.name, "computing"):
            exports = self.model.initialize(self.context)
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
        with self.timer.measure(self.name, "computing"):
            exports = self.model.step(time, self.component.step, imports)
        with self.timer.measure(self.name, "sending"):
            self.endpoint.put_all(exports, end)
        if self.streams:
            with self.timer.measure(self.name, "writing"):
                fields = {**imports, **exports}
                wanted = {n for s in self.streams for n in s.stream.fields}
                if wanted - set(fields):
                    fields = {**fields, **self.model.diagnostics()}
                for stream in self.streams:
                    stream.add(end, fields)

    # ---------------------------------------------------------------- restart

    def save(self, time: int) -> None:
        """Write this component's part of the restart at `time`."""
        assert self.model is not None
        exchanges = self.endpoint.save(time, self._whole_columns)
        with self.timer.measure(self.name, "writing"):
            arrays: dict[str, Any] = {f"state.{name}": self._whole(v) for name, v in self.model.state().items()}
            arrays.update(exchanges)
            for stream in self.streams:
                for name, value in stream.state().items():
                    arrays[f"history.{stream.stream.name}.{name}"] = value
            entry = None
            if self.rank == 0:
                date = restart_files.set_name(self.plan.clock.text(time))
                folder = self.plan.folder / "run" / "restart" / f".{date}.part"
                entry = restart_files.write_part(folder, self.name, arrays)
            self.pilot.saved(time, entry, self.endpoint.budgets())

    def _whole(self, value: Any) -> Any:
        grid = "default"
        if isinstance(value, OnGrid):
            grid, value = value.grid, value.values
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
        local = self.context.decompositions[grid].local_shape
        if array.ndim >= len(local) and array.shape[-len(local) :] == local:
            return self.context.decompositions[grid].gather(array)
        return array

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
        self.model.restore(state)
        for stream in self.streams:
            prefix = f"history.{stream.stream.name}."
            stream.restore({n[len(prefix) :]: v for n, v in arrays.items() if n.startswith(prefix)})

    def finish(self) -> None:
        """Last words of the component."""
        assert self.model is not None
        self.timer.calls[self.name] = list(self.model.call_seconds())
        self.model.finalize()
        for stream in self.streams:
            stream.close()
        self.pilot.finish()


class Process:
    """One process of the run.

    Parameters
    ----------
    plan : Plan
        The plan.
    transport : Transport
        Messages.
    restart : Path, optional
        Complete restart set to go on from.
    provenance : dict, optional
        What manifests of restarts should know.
    """

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        restart: Path | None = None,
        provenance: dict[str, Any] | None = None,
        declared: Mapping[tuple[str, int], Any] | None = None,
    ):
        self.plan, self.transport = plan, transport
        self.timer = Timer(plan.trace)
        self.threads = 1
        self.stop_signal = False
        signal.signal(signal.SIGUSR1, self._on_signal)
        if transport.size == 1:  # there is no launcher that passes the wish to stop on
            signal.signal(signal.SIGTERM, self._on_signal)
        self.start = 0 if restart is None else int(restart_files.read_manifest(restart)["time"])
        if restart is not None and self.start >= plan.duration:
            raise RestartError(
                f"the restart {restart.name} is at the end of the run already "
                f"({plan.clock.text(plan.duration)}); raise duration in case.yaml to go on"
            )
        self.restart = restart
        check_tags(len(plan.tasks), transport.largest_tag)
        self.local = plan.on_rank(transport.rank)
        self.groups = {c.name: transport.group(c.ranks) for c in self.local}
        merged: dict[tuple[str, int], Any] = {}
        if any(c.component is None for c in plan.components):
            for item in transport.share(dict(declared or {})):
                merged.update(item)
        self.parts = Partitions(plan, merged)
        self.grants = Grants(plan, transport, self.start)
        transport.listen(not self.local)
        self.controller: Controller | None = None
        self.coupler: CouplerRank | None = None
        if transport.rank == plan.coupler_ranks[0]:
            self.controller = Controller(plan, transport, self.start, provenance or {}, restart)
            self.controller.stop_wanted = lambda: self.stop_signal
        if transport.rank in plan.coupler_ranks:
            index = plan.coupler_ranks.index(transport.rank)
            with self.timer.measure("coupler", "computing"):
                self.coupler = CouplerRank(plan, index, self.parts, transport)
            transport.send_object(plan.coupler_ranks[0], TAG_CONTROL, ("books", self.coupler.books()))
            for process in sorted({r for c in plan.components for r in c.ranks}):
                transport.send_object(process, TAG_ROUTE, None)
        self.routes: list[Route] = self._collect_routes() if self.local else []

    def log(self, text: str) -> None:
        """One line of the run's log."""
        print(text, flush=True)

    def progress(self) -> None:
        """Do what there is to do for the coupler."""
        if self.coupler is not None:
            start = wall.perf_counter()
            if self.coupler.progress():
                self.timer.add("coupler", "computing", start, wall.perf_counter())
                budgets = self.coupler.budgets()
                if budgets:
                    if self.controller is not None:
                        self.controller.budget.add(budgets)
                    else:
                        message = ("arrived", None, self.transport.rank, 0, 0, budgets, False)
                        self.transport.send_object(self.plan.coupler_ranks[0], TAG_CONTROL, message)
        if self.controller is not None:
            self.controller.progress()

    def _collect_routes(self) -> list[Route]:
        """Routes of this process's components, from all coupler ranks; direct ones are found here."""
        routes: list[Route] = []
        ended = 0

        def ready() -> bool:
            nonlocal ended
            while (found := self.transport.poll_object(TAG_ROUTE)) is not None:
                if found[1] is None:
                    ended += 1
                else:
                    routes.append(found[1])
            return ended >= len(self.plan.coupler_ranks)

        wait_until(ready, self.plan.deadline, lambda s: ExchangeError(f"no routes from the coupler since {s:.0f} s"))
        order = {rank: k for k, rank in enumerate(self.plan.coupler_ranks)}
        routes.sort(key=lambda r: (r.task, r.slot, r.outgoing, order[r.peer]))
        for task in self.plan.tasks:
            if task.route == "direct":
                routes.extend(self._direct_routes(task))
        return routes

    def _direct_routes(self, task: Any) -> list[Route]:
        bundle, delivery = task.inputs[0], task.outputs[0]
        grid = self.plan[bundle.component].grids[bundle.grid]
        areas = np.asarray(grid.area).reshape(-1)
        out = []
        for here, there, outgoing in ((bundle, delivery, False), (delivery, bundle, True)):
            mine = self.plan[here.component].ranks
            if self.transport.rank not in mine:
                continue
            own = self.parts.cells(here.component, mine.index(self.transport.rank), here.grid)
            for r, process in enumerate(self.plan[there.component].ranks):
                common = np.intersect1d(own, self.parts.cells(there.component, r, there.grid))
                if common.size:
                    positions = np.flatnonzero(np.isin(own, common))
                    covered = np.ones(positions.size) if outgoing else None
                    area = areas[own[positions]]
                    out.append(Route(task.index, 0, outgoing, here.component, process, positions, area, covered))
        return out

    def run(self) -> str:
        """All steps; returns ``finished`` or ``stopped``."""
        members = {
            c.name: Member(self, c, [r for r in self.routes if r.component == c.name], self.parts, self.start)
            for c in self.local
        }
        for m in members.values():
            arrays = None if self.restart is None else restart_files.read_part(self.restart, m.name)
            self._guard(m, self.start, lambda m=m, a=arrays: m.begin(a, self.start))  # type: ignore[misc]
        outcome = FINISHED
        begin, saved = self.start, -1
        for until in self._segments():
            if not self._segment(members, begin, until):
                outcome = STOPPED
                break
            if until < self.plan.duration:
                for m in members.values():
                    self._guard(m, until, lambda m=m, t=until: m.save(t))  # type: ignore[misc]
                saved = until
            begin = until
        end = self.plan.duration if outcome == FINISHED else int(self.grants.stop_at or 0)
        for m in members.values():
            self._arrive(m, end)
            if end != saved:  # else the stop falls on a periodic restart, whose set may be complete by now
                self._guard(m, end, lambda m=m: m.save(end))  # type: ignore[misc]
            m.finish()
        return self.serve()

    def serve(self) -> str:
        """Go on with the coupler's share until everybody has finished; the outcome of the run."""
        pause = self.transport.pause()
        start, before = wall.perf_counter(), self.timer.seconds["coupler", "computing"]
        if self.controller is not None:
            while not self.controller.done():
                self.progress()
                pause.sleep()
            early = self.controller.stop_at is not None and self.controller.stop_at < self.plan.duration
            outcome = STOPPED if early else FINISHED
            for process in range(self.transport.size):
                if process != self.transport.rank:
                    self.transport.send_object(process, TAG_ROUTE, outcome)
        else:
            while True:
                self.progress()
                found = self.transport.poll_object(TAG_ROUTE)
                if found is not None:
                    outcome = found[1]
                    break
                pause.sleep()
        if not self.local:
            busy = self.timer.seconds["coupler", "computing"] - before
            self.timer.add("coupler", "waiting", start + busy, wall.perf_counter())
        self.transport.flush()
        if self.timer.events is not None:
            rank = self.transport.rank
            write_trace(self.plan.folder / "run" / "trace" / f"rank{rank}.json", rank, self.timer)
        return outcome

    def _segments(self) -> list[int]:
        """Ends of the stretches between restarts."""
        period = self.plan.restart_period
        inner = range((self.start // period + 1) * period, self.plan.duration, period) if period else range(0)
        return [*inner, self.plan.duration]

    def _segment(self, members: Mapping[str, Member], begin: int, until: int) -> bool:
        """Steps from `begin` to `until`; False if everybody stops on the way."""
        stopped: set[str] = set()
        for time, name in self._steps(members, begin, until):
            m = members[name]
            if name in stopped:
                continue
            if time % self.plan.stop_period == 0 and not self._arrive(m, time):
                stopped.add(name)
                if len(stopped) == len(members):
                    return False
                continue
            self._guard(m, time, lambda m=m, t=time: m.step(t))  # type: ignore[misc]
            self.progress()
        return not stopped

    def _steps(self, members: Mapping[str, Member], begin: int, until: int) -> Any:
        if len(members) == 1:
            (member,) = members.values()
            for time in range(begin, until, member.component.step):
                yield time, member.name
        elif members:
            for time, name in schedule.order(self.plan, begin, until):
                if name in members:
                    yield time, name

    def _arrive(self, member: Member, time: int) -> bool:
        before, start = member.pilot.waited, wall.perf_counter()
        go = member.pilot.arrive(time, member.endpoint.last_exchange, member.endpoint.budgets(), self.stop_signal)
        self.timer.add(member.name, "waiting", start, start + member.pilot.waited - before)
        return go

    def _guard(self, member: Member, time: int, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            raise Failure(member.name, member.rank, self.plan.clock.text(time)) from error

    def _on_signal(self, number: int, frame: Any) -> None:
        self.stop_signal = True


def set_threads(threads: int) -> None:
    """Set thread counts of the numeric libraries before they are loaded; torch where it is loaded already."""
    import sys

    for key in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[key] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
