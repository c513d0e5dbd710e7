# SPDX-License-Identifier: BSD-3-Clause
"""The score card: a run's monthly means against observations, in tables and maps on one page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from coupler.analysis.added_value import make_card
from coupler.analysis.comparison import Card, make_cards
from coupler.analysis.observations import find, require
from coupler.analysis.page import write_numbers
from coupler.analysis.rain_card import RAIN, rain_of, rows_of, section
from coupler.analysis.score_page import write_page
from coupler.analysis.scores import read_regions
from coupler.plan import Plan


def write_table(cards: list[Card], path: Path) -> Path:
    """All numbers as CSV: a line for each component, field, month and region.

    Parameters
    ----------
    cards : scores by component and field
    path : CSV to write
    """
    rows: list[dict[str, Any]] = []
    for card in cards:
        for month in [*card.months, *([card.mean] if len(card.months) > 1 else [])]:
            for region, s in month.scores.items():
                when = month.label if month.year else "mean"
                unit = card.record.unit
                rows.append(
                    {"component": card.record.component, "field": card.record.name, "unit": unit, "month": when,
                     "region": region, "observations": card.observed.path.name, **asdict(s)}
                )  # fmt: skip
    return write_numbers(rows, path)


def make_score_card(plan: Plan, against: list[Path], regions: Path, driver: list[Path] | None = None) -> list[Path]:
    """Write ``run/score/score.html``, ``score.csv`` and, of rain, ``rain.csv``; returns their paths, the page first.

    Parameters
    ----------
    plan : of the case
    against : files of observations
    regions : YAML file of named boxes
    driver : its files: they stand in for observations where there are none, and get a card of the value added

    Raises
    ------
    CaseError
        Files that are not there or hold nothing to compare, regions that are no boxes.
    """
    files = [*against, *(driver or [])]
    require(files)
    boxes = read_regions(regions)
    cards, reasons = make_cards(plan, files, boxes)
    folder = plan.folder / "run" / "score"
    days, why = rain_of(plan.folder / "run" / "history", find(files, [RAIN]).get(RAIN))
    rain = section(days, why, boxes)
    made = [write_page(cards, reasons, rain, plan.folder.name, folder / "score.html")]
    made.append(write_table(cards, folder / "score.csv"))
    if days:
        made.append(write_numbers(rows_of(days, boxes), folder / "rain.csv"))
    return made + (make_card(plan, cards, driver, boxes) if driver else [])
