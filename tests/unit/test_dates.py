# SPDX-License-Identifier: BSD-3-Clause
"""Times of files: every calendar and its aliases, year 0, months, absolute dates, text; refused with file and value."""

import cftime
import netCDF4
import numpy as np
import pytest

from coupler.clock import Clock, calendar_name
from coupler.errors import ForcingError
from coupler.netcdf.dates import decode, intervals, month_length
from coupler.netcdf.opening import open_dataset


def read(tmp_path, numbers, units, calendar=None, name="time", bounds=None, dtype="f8", fill=None, **attributes):
    path = tmp_path / "t.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension(name, len(numbers))
        v = file.createVariable(name, dtype, (name,), fill_value=fill)
        v.setncatts({k: a for k, a in {"units": units, "calendar": calendar, **attributes}.items() if a is not None})
        v[:] = numbers
        if bounds is not None:
            file.createDimension("nv", 2)
            file.createVariable("edges", "f8", (name, "nv"))[:] = bounds
            v.bounds = "edges"
    with open_dataset(path) as file:
        return decode(file[name], str(path))


def texts(dates):
    return [d.strftime("%Y-%m-%dT%H:%M:%S") for d in dates.dates]


ALIASES = {
    "standard": "gregorian Gregorian STANDARD",
    "noleap": "365_day NOLEAP",
    "all_leap": "366_day",
    "360_day": "360 360_DAY",
    "proleptic_gregorian": "gregorian_proleptic",
    "julian": "Julian",
}


@pytest.mark.parametrize(("name", "alias"), [(n, a) for n, them in ALIASES.items() for a in them.split()])
def test_calendars_have_their_aliases_in_files_and_cases(tmp_path, name, alias):
    assert calendar_name(alias) == name
    found = read(tmp_path, [0, 59, 60], "days since 2004-01-01", alias).dates
    assert found == list(cftime.num2date([0, 59, 60], "days since 2004-01-01", name))
    assert Clock("2004-01-01", alias) == Clock("2004-01-01", name)


@pytest.mark.parametrize("word", ["none", "standard_leap", "", "lunar"])
def test_a_calendar_nobody_knows_is_named_with_the_file(tmp_path, word):
    with pytest.raises(ForcingError, match=rf"t\.nc.*'time'.*unknown calendar '{word}'"):
        read(tmp_path, [0], "days since 2004-01-01", word)


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day", "proleptic_gregorian"])
@pytest.mark.parametrize("since", ["days since 0000-01-01", "days since 0-1-1", "days since 0001-01-01 00:00:0.0"])
def test_climatologies_of_year_0(tmp_path, calendar, since):
    found = read(tmp_path, [15, 45], since, calendar).dates
    assert [(d.month, d.day) for d in found] == [(1, 16), (2, 16 if calendar == "360_day" else 15)]


def test_units_that_are_not_days(tmp_path):
    assert texts(read(tmp_path, [0.5, 1.5], "months since 2001-01-01", "360_day")) == [
        "2001-01-16T00:00:00", "2001-02-16T00:00:00",
    ]  # fmt: skip
    assert texts(read(tmp_path, [20050831.25], "day as %Y%m%d.%f")) == ["2005-08-31T06:00:00"]
    assert texts(read(tmp_path, [876581], "hours since 1900-01-01 00:00:0.0", "gregorian", dtype="i4")) == [
        "2000-01-01T05:00:00"
    ]
    assert texts(read(tmp_path, [1104537600], "seconds since 1970-01-01", dtype="i8")) == ["2005-01-01T00:00:00"]
    assert texts(read(tmp_path, [10], "Days since 2001-01-01T00:00:00Z")) == ["2001-01-11T00:00:00"]
    third = read(tmp_path, [round(41273 + 7 / 24, 12)], "days since 1888-01-01")
    assert texts(third) == [str(cftime.num2date(41273, "days since 1888-01-01").strftime("%Y-%m-%dT07:00:00"))]


@pytest.mark.parametrize(("name", "units"), [("month", None), ("time", "month"), ("time", "months"), ("month", "1")])
def test_months_by_number(tmp_path, name, units):
    if units == "1":
        with pytest.raises(ForcingError, match="has the unit '1'"):
            read(tmp_path, [1, 2], units, name=name)
        return
    found = read(tmp_path, [7, 8, 1], units, name=name)
    assert found.climatological and [d.month for d in found.dates] == [7, 8, 1]
    assert [(a.month, b.month) for a, b in found.bounds] == [(7, 8), (8, 9), (1, 2)]
    with pytest.raises(ForcingError, match="has the month 13"):
        read(tmp_path, [13], units, name=name)


def test_times_written_as_text(tmp_path):
    path = tmp_path / "wrfout.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("Time", 2)
        file.createDimension("DateStrLen", 19)
        v = file.createVariable("Times", "S1", ("Time", "DateStrLen"))
        v[:] = netCDF4.stringtochar(np.array(["2005-08-28_00:00:00", "2005-08-28_03:30:00"], "S19"))
    with open_dataset(path) as file:
        assert texts(decode(file["Times"], "wrfout.nc")) == ["2005-08-28T00:00:00", "2005-08-28T03:30:00"]


@pytest.mark.parametrize(
    ("numbers", "units", "words"),
    [
        ([0, 1], "months since 2001-01-01", r"months since 2001-01-01.*no one length"),
        ([0, 1], "years since 2001-01-01", "has the unit 'years since 2001-01-01'"),
        ([0, 1], "months", "has the month 0"),
        ([0, 1], "days", "has the unit 'days'; expected a unit such as 'days since"),
        ([0, np.nan], "days since 2001-01-01", "no value at record 2 of 2"),
        ([0, -999], "days since 2001-01-01", "no value at record 2 of 2"),
        ([0, 1], "days since yesterday", "cannot be read: 0 to 1 'days since yesterday'"),
        ([0, 1e15], "days since 2001-01-01", r"cannot be read: 0 to 1e\+15"),
        ([20011301], "day as %Y%m%d.%f", "has 20011301, which is not a date"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_variable_and_value(tmp_path, numbers, units, words):
    with pytest.raises(ForcingError, match=words) as said:
        read(tmp_path, numbers, units, fill=-999.0)
    assert "t.nc: time 'time'" in str(said.value)


def test_bounds_are_ordered_and_compared_with_their_records(tmp_path):
    found = read(tmp_path, [0.5, 1.5], "days since 2001-01-01", bounds=[[1, 0], [1, 2]])
    assert [(a.day, b.day) for a, b in found.bounds] == [(1, 2), (2, 3)]
    assert read(tmp_path, [0, 1], "days since 2001-01-01", bounds=[[0, 0], [1, 1]]).bounds == []
    for bounds, words in (([[0, 1], [2, 3]], "outside its bounds"), ([[0, 1], [np.nan, 2]], "no value at record 2")):
        with pytest.raises(ForcingError, match=words):
            read(tmp_path, [0.5, 1.5], "days since 2001-01-01", bounds=bounds)


def test_intervals_of_labels():
    def month(n):
        return cftime.datetime(2001, n, 1, calendar="noleap")

    firsts = [month(n) for n in (1, 2, 3)]
    assert intervals(firsts, "start") == [(month(1), month(2)), (month(2), month(3)), (month(3), month(4))]
    assert intervals(firsts[1:], "end") == [(month(1), month(2)), (month(2), month(3))]
    assert intervals(firsts, "middle") == [] == intervals(firsts, "auto")
    hours = list(cftime.num2date([0, 3, 6], "hours since 2001-01-02"))
    assert intervals(hours, "end")[0] == (hours[0] - (hours[1] - hours[0]), hours[0])
    assert month_length(month(2)) == 28 * 86400.0
