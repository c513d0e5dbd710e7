# SPDX-License-Identifier: BSD-3-Clause
"""Surface files out of the user's maps: shares by area, leaf area by type, soil; units, classes and coverage."""

import netCDF4
import numpy as np
import pytest

from components.land.column.land_data import LandDataError
from components.land.column.parameters import table
from components.land.column.prepare import prepare
from components.land.column.surface_map import from_file, zonal
from coupler.grids.grid import Grid

TYPES = list(table("plant_types"))


def quiet(text, share):
    pass


def write(path, name, values, step=0.5, west=100.0, south=30.0, **attributes):
    """A field on a fine lon-lat grid, north first as most maps have it."""
    ny, nx = values.shape[-2:]
    with netCDF4.Dataset(path, "w") as data:
        for axis, n, start, units in (("lat", ny, south, "degrees_north"), ("lon", nx, west, "degrees_east")):
            data.createDimension(axis, n)
            v = data.createVariable(axis, "f8", (axis,))
            v.units = units
            centre = start + step * (np.arange(n) + 0.5)
            v[:] = centre[::-1] if axis == "lat" else centre
        dims = ("lat", "lon")
        if values.ndim == 3:
            data.createDimension("month", len(values))
            dims = ("month", *dims)
        v = data.createVariable(name, values.dtype, dims, fill_value=values.dtype.type(-99))
        v.setncatts(attributes)
        v[:] = values[..., ::-1, :]
    return path


@pytest.fixture
def grid():
    return Grid.regular_lonlat("land", 100, 104, 30, 34, resolution=2)


def read(path):
    with netCDF4.Dataset(path) as data:
        return {k: np.array(data[k][:]) for k in ("area_type_fraction", "leaf_area_index", "sand", "clay")}


def test_classes_become_shares_by_area(grid, tmp_path):
    codes = np.full((8, 8), 10, dtype="i2")  # grassland
    codes[:4, :4] = 1  # the cell in the south-west: needleleaf,
    codes[0, :4] = 17  # less a row of water in its south
    codes[4:, 4:] = 7  # north-east: open shrubland
    cover = write(tmp_path / "igbp.nc", "land_cover", codes)
    prepare(grid, [cover], tmp_path / "surface.nc", quiet)
    share = read(tmp_path / "surface.nc")["area_type_fraction"]
    assert np.allclose(share.sum(0), 1.0)
    assert np.allclose(share[TYPES.index("evergreen_needleleaf_forest"), 0, 0], 1.0)
    assert np.allclose(share[TYPES.index("grassland"), 0, 1], 1.0)
    assert np.allclose(share[TYPES.index("shrubland"), 1, 1], 0.4)
    assert np.allclose(share[TYPES.index("bare"), 1, 1], 0.6)


def test_shares_weigh_by_area_on_the_sphere(grid, tmp_path):
    codes = np.full((8, 8), 10, dtype="i2")
    codes[2:4, :] = 12  # the northern half of the southern cells: cropland
    prepare(grid, [write(tmp_path / "c.nc", "land_cover", codes)], tmp_path / "surface.nc", quiet)
    share = read(tmp_path / "surface.nc")["area_type_fraction"][TYPES.index("cropland"), 0, 0]
    south, middle, north = (np.sin(np.radians(v)) for v in (30.0, 31.0, 32.0))
    assert share == pytest.approx((north - middle) / (north - south), rel=1e-6)


def test_leaf_area_is_the_mean_of_each_type(grid, tmp_path):
    codes = np.full((8, 8), 10, dtype="i2")
    codes[:, ::2] = 5
    lai = np.zeros((12, 8, 8), dtype="f4")
    lai[6] = 2.0
    lai[6][:, ::2] = 5.0
    maps = [write(tmp_path / "c.nc", "land_cover", codes), write(tmp_path / "l.nc", "lai", lai, units="m2 m-2")]
    prepare(grid, maps, tmp_path / "surface.nc", quiet)
    found = read(tmp_path / "surface.nc")["leaf_area_index"]
    assert np.allclose(found[6, TYPES.index("grassland")], 2.0, rtol=1e-6)
    assert np.allclose(found[6, TYPES.index("mixed_forest")], 5.0, rtol=1e-6)
    assert np.allclose(found[0, TYPES.index("grassland")], 0.0)
    assert np.allclose(found[:, TYPES.index("bare")], 0.0)


def test_leaf_area_alone_gives_the_cell_its_mean(grid, tmp_path):
    lai = np.full((12, 8, 8), 1.7, dtype="f4")
    prepare(grid, [write(tmp_path / "l.nc", "lai", lai)], tmp_path / "surface.nc", quiet)
    made = read(tmp_path / "surface.nc")
    mean = (made["area_type_fraction"][None] * made["leaf_area_index"]).sum(1)
    assert np.allclose(mean[6], 1.7, rtol=1e-5)


def test_soil_by_flags_and_what_no_map_reaches(grid, tmp_path):
    codes = np.full((8, 4), 2, dtype="i1")  # the western cells alone
    codes[:4] = 1
    flags = {"flag_values": np.array([1, 2], "i1"), "flag_meanings": "sand clay_loam"}
    notes = []
    prepare(
        grid, [write(tmp_path / "s.nc", "soil_type", codes, **flags)], tmp_path / "surface.nc",
        lambda text, share: notes.append(text),
    )  # fmt: skip
    made = read(tmp_path / "surface.nc")
    textures = table("soil_textures")
    assert np.allclose(made["sand"][0, 0], textures["sand"]["sand"])
    assert np.allclose(made["clay"][1, 0], textures["clay_loam"]["clay"])
    assert np.allclose(made["sand"][:, 1], textures["loam"]["sand"])
    assert any("2 of 4 land cells have loam" in n for n in notes)
    latitude = np.asarray(grid.latitude).ravel()
    land = from_file(tmp_path / "surface.nc", np.ones(grid.shape, bool), latitude, 2)
    assert land.plants == zonal(latitude, 2).plants
    assert land.soil == ["sand", "loam", "clay_loam", "loam"]
    assert land.monthly_lai.shape == (12, 2, 4)


def test_percent_is_understood_and_other_units_refused(grid, tmp_path):
    path = tmp_path / "t.nc"
    write(path, "sand", np.full((8, 8), 43.0), units="%")
    with netCDF4.Dataset(path, "a") as data:
        v = data.createVariable("clay", "f8", ("lat", "lon"))
        v.units = "%"
        v[:] = 18.0
    prepare(grid, [path], tmp_path / "surface.nc", quiet)
    assert np.allclose(read(tmp_path / "surface.nc")["sand"], 0.43)
    with netCDF4.Dataset(path, "a") as data:
        data["sand"].units = "g"
    with pytest.raises(LandDataError, match="'g'; convert it"):
        prepare(grid, [path], tmp_path / "again.nc", quiet)
    assert not (tmp_path / "again.nc").exists()


@pytest.mark.parametrize(
    ("name", "values", "match"),
    [
        ("lai", np.full((12, 8, 8), 300.0), "leaf area lies in 0-15"),
        ("lai", np.full((8, 8), 1.0), "twelve months"),
        ("land_cover", np.full((8, 8), 77, dtype="i2"), "classes 77 that nothing explains"),
        ("temperature", np.full((8, 8), 1.0), "no land cover"),
    ],
)
def test_mistakes_say_what_to_mend(grid, tmp_path, name, values, match):
    with pytest.raises(LandDataError, match=match):
        prepare(grid, [write(tmp_path / "m.nc", name, values)], tmp_path / "surface.nc", quiet)


def test_a_map_of_another_continent(grid, tmp_path):
    path = write(tmp_path / "m.nc", "land_cover", np.full((8, 8), 10, dtype="i2"), west=-60.0)
    with pytest.raises(LandDataError, match="does not reach the grid"):
        prepare(grid, [path], tmp_path / "surface.nc", quiet)


def test_across_the_date_line(tmp_path):
    pacific = Grid.regular_lonlat("land", 176, 184, 60, 64, resolution=2)
    codes = np.full((180, 360), 10, dtype="i2")
    codes[:, :182] = 12  # 180 W to 2 E of a map that begins at 180 W
    path = write(tmp_path / "m.nc", "land_cover", codes, step=1.0, west=-180.0, south=-90.0)
    prepare(pacific, [path], tmp_path / "surface.nc", quiet)
    share = read(tmp_path / "surface.nc")["area_type_fraction"]
    assert np.allclose(share[TYPES.index("grassland"), :, :2], 1.0)
    assert np.allclose(share[TYPES.index("cropland"), :, 2:], 1.0)


def test_a_projected_grid_and_the_soils_of_the_ifs(shared, tmp_path):
    path = shared / "data" / "land" / "soil_type.nc"
    if not path.is_file():
        pytest.skip("no soil map")
    crs = "+proj=lcc +lat_1=30 +lat_2=40 +lat_0=35 +lon_0=105 +R=6371229"
    lambert = Grid.projected("land", crs, nx=8, ny=6, dx=1e5)
    notes = []
    prepare(lambert, [path], tmp_path / "surface.nc", lambda text, share: notes.append(text))
    made = read(tmp_path / "surface.nc")
    assert any("0 of 48 land cells have loam" in n for n in notes)
    assert 0.1 < made["sand"].min() <= made["sand"].max() < 0.95
    assert made["sand"].std() > 0.01


def leaves(path, order=("time", "lat", "lon"), months=range(1, 13), times=None, bounds=None, units="m2 m-2"):
    """Leaf area that is its month plus a tenth of the latitude, over Europe, dated or by number."""
    lat, lon = np.arange(30.5, 75), np.arange(-9.5, 40)
    with netCDF4.Dataset(path, "w") as data:
        for name, values, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            data.createDimension(name, values.size)
            v = data.createVariable(name, "f8", (name,))
            v.units, v[:] = unit, values
        data.createDimension("time", len(months))
        t = data.createVariable("time", "f8", ("time",))
        t.units = "months" if times is None else "days since 2001-01-01"
        t[:] = list(months) if times is None else times
        if times is not None:
            t.calendar = "noleap"
        if bounds is not None:
            data.createDimension("nv", 2)
            t.bounds = "edges"
            data.createVariable("edges", "f8", ("time", "nv"))[:] = bounds
        v = data.createVariable("lai", "f8", order)
        v.units = units
        found = np.array(months)[:, None, None] * 0.5 + 0.05 * lat[:, None] + 0.0 * lon
        v[:] = found.transpose([("time", "lat", "lon").index(d) for d in order])
    return path


ENDS = np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@pytest.mark.parametrize(
    "how",
    [
        {"order": ("time", "lon", "lat")},
        {"order": ("lon", "lat", "time")},
        {"months": [*range(7, 13), *range(1, 7)]},
        {"times": 15 + 30.4 * np.arange(12)},
        {"months": [*range(7, 13), *range(1, 7)], "times": 196 + 30.4 * np.arange(12)},
        {"times": ENDS, "bounds": np.stack([[0, *ENDS[:-1]], ENDS], axis=1)},  # labelled at the end of each month
    ],
)
def test_maps_of_any_order_begin_with_january(tmp_path, how):
    europe = Grid.regular_lonlat("land", 0, 20, 40, 60, resolution=5)

    def made(path):
        prepare(europe, [path], tmp_path / "surface.nc", quiet)
        with netCDF4.Dataset(tmp_path / "surface.nc") as data:
            return np.array(data["leaf_area_index"][:])

    plain = made(leaves(tmp_path / "plain.nc"))
    np.testing.assert_allclose(made(leaves(tmp_path / "other.nc", **how)), plain, rtol=1e-12)
    assert np.ptp(plain.mean(axis=(1, 2, 3))) > 1.0


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"months": [1, *range(1, 12)]}, "has the months 1, 1, 2"),
        ({"months": range(1, 12)}, "expected twelve months"),
        ({"units": "%"}, "expected a leaf area in m2 m-2"),
        ({"units": "degrees"}, "is in 'degrees'; convert it"),
    ],
)
def test_leaf_area_that_leaves_doubt_is_refused(tmp_path, how, words):
    europe = Grid.regular_lonlat("land", 0, 20, 40, 60, resolution=5)
    with pytest.raises(LandDataError, match=words):
        prepare(europe, [leaves(tmp_path / "l.nc", **how)], tmp_path / "surface.nc", quiet)
