# SPDX-License-Identifier: BSD-3-Clause
"""Axes of single rows, sites, lists of cells, levels and forecasts: placed, selected or refused by name."""

import netCDF4
import numpy as np
import pytest

from coupler.clock import Clock
from coupler.errors import ForcingError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

BOX = Grid.regular_lonlat("box", 120, 126, 20, 24, resolution=1.0)
LAT, LON = np.arange(20.5, 24), np.arange(120.5, 126)
NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def write(path, dims, values, places, **attributes):
    """Air temperature on `dims`; `places` by name: (dimensions, values, attributes)."""
    with netCDF4.Dataset(path, "w") as f:
        for d, size in zip(dims, np.shape(values), strict=True):
            f.createDimension(d, size)
        days = {"time": (("time",), [0, 1], {"units": "days since 2001-01-01"})} if "time" in dims else {}
        for name, (of, numbers, said) in {**days, **places}.items():
            v = f.createVariable(name, "f8", of)
            v.setncatts(said)
            v[:] = numbers
        v = f.createVariable("tas", "f8", dims)
        v.setncatts({"standard_name": "air_temperature", "units": "K", **attributes})
        v[:] = values
    return path


def read(path, grid=BOX, **how):
    forcing = Forcing(path, "air_temperature", Clock("2001-01-01"), grid=grid, **how)
    found = forcing.at(0)
    forcing.close()
    return found


def test_a_row_a_column_and_a_site_with_scalar_coordinates(tmp_path):
    row = Grid.regular_lonlat("row", 120, 126, 20, 21, resolution=1.0)
    path = write(
        tmp_path / "row.nc", ("time", "lon"), np.tile(290 + LON, (2, 1)),
        {"lat": ((), 20.5, NORTH), "lon": (("lon",), LON, EAST)}, coordinates="lat",
    )  # fmt: skip
    np.testing.assert_array_equal(read(path, row), [290 + LON])
    column = Grid.regular_lonlat("column", 120, 121, 20, 24, resolution=1.0)
    path = write(
        tmp_path / "column.nc", ("lat", "time"), np.tile(290 + LAT[:, None], (1, 2)),
        {"lat": (("lat",), LAT, NORTH), "lon": ((), 120.5, EAST)}, coordinates="lon",
    )  # fmt: skip
    np.testing.assert_array_equal(read(path, column), 290 + LAT[:, None])
    site = Grid.regular_lonlat("site", 120, 121, 20, 21, resolution=1.0)
    path = write(
        tmp_path / "site.nc", ("time",), [290.0, 291.0],
        {"lat": ((), 20.5, NORTH), "lon": ((), 120.5, EAST)}, coordinates="lat lon",
    )  # fmt: skip
    np.testing.assert_array_equal(read(path, site), [[290.0]])


def test_a_list_of_cells_is_taken_cell_by_cell_or_refused(tmp_path):
    path = write(
        tmp_path / "cells.nc", ("time", "cell"), [[290.0, 291.0, 292.0]] * 2,
        {"lat": (("cell",), [20.5, 20.5, 21.5], NORTH), "lon": (("cell",), [120.5, 121.5, 120.5], EAST)},
        coordinates="lat lon",
    )  # fmt: skip
    np.testing.assert_array_equal(read(path, Grid("two", [480.5, 121.5], [21.5, 20.5])), [292.0, 291.0])
    with pytest.raises(ForcingError, match=r"is a list of cells.*not all cells of grid 'box' are among them"):
        read(path)


def test_levels_are_selected_by_their_value(tmp_path):
    coordinates = {
        "lat": (("lat",), LAT, NORTH), "lon": (("lon",), LON, EAST),
        "lev": (("lev",), [1000, 850, 500], {"units": "hPa"}),
    }  # fmt: skip
    values = np.zeros((2, 3, 4, 6)) + 290.0 + np.arange(3)[:, None, None]
    path = write(tmp_path / "levels.nc", ("time", "lev", "lat", "lon"), values, coordinates)
    assert read(path, levels=3).shape == (3, 4, 6) and (read(path, select={"lev": 850}, levels=0) == 291.0).all()
    for how, words in (
        ({"levels": 0}, r"has 3 levels \(lev\), expected none"),
        ({"select": {"lev": 700}}, "lev has no 700; it has 1000.0, 850.0, 500.0"),
        ({"select": {"member": 0}}, "has no dimension 'member' to select from"),
    ):
        with pytest.raises(ForcingError, match=words):
            read(path, **how)


def test_forecasts_of_several_starts_are_refused_until_one_length_is_selected(tmp_path):
    coordinates = {
        "lat": (("lat",), LAT, NORTH), "lon": (("lon",), LON, EAST),
        "step": (("step",), [0, 6], {"units": "hours", "standard_name": "forecast_period"}),
    }  # fmt: skip
    values = np.zeros((2, 2, 4, 6)) + 290.0 + np.arange(2)[:, None, None]
    path = write(tmp_path / "f.nc", ("time", "step", "lat", "lon"), values, coordinates)
    with pytest.raises(ForcingError, match=r"has forecasts \(step\) of several starts \(time\)"):
        read(path)
    assert (read(path, select={"step": 6}) == 291.0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lat": (("lat",), LAT, {"units": "m"})}, "nothing says where its cells lie"),
        ({"lat": (("lat",), LAT + 100, NORTH)}, r"lat reaches 123\.5 \(degrees_north\)"),
        ({"lat": (("lat",), [20.5, np.nan, 22.5, 23.5], NORTH)}, "lat has 1 missing values"),
        ({"lon": (("lon",), np.full(6, 120.5), EAST)}, "do not contain those of grid 'box'"),
    ],
)
def test_coordinates_that_leave_doubt_are_refused_with_the_file(tmp_path, change, words):
    coordinates = {"lat": (("lat",), LAT, NORTH), "lon": (("lon",), LON, EAST), **change}
    path = write(tmp_path / "doubt.nc", ("time", "lat", "lon"), np.full((2, 4, 6), 290.0), coordinates)
    with pytest.raises(ForcingError, match=words) as said:
        read(path)
    assert "doubt.nc" in str(said.value)


def test_a_projection_nobody_knows_is_named(tmp_path):
    coordinates = {
        "crs": ((), 0, {"grid_mapping_name": "flat_earth"}),
        "y": (("y",), LAT, {"units": "m", "standard_name": "projection_y_coordinate"}),
        "x": (("x",), LON, {"units": "m", "standard_name": "projection_x_coordinate"}),
    }
    path = write(tmp_path / "p.nc", ("time", "y", "x"), np.full((2, 4, 6), 290.0), coordinates, grid_mapping="crs")
    with pytest.raises(
        ForcingError, match=r"crs \(grid_mapping_name 'flat_earth'\) is not a projection that PROJ knows"
    ):
        read(path)
