# SPDX-License-Identifier: BSD-3-Clause
"""A city in the cells of the land: its heat reaches the air, budgets close, nights are warmer, restarts keep bits."""

import numpy as np
import pytest
import torch

from components.land.column.component import ColumnLand
from components.land.column.urban.people import heat_of_people, local_time, metabolic_heat, traffic_heat
from components.land.column.urban.tile import GIVEN_HEAT
from coupler.case.case import make_plan
from coupler.grids.grid import Grid
from tests.toys.cases import tessera
from tests.toys.streams import city_case
from tests.unit.test_land_component import HOUR, context, weather
from tests.unit.test_rivers_component import budget, restart


@pytest.fixture
def coarse():
    grid = Grid.regular_lonlat("land", 100, 112, 20, 32, resolution=4)
    return grid.with_mask(np.random.default_rng(0).random(grid.shape) < 0.8)


def test_heat_of_people_by_hour_has_the_mean_of_the_day():
    hours = torch.arange(24, dtype=torch.float64) + 0.5
    monday = torch.zeros(24, dtype=torch.int64)
    heat = heat_of_people(hours, monday, 1e4, 0.3, 20.0)
    assert float(heat.mean()) == pytest.approx(metabolic_heat(1e4) + traffic_heat(1e4, 0.3, 20.0), rel=1e-9)
    assert float(heat[3]) < 0.5 * float(heat[17])
    for day in range(1, 7):
        other = heat_of_people(hours, monday + day, 1e4, 0.3, 20.0) - metabolic_heat(1e4)
        wanted = traffic_heat(1e4, 0.3, 20.0) * (0.8 if day > 4 else 1.0)
        assert float(other.mean()) == pytest.approx(wanted, rel=1e-9)


def test_the_weekend_begins_at_midnight_where_the_city_is():
    """By the date at Greenwich it began at eight on Saturday morning in Shanghai and ended at eight on Monday."""
    longitude = torch.tensor([120.0, 0.0, -120.0, 240.0], dtype=torch.float64)
    hour, day = local_time(18.0, 4, longitude)  # Friday
    assert hour.tolist() == [2.0, 18.0, 10.0, 10.0] and day.tolist() == [5, 4, 4, 4]
    hour, day = local_time(2.0, 0, longitude)  # Monday
    assert hour.tolist() == [10.0, 2.0, 18.0, 18.0] and day.tolist() == [0, 0, 6, 6]
    assert local_time(20.0, 6, longitude)[1].tolist() == [0, 6, 6, 6]


def test_budgets_close_and_a_restart_keeps_the_bits(coarse, tmp_path):
    options = {"city": {"share": 0.4, "population": 9000.0}, "groundwater": "lateral", "groundwater_period": "PT6H"}
    lands = [ColumnLand(ColumnLand.Options(**options)) for _ in range(2)]
    for land in lands:
        land.initialize(context(coarse, tmp_path))
    first, second = lands
    before, passed = first.budget()["water"], np.zeros(coarse.shape)
    for step in range(16):
        given = weather(coarse.shape, step)
        out = first.step(step * HOUR, HOUR, given)
        assert set(out) == {spec.name for spec in first.exports}
        passed += HOUR * (given["precipitation_flux"] - out["water_evapotranspiration_flux"] - out["runoff_flux"])
        if step == 7:
            second.restore({name: np.array(v) for name, v in first.state().items()})
        elif step > 7:
            again = second.step(step * HOUR, HOUR, given)
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    here, area = coarse.mask, np.asarray(coarse.area)
    assert abs(((first.budget()["water"] - before - passed) * area)[here].sum()) < 1e-8 * area[here].sum()
    found = first.diagnostics()
    assert np.abs(found["water_residual"][here]).max() < 1e-8
    assert np.abs(found["energy_residual"][here]).max() < 1e-2
    assert (found[GIVEN_HEAT][here] > 0.0).all()


def test_nights_are_warmer_and_the_air_gets_what_people_make(coarse, tmp_path):
    calm = {
        "air_temperature": 290.0, "specific_humidity": 0.008, "eastward_wind": 3.0, "northward_wind": 0.0,
        "surface_air_pressure": 1e5, "surface_downwelling_shortwave_flux_in_air": 0.0,
        "surface_downwelling_longwave_flux_in_air": 320.0, "precipitation_flux": 0.0, GIVEN_HEAT: 40.0,
    }  # fmt: skip
    found = {}
    for name, options in (("none", {}), ("city", {"city": {"share": 0.8}})):
        land = ColumnLand(ColumnLand.Options(initial_temperature=293.0, **options))
        land.initialize(context(coarse, tmp_path))
        for step in range(8):
            hour = {k: np.full(coarse.shape, v) for k, v in calm.items() if name == "city" or k != GIVEN_HEAT}
            fluxes = land.step((13 + step) * HOUR, HOUR, hour)
        found[name] = fluxes
        if name == "city":
            assert land.diagnostics()[GIVEN_HEAT][coarse.mask] == pytest.approx(40.0, rel=0.3)
    here = coarse.mask
    warmer = (found["city"]["surface_temperature"] - found["none"]["surface_temperature"])[here]
    down = "surface_downward_sensible_heat_flux"
    assert warmer.min() > 0.5 and (found["none"][down] - found["city"][down])[here].min() > 5.0


def test_all_that_people_make_is_in_what_the_air_gets_or_the_stone_keeps(coarse, tmp_path):
    land = ColumnLand(ColumnLand.Options(city={"share": 1.0}))
    land.initialize(context(coarse, tmp_path))
    begin, kept = land.budget()["heat"].copy(), np.zeros(coarse.shape)
    for step in range(8):
        given = {**weather(coarse.shape, step), "snowfall_flux": np.zeros(coarse.shape)}
        out = land.step(step * HOUR, HOUR, given)
        net = given["surface_downwelling_shortwave_flux_in_air"] - out["surface_upwelling_shortwave_flux_in_air"]
        net = net + given["surface_downwelling_longwave_flux_in_air"] - out["surface_upwelling_longwave_flux_in_air"]
        turbulent = out["surface_downward_sensible_heat_flux"] + out["surface_downward_latent_heat_flux"]
        people = land.diagnostics()[GIVEN_HEAT]
        kept += HOUR * (net + turbulent + people)
    assert np.abs((land.budget()["heat"] - begin - kept)[coarse.mask]).max() < 1e-3 * 8
    assert people[coarse.mask].min() > 0.5


def test_a_case_with_a_city_is_warmer_by_night_and_the_air_books_the_heat_of_people(tmp_path):
    """The land of two cases differs by its people alone: what the air and the stone have more is what they made."""
    idle = {"coldest_room": 250.0, "warmest_room": 330.0}  # neither heated nor cooled: no other heat of people
    share, people = 0.6, 9000.0
    cities = {
        "country": None,
        "empty": {**idle, "share": share, "population": 0.0},
        "full": {**idle, "share": share, "population": people},
    }
    got, kept, crossed = {}, {}, {}
    for name, city in cities.items():
        folder = city_case(tmp_path / name, city)
        tessera(folder, "--serial")
        got[name] = restart(folder, "sky")["got"]
        after = sorted((folder / "run" / "restart").iterdir())
        kept[name] = restart(folder, "land", after[0].name)["booked_heat"]  # of the hours whose fluxes have arrived
        crossed[name] = budget(folder)
    made = 86400.0 * share * (metabolic_heat(people) + traffic_heat(people, 0.3, 20.0))
    found = (got["full"][0] - got["empty"][0]) + (kept["full"] - kept["empty"])
    np.testing.assert_allclose(found, made, rtol=1e-6)
    assert (got["full"][1] > got["empty"][1]).all() and (got["full"][1] > got["country"][1]).all()
    fluxes = "surface_downward_sensible_heat_flux", "surface_upwelling_longwave_flux_in_air"
    area = np.asarray(make_plan(folder)["land"].grids["default"].area)
    more = [crossed["full"]["sky", f][1] - crossed["empty"]["sky", f][1] for f in fluxes]
    assert 0.3 * made * area.sum() < more[1] - more[0] < 1.05 * made * area.sum()
