# SPDX-License-Identifier: BSD-3-Clause
"""Evergreen leaves by year: one flush a year, ages that repeat, capacity by age, carbon laid by in between."""

import pytest
import torch

from components.land.column.cycles import allocation, leaf_exchange, phenology, plant_day, pools
from components.land.column.parameters import parameters

D = torch.float64
LIVES = torch.tensor([1.5, 2.0, 3.85, 0.8], dtype=D) * leaf_exchange.YEAR
KIND = torch.zeros(4, dtype=D)


def t(*values):
    return torch.tensor(values, dtype=D)


def on_day(since):
    return phenology.at_start(KIND, KIND > -1.0)._replace(since=torch.full((4,), float(since), dtype=D))


AT_ONCE, AUTUMN = torch.zeros(4, dtype=D), torch.full((4,), 150.0 * 86400.0, dtype=D)


def years(count):
    """Ages a year after each flush, what fell in it, and the capacity of each day, of canopies that stay as large."""
    leaves, leaf = leaf_exchange.at_start(KIND, LIVES), torch.ones(4, dtype=D)
    found, fell, able = [leaves], [], []
    for day in range(365 * count):
        season = on_day(day % 365)
        leaves = leaf_exchange.begun(leaves, season)
        share = leaf_exchange.falling(leaves, season, KIND, LIVES, AT_ONCE)
        kept = leaf * (1.0 - share)
        new = leaf - kept
        leaves = leaf_exchange.after(leaves, leaf, 0.0 * leaf, share, kept, new)
        fell.append(new)
        able.append(leaf_exchange.capacity(leaves, season, KIND, LIVES))
        if day % 365 == 364:
            found.append(leaves)
    return found, torch.stack(fell), torch.stack(able)


def test_ages_repeat_and_leaves_live_as_long_as_the_table_says():
    found, fell, able = years(6)
    assert torch.allclose(found[-1], found[0], atol=1e-12)
    assert torch.allclose(fell.sum(0) / 6.0, leaf_exchange.exchanged(LIVES), rtol=1e-9)
    assert torch.allclose(able[-365:], able[:365], rtol=1e-12)
    assert (fell.reshape(6, 365, 4)[:, 30:] == 0.0).all()
    # Mean age at death: leaves of all ages over those that die in a year.
    assert leaf_exchange.exchanged(LIVES)[:3].tolist() == pytest.approx([1 / 1.5, 0.5, 1 / 3.85])


def test_needles_fall_in_autumn_and_summer_has_a_year_of_them_more():
    """What is laid by unfolds in 30 days in spring, as much of the oldest falls from day 150 on; both repeat."""
    leaves, leaf, area, fell = leaf_exchange.at_start(KIND, LIVES), torch.ones(4, dtype=D), [], []
    new = leaf_exchange.exchanged(LIVES) / 30.0
    for day in range(3 * 365):
        season = on_day(day % 365)
        leaves = leaf_exchange.begun(leaves, season)
        share = leaf_exchange.falling(leaves, season, KIND, LIVES, AUTUMN)
        unfolded = new if day % 365 < 30 else 0.0 * new
        kept = (leaf + unfolded) * (1.0 - share)
        leaves = leaf_exchange.after(leaves, leaf, unfolded, share, kept, 0.0 * kept)
        fell.append(share * (leaf + unfolded))
        leaf = kept
        area.append(leaf)
    area, fell = torch.stack(area[-365:]), torch.stack(fell[-365:])
    assert torch.allclose(area[100], 1.0 + leaf_exchange.exchanged(LIVES)) and torch.allclose(area[-1], area[-1] ** 0)
    assert torch.allclose(leaves, leaf_exchange.at_start(KIND, LIVES), atol=1e-12)
    assert (fell[150:180] > 0.0).all() and fell.sum(0).tolist() == pytest.approx(fell[150:180].sum(0).tolist())
    # Until they have fallen a plant builds for what will be left of them, then for what there is.
    ahead = leaf_exchange.to_come(on_day(100), KIND, LIVES, area[100], new * 0.0, AUTUMN)
    assert torch.allclose(ahead, (1.0 - leaf_exchange.exchanged(LIVES)) * area[100])
    assert torch.equal(leaf_exchange.to_come(on_day(200), KIND, LIVES, area[200], new * 0.0, AUTUMN), area[200])


def test_capacity_is_least_while_new_leaves_unfold_and_best_two_months_after():
    """Kosugi and Matsuo (2006): one capacity serves evergreens all year but in April and May, when leaves change."""
    _, _, able = years(1)
    low, high = able.min(0), able.max(0)
    assert all(5 <= d <= 30 for d in low.indices.tolist()) and high.indices.tolist() == [60] * 4
    assert (torch.diff(able[61:], dim=0) < 0.0).all()
    assert (able[364, :3] > low.values[:3]).all()
    # The longer leaves live, the less a year changes them.
    swing = (high.values - low.values).tolist()
    assert swing[3] > swing[0] > swing[1] > swing[2] > 0.1


@pytest.mark.parametrize("age, left", [(0.5, 1.0), (1.0, 0.61 / 0.805), (0.25, 0.9025 / 0.805)])
def test_leaves_lose_two_fifths_at_their_mean_life_span(age, left):
    """Reich et al. (2009): daytime gain falls by 39 % with capacity alone; tables hold for leaves picked at random."""
    leaves = torch.zeros(9, 4, dtype=D)
    leaves[0] = 1.0
    season = on_day(0)._replace(since=age * LIVES / 86400.0)
    ripe = phenology.ripe(season.since)
    able = leaf_exchange.capacity(leaves, season, KIND, LIVES)
    assert able.tolist() == pytest.approx((left * ripe).tolist())
    assert leaf_exchange.capacity(leaves, season, KIND + 1.0, LIVES).tolist() == [1.0] * 4
    assert leaf_exchange.capacity(0.0 * leaves, season, KIND, LIVES).tolist() == [1.0] * 4


def flushes(latitude_swing, mean, swing, days=5 * 365):
    now, found = phenology.at_start(t(0), torch.tensor([True])), []
    for day in range(days):
        angle = 2.0 * torch.pi * torch.tensor((day - 172) / 365.0)
        warm = t(273.15 + mean + swing * float(torch.cos(angle - 0.5)))
        needed = phenology.needed_warmth(t(250), t(365), t(273.15 + mean))
        length = t(43200.0 + latitude_swing * float(torch.cos(angle)))
        now, flux = phenology.a_day(now, t(0), needed, warm, t(0.8), length)
        assert now.leafing.item() == 1.0
        if now.since.item() == 0.0:
            found.append(day)
        assert (flux.unfolding.item() > 0.0) == (now.since.item() < phenology.ONSET_DAYS)
        assert flux.falling.item() == 0.0
    return found


@pytest.mark.parametrize(
    "mean, swing, first, last", [(4.0, 17.0, 100, 135), (15.0, 11.5, 90, 130), (22.0, 8.0, 75, 120)]
)
def test_evergreens_flush_once_a_year_in_spring(mean, swing, first, last):
    """From cold to subtropical: the sum of warmth of White et al. (1997) comes in April or near it."""
    found = flushes(9000.0, mean, swing)
    assert len(found) == 5 and all(first < d % 365 < last for d in found[1:]), found


def test_where_all_days_are_equal_there_is_one_flush_a_year_too():
    gaps = torch.diff(torch.tensor(flushes(0.0, 26.0, 0.0))).tolist()
    assert len(gaps) >= 3 and all(300 <= g <= 366 for g in gaps), gaps


def test_carbon_for_leaves_is_laid_by_until_the_flush_but_for_saplings():
    split = allocation.Parts(*(t(v, v, v) for v in (0.25, 0.25, 0.05, 0.45, 0.0, 0.0)))
    season = phenology.at_start(t(0, 0, 1), torch.tensor([True] * 3))._replace(since=t(100, 100, 100))
    found = leaf_exchange.later(split, season, t(0, 0, 1), t(0.8, 0.0, 0.8))
    assert found.leaf.tolist() == [0.0, 0.25, 0.25] and found.storage.tolist() == [0.25, 0.0, 0.0]
    assert torch.allclose(sum(found), t(1, 1, 1))
    in_flush = leaf_exchange.later(split, season._replace(since=t(3, 3, 3)), t(0, 0, 1), t(0.8, 0.0, 0.8))
    assert in_flush.leaf.tolist() == [0.25] * 3


def test_an_evergreen_without_leaves_has_them_again_after_its_flush():
    """A felled stand, or land that has become forest, keeps a seed: without the flush it stayed bare for ever."""
    p = parameters(["evergreen_broadleaf_forest"] * 2, ["loam"] * 2, cycles=True)
    c, tr = pools.at_start(p.cycles, p.thickness), p.cycles
    seed = plant_day.seed_of(tr)

    def bare(e, amount):
        return e._replace(plant=e.plant._replace(leaf=0.0 * amount, storage=amount))

    c = c._replace(
        carbon=bare(c.carbon, seed), nitrogen=bare(c.nitrogen, seed / tr.ratios.storage),
        phosphorus=bare(c.phosphorus, seed / tr.ratios.storage / pools.NITROGEN_PER_PHOSPHORUS),
        season=c.season._replace(good=t(2000, 0), since=t(310, 310)),
    )  # fmt: skip
    warm, layers = t(295, 295), torch.full((10, 2), 0.1, dtype=D)
    for day in range(20):
        c = c._replace(day=c.day._replace(light=t(43200 + day, 43200 + day)))
        c, _ = plant_day.a_day(c, tr, "fun", warm, warm, t(0.8, 0.8), layers, p.thickness)
    area = pools.leaf_area(c, tr)
    assert 0.1 < area[0].item() < 0.5 and area[1].item() == 0.0
    assert c.crop.leaves[:, 0].tolist() == pytest.approx([1.0] + [0.0] * 8)
    assert leaf_exchange.capacity(c.crop.leaves, c.season, tr.kind, tr.lives.leaf)[0].item() < 1.0
