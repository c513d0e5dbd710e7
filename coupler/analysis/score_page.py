# SPDX-License-Identifier: BSD-3-Clause
"""The score card as one HTML page that opens without a server: tables, and maps drawn into it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np

from coupler.analysis.comparison import Card, Month
from coupler.analysis.figures import LINES, draw_panel, pyplot, shared_scale, tidy
from coupler.analysis.observations import day_of
from coupler.analysis.page import embedded, note, number, table, write
from coupler.analysis.scores import WHOLE, Score
from coupler.analysis.taylor import draw_taylor

LEAST_CELLS = 10
"""Cells of a region from which on a pattern is worth a point in the diagram."""


def write_page(cards: list[Card], reasons: list[str], rain: list[str], case: str, path: Path) -> Path:
    """Write the page.

    Parameters
    ----------
    cards : scores by component and field
    reasons : why other fields have no card
    rain : HTML of the section on its days
    case : title of the case
    path : HTML file to write
    """
    sections = [_section(card, place) for place, card in enumerate(cards)]
    parts = [_summary(cards), *map(note, reasons), _links(cards, rain), *sections, *rain]
    return write(f"Score card of {case}", parts, path)


def _links(cards: list[Card], rain: list[str]) -> str:
    """The way to each field's maps."""
    links = [f'<a href="#field{n}">{html.escape(_heading(card))}</a>' for n, card in enumerate(cards)]
    links += ['<a href="#rain">rain by days</a>'] if rain else []
    return f"<p>Maps: {'; '.join(links)}.</p>"


def _heading(card: Card) -> str:
    return f"{card.record.label}, {card.record.component} ({card.record.unit})"


def _difference_unit(card: Card) -> str:
    return "K" if card.record.unit == "°C" else card.record.unit


def _numbers(s: Score) -> list[str]:
    """Cells of a table."""
    shown = (s.model, s.observed, s.bias, s.rmse, s.correlation, s.variance_ratio, s.kling_gupta, s.spread)
    return [number(v) for v in shown]


def _summary(cards: list[Card]) -> str:
    rows = []
    for card in cards:
        s = card.mean.scores.get(WHOLE)
        if s is not None:
            numbers = _numbers(s)
            rows.append([_heading(card), str(len(card.months)), str(s.cells), *numbers, card.observed.path.name])
    head = [
        "field (unit)",
        "months",
        "cells",
        "model",
        "observed",
        "bias",
        "RMSE",
        "pattern correlation",
        "ratio of variances",
        "Kling-Gupta",
        "RMS of two observations",
        "observations",
    ]
    remark = (
        "Means over the months compared, area-weighted, on the coarser of the two grids (conservative remapping),"
        " where both have a value. Where observations have several times a month, those within the run count; a monthly"
        " mean or climatology is the whole month's, however much of it the run covers."
    )
    return table(head, rows) + note(remark)


def _section(card: Card, place: int) -> str:
    regions = list(dict.fromkeys(r for m in card.months for r in m.scores))
    unit = _difference_unit(card)
    parts = [f'<h2 id="field{place}">{html.escape(_heading(card))}</h2>', embedded(_maps(card), "maps")]
    rows = []
    for region in regions:
        s = card.mean.scores.get(region)
        if s is not None:
            rows.append([region, str(s.cells), *_numbers(s)])
    names = ["region", "cells", "model", "observed", f"bias ({unit})", f"RMSE ({unit})", "pattern correlation",
             "ratio of variances", "Kling-Gupta", f"RMS of two observations ({unit})"]  # fmt: skip
    parts.append(table(names, rows))
    parts += [note(text) for text in _remarks(card)]
    said = {region: s.note for region, s in card.mean.scores.items() if s.note}
    if said:
        reasons = "; ".join(f"{region}: {why}" for region, why in said.items())
        parts.append(note(reasons))
    large = {r: s for r, s in card.mean.scores.items() if np.isfinite(s.correlation) and s.cells >= LEAST_CELLS}
    diagram = draw_taylor(large)
    if diagram is not None:
        parts.append(embedded(diagram, "Taylor diagram of the regions"))
        if len(large) < len(card.mean.scores):
            parts.append(note(f"The diagram leaves out regions of less than {LEAST_CELLS} cells, and constant ones."))
    if len(card.months) > 1:
        parts.append(embedded(_series(card, regions), "bias and error by month"))
        for what, title in (("bias", f"bias by month ({unit})"), ("rmse", f"RMSE by month ({unit})")):
            lines = [[r, *(_of(m, r, what) for m in card.months)] for r in regions]
            parts.append(table([title, *(m.label for m in card.months)], lines))
    return "".join(parts)


def _remarks(card: Card) -> list[str]:
    """What the comparison leaves out, and what stands for the field."""
    said = []
    if card.at_sea:
        said.append("The observations are of the sea alone: the run's cells on land are left out.")
    if card.observed.held.says:
        said.append(
            f"{card.observed.path.name}: {card.observed.held.variable} stands for it, {card.observed.held.says}."
        )
    if not card.observed.moments:
        said.append(f"{card.observed.path.name} says no date: its one state stands for any.")
    return said


def _of(month: Month, region: str, what: str) -> str:
    s = month.scores.get(region)
    return "–" if s is None else number(getattr(s, what))


def _maps(card: Card) -> Any:
    """Model, observed and their difference, of the mean over the months."""
    plt = pyplot()
    both = np.isfinite(card.mean.model) & np.isfinite(card.mean.observed)
    model, seen = (np.where(both, a, np.nan) for a in (card.mean.model, card.mean.observed))
    difference = model - seen
    place = [np.asarray(card.grid.longitude), np.asarray(card.grid.latitude)]
    if both.ndim == 2:  # only the part with values
        rows, columns = (np.flatnonzero(both.any(axis=n)) for n in (1, 0))
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        model, seen, difference, *place = (np.asarray(a)[part] for a in (model, seen, difference, *place))
    middle = np.cos(np.deg2rad(0.5 * (place[1].min() + place[1].max())))
    tall = float(np.clip(np.ptp(place[1]) / max(np.ptp(place[0]), 1e-6) / middle, 0.3, 1.6))
    figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.2 * tall + 1.3), layout="constrained")
    signed = card.record.unit != "°C" and bool(np.nanmin(seen) < 0.0 < np.nanmax(seen))
    colours = shared_scale(np.stack([model, seen]), about_zero=signed)
    cells = f"{int(both.sum())} cells"
    span = f"{day_of(card.mean.period[0])} to {day_of(card.mean.period[1])}"
    seen_span = card.mean.seen if len(card.mean.seen) < 60 else f"{card.months[0].seen} to {card.months[-1].seen}"
    one = card.mean.records == 1
    mine = f"model\n{span}, n = {card.mean.records} record{'' if one else 's'} x {cells}"
    theirs = f"{card.observed.path.stem}\n{seen_span}, n = {cells}"
    for panel, values, scale, unit, title in (
        (axes[0], model, colours, card.record.unit, mine),
        (axes[1], seen, colours, card.record.unit, theirs),
        (
            axes[2],
            difference,
            shared_scale(difference, about_zero=True),
            _difference_unit(card),
            f"model minus observed\n{span}, n = {cells}",
        ),
    ):
        draw_panel(panel, place[0], place[1], values, scale, unit)
        panel.set_title(title, loc="left", fontsize=8.5)
    return figure


def _series(card: Card, regions: list[str]) -> Any:
    """Bias and error of each region against the months."""
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(11.5, 3.4), layout="constrained")
    x = np.arange(len(card.months))
    for panel, what in zip(axes, ("bias", "rmse"), strict=True):
        for n, region in enumerate(regions):
            values = [getattr(m.scores[region], what) if region in m.scores else np.nan for m in card.months]
            style = {"color": LINES[n % len(LINES)], "ls": "-" if n < len(LINES) else "--"}
            panel.plot(x, values, lw=2.4 if region == WHOLE else 1.3, marker="o", ms=3, label=region, **style)
        panel.set_xticks(x, [m.label for m in card.months], rotation=60, fontsize=8)
        panel.set_ylabel(f"{'RMSE' if what == 'rmse' else what} ({_difference_unit(card)})")
        tidy(panel)
    axes[0].axhline(0.0, color="#7a7a7a", lw=0.7)
    axes[1].legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
