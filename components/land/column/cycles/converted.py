# SPDX-License-Identifier: BSD-3-Clause
"""Carbon, nitrogen and phosphorus of land that changes hands: soils go with it, its plants are felled.

Wood and crops go to products (see `column.products`), the rest is litter of the growing tiles, less the seed with which
plants new to the land begin.
"""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles import turnover
from components.land.column.cycles.allocation import Parts
from components.land.column.cycles.disturbance import CARRIED
from components.land.column.cycles.plant_day import seed_of
from components.land.column.cycles.pools import (
    NITROGEN_PER_PHOSPHORUS,
    Cycles,
    Dissolved,
    Due,
    Element,
    Minerals,
    Traits,
)
from components.land.column.exchanged_land import Exchange
from components.science.sums import in_order

WOOD = (0.5, 0.3, 0.2)  # of what is carried, by lifetime (ours)


def convert(c: Cycles, t: Traits, change: Exchange) -> tuple[Cycles, Tensor]:
    """Pools after shares have changed, and what became products, (lifetime, element, cell), kg m-2.

    Parameters
    ----------
    c : Cycles
        Of the columns, tile after tile.
    t : Traits
        Of the columns.
    change : Exchange
        Of the shares.
    """
    mix = change
    felled = [Parts(*map(change.felled, e.plant)) for e in (c.carbon, c.nitrogen, c.phosphorus)]
    lacking = _lacking(c, t, change)
    share = _seed_share(lacking, t, felled, change)
    elements, products = [], []
    for e, down, ratio in zip((c.carbon, c.nitrogen, c.phosphorus), felled, _seed_ratios(t), strict=True):
        seed = share * change.rows(lacking / ratio)
        sown = in_order(seed * change.new, 0)
        soft = down.leaf + down.storage
        wood = down.live_wood + down.dead_wood
        plant = Parts(*map(change.thinned, e.plant))
        plant = plant._replace(storage=plant.storage + seed.reshape(plant.storage.shape))
        carried = CARRIED * wood
        debris = mix(e.debris) + change.given(wood - carried)
        upper, lower = soft - sown + 0.5 * down.root, 0.5 * down.root
        litter = torch.stack([change.given(turnover.by_quality(v)) for v in (upper, lower)])
        organic = mix(e.organic)
        organic = torch.cat([organic[:, :3] + litter, organic[:, 3:]], dim=1)
        elements.append(Element(plant, debris, organic))
        pools = [part * carried for part in WOOD]
        products.append(torch.stack([pools[0] + down.harvest, *pools[1:]]))
    ground = Dissolved(*map(mix, c.soil)), Minerals(*map(mix, c.minerals)), Due(*map(mix, c.due))
    day = c.day._replace(gain=mix(c.day.gain))
    new = c._replace(
        carbon=elements[0], nitrogen=elements[1], phosphorus=elements[2], soil=ground[0], minerals=ground[1],
        due=ground[2], day=day, crop=c.crop._replace(area=change.thinned(c.crop.area)),
    )  # fmt: skip
    return new, torch.stack(products, dim=1)


def _seed_ratios(t: Traits) -> tuple[Tensor, Tensor, Tensor]:
    """Carbon of a seed per carbon, nitrogen and phosphorus."""
    ratio = t.ratios.storage
    return torch.ones_like(ratio), ratio, ratio * NITROGEN_PER_PHOSPHORUS


def _lacking(c: Cycles, t: Traits, change: Exchange) -> Tensor:
    """Carbon that growing tiles lack for a seed, kg m-2, (tile cell)."""
    able = (t.habit.most_lai > 0.0) | (t.farming.crop > 0.5)
    store = change.thinned(c.carbon.plant.storage)
    seed = torch.where(t.farming.crop > 0.5, t.farming.seed, seed_of(t))
    return torch.where(able & change.grows.reshape(-1), torch.clamp(seed - store, min=0.0), torch.zeros_like(store))


def _seed_share(lacking: Tensor, t: Traits, felled: list[Parts], change: Exchange) -> Tensor:
    """Share of the seed for which felled leaves and reserves have all three elements, (cell,)."""
    share = torch.ones_like(felled[0].leaf)
    for down, ratio in zip(felled, _seed_ratios(t), strict=True):
        wanted = in_order(change.rows(lacking / ratio) * change.new, 0)
        there = down.leaf + down.storage
        part = (1.0 - 1e-12) * there / torch.where(wanted > 0.0, wanted, torch.ones_like(wanted))
        share = torch.where(wanted > 0.0, torch.minimum(share, part), share)
    return share
