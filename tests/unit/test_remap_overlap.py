# SPDX-License-Identifier: BSD-3-Clause
"""Overlap areas: random pairs of grids partition each other, whatever their shape, order and roles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.spatial import SphericalVoronoi

from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights


def rotate(points, axis, angle):
    """Rodrigues' rotation of points (..., 3)."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    along = (points @ axis)[..., None] * axis
    return along + np.cos(angle) * (points - along) + np.sin(angle) * np.cross(axis, points)


def to_points(longitude, latitude):
    lon, lat = np.deg2rad(longitude), np.deg2rad(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def to_degrees(points):
    x, y, z = np.moveaxis(points, -1, 0)
    return np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y)))


def from_vertices(name, points):
    """Structured great-circle grid from vertex points (ny + 1, nx + 1, 3)."""
    middle = points[:-1, :-1] + points[:-1, 1:] + points[1:, 1:] + points[1:, :-1]
    return Grid(name, *to_degrees(middle), *to_degrees(points))


def globe(nx, ny, west=0.0, stretch=0.0):
    """Vertices of a whole globe, its latitudes drawn together towards one side."""
    s = np.linspace(-1.0, 1.0, ny + 1)
    latitude = 90.0 * (s + stretch * (1.0 - s**2))
    return to_points(*np.meshgrid(np.linspace(west, west + 360.0, nx + 1), latitude))


def tripolar(nx, ny, join=60.0):
    """Vertices of a globe with two northern poles (Murray 1996): latitudes up to `join`, a bipolar cap above.

    In the stereographic plane of the cap (its rim the unit circle) the bipolar curves are circles through and
    around the poles at -1 and +1: z -> (z + 1)/(z - 1) makes them straight. The last row of vertices is the fold:
    vertex i is vertex nx - i again.
    """
    below = to_points(*np.meshgrid(np.linspace(0.0, 360.0, nx + 1), np.linspace(-90.0, join, ny - ny // 3 + 1)))
    angle = np.linspace(0.0, 2.0 * np.pi, nx + 1)
    rows = []
    for k in range(1, ny // 3 + 1):
        # each meridian of the cap runs from the rim to the line between the two poles
        u = 1.0 - k / (ny // 3)
        z = np.cos(angle) + 1j * u * np.sin(angle) * (0.5 + 0.5 * u * u)
        if k == ny // 3:
            z = np.cos(angle) + 0j
        colatitude = 2.0 * np.arctan(np.abs(z) * np.tan(np.deg2rad(90.0 - join) / 2.0))
        lon = np.angle(z)
        rows.append(
            np.stack([np.sin(colatitude) * np.cos(lon), np.sin(colatitude) * np.sin(lon), np.cos(colatitude)], axis=-1)
        )
    return np.concatenate([below, np.array(rows)])


def wobbly(nx, ny, seed):
    """A globe whose inner vertices are moved so far that many cells are concave."""
    random = np.random.default_rng(seed)
    longitude, latitude = np.meshgrid(np.linspace(0.0, 360.0, nx + 1), np.linspace(-90.0, 90.0, ny + 1))
    longitude[1:-1, :-1] += random.uniform(-0.38, 0.38, (ny - 1, nx)) * 360.0 / nx
    latitude[2:-2, :-1] += random.uniform(-0.38, 0.38, (ny - 3, nx)) * 180.0 / ny
    longitude[:, -1], latitude[:, -1] = longitude[:, 0] + 360.0, latitude[:, 0]
    return to_points(longitude, latitude)


def voronoi(n, seed):
    """Polygons of three to about nine corners that fill the sphere."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(n, 3))
    centers /= np.linalg.norm(centers, axis=1)[:, None]
    mesh = SphericalVoronoi(centers)
    mesh.sort_vertices_of_regions()
    lon, lat = to_degrees(mesh.vertices)
    width = max(len(region) for region in mesh.regions)
    corners = np.full((2, n, width), np.nan)
    for k, region in enumerate(mesh.regions):
        corners[0, k, : len(region)], corners[1, k, : len(region)] = lon[region], lat[region]
    return Grid("voronoi", *to_degrees(centers), *corners)


@st.composite
def whole_grids(draw):
    """A grid that covers the sphere, of any of our kinds, turned any way."""
    kind = draw(st.sampled_from(["globe", "latitude", "tripolar", "wobbly", "voronoi"]))
    nx, ny = draw(st.integers(8, 30)), draw(st.integers(6, 24))
    seed = draw(st.integers(0, 10**6))
    if kind == "latitude":
        return Grid.regular_lonlat("latitude", (west := draw(st.floats(-200, 200))), west + 360, -90, 90, nx=nx, ny=ny)
    if kind == "voronoi":
        return voronoi(nx * ny, seed)
    if kind == "tripolar":
        points = tripolar(2 * (nx // 2), ny)
    elif kind == "wobbly":
        points = wobbly(nx + 10, ny, seed)  # wider cells would cross their own edges
    else:
        points = globe(nx, ny, draw(st.floats(-360, 360)), draw(st.floats(-0.3, 0.3)))
    axis = [draw(st.floats(0.1, 1.0)), draw(st.floats(-1.0, 1.0)), draw(st.floats(-1.0, 1.0))]
    return from_vertices(kind, rotate(points, axis, draw(st.floats(-3.1, 3.1))))


def areas(weights):
    return csr_matrix((weights.area, weights.indices, weights.indptr), shape=weights.shape)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(whole_grids(), whole_grids())
def test_grids_partition_each_other(source, target):
    matrix = areas(make_weights(source, target))
    for axis, grid in ((1, target), (0, source)):
        total, area = np.asarray(matrix.sum(axis=axis)).ravel(), grid.area.ravel()
        np.testing.assert_allclose(total, area, rtol=1e-12, atol=1e-12 * area.mean())
    swapped = areas(make_weights(target, source)).T.tocsr()
    assert abs(matrix - swapped).max() == 0.0  # transposed to the bit


@settings(max_examples=30, deadline=None, derandomize=True)
@given(whole_grids(), whole_grids(), st.integers(0, 10**6))
def test_constants_are_kept_and_the_order_of_cells_does_not_matter(source, target, seed):
    weights = make_weights(source, target)
    np.testing.assert_allclose(weights.matrix @ np.full(source.size, 3.0), 3.0, rtol=1e-12)
    random = np.random.default_rng(seed)
    of_source, of_target = random.permutation(source.size), random.permutation(target.size)
    shuffled = make_weights(source.cells(of_source), target.cells(of_target))
    assert abs(areas(shuffled) - areas(weights)[of_target][:, of_source]).max() == 0.0


def test_rows_made_together_or_apart_or_by_threads_are_the_same_bits():
    source = Grid.projected(
        "lambert", "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000", 120, 100, 50000.0
    )
    target = Grid.regular_lonlat("ocean", 99, 150, 0, 50, nx=170, ny=160)
    whole = make_weights(source, target)
    threads = make_weights(source, target, threads=3)
    for key in ("indptr", "indices", "data", "area", "covered"):
        np.testing.assert_array_equal(getattr(whole, key), getattr(threads, key))
    random = np.random.default_rng(1)
    for size in (1, 7, 5000):
        rows = random.permutation(target.size)[:size]
        part, same = make_weights(source, target, rows=rows), whole.rows(rows)
        for key in ("indptr", "indices", "data", "area", "covered", "target_cells"):
            np.testing.assert_array_equal(getattr(part, key), getattr(same, key))
        owner = make_weights(source, target.cells(rows))  # a rank that knows its own cells only
        np.testing.assert_array_equal(owner.data, same.data)


@pytest.mark.parametrize("edges", ["latitude", "great_circle"])
def test_nested_grids_have_the_links_they_should(edges):
    fine = Grid.regular_lonlat("fine", 0, 360, -90, 90, resolution=5, edges=edges)
    coarse = Grid.regular_lonlat("coarse", 0, 360, -90, 90, resolution=10, edges=edges)
    links = np.diff(make_weights(fine, coarse).indptr).reshape(18, 36)
    if edges == "latitude":
        assert (links == 4).all()
    else:  # the great circle between two corners passes north of the corner between them: slivers
        assert (links[1:9] == 6).all() and (links[10:17] == 6).all()


def test_latitude_cells_overlap_as_products_of_intervals():
    one = Grid.regular_lonlat("one", 3, 363, -90, 90, nx=31, ny=17)
    two = Grid.regular_lonlat("two", -11, 349, -90, 90, nx=23, ny=29)

    def shared(low, high, other_low, other_high):
        return np.maximum(0.0, np.minimum(high, other_high[:, None]) - np.maximum(low, other_low[:, None]))

    def edges(grid):
        return grid.corner_longitude[0], np.sin(np.deg2rad(grid.corner_latitude[:, 0]))

    (x, y), (u, v) = edges(one), edges(two)
    across = sum(shared(x[:-1] + turn, x[1:] + turn, u[:-1], u[1:]) for turn in (-360.0, 0.0, 360.0))
    expected = np.kron(shared(y[:-1], y[1:], v[:-1], v[1:]), np.deg2rad(across)) * 6.371e6**2
    np.testing.assert_allclose(areas(make_weights(one, two)).toarray(), expected, atol=2e-13 * expected.max())


def test_degenerate_cells_take_no_part():
    lon = np.array([[0, 2, 2, 0], [2, 2, 2, 2], [2, 3, 2, 3.0], [2, 4, 4, 2]])
    lat = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 1, 1.0], [0, 0, 2, 2]])
    grid = Grid("odd", lon.mean(axis=1), lat.mean(axis=1), lon, lat)
    assert (grid.area[[1, 2]] == 0.0).all()
    box = Grid.regular_lonlat("box", 0, 4, 0, 2, nx=1, ny=1, edges="great_circle")
    weights = make_weights(grid, box)
    assert weights.indices.tolist() == [0, 3]
    assert make_weights(box, grid).uncovered.tolist() == [1, 2]


def test_masks_take_cells_out_on_both_sides():
    fine = Grid.regular_lonlat("fine", 0, 20, 0, 20, resolution=1)
    coarse = Grid.regular_lonlat("coarse", 0, 20, 0, 20, resolution=5)
    wet = (np.arange(400).reshape(20, 20) % 7) > 2
    land = (np.arange(16).reshape(4, 4) % 3) > 0
    everything = areas(make_weights(fine, coarse)).toarray()
    masked = make_weights(fine.with_mask(wet, "sea"), coarse, source_mask="sea", target_mask=land)
    np.testing.assert_array_equal(areas(masked).toarray(), everything * wet.ravel() * land.ravel()[:, None])
    assert set(np.flatnonzero(~land.ravel())) <= set(masked.uncovered)


def test_one_cell_that_holds_the_pole_and_one_across_the_date_line():
    pole = Grid("pole", [0.0], [90.0], [[0, 90, 180, 270]], [[80, 80, 80, 80]])
    globe_grid = Grid.regular_lonlat("globe", 0, 360, -90, 90, resolution=3, edges="great_circle")
    assert abs(make_weights(globe_grid, pole).covered[0] - 1.0) < 1e-12
    line = Grid("line", [180.0], [0.0], [[170, -170, -170, 170]], [[-5, -5, 5, 5]])
    assert abs(make_weights(globe_grid, line).covered[0] - 1.0) < 1e-12
    assert (
        abs(line.area[0] / Grid.regular_lonlat("x", 0, 20, -5, 5, nx=1, ny=1, edges="great_circle").area[0, 0] - 1)
        < 1e-13
    )
