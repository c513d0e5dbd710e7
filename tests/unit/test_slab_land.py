# SPDX-License-Identifier: BSD-3-Clause
"""The slab land: equilibrium, stability at an hour, limits of stability functions, closure of heat and water."""

import numpy as np
import pytest

from components.land.energy_balance import Air, solve
from components.land.slab.bucket import snow_albedo, water_balance, wetness
from components.science.constants import LATENT_FUSION, LATENT_VAPORISATION, STEFAN_BOLTZMANN
from components.science.surface_layer import bulk_richardson, transfer_coefficients


def air(n, seed=0, **given):
    """Random weather, or what is given."""
    rng = np.random.default_rng(seed)
    u, v = rng.normal(0.0, 4.0, n), rng.normal(0.0, 4.0, n)
    values = {
        "temperature": rng.uniform(230.0, 310.0, n),
        "humidity": rng.uniform(1e-4, 0.015, n),
        "eastward_wind": u,
        "northward_wind": v,
        "speed": np.hypot(u, v) + rng.uniform(0.0, 3.0, n),
        "pressure": rng.uniform(5.5e4, 1.03e5, n),
        "shortwave": rng.uniform(0.0, 900.0, n),
        "longwave": rng.uniform(120.0, 430.0, n),
    }
    return Air(**{name: np.full(n, given[name]) if name in given else values[name] for name in values})


def test_dry_calm_equilibrium_is_radiative_and_turbulent_balance():
    """After many steps no heat enters: (1 - a) S + e L = e sigma T^4 + H, for any step length."""
    forcing = air(1, temperature=285.0, shortwave=400.0, longwave=300.0, speed=1.0, pressure=1e5)
    ends = []
    for seconds in (600.0, 3600.0, 86400.0):
        t = np.array([285.0])
        for _ in range(3000):
            t, fluxes = solve(t, forcing, 0.0, 0.0, 0.2, 0.95, 0.1, 1.0e6, 10.0, seconds)
        ends.append(t[0])
        balance = 0.8 * 400.0 + 0.95 * (300.0 - STEFAN_BOLTZMANN * t[0] ** 4) + fluxes.sensible[0]
        assert abs(balance) < 1e-9 and abs(fluxes.net[0]) < 1e-9
    np.testing.assert_allclose(ends, ends[0], rtol=1e-12)


def test_linear_decay_converges_at_first_order():
    """Cooling by night, against a run with steps of 15 s."""
    forcing = air(1, temperature=280.0, shortwave=0.0, longwave=250.0, speed=2.0, pressure=1e5, humidity=0.005)

    def end(seconds):
        t = np.array([300.0])
        for _ in range(round(86400 / seconds)):
            t, _ = solve(t, forcing, 0.0, 0.0, 0.2, 0.95, 0.1, 1.0e6, 10.0, seconds)
        return t[0]

    reference = end(15.0)
    errors = np.array([abs(end(s) - reference) for s in (3600.0, 1800.0, 900.0)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 1.0, atol=0.1)


def test_stable_at_an_hour_with_little_heat_capacity():
    """Explicit hourly steps blow up with 1e4 J m-2 K-1; these overshoot the radiative limit (383 K) by at most 17."""
    rng = np.random.default_rng(5)
    n = 300
    t = np.full(n, 280.0)
    for hour in range(240):
        forcing = air(n, seed=hour)
        t, _ = solve(t, forcing, rng.uniform(0, 1, n), np.full(n, 5.0), 0.2, 0.95, 0.1, 1.0e4, 10.0, 3600.0)
        assert (t > 190.0).all() and (t < 400.0).all()


def test_heat_and_water_are_closed():
    """d(C T - L_f snow) = net flux, d(soil + snow) = P - E - runoff, to 1e-12 of what has passed."""
    rng = np.random.default_rng(7)
    n, capacity, c = 400, 150.0, 8.0e5
    t, soil, snow = rng.uniform(250.0, 300.0, n), rng.uniform(0.0, 150.0, n), np.zeros(n)
    heat0, water0 = c * t - LATENT_FUSION * snow, soil + snow
    heat, water, moved = np.zeros(n), np.zeros(n), np.zeros(n)
    for hour in range(500):
        forcing = air(n, seed=hour)
        rain = rng.uniform(0.0, 2e-4, n) * (rng.random(n) < 0.3) * 3600.0
        t, fluxes = solve(
            t, forcing, wetness(soil, snow, capacity), soil + snow, snow_albedo(snow, 0.18, 0.6, 10.0), 0.97, 0.1, c,
            10.0, 3600.0,
        )  # fmt: skip
        evaporated = fluxes.evaporation * 3600.0
        soil, snow, t, runoff = water_balance(soil, snow, t, rain, evaporated, forcing.temperature, capacity, c)
        assert (soil >= -1e-9).all() and (soil <= capacity).all() and (snow >= 0.0).all() and (runoff >= 0.0).all()
        heat += 3600.0 * fluxes.net
        water += rain - evaporated - runoff
        moved += 3600.0 * np.abs(fluxes.net)
        np.testing.assert_allclose(fluxes.latent, -LATENT_VAPORISATION * fluxes.evaporation, rtol=1e-14)
    assert (snow > 0.0).any() and (soil == 0.0).sum() < n
    assert (np.abs(c * t - LATENT_FUSION * snow - heat0 - heat) / (moved + c * 300.0)).max() < 1e-12
    assert (np.abs(soil + snow - water0 - water) / (water0 + 150.0)).max() < 1e-11


def test_exchange_is_neutral_at_zero_richardson_and_ordered_beside_it():
    ri = np.array([-1.0, -1e-12, 0.0, 1e-12, 1.0])
    c_m, c_h = transfer_coefficients(ri, 10.0, 0.1)
    neutral = (0.4 / np.log(100.0)) ** 2
    np.testing.assert_allclose(c_m[1:4], neutral, rtol=1e-6)
    np.testing.assert_allclose(c_h[1:4], neutral, rtol=1e-6)
    assert c_h[0] > c_m[0] > neutral > c_m[4] > c_h[4] > 0.0
    assert bulk_richardson(290.0, 280.0, 5.0, 10.0) > 0.0


def test_bucket_overflows_snow_melts_and_wetness_is_manabes():
    soil, snow, t, runoff = water_balance(140.0, 0.0, 290.0, 30.0, 5.0, 290.0, 150.0, 1e6)
    assert (soil, snow, runoff) == (150.0, 0.0, 15.0) and t == 290.0
    soil, snow, t, _ = water_balance(10.0, 5.0, 275.15, 0.0, 0.0, 275.0, 150.0, 1.0e6)
    assert snow == 0.0 and soil == 15.0 and t == pytest.approx(275.15 - 5.0 * LATENT_FUSION / 1e6)
    assert wetness(75.0, 0.0, 150.0) == pytest.approx(75.0 / 112.5)
    assert wetness(120.0, 0.0, 150.0) == 1.0 and wetness(0.0, 3.0, 150.0) == 1.0
