# SPDX-License-Identifier: BSD-3-Clause
"""Files with the headers of the centres and models that users bring: the right numbers, on any grid."""

import netCDF4
import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles
from coupler.analysis.observations import find
from coupler.clock import Clock
from coupler.errors import ForcingError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

LAT, LON = np.arange(-89.5, 90, 1.0), np.arange(0.5, 360, 1.0)
BOX = Grid.regular_lonlat("box", -5, 5, 40, 44, resolution=1)


def true(lon, lat, day=0.0):
    """The field that every file holds: smooth, and different in every cell and at every time."""
    return 285.0 + 5.0 * np.cos(np.deg2rad(lon)) - 0.1 * lat + 0.5 * day


def header(path, dims, variables, sizes=None):
    """A file: dimensions by size; variables as (dims, values, attributes, type, fill)."""
    with netCDF4.Dataset(path, "w") as f:
        for d, n in dims.items():
            f.createDimension(d, n)
        for name, (of, values, attributes, *more) in variables.items():
            dtype, fill = (*more, *("f8", None)[len(more) :])
            v = f.createVariable(name, dtype, of, fill_value=fill)
            v.setncatts(attributes)
            v.set_auto_maskandscale(False)
            if dtype is str:
                for n, text in enumerate(values):
                    v[n] = text
            else:
                v[:] = values
    return path


def short(values, scale, offset, fill=-32767):
    """Numbers packed as the centres do, and what they then mean."""
    raw = np.where(np.isfinite(values), np.round((values - offset) / scale), fill).astype("i2")
    return raw, np.where(raw == fill, np.nan, raw * float(scale) + float(offset))


def fields(lat, lon, days=(0.0, 0.25)):
    return np.stack([true(lon[None, :], lat[:, None], d) for d in days])


def taken(meant, lat, lon, grid=BOX):
    """What the file means on the cells of a grid."""
    rows = [int(np.abs(lat - v).argmin()) for v in grid.latitude[:, 0]]
    columns = [int(np.abs((lon - v + 180.0) % 360.0 - 180.0).argmin()) for v in grid.longitude[0]]
    return meant[np.ix_(rows, columns)]


def read(path, name="air_temperature", start="2001-01-01", time=0, grid=BOX, calendar="standard", **how):
    return Forcing(path, name, Clock(start, calendar), grid=grid, **how).at(time)


DEGREES = {"latitude": {"units": "degrees_north"}, "longitude": {"units": "degrees_east"}}


def test_era5_of_the_old_climate_data_store(tmp_path):
    lat = LAT[::-1]
    raw, meant = short(fields(lat, LON), 0.0016, 285.0)
    hours = np.array([885360, 885366], "i4")  # 2001-01-01
    path = header(tmp_path / "era5.nc", {"longitude": 360, "latitude": 180, "time": 2}, {
        "longitude": (("longitude",), LON, {**DEGREES["longitude"], "long_name": "longitude"}, "f4"),
        "latitude": (("latitude",), lat, {**DEGREES["latitude"], "long_name": "latitude"}, "f4"),
        "time": (("time",), hours, {"units": "hours since 1900-01-01 00:00:00.0", "calendar": "gregorian"}, "i4"),
        "t2m": (("time", "latitude", "longitude"), raw, {"scale_factor": 0.0016, "add_offset": 285.0,
                "missing_value": np.int16(-32767), "units": "K", "long_name": "2 metre temperature"}, "i2", -32767),
    })  # fmt: skip
    for time, n in ((0, 0), (21600, 1)):
        np.testing.assert_allclose(read(path, time=time, variable="t2m"), taken(meant[n], lat, LON), rtol=1e-12)
    with pytest.raises(ForcingError, match=r"has no air_temperature; it has t2m; .* names: \{air_temperature: t2m\}"):
        read(path)


def test_era5_with_preliminary_data_is_merged_final_values_first(tmp_path):
    lat, both = LAT[::-1], np.full((2, 2, 180, 360), np.nan)
    both[0, 0], both[1, 1] = fields(lat, LON)
    path = header(tmp_path / "e.nc", {"longitude": 360, "latitude": 180, "expver": 2, "time": 2}, {
        "longitude": (("longitude",), LON, DEGREES["longitude"]),
        "latitude": (("latitude",), lat, DEGREES["latitude"]),
        "expver": (("expver",), [1, 5], {"long_name": "expver"}, "i4"),
        "time": (("time",), [885360, 885366], {"units": "hours since 1900-01-01 00:00:00.0"}, "i4"),
        "t2m": (("time", "expver", "latitude", "longitude"), both, {"units": "K"}),
    })  # fmt: skip
    for how in ({}, {"expver": "merge"}):
        got = [read(path, variable="t2m", select=how, time=t) for t in (0, 21600)]
        np.testing.assert_allclose(got, [taken(both[n, n], lat, LON) for n in (0, 1)], rtol=1e-12)
    first = read(path, variable="t2m", select={"expver": 1})
    np.testing.assert_allclose(first, taken(both[0, 0], lat, LON), rtol=1e-12)
    with pytest.raises(ForcingError, match="expver has no 7; it has 1"):
        read(path, variable="t2m", select={"expver": 7})
    swapped = tmp_path / "swapped.nc"  # both have a value, and the preliminary part stands first
    swapped.write_bytes(path.read_bytes())
    with netCDF4.Dataset(swapped, "a") as f:
        f["expver"][:], f["t2m"][0] = [5, 1], both[[0, 1], [0, 1]]
    np.testing.assert_allclose(read(swapped, variable="t2m"), taken(both[1, 1], lat, LON), rtol=1e-12)


def test_era5_of_the_new_climate_data_store(tmp_path):
    lat = LAT[::-1]
    meant = fields(lat, LON).astype("f4")
    path = header(tmp_path / "data_stream-oper.nc", {"valid_time": 2, "latitude": 180, "longitude": 360}, {
        "number": ((), 0, {"units": "1", "standard_name": "realization"}, "i8"),
        "valid_time": (("valid_time",), [978307200, 978328800], {"units": "seconds since 1970-01-01",
                       "calendar": "proleptic_gregorian", "standard_name": "time"}, "i8"),
        "latitude": (("latitude",), lat, {**DEGREES["latitude"], "standard_name": "latitude",
                     "stored_direction": "decreasing"}),
        "longitude": (("longitude",), LON, {**DEGREES["longitude"], "standard_name": "longitude"}),
        "expver": (("valid_time",), ["0001", "0005"], {}, str),
        "t2m": (("valid_time", "latitude", "longitude"), meant, {"units": "K", "standard_name": "unknown",
                "GRIB_stepType": "instant", "coordinates": "number valid_time latitude longitude expver"},
                "f4", np.float32(np.nan)),
    })  # fmt: skip
    got = read(path, variable="t2m", time=21600)
    np.testing.assert_array_equal(got, taken(meant[1], lat, LON).astype(float))


def test_era_interim_and_ncep_analyses_on_levels(tmp_path):
    """Old packed files, levels in millibar from the top, specific names: the same air."""
    p = np.array([50, 200, 500, 700, 850, 1000])
    lat, lon = np.arange(90, -91, -10.0), np.arange(0, 360, 10.0)
    warm = true(lon[None, :], lat[:, None])[None] - 10.0 * np.arange(5, -1, -1)[:, None, None]
    shape = ("time", "level", "latitude", "longitude")
    raw, meant = short(warm[None], np.float64(0.002), 270.0)
    wind = np.full(raw.shape, 5.0)
    era = header(tmp_path / "ei.nc", {"time": 1, "level": 6, "latitude": 19, "longitude": 36}, {
        "longitude": (("longitude",), lon, DEGREES["longitude"], "f4"),
        "latitude": (("latitude",), lat, DEGREES["latitude"], "f4"),
        "level": (("level",), p, {"units": "millibars", "long_name": "pressure_level"}, "i4"),
        "time": (("time",), [885360], {"units": "hours since 1900-01-01 00:00:0.0", "calendar": "gregorian"}, "i4"),
        "t": (shape, raw, {"scale_factor": 0.002, "add_offset": 270.0, "units": "K",
              "standard_name": "air_temperature"}, "i2", -32767),
        "u": (shape, wind, {"units": "m s**-1"}), "v": (shape, wind, {"units": "m s**-1"}),
    })  # fmt: skip
    found, pressures, _ = AnalysisFiles([era]).read("air_temperature", 0)
    np.testing.assert_allclose(pressures, 100.0 * p[::-1])
    np.testing.assert_allclose(found, meant[0][::-1, ::-1], rtol=1e-12)
    turned = ("lon", "lat", "level", "time")
    ncep = header(tmp_path / "air.nc", {"lon": 36, "lat": 19, "level": 6, "time": 1}, {
        "lon": (("lon",), lon, {"units": "degrees_east", "axis": "X"}, "f4"),
        "lat": (("lat",), lat, {"units": "degrees_north", "axis": "Y"}, "f4"),
        "level": (("level",), p, {"units": "millibar", "axis": "Z", "positive": "down"}, "f4"),
        "time": (("time",), [1753152.0], {"units": "hours since 1800-01-01 00:00:0.0", "axis": "T"}),
        "air": (turned, warm[None].transpose(3, 2, 1, 0) - 273.15, {"units": "degC", "var_desc": "Air temperature",
                "valid_range": np.array([-150.0, 80.0], "f4")}, "f4", np.float32(-9.96921e36)),
        "uwnd": (turned, wind.transpose(3, 2, 1, 0), {"units": "m/s"}),
        "vwnd": (turned, wind.transpose(3, 2, 1, 0), {"units": "m/s"}),
    })  # fmt: skip
    found, _, _ = AnalysisFiles([ncep]).read("air_temperature", 0)
    expected = (warm - 273.15).astype("f4").astype(float)[::-1, ::-1] + 273.15
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_ncep_packed_in_single_precision_with_a_valid_range(tmp_path):
    lat = LAT[::-1]
    values = fields(lat, LON)
    values[:, :20] = 400.0  # beyond the valid range, which is in the unpacked unit
    scale, offset = np.float32(0.01), np.float32(277.65)
    raw, meant = short(values, scale, offset, 32766)
    meant[meant > 350.0] = np.nan
    path = header(tmp_path / "air.sig995.2001.nc", {"lon": 360, "lat": 180, "time": 2}, {
        "lon": (("lon",), LON, DEGREES["longitude"], "f4"), "lat": (("lat",), lat, DEGREES["latitude"], "f4"),
        "time": (("time",), [1761936.0, 1761942.0], {"units": "hours since 1-1-1 00:00:0.0"}),
        "air": (("time", "lat", "lon"), raw, {"units": "degK", "scale_factor": scale, "add_offset": offset,
                "missing_value": np.int16(32766), "valid_range": np.array([137.5, 350.0], "f4")}, "i2"),
    })  # fmt: skip
    got = Forcing(path, "air_temperature", Clock("2001-01-01"), variable="air").at
    assert np.isnan(meant[0]).any()
    start = netCDF4.num2date(1761936.0, "hours since 1-1-1 00:00:0.0").strftime("%Y-%m-%dT%H:%M:%S")
    got = read(path, variable="air", start=start)
    np.testing.assert_allclose(got, taken(meant[0], lat, LON), rtol=1e-12)


@pytest.mark.parametrize("calendar", ["360_day", "noleap", "proleptic_gregorian"])
def test_cmip6_and_the_calendar_of_the_unified_model(tmp_path, calendar):
    meant = fields(LAT, LON, (0.0, 1.0)).astype("f4")
    bounds = np.array([[0.0, 1.0], [1.0, 2.0]])
    path = header(tmp_path / "tas_day.nc", {"time": 2, "bnds": 2, "lat": 180, "lon": 360}, {
        "time": (("time",), bounds.mean(1), {"bounds": "time_bnds", "axis": "T", "standard_name": "time",
                 "units": "days since 2001-02-01 00:00:00", "calendar": calendar}),
        "time_bnds": (("time", "bnds"), bounds, {}),
        "lat": (("lat",), LAT, {"bounds": "lat_bnds", "axis": "Y", "standard_name": "latitude", **DEGREES["latitude"]}),
        "lat_bnds": (("lat", "bnds"), np.stack([LAT - 0.5, LAT + 0.5], 1), {}),
        "lon": (("lon",), LON, {"bounds": "lon_bnds", "axis": "X", "standard_name": "longitude",
                **DEGREES["longitude"]}),
        "lon_bnds": (("lon", "bnds"), np.stack([LON - 0.5, LON + 0.5], 1), {}),
        "height": ((), 2.0, {"units": "m", "axis": "Z", "positive": "up", "standard_name": "height"}),
        "tas": (("time", "lat", "lon"), meant, {"standard_name": "air_temperature", "units": "K",
                "cell_methods": "area: time: mean", "coordinates": "height", "missing_value": np.float32(1e20)},
                "f4", np.float32(1e20)),
    })  # fmt: skip
    how = {"start": "2001-02-01", "calendar": calendar}
    middle = [taken(m, LAT, LON).astype(float) for m in meant]
    np.testing.assert_array_equal(read(path, time=43200, **how), middle[0])
    np.testing.assert_allclose(read(path, time=86400, **how), 0.5 * (middle[0] + middle[1]), rtol=1e-12)
    np.testing.assert_array_equal(read(path, time=90000, method="step", **how), middle[1])
    observed = find([path], ["air_temperature"])["air_temperature"]
    assert observed.months == ((2001, 2), (2001, 2))
    np.testing.assert_allclose(observed.month(2001, 2), meant.astype(float).mean(0), rtol=1e-12)


def test_oisst_without_a_mask(tmp_path):
    lon, lat = np.arange(0.125, 360, 0.25)[:80], np.arange(40.125, 50, 0.25)
    values = true(lon[None, :], lat[:, None]) - 273.15
    values[:4, :4] = np.nan
    raw, meant = short(values, np.float32(0.01), np.float32(0.0), -999)
    path = header(tmp_path / "oisst.nc", {"time": 1, "zlev": 1, "lat": lat.size, "lon": 80}, {
        "time": (("time",), [8400.5], {"units": "days since 1978-01-01 12:00:00"}, "f4"),
        "zlev": (("zlev",), [0.0], {"units": "meters", "positive": "down"}, "f4"),
        "lat": (("lat",), lat, DEGREES["latitude"], "f4"), "lon": (("lon",), lon, DEGREES["longitude"], "f4"),
        "sst": (("time", "zlev", "lat", "lon"), raw[None, None], {"units": "Celsius", "scale_factor": np.float32(0.01),
                "add_offset": np.float32(0.0), "valid_min": np.int16(-300), "valid_max": np.int16(4500)}, "i2", -999),
    })  # fmt: skip
    grid = Grid.regular_lonlat("sea", 0, 10, 40, 45, resolution=0.25)
    got = read(path, "sea_surface_temperature", "2001-01-01", grid=grid, variable="sst")
    np.testing.assert_allclose(got, meant[:20, :40] + 273.15, rtol=1e-12)
    assert np.isnan(got[:4, :4]).all() and np.isfinite(got).sum() == got.size - 16


def test_cordex_on_a_rotated_pole(tmp_path):
    rotated = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 +R=6371229"
    whole = Grid.projected("eur", rotated, 40, 30, 0.44, center=(10.0, 50.0))
    import pyproj

    x, y = (np.rad2deg(v) for v in pyproj.Proj(rotated)(whole.longitude, whole.latitude))
    meant = true(whole.longitude, whole.latitude)[None]
    path = header(tmp_path / "cordex.nc", {"time": 1, "rlat": 30, "rlon": 40}, {
        "rotated_pole": ((), 0, {"grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_latitude": 39.25,
                         "grid_north_pole_longitude": -162.0}, "i4"),
        "time": (("time",), [0.0], {"units": "days since 2001-01-01", "standard_name": "time"}),
        "rlat": (("rlat",), y[:, 0], {"units": "degrees", "standard_name": "grid_latitude", "axis": "Y"}),
        "rlon": (("rlon",), x[0], {"units": "degrees", "standard_name": "grid_longitude", "axis": "X"}),
        "lat": (("rlat", "rlon"), whole.latitude, {"standard_name": "latitude", **DEGREES["latitude"]}),
        "lon": (("rlat", "rlon"), whole.longitude, {"standard_name": "longitude", **DEGREES["longitude"]}),
        "tas": (("time", "rlat", "rlon"), meant, {"standard_name": "air_temperature", "units": "K",
                "coordinates": "lon lat", "grid_mapping": "rotated_pole"}),
    })  # fmt: skip
    np.testing.assert_array_equal(read(path, grid=whole), meant[0])
    inner = Grid.projected("inner", rotated, 8, 6, 0.44, center=(10.0, 50.0))
    np.testing.assert_allclose(read(path, grid=inner), true(inner.longitude, inner.latitude), rtol=1e-12)
    other = Grid.regular_lonlat("lonlat", 6, 14, 47, 53, resolution=0.5)
    np.testing.assert_allclose(read(path, grid=other), true(other.longitude, other.latitude), atol=2e-3)
    with pytest.raises(ForcingError, match="does not contain grid 'box'"):
        read(path, grid=Grid.regular_lonlat("box", 100, 110, 20, 30, resolution=1))


def test_roms_and_orca_fields_on_their_own_grid_and_on_another(tmp_path):
    """Curvilinear fields without a projection: the same cells as they are, others bilinearly."""
    made = Grid.projected("c", "+proj=lcc +lat_1=20 +lat_2=40 +lat_0=30 +lon_0=120 +R=6370000", 30, 24, 50e3)
    meant = true(made.longitude, made.latitude)[None]
    roms = header(tmp_path / "roms.nc", {"ocean_time": 1, "s_rho": 1, "eta_rho": 24, "xi_rho": 30}, {
        "ocean_time": (("ocean_time",), [0.0], {"units": "seconds since 2001-01-01 00:00:00",
                       "calendar": "gregorian_proleptic", "field": "time, scalar, series"}),
        "lon_rho": (("eta_rho", "xi_rho"), made.longitude, {"units": "degree_east"}),
        "lat_rho": (("eta_rho", "xi_rho"), made.latitude, {"units": "degree_north"}),
        "temp": (("ocean_time", "s_rho", "eta_rho", "xi_rho"), meant[None] - 273.15, {"units": "Celsius",
                 "coordinates": "lon_rho lat_rho s_rho ocean_time"}),
    })  # fmt: skip
    orca = header(tmp_path / "orca.nc", {"time_counter": 1, "y": 24, "x": 30}, {
        "time_counter": (("time_counter",), [0.0], {"units": "days since 2001-01-01", "calendar": "gregorian"}),
        "nav_lat": (("y", "x"), made.latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        "nav_lon": (("y", "x"), made.longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        "temp": (("time_counter", "y", "x"), meant - 273.15, {"units": "degC", "coordinates": "nav_lat nav_lon"}),
    })  # fmt: skip
    mesh = Grid.regular_lonlat("inner", 116, 124, 27, 33, resolution=0.5)
    for path in (roms, orca):
        how = {"name": "sea_surface_temperature", "variable": "temp"}
        np.testing.assert_allclose(read(path, grid=made, **how), meant[0], rtol=1e-12)
        np.testing.assert_allclose(read(path, grid=mesh, **how), true(mesh.longitude, mesh.latitude), atol=2e-3)
        rows = Forcing(
            path, how["name"], Clock("2001-01-01"), grid=mesh, variable="temp", block=(slice(3, 7), slice(2, 9))
        )
        np.testing.assert_array_equal(rows.at(0), read(path, grid=mesh, **how)[3:7, 2:9])


def monthly(path, numbers, time, values=None, **attributes):
    return header(path, {"time": len(numbers), "lat": 180, "lon": 360}, {
        "time": (("time",), numbers, time),
        "lat": (("lat",), LAT, DEGREES["latitude"]), "lon": (("lon",), LON, DEGREES["longitude"]),
        "pr": (("time", "lat", "lon"), np.broadcast_to(
            np.arange(1.0, len(numbers) + 1)[:, None, None] if values is None else values, (len(numbers), 180, 360)),
            {"standard_name": "precipitation_flux", "units": "mm month-1", **attributes}),
    })  # fmt: skip


def test_a_rate_by_the_month_is_divided_by_the_months_own_length(tmp_path):
    path = monthly(tmp_path / "pr.nc", [15.5, 45.0], {"units": "days since 2001-01-01", "calendar": "noleap"})
    clock = Clock("2001-01-16T12:00:00", "noleap")
    rain = Forcing(path, "precipitation_flux", clock, grid=BOX)
    np.testing.assert_allclose(rain.at(0), 1.0 / (31 * 86400), rtol=1e-12)
    np.testing.assert_allclose(rain.at(int(29.5 * 86400)), 2.0 / (28 * 86400), rtol=1e-12)


def test_climatologies_of_year_0_1_and_of_numbered_months_are_cycles(tmp_path):
    for name, numbers, time in (
        ("zero", [15.5, 45, 75, 105, 136, 166, 196, 227, 258, 288, 319, 349], {"units": "days since 0000-01-01"}),
        ("one", [15.5, 45, 75, 105, 136, 166, 196, 227, 258, 288, 319, 349], {"units": "days since 0001-01-01"}),
        ("months", list(range(1, 13)), {"units": "month"}),
        ("turned", [*range(7, 13), *range(1, 7)], {"units": "months"}),
    ):
        values = np.array([numbers[n] if "month" in time["units"] else n + 1.0 for n in range(12)])[:, None, None]
        path = monthly(tmp_path / f"{name}.nc", numbers, time, values, units="kg m-2 s-1")
        rain = Forcing(path, "precipitation_flux", Clock("2005-07-16T12:00:00"), grid=BOX, method="linear")
        assert rain.coverage.cyclic and rain.problems(0, 10**9) == []
        assert abs(rain.at(0)[0, 0] - 7.0) < 0.06, name


def test_means_without_bounds_are_asked_for_their_label(tmp_path):
    path = monthly(
        tmp_path / "pr.nc",
        [0, 31, 59],
        {"units": "days since 2001-01-01"},
        units="kg m-2 s-1",
        cell_methods="time: mean",
    )
    clock = Clock("2001-01-16T12:00:00")
    with pytest.raises(ForcingError, match=r"pr\.nc: pr holds a mean .* label: start, middle or end"):
        Forcing(path, "precipitation_flux", clock, grid=BOX)
    start = Forcing(path, "precipitation_flux", clock, grid=BOX, label="start")
    assert start.at(0)[0, 0] == 1.0 and start.problems(0, 70 * 86400) == []
    end = Forcing(path, "precipitation_flux", clock, grid=BOX, label="end")
    assert end.at(0)[0, 0] == 2.0 and end.problems(0, 50 * 86400)
    middle = Forcing(path, "precipitation_flux", clock, grid=BOX, label="middle")
    assert middle.at(0)[0, 0] == pytest.approx(1.5, abs=1e-12)


def test_files_are_joined_by_date_and_equal_ones_compared(tmp_path):
    time = {"units": "days since 2001-01-01"}
    ones = np.arange(1.0, 4)[:, None, None]
    monthly(tmp_path / "f_9.nc", [0, 1, 2], time, ones, units="kg m-2 s-1")
    monthly(tmp_path / "f_10.nc", [2, 3, 4], time, ones + 2, units="kg m-2 s-1")
    rain = Forcing(tmp_path / "f_*.nc", "precipitation_flux", Clock("2001-01-01"), grid=BOX)
    assert [rain.at(n * 86400)[0, 0] for n in range(5)] == [1, 2, 3, 4, 5] and rain.coverage.records == 5
    rain.close()
    monthly(tmp_path / "f_10.nc", [2, 3, 4], time, ones, units="kg m-2 s-1")
    with pytest.raises(
        ForcingError, match=r"pr of 2001-01-03T00:00:00 is in .*f_10\.nc and, with other values, in .*f_9\.nc"
    ):
        Forcing(tmp_path / "f_*.nc", "precipitation_flux", Clock("2001-01-01"), grid=BOX)
    monthly(tmp_path / "f_10.nc", [3, 4, 5], time, ones, units="mm day-1")
    with pytest.raises(ForcingError, match=r"pr is in 'kg m-2 s-1', in .*f_10\.nc in 'mm day-1'"):
        Forcing(tmp_path / "f_*.nc", "precipitation_flux", Clock("2001-01-01"), grid=BOX)
