# SPDX-License-Identifier: BSD-3-Clause
"""Heat and water that cross from realm to realm mean the same on both sides (docs/coupling.md)."""

import numpy as np
import pytest
import torch

from components.land.column.column import Options, heat_stored, initial_state, step
from components.land.column.water_heat import move_soil_water
from components.science.constants import C_LIQUID, FREEZING_POINT, LATENT_FUSION, LATENT_VAPORISATION
from tests.unit.test_land_column import COLUMNS, weather, world


@pytest.mark.parametrize("seconds", [300.0, 3600.0])
@pytest.mark.parametrize("start", [262.0, 274.0])
def test_the_lands_latent_heat_is_that_of_its_vapour_and_its_ice(start, seconds):
    """Flux = L0 evaporation + L_f sublimation; the stores lose L0 a kilogram of vapour and L_f a kilogram of snow."""
    gen = torch.Generator().manual_seed(5)
    parameters = world()
    n = COLUMNS
    now = initial_state(
        parameters, torch.full((n,), start, dtype=torch.float64), 0.6, torch.linspace(0.0, 2.0, n).double()
    )
    sublimed = 0.0
    for _ in range(12):
        forcing = weather(gen, n, month=1.5)
        before = heat_stored(now, parameters)
        now, out = step(now, forcing, parameters, seconds, Options())
        vapour = out.transpiration + out.interception_loss + out.ground_evaporation
        expected = LATENT_VAPORISATION * vapour + LATENT_FUSION * out.sublimation
        scale = LATENT_VAPORISATION * (
            out.transpiration.abs() + out.interception_loss.abs() + out.ground_evaporation.abs()
        )
        assert (torch.abs(out.upward_latent - expected) / (scale + 1e-6)).max() < 1e-12
        # across the interface: radiation, sensible heat, L0 of the vapour, -L_f of the snow; and water's own warmth
        crossed = out.net_radiation - out.upward_sensible - LATENT_VAPORISATION * vapour
        crossed = crossed - LATENT_FUSION * forcing.snowfall - out.canopy_storage
        warmth = out.water_heat - LATENT_FUSION * (out.sublimation - forcing.snowfall)
        gained = (heat_stored(now, parameters) - before) / seconds
        solved = out.unsolved == 0.0
        assert torch.abs(gained - crossed - warmth)[solved].max() < 2e-6
        sublimed += float(out.sublimation.abs().sum())
    assert sublimed > 0.0


def test_water_that_passes_takes_its_place_without_warming_or_cooling():
    """Rain into and vapour out of a soil that is warm all through leave it as it is: enthalpy goes with the mass."""
    layers, shape = 4, (3,)
    warm = torch.full((layers, *shape), FREEZING_POINT + 18.0, dtype=torch.float64)
    capacity = torch.full_like(warm, 2.0e5)
    stored = torch.full_like(warm, 3.0)
    drawn = torch.zeros_like(warm)
    drawn[0] = 0.5
    moved = move_soil_water(
        warm, capacity, capacity + C_LIQUID * stored, stored, drawn, torch.full(shape, 1.0).double(), warm[0]
    )
    np.testing.assert_allclose(moved.temperature.numpy(), warm.numpy(), rtol=1e-13)
    np.testing.assert_allclose(moved.gained.numpy(), C_LIQUID * 18.0 * 4 * 3.0, rtol=1e-12)
