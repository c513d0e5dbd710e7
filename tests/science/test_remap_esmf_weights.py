# SPDX-License-Identifier: BSD-3-Clause
"""First-order conservative weights against ESMF 9 (great-circle edges), link by link and field by field."""

import numpy as np
import pytest
from netCDF4 import Dataset
from pyproj import Proj
from scipy.sparse import csr_matrix

from coupler.grids.grid import Grid
from coupler.remap.regridder import apply_weights
from coupler.remap.weights import make_weights

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


def harmonic(grid):
    """f1 = 2 + cos(lat)^2 cos(2 lon)."""
    lon, lat = np.deg2rad(grid.longitude), np.deg2rad(grid.latitude)
    return (2.0 + np.cos(lat) ** 2 * np.cos(2.0 * lon)).ravel()


def vortex(grid):
    """Nair and Jablonowski (2008): R0 = 3, d = 5, t = 6, pole at 120E 30N."""
    lon, lat = np.deg2rad(grid.longitude).ravel(), np.deg2rad(grid.latitude).ravel()
    lon_p, lat_p = np.deg2rad(120.0), np.deg2rad(30.0)
    sin_rotated = np.sin(lat) * np.sin(lat_p) + np.cos(lat) * np.cos(lat_p) * np.cos(lon - lon_p)
    lon_rotated = np.arctan2(
        np.cos(lat) * np.sin(lon - lon_p),
        np.cos(lat) * np.sin(lat_p) * np.cos(lon - lon_p) - np.cos(lat_p) * np.sin(lat),
    )
    rho = 3.0 * np.sqrt(np.maximum(0.0, 1.0 - sin_rotated**2))
    speed = 1.5 * np.sqrt(3.0) * np.tanh(rho) / np.cosh(rho) ** 2
    omega = np.where(rho == 0.0, 0.0, speed / np.where(rho == 0.0, 1.0, rho))
    return 2.0 * (1.0 + np.tanh(rho / 5.0 * np.sin(lon_rotated - 6.0 * omega)))


def grids(case, reference):
    if case == "a":
        return tuple(
            Grid.regular_lonlat(f"g{step}", 0, 360, -90, 90, resolution=step, edges="great_circle") for step in (1, 2)
        )
    lambert = Grid.projected("lcc", LAMBERT, 240, 200, 25000.0)
    ocean = Grid.regular_lonlat("oce", 99, 150, 0, 50, nx=510, ny=500, edges="great_circle")
    with Dataset(reference / "grid_lcc.nc") as file:
        np.testing.assert_allclose(lambert.corner_longitude, file["lon_b"][:], atol=1e-9)
        np.testing.assert_allclose(lambert.corner_latitude, file["lat_b"][:], atol=1e-9)
        lambert = Grid("lcc", *(file[key][:].data for key in ("lon", "lat", "lon_b", "lat_b")))
    wet = ~(np.sin(3 * np.deg2rad(ocean.longitude)) * np.cos(4 * np.deg2rad(ocean.latitude)) > 0.3)
    return lambert, ocean.with_mask(wet) if case == "cM" else ocean


@pytest.mark.parametrize("case", ["a", "c", "cM"])
def test_weights_agree_with_esmf(case, shared):
    reference = shared / "reference" / "regridding"
    source, target = grids(case, reference)
    ours = {norm: make_weights(source, target, normalization=norm) for norm in ("destarea", "fracarea")}
    with Dataset(reference / f"ref_{case}.nc") as file:
        read = {key: file[key][:].data for key in file.variables}
    np.testing.assert_array_equal(target.mask.ravel(), read["mask_b"] != 0)
    for norm, key in (("destarea", "S"), ("fracarea", "S_fracarea")):
        weights = ours[norm]
        values = read["S"] if key == "S" else read["S"] / read["frac_b"][read["row"] - 1]
        esmf = csr_matrix((values, (read["row"] - 1, read["col"] - 1)), shape=weights.shape)
        # the same links, one for one, and the same numbers on them
        mine, theirs = (matrix.multiply(matrix > 1e-12).tocsr() for matrix in (weights.matrix, esmf))
        for matrix in (mine, theirs):
            matrix.eliminate_zeros()
            matrix.sort_indices()
        np.testing.assert_array_equal(mine.indptr, theirs.indptr)
        np.testing.assert_array_equal(mine.indices, theirs.indices)
        assert abs(weights.matrix - esmf).max() < 1e-10
        for name, field in (("f1", harmonic), ("f2", vortex)):
            remapped = apply_weights(weights.indptr, weights.indices, weights.data, field(source))
            np.testing.assert_allclose(remapped, read[f"{name}_{norm}"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours["destarea"].covered, read["frac_b"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", ["a", "c", "cM"])
def test_rows_and_columns_sum_to_the_covered_fractions(case, shared):
    source, target = grids(case, shared / "reference" / "regridding")
    weights = make_weights(source, target)
    rows = np.asarray(weights.matrix.sum(axis=1)).ravel()
    np.testing.assert_allclose(rows, weights.covered, rtol=0, atol=1e-12)
    assert rows.max() < 1.0 + 1e-12
    x, y = Proj(LAMBERT)(target.longitude, target.latitude)
    within = target.mask.ravel() & ((case == "a") | (np.maximum(np.abs(x) / 120, np.abs(y) / 100) < 24.5e3).ravel())
    assert within.mean() > 0.4
    np.testing.assert_allclose(rows[within], 1.0, rtol=0, atol=1e-12)
    columns = np.bincount(weights.indices, weights.area, minlength=source.size) / source.area.ravel()
    # a source cell well inside the target's domain is handed out completely
    if case == "a":
        inside = np.ones(source.size, bool)
    else:
        lon, lat = source.longitude.ravel(), source.latitude.ravel()
        inside = (lon > 100) & (lon < 149) & (lat > 1) & (lat < 49)
        if case == "cM":
            everything = make_weights(source, target, target_mask=None)
            dry = np.bincount(everything.indices, everything.area, minlength=source.size) / source.area.ravel()
            inside &= np.abs(columns - dry) < 1e-9
    assert inside.sum() > 1000
    np.testing.assert_allclose(columns[inside], 1.0, rtol=0, atol=1e-12)
    fraction = make_weights(source, target, normalization="fracarea")
    touched = fraction.covered > 0
    np.testing.assert_allclose(np.asarray(fraction.matrix.sum(axis=1)).ravel()[touched], 1.0, rtol=0, atol=1e-12)
