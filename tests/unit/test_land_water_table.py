# SPDX-License-Identifier: BSD-3-Clause
"""The water table under the columns: nothing lost between cells, the bits of any blocks, finite from any start."""

import numpy as np
import pytest
import torch

from components.land.column.component import ColumnLand
from components.land.column.groundwater import transmissivity
from components.land.column.retention import VanGenuchten
from components.land.column.richards import Bottom, Top, richards_step
from components.land.column.water_table import Beds, Ground, bottom_of, faces_of, slope_of
from components.science.constants import EARTH_RADIUS
from coupler.grids.grid import Grid
from tests.unit.test_land_component import HOUR, context, weather

torch.set_num_threads(1)


def ground_of(grid, rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    cells = np.asarray(grid.mask)[rows, columns]
    fields = [rng.random(grid.shape) for _ in range(3)]
    own = [torch.as_tensor(f[rows, columns][cells]) for f in fields]
    ground = Ground(
        cells, 300.0 * own[0], 1e-4 * (0.1 + own[1]), 5.0 + 50.0 * own[2], 20.0 + 100.0 * own[2], 0.2,
        faces_of(grid, rows, columns), np.ascontiguousarray(np.asarray(grid.area)[rows, columns]),
    )  # fmt: skip
    return ground, ground.stored(15.0 * own[1])


@pytest.fixture
def land():
    grid = Grid.regular_lonlat("land", 100, 100.6, 20, 20.5, resolution=0.05)
    return grid.with_mask(np.random.default_rng(1).random(grid.shape) < 0.8)


def test_what_one_cell_gives_its_neighbour_gets(land):
    ground, stored = ground_of(land, slice(0, 10), slice(0, 12))
    inflow = ground.lateral(stored, lambda *fields, width: None)
    area = torch.as_tensor(ground.area[ground.cells])
    assert float(inflow.abs().max()) > 1e-9
    assert abs(float((area * inflow).sum())) < 1e-13 * float((area * inflow.abs()).sum())


def test_flow_between_two_cells_is_that_of_darcy():
    grid = Grid.regular_lonlat("pair", 100, 100.02, 0, 0.01, resolution=0.01)
    one = torch.ones(2, dtype=torch.float64)
    ground = Ground(
        np.ones((1, 2), bool), one * torch.tensor([10.0, 0.0]), 1e-4 * one, 10.0 * one, 200.0 * one, 0.2,
        faces_of(grid, slice(0, 1), slice(0, 2)), np.asarray(grid.area),
    )  # fmt: skip
    inflow = ground.lateral(ground.stored(5.0 * one), lambda *fields, width: None)
    t = float(transmissivity(torch.tensor(5.0).double(), 1e-4 * one[0], 10.0 * one[0], 200.0 * one[0]))
    width = distance = 6371229.0 * np.radians(0.01)
    expected = 1000.0 * t * width * 10.0 / distance / float(grid.area[0, 0])
    assert inflow.tolist() == pytest.approx([-expected, expected], rel=2e-3)


@pytest.mark.parametrize("latitude", [0.0, 30.0, 60.0])
def test_the_slope_of_a_plane_is_that_of_its_rise_over_its_way(latitude):
    """At 60 N cells are half as wide as long: by the root of their area the slope eastward was .7 of it."""
    grid = Grid.regular_lonlat("plane", 100, 101, latitude, latitude + 0.5, resolution=0.1)
    x, y = (EARTH_RADIUS * np.radians(np.asarray(a)) for a in (grid.longitude, grid.latitude))
    east, north = x * np.cos(np.radians(np.asarray(grid.latitude))), y
    for a, b in ((0.01, 0.0), (0.0, 0.02), (0.03, -0.04)):
        height = a * (east - east.mean(1, keepdims=True)) + b * north
        assert slope_of(height, grid) == pytest.approx(np.hypot(a, b), rel=2e-2)
    row = Grid.regular_lonlat("row", 100, 101, latitude, latitude + 0.1, resolution=0.1)
    assert slope_of(0.01 * east[:1], row) == pytest.approx(0.01, rel=1e-6)


def test_blocks_have_the_bits_of_the_whole(land):
    whole, stored = ground_of(land, slice(0, 10), slice(0, 12))
    expected = np.zeros(land.shape)
    sent = []
    expected[land.mask] = whole.lateral(stored, lambda *fields, width: sent.extend(f.copy() for f in fields)).numpy()
    full = [np.pad(f[1:-1, 1:-1], 1) for f in sent]
    for rows in (slice(0, 4), slice(4, 10)):
        for columns in (slice(0, 7), slice(7, 12)):
            part, water = ground_of(land, rows, columns)

            def halo(*fields, width, rows=rows, columns=columns):
                for f, values in zip(fields, full, strict=True):
                    f[...] = values[rows.start : rows.stop + 2, columns.start : columns.stop + 2]

            got = part.lateral(water, halo).numpy()
            assert got.tobytes() == expected[rows, columns][part.cells].tobytes()


def test_a_soil_in_balance_with_its_water_table_stands_still_and_draws_when_it_is_dry():
    soil = VanGenuchten(0.08, 0.43, 3.6, 1.56, 2.9e-6)
    dz = torch.tensor([0.1, 0.3, 0.6, 1.0], dtype=torch.float64)[:, None]
    middle = torch.cumsum(dz, 0) - 0.5 * dz
    for depth in (1.2, 2.5):
        table = torch.tensor([depth], dtype=torch.float64)
        psi = middle - depth
        step = richards_step(soil, psi, soil.at(psi).theta, dz, 3600.0, Top(torch.zeros(1)), bottom_of(table, dz))
        assert abs(float(step.drainage[0])) < 1e-12
        dry = psi - 5.0
        step = richards_step(soil, dry, soil.at(dry).theta, dz, 3600.0, Top(torch.zeros(1)), bottom_of(table, dz))
        assert float(step.drainage[0]) < 0.0  # it draws
    wet = torch.full_like(psi, -0.5)
    deep = bottom_of(torch.tensor([60.0], dtype=torch.float64), dz)
    far = richards_step(soil, wet, soil.at(wet).theta, dz, 60.0, Top(torch.zeros(1)), deep)
    free = richards_step(soil, wet, soil.at(wet).theta, dz, 60.0, Top(torch.zeros(1)), Bottom("free_drainage"))
    assert float(far.drainage[0]) == pytest.approx(float(free.drainage[0]), rel=0.02)


def test_water_passes_river_beds_by_the_head_both_ways_and_no_step_is_too_long(land):
    ground, _ = ground_of(land, slice(0, 10), slice(0, 12))
    n = ground.height.shape[0]
    depth = torch.linspace(0.0, 12.0, n, dtype=torch.float64)
    one, stored = torch.ones_like(depth), ground.stored(depth)
    c, stage, bed = 2e-8, -1.0, -4.0
    beds = Beds(c * one, c * stage * one, c * bed * one)
    after, given = ground.through_beds(stored, beds, 60.0)
    law = 1000.0 * c * torch.where(-depth > bed, -depth - stage, (bed - stage) * one)
    assert torch.allclose(given, law, rtol=1e-4, atol=0)
    assert float(given.min()) < 0.0 < float(given.max())  # the river loses, and gains
    assert torch.equal(after, stored - 60.0 * given)
    joined = -depth > bed
    after, given = ground.through_beds(stored, Beds(1e-3 * one, 1e-3 * stage * one, 1e-3 * bed * one), 1e9)
    assert float((ground.depth(after) + stage)[joined].abs().max()) < 1e-3  # the table meets the river, not beyond
    none = Beds(0.0 * one, 0.0 * one, 0.0 * one)
    assert float(ground.through_beds(stored, none, 3600.0)[1].abs().max()) == 0.0


@pytest.fixture
def coarse():
    grid = Grid.regular_lonlat("land", 100, 112, 20, 32, resolution=4)
    return grid.with_mask(np.random.default_rng(0).random(grid.shape) < 0.8)


@pytest.mark.parametrize("start", [0.01, 40.0])
def test_water_is_kept_from_flooded_and_dry_starts_and_over_a_restart(coarse, tmp_path, start):
    options = dict(groundwater="lateral", groundwater_period="PT6H", initial_water_table=start, infiltration="topmodel")
    lands = [ColumnLand(ColumnLand.Options(**options, initial_wetness=float(start < 1.0))) for _ in range(2)]
    for land in lands:
        land.initialize(context(coarse, tmp_path))
    first, second = lands
    before, passed = first.budget()["water"].copy(), np.zeros(coarse.shape)
    area = np.asarray(coarse.area)
    bed = {"conductance": 1.0, "conductance_times_stage": -1.0, "conductance_times_bed": -3.0}
    rivers = {f"river_bed_{k}": np.where(coarse.longitude < 106.0, 1e-8 * v, np.nan) for k, v in bed.items()}
    for step in range(24):
        given = {**weather(coarse.shape, step), **rivers}
        out = first.step(step * HOUR, HOUR, given)
        drawn = out["water_flux_from_rivers_into_land"]
        passed += HOUR * (given["precipitation_flux"] - out["water_evapotranspiration_flux"] - out["runoff_flux"])
        passed += HOUR * drawn
        if step == 11:
            second.restore({name: np.array(v) for name, v in first.state().items()})
        elif step > 11:
            again = second.step(step * HOUR, HOUR, given)
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    change = first.budget()["water"] - before
    here = coarse.mask
    assert abs(((change - passed) * area)[here].sum()) < 1e-9 * area[here].sum()
    assert np.abs(first.diagnostics()["water_residual"][here]).max() < 1e-8
    depth = first.diagnostics()["water_table_depth"][here]
    assert np.isfinite(depth).all() and (depth > -1e-9).all() and out["runoff_flux"].min() >= 0.0
    assert start < 1.0 or np.abs(depth - start).max() < 1.0
    assert (drawn[here].max() > 0.0) == (start > 1.0)
    assert second.table.stored.numpy().tobytes() == first.table.stored.numpy().tobytes()


def test_a_period_that_does_not_fit_is_told(coarse, tmp_path):
    land = ColumnLand(ColumnLand.Options(groundwater="lateral", groundwater_period="PT5000S"))
    assert any(
        "groundwater_period: expected a multiple of the step, 3600 s" in p
        for p in land.check(context(coarse, tmp_path))
    )
