# SPDX-License-Identifier: BSD-3-Clause
"""Processes of the land's cycles, each beside numbers of its paper or an exact solution."""

import json
import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
import torch

from components.land.column.cycles import (
    allocation,
    crop_development,
    decomposition,
    demand,
    fixation,
    leaf_nitrogen,
    mineral_nitrogen,
    nitrogen_purchase,
    phenology,
    phosphorus,
    respiration,
    retranslocation,
    turnover,
)
from components.land.column.parameters import parameters
from components.science.constants import ZERO_CELSIUS
from components.science.sun import cosine_zenith, day_length

D = torch.float64


def t(*values):
    return torch.tensor(values, dtype=D)


def celsius(*values):
    return t(*values) + ZERO_CELSIUS


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("houlton", (5, 10, 20, 25.15, 30), (53.134, 20.602, 6.9291, 6.0096, 6.8184)),
        ("fisher", (0, 20), (12.3326, 8.1704)),
        ("bytnerowicz", (10, 20, 40), (41.928, 10.454, 9.8469)),
    ],
)
def test_cost_of_fixation(name, at, expected):
    assert fixation.COST[name](celsius(*at)).tolist() == pytest.approx(expected, rel=1e-4)


def test_cost_of_fixation_has_an_end_in_frost_and_heat():
    cold = celsius(-60.0, -20.0, 0.0, 60.0)
    for cost in fixation.COST.values():
        assert torch.isfinite(cost(cold)).all() and (cost(cold) > 0.0).all()


def test_paths_share_carbon_by_their_conductance():
    two = nitrogen_purchase.shares(t(10, 30)[:, None])
    assert two.carbon[:, 0].tolist() == pytest.approx([0.75, 0.25])
    assert two.cost.item() == pytest.approx(12.0)
    assert nitrogen_purchase.shares(t(8, 12, 20, 40)[:, None]).cost.item() == pytest.approx(11.02703, rel=1e-6)


def test_all_carbon_is_spent_on_nitrogen_and_growth():
    done = nitrogen_purchase.buy(t(100), t(12)[:, None], 50.0, 0.11)
    assert done.spent.item() == pytest.approx(17.7778, rel=1e-5)
    assert done.nitrogen.item() == pytest.approx(1.48148, rel=1e-5)
    assert (done.spent + done.growth).item() == pytest.approx(100.0)


def test_paths_that_cost_nothing_or_are_closed_leave_numbers():
    closed = nitrogen_purchase.shares(t(10, 30, math.inf)[:, None])
    assert closed.carbon[:, 0].tolist() == pytest.approx([0.75, 0.25, 0.0], abs=1e-9)
    assert closed.cost.item() == pytest.approx(12.0)
    free = nitrogen_purchase.buy(t(100), t(0, 10)[:, None], 50.0, 0.11)
    assert free.nitrogen.sum().item() == pytest.approx(100.0 / 55.5)
    assert (free.spent.item(), free.growth.item()) == pytest.approx((0.0, 100.0), abs=1e-9)
    none = nitrogen_purchase.buy(t(100), t(math.inf, math.inf)[:, None], 50.0, 0.11)
    assert (none.spent + none.growth).item() == pytest.approx(100.0) and none.nitrogen.sum().item() < 1e-9


def test_nothing_is_fixed_beyond_the_temperatures_of_nitrogenase():
    cost = fixation.bytnerowicz_cost(celsius(-10, -2.04, 10, 40, 43.98, 60))
    assert cost.tolist() == pytest.approx([1e6, 1e6, 41.928, 9.8469, 1e6, 1e6], rel=1e-4)


def test_a_path_that_is_used_up_leaves_the_rest_to_others():
    costs, limits = t(5, 20)[:, None], t(0.2, 100)[:, None]
    done = nitrogen_purchase.buy(t(100), costs, 50.0, 0.11, limits)
    assert done.nitrogen[0].item() == pytest.approx(0.2)
    assert (done.spent + done.growth).item() == pytest.approx(100.0, rel=1e-12)
    assert done.spent.item() == pytest.approx((done.nitrogen * costs).sum().item())


@pytest.mark.parametrize(
    ("price", "paid", "spent", "ratio"), [(5.0, 0.12851, 0.60055, 41.5), (10.0, 0.62411, 4.07108, 70.5)]
)
def test_retranslocation(price, paid, spent, ratio):
    found = retranslocation.retranslocate(t(50), t(2), t(25), t(price), 50.0, 0.11, t(100))
    assert found.free.item() == pytest.approx(0.66667, abs=1e-5)
    assert (found.paid.item(), found.spent.item()) == (pytest.approx(paid, abs=1e-5), pytest.approx(spent, abs=1e-4))
    assert found.ratio.item() == pytest.approx(ratio)


def test_retranslocation_never_asks_for_more_carbon_than_there_is():
    found = retranslocation.retranslocate(
        t(50, 50, 0), t(2, 2, 0), t(25, 25, 25), t(10, 10, 10), 50.0, 0.11, t(40, 0, 9)
    )
    used = found.spent + (found.free + found.paid) * 55.5
    assert used[0].item() == pytest.approx(40.0, rel=1e-6)
    assert found.paid[1:].tolist() == [0.0, 0.0]


def century(litter, temperature=298.15, sand=0.5):
    pace = decomposition.warmth_factor(t(temperature))
    return decomposition.at_rest(t(*litter)[:, None], pace, t(sand))[:, 0]


LITTER = (100, 200, 100, 0, 0, 0)


def test_century_at_rest():
    assert century(LITTER).tolist() == pytest.approx([6.6, 50, 25, 35.980, 932.445, 1466.742], rel=2e-5)
    assert century(LITTER, sand=0.2)[3:].tolist() == pytest.approx([40.531, 1308.505, 1995.015], rel=2e-5)
    assert (century(LITTER, 288.15) / century(LITTER)).tolist() == pytest.approx([1.5] * 6, rel=1e-9)


def test_century_from_nothing_by_days_and_by_its_matrix():
    nothing, litter, one, sand = torch.zeros(6, 1, dtype=D), t(*LITTER)[:, None], t(1), t(0.5)
    exact = decomposition.after(nothing, litter, one, sand, 100.0)
    assert exact[4:, 0].tolist() == pytest.approx([925.766, 422.329], rel=1e-5)
    pools, ratios = nothing, torch.full((6, 1), 10.0, dtype=D)
    day = litter / 365.0
    for _ in range(5 * 365):
        lost = decomposition.given_up(pools, one, 86400.0)
        pools = decomposition.decay(pools, pools / 10.0, ratios, lost, sand).carbon + day
    ten = decomposition.after(nothing, litter, one, sand, 5.0)
    print("daily step's own error after 5 a:", ((pools - ten) / ten)[:, 0].tolist())
    assert torch.allclose(pools, ten, rtol=4e-4)


def test_century_at_rest_respires_and_mineralises_what_comes_in():
    litter, ratios = t(*LITTER)[:, None], t(20, 40, 60, 8, 11, 11)[:, None]
    pools = century(LITTER)[:, None]
    nutrient = pools / ratios
    lost = decomposition.given_up(pools, t(1), decomposition.YEAR / 365.0)
    done = decomposition.decay(pools, nutrient, ratios, lost, t(0.5))
    assert 365.0 * done.respired.item() == pytest.approx(400.0, rel=1e-5)
    assert 365.0 * done.mineralised.item() == pytest.approx(11.66667, rel=1e-5)
    assert torch.allclose(done.carbon + litter / 365.0, pools, rtol=1e-6)


def test_lack_of_a_nutrient_slows_only_what_needs_it():
    """Worked out by hand. Sand .5, nothing dissolved: 100 g C of cellulose of C:N 50 become 50 of C:N 8 and take up
    50/8 - 2 = 4.25 g N; 20 of metabolic litter of C:N 16 give 20/16 - 9/8 = .125; 50 of slow matter give
    50/11 - 22.5 (.93333/8 + .06667/11) = 1.78409. With 1 g N in the soil 2.90909 of 4.25 are there: .684492."""
    lost = t(20, 100, 0, 0, 50, 0)[:, None]
    carbon, cn = 2.0 * lost, t(11, 11, 11, 8, 11, 11)[:, None]
    own = t(16, 50, 60, 8, 11, 11)[:, None]
    need = decomposition.immobilised(carbon, carbon / own, cn, lost, t(0.5))
    assert need[:, 0].tolist() == pytest.approx([-0.125, 4.25, 0, 0, -1.784091, 0], abs=1e-6)
    share = decomposition.share_allowed([need], [t(1.0)])
    assert share[:, 0].tolist() == pytest.approx([1, 0.684492, 1, 1, 1, 1], abs=1e-6)
    done = decomposition.decay(carbon, carbon / own, cn, share * lost, t(0.5))
    assert done.mineralised.item() == pytest.approx(-1.0)  # all that was there, and what came free on the way
    assert decomposition.share_allowed([need], [t(3.0)]).tolist() == [[1.0]] * 6


def test_matter_that_lacks_another_nutrient_gives_none_of_this_one():
    """Slow matter mineralises 1.8 g N but lacks P: its nitrogen is not counted on, and its own scarcity slows it."""
    nitrogen, phosphorus_ = t(0, 4, 0, 0, -1.8, 0)[:, None], t(0, -0.1, 0, 0, 0.4, 0)[:, None]
    share = decomposition.share_allowed([nitrogen, phosphorus_], [t(1.0), t(0.1)])
    assert share[:, 0].tolist() == pytest.approx([1, 0.25, 1, 1, 0.25, 1])


def test_decay_keeps_carbon_and_nutrient():
    gen = torch.Generator().manual_seed(1)
    pools = torch.rand(6, 40, dtype=D, generator=gen)
    nutrient = pools / (5.0 + 50.0 * torch.rand(6, 40, dtype=D, generator=gen))
    lost = decomposition.given_up(pools, 3.0 * torch.rand(40, dtype=D, generator=gen), 86400.0)
    done = decomposition.decay(pools, nutrient, torch.full((6, 40), 10.0, dtype=D), lost, torch.rand(40, dtype=D))
    assert torch.allclose(done.carbon.sum(0) + done.respired, pools.sum(0), rtol=1e-13)
    assert torch.allclose(done.nutrient.sum(0) + done.mineralised, nutrient.sum(0), rtol=1e-13)


def test_soil_suction_slows_decay():
    factor = decomposition.water_factor(t(0.01, 0.2, 10.0, 1000.0, 1e6))
    assert factor[:2].tolist() == pytest.approx([1, 1])
    assert 0.0 < factor[2] < 1.0
    assert factor[3:].tolist() == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("degrees", "depth", "nitrified", "volatile"),
    [(20, 0.05, 4.46612, 0.28714), (10, 0.05, 1.83604, 0.09849), (20, 0.2, 4.59307, 0.00114)],
)
def test_a_day_of_ammonium(degrees, depth, nitrified, volatile):
    found = mineral_nitrogen.nitrify(t(10), celsius(degrees), 1.0, depth)
    assert found.nitrified.item() == pytest.approx(nitrified, abs=1e-5)
    assert found.volatile.item() == pytest.approx(volatile, abs=1e-5)


def test_a_day_of_denitrification():
    found = mineral_nitrogen.denitrified(t(50, 50, 50), celsius(20, 10, -2), 1.5)
    assert found.tolist() == pytest.approx([28.4043, 10.2977, 0.0], abs=2e-4)


def test_the_chain_to_nitrate_and_its_loss():
    first, second, lost = mineral_nitrogen.chain(t(100), t(0), 1.0, 0.3)
    assert second.item() == pytest.approx(53.2770, abs=1e-4)
    assert (first + second + lost).item() == pytest.approx(100.0)
    a, b = t(100), t(0)
    for day in range(30):
        a, b, _ = mineral_nitrogen.chain(a, b, 0.1, 0.03)
        if day == 9:
            assert b.item() == pytest.approx(53.2770, rel=1e-6)
    assert b.item() == pytest.approx(50.9689, rel=1e-6)
    _, fast, _ = mineral_nitrogen.chain(t(100), t(7), 0.0, 800.0)
    assert fast.item() == pytest.approx(0.0, abs=1e-12)  # no inf times 0
    near = [mineral_nitrogen.chain(t(1), t(0), 0.5, 0.5 + e)[1].item() for e in (-2e-6, 0.0, 2e-6)]
    assert near == pytest.approx([0.5 * 0.6065306597] * 3, rel=2e-6)


def test_langmuir():
    assert phosphorus.in_solution(t(50, 130), 100.0, 20.0).tolist() == pytest.approx([12.16991, 56.23475], abs=1e-5)
    labile = t(1e-9, 1e-3, 1.0, 1e6)
    s = phosphorus.in_solution(labile, 100.0, 20.0)
    assert torch.allclose(s + 100.0 * s / (20.0 + s), labile, rtol=1e-12)


def test_weathering_keeps_phosphorus():
    minerals = phosphorus.Minerals(t(0.1), t(0.02), t(0.01))
    new, gained = phosphorus.weather(minerals, t(0.004), t(1.2), 365 * 86400.0)
    assert (sum(new) + gained - sum(minerals)).item() == pytest.approx(0.0, abs=1e-15)
    assert new.occluded > minerals.occluded


# Days to emergence, then to flowering, then to maturity at some degC, of WOFOST's own parameters (PCSE 6.0.13): rice
# gains no more above 22 C before and above 25 C after emergence, soybean none above 22 before it, maize none above 30.
DAYS = {
    ("maize", 16.0): (10, 70, 80), ("maize", 24.0): (6, 39, 45), ("maize", 34.0): (5, 29, 34),
    ("rice", 16.0): (13, 146, 105), ("rice", 24.0): (8, 63, 45), ("rice", 30.0): (8, 59, 42),
    ("soybean", 16.0): (8, 39, 95), ("soybean", 24.0): (5, 21, 50), ("soybean", 34.0): (5, 13, 32),
}  # fmt: skip


def days_of(crop, weather):
    """Days from event to event; ``weather`` gives temperature (degC) and day length (s) of each day from sowing."""
    calendar = parameters([crop], ["loam"], cycles=True).cycles.farming.calendar
    now = crop_development.sow(crop_development.nothing_sown(t(0)), torch.tensor([True]))
    found, previous = [], 0
    for day in range(1, 700):
        warm, light = weather(day - 1)
        now = crop_development.a_day(now, calendar, celsius(warm), light)
        if now.phase.item() > 1.0 + len(found):
            found.append(day - previous)
            previous = day
        if len(found) == 3:
            return tuple(found)
    raise AssertionError(found)


@pytest.mark.parametrize(("crop", "warm"), DAYS)
def test_days_of_development_in_steady_warmth(crop, warm):
    assert days_of(crop, lambda day: (warm, t(50000))) == DAYS[crop, warm]


def test_days_of_development_are_those_of_the_reference_run(shared):
    """Maize, rice, soybean at 24 C and through the year, wheat by cold and day length at 34.7 N: the same days."""
    file = shared / "reference" / "land" / "pcse_reference.json"
    if not file.is_file():
        pytest.skip("no reference of crops")
    rows = json.loads(file.read_text())["results"]
    assert len(rows) == 7
    for row in rows:
        events = [date.fromisoformat(row[k]) for k in ("sown", "emergence", "flowering", "maturity")]

        def weather(day, row=row, sown=events[0]):
            of_year = (sown + timedelta(day)).timetuple().tm_yday
            warm = 14.5 - 13.0 * math.cos(2.0 * math.pi * (of_year - 20) / 365)
            light = day_length(t(34.7), of_year - 0.5, crop_development.TWILIGHT)
            return 24.0 if row["weather"] == "const24" else warm, light

        expected = tuple((b - a).days for a, b in pairwise(events))
        assert days_of(row["crop"], weather) == expected, (row["crop"], row["weather"])


def test_winter_crops_wait_for_cold_and_long_days():
    c = crop_development.Calendar(*(t(v) for v in (100, 500, 800, 0, 30, 0, 30, 8, 14, 10, 50)))
    now = crop_development.nothing_sown(t(0))._replace(phase=t(2))
    assert crop_development.a_day(now, c, celsius(15), t(50400)).warmth.item() == 0.0
    cold = now._replace(vernal=t(50))
    assert crop_development.a_day(cold, c, celsius(15), t(50400)).warmth.item() == pytest.approx(15.0)
    assert crop_development.a_day(cold, c, celsius(15), t(28800)).warmth.item() == 0.0
    assert crop_development.a_day(now, c, celsius(5), t(50400)).vernal.item() == pytest.approx(1.0)


def test_cold_counts_from_the_day_after_it():
    """WOFOST's rates are of the state at the start of a day: after n days of full cold, sum 5 K (i - 10)/40, i < n."""
    c = crop_development.Calendar(*(t(v) for v in (100, 500, 800, 0, 30, 0, 30, 0, 0, 10, 50)))
    now = crop_development.nothing_sown(t(0))._replace(phase=t(2))
    for day in range(1, 35):
        now = crop_development.a_day(now, c, celsius(5), t(50400))
        assert now.warmth.item() == pytest.approx(sum(5.0 * max(i - 10, 0) / 40.0 for i in range(day)))


def test_the_scarcer_nutrient_limits_growth():
    done = demand.limited_growth(
        t(10, 10), torch.stack([t(50, 50), t(500, 500)]), torch.stack([t(0.1, 9), t(0.02, 0.005)])
    )
    assert done.scarcest.tolist() == pytest.approx([0.5, 0.25])
    assert (done.carbon + done.excess).tolist() == pytest.approx([10, 10])
    assert done.taken[:, 0].tolist() == pytest.approx([0.1, 0.01])


def a_year(kind, mean, swing, latitude_swing=14400.0, water=0.8):
    season, on = phenology.at_start(t(kind), torch.tensor([False])), []
    for day in range(3 * 365):
        angle = 2.0 * torch.pi * torch.tensor((day - 172) / 365.0)
        warm = celsius(mean + swing * float(torch.cos(angle - 0.5)))
        length = t(43200.0 + latitude_swing * float(torch.cos(angle)))
        season, flux = phenology.a_day(season, t(kind), t(150), warm, t(water), length)
        on.append(season.leafing.item())
        assert 0.0 <= flux.unfolding.item() <= 1.0 and 0.0 <= flux.falling.item() <= 1.0
    return on[2 * 365 :]


def test_leaves_by_season():
    deciduous = a_year(1.0, 10.0, 12.0)
    first, last = deciduous.index(1.0), 364 - deciduous[::-1].index(1.0)
    assert 80 < first < 150 and 260 < last < 320, (first, last)
    assert set(a_year(0.0, 10.0, 12.0)) == {1.0}
    assert set(a_year(2.0, 10.0, 12.0, water=0.0)) == {0.0}
    assert 180 < sum(a_year(2.0, 10.0, 12.0)) < 330


def test_leaves_of_deciduous_trees_ripen_for_two_months():
    def share(kind, since, leafing=1.0):
        season = phenology.at_start(t(kind), torch.tensor([True]))
        return phenology.mature(season._replace(since=t(since), leafing=t(leafing)), t(kind)).item()

    assert [share(1.0, d) for d in (0, 30, 60, 120)] == pytest.approx([0.25, 0.625, 1.0, 1.0])
    assert share(0.0, 10) == share(2.0, 10) == share(1.0, 10, leafing=0.0) == 1.0


def test_growth_is_allocated_and_nutrients_follow():
    habit = allocation.Habit(t(1, 1), t(2, 0), t(0.1, 0), t(0.1, 0.5), t(6, 4))
    split = allocation.shares(habit, t(2, 5), t(1, 1))
    assert sum(split).tolist() == pytest.approx([1, 1])
    assert split.leaf[1].item() == 0.0
    assert allocation.shares(habit, t(2, 2), t(0, 0)).storage.tolist() == [1, 1]
    ratios = allocation.Parts(*(t(v, v) for v in (25, 42, 50, 500, 50, 30)))
    n = allocation.spread(1.0 / allocation.mean_ratio(split, ratios), split, ratios)
    assert (sum(split) / sum(n)).tolist() == pytest.approx(allocation.mean_ratio(split, ratios).tolist())
    assert (split.leaf[0] / n.leaf[0]).item() == pytest.approx(25.0)


def test_turnover_and_respiration():
    parts = allocation.Parts(*(t(v) for v in (0.3, 0.3, 0.2, 5, 0.1, 0)))
    lives = turnover.Lives(t(365 * 86400.0), t(2 * 365 * 86400.0), t(50 * 365 * 86400.0))
    share = turnover.falling(parts, lives, t(0), 86400.0)
    assert share.leaf.item() == pytest.approx(1 / 365, rel=2e-3)
    assert turnover.by_quality(t(4))[:, 0].tolist() == [1, 2, 1]
    assert respiration.maintenance(t(1), celsius(30)).item() == pytest.approx(1.5 * 2.525e-6)
    tissue, breath = respiration.growth(t(111), 0.11)
    assert (tissue.item(), breath.item()) == (pytest.approx(100), pytest.approx(11))


def test_capacity_follows_leaf_nitrogen():
    v = leaf_nitrogen.vcmax25(t(0.2, 0.2), t(0.008, 0.004), t(20, 20), t(20 * 25 * 60.0, 20 * 25 * 60.0), t(25, 25))
    assert v.tolist() == pytest.approx([60, 30])


def test_day_length_is_the_time_with_sun():
    latitude = t(0, 35, 52, 80, -80)
    for day in (10.0, 80.0, 172.0):
        minutes = torch.arange(0, 1440, 2, dtype=D)[:, None] / 1440.0
        up = (
            torch.stack([cosine_zenith(0.0 * latitude, latitude, day + float(m)) > 0.0 for m in minutes]).sum(0) * 120.0
        )
        assert torch.allclose(day_length(latitude, day + 0.5), up.to(D), rtol=0, atol=400.0), day
    assert day_length(t(80, -80), 172.0).tolist() == [86400.0, 0.0]


@pytest.mark.parametrize(("latitude", "day", "hours"), [(0.0, 80, 12.533), (34.7, 1, 10.447), (52.0, 172, 17.699)])
def test_a_crops_day_begins_and_ends_with_the_sun_four_degrees_below_the_horizon(latitude, day, hours):
    """WOFOST's DAYLP (de Wit et al. 2019) of day 80, 1 and 172, computed by its own equations; declination as here."""
    found = day_length(t(latitude), day - 0.5, crop_development.TWILIGHT).item() / 3600.0
    assert found == pytest.approx(hours, abs=0.03)
