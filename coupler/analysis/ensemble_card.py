# SPDX-License-Identifier: BSD-3-Clause
"""An ensemble beside observations on one page: fair CRPS, spread over error, ranks of what was observed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.comparison import Card, Month, make_cards
from coupler.analysis.ensemble_scores import fair_crps, rank_histogram, spread_over_error
from coupler.analysis.figures import INK, LINES, pyplot, tidy
from coupler.analysis.observations import require
from coupler.analysis.page import embedded, note, number, table, write, write_numbers
from coupler.analysis.scores import EVERYWHERE, WHOLE, Box, read_regions
from coupler.case.case import make_plan
from coupler.case.members import members_of
from coupler.case.reading import Case
from coupler.errors import CaseError
from coupler.plan import Plan

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EnsembleScore:
    """Members beside what was observed, over some cells, weighted by their areas; in the unit shown.

    Parameters
    ----------
    cells : where all members and the observation have a value
    fair_crps : of an ensemble of any size (Ferro 2014)
    error_of_mean, error_of_a_member : root-mean-square, of the members' mean, and of a member on the average
    spread_over_error : one where members and observation are alike (Fortin et al. 2014)
    outside : share of the cells in which the observation lies outside all members
    """

    cells: int
    fair_crps: float
    error_of_mean: float
    error_of_a_member: float
    spread_over_error: float
    outside: float


def score_members(members: Floats, observed: Floats, area: Floats) -> EnsembleScore | None:
    """Scores over all cells; None where there is no cell with all values.

    Parameters
    ----------
    members : (m, ...), at least two; NaN where unknown
    observed, area : (...)
    """
    there = np.isfinite(observed) & np.isfinite(members).all(axis=0)
    if not there.any():
        return None
    x, y, w = members[:, there], observed[there], area[there] / area[there].sum()
    outside = (y < x.min(axis=0)) | (y > x.max(axis=0))
    return EnsembleScore(
        int(there.sum()),
        float((w * fair_crps(x, y)).sum()),
        float(np.sqrt((w * (x.mean(axis=0) - y) ** 2).sum())),
        float(np.sqrt((w * (x - y) ** 2).sum(axis=1).mean())),
        spread_over_error(x, y, w),
        float((w * outside).sum()),
    )


def make_ensemble_card(case: Case, against: list[Path], regions: Path) -> list[Path]:
    """Write ``run/score/ensemble.html`` and ``ensemble.csv``; returns their paths.

    Parameters
    ----------
    case : with ``instances``
    against : files of observations
    regions : YAML file of named boxes

    Raises
    ------
    CaseError
        Fewer than two members with output, observations that are not there or have nothing that the members have.
    """
    require(against)
    folders = [case.folder / "run" / m.name for m in members_of(case)]
    ran = [make_plan(f) for f in folders if any((f / "run" / "history").glob("*"))]
    if len(ran) < 2:
        raise CaseError(
            f"{case.folder}: expected two members with output or more, found {len(ran)} of {len(folders)}: run it first"
        )
    boxes = read_regions(regions)
    parts = [
        note(
            f"{len(ran)} of {len(folders)} members, monthly means. Fair CRPS is the score of an ensemble of any size,"
            " less is better, and the mean absolute error where all members agree. Spread over error is one, and the"
            " ranks are flat, where the observation could be a member; below one the members are too sure, or the"
            " observation's own error, which is not added, is of their size."
        )
    ]
    rows: list[dict[str, Any]] = []
    for cards in _by_field(ran, against, boxes):
        part, numbers = _section(cards, boxes)
        parts += part
        rows += numbers
    page = write(f"{case.folder.name}: members beside observations", parts, case.folder / "run/score/ensemble.html")
    head = ("component", "field", "unit", "month", "region", "members", *EnsembleScore.__dataclass_fields__)
    return [page, write_numbers(rows, page.with_suffix(".csv"), head)]


def _by_field(plans: list[Plan], against: list[Path], boxes: list[Box]) -> list[list[Card]]:
    """For each field that all members have, a card a member."""
    of_members = [
        {(c.record.component, c.record.name): c for c in make_cards(plan, against, boxes)[0]} for plan in plans
    ]
    return [[cards[key] for cards in of_members] for key in of_members[0] if all(key in cards for cards in of_members)]


def _section(cards: list[Card], boxes: list[Box]) -> tuple[list[str], list[dict[str, Any]]]:
    """HTML and numbers of one field."""
    first = cards[0]
    record, grid = first.record, first.grid
    area = grid.area.reshape(grid.shape)
    where = [EVERYWHERE, *boxes]
    months = [
        [c.months[n] for c in cards] for n, m in enumerate(first.months)
        if all(len(c.months) > n and c.months[n].label == m.label for c in cards)
    ]  # fmt: skip
    shown, rows, whole, ranks = [], [], [], np.zeros(len(cards) + 1, dtype=np.int64)
    for same in months:
        members = np.stack([m.model for m in same])
        for box in where:
            inside = box.holds(grid.longitude, grid.latitude)
            found = score_members(members, np.where(inside, same[0].observed, np.nan), area)
            if found is None:
                continue
            about = {"component": record.component, "field": record.name, "unit": record.unit}
            here = {"month": same[0].label, "region": box.name, "members": len(cards)}
            rows.append({**about, **here, **asdict(found)})
            values = (found.fair_crps, found.error_of_mean, found.error_of_a_member, found.spread_over_error)
            shown.append(
                [same[0].label, box.name, *map(number, values), f"{100.0 * found.outside:.0f} %", str(found.cells)]
            )
            if box.name == WHOLE:
                whole.append((same[0], found))
                ranks += rank_histogram(members, same[0].observed)
    head = ["month", "region", f"fair CRPS ({record.unit})", "RMSE of the mean", "RMSE of a member",
            "spread / error", "outside all", "cells"]  # fmt: skip
    title = f"{record.label} ({record.unit}), {record.component}, beside {first.observed.path.name}"
    if not whole:
        return [f"<h2>{title}</h2>", note("no cell in which all members and the observations have a value")], rows
    if not any(s.spread_over_error for _, s in whole):
        return [f"<h2>{title}</h2>", note("all members are alike: nothing that varies among them reaches it")], rows
    return [f"<h2>{title}</h2>", table(head, shown), embedded(_figure(whole, ranks, record.unit), title)], rows


def _figure(whole: list[tuple[Month, EnsembleScore]], ranks: npt.NDArray[np.int64], unit: str) -> Any:
    """Ranks of the observation, and spread beside error by month."""
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(9.4, 3.0), layout="constrained")
    share = 100.0 * ranks / ranks.sum()
    left.bar(np.arange(1, len(share) + 1), share, color=LINES[5], width=0.9)
    left.axhline(100.0 / len(share), color=INK, lw=0.9, ls="--")
    left.xaxis.get_major_locator().set_params(integer=True)
    left.set_xlabel("rank of the observation among the members")
    left.set_ylabel("% of the cells")
    left.set_title(f"ranks of {ranks.sum()} cells and months; dashed: alike", loc="left", fontsize=9)
    labels = [m.label for m, _ in whole]
    at = np.arange(len(labels))
    error = np.array([s.error_of_mean for _, s in whole])
    right.plot(at, error, "o-", color=LINES[1], label="RMSE of the mean")
    right.plot(at, error * [s.spread_over_error for _, s in whole], "s-", color=LINES[0], label="spread")
    right.set_xticks(at, labels, fontsize=8)
    right.set_ylim(bottom=0.0)
    right.set_ylabel(unit)
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        tidy(axes)
    return figure
