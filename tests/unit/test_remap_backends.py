# SPDX-License-Identifier: BSD-3-Clause
"""Other programs' weights through one door; an absent program is named with what installs it."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from coupler.grids.grid import Grid
from coupler.remap.backends import BackendError, weights_from

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


def has(module):
    return importlib.util.find_spec(module) is not None


def pair():
    air = Grid.projected("air", LAMBERT, 60, 50, 100000.0)
    sea = Grid.regular_lonlat("sea", 99, 150, 0, 50, nx=51, ny=50, edges="great_circle")
    return air, sea.with_mask(~(np.sin(3 * np.deg2rad(sea.longitude)) * np.cos(4 * np.deg2rad(sea.latitude)) > 0.3))


@pytest.mark.skipif(not has("yac"), reason="yac is not installed")
@pytest.mark.parametrize("normalization", ["destarea", "fracarea"])
@pytest.mark.parametrize("back", [False, True])
def test_yac_makes_the_same_first_order_weights(normalization, back):
    source, target = pair()[::-1] if back else pair()
    theirs = weights_from("yac", source, target, normalization=normalization)
    mine = weights_from("tessera", source, target, normalization=normalization)
    assert theirs.data.size == mine.data.size
    assert abs(theirs.matrix - mine.matrix).max() < 1e-11


@pytest.mark.skipif(not has("xesmf"), reason="xesmf is not installed")
def test_xesmf_makes_the_same_first_order_weights():
    source, target = pair()
    theirs = weights_from("xesmf", source, target)
    assert abs(theirs.matrix - weights_from("tessera", source, target).matrix).max() < 1e-10


def test_xesmf_gets_the_names_that_it_documents_and_its_nan_rows_are_read(monkeypatch):
    """A stand-in with xESMF's interface: lon, lat, lon_b, lat_b and mask in, a sparse matrix with NaN rows out."""
    source, target = pair()
    mine = weights_from("tessera", source, target)
    rows = mine.matrix.tolil()
    for k in np.flatnonzero(np.diff(mine.indptr) == 0):
        rows.rows[k], rows.data[k] = [0], [np.nan]
    links = rows.tocoo()

    def regridder(ds_in, ds_out, method):
        assert method == "conservative"
        for ds, grid in ((ds_in, source), (ds_out, target)):
            assert ds.lon.shape == ds.lat.shape == ds.mask.shape == grid.shape
            assert ds.lon_b.shape == ds.lat_b.shape == tuple(n + 1 for n in grid.shape)
            np.testing.assert_array_equal(ds.mask.values == 1, grid.mask)  # 1 takes part, 0 does not
        coo = SimpleNamespace(data=links.data, coords=np.stack([links.row, links.col]), shape=links.shape)
        return SimpleNamespace(weights=SimpleNamespace(data=coo))

    monkeypatch.setitem(sys.modules, "xesmf", SimpleNamespace(Regridder=regridder))
    theirs = weights_from("xesmf", source, target)
    assert abs(theirs.matrix - mine.matrix).max() == 0.0
    np.testing.assert_array_equal(theirs.uncovered, mine.uncovered)


@pytest.mark.skipif(has("xesmf"), reason="xesmf is installed")
def test_an_absent_backend_says_how_to_get_it():
    with pytest.raises(BackendError, match=r"conda env create -f environment.yml"):
        weights_from("xesmf", *pair())


def test_unknown_backends_and_methods_are_named():
    with pytest.raises(BackendError, match="tessera, xesmf, yac"):
        weights_from("esmpy", *pair())
    if has("yac"):
        with pytest.raises(BackendError, match="not 'creep'"):
            weights_from("yac", *pair(), "creep")
        with pytest.raises(BackendError, match="edges='great_circle'"):
            weights_from("yac", pair()[0], Grid.regular_lonlat("sea", 99, 150, 0, 50, nx=51, ny=50))
