# SPDX-License-Identifier: BSD-3-Clause
"""Stands that harvest, fire or planting replaced: what leaves the land by name, and how they grow again."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from components.land.column.cycles import disturbance, pools, spin_up
from components.land.column.parameters import parameters, table
from components.land.column.structure import named, rebuild

D = torch.float64
KINDS = list(disturbance.LEAVING)
YEAR = 365.0 * 86400.0


def world(plants=None):
    names = list(table("plant_types")) if plants is None else plants
    return parameters(names, ["loam"] * len(names), cycles=True)


def grown(p, seed=0):
    """Pools with means of a year, everything else at random."""
    gen = torch.Generator().manual_seed(seed)
    c = pools.at_start(p.cycles, p.thickness)
    c = rebuild(c, {k: v + torch.rand(v.shape, dtype=D, generator=gen) for k, v in named(c)})
    means = c.means._replace(
        pace=torch.full_like(c.means.pace, 0.3), litter_pace=torch.full_like(c.means.pace, 0.3),
        litter=0.3 * torch.ones_like(c.means.litter), wood=torch.where(p.cycles.habit.wood_per_leaf > 0.0, 0.2, 0.0),
    )  # fmt: skip
    return c._replace(means=means)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS), st.floats(0.0, 1.0))
def test_what_was_there_is_on_the_land_or_left_by_name(seed, kind, share):
    p = world()
    before = grown(p, seed)
    after, removed = disturbance.cleared(before, p.cycles, kind, share)
    there, left = pools.stored(before), pools.stored(after)
    for element in pools.Stored._fields:
        gone = getattr(removed.harvested, element) + getattr(removed.burnt, element)
        assert (gone >= 0.0).all()
        assert torch.allclose(getattr(there, element), getattr(left, element) + gone, rtol=1e-13, atol=0.0), element
    for name, value in named(after):
        assert (value >= 0.0).all(), name
    no_stand = disturbance.stands(p.cycles) == 0.0
    for (name, a), (_, b) in zip(named(before), named(after), strict=True):
        assert torch.equal(a[..., no_stand], b[..., no_stand]), name
    assert 5 < int(no_stand.sum()) < no_stand.numel() - 5


def test_a_felled_stand_leaves_seed_debris_and_litter_and_a_burnt_one_its_phosphorus():
    p = world(["evergreen_needleleaf_forest"])
    before = grown(p)
    tree = before.carbon.plant
    wood = tree.live_wood + tree.dead_wood
    felled, removed = disturbance.cleared(before, p.cycles, "harvest")
    assert torch.allclose(removed.harvested.carbon, disturbance.CARRIED * wood)
    assert torch.allclose(felled.carbon.debris - before.carbon.debris, (1.0 - disturbance.CARRIED) * wood)
    assert float(felled.carbon.plant.leaf) == 0.0 and float(removed.burnt.carbon) == 0.0
    assert 0.0 < float(felled.carbon.plant.storage) < float(tree.storage)
    burnt, removed = disturbance.cleared(before, p.cycles, "fire")
    assert float(removed.burnt.phosphorus) == 0.0 < float(removed.burnt.nitrogen) < float(removed.burnt.carbon)
    assert (burnt.soil.phosphorus[0] > before.soil.phosphorus[0]).all()
    assert torch.equal(burnt.soil.phosphorus[1:], before.soil.phosphorus[1:])


def test_wood_grows_again_as_its_equation_says_and_comes_to_rest_at_last():
    """Standing wood W with dW/dt = growth - W / life, from nothing; leaves, roots and minerals stay as they are."""
    p = world(["evergreen_needleleaf_forest", "grassland"])
    c, life = grown(p), p.cycles.lives.wood / YEAR
    for years in (0.0, 22.0, 80.0):
        young, _ = disturbance.regrown(c, p.cycles, "planting", years)
        wood = young.carbon.plant.live_wood + young.carbon.plant.dead_wood
        assert torch.allclose(wood, c.means.wood * life * -torch.expm1(-years / life), rtol=1e-9, atol=1e-12)
        for k in ("leaf", "root", "storage", "harvest"):
            assert torch.equal(getattr(young.carbon.plant, k), getattr(c.carbon.plant, k))
        assert torch.equal(young.soil.phosphorus, c.soil.phosphorus)
    rest = spin_up.at_rest(c, p.cycles)
    old, _ = disturbance.regrown(c, p.cycles, "fire", 2e5)
    assert torch.allclose(old.carbon.organic, rest.carbon.organic, rtol=1e-9)
    assert torch.allclose(old.nitrogen.organic, rest.nitrogen.organic, rtol=1e-9)
    meadow, _ = disturbance.regrown(c, p.cycles, "harvest", 10.0)
    assert torch.allclose(meadow.carbon.organic[..., 1], rest.carbon.organic[..., 1], rtol=1e-9)


def test_a_young_stand_is_a_sink_that_wanes_and_a_felled_one_a_source_first():
    p = world(["deciduous_broadleaf_forest"])
    c = grown(p)

    def all_carbon(kind, years):
        return float(pools.stored(disturbance.regrown(c, p.cycles, kind, years)[0]).carbon)

    planted = [all_carbon("planting", y) for y in (10.0, 11.0, 50.0, 51.0, 150.0, 151.0)]
    young, older, old = (planted[i + 1] - planted[i] for i in (0, 2, 4))
    assert float(c.means.wood) > young > older > old > 0.0
    assert all_carbon("harvest", 1.0) < all_carbon("harvest", 0.0)


def test_ages_differ_by_column_and_gradients_pass():
    p = world(["deciduous_broadleaf_forest"] * 2)
    c = grown(p)
    c = c._replace(means=c.means._replace(litter=c.means.litter.clone()))
    wood = c.means.wood.clone().requires_grad_(True)
    q = c._replace(means=c.means._replace(wood=wood))
    years = torch.tensor([20.0, 90.0], dtype=D)
    both, _ = disturbance.regrown(q, p.cycles, "harvest", years)
    for i, age in enumerate(years.tolist()):
        one, _ = disturbance.regrown(c, p.cycles, "harvest", age)
        assert torch.allclose(both.carbon.organic[..., i].detach(), one.carbon.organic[..., i], rtol=1e-12)
    (slope,) = torch.autograd.grad(pools.stored(both).carbon.sum(), wood)
    assert torch.isfinite(slope).all() and (slope > 0.0).all()


@pytest.mark.parametrize(("years", "kind"), [(30.0, "harvest"), (5.0, "fire")])
def test_nitrogen_follows_carbon_at_the_ratios_that_pools_are_built_with(years, kind):
    p = world(["mixed_forest"])
    young, _ = disturbance.regrown(grown(p), p.cycles, kind, years)
    c, n = young.carbon, young.nitrogen
    assert torch.allclose(c.plant.dead_wood / n.plant.dead_wood, p.cycles.ratios.dead_wood)
    assert torch.allclose(c.organic[:, 3:] / n.organic[:, 3:], pools.soil_ratios(p.cycles.sla)[3:].expand(2, 3, 1))


def past(*spans):
    return [disturbance.Past(until=until, growth=growth) for until, growth in spans]


def test_wood_follows_the_growth_of_the_past_as_its_equation_says():
    """dW/dt = g(t) growth - W / life, in closed form span by span, from the rest under the first."""
    p = world(["evergreen_needleleaf_forest", "grassland"])
    c, life = grown(p), p.cycles.lives.wood / YEAR
    history = past((1900, 0.8), (1980, 0.9))
    spans = disturbance.spans_of(history, None, 2005.5)
    assert [(s.years, s.growth) for s in spans] == [(0.0, 0.8), (80.0, 0.9), (25.5, 1.0)]
    rest = c.means.wood * life
    wood = 0.8 * rest
    for years, growth in ((80.0, 0.9), (25.5, 1.0)):
        wood = growth * rest + torch.exp(-years / life) * (wood - growth * rest)
    found = spin_up.through(c, p.cycles, spans)
    assert torch.allclose(found.carbon.plant.live_wood + found.carbon.plant.dead_wood, wood, rtol=1e-9, atol=1e-12)
    at_rest, stored = spin_up.at_rest(c, p.cycles), pools.stored(found).carbon
    assert (stored < pools.stored(at_rest).carbon).all()
    later = spin_up.through(c, p.cycles, disturbance.spans_of(history, None, 2006.5))
    assert (pools.stored(later).carbon > stored).all()  # a sink


def test_a_past_like_the_last_year_is_rest_and_stands_are_replaced_within_it():
    p = world(["deciduous_broadleaf_forest"])
    c = grown(p)
    same = spin_up.through(c, p.cycles, disturbance.spans_of(past((1900, 1.0)), None, 2000.0))
    rest = spin_up.at_rest(c, p.cycles)
    for (name, a), (_, b) in zip(named(same), named(rest), strict=True):
        assert torch.allclose(a, b, rtol=1e-11, atol=0.0), name
    history = past((1900, 0.8), (1990, 0.9))
    spans = [disturbance.spans_of(history, *ends) for ends in ((None, 1983.0), (1983.0, 2005.0))]
    assert [(s.years, s.growth) for s in spans[0]] == [(0.0, 0.8), (83.0, 0.9)]
    assert [(s.years, s.growth) for s in spans[1]] == [(7.0, 0.9), (15.0, 1.0)]
    young, removed = disturbance.regrown(c, p.cycles, "planting", 22.0, 1.0, *spans)
    steady, gone = disturbance.regrown(c, p.cycles, "planting", 22.0)
    assert 0.8 < float(young.carbon.plant.dead_wood / steady.carbon.plant.dead_wood) < 1.0
    assert float(removed.harvested.carbon) < float(gone.harvested.carbon)
