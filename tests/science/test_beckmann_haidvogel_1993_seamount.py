# SPDX-License-Identifier: BSD-3-Clause
"""A stratified ocean at rest around a steep seamount must stay at rest: z* with partial bottom cells.

Geometry of Beckmann and Haidvogel (1993): depth 4500 m, a Gaussian of 25 km width that takes 90 % of it, f = 1e-4 s-1.
"""

import numpy as np
import pytest

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters


def spurious_current(days: float, cells: int) -> tuple[float, float]:
    """Largest current (m/s) and steepest slope parameter after some days.

    Temperature 5 + 15 exp(z / 1000 m) degC, TEOS-10.
    """
    dx = 320e3 / cells
    x = (np.arange(cells) + 0.5) * dx - 160e3
    r2 = x[None] ** 2 + x[:, None] ** 2
    depth = 4500.0 * (1.0 - 0.9 * np.exp(-r2 / 25e3**2))
    dz = np.full(20, 225.0)
    grid = cartesian(cells, cells, dx, dx, f0=1e-4)
    parameters = Parameters(
        dt=900.0, substeps=int(900 * 210 * 1.5 / dx) + 1, biharmonic_viscosity=5e8 * (dx / 5e3) ** 3,
        background_diffusivity=0.0, drag_quadratic=0.0,
    )  # fmt: skip
    sea = set_up(grid, depth, dz, parameters, 0.0, 35.0, periodic_x=True)
    g = sea.geometry
    tracers = sea.state.tracers.clone()
    tracers[0] = (5.0 + 15.0 * (-g.centre / 1000.0).exp()) * g.mask_t
    from dataclasses import replace

    sea.state = replace(sea.state, tracers=tracers)
    worst = 0.0
    for _ in range(int(days * 8)):
        sea.run(12)
        worst = max(worst, float(sea.state.u.abs().max()), float(sea.state.v.abs().max()))
    slope = np.abs(np.diff(depth, axis=1)) / (depth[:, 1:] + depth[:, :-1])
    return worst, float(slope.max())


def test_stays_at_rest_for_a_day():
    """At 10 km the largest current of the first day stays below 1 cm/s."""
    current, slope = spurious_current(1.0, 32)
    print(f"spurious current {100 * current:.3f} cm/s, slope parameter {slope:.2f}")
    assert 0.0 < current < 0.01


@pytest.mark.slow
def test_stays_at_rest_for_ten_days():
    """At 5 km the largest current of ten days stays below 1 cm/s."""
    current, slope = spurious_current(10.0, 64)
    print(f"spurious current {100 * current:.3f} cm/s, slope parameter {slope:.2f}")
    assert 0.0 < current < 0.01
