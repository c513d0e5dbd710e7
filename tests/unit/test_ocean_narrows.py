# SPDX-License-Identifier: BSD-3-Clause
"""Straits narrower than a cell: faces that water passes on a part of their length."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.diagnostics import inventories
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters

GRAVITY, DEPTH, SIDE = 9.80665, 100.0, 10.0e3


def period(share):
    """Period (s) in which two cells swap their water through the face between them."""
    open_share = np.full((1, 2), share), np.ones((1, 2))
    parameters = Parameters(dt=60.0, substeps=12, barotropic_filter="none", momentum_advection=False)
    level = np.array([[0.01, -0.01]])
    basin = set_up(
        cartesian(2, 1, SIDE, SIDE, f0=0.0), np.full((1, 2), DEPTH), [DEPTH], parameters, eta=level,
        open_share=open_share,
    )  # fmt: skip
    times, difference = [], []
    for step in range(100):
        basin.run(1)
        times.append((step + 1) * 60.0)
        difference.append(float(basin.state.eta[2, 2] - basin.state.eta[2, 3]))
    crossings = [
        times[k] + 60.0 * difference[k] / (difference[k] - difference[k + 1])
        for k in range(len(times) - 1)
        if difference[k] * difference[k + 1] < 0.0
    ]
    return 2.0 * (crossings[1] - crossings[0])


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_two_basins_swap_their_water_in_the_time_that_the_width_between_them_gives(share):
    """2 pi / sqrt(2 g H b / (L S)) with b the open width: 1 %."""
    expected = 2.0 * np.pi / np.sqrt(2.0 * GRAVITY * DEPTH * share * SIDE / (SIDE * SIDE**2))
    assert period(share) == pytest.approx(expected, rel=0.01)


def test_a_narrow_keeps_volume_and_a_constant_tracer():
    """A wind over two layers, a ridge and a strait: volume to 1e-12, a constant to 1e-12, while it flows."""
    ny, nx = 6, 8
    depth = np.full((ny, nx), 80.0)
    depth[:, 4] = 0.0
    depth[2:4, 4] = 40.0
    east = np.ones((ny, nx))
    east[2:4, 3:5] = 0.3
    basin = set_up(
        cartesian(nx, ny, SIDE, SIDE, f0=1e-4), depth, [40.0, 40.0], Parameters(dt=300.0, substeps=12),
        temperature=10.0, salinity=35.0, passive=(3.0,), eta=0.2 * np.linspace(1, -1, nx) * np.ones((ny, 1)),
        open_share=(east, np.ones((ny, nx))),
    )  # fmt: skip
    g = basin.ocean.g
    volume, before = inventories(basin.state, g)
    basin.run(20)
    after, content = inventories(basin.state, g)
    assert float(torch.abs(basin.state.u[0, 4:6, 5]).max()) > 1e-3
    assert abs(after - volume) < 1e-12 * volume
    assert max(abs(b - a) / a for a, b in zip(before, content, strict=True)) < 1e-12
    tracer = basin.state.tracers[2][g.mask_t > 0]
    assert float(torch.abs(tracer - 3.0).max()) < 1e-12


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="open shares"):
        set_up(
            cartesian(2, 1, SIDE, SIDE), np.full((1, 2), DEPTH), [DEPTH], Parameters(dt=60.0, substeps=4),
            open_share=(np.full((1, 2), share), np.ones((1, 2))),
        )  # fmt: skip
