# SPDX-License-Identifier: BSD-3-Clause
"""A run's monthly means beside observations: for each field a card of months with their scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.analysis.observations import Beside, Observed, find
from coupler.analysis.records import Record, read, shown_unit
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


def make_cards(plan: Plan, against: list[Path], regions: list[Box]) -> list[Card]:
    """Compare every field of a run's output that somebody has observed.

    Parameters
    ----------
    plan : Plan
        Of a case that has run.
    against : list of Path
        Files with observations; the first that has a field is taken.
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
    cards, taken = [], set()
    for component, path, names in streams:
        for name in names:
            if name not in observed or (component.name, name) in taken:
                continue
            taken.add((component.name, name))
            made = _card(component, path, observed[name], regions)
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
            if stream.statistic in ("mean", "instant") and path.is_file():
                yield component, path, stream.fields


def _card(component: ComponentPlan, path: Path, observed: Observed, regions: list[Box]) -> Card | None:
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

    def compare(year: int, month: int, model: Floats, seen: Floats) -> Month:
        scores = {n: score(np.where(w, model, np.nan), seen, area) for n, w in inside.items()}
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
        months.append(compare(year, month, model, shown))
    if not months:
        return None
    mean = compare(0, 0, *(np.mean([getattr(m, part) for m in months], axis=0) for part in ("model", "observed")))
    return Card(record, observed, beside.grid, months, mean)


def _month(record: Record, number: int) -> tuple[int, int]:
    """Year and month in whose middle a record lies."""
    if record.intervals:
        first, last = record.intervals[number]
        middle = first + (last - first) / 2
    else:
        middle = record.times[number]
    return int(middle.year), int(middle.month)
