# SPDX-License-Identifier: BSD-3-Clause
"""Wood, debris and organic matter at rest out of a year's means, without the centuries: they are linear in their pools.

dx/dt = A x + u of living and dead wood, woody debris and CENTURY's six pools in two depths; u is what plants grew of
wood and let fall of leaves and roots in the last year, A goes with its mean warmth and wetness. Leaves, roots and
mineral nutrients follow within years and keep what they have; so do the stems of crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import decomposition, variety
from components.land.column.cycles.pools import (
    NITROGEN_PER_PHOSPHORUS,
    SOIL_NITROGEN_PER_PHOSPHORUS,
    YEARS,
    Cycles,
    Element,
    Means,
    Traits,
    soil_ratios,
)
from components.land.column.cycles.soil_day import DEBRIS_LIFE, DEBRIS_LIGNIN
from components.land.column.cycles.turnover import WOOD_DIES, by_quality

LITTER, POOLS = 3, len(decomposition.POOLS)  # the first pools of the cascade, and all of them
LIVE, DEAD, DEBRIS, UPPER, LOWER = 0, 1, 2, 3, 3 + POOLS  # places in x
SIZE = LOWER + POOLS
CELLULOSE = 1
YEAR_OF_DAYS = 365.0
LEAST_PACE = 1e-3


def follow(
    means: Means, litter: Tensor, pace: Tensor, allowed: Tensor, air: Tensor, wood: Tensor, warmth: Tensor
) -> Means:
    """Means with a day more; they forget what is longer ago than a year.

    Parameters
    ----------
    means : so far
    litter : (2, ...) of leaves and roots that fell into the two depths in the day, kg C m-2
    pace : (2, ...) mean of decay in the day, by warmth and water
    allowed : (2, ...) share of it that nutrients allowed litter
    air : (...) its mean temperature, K
    wood : (...) that grew, kg C m-2
    warmth : (...) by which the crop develops, K d
    """
    weight = 1.0 / torch.clamp(means.days + 1.0, max=YEAR_OF_DAYS)
    return Means(
        means.days + 1.0,
        means.litter + weight * (YEAR_OF_DAYS * litter - means.litter),
        means.pace + weight * (pace - means.pace),
        means.litter_pace + weight * (allowed * pace - means.litter_pace),
        means.air + weight * (air - means.air),
        means.wood + weight * (YEAR_OF_DAYS * torch.clamp(wood, min=0.0) - means.wood),
        *variety.follow(means.days + 1.0, means.warmth, means.usual, warmth),
    )  # fmt: skip


def system(means: Means, t: Traits) -> tuple[Tensor, Tensor]:
    """A (..., 15, 15), a-1, and u (..., 15), kg C m-2 a-1, of the slow pools under the means of a year.

    Parameters
    ----------
    means : of a year
    t : Traits
    """
    pace, fresh = (torch.clamp(v / t.turnover, min=LEAST_PACE) for v in (means.pace, means.litter_pace))
    a = torch.zeros(*t.sla.shape, SIZE, SIZE, dtype=t.sla.dtype, device=t.sla.device)
    dying = YEARS / t.lives.wood
    a[..., LIVE, LIVE] = -(WOOD_DIES + dying)
    a[..., DEAD, LIVE], a[..., DEAD, DEAD] = torch.full_like(dying, WOOD_DIES), -dying
    a[..., DEBRIS, LIVE], a[..., DEBRIS, DEAD] = dying, dying
    broken = pace[0] / DEBRIS_LIFE
    a[..., DEBRIS, DEBRIS] = -broken
    a[..., UPPER + CELLULOSE, DEBRIS] = (1.0 - DEBRIS_LIGNIN) * broken
    a[..., UPPER + decomposition.LIGNIN, DEBRIS] = DEBRIS_LIGNIN * broken
    cascade = decomposition.matrix(t.sand, decomposition.dissolved_share(t.sand))
    for depth, first in enumerate((UPPER, LOWER)):
        by_source = torch.stack([fresh[depth]] * LITTER + [pace[depth]] * (POOLS - LITTER), -1)
        a[..., first : first + POOLS, first : first + POOLS] = by_source[..., None, :] * cascade
    wood, none = means.wood * (1.0 - t.farming.crop), torch.zeros_like(t.sla)
    soft = torch.clamp(means.litter, min=0.0)
    rows = [t.habit.live * wood, (1.0 - t.habit.live) * wood, none]
    for depth in range(2):
        rows += [*by_quality(soft[depth]).unbind(0), *[none] * (POOLS - LITTER)]
    return a, torch.stack(rows, -1)


def at_rest(c: Cycles, t: Traits, years: float | Tensor | None = None, first: Element | None = None) -> Cycles:
    """Cycles whose slow pools no longer change under the means of the last year; or as they are ``years`` later.

    Nitrogen and phosphorus follow at the ratios that pools are built with; litter and debris keep their own.

    Parameters
    ----------
    c : after a year at least
    t : Traits
    years : of steady means, also by column; None: for ever
    first : carbon from which the years begin; None: that of ``c``
    """
    if years is None:
        return through(c, t, [Span(0.0, 1.0)])
    return through(c, t, [Span(years, 1.0)], c.carbon if first is None else first)


class Span(NamedTuple):
    """Years, also by column, in which plants grew and shed a share of what they did in the last year."""

    years: float | Tensor
    growth: float


def through(c: Cycles, t: Traits, spans: Sequence[Span], first: Element | None = None) -> Cycles:
    """Cycles whose slow pools have lived through spans of years of different growth, one after the other.

    Nutrients as in :func:`at_rest`.

    Parameters
    ----------
    c : after a year at least
    t : Traits
    spans : at least one, the oldest first
    first : carbon from which the first begins; None: at rest under its growth
    """
    a, u = system(c.means, t)
    rest = torch.linalg.solve(-a, u.unsqueeze(-1))
    now = spans[0].growth * rest if first is None else _slow(first).unsqueeze(-1)
    for span in spans:
        if isinstance(span.years, Tensor) or span.years > 0.0:
            length = torch.as_tensor(span.years, dtype=a.dtype, device=a.device)[..., None, None]
            there = span.growth * rest
            now = there + torch.linalg.matrix_exp(length * a) @ (now - there)
    return _with_slow(c, t, now.squeeze(-1))


def _slow(carbon: Element) -> Tensor:
    """The slow pools x, (..., 15)."""
    plant = carbon.plant
    return torch.stack([plant.live_wood, plant.dead_wood, carbon.debris, *carbon.organic.flatten(0, 1)], -1)


def _with_slow(c: Cycles, t: Traits, x: Tensor) -> Cycles:
    """Cycles with the slow pools x (..., 15), and the nutrients that go with them."""
    carbon = torch.clamp(x.movedim(-1, 0), min=0.0).contiguous()
    cn, crop = soil_ratios(t.sla), t.farming.crop > 0.5
    wood_n = t.ratios.live_wood, t.ratios.dead_wood

    def filled(e: Element, built: tuple[Tensor, Tensor], soil: Tensor, litter: Tensor) -> Element:
        """An element with carbon over ``built`` in wood, over ``soil`` in organic matter, and litter as it was."""
        plant = e.plant._replace(
            live_wood=torch.where(crop, e.plant.live_wood, carbon[LIVE] / built[0]),
            dead_wood=torch.where(crop, e.plant.dead_wood, carbon[DEAD] / built[1]),
        )
        organic = []
        for depth, first in enumerate((UPPER, LOWER)):
            pools = carbon[first : first + POOLS]
            own = _own(e.organic[depth], c.carbon.organic[depth], 1.0 / litter)
            organic.append(torch.cat([(pools * own)[:LITTER], (pools / soil)[LITTER:]]))
        debris = carbon[DEBRIS] * _own(e.debris, c.carbon.debris, 1.0 / built[1])
        return Element(plant, debris, torch.stack(organic))

    one = torch.ones_like(cn)
    wood_p = wood_n[0] * NITROGEN_PER_PHOSPHORUS, wood_n[1] * NITROGEN_PER_PHOSPHORUS
    return c._replace(
        carbon=filled(c.carbon, (torch.ones_like(t.sla), torch.ones_like(t.sla)), one, one),
        nitrogen=filled(c.nitrogen, wood_n, cn, 4.0 * cn),
        phosphorus=filled(c.phosphorus, wood_p, cn * SOIL_NITROGEN_PER_PHOSPHORUS, 4.0 * cn * NITROGEN_PER_PHOSPHORUS),
    )  # fmt: skip


def _own(nutrient: Tensor, carbon: Tensor, otherwise: Tensor) -> Tensor:
    """Nutrient per carbon of a pool; that of full ones where there is too little carbon to tell."""
    full = carbon > 1e-9
    return torch.where(full, nutrient / torch.where(full, carbon, torch.ones_like(carbon)), otherwise)


def is_due(c: Cycles, day: int) -> bool:
    """Whether the day that has just ended is the one (from 1) after which organic matter is set to rest; 0: none is.

    Parameters
    ----------
    c : after a step
    day : number of the day since the start, or 0
    """
    days, seconds = c.means.days.flatten(), c.day.seconds.flatten()
    return bool(day) and days.numel() > 0 and float(days[0]) == day and float(seconds[0]) == 0.0
