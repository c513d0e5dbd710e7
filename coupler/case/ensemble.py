# SPDX-License-Identifier: BSD-3-Clause
"""Running the members of an ensemble: some at once, each in processes of its own, or all under one mpirun.

Started by hand, every member is a run of its own: one that fails ends no other. Under one mpirun the processes are
split into groups, each with a communicator and a coupler of its own, which take the members in turn; MPI ends all of
them where one fails, and ``--continue`` runs what is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coupler import messages
from coupler.case import run_folder
from coupler.case.case import make_plan
from coupler.case.launch import STOPPED_EXIT, connected, fail, guarded, run_here
from coupler.case.launched import begin_run, run_name, under_mpi
from coupler.case.members import Member, check_members, describe, members_of
from coupler.case.reading import Case
from coupler.files.atomic import write_text
from coupler.files.ensemble_statistics import write_statistics
from coupler.files.restart import complete_sets
from coupler.paths import program, typed
from coupler.plan import Plan
from coupler.watch import processes
from coupler.watch.status import mark_failed, read_status, state_of, whose
from coupler.watch.timing import my_cores

LOG = "log.txt"
"""What a member's run says, in its folder."""
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Ensemble:
    """The members of a case, and how far they are.

    Parameters
    ----------
    case : Case
        Namelists that ask for instances.
    plan : Plan
        Of the case as if it had none.
    """

    def __init__(self, case: Case, plan: Plan):
        self.case, self.plan = case, plan
        self.members = members_of(case)
        self.began = time.time()
        self._steps = 0

    @property
    def at_once(self) -> int:
        """Members at one time, where every member has processes of its own."""
        return min(len(self.members), self.case.options.at_once or max(1, len(my_cores()) // self.plan.size))

    def checked(self) -> str:
        """The ensemble in words, once every member has been found without mistakes."""
        check_members(self.case, self.members)
        return describe(self.case, self.members, self.at_once)

    def folder(self, member: Member) -> Path:
        """Where a member lives."""
        return self.case.run_folder / member.name

    def state(self, member: Member) -> str:
        """How far a member is: waiting, or the state of its run."""
        status = read_status(self.folder(member))
        return "waiting" if status is None else str(status["state"])

    def begin(self, hold: run_folder.Hold, *, resume: bool) -> None:
        """Take the case, move a former run aside, and write the members.

        Parameters
        ----------
        hold : Hold
            What keeps the case for this run.
        resume : bool
            Whether what is there goes on.

        Raises
        ------
        CaseError
            Another run is under way.
        NamelistError
            A member that cannot run, with all its mistakes; nothing is touched then.
        """
        check_members(self.case, self.members)
        run_folder.refuse_second_run(self.case.folder, hold)
        run_folder.prepare(self.case.folder, resume=resume)
        for member in self.members:
            member.write(self.case.run_folder, self.case.folder)
        self.note("running")

    def note(self, state: str) -> None:
        """Write how far the ensemble is into ``run/status.json``."""
        states = {m.name: self.state(m) for m in self.members}
        content = {
            **whose(self.case.folder, run_name(), self.began),
            "state": state,
            "start": self.plan.clock.text(0),
            "end": self.plan.clock.text(self.plan.duration),
            "members": states,
        }
        failed = [name for name, s in states.items() if s == "failed"]
        if failed:
            content["error"] = f"{', '.join(failed)} failed"
        write_text(self.case.run_folder / "status.json", json.dumps(content, indent=1) + "\n")

    def missing(self) -> list[Member]:
        """Members that have not finished, in order."""
        return [m for m in self.members if self.state(m) != "finished"]

    def words(self, member: Member, *, serial: bool, ranks: int | None, accepted: tuple[str, ...]) -> list[str]:
        """The command that runs or continues a member."""
        words = [*program(), "run", str(self.folder(member))]
        words += ["--serial"] if serial else []
        words += ["-n", str(ranks)] if ranks else []
        if _has_restart(self.folder(member)):
            words += ["--continue", *(["--accept-changes", *accepted] if accepted else [])]
        return words

    def account(self, member: Member, code: int) -> None:
        """Note a member that has ended without having said so: killed, or stopped before it began."""
        status = read_status(self.folder(member))
        if status is None or status["state"] == "running":
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            if status is not None:
                mark_failed(self.folder(member), str(status.get("run")), how)
            elif code not in (0, STOPPED_EXIT) and -code not in SIGNALS:
                content = {"state": "failed", "error": how, "case": str(self.folder(member).resolve())}
                write_text(self.folder(member) / "run" / "status.json", json.dumps(content, indent=1) + "\n")

    def said(self, member: Member) -> None:
        """A line about a member that has ended, with the time that the others will take."""
        self._steps += 1
        states = [self.state(m) for m in self.members]
        left = sum(s not in ("finished", "failed") for s in states)
        seconds = (time.time() - self.began) / self._steps * left
        eta = f", {left} to go, about {_duration(seconds)}" if left else ""
        status = read_status(self.folder(member)) or {}
        state = self.state(member)
        why = f" ({status.get('error')}; {self.folder(member) / LOG})" if state == "failed" else ""
        print(f"{member.name}: {state}{why}; {states.count('finished')} of {len(states)} finished{eta}", flush=True)

    def end(self) -> int:
        """Say how it ended, and write mean and spread of a whole ensemble; returns the exit code."""
        states = {m.name: self.state(m) for m in self.members}
        if all(s == "finished" for s in states.values()):
            written = write_statistics(
                [self.folder(m) / "run" / "history" for m in self.members], self.case.run_folder / "ensemble"
            )
            self.note("finished")
            what = f"; mean, spread and count are in {written[0].parent}" if written else " (no output)"
            print(f"finished: {len(states)} members in {self.case.run_folder}{what}", flush=True)
            return 0
        failed = [name for name, s in states.items() if s == "failed"]
        self.note("failed" if failed else "stopped")
        if failed:
            print(f"error: {', '.join(failed)} failed; see {LOG} in their folders", file=sys.stderr, flush=True)
        done = list(states.values()).count("finished")
        command = typed(self.case.folder, "--continue")
        print(f"{done} of {len(states)} members finished; to run what is missing:  {command}", flush=True)
        return 1 if failed else STOPPED_EXIT


def run_ensemble(case: Case, *, serial: bool, resume: bool, ranks: int | None, accepted: tuple[str, ...]) -> int:
    """Run all members of a case; returns the exit code.

    Parameters
    ----------
    case : Case
        Namelists that ask for instances.
    serial : bool
        Each member on one process, without MPI.
    resume : bool
        Continue what has begun, and run what is missing.
    ranks : int or None
        Processes of each member, or None for the case's layout.
    accepted : tuple of str
        Changes of the case that a restart may take.
    """
    if under_mpi() and not serial:
        return _run_split(case, resume=resume, accepted=accepted)
    begin_run()
    ensemble = Ensemble(case, make_plan(case.folder, offline_checks=True))
    hold = run_folder.Hold(case.folder)
    try:
        ensemble.begin(hold, resume=resume)
        print(describe(case, ensemble.members, ensemble.at_once), flush=True)
        _run_apart(ensemble, lambda m: ensemble.words(m, serial=serial, ranks=ranks, accepted=accepted))
        return ensemble.end()
    finally:
        hold.release()


def table(case: Case) -> str:
    """How far each member is, a line each.

    Parameters
    ----------
    case : Case
        Namelists that ask for instances.
    """
    lines = []
    for member in members_of(case):
        folder = case.run_folder / member.name
        status = read_status(folder)
        state, rest = "waiting", ""
        if status is not None:
            state = state_of(status, folder)
            rest = f"; at {status.get('date', status.get('start', '?'))} of {status.get('end', '?')}"
            rest += f"; {status['error']}" if status.get("error") else ""
        values = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in member.varied.items())
        lines.append(f"  {member.name}  {state}{rest}{f'  ({values})' if values else ''}")
    own = read_status(case.folder)
    state = "has not run yet" if own is None else state_of(own, case.folder)
    last = [] if state == "finished" else [f"  to go on:  {typed(case.folder, *(['--continue'] if own else []))}"]
    return "\n".join([f"{case.folder}: {len(lines)} members; {state}", *lines, *last])


def _run_apart(ensemble: Ensemble, words: Callable[[Member], list[str]]) -> None:
    """Run what is missing, some members at once, each by a command of its own."""
    asked: list[int] = []
    told = 0
    with _heeding(asked):
        waiting = ensemble.missing()
        going: dict[subprocess.Popen[bytes], Member] = {}
        while going or (waiting and not asked):
            while waiting and not asked and len(going) < ensemble.at_once:
                member = waiting.pop(0)
                with open(ensemble.folder(member) / LOG, "a", encoding="utf-8") as log:
                    child = subprocess.Popen(
                        words(member), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_in_member
                    )
                going[child] = member
            if len(asked) > told:
                for child in going:  # the second wish ends what the first asked to stop
                    child.send_signal(signal.SIGUSR1 if told == 0 else signal.SIGTERM)
                told = len(asked)
            for child in [c for c in going if c.poll() is not None]:
                member = going.pop(child)
                ensemble.account(member, child.returncode)
                ensemble.said(member)
                ensemble.note("running")
            time.sleep(0.02)


def _in_member() -> None:
    os.setpgid(0, 0)  # what a terminal sends to all is for us to pass on
    processes.signalled_at_death_of_parent(signal.SIGTERM)


@contextlib.contextmanager
def _heeding(asked: list[int]) -> Iterator[None]:
    """Gather wishes to stop."""
    before = {n: signal.getsignal(n) for n in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda n, frame: asked.append(n))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_split(case: Case, *, resume: bool, accepted: tuple[str, ...]) -> int:
    """Run what is missing on the processes of this job, in groups that take the members in turn."""
    begin_run()
    world: Any = None
    hold = run_folder.Hold(case.folder)
    watch = guarded(lambda: case.folder, alone=False)
    try:
        world = connected(watch)
        from coupler.exchange.transport import MPI

        ensemble = Ensemble(case, make_plan(case.folder, offline_checks=world.rank == 0))
        count = len(ensemble.members)
        groups = max(1, min(count, case.options.at_once or count, world.size // ensemble.plan.size))
        if world.rank == 0:
            ensemble.begin(hold, resume=resume)
            print(describe(case, ensemble.members, groups), flush=True)
        numbers = world.share([m.number for m in ensemble.missing()] if world.rank == 0 else None)[0]
        each = world.size // groups
        group = world.rank // each
        comm = world.world.Split(group, world.rank) if group < groups else world.world.Split(groups, world.rank)
        watch.end()
        asked: list[int] = []
        code = 0
        with _heeding(asked):
            for number in numbers[group::groups] if group < groups else []:
                member = ensemble.members[number]
                if any(messages.share(comm, bool(asked))):
                    break
                begun = messages.share(comm, _has_restart(ensemble.folder(member)))[0]
                with open(ensemble.folder(member) / LOG, "a", encoding="utf-8", buffering=1) as log:
                    with contextlib.redirect_stdout(log):
                        code = run_here(
                            ensemble.folder(member), serial=False, resume=begun, accepted=accepted if begun else (),
                            connect=lambda watch: MPI(comm),
                        )  # fmt: skip
                signal.setitimer(signal.ITIMER_REAL, 0.0)
                if comm.Get_rank() == 0:
                    ensemble.said(member)
                    ensemble.note("running")
                if code:
                    break
        _together(world.world)
        return ensemble.end() if world.rank == 0 else 0
    except BaseException as error:
        return fail(case.folder, error, world, watch)
    finally:
        hold.release()


def _has_restart(folder: Path) -> bool:
    return bool(complete_sets(folder / "run" / "restart"))


def _together(comm: Any) -> None:
    """Wait for all, asleep: a group may end long before another."""
    request = comm.Ibarrier()
    while not request.Test():
        time.sleep(0.05)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
