# SPDX-License-Identifier: BSD-3-Clause
"""Pools of the cycles in the state, the traits they follow, and what they hold in all; columns last, kg m-2."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import decomposition, leaf_exchange, phenology
from components.land.column.cycles.allocation import Habit, Parts, whole_reserve
from components.land.column.cycles.crop_day import Farming
from components.land.column.cycles.crop_development import Development, nothing_sown
from components.land.column.cycles.phosphorus import Minerals
from components.land.column.cycles.turnover import WOOD_DIES, Lives
from components.science.sums import in_order

ACTIVE_CN, SLOW_CN = 8.0, 11.0  # C:N of active, and of slow and passive matter
NITROGEN_PER_PHOSPHORUS = 15.0  # of plants (Gusewell 2004: 12 to 16 are balanced)
SOIL_NITROGEN_PER_PHOSPHORUS = 13.0  # of organic matter (Cleveland and Liptzin 2007)
UPPER = 0.3  # m: depth of the upper of the two stores of organic matter
DAY, YEARS = 86400.0, 365.0 * 86400.0  # s


class Traits(NamedTuple):
    """Carbon and nutrients of plant types, one value a column; may require gradients."""

    kind: Tensor  # 0 evergreen, 1 by season, 2 by stress
    warm_sum: Tensor  # K d
    sla: Tensor  # m2 kg-1 C
    ratios: Parts  # C:N
    lives: Lives  # s
    habit: Habit
    fixers: Tensor  # share
    ecto: Tensor  # share
    vcmax_slope: Tensor  # umol s-1 per kg N
    turnover: Tensor  # factor of all turnover times of organic matter
    sand: Tensor  # of the soil, mass fraction
    farming: Farming
    building: Tensor  # carbon respired per carbon of new tissue
    stretch: Tensor  # most C:N of new tissue over `ratios`; 1: fixed
    leaf_fall: Tensor  # of evergreens: from the flush until old leaves begin to fall, s
    ph: Tensor | None = None  # of the soil; None, or NaN: neutral


class Element(NamedTuple):
    """One element in plants, woody debris and organic matter."""

    plant: Parts
    debris: Tensor
    organic: Tensor  # (2 depths, 6 pools, ...)


class Dissolved(NamedTuple):
    """By layer, (layer, ...)."""

    ammonium: Tensor  # kg N m-2
    nitrate: Tensor  # kg N m-2
    phosphorus: Tensor  # labile, in solution and sorbed, kg P m-2
    carbon: Tensor  # organic, kg C m-2


class Day(NamedTuple):
    """Sums since the day began."""

    seconds: Tensor  # s
    gain: Tensor  # carbon taken up less what leaves, roots and wood respired, kg m-2
    soil: Tensor  # temperature of the two depths, K s, (2, ...)
    pace: Tensor  # of decay in the two depths, s, (2, ...)
    filled: Tensor  # pores with water in the two depths, s, (2, ...)
    water: Tensor  # share of the available water where roots are, s
    light: Tensor  # time with sun, s
    air: Tensor  # its temperature, K s


class Due(NamedTuple):
    """What the last day left to the air, given off evenly through this one, kg m-2."""

    carbon: Tensor  # CO2
    nitrous: Tensor  # N2O, as N
    dinitrogen: Tensor
    ammonia: Tensor  # as N


class Events(NamedTuple):
    """What a day brought and took at once, kg m-2; names as in `fast.Exchanged`."""

    fixed: Tensor
    harvested_carbon: Tensor
    harvested_nitrogen: Tensor
    harvested_phosphorus: Tensor
    fertilised_nitrogen: Tensor
    fertilised_phosphorus: Tensor


class Means(NamedTuple):
    """Means of the last year, for a spin-up."""

    days: Tensor  # since the start; the means forget what is longer ago than 365
    litter: Tensor  # of leaves and roots, kg C m-2 a-1, (2 depths, ...)
    pace: Tensor  # of decay by warmth and water, (2, ...)
    litter_pace: Tensor  # of litter's, as nutrients allow it, (2, ...)
    air: Tensor  # temperature, K
    wood: Tensor  # that grew, kg C m-2 a-1
    warmth: Tensor  # of the crop, in the year under way, K d
    usual: Tensor  # the same in a usual year; 0: none known


class Cycles(NamedTuple):
    """Everything that the cycles need for a continuation."""

    carbon: Element
    nitrogen: Element
    phosphorus: Element
    soil: Dissolved
    minerals: Minerals
    season: phenology.Season
    crop: Development
    day: Day
    due: Due
    means: Means


def leaf_area(c: Cycles, t: Traits) -> Tensor:
    """Leaf area index that the pools make, m2 m-2; that of crops is followed by itself.

    Parameters
    ----------
    c : pools
    t : Traits of the columns
    """
    return torch.where(t.farming.crop > 0.5, c.crop.area, t.sla * c.carbon.plant.leaf)


def no_day(like: Tensor) -> Day:
    """Sums at the start of a day, for columns as in ``like``."""
    none, two = torch.zeros_like(like), torch.zeros(2, *like.shape, dtype=like.dtype, device=like.device)
    return Day(none, none, two, two, two, none, none, none)


def soil_ratios(like: Tensor) -> Tensor:
    """C:N of organic matter by pool (that of litter is its own), (6, 1 ...)."""
    rows = [SLOW_CN] * len(decomposition.POOLS)
    rows[decomposition.ACTIVE] = ACTIVE_CN
    return torch.tensor(rows, dtype=like.dtype, device=like.device).reshape(-1, *[1] * like.dim())


def of_plant(parts: Parts) -> Tensor:
    """All of an element in living and dead parts of plants."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _in_element(e: Element) -> Tensor:
    return of_plant(e.plant) + e.debris + in_order(in_order(e.organic, 0), 0)


class Stored(NamedTuple):
    """All of each element in a column, kg m-2."""

    carbon: Tensor
    nitrogen: Tensor
    phosphorus: Tensor


def stored(c: Cycles) -> Stored:
    """What the cycles hold, with what the day has gained and what is due to the air."""
    s, d = c.soil, c.due
    return Stored(
        _in_element(c.carbon) + in_order(s.carbon, 0) + c.day.gain + d.carbon,
        _in_element(c.nitrogen) + in_order(s.ammonium + s.nitrate, 0) + d.nitrous + d.dinitrogen + d.ammonia,
        _in_element(c.phosphorus) + in_order(s.phosphorus, 0) + c.minerals[0] + c.minerals[1] + c.minerals[2],
    )  # fmt: skip


def at_start(
    t: Traits, thickness: Tensor, litter: float = 0.4, pace: float = 0.25, leaf_area: Tensor | None = None
) -> Cycles:
    """Pools that ``litter`` (kg C m-2 a-1) at a mean ``pace`` would have made: a start for a spin-up.

    Parameters
    ----------
    t : Traits of the columns
    thickness : (layer, 1) of the soil, m
    litter : kg C m-2 a-1 into the two depths together
    pace : mean factor of decay
    leaf_area : m2 m-2 of perennial plants at the start; None: half of the most for evergreen, none for all others
    """
    none = torch.zeros_like(t.sla)
    most = 0.5 * t.habit.most_lai
    area = torch.where(t.kind == phenology.EVERGREEN, most, none) if leaf_area is None else leaf_area
    leafing = area > 0.25 * t.habit.most_lai
    leaf = torch.where((t.kind == phenology.EVERGREEN) | leafing, area / t.sla, none)
    full = whole_reserve(t.habit, t.sla)
    store = torch.where(leafing, 0.25 * full, 0.75 * full)  # what leaves have taken is gone
    # Wood at rest under its part of the growth that makes the litter: what leaves cannot feed does not live.
    h = t.habit
    built = litter * h.wood_per_leaf / (1.0 + h.root_per_leaf + h.wood_per_leaf)
    ageing, dying = WOOD_DIES / YEARS, 1.0 / t.lives.wood
    live = built / YEARS * h.live / (ageing + dying)
    dead = 0.5 * (built / YEARS * (1.0 - h.live) + ageing * live) / dying
    perennial = 1.0 - t.farming.crop
    leaf, store = perennial * leaf, perennial * store + t.farming.seed * t.farming.crop
    roots = perennial * most / t.sla * h.root_per_leaf
    carbon = Parts(leaf, roots, live, dead, store, none)
    green = t.habit.most_lai / (t.habit.most_lai + 0.5)
    into = torch.stack([v * litter * green for v in (0.25, 0.5, 0.25)] + [0.0 * green] * 3)
    organic = decomposition.at_rest(into, pace + none, t.sand)
    organic = torch.stack([0.5 * organic, 0.5 * organic])
    litter_cn = torch.tensor([40.0, 40.0, 40.0, ACTIVE_CN, SLOW_CN, SLOW_CN], dtype=none.dtype, device=none.device)
    n_organic = organic / litter_cn[:, None]
    nitrogen = Parts(*(c / r for c, r in zip(carbon, t.ratios, strict=True)))
    phosphorus = Parts(*(n / NITROGEN_PER_PHOSPHORUS for n in nitrogen))
    share = thickness / thickness.sum() + none
    return Cycles(
        Element(carbon, none, organic), Element(nitrogen, none, n_organic),
        Element(phosphorus, none, n_organic / SOIL_NITROGEN_PER_PHOSPHORUS),
        Dissolved(5e-4 * share, 1e-3 * share, 0.05 * share, 0.0 * share),
        Minerals(none + 0.1, none + 0.05, none + 0.1),
        phenology.at_start(t.kind, leafing),
        nothing_sown(none)._replace(leaves=leaf_exchange.at_start(t.kind, t.lives.leaf)), no_day(none),
        Due(none, none, none, none),
        Means(none, torch.stack([none] * 2), torch.stack([none] * 2), torch.stack([none] * 2), none, none, none, none),
    )  # fmt: skip
