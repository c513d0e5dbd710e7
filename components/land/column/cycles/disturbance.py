# SPDX-License-Identifier: BSD-3-Clause
"""What replaced a stand: what harvest, fire or planting leave of it on the land, and what leaves by name.

Plants fall as litter and debris but for what is carried away or burns, and for reserves as seed with which the next
stand begins. Carbon and nitrogen of what burns go to the air; its phosphorus stays as ash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import spin_up, turnover
from components.land.column.cycles.allocation import Parts
from components.land.column.cycles.plant_day import seed_of
from components.land.column.cycles.pools import Cycles, Element, Stored, Traits
from components.science.sums import in_order
from coupler.namelist import Fraction, Namelist, quantity, whole

CARRIED = 0.6  # of the wood of a felled stand, away from the land (ours)

Kind = Literal["harvest", "fire", "planting"]
CalendarYear = whole(1, 9999)
Growth = quantity("1", least=0.0, most=10.0)


class Disturbance(Namelist):
    """What last replaced the stands of trees and shrubs, before the start of the run."""

    year: CalendarYear
    """Of the calendar, at whose beginning the stand was replaced."""
    kind: Kind = "harvest"
    """Harvest carries stems away, fire burns part of all; planting is on ground that had no wood and no debris."""
    share: Fraction = 1.0
    """Of the stand that was replaced."""


class Past(Namelist):
    """Growth of plants in the past, under its carbon dioxide and its deposition of nitrogen."""

    until: CalendarYear
    """Of the calendar, at whose beginning the span ends; the first one has been for ever."""
    growth: Growth
    """Over that of the last year of the run."""


def spans_of(past: Sequence[Past], begin: float | None, end: float) -> list[spin_up.Span]:
    """Spans of growth between two moments; after the last of the past growth is the last year's.

    Parameters
    ----------
    past : the oldest first
    begin, end : in years of the calendar; None: what has been for ever, and the span of no years with its growth
    """
    edges = [(float(p.until), p.growth) for p in past] + [(math.inf, 1.0)]
    found = [spin_up.Span(0.0, edges[0][1])] if begin is None else []
    now = edges[0][0] if begin is None else begin
    for until, growth in edges:
        if until > now and now < end:
            found.append(spin_up.Span(min(until, end) - now, growth))
            now = min(until, end)
    return found


class Leaving(NamedTuple):
    """Shares that leave the land, carried away or burnt."""

    wood: float
    soft: float  # of leaves, roots, reserves above the ground
    litter: float  # of the upper depth
    debris: float
    burnt: bool


# Fire: middles of the combustion completeness of van der Werf et al. (2010): leaves .8 to 1, stems .2 to .4, fine
# litter .9 to 1, coarse debris .4 to .6.
LEAVING: dict[Kind, Leaving] = {
    "harvest": Leaving(CARRIED, 0.0, 0.0, 0.0, False),
    "fire": Leaving(0.3, 0.9, 0.95, 0.5, True),
    "planting": Leaving(1.0, 0.0, 0.0, 1.0, False),
}


class Removed(NamedTuple):
    """What left the land, kg m-2 of each element."""

    harvested: Stored
    burnt: Stored


def stands(t: Traits) -> Tensor:
    """1 for trees and shrubs, 0 for herbs and crops."""
    return ((t.habit.wood_per_leaf > 0.0) & (t.farming.crop < 0.5)).to(t.sla.dtype)


def cleared(c: Cycles, t: Traits, kind: Kind, share: float | Tensor = 1.0) -> tuple[Cycles, Removed]:
    """Cycles after a stand was replaced, and what left; with what is left on the land that is all there was.

    Parameters
    ----------
    c : before
    t : Traits
    kind : harvest, fire or planting
    share : of the stand, also by column
    """
    down, leaving = share * stands(t), LEAVING[kind]
    store = c.carbon.plant.storage
    spare = torch.clamp(1.0 - seed_of(t) / torch.clamp(store, min=1e-30), min=0.0)
    elements, gone = [], []
    for e in (c.carbon, c.nitrogen, c.phosphorus):
        rest, left = _cleared(e, down, spare, leaving)
        elements.append(rest)
        gone.append(left)
    soil, none = c.soil, torch.zeros_like(store)
    if leaving.burnt:
        soil = soil._replace(phosphorus=torch.cat([(soil.phosphorus[0] + gone[2])[None], soil.phosphorus[1:]]))
        gone[2] = none
    new = c._replace(carbon=elements[0], nitrogen=elements[1], phosphorus=elements[2], soil=soil)
    all_, nothing = Stored(*gone), Stored(none, none, none)
    return new, Removed(nothing, all_) if leaving.burnt else Removed(all_, nothing)


def _cleared(e: Element, down: Tensor, spare: Tensor, leaving: Leaving) -> tuple[Element, Tensor]:
    """An element after the stand is down, and how much of it left."""
    p = e.plant
    fallen = Parts(*(down * v for v in p))._replace(storage=down * spare * p.storage)
    wood, above = fallen.live_wood + fallen.dead_wood, fallen.leaf + fallen.storage + fallen.harvest
    lost_wood, lost_above = leaving.wood * wood, leaving.soft * above
    lost_litter = leaving.litter * down * e.organic[0][:3]
    lost_debris = leaving.debris * down * e.debris
    root = 0.5 * fallen.root
    upper = turnover.by_quality(above - lost_above + root)
    lower = turnover.by_quality(fallen.root - root)
    organic = torch.stack([
        torch.cat([e.organic[0][:3] - lost_litter + upper, e.organic[0][3:]]),
        torch.cat([e.organic[1][:3] + lower, e.organic[1][3:]]),
    ])  # fmt: skip
    plant = Parts(*(v - x for v, x in zip(p, fallen, strict=True)))
    debris = e.debris - lost_debris + (wood - lost_wood)
    return Element(plant, debris, organic), lost_wood + lost_above + lost_debris + in_order(lost_litter, 0)


def regrown(
    c: Cycles, t: Traits, kind: Kind, years: float | Tensor, share: float | Tensor = 1.0,
    before: Sequence[spin_up.Span] = (), since: Sequence[spin_up.Span] = (),
) -> tuple[Cycles, Removed]:  # fmt: skip
    """Wood, debris and organic matter as they are ``years`` after a stand at rest was replaced, and what left then.

    Both before and since, plants grow and shed as in the last year; leaves, roots, reserves and mineral nutrients,
    which follow within years, are as they are.

    Parameters
    ----------
    c : after a year at least
    t : Traits
    kind : harvest, fire or planting
    years : since then, also by column
    share : of the stand that was replaced
    before, since : spans of growth before and after it was, instead of the last year's growth for ever and ``years``
    """
    bare, removed = cleared(spin_up.through(c, t, before or [spin_up.Span(0.0, 1.0)]), t, kind, share)
    return spin_up.through(c, t, since or [spin_up.Span(years, 1.0)], bare.carbon), removed
