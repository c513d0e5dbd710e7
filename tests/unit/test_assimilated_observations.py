# SPDX-License-Identifier: BSD-3-Clause
"""Observations of an assimilation: read, refused, placed, selected by reason, and seen in columns of air."""

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates.data_assimilation import observation_file, selection, statistics
from components.ml_surrogates.data_assimilation.component import DataAssimilation
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.operators import Seen, seen
from components.ml_surrogates.data_assimilation.places import Places, locate
from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import CaseError
from coupler.grids.grid import Grid
from tests.toys.analyses import write_analyses

CLOCK = Clock("2001-01-01", "noleap")
LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"


def table(n=4, **changed):
    made = {
        "time": np.arange(n) * 3600.0, "longitude": np.linspace(118.0, 132.0, n), "latitude": np.full(n, 25.0),
        "pressure": np.full((n, 2), 5e4), "variable": np.array(["air_temperature"] * n), "value": np.full(n, 260.0),
        "platform": np.array(["sonde"] * n), "error": np.full(n, 0.5),
    }  # fmt: skip
    return Table(**{**made, **changed})


def test_what_is_written_is_read(tmp_path):
    bounds = np.array([[5e4, 5e4], [8.5e4, 7e4], [3e4, 3e4], [5e4, 5e4]])
    before = table(pressure=bounds)
    observation_file.write(tmp_path / "o.nc", before, CLOCK)
    after = observation_file.read(tmp_path / "o.nc", Clock("2001-01-01T01:00:00", "noleap"))
    np.testing.assert_array_equal(after.time, before.time - 3600.0)
    for a, b in zip(after[1:], before[1:], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"variable": np.array(["air_temperature", "sunshine", "air_temperature", "x"])}, "row 1 observes 'sunshine'"),
        ({"error": np.array([1.0, 0.0, -1.0, 1.0])}, "2 rows have an error that is not above zero, the first is row 1"),
        ({"error": np.array([1.0, np.nan, 1.0, 1.0])}, "1 rows have an error that is not above zero"),
        ({"latitude": np.array([10.0, 20.0, -999.0, 25.0])}, r"1 rows have a latitude beyond .* row 2 \(-999\)"),
    ],
)
def test_wrong_rows_are_named(tmp_path, changed, words):
    observation_file.write(tmp_path / "o.nc", table(**changed), CLOCK)
    with pytest.raises(CaseError, match=words):
        observation_file.read(tmp_path / "o.nc", CLOCK)


def changed_file(path, change):
    observation_file.write(path, table(), CLOCK)
    with netCDF4.Dataset(path, "a") as file:
        change(file)
    return observation_file.read(path, CLOCK)


def test_units_that_a_file_says_are_obeyed(tmp_path):
    """Pressure in hPa with its bounds, temperatures and their errors in degrees Celsius."""

    def in_others(file):
        for name in ("air_pressure", "air_pressure_bounds"):
            file[name][:] = file[name][:] / 100.0
        file["air_pressure"].units = "hPa"
        file["value"][:] = file["value"][:] - 273.15
        file["value"].units = file["error"].units = "degC"

    before, after = table(), changed_file(tmp_path / "o.nc", in_others)
    np.testing.assert_allclose(after.pressure, before.pressure, rtol=1e-12)
    np.testing.assert_allclose(after.value, before.value, rtol=1e-12)
    np.testing.assert_array_equal(after.error, before.error)

    def with_wind(file):
        file["value"].units = "K"
        file["variable"][2] = netCDF4.stringtochar(np.array(["eastward_wind"], dtype="S15"))

    with pytest.raises(CaseError, match="value of eastward_wind: expected m s-1, found 'K'"):
        changed_file(tmp_path / "o.nc", with_wind)


def test_a_number_that_is_missing_is_none_and_not_the_mark_for_it(tmp_path):
    """By a mark of its own and by that of netCDF: such rows lie nowhere and are not used."""

    def with_gaps(file):
        for row, name in enumerate(("longitude", "value", "air_pressure")):
            file[name].missing_value = -999.0
            file[name][row] = -999.0 if name != "value" else netCDF4.default_fillvals["f8"]
        file["air_pressure_bounds"][2] = np.nan
        file["error"][1] = netCDF4.default_fillvals["f8"]

    found = changed_file(tmp_path / "o.nc", with_gaps)
    assert np.isnan([found.longitude[0], found.value[1], *found.pressure[2], found.error[1]]).all()
    grid = Grid.projected("g", LAMBERT, 22, 20, 295e3)
    places = locate(grid.longitude, grid.latitude, found.longitude, found.latitude)
    assert places.inside.tolist() == [False, True, True, True]
    s = selection.select(found, places, 100.0, thinning=3e5, spacing=295e3)
    assert s.counts == {"not finite": 3} and np.flatnonzero(s.used).tolist() == [3]

    def without_a_time(file):
        file["time"][2] = np.nan

    with pytest.raises(CaseError, match="has no value at record 3 of 4"):
        changed_file(tmp_path / "o.nc", without_a_time)

    def of_a_leap_day(file):
        file["time"].units, file["time"].calendar = "days since 2004-02-27", "standard"
        file["time"][:] = np.arange(4)

    with pytest.raises(CaseError, match="2004-02-29T00:00:00 is not a date of the calendar noleap"):
        changed_file(tmp_path / "o.nc", of_a_leap_day)


def test_a_file_cut_off_or_without_variables_is_refused(tmp_path):
    observation_file.write(tmp_path / "o.nc", table(400), CLOCK)
    whole = (tmp_path / "o.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CaseError, match="cannot be read to its end"):
        observation_file.read(tmp_path / "cut.nc", CLOCK)
    with netCDF4.Dataset(tmp_path / "bare.nc", "w") as file:
        file.createDimension("observation", 3)
        file.createVariable("time", "f8", ("observation",)).units = "days since 2001-01-01"
    with pytest.raises(CaseError, match="expected variables longitude, latitude"):
        observation_file.read(tmp_path / "bare.nc", CLOCK)


def setting(tmp_path, grid=None, **changed):
    grid = grid or Grid.projected("assimilation", LAMBERT, 22, 22, 295e3)
    given = {"step": 1800, "duration": 12 * 3600, **changed}
    return Setting("assimilation", CLOCK, given["step"], given["duration"], grid, tmp_path)


def problems(tmp_path, t=None, options=None, **changed):
    name = ""
    if t is not None:
        name = "o.nc"
        observation_file.write(tmp_path / name, t, CLOCK)
    component = DataAssimilation(DataAssimilation.Options(observations=name, **(options or {})))
    return component.check(setting(tmp_path, **changed))


def test_check_names_what_cannot_be(tmp_path):
    assert problems(tmp_path) == []
    assert problems(tmp_path, table(13)) == []
    assert "ends early" in problems(tmp_path, table(4))[0]
    assert "within the domain" in problems(tmp_path, table(13, longitude=np.full(13, -60.0)))[0]
    assert "within the case" in problems(tmp_path, table(13)._replace(time=np.full(13, 1e7)))[0]
    assert "radius of at least a cell" in problems(tmp_path, options={"radius": 1e5})[0]
    assert "not a multiple of the step" in problems(tmp_path, options={"window": "PT4H"}, step=10800)[0]
    assert "multiple of the forecast: step" in problems(tmp_path, options={"window": "PT20M"}, step=1200)[0]
    missing = DataAssimilation(DataAssimilation.Options(observations="nowhere.nc")).check(setting(tmp_path))
    assert "nowhere.nc does not exist" in missing[0]
    with pytest.raises(ValueError, match="members"):
        DataAssimilation.Options(members=1)


def test_a_closed_window_is_for_one_analysis_and_takes_what_is_seen_at_its_end(tmp_path):
    t, closed = table(7), {"window_end": "closed"}
    assert problems(tmp_path, t, closed, duration=6 * 3600) == []
    assert "expected a case of one window, 21600 s, found 43200 s" in problems(tmp_path, table(13), closed)[0]
    only_at_the_end = t._replace(time=np.full(7, 21600.0))
    assert problems(tmp_path, only_at_the_end, closed, duration=6 * 3600) == []
    assert "within the case" in problems(tmp_path, only_at_the_end, duration=6 * 3600)[0]
    assert selection.in_window(t, 0, 21600).sum() == 6 and selection.in_window(t, 0, 21600, closed=True).sum() == 7


def test_drivers_of_the_forecast_must_reach_the_end_of_the_last_window(tmp_path):
    """A case of 12 h has two windows of 6 h, and two of 9 h, of which the last ends at 18 h."""
    given = {"driver": [str(write_analyses(tmp_path / "d.nc", (0.0, 12.0), "2001-01-01 00:00:00", "noleap"))]}
    assert problems(tmp_path, table(13), {"forecast": given}) == []
    (found,) = problems(tmp_path, table(13), {"forecast": given, "window": "PT9H"})
    assert found.startswith("assimilation: forecast: ")
    assert "driving data reach from 2001-01-01T00:00:00 to 2001-01-01T12:00:00" in found and "T18:00:00" in found


def test_a_forecast_that_nobody_knows_is_refused(tmp_path):
    (found,) = problems(tmp_path, options={"forecast": {"model": "nonhydrostatik"}})
    assert "expected one of nonhydrostatic" in found and "found model: nonhydrostatik" in found
    (found,) = problems(tmp_path, options={"forecast": {"model": "nowhere.to_be_found:Forecast"}})
    assert "'nowhere.to_be_found:Forecast' cannot be loaded" in found


def test_places_on_a_projected_grid():
    """The projection itself says where its points lie."""
    from pyproj import Proj

    grid = Grid.projected("g", LAMBERT, 22, 20, 295e3)
    to = Proj(LAMBERT)
    x0, y0 = to(grid.longitude[0, 0], grid.latitude[0, 0])
    rng = np.random.default_rng(2)
    y, x = rng.uniform(0, 19, 50), rng.uniform(0, 21, 50)
    lon, lat = to(x0 + 295e3 * x, y0 + 295e3 * y, inverse=True)
    found = locate(grid.longitude, grid.latitude, lon, lat)
    assert found.inside.all()
    np.testing.assert_allclose(found.y, y, atol=0.02)  # a chord bends off the sphere within a cell
    np.testing.assert_allclose(found.x, x, atol=0.02)
    away = locate(grid.longitude, grid.latitude, np.array([-60.0, 120.0]), np.array([10.0, -80.0]))
    assert not away.inside.any()


def test_windows_share_no_observation():
    t = table(7)
    parts = [selection.in_window(t, start, start + 10800) for start in (0, 10800, 21600)]
    np.testing.assert_array_equal(sum(p.astype(int) for p in parts), 1)
    assert selection.in_window(t, 0, 10800, closed=True).sum() == 4


def test_what_is_not_used_is_counted_by_reason():
    t = table(9, time=np.zeros(9), value=np.array([260, 260, np.nan, 260, 260, 290, 260, 260.0, 260]))
    t.longitude[1] = t.longitude[0]  # a duplicate
    t.pressure[3] = 50.0  # above the lid
    inside = np.array([1, 1, 1, 1, 0, 1, 1, 1, 1], dtype=bool)
    places = Places(np.full(9, 5.2), np.array([1.0, 1.0, 4.0, 6.0, 8.0, 12.0, 20.0, 20.4, 24.0]), inside)
    s = selection.select(t, places, 100.0, thinning=2.0, spacing=1.0, buried=np.arange(9) == 8)
    selection.gross_check(s, t.value - 260.0, t.error, np.full(9, 1.0), 5.0)
    assert s.counts == {
        "not finite": 1, "outside the domain": 1, "above the lid": 1, "below the ground": 1, "duplicate": 1,
        "thinned": 1, "failed the gross check": 1,
    }  # fmt: skip
    np.testing.assert_array_equal(np.flatnonzero(s.used), [0, 6])
    assert s.text().startswith("2 of 9 used; not used: 1 not finite")


def air(nz=12, ny=6, nx=7):
    p = torch.logspace(5.0, 4.2, nz, dtype=torch.float64)[:, None, None].expand(nz, ny, nx).clone()
    y, x = torch.meshgrid(torch.arange(ny).double(), torch.arange(nx).double(), indexing="ij")
    t = 20.0 * torch.log(p) + 2.0 * y + 3.0 * x
    return {"t": t, "q": 0.0 * t + 0.01, "u": 0.0 * t + 5.0, "v": 0.0 * t - 3.0, "p": p}


def test_points_are_linear_in_the_horizontal_and_in_ln_p():
    places = Places(np.array([1.5, 4.25]), np.array([2.75, 6.0]), np.ones(2, dtype=bool))
    t = table(2, pressure=np.array([[6.2e4, 6.2e4], [3.1e4, 3.1e4]]))
    found = Seen(t, places)(air())
    wanted = [20.0 * np.log(6.2e4) + 3.0 + 8.25, 20.0 * np.log(3.1e4) + 8.5 + 18.0]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)
    names = np.array(["eastward_wind", "northward_wind"])
    assert Seen(t._replace(variable=names), places)(air()).tolist() == [5.0, -3.0]


def test_what_lies_below_the_models_ground_is_told_from_what_it_may_show():
    """A mountain of 600 hPa at the west side: 700 hPa lies below it, a layer that reaches above it does not."""
    a = air()
    a["p"] = a["p"] * torch.linspace(0.6, 1.0, 7, dtype=torch.float64)
    foot = float(torch.exp(1.5 * torch.log(a["p"][0, 0]) - 0.5 * torch.log(a["p"][1, 0]))[0])
    pressure = np.array([[7e4, 7e4], [7e4, 5.5e4], [foot * 1.015] * 2, [foot * 1.025] * 2, [7e4, 7e4], [np.nan] * 2])
    places = Places(np.full(6, 2.0), np.array([0.0, 0.0, 0.0, 0.0, 6.0, 0.0]), np.ones(6, dtype=bool))
    assert Seen(table(6, pressure=pressure), places).buried(a).tolist() == [True, False, False, True, False, False]


def test_layer_means_weigh_by_mass_and_gradients_pass():
    log_p = torch.log(torch.linspace(1e5, 1e4, 46).double())[:, None]
    column = (torch.exp(log_p) * 1e-3).requires_grad_(True)  # linear in p: the mean is that of the ends
    found = seen(column, log_p, torch.tensor([[8e4, 5e4]], dtype=torch.float64))
    assert float(found.detach()) == pytest.approx(65.0, abs=0.1)
    (slope,) = torch.autograd.grad(found.sum(), column)
    assert float(slope.sum()) == pytest.approx(1.0) and float(slope[0]) == 0.0


def test_statistics_are_written_read_and_drawn(tmp_path):
    used = np.array([True, True, False, True])
    names = np.array(["air_temperature", "eastward_wind", "eastward_wind", "air_temperature"])
    row = statistics.row(21600, names, used, np.array([3.0, 2.0, -4.0]), np.array([1.0, 0.5, 1.0]), np.ones(3), 7.5)
    statistics.write(tmp_path / "s.nc", [row], "2001-01-01T00:00:00", "noleap")
    (back,) = statistics.read(tmp_path / "s.nc")
    np.testing.assert_array_equal(back.values, row.values)
    assert back.freedom == 7.5 and back.values[0, 0] == 2 and back.values[2, 1] == 1
    assert statistics.text(row).startswith("air_temperature 3.54 -> 1 (2)")
    statistics.plot(tmp_path / "s.png", [row])
    assert (tmp_path / "s.png").stat().st_size > 5000
