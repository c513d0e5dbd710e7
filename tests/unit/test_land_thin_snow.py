# SPDX-License-Identifier: BSD-3-Clause
"""Snow falls by the wet bulb; thin snow melts by the warmth that reaches it, whatever the length of the steps."""

import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.humidity import saturation_humidity
from components.land.column.parameters import parameters
from components.land.column.snow import falling_share, over_layers
from components.science.constants import CP_DRY, LATENT_VAPORISATION

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


def test_snow_falls_by_the_wet_bulb_of_warm_dry_air_too():
    """Against bisection on the psychrometer equation: one Newton step gave rain alone at 10 C and 20 % at 700 hPa."""
    celsius = torch.linspace(-2.0, 20.0, 45, dtype=torch.float64)[:, None]
    share = torch.tensor([0.05, 0.2, 0.4, 0.7, 1.0], dtype=torch.float64)
    for pressure in (7e4, 1e5):
        t, p = (273.15 + celsius).expand(-1, 5), torch.full((45, 5), pressure, dtype=torch.float64)
        q = share * saturation_humidity(t, p)[0]
        low, high = t - 30.0, t
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = CP_DRY * (t - middle) < LATENT_VAPORISATION * (saturation_humidity(middle, p)[0] - q)
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        wanted = torch.clamp(1.0 - 0.5 * (high - 273.15), 0.0, 1.0)
        assert torch.allclose(falling_share(t, q, p), wanted, atol=5e-4)
