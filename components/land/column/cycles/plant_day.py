# SPDX-License-Identifier: BSD-3-Clause
"""A day of the plants: leaves unfold and fall, reserves pay debts, nutrients are got, tissue is built, litter falls."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from components.land.column.cycles import (
    allocation,
    crop_day,
    leaf_exchange,
    nutrition,
    phenology,
    phosphorus,
    respiration,
    turnover,
    variety,
)
from components.land.column.cycles.allocation import Parts, whole_reserve
from components.land.column.cycles.fast import HALF, SORBED, depth_weights
from components.land.column.cycles.pools import (
    DAY,
    NITROGEN_PER_PHOSPHORUS,
    Cycles,
    Element,
    Events,
    Traits,
)
from components.land.column.cycles.retranslocation import retranslocate
from components.science.sums import in_order

SEED_AREA = 0.2  # m2 m-2 of leaves, that a plant keeps the carbon for whatever it respires (ours)
PHOSPHORUS_RESORBED = 0.5  # of the leaves' that fall (Vergutz et al. 2012)


def _each(parts: Parts, change: Callable[[Tensor], Tensor]) -> Parts:
    return Parts(*(change(v) for v in parts))


def _plus(a: Parts, b: Parts) -> Parts:
    return Parts(*(x + y for x, y in zip(a, b, strict=True)))


def a_day(
    c: Cycles, t: Traits, kind: str, temperature: Tensor, air: Tensor, water: Tensor, roots: Tensor, thickness: Tensor,
    date: Tensor | None = None, photoperiod: Tensor | None = None,
) -> tuple[Cycles, Events]:  # fmt: skip
    """Advance the plants by a day and give what falls to the soil; also what came and went at once.

    Parameters
    ----------
    c : at the start, with the day's sums
    t : Traits
    kind : of nutrition: none, fun, demand
    temperature, air : means of the upper soil and of the air, K
    water : share of the available water where roots are
    roots : (layer, columns) share
    thickness : (layer, 1) m
    date : (columns,) day of the year, where there is a calendar of sowing
    photoperiod : (columns,) s, day length with the twilight that crops see; None: without it
    """
    nutrients = kind != "none"
    needed = phenology.needed_warmth(t.warm_sum, c.means.days, c.means.air)
    season, flux = phenology.a_day(c.season, t.kind, needed, air, water, c.day.light)
    field = None
    if bool((t.farming.crop > 0.5).any()):
        f, before = t.farming, c.season.day_length
        choice = variety.choose(c.means.usual, f.calendar, f.earliest, f.latest, f.nursery)
        field = crop_day.a_day(f, c.crop, temperature, air, c.day.light, before, date, photoperiod, choice)
        season, flux = _grown(season, flux, t, field)
        field = crop_day.with_seedlings(t.farming, field)
    ages, leaf = leaf_exchange.begun(c.crop.leaves, season), c.carbon.plant.leaf
    unfolded = [_unfold(e, t, flux.unfolding, field) for e in (c.carbon, c.nitrogen, c.phosphorus)]
    unlost = unfolded[0].plant.leaf
    c = c._replace(season=season, carbon=unfolded[0], nitrogen=unfolded[1], phosphorus=unfolded[2])
    plant, debt = _pay(c.carbon.plant, torch.clamp(c.day.gain, max=0.0), seed_of(t))
    income = torch.clamp(c.day.gain, min=0.0)
    c = c._replace(carbon=c.carbon._replace(plant=plant), day=c.day._replace(gain=debt))
    solution = phosphorus.in_solution(c.soil.phosphorus, SORBED * thickness, HALF * thickness)
    mineral = c.soil.ammonium + c.soil.nitrate
    reach = (roots > 0.0).to(roots.dtype)
    found = torch.stack([in_order(reach * mineral, 0), in_order(reach * solution, 0)])
    costs = nutrition.path_costs(t, found[0], plant.root, temperature)
    old = leaf_exchange.falling(ages, season, t.kind, t.lives.leaf, t.leaf_fall)
    c, spent = _fall(c, t, flux.falling + old, costs, income, nutrients, thickness, roots)
    split = _shares(c, t)
    if field is not None:
        c = _to_grain(c, field) if nutrients else c
        own = crop_day.shares(t.farming.organs, field.stage)
        split = Parts(*(torch.where(field.growing > 0.5, a, b) for a, b in zip(own, split, strict=True)))
        t = t._replace(building=crop_day.building(t.farming.crop, t.building, split.harvest))
    fed = nutrition.feed(kind, t, income - spent, split, _free_reserves(c, t), found, costs)
    tissue, breath = respiration.growth(fed.carbon, t.building)
    if field is not None:
        field = crop_day.grown(t.farming, field, (unlost, c.carbon.plant.leaf), split.leaf * tissue, air)
    ages = leaf_exchange.after(ages, leaf, unlost - leaf, old, c.carbon.plant.leaf, split.leaf * tissue)
    now = c.crop if field is None else field.now
    now = now._replace(leaves=torch.where(t.kind == phenology.EVERGREEN, ages, now.leaves))
    c, field = c._replace(crop=now), None if field is None else field._replace(now=now)
    carbon = _plus(c.carbon.plant, _each(split, lambda s: s * tissue))
    due = c.due._replace(carbon=c.due.carbon + breath + fed.spent + spent)
    exuded = c.soil.carbon + roots * fed.excess
    soil = c.soil._replace(carbon=exuded)
    c = c._replace(carbon=c.carbon._replace(plant=carbon), due=due, soil=soil)
    c = _take_up(c, t, split, fed, found, reach, solution) if nutrients else c
    none = torch.zeros_like(income)
    events = Events(fed.fixed, none, none, none, none, none)
    return (c, events) if field is None else _farm(c, t, field, events, nutrients)


def _shares(c: Cycles, t: Traits) -> Parts:
    """Shares of growth by organ, of plants that are not sown."""
    plant, most = c.carbon.plant, t.habit.most_lai
    area = plant.leaf * t.sla
    aim = leaf_exchange.to_come(c.season, t.kind, t.lives.leaf, area, plant.storage * t.sla, t.leaf_fall)
    split = allocation.shares(t.habit, aim, c.season.leafing, plant.storage / _reserve(t))
    return leaf_exchange.later(split, c.season, t.kind, area / most)


def _grown(
    season: phenology.Season, flux: phenology.Fluxes, t: Traits, field: crop_day.Field
) -> tuple[phenology.Season, phenology.Fluxes]:
    """Leaves of crops follow their stage and not the season."""
    crop = t.farming.crop > 0.5
    leafing = torch.where(crop, field.growing, season.leafing)
    unfolding = torch.where(crop, field.emerged.to(leafing.dtype), flux.unfolding)
    return season._replace(leafing=leafing), phenology.Fluxes(unfolding, torch.where(crop, field.shed, flux.falling))


def _to_grain(c: Cycles, field: crop_day.Field) -> Cycles:
    """Nutrients of stems and roots on their way to the grain."""
    carbon, n, phase = c.carbon.plant, c.nitrogen.plant, field.now.phase
    stem = crop_day.to_grain(phase, carbon.live_wood, n.live_wood)
    root = crop_day.to_grain(phase, carbon.root, n.root)

    def drawn(e: Element) -> Element:
        p = e.plant
        out = stem * p.live_wood, root * p.root
        parts = p._replace(live_wood=p.live_wood - out[0], root=p.root - out[1], storage=p.storage + out[0] + out[1])
        return e._replace(plant=parts)

    return c._replace(nitrogen=drawn(c.nitrogen), phosphorus=drawn(c.phosphorus))


def _farm(c: Cycles, t: Traits, field: crop_day.Field, events: Events, nutrients: bool) -> tuple[Cycles, Events]:
    """Fertiliser, and the harvest of what is ripe."""
    seed, ripe = t.farming.seed, field.ripe
    carried = []

    def reaped(e: Element, kept: Tensor) -> Element:
        done = crop_day.reap(e.plant, ripe, kept)
        carried.append(done.carried)
        rows = [done.above + done.below, torch.zeros_like(done.below)]
        soft = torch.stack([turnover.by_quality(v) for v in rows])
        return Element(done.plant, e.debris, torch.cat([e.organic[:, :3] + soft, e.organic[:, 3:]], dim=1))

    n_seed = seed / t.ratios.storage
    c = c._replace(carbon=reaped(c.carbon, seed), crop=crop_day.fallow(field.now, ripe))
    if not nutrients:
        return c, events._replace(harvested_carbon=carried[0])
    c = c._replace(
        nitrogen=reaped(c.nitrogen, n_seed), phosphorus=reaped(c.phosphorus, n_seed / NITROGEN_PER_PHOSPHORUS)
    )  # fmt: skip
    given, soil = field.dressing, c.soil
    soil = soil._replace(
        ammonium=torch.cat([(soil.ammonium[0] + given.ammonium)[None], soil.ammonium[1:]]),
        nitrate=torch.cat([(soil.nitrate[0] + given.nitrate)[None], soil.nitrate[1:]]),
        phosphorus=torch.cat([(soil.phosphorus[0] + given.phosphorus)[None], soil.phosphorus[1:]]),
    )  # fmt: skip
    return c._replace(soil=soil), Events(
        events.fixed, carried[0], carried[1], carried[2], given.ammonium + given.nitrate, given.phosphorus
    )  # fmt: skip


def _unfold(e: Element, t: Traits, share: Tensor, field: crop_day.Field | None) -> Element:
    """Reserves become leaves, and of herbs roots, which trees keep through the winter; seeds become young plants."""
    moved = share * e.plant.storage
    woody = t.kind != phenology.STRESS
    leaf = torch.where(woody, moved, moved / (1.0 + t.habit.root_per_leaf))
    stem = torch.zeros_like(leaf)
    if field is not None:
        young = crop_day.shares(t.farming.organs, torch.zeros_like(leaf))
        leaf = torch.where(field.emerged, young.leaf * moved, leaf)
        stem = torch.where(field.emerged, young.live_wood * moved, stem)
    p = e.plant
    return e._replace(
        plant=p._replace(
            leaf=p.leaf + leaf, root=p.root + (moved - leaf - stem), live_wood=p.live_wood + stem,
            storage=p.storage - moved,
        )
    )  # fmt: skip


def seed_of(t: Traits) -> Tensor:
    """Reserves that respiration does not touch, kg C m-2: buds and seeds for some leaves and their roots."""
    return SEED_AREA / t.sla * (1.0 + t.habit.root_per_leaf)


def _free_reserves(c: Cycles, t: Traits) -> Tensor:
    """Nitrogen and phosphorus in the reserves beyond what next spring's leaves need, (2, ...), kg m-2.

    Plants keep what they drew out of the leaves that they drop for those that their stored carbon will make.
    """
    kept = c.carbon.plant.storage / t.ratios.leaf
    n, p = c.nitrogen.plant.storage - kept, c.phosphorus.plant.storage - kept / NITROGEN_PER_PHOSPHORUS
    return torch.clamp(torch.stack([n, p]), min=0.0)


def _reserve(t: Traits) -> Tensor:
    """Reserves beyond which nothing is laid by, kg C m-2."""
    return whole_reserve(t.habit, t.sla)


def _pay(p: Parts, debt: Tensor, seed: Tensor) -> tuple[Parts, Tensor]:
    """Respiration beyond the day's uptake: out of the reserves but the seed, then of what lives; the rest is owed."""
    owed = -debt
    first = torch.minimum(owed, torch.clamp(p.storage - seed, min=0.0))
    rest = owed - first
    tissue = p.leaf + p.root + p.live_wood + p.harvest
    share = torch.clamp(rest / torch.clamp(tissue, min=1e-30), max=0.9)
    kept = _each(p, lambda v: v * (1.0 - share))
    return kept._replace(storage=p.storage - first, dead_wood=p.dead_wood), share * tissue - rest


def _fall(
    c: Cycles, t: Traits, shed: Tensor, costs: Tensor, income: Tensor, nutrients: bool, thickness: Tensor, roots: Tensor
) -> tuple[Cycles, Tensor]:
    """Litter by age and season; nutrients are drawn out of leaves first. Returns carbon spent on that."""
    lives = t.lives._replace(leaf=torch.where(t.kind == phenology.EVERGREEN, math.inf, t.lives.leaf))
    share = turnover.falling(c.carbon.plant, lives, shed, DAY)
    drawn_n, drawn_p, spent = torch.zeros_like(shed), torch.zeros_like(shed), torch.zeros_like(shed)
    if nutrients:
        price = nutrition.price(t, costs)
        got = retranslocate(
            share.leaf * c.carbon.plant.leaf, share.leaf * c.nitrogen.plant.leaf, t.ratios.leaf, price, t.ratios.leaf,
            t.building, income,
        )  # fmt: skip
        drawn_n, spent = got.free + got.paid, got.spent
        drawn_p = PHOSPHORUS_RESORBED * share.leaf * c.phosphorus.plant.leaf
    upper, _ = depth_weights(thickness)
    near = in_order(torch.stack([roots[i] for i, w in enumerate(upper) if w > 0.0]), 0)

    def fallen(e: Element, drawn: Tensor) -> Element:
        p = e.plant
        lost = Parts(*(s * v for s, v in zip(share, p, strict=True)))
        ageing = turnover.ageing_wood(p.live_wood - lost.live_wood, DAY)
        above = turnover.by_quality(lost.leaf - drawn + near * lost.root)
        below = turnover.by_quality((1.0 - near) * lost.root)
        organic = torch.stack([
            torch.cat([e.organic[0][:3] + above, e.organic[0][3:]]),
            torch.cat([e.organic[1][:3] + below, e.organic[1][3:]]),
        ])  # fmt: skip
        left = Parts(*(v - x for v, x in zip(p, lost, strict=True)))
        left = left._replace(
            live_wood=left.live_wood - ageing, dead_wood=left.dead_wood + ageing, storage=left.storage + drawn
        )
        return Element(left, e.debris + lost.live_wood + lost.dead_wood, organic)

    c = c._replace(carbon=fallen(c.carbon, torch.zeros_like(shed)))
    if nutrients:
        c = c._replace(nitrogen=fallen(c.nitrogen, drawn_n), phosphorus=fallen(c.phosphorus, drawn_p))
    return c, spent


def _take_up(
    c: Cycles, t: Traits, split: Parts, fed: nutrition.Fed, found: Tensor, reach: Tensor, solution: Tensor
) -> Cycles:
    """Nutrients into new tissue, out of reserves and soil."""
    n, p = c.nitrogen.plant, c.phosphorus.plant
    built_n = fed.from_soil[0] + fed.from_reserves[0] + fed.fixed
    built_p = fed.from_soil[1] + fed.from_reserves[1]
    n = _plus(n._replace(storage=n.storage - fed.from_reserves[0]), allocation.spread(built_n, split, t.ratios))
    ratios = _each(t.ratios, lambda v: v * NITROGEN_PER_PHOSPHORUS)
    p = _plus(p._replace(storage=p.storage - fed.from_reserves[1]), allocation.spread(built_p, split, ratios))
    left = 1.0 - reach * (fed.from_soil[0] / torch.clamp(found[0], min=1e-30))
    sorbed = c.soil.phosphorus - reach * solution * (fed.from_soil[1] / torch.clamp(found[1], min=1e-30))
    soil = c.soil._replace(ammonium=c.soil.ammonium * left, nitrate=c.soil.nitrate * left, phosphorus=sorbed)
    return c._replace(nitrogen=c.nitrogen._replace(plant=n), phosphorus=c.phosphorus._replace(plant=p), soil=soil)
