# SPDX-License-Identifier: BSD-3-Clause
"""Readers of stations' carbon dioxide: places, times, units and flags of each format, and what no file may be."""

import netCDF4
import numpy as np
import pytest

from components.chemistry.stations import global_mean, reading
from components.chemistry.stations.series import model_time
from coupler.clock import Clock
from coupler.errors import CaseError

NEW = """# header_lines : 9
# site_name : Ryori
# value:units : {units}
# dataset_data_frequency : hourly
# VARIABLE ORDER
# site_wdcgg_id st_year st_month st_day st_hour st_minute st_second value value_sd latitude longitude altitude QCflag
1001 2014 01 31 00 00 00 {a} 0.300 39.03 141.82 280 1
1001 2014 01 31 01 00 00 {b} -99.999 39.03 141.82 280 1
1001 2014 01 31 02 00 00 {a} 0.300 39.03 141.82 280 3
1001 2014 01 31 03 00 00 -999.999 0.300 39.03 141.82 280 1
"""
OLD = """C01 TITLE: CO2 hourly mean data
C07 STATION NAME: Mt. Dodaira
C12 LATITUDE: 36.00
C13 LONGITUDE: 139.20
C14 ALTITUDE: 840
C18 PARAMETER: CO2
C20 TIME INTERVAL: hourly
C21 MEASUREMENT UNIT: ppm
C24 TIME ZONE: {zone}
C32 DATE TIME DATE TIME CO2 ND SD F CS REM
2014-01-31 09:00 2014-01-31 10:00 402.5 6 0.41 0 1
2014-01-31 10:00 2014-01-31 11:00 -999.99 0 -999.99 9 1
"""
TEXT = """# header_lines : 6
# site_code : MLO
# value:_FillValue : -999.999
# value:units : {units}
# value:comment : of dry air
#
site_code year month day hour minute second value value_std_dev latitude longitude altitude qcflag
MLO 2014 1 31 6 0 0 {a} 0.2 19.536 -155.576 3437.0 ...
MLO 2014 1 31 7 0 0 {a} 0.2 19.536 -155.576 3437.0 *..
MLO 2014 1 31 8 0 0 {a} 0.2 19.536 -155.576 3437.0 .S.
MLO 2014 1 31 9 0 0 {a} 0.2 19.536 -155.576 3437.0 ..P
"""
MIDNIGHT = float(np.datetime64("2014-01-31T00:00:00", "s").astype(int))


def text(folder, content, name="station.txt"):
    path = folder / name
    path.write_text(content)
    return path


def only(path):
    found = reading.read(path)
    assert not found.problems, found.problems
    (series,) = found.series
    return series, found.notes


def test_todays_table_of_wdcgg(tmp_path):
    s, notes = only(text(tmp_path, NEW.format(units="ppm", a="400.500", b="401.500")))
    assert (s.name, s.longitude, s.latitude, s.height) == ("Ryori", 141.82, 39.03, 280.0)
    np.testing.assert_allclose(s.value, [400.5e-6, 401.5e-6])
    np.testing.assert_array_equal(s.begin, [MIDNIGHT, MIDNIGHT + 3600])
    np.testing.assert_array_equal(s.end - s.begin, 3600.0)
    np.testing.assert_allclose(s.error, [0.3e-6, np.nan])
    assert any("1 of 4 values are flagged" in note for note in notes)


@pytest.mark.parametrize("zone, hour", [("UTC", 9), ("UTC+9", 0), ("Local time (UTC +9)", 0)])
def test_a_table_of_before_2018_and_its_time_zone(tmp_path, zone, hour):
    s, _ = only(text(tmp_path, OLD.format(zone=zone)))
    assert (s.name, s.longitude, s.latitude, s.height) == ("Mt. Dodaira", 139.2, 36.0, 840.0)
    np.testing.assert_array_equal(s.begin, [MIDNIGHT + 3600 * hour])
    np.testing.assert_allclose(s.value, [402.5e-6])
    np.testing.assert_allclose(s.error, [0.41e-6])


def test_obspack_as_text(tmp_path):
    s, _ = only(text(tmp_path, TEXT.format(units="micromol mol-1", a="398.1")))
    assert s.name == "MLO"
    np.testing.assert_allclose(s.value, [398.1e-6, 398.1e-6])
    np.testing.assert_array_equal(s.begin, [MIDNIGHT + 6 * 3600, MIDNIGHT + 9 * 3600])


def obspack(path, units="mol mol-1", values=(4e-4, 4.01e-4, 4.02e-4)):
    with netCDF4.Dataset(path, "w") as file:
        file.site_code, file.dataset_name = "UUM", "co2_uum_surface-flask_1_representative"
        file.createDimension("obs", len(values))
        file.createDimension("flag", 3)
        for name, made in {
            "time": [MIDNIGHT, MIDNIGHT + 60.0, MIDNIGHT + 120.0], "latitude": [44.45] * 3, "longitude": [111.1] * 3,
            "altitude": [1012.0] * 3, "value": values, "value_unc": [2e-7] * 3, "obs_flag": [1, 1, 0],
        }.items():  # fmt: skip
            file.createVariable(name, "f8", ("obs",))[:] = made
        file["value"].units = units
        flags = file.createVariable("qcflag", "S1", ("obs", "flag"))
        flags[:] = netCDF4.stringtochar(np.array(["...", "*..", "..."], dtype="S3"))
    return path


def test_obspack_in_netcdf(tmp_path):
    s, _ = only(obspack(tmp_path / "co2_uum.nc"))
    assert (s.name, s.longitude, s.latitude, s.height) == ("UUM", 111.1, 44.45, 1012.0)
    np.testing.assert_allclose(s.value, [4e-4])
    np.testing.assert_allclose(s.error, [2e-7])


def cf(path, kind, units="ppm", scale=1.0):
    """Two stations, three times each, the second's last value flagged; as an array, with times first, or ragged."""
    value = scale * np.array([[400.0, 401.0, 402.0], [410.0, 411.0, 999.0]])
    with netCDF4.Dataset(path, "w") as file:
        file.Conventions, file.featureType = "CF-1.11", "timeSeries"
        file.createDimension("station", 2)
        file.createDimension("time", 3)
        file.createDimension("obs", 6)
        file.createDimension("length", 8)
        names = file.createVariable("station_name", "S1", ("station", "length"))
        names.cf_role = "timeseries_id"
        names[:] = netCDF4.stringtochar(np.array(["Ryori", "Lulin"], dtype="S8"))
        for name, made, unit in (
            ("lat", [39.03, 23.47], "degrees_north"), ("lon", [141.82, 120.87], "degrees_east"),
            ("alt", [260.0, 2862.0], "m"),
        ):  # fmt: skip
            v = file.createVariable(name, "f8", ("station",))
            v.units, v.standard_name = unit, {"lat": "latitude", "lon": "longitude", "alt": "height"}[name]
            v[:] = made
        whole = kind in ("array", "times first")
        dims = {"array": ("station", "time"), "times first": ("time", "station")}.get(kind, ("obs",))
        order = [0, 3, 1, 4, 2, 5] if kind == "indexed" else list(range(6))
        hours = np.tile([0.0, 1.0, 2.0], 2)[order]
        time = file.createVariable("time", "f8", ("time",) if whole else ("obs",))
        time.units, time.standard_name = "hours since 2014-01-31", "time"
        time[:] = [0.0, 1.0, 2.0] if whole else hours

        def laid(a):
            return {"array": a, "times first": a.T}.get(kind, a.ravel()[order])

        if kind == "contiguous":
            rows = file.createVariable("row_size", "i4", ("station",))
            rows.sample_dimension = "obs"
            rows[:] = [3, 3]
        if kind == "indexed":
            index = file.createVariable("which", "i4", ("obs",))
            index.instance_dimension = "station"
            index[:] = np.repeat([0, 1], 3)[order]
        v = file.createVariable("co2", "f8", dims, fill_value=-999.0)
        v.units, v.standard_name = units, "mole_fraction_of_carbon_dioxide_in_air"
        v.ancillary_variables = "co2_flag co2_sd"
        v[:] = laid(value)
        flag = file.createVariable("co2_flag", "i1", dims)
        flag.flag_values, flag.flag_meanings = np.array([0, 1, 2], "i1"), "good_data probably_good invalid"
        flag[:] = laid(np.array([[0, 0, 0], [0, 0, 2]]))
        sd = file.createVariable("co2_sd", "f8", dims)
        sd.units, sd.long_name = units, "standard_deviation of the hour"
        sd[:] = 0.5 * scale
    return path


@pytest.mark.parametrize("kind", ["array", "times first", "contiguous", "indexed"])
@pytest.mark.parametrize("units, scale", [("ppm", 1.0), ("mol mol-1", 1e-6), ("ppb", 1e3)])
def test_cf_time_series(tmp_path, kind, units, scale):
    found = reading.read(cf(tmp_path / "stations.nc", kind, units, scale))
    assert found.problems == ()
    first, second = found.series
    assert (first.name, second.name, second.longitude, second.height) == ("Ryori", "Lulin", 120.87, 2862.0)
    np.testing.assert_allclose(first.value, [4.00e-4, 4.01e-4, 4.02e-4])
    np.testing.assert_allclose(second.value, [4.10e-4, 4.11e-4])
    np.testing.assert_allclose(second.error, 5e-7)
    np.testing.assert_array_equal(first.begin, MIDNIGHT + 3600.0 * np.arange(3))
    assert any("ppb" in note for note in found.notes) == (units == "ppb")


def test_a_unit_that_cannot_be_is_named(tmp_path):
    (problem,) = reading.read(text(tmp_path, TEXT.format(units="nmol mol-1", a="398.1"))).problems
    assert "398.1 nmol mol-1" in problem and "is the unit right?" in problem and "MLO" in problem
    (problem,) = reading.read(text(tmp_path, TEXT.format(units="kg m-3", a="398.1"))).problems
    assert "kg m-3" in problem


@pytest.mark.parametrize(
    "content, words",
    [
        ("hello\n", "expected CF netCDF of time series"),
        ("", "expected CF netCDF of time series"),
        (OLD.format(zone="Timbuktu"), "expected a TIME ZONE"),
        (NEW.format(units="ppm", a="400", b="401").replace("39.03", "139.03"), "expected a latitude of -90 to 90"),
        (NEW.format(units="ppm", a="-999.999", b="-999.999"), "at least a good value"),
        (NEW.format(units="ppm", a="400", b="401").replace("latitude", "breadth"), "expected columns latitude"),
        ("CDF\x01 and no more", "cannot be read"),
    ],
)
def test_what_no_file_may_be(tmp_path, content, words):
    problems = reading.read(text(tmp_path, content)).problems
    assert any(words in p and "station.txt" in p for p in problems), problems


def test_all_files_tell_their_mistakes_at_once(tmp_path):
    found = reading.read_all([tmp_path / "none.nc", text(tmp_path, "hello\n"), obspack(tmp_path / "x.nc", "kg")])
    assert len(found.problems) == 3


def test_model_time_of_another_calendar_leaves_the_leap_day_out():
    days = np.array(["2004-02-28", "2004-02-29", "2004-03-01"], dtype="datetime64[s]").astype(float)
    np.testing.assert_array_equal(model_time(days, Clock("2004-02-01", "noleap")) / 86400, [27.0, np.nan, 28.0])
    np.testing.assert_array_equal(model_time(days, Clock("2004-02-01", "standard")) / 86400, [27.0, 28.0, 29.0])


@pytest.mark.parametrize("row", ["1980-01,1980.04,x,1,2,3", "1980-13,1980.04,338,1,338,1", "1980-01,338", ""])
def test_a_global_mean_that_is_no_table_is_refused(tmp_path, row):
    with pytest.raises(CaseError, match=r"mean\.csv: expected"):
        global_mean.read(text(tmp_path, f"{row}\n", "mean.csv"))


def test_the_table_of_months_that_lies_beside_the_project(shared):
    found = reading.read(shared / "data" / "co2" / "stations_wdcgg" / "df_co2_raw_wdcgg_obs_noaa.csv")
    assert found.problems == () and len(found.series) == 129
    assert all(np.isfinite(s.height) for s in found.series)  # a name of its heights holds U+0085, which ends no line
    by_code = {s.name.split("(")[-1].strip(")"): s for s in found.series}
    waliguan = by_code["wlg236n0"]
    assert (waliguan.longitude, waliguan.latitude, waliguan.height) == (100.9, 36.28, 3810.0)
    assert len(waliguan.value) > 250 and 3.3e-4 < waliguan.value.min() < waliguan.value.max() < 4.2e-4
    assert np.all((waliguan.end - waliguan.begin) / 86400 >= 28)
