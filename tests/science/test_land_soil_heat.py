# SPDX-License-Identifier: BSD-3-Clause
"""Soil heat: damping of the diurnal wave and Stefan's freezing front, against their analytic solutions."""

import math

import pytest
import torch

from components.land.column.heat import (
    bulk_phase_change,
    ground_response,
    ground_temperature,
    ice_suction,
    soil_phase_change,
    surface_for_flux,
    unfrozen_water,
)

D = torch.float64


def conduct(t, c, r, dt, surface):
    ground = ground_response(t, c, r, dt)
    return ground_temperature(ground, c, r, t, dt, surface)


def test_diurnal_wave_is_damped_and_delayed():
    """k 1 W/m/K, C 2e6 J/m3/K: depth sqrt(2k/(C w)) .1173 m; at .1 m amplitude .4262, lag 11726 s."""
    k, cv, dz, dt, day = 1.0, 2e6, 0.01, 120.0, 86400.0
    omega, n = 2 * math.pi / day, 80
    z = (torch.arange(n, dtype=D)[:, None] + 0.5) * dz
    depth = math.sqrt(2 * k / (cv * omega))
    t = 290.0 + torch.exp(-z / depth) * torch.sin(-z / depth)
    c, r = torch.full((n, 1), cv * dz, dtype=D), torch.full((n, 1), dz / k, dtype=D)
    at, steps = [], round(day / dt)
    for i in range(2 * steps):
        time = (i + 1) * dt
        t, _ = conduct(t, c, r, dt, torch.tensor([290.0 + math.sin(omega * time)], dtype=D))
        if i >= steps:
            at.append((time, 0.5 * (t[9, 0] + t[10, 0]).item() - 290.0))
    sine = 2 / steps * sum(v * math.sin(omega * x) for x, v in at)
    cosine = 2 / steps * sum(v * math.cos(omega * x) for x, v in at)
    amplitude, lag = math.hypot(sine, cosine), math.atan2(-cosine, sine) / omega
    assert amplitude == pytest.approx(0.4262, rel=0.01)
    assert lag == pytest.approx(11726.0, rel=0.01)
    assert 0.1 / -math.log(amplitude) == pytest.approx(0.1173, rel=0.01)


def test_stefan_freezing_front():
    """Water at 0 C under -10 C: .3487 m of ice after 10 days (Carslaw and Jaeger 1959, 11.2), 3 %."""
    dz, dt, n = 0.01, 600.0, 60
    t = torch.full((n, 1), 273.15, dtype=D)
    liquid, ice = torch.full((n, 1), 917.0 * dz, dtype=D), torch.zeros(n, 1, dtype=D)
    c, r = torch.full((n, 1), 917.0 * 2100.0 * dz, dtype=D), torch.full((n, 1), dz / 2.2, dtype=D)
    top = torch.tensor([263.15], dtype=D)
    heat = 0.0
    for _ in range(1440):
        t, g = conduct(t, c, r, dt, top)
        t, liquid, ice = bulk_phase_change(t, liquid, ice, c)
        heat += g.item() * dt
    assert ice.sum().item() / 917.0 == pytest.approx(0.3487, rel=0.03)
    stored = (c * (t - 273.15)).sum() - 3.34e5 * ice.sum()
    assert stored.item() == pytest.approx(heat, rel=1e-10)


def test_soil_phase_change_finds_the_equilibrium_and_keeps_energy():
    gen = torch.Generator().manual_seed(0)
    u = torch.rand(6, 500, dtype=D, generator=gen)
    t, pore = 255 + 25 * u[0], 40 + 5 * u[5]
    liquid = pore * u[1] * 0.9
    ice = (pore - liquid) * u[2] * 0.9
    c, psi, b = 2e5 + 2e5 * u[3], 0.1 + 0.5 * u[4], 4 + 6 * u[5]
    new = soil_phase_change(t, liquid, ice, c, pore, psi, b, iterations=40)
    before, after = c * (t - 273.15) - 3.34e5 * ice, c * (new.temperature - 273.15) - 3.34e5 * new.ice
    assert torch.allclose(before, after, rtol=1e-12)
    assert torch.allclose(new.liquid + new.ice, liquid + ice, rtol=1e-14)
    frozen = new.ice > 1e-6
    assert frozen.sum() > 100
    most = unfrozen_water(new.temperature, pore, psi, b)
    assert torch.allclose(most[frozen], new.liquid[frozen], rtol=1e-5)
    assert (new.liquid[~frozen] <= most[~frozen] * (1 + 1e-6)).all()
    assert (new.ice >= 0).all()
    assert (new.liquid >= 0).all()


def test_water_beside_ice_is_held_as_firmly_as_the_retention_curve_says_of_what_is_unfrozen():
    """psi_s (w / pore)^-b of the water that does not freeze: 125 m of suction a kelvin (Clausius and Clapeyron)."""
    t = torch.tensor([274.0, 273.15, 272.15, 263.15], dtype=D)
    psi_s, b, pore = 0.3, torch.full((4,), 6.0, dtype=D), 40.0
    suction = ice_suction(t)
    assert suction[:2].tolist() == [0.0, 0.0]
    assert suction[2:].tolist() == pytest.approx([124.6, 1246.0], rel=5e-3)
    left = unfrozen_water(t, torch.full_like(t, pore), torch.full_like(t, psi_s), b)
    assert torch.allclose(psi_s * (left / pore)[2:] ** -6.0, suction[2:], rtol=1e-12)


def test_empty_layers_change_nothing():
    t = torch.tensor([[270.0], [280.0], [281.0]], dtype=D)
    c, r = torch.tensor([[1e5], [2e5], [3e5]], dtype=D), torch.tensor([[0.1], [0.2], [0.3]], dtype=D)
    top = torch.tensor([275.0], dtype=D)
    dense, g = conduct(t, c, r, 1800.0, top)
    pad = [0, 0, 1, 0, 2]
    on = torch.tensor([[0.0], [1.0], [1.0], [0.0], [1.0]], dtype=D)
    full, g2 = conduct(t[pad], c[pad] * on, r[pad] * on, 1800.0, top)
    assert torch.allclose(g, g2, rtol=1e-13)
    assert torch.allclose(full[[1, 2, 4]], dense, rtol=1e-13)
    ground = ground_response(t, c, r, 1800.0)
    assert torch.allclose(surface_for_flux(ground, g), top, rtol=1e-13)
    stored = (c * (dense - t)).sum() / 1800.0
    assert stored.item() == pytest.approx(g.item(), rel=1e-12)
