"""Grids survive their files, and other programs' files are read."""

import netCDF4
import numpy as np
import pytest
import xarray

from coupler.grids.grid import Grid, GridError
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


def some_grids():
    lambert = Grid.projected("lambert", LAMBERT, 7, 5, 50000.0)
    lonlat = Grid.regular_lonlat("lonlat", 350, 20, -90, 60, nx=6, ny=5)
    polygons = Grid(
        "polygons", [1.0, 5.0], [1.0, 1.0], [[0, 2, 1, np.nan], [4, 6, 6, 4]], [[0, 0, 2, np.nan], [0, 0, 2, 2]]
    )
    return [
        grid.with_mask(np.arange(grid.size).reshape(grid.shape) % 3 > 0).with_mask(
            np.arange(grid.size).reshape(grid.shape) % 2 > 0, "lake"
        )
        for grid in (lambert, lonlat, polygons)
    ]


@pytest.mark.parametrize("grid", some_grids(), ids=lambda grid: grid.name)
@pytest.mark.parametrize("convention", ["cf", "scrip", "ugrid"])
def test_a_written_grid_is_the_same_when_read(grid, convention, tmp_path):
    path = tmp_path / "grid.nc"
    grid.to_file(path, convention)
    again = Grid.from_file(path)
    assert again.edges == grid.edges and again.crs == grid.crs and again.name == grid.name
    np.testing.assert_array_equal(again.area.ravel(), grid.area.ravel())
    np.testing.assert_array_equal(again.longitude.ravel(), grid.longitude.ravel())
    np.testing.assert_array_equal(again.mask.ravel(), grid.mask.ravel())
    if convention == "cf" or (convention == "scrip" and grid.name != "polygons"):
        assert again.fingerprint == grid.fingerprint
    if convention != "scrip":
        np.testing.assert_array_equal(again.mask_named("lake").ravel(), grid.masks["lake"].ravel())
    with xarray.open_dataset(path) as opened:
        assert opened.sizes


def test_rectilinear_file_without_bounds_gets_cells_half_way(tmp_path):
    path = tmp_path / "data.nc"
    with netCDF4.Dataset(path, "w") as file:
        for key, values, units in (
            ("lat", np.arange(-88, 90, 4.0), "degrees_north"),
            ("lon", np.arange(0, 360, 5.0), "degrees_east"),
        ):
            file.createDimension(key, values.size)
            variable = file.createVariable(key, "f8", (key,))
            variable.units = units
            variable[:] = values
    grid = Grid.from_file(path)
    assert grid.shape == (45, 72) and grid.edges == "latitude"
    assert abs(grid.area.sum() / (4 * np.pi * 6.371e6**2) - 1) < 1e-13
    assert Grid.from_file(path, edges="great_circle").edges == "great_circle"


def test_a_scrip_file_in_radians(tmp_path):
    path = tmp_path / "scrip.nc"
    lon, lat = np.array([[0, 10, 10, 0], [10, 20, 20, 10.0]]), np.array([[0, 0, 10, 10], [0, 0, 10, 10.0]])
    with netCDF4.Dataset(path, "w") as file:
        for key, size in (("grid_size", 2), ("grid_corners", 4), ("grid_rank", 2)):
            file.createDimension(key, size)
        file.createVariable("grid_dims", "i4", ("grid_rank",))[:] = [2, 1]
        file.createVariable("grid_imask", "i4", ("grid_size",))[:] = [1, 0]
        for key, values in (("lon", lon), ("lat", lat)):
            center = file.createVariable(f"grid_center_{key}", "f8", ("grid_size",))
            corner = file.createVariable(f"grid_corner_{key}", "f8", ("grid_size", "grid_corners"))
            center.units = corner.units = "radians"
            center[:], corner[:] = np.deg2rad(values.mean(axis=1)), np.deg2rad(values)
    grid = Grid.from_file(path)
    assert grid.shape == (1, 2) and grid.is_structured and grid.mask.tolist() == [[True, False]]
    np.testing.assert_allclose(grid.corner_longitude[0], [0, 10, 20])


def test_fields_of_real_files_keep_their_global_mean(shared):
    """ERA-Interim temperature (points from pole to pole, 1.5 degrees) to a 1 degree climatology's grid and back."""
    folder = shared / "data"
    era = Grid.from_file(folder / "atmosphere" / "era_interim_20050123" / "2005-01-23-0000-t.nc")
    (path,) = folder.rglob("earth_sst_climatology_1deg.nc")
    sst = Grid.from_file(path)
    for grid in (era, sst):
        assert abs(grid.area.sum() / (4 * np.pi * 6.371e6**2) - 1) < 1e-13
    with netCDF4.Dataset(folder / "atmosphere" / "era_interim_20050123" / "2005-01-23-0000-t.nc") as file:
        (name,) = [key for key, v in file.variables.items() if v.shape[-2:] == era.shape]
        field = np.asarray(file[name][:], float).reshape(-1, *era.shape)[-1]
    out = Regridder(make_weights(era, sst), era, sst)(field)
    mean = (era.area * field).sum() / era.area.sum()
    assert 200 < mean < 330
    assert abs((sst.area * out).sum() / sst.area.sum() / mean - 1) < 1e-13
    assert field.min() <= out.min() and out.max() <= field.max()

    def at(grid, values):
        return values[np.abs(grid.latitude[:, 0] - 30.0).argmin(), np.abs(grid.longitude[0] - 110.0).argmin()]

    assert abs(at(sst, out) - at(era, field)) < 3.0


def test_files_without_a_grid_are_refused(tmp_path):
    with pytest.raises(GridError, match="cannot be read"):
        Grid.from_file(tmp_path / "nothing.nc")
    with netCDF4.Dataset(tmp_path / "empty.nc", "w") as file:
        file.createVariable("something", "f8", ())
    with pytest.raises(GridError, match=r"holds no grid.*something"):
        Grid.from_file(tmp_path / "empty.nc")
