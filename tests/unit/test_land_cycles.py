# SPDX-License-Identifier: BSD-3-Clause
"""The land's two clocks: books of carbon, nitrogen and phosphorus, nothing negative, restarts, blocks, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from components.land.column.cycles import daily, decomposition, fast, pools, spin_up
from components.land.column.parameters import leaf_area, parameters, table
from components.land.column.structure import cut, join, named, rebuild

D = torch.float64
KINDS = ("none", "fun", "demand")
STEP = 21600.0


def world(plants=None, soils=None):
    names = list(table("plant_types")) if plants is None else plants
    return parameters(names, soils or ["loam"] * len(names), cycles=True)


def moment(p, hour, gen, warm=None):
    """Made-up weather: a sunny noon, a wet soil that drains."""
    n = p.cycles.sla.shape[0]
    day = hour / 24.0
    season = -torch.cos(torch.tensor(2.0 * torch.pi * (day - 15.0) / 365.0, dtype=D)).item()
    sun = max(0.0, -float(torch.cos(torch.tensor(2.0 * torch.pi * day)))) * (1.0 + 0.4 * season)
    one, layers = torch.ones(n, dtype=D), torch.ones(10, n, dtype=D)
    t = 283.0 + 12.0 * season + 4.0 * sun if warm is None else warm
    water = 250.0 * p.thickness * layers
    stored = 0.5 * torch.randn(10, n, dtype=D, generator=gen)
    rain = torch.rand(n, dtype=D, generator=gen)
    return fast.Moment(
        15.0 * sun * one * torch.clamp(torch.as_tensor(0.5 + 0.5 * season), min=0.05), 1.0 * one, t * one, t * layers,
        1.0 * layers, 0.55 * layers + 0.4 * rain, 0.6 * one, water, stored, 0.05 * layers, rain, 0.1 * rain,
        torch.as_tensor(float(sun > 0.4)) * one, 5e-11 * one,
    )  # fmt: skip


def run(p, kind, days, state=None, weather=moment, seed=0, hours=0.0):
    gen = torch.Generator().manual_seed(seed)
    state = pools.at_start(p.cycles, p.thickness) if state is None else state
    booked = torch.zeros(3, p.cycles.sla.shape[0], dtype=D)
    for i in range(round(days * 86400.0 / STEP)):
        m = weather(p, hours + (i + 0.5) * STEP / 3600.0, gen)
        state, out = fast.step(state, p.cycles, m, p.thickness, STEP)
        for k, gained in enumerate(out.gained()):
            booked[k] += STEP * gained
        if daily.is_over(state):
            state, events = daily.a_day(state, p.cycles, kind, p.roots, p.thickness)
            for k, gained in enumerate(out._replace(**events._asdict()).gained()):
                booked[k] += gained - out.gained()[k]
    return state, booked


SIGNED = ("day_gain", "day_soil")


@pytest.mark.parametrize("kind", KINDS)
def test_books_close_and_nothing_is_negative(kind):
    p = world()
    first = pools.at_start(p.cycles, p.thickness)
    last, booked = run(p, kind, 80, first, hours=24.0 * 70)
    before, after = pools.stored(first), pools.stored(last)
    for k, (a, b) in enumerate(zip(before, after, strict=True)):
        # Beyond the machine's rounding of some ten thousand sums there is nothing.
        assert torch.allclose(b - a, booked[k], rtol=0.0, atol=1e-12 * float(a.max())), (kind, k)
        assert float((b - a).abs().max()) > 1e-6
    for name, value in named(last):
        assert torch.isfinite(value).all(), name
        assert (value >= 0.0).all() or name in SIGNED, (name, value.min())
    assert float(last.day.gain.abs().max()) < 1e-12


def test_values_of_a_column_stay_below_two_hundred():
    p = world(["mixed_forest"])
    assert sum(v.numel() for _, v in named(pools.at_start(p.cycles, p.thickness))) + 51 < 200
    assert len(named(pools.at_start(p.cycles, p.thickness))) > 40


def test_a_restart_at_noon_and_blocks_keep_the_bits():
    p = world()
    whole, _ = run(p, "fun", 4.0)
    gen = torch.Generator().manual_seed(0)
    state = pools.at_start(p.cycles, p.thickness)
    for i in range(16):
        m = moment(p, (i + 0.5) * STEP / 3600.0, gen)
        if i == 10:  # half past a day: saved by name and read again
            state = rebuild(pools.at_start(p.cycles, p.thickness), dict(named(state)))
        parts = []
        for block in (slice(0, 5), slice(5, 16)):
            q = cut(p, block)
            some, _ = fast.step(cut(state, block), q.cycles, cut(m, block), q.thickness, STEP)
            if daily.is_over(some):
                some, _ = daily.a_day(some, q.cycles, "fun", q.roots, q.thickness)
            parts.append(some)
        state = join(parts)
    for (name, a), (_, b) in zip(named(whole), named(state), strict=True):
        assert torch.equal(a, b), name


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(180.0, 340.0), st.sampled_from(KINDS))
def test_extremes_stay_finite(seed, warm, kind):
    p = world()
    gen = torch.Generator().manual_seed(seed)

    def wild(p, hour, _):
        n = p.cycles.sla.shape[0]
        u = torch.rand(8, n, dtype=D, generator=gen)
        layers = torch.rand(3, 10, n, dtype=D, generator=gen)
        return fast.Moment(
            200.0 * u[0], 30.0 * u[1], warm + 20.0 * u[2], warm + 20.0 * layers[0], 1e6 * layers[1] ** 8, layers[2],
            u[3], 300.0 * p.thickness * layers[1] ** 6, 30.0 * (layers[0] - 0.5), 3.0 * layers[2], 50.0 * (u[4] - 0.3),
            80.0 * u[5], u[6], 1e-7 * u[7],
        )  # fmt: skip

    first = pools.at_start(p.cycles, p.thickness)
    last, booked = run(p, kind, 5, first, wild)
    for name, value in named(last):
        assert torch.isfinite(value).all(), name
        assert (value >= -1e-15).all() or name in SIGNED, (name, value.min())
    for k, (a, b) in enumerate(zip(pools.stored(first), pools.stored(last), strict=True)):
        assert torch.allclose(b - a, booked[k], rtol=1e-11, atol=1e-11 * float(b.max()))


def test_leaves_have_the_tables_capacity_at_their_target():
    p = world()
    rows = table("plant_cycles")
    wanted = [rows[k].get("vcmax25", v) for k, v in zip(table("plant_types"), p.traits.vcmax25.tolist(), strict=True)]
    assert torch.allclose(p.cycles.vcmax_slope / (p.cycles.sla * p.cycles.ratios.leaf), torch.tensor(wanted, dtype=D))
    assert max(leaf_area(list(table("plant_types")), 6.5)[0]) < 6.6


def test_gradients_pass_through_a_day():
    p = world(["deciduous_broadleaf_forest", "grassland"])
    turnover = torch.ones(2, dtype=D, requires_grad=True)
    q = p._replace(cycles=p.cycles._replace(turnover=turnover))
    last, _ = run(q, "fun", 3.0)
    (slope,) = torch.autograd.grad(pools.stored(last).carbon.sum() + last.due.carbon.sum(), turnover)
    assert torch.isfinite(slope).all() and (slope != 0.0).all()


def test_organic_matter_is_at_rest_after_the_spin_up():
    """Under the means that it was worked out from, a day of decay and litter changes no pool."""
    p = world(["evergreen_needleleaf_forest", "grassland"])

    def steady(p, hour, gen):
        return moment(p, 24.0 * 180 + hour % 24.0, torch.Generator().manual_seed(1))

    state, _ = run(p, "none", 30, None, steady)
    t = p.cycles
    litter = torch.tensor([0.1, 0.2, 0.1], dtype=D)[:, None].expand(3, 2)
    means = state.means._replace(
        litter=torch.full((2, 2), 0.4, dtype=D),
        pace=torch.full((2, 2), 0.3, dtype=D),
        litter_pace=torch.full((2, 2), 0.2, dtype=D),
        wood=torch.tensor([0.2, 0.0], dtype=D),
    )
    rest = spin_up.at_rest(state._replace(means=means), t)
    for depth in range(2):
        # All wood that grows becomes debris at last, and that cellulose and lignin of the upper depth.
        wood = (
            torch.zeros(3, 2, dtype=D) if depth else torch.outer(torch.tensor([0.0, 0.76, 0.24], dtype=D), means.wood)
        )
        into = torch.cat([litter + wood, 0.0 * litter]) / 365.0
        paces = [means.litter_pace[depth]] * 3 + [means.pace[depth]] * 3
        whole = [decomposition.given_up(rest.carbon.organic[depth], pace, 86400.0) for pace in paces]
        lost = torch.stack([v[i] for i, v in enumerate(whole)])
        ratios = pools.soil_ratios(t.sla)
        washed = decomposition.dissolved_share(t.sand)
        done = decomposition.decay(
            rest.carbon.organic[depth], rest.nitrogen.organic[depth], ratios, lost, t.sand, washed
        )  # fmt: skip
        assert torch.allclose(done.carbon + into, rest.carbon.organic[depth], rtol=1e-9)
    standing = rest.carbon.plant.live_wood + rest.carbon.plant.dead_wood
    assert torch.allclose(standing, means.wood * t.lives.wood / (365.0 * 86400.0))
    later = spin_up.at_rest(state._replace(means=means), t, 4000.0)
    assert torch.allclose(later.carbon.organic, rest.carbon.organic, rtol=2e-2)
    assert torch.allclose(spin_up.at_rest(rest, t, 100.0).carbon.organic, rest.carbon.organic, rtol=1e-9)
    soon = spin_up.at_rest(state._replace(means=means), t, 0.0)
    assert torch.allclose(soon.carbon.organic, state.carbon.organic, rtol=1e-9)
    assert torch.allclose(state.means.pace[0], state.means.pace[0][0], rtol=1e-3)
    assert (state.means.litter > 0.0).all()


def test_rest_comes_once_and_at_the_end_of_its_day():
    p = world(["grassland"])
    state, _ = run(p, "none", 2.0)
    assert spin_up.is_due(state, 2) and not spin_up.is_due(state, 1) and not spin_up.is_due(state, 0)
    gen = torch.Generator().manual_seed(0)
    later, _ = fast.step(state, p.cycles, moment(p, 51.0, gen), p.thickness, STEP)
    assert not spin_up.is_due(later, 2)


def years(p, number, state=None):
    """Years of one step a day under made-up weather."""
    gen = torch.Generator().manual_seed(0)
    state = pools.at_start(p.cycles, p.thickness) if state is None else state
    for i in range(round(365 * number)):
        m = moment(p, 24.0 * (i % 365) + 12.0, gen)
        m = m._replace(gross=0.3 * m.gross, leaf_respiration=0.3 * m.leaf_respiration)
        state, _ = fast.step(state, p.cycles, m, p.thickness, 86400.0)
        state, _ = daily.a_day(state, p.cycles, "none", p.roots, p.thickness)
    return state


def slow(state):
    c = state.carbon
    return c.plant.live_wood + c.plant.dead_wood + c.debris + c.organic.sum((0, 1))


@pytest.mark.slow
def test_a_year_after_the_spin_up_drifts_by_less_than_a_percent():
    """From a third of the organic matter, twice rest and a year; and as much as they drift without."""
    p = world(["deciduous_broadleaf_forest", "grassland"])
    state = pools.at_start(p.cycles, p.thickness)
    state = state._replace(carbon=state.carbon._replace(organic=0.3 * state.carbon.organic))
    state = first = years(p, 1, state)
    state = years(p, 1, spin_up.at_rest(state, p.cycles))
    state = spin_up.at_rest(state, p.cycles)
    after, without = years(p, 1, state), years(p, 1, first)
    drift, plain = slow(after) / slow(state) - 1.0, slow(without) / slow(first) - 1.0
    print("drift a year after", drift.tolist(), "without", plain.tolist())
    assert bool((drift.abs() < 0.01).all()) and bool((drift.abs() < 0.5 * plain.abs()).all()), (drift, plain)
