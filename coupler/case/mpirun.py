# SPDX-License-Identifier: BSD-3-Clause
"""Starting mpirun: signals become a wish to stop, deaths get a name, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coupler.case import failing
from coupler.case.launched import LAUNCHER, RUN, begin_run, find_mpirun, this_process, without_launcher
from coupler.errors import LayoutError
from coupler.paths import home_folder, program
from coupler.plan import Plan
from coupler.threads import granted
from coupler.watch import address_space, failure, processes
from coupler.watch.status import describe, mark_failed, read_status

STOPPED_EXIT = 75
"""Exit code of a run that was asked to stop and can be resumed (EX_TEMPFAIL)."""
DEADLINE = "TESSERA_DEADLINE"
"""Variable that tells the processes, before they have read the case, how long to wait for each other."""
LACKING = (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)
"""Signals by which libraries end a process that gets no memory."""
LINGER = 10.0
"""Seconds, at least, that processes are given to end once the run has."""


def command_for(
    folder: Path, plan: Plan, *, resume: bool, ranks: int | None, accepted: Sequence[str] = ()
) -> list[str]:
    """The mpirun command of a case, its external programs included.

    Parameters
    ----------
    folder : of the case
    plan : of the run
    resume : continue from the newest restart
    ranks : number of processes, or None for the case's layout
    accepted : changes of the case that a restart may take

    Raises
    ------
    LayoutError
        An external program whose namelist does not say how it is started.
    """
    external = [c for c in plan.components if c.component is None]
    own = (ranks or plan.size) - sum(len(c.ranks) for c in external)
    command = [find_mpirun(), "-n", str(own), *program(), "run", str(folder)]
    if resume:
        command.append("--continue")
    if accepted:
        command += ["--accept-changes", *accepted]
    for c in external:
        if not c.program:
            raise LayoutError(
                f"{c.name} is an external program: say how it is started, in {c.name}.yaml:  "
                f"program: python my_{c.name}.py"
            )
        command += [":", "-n", str(len(c.ranks)), *shlex.split(c.program)]
    return command


def environment(folder: Path, plan: Plan, run: str) -> dict[str, str]:
    """What mpirun and the processes of a run find in their environment.

    Parameters
    ----------
    folder : of the case
    plan : of the run
    run : its identity
    """
    env = {
        **without_launcher(os.environ),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMP_NUM_THREADS": str(granted()),
        "TESSERA_TERMINAL": "1" if sys.stdout is not None and sys.stdout.isatty() else "0",
        "TESSERA_CHECKED": "1",
        DEADLINE: str(plan.deadline),
        RUN: run,
        LAUNCHER: this_process(),
    }
    env.setdefault("OMPI_MCA_btl_vader_single_copy_mechanism", "cma")
    if "TMPDIR" in env:  # one that is not there ends mpirun
        env["TMPDIR"] = tempfile.gettempdir()
    if not env.get("HOME"):  # mpirun will not start without
        env["HOME"] = str(home_folder() or folder.resolve())
    return env


class Run:
    """One mpirun and what is to be known of it.

    Parameters
    ----------
    folder : Path
        The case.
    plan : Plan
        Its plan.
    command : list of str
        The mpirun command.
    """

    def __init__(self, folder: Path, plan: Plan, command: list[str]):
        self.folder, self.plan = folder, plan
        self.name = begin_run()
        self.began = time.time()
        self._asked: list[int] = []
        self._notes: list[str] = []
        self._over: float | None = None
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, lambda n, frame: self._asked.append(n))
        # a process group of its own: what a terminal or a batch system sends to ours is for us to pass on
        self.child = subprocess.Popen(
            command, env=environment(folder, plan, self.name), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="replace", preexec_fn=_in_mpirun,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._pass_errors, daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """Wait for the end; returns mpirun's exit code, negative for a signal that ended it before the run began."""
        told = False
        while True:
            try:
                return self.child.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
            if self._asked and not told:
                told = True
                if not self._passed_on():
                    return -self._asked[0]
            elif told and len(self._asked) > 1 and self._asked[-1] != signal.SIGUSR1:
                self._end()  # who asks twice will not wait
                told, self._asked = False, []
            self._end_lingering()

    def _passed_on(self) -> bool:
        """Pass a wish to stop on; a run that has not begun is ended instead, as there is nothing to save."""
        if self._state() in ("running", "finished", "stopped"):
            self.child.send_signal(signal.SIGUSR1)  # mpirun forwards it to all processes
            return True
        self._end()
        return False

    def _state(self) -> str:
        status = read_status(self.folder)
        return "" if status is None or status.get("run") != self.name else str(status["state"])

    def _end(self) -> None:
        """End mpirun and, by it, all processes."""
        self.child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(10.0)
            return
        people = self.people()
        self.child.kill()
        for p in people:
            if p["host"] == processes.host() and processes.alive(p["pid"], p.get("start", "")):
                with contextlib.suppress(OSError):
                    os.kill(p["pid"], signal.SIGKILL)

    def _end_lingering(self) -> None:
        """A process that does not end after the run has: an external program that sleeps, a library that hangs."""
        if self._over is None and self._state() in ("finished", "stopped", "failed"):
            self._over = time.monotonic()
        if self._over is not None and time.monotonic() - self._over > max(LINGER, self.plan.deadline):
            left = [f"{p['who']} (process {p['pid']})" for p in self.people() if processes.alive(p["pid"])]
            who = ", ".join(left) or "a process of the run"
            print(
                f"note: the run is over, but {who} has not ended within {max(LINGER, self.plan.deadline):.0f} s "
                "(key 'deadline' of case.yaml): ended now",
                file=sys.stderr,
                flush=True,
            )
            self._end()

    def people(self) -> list[dict[str, Any]]:
        """Who lives on which process, as the run has written it."""
        with contextlib.suppress(OSError):
            if (self.folder / "run" / "processes.json").stat().st_mtime >= self.began - 1.0:
                return [dict(p) for p in failing.people_of(self.folder)]
        return []

    def close(self) -> None:
        """Read mpirun's last words, and remove what killed processes leave in memory."""
        self._reader.join(2.0)
        sweep(self.began)
        shutil.rmtree(Path(tempfile.gettempdir()) / f"ompi.{self.child.pid}", ignore_errors=True)

    def death(self) -> tuple[str, dict[str, Any]]:
        """What mpirun noted of the process that died first: in words, and for the status."""
        known = failing.how_it_died("".join(self._notes))
        if known is None:
            return "", {}
        rank, facts, how = known
        people = self.people()
        if rank < len(people):
            who: str = people[rank]["who"]
            where = {"process": rank, **({"pid": people[rank]["pid"]} | facts)}
            name, _, own = who.partition(", rank ")
            if own.isdigit():
                where |= {"component": name, "rank": int(own)}
        else:
            layout: dict[str, Sequence[int]] = {"coupler": self.plan.coupler_ranks}
            layout |= {c.name: c.ranks for c in self.plan.components}
            who, where = failing.who_is(rank, layout)
            where |= facts
        if where.get("signal") == signal.SIGALRM and not people:
            return self._never_connected(), where
        number = f" (process {where['pid']})" if where.get("pid") else ""
        lack = address_space.hint() if where.get("signal") in LACKING else ""
        return f"{who}{number} {how}{lack}", where

    def _never_connected(self) -> str:
        programs = [f"{c.name} ({c.program})" for c in self.plan.components if c.component is None]
        text = f"MPI did not connect all {self.plan.size} processes within {self.plan.deadline:.0f} s"
        if programs:
            text += f": one of them ended or never came. Does {', '.join(programs)} make a Participant?"
        return text

    def _pass_errors(self) -> None:
        """Pass on what the processes say, without mpirun's own notes about their exit (ours say more)."""
        block: list[str] = []
        inside = False
        assert self.child.stderr is not None
        for line in self.child.stderr:
            if line.startswith("-" * 60):
                block.append(line)
                if inside:
                    text = "".join(block)
                    self._notes.append(text)
                    if not any(w in text for w in ("prterun", "MPI_ABORT", "MPI_Abort")):
                        sys.stderr.write(text)
                    block = []
                inside = not inside
            elif inside:
                block.append(line)
            else:
                sys.stderr.write(line)
                sys.stderr.flush()
        sys.stderr.write("".join(block))
        sys.stderr.flush()


def _in_mpirun() -> None:
    os.setpgid(0, 0)
    processes.signalled_at_death_of_parent(signal.SIGUSR1)  # forwarded: the run stops with a restart


def sweep(since: float) -> None:
    """Remove shared memory that MPI has made since then, is ours, and no living process maps."""
    made = []
    for path in Path("/dev/shm").glob("sm_segment.*"):
        with contextlib.suppress(OSError):
            found = path.stat()
            if found.st_uid == os.getuid() and found.st_mtime >= since - 1.0:
                made.append(path)
    if not made:
        return
    used = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            used |= {word for word in maps.read_text(errors="replace").split() if "sm_segment." in word}
    for path in made:
        if str(path) not in used:
            with contextlib.suppress(OSError):
                path.unlink()


def run_mpi(folder: Path, plan: Plan, *, resume: bool, ranks: int | None, accepted: Sequence[str] = ()) -> int:
    """Run a case by mpirun, with the ranks that it needs; returns the exit code.

    Parameters
    ----------
    folder : of the case
    plan : of the run
    resume : continue from the newest restart
    ranks : number of processes, or None for the case's layout
    accepted : changes of the case that a restart may take
    """
    run = Run(folder, plan, command_for(folder, plan, resume=resume, ranks=ranks, accepted=accepted))
    try:
        code = run.wait()
    finally:
        run.close()
        known = failure.found(folder, run.name)
    status = read_status(folder)
    ours = status is not None and status.get("run") == run.name
    state = status["state"] if status is not None and ours else ""
    try:
        if code < 0 and not state:
            print(f"ended by {signal.Signals(-code).name} before the run began", file=sys.stderr)
            return 128 - code
        if state == "finished":
            return 0
        if state == "stopped":
            return STOPPED_EXIT
        if known is None:
            words, where = run.death()
            text = words or f"mpirun ended with exit code {code}, and the run did not finish"
            failing.tell(folder, text, run=run.name, **where)
        else:  # who told it may have been ended before it came to the status
            mark_failed(folder, run.name, **known)
        if ours:
            print(describe(folder), file=sys.stderr)
        return code if code > 1 and known is not None and not ours else 1
    finally:
        failure.mark_path(folder, run.name).unlink(missing_ok=True)
