# SPDX-License-Identifier: BSD-3-Clause
"""Steady wind-driven gyres of Stommel (1948) and Munk (1950) in a square basin of 1200 km.

Linear, flat bottom, tau = -0.1 cos(pi y / L) N/m2, beta 1e-11, rho 1000. The transport does not depend on the depth,
which is chosen so that waves cross the basin fast. On coarse cells Munk's gyre has a wider boundary current, as many
cells across, and is held against the steady vorticity equation solved on fine cells.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.sparse.linalg import spsolve

from components.ocean.primitive.diagnostics import stream_function
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters

SIDE, BETA = 1200e3, 1e-11


def steady_vorticity(viscosity, cells=240):
    """Largest stream function (Sv) of beta psi_x = curl tau / rho + nu del4 psi, psi = psi_n = 0 on the walls."""
    n, h = cells - 1, SIDE / cells
    one = sparse.eye(n)
    second = sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], (n, n)) / h**2
    fourth = sparse.diags([1.0, -4.0, 6.0, -4.0, 1.0], [-2, -1, 0, 1, 2], (n, n)).tolil()
    fourth[0, 0] = fourth[-1, -1] = 7.0  # the mirrored neighbour beyond the wall
    first = sparse.diags([-1.0, 1.0], [-1, 1], (n, n)) / (2.0 * h)
    biharmonic = sparse.kron(one, fourth / h**4) + sparse.kron(fourth / h**4, one) + 2.0 * sparse.kron(second, second)
    y = np.arange(1, cells) * h
    curl = -0.1 * np.pi / SIDE * np.sin(np.pi * y / SIDE) / 1000.0
    psi = spsolve((BETA * sparse.kron(one, first) - viscosity * biharmonic).tocsc(), np.repeat(curl, n))
    return np.abs(psi).max() * 1e-6


def steady_gyre(cells, days, dt, deep=250.0, **friction):
    """Stream function (Sv) and the corners' distances from the western wall (m)."""
    dx = SIDE / cells
    n = cells + 2
    depth = np.zeros((n, n))
    depth[1:-1, 1:-1] = deep
    substeps = max(4, int(np.ceil(dt * np.sqrt(9.81 * deep) * 1.5 / dx)))
    parameters = Parameters(
        dt=dt, substeps=substeps, momentum_advection=False, rho0=1000.0,
        equation_of_state="linear", reference_temperature=0.0, reference_salinity=0.0, **friction,
    )  # fmt: skip
    grid = cartesian(n, n, dx, dx, f0=5e-5, beta=BETA, y_of_f0=dx)
    basin = set_up(grid, depth, [deep], parameters, 0.0, 0.0, no_slip=True)
    g = basin.geometry
    basin.forcing = replace(basin.forcing, stress_x=-0.1 * torch.cos(torch.pi * (g.y - dx) / SIDE) * g.wet_t)
    x, mean, count = np.arange(cells + 1) * dx, 0.0, 50
    basin.run(int(0.5 * days * 86400 / dt))
    for _ in range(count):  # the mean over the second half: basin modes are damped slowly
        basin.run(int(0.5 * days * 86400 / dt / count))
        mean = mean + np.abs(stream_function(basin.state.U, g)[:-1, :-1]) / count
    return mean, x


def place(psi, x):
    """Distance (m) of the maximum from the wall, between the corners, by the parabola through three of them."""
    row, column = np.unravel_index(psi.argmax(), psi.shape)
    a, b, c = psi[row, column - 1 : column + 2]
    return x[column] + 0.5 * (a - c) / (a - 2 * b + c) * (x[1] - x[0])


@pytest.mark.parametrize(
    ("cells", "days", "dt", "deep"),
    [(30, 60, 9600.0, 60.0), pytest.param(40, 100, 4800.0, 250.0, marks=pytest.mark.slow)],
)
def test_stommel_gyre(cells, days, dt, deep):
    """Linear drag 1e-6 s-1: psi max 16.05 Sv within 3 % at 262 km from the wall within a cell."""
    psi, x = steady_gyre(cells, days, dt, deep, drag_linear=1e-6 * deep)
    assert psi.max() == pytest.approx(16.05, rel=0.03)
    assert place(psi, x) == pytest.approx(262e3, abs=30e3)


@pytest.mark.slow
def test_munk_gyre():
    """Harmonic viscosity 400 m2/s, no slip: psi max 32.2 Sv within 3 % at 118 km from the wall within half a cell."""
    psi, x = steady_gyre(60, 120, 4800.0, harmonic_viscosity=400.0)
    print(f"psi max {psi.max():.2f} Sv at {place(psi, x) / 1e3:.0f} km")
    assert psi.max() == pytest.approx(32.2, rel=0.03)
    assert place(psi, x) == pytest.approx(118e3, abs=10e3)


def test_wide_munk_gyre():
    """A boundary current four times as wide: within 3 % of the steady vorticity equation, which has Munk's 32.2 Sv."""
    assert steady_vorticity(400.0) == pytest.approx(32.2, rel=0.02)
    psi, _ = steady_gyre(30, 40, 4800.0, 60.0, harmonic_viscosity=25600.0)
    print(f"psi max {psi.max():.3f} Sv, steady {steady_vorticity(25600.0):.3f} Sv")
    assert psi.max() == pytest.approx(steady_vorticity(25600.0), rel=0.03)
