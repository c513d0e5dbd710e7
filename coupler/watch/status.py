# SPDX-License-Identifier: BSD-3-Clause
"""Status of a run: ``status.json``, written continuously, and the progress line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coupler.files.atomic import DiskError, write_text
from coupler.files.restart import complete_sets
from coupler.paths import typed
from coupler.plan import Plan
from coupler.watch import failure, processes
from coupler.watch.experiment import between_pieces, describe_experiment
from coupler.watch.processes import alive

EVERY = 0.5
"""Seconds between writings of the status."""


class Status:
    """Writes ``run/status.json`` and a progress line.

    Parameters
    ----------
    plan : Plan
        The plan.
    start : int
        Model time at which this run begins, s.
    run : str, optional
        Name of the run, the same on all its processes.
    """

    def __init__(self, plan: Plan, start: int, run: str = ""):
        self.plan, self.start = plan, start
        self.path = plan.folder / "run" / "status.json"
        self.began = time.time()
        self._last = 0.0
        self._said = -1
        # mpirun gives its processes a terminal of their own, so only the launcher knows
        said = os.environ.get("TESSERA_TERMINAL")
        under_mpi = "PMIX_RANK" in os.environ or "OMPI_COMM_WORLD_SIZE" in os.environ
        self.terminal = said == "1" if said or under_mpi else sys.stdout.isatty()
        sets = complete_sets(plan.folder / "run" / "restart") if start else []
        self.content: dict[str, Any] = {
            **whose(plan.folder, run, self.began),
            "state": "running",
            "start": plan.clock.text(start),
            "end": plan.clock.text(plan.duration),
            "components": {c.name: {"time": start, "date": plan.clock.text(start)} for c in plan.components},
            "restart": str(Path("run") / "restart" / sets[-1].name) if sets else None,
            "resume": command_line(plan.folder, "--continue"),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = _identity(self.path.parent)

    def update(self, reached: Mapping[str, int], exchanged: Mapping[str, int], *, force: bool = False) -> None:
        """Note how far every component is; written at most twice a second.

        Parameters
        ----------
        reached : model time of each component, s
        exchanged : time of its last exchange, s
        force : write in any case
        """
        now = time.time()
        if not force and now - self._last < EVERY:
            return
        self._last = now
        for name, t in reached.items():
            last = exchanged.get(name, self.start)
            self.content["components"][name] = {
                "time": t,
                "date": self.plan.clock.text(t),
                "last_exchange": self.plan.clock.text(last),
            }
        slowest = min(reached.values(), default=self.start)
        elapsed = now - self.began
        share = (slowest - self.start) / max(1, self.plan.duration - self.start)
        self.content["date"] = self.plan.clock.text(slowest)
        self.content["share"] = round(share, 4)
        self.content["elapsed_s"] = round(elapsed, 1)
        self.content["eta_s"] = round(elapsed / share - elapsed, 1) if share > 0 else None
        speed = (slowest - self.start) / 86400 / 365 / max(elapsed / 86400, 1e-9)
        self.content["simulated_years_per_day"] = round(speed, 2)
        self.write()
        self._line(share, speed)

    def _line(self, share: float, speed: float) -> None:
        eta = self.content["eta_s"]
        left = "--:--" if eta is None else f"{int(eta) // 60:02d}:{int(eta) % 60:02d}"
        text = f"{self.content['date']}  {share:5.1%}  ETA {left}  {speed:.1f} simulated years per day"
        if self.terminal:
            width = shutil.get_terminal_size((100, 20)).columns
            print("\r" + text[: width - 1].ljust(min(width - 1, 100)), end="", flush=True)
        elif int(share * 10) > self._said:
            self._said = int(share * 10)
            print(text, flush=True)

    def end_line(self) -> None:
        """Leave the progress line."""
        if self.terminal:
            print(flush=True)

    def note(self, **content: Any) -> None:
        """Change entries and write."""
        self.content.update(content)
        self.write()

    def write(self) -> None:
        """Write the file whole; a failure that some process has told of meanwhile stays in it.

        Raises
        ------
        DiskError
            ``run/`` has been removed, or is another folder than at the start.
        """
        if _identity(self.path.parent) != self._folder:
            raise DiskError(
                f"{self.path.parent} was removed or replaced while the run wrote into it; what it held is lost. "
                "Start again without --continue"
            )
        for again in range(2):  # the second time only where a failure came in between
            known = failure.found(self.plan.folder, self.content["run"]) if self.content["run"] else None
            if known is not None and self.content["state"] != "failed":
                self.content.update(known, state="failed")
            elif again:
                break
            write_text(self.path, json.dumps(self.content, indent=1) + "\n")


def whose(folder: Path, run: str, began: float) -> dict[str, Any]:
    """What tells a run from every other of this and of other cases: its case, name, moment and process.

    Parameters
    ----------
    folder : of the case
    run : its name, the same on all its processes
    began : seconds since 1970
    """
    return {
        "case": str(folder.resolve()),
        "run": run,
        "began": time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(began)),
        "pid": os.getpid(),
        "process_start": processes.started(os.getpid()),
        "host": processes.host(),
    }


def state_of(status: Mapping[str, Any], folder: Path) -> str:
    """The state of a run as it is: one that says it runs may have been killed.

    Parameters
    ----------
    status : of `read_status`
    folder : of the case
    """
    killed = status["state"] == "running" and under_way(status, folder) is False
    return "ended without finishing (killed?)" if killed else str(status["state"])


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def command_line(folder: Path, *words: str) -> str:
    """The command that runs a case, as it can be typed."""
    return typed(folder, *words)


def read_status(folder: Path) -> dict[str, Any] | None:
    """Status of a case, or None if it never ran; of a damaged file only that it is (``state: unknown``)."""
    path = folder / "run" / "status.json"
    if not path.is_file():
        return None
    try:
        status = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        status = None
    if not isinstance(status, dict) or not isinstance(status.get("state"), str):
        return {"state": "unknown"}
    known = failure.found(folder, status["run"]) if isinstance(status.get("run"), str) and status["run"] else None
    return status if known is None else {**status, **known, "state": "failed"}


def under_way(status: Mapping[str, Any], folder: Path | None = None) -> bool | None:
    """Whether the run of a status goes on; None where only another machine knows.

    A process counts only if it started when the status says so, and runs this case: `folder` may be a copy.
    """
    if status["state"] != "running":
        return False
    if status.get("host", processes.host()) != processes.host():
        return None
    if folder is not None and os.path.isabs(str(status.get("case", ""))):
        with contextlib.suppress(OSError):
            if not os.path.samefile(status["case"], folder):
                return False
    try:
        number = int(status["pid"])
    except (KeyError, TypeError, ValueError):
        return False
    start = status.get("process_start")
    return alive(number, start if isinstance(start, str) else "")


def mark_failed(folder: Path, run: str, error: str, **where: Any) -> None:
    """Note a failure in the status of this run; that of another one is left as it is."""
    with contextlib.suppress(Exception):
        status = read_status(folder)
        if status is not None and status.get("run") == run and status["state"] != "finished":
            status.update({"error": error, **where, "state": "failed"})
            write_text(folder / "run" / "status.json", json.dumps(status, indent=1) + "\n")


def describe(folder: Path) -> str:
    """Readable status of a case, with the command to go on."""
    status = read_status(folder)
    if status is None:
        return f"{folder} has not run yet. Run it:  {command_line(folder)}"
    state, going = state_of(status, folder), under_way(status, folder)
    if going is None:
        state = f"running on {status['host']}, when it last wrote"
    elif state == "unknown":
        state = f"{folder / 'run' / 'status.json'} is damaged"
    if state == "finished" and between_pieces(folder):
        state = "stopped between two pieces"
    start = status.get("start", "?")
    lines = [f"{folder}: {state}; at {status.get('date', start)} of {start} .. {status.get('end', '?')}"]
    components = status.get("components")
    for name, c in components.items() if isinstance(components, dict) else ():
        if isinstance(c, dict):
            lines.append(f"  {name:<16} at {c.get('date', '?')}, last exchange {c.get('last_exchange', '-')}")
    if status.get("error"):
        lines.append(f"  error: {status['error']}")
    restart = status.get("restart")
    if status["state"] != "finished" and not going:  # what lies there counts, whatever was noted
        sets = complete_sets(folder / "run" / "restart")
        restart = str(Path("run") / "restart" / sets[-1].name) if sets else restart
    if restart:
        lines.append(f"  newest complete restart: {restart}")
    pieces = describe_experiment(folder, typed("resubmit", folder))
    lines += pieces
    if state != "finished" and not pieces:
        how = command_line(folder, "--continue") if restart else command_line(folder)
        lines.append(f"  to {'resume' if restart else 'start again (there is no restart)'}:  {how}")
    return "\n".join(lines)
