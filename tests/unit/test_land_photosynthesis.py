# SPDX-License-Identifier: BSD-3-Clause
"""Properties of the leaf models: limits, consistency with diffusion, derivatives, bits."""

import pytest
import torch

from components.land.column import photosynthesis as ps
from components.land.column.stomata import EMPIRICAL, Surroundings, couple


def random_leaves(n=200, kind="c3", seed=1):
    gen = torch.Generator().manual_seed(seed)
    u = torch.rand(6, n, dtype=torch.float64, generator=gen)
    t, par, v = 275 + 40 * u[0], 2000 * u[1], 20 + 80 * u[2]
    if kind == "c4":
        return ps.c4_leaf(t, par, v, 0.025 * v)
    make = ps.c3_leaf if kind == "c3" else ps.cytochrome_leaf
    return make(t, par, v, 1.9 * v, 0.015 * v)


@pytest.mark.parametrize("kind", ["c3", "cytochrome", "c4"])
def test_conductance_solution_meets_diffusion_when_one_rate_limits(kind):
    leaf = random_leaves(kind=kind)
    leaf = leaf._replace(rates=leaf.rates[:1], curvature=())
    gc = torch.linspace(1e-3, 0.5, 200, dtype=torch.float64)
    a, _ = ps.assimilation_at_conductance(leaf, gc, torch.full_like(gc, 400.0))
    assert torch.allclose(ps.assimilation(leaf, 400.0 - a / gc), a, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["c3", "cytochrome", "c4"])
def test_gain_is_the_derivative_of_assimilation(kind):
    leaf = random_leaves(kind=kind)
    gc = torch.linspace(0.005, 0.5, 200, dtype=torch.float64).requires_grad_()
    a, gain = ps.assimilation_at_conductance(leaf, gc, torch.full_like(gc, 400.0))
    (auto,) = torch.autograd.grad(a.sum(), gc)
    assert torch.allclose(gain, auto, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(EMPIRICAL))
@pytest.mark.parametrize("kind", ["c3", "cytochrome", "c4"])
def test_empirical_solution_satisfies_the_model_and_the_demand(name, kind):
    leaf = random_leaves(kind=kind)
    leaf = leaf._replace(rates=leaf.rates[:1], curvature=())
    one = torch.ones(200, dtype=torch.float64)
    near = Surroundings(400 * one, 1200 * one, 0.6 * one, leaf.compensation, one, one)
    model = EMPIRICAL[name]()
    out = couple(model, leaf, near)
    light = ps.assimilation(leaf, 400 * one) > 0  # with the CO2 of the air inside
    assert light.sum() > 100
    wanted = model.g0 + 1.57 * model.slope(near) * out.assimilation
    assert torch.allclose(out.conductance[light], wanted[light], rtol=1e-9)
    assert torch.allclose(ps.assimilation(leaf, out.ci)[light], out.assimilation[light], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("light", [0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 1500.0])
@pytest.mark.parametrize("stress", [1.0, 0.02])
def test_a_leaf_that_gains_nothing_breathes_through_what_stomata_leave_open(light, stress):
    """Against bisection on Ci: dim light must not cost more than the dark, nor drought turn gross uptake negative."""
    x = torch.ones(1, dtype=torch.float64)
    leaf = ps.c3_leaf(298.15 * x, light * x, 50 * x, 100 * x, 0.92 * x)
    near = Surroundings(400 * x, 1500 * x, 0.5 * x, leaf.compensation, stress * x, x)
    model, least = EMPIRICAL["medlyn"](), 0.001
    m = model.slope(near)
    low, high = 0.0 * x, 1e6 * x
    for _ in range(100):
        ci = 0.5 * (low + high)
        a = ps.assimilation(leaf, ci)
        above = ci - 400.0 + a / torch.clamp(m * a, min=least / 1.57) > 0.0
        low, high = torch.where(above, low, ci), torch.where(above, ci, high)
    out = couple(model, leaf, near, least)
    assert torch.allclose(out.assimilation, a, atol=0.01), "the smoothed minimum of .9999 takes 1 % of Rd"
    assert torch.allclose(out.conductance, torch.clamp(1.57 * m * a, min=least), rtol=1e-2, atol=1e-6)
    assert out.assimilation + leaf.respiration > -1e-9, "gross uptake is not negative"


def test_cytochrome_leaf_is_johnson_and_berrys_light_limit():
    """J680 (Ci - G) / (4 Ci + 8 G) with eta written out, against the folded rational form."""
    x = torch.tensor([298.15], dtype=torch.float64)
    leaf = ps.cytochrome_leaf(x, 0 * x + 800.0, 0 * x + 80.0, 0 * x + 120.0, 0 * x)
    ci, g = 300.0, leaf.compensation
    j700 = 0.41 * 0.96 * 800 * 120 / (0.41 * 0.96 * 800 + 120)
    eta = 1 - 0.75 + (3 + 7 * g / ci) / (4 + 8 * g / ci)
    assert torch.allclose(leaf.rates[1].at(0 * x + ci), j700 / eta * (ci - g) / (4 * ci + 8 * g), rtol=1e-12)


def test_c4_saturates_where_c3_does_not():
    x = torch.full((1,), 303.15, dtype=torch.float64)
    c3 = ps.c3_leaf(x, 0 * x + 2000, 0 * x + 50, 0 * x + 100, 0 * x + 0.8)
    c4 = ps.c4_leaf(x, 0 * x + 2000, 0 * x + 50, 0 * x + 0.8)

    def rise(leaf):
        return (ps.assimilation(leaf, 0 * x + 800) / ps.assimilation(leaf, 0 * x + 250)).item()

    assert rise(c4) < 1.01 < 1.5 < rise(c3)


def test_a_block_has_the_bits_of_the_whole():
    leaf = random_leaves()
    half = ps.Leaf(
        tuple(ps.Rate(*(v[50:117].contiguous() for v in r)) for r in leaf.rates),
        leaf.curvature,
        leaf.respiration[50:117].contiguous(),
        leaf.compensation[50:117].contiguous(),
    )
    one = torch.ones(200, dtype=torch.float64)
    near = Surroundings(400 * one, 1200 * one, 0.6 * one, leaf.compensation, one, one)
    part = Surroundings(*(v[50:117].contiguous() for v in near))
    for name in EMPIRICAL:
        whole, block = couple(EMPIRICAL[name](), leaf, near), couple(EMPIRICAL[name](), half, part)
        assert all(torch.equal(w[50:117], b) for w, b in zip(whole, block, strict=True))
