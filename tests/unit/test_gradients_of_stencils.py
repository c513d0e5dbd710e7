# SPDX-License-Identifier: BSD-3-Clause
"""Gradients that are written out are those of the functions themselves."""

import pytest
import torch
from torch.autograd import gradcheck

from components.atmosphere.nonhydrostatic.dynamics.acoustic import Coefficients, Deviation, substituted, vertical_step
from components.atmosphere.nonhydrostatic.dynamics.base_state import LogPressure
from components.atmosphere.nonhydrostatic.dynamics.geometry import build_geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Tendencies
from components.science.advection import convergence, difference, flux_fifth, flux_third, total
from components.science.constants import GRAVITY


def drawn(*shape, seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64).requires_grad_(True)


@pytest.mark.parametrize(("flux", "more"), [(flux_fifth, 5), (flux_third, 3)])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_upwind_fluxes(flux, more, dim):
    shape = [2, 3, 2]
    shape[dim] += more
    q, m = drawn(*shape), drawn(2, 3, 2, seed=2)
    assert gradcheck(lambda a, b: flux(a, b, dim), (q, m))
    with torch.no_grad():
        plain = flux(q, m, dim)
    assert torch.equal(flux(q, m, dim), plain)


def test_one_mass_flux_carries_several_tracers():
    q, m = drawn(3, 2, 8), drawn(2, 3, seed=2)
    assert gradcheck(lambda a, b: flux_fifth(a, b, -1), (q, m))


def test_what_three_fluxes_bring():
    q, mx, my, mz = drawn(6, 8, 9), drawn(2, 2, 4, seed=2), drawn(2, 3, 3, seed=3), drawn(3, 2, 3, seed=4)
    area = torch.rand((2, 3), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    assert gradcheck(lambda *a: convergence(*a, area), (q, mx, my, mz))
    given = q, mx, my, mz
    for n in range(4):  # a gradient of one of them alone
        (g,) = torch.autograd.grad(convergence(*given, area).square().sum(), given[n])
        alone = [a if i == n else a.detach() for i, a in enumerate(given)]
        assert torch.equal(torch.autograd.grad(convergence(*alone, area).square().sum(), alone[n])[0], g)
    fx, fy = flux_fifth(q[2:-2, 3:-3], mx, 2), flux_fifth(q[2:-2, :, 3:-3], my, 1)
    fz = flux_third(q[:, 3:-3, 3:-3], mz, 0)
    whole = -(difference(fx, 2) + difference(fy, 1)) * area - difference(fz, 0)
    with torch.no_grad():
        plain = convergence(*given, area)
    assert torch.equal(whole, plain) and torch.equal(convergence(*given, area), plain)


@pytest.mark.parametrize("dim", [0, -1])
def test_differences_and_sums(dim):
    assert gradcheck(lambda a: difference(a, dim), (drawn(2, 3),))
    assert gradcheck(lambda a: total(a, dim), (drawn(2, 3),)) and gradcheck(lambda a: total(a, dim), (drawn(4, 4),))
    assert torch.equal(total(torch.tensor([1.0, 4.0, 2.0], requires_grad=True), 0), torch.tensor([5.0, 6.0]))
    assert torch.equal(difference(torch.tensor([1.0, 4.0, 2.0], requires_grad=True), 0), torch.tensor([3.0, -2.0]))


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_the_solve_along_columns(levels):
    right, lower, upper = (drawn(levels, 2, seed=n) for n in (1, 2, 3))
    assert gradcheck(substituted, (right, lower, upper))
    x = substituted(right, lower, upper)
    full = torch.zeros((levels, levels), dtype=torch.float64)
    solved = []
    for i in range(2):
        low = torch.eye(levels, dtype=torch.float64) + torch.diag(lower[1:, i], -1) if levels > 1 else full + 1.0
        high = torch.eye(levels, dtype=torch.float64) + torch.diag(upper[:-1, i], 1) if levels > 1 else full + 1.0
        solved.append(torch.linalg.solve(low @ high, right[:, i]))
    assert torch.allclose(x, torch.stack(solved, 1), rtol=1e-12)


@pytest.mark.parametrize("flat", [True, False])
def test_the_implicit_step_along_columns(flat):
    g, shape = sloping(flat), {"": (3, 2, 4), "w": (2, 2, 4), "x": (3, 2, 5), "y": (3, 3, 4)}
    kinds = ("w", "", "", "x", "y", "w", "", "", "x", "y", "w", "", "w", "", "w", "w", "w")
    given = [drawn(*shape[kind], seed=n) for n, kind in enumerate(kinds)]
    dtau = torch.tensor(0.3, dtype=torch.float64)

    def step(*a):
        x, f = Deviation(a[3], a[4], *a[:3]), Tendencies(None, None, *a[5:8])
        return vertical_step(g, x, a[3], a[4], f, Coefficients(None, None, *a[8:]), dtau, 0.1, 0.2)

    assert gradcheck(step, given)
    assert gradcheck(lambda *a: step(*a)[1], given)  # others give no gradient
    with torch.no_grad():
        plain = step(*given)
    assert all(torch.equal(a, b) for a, b in zip(step(*given), plain, strict=True))
    # dry air has no kernel: as moist air that weighs the same
    dry, wet = ([fill.get(n, a) for n, a in enumerate(given)] for fill in ({12: None, 13: None}, {
        12: torch.ones_like(given[12]), 13: torch.full_like(given[13], 0.5 * GRAVITY)
    }))  # fmt: skip
    seen, wet = (step(*a)[4].square().sum() for a in (dry, wet))
    some = [given[n] for n in (0, 3, 10, 11, 16)]
    for a, b in zip(torch.autograd.grad(seen, some), torch.autograd.grad(wet, some), strict=True):
        assert torch.allclose(a, b, rtol=1e-10)


def sloping(flat):
    """A block of three layers, over a hill or not."""
    y, x = torch.meshgrid(torch.arange(2.0), torch.arange(4.0), indexing="ij")
    z = torch.linspace(0.0, 3.0, 4)[:, None, None] + (0.0 if flat else 0.2) * torch.exp(-((x - 1.5) ** 2) - y)
    return build_geometry(z, 1.0, 1.5, LogPressure())
