# SPDX-License-Identifier: BSD-3-Clause
"""A field written in any order, direction, longitude range, calendar, packing, unit, fill and style of coordinates.

It is read to 1e-12 of what the file holds (stored number times scale plus offset in double, then the unit), or refused
by name: never anything else.
"""

import tempfile
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupler.clock import Clock
from coupler.errors import ForcingError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

LAMBERT = "+proj=lcc +lat_1=20 +lat_2=40 +lat_0=30 +lon_0=120 +R=6370000"
UNITS = {
    "K": lambda v: v, "kelvin": lambda v: v, "degree_K": lambda v: v, "degC": lambda v: v + 273.15,
    "degrees Celsius": lambda v: v + 273.15, "degF": lambda v: (v + 459.67) * 5.0 / 9.0,
}  # fmt: skip
STYLES = {  # names of the coordinates, their units, whether standard names are given; and whether that is enough
    "cf": ("lat", "lon", True, True, True),
    "units": ("phi", "lam", True, False, True),
    "standard": ("phi", "lam", False, True, True),
    "names": ("latitude", "longitude", False, False, True),
    "nav": ("nav_lat", "nav_lon", False, False, True),
    "nothing": ("phi", "lam", False, False, False),
}
CALENDARS = "standard gregorian Gregorian proleptic_gregorian noleap 365_day all_leap 366_day 360_day julian".split()
SINCE = ("days since 2001-01-01", "hours since 1990-03-01 00:00:0.0", "seconds since 1970-01-01")
PACKINGS = {  # type, scale and offset, fill
    "double": ("f8", None, None, None),
    "double with fill": ("f8", None, None, -999.0),
    "float": ("f4", None, None, np.float32(1e20)),
    "float with nan": ("f4", None, None, np.float32(np.nan)),
    "short, double scale": ("i2", 0.0123456789, 281.5, np.int16(-32767)),
    "short, float scale": ("i2", np.float32(0.01), np.float32(7.3), np.int16(-32768)),
    "short, no offset": ("i2", 0.01, None, np.int16(32767)),
    "byte": ("i1", 0.5, 280.0, np.int8(-128)),
    "unsigned byte": ("u1", 0.25, 250.0, np.uint8(255)),
    "integer": ("i4", np.float32(1e-5), np.float64(290.0), np.int32(-(2**31))),
}


@st.composite
def files(draw):
    style = draw(st.sampled_from(sorted(STYLES)))
    return {
        "style": style,
        "flat": draw(st.booleans()),  # coordinates in one dimension each, or two together
        "order": draw(st.permutations(["time", "lat", "lon", "single"])),
        "single": draw(st.sampled_from(["height", "number", "expver", "zoo", None])),
        "down": draw(st.booleans()),
        "west": draw(st.booleans()),
        "roll": draw(st.integers(0, 35)),
        "low": draw(st.sampled_from([0.0, -180.0, -360.0])),
        "radians": draw(st.booleans()) and style != "units",
        "calendar": draw(st.sampled_from(CALENDARS)),
        "since": draw(st.sampled_from(SINCE)),
        "packing": draw(st.sampled_from(sorted(PACKINGS))),
        "unit": draw(st.sampled_from([*sorted(UNITS), "degrees", "m", "1"])),
        "extra": draw(st.sampled_from([None, None, None, ("member", 2), ("zoo2", 3)])),
        "seed": draw(st.integers(0, 2**16)),
        "start": draw(st.integers(0, 35)),
        "rows": draw(st.integers(1, 6)),
        "columns": draw(st.integers(1, 36)),
    }  # fmt: skip


def numbers(f, shape):
    """Stored numbers, with some missing, and what they mean in double precision."""
    dtype, scale, offset, fill = PACKINGS[f["packing"]]
    rng = np.random.default_rng(f["seed"])
    kind = np.dtype(dtype)
    if kind.kind == "f":
        raw = (280.0 + 10.0 * rng.random(shape)).astype(dtype)
    else:
        raw = rng.integers(np.iinfo(kind).min // 4, np.iinfo(kind).max // 4, shape).astype(dtype)
    meant = raw.astype(np.float64)
    if scale is not None:
        meant = meant * float(scale) + float(offset or 0.0)
    if fill is not None:
        gaps = rng.random(shape) < 0.1
        raw[gaps] = fill
        meant[gaps] = np.nan
    return raw, meant


def write(path, f):
    """The file; returns its latitudes, longitudes (in its own order) and what it holds (time, lat, lon)."""
    y_name, x_name, with_units, with_standard, _ = STYLES[f["style"]]
    lat = np.arange(22.5, 50, 5.0)[:: -1 if f["down"] else 1]
    lon = np.arange(5.0, 360, 10.0)
    lon = (np.roll(lon, f["roll"]) - f["low"]) % 360.0 + f["low"]
    lon = lon[:: -1 if f["west"] else 1]
    dtype, scale, offset, fill = PACKINGS[f["packing"]]
    raw, meant = numbers(f, (3, lat.size, lon.size))
    names = {"time": "time", "lat": y_name, "lon": x_name}
    if not f["flat"]:
        names |= {"lat": "row", "lon": "column"}
    order = [d for d in f["order"] if d != "single" or f["single"]]
    dims = [names.get(d, f["single"]) for d in order]
    calendar = f["calendar"].lower()
    since = f["since"]
    dates = [cftime.datetime(2001, 1, d, 12, calendar=calendar) for d in (2, 3, 4)]
    with netCDF4.Dataset(path, "w") as file:
        for d, size in (("time", 3), (names["lat"], lat.size), (names["lon"], lon.size)):
            file.createDimension(d, size)
        t = file.createVariable("time", "f8", ("time",))
        t.units, t.calendar = since, f["calendar"]
        t[:] = cftime.date2num(dates, since, calendar)
        two = np.meshgrid(lat, lon, indexing="ij")
        for k, (name, values) in enumerate(((y_name, lat), (x_name, lon))):
            where = (names["lat" if k == 0 else "lon"],) if f["flat"] else ("row", "column")
            v = file.createVariable(name, "f8", where)
            if with_units:
                v.units = ("degrees_north", "degrees_east")[k]
            if with_standard:
                v.standard_name = ("latitude", "longitude")[k]
            values = values if f["flat"] else two[k]
            if f["radians"]:
                v.units, values = "radians", np.deg2rad(values)
            v[:] = values
        stored = raw
        if f["single"]:
            file.createDimension(f["single"], 1)
            stored = stored[..., None]
        stored = stored.transpose([("time", "lat", "lon", "single").index(d) for d in order])
        if f["extra"]:
            file.createDimension(*f["extra"])
            dims = [f["extra"][0], *dims]
            stored = np.broadcast_to(stored, (f["extra"][1], *stored.shape))
        v = file.createVariable("air_temperature", dtype, dims, fill_value=fill)
        v.units = f["unit"]
        if scale is not None:
            v.scale_factor = scale
        if offset is not None:
            v.add_offset = offset
        if not f["flat"]:
            v.coordinates = f"{y_name} {x_name}"
        v.set_auto_maskandscale(False)
        v[:] = stored
    return lat, lon, meant


def agrees(f):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "field.nc"
        lat, lon, meant = write(path, f)
        west = 10.0 * f["start"]
        grid = Grid.regular_lonlat(
            "here", west, west + 10.0 * f["columns"], 20.0, 20.0 + 5.0 * f["rows"], resolution=(10.0, 5.0)
        )
        calendar = f["calendar"].lower()
        clock = Clock("2001-01-02T12:00:00", calendar)
        certain = f["unit"] in UNITS and STYLES[f["style"]][4] and not f["extra"]
        try:
            forcing = Forcing(path, "air_temperature", clock, grid=grid)
            found = [forcing.at(86400 * n) for n in range(3)]
            forcing.close()
        except ForcingError as error:
            assert "field.nc" in str(error)
            assert not certain, f"refused: {error}"
            return
    assert f["unit"] in UNITS and not f["extra"]
    rows = [int(np.flatnonzero(np.isclose(lat, v))[0]) for v in grid.latitude[:, 0]]
    columns = [int(np.flatnonzero(np.isclose((lon - v + 180.0) % 360.0, 180.0))[0]) for v in grid.longitude[0]]
    for n in range(3):
        expected = UNITS[f["unit"]](meant[n][np.ix_(rows, columns)])
        np.testing.assert_allclose(found[n], expected, rtol=1e-12, atol=0.0)


CHECKS = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


@settings(max_examples=150, **CHECKS)
@given(files())
def test_a_field_is_read_as_it_is_or_refused_by_name(f):
    agrees(f)


@pytest.mark.slow
@settings(max_examples=2000, **CHECKS)
@given(files())
def test_a_field_is_read_as_it_is_or_refused_by_name_2000_times(f):
    agrees(f)


@st.composite
def planes(draw):
    return {
        "order": draw(st.permutations(["time", "y", "x"])),
        "down": draw(st.booleans()), "west": draw(st.booleans()), "km": draw(st.booleans()),
        "turned": draw(st.booleans()),  # the order of the dimensions of latitude and longitude
        "coordinates": draw(st.sampled_from(["both", "plane", "cells"])), "wkt": draw(st.booleans()),
        "rows": draw(st.integers(1, 5)), "columns": draw(st.integers(1, 7)), "shift": draw(st.integers(0, 2)),
        "packing": draw(st.sampled_from(sorted(PACKINGS))), "seed": draw(st.integers(0, 2**16)),
    }  # fmt: skip


def agrees_in_a_plane(f):
    import pyproj

    whole = Grid.projected("whole", LAMBERT, 9, 7, 100e3)
    x, y = (np.arange(9) - 4.0) * 1e5, (np.arange(7) - 3.0) * 1e5
    turn = (slice(None, None, -1 if f["down"] else 1), slice(None, None, -1 if f["west"] else 1))
    raw, meant = numbers(f, (1, 7, 9))
    dtype, scale, offset, fill = PACKINGS[f["packing"]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plane.nc"
        with netCDF4.Dataset(path, "w") as file:
            for d, size in (("time", 1), ("y", 7), ("x", 9)):
                file.createDimension(d, size)
            t = file.createVariable("time", "f8", ("time",))
            t.units, t[:] = "days since 2001-01-01", [0]
            if f["coordinates"] != "cells":
                for k, values in (("y", y[turn[0]]), ("x", x[turn[1]])):
                    v = file.createVariable(k, "f8", (k,))
                    v.standard_name, v.units = f"projection_{k}_coordinate", "km" if f["km"] else "m"
                    v[:] = values / (1e3 if f["km"] else 1.0)
                crs = file.createVariable("crs", "i4", ())
                for key, value in pyproj.CRS.from_user_input(LAMBERT).to_cf().items():
                    if key != "crs_wkt" or f["wkt"]:
                        crs.setncattr(key, value)
            if f["coordinates"] != "plane":
                for k, values, unit in (
                    ("lat", whole.latitude, "degrees_north"),
                    ("lon", whole.longitude, "degrees_east"),
                ):
                    v = file.createVariable(k, "f8", ("x", "y") if f["turned"] else ("y", "x"))
                    v.units, v[:] = unit, values[turn].T if f["turned"] else values[turn]
            v = file.createVariable("air_temperature", dtype, f["order"], fill_value=fill)
            v.units, v.grid_mapping = "K", "crs"
            if scale is not None:
                v.scale_factor = scale
            if offset is not None:
                v.add_offset = offset
            if f["coordinates"] != "plane":
                v.coordinates = "lat lon"
            v.set_auto_maskandscale(False)
            v[:] = raw[(slice(None), *turn)].transpose([("time", "y", "x").index(d) for d in f["order"]])
        part = (slice(f["shift"], f["shift"] + f["rows"]), slice(f["shift"], f["shift"] + f["columns"]))
        vertices = tuple(slice(s.start, s.stop + 1) for s in part)
        grid = Grid(
            "part", whole.longitude[part], whole.latitude[part],
            whole.corner_longitude[vertices], whole.corner_latitude[vertices],
        )  # fmt: skip
        forcing = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid)
        np.testing.assert_allclose(forcing.at(0), meant[0][part], rtol=1e-12, atol=0.0)
        forcing.close()


@settings(max_examples=60, **CHECKS)
@given(planes())
def test_a_projected_field_is_read_as_it_is(f):
    agrees_in_a_plane(f)


@pytest.mark.slow
@settings(max_examples=500, **CHECKS)
@given(planes())
def test_a_projected_field_is_read_as_it_is_500_times(f):
    agrees_in_a_plane(f)
