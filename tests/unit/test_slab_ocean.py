# SPDX-License-Identifier: BSD-3-Clause
"""The mixed layer: analytic solutions of heat and currents, and closure of its heat."""

import numpy as np
import pytest

from components.ocean.slab.inertial import accelerate, propagator, take_in_resting_water
from components.ocean.slab.mixed_layer import (
    FREEZING,
    RHO_CP,
    change_thickness,
    exchange_heat,
    ice_thickness,
    penetrating_fraction,
    stored_heat,
)
from components.science.constants import EARTH_ROTATION, ICE_DENSITY, LATENT_FUSION, SEA_WATER_DENSITY

DAY = 86400


def test_constant_heating_warms_linearly():
    temperature, latent = np.full((3, 4), 290.0), np.zeros((3, 4))
    for _ in range(24 * 30):
        temperature, latent = exchange_heat(temperature, latent, -150.0 * 3600.0, 50.0)
    np.testing.assert_allclose(temperature, 290.0 - 150.0 * 30 * 86400 / (RHO_CP * 50.0), rtol=1e-12)


def test_restoring_flux_decays_exponentially_and_converges_at_first_order():
    """Q = -lambda (T - T_a): T - T_a = exp(-lambda t / rho c h)."""
    errors = []
    for seconds in (14400.0, 7200.0, 3600.0):
        temperature, latent = np.array([295.0]), np.zeros(1)
        for _ in range(round(60 * 86400 / seconds)):
            heat = -40.0 * (temperature - 285.0) * seconds
            temperature, latent = exchange_heat(temperature, latent, heat, 30.0)
        exact = 285.0 + 10.0 * np.exp(-40.0 * 60 * 86400 / (RHO_CP * 30.0))
        errors.append(abs(temperature[0] - exact))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, 1.0, atol=0.02)


def test_freezing_stops_at_the_freezing_point_and_is_paid_back():
    temperature, latent = np.array([FREEZING + 0.5]), np.zeros(1)
    content = RHO_CP * 20.0 * 0.5
    temperature, latent = exchange_heat(temperature, latent, -content - 1.0e8, 20.0)
    assert temperature[0] == FREEZING
    assert latent[0] == pytest.approx(-1.0e8, rel=1e-9)
    assert ice_thickness(latent)[0] == pytest.approx(1.0e8 / (ICE_DENSITY * LATENT_FUSION), rel=1e-9)
    temperature, latent = exchange_heat(temperature, latent, 0.4e8, 20.0)
    assert temperature[0] == FREEZING and latent[0] == pytest.approx(-0.6e8, rel=1e-9)
    temperature, latent = exchange_heat(temperature, latent, 0.6e8 + content, 20.0)
    assert latent[0] == 0.0 and temperature[0] == pytest.approx(FREEZING + 0.5, abs=1e-6)


def test_deepening_mixes_and_shoaling_leaves_the_temperature():
    temperature, below = change_thickness(np.array([290.0]), np.zeros(1), 50.0, 60.0, 0.8)
    assert temperature[0] == pytest.approx((50.0 * 290.0 + 10.0 * 289.2) / 60.0, rel=1e-14)
    shoal, _ = change_thickness(temperature, below, 60.0, 40.0, 0.8)
    assert shoal[0] == temperature[0]


def test_heat_is_closed_with_moving_layer_light_and_ice():
    """Stored heat changes by the heat through the surface, to 1e-12 of what has passed."""
    rng = np.random.default_rng(1)
    n = 500
    temperature, latent, below = rng.uniform(FREEZING, 303.0, n), np.zeros(n), np.zeros(n)
    thickness = rng.uniform(10.0, 200.0, n)
    start = stored_heat(temperature, latent, below, thickness)
    entered, passed = np.zeros(n), np.zeros(n)
    for _ in range(1000):
        new = np.clip(thickness + rng.normal(0.0, 1.0, n), 10.0, 200.0)
        temperature, below = change_thickness(temperature, below, thickness, new, 0.8)
        thickness = new
        heat, light = 3600.0 * rng.normal(-100.0, 300.0, n), 3600.0 * rng.uniform(0.0, 300.0, n)
        through = light * penetrating_fraction(thickness)
        temperature, latent = exchange_heat(temperature, latent, heat - through, thickness)
        below = below + through
        entered += heat
        passed += np.abs(heat)
    assert (latent < 0.0).any() and (latent == 0.0).any()
    change = stored_heat(temperature, latent, below, thickness) - start
    scale = np.maximum(passed, RHO_CP * 200.0 * 30.0)
    assert (np.abs(change - entered) / scale).max() < 1e-12


def test_light_at_the_surface_and_in_the_deep():
    assert penetrating_fraction(0.0) == pytest.approx(1.0)
    assert penetrating_fraction(np.array([23.0]))[0] == pytest.approx(0.42 * np.exp(-1.0), rel=1e-6)
    assert (np.diff(penetrating_fraction(np.linspace(0.0, 200.0, 50))) < 0.0).all()


def test_a_slab_without_wind_turns_at_the_inertial_period_and_decays():
    """Pollard and Millard (1970): z(t) = z0 exp(-(r + i f) t), here against the complex exponential itself."""
    latitude, days = np.array([-30.0, 0.0, 15.0, 40.0, 65.0]), 10
    r, f = 1.0 / (4 * DAY), 2.0 * EARTH_ROTATION * np.sin(np.radians(latitude))
    step = propagator(latitude, 3600.0, 4 * DAY)
    u, v, zero = np.full(5, 0.3), np.full(5, -0.1), np.zeros(5)
    for _ in range(24 * days):
        u, v = accelerate(u, v, zero, zero, 40.0, step)
    exact = (0.3 - 0.1j) * np.exp(-(r + 1j * f) * days * DAY)
    np.testing.assert_allclose(u + 1j * v, exact, rtol=1e-12)


def test_wind_that_sets_in_gives_the_damped_inertial_oscillation_about_the_ekman_transport():
    """From rest z = tau / (rho h s) (1 - exp(-s t)), s = r + i f, for any length of the step."""
    latitude, stress = np.array([0.0, 10.0, 35.0, -50.0]), 0.1 + 0.05j
    s = 1.0 / (4 * DAY) + 2j * EARTH_ROTATION * np.sin(np.radians(latitude))
    exact = stress / (SEA_WATER_DENSITY * 50.0 * s) * (1.0 - np.exp(-s * 3 * DAY))
    for seconds in (600.0, 3600.0, 21600.0, 86400.0):
        step = propagator(latitude, seconds, 4 * DAY)
        u, v = np.zeros(4), np.zeros(4)
        for _ in range(round(3 * DAY / seconds)):
            u, v = accelerate(u, v, 0.1, 0.05, 50.0, step)
        np.testing.assert_allclose(u + 1j * v, exact, rtol=2e-12)
    for _ in range(200):
        u, v = accelerate(u, v, 0.1, 0.05, 50.0, step)
    # after that the transport is Ekman's (1905), to the right of the wind in the north, less the damping
    transport = 50.0 * (u + 1j * v)[2]
    ekman = stress / (SEA_WATER_DENSITY * 1j * s[2].imag)
    assert abs(transport - ekman) < 1.01 * abs(s[2].real / s[2].imag) * abs(ekman)
    assert transport.real > 0.0 > transport.imag


def test_a_deepening_layer_keeps_its_momentum_and_a_shoaling_one_its_speed():
    u, v = take_in_resting_water(np.array([0.4, 0.4]), np.array([-0.2, -0.2]), 50.0, np.array([80.0, 30.0]))
    np.testing.assert_allclose(u, [0.4 * 50 / 80, 0.4], rtol=1e-15)
    np.testing.assert_allclose(v, [-0.2 * 50 / 80, -0.2], rtol=1e-15)
