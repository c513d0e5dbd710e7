# SPDX-License-Identifier: BSD-3-Clause
"""The slab land: equilibrium, stability at an hour, limits of stability functions, closure of heat and water."""

import numpy as np
import pytest
import yaml

from components.land.energy_balance import Air, solve
from components.land.slab.bucket import snow_albedo, water_balance, wetness
from components.science.constants import LATENT_FUSION, LATENT_VAPORISATION, STEFAN_BOLTZMANN
from components.science.surface_layer import bulk_richardson, transfer_coefficients
from coupler.paths import NAMELISTS


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


def clear_day(ground):
    """Temperature (n,) at the end of each ten minutes of the fifth clear day in June at 40 N, air of 295 K.

    ``ground(temperature, forcing)`` is a step.
    """
    day, t = [], None
    for n in range(5 * 144):
        angle = 2.0 * np.pi * ((n + 0.5) / 144.0 - 0.5)
        height = np.sin(np.radians(40.0)) * np.sin(np.radians(23.0))
        height += np.cos(np.radians(40.0)) * np.cos(np.radians(23.0)) * np.cos(angle)
        sun = 1000.0 * max(height, 0.0)
        t = ground(t, air(1, temperature=295.0, humidity=0.01, speed=3.0, pressure=1e5, shortwave=sun, longwave=340.0))
        day.append(t)
    return np.array(day[-144:])


def slab_of(capacity):
    return lambda t, forcing: solve(
        np.array([290.0]) if t is None else np.array([t]), forcing, 0.3, 50.0, 0.18, 0.97, 0.1, capacity, 10.0, 600.0
    )[0][0]  # fmt: skip


def soil_of(conductivity, heat):
    """Layers of soil (W m-1 K-1, J m-3 K-1), from a centimetre to two metres downwards; conduction is implicit."""
    depth = 0.01 * 1.2 ** np.arange(21)
    between = 2.0 * conductivity / (depth[1:] + depth[:-1])
    stiff = np.diag(heat * depth / 600.0)
    for k, g in enumerate(between):
        stiff[k : k + 2, k : k + 2] += g * np.array([[1.0, -1.0], [-1.0, 1.0]])
    state = {"t": np.full(depth.size, 290.0)}

    def step(_, forcing):
        t = state["t"]
        top, _ = solve(t[:1], forcing, 0.3, 50.0, 0.18, 0.97, 0.1, heat * depth[0], 10.0, 600.0)
        state["t"] = np.linalg.solve(stiff, heat * depth / 600.0 * np.concatenate([top, t[1:]]))
        return state["t"][0]

    return step


def test_the_ground_under_the_chemistry_is_warm_and_cold_when_soil_is():
    """Half a metre of soil, the default, warms the air two hours late, when works and traffic have long begun.

    The day's range is 1.3 to 1.5 times that of soil, as one layer has nothing below it that gives heat at night.
    """
    template = yaml.safe_load((NAMELISTS / "templates/east_asia_chemistry/land.yaml").read_text())["slab"]
    soils = [clear_day(soil_of(k, c)) for k, c in ((0.6, 1.5e6), (1.0, 2.0e6), (1.5, 2.8e6))]
    ours, default = clear_day(slab_of(template["heat_capacity"])), clear_day(slab_of(1.0e6))
    range_, warmest, begins = np.transpose(
        [(np.ptp(t), np.argmax(t) / 6.0, np.argmax(t > 295.0) / 6.0) for t in (*soils, ours, default)]
    )
    print("range (K):", range_, "warmest (h):", warmest, "warmer than the air from (h):", begins)
    assert np.abs(warmest[3] - warmest[:3]).max() <= 0.5 and (warmest[4] - warmest[:3]).min() > 1.0
    assert np.abs(begins[3] - begins[:3]).max() <= 0.5 and (begins[4] - begins[:3]).min() > 1.5
    assert (range_[3] / range_[:3]).max() < 1.6
