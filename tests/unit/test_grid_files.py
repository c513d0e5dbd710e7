# SPDX-License-Identifier: BSD-3-Clause
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


def rows_and_columns(path, lat, lon, lat_pairs=None, lon_pairs=None):
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("b", 2)
        for key, values, pairs, units in (
            ("lat", lat, lat_pairs, "degrees_north"),
            ("lon", lon, lon_pairs, "degrees_east"),
        ):
            file.createDimension(key, len(values))
            v = file.createVariable(key, "f8", (key,))
            v.units, v.standard_name = units, {"lat": "latitude", "lon": "longitude"}[key]
            v[:] = values
            if pairs is not None:
                v.bounds = f"{key}_b"
                file.createVariable(f"{key}_b", "f8", (key, "b"))[:] = pairs
    return path


def pairs(x, half=2.5):
    return np.stack([x - half, x + half], axis=-1)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("turned_lat", [False, True])
@pytest.mark.parametrize("turned_lon", [False, True])
@pytest.mark.parametrize("shift", [0.0, 360.0, -360.0])
def test_bounds_are_turned_along_their_axis(tmp_path, down, turned_lat, turned_lon, shift):
    lat, lon = np.arange(42.5, 65, 5), np.arange(2.5, 20, 5)
    truth = Grid.regular_lonlat("t", 0, 20, 40, 65, resolution=5)
    lat = lat[::-1] if down else lat
    of_lat, of_lon = pairs(lat), pairs(lon) + shift
    path = rows_and_columns(
        tmp_path / "b.nc",
        lat,
        lon,
        of_lat[:, ::-1] if turned_lat else of_lat,
        of_lon[:, ::-1] if turned_lon else of_lon,
    )
    grid = Grid.from_file(path)
    np.testing.assert_allclose(grid.area, truth.area[::-1] if down else truth.area, rtol=1e-12)


def test_wrapped_longitudes_are_one_circle(tmp_path):
    lon = np.concatenate([np.arange(0.5, 180), np.arange(-179.5, 0)])
    grid = Grid.from_file(rows_and_columns(tmp_path / "w.nc", np.arange(30.5, 50), lon))
    np.testing.assert_allclose(grid.area, Grid.regular_lonlat("t", 0, 360, 30, 50, resolution=1).area, rtol=1e-9)


LAT, LON = np.arange(42.5, 65, 5), np.arange(2.5, 20, 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lat_pairs": pairs(LAT) + 5.0}, r"lat: 42\.5 is outside its bounds 45 to 50"),
        ({"lat_pairs": pairs(LAT, 3.0)}, "they leave a gap, overlap, or run against each other"),
        ({"lat_pairs": pairs(LAT, 1.0)}, "they leave a gap"),
        (
            {"lat_pairs": np.where(np.arange(5)[:, None] == 2, pairs(LAT)[:, ::-1], pairs(LAT))},
            "run against each other",
        ),
        ({"lat_pairs": np.where(np.arange(5)[:, None] == 2, np.nan, pairs(LAT))}, "not one pair of numbers"),
        ({"lon": np.array([2.5, 7.5, 5.0, 12.5])}, "lon turns back"),
        ({"lon": np.arange(0.0, 361, 5)}, "365 degrees round, so that cells lie on each other"),
        ({"lat": np.array([10.0, 50.0, 90.0, 130.0])}, "lat reaches 130"),
    ],
)
def test_bounds_that_cannot_be_right_are_refused(tmp_path, change, words):
    with pytest.raises(GridError, match=words) as said:
        Grid.from_file(rows_and_columns(tmp_path / "b.nc", **{"lat": LAT, "lon": LON, **change}))
    assert "b.nc" in str(said.value)


def curvilinear(path, lon, lat, corner_lon, corner_lat, mask=None, fill=None):
    """Cells as NEMO's files of CMIP have them: 2-D latitude and longitude with bounds of each cell."""
    with netCDF4.Dataset(path, "w") as file:
        for key, size in (("j", lon.shape[0]), ("i", lon.shape[1]), ("vertices", corner_lon.shape[-1])):
            file.createDimension(key, size)
        for key, values, corners, units in (
            ("lon", lon, corner_lon, "degrees_east"),
            ("lat", lat, corner_lat, "degrees_north"),
        ):
            v = file.createVariable(f"nav_{key}", "f8", ("j", "i"), fill_value=fill)
            v.units, v.bounds = units, f"bounds_{key}"
            v[:] = values
            file.createVariable(f"bounds_{key}", "f8", ("j", "i", "vertices"), fill_value=fill)[:] = corners
        if mask is not None:
            v = file.createVariable("sftof", "f8", ("j", "i"), fill_value=1e20)
            v.standard_name = "sea_binary_mask"
            v[:] = mask
    return path


def orca():
    """A piece of a turned curvilinear grid, as cells with their corners."""
    made = Grid.projected("orca", LAMBERT, 6, 4, 80e3)
    corners = [
        np.stack([v[:-1, :-1], v[:-1, 1:], v[1:, 1:], v[1:, :-1]], -1)
        for v in (made.corner_longitude, made.corner_latitude)
    ]
    return made, np.array(made.longitude), np.array(made.latitude), *corners


def test_a_grid_of_nemo_and_the_ways_in_which_its_bounds_are_wrong(tmp_path):
    made, lon, lat, clon, clat = orca()
    mask = np.ones(lon.shape)
    mask[0, :2] = np.nan
    grid = Grid.from_file(curvilinear(tmp_path / "n.nc", lon, lat, clon, clat, np.ma.masked_invalid(mask)))
    np.testing.assert_allclose(grid.area, made.area, rtol=1e-12)
    assert grid.mask.sum() == 22 and not grid.mask[0, :2].any()
    clockwise = Grid.from_file(curvilinear(tmp_path / "c.nc", lon, lat, clon[..., ::-1], clat[..., ::-1]))
    np.testing.assert_allclose(clockwise.area, made.area, rtol=1e-12)

    def refused(words, *cells, mask=None):
        with pytest.raises(GridError, match=words):
            Grid.from_file(curvilinear(tmp_path / "bad.nc", *cells, mask))

    refused("24 of 24 cells have their centre outside", lon, lat, np.roll(clon, 1, 1), np.roll(clat, 1, 1))
    flat = clon.copy(), clat.copy()
    for f in flat:
        f[1, 2] = f[1, 2, :1]
    refused(r"1 of 24 cells have no area, first \(1, 2\)", lon, lat, *flat)
    hidden = np.ones(lon.shape)
    hidden[1, 2] = 0
    assert Grid.from_file(curvilinear(tmp_path / "h.nc", lon, lat, *flat, hidden)).mask.sum() == 23
    twice = [np.concatenate([f, f[:, :1]], 1) for f in (lon, lat, clon, clat)]
    refused("4 of 28 cells lie on another active cell", *twice)
    halo = np.ones(twice[0].shape)
    halo[:, -1] = 0
    assert Grid.from_file(curvilinear(tmp_path / "k.nc", *twice, halo)).mask.sum() == 24
    gone = [f.copy() for f in (lon, lat, clon, clat)]
    for f in gone:
        f[3, 4] = -999.0
    left = Grid.from_file(curvilinear(tmp_path / "g.nc", *gone, fill=-999.0))
    assert left.mask.sum() == 23 and not left.mask[3, 4]


@pytest.mark.parametrize(
    ("values", "words"), [([0, 1, 2], "holds 2"), ([0, 0.5, 1], "holds 0.5"), ([-1, 1], "holds -1")]
)
def test_masks_are_0_and_1_or_refused(tmp_path, values, words):
    _, lon, lat, clon, clat = orca()
    mask = np.resize(np.array(values, float), lon.shape)
    with pytest.raises(GridError, match=words):
        Grid.from_file(curvilinear(tmp_path / "m.nc", lon, lat, clon, clat, mask))


@pytest.mark.parametrize(("dtype", "fill"), [("f4", np.nan), ("f4", 1e20), ("i1", -127), ("f8", None)])
def test_missing_in_a_mask_is_land(tmp_path, dtype, fill):
    path = rows_and_columns(tmp_path / "m.nc", LAT, LON)
    with netCDF4.Dataset(path, "a") as file:
        v = file.createVariable("mask", dtype, ("lat", "lon"), fill_value=fill)
        v.standard_name = "sea_binary_mask"
        v[:] = np.ma.masked_where(np.arange(20).reshape(5, 4) < 8, np.ones((5, 4)))
    assert Grid.from_file(path).mask.sum() == 12


@pytest.mark.parametrize("order", [("rho", "psi"), ("psi", "u", "rho")])
@pytest.mark.parametrize("standard", [False, True])
def test_a_roms_grid_is_that_of_its_rho_points(tmp_path, order, standard):
    made = Grid.projected("roms", LAMBERT, 7, 5, 30e3)
    points = {
        "rho": (made.longitude, made.latitude),
        "psi": (made.corner_longitude[1:-1, 1:-1], made.corner_latitude[1:-1, 1:-1]),
        "u": (made.longitude[:, 1:], made.latitude[:, 1:]),
    }
    path = tmp_path / "grid.nc"
    with netCDF4.Dataset(path, "w") as file:
        for key in order:
            for k, axis in enumerate(("lon", "lat")):
                for d, size in zip((f"eta_{key}", f"xi_{key}"), points[key][0].shape, strict=True):
                    if d not in file.dimensions:
                        file.createDimension(d, size)
                v = file.createVariable(f"{axis}_{key}", "f8", (f"eta_{key}", f"xi_{key}"))
                v.units = ("degree_east", "degree_north")[k]
                if standard:
                    v.standard_name = ("longitude", "latitude")[k]
                v[:] = points[key][k]
        m = file.createVariable("mask_rho", "f8", ("eta_rho", "xi_rho"))
        m[:] = np.arange(35).reshape(5, 7) >= 7
    grid = Grid.from_file(path)
    assert grid.shape == (5, 7) and grid.mask.sum() == 28 and not grid.mask[0].any()
    np.testing.assert_allclose(grid.area, made.area, rtol=1e-2)
    np.testing.assert_allclose(grid.area[1:-1, 1:-1], made.area[1:-1, 1:-1], rtol=1e-12)


def test_a_supergrid_of_mom6(tmp_path):
    made = Grid.projected("mom", LAMBERT, 12, 8, 25e3)  # its vertices are the points of a grid of half as many cells
    path = tmp_path / "ocean_hgrid.nc"
    for cut in (slice(None), slice(None, -1)):
        with netCDF4.Dataset(path, "w") as file:
            for key, values, name in (
                ("x", made.corner_longitude, "longitude"),
                ("y", made.corner_latitude, "latitude"),
            ):
                for d, size in zip(("nyp", "nxp"), values[:, cut].shape, strict=True):
                    if d not in file.dimensions:
                        file.createDimension(d, size)
                v = file.createVariable(key, "f8", ("nyp", "nxp"))
                v.units, v.standard_name = "degrees", f"geographic_{name}"
                v[:] = values[:, cut]
        if cut == slice(None):
            grid = Grid.from_file(path)
            assert grid.shape == (4, 6)
            np.testing.assert_allclose(grid.area.sum(), made.area.sum(), rtol=1e-4)
        else:
            with pytest.raises(GridError, match=r"supergrid of MOM6 has an odd number .* 9 x 12"):
                Grid.from_file(path)


def test_geo_em_of_wrf(tmp_path):
    made = Grid.projected("wrf", LAMBERT, 6, 4, 50e3)
    path = tmp_path / "geo_em.d01.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.MAP_PROJ, file.TRUELAT1, file.TRUELAT2, file.MOAD_CEN_LAT, file.STAND_LON = (
            np.int32(1),
            15.0,
            40.0,
            30.0,
            110.0,
        )
        for d, n in (("Time", 1), ("south_north", 4), ("west_east", 6), ("south_north_stag", 5), ("west_east_stag", 7)):
            file.createDimension(d, n)
        for key, values, tail in (
            ("XLAT_M", made.latitude, ""), ("XLONG_M", made.longitude, ""),
            ("XLAT_C", made.corner_latitude, "_stag"), ("XLONG_C", made.corner_longitude, "_stag"),
        ):  # fmt: skip
            v = file.createVariable(key, "f4", ("Time", f"south_north{tail}", f"west_east{tail}"))
            v.units = "degrees latitude" if "LAT" in key else "degrees longitude"
            v[0] = values
    grid = Grid.from_file(path)
    assert grid.crs == LAMBERT and grid.is_structured
    np.testing.assert_allclose(grid.area, made.area, rtol=1e-3)


def esmf(path, grid, numbers=None, flat=False):
    numbers = grid._corner_numbers() + 1 if numbers is None else numbers
    with netCDF4.Dataset(path, "w") as file:
        for d, n in (("nodeCount", grid.corner_longitude.size), ("elementCount", grid.size), ("maxNodePElement", 4),
                     ("coordDim", 2), ("connectionCount", 4 * grid.size)):  # fmt: skip
            file.createDimension(d, n)
        v = file.createVariable("nodeCoords", "f8", ("nodeCount", "coordDim"))
        v.units = "degrees"
        v[:] = np.stack([grid.corner_longitude.ravel(), grid.corner_latitude.ravel()], -1)
        dims = ("connectionCount",) if flat else ("elementCount", "maxNodePElement")
        file.createVariable("elementConn", "i4", dims, fill_value=-1)[:] = numbers.ravel() if flat else numbers
        file.createVariable("numElementConn", "i1", ("elementCount",))[:] = 4
        file.createVariable("elementMask", "i4", ("elementCount",))[:] = np.arange(grid.size) > 3
    return path


@pytest.mark.parametrize("flat", [False, True])
def test_a_mesh_of_esmf_and_node_numbers_beyond_its_nodes(tmp_path, flat):
    made = Grid.projected("mesh", LAMBERT, 6, 4, 50e3)
    grid = Grid.from_file(esmf(tmp_path / "mesh.nc", made, flat=flat))
    np.testing.assert_allclose(grid.area, made.area.ravel(), rtol=1e-12)
    assert grid.mask.sum() == 20
    with pytest.raises(GridError, match=r"elementConn names node 35 .* there are 35: is start_index right"):
        Grid.from_file(esmf(tmp_path / "mesh.nc", made, made._corner_numbers() + 2))


@pytest.mark.parametrize("start", [0, 1])
def test_ugrid_node_numbers_are_compared_with_the_nodes(tmp_path, start):
    made = Grid.projected("mesh", LAMBERT, 6, 4, 50e3)
    path = tmp_path / "u.nc"
    made.to_file(path, "ugrid")
    with netCDF4.Dataset(path, "a") as file:
        file["face_nodes"][:] = file["face_nodes"][:] + start
        file["face_nodes"].start_index = np.int32(start)
    np.testing.assert_allclose(Grid.from_file(path).area, made.area.ravel(), rtol=1e-12)
    with netCDF4.Dataset(path, "a") as file:
        file["face_nodes"].start_index = np.int32(1 - start)
    with pytest.raises(
        GridError, match="start_index right" if start else r"start_index right|fewer than three corners"
    ):
        Grid.from_file(path)
