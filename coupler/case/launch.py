# SPDX-License-Identifier: BSD-3-Clause
"""Starting a run: on this process, on the processes that mpirun started, or by starting mpirun."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from coupler.case import failing
from coupler.case.launched import (
    begin_run,
    find_mpirun,
    launcher_gone,
    mpi_size,
    rank_here,
    refuse_unconnected,
    run_name,
    under_mpi,
)
from coupler.errors import LayoutError, TesseraError
from coupler.threads import granted, note, set_threads
from coupler.watch import address_space, busy
from coupler.watch.watchdog import Watchdog

LATER = 3.0
"""Seconds that those who wait at the very end give those who can still say why they do not come."""
STOPPED_EXIT = 75
"""Exit code of a run that was asked to stop and can be resumed (EX_TEMPFAIL)."""


def start(folder: Path, *, serial: bool, resume: bool, ranks: int | None = None, accepted: tuple[str, ...] = ()) -> int:
    """Run a case, in whichever way this process was started; returns the exit code.

    Parameters
    ----------
    folder : of the case
    serial : one process without MPI
    resume : continue from the newest restart
    ranks : number of processes, or None for the case's layout
    accepted : changes of the case that a restart may take
    """
    try:
        if not serial:
            refuse_unconnected()
        address_space.refuse_small(alone=serial)
    except LayoutError:
        if rank_here() == 0:
            raise
        return LayoutError.exit_code  # one of them tells it
    if under_mpi() or serial:
        return run_here(folder, serial=serial and not under_mpi(), resume=resume, accepted=accepted)
    from coupler.case.case import make_plan
    from coupler.case.continuation import choose
    from coupler.case.mpirun import run_mpi
    from coupler.case.run_folder import refuse_running

    plan = make_plan(folder, offline_checks=True)
    if ranks and all(c.component is not None for c in plan.components):
        plan, ranks = make_plan(folder, ranks), None
    refuse_running(folder)
    if resume:  # what cannot go on is told before any process starts
        choose(folder, plan, _nothing, accepted)
    return run_mpi(folder, plan, resume=resume, ranks=ranks, accepted=accepted)


def run_here(
    folder: Path,
    *,
    serial: bool,
    resume: bool,
    accepted: tuple[str, ...] = (),
    connect: Callable[[Watchdog], Any] | None = None,
) -> int:
    """Run this process's part of a case.

    Parameters
    ----------
    folder : of the case
    serial : one process without MPI
    resume : continue from the newest restart
    accepted : changes of the case that a restart may take
    connect : gives the transport; by default that of all processes of the job
    """
    transport: Any = None
    begin_run()
    watch = guarded(lambda: folder, alone=serial)
    with _own_signals():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        if note() and rank_here() == 0:
            print(f"note: {note()}", flush=True)
        set_threads(granted())
        try:
            from coupler.exchange import transport as transports

            if serial:
                transport = transports.Serial()
            else:
                transport = (connect or connected)(watch)
            return _run(folder, transport, watch, resume, accepted)
        except BaseException as error:
            return fail(folder, error, transport, watch)
        finally:
            watch.end()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Give signals back to whoever had them: a run may be one of several in a program."""
    numbers = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    before = {n: signal.getsignal(n) for n in numbers}
    try:
        yield
    finally:
        for n, handler in before.items():
            if handler is not None:
                signal.signal(n, handler)


def guarded(case: Callable[[], Path | None], *, alone: bool) -> Watchdog:
    """A watchdog that tells what lasts too long, and ends the process; of several, also when their launcher is gone.

    Parameters
    ----------
    case : callable
        Gives the folder of the case, or None where it is not known yet.
    alone : bool
        Whether this process is the whole run.
    """

    def late(what: str, waits: bool, seconds: float, where: str) -> None:
        deadline = f"for {seconds:.0f} s (deadline: {watch.deadline:.0f} s, key 'deadline' of case.yaml)"
        folder, text, detail = case(), f"{what}, {deadline}", "" if waits else f"it is at:\n{where}"
        known: Mapping[str, Any] = failing.place_of(what)
        if waits:
            text, detail, known = failing.blame(folder, text, detail, known)
        failing.tell(folder, text, detail, **known)
        failing.exit_at_once(1)

    def at(what: str, seconds: float, where: str) -> None:
        folder = case()
        if folder is not None:
            busy.note(folder, rank_here(), busy.Busy(what, time.time() - seconds, where) if what else None)

    parent = os.getppid()
    watch = Watchdog(
        failing.early_deadline(),
        late,
        (lambda: False) if alone else lambda: os.getppid() != parent or launcher_gone(),
    )
    watch.on_busy = None if alone else at
    watch.guard()
    return watch


def connected(watch: Watchdog) -> Any:
    """The transport over MPI, once all processes have come.

    Raises
    ------
    LayoutError
        The launcher is not that of mpi4py.
    """
    from coupler.exchange.transport import MPI

    # nothing of Python runs while MPI connects, so the kernel keeps this deadline; the launcher knows the signal
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, watch.deadline)
    transport = MPI()
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    if transport.size != mpi_size():
        raise LayoutError(
            f"the launcher started {mpi_size()} processes, but MPI sees {transport.size}: its mpirun is not "
            f"that of mpi4py. Use {find_mpirun()}; under srun:  srun --mpi=pmix"
        )
    return transport


def _run(folder: Path, transport: Any, watch: Watchdog, resume: bool, accepted: tuple[str, ...]) -> int:
    from coupler.case import continuation, run_folder
    from coupler.case.case import read_case
    from coupler.case.handed_plan import plan_here
    from coupler.case.provenance import make_provenance, write_resolved
    from coupler.exchange.runner import FINISHED, Process
    from coupler.layout import describe
    from coupler.watch import failure, timing
    from coupler.watch.status import command_line

    first = transport.rank == 0
    checked = os.environ.get("TESSERA_CHECKED") == "1"
    with watch.watching(f"process {transport.rank}: waits for all processes to read the case", waits=True):
        placed = find_participants(transport, folder)
        plan = plan_here(folder, transport, offline_checks=not checked, placed=placed)
    watch.deadline, run = plan.deadline, folder / "run"
    hold = run_folder.Hold(folder)
    chosen: Path | None = None
    try:
        if first:
            run_folder.refuse_second_run(folder, hold)
            failure.clear(folder, keep=run_name())
            busy.clear(folder)
        ours = continuation.belongings(plan)
        changes: list[str] = []
        if resume:
            chosen, ours, changes = continuation.choose(folder, plan, _note if first else _nothing, accepted)
        if placed:
            transport.share("" if chosen is None else str(chosen.resolve()))
        provenance = {**make_provenance(folder, read_case(folder).files), **ours}
        if first:
            with watch.watching("coupler, rank 0: run/ is not ready yet"):
                run_folder.prepare(folder, resume=resume)
                hold.take(alone=False)
                write_resolved(folder, plan, provenance)
            layout = describe({"coupler": plan.coupler_ranks, **{c.name: c.ranks for c in plan.components}})
            print(f"{plan.title}: {plan.clock.start} + {plan.duration / 86400:g} days", flush=True)
            print(f"processes: {transport.size} ({layout})", flush=True)
            for text in plan.notes:
                print(f"note: {text}", flush=True)
            if chosen:
                print(f"continues from {chosen}", flush=True)
            for text in changes:
                print(f"  {text}", flush=True)
        process = Process(plan, transport, chosen, provenance, run=run_name(), watch=watch)
        if not first:
            hold.take(alone=False)
        outcome = process.run()
        reports = process.part(process.timer.report())
        if process.controller is not None:
            controller = process.controller
            with watch.watching("coupler, rank 0: the end of the run is not written"):
                controller.close()
            times = [int(c["time"]) for c in controller.status.content["components"].values()]
            reached = plan.duration if outcome == FINISHED else min(times)
            result = timing.table(plan, reports, reached - process.start)
            from coupler.files.atomic import write_text

            controller.status.note(state=outcome)
            write_text(run / "timing.json", json.dumps(result, indent=1) + "\n")
            if controller.budget.totals:
                print(controller.budget.text(), flush=True)
            print(timing.text(result), flush=True)
            if outcome == FINISHED:
                print(f"finished; output is in {run}", flush=True)
            else:
                print(f"stopped, resumable:  {command_line(folder, '--continue')}", flush=True)
    finally:
        hold.release()
    if transport.size > 1:  # MPI's own end waits for all, and no Python runs meanwhile
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, plan.deadline + LATER)
    return 0 if outcome == FINISHED else STOPPED_EXIT


def _note(text: str) -> None:
    print(f"note: {text}", flush=True)


def _nothing(text: str) -> None:
    pass


def find_participants(transport: Any, folder: Path | None, name: str = "") -> dict[str, tuple[int, ...]]:
    """World ranks of external programs by name; every process of the job calls this.

    Parameters
    ----------
    transport : messages of the job
    folder : of the case, or None in an external program that has not said it
    name : of the external program, or empty
    """
    from coupler.case.case import read_case

    if folder is not None and not name:
        nodes = read_case(folder).components.values()
        if not any(n.values.get("model") == "external" for n in nodes):
            return {}
    said = transport.share({"participant": name, "case": "" if folder is None else str(folder.resolve())})
    transport.case = next((s["case"] for s in said if s["case"]), "")
    placed: dict[str, tuple[int, ...]] = {}
    for rank, s in enumerate(said):
        if s["participant"]:
            placed[s["participant"]] = (*placed.get(s["participant"], ()), rank)
    return placed


def newest_of(transport: Any, folder: Path) -> Path | None:
    """The restart that ``run_case.py`` chose in the same job, as an external program learns it.

    Parameters
    ----------
    transport : messages of the job
    folder : of the case
    """
    said = next((s for s in transport.share("") if s), "")
    return Path(said) if said else None


def fail(folder: Path, error: BaseException, transport: Any, watch: Watchdog) -> int:
    """Tell a failure once for the whole job, and end all its processes; returns the exit code.

    Parameters
    ----------
    folder : of the case
    error : what happened
    transport : messages of the job; None before it is connected
    watch : the watchdog of this process, which ends
    """
    watch.end()
    code = 1
    where: Mapping[str, Any] = {}
    if isinstance(error, KeyboardInterrupt):
        text, detail, code = "interrupted", "", 130
    else:
        text, detail, where = failing.whole_story(error, folder)
        if isinstance(error, TesseraError):
            code = error.exit_code
    told = failing.tell(folder, text, detail, **where)
    launched = os.environ.get("TESSERA_CHECKED") == "1"
    if told and transport is not None and not launched and code == 1:
        from coupler.watch.status import describe, read_status

        status = read_status(folder)
        if status is not None and status.get("run") == run_name():
            print(describe(folder), file=sys.stderr, flush=True)
    if transport is not None and transport.size > 1:
        transport.abort(code)
    elif not under_mpi():
        from coupler.watch import failure

        failure.mark_path(folder, run_name()).unlink(missing_ok=True)
    return code
