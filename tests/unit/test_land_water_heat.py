# SPDX-License-Identifier: BSD-3-Clause
"""Heat carried by water in soil and snow: closed to rounding, never beyond what meets; water in single precision."""

import pytest
import torch

from components.land.column import snow
from components.land.column.parameters import THICKNESS
from components.land.column.retention import campbell
from components.land.column.richards import Bottom, Top, richards_step
from components.land.column.water_heat import move_soil_water, snow_heat
from components.science.constants import C_LIQUID, FREEZING_POINT

D = torch.float64


def soil(columns=40, layers=6, seed=0):
    gen = torch.Generator().manual_seed(seed)
    t = 274.0 + 25.0 * torch.rand(layers, columns, dtype=D, generator=gen)
    water = 5.0 + 60.0 * torch.rand(layers, columns, dtype=D, generator=gen)
    stored = 4.0 * (torch.rand(layers, columns, dtype=D, generator=gen) - 0.5)
    drawn = torch.rand(layers, columns, dtype=D, generator=gen)
    drainage = torch.rand(columns, dtype=D, generator=gen)
    grains = 2e4 + 1e6 * torch.rand(layers, columns, dtype=D, generator=gen)
    return t, grains + C_LIQUID * water, stored, drawn, drainage


def test_heat_closes_to_rounding():
    t, capacity, stored, drawn, drainage = soil()
    new = capacity + C_LIQUID * stored
    rain = torch.full_like(drainage, 285.0)
    moved = move_soil_water(t, capacity, new, stored, drawn, drainage, rain)
    change = (new * (moved.temperature - FREEZING_POINT) - capacity * (t - FREEZING_POINT)).sum(0)
    assert torch.allclose(change, moved.gained, rtol=0, atol=1e-6)
    assert change.abs().max() > 1e4


def test_water_of_the_soils_temperature_changes_nothing():
    t, capacity, stored, drawn, drainage = soil(seed=1)
    same = torch.full_like(t, 281.0)
    new = capacity + C_LIQUID * stored
    moved = move_soil_water(same, capacity, new, stored, drawn, drainage, same[0])
    assert torch.allclose(moved.temperature, same, rtol=0, atol=1e-9)


def test_a_flood_through_thin_layers_stays_between_its_temperatures():
    t, capacity, _, _, _ = soil(seed=2)
    nothing, flood = torch.zeros_like(t), torch.full_like(t[0], 500.0)  # kg m-2 in one step
    moved = move_soil_water(t, capacity, capacity, nothing, nothing, flood, torch.full_like(flood, 278.0))
    assert moved.temperature.min() >= min(278.0, float(t.min()))
    assert moved.temperature.max() <= float(t.max())
    assert (moved.temperature[0] - 278.0).abs().max() < (t[0] - 278.0).abs().max()


@pytest.mark.parametrize("rain", [0.0, 5.0])
def test_water_in_snow_moves_at_freezing(rain):
    pack = snow.Snow(
        torch.tensor([[10.0], [30.0], [60.0]], dtype=D), torch.tensor([[0.5], [0.0], [2.0]], dtype=D),
        torch.tensor([[0.1], [0.2], [0.3]], dtype=D), torch.tensor([[268.0], [265.0], [273.15]], dtype=D),
        torch.tensor([0.8], dtype=D),
    )  # fmt: skip
    after, out = snow.percolate(pack, torch.tensor([rain], dtype=D))
    assert torch.allclose(snow_heat(after), snow_heat(pack), rtol=1e-14)
    water = after.liquid.sum() + out - pack.liquid.sum()
    assert water.item() == pytest.approx(rain, abs=1e-12)


def test_water_in_single_precision_goes_where_it_goes_in_double():
    """1000 columns with wet layers on dry ones, up to 200 mm of rain in three hours: as in double, but for 2 %."""
    soil, gen = campbell(0.435, 0.207, 5.77, 4.2e-6), torch.Generator().manual_seed(0)
    theta = 0.435 * (0.2 + 0.8 * torch.rand(10, 1000, generator=gen, dtype=D)).float()
    rain, dz = (2e-5 * torch.rand(1000, generator=gen, dtype=D)).float(), torch.tensor(THICKNESS, dtype=D)[:, None]
    bottom = Bottom("free_drainage", slope=0.1)
    single, double = (
        richards_step(soil, soil.head(w), w, dz.to(w), 10800.0, Top(rain.to(w)), bottom, tolerance=1e-7)
        for w in (theta, theta.double())
    )
    assert single.theta.dtype == single.drainage.dtype == torch.float32
    off = (single.theta - double.theta).abs().amax(0)
    assert off.quantile(0.98).item() < 1e-4 and off.median().item() < 1e-6
    gained = ((single.theta - theta).double() * dz).sum(0) - 10800.0 * (single.infiltration - single.drainage).double()
    assert (gained + single.excess).abs().max().item() < 2e-6
