# SPDX-License-Identifier: BSD-3-Clause
"""Vulnerability curves and the continuum: integrals, conservation, limits; night-time stomata."""

import pytest
import torch
from scipy.special import gamma, gammainc

from components.land.column import continuum as co
from components.land.column import hydraulics as hy
from components.land.column.night import Night, marginals, night_conductance
from components.land.column.optimality import Scene, Wang, optimise
from components.land.column.photosynthesis import c3_leaf

X = torch.ones(1, dtype=torch.float64)


def test_weibull_integral_is_the_incomplete_gamma_function():
    p = torch.linspace(0.1, 3.5, 30, dtype=torch.float64)
    value = hy.potential_difference(hy.Weibull(2.0, 3.0), 0 * p, p)
    exact = 2.0 / 3.0 * gamma(1 / 3) * gammainc(1 / 3, (p.numpy() / 2.0) ** 3)
    assert torch.allclose(value, torch.as_tensor(exact), rtol=1e-9)


@pytest.mark.parametrize("curve", [hy.Weibull(2.0, 3.0), hy.Logistic(3.0, 2.0), hy.Power(2.0, 4.0)])
def test_curves(curve):
    p = torch.linspace(0.05, 4.0, 50, dtype=torch.float64, requires_grad=True)
    f = curve.fraction(p)
    (slope,) = torch.autograd.grad(f.sum(), p)
    assert torch.allclose(slope / f, curve.log_slope(p), rtol=1e-9)
    assert torch.allclose(curve.fraction(X * curve.tension(0.3)), 0.3 * X, rtol=1e-12)
    assert curve.fraction(-X).item() == pytest.approx(1.0)
    plant = hy.Plant(0.01 * X, curve, 0.2 * X)
    s = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    at = plant.along(s)
    (de,) = torch.autograd.grad(at.e.sum(), s, retain_graph=True)
    (dp,) = torch.autograd.grad(at.p.sum(), s, retain_graph=True)
    (dk,) = torch.autograd.grad(at.k.sum(), s)
    assert at.k.item() == pytest.approx((de / dp).item(), rel=1e-6)
    assert at.dk_de.item() == pytest.approx((dk / de).item(), rel=1e-6)


def continuum(p_soil, k=(0.02, 0.01)):
    curve = hy.Weibull(2.5, 3.0)
    roots = [co.Segment(v * X, hy.Weibull(2.0, 2.5)) for v in k]
    return co.Continuum(roots, co.Segment(0.03 * X, curve), co.Segment(0.02 * X, curve), p_soil)


def test_identical_invulnerable_segments_are_resistors_in_series():
    stiff = hy.Weibull(200.0, 3.0)
    one = co.Continuum(
        [co.Segment(0.02 * X, stiff), co.Segment(0.02 * X, stiff)],
        co.Segment(0.04 * X, stiff),
        co.Segment(0.04 * X, stiff),
        torch.full((2, 1), 0.5, dtype=torch.float64),
    )
    at = one.along(0.01 * X)
    assert at.k.item() == pytest.approx(0.04 / 3, rel=1e-4)
    assert (at.e / (at.p - 0.5)).item() == pytest.approx(0.04 / 3, rel=1e-3)


def test_uptake_sums_to_flow_and_dry_layers_are_refilled():
    plant = continuum(torch.tensor([[0.1], [1.5]], dtype=torch.float64))
    layers, total = plant.uptake(plant.p_rest)
    assert abs(total.item()) < 1e-12
    assert layers[0] > 0 > layers[1]
    assert plant.along(X * 0.5).e < plant.e_crit
    wet = continuum(torch.full((2, 1), 0.1, dtype=torch.float64))
    assert wet.e_crit > plant.e_crit


def test_conductance_of_the_continuum_is_the_slope_of_its_supply():
    plant = continuum(torch.tensor([[0.2], [0.6]], dtype=torch.float64))
    s = torch.tensor([0.3], dtype=torch.float64)
    a, b, m = plant.along(s - 1e-5), plant.along(s + 1e-5), plant.along(s)
    assert m.k.item() == pytest.approx(((b.e - a.e) / (b.p - a.p)).item(), rel=1e-4)


def test_optimal_stomata_on_the_continuum():
    leaf = c3_leaf(298.15 * X, 1200 * X, 50 * X, 90 * X, 0.8 * X)
    scene = Scene(leaf, 400 * X, 0.015 * X, continuum(torch.full((2, 1), 0.2, dtype=torch.float64)), 298.15 * X)
    best = optimise(Wang(), scene)
    assert abs(best.residual.item()) < 1e-6
    assert 0.02 < best.conductance.item() < 0.6


def night(temperature=298.15, p_soil=0.2, deficit=0.01):
    leaf = c3_leaf(298.15 * X, 1000 * X, 50 * X, 90 * X, 0.8 * X)
    plant = hy.Plant(0.006 * X, hy.Weibull(2.5, 3.0), p_soil * X)
    return Night(leaf, 400 * X, 0.015 * X, deficit * X, plant, 0.8 * X, temperature * X, 35.0 * X)


def test_night_optimum_meets_its_condition_and_is_a_maximum():
    g, e, residual = night_conductance(night())
    assert abs(residual.item()) < 1e-6
    assert 0.001 < g.item() < 0.2
    less, more = marginals(night(), 0.9 * e, 0.15), marginals(night(), 1.1 * e, 0.15)
    assert less[0] > less[1]
    assert more[0] < more[1]


def test_night_stomata_open_when_warm_and_close_when_dry():
    base = night_conductance(night())[0]
    assert night_conductance(night(temperature=303.15))[0] > base
    assert night_conductance(night(p_soil=1.2))[0] < base
    assert night_conductance(night(deficit=0.02))[0] < base
