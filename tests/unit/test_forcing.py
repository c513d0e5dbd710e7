# SPDX-License-Identifier: BSD-3-Clause
"""Forcing: interpolation in time against exact values, cycles, calendars, coverage, units, blocks, errors."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from coupler.clock import Clock
from coupler.errors import ForcingError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

LON, LAT = np.arange(100.5, 108.0), np.arange(20.5, 26.0)


def write(path, times, *, calendar="standard", units="days since 2001-01-01", name="air_temperature", bounds=None,
          field_units="K", lat=LAT, climatology=False, values=None):  # fmt: skip
    """A small file: value = record number + longitude / 1000 + latitude / 10, unless given."""
    times = np.asarray(times, float)
    if values is None:
        values = np.arange(times.size)[:, None, None] + LON / 1000.0 + lat[:, None] / 10.0
    data = xr.Dataset(
        {name: (("time", "lat", "lon"), values, {"standard_name": name, "units": field_units})},
        coords={"time": ("time", times, {"units": units, "calendar": calendar, "standard_name": "time"}),
                "lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", LON, {"units": "degrees_east"})},
    )  # fmt: skip
    if bounds is not None:
        kind = "climatology" if climatology else "bounds"
        data.time.attrs[kind] = "time_edges"
        data["time_edges"] = (("time", "nv"), np.asarray(bounds, float))
    data.to_netcdf(path)
    return path


DAY = 86400


def test_linear_between_records_and_exact_on_them(tmp_path):
    forcing = Forcing(write(tmp_path / "f.nc", range(11)), "air_temperature", Clock("2001-01-01"))
    base = LON / 1000.0 + LAT[:, None] / 10.0
    for time, record in ((0, 0.0), (DAY, 1.0), (DAY // 4, 0.25), (9 * DAY + 3 * DAY // 4, 9.75), (10 * DAY, 10.0)):
        np.testing.assert_allclose(forcing.at(time), base + record, rtol=1e-15)
    # The order of asking does not matter, to the bit.
    late = forcing.at(7 * DAY + 1234)
    forcing.at(0)
    np.testing.assert_array_equal(forcing.at(7 * DAY + 1234), late)


def test_step_holds_within_bounds(tmp_path):
    times = np.arange(5) + 0.5
    path = write(tmp_path / "f.nc", times, bounds=np.stack([times - 0.5, times + 0.5], axis=1))
    forcing = Forcing(path, "air_temperature", Clock("2001-01-01"), method="step")
    first = forcing.at(0)[0, 0]
    for time, record in ((0, 0), (DAY - 1, 0), (DAY, 1), (4 * DAY, 4), (5 * DAY, 4)):
        assert forcing.at(time)[0, 0] - first == pytest.approx(record, abs=1e-12)
    assert forcing.problems(0, 5 * DAY) == []
    with pytest.raises(ForcingError):
        forcing.at(5 * DAY + 1)


def test_step_without_bounds_starts_at_the_record(tmp_path):
    forcing = Forcing(write(tmp_path / "f.nc", range(4)), "air_temperature", Clock("2001-01-01"), method="step")
    assert [round(forcing.at(t)[0, 0] - forcing.at(0)[0, 0]) for t in (0, DAY - 1, DAY, 4 * DAY - 1)] == [0, 0, 1, 3]
    assert forcing.problems(0, 4 * DAY) == [] and forcing.problems(0, 4 * DAY + 1)


def test_strict_coverage_names_path_dates_there_and_dates_needed(tmp_path):
    path = write(tmp_path / "short.nc", range(11))
    forcing = Forcing(path, "air_temperature", Clock("2001-01-05"))
    assert forcing.problems(0, 6 * DAY) == []
    (message,) = forcing.problems(0, 60 * DAY)
    for part in (str(path), "2001-01-01T00:00:00", "2001-01-11T00:00:00", "2001-01-05T00:00:00", "2001-03-06T00:00:00"):
        assert part in message
    with pytest.raises(ForcingError, match="2001-01-11"):
        forcing.at(7 * DAY)


MIDDLE = np.array([15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5])


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day", "all_leap"])
def test_climatology_is_cyclic_in_any_calendar(tmp_path, calendar):
    """Mid-months give the record, the turn of the year the mean of December and January, in every calendar."""
    edges = np.concatenate([[0], np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])])
    path = write(tmp_path / "c.nc", MIDDLE, calendar="noleap", units="days since 1950-01-01", climatology=True,
                 bounds=np.stack([edges[:-1], edges[1:] + 365 * 30], axis=1))  # fmt: skip
    clock = Clock("2004-01-01", calendar)
    forcing = Forcing(path, "air_temperature", clock)
    assert forcing.coverage.cyclic and forcing.problems(0, 100 * 366 * DAY) == []
    base = LON[0] / 1000.0 + LAT[0] / 10.0
    assert forcing.at(0)[0, 0] - base == pytest.approx(0.5 * (0 + 11), abs=1e-12)
    for month in range(1, 13):
        days = clock.seconds_at(f"2005-{month:02d}-01")
        following = clock.seconds_at(f"2005-{month + 1:02d}-01") if month < 12 else clock.seconds_at("2006-01-01")
        assert forcing.at((days + following) // 2)[0, 0] - base == pytest.approx(month - 1, abs=1e-9)
    step = Forcing(path, "air_temperature", clock, method="step")
    assert step.at(clock.seconds_at("2004-02-28"))[0, 0] - base == pytest.approx(1, abs=1e-12)
    assert step.at(clock.seconds_at("2004-12-01"))[0, 0] - base == pytest.approx(11, abs=1e-12)


def test_cycle_by_option_and_none(tmp_path):
    path = write(tmp_path / "c.nc", MIDDLE)
    assert Forcing(path, "air_temperature", Clock("2010-06-01"), cycle="yearly").problems(0, 1000 * DAY) == []
    assert Forcing(path, "air_temperature", Clock("2010-06-01")).problems(0, DAY)


def test_file_in_another_calendar_is_read_by_date(tmp_path):
    path = write(tmp_path / "n.nc", np.arange(0, 120.0), calendar="noleap", units="days since 2004-01-01")
    forcing = Forcing(path, "air_temperature", Clock("2004-01-01", "standard"))
    base = LON[0] / 1000.0 + LAT[0] / 10.0
    march = Clock("2004-01-01").seconds_at("2004-03-01")
    assert march == 60 * DAY and forcing.at(march)[0, 0] - base == pytest.approx(59.0, abs=1e-9)
    path = write(tmp_path / "d.nc", [58.0, 59.0, 60.0], calendar="360_day", units="days since 2001-01-01")
    with pytest.raises(ForcingError, match=r"360_day.*calendar: 360_day"):
        Forcing(path, "air_temperature", Clock("2001-01-01", "standard"))


def test_units_are_converted(tmp_path):
    path = write(tmp_path / "t.nc", range(3), field_units="degC")
    assert Forcing(path, "air_temperature", Clock("2001-01-01")).at(0)[0, 0] == pytest.approx(273.15 + 2.1505)
    path = write(tmp_path / "p.nc", range(3), name="precipitation_flux", field_units="mm day-1")
    rain = Forcing(path, "precipitation_flux", Clock("2001-01-01"))
    assert rain.units == "kg m-2 s-1" and rain.at(DAY)[0, 0] == pytest.approx(3.1505 / 86400)
    path = write(tmp_path / "w.nc", range(3), field_units="Pa")
    with pytest.raises(ForcingError, match="air_temperature"):
        Forcing(path, "air_temperature", Clock("2001-01-01"))


@pytest.mark.parametrize("north_to_south", [False, True])
def test_rectangle_of_the_files_grid_in_blocks(tmp_path, north_to_south):
    lat = LAT[::-1] if north_to_south else LAT
    path = write(tmp_path / "g.nc", range(3), lat=lat)
    grid = Grid.regular_lonlat("inner", 101, 106, 21, 25, resolution=1)
    whole = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid).at(DAY // 3)
    expected = 1 / 3 + grid.longitude / 1000.0 + grid.latitude / 10.0
    np.testing.assert_allclose(whole, expected, rtol=1e-14)
    for rows in (slice(0, 2), slice(2, 4)):
        for columns in (slice(0, 3), slice(3, 5)):
            part = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid, block=(rows, columns)).at(DAY // 3)
            np.testing.assert_array_equal(part, whole[rows, columns])
    with pytest.raises(ForcingError, match=r"do not contain those of grid 'wide'"):
        Forcing(
            path,
            "air_temperature",
            Clock("2001-01-01"),
            grid=Grid.regular_lonlat("wide", 90, 106, 21, 25, resolution=1),
        )


LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=115 +R=6371000"


@pytest.mark.parametrize("north_to_south", [False, True])
def test_a_projected_grid_gets_the_file_interpolated_bilinearly_whatever_its_blocks(tmp_path, north_to_south):
    path = write(tmp_path / "p.nc", range(3), lat=LAT[::-1] if north_to_south else LAT)
    grid = Grid.projected("plane", LAMBERT, 4, 3, 90e3, center=(104.0, 23.0))
    whole = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid).at(DAY // 3)
    np.testing.assert_allclose(whole, 1 / 3 + grid.longitude / 1000.0 + grid.latitude / 10.0, rtol=1e-12)
    for rows, columns in ((slice(0, 2), slice(0, 3)), (slice(2, 3), slice(1, 4))):
        part = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid, block=(rows, columns)).at(DAY // 3)
        np.testing.assert_array_equal(part, whole[rows, columns])
    with pytest.raises(ForcingError, match=r"does not contain grid 'plane': it reaches from 20 to 26 N, the grid from"):
        far = Grid.projected("plane", LAMBERT, 4, 3, 90e3, center=(104.0, 19.0))
        Forcing(path, "air_temperature", Clock("2001-01-01"), grid=far)


def test_corners_without_a_value_are_left_out_of_an_interpolation(tmp_path):
    values = np.broadcast_to(7.0, (1, LAT.size, LON.size)).copy()
    values[:, :, :4] = np.nan
    path = write(tmp_path / "n.nc", [0], values=values)
    grid = Grid.projected("plane", LAMBERT, 8, 3, 80e3, center=(104.3, 23.0))
    found = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid).at(0)
    assert np.isnan(found[:, 0]).all() and (found[:, -1] == 7.0).all()
    np.testing.assert_array_equal(np.isfinite(found), grid.longitude > LON[3])


def test_files_that_follow_each_other(tmp_path):
    write(tmp_path / "y_1.nc", [0.0, 1.0, 2.0])
    write(tmp_path / "y_2.nc", [3.0, 4.0], values=np.full((2, LAT.size, LON.size), 7.0))
    forcing = Forcing(tmp_path / "y_*.nc", "air_temperature", Clock("2001-01-01"))
    assert forcing.coverage.records == 5 and forcing.problems(0, 4 * DAY) == []
    assert forcing.at(4 * DAY)[0, 0] == 7.0
    np.testing.assert_allclose(forcing.at(2 * DAY + DAY // 2), 0.5 * (forcing.at(2 * DAY) + 7.0), rtol=1e-15)


def test_only_two_records_are_held(tmp_path):
    forcing = Forcing(write(tmp_path / "f.nc", range(40)), "air_temperature", Clock("2001-01-01"))
    reads = []
    read = forcing._read
    forcing._read = lambda index: reads.append(index) or read(index)
    for time in range(0, 39 * DAY, DAY // 8):
        forcing.at(time)
        assert len(forcing._held) <= 2
    assert reads == list(range(40))


def test_errors_teach(tmp_path):
    path = write(tmp_path / "winter.nc", range(3))
    clock = Clock("2001-01-01")
    with pytest.raises(ForcingError, match=r"did you mean 'winter\.nc'"):
        Forcing(tmp_path / "wintr.nc", "air_temperature", clock)
    with pytest.raises(ForcingError, match="did you mean 'air_temperature'"):
        Forcing(path, "air_temprature", clock)
    with pytest.raises(ForcingError, match="do not increase"):
        Forcing(write(tmp_path / "twice.nc", [0.0, 1.0, 1.0]), "air_temperature", clock)
    with pytest.raises(ForcingError, match="days since"):
        Forcing(write(tmp_path / "u.nc", [0.0, 1.0], units="months"), "air_temperature", clock)
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(ForcingError, match="cannot be read as netCDF"):
        Forcing(tmp_path / "text.nc", "air_temperature", clock)


def test_constant_field(tmp_path):
    data = xr.Dataset({"surface_altitude": (("lat", "lon"), np.ones((6, 8)), {"units": "km"})},
                      coords={"lat": LAT, "lon": LON})  # fmt: skip
    data.to_netcdf(tmp_path / "z.nc")
    forcing = Forcing(tmp_path / "z.nc", "surface_altitude", Clock("2001-01-01"), units="m")
    assert str(forcing.coverage) == "constant in time" and (forcing.at(10**9) == 1000.0).all()


def test_a_month_that_is_missing_between_files_is_refused_with_both_dates_and_bridged_where_that_is_said(tmp_path):
    days = {1: 15, 2: 45, 3: 74, 5: 135, 6: 166}  # no April
    for month, day in days.items():
        write(tmp_path / f"air_{month}.nc", [day])
    pattern = tmp_path / "air_*.nc"
    forcing = Forcing(pattern, "air_temperature", Clock("2001-01-01"))
    assert forcing.problems(20 * DAY, 74 * DAY) == [] and forcing.problems(135 * DAY, 160 * DAY) == []
    (said,) = forcing.problems(20 * DAY, 80 * DAY)
    assert "missing between 2001-03-16T00:00:00 (air_3.nc) and 2001-05-16T00:00:00 (air_5.nc)" in said
    assert "gaps: bridge" in said and forcing.at(74 * DAY).shape == LAT.shape + LON.shape
    with pytest.raises(ForcingError, match=r"air_3.nc\) and 2001-05-16"):
        forcing.at(100 * DAY)
    assert Forcing(pattern, "air_temperature", Clock("2001-01-01"), bridge=True).problems(20 * DAY, 160 * DAY) == []


@pytest.mark.parametrize(
    ("times", "calendar", "gaps"),
    [
        ([0, 31, 59, 90, 120, 151], "standard", 0),  # months
        ([0, 365, 731, 1096], "standard", 0),  # years
        ([58, 59, 60], "noleap", 0),  # across a February without a 29th, in a case that has one
        ([0, 1, 2, 4, 5], "standard", 1),
        ([0, 1, 9, 11, 30, 31], "standard", 0),  # no step of its own
        ([0, 0.25, 0.5, 1.5, 1.75], "standard", 1),
        ([0, 10], "standard", 0),
    ],
)
def test_a_gap_is_a_step_longer_than_the_axis_own(tmp_path, times, calendar, gaps):
    path = write(tmp_path / "f.nc", times, calendar=calendar, units="days since 2004-01-01")
    forcing = Forcing(path, "air_temperature", Clock("2004-01-01"))
    assert len(forcing.problems(int(times[0] * DAY), int(times[-1] * DAY))) == gaps


def test_intervals_that_touch_leave_no_gap_and_a_cycle_without_summer_has_one(tmp_path):
    edges = np.array([0, 1, 2, 5, 6, 7.0])
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    path = write(tmp_path / "f.nc", bounds.mean(axis=1), bounds=bounds)
    assert Forcing(path, "air_temperature", Clock("2001-01-01")).problems(DAY, 6 * DAY) == []
    year = [15, 45, 74, 105, 288, 319, 349]
    forcing = Forcing(write(tmp_path / "y.nc", year), "air_temperature", Clock("2001-01-01"), cycle="yearly")
    assert forcing.problems(0, 60 * DAY) == []
    (said,) = forcing.problems(60 * DAY, 200 * DAY)
    assert "2001-04-16T00:00:00 (y.nc) and 2001-10-16T00:00:00 (y.nc)" in said


def test_more_numbers_than_any_grid_has_are_refused_before_memory_is_taken(tmp_path):
    with netCDF4.Dataset(tmp_path / "f.nc", "w") as f:
        for name, size in (("time", 2), ("lat", 200_000), ("lon", 400_000)):
            f.createDimension(name, size)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            f.createVariable(name, "f4", (name,), zlib=True).units = units
            f[name][:] = np.linspace(-80.0, 80.0, f[name].size)
        f.createVariable("time", "f8", ("time",)).units = "days since 2001-01-01"
        f["time"][:] = [0, 1]
        f.createVariable("air_temperature", "f4", ("time", "lat", "lon"), zlib=True).units = "K"
    with pytest.raises(ForcingError, match=r"has 8e\+10 numbers to be read at once; at most 1e\+09"):
        Forcing(tmp_path / "f.nc", "air_temperature", Clock("2001-01-01")).at(0)
