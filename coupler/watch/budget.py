"""Budgets: what one side sent against what the other received, with exact sums.

Integrals of area x flux come from the sources' ranks, the coupler's flux laws and the targets'
ranks as exact bins; a residual is therefore the remapping's and the merging's own, not the
summation's.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coupler.errors import BudgetError
from coupler.exact_sum import rounded
from coupler.files.atomic import write_text
from coupler.plan import Plan

UNITS = {"W m-2": "J", "kg m-2 s-1": "kg", "Pa": "N s"}


@dataclass
class Entry:
    """Sums of one flux of one window, as they come in from the ranks."""

    sent: Any = None
    size: float = 0.0
    received: dict[str, Any] = field(default_factory=dict)


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

    Parameters
    ----------
    plan : Plan
        The plan.
    path : Path
        CSV file for daily amounts.
    """

    def __init__(self, plan: Plan, path: Path):
        self.plan, self.path = plan, path
        self._open: dict[tuple[int, int], dict[str, Entry]] = defaultdict(lambda: defaultdict(Entry))
        self.totals: dict[tuple[str, str, str], Total] = defaultdict(Total)
        self._daily: dict[tuple[int, str, str, str], Total] = defaultdict(Total)
        self._rows: list[list[Any]] = []

    def add(self, entries: Iterable[tuple[str, int, int, list[Any]]]) -> None:
        """Take entries from any rank, in any order."""
        for side, task, window, integrals in entries:
            for name, bins, *more in integrals:
                if side.startswith("received:"):
                    entry = self._open[task, window][name]
                    slot = side.split(":")[1]
                    entry.received[slot] = bins if slot not in entry.received else entry.received[slot] + bins
                else:
                    key = name if side == "sent" else f"{name}|{side.split(':')[1]}"
                    entry = self._open[task, window][key]
                    entry.sent = bins if entry.sent is None else entry.sent + bins
                    entry.size += more[0] if more else 0.0

    def close_until(self, time: int) -> None:
        """Compare all windows whose target intervals begin before `time`.

        Raises
        ------
        BudgetError
            A residual above the tolerance.
        """
        for task_index, window in sorted(self._open):
            task = self.plan.tasks[task_index]
            if (window + task.lag_windows) * task.period >= time:
                continue
            entries = self._open.pop((task_index, window))
            for name, entry in entries.items():
                if task.kind == "flux":
                    if "|" not in name:
                        continue
                    flux, slot = name.split("|")
                    received = entries[flux].received.get(slot) if flux in entries else None
                    self._compare(task_index, window, flux, int(slot), entry, received)
                elif entry.sent is not None:
                    self._compare(task_index, window, name, 0, entry, entry.received.get("0"))

    def _compare(self, index: int, window: int, name: str, slot: int, entry: Entry, received_bins: Any) -> None:
        task = self.plan.tasks[index]
        if received_bins is None or entry.sent is None:
            return
        sent, received = rounded(entry.sent), rounded(received_bins)
        residual = abs(received - sent) / entry.size if entry.size > 0 else abs(received - sent)
        target = task.outputs[slot].component
        seconds = task.period
        day = max(0, (window + task.lag_windows) * task.period) // 86400
        for total in (self.totals[task.name, target, name], self._daily[day, task.name, target, name]):
            total.sent += sent * seconds
            total.received += received * seconds
            total.size += entry.size * seconds
            total.worst = max(total.worst, residual)
            total.windows += 1
        if residual > self.plan.budget_tolerance:
            at = self.plan.clock.text(max(0, (window + 1) * task.period))
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

    def state(self) -> dict[str, Any]:
        """Running totals for the restart."""
        return {
            "totals": [[*key, t.sent, t.received, t.size, t.worst, t.windows] for key, t in self.totals.items()],
            "daily": [[*key, t.sent, t.received, t.size, t.worst, t.windows] for key, t in self._daily.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up running totals."""
        for rule, target, name, *numbers in state.get("totals", []):
            self.totals[rule, target, name] = Total(*numbers)
        for day, rule, target, name, *numbers in state.get("daily", []):
            self._daily[day, rule, target, name] = Total(*numbers)
