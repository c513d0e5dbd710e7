# SPDX-License-Identifier: BSD-3-Clause
"""What stations see at ten metres under the middle of a thick lowest layer."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from components.chemistry.regional import near_ground
from components.chemistry.regional.deposition import dry
from components.chemistry.regional.deposition.land_cover import one_use
from components.science.constants import CP_DRY, GRAVITY, VON_KARMAN

ONE = torch.ones((1, 1), dtype=torch.float64)
COVER = one_use("agriculture", ONE > 0.0, torch.float64)


def ground(wind, warmer, height=60.0):
    """Air over fields whose surface is so much warmer, K."""
    air, none = 290.0 * ONE, 0.0 * ONE
    surface = air + warmer + GRAVITY / CP_DRY * height
    lowest = (air, 1.0e5 * ONE, 1.2 * ONE)
    return dry.Ground(wind * ONE, height * ONE, *lowest, surface, none, none, ONE.long(), COVER)


@pytest.mark.parametrize(("wind", "warmer"), [(5.0, 2.0), (5.0, 0.0), (5.0, -1.0), (2.0, -5.0)])
def test_the_resistance_is_the_integral_of_the_profile_of_heat(wind, warmer):
    """phi_h = 1 + 5 z/L in stable air, up to z/L = 1 at the top, (1 - 16 z/L)^-1/2 in unstable air (Dyer 1974)."""
    g = ground(wind, warmer)
    _, u_star = g.turbulence(near_ground.TOWN)
    at_top = min(float(g.stability(near_ground.TOWN)), 1.0)
    assert np.sign(round(at_top, 9)) == -np.sign(warmer)

    def phi(z):
        s = at_top * z / 60.0
        return 1.0 + 5.0 * s if s > 0.0 else (1.0 - 16.0 * s) ** -0.5

    integral = quad(lambda z: phi(z) / (VON_KARMAN * float(u_star) * z), near_ground.HEIGHT, 60.0)[0]
    assert float(near_ground.resistance(g)) == pytest.approx(integral, rel=1e-9)


def test_a_lowest_layer_at_ten_metres_is_what_stations_see():
    g = ground(3.0, 1.0, height=10.0)
    assert float(near_ground.resistance(g)) == 0.0
    assert float(near_ground.brought_down(2.0 * ONE, 0.3, 0.01, near_ground.resistance(g))) == 2.0


def test_what_is_deposited_is_less_and_what_is_emitted_is_more_near_the_ground():
    """By flux times resistance."""
    between = 40.0 * ONE
    assert float(near_ground.brought_down(50.0 * ONE, 0.0, 0.004, between)) == pytest.approx(50.0 * (1.0 - 0.16))
    assert float(near_ground.brought_down(10.0 * ONE, 0.3, 0.0, between)) == pytest.approx(22.0)


def seen(nitric, ozone, dioxide, emitted=0.3):
    lowest = {"NO": nitric * ONE, "O3": ozone * ONE, "NO2": dioxide * ONE, "CO": 300.0 * ONE}
    got = near_ground.gases(lowest, {"NO": emitted * ONE}, {}, 40.0 * ONE)
    return {name: float(a) for name, a in got.items()}


def test_at_night_what_is_emitted_becomes_dioxide_and_ozone_goes():
    """12 ppb of nitric oxide more: all of it has reacted."""
    got = seen(0.0, 50.0, 10.0)
    assert got == pytest.approx({"NO": 0.0, "O3": 38.0, "NO2": 22.0, "CO": 300.0})
    got = seen(0.0, 5.0, 10.0)  # where it is more than the ozone, that is gone
    assert got == pytest.approx({"NO": 7.0, "O3": 0.0, "NO2": 15.0, "CO": 300.0})


def test_by_day_the_balance_is_that_of_the_layer_and_the_sums_stay():
    nitric, ozone, dioxide = 2.0, 60.0, 12.0
    got = seen(nitric, ozone, dioxide)
    assert got["NO"] * got["O3"] / got["NO2"] == pytest.approx(nitric * ozone / dioxide)
    assert got["NO"] + got["NO2"] == pytest.approx(nitric + dioxide + 12.0)
    assert got["O3"] + got["NO2"] == pytest.approx(ozone + dioxide)
    assert got["NO"] > nitric and got["NO2"] > dioxide and got["O3"] < ozone


def test_where_nothing_is_nothing_is_seen():
    assert seen(0.0, 0.0, 0.0, emitted=0.0) == {"NO": 0.0, "O3": 0.0, "NO2": 0.0, "CO": 300.0}
