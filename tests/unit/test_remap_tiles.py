# SPDX-License-Identifier: BSD-3-Clause
"""The dry part of overlaps of two grids over a third: exact, the same from both sides, complete in every cell."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap.apply import row_sums
from coupler.remap.tiles import dry_overlap
from coupler.remap.weights import make_weights

FIELDS = ("area", "dry", "outside")
LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=115 +R=6370000"


def dense(tile, columns, field):
    return csr_matrix((getattr(tile, field), tile.indices, tile.indptr), (tile.target_cells.size, columns)).toarray()


def wobbly(name, west, east, south, north, nx, ny, seed, size=0.38, edges="great_circle"):
    """A box whose inner vertices are moved so far that, from a size of 0.3, many cells are concave."""
    random = np.random.default_rng(seed)
    longitude, latitude = np.meshgrid(np.linspace(west, east, nx + 1), np.linspace(south, north, ny + 1))
    longitude[1:-1, 1:-1] += random.uniform(-size, size, (ny - 1, nx - 1)) * (east - west) / nx
    latitude[1:-1, 1:-1] += random.uniform(-size, size, (ny - 1, nx - 1)) * (north - south) / ny

    def middle(x):
        return 0.25 * (x[1:, 1:] + x[:-1, 1:] + x[1:, :-1] + x[:-1, :-1])

    return Grid(name, middle(longitude), middle(latitude), longitude, latitude, {}, edges)


def rotated(name, nx, ny, pole_longitude, pole_latitude):
    """A globe of latitudes and longitudes around another pole, edges great circles."""
    lon, lat = np.meshgrid(np.linspace(0.0, 360.0, nx + 1), np.linspace(-90.0, 90.0, ny + 1))

    def turned(lon, lat):
        a, b = np.deg2rad(lon), np.deg2rad(lat)
        x, y, z = np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)
        t = np.deg2rad(90.0 - pole_latitude)
        x, z = np.cos(t) * x + np.sin(t) * z, np.cos(t) * z - np.sin(t) * x
        return np.rad2deg(np.arctan2(y, x)) + pole_longitude, np.rad2deg(np.arctan2(z, np.hypot(x, y)))

    centers = (0.5 * (lon[:-1, :-1] + lon[:-1, 1:]), 0.5 * (lat[:-1, :-1] + lat[1:, :-1]))
    return Grid(name, *turned(*centers), *turned(lon, lat))


@pytest.fixture(scope="module")
def east_asia(root):
    """Atmosphere, land and ocean of the template."""
    with xr.open_dataset(root / "data" / "east_asia_ocean.nc") as data:
        wet = data["sea_binary_mask"].sortby("latitude" if "latitude" in data.dims else "lat").values == 1
    return (
        Grid.regular_lonlat("atmosphere", 68, 162, -12, 66, resolution=2.0),
        Grid.regular_lonlat("land", 70, 160, -10, 65, resolution=1.0),
        Grid.regular_lonlat("ocean", 70, 160, -10, 65, resolution=0.5).with_mask(wet),
    )


def wet_area(grid, ocean):
    """Area of each cell of a grid under wet cells of the ocean, m2, as the air-sea fluxes have it."""
    made = make_weights(ocean, grid, target_mask=None)
    return row_sums(made.indptr, made.area)


def gaps(source, target, ocean):
    """Largest difference, of the target's cells inside the source's domain, of the sum of dry and cell less wet."""
    tile = dry_overlap(source, target, ocean)
    size, wet = target.area.ravel(), wet_area(target, ocean)
    inside = np.abs(row_sums(tile.indptr, tile.area) / size - 1.0) < 1e-9
    return np.max(np.abs(row_sums(tile.indptr, tile.dry) - (size - wet))[inside] / size[inside]), int(inside.sum())


@pytest.mark.parametrize("atmosphere", ["template", "lambert", "great_circle_ocean"])
def test_dry_parts_and_wet_exchange_cells_make_up_every_cell(east_asia, atmosphere):
    air, land, ocean = east_asia
    if atmosphere == "lambert":
        air = Grid.projected("lambert", LAMBERT, 60, 50, 100e3)
    if atmosphere == "great_circle_ocean":
        ocean = Grid.regular_lonlat("o", 70, 160, -10, 65, resolution=0.5, edges="great_circle").with_mask(ocean.mask)
    for source, target in ((land, air), (air, land)):
        worst, cells = gaps(source, target, ocean)
        assert cells > 1000
        assert worst <= 1e-12
    tile = dry_overlap(land, air, ocean)
    assert 0.3 < tile.dry.sum() / tile.area.sum() < 0.6  # both kinds are there
    assert (tile.dry >= 0).all() and (tile.outside <= tile.dry).all() and (tile.dry <= tile.area).all()


def test_all_dry_is_the_area_itself_and_round_off_is_no_land(east_asia):
    air, land, ocean = east_asia
    tile = dry_overlap(land, air, ocean)
    assert not tile.outside.any()
    # four ocean cells of half a degree to a land cell, each about a quarter of it: nothing else may turn up
    share = tile.dry / tile.area
    assert np.unique(np.round(share, 2)).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    partly = (share > 0.0) & (share < 1.0)
    assert share[partly].min() > 0.24 and share[partly].max() < 0.76
    all_wet = dry_overlap(land, air, ocean, ocean_mask=None)
    assert not all_wet.dry.any()
    all_dry = dry_overlap(land, air, ocean, ocean_mask=np.zeros(ocean.shape, bool))
    assert (all_dry.dry == all_dry.area).all()


def test_areas_are_those_of_the_weights(east_asia):
    air, land, ocean = east_asia
    tile = dry_overlap(land, air, ocean)
    weights = make_weights(land, air, source_mask=None, target_mask=None)
    assert tile.indptr.dtype == np.int64 and tile.indices.dtype == np.int32
    assert (tile.indices == weights.indices).all() and (tile.indptr == weights.indptr).all()
    assert (tile.area == weights.area).all()


def test_rows_do_not_depend_on_the_company_nor_on_threads(east_asia):
    _, land, ocean = east_asia
    air = Grid.projected("lambert", LAMBERT, 60, 50, 100e3)
    for source, target in ((land, air), (land, land)):
        whole = dry_overlap(source, target, ocean)
        assert (dry_overlap(source, target, ocean, threads=2).dry == whole.dry).all()
        rows = np.random.default_rng(3).choice(target.size, 200, replace=False)
        part = dry_overlap(source, target, ocean, rows=rows)
        assert (part.target_cells == rows).all()
        for k, row in enumerate(rows):
            ours = slice(part.indptr[k], part.indptr[k + 1])
            theirs = slice(whole.indptr[row], whole.indptr[row + 1])
            for field in ("indices", *FIELDS):
                assert (getattr(part, field)[ours] == getattr(whole, field)[theirs]).all()
    nothing = dry_overlap(land, air, ocean, rows=[])
    assert nothing.indptr.tolist() == [0] and nothing.dry.size == 0


def test_a_grid_with_itself_has_its_cells_for_pieces(east_asia):
    _, land, ocean = east_asia
    tile = dry_overlap(land, Grid.regular_lonlat("same", 70, 160, -10, 65, resolution=1.0), ocean)
    assert (tile.indices == np.arange(land.size)).all()
    assert (tile.area == land.area.ravel()).all()
    assert np.abs(tile.dry - (land.area.ravel() - wet_area(land, ocean))).max() <= 1e-12 * tile.area.max()


def test_boxes_of_latitude_and_longitude_are_exact():
    """Pieces of such boxes are boxes: their areas are dlon (sin n - sin s), worked out here for each triple."""
    boxes = {
        "source": (10.3, 44.0, -7.7, 61.0, 11, 9),
        "target": (8.0, 40.0, -11.0, 63.3, 7, 12),
        "ocean": (12.1, 50.0, -9.0, 57.0, 13, 14),
    }
    grids, shares = {}, {}
    for name, (west, east, south, north, nx, ny) in boxes.items():
        grids[name] = Grid.regular_lonlat(name, west, east, south, north, nx=nx, ny=ny)
        x = np.deg2rad(np.linspace(west, east, nx + 1))
        y = np.sin(np.deg2rad(np.linspace(south, north, ny + 1)))
        shares[name] = (x, y)
    random = np.random.default_rng(1)
    mask = random.random(grids["ocean"].shape) < 0.5
    tile = dry_overlap(grids["source"], grids["target"], grids["ocean"], ocean_mask=mask)

    def common(axis):
        lo = [shares[name][axis][:-1] for name in boxes]
        hi = [shares[name][axis][1:] for name in boxes]
        first = np.maximum(lo[0][None, :], lo[1][:, None]), np.minimum(hi[0][None, :], hi[1][:, None])
        two = np.maximum(first[1] - first[0], 0.0)
        three = np.minimum(first[1][..., None], hi[2]) - np.maximum(first[0][..., None], lo[2])
        return two, np.maximum(three, 0.0)

    (x2, x3), (y2, y3) = common(0), common(1)
    size = grids["target"].size, grids["source"].size
    area = np.einsum("ab,cd->cadb", x2, y2).reshape(size)
    wet = np.einsum("abo,cdp,po->cadb", x3, y3, mask).reshape(size)
    all_ = np.einsum("abo,cdp->cadb", x3, y3).reshape(size)
    expected = {"area": area, "dry": area - wet, "outside": area - all_}
    cell = grids["target"].area.max()
    for field in FIELDS:
        assert np.abs(dense(tile, size[1], field) - EARTH_RADIUS**2 * expected[field]).max() <= 2e-14 * cell
    assert tile.outside.max() > 0.1 * cell


GRIDS = {
    "latitude": lambda: Grid.regular_lonlat("a", 0, 40, 20, 60, nx=7, ny=6),
    "great_circle": lambda: Grid.regular_lonlat("b", 1, 41, 20, 58, nx=5, ny=7, edges="great_circle"),
    "lambert": lambda: Grid.projected("c", "+proj=lcc +lat_1=30 +lat_2=50 +lat_0=40 +lon_0=20", 6, 7, 500e3),
    "concave": lambda: wobbly("d", 0, 40, 20, 60, 8, 7, seed=2),
    "concave_too": lambda: wobbly("e", -1, 40, 22, 60, 7, 8, seed=5),
}


@pytest.mark.parametrize(
    "kinds",
    [
        ("latitude", "great_circle", "lambert"),
        ("latitude", "lambert", "concave"),
        ("concave", "concave_too", "lambert"),
        ("concave", "concave_too", "latitude"),
    ],
)
def test_three_cells_share_the_same_whichever_two_are_cut_first(kinds):
    """Pointwise: what source, target and ocean cell share does not know which of the three grids is the ocean."""
    grids = [GRIDS[kind]() for kind in kinds]

    def triples(a, b, c):
        """What all cells of a, b and c share, c as the ocean: (cells of a, cells of b, cells of c)."""
        found = []
        for cell in range(grids[c].size):
            tile = dry_overlap(grids[b], grids[a], grids[c], ocean_mask=np.arange(grids[c].size) == cell)
            found.append(dense(tile, grids[b].size, "area") - dense(tile, grids[b].size, "dry"))
        return np.stack(found, axis=-1)

    scale = min(grid.area.min() for grid in grids)
    shared = triples(0, 1, 2)
    assert np.count_nonzero(shared > 1e-3 * scale) > 200
    assert np.abs(triples(0, 2, 1).transpose(0, 2, 1) - shared).max() <= 1e-12 * scale
    assert np.abs(triples(1, 2, 0).transpose(2, 0, 1) - shared).max() <= 1e-12 * scale


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.floats(0, 360), st.floats(-90, 90)),
    st.tuples(st.floats(0, 360), st.floats(-90, 90)),
    st.sampled_from(["latitude", "great_circle"]),
    st.integers(0, 2**32 - 1),
)
def test_globes_round_any_poles(one, other, edges, seed):
    air = rotated("air", 11, 7, *one)
    land = Grid.regular_lonlat("land", 3, 363, -90, 90, nx=13, ny=9, edges=edges)
    ocean = rotated("ocean", 14, 8, *other)
    ocean = ocean.with_mask(np.random.default_rng(seed).random(ocean.shape) < 0.6)
    forth, back = dry_overlap(land, air, ocean), dry_overlap(air, land, ocean)
    for field in FIELDS:
        a, b = dense(forth, land.size, field), dense(back, air.size, field).T
        assert np.abs(a - b).max() <= 1e-13 * air.area.max()
    assert not forth.outside.any()
    for tile, grid in ((forth, air), (back, land)):
        rest = grid.area.ravel() - wet_area(grid, ocean)
        assert np.abs(row_sums(tile.indptr, tile.dry) - rest).max() <= 1e-12 * grid.area.max()


def test_what_lies_outside_the_ocean_is_dry_and_said():
    air = Grid.regular_lonlat("air", 0, 8, 0, 8, resolution=4)
    land = Grid.regular_lonlat("land", 0, 8, 0, 8, resolution=1)
    ocean = Grid.regular_lonlat("ocean", 2, 6, 2, 6, resolution=0.5)
    tile = dry_overlap(land, air, ocean)
    assert (tile.dry == tile.outside).all()
    assert tile.dry.sum() == pytest.approx(land.area.sum() - ocean.area.sum(), rel=1e-13)
    column, row = tile.indices % 8, tile.indices // 8
    inside = (column >= 2) & (column < 6) & (row >= 2) & (row < 6)
    assert (tile.outside[inside] == 0.0).all() and (tile.outside[~inside] == tile.area[~inside]).all()


def test_grids_without_corners_and_masks_of_another_shape_are_refused():
    grid = Grid.regular_lonlat("grid", 0, 4, 0, 4, resolution=1)
    points = Grid("points", grid.longitude, grid.latitude)
    with pytest.raises(GridError, match="corners"):
        dry_overlap(grid, points, grid)
    with pytest.raises(GridError, match="mask"):
        dry_overlap(grid, grid, grid, ocean_mask=np.ones(3, bool))


def test_ocean_cells_outside_the_mask_domain_are_as_if_they_were_not_there(east_asia):
    air, land, sea = east_asia
    inside = sea.longitude < 140.0
    small = Grid.regular_lonlat("small", 70, 140, -10, 65, resolution=0.5).with_mask(sea.mask[:, :140])
    whole = sea.with_mask(sea.mask & inside).with_mask(inside, "domain")
    for field in FIELDS:
        a, b = (dense(dry_overlap(land, air, ocean), land.size, field) for ocean in (small, whole))
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * air.area.max())
