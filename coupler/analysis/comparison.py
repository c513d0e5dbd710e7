# SPDX-License-Identifier: BSD-3-Clause
"""A run's monthly means beside observations: for each field a card of months with their scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.analysis.observations import Beside, Moment, Observed, day_of, find, land_of, moment
from coupler.analysis.records import Record, parts, read, shown_unit, unit_of
from coupler.analysis.scores import EVERYWHERE, Box, Score, score
from coupler.errors import CaseError
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
    period: tuple[Moment, Moment] = ((), ())
    """First and last moment of the run's records."""
    records: int = 0
    seen: str = ""
    """What the observations stand for."""

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
    at_sea: bool = False
    """Whether the run's cells on land are left out, for the observations are of the sea."""


def make_cards(plan: Plan, against: list[Path], regions: list[Box]) -> tuple[list[Card], list[str]]:
    """Compare every field of a run's output that somebody has observed.

    Returns
    -------
    list of Card, list of str
        And why observed fields have no card.

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
    cards, reasons, taken = [], [], set()
    for component, path, names in streams:
        for name in names:
            if name not in observed or (component.name, name) in taken:
                continue
            taken.add((component.name, name))
            try:
                cards.append(_card(component, path, observed[name], others.get(name), regions))
            except CaseError as error:
                reasons.append(f"{component.name}, {name}: {error}")
    if not cards:
        raise CaseError(
            f"nothing to compare: the output of {case} has {', '.join(offered)}; the observations"
            f" ({', '.join(p.name for p in against)}) have "
            + ("\n  ".join(["these, but", *reasons]) if reasons else "none of these")
            + "\nName files that have, with  --against FILE, or add fields to a component's output"
        )
    return cards, reasons


def _span(moments: Iterable[Moment]) -> str:
    """First and last day."""
    days = sorted(moments)
    return f"{day_of(days[0])} to {day_of(days[-1])}"


def _streams(plan: Plan) -> Iterable[tuple[ComponentPlan, Path, tuple[str, ...]]]:
    for component in plan.components:
        for stream in sorted(component.streams, key=lambda s: s.statistic != "mean"):
            path = history_path(plan.folder / "run", component.name, stream.name)
            if stream.statistic in ("mean", "instant") and parts(path):
                yield component, path, stream.fields


def _card(component: ComponentPlan, path: Path, observed: Observed, other: Observed | None, regions: list[Box]) -> Card:
    try:
        record = read(path, observed.name)
    except (KeyError, IndexError):
        raise CaseError(f"{path.name} does not hold it: was the output changed after the run?") from None
    if not np.isfinite(record.values).any():
        raise CaseError(f"the run has no value at all in {path.name}")
    spec = component.exported(observed.name) or component.imported(observed.name)
    grid = component.grids[spec.grid if spec else "default"]
    beside = Beside(grid, observed.grid)
    _, factor, offset = shown_unit(observed.name, unit_of(observed.name))
    area = beside.grid.area.reshape(beside.grid.shape)
    boxes = [EVERYWHERE, *regions]
    inside = {b.name: b.holds(beside.grid.longitude, beside.grid.latitude) for b in boxes}

    apart = _Apart(observed, other, boxes, factor)
    land = land_of(grid) if len(grid.shape) == 2 and len(observed.grid.shape) == 2 else np.zeros(grid.shape, bool)
    everywhere = bool(land.any()) and np.isfinite(record.values[0][land]).mean() > MOSTLY
    at_sea = everywhere and observed.of_the_sea()

    def compare(year: int, month: int, model: Floats, seen: Floats, months: list[Month]) -> Month:
        scores = {n: score(np.where(w, model, np.nan), seen, area) for n, w in inside.items()}
        scores = {n: replace(s, spread=apart.spread(n, months)) for n, s in scores.items()}
        return Month(year, month, model, seen, {n: s for n, s in scores.items() if s.cells > 1})

    months, shared = [], False
    for year, month in sorted({_month(record, i) for i in range(len(record.times))}):
        chosen = [i for i in range(len(record.times)) if _month(record, i) == (year, month)]
        period = _period(record, chosen)
        there = observed.records(year, month, period)
        if not there:
            continue
        shared = True
        seen = observed.month(year, month, period)
        assert seen is not None
        mean = np.where(land & at_sea, np.nan, record.values[chosen].mean(axis=0))
        model, shown = beside(mean, seen * factor + offset)
        if not (np.isfinite(model) & np.isfinite(shown)).any():
            continue
        plain = Month(year, month, model, shown, {}, period, len(chosen), observed.said(there, month))
        months.append(replace(plain, scores=compare(year, month, model, shown, [plain]).scores))
    if not months and shared:
        lacks = not np.isfinite(observed.values(list(range(max(len(observed.moments), 1))))).any()
        what = f"{observed.held.variable} has no value at all" if lacks else "no cell where both have a value"
        raise CaseError(f"{observed.path.name}: {what}")
    if not months:
        mine = _span(moment(t) for t in record.times)
        raise CaseError(f"no time in common: the run has {mine}, {observed.path.name} {_span(observed.moments)}")
    model, shown = (np.mean([getattr(m, part) for m in months], axis=0) for part in ("model", "observed"))
    overall = replace(
        compare(0, 0, model, shown, months),
        period=(months[0].period[0], months[-1].period[1]),
        records=sum(m.records for m in months),
        seen="; ".join(dict.fromkeys(m.seen for m in months)),
    )
    return Card(record, observed, beside.grid, months, overall, other, at_sea)


MOSTLY = 0.9
"""Share of the cells on land with a value of a field that is not one of the sea."""


class _Apart:
    """How far two observations are from each other, by region and month."""

    def __init__(self, observed: Observed, other: Observed | None, boxes: list[Box], factor: float):
        self._pair, self._factor = (observed, other), factor
        if other is not None:
            self._beside = Beside(observed.grid, other.grid)
            grid = self._beside.grid
            self._area = grid.area.reshape(grid.shape)
            self._inside = {b.name: b.holds(grid.longitude, grid.latitude) for b in boxes}

    def spread(self, region: str, months: list[Month]) -> float:
        """Root-mean-square difference of their means over some months; NaN without a second one."""
        first, second = self._pair
        if second is None:
            return np.nan
        both = [[o.month(m.year, m.month, m.period) for m in months] for o in (first, second)]
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


def _period(record: Record, chosen: list[int]) -> tuple[Moment, Moment]:
    """First and last moment of some records, from the beginning of the first to the end of the last."""
    if record.intervals:
        return moment(record.intervals[chosen[0]][0]), moment(record.intervals[chosen[-1]][1])
    return moment(record.times[chosen[0]]), moment(record.times[chosen[-1]])
