# SPDX-License-Identifier: BSD-3-Clause
"""Grids whose numbers cannot be right are refused, with the file and what it holds."""

import netCDF4
import numpy as np
import pytest

from coupler.case.command import main
from coupler.grids.grid import Grid, GridError
from coupler.remap.weights import make_weights


def test_cells_on_each_other_are_refused_by_weights():
    whole = Grid.regular_lonlat("whole", 0, 20, 40, 60, resolution=5)
    x, y = np.array([[0.0, 6, 6, 0], [4, 10, 10, 4]]), np.array([[40.0, 40, 45, 45]] * 2)
    lying = Grid("lying", [3.0, 7.0], [42.5, 42.5], x, y, edges="latitude")
    with pytest.raises(GridError, match=r"cells of grid 'lying' lie on each other: they cover cell 1 .* 1\.2"):
        make_weights(lying, whole, "conservative")
    with pytest.raises(GridError, match=r"cells of grid 'lying' lie on each other"):
        make_weights(whole, lying, "conservative")


def pad(corners):
    """Triangles in a table of four corners, the unused ones zero."""
    return np.where(np.arange(4) < 3, corners, 0.0)


@pytest.mark.parametrize(
    ("kind", "variable", "change", "words"),
    [
        ("scrip", "grid_imask", lambda m: 2 * m, "mask 'grid_imask' holds 2"),
        ("scrip", "grid_dims", lambda n: n + 1, r"grid_dims says \(5, 7\), but there are 24 cells"),
        ("scrip", "grid_corner_lon", lambda c: c + 3.0, "24 of 24 cells have their centre outside of their bounds"),
        ("scrip", "grid_corner_lon", lambda c: np.roll(c, 5, 0), "have their centre outside"),
        ("scrip", "grid_corner_lat", lambda c: c[:, [0, 2, 1, 3]], "have no area"),
        ("scrip", "grid_center_lon", lambda c: np.where(np.arange(24) == 3, np.nan, c), "g.nc: .* is not finite"),
        ("scrip", "grid_corner_lon, grid_corner_lat", pad, r"24 of 24 cells .* Unused corners seem to be filled with"),
        ("ugrid", "face_nodes", lambda n: n + 30, "face_nodes names node 38 .* there are 35"),
        ("ugrid", "face_nodes", lambda n: n[::-1], "have their centre outside"),
        ("cf", "mask", lambda m: 0 * m, "its mask leaves no cell active"),
        ("cf", "latitude", lambda v: v + 200.0, "latitude reaches 223.5"),
        ("cf", "latitude_bounds", lambda v: v + 1.0, "have their centre outside"),
    ],
)
def test_damaged_numbers_are_refused_with_the_file_and_what_it_has(tmp_path, kind, variable, change, words):
    path = tmp_path / "g.nc"
    made = Grid.regular_lonlat("g", 120, 126, 20, 24, resolution=1.0)
    made.with_mask(np.ones(made.shape)).to_file(path, kind)
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        for name in variable.split(", "):
            file[name][:] = change(file[name][:])
    with pytest.raises(GridError, match=words) as said:
        Grid.from_file(path)
    assert "g.nc" in str(said.value)


def test_check_refuses_a_grid_whose_cells_lie_on_each_other(tmp_path, capsys):
    made = Grid.regular_lonlat("g", 120, 126, 20, 24, resolution=1.0)
    made.to_file(tmp_path / "g.nc", "scrip")
    (tmp_path / "case.yaml").write_text("start: 2001-01-01\nduration: P1D\ncomponents:\n  ocean: {model: slab}\n")
    (tmp_path / "ocean.yaml").write_text("step: PT6H\ngrid: {file: g.nc}\n")
    main(["check", str(tmp_path)])
    assert "lie on each other" not in "".join(capsys.readouterr())
    with netCDF4.Dataset(tmp_path / "g.nc", "a") as file:  # the cells of the second row begin in the first
        corners = file["grid_corner_lat"][:]
        file["grid_corner_lat"][:] = np.where((np.arange(24) // 6 == 1)[:, None] & (corners == 21.0), 20.7, corners)
    assert main(["check", str(tmp_path)]) == 2
    assert "cells of grid 'ocean' lie on each other: they cover" in "".join(capsys.readouterr())


def test_a_cell_with_a_corner_at_the_origin_is_not_taken_for_padding(tmp_path):
    made = Grid.regular_lonlat("g", -2, 2, -2, 2, resolution=1.0)
    made.to_file(tmp_path / "g.nc", "scrip")
    np.testing.assert_array_equal(Grid.from_file(tmp_path / "g.nc").area, made.area)
