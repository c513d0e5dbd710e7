# SPDX-License-Identifier: BSD-3-Clause
"""The loop of a process: its components' steps in the plan's order, and its share of the coupler."""

from __future__ import annotations

import os
import signal
import time as wall
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coupler.errors import DeadlineError
from coupler.exchange import schedule
from coupler.exchange.control import ALIVE, PATIENCE, Controller, Grants
from coupler.exchange.member import Failure, Member
from coupler.exchange.partition import Partitions
from coupler.exchange.process import CouplerRank
from coupler.exchange.routes import TAG_CONTROL, TAG_ROUTE, Route, check_tags
from coupler.exchange.transport import Transport, wait_until
from coupler.files import restart as restart_files
from coupler.plan import Plan
from coupler.watch import processes
from coupler.watch.timing import Timer, write_trace
from coupler.watch.watchdog import Watchdog

FINISHED, STOPPED = "finished", "stopped"


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
    declared : tuple, optional
        Of the external program on this process: component, rank and cells.
    run : str
        Name of the run.
    watch : Watchdog, optional
        What looks at the clock where this process cannot.
    """

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        restart: Path | None = None,
        provenance: dict[str, Any] | None = None,
        declared: tuple[str, int, Any] | None = None,
        run: str = "",
        watch: Watchdog | None = None,
    ):
        self.plan, self.transport = plan, transport
        self.timer = Timer(plan.trace)
        self.threads = 1
        self.stop_signal = False
        self.watch = watch or Watchdog()
        self.watch.deadline, self.watch.on_orphaned = plan.deadline, self._on_orphaned
        signal.signal(signal.SIGUSR1, self._on_signal)
        if transport.size == 1:  # there is no launcher that passes the wish to stop on
            heed(self._on_signal)
        self.start = 0 if restart is None else int(restart_files.read_manifest(restart)["time"])
        self.restart = restart
        check_tags(len(plan.tasks), transport.largest_tag)
        self.local = plan.on_rank(transport.rank)
        with self._others("the ranks to come together"):
            self.groups = {c.name: transport.group(c.ranks) for c in self.local}
            self.people = transport.share({"who": self._names(), "host": processes.host(), "pid": os.getpid()})
        merged: dict[tuple[str, int], Any] = {}
        if any(c.component is None for c in plan.components):
            with self._others("the cells of the external programs"):
                for said in transport.share(declared):
                    if said is not None:
                        name, rank, cells = said
                        merged[name, rank] = cells
        self.parts = Partitions(plan, merged)
        self.grants = Grants(plan, transport, self.start)
        transport.listen(not self.local)
        self.controller: Controller | None = None
        self.coupler: CouplerRank | None = None
        if transport.rank == plan.coupler_ranks[0]:
            with self._own("its start"):
                self.controller = Controller(plan, transport, self.start, provenance or {}, restart, run, self.people)
            self.controller.stop_wanted = lambda: self.stop_signal
        if transport.rank in plan.coupler_ranks:
            index = plan.coupler_ranks.index(transport.rank)
            with self.timer.measure("coupler", "computing"), self._own("its preparation of the exchanges"):
                self.coupler = CouplerRank(plan, index, self.parts, transport)
            transport.send_object(plan.coupler_ranks[0], TAG_CONTROL, ("books", self.coupler.books()))
            for process in sorted({r for c in plan.components for r in c.ranks}):
                transport.send_object(process, TAG_ROUTE, None)
            self._working = self._own("its work")
        self.routes: list[Route] = self._collect_routes() if self.local else []

    def log(self, text: str) -> None:
        """One line of the run's log."""
        print(text, flush=True)

    def _names(self) -> str:
        """Who lives on this process, in words."""
        rank, plan = self.transport.rank, self.plan
        names = [f"{c.name}, rank {c.ranks.index(rank)}" for c in self.local]
        if rank in plan.coupler_ranks:
            names.insert(0, f"coupler, rank {plan.coupler_ranks.index(rank)}")
        return " and ".join(names) or f"process {rank}"

    def _others(self, what: str) -> Any:
        """A wait for all processes, in a call of MPI."""
        return self.watch.watching(f"{self._names()}: waits for {what}", waits=True)

    def _own(self, what: str) -> Any:
        """The coupler's own work on this process."""
        index = self.plan.coupler_ranks.index(self.transport.rank)
        return self.watch.watching(f"coupler, rank {index}: {what} has not ended")

    def progress(self) -> None:
        """Do what there is to do for the coupler."""
        if self.coupler is None:
            return
        with self._working:
            self._progress()

    def _progress(self) -> None:
        assert self.coupler is not None
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
                elif found[1] != ALIVE:
                    routes.append(Route(**found[1]))
            return ended >= len(self.plan.coupler_ranks)

        wait_until(ready, self.plan.deadline, self._no_routes)
        order = {rank: k for k, rank in enumerate(self.plan.coupler_ranks)}
        routes.sort(key=lambda r: (r.task, r.slot, r.outgoing, order[r.peer]))
        for task in self.plan.tasks:
            if task.route == "direct":
                routes.extend(self._direct_routes(task))
        return routes

    def _no_routes(self, waited: float) -> Exception:
        ranks = ", ".join(f"coupler, rank {k}" for k in range(len(self.plan.coupler_ranks)))
        return DeadlineError(
            f"{self._names()}: {ranks} has not said who exchanges what with whom for {waited:.0f} s (deadline: "
            f"{self.plan.deadline:.0f} s, key 'deadline' of case.yaml)"
        )

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
            self._guard(m, end, m.finish)
        return self.serve()

    def part(self, mine: Any) -> list[Any]:
        """Last words to each other (all processes call): what each has to report, and the end of all channels."""
        with self._others("the end of the other processes"):
            reports = self.transport.share(mine)
            self.transport.close()
        return reports

    def serve(self) -> str:
        """Go on with the coupler's share until everybody has finished; the outcome of the run."""
        pause = self.transport.pause()
        start, before = wall.perf_counter(), self.timer.seconds["coupler", "computing"]
        if self.controller is not None:
            while not self.controller.done():
                self.progress()
                self.controller.watch()
                pause.sleep()
            early = self.controller.stop_at is not None and self.controller.stop_at < self.plan.duration
            outcome = STOPPED if early else FINISHED
            for process in range(self.transport.size):
                if process != self.transport.rank:
                    self.transport.send_object(process, TAG_ROUTE, outcome)
        else:
            heard = wall.perf_counter()
            while True:
                self.progress()
                found = self.transport.poll_object(TAG_ROUTE)
                if found is not None and found[1] != ALIVE:
                    outcome = found[1]
                    break
                if found is not None:
                    heard = wall.perf_counter()
                elif wall.perf_counter() - heard > self.plan.deadline + 2 * PATIENCE:
                    raise DeadlineError(
                        f"{self._names()}: has heard nothing from the coupler for {self.plan.deadline:.0f} s "
                        "(key 'deadline' of case.yaml)"
                    )
                pause.sleep()
        if not self.local:
            busy = self.timer.seconds["coupler", "computing"] - before
            self.timer.add("coupler", "waiting", start + busy, wall.perf_counter())
        with self._others("its last messages to be read"):
            self.transport.flush()
        if self.timer.events is not None:
            rank = self.transport.rank
            write_trace(self.plan.folder / "run" / "trace" / f"rank{rank}.json", rank, self.timer)
        return outcome

    def _segments(self) -> list[int]:
        """Ends of the stretches between restarts."""
        period, end = self.plan.restart_period, self.plan.duration
        return [*(period.ends(self.plan.clock, self.start, end - 1) if period else ()), end]

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
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also sys.exit and what only looks like an end
            raise Failure(member.name, member.rank, self.plan.clock.text(time), member.call) from error

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.stop_signal and number != signal.SIGUSR1:  # who asks twice will not wait
            raise KeyboardInterrupt
        self.stop_signal = True

    def _on_orphaned(self) -> None:
        self.stop_signal = True


def heed(handler: Callable[[int, Any], None]) -> None:
    """Take the signals by which a run is ended as a wish to stop; a hangup that is ignored (nohup) stays ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
