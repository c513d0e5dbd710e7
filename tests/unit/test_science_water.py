# SPDX-License-Identifier: BSD-3-Clause
"""Saturation and humidity, once for all realms: tables, slopes, where water and ice meet, numpy and torch alike."""

import numpy as np
import pytest
import torch

from components.science import water
from components.science.constants import EPSILON_VAPOUR, FREEZING_POINT

P = 9.0e4


@pytest.mark.parametrize(("celsius", "pascal"), [(-20.0, 125.63), (0.0, 611.15), (10.0, 1228.0), (25.0, 3169.9)])
def test_over_water_as_in_the_tables(celsius, pascal):
    """IAPWS (Wagner & Pruss 2002) and, supercooled, Murphy & Koop (2005): within .3 %."""
    assert water.saturation_pressure(FREEZING_POINT + celsius) == pytest.approx(pascal, rel=3e-3)


@pytest.mark.parametrize(("celsius", "pascal"), [(-60.0, 1.0813), (-40.0, 12.84), (-20.0, 103.24), (0.0, 611.15)])
def test_over_ice_as_in_the_tables(celsius, pascal):
    """IAPWS (Wagner et al. 2011), within .6 %."""
    assert water.saturation_pressure_ice(FREEZING_POINT + celsius) == pytest.approx(pascal, rel=6e-3)


def test_a_mixture_is_water_above_freezing_ice_in_the_cold_and_between_in_between():
    t = FREEZING_POINT + np.array([-40.0, -23.0, -11.5, 0.0, 20.0])
    wet, icy, mixed = water.saturation_pressure(t), water.saturation_pressure_ice(t), water.saturation_pressure_mixed(t)
    np.testing.assert_array_equal(mixed[:2], icy[:2])
    np.testing.assert_allclose(mixed[3:], wet[3:], rtol=1e-15)
    assert mixed[2] == pytest.approx(icy[2] + 0.25 * (wet[2] - icy[2]), rel=1e-14)
    assert wet[3] == icy[3], "both meet at 0 C"


@pytest.mark.parametrize(
    ("pressure", "growing"),
    [(water.saturation_pressure, water.growth), (water.saturation_pressure_ice, water.growth_ice)],
)
def test_slopes_are_those_of_the_values(pressure, growing):
    t, step = np.linspace(230.0, 313.0, 30), 1e-3
    finite = (np.log(pressure(t + step)) - np.log(pressure(t - step))) / (2 * step)
    np.testing.assert_allclose(growing(t), finite, rtol=1e-7)
    q = [water.specific_humidity(pressure(t + d), P) for d in (-step, step)]
    np.testing.assert_allclose(water.humidity_slope(pressure(t), growing(t), P), (q[1] - q[0]) / (2 * step), rtol=1e-6)


def test_humidities_convert_into_each_other():
    e = np.array([1.0, 500.0, 4000.0])
    r, q = water.mixing_ratio(e, P), water.specific_humidity(e, P)
    np.testing.assert_allclose(q, r / (1.0 + r), rtol=1e-14)
    np.testing.assert_allclose(water.vapour_pressure(q, P), e, rtol=1e-14)
    assert EPSILON_VAPOUR == pytest.approx(0.622, rel=1e-4)


def test_torch_agrees_with_numpy():
    t = np.linspace(230.0, 313.0, 30)
    for function in (water.saturation_pressure, water.saturation_pressure_ice, water.saturation_pressure_mixed):
        np.testing.assert_allclose(function(torch.tensor(t)).numpy(), function(t), rtol=1e-14)
