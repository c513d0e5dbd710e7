# SPDX-License-Identifier: BSD-3-Clause
"""`mynn`: its stability functions, what it conserves, and turbulence that grows and dies."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.physics import boundary_layer_mynn as mynn
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.science.constants import CP_DRY, R_DRY, VON_KARMAN

NAME = mynn.ENERGY.name


def test_at_the_energy_of_level_2_production_is_dissipation():
    """Level 2.5 and level 2 meet: q^2 = B_1 L^2 (S_M shear^2 - S_H N^2), at Richardson numbers below the critical."""
    shear2 = torch.full((6, 1, 1), 1e-4, dtype=torch.float64)
    ri = torch.tensor([-3.0, -0.3, 0.0, 0.05, 0.2, 0.5], dtype=torch.float64)[:, None, None]
    length = torch.full_like(shear2, 30.0)
    q = torch.sqrt(mynn.stability(length, length, shear2, ri * shear2).q2_squared)
    s = mynn.stability(length, q, shear2, ri * shear2)
    balance = mynn.B1 * length**2 * (s.momentum * shear2 - s.heat * ri * shear2)
    torch.testing.assert_close(balance, q * q, rtol=1e-9, atol=0.0)
    prandtl = s.momentum / s.heat
    assert float(prandtl[2]) == pytest.approx(0.74, abs=0.01), "Nakanishi & Niino's neutral Prandtl number"
    assert bool((prandtl[1:] >= prandtl[:-1]).all())


def test_the_neutral_ground_has_the_logarithmic_profile():
    """q^3 = B_1 u*^3 where L = kappa z: then L q S_M = kappa u* z."""
    z, u_star = torch.full((1, 1, 1), 20.0, dtype=torch.float64), 0.3
    length, shear = VON_KARMAN * z, u_star / (VON_KARMAN * z)
    q = torch.full_like(z, mynn.B1 ** (1 / 3) * u_star)
    s = mynn.stability(length, q, shear * shear, torch.zeros_like(z))
    assert float(length * q * s.momentum) == pytest.approx(VON_KARMAN * u_star * 20.0, rel=0.01)


def columns(lapse=3e-3):
    """20 layers of 50 m, 3 x 4 columns, a wind that grows from 4 m/s."""
    torch.manual_seed(1)
    z = torch.arange(25.0, 1000.0, 50.0, dtype=torch.float64)[:, None, None].expand(20, 3, 4).contiguous()
    theta = 290.0 + lapse * z + 0.1 * torch.rand(z.shape, dtype=torch.float64)
    p = 1e5 * torch.exp(-z / 8000.0)
    pi = thermo.exner(p)
    rho = p / (R_DRY * theta * pi)
    edges = torch.cat([z[:1] - 25.0, z + 25.0])
    air = Columns(theta * pi, theta, p, pi, rho, rho * 50.0, z, torch.full_like(z, 50.0), edges)
    return air, 4.0 + 4e-3 * z, 0.0 * z, theta


def run(steps, heat, dt=60.0, dtype=torch.float64, **how):
    air, u, v, theta = columns(**how)
    air, u, v, theta = Columns(*(a.to(dtype) for a in air)), u.to(dtype), v.to(dtype), theta.to(dtype)
    q = {"vapour": torch.full_like(theta, 5e-3), NAME: torch.zeros_like(theta), "dust": torch.rand(20, 3, 4).to(dtype)}
    plane = torch.zeros_like(theta[0])
    for _ in range(steps):
        stress = 0.0025 * air.rho[0] * torch.sqrt(u[0] ** 2 + v[0] ** 2)
        fluxes = Fluxes(plane + heat, plane + 2e-5, stress * u[0], stress * v[0])
        t = mynn.step(air, u, v, theta, q, fluxes, {"dust": plane + 1e-6}, dt)
        u, v, theta, q = t.u, t.v, t.theta, t.q
    return air, u, v, theta, q, t


def test_heat_water_and_tracers_enter_as_the_ground_gives_them():
    air, _, _, before = columns()
    torch.manual_seed(1)
    _, _, _, theta, q, _ = run(30, 100.0)
    gained = (air.mass * (theta - before)).sum(0) / (30 * 60.0)
    torch.testing.assert_close(gained, 100.0 / (CP_DRY * air.pi[0]), rtol=1e-6, atol=0.0)
    water = (air.mass * (q["vapour"] - 5e-3)).sum(0) / (30 * 60.0)
    torch.testing.assert_close(water, torch.full_like(water, 2e-5), rtol=1e-9, atol=0.0)
    assert float(q[NAME].min()) >= 0.0


def test_turbulence_fills_a_heated_layer_and_dies_in_a_cooled_one():
    _, _, _, theta, q, t = run(120, 100.0, lapse=6e-3)
    deep = q[NAME][:, 0, 0]
    assert float(deep[3]) > 0.2 and float(deep[-1]) < 1e-2
    assert float((theta[6] - theta[2]).abs().max()) < 0.5, "well mixed"
    assert float(t.diffusivity.max()) > 20.0
    _, _, _, _, q, t = run(120, -30.0, lapse=1e-2)
    assert float(q[NAME][6:].max()) < 1e-2 and float(q[NAME][0].min()) > 1e-3


def test_steps_of_five_minutes_stay_near_those_of_one():
    fine, coarse = run(120, 80.0, 60.0, lapse=6e-3), run(24, 80.0, 300.0, lapse=6e-3)
    assert float((fine[3] - coarse[3]).abs().max()) < 0.25
    assert float((fine[1] - coarse[1]).abs().max()) < 0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_give_the_same_bits_as_the_whole(dtype):
    air, u, v, theta = columns()
    plane = torch.zeros_like(theta[0])
    q = {"vapour": 0.0 * theta + 5e-3, NAME: 0.2 * torch.rand(theta.shape, dtype=torch.float64)}
    fluxes = Fluxes(plane + 50.0 * torch.rand(3, 4), plane, plane + 0.1, plane)
    cut = lambda a: a[..., 1:3, 1:4].to(dtype).contiguous()  # noqa: E731
    all_ = lambda a: a.to(dtype)  # noqa: E731
    got = []
    for f in (all_, cut):
        got.append(
            mynn.step(
                Columns(*map(f, air)), f(u), f(v), f(theta), {k: f(a) for k, a in q.items()},
                Fluxes(*map(f, fluxes)), {}, 120.0,
            )
        )  # fmt: skip
    whole, part = got
    for a, b in zip([whole.u, whole.theta, *whole.q.values()], [part.u, part.theta, *part.q.values()], strict=True):
        assert torch.equal(a[..., 1:3, 1:4], b)


def test_a_gradient_passes():
    air, u, v, theta = columns()
    theta = theta.clone().requires_grad_()
    plane = torch.zeros_like(theta[0])
    q = {"vapour": 0.0 * theta + 5e-3, NAME: torch.full_like(theta, 0.1)}
    out = mynn.step(air, u, v, theta, q, Fluxes(plane + 50.0, plane, plane + 0.1, plane), {}, 60.0)
    (out.u.sum() + out.q[NAME].sum()).backward()
    assert bool(torch.isfinite(theta.grad).all())
