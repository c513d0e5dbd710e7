# SPDX-License-Identifier: BSD-3-Clause
"""Metric terms: parallels and meridians against the sphere, and a curvilinear grid against both."""

from dataclasses import fields

import numpy as np
import pytest

from components.ocean.primitive.horizontal_grid import cartesian, curvilinear, longitude_latitude
from components.science.constants import EARTH_RADIUS

LON, LAT = 100 + 0.5 * np.arange(21), 20 + 0.5 * np.arange(17)


def test_cells_tile_the_sphere():
    """Areas of cells and of corners sum to that of their box."""
    g = longitude_latitude(LON, LAT)
    box = EARTH_RADIUS**2 * np.radians(LON[-1] - LON[0]) * (np.sin(np.radians(LAT[-1])) - np.sin(np.radians(LAT[0])))
    assert g.area_t[2:-2, 2:-2].sum() == pytest.approx(box, rel=1e-13)
    assert g.shape == (16, 20)


def test_curvilinear_agrees_with_parallels_and_meridians():
    """On the corners of a regular grid every metric term is that of the sphere within 1e-4 (half a degree)."""
    regular = longitude_latitude(LON, LAT)
    general = curvilinear(*np.meshgrid(LON, LAT))
    for f in fields(regular):
        a, b = getattr(regular, f.name)[2:-2, 2:-2], getattr(general, f.name)[2:-2, 2:-2]
        assert a == pytest.approx(b, rel=1e-4), f.name


def test_a_turned_grid_has_the_same_cells():
    """A grid around the equator turned by 90 degrees about the x axis: same areas, another Coriolis parameter."""
    lon, lat = np.meshgrid(np.arange(-5, 5.1, 0.5), np.arange(-4, 4.1, 0.5))
    x, y = np.radians(lon), np.radians(lat)
    p = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    turned = np.stack([p[0], -p[2], p[1]])
    a = curvilinear(lon, lat)
    b = curvilinear(np.degrees(np.arctan2(turned[1], turned[0])), np.degrees(np.arcsin(turned[2])))
    for name in ("dxt", "dyt", "dxu", "dyv", "area_t", "area_u", "area_v", "area_q"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12), name
    assert np.abs(b.f_q[2, 3:-3] - b.f_q[-3, 3:-3]).max() < 1e-8 < np.abs(b.f_q[3:-3, 2] - b.f_q[3:-3, -3]).max()


def test_a_beta_plane():
    g = cartesian(4, 5, 1e3, 2e3, f0=1e-4, beta=2e-11, y_of_f0=2e3)
    assert g.f_q[2, 2] == 1e-4
    assert g.f_q[3, 2] == pytest.approx(1e-4 + 4e-8)
