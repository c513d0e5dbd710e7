# SPDX-License-Identifier: BSD-3-Clause
"""Steady wind-driven gyres of Stommel (1948) and Munk (1950) in a square basin of 1200 km.

Linear, flat bottom, tau = -0.1 cos(pi y / L) N/m2, beta 1e-11, rho 1000. The transport does not depend on the depth,
which is chosen so that waves cross the basin fast.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ocean.primitive.diagnostics import stream_function
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters

SIDE, DEPTH = 1200e3, 250.0


def steady_gyre(cells, days, dt, **friction):
    """Stream function (Sv) and the corners' distances from the western wall (m)."""
    dx = SIDE / cells
    n = cells + 2
    depth = np.zeros((n, n))
    depth[1:-1, 1:-1] = DEPTH
    parameters = Parameters(
        dt=dt, substeps=max(4, int(np.ceil(dt * 49.5 * 1.5 / dx))), momentum_advection=False, rho0=1000.0,
        equation_of_state="linear", reference_temperature=0.0, reference_salinity=0.0, **friction,
    )  # fmt: skip
    grid = cartesian(n, n, dx, dx, f0=5e-5, beta=1e-11, y_of_f0=dx)
    basin = set_up(grid, depth, [DEPTH], parameters, 0.0, 0.0, no_slip=True)
    g = basin.geometry
    basin.forcing = replace(basin.forcing, stress_x=-0.1 * torch.cos(torch.pi * (g.y - dx) / SIDE) * g.wet_t)
    x, mean, count = np.arange(cells + 1) * dx, 0.0, 50
    basin.run(int(0.5 * days * 86400 / dt))
    for _ in range(count):  # the mean over the second half: basin modes are damped slowly
        basin.run(int(0.5 * days * 86400 / dt / count))
        mean = mean + np.abs(stream_function(basin.state.U, g)[:-1, :-1]) / count
    return mean, x


def test_stommel_gyre():
    """Linear drag 1e-6 s-1: psi max 16.05 Sv within 3 % at 262 km from the wall within a cell."""
    psi, x = steady_gyre(40, 100, 4800.0, drag_linear=1e-6 * DEPTH)
    assert psi.max() == pytest.approx(16.05, rel=0.03)
    assert x[np.unravel_index(psi.argmax(), psi.shape)[1]] == pytest.approx(262e3, abs=30e3)


def test_munk_gyre():
    """Harmonic viscosity 400 m2/s, no slip: psi max 32.2 Sv within 3 % at 118 km from the wall within half a cell."""
    psi, x = steady_gyre(60, 120, 4800.0, harmonic_viscosity=400.0)
    row, column = np.unravel_index(psi.argmax(), psi.shape)
    # the maximum between the corners, by the parabola through three of them
    a, b, c = psi[row, column - 1 : column + 2]
    peak = x[column] + 0.5 * (a - c) / (a - 2 * b + c) * (x[1] - x[0])
    print(f"psi max {psi.max():.2f} Sv at {peak / 1e3:.0f} km")
    assert psi.max() == pytest.approx(32.2, rel=0.03)
    assert peak == pytest.approx(118e3, abs=10e3)
