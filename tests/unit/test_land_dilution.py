# SPDX-License-Identifier: BSD-3-Clause
"""Flexible C:N: what pays, what the column's own leaves make of less nitrogen, bounds, and plants without it."""

import math

import pytest
import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.cycles import dilution, nutrition
from components.land.column.cycles.allocation import Parts
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import parameters
from components.land.column.radiation import partition
from components.science.sun import cosine_zenith
from components.science.water import specific_humidity

D = torch.float64


def x(*values):
    return torch.tensor(values, dtype=D)


def shoot(n):
    one = torch.ones(n, dtype=D)
    return Parts(*(v * one for v in (0.5, 0.2, 0.3, 0.0, 0.0, 0.0)))


def fed(plants, mineral, kind="fun", carbon=0.01):
    """What a day's carbon becomes with some mineral nitrogen (kg m-2), and the C:N of its tissue over the usual."""
    n = len(plants)
    t, one = parameters(plants, ["loam"] * n, cycles=True).cycles, torch.ones(n, dtype=D)
    soil = torch.stack([torch.as_tensor(mineral, dtype=D) * one, one])
    costs = nutrition.path_costs(t, soil[0], 0.05 * one, 293.15 * one)
    f = nutrition.feed(kind, t, carbon * one, shoot(n), torch.zeros(2, n, dtype=D), soil, costs)
    content = sum(s / r for s, r in zip(shoot(n), t.ratios, strict=True))
    got = f.fixed + f.from_soil[0]
    return t, f, f.carbon / (1.0 + t.building) * content / got


def test_the_stretch_is_that_at_which_growth_earns_most():
    """Against the largest of C s R / (p + s R) (1 + k) / (1 + k s) among a thousand."""
    tissue, k = 33.0, dilution.HALF
    s = torch.linspace(1.0, 3.0, 2001, dtype=D)
    for price in (2.0, 15.0, 30.0, 60.0, 400.0):
        earned = s * tissue / (price + s * tissue) * (1.0 + k) / (1.0 + k * s)
        found = dilution.stretch(x(price), x(tissue), x(3.0)).item()
        assert found == pytest.approx(s[earned.argmax()].item(), abs=1.1e-3), price


def test_the_columns_own_canopies_follow_the_hyperbola_of_the_dilution():
    """A summer's day of maize with half of its nitrogen and more: x (1 + k) / (x + k) within .04, LAI 1 to 3."""
    content, areas = (0.5, 0.6, 0.8, 1.0), (1.0, 2.0, 3.0)
    n = len(content) * len(areas)
    one, share = torch.ones(n, dtype=D), x(*content * len(areas))
    lai = x(*(a for a in areas for _ in content))
    p = parameters(["maize"] * n, ["loam"] * n)
    p = p._replace(traits=p.traits._replace(vcmax25=p.traits.vcmax25 * share))
    state, uptake = initial_state(p, 297.0 * one, 0.7), 0.0
    suns = [
        cosine_zenith(0.0 * one, 35.0 * one, 180.0 + h / 24.0) for h in (1.5, 4.5, 7.5, 10.5, 13.5, 16.5, 19.5, 22.5)
    ]
    whole = sum(torch.clamp(s, min=0.0) for s in suns)
    for i, mu in enumerate(suns):
        t = 297.15 + 5.0 * math.sin((3.0 * i + 1.5 - 9.0) * math.pi / 12.0)
        light = partition(18e6 / 10800.0 * torch.clamp(mu, min=0.0) / whole, mu)
        q = specific_humidity(saturation_pressure(292.15 * one)[0], 1e5 * one)
        forcing = Forcing(
            t * one, q, 1e5 * one, 2.0 * one, 10.0 * one, *light, 370.0 * one, 0.0 * one, 0.0 * one, 400.0 * one, mu,
            lai, 0.1 * one,
        )  # fmt: skip
        state, out = step(state, forcing, p, 10800.0, Options())
        uptake = uptake + out.gross_uptake
    by_area = uptake.reshape(len(areas), len(content))
    found = by_area / by_area[:, -1:]
    wanted = x(*content) * (1.0 + dilution.HALF) / (x(*content) + dilution.HALF)
    assert (found - wanted).abs().max() < 0.04


@pytest.mark.parametrize("kind", ["fun", "demand"])
def test_crops_dilute_what_is_scarce_between_their_bounds(kind):
    mineral = x(1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    t, f, thin = fed(["maize"] * 7, mineral, kind)
    assert (torch.diff(thin) <= 1e-9).all()
    assert (thin >= 1.0 - 1e-9).all() and (thin <= t.stretch * (1.0 + 1e-9)).all()
    assert thin[0].item() == pytest.approx(2.0) and thin[-1].item() == pytest.approx(1.0)
    assert f.excess[0] > 0.0 and f.excess[-1] == 0.0
    assert torch.allclose(f.carbon + f.spent + f.excess, 0.01 * torch.ones(7, dtype=D), rtol=1e-12)
    grown = torch.diff(f.carbon) / torch.diff(mineral)
    assert (torch.diff(grown) < 1e-9).all()  # the more there is the less more of it helps


def test_forests_and_meadows_have_the_ratios_of_the_table():
    plants = ["grassland", "evergreen_broadleaf_forest", "deciduous_broadleaf_forest", "tundra"]
    for kind in ("fun", "demand"):
        for mineral in (1e-4, 1e-3, 1e-2):
            assert fed(plants, mineral, kind)[2].tolist() == pytest.approx([1.0] * 4)
