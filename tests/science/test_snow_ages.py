# SPDX-License-Identifier: BSD-3-Clause
"""Snow ages as its papers have it: albedo (Essery 2015), settling (Anderson 1976), and melt by its heat."""

import math

import pytest
import torch

from components.land.column import snow
from components.science.constants import C_LIQUID, FREEZING_POINT, GRAVITY, ICE_HEAT_CAPACITY, LATENT_FUSION

X = torch.ones(1, dtype=torch.float64)
DAY = 86400.0


def pack(mass=120.0, density=120.0, kelvin=263.15, albedo=0.8):
    """One column of even snow, in the layers of its depth."""
    one = snow.no_snow(X)._replace(albedo=albedo * X)
    return snow.relayer(snow.add_snowfall(one, mass * X, kelvin * X, density * X))


def aged(surface, days, seconds=1800.0, albedo=0.8, fall=0.0):
    now = pack(albedo=albedo)
    for _ in range(round(days * DAY / seconds)):
        now = snow.age_albedo(now, surface * X, fall * seconds * X, seconds)
    return now.albedo.item()


@pytest.mark.parametrize("seconds", [300.0, 10800.0])
@pytest.mark.parametrize("surface,hours", [(260.0, 1000.0), (FREEZING_POINT, 100.0)])
def test_albedo_falls_by_an_exponential_of_a_thousand_hours_or_a_hundred(surface, hours, seconds):
    """Cold snow fell straight down by one in a thousand hours, three times as fast, and was old after 15 days."""
    for days in (1, 10, 40):
        wanted = 0.5 + 0.3 * math.exp(-24.0 * days / hours)
        assert aged(surface, days, seconds) == pytest.approx(wanted, abs=1e-9)


def test_snowfall_renews_it_by_an_exponential_of_ten_kilograms():
    old = pack(albedo=0.5)
    for fall in (1.0, 10.0, 50.0):
        found = snow.age_albedo(old, 260.0 * X, fall * X, 1e-6).albedo.item()
        assert found == pytest.approx(0.8 - 0.3 * math.exp(-fall / 10.0), abs=1e-9)


def test_steady_snowfall_holds_it_where_both_are_in_balance():
    fall = 5.0 / DAY
    balance = (0.5 / 3.6e6 + 0.8 * fall / 10.0) / (1.0 / 3.6e6 + fall / 10.0)
    assert aged(260.0, 60, fall=fall) == pytest.approx(balance, abs=1e-9)
    assert aged(260.0, 60, albedo=0.5, fall=fall) == pytest.approx(balance, abs=1e-9)


def test_light_snow_settles_by_its_metamorphism_and_its_weight():
    """Against d ln rho / dt written out, of the upper layer over a minute."""
    now = pack(density=100.0, kelvin=FREEZING_POINT - 5.0)
    rate = -math.log((snow.compact(now, 60.0).thickness[0] / now.thickness[0]).item()) / 60.0
    viscosity = 3.7e7 * math.exp(0.018 * 100.0 + 0.081 * 5.0)
    wanted = GRAVITY * 0.5 * now.ice[0].item() / viscosity + 2.8e-6 * math.exp(-0.042 * 5.0)
    assert rate == pytest.approx(wanted, rel=2e-3)  # 1/12.4 for .081, 1/55.6 for .018


def test_melt_takes_its_heat_and_no_more():
    """Cold of the pack first, then ice; heat beyond the last ice goes on, whatever the layers."""
    for energy in (1e4, 3e6, 1e8):
        now = pack(mass=80.0, kelvin=FREEZING_POINT - 3.0)
        after, left, melt = snow.melt_and_freeze(now, now.temperature, energy * X)
        warmth = lambda s: (  # noqa: E731
            (s.ice * ICE_HEAT_CAPACITY + s.liquid * C_LIQUID) * (s.temperature - FREEZING_POINT)
            + LATENT_FUSION * s.liquid
        ).sum()
        assert (warmth(after) - warmth(now) + left).item() == pytest.approx(energy, rel=1e-12)
        assert snow.over_layers(after.ice + after.liquid).item() == pytest.approx(80.0, rel=1e-14)
        assert melt.item() <= 80.0 and (left.item() > 0.0) == (energy > 1e7)


def test_a_pack_keeps_its_mass_and_its_heat_when_it_is_divided_anew():
    now = pack(mass=200.0, density=150.0)
    now = snow.add_snowfall(now, 30.0 * X, 255.0 * X, 60.0 * X)
    again = snow.relayer(now)
    heat = lambda s: (s.ice * (s.temperature - FREEZING_POINT)).sum().item()  # noqa: E731
    assert again.ice.sum().item() == pytest.approx(now.ice.sum().item(), rel=1e-14)
    assert again.thickness.sum().item() == pytest.approx(now.thickness.sum().item(), rel=1e-14)
    assert heat(again) == pytest.approx(heat(now), rel=1e-12)
    assert again.thickness[:, 0].tolist() == pytest.approx([0.1, 0.2, 30 / 60 + 200 / 150 - 0.3])
