# SPDX-License-Identifier: BSD-3-Clause
"""Crops on the daily clock: a season from sowing to harvest, what fertiliser gives and loses, books of nitrogen."""

import math

import pytest
import torch

from components.land.column.column import Forcing, Options, initial_state, step, water_stored
from components.land.column.cycles import (
    crop_day,
    crop_development,
    daily,
    dilution,
    fast,
    leaf_age,
    leaf_nitrogen,
    phenology,
    pools,
    variety,
)
from components.land.column.cycles.allocation import Parts
from components.land.column.paddy import flood
from components.land.column.parameters import parameters
from components.science.sun import day_length

D = torch.float64
STEP = 43200.0


def season(crop, fertiliser, days=88, first=100, warm=8.0):
    """Columns of one crop, each with its fertiliser (kg N m-2), in made-up weather; their light by their leaves."""
    n = len(fertiliser)
    p = parameters([crop] * n, ["loam"] * n, cycles=True)
    given = torch.tensor(fertiliser, dtype=D)
    t = p.cycles._replace(farming=p.cycles.farming._replace(nitrogen=given))
    state = pools.at_start(t, p.thickness)
    # Poor soil, so that nitrogen limits what is not fed.
    state = state._replace(
        nitrogen=state.nitrogen._replace(organic=0.5 * state.nitrogen.organic),
        carbon=state.carbon._replace(organic=0.5 * state.carbon.organic),
    )  # fmt: skip
    start, one, layers = pools.stored(state), torch.ones(n, dtype=D), torch.ones(10, n, dtype=D)
    sums = {k: torch.zeros(n, dtype=D) for k in fast.Exchanged._fields}
    events, lai_most = [], torch.zeros(n, dtype=D)
    for i in range(round(days * 86400.0 / STEP)):
        day = first + i * STEP / 86400.0
        light = -torch.cos(torch.tensor(2.0 * torch.pi * (day - 10.0) / 365.0, dtype=D)).item()
        t_air = 283.0 + warm + 11.0 * (light if day < 365 else -1.0)
        lai = pools.leaf_area(state, t)
        # A whole canopy of maize takes up some 25 g C in a summer's day, so that its seedlings double within a week.
        gross = (20.0 + 6.0 * light) * (1.0 - torch.exp(-0.6 * lai))
        # Leaves with less nitrogen take up less, as those of the column do (test_land_dilution.py).
        leaf = state.carbon.plant.leaf, state.nitrogen.plant.leaf
        content = leaf_nitrogen.relative_content(*leaf, t.ratios.leaf)
        gross = gross * content * (1.0 + dilution.HALF) / (content + dilution.HALF)
        rain = 25.0 * one if i % 10 == 0 else 0.0 * one
        down = torch.linspace(1.0, 0.8, 10, dtype=D)[:, None] * rain
        m = fast.Moment(
            gross, 0.08 * gross, t_air * one, t_air * layers, 1.0 * layers, (0.62 + 0.0108 * rain) * layers, 0.7 * one,
            250.0 * p.thickness * layers, torch.zeros(10, n, dtype=D), torch.zeros(10, n, dtype=D), down[-1], 0.0 * one,
            (0.5 + 0.08 * light) * one, 3e-11 * one, phosphorus=1.2e-12 * one,
        )  # fmt: skip
        state, out = fast.step(state, t, m, p.thickness, STEP)
        for k in sums:
            sums[k] = sums[k] + STEP * getattr(out, k)
        lai_most = torch.maximum(lai_most, lai)
        if daily.is_over(state):
            phase = state.crop.phase[0].item()
            state, brought = daily.a_day(state, t, "fun", p.roots, p.thickness)
            for k, v in brought._asdict().items():
                sums[k] = sums[k] + v
            if state.crop.phase[0].item() != phase:
                events.append((day, phase, state.crop.phase[0].item()))
    gained = type(out)(*(sums[k] for k in fast.Exchanged._fields)).gained()
    for a, b, g in zip(start, pools.stored(state), gained, strict=True):
        assert torch.allclose(b - a, g, rtol=0.0, atol=1e-10 * float(a.max()))
    return sums, events, lai_most


def test_maize_answers_to_fertiliser_and_loses_more_beyond_the_bend():
    """In steps of 25 kg ha-1 no dressing helps more than the one before it; grain of a poor field has less nitrogen.

    By the harvest water has sunk by half of the soil's 3.4 m: what leaches of the dressing does so in the autumn.
    """
    kg = 25.0 * torch.arange(13.0)
    sums, events, lai = season("maize", (1e-4 * kg).tolist())
    harvest = 1e4 * sums["harvested_carbon"] / crop_day.DRY_CARBON
    autumn = season("maize", (1e-4 * kg).tolist(), days=150)[0]
    leached, nitrous = 1e4 * autumn["leached_nitrogen"], 1e4 * sums["nitrous"]
    print("phases", events, "largest leaf area", lai.tolist())
    print("yield", harvest.tolist(), "leached", leached.tolist(), "N2O-N", nitrous.tolist(), "kg ha-1")
    assert [e[2] for e in events][:4] == [1.0, 2.0, 3.0, 0.0]
    assert torch.allclose(1e4 * sums["fertilised_nitrogen"], kg.to(D))
    assert torch.allclose(sums["deposited_phosphorus"], torch.tensor(1.2e-12 * 88 * 86400.0, dtype=D))
    gain = torch.diff(harvest) / torch.diff(kg)
    print("gain", gain.tolist())
    assert harvest[1] > 1.1 * harvest[0]
    assert (torch.diff(gain) < 0.0).all() and gain[-1] > -1e-6
    for loss in (leached, nitrous):
        more = torch.diff(loss) / torch.diff(kg)
        assert more[4:].min() > more[0] > 0.0
    assert 0.003 < ((nitrous[6] - nitrous[0]) / 150.0).item() < 0.03
    protein = sums["harvested_nitrogen"] / sums["harvested_carbon"]
    assert 0.5 < (protein[0] / protein[-1]).item() < 0.9


def test_grain_is_filled_out_of_stems_and_roots_down_to_their_residual():
    """A tenth of a day's time scale from flowering on, and never what LINTUL3 leaves in them, .2 % of dry matter."""
    carbon, rich = torch.tensor([0.2, 0.2, 0.2], dtype=D), torch.tensor([0.2 / 60.0] * 3, dtype=D)
    phase = torch.tensor([2.0, 3.0, 4.0], dtype=D)
    share = crop_day.to_grain(phase, carbon, rich)
    assert share[0] == share[2] == 0.0 and share[1].item() == pytest.approx((1 - 60 / 225) * (1 - math.exp(-0.1)))
    n = rich[1:2]
    for _ in range(300):
        n = n * (1.0 - crop_day.to_grain(phase[1:2], carbon[1:2], n))
    assert n.item() == pytest.approx(0.002 / 0.45 * 0.2, rel=1e-6)


def test_a_field_is_sown_and_reaped_and_keeps_its_seed():
    sums, events, lai = season("soybean", [0.003], days=200)
    assert [e[2] for e in events].count(0.0) >= 1
    assert sums["harvested_carbon"].item() > 0.02
    assert sums["fixed"].item() > 0.0
    assert 0.5 < lai.item() < 12.0


def test_a_crop_that_is_cut_before_it_has_grain_gets_bought_seed_and_can_be_sown_again():
    """Cut green, failed, ripe, and not cut; what was there and what was bought is what stays, goes and is left."""
    grain, store = torch.tensor([0.0, 2e-4, 0.3, 0.3], dtype=D), torch.tensor([3e-4, 0.0, 0.01, 0.01], dtype=D)
    leaf = torch.full((4,), 0.1, dtype=D)
    before = Parts(leaf, 0.5 * leaf, 0.8 * leaf, 0.0 * leaf, store, grain)
    seed = torch.full((4,), 9e-4, dtype=D)
    done = crop_day.reap(before, torch.tensor([True, True, True, False]), seed)
    assert done.plant.storage.tolist() == pytest.approx([9e-4, 9e-4, 9e-4, 0.01])
    assert done.carried.tolist() == pytest.approx([-6e-4, -7e-4, 0.95 * (0.31 - 9e-4), 0.0])
    after = sum(done.plant) + done.carried + done.above + done.below
    assert after.tolist() == pytest.approx(sum(before).tolist(), abs=1e-16)


@pytest.mark.parametrize("stage", [0.0, 0.4, 0.9, 1.0, 1.3, 2.0])
def test_partitioning_is_whole(stage):
    crops = ["maize", "rice", "soybean", "wheat"]
    organs = parameters(crops, ["loam"] * 4, cycles=True).cycles.farming.organs
    split = crop_day.shares(organs, torch.full((4,), stage, dtype=D))
    assert sum(split).tolist() == pytest.approx([1.0] * 4)
    assert all((v >= 0.0).all() for v in split)


def paddy(days=3, options=None):
    """Rice in standing water beside rice that is sprinkled and a meadow; states, outputs and water at both ends."""
    plants = ["rice", "maize", "grassland"]
    p, one = parameters(plants, ["silty_clay_loam"] * 3, cycles=True), torch.ones(3, dtype=D)
    state = initial_state(p, 296.0 * one, 0.5)._replace(pond=0.0 * one)
    c = state.cycles
    growing = c.crop._replace(phase=torch.tensor([2.0, 2.0, 0.0], dtype=D))
    state = state._replace(cycles=c._replace(crop=growing))
    first, outs = state, []
    for i in range(days * 8):
        sun = torch.clamp(torch.as_tensor(-math.cos(2 * math.pi * (i + 0.5) / 8), dtype=D) * one, min=0.0)
        light = torch.stack([200.0 * sun, 200.0 * sun])
        rain = 4e-3 if i == 9 else 0.0
        forcing = Forcing(
            (296.0 + 4.0 * sun), 0.013 * one, 1e5 * one, 2.0 * one, 10.0 * one, light, 0.4 * light, 380.0 * one,
            rain * one, 0.0 * one, 400.0 * one, sun, one, 0.1 * one, day_length=50000.0 * one,
        )  # fmt: skip
        state, out = step(state, forcing, p, 10800.0, options or Options(irrigated=True, prognostic_leaves=True))
        outs.append(out)
    return p, first, state, outs


def test_rice_stands_in_water_and_the_water_is_booked():
    p, first, last, outs = paddy()
    assert 30.0 < last.pond[0].item() <= 100.0 and last.pond[1:].tolist() == [0.0, 0.0]
    supplied = sum(o.irrigation for o in outs) * 10800.0
    assert 30.0 < supplied[0].item() < 120.0 and supplied[2].item() == 0.0
    assert max(o.water_residual.abs().max().item() for o in outs) < 1e-9
    assert max(o.ground_residual.abs().max().item() for o in outs) < 1e-6
    # 43 mm of rain on 50 mm of water overflow a bund of 100 mm hardly, and seepage is that of a plough pan.
    kept = water_stored(last, p) - water_stored(first, p)
    assert kept[0].item() > 60.0
    over = sum(o.surface_runoff for o in outs) * 10800.0
    assert over[0].item() < over[1].item() or over[0].item() < 5.0


def test_a_mature_field_is_drained():
    p, _, last, _ = paddy()
    ripe = last.cycles.crop._replace(phase=torch.tensor([4.0, 2.0, 0.0], dtype=D))
    state = last._replace(cycles=last.cycles._replace(crop=ripe))
    flooding = flood(state, p, 10800.0)
    assert flooding.bunds.tolist() == [0.0] * 3 and flooding.supply.tolist() == [0.0] * 3
    assert flooding.standing[0].item() == last.pond[0].item()


def test_leaves_beyond_a_closed_canopy_die_of_shade():
    """WOFOST: .03 (LAI - c) / c a day, between 0 and .03, with c = 3.2 over the extinction of diffuse light, .6."""
    area = torch.tensor([1.0, 16.0 / 3.0, 6.4, 20.0], dtype=torch.float64)
    assert crop_day.shaded(area).tolist() == pytest.approx([0.0, 0.0, 0.006, 0.03], abs=1e-12)


def test_leaves_die_at_the_end_of_their_span_as_day_by_day_cohorts_do():
    """Soybean's leaves (WOFOST: 23 days at 35 C above 7) at 24 C: each day's die after 38 days, here within a day."""
    base, span, air = torch.tensor([7.0], dtype=D), torch.tensor([23.0], dtype=D), torch.tensor([297.15], dtype=D)
    now = crop_development.nothing_sown(base)
    leaves, passed = leaf_age.born(now.leaves, now.passed, torch.tensor([True]))
    carbon, cohorts, most = torch.tensor([0.01], dtype=D), [[0.01, 0.0]], 0.0
    gain, older = leaf_age.ageing(air, base, span), (24.0 - 7.0) / (35.0 - 7.0)
    for day in range(120):
        leaves, passed, dead = leaf_age.older(leaves, passed, gain)
        leaves = leaf_age.without_oldest(leaves, dead)
        carbon = carbon * (1.0 - dead)
        new = 0.03 * math.exp(-(((day - 20) / 10.0) ** 2))
        leaves, carbon = leaf_age.with_new(leaves, carbon, torch.tensor([new], dtype=D)), carbon + new
        cohorts = [[c, a + older] for c, a in cohorts if a + older <= 23.0] + [[new, 0.0]]
        exact = sum(c for c, _ in cohorts)
        most = max(most, exact)
        assert carbon.item() == pytest.approx(exact, abs=0.03), day  # the most that grows in a day
        assert (leaves >= 0.0).all() and leaves.sum().item() == pytest.approx(1.0)
    assert carbon.item() < 1e-3 * most


def test_the_oldest_leaves_die_first_and_a_harvest_forgets_ages():
    leaves = torch.tensor([[0.5], [0.3], [0.2]], dtype=D)
    assert leaf_age.without_oldest(leaves, torch.tensor([0.3], dtype=D)).flatten().tolist() == pytest.approx(
        [0.5, 0.2, 0]
    )
    now = crop_development.nothing_sown(torch.zeros(2, dtype=D))._replace(leaves=torch.ones(9, 2, dtype=D))
    fallow = crop_day.fallow(now, torch.tensor([True, False]))
    assert fallow.leaves[:, 0].tolist() == [0.0] * 9 and fallow.leaves[:, 1].tolist() == [1.0] * 9


@pytest.mark.parametrize(("crop", "start", "latitude", "mean", "swing"), [
    ("wheat", 1, 30.0, 17.0, 10.0), ("maize", 244, 40.0, 12.0, 15.0), ("rice", 237, 35.0, 15.0, 12.0),
])  # fmt: skip
def test_the_first_day_of_a_run_sows_nothing_out_of_season(crop, start, latitude, mean, swing):
    """Winter wheat on 1 January, maize on 1 September: warm enough, but days do not get shorter, or longer."""
    f = parameters([crop], ["loam"], cycles=True).cycles.farming
    x = torch.ones(1, dtype=D)
    now, before = crop_development.nothing_sown(x), phenology.at_start(x, x > 0.0).day_length
    for day in range(start, start + 700):
        warm = (273.15 + mean - swing * math.cos(2.0 * math.pi * (day - 20) / 365.0)) * x
        length = day_length(latitude * x, (day - 0.5) % 365.0)
        now, before = crop_day.a_day(f, now, warm, warm, length, before).now, length
        if now.phase.item() > 0.0:
            break
    of_year = day % 365
    assert (172 < of_year < 356) if f.autumn.item() else (of_year < 172), of_year
    assert day > start + 30


def two_years(crop, mean, swing, latitude=45.0):
    """Days of the run on which a field of the crop is cut, whether it was mature, and the air, degC; from May on."""
    f = parameters([crop], ["loam"], cycles=True).cycles.farming
    x, cuts = torch.ones(1, dtype=D), []
    now, before = crop_development.nothing_sown(x), phenology.at_start(x, x > 0.0).day_length
    for day in range(121, 121 + 730):
        t = mean - swing * math.cos(2.0 * math.pi * (day - 20) / 365.0)
        length = day_length(latitude * x, (day - 0.5) % 365.0)
        field = crop_day.a_day(f, now, (273.15 + t) * x, (273.15 + t) * x, length, before)
        if field.ripe.item():
            cuts.append((day, field.now.phase.item() == crop_development.MATURE, t))
        now, before = crop_day.fallow(field.now, field.ripe), length
    return cuts


def test_frost_ends_the_season_of_rice_that_is_not_ripe_and_the_next_spring_it_is_sown_again():
    """A summer of 21 C at most is 1100 K d above 10 C, too few for this variety: cut in October, in each year."""
    cuts = two_years("rice", 3.0, 18.0)
    assert [mature for _, mature, _ in cuts] == [False, False]
    assert all(t < 2.0 for _, _, t in cuts)
    assert [day // 365 for day, _, _ in cuts] == [0, 1] and all(280 < day % 365 < 310 for day, _, _ in cuts)


def test_frost_takes_no_crop_that_is_ripe_and_no_wheat():
    """Maize in a summer of 27 C is cut ripe in each year; wheat lives through days of -15 C."""
    assert [mature for _, mature, _ in two_years("maize", 9.0, 18.0)] == [True, True]
    wheat = two_years("wheat", 3.0, 18.0)
    assert wheat and all(mature for _, mature, _ in wheat)


@pytest.mark.parametrize("latitude", [0.0, 0.25, -0.25, 35.0, -35.0])
def test_rice_is_sown_in_a_warm_year_wherever_it_is(latitude):
    """On the equator no day is longer than the one before; in the south days lengthen from the other solstice on."""
    f = parameters(["rice"], ["loam"], cycles=True).cycles.farming
    place, one = torch.tensor([latitude], dtype=D), torch.ones(1, dtype=D)
    sown = []
    for day in range(1, 365):
        length, before = (day_length(place, d + 0.5) for d in (day, day - 1))
        field = crop_day.a_day(f, crop_development.nothing_sown(one), 299.0 * one, 299.0 * one, length, before)
        if field.now.phase[0] == crop_development.SOWN:
            sown.append(day)
    if latitude == 0.0:
        assert len(sown) == 364
    else:
        first, last = (172, 355) if latitude < 0.0 else (355, 172)
        inside = [d for d in range(1, 365) if (first < d <= last if first < last else d > first or d <= last)]
        assert set(sown) ^ set(inside) <= {first - 1, first, first + 1, last - 1, last, last + 1}


def test_varieties_follow_the_usual_year_and_a_crop_without_any_that_ripens_is_not_sown():
    """Rice of 100 + 875 + 625 K d: in 1250 K d .6 of the later sums ripen, in 950 not even .5."""
    f = parameters(["rice"] * 5, ["loam"] * 5, cycles=True).cycles.farming
    usual = torch.tensor([0.0, 1100.0, 1250.0, 1900.0, 4000.0], dtype=D)
    made = variety.choose(usual, f.calendar, f.earliest, f.latest)
    assert made.share.tolist() == pytest.approx([1.0, 0.52, 0.6, 0.94666667, 1.1])
    assert made.ripens.tolist() == [True, True, True, True, True]
    short = variety.choose(usual - 150.0, f.calendar, f.earliest, f.latest)
    assert short.ripens.tolist() == [True, False, True, True, True]
    one = torch.ones(5, dtype=D)
    field = crop_day.a_day(
        f, crop_development.nothing_sown(one), 293.15 * one, 293.15 * one, 50000.0 * one, 49900.0 * one, choice=short
    )
    assert field.now.phase.tolist() == [1.0, 0.0, 1.0, 1.0, 1.0]
    assert field.now.variety.tolist() == pytest.approx([1.0, 1.0, 0.52, 1300.0 / 1500.0, 1.1])


def test_seedlings_out_of_a_nursery_lengthen_a_season_that_is_short_for_seed_in_the_field():
    """160 K d in a nursery: in 800 K d (.8 x 800 + 160) / 1500 of the sums ripen, in 700 not even .5; 2100 need none.

    They are planted at 13 C, when seed would lie in the ground at 16, and have emerged.
    """
    f = parameters(["rice"] * 5, ["loam"] * 5, cycles=True).cycles.farming
    usual = torch.tensor([0.0, 700.0, 800.0, 1250.0, 2100.0], dtype=D)
    made = variety.choose(usual, f.calendar, f.earliest, f.latest, f.nursery)
    assert made.planted.tolist() == [False, False, True, True, False]
    assert made.ripens.tolist() == [True, False, True, True, True]
    assert made.share.tolist() == pytest.approx([1.0, 0.5, 800.0 / 1500.0, 1160.0 / 1500.0, 1580.0 / 1500.0])
    assert crop_day.never_sown(f, usual).tolist() == [False, True, False, False, False]
    one = torch.ones(5, dtype=D)
    phases = {}
    for celsius in (12.5, 14.0, 17.0):
        soil = (273.15 + celsius) * one
        field = crop_day.a_day(
            f, crop_development.nothing_sown(one), soil, 285.15 * one, 50000.0 * one, 49900.0 * one, choice=made
        )
        phases[celsius] = field.now.phase.tolist()
        planted = field.now.phase == 2.0
        assert (field.now.warmth[planted] == 160.0).all() and torch.equal(field.emerged, planted)
        assert (field.stage[planted] > 0.15).all()
    assert phases == {12.5: [0.0] * 5, 14.0: [0, 0, 2, 2, 0], 17.0: [1, 0, 2, 2, 1]}
    maize = parameters(["maize"], ["loam"], cycles=True).cycles.farming
    assert not variety.choose(
        one[:1] * 900.0, maize.calendar, maize.earliest, maize.latest, maize.nursery
    ).planted.any()


def test_wheat_and_rows_with_one_variety_keep_the_sums_of_the_table():
    f = parameters(["wheat"] * 3, ["loam"] * 3, cycles=True).cycles.farming
    made = variety.choose(torch.tensor([0.0, 900.0, 9000.0], dtype=D), f.calendar, f.earliest, f.latest)
    assert made.share.tolist() == [1.0] * 3 and made.ripens.all()


def test_the_usual_year_is_the_first_and_then_a_tenth_of_each_later_one():
    season = usual = torch.zeros(1, dtype=D)
    for day in range(1, 731):
        gained = torch.tensor([4.0 if day <= 365 else 6.0], dtype=D)
        season, usual = variety.follow(torch.tensor([float(day)], dtype=D), season, usual, gained)
        assert usual.item() == pytest.approx(0.0 if day < 365 else 1460.0 if day < 730 else 1533.0)
    assert season.item() == 0.0


def test_a_variety_of_half_the_sums_flowers_and_ripens_after_half_of_them():
    """In 20 C rice gains 10 K d a day: 87 or 88 days to flowering with the table's sums and 44 with half of them."""
    f = parameters(["rice"] * 2, ["loam"] * 2, cycles=True).cycles.farming
    one = torch.ones(2, dtype=D)
    now = crop_development.sow(crop_development.nothing_sown(one), one > 0.0, torch.tensor([1.0, 0.5], dtype=D))
    reached = {}
    for day in range(1, 200):
        now = crop_development.a_day(now, f.calendar, 293.15 * one, 50000.0 * one)
        assert (crop_development.stage(now, f.calendar) <= 2.0).all()
        for k in range(2):
            reached.setdefault((k, now.phase[k].item()), day)
    length = [reached[k, 4.0] - reached[k, 2.0] for k in range(2)]
    assert length == [151, 76]
