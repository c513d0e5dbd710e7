# SPDX-License-Identifier: BSD-3-Clause
"""A grid knows its area, says what is wrong with it, and keeps its geometry to the bit in sub-grids."""

import numpy as np
import pytest

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError

SPHERE = 4.0 * np.pi * EARTH_RADIUS**2
LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


@pytest.mark.parametrize("edges", ["latitude", "great_circle"])
def test_cells_of_a_global_grid_fill_the_sphere(edges):
    grid = Grid.regular_lonlat("globe", 0, 360, -90, 90, resolution=(5, 2), edges=edges)
    assert grid.shape == (90, 72)
    assert abs(grid.area.sum() / SPHERE - 1.0) < 1e-13


def test_area_between_latitude_circles_is_exact():
    grid = Grid.regular_lonlat("globe", -30, 330, -90, 90, resolution=(30, 10))
    band = np.diff(np.sin(np.deg2rad(np.linspace(-90, 90, 19))))[:, None] * np.deg2rad(30) * EARTH_RADIUS**2
    np.testing.assert_allclose(grid.area, np.broadcast_to(band, grid.shape), rtol=1e-13)


def test_octant_is_one_eighth_of_the_sphere():
    octant = Grid("octant", [45.0], [35.0], [[0.0, 90.0, 0.0]], [[0.0, 0.0, 90.0]])
    assert abs(octant.area[0] / SPHERE - 0.125) < 1e-15
    reverse = Grid("octant", [45.0], [35.0], [[0.0, 0.0, 90.0, np.nan]], [[0.0, 90.0, 0.0, np.nan]])
    assert reverse.area[0] == octant.area[0]  # clockwise, padded


def test_lambert_cells_have_the_size_of_the_projection():
    grid = Grid.projected("lambert", LAMBERT, 40, 30, 25000.0, center=(112.0, 31.0))
    middle = grid.area[15, 20] / 25000.0**2
    assert 0.9 < middle < 1.1
    assert abs(grid.longitude.mean() - 112.0) < 0.2 and abs(grid.latitude.mean() - 31.0) < 0.2
    # at the central meridian of the projection x is east
    assert abs(np.rad2deg(Grid.projected("lambert", LAMBERT, 41, 31, 25000.0).angle[15, 20])) < 1e-9


def test_angle_of_a_lambert_grid_is_the_convergence_of_its_meridians():
    grid = Grid.projected("lambert", LAMBERT, 40, 30, 25000.0)
    cone = np.log(np.cos(np.deg2rad(15)) / np.cos(np.deg2rad(40))) / np.log(
        np.tan(np.deg2rad(65)) / np.tan(np.deg2rad(52.5))
    )
    np.testing.assert_allclose(grid.angle, -cone * np.deg2rad(grid.longitude - 110.0), atol=2e-6)


def test_rotated_pole_cells_are_equal_along_the_rotated_equator():
    grid = Grid.projected("rotated", "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18", 20, 11, 0.5)
    assert abs(grid.longitude.mean() - 18) < 0.5 and abs(grid.latitude[5].mean() - 50.75) < 1
    np.testing.assert_allclose(grid.area[5], grid.area[5, 0], rtol=1e-10)


def test_sub_grid_keeps_the_geometry():
    grid = Grid.projected("lambert", LAMBERT, 12, 9, 25000.0).with_mask(np.arange(108).reshape(9, 12) % 3 > 0)
    some = np.array([3, 50, 51, 107])
    part = grid.cells(some)
    assert part.shape == (4,)
    np.testing.assert_array_equal(part.area, grid.area.ravel()[some])
    np.testing.assert_array_equal(part.angle, grid.angle.ravel()[some])
    np.testing.assert_array_equal(part.mask, grid.mask.ravel()[some])


def test_fingerprint_tells_geometry_and_edges_apart_but_not_names_or_masks():
    grid = Grid.regular_lonlat("one", 0, 10, 0, 10, resolution=1)
    same = Grid.regular_lonlat("two", 0, 10, 0, 10, resolution=1).with_mask(np.eye(10) > 0)
    assert grid.fingerprint == same.fingerprint
    assert grid.mask_fingerprint() != same.mask_fingerprint()
    assert grid.fingerprint != Grid.regular_lonlat("one", 0, 10, 0, 10, resolution=1, edges="great_circle").fingerprint
    assert grid.fingerprint != Grid.regular_lonlat("one", 1e-9, 10, 0, 10, nx=10, ny=10).fingerprint


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Grid("g", np.zeros((2, 3)), np.zeros((3, 2))), r"longitude has shape \(2, 3\)"),
        (lambda: Grid("g", [0.0, np.nan], [0.0, 1.0]), "not finite"),
        (lambda: Grid("g", [0.0], [110.0]), "swapped"),
        (lambda: Grid("g", np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((4, 4)), np.zeros((4, 4))), r"\(3, 3\) or"),
        (lambda: Grid("g", [0.0], [1.0], masks={"sea": [True, False]}), "mask 'sea'"),
        (lambda: Grid("g", [0.0], [1.0]).area, "add bounds"),
        (lambda: Grid("g", [0.0], [1.0]).mask_named("lake"), "no mask 'lake'"),
        (lambda: Grid.regular_lonlat("g", 0, 10, 0, 10, resolution=3), "do not make up 10 degrees"),
        (lambda: Grid.regular_lonlat("g", 0, 10, 10, 0, resolution=1), "south < north"),
        (lambda: Grid.projected("g", "+proj=nonsense", 3, 3, 1e4), "PROJ does not understand"),
        (lambda: Grid("g", [0.0], [0.0], [[0, 120, 240]], [[0.0, 0, 0]]).area, "more than a hemisphere"),
    ],
)
def test_bad_grids_are_refused_with_a_remedy(make, message):
    with pytest.raises(GridError, match=message):
        make()
