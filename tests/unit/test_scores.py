# SPDX-License-Identifier: BSD-3-Clause
"""Scores: their numbers, regions over the date line, and fluxes counted the other way."""

import numpy as np
import pytest

from coupler.analysis.observations import find
from coupler.analysis.observed_variables import opposite
from coupler.analysis.scores import Box, read_regions, score
from coupler.errors import CaseError


def test_numbers_of_a_known_pair():
    area = np.array([1.0, 1.0, 2.0, 5.0])
    s = score(np.array([1.0, 2.0, 4.0, 9.0]), np.array([2.0, 2.0, 2.5, np.nan]), area)
    assert s.cells == 3
    assert (s.model, s.observed) == pytest.approx((2.75, 2.25))
    assert s.bias == pytest.approx(0.5)
    assert s.rmse == pytest.approx(np.sqrt((1.0 + 0.0 + 2 * 2.25) / 4))
    m, o, w = np.array([1, 2, 4.0]), np.array([2, 2, 2.5]), area[:3] / 4
    covariance = (w * (m - 2.75) * (o - 2.25)).sum()
    assert s.correlation == pytest.approx(
        covariance / np.sqrt((w * (m - 2.75) ** 2).sum() * (w * (o - 2.25) ** 2).sum())
    )
    nothing = score(np.full(3, np.nan), np.ones(3), np.ones(3))
    assert nothing.cells == 0 and np.isnan(nothing.bias)


def test_a_region_may_cross_the_date_line():
    box = Box("far", 170.0, -170.0, 0.0, 10.0)
    assert box.holds(np.array([175.0, -175.0, 0.0, 175.0]), np.array([5.0, 5.0, 5.0, 20.0])).tolist() == [
        True, True, False, False,
    ]  # fmt: skip


def test_wrong_regions_are_told_all_at_once(tmp_path):
    path = tmp_path / "regions.yaml"
    path.write_text(
        "Sea: {west: 1, east: 2, south: 3, north: 4}\nBad: 7\nWorse: {west: a, east: 2, south: 3, north: 4}\n"
    )
    with pytest.raises(CaseError, match=r"(?s)Bad must be a box.*Worse must be a box"):
        read_regions(path)
    with pytest.raises(CaseError, match="cannot be read"):
        read_regions(tmp_path / "none.yaml")


def test_a_flux_counted_the_other_way_changes_its_sign(root):
    path = root / "data" / "east_asia_observed_esku.nc"
    up, down = "surface_upward_latent_heat_flux", "surface_downward_latent_heat_flux"
    assert opposite(up) == down and opposite("sea_surface_temperature") == ""
    found = find([path], [up, down])
    a, b = found[up].month(2001, 1), found[down].month(1999, 1)
    np.testing.assert_array_equal(a, -b)
    assert np.nanmean(a) > 50.0, "the sea evaporates"
