# SPDX-License-Identifier: BSD-3-Clause
"""Spectral nudging keeps the large scales of the interior near the driver and leaves the small ones alone."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.dynamics.lateral import low_pass
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from tests.mpi.atmosphere_ranks import context, surface

DRIVER = "data/atmosphere/era5_tl31_19590102T00.nc"


def test_low_pass_keeps_long_waves_and_removes_short_ones():
    y, x = (np.arange(40) + 0.5)[:, None] / 40, (np.arange(60) + 0.5)[None, :] / 60
    long, short = np.cos(2 * np.pi * y) * np.cos(3 * np.pi * x), np.cos(20 * np.pi * y) * np.cos(2 * np.pi * x)
    # 100 km cells: the long wave has 4000 km, the short one 400 km
    np.testing.assert_allclose(low_pass(long + short, 1e5, 1e5, 1.5e6), long, atol=1e-12)
    np.testing.assert_allclose(low_pass(np.full((40, 60), 7.0), 1e5, 1e5, 1.5e6), 7.0, rtol=1e-12)


def wind_difference(shared, hours, step, nudging, **size):
    """RMS of model minus driver wind at scales above 1500 km above 3 km, m/s.

    And of the smaller scales of the model.
    """
    c = context(step=step, **size)
    air = NonhydrostaticAtmosphere(
        NonhydrostaticAtmosphere.Options(
            driver=[str(shared / DRIVER)],
            radiation="none",
            microphysics="none",
            convection="none",
            nudging_wavelength=nudging,
            nudging_time="PT3H",
        )
    )
    exports = air.initialize(c)
    for n in range(hours * 3600 // step):
        exports = air.step(n * step, step, surface(c, exports))
    model, goal = (centre_wind(air.geometry, s) for s in (air.s, air.driver.state(0.0)))
    k = air.geometry.z[:, 4, 4] > 3000.0
    large, small = 0.0, 0.0
    for a, b in zip(model, goal, strict=True):
        a, b = a[k].double().numpy(), b[k].double().numpy()
        dx = size.get("dx", 200e3)
        large += (low_pass(a - b, dx, dx, 1.5e6)[:, 5:-5, 5:-5] ** 2).mean()
        small += ((a - low_pass(a, dx, dx, 1.5e6))[:, 5:-5, 5:-5] ** 2).mean()
    return np.sqrt(large), np.sqrt(small)


def test_nudging_halves_the_difference_of_the_large_scales_in_ten_hours_at_200_km(shared):
    free, small_free = wind_difference(shared, 10, 600, 0.0)
    held, small_held = wind_difference(shared, 10, 600, 1.5e6)
    print("RMS difference above 1500 km:", free, "free,", held, "nudged; smaller scales", small_free, small_held)
    assert held < 0.5 * free
    assert small_held > 0.7 * small_free


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_nudging_halves_the_difference_of_the_large_scales_in_two_days_at_50_km(shared):
    size = {"nx": 128, "ny": 92, "dx": 50e3}
    free, _ = wind_difference(shared, 48, 240, 0.0, **size)
    held, _ = wind_difference(shared, 48, 240, 1.5e6, **size)
    print("50 km, 48 h:", free, "free,", held, "nudged")
    assert held < 0.5 * free
