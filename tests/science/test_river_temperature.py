# SPDX-License-Identifier: BSD-3-Clause
"""Rivers take heat from the air: towards the temperature where nothing is gained, booked, and never below freezing."""

import numpy as np
import pytest

from components.land.rivers.component import RiverNetwork
from components.land.rivers.warmed import balance, warmed
from components.science.constants import C_LIQUID, WATER_DENSITY
from components.science.surface_fields import AIR_OVER_LAND, RUNOFF_HEAT
from coupler.grids.grid import Grid
from tests.toys.streams import CARRIED, slope
from tests.unit.test_land_component import context

SUMMER = (295.15, 0.010, 3.0, 0.0, 1.0e5, 250.0, 360.0)  # K, 1, m/s, m/s, Pa, W/m2, W/m2


def air(*values):
    return [np.full(1, v) for v in values]


def test_the_slope_is_that_of_edinger_brady_and_geyer():
    """K = 4.5 + .05 T + (beta + .47)(9.2 + .46 W^2) W m-2 K-1 with beta = .35 + .015 T + .0012 T^2, T in C."""
    for celsius in (5.0, 15.0, 25.0):
        for wind in (0.5, 2.0, 5.0):
            beta = 0.35 + 0.015 * celsius + 0.0012 * celsius**2
            published = 4.5 + 0.05 * celsius + (beta + 0.47) * (9.2 + 0.46 * wind**2)
            given = (*SUMMER[:2], wind, 0.0, *SUMMER[4:])
            _, found = balance(np.full(1, celsius + 273.15), air(*given))
            assert found[0] == pytest.approx(published, rel=0.04)


def test_still_water_comes_to_the_temperature_where_it_gains_nothing():
    depth, day = 2.0, 86400.0
    capacity = C_LIQUID * WATER_DENSITY * depth
    heat = np.full(1, capacity * 8.0)
    course = []
    for _ in range(200):
        heat = heat + warmed(heat, np.full(1, depth), np.ones(1), air(*SUMMER), day)
        course.append(heat[0] / capacity)
    gain, slope_ = balance(np.array([course[-1] + 273.15]), air(*SUMMER))
    assert abs(gain[0]) < 1e-9 and 20.0 < course[-1] < 30.0
    start, _ = balance(np.full(1, 281.15), air(*SUMMER))
    first = course[0] - 8.0  # a day of 2 m of water
    assert 0.8 < first / (start[0] * day / capacity) < 1.0
    left = (course[-1] - np.array(course[5:9])) / (course[-1] - np.array(course[4:8]))
    assert left == pytest.approx(np.exp(-slope_[0] * day / capacity), rel=0.05)


def test_water_does_not_freeze_and_without_air_nothing_happens():
    cold = (253.15, 0.0005, 4.0, 0.0, 1.0e5, 20.0, 180.0)
    heat = np.array([4.0e6])
    assert (heat + warmed(heat, np.ones(1), np.ones(1), air(*cold), 30 * 86400.0))[0] == pytest.approx(0.0, abs=1e-6)
    assert warmed(heat, np.ones(1), np.ones(1), air(np.nan, *cold[1:]), 3600.0)[0] == 0.0
    assert warmed(np.zeros(1), np.zeros(1), np.ones(1), air(*SUMMER), 3600.0)[0] == 0.0


@pytest.mark.parametrize("routing", ["kinematic", "local_inertia"])
def test_books_of_heat_close_and_a_restart_keeps_the_bits(routing, tmp_path):
    grid = Grid.regular_lonlat("rivers", 100, 120, 20, 40, resolution=1.0)
    slope(tmp_path / "network.nc")
    options = dict(file="network.nc", routing=routing, initial_runoff=1e-5, initial_temperature=281.0)
    models = [RiverNetwork(RiverNetwork.Options(**options)) for _ in range(2)]
    for model in models:
        setting = context(grid, tmp_path)
        setting.grids = model.grids(setting)
        model.initialize(setting)
    first, second = models
    begun = first.diagnostics()["river_water_temperature"]
    given = {name: np.full(grid.shape, 1e-6 * (k == 0)) for k, name in enumerate(CARRIED)}
    given[RUNOFF_HEAT] = 4.2e3 * 8.0 * given["runoff_flux"]
    given |= {name: np.full(grid.shape, value) for name, value in zip(AIR_OVER_LAND, SUMMER, strict=True)}
    given["air_temperature"][:, :3] = np.nan  # the atmosphere does not reach there
    for step in range(6):
        out = first.step(3600 * step, 3600, given)
        if step == 2:
            second.restore({name: np.array(v) for name, v in first.state().items()})
        elif step > 2:
            again = second.step(3600 * step, 3600, given)
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    one, two = first.state(), second.state()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    told = first.diagnostics()
    change = told["river_water_temperature"] - begun
    assert np.nanmin(change[:, 3:]) > 0.1 and np.nanmax(np.abs(change[:, :3])) < 0.1
    assert np.nanmax(np.abs(told["heat_residual"])) < 1e-12 * np.abs(one["begun"][1]).sum()
    assert np.nansum(one["heat_from_air"]) > 1e-3 * one["begun"][1].sum()
