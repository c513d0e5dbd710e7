# SPDX-License-Identifier: BSD-3-Clause
"""A step of the dynamics by kernels has the bits of torch's operations, and a gradient passes through those."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import (
    acoustic,
    base_state,
    compiled_mixing,
    diffusion,
    geometry,
    levels,
    tendencies,
)
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.timestep import Dynamics, Options
from components.science import advection
from components.science.halo import Edges

NZ, NY, NX = 8, 7, 11


def case(height, dtype):
    """A hill on a map, or flat ground on a plane; winds of both signs, air at rest in the mean, a sponge."""
    y, x = (torch.arange(n, dtype=torch.float64) - n / 2.1 for n in (NY, NX))
    hill = height * torch.exp(-((y[:, None] / 2.0) ** 2) - (x / 3.0) ** 2)
    interfaces = levels.hybrid_heights(levels.stretched_levels(NZ, 16e3, 150.0), hill)
    drawn = torch.Generator().manual_seed(3)
    coriolis = 1e-4 * torch.rand((NY, NX), generator=drawn, dtype=torch.float64)
    factors = [1.0 + 0.1 * torch.rand((NY, NX), generator=drawn, dtype=torch.float64) for _ in range(2)]
    on_map = {"map_factor_x": factors[0], "map_factor_y": factors[1]} if height else {}
    g = geometry.build_geometry(interfaces, 20e3, 25e3, base_state.LogPressure(), coriolis=coriolis, **on_map)
    g = g.to(dtype)
    noise = lambda *s: torch.randn(s, generator=drawn, dtype=torch.float64).to(dtype)  # noqa: E731
    Y, X = NY + 2 * H, NX + 2 * H
    mass = g.rho_base
    s = State(
        5.0 * noise(NZ, Y, X + 1) * mass.mean(), 5.0 * noise(NZ, Y + 1, X) * mass.mean(),
        0.1 * noise(NZ - 1, Y, X) * mass[1:], 1e-4 * noise(NZ, Y, X) * mass, 1e-3 * noise(NZ, Y, X) * g.rtheta_base,
    )  # fmt: skip
    water = 0.01 * torch.rand((NZ, Y, X), generator=drawn, dtype=torch.float64).to(dtype)
    core = Dynamics(g, Options(damping_depth=5000.0), Edges(*("open",) * 4))
    core.halo([*s, water], H)
    core.rest(s)
    return core, s, water


def by_torch(core, monkeypatch):
    monkeypatch.setattr(advection, "_converging", advection.in_torch)
    core._diagnose = tendencies.diagnose
    core._coefficients, core._horizontal = acoustic.coefficients, acoustic.horizontal_step
    core._vertical, core._momentum = acoustic.vertical_step, tendencies.momentum


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("height", [0.0, 1500.0])
@pytest.mark.parametrize("wet", [True, False])
def test_a_step_has_the_same_bits(dtype, height, wet, monkeypatch):
    core, s, water = case(height, dtype)
    q = water if wet else None
    state, flux = core.step(s, 20.0, q)
    by_torch(core, monkeypatch)
    torchs = core.step(s, 20.0, q)
    assert all(bool(torch.isfinite(a).all()) for a in state)
    assert not torch.equal(state.rw, s.rw)
    assert all(torch.equal(a, b) for a, b in zip((*state, *flux), (*torchs[0], *torchs[1]), strict=True))


@pytest.mark.parametrize("field", State._fields)
def test_a_gradient_to_each_field_alone_is_that_of_torch(field, monkeypatch):
    """Two steps, so that what a first one leaves without a gradient meets what has one."""
    core, s, water = case(1500.0, torch.float64)

    def gradient():
        x = getattr(s, field).clone().requires_grad_(True)
        first, _ = core.step(s._replace(**{field: x}), 20.0, water)
        end, _ = core.step(first, 20.0, water)
        (g,) = torch.autograd.grad(sum((a * torch.cos(a.detach())).sum() for a in end), x)
        return end, g

    with torch.no_grad():
        plain, _ = core.step(core.step(s, 20.0, water)[0], 20.0, water)
    end, found = gradient()
    assert all(torch.equal(a, b) for a, b in zip(plain, end, strict=True))
    by_torch(core, monkeypatch)
    _, torchs = gradient()
    assert float(torchs.abs().max()) > 0.0
    torch.testing.assert_close(found, torchs, rtol=1e-12, atol=1e-12 * float(torchs.abs().max()))


def mixing_by_torch(g, s, d):
    return diffusion.diffuse(g, s, d, diffusion.smagorinsky_2d(g, d, 0.25))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("height", [0.0, 1500.0])
def test_mixing_has_the_same_bits_where_roots_are_rounded_alike(dtype, height, monkeypatch):
    core, s, _ = case(height, dtype)
    d = core.diagnose(s)
    found = compiled_mixing.mixed(core.geometry, s, d, 0.25)
    torchs_own = mixing_by_torch(core.geometry, s, d)
    monkeypatch.setattr(torch, "sqrt", lambda a: torch.from_numpy(np.sqrt(a.numpy())))
    exact = mixing_by_torch(core.geometry, s, d)
    for a, b, c in zip(found, exact, torchs_own, strict=True):
        assert torch.equal(a, b)
        torch.testing.assert_close(a, c, rtol=0.0, atol=4.0 * torch.finfo(dtype).eps * float(c.abs().max()))
    assert all(float(a.abs().max()) > 0.0 for a in (found.ru, found.rv, found.rw, found.rtheta))


def mixed_of(core, s, d, method):
    """Rates as a function of the five fields that they are made of, and these."""

    def rates(u, v, w, theta, rho):
        f = method(core.geometry, s._replace(rho=rho), d._replace(u=u, v=v, w=w, theta=theta))
        return f.ru, f.rv, f.rw, f.rtheta

    return rates, [a.clone().requires_grad_(True) for a in (d.u, d.v, d.w, d.theta, s.rho)]


def test_the_gradient_of_mixing_is_that_of_torch_and_of_differences():
    core, s, _ = case(1500.0, torch.float64)
    d = core.diagnose(s)
    by_kernel, at = mixed_of(core, s, d, lambda g, s, d: compiled_mixing.mixed(g, s, d, 0.25))
    drawn = torch.Generator().manual_seed(4)
    along = [torch.randn(a.shape, generator=drawn, dtype=a.dtype) for a in by_kernel(*at)]
    found = torch.autograd.grad(by_kernel(*at), at, along)
    expected = torch.autograd.grad(mixed_of(core, s, d, mixing_by_torch)[0](*at), at, along)
    for a, b in zip(found, expected, strict=True):
        assert float(b.abs().max()) > 0.0
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12 * float(b.abs().max()))
    assert torch.autograd.gradcheck(by_kernel, at, fast_mode=True, atol=1e-4)


@pytest.mark.parametrize("height", [0.0, 1500.0])
def test_the_gradient_of_the_diagnostics_is_that_of_torch(height):
    core, s, _ = case(height, torch.float64)
    at = [a.clone().requires_grad_(True) for a in s]
    drawn = torch.Generator().manual_seed(5)
    d, torchs = core.diagnose(State(*at)), tendencies.diagnose(core.geometry, State(*at))
    assert all(torch.equal(a, b) for a, b in zip(d, torchs, strict=True))
    along = [torch.randn(a.shape, generator=drawn, dtype=a.dtype) for a in d]
    for a, b in zip(torch.autograd.grad(d, at, along), torch.autograd.grad(torchs, at, along), strict=True):
        assert float(b.abs().max()) > 0.0
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12 * float(b.abs().max()))
