# SPDX-License-Identifier: BSD-3-Clause
"""Organic matter at rest out of mean rates, without the centuries: the cascade is linear in its pools."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles import decomposition
from components.land.column.cycles.pools import (
    NITROGEN_PER_PHOSPHORUS,
    SOIL_NITROGEN_PER_PHOSPHORUS,
    Cycles,
    Element,
    Means,
    Traits,
    soil_ratios,
)

LITTER = 3  # the first pools of the cascade
YEAR_OF_DAYS = 365.0
LEAST_PACE = 1e-3


def follow(means: Means, given_up: Tensor, pace: Tensor) -> Means:
    """Means with a day more; they forget what is longer ago than a year.

    Parameters
    ----------
    means : so far
    given_up : (2, 3, ...) what the litter of the two depths gave up in the day, kg C m-2
    pace : (2, ...) mean of decay in the day
    """
    weight = 1.0 / torch.clamp(means.days + 1.0, max=YEAR_OF_DAYS)
    return Means(
        means.days + 1.0,
        means.litter + weight * (YEAR_OF_DAYS * given_up - means.litter),
        means.pace + weight * (pace - means.pace),
    )  # fmt: skip


def at_rest(c: Cycles, t: Traits) -> Cycles:
    """Cycles whose organic matter no longer changes under the mean litter and warmth of the last year.

    Nitrogen and phosphorus follow at the ratios that pools are built with; litter keeps its own.

    Parameters
    ----------
    c : after a year at least
    t : Traits
    """
    carbon, nitrogen, phosphorus = [], [], []
    cn = soil_ratios(t.sla)
    for depth in range(2):
        litter = c.means.litter[depth]
        into = torch.cat([litter, torch.zeros_like(litter)])
        pace = torch.clamp(c.means.pace[depth] / t.turnover, min=LEAST_PACE)
        rest = decomposition.at_rest(into, pace, t.sand)
        had, had_n, had_p = (e.organic[depth] for e in (c.carbon, c.nitrogen, c.phosphorus))
        full = had > 1e-9
        own_n = torch.where(full, had_n / torch.where(full, had, torch.ones_like(had)), 1.0 / (4.0 * cn))
        own_p = torch.where(full, had_p / torch.where(full, had, torch.ones_like(had)), own_n / NITROGEN_PER_PHOSPHORUS)
        carbon.append(rest)
        nitrogen.append(torch.cat([(rest * own_n)[:LITTER], (rest / cn)[LITTER:]]))
        phosphorus.append(
            torch.cat([(rest * own_p)[:LITTER], (rest / (cn * SOIL_NITROGEN_PER_PHOSPHORUS))[LITTER:]])
        )  # fmt: skip

    def filled(e: Element, rows: list[Tensor]) -> Element:
        return e._replace(organic=torch.stack(rows))

    return c._replace(
        carbon=filled(c.carbon, carbon), nitrogen=filled(c.nitrogen, nitrogen),
        phosphorus=filled(c.phosphorus, phosphorus),
    )  # fmt: skip


def is_due(c: Cycles, day: int) -> bool:
    """Whether the day that has just ended is the one (from 1) after which organic matter is set to rest; 0: none is.

    Parameters
    ----------
    c : after a step
    day : number of the day since the start, or 0
    """
    days, seconds = c.means.days.flatten(), c.day.seconds.flatten()
    return bool(day) and days.numel() > 0 and float(days[0]) == day and float(seconds[0]) == 0.0
