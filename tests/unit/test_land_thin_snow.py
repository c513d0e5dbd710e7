# SPDX-License-Identifier: BSD-3-Clause
"""Thin snow melts by the warmth that reaches it, whatever the length of the steps."""

import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.parameters import parameters
from components.land.column.snow import over_layers

D = torch.float64


def left(seconds, hours=6, warm=282.0, mass=3.0):
    """Snow left of ``mass`` kg m-2 on soil and under air of ``warm`` K, and the worst residuals of heat and water."""
    x = torch.ones(1, dtype=D)
    p = parameters(["bare"], ["loam"])
    state = initial_state(p, warm * x, 0.5, mass * x)
    light = torch.zeros(2, 1, dtype=D)
    forcing = Forcing(
        warm * x, 0.006 * x, 1e5 * x, 3.0 * x, 10.0 * x, light, light, 330.0 * x, 0.0 * x, 0.0 * x, 400.0 * x,
        -0.5 * x, 0.0 * x, 0.0 * x,
    )  # fmt: skip
    heat = water = 0.0
    with torch.no_grad():
        for _ in range(round(hours * 3600 / seconds)):
            state, out = step(state, forcing, p, seconds, Options())
            heat = max(heat, out.ground_residual.abs().item(), out.energy_residual.abs().item())
            water = max(water, out.water_residual.abs().item())
    return over_layers(state.snow.ice).item(), heat, water


def test_melt_does_not_wait_for_more_steps():
    """Conduction alone let the heat pass: 2.71, 2.22 and 1.06 kg m-2 of 3 were left after six hours at 9 C."""
    for seconds, most in ((10800.0, 0.8), (3600.0, 1e-6), (900.0, 1e-6)):
        snow, heat, water = left(seconds)
        assert snow <= most, (seconds, snow)
        assert heat < 1e-6 and water < 1e-9


def test_cold_soil_melts_nothing():
    snow, heat, _ = left(1800.0, warm=270.0)
    assert snow == 3.0 and heat < 1e-6
