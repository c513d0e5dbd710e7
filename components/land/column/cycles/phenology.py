# SPDX-License-Identifier: BSD-3-Clause
"""When leaves come and go: evergreen, by season (warmth and day length), or by stress (cold and drought).

The counters are those of CLM (White et al. 1997; Lawrence et al. 2019, ch. 20) with sums of days, of the air's warmth.
Evergreen leaves keep through the winter, but their capacity follows the warmth of the days before (Makela et al. 2008);
the same sums of warmth begin their yearly flush (leaf_exchange.py).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

EVERGREEN, SEASONAL, STRESS = 0.0, 1.0, 2.0
DAY = 86400.0
SHORT_DAY = 39300.0  # s: leaves fall when days get shorter than this
ONSET_DAYS, OFFSET_DAYS = 30.0, 15.0  # that leaves take to unfold and to fall
UNFOLDING = 0.1  # of the reserves a day, so that a spring that fails leaves some for the next
ENOUGH = 15.0  # days of good, and of bad conditions, where stress rules
FROST, MILD = ZERO_CELSIUS + 2.0, ZERO_CELSIUS + 5.0  # K: leaves fall below the first, and unfold above the second
WARM_SUM, WARM_SUM_RISE = 4.795, 0.129  # ln K d, and per K of the year's mean (White et al. 1997, as in CLM)
DRY = 0.12  # share of the available water
LAG = 5.0  # days in which evergreen leaves come near the air (Makela et al. 2008, five conifer stands: 1 to 20)
MATURING = (
    60.0  # days from unfolding to full capacity: 50 to 60 (Wilson et al. 2001), 70 and more (Muraoka and Koizumi 2005)
)
YOUNG = 0.25  # share of its capacity that a leaf unfolds with (ours)
BUDS = 300.0  # days from one flush of evergreens to the next at least: one a year, also where all days are equal (ours)
ASLEEP, AWAKE = ZERO_CELSIUS - 5.0, 20.0  # K, and K above it: no capacity, and all of it (theirs: -15 to 1, 11 to 30)


class Season(NamedTuple):
    """Where a plant stands in its year, one value a column.

    Attributes
    ----------
    leafing : 1 with leaves, 0 dormant
    since : days since that began, of evergreens since their last flush did
    good : sum of warmth (K d) or of days that call for leaves
    bad : days that call for their fall
    day_length : s, of the day before; 0 before the first day, of which none is known
    warmth : K, of the air as leaves have become used to it
    """

    leafing: Tensor
    since: Tensor
    good: Tensor
    bad: Tensor
    day_length: Tensor
    warmth: Tensor


class Fluxes(NamedTuple):
    """Shares of a day: of the storage that unfolds, of the leaves that the season takes (not of evergreens)."""

    unfolding: Tensor
    falling: Tensor


def at_start(kind: Tensor, leafing: Tensor) -> Season:
    """A season that has lasted for long.

    Parameters
    ----------
    kind : (columns,) 0 evergreen, 1 seasonal, 2 stress
    leafing : (columns,) whether there are leaves
    """
    on = torch.where(kind == EVERGREEN, torch.ones_like(kind), leafing.to(kind.dtype))
    none = torch.zeros_like(kind)
    return Season(on, none + 365.0, none, none, none, none + (ASLEEP + AWAKE))


def awake(season: Season) -> Tensor:
    """Share of its capacity that an evergreen leaf has after the weather of the last days (Makela et al. 2008, eq. 5).

    Parameters
    ----------
    season : with the lagged warmth of the air
    """
    return torch.clamp((season.warmth - ASLEEP) / AWAKE, 0.0, 1.0)


def mature(season: Season, kind: Tensor) -> Tensor:
    """Share of its capacity that a leaf has at its age: trees' leaves that come by season go on to ripen once unfolded.

    In Wilson et al. (2001) capacity was highest 50 to 60 days after leaves had begun to grow; in Muraoka and Koizumi
    (2005) leaf area was full in early, capacity in late summer. Other leaves are a mixture of ages: 1.

    Parameters
    ----------
    season : with the days since leaves unfolded
    kind : 0 evergreen, 1 seasonal, 2 stress
    """
    share = ripe(season.since)
    return torch.where((kind == SEASONAL) & (season.leafing > 0.5), share, torch.ones_like(share))


def ripe(since: Tensor) -> Tensor:
    """Share of its capacity that a leaf has ``since`` days after it began to unfold."""
    return torch.clamp(YOUNG + (1.0 - YOUNG) / MATURING * since, max=1.0)


def needed_warmth(table: Tensor, days: Tensor, mean: Tensor) -> Tensor:
    """Sum of warmth that unfolds leaves, K d: exp(4.795 + .129 T) of the last year; the table's before one is known.

    Parameters
    ----------
    table : K d, of the plant type
    days : that the mean is of
    mean : temperature of the air over the last year, K
    """
    known = torch.exp(WARM_SUM + WARM_SUM_RISE * torch.clamp(mean - ZERO_CELSIUS, -10.0, 20.0))
    return torch.where(days >= 365.0, known, table)


def a_day(
    now: Season, kind: Tensor, warm_sum: Tensor, temperature: Tensor, water: Tensor, day_length: Tensor
) -> tuple[Season, Fluxes]:
    """The season after a day, and what unfolds and falls on it.

    Parameters
    ----------
    now : at the start of the day
    kind : 0 evergreen, 1 seasonal, 2 stress
    warm_sum : K d above 0 C that unfold leaves, of seasonal plants and evergreens
    temperature : mean of the air, K
    water : share of the available water in the roots' depth
    day_length : s
    """
    on = now.leafing > 0.5
    seasonal, stress, evergreen = kind == SEASONAL, kind == STRESS, kind == EVERGREEN
    by_warmth = seasonal | evergreen
    longer = day_length >= now.day_length
    warm = torch.clamp(temperature - ZERO_CELSIUS, min=0.0)
    fine = (temperature > FROST) & (water > DRY) & (day_length > 0.25 * DAY)
    calling = fine & (temperature > MILD)
    good = torch.where(by_warmth, torch.where(longer, now.good + warm, 0.0 * warm), now.good + calling.to(warm.dtype))
    good = torch.where(on & ~evergreen, 0.0 * good, good)
    ill = torch.where(seasonal, (day_length < SHORT_DAY) & ~longer, ~fine)
    bad = torch.where(on, torch.where(ill, now.bad + 1.0, torch.clamp(now.bad - 1.0, min=0.0)), 0.0 * now.bad)
    needed = torch.where(by_warmth, warm_sum, torch.full_like(warm_sum, ENOUGH))
    start = ~on & (good >= needed) & (seasonal | stress)
    stop = (
        on
        & (bad >= torch.where(seasonal, 1.0, bad.new_tensor(ENOUGH)))
        & (seasonal | stress)
        & (now.since > ONSET_DAYS)
    )
    flush = evergreen & (good >= needed) & (now.since >= BUDS)
    good = torch.where(flush, 0.0 * good, good)
    leafing = torch.where(start, 1.0, torch.where(stop, 0.0, now.leafing))
    since = torch.where(start | stop | flush, 0.0 * now.since, torch.clamp(now.since + 1.0, max=366.0))
    left_off = torch.clamp(OFFSET_DAYS - since, min=1.0)
    changing = seasonal | stress
    unfolding = torch.where((leafing > 0.5) & (since < ONSET_DAYS), UNFOLDING, 0.0 * since)
    falling = torch.where(changing & (leafing < 0.5) & (since < OFFSET_DAYS), 1.0 / left_off, 0.0 * since)
    warmth = now.warmth + (temperature - now.warmth) / LAG
    return Season(leafing, since, good, bad, day_length, warmth), Fluxes(unfolding, falling)
