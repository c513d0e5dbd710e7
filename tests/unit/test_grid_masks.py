# SPDX-License-Identifier: BSD-3-Clause
"""Masks of grid files are known by the names under which programs keep them."""

import numpy as np
import xarray

from coupler.grids.grid import Grid


def test_a_variable_called_mask_is_one(tmp_path):
    path = tmp_path / "xesmf.nc"
    xarray.Dataset(
        {"mask": (("lat", "lon"), np.array([[1, 0], [1, 1]], dtype="i4"))},
        {
            "lat": ("lat", [0.0, 1.0], {"units": "degrees_north"}),
            "lon": ("lon", [10.0, 11.0], {"units": "degrees_east"}),
        },
    ).to_netcdf(path)
    assert Grid.from_file(path).mask.tolist() == [[True, False], [True, True]]
