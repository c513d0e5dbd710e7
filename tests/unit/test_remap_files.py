# SPDX-License-Identifier: BSD-3-Clause
"""Weight files: ours, ESMF's, xESMF's and SCRIP's; the cache never gives weights of another mask or grid."""

import netCDF4
import numpy as np
import pytest
import xarray

from coupler.grids.grid import Grid, GridError
from coupler.remap import files
from coupler.remap.files import load_weights, save_weights, weights_cached
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights

ARRAYS = ("indptr", "indices", "data", "covered", "area", "target_cells", "constant")


@pytest.fixture
def grids():
    source = Grid.regular_lonlat("source", 0, 20, 0, 20, resolution=2)
    target = Grid.regular_lonlat("target", 0, 25, 0, 20, resolution=5)
    return source.with_mask(source.longitude + source.latitude > 9), target


def same(one, other):
    for key in ARRAYS:
        a, b = getattr(one, key), getattr(other, key)
        assert (a is None) == (b is None), key
        if a is not None:
            np.testing.assert_array_equal(a, b, err_msg=key)
    assert (one.method, one.normalization, one.shape) == (other.method, other.normalization, other.shape)


@pytest.mark.parametrize("method", ["conservative", "conservative_second_order", ["bilinear", {"fixed": 2.5}]])
def test_our_files_give_back_the_same_bits(grids, method, tmp_path):
    source, target = grids
    weights = make_weights(source, target, method, normalization="fracarea")
    save_weights(tmp_path / "w.nc", weights, source, target)
    again = load_weights(tmp_path / "w.nc", source, target)
    same(again, weights)
    some = make_weights(source, target, method, rows=[7, 3, 11])
    save_weights(tmp_path / "part.nc", some)
    same(load_weights(tmp_path / "part.nc"), some)
    if method == "conservative_second_order":
        field = np.random.default_rng(0).random(source.size)
        one, other = (Regridder(w, limiter=True).apply(field)[0] for w in (weights, again))
        np.testing.assert_array_equal(one, other)
    assert not list(tmp_path.glob(".*partial"))


def test_our_files_are_what_xarray_and_xesmf_expect(grids, tmp_path):
    source, target = grids
    weights = make_weights(source, target)
    save_weights(tmp_path / "w.nc", weights, source, target)
    with xarray.open_dataset(tmp_path / "w.nc") as opened:
        assert opened.row.min() >= 1 and opened.row.max() <= target.size and opened.col.max() <= source.size
        dense = np.zeros((target.size, source.size))  # what xESMF does with S, row and col
        np.add.at(dense, (opened.row.values - 1, opened.col.values - 1), opened.S.values)
        np.testing.assert_array_equal(dense, weights.matrix.toarray())
        np.testing.assert_allclose(opened.area_b.sum() * 6.371e6**2, target.area.sum())
        # ESMF's identity: frac_a area_a = sum over b of frac_b area_b
        np.testing.assert_allclose((opened.frac_a * opened.area_a).sum(), (opened.frac_b * opened.area_b).sum())


def test_scrip_files_go_out_and_in(grids, tmp_path):
    source, target = grids
    weights = make_weights(source, target)
    save_weights(tmp_path / "w.nc", weights, source, target, convention="scrip")
    again = load_weights(tmp_path / "w.nc", source, target)
    np.testing.assert_array_equal(again.matrix.toarray(), weights.matrix.toarray())
    np.testing.assert_array_equal(again.covered, weights.covered)


def test_cdo_applies_our_file(grids, tmp_path):
    import shutil
    import subprocess

    cdo = shutil.which("cdo")
    if cdo is None:
        pytest.skip("cdo is not installed")
    source, target = grids
    weights = make_weights(source, target)
    save_weights(tmp_path / "w.nc", weights, source, target, convention="scrip")
    source.to_file(tmp_path / "in.nc")
    with netCDF4.Dataset(tmp_path / "in.nc", "a") as file:
        field = file.createVariable("f", "f8", ("y", "x"))
        field.coordinates = "longitude latitude"
        field[:] = source.longitude
    target.to_file(tmp_path / "target.nc", "scrip")
    command = [cdo, "-O", f"remap,{tmp_path / 'target.nc'},{tmp_path / 'w.nc'}", "-selname,f", str(tmp_path / "in.nc")]
    subprocess.run([*command, str(tmp_path / "out.nc")], check=True)
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        got = file["f"][:].filled(np.nan).ravel()
    reached = weights.covered > 0.999
    assert reached.mean() > 0.5
    np.testing.assert_allclose(got[reached], (weights.matrix @ source.longitude.ravel())[reached], rtol=1e-12)


def test_esmf_and_xesmf_files_are_read(shared, tmp_path):
    read = load_weights(shared / "reference" / "regridding" / "ref_a.nc")
    assert read.data.size == 96480 and read.shape == (16200, 64800)
    np.testing.assert_allclose(np.asarray(read.matrix.sum(axis=1)).ravel(), read.covered, atol=1e-10)
    # xESMF writes S, row, col alone; NaN marks unmapped rows, and links may come twice
    with netCDF4.Dataset(tmp_path / "xesmf.nc", "w") as file:
        file.createDimension("n_s", 5)
        file.createVariable("S", "f8", ("n_s",))[:] = [0.25, np.nan, 0.5, 0.25, 1.0]
        file.createVariable("row", "i4", ("n_s",))[:] = [1, 2, 1, 1, 3]
        file.createVariable("col", "i4", ("n_s",))[:] = [2, 1, 1, 2, 4]
    source = Grid.regular_lonlat("s", 0, 4, 0, 1, resolution=1)
    target = Grid.regular_lonlat("t", 0, 3, 0, 1, resolution=1)
    read = load_weights(tmp_path / "xesmf.nc", source, target)
    np.testing.assert_array_equal(read.matrix.toarray(), [[0.5, 0.5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    values, _ = Regridder(read, source, target).apply(np.array([1.0, 3.0, 5.0, 7.0]))
    np.testing.assert_array_equal(values, [2.0, np.nan, 7.0])
    np.testing.assert_array_equal(read.uncovered, [1])


def test_a_file_in_the_layout_of_xesmf_gives_back_the_same_weights(tmp_path):
    """`Regridder.to_netcdf` of xESMF: S, col, row along n_s, 64-bit, one NaN link to cell 1 in each unmapped row."""
    source = Grid.regular_lonlat("source", 0, 12, 0, 10, resolution=2)
    target = Grid.regular_lonlat("target", 3, 18, -3, 9, resolution=3)
    weights = make_weights(source, target)
    rows = weights.matrix.tolil()
    for k, cells in enumerate(rows.rows):
        if not cells:
            rows.rows[k], rows.data[k] = [0], [np.nan]
    links = rows.tocoo()
    assert np.isnan(links.data).sum() == weights.uncovered.size > 0
    where = {"row": links.row.astype(np.int64) + 1, "col": links.col.astype(np.int64) + 1}
    file = xarray.Dataset({"S": ("n_s", links.data), **{name: ("n_s", cell) for name, cell in where.items()}})
    file.to_netcdf(tmp_path / "conservative_5x6_4x5.nc")  # with _FillValue = NaN, as xarray writes it
    read = load_weights(tmp_path / "conservative_5x6_4x5.nc", source, target)
    np.testing.assert_array_equal(read.matrix.toarray(), weights.matrix.toarray())
    np.testing.assert_array_equal(read.uncovered, weights.uncovered)
    with pytest.raises(GridError, match="cell numbers run from one"):  # such a file has no fingerprints
        load_weights(tmp_path / "conservative_5x6_4x5.nc", target, target)


def test_a_file_of_another_grid_is_refused_with_both_fingerprints(grids, tmp_path):
    source, target = grids
    save_weights(tmp_path / "w.nc", make_weights(source, target))
    moved = Grid.regular_lonlat("moved", 1, 21, 0, 20, resolution=2)
    with pytest.raises(GridError) as told:
        load_weights(tmp_path / "w.nc", moved, target)
    assert moved.fingerprint in str(told.value) and source.fingerprint in str(told.value)
    with pytest.raises(GridError, match="another target grid"):
        load_weights(tmp_path / "w.nc", source, moved)
    with netCDF4.Dataset(tmp_path / "other.nc", "w") as file:
        file.createVariable("sst", "f8", ())
    with pytest.raises(GridError, match="not a weight file"):
        load_weights(tmp_path / "other.nc")


def test_the_cache_is_used_and_a_changed_mask_or_grid_is_not(grids, tmp_path, monkeypatch):
    source, target = grids
    made = []

    def counting(*arguments, **options):
        made.append(1)
        return make_weights(*arguments, **options)

    monkeypatch.setattr(files, "make_weights", counting)
    first = weights_cached(tmp_path, source, target)
    same(weights_cached(tmp_path, source, target), first)
    assert len(made) == 1
    other = weights_cached(tmp_path, source.with_mask(~source.mask), target)
    assert len(made) == 2 and other.data.size != first.data.size
    assert set(other.indices).isdisjoint(first.indices)
    weights_cached(tmp_path, source, target, normalization="fracarea")
    weights_cached(tmp_path, source, target, "nearest")
    moved = Grid.regular_lonlat("target", 0.1, 25.1, 0, 20, resolution=5)
    weights_cached(tmp_path, source, moved)
    assert len(made) == 5
    rows = np.array([9, 2, 4])  # a rank's rows come out of the whole file
    same(weights_cached(tmp_path, source, target, rows=rows), first.rows(rows))
    assert len(made) == 5
    monkeypatch.setattr(files, "VERSION", files.VERSION + 1)
    weights_cached(tmp_path, source, target)
    assert len(made) == 6


def test_a_broken_or_foreign_cache_file_is_made_again(grids, tmp_path):
    source, target = grids
    first = weights_cached(tmp_path, source, target)
    (path,) = tmp_path.glob("*.nc")
    path.write_bytes(path.read_bytes()[:1000])
    same(weights_cached(tmp_path, source, target), first)
    same(load_weights(path, source, target), first)
