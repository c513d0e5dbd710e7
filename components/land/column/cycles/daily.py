# SPDX-License-Identifier: BSD-3-Clause
"""The daily clock: growth, litter and decay at the end of a day, from the sums that the fast clock kept."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles import plant_day, soil_day, spin_up, variety
from components.land.column.cycles.pools import DAY, Cycles, Element, Events, Traits, no_day
from components.science.sums import in_order


def is_over(c: Cycles) -> bool:
    """Whether a day is full; all columns share one clock."""
    seconds = c.day.seconds.flatten()
    return seconds.numel() > 0 and float(seconds[0]) >= DAY - 0.5


def a_day(
    c: Cycles, t: Traits, kind: str, roots: Tensor, thickness: Tensor, date: Tensor | None = None,
    photoperiod: Tensor | None = None,
) -> tuple[Cycles, Events]:  # fmt: skip
    """Pools after a day; and what came from the air, the farmer, and was carried away.

    Parameters
    ----------
    c : with the day's sums
    t : Traits
    kind : of nutrition: none, fun, demand
    roots : (layer, columns) share
    thickness : (layer, 1) m
    date : (columns,) day of the year, where there is a calendar of sowing
    photoperiod : (columns,) s, day length with the twilight that crops see; None: without it
    """
    lasted = torch.clamp(c.day.seconds, min=1.0)
    weather = soil_day.Weather(c.day.soil / lasted, c.day.pace / lasted, c.day.filled / lasted)
    air = c.day.air / lasted
    before = c.carbon
    c, events = plant_day.a_day(
        c, t, kind, weather.temperature[0], air, c.day.water / lasted, roots, thickness, date, photoperiod
    )
    litter = in_order((c.carbon.organic - before.organic)[:, : spin_up.LITTER].transpose(0, 1), 0)
    grown = _wood(c.carbon) - _wood(before)
    c, allowed = soil_day.a_day(c, weather, t.sand, thickness, kind != "none", t.turnover, t.ph)
    warmth = variety.warmth(air, t.farming.calendar)
    c = c._replace(means=spin_up.follow(c.means, litter, weather.pace, allowed, air, grown, warmth))
    return c._replace(day=no_day(c.day.seconds)._replace(gain=c.day.gain)), events


def _wood(carbon: Element) -> Tensor:
    """Wood that stands and lies; in the plants' part of a day growth alone changes it."""
    return carbon.plant.live_wood + carbon.plant.dead_wood + carbon.debris
