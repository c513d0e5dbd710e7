# SPDX-License-Identifier: BSD-3-Clause
"""Dense water runs down from a shelf, light water does not; nothing is lost; blocks keep the bits."""

from functools import partial

import numpy as np
import pytest
import torch

from components.ocean.primitive.equation_of_state import linear_anomaly
from components.ocean.primitive.horizontal_grid import longitude_latitude
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.overflow import run_down
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.stencil import inner
from tests.science.test_ocean_conservation import rough_basin
from tests.unit.test_ocean_blocks import run_in_blocks

DENSITY = partial(linear_anomaly, rho0=1025.0, alpha=2e-4, beta=7.6e-4, t0=10.0, s0=35.0)
DIFFUSIVITY, HOUR = 1000.0, 3600.0


def shelf(cold: float):
    """A shelf of one level west of a basin of four, water of 4 degC and ``cold`` on the shelf; a tracer there."""
    grid = longitude_latitude(120 + 0.25 * np.arange(3), 20 + 0.25 * np.arange(2))
    sea = set_up(grid, np.array([[100.0, 700.0]]), [100.0, 200.0, 200.0, 200.0], Parameters(HOUR, 10))
    g = sea.geometry
    west = (torch.arange(g.mask_t.shape[-1]) < 3) * g.mask_t
    return g, torch.stack([(4.0 + (cold - 4.0) * west) * g.mask_t, 35.0 * g.mask_t, west])


def amount(g, q):
    return (inner(g.h0 * g.mask_t * g.area_t) * inner(q)).sum((-3, -2, -1))


def test_two_bottom_cells_come_together_as_exchange_says():
    g, q = shelf(cold=2.0)
    first = amount(g, q)
    rate = DIFFUSIVITY * (g.dyu / g.dxu * 100.0)[2, 2] * (1 / (100.0 * g.area_t[2, 2]) + 1 / (200.0 * g.area_t[2, 3]))
    hours = 240
    for _ in range(hours):
        gain = run_down(q, DENSITY, DIFFUSIVITY, g)
        q = q + HOUR * torch.nn.functional.pad(gain / inner(g.h0), (2, 2, 2, 2))
    apart = float(q[0, 3, 2, 3] - q[0, 0, 2, 2])
    assert apart == pytest.approx(2.0 * (1.0 - float(rate) * HOUR) ** hours, rel=1e-10)
    assert apart < 0.7, "most of the difference is gone in ten days"
    assert float(((amount(g, q) - first).abs() / first).max()) < 1e-14
    assert torch.equal(q[:, :3, 2, 3], torch.tensor([4.0, 35.0, 0.0], dtype=q.dtype)[:, None].expand(3, 3)), "above it"


def test_light_water_stays_on_its_shelf():
    g, q = shelf(cold=5.0)
    assert float(run_down(q, DENSITY, DIFFUSIVITY, g).abs().max()) == 0.0


def test_blocks_give_the_bits_of_the_whole_and_a_constant_stays():
    sea = rough_basin(overflow_diffusivity=2000.0)
    sea.run(2)
    blocks = run_in_blocks(sea, 2, 2, 3, 4)
    sea.run(3)
    for name, value in sea.state.own().tensors().items():
        assert torch.equal(blocks[name], value), name
    plain = rough_basin()
    plain.run(5)
    difference = (sea.state.tracers - plain.state.tracers)[:2].abs().amax((0, 2, 3))
    assert float(difference.max()) > 1e-3, "the floor is rough, its water of many densities"
    constant = inner(sea.state.tracers[2])[inner(sea.geometry.mask_t) > 0.0]
    assert float((constant - 1.0).abs().max()) < 1e-12
