# SPDX-License-Identifier: BSD-3-Clause
"""Development of crops by sums of warmth, as in WOFOST (de Wit et al. 2019): sown, emerged, flowering, mature.

A phase ends on the day its sum is reached; the next begins a day later with nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles.leaf_age import CLASSES
from components.science.constants import ZERO_CELSIUS

FALLOW, SOWN, VEGETATIVE, REPRODUCTIVE, MATURE = 0.0, 1.0, 2.0, 3.0, 4.0
COLD = (-4.0, 3.0, 10.0, 17.0)  # degC: vernalisation begins, is full, is full still, ends (Wang and Engel 1998)
TWILIGHT = 4.0  # degrees that the sun may be below the horizon in a crop's day (Goudriaan and van Laar 1994)
VERNALISED = 0.3  # stage from which cold no longer matters
ENOUGH = 1.0 - 1e-12  # of a sum, so that rounding adds no day


class Development(NamedTuple):
    """Where a crop stands, one value a column unless said.

    Attributes
    ----------
    phase : 0 fallow, 1 sown, 2 vegetative, 3 reproductive, 4 mature
    warmth : sum since the phase began, K d
    vernal : days of vernalisation
    area : of its leaves, m2 m-2
    leaves : share of them by class of age, (class, columns); see leaf_age.py and, for evergreens, leaf_exchange.py
    passed : part of the time of the youngest class that is over
    capacity : of the leaves by the stage, 0 to 1
    variety : share of the table's sums to flowering and to maturity that it needs (variety.py)
    """

    phase: Tensor
    warmth: Tensor
    vernal: Tensor
    area: Tensor
    leaves: Tensor
    passed: Tensor
    capacity: Tensor
    variety: Tensor


def nothing_sown(like: Tensor) -> Development:
    """Fallow land.

    Parameters
    ----------
    like : (columns,) for shape and type
    """
    none = torch.zeros_like(like)
    leaves = torch.zeros(CLASSES, *like.shape, dtype=like.dtype, device=like.device)
    return Development(none, none, none, none, leaves, none, none, torch.ones_like(like))


class Calendar(NamedTuple):
    """Sums of warmth of a crop, one value a column.

    Attributes
    ----------
    emergence, flowering, maturity : K d, to each from the event before
    emergence_base, emergence_most : degC, between which warmth counts until emergence
    base, most : degC, the same after it
    shortest, longest : h of day light without, and with full development; 0 and 0: no influence
    vernal_base, vernal_full : days of cold without, and with full development; 0 and 0: no influence
    """

    emergence: Tensor
    flowering: Tensor
    maturity: Tensor
    emergence_base: Tensor
    emergence_most: Tensor
    base: Tensor
    most: Tensor
    shortest: Tensor
    longest: Tensor
    vernal_base: Tensor
    vernal_full: Tensor


def _share(value: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Of the way from ``low`` to ``high``; 1 where there is no way."""
    width = high - low
    there = torch.abs(width) > 0.0
    return torch.where(
        there,
        torch.clamp((value - low) / torch.where(there, width, torch.ones_like(width)), 0.0, 1.0),
        torch.ones_like(width),
    )


def cold_day(temperature: Tensor) -> Tensor:
    """Days of vernalisation that a day at ``temperature`` (K) counts."""
    t = temperature - ZERO_CELSIUS
    a, b, c, d = COLD
    return torch.clamp(torch.minimum((t - a) / (b - a), (d - t) / (d - c)), 0.0, 1.0)


def a_day(now: Development, calendar: Calendar, temperature: Tensor, day_length: Tensor) -> Development:
    """Development after a day.

    Parameters
    ----------
    now : at its start
    calendar : sums of the crop
    temperature : mean of the day, K
    day_length : s, of what crops see: with the sun above 4 degrees below the horizon (:data:`TWILIGHT`)
    """
    c, t = calendar, temperature - ZERO_CELSIUS
    sown, growing = now.phase == SOWN, now.phase == VEGETATIVE
    filling = now.phase == REPRODUCTIVE
    before = torch.clamp(torch.minimum(t, c.emergence_most) - c.emergence_base, min=0.0)
    after = torch.clamp(torch.minimum(t, c.most) - c.base, min=0.0)
    vernal = torch.where(growing, now.vernal + cold_day(temperature), now.vernal)
    chilled = torch.where(
        now.warmth < VERNALISED * (now.variety * c.flowering),
        _share(now.vernal, c.vernal_base, c.vernal_full),
        torch.ones_like(t),
    )
    slowed = _share(day_length / 3600.0, c.shortest, c.longest) * chilled
    gain = torch.where(sown, before, torch.where(growing, after * slowed, torch.where(filling, after, 0.0 * after)))
    warmth = now.warmth + gain
    needed = torch.where(sown, c.emergence, now.variety * torch.where(growing, c.flowering, c.maturity))
    passed = (sown | growing | filling) & (warmth >= needed * ENOUGH)
    return now._replace(
        phase=torch.where(passed, now.phase + 1.0, now.phase), warmth=torch.where(passed, 0.0 * warmth, warmth),
        vernal=vernal,
    )  # fmt: skip


def stage(now: Development, calendar: Calendar) -> Tensor:
    """WOFOST's stage: 0 at emergence, 1 at flowering, 2 at maturity.

    Parameters
    ----------
    now : where the crop stands
    calendar : its sums
    """
    early = torch.where(now.phase == VEGETATIVE, now.warmth / (now.variety * calendar.flowering), 0.0 * now.warmth)
    late = torch.where(now.phase == REPRODUCTIVE, 1.0 + now.warmth / (now.variety * calendar.maturity), early)
    return torch.where(now.phase >= MATURE, torch.full_like(late, 2.0), late)


def sow(now: Development, may: Tensor, variety: Tensor | None = None) -> Development:
    """Sow fallow columns where ``may`` is true.

    Parameters
    ----------
    now : where the crop stands
    may : (columns,) whether date and warmth allow it
    variety : (columns,) share of the table's sums that it needs; None: all of them
    """
    sowing = may & (now.phase == FALLOW)
    nothing = torch.zeros_like(now.warmth)
    return now._replace(
        phase=torch.where(sowing, torch.full_like(now.phase, SOWN), now.phase),
        warmth=torch.where(sowing, nothing, now.warmth), vernal=torch.where(sowing, nothing, now.vernal),
        variety=torch.where(sowing, torch.ones_like(nothing) if variety is None else variety, now.variety),
    )  # fmt: skip
