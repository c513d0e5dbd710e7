# SPDX-License-Identifier: BSD-3-Clause
"""History files: CF netCDF that xarray opens without a warning, with times, bounds and grids as they are."""

import importlib
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import pytest
import xarray

from coupler.case.launch import run_here
from coupler.clock import CALENDARS
from coupler.component import Component
from coupler.fields import FieldSpec, dictionary
from coupler.files.history import NOT_CF
from tests.unit.conftest import GRIDS

HERE = "tests.unit.test_history"
LAMBERT = {
    "projection": "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000",
    "nx": 6,
    "ny": 5,
    "spacing": 90000.0,
    "center": [110.0, 30.0],
}


class Counter(Component):
    """Exports the hours since the start, on land points too, with a 3-D field and a diagnostic."""

    exports = (
        FieldSpec("air_temperature"),
        FieldSpec("specific_humidity", levels=3),
        FieldSpec("eastward_wind"),
    )
    diagnostic_units = {"turbulent_kinetic_energy": "m2 s-2"}

    def grids(self, setting):
        mask = np.ones(setting.grid.shape, bool)
        mask[0, 0] = False
        return {"default": setting.grid.with_mask(mask)}

    def initialize(self, context):
        self.shape = context.local_shape
        return self.fields(0)

    def fields(self, hours):
        return {
            "air_temperature": np.full(self.shape, 280.0 + hours),
            "specific_humidity": np.arange(3.0)[:, None, None] * 1e-3 + np.zeros(self.shape),
            "eastward_wind": np.full(self.shape, float(hours)),
        }

    def step(self, time, seconds, imports):
        self.hours = (time + seconds) / 3600
        return self.fields(self.hours)

    def diagnostics(self):
        return {"turbulent_kinetic_energy": np.full(self.shape, self.hours)}

    def state(self):
        return {}

    def restore(self, state):
        return None


STREAMS = [
    {"name": "instant", "fields": ["air_temperature", "specific_humidity"], "period": "PT2H", "statistic": "instant"},
    {"name": "mean", "fields": ["air_temperature", "turbulent_kinetic_energy"], "period": "PT3H", "statistic": "mean"},
    {"name": "max", "fields": ["eastward_wind"], "period": "PT6H", "statistic": "max"},
    {"name": "min", "fields": ["eastward_wind"], "period": "PT6H", "statistic": "min"},
]


@pytest.fixture
def run(case):
    """Function that runs the counter for 6 hours and returns the folder of its history."""

    def go(grid=GRIDS["atmosphere"], **keys):
        components = {"atmosphere": {"model": f"{HERE}:Counter", "step": "PT1H", "grid": grid, "output": STREAMS}}
        folder = case(components, [], **{"duration": "PT6H", **keys})
        assert run_here(folder, serial=True, resume=False) == 0
        return folder / "run" / "history"

    return go


def opened(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = xarray.open_dataset(path)
        data.load()
        data.close()
    return data


def test_xarray_opens_every_stream_without_a_warning(run):
    folder = run()
    assert sorted(p.name for p in folder.iterdir()) == [f"atmosphere.{n}.nc" for n in ("instant", "max", "mean", "min")]
    for path in folder.iterdir():
        assert opened(path).sizes["time"] in (1, 2, 3)


def test_instants_are_those_of_their_time(run):
    data = opened(run() / "atmosphere.instant.nc")
    assert [str(t) for t in data.time.values] == [f"2001-01-01 {h:02d}:00:00" for h in (2, 4, 6)]
    assert np.array_equal(data.air_temperature[:, 3, 4], [282.0, 284.0, 286.0])
    assert data.air_temperature.attrs["cell_methods"] == "time: point"
    assert "bounds" not in data.time.attrs
    assert data.specific_humidity.dims == ("time", "level3", "lat", "lon")
    assert np.allclose(data.specific_humidity[0, :, 3, 4], [0, 1e-3, 2e-3])


def test_means_have_the_bounds_of_their_interval(run):
    data = opened(run() / "atmosphere.mean.nc")
    assert np.array_equal(data.air_temperature[:, 3, 4], [282.0, 285.0]), "means of hours 1-3 and 4-6"
    assert np.array_equal(data.turbulent_kinetic_energy[:, 3, 4], [2.0, 5.0])
    assert data.turbulent_kinetic_energy.attrs["units"] == "m2 s-2"
    assert data.air_temperature.attrs["cell_methods"] == "time: mean"
    assert data.time.attrs["bounds"] == "time_bounds"
    edges = [[str(t)[11:13] for t in pair] for pair in data.time_bounds.values]
    assert edges == [["00", "03"], ["03", "06"]]


def test_a_rotated_grid_has_its_own_axes(run):
    rotated = "+proj=ob_tran +o_proj=longlat +o_lon_p=-162 +o_lat_p=39.25 +lon_0=180 +R=6370000"
    grid = {"projection": rotated, "nx": 6, "ny": 5, "spacing": 0.5, "center": [110.0, 30.0]}
    data = opened(run(grid) / "atmosphere.mean.nc")
    assert np.allclose(np.diff(data.x), 0.5) and np.allclose(np.diff(data.y), 0.5)
    assert data.x.attrs["standard_name"] == "grid_longitude"


def test_extremes_of_a_period(run):
    folder = run()
    assert opened(folder / "atmosphere.max.nc").eastward_wind[0, 3, 4] == 6.0
    low = opened(folder / "atmosphere.min.nc").eastward_wind
    assert low[0, 3, 4] == 1.0 and low.attrs["cell_methods"] == "time: minimum"


def test_a_cell_outside_the_mask_holds_the_fill_value(run):
    with netCDF4.Dataset(run() / "atmosphere.mean.nc") as file:
        t = file["air_temperature"]
        assert t[:].mask[:, 0, 0].all() and t[:].mask.sum() == 2
        assert t._FillValue == netCDF4.default_fillvals["f8"]


@pytest.mark.parametrize("calendar", CALENDARS)
def test_the_calendar_is_the_cases(run, calendar):
    path = run(calendar=calendar, start="2004-02-28T20:00:00") / "atmosphere.mean.nc"
    with netCDF4.Dataset(path) as file:
        dates = cftime.num2date(file["time"][:], file["time"].units, file["time"].calendar)
        assert file["time"].calendar == calendar
    assert dates[0].isoformat() == "2004-02-28T23:00:00"
    after = {"noleap": "2004-03-01", "360_day": "2004-02-29"}.get(calendar, "2004-02-29")
    assert dates[1].isoformat() == f"{after}T02:00:00"
    assert opened(path).time.size == 2


def test_a_regular_grid_has_axes_with_bounds(run):
    data = opened(run() / "atmosphere.mean.nc")
    assert np.allclose(data.lon, np.arange(101.0, 120.0, 2.0)) and data.lon.attrs["axis"] == "X"
    assert np.allclose(data.lat, np.arange(11.0, 26.0, 2.0)) and data.lat.attrs["units"] == "degrees_north"
    assert np.allclose(data[data.lat.attrs["bounds"]][0], [10.0, 12.0])


def test_a_projected_grid_has_its_mapping_and_corners(run):
    import pyproj

    data = opened(run(LAMBERT) / "atmosphere.mean.nc")
    assert data.air_temperature.dims == ("time", "y", "x")
    assert set(data.air_temperature.coords) >= {"lon", "lat"}
    mapping = data[data.air_temperature.attrs["grid_mapping"]]
    assert mapping.attrs["grid_mapping_name"] == "lambert_conformal_conic"
    assert list(mapping.attrs["standard_parallel"]) == [15.0, 40.0]
    lon, lat = pyproj.Proj(pyproj.CRS.from_cf(mapping.attrs))(*np.meshgrid(data.x, data.y), inverse=True)
    assert np.allclose(lon, data.lon, atol=1e-9) and np.allclose(lat, data.lat, atol=1e-9)
    assert np.allclose(np.diff(data.x), 90000.0) and data.x.attrs["standard_name"] == "projection_x_coordinate"
    assert data.lon_bounds.shape == (5, 6, 4)
    inside = (data.lon_bounds.min("corner4") < data.lon) & (data.lon < data.lon_bounds.max("corner4"))
    assert bool(inside.all())


def test_a_file_that_somebody_looks_at_does_not_stop_the_run(run, command):
    path = run() / "atmosphere.mean.nc"
    case = path.parents[2]
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("duration: PT6H", "duration: PT12H"))
    with xarray.open_dataset(path) as looking:
        assert looking.sizes["time"] == 2
        done = command(case, "--serial", "--continue", apart=True)
        assert done.returncode == 0, done.stderr
    assert opened(path).sizes["time"] == 4


# ------------------------------------------------------------------ the CF conventions, by an independent checker


@pytest.fixture
def checker():
    """The IOOS compliance checker, an independent reading of the conventions."""
    return pytest.importorskip("compliance_checker.runner", reason="pip install compliance-checker")


def findings(checker, path):
    """What the checker for CF-1.11 finds wrong, errors and warnings."""
    CheckSuite = checker.CheckSuite
    CheckSuite.load_all_available_checkers()
    suite = CheckSuite()
    data = suite.load_dataset(str(path))
    results, errors = suite.run_all(data, ["cf:1.11"])["cf:1.11"]
    data.close()
    assert not errors
    flat = [r for r in results if isinstance(r.value, tuple)]
    return [m for r in flat if r.value[0] < r.value[1] for m in r.msgs or [str(r.name)]]


@pytest.mark.parametrize("grid", [GRIDS["atmosphere"], LAMBERT], ids=["lonlat", "projected"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cf_checker_finds_nothing(run, grid, checker):
    for path in sorted(run(grid).iterdir()):
        assert findings(checker, path) == [], path.name


def test_standard_names_are_in_the_tables_and_only_those_are_given_as_such(checker):
    folder = Path(importlib.import_module("compliance_checker").__file__).parent / "data"
    root = ElementTree.parse(folder / "cf-standard-name-table.xml").getroot()
    table = {e.get("id"): e.findtext("canonical_units") for e in root.iter("entry")}
    assert set(dictionary()) - set(table) == set(NOT_CF) & set(dictionary())
    assert not set(NOT_CF) - set(dictionary())
    for name in set(dictionary()) & set(table):
        assert FieldSpec(name).standard_units == table[name], name
