# SPDX-License-Identifier: BSD-3-Clause
"""Budgets: what one side sent against what the other received, with exact sums.

Integrals of area x flux come from the sources' ranks, the coupler's flux laws and the targets'
ranks as exact bins; a residual is therefore the remapping's and the merging's own, not the
summation's.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from coupler.errors import BudgetError
from coupler.exact_sum import rounded
from coupler.files.atomic import write_text
from coupler.plan import Plan, Task

BEYOND = " beyond "
"""Between the name of a flux and that of the mouth by which it leaves the system."""
UNITS = {"W m-2": "J", "kg m-2 s-1": "kg", "Pa": "N s", "kg s-1": "kg", "W": "J"}


@dataclass
class Entry:
    """Sums of one flux of one window, as they come in from the ranks."""

    sent: Any = None
    size: float = 0.0
    received: dict[str, Any] = field(default_factory=dict)


@dataclass
class OpenWindow:
    """One window of one task: how many entries have come for each side, and the sums by flux."""

    came: Counter[str] = field(default_factory=Counter)
    entries: dict[str, Entry] = field(default_factory=lambda: defaultdict(Entry))


class Crossing(NamedTuple):
    """What one flux of one whole window was on both sides: flux x area, and the sum of its absolute values."""

    target: str
    flux: str
    sent: float
    received: float
    size: float


@dataclass
class Total:
    """Sums of one flux of one task over the run (amounts: flux x area x time)."""

    sent: float = 0.0
    received: float = 0.0
    size: float = 0.0
    worst: float = 0.0
    windows: int = 0


class Budget:
    """Gathers, compares and writes what crosses the interfaces.

    A window counts once it is whole, all ranks' entries of both sides being there, and its target's interval has
    begun; the windows of a task count in their order. What is written is thus the same on any number of ranks, and
    after any restart.

    Parameters
    ----------
    plan : Plan
        The plan.
    path : Path
        CSV file for daily amounts.
    ranks : int
        How many will say, with `expect`, which entries they will give.
    """

    def __init__(self, plan: Plan, path: Path, ranks: int):
        self.plan, self.path = plan, path
        self._silent = ranks
        self._early: list[tuple[str, int, int, list[Any]]] = []
        self._expected: dict[int, Counter[str]] = defaultdict(Counter)
        self._open: dict[tuple[int, int], OpenWindow] = defaultdict(OpenWindow)
        self._whole: dict[tuple[int, int], list[Crossing]] = {}
        self._last = {t.index: -1 - t.lag_windows for t in plan.tasks}
        self.totals: dict[tuple[str, str, str], Total] = defaultdict(Total)
        self._daily: dict[tuple[int, str, str, str], Total] = defaultdict(Total)

    def expect(self, books: Iterable[tuple[str, int]]) -> None:
        """Take the (side, task) pairs of a rank that will give an entry for each of their windows."""
        for side, task in books:
            self._expected[task][side] += 1
        self._silent -= 1
        if self._silent == 0:
            early, self._early = self._early, []
            self.add(early)

    def add(self, entries: Iterable[tuple[str, int, int, list[Any]]]) -> None:
        """Take entries from any rank, in any order of ranks; each rank's in the order of its windows."""
        if self._silent:  # no window can be known to be whole
            self._early += entries
            return
        for side, task, number, integrals in entries:
            window = self._open[task, number]
            window.came[side] += 1
            for name, bins, *more in integrals:
                if side.startswith("received:"):
                    received = window.entries[name].received
                    slot = side.split(":")[1]
                    received[slot] = bins if slot not in received else received[slot] + bins
                else:
                    entry = window.entries[name if side == "sent" else f"{name}|{side.split(':')[1]}"]
                    entry.sent = bins if entry.sent is None else entry.sent + bins
                    entry.size += more[0] if more else 0.0
            if window.came == self._expected[task]:
                del self._open[task, number]
                self._whole[task, number] = self._crossings(self.plan.tasks[task], window.entries)
                self._last[task] = number

    def _crossings(self, task: Task, entries: dict[str, Entry]) -> list[Crossing]:
        found = []
        for name, entry in entries.items():
            if BEYOND in name:  # it leaves at a mouth outside the target's domain, and nobody receives it
                flux, _, mouth = name.partition(BEYOND)
                gone = rounded(entry.sent)
                found.append(Crossing(f"outside: {mouth}", flux, gone, gone, entry.size))
                continue
            flux, _, slot = name.partition("|")
            if task.kind == "flux" and not slot:  # what was received of it
                continue
            received = entries[flux].received.get(slot or "0") if flux in entries else None
            if entry.sent is not None and received is not None:
                target = task.outputs[int(slot or 0)].component
                found.append(Crossing(target, flux, rounded(entry.sent), rounded(received), entry.size))
        return found

    def whole_until(self, time: int) -> bool:
        """Whether all windows that end at `time` or before it are whole."""
        return self._silent == 0 and all(
            self._last[t.index] >= time // t.period - 1 for t in self.plan.tasks if self._expected[t.index].total()
        )

    def close_until(self, time: int) -> None:
        """Count all whole windows whose target intervals begin before `time`.

        Raises
        ------
        BudgetError
            A residual above the tolerance.
        """
        for index, number in sorted(self._whole):
            task = self.plan.tasks[index]
            if (number + task.lag_windows) * task.period < time:
                for crossing in self._whole.pop((index, number)):
                    self._count(task, number, crossing)

    def _count(self, task: Task, number: int, crossing: Crossing) -> None:
        target, name, sent, received, size = crossing
        residual = abs(received - sent) / size if size > 0 else abs(received - sent)
        day = max(0, (number + task.lag_windows) * task.period) // 86400
        for total in (self.totals[task.name, target, name], self._daily[day, task.name, target, name]):
            total.sent += sent * task.period
            total.received += received * task.period
            total.size += size * task.period
            total.worst = max(total.worst, residual)
            total.windows += 1
        if residual > self.plan.budget_tolerance:
            at = self.plan.clock.text(max(0, (number + 1) * task.period))
            raise BudgetError(
                f"budget of {name} ({task.name} to {target}) at {at}: sent {sent:.17g}, received {received:.17g}, "
                f"relative residual {residual:.2e} exceeds checks.budget_tolerance {self.plan.budget_tolerance:.0e}"
            )

    def unit(self, name: str) -> str:
        """Unit of an amount: flux x area x time."""
        for c in self.plan.components:
            spec = c.exported(name) or c.imported(name)
            if spec is not None:
                return UNITS.get(spec.standard_units, f"{spec.standard_units} m2 s")
        return ""

    def write(self) -> None:
        """Write the daily amounts."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["day_start", "rule", "to", "flux", "unit", "sent", "received", "worst_relative_residual"])
        for (day, rule, target, name), t in sorted(self._daily.items()):
            date = self.plan.clock.text(day * 86400)[:10]
            writer.writerow(
                [date, rule, target, name, self.unit(name), repr(t.sent), repr(t.received), f"{t.worst:.3e}"]
            )
        write_text(self.path, out.getvalue())

    def text(self) -> str:
        """Closing table for a terminal."""
        lines = [f"{'budget':<52}{'sent':>15}{'received':>15} {'unit':<5}{'drift':>9}{'worst':>9}"]
        for (_, target, name), t in self.totals.items():
            drift = abs(t.received - t.sent) / t.size if t.size else 0.0
            label = f"{name} to {target}"
            lines.append(
                f"{label[:51]:<52}{t.sent:>15.6e}{t.received:>15.6e} {self.unit(name):<5}{drift:>9.1e}{t.worst:>9.1e}"
            )
        lines.append("(drift: over the run, worst: of one exchange; relative to the sum of absolute values)")
        return "\n".join(lines) if self.totals else ""

    def state(self, time: int) -> dict[str, Any]:
        """What a continuation at `time` needs: the totals, and the whole windows that are still on their way then."""
        self.close_until(time)
        return {
            "totals": [[*key, *astuple(t)] for key, t in self.totals.items()],
            "daily": [[*key, *astuple(t)] for key, t in self._daily.items()],
            "on_their_way": [
                [self.plan.tasks[index].key, number, [list(c) for c in crossings]]
                for (index, number), crossings in sorted(self._whole.items())
                if (number + 1) * self.plan.tasks[index].period <= time
            ],
        }

    def restore(self, state: dict[str, Any], time: int, known: Iterable[str]) -> None:
        """Restore what `state` gave at `time`; `known` has the keys of the rules that took part."""
        for *key, sent, received, size, worst, windows in state["totals"]:
            self.totals[tuple(key)] = Total(sent, received, size, worst, windows)
        for *key, sent, received, size, worst, windows in state["daily"]:
            self._daily[tuple(key)] = Total(sent, received, size, worst, windows)
        by_key = {t.key: t for t in self.plan.tasks}
        known = set(known)
        for t in self.plan.tasks:
            self._last[t.index] = time // t.period - 1 - (0 if t.key in known else t.lag_windows)
        for rule, number, crossings in state["on_their_way"]:
            if rule in by_key:
                self._whole[by_key[rule].index, number] = [Crossing(*c) for c in crossings]
