# SPDX-License-Identifier: BSD-3-Clause
"""Nutrients for a day's growth: nothing asked, bought with carbon (FUN), or by the scarcer one's supply."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import dilution, fixation, nitrogen_purchase
from components.land.column.cycles.allocation import Parts, mean_ratio
from components.land.column.cycles.demand import limited_growth
from components.land.column.cycles.pools import NITROGEN_PER_PHOSPHORUS, Traits
from components.science.sums import in_order

FROM_RESERVES = 0.1  # of a plant's reserves, that a day can draw on
FROM_SOIL = 0.3  # of what is in the soil, that a day can take up
# kn (kg C m-2) and kc (kg2 C kg-1 N m-2) of arbuscular, ectomycorrhizal and direct uptake; ours: mycorrhizae
# are cheap where nitrogen is scarce and dear where roots are few, as Brzostek et al. (2014) have it; seedlings can pay.
ARBUSCULAR, ECTO, DIRECT = (0.012, 0.05), (0.006, 0.1), (0.03, 0.15)
LEAST_ROOTS = 0.03  # kg C m-2: fewer roots serve smaller plants, at no higher price (ours)
DEAREST = 1e9  # kg C per kg N, of a path that a plant does not have


class Fed(NamedTuple):
    """What nutrients make of a day's carbon, kg m-2.

    Attributes
    ----------
    carbon : for tissue and its growth respiration
    spent : carbon paid for nitrogen
    excess : carbon for which there is no nutrient
    fixed : nitrogen fixed
    from_soil, from_reserves : (2, columns) nitrogen and phosphorus taken
    """

    carbon: Tensor
    spent: Tensor
    excess: Tensor
    fixed: Tensor
    from_soil: Tensor
    from_reserves: Tensor


def path_costs(t: Traits, mineral: Tensor, roots: Tensor, soil_temperature: Tensor) -> Tensor:
    """Costs of fixation, arbuscular, ectomycorrhizal and direct uptake, (4, columns), kg C per kg N.

    That of fixation holds for plants that have it, `Traits.fixers` of all.

    Parameters
    ----------
    t : Traits
    mineral : nitrogen in the soil, kg m-2
    roots : carbon of fine roots, kg m-2
    soil_temperature : K
    """

    def among(cost: Tensor, share: Tensor) -> Tensor:
        return torch.clamp(cost / torch.clamp(share, min=1e-9), max=DEAREST)

    reach = torch.clamp(roots, min=LEAST_ROOTS)
    uptake = [nitrogen_purchase.uptake_cost(mineral, reach, *k) for k in (ARBUSCULAR, ECTO, DIRECT)]
    return torch.stack([
        fixation.houlton_cost(soil_temperature), among(uptake[0], 1.0 - t.ecto), among(uptake[1], t.ecto), uptake[2],
    ])  # fmt: skip


def price(t: Traits, costs: Tensor) -> Tensor:
    """What nitrogen costs plants that fix it and those that do not together, kg C per kg N.

    Parameters
    ----------
    t : Traits
    costs : (4, columns) of `path_costs`
    """
    with_fixation, without = nitrogen_purchase.shares(costs).cost, nitrogen_purchase.shares(costs[1:]).cost
    return 1.0 / (t.fixers / with_fixation + (1.0 - t.fixers) / without)


def feed(kind: str, t: Traits, carbon: Tensor, split: Parts, reserves: Tensor, soil: Tensor, costs: Tensor) -> Fed:
    """Growth that nutrients allow; with ``none`` all of it, and nothing is taken.

    With ``fun`` the purchase is made twice, by plants that fix nitrogen and by those that cannot, each with its part of
    the carbon (Lawrence et al. 2019, ch. 18). Plants whose C:N is flexible build with less nitrogen where it is
    dear, and as thin as they can where there is too little (`demand`: only there).

    Parameters
    ----------
    kind : none, fun or demand
    t : Traits
    carbon : (columns,) at hand, kg m-2
    split : shares of growth by organ
    reserves : (2, columns) nitrogen and phosphorus stored in the plant, kg m-2
    soil : (2, columns) mineral nitrogen and dissolved phosphorus where roots are, kg m-2
    costs : (4, columns) of `path_costs`
    """
    none, none2 = torch.zeros_like(carbon), torch.zeros_like(reserves)
    if kind == "none":
        return Fed(carbon, none, none, none, none2, none2)
    ratio = mean_ratio(split, t.ratios)
    tissue = 1.0 + t.building
    from_plant, from_ground = FROM_RESERVES * reserves, FROM_SOIL * soil
    wanted_p = carbon / (tissue * ratio * NITROGEN_PER_PHOSPHORUS)
    supply_p = from_plant[1] + from_ground[1]
    if kind == "demand":
        supply = torch.stack([from_plant[0] + from_ground[0], supply_p])
        ratios = tissue * torch.stack([ratio * t.stretch, ratio * NITROGEN_PER_PHOSPHORUS])
        done = limited_growth(carbon, ratios, supply)
        rich = torch.minimum(done.carbon / (tissue * ratio), supply[0])  # no thinner than there is need
        taken = torch.stack([torch.where(t.stretch > 1.0, rich, done.taken[0]), done.taken[1]])
        inside = torch.minimum(taken, from_plant)
        return Fed(done.carbon, none, done.excess, none, torch.minimum(taken - inside, from_ground), inside)
    share = torch.clamp(supply_p / torch.clamp(wanted_p, min=1e-30), max=1.0)
    allowed = share * carbon
    own = torch.minimum(allowed / (tissue * ratio), from_plant[0])
    first = own * (tissue * ratio)
    third = from_ground[0] / 3.0
    # Each buys with its own carbon and has its part of the soil: others cannot pay for what fixers alone can do.
    soils, rest = torch.stack([third, third, third]), torch.clamp(allowed - first, min=0.0)
    unlimited = torch.cat([torch.full_like(third, 1e3)[None], t.fixers * soils])
    fixers = _bought(t, t.fixers * rest, costs, ratio, unlimited)
    others = _bought(t, (1.0 - t.fixers) * rest, costs[1:], ratio, (1.0 - t.fixers) * soils)
    grown, spent = first + fixers.growth + others.growth, fixers.spent + others.spent
    # Tissue is built as thin as it can be before carbon is left over for which the soil has no nitrogen.
    got = own + in_order(fixers.nitrogen, 0) + in_order(others.nitrogen, 0)
    thinnest = torch.minimum(torch.clamp(allowed - spent, min=0.0), got * (tissue * ratio * t.stretch))
    grown = torch.where(t.stretch > 1.0, torch.maximum(grown, thinnest), grown)
    phosphorus = grown / (tissue * ratio * NITROGEN_PER_PHOSPHORUS)
    inside = torch.minimum(phosphorus, from_plant[1])
    outside = torch.stack([in_order(fixers.nitrogen[1:] + others.nitrogen, 0), phosphorus - inside])
    return Fed(
        grown, spent, torch.clamp(carbon - grown - spent, min=0.0), fixers.nitrogen[0],
        torch.minimum(outside, from_ground), torch.stack([own, inside]),  # rounding takes no more than there is
    )  # fmt: skip


def _bought(t: Traits, carbon: Tensor, costs: Tensor, ratio: Tensor, limits: Tensor) -> nitrogen_purchase.Purchase:
    """A purchase at the C:N that pays at these costs."""
    price = nitrogen_purchase.shares(costs).cost
    thin = dilution.stretch(price, (1.0 + t.building) * ratio, t.stretch)
    return nitrogen_purchase.buy(carbon, costs, thin * ratio, t.building, limits)
