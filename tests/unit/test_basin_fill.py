# SPDX-License-Identifier: BSD-3-Clause
"""The hydrography of the East Asian seas is filled basin by basin."""

import importlib

import numpy as np
import pytest

pytest.importorskip("gsw")


@pytest.fixture
def by_basin(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "data")
    return importlib.import_module("ocean_hydrography").by_basin


def test_deep_waters_do_not_cross_a_ridge_and_a_basin_without_data_keeps_what_flowed_over_its_sill(by_basin):
    """A warm sea west of a ridge, a cold one east of it, and between them a trough that nobody sampled."""
    to_x, to_y, to_z = np.arange(0.25, 12.0, 0.5), np.arange(0.25, 4.0, 0.5), np.array([100.0, 400.0, 1500.0, 3000.0])
    wet = np.ones((4, to_y.size, to_x.size), bool)
    wet[2:, :, (np.abs(to_x - 4.0) < 0.5) | (np.abs(to_x - 8.0) < 0.5)] = False  # two ridges, sills at 1000 m
    z, y, x = np.array([0.0, 500.0, 1000.0, 4000.0]), np.arange(-0.5, 5.0), np.arange(-0.5, 13.0)
    field = np.broadcast_to(np.where(x < 6.0, 10.0, 2.0), (4, y.size, x.size)).copy()
    field[2:, :, (x > 4.0) & (x < 8.0)] = np.nan
    field[2:, 2:4, 2] = np.nan  # a gap in the warm sea
    out = by_basin(field, z, y, x, to_z, to_y, to_x, wet)
    assert np.isfinite(out).all()
    assert np.abs(out[2:, :, to_x < 3.5] - 10.0).max() < 1e-12
    assert np.abs(out[2:, :, to_x > 8.5] - 2.0).max() < 1e-12
    trough = (to_x > 4.5) & (to_x < 7.5)
    assert np.abs(out[2:, :, trough] - out[1][:, trough].mean()).max() < 1e-12
    across = out[0, :, (to_x > 5.0) & (to_x < 7.0)]
    assert ((across > 2.0) & (across < 10.0)).any(), "above the sills the waters blend"
