# SPDX-License-Identifier: BSD-3-Clause
"""Every optimality model of Wang et al. (2020): first-order condition, brute force, criteria and responses."""

import pytest
import torch

from components.land.column.hydraulics import Plant, Weibull
from components.land.column.optimality import OPTIMAL, Scene, optimise, trade
from components.land.column.photosynthesis import c3_leaf, c4_leaf, cytochrome_leaf

NAMES = sorted(OPTIMAL)


def scenes(n=60, seed=3, kind=c3_leaf):
    gen = torch.Generator().manual_seed(seed)
    u = torch.rand(8, n, dtype=torch.float64, generator=gen)
    t, par = 285 + 22 * u[0], 200 + 1700 * u[1]
    v = 30 + 60 * u[2]
    leaf = kind(t, par, v, 0.015 * v) if kind is c4_leaf else kind(t, par, v, 1.8 * v, 0.015 * v)
    plant = Plant(0.002 + 0.01 * u[3], Weibull(2.5, 3.0), 1.2 * u[4])
    return Scene(leaf, 300 + 400 * u[5], (600 + 2400 * u[6]) / 1e5, plant, t)


@pytest.mark.parametrize("kind", [c3_leaf, cytochrome_leaf, c4_leaf])
@pytest.mark.parametrize("name", NAMES)
def test_first_order_condition(name, kind):
    best = optimise(OPTIMAL[name](), scenes(kind=kind))
    inside = (best.s > 1e-6) & (best.s < 1 - 1e-6) & (best.assimilation > 0)
    assert inside.sum() >= 30
    assert best.residual[inside].abs().max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_brute_force_maximum(name):
    """The model's own objective on 20 001 points of the supply curve, refined once around its best."""
    model, scene = OPTIMAL[name](), scenes()
    best = optimise(model, scene)
    low, high = torch.zeros_like(best.s), torch.ones_like(best.s)
    for _ in range(2):
        grid = torch.linspace(0, 1, 20001, dtype=torch.float64)[:, None] * (high - low) + low
        value = model.objective(trade(model, scene, grid))
        value = torch.where(trade(model, scene, grid).a > 0, value, -torch.inf)
        top = grid.gather(0, value.argmax(0)[None])[0]
        width = (high - low) / 20000
        low, high = (top - 2 * width).clamp(min=0), (top + 2 * width).clamp(max=1)
    e_best = trade(model, scene, top)
    awake = e_best.a > 0
    assert awake.sum() >= 50
    assert torch.allclose(best.e[awake], e_best.e[awake], rtol=1e-4)
    assert torch.allclose(best.assimilation[awake], e_best.a[awake], rtol=1e-4)


def test_gradient_of_the_optimum_is_that_of_the_implicit_function():
    x = torch.ones(1, dtype=torch.float64)

    def conductance(vcmax, name):
        leaf = c3_leaf(298.15 * x, 1200 * x, vcmax, 1.8 * vcmax, 0.9 * x)
        scene = Scene(leaf, 400 * x, 0.015 * x, Plant(0.006 * x, Weibull(2.5, 3.0), 0.3 * x), 298.15 * x)
        return optimise(OPTIMAL[name](), scene, iterations=40).conductance

    for name in NAMES:
        v = torch.tensor([50.0], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(conductance(v, name).sum(), v)
        with torch.no_grad():
            difference = (conductance(v + 1e-3, name) - conductance(v - 1e-3, name)) / 2e-3
        assert slope.item() == pytest.approx(difference.item(), rel=2e-4, abs=1e-9), name
