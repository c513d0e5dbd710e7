# SPDX-License-Identifier: BSD-3-Clause
"""Evergreen leaves by year: once a year new ones unfold and the oldest fall, the new ripen, and all grow old.

Old broad leaves fall while new ones unfold, needles in autumn, so that summer has a year more of them. Between two
flushes carbon for leaves is laid by. The classes of leaf_age.py are years here, the last flush's leaves first; capacity
falls in proportion to age (Kikuzawa 1991).
"""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles import leaf_age
from components.land.column.cycles.allocation import Parts
from components.land.column.cycles.phenology import DAY, EVERGREEN, ONSET_DAYS, Season, ripe
from components.land.column.cycles.turnover import YEAR
from components.science.sums import in_order

LOST = 0.39  # of their capacity leaves have lost at their mean life span (Reich et al. 2009, ten woody species)
PICKED = 0.5  # of their life span, that leaves are old for which tables of capacity hold: picked at random (ours)
LEAST = 0.2  # that very old ones keep (ours)
MOST = 0.95  # of the old leaves that a flush drops, also of those that live for less than a year
SPARSE = 0.5  # of the most leaf area: below it leaves are built at once, as saplings do (ours)


def exchanged(life: Tensor) -> Tensor:
    """Share of its old leaves that a plant drops in a flush: a year over their life.

    Parameters
    ----------
    life : mean life span of leaves, s
    """
    return torch.clamp(YEAR / life, max=MOST)


def at_start(kind: Tensor, life: Tensor) -> Tensor:
    """Shares by year of evergreen leaves that repeat from flush to flush, (class, columns); of others none.

    Parameters
    ----------
    kind : 0 evergreen
    life : mean life span of leaves, s
    """
    share = torch.where(kind == EVERGREEN, exchanged(life), 0.0 * life)
    whole = (kind == EVERGREEN).to(life.dtype)
    rows = [torch.minimum(share, torch.clamp(whole - k * share, min=0.0)) for k in range(leaf_age.CLASSES)]
    return torch.stack(rows)


def begun(leaves: Tensor, season: Season) -> Tensor:
    """Leaves a class older where a flush begins.

    Parameters
    ----------
    leaves : share of all by year, (class, columns)
    season : of the day
    """
    older = torch.cat([torch.zeros_like(leaves[:1]), leaves[:-2], leaves[-2:-1] + leaves[-1:]])
    return torch.where(season.since < 0.5, older, leaves)


def falling(leaves: Tensor, season: Season, kind: Tensor, life: Tensor, wait: Tensor) -> Tensor:
    """Share of all leaves that falls on a day, none of it new; 0 where plants are not evergreen.

    Parameters
    ----------
    leaves : share of all by year, (class, columns)
    season : of the day
    kind : 0 evergreen
    life : mean life span of leaves, s
    wait : from the flush until old leaves begin to fall, s
    """
    part = -torch.expm1(torch.log1p(-exchanged(life)) / ONSET_DAYS)
    old, days = in_order(leaves[1:], 0), season.since - wait / DAY
    return torch.where((kind == EVERGREEN) & (days >= 0.0) & (days < ONSET_DAYS), old * part, 0.0 * part)


def after(leaves: Tensor, before: Tensor, unfolded: Tensor, fallen: Tensor, kept: Tensor, built: Tensor) -> Tensor:
    """Shares by year after a day, on which leaves unfold, the oldest fall, and more are built.

    Parameters
    ----------
    leaves : share of all by year, (class, columns)
    before, unfolded : carbon of the leaves at the start and of those that the reserves became, kg m-2
    fallen : share of both that fell
    kept, built : carbon of those that were left then, and of those that growth added, kg m-2
    """
    now = leaf_age.without_oldest(leaf_age.with_new(leaves, before, unfolded), fallen)
    return leaf_age.with_new(now, kept, built)


def capacity(leaves: Tensor, season: Season, kind: Tensor, life: Tensor) -> Tensor:
    """Capacity of evergreen leaves over that of as many of the age that tables hold for; 1 for others.

    Parameters
    ----------
    leaves : share of all by year, (class, columns)
    season : with the days since the flush began
    kind : 0 evergreen
    life : mean life span of leaves, s
    """
    years = torch.arange(len(leaves), dtype=life.dtype, device=life.device).reshape(-1, *[1] * life.dim())
    age = (season.since + 365.0 * years) * (DAY / life)
    left = leaves * torch.clamp((1.0 - LOST * age) / (1.0 - LOST * PICKED), min=LEAST)
    share = in_order(torch.cat([(left[0] * ripe(season.since))[None], left[1:]]), 0)
    there = (kind == EVERGREEN) & (in_order(leaves, 0) > 0.0)
    return torch.where(there, share, torch.ones_like(life))


def to_come(season: Season, kind: Tensor, life: Tensor, area: Tensor, laid_by: Tensor, wait: Tensor) -> Tensor:
    """Leaf area for which a plant builds: what will be there once its reserves have unfolded and the old have fallen.

    Parameters
    ----------
    season : of the day
    kind : 0 evergreen; the area itself for others
    life : mean life span of leaves, s
    area : leaf area index, m2 m-2
    laid_by : leaf area that the reserves are good for, m2 m-2
    wait : from the flush until old leaves begin to fall, s
    """
    fallen = torch.where(wait > 0.0, season.since >= wait / DAY, season.since < ONSET_DAYS)
    kept = torch.where(fallen, torch.ones_like(area), 1.0 - exchanged(life))
    return torch.where(kind == EVERGREEN, kept * area + laid_by, area)


def later(split: Parts, season: Season, kind: Tensor, fullness: Tensor) -> Parts:
    """Shares of growth with that of evergreen leaves laid by until the next flush, but for sparse plants.

    Parameters
    ----------
    split : shares of growth by organ
    season : of the day
    kind : 0 evergreen
    fullness : leaf area over the most
    """
    wait = (kind == EVERGREEN) & (season.since >= ONSET_DAYS)
    share = torch.where(wait, torch.clamp(fullness / SPARSE, 0.0, 1.0), 0.0 * fullness)
    return split._replace(leaf=split.leaf * (1.0 - share), storage=split.storage + share * split.leaf)
