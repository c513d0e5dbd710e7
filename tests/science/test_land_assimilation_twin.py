# SPDX-License-Identifier: BSD-3-Clause
"""The LETKF over columns of land with wrong rain: snow cover, brightness, storage, alone and together."""

import pytest
import torch

from components.ml_surrogates.estimation import land
from components.ml_surrogates.estimation.columns import column_letkf
from components.ml_surrogates.estimation.etkf import etkf
from components.ml_surrogates.estimation.microwave import Cover, Soil
from tests.toys import land_twin

ALONE = ("cover", "tb", "storage")


def cuts(size, seed, uses):
    """By how many per cent each use of observations cuts the open loop's error."""
    weather = land_twin.Weather(size, seed)
    true, seen = land_twin.truth(size, weather, seed)
    free, _ = land_twin.ensemble(size, weather, seed, seen)
    base = land_twin.rmse(free, true)
    print("open loop", base)
    out = {}
    for use in uses:
        found, booked = land_twin.ensemble(size, weather, seed, seen, use)
        out[use] = {k: 100.0 * (1.0 - v / base[k]) for k, v in land_twin.rmse(found, true).items()}
        print(use, {k: round(v, 1) for k, v in out[use].items()}, "booked", float(booked.mean()), flush=True)
        assert bool(torch.isfinite(booked).all())
    return out


def test_one_column_is_the_etkf_and_bounds_hold():
    g = torch.Generator().manual_seed(4)
    x = torch.rand((12, 3, 5), generator=g, dtype=torch.float64)
    y = torch.cat([x[:, :1] + x[:, 1:2], x[:, 2:]], 1)
    value = torch.tensor([[1.4, torch.nan, 0.2, 1.0, torch.nan], [0.9, 0.1, torch.nan, 0.5, torch.nan]]).double()
    error = torch.tensor([[0.1], [0.2]], dtype=torch.float64)
    new, acted = column_letkf(x, y, value, error)
    assert acted.tolist() == [True, True, True, True, False]
    assert torch.equal(new[..., 4], x[..., 4])
    whole = etkf(x[..., 0], y[..., 0], value[:, 0], error[:, 0])
    part = etkf(x[..., 1], y[:, 1:, 1], value[1:, 1], error[1:, 0])
    assert torch.allclose(new[..., 0], whole, atol=1e-12) and torch.allclose(new[..., 1], part, atol=1e-12)
    unseen = torch.where(torch.isnan(value), torch.nan, y)  # as of ground that no operator sees through
    assert torch.equal(column_letkf(x, unseen, value, error)[0], new)
    low, high = torch.tensor(0.3).double(), torch.tensor(0.7).double()
    bounded, _ = column_letkf(x, y, value, error, low, high)
    assert 0.3 <= float(bounded[..., :4].min()) and float(bounded[..., :4].max()) <= 0.7


def ground(n):
    return land.Ground(
        torch.full((3, 1), 0.2).double(), torch.full((3, 1), 0.45).double(), Soil(0.4, 0.2), Cover(),
        torch.arange(n) // 2,
    )  # fmt: skip


def members(n, size=10):
    g = torch.Generator().manual_seed(7)
    draw = lambda *shape: torch.rand((size, *shape, n), generator=g, dtype=torch.float64)  # noqa: E731
    liquid, snow = 0.1 + 0.3 * draw(3), 30.0 * draw()
    return land.Members(liquid, 0.02 * draw(3), snow, snow / 40.0, 280.0 + draw(), liquid.sum(1) * 200.0 + snow)


def test_what_an_analysis_adds_is_booked_within_bounds():
    n = 6
    m, g = members(n), ground(n)
    nan = torch.full((1, n), torch.nan).double()
    cover = nan.clone()
    cover[0, :2] = 0.9
    tb = nan.repeat(4, 1)
    tb[:, 2] = 160.0
    water = nan.clone()
    water[0, 2:4] = 60.0
    observed = dict(zip(land.OPERATORS, (cover, tb, water), strict=True))
    found = land.analyse(m, g, observed, dict.fromkeys(observed, 0.05) | {"toa_brightness_temperature": 2.0})
    assert found.acted.tolist() == [True, True, True, True, False, False]
    kept = torch.equal(found.liquid[..., 4:], m.liquid[..., 4:]) and bool((found.share[:, 4:] == 1.0).all())
    assert kept and float(found.added[:, 4:].abs().max()) == 0.0
    assert 0.02 <= float(found.liquid.min()) and bool((found.liquid + m.ice <= 0.45).all())
    water_in = lambda liquid, snow: 1000.0 * (0.2 * liquid).sum(1) + snow  # noqa: E731
    change = water_in(found.liquid, m.snow * found.share) - water_in(m.liquid, m.snow)
    assert torch.allclose(change, found.added, atol=1e-9)
    assert float((m.snow * found.share)[:, :2].mean()) > float(m.snow[:, :2].mean())  # more cover, more snow
    assert float(found.liquid[:, 0, 2].mean()) > float(m.liquid[:, 0, 2].mean())  # colder, wetter


def test_observations_are_named_and_blocks_are_means():
    m, g = members(5), ground(5)
    with pytest.raises(ValueError, match=r"expected observations of surface_snow_area_fraction, .* found soil_colour"):
        land.analyse(m, g, {"soil_colour": torch.zeros(1, 5).double()}, {"soil_colour": 1.0})
    name = "land_water_storage"
    with pytest.raises(ValueError, match="expected errors above zero, found none of land_water_storage"):
        land.analyse(m, g, {name: torch.zeros(1, 5).double()}, {name: 0.0})
    nothing = land.analyse(m, g, {name: torch.full((1, 5), torch.nan).double()}, {name: 1.0})
    assert torch.equal(nothing.liquid, m.liquid) and float(nothing.added.abs().max()) == 0.0
    means = land.block_mean(torch.tensor([1.0, 3.0, 5.0, 6.0, 9.0]), g.block)
    assert means.tolist() == [2.0, 2.0, 5.5, 5.5, 9.0]


def test_a_whole_cover_takes_no_snow_away():
    """Retrievals of a cover near 1 are cut off there: their mean is expected of the members, and nothing changes."""
    g = torch.Generator().manual_seed(3)
    draws = torch.clamp(0.97 + 0.08 * torch.randn(200000, generator=g, dtype=torch.float64), 0.0, 1.0)
    expected = land.censored_mean(torch.tensor(0.97).double(), 0.08, 0.0, 1.0)
    assert abs(float(draws.mean() - expected)) < 3.0 * 0.05 / 200000**0.5
    assert float(land.censored_mean(torch.tensor(0.5).double(), 0.08, 0.0, 1.0)) == pytest.approx(0.5, abs=1e-9)
    m = members(4)
    m = m._replace(snow=m.snow + 60.0, cover=torch.tanh((m.snow + 60.0) / 30.0))
    name = "surface_snow_area_fraction"
    change = []
    for middle in (land.censored_mean(m.cover.mean(0), 0.08, 0.0, 1.0), m.cover.mean(0)):
        found = land.analyse(m, ground(4), {name: middle[None]}, {name: 0.08})
        change.append(float((m.snow * (found.share - 1.0)).mean()))
    assert abs(change[0]) < 0.02 < 0.1 < change[1]


@pytest.mark.slow
def test_three_months_of_twenty_columns():
    """A twin of the year: all observations lower the error of surface water, root zone and storage (17, 5, 5 %)."""
    found = cuts(land_twin.Size(20, 20, 120), 1, [ALONE])[ALONE]
    assert found["surface"] > 10.0 and found["root"] > 2.0 and found["storage"] > 2.0


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_year():
    """Cuts asked: all together 25, 25, 30, 10 %; alone snow 5, surface water 20, storage 10, none 5 worse."""
    found = cuts(land_twin.Size(), 1, [ALONE, ("cover",), ("tb",), ("storage",)])
    whole = found[ALONE]
    assert whole["surface"] >= 25.0 and whole["root"] >= 25.0 and whole["storage"] >= 30.0 and whole["snow"] >= 10.0
    assert found["cover",]["snow"] >= 5.0 and found["tb",]["surface"] >= 20.0 and found["storage",]["storage"] >= 10.0
    assert min(v for use, row in found.items() if len(use) == 1 for v in row.values()) >= -5.0
