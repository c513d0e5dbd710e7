# SPDX-License-Identifier: BSD-3-Clause
"""Where the time goes: computing, waiting, sending, writing, by component and rank."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coupler.files.atomic import write_text
from coupler.plan import Plan
from coupler.watch.suggestion import host_of, suggest

KINDS = ("computing", "waiting", "sending", "writing")


class Timer:
    """Seconds by (who, kind) on one process, and events for a trace if one is wanted."""

    def __init__(self, trace: bool = False):
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.calls: dict[str, list[float]] = {}
        self.events: list[tuple[str, str, float, float]] | None = [] if trace else None
        self.begin = time.perf_counter()
        self.begin_wall = time.time()

    @contextlib.contextmanager
    def measure(self, who: str, kind: str) -> Iterator[None]:
        """Count the time of a block.

        Parameters
        ----------
        who : component or coupler
        kind : of work
        """
        start, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.add(who, kind, start, time.perf_counter())
            self.cpu[who] += time.process_time() - cpu

    def add(self, who: str, kind: str, start: float, end: float) -> None:
        """Count a piece of time.

        Parameters
        ----------
        who : component or coupler
        kind : of work
        start, end : clock times, s
        """
        self.seconds[who, kind] += end - start
        if self.events is not None:
            self.events.append((who, kind, start, end))

    def report(self) -> dict[str, Any]:
        """What one process tells about itself."""
        seconds = {f"{who}|{kind}": s for (who, kind), s in self.seconds.items()}
        wall = time.perf_counter() - self.begin
        return {
            "seconds": seconds,
            "cpu": time.process_time(),
            "cpu_of": dict(self.cpu),
            "wall": wall,
            "calls": self.calls,
            "host": os.uname().nodename,
            "cores": my_cores(),
        }


def my_cores() -> list[int]:
    """Numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cores_of(reports: Sequence[Mapping[str, Any]]) -> int:
    """Cores that the processes of a run may run on, over all hosts; 0 where a report does not say."""
    if not all("cores" in r for r in reports):
        return 0
    return len({(r["host"], core) for r in reports for core in r["cores"]})


def write_trace(path: Path, rank: int, timer: Timer) -> None:
    """Chrome/Perfetto trace of one process (open the files of all ranks together in ui.perfetto.dev).

    Parameters
    ----------
    path : JSON file to write
    rank : of the process
    timer : its times
    """
    assert timer.events is not None
    offset = timer.begin_wall - timer.begin
    events: list[dict[str, Any]] = [
        {"name": kind, "cat": who, "ph": "X", "pid": rank, "tid": who, "ts": (start + offset) * 1e6,
         "dur": (end - start) * 1e6}
        for who, kind, start, end in timer.events
    ]  # fmt: skip
    events.append({"name": "process_name", "ph": "M", "pid": rank, "args": {"name": f"rank {rank}"}})
    write_text(path, json.dumps({"traceEvents": events}))


def table(plan: Plan, reports: Sequence[Mapping[str, Any]], simulated: int) -> dict[str, Any]:
    """Timing of the whole run from the reports of all processes.

    Parameters
    ----------
    plan : of the run
    reports : of all processes
    simulated : model time of the run, s

    Returns
    -------
    dict
        ``rows``: by component, seconds a rank of each kind; ``wall``; ``slowest``, the component that holds the
        others up (empty on one process); ``processes`` and the ``cores`` that they may run on (0: not known);
        ``suggestion``, a layout that waits less (empty if none); ``cpu`` and ``coupler_cpu``, seconds of CPU of all
        processes and of the coupler's; ``cpu_of``, those that each component spent in its steps, all ranks together.
    """
    wall = max(float(r["wall"]) for r in reports)
    rows: dict[str, dict[str, float]] = {}
    groups = {"coupler": plan.coupler_ranks, **{c.name: c.ranks for c in plan.components}}
    for name, ranks in groups.items():
        row = {k: 0.0 for k in KINDS}
        for rank in ranks:
            for kind in KINDS:
                row[kind] += reports[rank]["seconds"].get(f"{name}|{kind}", 0.0) / len(ranks)
        row["ranks"] = float(len(ranks))
        rows[name] = row
    waits = {"coupler": rows["coupler"]["waiting"]}
    for c in plan.components:  # those that live on one rank take turns: together they wait as long as it does
        of = host_of(plan, c.name)
        waits[of] = waits.get(of, 0.0) + rows[c.name]["waiting"]
    slowest = min(waits, key=lambda n: waits[n]) if plan.size > 1 else ""  # alone, nobody waits
    cores = cores_of(reports)
    cpu_of = {c.name: sum(r.get("cpu_of", {}).get(c.name, 0.0) for r in reports) for c in plan.components}
    return {
        "wall": wall,
        "cpu": sum(float(r["cpu"]) for r in reports),
        "coupler_cpu": sum(float(reports[rank]["cpu"]) for rank in plan.coupler_ranks),
        "cpu_of": cpu_of,
        "simulated": simulated,
        "rows": rows,
        "slowest": slowest,
        "processes": plan.size,
        "cores": cores,
        "suggestion": suggest(plan, rows, cores, cpu_of),
        "calls": call_times(reports, wall),
    }


def call_times(reports: Sequence[Mapping[str, Any]], wall: float) -> dict[str, dict[str, float]]:
    """Of each component that counts its calls: how many a rank, median and 95th percentile (s), share of the wall.

    Parameters
    ----------
    reports : of all processes
    wall : time of the run, s
    """
    seconds: dict[str, list[list[float]]] = defaultdict(list)
    for report in reports:
        for name, mine in report.get("calls", {}).items():
            if mine:
                seconds[name].append(mine)
    found = {}
    for name, ranks in seconds.items():
        together = [s for mine in ranks for s in mine]
        middle, late = np.quantile(together, [0.5, 0.95])
        share = sum(together) / len(ranks) / max(wall, 1e-9)
        found[name] = {"number": len(together) / len(ranks), "p50": float(middle), "p95": float(late), "share": share}
    return found


def text(result: Mapping[str, Any]) -> str:
    """The timing table for a terminal."""
    wall, simulated = result["wall"], result["simulated"]
    lines = [f"{'seconds a rank':<18}{'ranks':>6}" + "".join(f"{k:>11}" for k in KINDS) + f"{'busy':>8}"]
    for name, row in result["rows"].items():
        busy = (row["computing"] + row["sending"] + row["writing"]) / max(wall, 1e-9)
        lines.append(f"{name:<18}{int(row['ranks']):>6}" + "".join(f"{row[k]:>11.2f}" for k in KINDS) + f"{busy:>8.0%}")
    years = simulated / 86400 / 365 / max(wall / 86400, 1e-12)
    lines.append(f"wall {wall:.1f} s, CPU {result['cpu']:.1f} s, {years:.1f} simulated years per day")
    if result["slowest"]:
        lines.append(f"{result['slowest']} waits least: it holds the others up")
    for name, c in result.get("calls", {}).items():
        quantiles = f"p50 {1e3 * c['p50']:.1f} ms, p95 {1e3 * c['p95']:.1f} ms, {c['share']:.1%} of the wall clock"
        lines.append(f"{name}: {c['number']:.0f} calls a rank, {quantiles}")
    if result["suggestion"]:
        needed = sum(n for n in result["suggestion"].values() if isinstance(n, int))
        target = (
            "as many processes" if needed == result["processes"] else f"{result['cores']} cores (mpirun -n {needed})"
        )
        lines.append(f"suggested layout for {target}:  layout: {_flow(result['suggestion'])}")
    return "\n".join(lines)


def _flow(layout: Mapping[str, Any]) -> str:
    """A mapping as one line of YAML."""
    parts = (f"{n}: {_flow(k) if isinstance(k, Mapping) else k}" for n, k in layout.items())
    return "{" + ", ".join(parts) + "}"
