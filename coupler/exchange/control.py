# SPDX-License-Identifier: BSD-3-Clause
"""Control of a run: how far components may go, when everybody stops, status, restarts, budgets.

The first coupler rank is the controller. Every rank of every component tells it when it reaches a time at which the
system can stop; it grants all of them the same distance beyond the slowest. A wish to stop therefore has one answer:
the last time granted, which nobody has passed.
"""

from __future__ import annotations

import json
import time as wall
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coupler.errors import DeadlineError
from coupler.exchange.routes import TAG_CONTROL, TAG_GRANT, TAG_ROUTE
from coupler.exchange.transport import Transport, wait_until
from coupler.files import restart as restart_files
from coupler.files.atomic import write_text
from coupler.plan import ComponentPlan, Plan
from coupler.watch.budget import Budget
from coupler.watch.status import Status, read_status

BUDGET = "budget.json"
"""In a restart: the state of the budget."""
ALIVE = "alive"
"""Word by which the coupler and the components say that they work, where they have nothing else to say."""
SIGNS = 4
"""Signs of life in the time after which silence counts as death."""
PATIENCE = 1.0
"""Seconds that those who wait for a message are given to tell it before the coupler speaks of silence."""


class Controller:
    """Runs on the first coupler rank.

    Parameters
    ----------
    plan : Plan
        The plan.
    transport : Transport
        Messages.
    start : int
        Model time at which this run begins.
    provenance : dict
        What the manifest of a restart should know.
    restart : Path, optional
        The restart that this run goes on from.
    run : str
        Name of the run.
    people : sequence of mapping
        Who lives on each process: ``who``, ``host``, ``pid``.
    """

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        start: int,
        provenance: dict[str, Any],
        restart: Path | None = None,
        run: str = "",
        people: Sequence[Mapping[str, Any]] = (),
    ):
        self.plan, self.transport, self.start, self.provenance = plan, transport, start, provenance
        self.members = [(c.name, rank) for c in plan.components for rank in c.ranks]
        self.reached = dict.fromkeys(self.members, start)
        self.exchanged = {c.name: start for c in plan.components}
        self.granted = min(plan.duration, start + plan.run_ahead)
        self.stop_at: int | None = None
        self.stop_wanted: Callable[[], bool] = lambda: False
        self.status = Status(plan, start, run)
        ranks = len(self.members) + len(plan.coupler_ranks)
        self.budget = Budget(plan, plan.folder / "run" / "budget.csv", ranks)
        if restart is not None:
            known = restart_files.read_manifest(restart).get("exchanges", {})
            self.budget.restore(restart_files.read_json(restart / BUDGET), start, known)
        self.finished: set[tuple[str, int]] = set()
        self._parts: dict[int, dict[str, Any]] = {}
        self._missing: dict[int, set[tuple[str, int]]] = {}
        self._saved = -1
        self._restarts = plan.folder / "run" / "restart"
        self._heard = wall.perf_counter()
        self._sign = 0.0
        write_text(plan.folder / "run" / "processes.json", json.dumps(list(people), indent=1) + "\n")
        self.status.write()

    def progress(self) -> None:
        """Take in what ranks have said, and answer."""
        busy = False
        while (found := self.transport.poll_object(TAG_CONTROL)) is not None:
            busy = True
            word, *said = found[1]
            self._heard = wall.perf_counter()
            if word == "arrived":
                self._arrived(*said)
            elif word == "books":
                self.budget.expect(*said)
            elif word == "saved":
                self._take_part(*said)
            elif word != ALIVE:
                self.finished.add(tuple(said))
        if self.stop_at is None and self.stop_wanted():
            self._stop()
            busy = True
        if not busy and not self._parts:
            return
        slowest = min(self.reached.values())
        for time in sorted(self._parts):
            if self._missing[time] or not self.budget.whole_until(time):
                break
            self._complete(time)
        self.budget.close_until(min([slowest, *self._parts]))
        if self.stop_at is None and self.granted < self.plan.duration:
            granted = min(self.plan.duration, slowest + self.plan.run_ahead)
            if granted > self.granted:
                self.granted = granted
                self._tell(("go", granted))
        by_component = {c.name: min(self.reached[c.name, r] for r in c.ranks) for c in self.plan.components}
        self.status.update(by_component, self.exchanged)

    def _arrived(
        self, component: str | None, rank: int, time: int, exchanged: int, budgets: list[Any], stop: bool
    ) -> None:
        if component is not None:
            self.reached[component, rank] = max(time, self.reached[component, rank])
            self.exchanged[component] = max(exchanged, self.exchanged[component])
        self.budget.add(budgets)
        if stop and self.stop_at is None:
            self._stop()

    def _stop(self) -> None:
        self.stop_at = self.granted
        self.status.end_line()
        print(f"asked to stop: a restart will be written at {self.plan.clock.text(self.stop_at)}", flush=True)
        self._tell(("stop", self.stop_at))

    def _tell(self, what: tuple[str, int]) -> None:
        for process in sorted({rank for _, rank in self.members}):
            self.transport.send_object(process, TAG_GRANT, what)

    def _take_part(self, time: int, member: tuple[str, int], entry: dict[str, Any] | None, budgets: list[Any]) -> None:
        """A rank has saved, and its component's first one has written; all it has booked until then comes with it."""
        self.budget.add(budgets)
        self._missing.setdefault(time, set(self.members)).discard((member[0], member[1]))
        parts = self._parts.setdefault(time, {})
        if entry is not None:
            parts[member[0]] = entry

    def _complete(self, time: int) -> None:
        """Give the set of a time its manifest and its name."""
        parts = self._parts.pop(time)
        del self._missing[time]
        self._saved = time
        date = self.plan.clock.text(time)
        name = restart_files.set_name(date)
        folder = self._restarts / f".{name}.part"
        manifest = {
            "time": time, "date": date, "case": self.plan.title, "components": parts,
            "budget": restart_files.write_json(folder / BUDGET, self.budget.state(time)), **self.provenance,
        }  # fmt: skip
        restart_files.complete(folder, self._restarts / name, manifest)
        restart_files.prune(self._restarts, self.plan.restart_keep)
        if self.plan.check_budget:
            self.budget.write()
        self.status.note(restart=str(Path("run") / "restart" / name))

    def watch(self) -> None:
        """Tell the other processes that the coupler lives; complain where all components have fallen silent.

        Raises
        ------
        DeadlineError
            Nobody has said anything for longer than the deadline: who has not finished, and where each is.
        """
        now = wall.perf_counter()
        if now - self._sign > self.plan.deadline / SIGNS:
            self._sign = now
            for process in range(self.transport.size):
                if process != self.transport.rank:
                    self.transport.send_object(process, TAG_ROUTE, ALIVE)
        if self.transport.size == 1 or now - self._heard <= self.plan.deadline + PATIENCE:
            return
        missing = [(name, rank) for name, rank in self.members if (name, rank) not in self.finished]
        where = "; ".join(
            f"{name}, rank {self.plan[name].ranks.index(rank)}, last heard of at "
            f"{self.plan.clock.text(self.reached[name, rank])}"
            for name, rank in missing[:6]
        )
        what = where or f"all components have finished, but not all wrote the restart at {self._end()} s"
        raise DeadlineError(
            f"the coupler has waited for the components for {now - self._heard:.0f} s (deadline: "
            f"{self.plan.deadline:.0f} s, key 'deadline' of case.yaml): {what}"
        )

    def _end(self) -> int:
        return self.plan.duration if self.stop_at is None else self.stop_at

    def done(self) -> bool:
        """Whether every rank of every component has finished, and the last restart is complete."""
        return len(self.finished) == len(self.members) and self._saved == self._end()

    def close(self) -> None:
        """Last words: budgets and status."""
        if self.plan.check_budget:
            self.budget.close_until(self._saved)
            self.budget.write()
        by_component = {c.name: min(self.reached[c.name, r] for r in c.ranks) for c in self.plan.components}
        self.status.update(by_component, self.exchanged, force=True)
        self.status.end_line()


class Pilot:
    """A component rank's side of the control.

    Parameters
    ----------
    plan, component : Plan, ComponentPlan
        The plan and the component.
    process : int
        World rank of this process.
    transport : Transport
        Messages.
    inbox : list
        Grants that this process has received and not yet used, shared by the components on it.
    progress : callable
        Other work of this process, done while waiting.
    """

    def __init__(
        self,
        plan: Plan,
        component: ComponentPlan,
        process: int,
        transport: Transport,
        grants: Grants,
        progress: Callable[[], Any],
    ):
        self.plan, self.component, self.process = plan, component, process
        self.transport, self.grants, self.progress = transport, grants, progress
        self.controller = plan.coupler_ranks[0]
        self.waited = 0.0
        self._said = wall.perf_counter()

    def alive(self) -> None:
        """Say that this rank works, where it has said nothing for long: steps may take minutes, and stops be rare."""
        now = wall.perf_counter()
        if now - self._said > self.plan.deadline / SIGNS:
            self._said = now
            self.transport.send_object(self.controller, TAG_CONTROL, (ALIVE, self.component.name, self.process))

    def arrive(self, time: int, exchanged: int, budgets: list[Any], stop: bool) -> bool:
        """Tell where this rank is, and wait until it may go on; False if everybody stops here.

        Parameters
        ----------
        time : model time reached, s
        exchanged : time of the last exchange, s
        budgets : entries since the last call
        stop : whether this rank has been asked to stop
        """
        message = ("arrived", self.component.name, self.process, time, exchanged, budgets, stop)
        self._said = wall.perf_counter()
        self.transport.send_object(self.controller, TAG_CONTROL, message)
        if time >= self.plan.duration:
            return False

        def known() -> bool:
            self.grants.poll()
            self.progress()
            self.grants.poll()
            return self.grants.stop_at == time or self.grants.granted > time

        def late(waited: float) -> Exception:
            return DeadlineError(
                f"{self.component.name} at {self.plan.clock.text(time)} has waited for the slowest component"
                f"{slowest(self.plan.folder)} for {waited:.0f} s (deadline: {self.plan.deadline:.0f} s)"
            )

        if not known():
            self.waited += wait_until(known, self.plan.deadline, late)
        return self.grants.stop_at != time

    def register(self, books: list[tuple[str, int]]) -> None:
        """Tell which entries of the budget this rank will give (`Budget.expect`)."""
        self.transport.send_object(self.controller, TAG_CONTROL, ("books", books))

    def saved(self, time: int, entry: dict[str, Any] | None, budgets: list[Any]) -> None:
        """Tell that this rank's share of the restart at `time` is written; `entry` comes from the first rank.

        Parameters
        ----------
        time : model time of the restart, s
        entry : of the manifest, from the component's first rank
        budgets : entries since the last call
        """
        message = ("saved", time, (self.component.name, self.process), entry, budgets)
        self.transport.send_object(self.controller, TAG_CONTROL, message)

    def finish(self) -> None:
        """Tell that this rank has done all its steps."""
        self.transport.send_object(self.controller, TAG_CONTROL, ("finished", self.component.name, self.process))


def slowest(folder: Path) -> str:
    """Which component of a running case has come least far, in words; empty where nobody knows."""
    status = read_status(folder) or {}
    known = [(c["time"], n, c["date"]) for n, c in dict(status.get("components", {})).items()]
    return "".join(f", {name} (at {date})," for _, name, date in sorted(known)[:1])


class Grants:
    """How far the components of this process may go."""

    def __init__(self, plan: Plan, transport: Transport, start: int):
        self.transport = transport
        self.granted = min(plan.duration, start + plan.run_ahead)
        self.stop_at: int | None = None

    def poll(self) -> None:
        """Take in what the controller has said."""
        while (found := self.transport.poll_object(TAG_GRANT)) is not None:
            word, time = found[1]
            if word == "stop":
                self.stop_at = time
            else:
                self.granted = time
