# SPDX-License-Identifier: BSD-3-Clause
"""Data and slab components without a coupler: inputs, budgets, restarts, and bits in blocks."""

import numpy as np
import pytest

from components.atmosphere.air_sea.surface_fluxes import SCHEMES
from components.atmosphere.data.component import DataAtmosphere
from components.land.data.component import DataLand
from components.land.slab.component import SlabLand
from components.ocean.data.component import DataOcean
from components.ocean.slab.component import SlabOcean
from components.ocean.slab.mixed_layer import RHO_CP
from components.science.constants import LATENT_FUSION
from coupler.clock import Clock
from coupler.component import Context
from coupler.errors import ForcingError
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid

HOUR, DAY = 3600, 86400


class OneOf:
    """A communicator that only knows its place: enough to cut a block."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size


def context(grid, folder, component=None, rank=0, ranks=1, duration=60 * DAY, start="2001-01-01"):
    setting = Context("test", Clock(start), HOUR, duration, grid, folder, logger=lambda line: None)
    grids = {"default": grid} if component is None else component.grids(setting)
    setting.grids = grids
    setting.decompositions = {"default": Decomposition(grid.shape, OneOf(rank, ranks))}
    return setting


@pytest.fixture
def sea():
    return Grid.regular_lonlat("ocean", 70, 160, -10, 65, resolution=0.5)


@pytest.fixture
def ground():
    return Grid.regular_lonlat("land", 70, 160, -10, 65, resolution=1)


OCEAN = {"file": "east_asia_ocean.nc", "mixed_layer": "climatology", "currents": True}


def heat_and_light(shape, step, block=(slice(None), slice(None))):
    rng = np.random.default_rng(step)
    return {
        "surface_downward_heat_flux_in_sea_water": rng.normal(-80.0, 200.0, shape)[block],
        "surface_net_downward_shortwave_flux": rng.uniform(0.0, 300.0, shape)[block],
        "precipitation_flux": rng.uniform(0.0, 1e-4, shape)[block],
        "water_evapotranspiration_flux": rng.uniform(0.0, 1e-4, shape)[block],
        "surface_downward_eastward_stress": rng.normal(0.05, 0.1, shape)[block],
        "surface_downward_northward_stress": rng.normal(0.0, 0.1, shape)[block],
    }


def test_slab_ocean_closes_heat_and_water(sea, tmp_path):
    ocean = SlabOcean(SlabOcean.Options(**OCEAN))
    setting = context(sea, tmp_path, ocean)
    assert ocean.check(setting) == []
    exports = ocean.initialize(setting)
    wet = setting.grids["default"].mask
    assert 0.45 < wet.mean() < 0.55 and np.isfinite(exports["sea_surface_temperature"]).all()
    before = ocean.budget()
    heat, water = np.zeros(sea.shape), np.zeros(sea.shape)
    for step in range(30 * 24):
        given = heat_and_light(sea.shape, step)
        given["snowfall_flux"] = 0.3 * given["precipitation_flux"]
        ocean.step(step * HOUR, HOUR, given)
        heat += (given["surface_downward_heat_flux_in_sea_water"] - LATENT_FUSION * given["snowfall_flux"]) * HOUR
        water += (given["precipitation_flux"] - given["water_evapotranspiration_flux"]) * HOUR
    after = ocean.budget()
    scale = np.abs(before["heat"]).max()
    assert np.abs((after["heat"] - before["heat"] - heat)[wet]).max() / scale < 1e-12
    np.testing.assert_allclose(after["water"][wet], water[wet], rtol=1e-12)
    assert (after["heat"][~wet] == 0.0).all()
    assert (ocean.latent < 0.0).any(), "some of this sea should have frozen"
    assert ocean.diagnostics()["ocean_mixed_layer_thickness"].max() <= 200.0


def test_slab_ocean_blocks_and_restart_keep_the_bits(sea, tmp_path):
    whole = SlabOcean(SlabOcean.Options(**OCEAN))
    whole.initialize(context(sea, tmp_path, whole))
    middle = None
    for step in range(48):
        whole.step(step * HOUR, HOUR, heat_and_light(sea.shape, step))
        if step == 23:
            middle = {name: value.copy() for name, value in whole.state().items()}
    again = SlabOcean(SlabOcean.Options(**OCEAN))
    again.initialize(context(sea, tmp_path, again))
    again.restore(middle)
    for step in range(24, 48):
        again.step(step * HOUR, HOUR, heat_and_light(sea.shape, step))
    for name, value in whole.state().items():
        np.testing.assert_array_equal(again.state()[name], value, err_msg=name)
    for rank in range(5):
        part = SlabOcean(SlabOcean.Options(**OCEAN))
        setting = context(sea, tmp_path, part, rank, 5)
        b = setting.decomposition.block_of(rank)
        block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
        part.initialize(setting)
        for step in range(48):
            part.step(step * HOUR, HOUR, heat_and_light(sea.shape, step, block))
        for name, value in whole.state().items():
            np.testing.assert_array_equal(part.state()[name], value[block], err_msg=name)


def test_slab_ocean_without_files_is_the_textbook_one(tmp_path):
    grid = Grid.regular_lonlat("box", 0, 10, 0, 10, resolution=5)
    ocean = SlabOcean(SlabOcean.Options(depth=50.0, initial_temperature=288.0, penetration=False))
    ocean.initialize(context(grid, tmp_path, ocean))
    for step in range(24):
        ocean.step(step * HOUR, HOUR, {"surface_downward_heat_flux_in_sea_water": np.full(grid.shape, 100.0)})
    np.testing.assert_allclose(ocean.temperature, 288.0 + 100.0 * DAY / (RHO_CP * 50.0), rtol=1e-13)


def test_slab_ocean_checks(sea, tmp_path):
    missing = SlabOcean(SlabOcean.Options(file="nothing.nc"))
    with pytest.raises(ForcingError, match=r"nothing\.nc"):
        context(sea, tmp_path, missing)
    bare = SlabOcean(SlabOcean.Options(mixed_layer="climatology"))
    assert "needs a file" in bare.check(context(sea, tmp_path, bare))[0]


def weather(shape, step, block=(slice(None), slice(None))):
    rng = np.random.default_rng(step)
    u, v = rng.normal(0.0, 4.0, shape), rng.normal(0.0, 4.0, shape)
    values = {
        "air_temperature": rng.uniform(240.0, 305.0, shape),
        "specific_humidity": rng.uniform(1e-4, 0.012, shape),
        "eastward_wind": u,
        "northward_wind": v,
        "wind_speed": np.hypot(u, v) + 0.5,
        "surface_air_pressure": rng.uniform(6e4, 1.02e5, shape),
        "surface_downwelling_shortwave_flux_in_air": rng.uniform(0.0, 600.0, shape),
        "surface_downwelling_longwave_flux_in_air": rng.uniform(150.0, 400.0, shape),
        "precipitation_flux": rng.uniform(0.0, 2e-4, shape),
    }
    return {name: np.ascontiguousarray(value[block]) for name, value in values.items()}


@pytest.mark.parametrize("snow_share", [None, 0.4])
def test_slab_land_closes_heat_and_water_with_what_it_exports(ground, tmp_path, snow_share):
    """Snow that the air has made carries -L_f; where the air does not say, what lies down frozen came as water."""
    land = SlabLand(SlabLand.Options(file="east_asia_land.nc"))
    setting = context(ground, tmp_path, land)
    assert land.check(setting) == []
    land.initialize(setting)
    before = land.budget()
    heat, water = np.zeros(ground.shape), np.zeros(ground.shape)
    for step in range(20 * 24):
        given = weather(ground.shape, step)
        if snow_share is not None:
            given["snowfall_flux"] = snow_share * given["precipitation_flux"]
        out = land.step(step * HOUR, HOUR, given)
        net = (
            -LATENT_FUSION * given.get("snowfall_flux", 0.0) +
            given["surface_downwelling_shortwave_flux_in_air"] - out["surface_upwelling_shortwave_flux_in_air"]
            + given["surface_downwelling_longwave_flux_in_air"] - out["surface_upwelling_longwave_flux_in_air"]
            + out["surface_downward_sensible_heat_flux"] + out["surface_downward_latent_heat_flux"]
        )  # fmt: skip
        heat += net * HOUR
        rain = given["precipitation_flux"]
        water += (rain - out["water_evapotranspiration_flux"] - out["runoff_flux"]) * HOUR
    after, there = land.budget(), setting.grids["default"].mask
    assert 0.45 < there.mean() < 0.6
    assert np.abs(after["heat"] - before["heat"] - heat)[there].max() / np.abs(before["heat"]).max() < 1e-12
    assert np.abs(after["water"] - before["water"] - water)[there].max() / 150.0 < 1e-11
    assert (after["heat"][~there] == 0.0).all() and (after["water"][~there] == 0.0).all()
    assert (land.snow > 0.0).any() and (land.snow == 0.0).any()


def test_slab_land_ignores_what_is_not_land(ground, tmp_path):
    """NaN over the sea never reaches a land cell, nor makes a warning."""
    land = SlabLand(SlabLand.Options(file="east_asia_land.nc"))
    setting = context(ground, tmp_path, land)
    land.initialize(setting)
    there = setting.grids["default"].mask
    given = {name: np.where(there, value, np.nan) for name, value in weather(ground.shape, 0).items()}
    with np.errstate(all="raise", under="ignore"):
        out = land.step(0, HOUR, given)
    assert all(np.isfinite(value).all() for value in out.values())


def test_slab_land_blocks_and_restart_keep_the_bits(ground, tmp_path):
    whole = SlabLand(SlabLand.Options(file="east_asia_land.nc"))
    whole.initialize(context(ground, tmp_path, whole))
    middle, last = None, None
    for step in range(30):
        last = whole.step(step * HOUR, HOUR, weather(ground.shape, step))
        if step == 14:
            middle = {name: value.copy() for name, value in whole.state().items()}
    again = SlabLand(SlabLand.Options(file="east_asia_land.nc"))
    again.initialize(context(ground, tmp_path, again))
    again.restore(middle)
    for step in range(15, 30):
        repeated = again.step(step * HOUR, HOUR, weather(ground.shape, step))
    for name, value in last.items():
        np.testing.assert_array_equal(repeated[name], value, err_msg=name)
    for rank in range(7):
        part = SlabLand(SlabLand.Options(file="east_asia_land.nc"))
        setting = context(ground, tmp_path, part, rank, 7)
        b = setting.decomposition.block_of(rank)
        block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
        part.initialize(setting)
        for step in range(30):
            mine = part.step(step * HOUR, HOUR, weather(ground.shape, step, block))
        for name, value in last.items():
            np.testing.assert_array_equal(mine[name], value[block], err_msg=name)


def test_data_models_prescribe_what_the_files_hold(sea, ground, root, tmp_path):
    air = DataAtmosphere(DataAtmosphere.Options(file="east_asia_atmosphere.nc"))
    setting = context(Grid.regular_lonlat("air", 66, 164, -14, 70, resolution=2), tmp_path, air)
    assert air.check(setting) == []
    fields = air.initialize(setting)
    assert set(fields) == {spec.name for spec in air.exports} and all(np.isfinite(f).all() for f in fields.values())
    at_mid_january = air.step(int(15.5 * DAY) - HOUR, HOUR, {})
    import xarray as xr

    with xr.open_dataset(root / "data" / "east_asia_atmosphere.nc") as file:
        expected = file.air_temperature[0].values.astype(float)
    np.testing.assert_allclose(at_mid_january["air_temperature"], expected, rtol=1e-15)
    ocean = DataOcean(DataOcean.Options(file="east_asia_ocean.nc"))
    setting = context(sea, tmp_path, ocean)
    sst = ocean.initialize(setting)["sea_surface_temperature"]
    wet = setting.grids["default"].mask
    assert sst[wet].min() > 271.0 and sst[wet].max() < 305.0 and np.isfinite(sst).all()
    land = DataLand(DataLand.Options(file="east_asia_land.nc"))
    assert land.initialize(context(ground, tmp_path, land))["surface_temperature"].min() > 230.0


def test_data_model_check_names_every_short_or_missing_file(ground, tmp_path):
    gone = DataAtmosphere(DataAtmosphere.Options(file="gone.nc"))
    assert "gone.nc does not exist" in gone.check(context(ground, tmp_path))[0]
    wrong = DataAtmosphere(DataAtmosphere.Options(file="east_asia_atmosphere.nc"))
    assert "do not contain those of grid 'land'" in wrong.check(context(ground, tmp_path))[0]
    strict = DataOcean(DataOcean.Options(file="east_asia_ocean.nc", cycle="none"))
    grid = Grid.regular_lonlat("ocean", 70, 160, -10, 65, resolution=0.5)
    (problem,) = strict.check(context(grid, tmp_path, strict))
    assert "1946-01-16" in problem and "2001-03-02" in problem


def test_held_fields_are_those_of_the_cases_start_also_after_a_restart(sea, tmp_path):
    options = {"file": "east_asia_ocean.nc"}
    held, yearly, again = (DataOcean(DataOcean.Options(**options, hold=h)) for h in (True, False, True))
    first, *_ = (o.initialize(context(sea, tmp_path, o))["sea_surface_temperature"] for o in (held, yearly, again))
    again.restore(held.state())  # a run that goes on from day 40
    later = [o.step(40 * DAY, DAY, {})["sea_surface_temperature"] for o in (held, yearly, again)]
    np.testing.assert_array_equal(later[0], first)
    np.testing.assert_array_equal(later[2], first)
    assert np.abs(later[1] - first).max() > 0.5
    march = DataOcean(DataOcean.Options(**options, hold=True))
    other = march.initialize(context(sea, tmp_path, march, start="2001-03-10"))["sea_surface_temperature"]
    assert np.abs(other - first).max() > 0.5, "the start of the case, not of the file"


def test_a_held_field_needs_a_file_for_the_start_alone(sea, tmp_path):
    strict = {"file": "east_asia_ocean.nc", "cycle": "none"}
    in_winter = {"duration": 700 * DAY, "start": "1946-12-01"}
    held, changing = (DataOcean(DataOcean.Options(**strict, hold=h)) for h in (True, False))
    assert held.check(context(sea, tmp_path, held, **in_winter)) == []
    assert "1948" in changing.check(context(sea, tmp_path, changing, **in_winter))[0]
    (problem,) = held.check(context(sea, tmp_path, held))
    assert "2001-01-01" in problem


def test_the_flux_law_and_the_slab_agree_on_names():
    delivered = set(SCHEMES["ncar"].delivers)
    wanted = {spec.name for spec in SlabOcean(SlabOcean.Options()).imports if spec.required}
    assert wanted <= delivered
