# SPDX-License-Identifier: BSD-3-Clause
"""A day of the soil: decay of organic matter, mineral nitrogen and its gases, dissolved carbon, phosphorus."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import decomposition, mineral_nitrogen, phosphorus
from components.land.column.cycles.fast import depth_weights
from components.land.column.cycles.pools import (
    DAY,
    SOIL_NITROGEN_PER_PHOSPHORUS,
    YEARS,
    Cycles,
    Dissolved,
    Due,
    Element,
    soil_ratios,
)
from components.science.sums import in_order

BULK = 1300.0  # kg m-3, of soil
DISSOLVED_LIFE = 0.1  # a, of dissolved carbon at 25 C in moist soil
DEBRIS_LIFE = 4.1  # a, of woody debris (Lawrence et al. 2019: .001 d-1 broken up, slowed as litter is)
DEBRIS_LIGNIN = 0.24  # of its carbon
MOST_CARBON = 3.0  # percent, that denitrification counts
MOST_IMMOBILISED = 0.9  # of the mineral nutrient in a depth


class Weather(NamedTuple):
    """Means of a day in the two depths, (2, ...)."""

    temperature: Tensor  # K
    pace: Tensor
    filled: Tensor


def a_day(
    c: Cycles,
    w: Weather,
    sand: Tensor,
    thickness: Tensor,
    nutrients: bool,
    speed: Tensor,
    ph: Tensor | None = None,
) -> tuple[Cycles, Tensor]:
    """Advance the soil by a day; gases go to what is due to the air. Also what nutrients allow of litter's decay.

    Parameters
    ----------
    c : at the start
    w : means of the day
    sand : (columns,) mass fraction
    thickness : (layer, 1) m
    nutrients : whether nitrogen and phosphorus are followed
    speed : (columns,) factor of all turnover times
    ph : (columns,) of the soil, NaN where it is not known; None: nowhere known
    """
    pace = w.pace / speed
    c = _debris(c, pace[0])
    c, breath, shares = _decay(c, pace, sand, thickness, nutrients)
    rows = torch.clamp(1.0 - torch.exp(-pace[0] * (DAY / (DISSOLVED_LIFE * YEARS))), 0.0, 1.0)
    gone = rows * c.soil.carbon
    due = c.due._replace(carbon=c.due.carbon + breath + in_order(gone, 0))
    c = c._replace(soil=c.soil._replace(carbon=c.soil.carbon - gone), due=due)
    return (_minerals(c, w, thickness, ph) if nutrients else c), shares


def _debris(c: Cycles, pace: Tensor) -> Cycles:
    """Woody debris broken up into cellulose and lignin of the upper depth."""
    share = -torch.expm1(-pace * (DAY / (DEBRIS_LIFE * YEARS)))

    def broken(e: Element) -> Element:
        lost = share * e.debris
        lignin = DEBRIS_LIGNIN * lost
        upper = e.organic[0]
        upper = torch.cat([upper[:1], (upper[1] + (lost - lignin))[None], (upper[2] + lignin)[None], upper[3:]])
        return Element(e.plant, e.debris - lost, torch.stack([upper, e.organic[1]]))

    return c._replace(carbon=broken(c.carbon), nitrogen=broken(c.nitrogen), phosphorus=broken(c.phosphorus))


def _within(weights: list[float], values: Tensor) -> Tensor:
    return in_order(torch.stack([values[i] for i, w in enumerate(weights) if w > 0.0]), 0)


def _decay(c: Cycles, pace: Tensor, sand: Tensor, thickness: Tensor, nutrients: bool) -> tuple[Cycles, Tensor, Tensor]:
    """The cascade in both depths; what needs a nutrient to go on is slower where microbes lack it."""
    breath, soil, shares = torch.zeros_like(sand), c.soil, []
    pools: list[list[Tensor]] = [[], [], []]
    cn = soil_ratios(sand)
    cp, washed = cn * SOIL_NITROGEN_PER_PHOSPHORUS, decomposition.dissolved_share(sand)
    for depth, weights in enumerate(depth_weights(thickness)):
        carbon, n, p = (e.organic[depth] for e in (c.carbon, c.nitrogen, c.phosphorus))
        lost = decomposition.given_up(carbon, pace[depth], DAY)
        whole = lost
        if nutrients:
            needs = [decomposition.immobilised(carbon, e, r, lost, sand, washed) for e, r in ((n, cn), (p, cp))]
            mineral = _within(weights, soil.ammonium + soil.nitrate), _within(weights, soil.phosphorus)
            lost = lost * decomposition.share_allowed(needs, [MOST_IMMOBILISED * v for v in mineral])
        by_n = decomposition.decay(carbon, n, cn, lost, sand, washed)
        if nutrients:
            by_p = decomposition.decay(carbon, p, cp, lost, sand, washed)
            soil = _exchange(soil, weights, by_n.mineralised, by_p.mineralised)
            n, p = by_n.nutrient, by_p.nutrient
        shares.append(_of_litter(lost, whole))
        pools[0].append(by_n.carbon)
        pools[1].append(n)
        pools[2].append(p)
        breath = breath + by_n.respired
        spread = torch.tensor(weights, dtype=sand.dtype, device=sand.device).reshape(-1, *[1] * sand.dim())
        soil = soil._replace(carbon=soil.carbon + spread * by_n.dissolved)
    carbon_, n_, p_ = (torch.stack(rows) for rows in pools)
    return c._replace(
        carbon=c.carbon._replace(organic=carbon_), nitrogen=c.nitrogen._replace(organic=n_),
        phosphorus=c.phosphorus._replace(organic=p_), soil=soil,
    ), breath, torch.stack(shares)  # fmt: skip


def _of_litter(lost: Tensor, whole: Tensor) -> Tensor:
    """Share of what litter would have given up that it did; all of nothing."""
    some, full = (in_order(v[: decomposition.ACTIVE], 0) for v in (lost, whole))
    there = full > 0.0
    return torch.where(there, some / torch.where(there, full, torch.ones_like(full)), torch.ones_like(full))


def _exchange(soil: Dissolved, weights: list[float], nitrogen: Tensor, phosphorus_: Tensor) -> Dissolved:
    """Give what was mineralised to the layers of a depth, or take what was immobilised from what they hold."""
    share = torch.tensor(weights, dtype=nitrogen.dtype, device=nitrogen.device).reshape(-1, *[1] * nitrogen.dim())
    inside = (share > 0.0).to(nitrogen.dtype)
    gain_n, gain_p = torch.clamp(nitrogen, min=0.0), torch.clamp(phosphorus_, min=0.0)
    take_n = torch.clamp(-nitrogen, min=0.0) / torch.clamp(_within(weights, soil.ammonium + soil.nitrate), min=1e-30)
    take_p = torch.clamp(-phosphorus_, min=0.0) / torch.clamp(_within(weights, soil.phosphorus), min=1e-30)
    return soil._replace(
        ammonium=soil.ammonium * (1.0 - inside * take_n) + share * gain_n,
        nitrate=soil.nitrate * (1.0 - inside * take_n),
        phosphorus=soil.phosphorus * (1.0 - inside * take_p) + share * gain_p,
    )  # fmt: skip


def _minerals(c: Cycles, w: Weather, thickness: Tensor, ph: Tensor | None) -> Cycles:
    """Nitrification, volatilisation, denitrification by layer; weathering."""
    upper, lower = depth_weights(thickness)
    edge, ammonium, nitrate = 0.0, [], []
    none = torch.zeros_like(c.due.carbon)
    nitrous, dinitrogen, ammonia = none, none, none
    depths = thickness.flatten().tolist()
    per_cent = [
        torch.clamp(100.0 * in_order(stored, 0) / (BULK * sum(x for x, v in zip(depths, of, strict=True) if v > 0.0)),
                    0.0, MOST_CARBON)
        for stored, of in zip(c.carbon.organic, (upper, lower), strict=True)
    ]  # fmt: skip
    for i, d in enumerate(depths):
        depth = 0 if upper[i] > 0.0 else 1
        warm, filled = w.temperature[depth], w.filled[depth]
        fate = mineral_nitrogen.nitrify(
            c.soil.ammonium[i], warm, torch.clamp(2.0 * filled, max=1.0), edge + 0.5 * d, ph=ph
        )
        edge += d
        as_nitrous = mineral_nitrogen.NITRIFIED_N2O * fate.nitrified
        have = c.soil.nitrate[i] + (fate.nitrified - as_nitrous)
        lost = mineral_nitrogen.denitrified(have, warm, per_cent[depth], mineral_nitrogen.wet_enough(filled))
        part = mineral_nitrogen.nitrous_share(filled) * lost
        ammonium.append(c.soil.ammonium[i] - fate.nitrified - fate.volatile)
        nitrate.append(have - lost)
        nitrous, dinitrogen = nitrous + as_nitrous + part, dinitrogen + (lost - part)
        ammonia = ammonia + fate.volatile
    labile = in_order(c.soil.phosphorus, 0)
    minerals, gained = phosphorus.weather(c.minerals, labile, decomposition.warmth_factor(w.temperature[0]), DAY)
    known = labile > 1e-30  # else what weathers has no layers to go with, and is spread by their thickness
    factor = torch.where(known, (labile + gained) / torch.where(known, labile, torch.ones_like(labile)), 1.0)
    fresh = thickness / thickness.sum() * torch.where(known, torch.zeros_like(gained), gained)
    due = Due(
        c.due.carbon, c.due.nitrous + nitrous, c.due.dinitrogen + dinitrogen, c.due.ammonia + ammonia
    )  # fmt: skip
    soil = c.soil._replace(
        ammonium=torch.stack(ammonium),
        nitrate=torch.stack(nitrate),
        phosphorus=c.soil.phosphorus * factor + fresh,
    )
    return c._replace(soil=soil, minerals=minerals, due=due)
