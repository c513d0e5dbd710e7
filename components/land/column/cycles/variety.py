# SPDX-License-Identifier: BSD-3-Clause
"""Varieties that follow the warmth of the place: early ones where the season is short, later ones where it is long.

The sums of warmth of a variety are a share of the table's, so that it needs .8 of the warmth of a usual year, within
what is grown of the crop; maize needs .85 in Agro-IBIS and CLM (Kucharik 2003; Lawrence et al. 2019). Where the
table's variety, sown in the field, does not ripen in that, seedlings out of a nursery are planted if the crop has any.
Where not even the earliest ripens, nothing is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles.crop_development import Calendar
from components.science.constants import ZERO_CELSIUS

SEASON = 0.8  # of a year's warmth that a variety may need: .85 lost three to five seasons of ten north of 40 N
MEMORY = 0.1  # weight of the last year in the usual one (ours: about ten years of experience)
YEAR_OF_DAYS, MONTHS = 365.0, 12


class Choice(NamedTuple):
    """What is sown, (columns,).

    Attributes
    ----------
    share : of the table's sums to flowering and to maturity
    ripens : whether it ripens in a usual year
    planted : whether as seedlings out of a nursery, since the table's, sown in the field, does not ripen
    """

    share: Tensor
    ripens: Tensor
    planted: Tensor


def warmth(air: Tensor, calendar: Calendar) -> Tensor:
    """Warmth of a day by which a crop develops after its emergence, K d.

    Parameters
    ----------
    air : mean of the day, K
    calendar : of the crop
    """
    return torch.clamp(torch.minimum(air - ZERO_CELSIUS, calendar.most) - calendar.base, min=0.0)


def follow(days: Tensor, season: Tensor, usual: Tensor, gained: Tensor) -> tuple[Tensor, Tensor]:
    """Warmth of the year under way and of the usual year after a day, K d.

    Parameters
    ----------
    days : since the start, at the end of the day
    season : of the year under way, which begins with the run
    usual : of the years before; 0 where none is known
    gained : in the day
    """
    season = season + gained
    over = torch.remainder(days, YEAR_OF_DAYS) < 0.5
    learned = torch.where(usual > 0.0, usual + MEMORY * (season - usual), season)
    return torch.where(over, torch.zeros_like(season), season), torch.where(over, learned, usual)


def of_months(air: Tensor, calendar: Calendar) -> Tensor:
    """Warmth of a mean year, K d; 0 where it is not known.

    Parameters
    ----------
    air : (12, columns) mean of each month, K, between whose middles days lie linearly
    calendar : of the crop
    """
    total = torch.zeros_like(air[0])
    for day in range(int(YEAR_OF_DAYS)):
        place = (day + 0.5) * MONTHS / YEAR_OF_DAYS - 0.5
        before = math.floor(place)
        weight = place - before
        total = total + warmth((1.0 - weight) * air[before % MONTHS] + weight * air[(before + 1) % MONTHS], calendar)
    return torch.nan_to_num(total)


def choose(
    usual: Tensor, calendar: Calendar, earliest: Tensor, latest: Tensor, nursery: Tensor | None = None
) -> Choice:
    """The variety that suits the usual year; the table's before one is known.

    Parameters
    ----------
    usual : warmth of a year, K d; 0 where none is known
    calendar : of the table's variety
    earliest, latest : shares of the table's sums between which there are varieties; alike: the table's everywhere
    nursery : warmth after their emergence that seedlings have when they are planted, K d; 0: none are
    """
    known, fixed = usual > 0.0, earliest == latest
    sums = torch.clamp(calendar.flowering + calendar.maturity, min=1e-6)
    there = (SEASON * usual - calendar.emergence) / sums
    planted = torch.zeros_like(known)
    if nursery is not None:
        raised = (SEASON * usual + nursery) / sums
        planted = known & ~fixed & (nursery > 0.0) & (there < 1.0) & (raised >= earliest)
        there = torch.where(planted, raised, there)
    one = torch.ones_like(usual)
    share = torch.where(known, torch.minimum(torch.maximum(there, earliest), latest), one)
    return Choice(torch.where(fixed, earliest, share), ~known | fixed | (there >= earliest), planted)
