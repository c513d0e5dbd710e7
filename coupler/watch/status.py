"""Status of a run: ``status.json``, written continuously, and the progress line."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coupler.files.atomic import write_text
from coupler.files.restart import complete_sets
from coupler.paths import COMMAND
from coupler.plan import Plan

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
    """

    def __init__(self, plan: Plan, start: int):
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
            "case": str(plan.folder),
            "state": "running",
            "began": time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(self.began)),
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "start": plan.clock.text(start),
            "end": plan.clock.text(plan.duration),
            "components": {c.name: {"time": start, "date": plan.clock.text(start)} for c in plan.components},
            "restart": str(Path("run") / "restart" / sets[-1].name) if sets else None,
            "resume": f"{COMMAND} {plan.folder} --continue",
        }

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
        """Write the file whole."""
        write_text(self.path, json.dumps(self.content, indent=1) + "\n")


def read_status(folder: Path) -> dict[str, Any] | None:
    """Status of a case, or None if it never ran."""
    path = folder / "run" / "status.json"
    if not path.is_file():
        return None
    return dict(json.loads(path.read_text(encoding="utf-8")))


def alive(pid: int) -> bool:
    """Whether a process of this machine lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def under_way(status: Mapping[str, Any]) -> bool | None:
    """Whether the run of a status goes on; None where only another machine knows."""
    if status["state"] != "running":
        return False
    if status.get("host", os.uname().nodename) != os.uname().nodename:
        return None
    return alive(int(status["pid"]))


def describe(folder: Path) -> str:
    """Readable status of a case, with the command to go on."""
    status = read_status(folder)
    if status is None:
        return f"{folder} has not run yet. Run it:  {COMMAND} {folder}"
    state = status["state"]
    going = under_way(status)
    if state == "running" and going is False:
        state = "ended without finishing (killed?)"
    elif going is None:
        state = f"running on {status['host']}, when it last wrote"
    lines = [f"{folder}: {state}; at {status.get('date', status['start'])} of {status['start']} .. {status['end']}"]
    for name, c in status["components"].items():
        lines.append(f"  {name:<16} at {c['date']}, last exchange {c.get('last_exchange', '-')}")
    if status.get("error"):
        lines.append(f"  error: {status['error']}")
    if status.get("restart"):
        lines.append(f"  newest complete restart: {status['restart']}")
    if state != "finished":
        how = status["resume"] if status.get("restart") else f"{COMMAND} {folder}"
        lines.append(f"  to {'resume' if status.get('restart') else 'start again (there is no restart)'}:  {how}")
    return "\n".join(lines)
