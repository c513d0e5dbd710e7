"""Where the time goes: computing, waiting, sending, writing, by component and rank."""

from __future__ import annotations

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coupler.exchange.plan import Plan
from coupler.files.atomic import write_text

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
        """Count the time of a block."""
        start, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.add(who, kind, start, time.perf_counter())
            self.cpu[who] += time.process_time() - cpu

    def add(self, who: str, kind: str, start: float, end: float) -> None:
        """Count a piece of time."""
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
        }


def write_trace(path: Path, rank: int, timer: Timer) -> None:
    """Chrome/Perfetto trace of one process (open the files of all ranks together in ui.perfetto.dev)."""
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

    Returns
    -------
    dict
        ``rows``: by component, seconds a rank of each kind; ``wall``; ``slowest``, the component that holds the
        others up (empty on one process); ``suggestion``, a layout with the same number of processes that waits less (empty if none);
        ``cpu`` and ``coupler_cpu``, seconds of CPU of all processes and of the coupler's; ``cpu_of``, those that each
        component spent in its steps, all ranks together.
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
        of = _host(plan, c.name)
        waits[of] = waits.get(of, 0.0) + rows[c.name]["waiting"]
    slowest = min(waits, key=lambda n: waits[n]) if plan.size > 1 else ""  # alone, nobody waits
    return {
        "wall": wall,
        "cpu": sum(float(r["cpu"]) for r in reports),
        "coupler_cpu": sum(float(reports[rank]["cpu"]) for rank in plan.coupler_ranks),
        "cpu_of": {c.name: sum(r.get("cpu_of", {}).get(c.name, 0.0) for r in reports) for c in plan.components},
        "simulated": simulated,
        "rows": rows,
        "slowest": slowest,
        "suggestion": suggest(plan, rows),
        "calls": call_times(reports, wall),
    }


def call_times(reports: Sequence[Mapping[str, Any]], wall: float) -> dict[str, dict[str, float]]:
    """Of each component that counts its calls: how many a rank, median and 95th percentile (s), share of the wall."""
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


def suggest(plan: Plan, rows: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """A layout with as many processes in which the busiest one computes for the shortest time.

    Work is taken to divide evenly over ranks; ranks go one by one to whoever would take longest. Components that share
    ranks (``with:``) go on sharing them, and those that take turns (a rule without a lag and one of a single period
    back, as an atmosphere and its radiation) come to share them: neither then stands idle while the other works. The
    coupler keeps its ranks: more of them are seldom what is missing.

    Returns
    -------
    dict
        What to write after ``layout:``; empty where nothing better by 5 % is found.
    """
    host = {c.name: _host(plan, c.name) for c in plan.components}
    if plan.size == 1 or any(r in plan.coupler_ranks for c in plan.components for r in c.ranks):
        return {}
    work = dict.fromkeys(host.values(), 0.0)
    for c in plan.components:
        work[host[c.name]] += (rows[c.name]["computing"] + rows[c.name]["sending"]) * len(c.ranks)
    ranks = {name: len(plan[name].ranks) for name in work}
    lead = _leaders(plan, host, work)
    together = {n: sum(work[h] for h in work if lead[h] == n) for n in set(lead.values())}
    now = max(sum(work[h] / ranks[h] for h in work if lead[h] == n) for n in together)  # in turns: one after the other
    counts = dict.fromkeys(sorted(together), 1)
    for _ in range(sum(ranks.values()) - len(counts)):
        counts[max(counts, key=lambda n: together[n] / counts[n])] += 1
    if max(together[n] / counts[n] for n in counts) > 0.95 * now:
        return {}
    layout: dict[str, Any] = {"coupler": len(plan.coupler_ranks)}
    for c in plan.components:
        of = lead[host[c.name]]
        share = counts[of] if host[c.name] == c.name else round(len(c.ranks) * counts[of] / ranks[host[c.name]])
        layout[c.name] = counts[of] if of == c.name else {"ranks": min(counts[of], max(1, share)), "with": of}
    return layout


def _leaders(plan: Plan, host: Mapping[str, str], work: Mapping[str, float]) -> dict[str, str]:
    """Of each host, the busiest of those it takes turns with: itself, mostly."""
    links = {(b.component, d.component): t.lag_windows for t in plan.tasks for b in t.inputs for d in t.outputs}
    group = {h: {h} for h in work}
    for (one, other), lag in links.items():
        if lag == 0 and links.get((other, one)) == 1 and host[one] != host[other]:
            joined = group[host[one]] | group[host[other]]
            group.update(dict.fromkeys(joined, joined))
    return {h: max(sorted(members), key=lambda n: work[n]) for h, members in group.items()}


def _host(plan: Plan, name: str) -> str:
    """The component whose ranks a component lives on: the first with the most of them."""
    mine = set(plan[name].ranks)
    return max((c for c in plan.components if mine <= set(c.ranks)), key=lambda c: len(c.ranks)).name


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
        lines.append(f"suggested layout for as many processes:  layout: {_flow(result['suggestion'])}")
    return "\n".join(lines)


def _flow(layout: Mapping[str, Any]) -> str:
    """A mapping as one line of YAML."""
    parts = (f"{n}: {_flow(k) if isinstance(k, Mapping) else k}" for n, k in layout.items())
    return "{" + ", ".join(parts) + "}"
