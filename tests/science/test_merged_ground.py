# SPDX-License-Identifier: BSD-3-Clause
"""A cell of two surfaces radiates as both do: what they emit and their emissivities are merged, not temperatures."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.physics.held_radiation import followed, of_dry_air
from components.atmosphere.nonhydrostatic.physics.sequence import radiating_temperature
from components.radiation import standard_atmosphere
from components.radiation.gray_scheme import completed, gray
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.science.constants import CP_DRY, GRAVITY, STEFAN_BOLTZMANN

WARM, COLD = (290.0, 0.97), (270.0, 0.90)  # temperature (K) and emissivity of the halves


def over(t, emissivity):
    """A standard atmosphere over such a ground, two columns."""
    plane = torch.ones(1, 2, dtype=torch.float64)
    air = standard_atmosphere.columns(24, 0.3 * plane, 1.0)
    return air._replace(t_surface=t * plane, emissivity=emissivity * plane)


def emitted(t, emissivity):
    return emissivity * STEFAN_BOLTZMANN * t**4


def merged():
    e = 0.5 * (emitted(*WARM) + emitted(*COLD))
    emissivity = 0.5 * (WARM[1] + COLD[1])
    return float(radiating_temperature(torch.tensor(e, dtype=torch.float64), emissivity)), emissivity


def test_a_mean_temperature_emits_too_little():
    t, _ = merged()
    black = radiating_temperature(torch.tensor(0.5 * (emitted(290.0, 1.0) + emitted(270.0, 1.0)), dtype=torch.float64))
    assert emitted(float(black), 1.0) - emitted(280.0, 1.0) == pytest.approx(2.67, abs=0.01)  # 6 sigma T^2 10^2
    assert t > 280.0


@pytest.mark.parametrize(("scheme", "tolerance"), [(gray, 1e-12), (Rrtmgp(real=np.float64), 3e-4)])
def test_the_merged_cell_sends_up_what_its_halves_do_and_sees_the_same_sky(scheme, tolerance):
    """Tables of Planck's function by the kelvin keep sigma T^4 to 3e-4; the air on the ground differs with it."""
    sky, parts = scheme(over(*merged())), [scheme(over(*half)) for half in (WARM, COLD)]
    down = sky.longwave_down[0, 0]
    halves = 0.5 * sum(emitted(*half) + (1.0 - half[1]) * down for half in (WARM, COLD))
    assert float(sky.longwave_up[0, 0]) == pytest.approx(float(halves), rel=tolerance)
    mean = 0.5 * (parts[0].outgoing_longwave + parts[1].outgoing_longwave)
    assert float((sky.outgoing_longwave - mean)[0, 0]) == pytest.approx(0.0, abs=0.4)


def test_a_gray_emissivity_is_not_black():
    """(1 - .9) (sigma T^4 - L): what a black ground would send up too much."""
    black, real = gray(over(290.0, 1.0)), gray(over(290.0, 0.9))
    expected = 0.1 * (emitted(290.0, 1.0) - float(black.longwave_down[0, 0]))
    assert float((black.longwave_up - real.longwave_up)[0, 0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scheme", [gray, Rrtmgp(real=np.float64)])
def test_what_enters_at_the_lid_heats_the_air_and_the_ground(scheme):
    """At the call, and after the ground has begun to send up 40 W m-2 more of its own, and 5 of sunlight."""
    air = over(290.0, 0.95)
    water = air.q_v + 1.0e-3
    mass = (air.p_interface[:-1] - air.p_interface[1:]) / (GRAVITY * (1.0 + water))

    def left(sky):
        ground = sky.shortwave_down - sky.shortwave_up + sky.longwave_down - sky.longwave_up
        return float((sky.lid - (CP_DRY * mass * sky.heating).sum(0) - ground).abs().max())

    sky = of_dry_air(completed(scheme(air), air), water)
    later = followed(sky, sky.longwave_up + 40.0, sky.shortwave_up + 5.0, mass)
    assert left(sky) < 1e-9 and left(later) < 1e-9
    escaped = float((later.outgoing_longwave - sky.outgoing_longwave)[0, 0])
    assert 0.0 < escaped < 30.0
    again = followed(later, sky.longwave_up, sky.shortwave_up, mass)
    torch.testing.assert_close(again.heating, sky.heating, rtol=1e-12, atol=1e-18)
