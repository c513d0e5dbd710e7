# SPDX-License-Identifier: BSD-3-Clause
"""Data models: names and selections, masks, cells without a value, levels; told by check, and right in the run."""

import netCDF4
import numpy as np
import pytest

from components.atmosphere.data.component import DataAtmosphere
from components.ocean.data.component import DataOcean
from components.science.water import dew_point, vapour_pressure
from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import ForcingError
from coupler.files.forcing import Forcing, optional_mask
from coupler.grids.grid import Grid

BOX = Grid.regular_lonlat("box", 120, 126, 20, 24, resolution=1.0)
LAT, LON = np.arange(20.5, 24), np.arange(120.5, 126)


def write(folder, name="sst", values=291.0, standard="sea_surface_temperature", mask=None, level=0, **attributes):
    path = folder / "f.nc"
    with netCDF4.Dataset(path, "w") as f:
        for d, n in (("time", 3), ("depth", max(level, 1)), ("lat", 4), ("lon", 6)):
            f.createDimension(d, n)
        t = f.createVariable("time", "f8", ("time",))
        t.units, t[:] = "days since 2001-01-01", [0, 1, 2]
        for k, v, unit in (("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
            c = f.createVariable(k, "f8", (k,))
            c.units, c[:] = unit, v
        v = f.createVariable(name, "f4", ("time", *(("depth",) if level else ()), "lat", "lon"), fill_value=-999.0)
        v.setncatts({"units": "K", **attributes})
        if standard:
            v.standard_name = standard
        v[:] = np.ma.masked_invalid(np.broadcast_to(values, v.shape))
        if mask is not None:
            m = f.createVariable("mask", "f4", ("lat", "lon"), fill_value=1e20)
            m.standard_name, m[:] = "sea_binary_mask", np.ma.masked_invalid(mask)
    return path


def setting(folder, grid=BOX, duration=86400):
    return Setting("ocean", Clock("2001-01-01"), 21600, duration, grid, folder)


def ocean(**options):
    return DataOcean(DataOcean.Options(file="f.nc", **options))


GAPS = np.where((LAT[:, None] < 22) & (LON < 122), np.nan, 291.0)


def test_a_sea_without_a_mask_leaves_out_the_cells_of_which_the_file_knows_nothing(tmp_path):
    write(tmp_path, values=GAPS)
    assert ocean().check(setting(tmp_path)) == []
    np.testing.assert_array_equal(ocean().grids(setting(tmp_path))["default"].mask, np.isfinite(GAPS))
    write(tmp_path, values=np.nan)
    (problem,) = ocean().check(setting(tmp_path))
    assert "has no value in any cell of grid 'box' at 2001-01-01T00:00:00" in problem


def test_a_gap_under_the_mask_is_told_by_check_with_how_to_mask_it(tmp_path):
    write(tmp_path, values=GAPS, mask=np.ones((4, 6)))
    (problem,) = ocean().check(setting(tmp_path))
    assert "f.nc: sea_surface_temperature (sst) has no value in 4 cells" in problem and "sea_binary_mask" in problem
    write(tmp_path, values=GAPS, standard="air_temperature")
    (problem,) = DataAtmosphere(DataAtmosphere.Options(file="f.nc", fields=["air_temperature"])).check(
        setting(tmp_path)
    )
    assert "has no value in 4 cells" in problem


def test_masks_of_a_forcing_are_0_and_1_and_missing_is_land(tmp_path):
    path = write(tmp_path, mask=np.where(np.isfinite(GAPS), 1.0, np.nan))
    found = optional_mask(path, "sea_binary_mask", Clock("2001-01-01"), grid=BOX)
    np.testing.assert_array_equal(found, np.isfinite(GAPS))
    assert ocean().grids(setting(tmp_path))["default"].mask.sum() == 20
    write(tmp_path, mask=np.where(np.isfinite(GAPS), 1.0, 2.0))
    (problem,) = ocean().check(setting(tmp_path))
    assert "mask (sea_binary_mask) goes from 0 to 2; expected 1 where a cell exists" in problem


def test_names_select_and_levels(tmp_path):
    write(tmp_path, name="tos", standard="")
    (problem,) = ocean().check(setting(tmp_path))
    assert "has no sea_surface_temperature" in problem and "names: {sea_surface_temperature: tos}" in problem
    assert ocean(names={"sea_surface_temperature": "tos"}).check(setting(tmp_path)) == []
    (problem,) = ocean(names={"sea_surface_temperature": "tso"}).check(setting(tmp_path))
    assert "did you mean 'tos'" in problem
    (problem,) = ocean(names={"sst": "tos", "sea_surface_temperature": "tos"}).check(setting(tmp_path))
    assert problem.startswith("names: 'sst' is none of the fields read: sea_surface_temperature")
    write(tmp_path, level=5)
    (problem,) = ocean().check(setting(tmp_path))
    assert "has 5 levels (depth), expected none" in problem and "select: {depth: ...}" in problem
    assert ocean(select={"depth": 0}).check(setting(tmp_path)) == []
    (problem,) = ocean(select={"depth": 7}).check(setting(tmp_path))
    assert "depth is selected by an index from 0 to 4, not 7" in problem


def test_a_field_without_coordinates_is_refused_even_if_its_shape_is_the_grids(tmp_path):
    path = write(tmp_path)
    with netCDF4.Dataset(path, "a") as f:
        f.renameVariable("lat", "a")
        f.renameVariable("lon", "b")
        del f["a"].units, f["b"].units
    with pytest.raises(ForcingError, match=r"sst: nothing says where its cells lie.*standard_name.*grid_mapping"):
        Forcing(path, "sea_surface_temperature", Clock("2001-01-01"), grid=BOX)


def test_cells_of_another_place_are_never_taken_for_those_of_the_grid(tmp_path):
    path = write(tmp_path)
    for there in (
        Grid.regular_lonlat("there", 0, 6, 20, 24, resolution=1.0),
        Grid.regular_lonlat("there", 120, 123, 20, 22, resolution=0.5),
    ):
        with pytest.raises(ForcingError, match="do not contain those of grid 'there'"):
            Forcing(path, "sea_surface_temperature", Clock("2001-01-01"), grid=there)
    with netCDF4.Dataset(path, "a") as f:  # the same shape, cells with latitude and longitude of their own
        f.renameVariable("lat", "old_lat")
        f.renameVariable("lon", "old_lon")
        del f["old_lat"].units, f["old_lon"].units
        for k, v in (
            ("nav_lat", np.broadcast_to(LAT[:, None] + 0.01 * LON, (4, 6))),
            ("nav_lon", np.tile(LON, (4, 1))),
        ):
            f.createVariable(k, "f8", ("lat", "lon"))[:] = v
        f["sst"].coordinates = "nav_lat nav_lon"
    far = Grid.regular_lonlat("far", 0, 6, 20, 24, resolution=1.0)
    with pytest.raises(ForcingError, match="does not contain grid 'far': 24 of 24 cells are outside"):
        Forcing(path, "sea_surface_temperature", Clock("2001-01-01"), grid=far)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"units": "degrees"}, "cannot convert 'degrees' to 'K'"),
        ({"units": "degC", "units_metadata": "temperature: difference"}, "holds differences of temperature"),
        ({"scale_factor": "x"}, "has the scale_factor 'x'; expected one number"),
        ({"scale_factor": np.nan}, "scale_factor"),
    ],
)
def test_attributes_that_leave_doubt_are_refused(tmp_path, attributes, words):
    path = write(tmp_path)
    with netCDF4.Dataset(path, "a") as f:
        f["sst"].setncatts(attributes)
    with pytest.raises(ForcingError, match=words):
        Forcing(path, "sea_surface_temperature", Clock("2001-01-01"), grid=BOX).at(0)


def test_dew_points_are_lowered_by_what_the_ships_read_too_much_and_no_vapour_stays_none():
    humidity, pressure = np.array([2e-2, 4e-3, 1e-4, 0.0]), np.array([1.01e5, 1.0e5, 6.0e4, 1.0e5])
    air = DataAtmosphere(DataAtmosphere.Options(file="f.nc", dew_point_excess=0.5))
    drier = air.drier(humidity, pressure)
    before, after = (dew_point(vapour_pressure(q[:3], pressure[:3])) for q in (humidity, drier))
    np.testing.assert_allclose(before - after, 0.5, rtol=1e-9)
    assert drier[3] == 0.0


def test_lower_dew_points_need_humidity_and_pressure(tmp_path):
    write(tmp_path, standard="air_temperature")
    options = DataAtmosphere.Options(file="f.nc", fields=["air_temperature"], dew_point_excess=0.5)
    (problem,) = DataAtmosphere(options).check(setting(tmp_path))
    assert problem == "dew_point_excess needs specific_humidity, surface_air_pressure among the fields"
