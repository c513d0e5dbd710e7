# SPDX-License-Identifier: BSD-3-Clause
"""Who may fix nitrogen, what reserves are kept for, dissolved carbon; weathering, and nitrate by layer."""

import math

import pytest
import torch

from components.land.column.cycles import decomposition, nutrition, plant_day, pools, retranslocation, soil_day
from components.land.column.cycles.allocation import Parts
from components.land.column.parameters import THICKNESS, parameters

D = torch.float64


def x(*values):
    return torch.tensor(values, dtype=D)


def meadow(fixers):
    """Traits of meadows with some shares of plants that fix nitrogen."""
    t = parameters(["grassland"] * len(fixers), ["loam"] * len(fixers), cycles=True).cycles
    return t._replace(fixers=x(*fixers))


def fed(fixers, mineral=1e-3):
    t = meadow(fixers)
    one = torch.ones(len(fixers), dtype=D)
    costs = nutrition.path_costs(t, mineral * one, 0.2 * one, 293.15 * one)
    split = Parts(*(v * one for v in (0.4, 0.6, 0.0, 0.0, 0.0, 0.0)))
    soil = torch.stack([mineral * one, one])
    return t, costs, nutrition.feed("fun", t, 0.01 * one, split, torch.zeros(2, len(fixers), dtype=D), soil, costs)


def test_only_plants_that_have_symbionts_fix_nitrogen():
    """Fixation is in proportion to them, and ends where their own carbon ends."""
    _, costs, f = fed([0.0, 0.05, 0.1, 1.0])
    assert f.fixed[0].item() == 0.0
    assert (f.fixed[2] / f.fixed[1]).item() == pytest.approx(2.0)
    assert (f.fixed[3] / f.fixed[1]).item() == pytest.approx(20.0)
    assert bool((f.fixed * costs[0] <= x(0.0, 0.05, 0.1, 1.0) * 0.01).all())
    assert bool((f.from_soil[0] <= nutrition.FROM_SOIL * 1e-3 * (1.0 + 1e-12)).all())
    assert torch.allclose(f.carbon + f.spent + f.excess, torch.full((4,), 0.01, dtype=D), rtol=1e-12)


def test_the_price_lies_between_that_with_and_without_fixation():
    t, costs, _ = fed([0.0, 0.3, 1.0])
    price = nutrition.price(t, costs)
    assert price[0] > price[1] > price[2]
    assert price[2].item() == pytest.approx(
        1.0 / (1.0 / costs[:, 2] ** 2).sum().item() * (1.0 / costs[:, 2]).sum().item()
    )


def test_reserves_keep_what_the_next_leaves_need():
    """They stay until there is more nitrogen than stored carbon makes leaves of, for meadows and evergreens alike."""
    t = parameters(["grassland", "evergreen_needleleaf_forest"], ["loam"] * 2, cycles=True).cycles
    c = pools.at_start(t, x(0.1, 0.4)[:, None])
    store = x(0.1, 0.1)
    c = c._replace(
        carbon=c.carbon._replace(plant=c.carbon.plant._replace(storage=store)),
        nitrogen=c.nitrogen._replace(plant=c.nitrogen.plant._replace(storage=store / t.ratios.leaf + x(-1e-4, 1e-4))),
    )
    free = plant_day._free_reserves(c, t)[0]
    assert free[0].item() == 0.0
    assert free[1].item() == pytest.approx(1e-4)


def test_active_matter_gives_dissolved_carbon_and_all_carbon_is_kept():
    """.03 + .12 sand of what it gives up; at rest what comes in is respired or dissolved."""
    sand = x(0.2, 0.9)
    share = decomposition.dissolved_share(sand)
    assert share.tolist() == pytest.approx([0.054, 0.138])
    litter = x(100.0, 200.0, 100.0, 0.0, 0.0, 0.0)[:, None].expand(6, 2)
    a = decomposition.matrix(sand, share)
    rest = torch.linalg.solve(-a, litter.movedim(0, -1).unsqueeze(-1)).squeeze(-1).movedim(-1, 0)
    lost = decomposition.given_up(rest, torch.ones(2, dtype=D), 86400.0)
    done = decomposition.decay(rest, rest / 10.0, torch.full((6, 1), 10.0, dtype=D), lost, sand, share)
    assert torch.allclose(done.dissolved, share * lost[decomposition.ACTIVE])
    assert torch.allclose(365.0 * (done.respired + done.dissolved), torch.full((2,), 400.0, dtype=D), rtol=1e-10)
    assert torch.allclose(done.carbon.sum(0) + done.respired + done.dissolved, rest.sum(0), rtol=1e-14)
    assert torch.allclose(done.nutrient.sum(0) + done.mineralised, rest.sum(0) / 10.0, rtol=1e-14)


def test_phosphorus_that_weathers_in_a_soil_without_any_is_kept():
    p = parameters(["grassland"], ["loam"], cycles=True)
    c = pools.at_start(p.cycles, p.thickness)
    c = c._replace(soil=c.soil._replace(phosphorus=0.0 * c.soil.phosphorus))
    still = soil_day.Weather(x(298.0, 298.0)[:, None], x(0.0, 0.0)[:, None], x(0.5, 0.5)[:, None])
    later, _ = soil_day.a_day(c, still, p.cycles.sand, p.thickness, True, x(1.0))
    assert later.soil.phosphorus.sum().item() > 3e-6
    assert pools.stored(later).phosphorus.item() == pytest.approx(pools.stored(c).phosphorus.item(), rel=1e-14)


@pytest.mark.parametrize("layers", [THICKNESS, (0.1, 0.3, 0.6, 1.0)])
def test_nitrate_of_the_lower_depth_is_lost_by_the_carbon_in_its_own_layers(layers):
    """1 - exp(-1.4 f(T) C) a day in full pores, C the carbon over the mass of soil between the layers' edges."""
    p = parameters(["grassland"], ["loam"], cycles=True, thickness=layers)
    c = pools.at_start(p.cycles, p.thickness)
    n = len(layers)
    c = c._replace(soil=c.soil._replace(ammonium=0.0 * c.soil.ammonium, nitrate=torch.full((n, 1), 1e-3, dtype=D)))
    still = soil_day.Weather(x(293.15, 293.15)[:, None], x(0.0, 0.0)[:, None], x(1.0, 1.0)[:, None])
    later, _ = soil_day.a_day(c, still, p.cycles.sand, p.thickness, True, x(1.0))
    middle = torch.cumsum(p.thickness[:, 0], 0) - 0.5 * p.thickness[:, 0]
    for depth, inside in enumerate((middle < 0.3, (middle >= 0.3) & (middle < 1.2))):
        mass = 1300.0 * p.thickness[inside].sum()
        per_cent = min(100.0 * c.carbon.organic[depth].sum().item() / mass.item(), 3.0)
        left = 1e-3 * math.exp(-1.4 * (0.9 * 20.0 / (20.0 + math.exp(9.93 - 0.312 * 20.0)) + 0.1) * per_cent)
        assert later.soil.nitrate[inside, 0].tolist() == pytest.approx([left] * int(inside.sum()), rel=1e-12)


@pytest.mark.parametrize("dtype", [D, torch.float32])
@pytest.mark.parametrize("kind", ["fun", "demand"])
def test_a_purchase_is_whole_at_any_stocks_and_precision(kind, dtype):
    """Carbon, reserves, soil from nothing to 1000 kg m-2: nothing below 0, no more than there is, all carbon told."""
    plants, gen = (
        ["grassland", "maize", "evergreen_needleleaf_forest", "soybean"] * 100,
        torch.Generator().manual_seed(4),
    )
    t = parameters(plants, ["loam"] * 400, cycles=True, dtype=dtype).cycles
    some = torch.tensor([0.0, 1e-35, 1e-12, 1e-6, 1e-3, 1.0, 1e3], dtype=dtype)

    def stock(*shape):
        return some[torch.randint(7, (*shape, 400), generator=gen)]

    carbon, reserves, soil = stock(), stock(2), stock(2)
    split = Parts(*(torch.full((400,), v, dtype=dtype) for v in (0.3, 0.3, 0.1, 0.1, 0.1, 0.1)))
    warm = 240.0 + 90.0 * torch.rand(400, generator=gen).to(dtype)
    fed = nutrition.feed(kind, t, carbon, split, reserves, soil, nutrition.path_costs(t, soil[0], stock(), warm))
    for name, value in fed._asdict().items():
        assert torch.isfinite(value).all() and (value >= 0.0).all(), name
    assert torch.allclose(fed.carbon + fed.spent + fed.excess, carbon, rtol=1e-6, atol=1e-34)
    assert (fed.from_soil <= nutrition.FROM_SOIL * soil).all() and (fed.from_reserves <= reserves).all()
    got = retranslocation.retranslocate(
        stock(), stock(), t.ratios.leaf, 1e3 * stock(), t.ratios.leaf, t.building, stock()
    )
    assert all(torch.isfinite(v).all() and (v >= 0.0).all() for v in got)
