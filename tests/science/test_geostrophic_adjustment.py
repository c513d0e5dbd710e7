# SPDX-License-Identifier: BSD-3-Clause
"""Adjustment of a step in the sea level under rotation (Rossby 1938; Gill 1982, section 7.2): the Rossby radius."""

import numpy as np
import pytest

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters
from components.science.constants import GRAVITY


def test_rossby_radius():
    """H = 400 m, f = 1e-4 s-1: the steady level is 1 - exp(-x / R) with R = sqrt(g H) / f = 626 km, within 2 %."""
    depth, f, dx, n = 400.0, 1e-4, 50e3, 480
    period = 2 * np.pi / f
    dt = period / 64
    x = (np.arange(n) - n / 2 + 0.5) * dx
    parameters = Parameters(
        dt=dt, substeps=4, momentum_advection=False, equation_of_state="linear", reference_temperature=10.0, rho0=1000.0
    )
    sea = set_up(
        cartesian(n, 4, dx, dx, f0=f),
        np.full((4, n), depth),
        [depth],
        parameters,
        eta=0.01 * np.sign(x),
        periodic_y=True,
    )
    sea.run(64)  # an inertial period: the front has left
    mean, count = 0.0, 64 * 4
    for _ in range(count):
        sea.run(1)
        mean = mean + sea.own(sea.state.eta)[1] / count
    near = (x > 0) & (x < 1500e3)
    slope = np.polyfit(x[near], np.log(1.0 - mean[near] / 0.01), 1)[0]
    print(f"Rossby radius {-1 / slope / 1e3:.1f} km, exact {np.sqrt(GRAVITY * depth) / f / 1e3:.1f} km")
    assert -1 / slope == pytest.approx(626e3, rel=0.02)
