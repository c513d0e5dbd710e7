# SPDX-License-Identifier: BSD-3-Clause
"""A day of the crops: sown by warmth and season, fed, developed, partitioned by stage, harvested or killed by frost.

Partitioning and the area of new leaves go by stage as in WOFOST (de Wit et al. 2019), from the crops' table. A young
crop has the leaf area of its seedlings and then as much as its carbon makes, but no more than warmth allows.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import crop_development as development
from components.land.column.cycles import fertiliser, leaf_age
from components.land.column.cycles.allocation import Parts
from components.land.column.cycles.crop_development import Calendar
from components.land.column.cycles.variety import Choice, choose
from components.science.constants import ZERO_CELSIUS

HARVESTED = 0.95  # of the harvest organ
CLOSED, MOST_SHADED = (
    3.2 / 0.6,
    0.03,
)  # leaf area (3.2 over the extinction of diffuse light) beyond which shade kills; a day
DRY_CARBON = 0.45  # kg C per kg of dry matter
STAGES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.1, 1.3, 1.5, 1.7, 2.0)  # at which the table gives shares and areas
FILLING_DAYS = 10.0  # time scale on which stems and roots give to the grain (TCNT of LINTUL3, Shibu et al. 2010)
RESIDUAL = 0.002 / DRY_CARBON  # kg N per kg C of stems and roots that stays in them (RNFST and RNFRT of the same)
VEGETATIVE = 0.33  # carbon respired per carbon of leaves, stems and roots
YOUNG = 0.75  # leaf area up to which its growth follows warmth (Spitters and Schapendonk 1990)


class Organs(NamedTuple):
    """Where new carbon goes and what leaves can do, by stage of :data:`STAGES`, (stage, columns).

    Attributes
    ----------
    root : share of all
    leaf, harvest : of what is left for the shoot; the rest are stems
    area : of new leaves, m2 kg-1 C
    capacity : of all leaves, share of what their nitrogen makes of it
    """

    root: Tensor
    leaf: Tensor
    harvest: Tensor
    area: Tensor
    capacity: Tensor


class Farming(NamedTuple):
    """How a plant type is grown, one value a column.

    Attributes
    ----------
    crop : 1 where it is a crop
    calendar : its sums of warmth
    sown_above, sown_below : degC of the upper soil between which it is sown
    autumn : 1 sown while days get shorter, 0 while they get longer; at any time where they are equal
    killed_below : degC of a day's air below which frost kills it before it is ripe
    earliest, latest : shares of the sums to flowering and maturity between which there are varieties
    nursery : warmth after their emergence that seedlings have when they are planted, K d; 0: none are
    planted_above : degC of the upper soil above which they are planted
    nitrogen, phosphorus : fertiliser of a season, kg m-2
    urea : share of the nitrogen that is urea or ammonium
    seed : sown, and kept of a harvest for the next sowing, kg C m-2
    paddy : 1 where it can stand in water
    organs : where new carbon goes
    emerged_area : leaf area at emergence, m2 m-2
    expansion : of young leaves, share of a day for each K above `leaf_base` (degC)
    span : life of leaves at 35 C, days; they age above `leaf_base`
    sown_on : day of the year on which it is sown, NaN where warmth and season say; None: nowhere given
    reaped_on : day of the year on which it is harvested, NaN where maturity says; None: nowhere given
    plan : dressings, which stand for `nitrogen`, `phosphorus` and `urea` where they hold; None: nowhere
    """

    crop: Tensor
    calendar: Calendar
    sown_above: Tensor
    sown_below: Tensor
    autumn: Tensor
    killed_below: Tensor
    earliest: Tensor
    latest: Tensor
    nursery: Tensor
    planted_above: Tensor
    nitrogen: Tensor
    phosphorus: Tensor
    urea: Tensor
    seed: Tensor
    paddy: Tensor
    organs: Organs
    emerged_area: Tensor
    expansion: Tensor
    leaf_base: Tensor
    span: Tensor
    sown_on: Tensor | None = None
    reaped_on: Tensor | None = None
    plan: fertiliser.Plan | None = None

    @property
    def by_date(self) -> bool:
        """Whether any crop has a day of sowing, of harvest or of fertiliser."""
        return self.sown_on is not None or self.reaped_on is not None or self.plan is not None


class Field(NamedTuple):
    """What a day is for the crops.

    Attributes
    ----------
    now : development at its end
    stage : WOFOST's, 0 to 2
    emerged, ripe : (columns,) whether that happened; ripe: or cut
    dressing : fertiliser that is given
    growing : 1 between emergence and maturity
    shed : share of leaves that die
    """

    now: development.Development
    stage: Tensor
    emerged: Tensor
    ripe: Tensor
    dressing: fertiliser.Given
    growing: Tensor
    shed: Tensor


def a_day(
    f: Farming, now: development.Development, soil: Tensor, air: Tensor, day_length: Tensor, day_before: Tensor,
    date: Tensor | None = None, photoperiod: Tensor | None = None, choice: Choice | None = None,
) -> Field:  # fmt: skip
    """Sowing, or planting out of a nursery, development, and harvest.

    A crop with a day of harvest is cut on it once it has emerged, ripe or not; one that is mature before stands dead.
    One that frost kills is cut with the grain that it has.

    Parameters
    ----------
    f : how the columns are farmed
    now : development at the start of the day
    soil, air : temperature of the upper soil, by which it is sown, and of the air, by which it develops, K
    day_length, day_before : of this and of the last day, s; nothing is sown by season where that is not known, 0
    date : day of the year, where there is a calendar
    photoperiod : day length with twilight, by which crops develop, s; None: that without it
    choice : variety that is sown, by season only where it ripens in a usual year; None: the table's
    """
    is_crop, t = f.crop > 0.5, soil - ZERO_CELSIUS
    # on the equator all days are equal, and any is in season
    season = torch.where(f.autumn > 0.5, day_length <= day_before, day_length >= day_before)
    warm = t >= (f.sown_above if choice is None else torch.where(choice.planted, f.planted_above, f.sown_above))
    due = season & (day_before > 0.0) & warm & (t <= f.sown_below)
    if choice is not None:
        due = due & choice.ripens
    if f.sown_on is not None and date is not None:
        due = torch.where(torch.isfinite(f.sown_on), date == f.sown_on, due)
    sown = development.sow(now, is_crop & due, None if choice is None else choice.share)
    first = (now.phase == development.FALLOW) & (sown.phase == development.SOWN)
    seedlings = torch.zeros_like(first) if choice is None else first & choice.planted
    # they emerged in the nursery
    sown = sown._replace(warmth=torch.where(seedlings, f.calendar.emergence, sown.warmth))
    after = development.a_day(sown, f.calendar, air, day_length if photoperiod is None else photoperiod)
    after = after._replace(warmth=torch.where(seedlings, f.nursery, after.warmth))
    before, stage = development.stage(sown, f.calendar), development.stage(after, f.calendar)
    growing = is_crop & (after.phase >= development.VEGETATIVE) & (after.phase < development.MATURE)
    gain = growing.to(t.dtype) * leaf_age.ageing(air, f.leaf_base, f.span)
    leaves, passed, old = leaf_age.older(after.leaves, after.passed, gain)
    dying = torch.maximum(old, shaded(now.area))
    leaves = torch.where(growing, leaf_age.without_oldest(leaves, dying), leaves)
    emerged = is_crop & (sown.phase == development.SOWN) & (after.phase == development.VEGETATIVE)
    moments = fertiliser.Moments(first, emerged, before, stage, date)
    dressing = fertiliser.by_table(moments, f.nitrogen, f.urea, f.phosphorus)
    if f.plan is not None:
        dressing = fertiliser.by_plan(moments, f.plan, dressing)
    dead = after.phase >= development.MATURE
    capacity = torch.where(dead, 0.0 * stage, at_stage(f.organs.capacity, stage))
    after = after._replace(leaves=leaves, passed=passed, capacity=capacity)
    return Field(
        after, stage, emerged, is_crop & _cut(f, after.phase, air, date), dressing, growing.to(t.dtype),
        torch.where(growing, dying, 0.0 * stage),
    )  # fmt: skip


def _cut(f: Farming, phase: Tensor, air: Tensor, date: Tensor | None) -> Tensor:
    """Ripe, or on the day of harvest; or killed by frost."""
    mature, emerged = phase >= development.MATURE, phase > development.SOWN
    killed = emerged & ~mature & (air - ZERO_CELSIUS < f.killed_below)
    if f.reaped_on is None or date is None:
        return mature | killed
    return killed | torch.where(torch.isfinite(f.reaped_on), (date == f.reaped_on) & emerged, mature)


def never_sown(f: Farming, usual: Tensor) -> Tensor:
    """Whether a usual year is too short for every variety of a crop, which has no day of sowing of its own, (columns,).

    Parameters
    ----------
    f : how the columns are farmed
    usual : warmth of a year, K d; 0 where none is known
    """
    short = (f.crop > 0.5) & ~choose(usual, f.calendar, f.earliest, f.latest, f.nursery).ripens
    return short if f.sown_on is None else short & ~torch.isfinite(f.sown_on)


def shaded(area: Tensor) -> Tensor:
    """Share of the leaves that a day in the shade of the others kills (WOFOST; de Wit et al. 2019): at most 3 %.

    Parameters
    ----------
    area : leaf area index, m2 m-2
    """
    return torch.clamp(MOST_SHADED * (area - CLOSED) / CLOSED, 0.0, MOST_SHADED)


def fallow(now: development.Development, ripe: Tensor) -> development.Development:
    """Columns that were harvested lie fallow.

    Parameters
    ----------
    now : development
    ripe : (columns,) which
    """
    bare = development.nothing_sown(now.phase)
    return development.Development(*(torch.where(ripe, b, v) for b, v in zip(bare, now, strict=True)))


def at_stage(values: Tensor, stage: Tensor) -> Tensor:
    """Values of the table at a stage, linear between those of :data:`STAGES`.

    Parameters
    ----------
    values : (stage, columns)
    stage : (columns,) 0 at emergence, 1 at flowering, 2 at maturity
    """
    found = values[0] + 0.0 * stage
    for k, (low, high) in enumerate(pairwise(STAGES)):
        found = found + (values[k + 1] - values[k]) * torch.clamp((stage - low) / (high - low), 0.0, 1.0)
    return torch.clamp(found, min=0.0)


def shares(organs: Organs, stage: Tensor) -> Parts:
    """Shares of new carbon by organ at a stage; stems count as living wood.

    Parameters
    ----------
    organs : of the crops
    stage : 0 at emergence, 1 at flowering, 2 at maturity
    """
    root, leaf, harvest = (at_stage(v, stage) for v in organs[:3])
    stem = torch.clamp(1.0 - leaf - harvest, min=0.0)
    shoot, none = 1.0 - root, torch.zeros_like(stage)
    return Parts(shoot * leaf, root, shoot * stem, none, none, shoot * (1.0 - leaf - stem))


def building(crop: Tensor, table: Tensor, harvest: Tensor) -> Tensor:
    """Carbon respired per carbon of a day's new tissue: the table's for harvest organs, :data:`VEGETATIVE` for others.

    Parameters
    ----------
    crop : 1 where it is a crop; others have the table's throughout
    table : of the plant type
    harvest : share of new carbon that goes to harvest organs
    """
    return torch.where(crop > 0.5, VEGETATIVE + harvest * (table - VEGETATIVE), table)


def spread_leaves(f: Farming, field: Field, area: Tensor, built: Tensor, air: Tensor) -> Tensor:
    """Leaf area after a day's growth, m2 m-2.

    Parameters
    ----------
    f : how the columns are farmed
    field : of the day
    area : of the leaves that are left, m2 m-2
    built : carbon of new leaves, kg m-2
    air : temperature, K
    """
    by_carbon = at_stage(f.organs.area, field.stage) * built
    by_warmth = area * (f.expansion * torch.clamp(air - ZERO_CELSIUS - f.leaf_base, min=0.0))
    return area + torch.where(area < YOUNG, torch.minimum(by_carbon, by_warmth), by_carbon)


def with_seedlings(f: Farming, field: Field) -> Field:
    """Crops that emerge have the leaf area of their seedlings, all of it young.

    Parameters
    ----------
    f : how the columns are farmed
    field : of the day
    """
    now = field.now
    leaves, passed = leaf_age.born(now.leaves, now.passed, field.emerged)
    area = torch.where(field.emerged, f.emerged_area, now.area)
    return field._replace(now=now._replace(area=area, leaves=leaves, passed=passed))


def grown(f: Farming, field: Field, leaf: tuple[Tensor, Tensor], built: Tensor, air: Tensor) -> Field:
    """Leaf area and ages after a day's losses and growth.

    Parameters
    ----------
    f : how the columns are farmed
    field : of the day
    leaf : carbon of the leaves before the day's losses, and of those that are left, kg m-2
    built : carbon of new leaves, kg m-2
    air : temperature, K
    """
    before, left = leaf
    area = field.now.area * (left / torch.clamp(before, min=1e-30))
    leaves = leaf_age.with_new(field.now.leaves, left, built)
    return field._replace(now=field.now._replace(area=spread_leaves(f, field, area, built, air), leaves=leaves))


def to_grain(phase: Tensor, carbon: Tensor, nitrogen: Tensor) -> Tensor:
    """Share of an organ's nutrients that a day of grain filling draws into the reserves, out of which grain is built.

    Of nitrogen all but the residual is on its way; phosphorus goes along. Leaves give theirs as they die.

    Parameters
    ----------
    phase : of development
    carbon, nitrogen : of stems or of roots, kg m-2
    """
    free = torch.clamp(1.0 - RESIDUAL * carbon / torch.clamp(nitrogen, min=1e-30), min=0.0)
    share = free * -math.expm1(-1.0 / FILLING_DAYS)
    return torch.where(phase == development.REPRODUCTIVE, share, 0.0 * share)


class Reaped(NamedTuple):
    """A harvest of one element, kg m-2: what stays, what is carried away less seed that is bought, what is left behind.

    Attributes
    ----------
    plant : what stays, the seed among its reserves
    carried : away; below 0 where more seed is bought than grain is carried
    above, below : left on and in the ground
    """

    plant: Parts
    carried: Tensor
    above: Tensor
    below: Tensor


def reap(p: Parts, ripe: Tensor, seed: Tensor) -> Reaped:
    """Harvest ripe columns.

    Seed for the next sowing is kept of the grain, and bought where there is not enough: a crop that failed, or was cut
    before it had grain, is sown again.

    Parameters
    ----------
    p : one element of the plant, kg m-2
    ripe : (columns,) which
    seed : of the element, kg m-2
    """
    gone = Parts(*(torch.where(ripe, v, torch.zeros_like(v)) for v in p))
    grain, needed = gone.harvest + gone.storage, torch.where(ripe, seed, torch.zeros_like(seed))
    spare, bought = torch.clamp(grain - needed, min=0.0), torch.clamp(needed - grain, min=0.0)
    away = HARVESTED * spare
    left = Parts(*(v - x for v, x in zip(p, gone, strict=True)))
    above = gone.leaf + gone.live_wood + gone.dead_wood + (spare - away)
    return Reaped(left._replace(storage=left.storage + needed), away - bought, above, gone.root)
