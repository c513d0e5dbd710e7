# SPDX-License-Identifier: BSD-3-Clause
"""Infiltration into dry soil: Celia et al. (1990), Haverkamp et al. (1977), Bonan (2019); water balance."""

import numpy as np
import pytest
import torch

from components.land.column.parameters import parameters
from components.land.column.retention import BrooksCorey, Haverkamp, VanGenuchten, campbell
from components.land.column.richards import Bottom, Top, richards_step
from components.land.column.water_table import bottom_of

D = torch.float64


def infiltrate(soil, start, depth, dz, dt, seconds, top, bottom):
    """Centres (m), head, water content and infiltration (m); the balance is asserted."""
    n = round(depth / dz)
    psi = torch.full((n, 1), start, dtype=D)
    theta = first = soil.at(psi).theta
    thickness = torch.full((n, 1), dz, dtype=D)
    taken = lost = 0.0
    for _ in range(round(seconds / dt)):
        new = richards_step(soil, psi, theta, thickness, dt, top, bottom, iterations=10, tolerance=1e-7)
        psi, theta = new.psi, new.theta
        taken += new.infiltration.item() * dt - new.excess.item()
        lost += new.drainage.item() * dt
    stored = ((theta - first) * dz).sum().item()
    assert stored == pytest.approx(taken - lost, rel=1e-10)
    return (np.arange(n) + 0.5) * dz, psi[:, 0].numpy(), theta[:, 0].numpy(), taken


def depth_of(value, profile, z):
    return np.interp(-value, -profile, z)


def head(value):
    return Top(head=torch.tensor([value], dtype=D))


@pytest.mark.parametrize(("dz", "dt"), [(0.01, 960.0), pytest.param(0.01, 240.0, marks=pytest.mark.slow)])
def test_celia_1990(dz, dt):
    soil = VanGenuchten(0.102, 0.368, 3.35, 2.0, 9.22e-5)
    z, psi, _, taken = infiltrate(soil, -10.0, 1.0, dz, dt, 86400.0, head(-0.75), Bottom("water_table", -10.0))
    assert depth_of(-5.0, psi, z) == pytest.approx(0.565, rel=0.02)
    assert taken == pytest.approx(0.04114, rel=0.02)


def test_haverkamp_1977_sand():
    soil = Haverkamp(0.075, 0.287, 1.611e6, 3.96, 1.175e6, 4.74, 9.44e-5)
    z, psi, _, taken = infiltrate(soil, -0.615, 0.4, 0.005, 4.0, 360.0, head(-0.207), Bottom("water_table", -0.615))
    assert depth_of(-0.4, psi, z) == pytest.approx(0.1552, rel=0.02)
    assert taken == pytest.approx(0.02382, rel=0.02)


@pytest.mark.parametrize(("dz", "dt"), [(0.02, 10000.0), pytest.param(0.01, 4000.0, marks=pytest.mark.slow)])
def test_bonan_clay(dz, dt):
    soil = VanGenuchten(0.124, 0.495, 2.6, 1.43, 0.0443e-2 / 3600)
    start, top = (soil.head(torch.tensor([v], dtype=D)).item() for v in (0.24, 0.494))
    z, _, theta, taken = infiltrate(soil, start, 1.5, dz, dt, 1e6, head(top), Bottom("free_drainage"))
    assert depth_of(0.36, theta, z) == pytest.approx(0.383, rel=0.02)
    assert taken == pytest.approx(0.0938, rel=0.02)


SOILS = {
    "van_genuchten": VanGenuchten(0.078, 0.43, 3.6, 1.56, 2.89e-6),
    "brooks_corey": BrooksCorey(0.05, 0.43, 0.2, 0.25, 3e-6),
    "campbell": campbell(0.45, 0.3, 6.0, 4e-6),
}


@pytest.mark.parametrize("name", SOILS)
def test_curves_are_consistent(name):
    soil = SOILS[name]
    psi = (-torch.logspace(-1.5, 3, 60, dtype=D)).requires_grad_()
    at = soil.at(psi)
    (capacity,) = torch.autograd.grad(at.theta.sum(), psi, retain_graph=True)
    (slope,) = torch.autograd.grad(at.conductivity.sum(), psi)
    assert torch.allclose(capacity, at.capacity, rtol=1e-8)
    assert torch.allclose(slope, at.slope, rtol=1e-8)
    below = at.capacity > 0
    assert below.sum() > 30
    assert torch.allclose(soil.head(at.theta)[below], psi[below], rtol=1e-6)


@pytest.mark.parametrize("kind", ["free_drainage", "zero_flux", "water_table"])
@pytest.mark.parametrize("name", SOILS)
def test_half_hours_of_storm_and_drought_close_the_balance(name, kind):
    """Ten uneven layers, 30-minute steps: cloudburst on dry soil, ponding, drought with roots, all to 1e-10."""
    soil = SOILS[name]
    dz = torch.tensor([0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 0.3, 0.4, 0.6, 0.8], dtype=D)[:, None]
    wet = torch.linspace(0.02, 0.999, 40, dtype=D)
    theta = soil.theta_r + (soil.theta_s - soil.theta_r) * wet + torch.zeros(10, 40, dtype=D)
    psi = soil.head(theta)
    gen = torch.Generator().manual_seed(1)
    for step in range(60):
        rain = torch.rand(40, dtype=D, generator=gen) * (3e-5 if step % 7 == 0 else 1e-7)
        sink = torch.zeros_like(theta)
        sink[:6] = 2e-8 * (theta[:6] > soil.theta_r + 0.05)
        new = richards_step(soil, psi, theta, dz, 1800.0, Top(rain), Bottom(kind, 0.1), sink)
        into = 1800.0 * (new.infiltration - new.drainage) - new.excess - (1800.0 * sink * dz).sum(0)
        assert torch.allclose(((new.theta - theta) * dz).sum(0), into, rtol=0, atol=1e-12)
        assert (new.infiltration <= rain + 1e-15).all()
        assert torch.isfinite(new.psi).all()
        assert (new.theta <= soil.theta_s + 1e-12).all()
        assert (new.theta >= soil.theta_r - 1e-12).all()
        psi, theta = new.psi, new.theta


def test_water_that_finds_no_room_goes_back_through_the_bottom_and_none_drains_that_is_not_there():
    """Wild columns over water tables, in steps of three hours: Newton's last increment once moved 33 m of water."""
    n, seconds, g = 4000, 10800.0, torch.Generator().manual_seed(3)
    p = parameters(["bare"] * n, ["loam", "silty_clay_loam", "sand", "clay"] * (n // 4))
    soil, dz = p.retention, p.thickness.to(D)
    wet, depth = torch.rand(10, n, generator=g, dtype=D), 20.0 * torch.rand(n, generator=g, dtype=D) ** 2
    theta = soil.theta_r + (soil.theta_s - soil.theta_r) * (0.02 + 0.98 * wet**0.5)
    supply = 1e-6 * (torch.rand(n, generator=g, dtype=D) - 0.3)
    new = richards_step(soil, soil.head(theta), theta, dz, seconds, Top(supply), bottom_of(depth, dz))
    drained = new.drainage * seconds
    kept = ((new.theta - theta) * dz).sum(0) - new.infiltration * seconds + drained + new.excess
    assert kept.abs().max() < 1e-13
    assert torch.minimum(new.excess.clamp(min=0.0), (-drained).clamp(min=0.0)).max() < 1e-13
    assert torch.minimum((-new.excess).clamp(min=0.0), drained.clamp(min=0.0)).max() < 1e-13
    assert drained.abs().max() < (soil.theta_s * dz).sum(0).max()
