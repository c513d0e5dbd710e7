# SPDX-License-Identifier: BSD-3-Clause
"""The column as a component, without a coupler: budgets, bits in blocks and over a restart, errors with a remedy."""

import netCDF4
import numpy as np
import pytest
import torch

from components.land.column.component import ColumnLand
from components.land.column.weather import share_of_day
from components.science.sun import cosine_zenith
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid

HOUR, DAY = 3600, 86400
torch.set_num_threads(1)


class OneOf:
    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size


def context(grid, folder, rank=0, ranks=1, start="2001-06-21"):
    setting = Context("land", Clock(start), HOUR, 60 * DAY, grid, folder, logger=lambda line: None)
    setting.grids = {"default": grid}
    setting.decompositions = {"default": Decomposition(grid.shape, OneOf(rank, ranks))}
    return setting


@pytest.fixture
def ground():
    grid = Grid.regular_lonlat("land", 100, 120, 20, 60, resolution=4)
    rng = np.random.default_rng(0)
    return grid.with_mask(rng.random(grid.shape) < 0.7)


def weather(shape, step, block=(slice(None), slice(None))):
    rng = np.random.default_rng(step)
    t = rng.uniform(262.0, 303.0, shape)
    fields = {
        "air_temperature": t,
        "specific_humidity": rng.uniform(0.001, 0.008, shape),
        "eastward_wind": rng.normal(0.0, 5.0, shape),
        "northward_wind": rng.normal(0.0, 5.0, shape),
        "surface_air_pressure": rng.uniform(8e4, 1e5, shape),
        "surface_downwelling_shortwave_flux_in_air": rng.uniform(0.0, 600.0, shape),
        "surface_downwelling_longwave_flux_in_air": rng.uniform(200.0, 400.0, shape),
        "precipitation_flux": rng.uniform(0.0, 3e-4, shape),
    }
    return {k: v[block] for k, v in fields.items()}


def test_names_units_and_ranges(ground, tmp_path):
    land = ColumnLand(ColumnLand.Options())
    setting = context(ground, tmp_path)
    assert land.check(setting) == []
    exports = land.initialize(setting)
    wanted = {spec.name: spec for spec in land.exports}
    for step in range(5):
        exports = land.step(step * HOUR, HOUR, weather(ground.shape, step))
        assert set(exports) == set(wanted)
        for name, field in exports.items():
            low, high = wanted[name].valid_range
            assert field.shape == ground.shape
            assert field.dtype == np.float64
            assert (field >= low).all() and (field <= high).all(), name
    assert exports["surface_downward_latent_heat_flux"][ground.mask].std() > 1.0
    assert land.diagnostics()["columns_unsolved"].sum() == 0


def test_water_budget(ground, tmp_path):
    land = ColumnLand(ColumnLand.Options(stomata="wang"))
    land.initialize(context(ground, tmp_path))
    before, passed = land.budget()["water"], np.zeros(ground.shape)
    for step in range(24):
        given = weather(ground.shape, step)
        out = land.step(step * HOUR, HOUR, given)
        passed += HOUR * (given["precipitation_flux"] - out["water_evapotranspiration_flux"] - out["runoff_flux"])
    change = land.budget()["water"] - before
    assert np.allclose(change[ground.mask], passed[ground.mask], rtol=0, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"stomata": "sperry", "first_guess": "learned"}], ids=["medlyn", "learned"])
def test_blocks_have_the_bits_of_the_whole(ground, tmp_path, options):
    whole = ColumnLand(ColumnLand.Options(**options))
    whole.initialize(context(ground, tmp_path))
    parts = []
    for rank in range(3):
        part = ColumnLand(ColumnLand.Options(block=7, **options))
        setting = context(ground, tmp_path, rank, 3)
        part.initialize(setting)
        b = setting.decomposition.block_of(rank)
        parts.append((part, (slice(b.y0, b.y1), slice(b.x0, b.x1))))
    for step in range(6):
        out = whole.step(step * HOUR, HOUR, weather(ground.shape, step))
        for part, block in parts:
            mine = part.step(step * HOUR, HOUR, weather(ground.shape, step, block))
            for name in out:
                assert np.array_equal(mine[name], out[name][block]), name


def test_restart_has_the_same_bits(ground, tmp_path):
    first = ColumnLand(ColumnLand.Options())
    first.initialize(context(ground, tmp_path))
    for step in range(4):
        first.step(step * HOUR, HOUR, weather(ground.shape, step))
    state = {k: np.array(v) for k, v in first.state().items()}
    second = ColumnLand(ColumnLand.Options())
    second.initialize(context(ground, tmp_path))
    second.restore(state)
    for step in range(4, 8):
        a = first.step(step * HOUR, HOUR, weather(ground.shape, step))
        b = second.step(step * HOUR, HOUR, weather(ground.shape, step))
    assert all(np.array_equal(a[k], b[k]) for k in a)
    assert all(np.array_equal(first.state()[k], second.state()[k]) for k in state)


def test_daily_means_are_spread_over_the_day_and_kept(ground, tmp_path):
    land = ColumnLand(ColumnLand.Options(daily_means=True))
    land.initialize(context(ground, tmp_path))
    mu = [torch.clamp(land_sun(land, h + 0.5), min=0.0) for h in range(24)]
    shares = torch.stack([share_of_day(land, 171.0, m) for m in mu])
    assert torch.allclose(shares.mean(0), torch.ones_like(shares[0]))
    assert (shares.max(0).values > 2.0).all()


@pytest.mark.parametrize("hours", [1, 3, 12])
def test_a_day_of_long_steps_gets_the_light_of_the_daily_mean(ground, tmp_path, hours):
    land = ColumnLand(ColumnLand.Options(daily_means=True))
    land.initialize(context(ground, tmp_path))
    given = weather(ground.shape, 0)
    steps = [land.weather(k * HOUR, hours * HOUR, given) for k in range(0, 24, hours)]
    light = torch.stack([w.daylight for w in steps])
    assert torch.allclose(light.mean(0), torch.ones_like(light[0]), rtol=1e-3)  # the sun's declination moves in a day


def land_sun(land, hour):
    return cosine_zenith(land.longitude, land.latitude, 171 + hour / 24.0)


def test_errors_name_what_there_is(ground, tmp_path):
    wrong = ColumnLand.Options(stomata="medlin", plants={"gras": 1.0}, soil="mud")
    problems = " ".join(ColumnLand(wrong).check(context(ground, tmp_path)))
    assert "medlyn" in problems and "grassland" in problems and "loam" in problems


def test_every_file_and_option_that_cannot_be_is_told_at_once(ground, tmp_path):
    """No file hides another; what only a land with cycles reads, shares beyond 1, steps that fit no day."""
    files = {"file": "a.nc", "deposition_file": "b.nc", "climate": "c.nc", "surface": "d.nc"}
    idle = {"irrigation": "paddy", "rest_after": 400, "past": [{"until": 1900, "growth": 0.9}]}
    problems = ColumnLand(ColumnLand.Options(**files, **idle)).check(context(ground, tmp_path))
    for word in (*files.values(), *(f"{k}: this land has no cycles" for k in (*idle, "deposition_file"))):
        assert sum(word in text for text in problems) == 1, word
    setting = context(ground, tmp_path)
    setting.step = 7 * HOUR
    land = ColumnLand(ColumnLand.Options(nitrogen="fun", plants={"maize": 0.9, "wheat": 0.9}))
    assert [text[:18] for text in land.check(setting)] == ["the cycles have a ", "plants: expected s"]


def test_a_surface_file_says_what_grows(ground, tmp_path):
    with netCDF4.Dataset(tmp_path / "surface.nc", "w") as data:
        ny, nx = ground.shape
        for name, size in (("type", 2), ("lat", ny), ("lon", nx)):
            data.createDimension(name, size)
        names = data.createVariable("type", str, ("type",))
        names[0], names[1] = "grassland", "bare"
        share = data.createVariable("area_type_fraction", "f8", ("type", "lat", "lon"))
        share[0], share[1] = 0.75, 0.25
        for name, value in (("sand", 0.92), ("clay", 0.03)):
            data.createVariable(name, "f8", ("lat", "lon"))[:] = value
    land = ColumnLand(ColumnLand.Options(surface="surface.nc"))
    setting = context(ground, tmp_path)
    assert land.check(setting) == []
    land.initialize(setting)
    assert set(land.plants) == {"grassland", "bare"}
    assert np.allclose(land.land.share[0], 0.75)
    assert set(land.land.soil) == {"sand"}


@pytest.mark.parametrize("options", [{"nitrogen": "fun"}, {"leaves": "prognostic", "nitrogen": "demand"}])
def test_cycles_keep_books_ranks_and_restarts(ground, tmp_path, options):
    """Two days from noon: books of all elements, three blocks and a restart at noon have the bits of the whole."""
    whole = ColumnLand(ColumnLand.Options(**options))
    whole.initialize(context(ground, tmp_path))
    parts = []
    for rank in range(3):
        part = ColumnLand(ColumnLand.Options(block=7, **options))
        setting = context(ground, tmp_path, rank, 3)
        part.initialize(setting)
        b = setting.decomposition.block_of(rank)
        parts.append((part, setting, (slice(b.y0, b.y1), slice(b.x0, b.x1))))
    seconds = 3 * HOUR
    for step in range(14):
        out = whole.step(step * seconds, seconds, weather(ground.shape, step))
        for k, (part, setting, block) in enumerate(parts):
            if step == 4:  # at noon of the first day
                again = ColumnLand(ColumnLand.Options(block=7, **options))
                again.initialize(setting)
                again.restore({name: np.array(v) for name, v in part.state().items()})
                part = again
                parts[k] = (again, setting, block)
            mine = part.step(step * seconds, seconds, weather(ground.shape, step, block))
            for name in out:
                assert np.array_equal(mine[name], out[name][block]), (step, name)
    found, store = whole.diagnostics(), whole.budget()
    for element in ("carbon", "nitrogen", "phosphorus"):
        assert np.abs(found[f"{element}_not_booked"]).max() < 1e-12 * store[element].max()
        assert np.abs(whole.booked[f"booked_{element}"]).max() > 1e-9
    assert found["leaf_area_index"][ground.mask].max() > 0.1


@pytest.mark.parametrize("options", [{}, {"nitrogen": "fun", "leaves": "prognostic", "hydraulics": "continuum"}])
def test_a_rank_without_land_goes_on(tmp_path, options):
    sea = Grid.regular_lonlat("land", 100, 104, 20, 24, resolution=2)
    land = ColumnLand(ColumnLand.Options(**options))
    land.initialize(context(sea.with_mask(np.zeros(sea.shape, bool)), tmp_path))
    for step in range(9):
        out = land.step(step * 3 * HOUR, 3 * HOUR, weather(sea.shape, step))
    assert all(np.isfinite(v).all() for v in out.values())
    assert set(land.state()) >= {"canopy", "ice"}


def test_irrigation_waters_growing_crops_and_is_booked(ground, tmp_path):
    land = ColumnLand(ColumnLand.Options(
        plants={"maize": 0.6, "bare": 0.4}, nitrogen="fun", irrigation="sprinkler", initial_wetness=0.1
    ))  # fmt: skip
    land.initialize(context(ground, tmp_path))
    dry = land.step(0, HOUR, {**weather(ground.shape, 0), "air_temperature": np.full(ground.shape, 295.0)})
    assert dry["irrigation_from_outside"].max() == 0.0
    crop = land.now.cycles.crop
    land.now = land.now._replace(cycles=land.now.cycles._replace(crop=crop._replace(phase=crop.phase + 2.0)))
    before, booked = land.budget()["water"], land.booked["booked_water"].copy()
    given = {**weather(ground.shape, 1), "air_temperature": np.full(ground.shape, 295.0)}
    out = land.step(HOUR, HOUR, given)
    inside = ground.mask
    assert (out["irrigation_from_outside"][inside] > 0.0).all()
    assert out["irrigation_from_outside"].max() < 0.6 * 20.0 / 86400.0 + 1e-12
    gained = land.budget()["water"] - before
    passed = given["precipitation_flux"] + out["irrigation_from_outside"]
    passed = HOUR * (passed - out["water_evapotranspiration_flux"] - out["runoff_flux"])
    assert np.allclose(gained[inside], passed[inside], rtol=0, atol=1e-9)
    assert np.allclose(land.booked["booked_water"][inside] - booked[inside], passed[inside], rtol=0, atol=1e-9)
    available = np.where(ground.latitude > 40.0, 2e-5, np.nan)  # rivers in the north alone
    river = "water_flux_from_rivers_into_land"
    before = land.budget()["water"]
    given = {**weather(ground.shape, 2), "air_temperature": np.full(ground.shape, 295.0)}
    out = land.step(2 * HOUR, HOUR, {**given, "water_available_from_rivers": available})
    wanted = out["irrigation_from_outside"] + out[river]
    assert np.allclose(out[river], np.minimum(wanted, np.nan_to_num(available)) * inside, rtol=0, atol=1e-18)
    assert out[river].max() > 0.0 and out["irrigation_from_outside"][inside & (ground.latitude < 40.0)].min() > 0.0
    passed = HOUR * (given["precipitation_flux"] + wanted - out["water_evapotranspiration_flux"] - out["runoff_flux"])
    assert np.allclose((land.budget()["water"] - before)[inside], passed[inside], rtol=0, atol=1e-9)
