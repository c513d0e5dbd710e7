# SPDX-License-Identifier: BSD-3-Clause
"""The meridional stream function of currents that are known in closed form."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.diagnostics import overturning
from components.ocean.primitive.geometry import build_geometry, partial_cells
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.stencil import HALO

SIDE, DEPTH, SPEED, CELLS = 1.0e4, 1000.0, 0.1, 6
THICKNESS = np.array([50.0, 150.0, 300.0, 500.0])


def basin(depth):
    return build_geometry(cartesian(CELLS, CELLS, SIDE, SIDE, f0=1e-4), partial_cells(depth, THICKNESS), THICKNESS)


def test_a_shear_that_is_linear_in_depth_turns_over_as_a_parabola():
    """Northward flow SPEED (1 - 2 z / DEPTH): the stream function is its integral, exactly at the interfaces."""
    g = basin(np.full((CELLS, CELLS), DEPTH))
    v = SPEED * (1.0 - 2.0 * g.centre / DEPTH) * g.mask_v
    psi = overturning(v, torch.zeros_like(g.depth_t), g)
    z = np.concatenate([[0.0], np.cumsum(THICKNESS)])[:, None]
    expected = CELLS * SIDE * SPEED * (z - z**2 / DEPTH) * 1e-6 * np.ones(CELLS - 1)
    np.testing.assert_allclose(psi[:, :-1], expected, atol=1e-12)
    assert psi.shape == (THICKNESS.size + 1, CELLS) and np.all(psi[:, -1] == 0.0)  # nothing passes the northern wall


def test_a_uniform_current_over_a_ridge_carries_its_cross_section():
    """Over a row of half the depth, with the sea level a metre high: what is below the ridge adds nothing."""
    depth = np.full((CELLS, CELLS), DEPTH)
    depth[2] = 0.5 * DEPTH
    g = basin(depth)
    eta = torch.ones_like(g.depth_t) * g.wet_t
    psi = overturning(SPEED * g.mask_v, eta, g)
    inside = psi[:, 2]
    assert inside[-1] == pytest.approx(CELLS * SIDE * SPEED * (0.5 * DEPTH + 1.0) * 1e-6, rel=1e-12)
    assert inside[3] == inside[4] and psi[3, 4] < psi[4, 4]


def test_blocks_side_by_side_add_up():
    g = basin(np.full((CELLS, CELLS), DEPTH))
    v = torch.sin(torch.arange(g.mask_v.numel(), dtype=torch.float64)).reshape(g.mask_v.shape) * g.mask_v
    halves = []
    for columns in (slice(0, 2), slice(2, CELLS)):
        part = g.block(slice(0, CELLS), columns)
        window = np.s_[..., columns.start : columns.stop + 2 * HALO]
        halves.append(overturning(v[window], torch.zeros_like(g.depth_t)[window], part))
    np.testing.assert_allclose(sum(halves), overturning(v, torch.zeros_like(g.depth_t), g), atol=1e-12)
