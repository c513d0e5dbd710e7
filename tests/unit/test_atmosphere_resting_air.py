# SPDX-License-Identifier: BSD-3-Clause
"""Air that is the same in all of the horizontal exerts no force over slopes; what differs between columns does."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, geometry, levels, tendencies
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.lateral import Driver
from components.atmosphere.nonhydrostatic.dynamics.resting_air import FollowedRest, resting_differences

ONE = slice(H - 1, 1 - H)


@pytest.fixture(scope="module")
def ridge():
    """A hill of 3000 m, 20 levels, cells of 50 km: it rises by up to fifteen lowest layers from cell to cell."""
    x = torch.exp(-(((torch.arange(12, dtype=torch.float64) - 5.3) / 2.0) ** 2))
    interfaces = levels.hybrid_heights(levels.stretched_levels(20, 20e3, 80.0), 3000.0 * x[:, None] * x)
    return geometry.build_geometry(interfaces, 50e3, 50e3, base_state.LogPressure())


def along_levels(g, p):
    """Differences of pressure across faces as the dynamics takes them without a reference, Pa."""
    x, y = p[:, 1:-1], p[..., 1:-1]
    return (
        x[..., 1:] - x[..., :-1] - tendencies.metric_difference_x(g, x),
        y[:, 1:] - y[:, :-1] - tendencies.metric_difference_y(g, y),
    )


def profile(z):
    return 2000.0 - 0.4 * z + 1e-4 * z * z - 3e-9 * z * z * z


def test_a_reference_the_same_everywhere_leaves_no_difference(ridge):
    p = profile(ridge.z[:, ONE, ONE])
    for found, resting in zip(along_levels(ridge, p), resting_differences(ridge, p), strict=True):
        assert float(found.abs().max()) > 1.0
        assert float((found - resting).abs().max()) < 1e-8


def test_a_difference_between_columns_stays(ridge):
    """1 Pa more in each column than in its western neighbour, at all heights."""
    east = torch.arange(ridge.nx + 2, dtype=torch.float64).expand(ridge.nz, ridge.ny + 2, -1)
    p = profile(ridge.z[:, ONE, ONE]) + east
    (x, y), (resting_x, resting_y) = along_levels(ridge, p), resting_differences(ridge, p)
    torch.testing.assert_close(x - resting_x, torch.ones_like(x), rtol=0.0, atol=1e-8)
    torch.testing.assert_close(y - resting_y, torch.zeros_like(y), rtol=0.0, atol=1e-8)


def test_a_driver_is_followed_in_time_and_flat_ground_needs_none(ridge):
    p = profile(ridge.z[:, ONE, ONE])
    driver = Driver((0.0, 100.0), (p, 2.0 * p), (p, p))
    made = []
    rest = FollowedRest(ridge, lambda s: made.append(0) or s)
    x, y = resting_differences(ridge, p)
    for time, factor in ((0.0, 1.0), (25.0, 1.25), (100.0, 2.0)):
        got_x, got_y = rest.at(driver, time)
        torch.testing.assert_close(got_x, factor * x)
        torch.testing.assert_close(got_y, factor * y)
    assert len(made) == 2
    level = ridge.z_interface[:, :1, :1].expand(-1, 8, 8).clone()
    flat = geometry.build_geometry(level, 5e4, 5e4, base_state.LogPressure())
    assert FollowedRest(flat, lambda s: s).at(driver, 0.0) == (None, None)
