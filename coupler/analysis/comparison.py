# SPDX-License-Identifier: BSD-3-Clause
"""A run's monthly means beside observations: for each field a card of months with their scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.analysis.observations import Beside, Observed, find
from coupler.analysis.records import Record, parts, read, shown_unit
from coupler.analysis.scores import WHOLE, Box, Score, score
from coupler.errors import CaseError
from coupler.fields import dictionary
from coupler.files.history import history_path
from coupler.grids.grid import Grid
from coupler.plan import ComponentPlan, Plan

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Month:
    """One month of one field on the grid of the comparison, in the unit shown."""

    year: int
    month: int
    model: Floats
    observed: Floats
    scores: dict[str, Score]

    @property
    def label(self) -> str:
        """Such as 2001-02."""
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True)
class Card:
    """All months of one field of one component."""

    record: Record
    observed: Observed
    grid: Grid
    months: list[Month]
    mean: Month
    """Mean over the months, as if it were one."""
    other: Observed | None = None
    """A second observation, whose difference from the first says how well the field is known."""


def make_cards(plan: Plan, against: list[Path], regions: list[Box]) -> list[Card]:
    """Compare every field of a run's output that somebody has observed.

    Parameters
    ----------
    plan : Plan
        Of a case that has run.
    against : list of Path
        Files with observations; the first that has a field is taken, and the second beside it for the spread.
    regions : list of Box
        Regions, beside the whole.

    Raises
    ------
    CaseError
        No output, or nothing in it that the files have.
    """
    case = plan.folder
    streams = list(_streams(plan))
    if not streams:
        raise CaseError(f"{case}/run/history has no output: run the case first")
    offered = sorted({name for _, _, names in streams for name in names})
    observed = find(against, offered)
    others = {
        n: o for n, first in observed.items() for o in find([p for p in against if p != first.path], [n]).values()
    }
    cards, taken = [], set()
    for component, path, names in streams:
        for name in names:
            if name not in observed or (component.name, name) in taken:
                continue
            taken.add((component.name, name))
            made = _card(component, path, observed[name], others.get(name), regions)
            if made is not None:
                cards.append(made)
    if not cards:
        raise CaseError(
            f"nothing to compare: the output of {case} has {', '.join(offered)}; the observations"
            f" ({', '.join(p.name for p in against)}) have none of these in these months.\n"
            "Name files that have, with  --against FILE, or add fields to a component's output"
        )
    return cards


def _streams(plan: Plan) -> Iterable[tuple[ComponentPlan, Path, tuple[str, ...]]]:
    for component in plan.components:
        for stream in sorted(component.streams, key=lambda s: s.statistic != "mean"):
            path = history_path(plan.folder / "run", component.name, stream.name)
            if stream.statistic in ("mean", "instant") and parts(path):
                yield component, path, stream.fields


def _card(
    component: ComponentPlan, path: Path, observed: Observed, other: Observed | None, regions: list[Box]
) -> Card | None:
    try:
        record = read(path, observed.name)
    except (KeyError, IndexError):
        return None
    spec = component.exported(observed.name) or component.imported(observed.name)
    grid = component.grids[spec.grid if spec else "default"]
    beside = Beside(grid, observed.grid)
    _, factor, offset = shown_unit(observed.name, str(dictionary().get(observed.name, {}).get("units", "")))
    area = beside.grid.area.reshape(beside.grid.shape)
    boxes = [Box(WHOLE, -180.0, 180.0 - 1e-9, -90.0, 90.0), *regions]
    inside = {b.name: b.holds(beside.grid.longitude, beside.grid.latitude) for b in boxes}

    apart = _Apart(observed, other, boxes, factor)

    def compare(year: int, month: int, model: Floats, seen: Floats, months: list[tuple[int, int]]) -> Month:
        scores = {n: score(np.where(w, model, np.nan), seen, area) for n, w in inside.items()}
        scores = {n: replace(s, spread=apart.spread(n, months)) for n, s in scores.items()}
        return Month(year, month, model, seen, {n: s for n, s in scores.items() if s.cells > 1})

    months = []
    for year, month in sorted({_month(record, i) for i in range(len(record.times))}):
        seen = observed.month(year, month)
        if seen is None:
            continue
        chosen = [i for i in range(len(record.times)) if _month(record, i) == (year, month)]
        model, shown = beside(record.values[chosen].mean(axis=0), seen * factor + offset)
        if not (np.isfinite(model) & np.isfinite(shown)).any():
            continue
        months.append(compare(year, month, model, shown, [(year, month)]))
    if not months:
        return None
    model, shown = (np.mean([getattr(m, part) for m in months], axis=0) for part in ("model", "observed"))
    mean = compare(0, 0, model, shown, [(m.year, m.month) for m in months])
    return Card(record, observed, beside.grid, months, mean, other)


class _Apart:
    """How far two observations are from each other, by region and month."""

    def __init__(self, observed: Observed, other: Observed | None, boxes: list[Box], factor: float):
        self._pair, self._factor = (observed, other), factor
        if other is not None:
            self._beside = Beside(observed.grid, other.grid)
            grid = self._beside.grid
            self._area = grid.area.reshape(grid.shape)
            self._inside = {b.name: b.holds(grid.longitude, grid.latitude) for b in boxes}

    def spread(self, region: str, months: list[tuple[int, int]]) -> float:
        """Root-mean-square difference of their means over some months; NaN without a second one."""
        first, second = self._pair
        if second is None:
            return np.nan
        both = [[o.month(*when) for when in months] for o in (first, second)]
        kept = [(a, b) for a, b in zip(*both, strict=True) if a is not None and b is not None]
        if not kept:
            return np.nan
        a, b = self._beside(*(np.mean(part, axis=0) for part in zip(*kept, strict=True)))
        return abs(self._factor) * score(np.where(self._inside[region], a, np.nan), b, self._area).rmse


def _month(record: Record, number: int) -> tuple[int, int]:
    """Year and month in whose middle a record lies."""
    if record.intervals:
        first, last = record.intervals[number]
        middle = first + (last - first) / 2
    else:
        middle = record.times[number]
    return int(middle.year), int(middle.month)
