# SPDX-License-Identifier: BSD-3-Clause
"""The plant's water: the tabulated transform, a linear plant beside its exact solution, refilling, redistribution."""

import math

import pytest
import torch
from scipy.special import gamma, gammainc

from components.land.column import plant_water
from components.land.column.hydraulics import Weibull
from components.land.column.potential import Potential
from components.science.constants import WATER_MOLAR_MASS

D = torch.float64
X = torch.ones(3, dtype=D)


def test_the_transform_is_the_incomplete_gamma_function_and_has_an_inverse():
    at = Potential(Weibull(2.0 * X, 3.0 * X), X)
    p = torch.linspace(0.0, 3.8, 40, dtype=D)[:, None].expand(40, 3).contiguous()
    exact = 2.0 / 3.0 * gamma(1 / 3) * gammainc(1 / 3, (p.numpy() / 2.0) ** 3)
    assert torch.allclose(at.of(p), torch.as_tensor(exact), rtol=0, atol=1e-7)
    far = torch.linspace(-1.0, 9.0, 60, dtype=D)[:, None].expand(60, 3).contiguous()
    assert torch.allclose(at.tension(at.of(far)), far, rtol=0, atol=1e-9)
    assert (at.of(far)[1:] > at.of(far)[:-1]).all()


def linear(store, k=0.01):
    """K .01 from soil to the stem, leaves without resistance or store."""
    none = torch.zeros_like(X)
    body = plant_water.Body(torch.stack([2 * k * X]), 2 * k * X, 1e6 * X, store * X, none + 1e-12)
    return Potential(Weibull(1e6 * X, 3.0 * X), X), body


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_a_linear_plant_has_its_exact_tension_at_any_step(steps):
    at, body = linear(20.0)
    now, soil = plant_water.Stores(0.5 * X, 0.5 * X), 0.5 * X[None]
    taken = 0.0
    for _ in range(steps):
        done = plant_water.step(at, body, now, at.of(soil), 0.002 * X, 1000.0 / steps)
        now, taken = done.stores, taken + 1000.0 / steps * done.uptake.sum(0)
    assert now.stem.tolist() == pytest.approx([0.578694] * 3, abs=1e-6)
    # What left as vapour came from the soil or out of the stem.
    assert (taken + 20.0 * (now.stem - 0.5) - 2.0).abs().max().item() < 1e-12
    for _ in range(40):
        now = plant_water.step(at, body, now, at.of(soil), 0.002 * X, 1800.0).stores
    assert now.stem.tolist() == pytest.approx([0.7] * 3, abs=1e-9)
    for _ in range(40):
        now = plant_water.step(at, body, now, at.of(soil), 0.0 * X, 1800.0).stores
    assert now.stem.tolist() == pytest.approx([0.5] * 3, abs=1e-9)
    assert 0.578694 == pytest.approx(0.5 + 0.2 * (1.0 - math.exp(-0.5)), abs=1e-6)


def vulnerable(store):
    body = plant_water.Body(
        torch.stack([0.01 * X, 0.004 * X]), 0.03 * X, 0.02 * X, 40.0 * store * X, 8.0 * store * X
    )  # fmt: skip
    return Potential(Weibull(2.5 * X, 3.0 * X), X), body


def test_without_storage_the_answer_is_the_steady_one():
    at, body = vulnerable(1e-12)
    soil = torch.stack([0.2 * X, 0.9 * X])
    start = plant_water.Stores(0.3 * X, 0.3 * X)
    done = plant_water.step(at, body, start, at.of(soil), 0.003 * X, 1800.0)
    total, ground = plant_water.soil_potential(body, at.of(soil))
    phi = ground + 0.003 * (1.0 / total + 1.0 / body.stem)
    assert torch.allclose(done.stores.stem, at.tension(phi), rtol=0, atol=1e-6)
    assert torch.allclose(done.stores.leaf, at.tension(phi + 0.003 / body.leaf), rtol=0, atol=1e-6)
    assert done.uptake.sum(0).tolist() == pytest.approx([0.003] * 3, rel=1e-9)


def test_storage_buffers_the_day_refills_at_night_and_closes_the_water():
    at, body = vulnerable(1.0)
    soil, now = torch.stack([0.2 * X, 0.2 * X]), plant_water.Stores(0.2 * X, 0.2 * X)
    stem, gone, taken = [], 0.0, 0.0
    for i in range(96):
        e = 0.003 * max(0.0, math.sin((i - 12) * math.pi / 24)) * X
        done = plant_water.step(at, body, now, at.of(soil), e, 1800.0)
        before, now = now, done.stores
        change = plant_water.water(body, now) - plant_water.water(body, before)
        assert (change / WATER_MOLAR_MASS - 1800.0 * (done.uptake.sum(0) - e)).abs().max().item() < 1e-12
        gone, taken = gone + 1800.0 * e, taken + 1800.0 * done.uptake.sum(0)
        stem.append(now.stem[0].item())
    assert max(stem) > 0.35
    assert stem[-1] < 0.23
    assert ((taken - gone) / gone).abs().max().item() < 0.05


def test_roots_redistribute_water_from_wet_to_dry_layers_at_night():
    at, body = vulnerable(1.0)
    soil = torch.stack([0.1 * X, 1.2 * X])
    now = plant_water.Stores(0.4 * X, 0.4 * X)
    for _ in range(60):
        done = plant_water.step(at, body, now, at.of(soil), 0.0 * X, 1800.0)
        now = done.stores
    assert (done.uptake[0] > 0.0).all() and (done.uptake[1] < 0.0).all()
    assert done.uptake.sum(0).abs().max().item() < 1e-9


def test_more_than_the_plant_can_carry_stays_finite():
    at, body = vulnerable(1.0)
    now = plant_water.Stores(0.4 * X, 0.4 * X)
    for _ in range(50):
        done = plant_water.step(at, body, now, at.of(torch.stack([5.0 * X, 9.0 * X])), 0.1 * X, 3600.0)
        now = done.stores
        assert torch.isfinite(done.uptake).all() and torch.isfinite(now.stem).all()
