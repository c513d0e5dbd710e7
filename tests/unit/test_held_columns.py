# SPDX-License-Identifier: BSD-3-Clause
"""What clouds and convection do to air that is a driving model's: nothing in the specified row, a part in the strip."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.dynamics.lateral import convection_kept, from_inside, relaxation_rate
from components.atmosphere.nonhydrostatic.physics.held_columns import Held
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Convecting, Convection
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Seen
from components.science.halo import Edges
from tests.mpi.atmosphere_ranks import context, surface

ALL = Edges("specified", "specified", "specified", "specified")
STRIP = (17, 15), (0, 0), 17, 15, (6.0, 6.0), 300.0


def test_of_convection_is_kept_what_relaxation_leaves_of_it_in_two_hours():
    kept, rate = convection_kept(*STRIP), relaxation_rate(*STRIP)[1:-1, 1:-1]
    assert float(kept[0].max()) == float(kept[:, 0].max()) == float(kept[-1].max()) == float(kept[:, -1].max()) == 0.0
    torch.testing.assert_close(kept[1:-1, 1:-1], torch.exp(-7200.0 * rate[1:-1, 1:-1]))
    row = kept[: 17 // 2, 7]
    assert bool((row[1:] > row[:-1]).all() | (row[1:] == 1.0).any())
    assert float(kept[8, 7]) == 1.0
    part = convection_kept((17, 15), (4, 3), 5, 4, (6.0, 6.0), 300.0)
    assert torch.equal(part, kept[4:9, 3:7]), "a block's are those of the whole domain"


def test_a_part_of_convection_conserves_what_the_whole_does_and_none_or_all_of_it_keep_their_bits():
    """Water and enthalpy of columns of which 0, .4 and all stays: left over 1e-12 of what rains."""
    torch.manual_seed(3)
    mass = 100.0 + 50.0 * torch.rand((6, 1, 3), dtype=torch.float64)
    t, q = 250.0 + 40.0 * torch.rand_like(mass), 0.01 * torch.rand_like(mass)
    moved, ice = 1e-3 * (torch.rand_like(mass) - 0.8), 1e-4 * torch.rand_like(mass)
    rain = -(mass * (moved + ice)).sum(0)
    warmed = t - 2500.0 * moved + 300.0 * ice
    wind = torch.rand_like(mass)
    before = Convecting(wind, -wind, t, {"vapour": q, "cloud_ice": torch.zeros_like(q)}, None)
    after = Convection(
        warmed, {"vapour": q + moved, "cloud_ice": ice}, rain, torch.zeros_like(rain), mass[:-1], -wind, wind, wind, ice
    )
    kept = torch.tensor([[0.0, 0.4, 1.0]], dtype=torch.float64)
    part = Held(kept, ALL).convection(after, before)
    water = (mass * (part.q["vapour"] - q + part.q["cloud_ice"])).sum(0) + part.rain
    heat = (mass * (part.t - t + 2500.0 * (part.q["vapour"] - q) - 300.0 * part.q["cloud_ice"])).sum(0)
    assert float(water.abs().max()) < 1e-12 * float(rain.max())
    assert float(heat.abs().max()) < 1e-12 * 2500.0 * float(rain.max())
    torch.testing.assert_close(part.rain, kept * rain)
    torch.testing.assert_close(part.updraught, kept * mass[:-1])
    for got, old, new in ((part.t, t, after.t), (part.u, wind, after.u), (part.q["vapour"], q, after.q["vapour"])):
        assert torch.equal(got[..., 0], old[..., 0]) and torch.equal(got[..., 2], new[..., 2])
    assert part.cover is after.cover and part.condensate is after.condensate, "radiation sees the clouds as a whole"


def test_clouds_act_on_all_air_but_the_drivers_own():
    one = torch.ones((2, 1, 3))
    new = Clouds(one * 5.0, {"vapour": one * 6.0}, one[0] * 7.0, one[0] * 8.0)
    got = Held(torch.tensor([[0.0, 0.4, 1.0]]), ALL).clouds(new, one, {"vapour": one})
    assert got.theta[0, 0].tolist() == [1.0, 5.0, 5.0] and got.q["vapour"][1, 0].tolist() == [1.0, 6.0, 6.0]
    assert got.rain[0].tolist() == [0.0, 7.0, 7.0] and got.snow[0].tolist() == [0.0, 8.0, 8.0]


def test_radiation_sees_the_next_rows_clouds_in_the_specified_one():
    a = torch.arange(20.0).reshape(1, 4, 5)
    inner = from_inside(a, Edges("specified", "inner", "specified", "inner"))
    assert inner[0].tolist() == [[6, 6, 7, 8, 9], [6, 6, 7, 8, 9], [11, 11, 12, 13, 14], [16, 16, 17, 18, 19]]
    seen = Held(torch.ones((4, 5)), ALL).seen(Seen(a, 2.0 * a, 3.0 * a, None))
    assert torch.equal(seen.snow, 3.0 * from_inside(a, ALL)) and seen.fraction is None


@pytest.mark.parametrize("scheme", ["betts_miller", "mass_flux"])
def test_the_drivers_air_does_not_rain_and_the_columns_books_close(scheme):
    """Warm moist air over relief, six steps: nothing falls in the outermost row; water closes to 1e-8 mm a day."""
    c = context()
    options = {"radiation": "gray", "precision": "double", "column_budget": True, "convection": scheme}
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**options))
    exports, rain, water = air.initialize(c), 0.0, 0.0
    for n in range(6):
        exports = air.step(600 * n, 600, surface(c, exports))
        rain, water = rain + exports["precipitation_flux"], water + air.diagnostics()["column_water_residual"]
    print(f"RESULT {scheme} rain {86400.0 * rain.mean() / 6:.2f} mm/d, left over {86400.0 * np.abs(water).max():.1e}")
    assert max(rain[0].max(), rain[-1].max(), rain[:, 0].max(), rain[:, -1].max()) == 0.0 < rain[1:-1, 1:-1].max()
    assert 86400.0 * np.abs(water).max() / 6 < 1e-8
