# SPDX-License-Identifier: BSD-3-Clause
"""Inertia-free gravity waves in a channel (Skamarock & Klemp 1994, Mon. Wea. Rev. 122, 2623-2630).

300 x 10 km, N = 0.01 s-1, U = 20 m/s, a 0.01-K perturbation of half width 5 km, 3000 s. The linear
compressible solution
has, at z = 5 km, a maximum of 0.002744 K 83.8 km and a minimum of -0.001450 K 60.0 km on both sides of the centre that
moves with the flow (the Boussinesq solution: 0.002726 at 85.2, -0.001447 at 61.2).
"""

import math

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, geometry, timestep
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.constants import GRAVITY


def run(dx: float, dz: float, dt: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions relative to the moving centre (m) and theta' at z = 5 km (K) after 3000 s."""
    torch.set_num_threads(1)
    nx, nz = round(300e3 / dx), round(10e3 / dz)
    interfaces = torch.linspace(0, 10e3, nz + 1, dtype=torch.float64)[:, None, None].expand(nz + 1, 1, nx)
    base = base_state.ConstantStability(300.0, 0.01)
    g = geometry.build_geometry(interfaces, dx, dx, base, periodic_x=True, periodic_y=True)
    core = timestep.Dynamics(g, timestep.Options(acoustic_steps=6))
    theta_0 = 300.0 * torch.exp(1.0e-4 / GRAVITY * g.z)
    state = initial_state.resting_state(g, theta_0, g.p_base[0])
    x = initial_state.centres_x(nx, dx)
    state = initial_state.warmed(g, state, 0.01 * torch.sin(math.pi * g.z / 10e3) / (1.0 + ((x + 50e3) / 5e3) ** 2))
    state = initial_state.with_wind(g, state.rho, state.rtheta, 20.0, 0.0)
    core.halo(list(state), geometry.HALO)
    for _ in range(round(3000 / dt)):
        state, _ = core.step(state, dt)
    perturbation = (initial_state.pressure_and_theta(g, state)[1] - theta_0)[:, 4, 4:-4]
    middle = 0.5 * (perturbation[nz // 2 - 1] + perturbation[nz // 2])
    return x[4:-4] - 10e3, middle


def peak(x: torch.Tensor, row: torch.Tensor, near: float, sign: float) -> tuple[float, float]:
    """Position (km) and value of the extreme of ``row`` within 8 km of ``near`` (km).

    By a parabola through three points.
    """
    window = torch.where((x / 1e3 - near).abs() < 8.0, sign * row, torch.tensor(-1.0, dtype=row.dtype))
    j = int(window.argmax())
    a, b = 0.5 * (row[j - 1] - 2 * row[j] + row[j + 1]), 0.5 * (row[j + 1] - row[j - 1])
    return float(x[j] - 0.5 * b / a * (x[1] - x[0])) / 1e3, float(row[j] - 0.25 * b * b / a)


def check(dx: float, dz: float, dt: float, share: float, distance: float) -> None:
    """Compare the four outer extremes with the linear compressible solution."""
    x, row = run(dx, dz, dt)
    for side in (-1.0, 1.0):
        where, value = peak(x, row, side * 83.8, 1.0)
        print(dx, "maximum", value, where)
        assert abs(value - 0.002744) < share * 0.002744
        assert abs(abs(where) - 83.8) < distance
        where, value = peak(x, row, side * 60.0, -1.0)
        print(dx, "minimum", value, where)
        assert abs(value + 0.001450) < share * 0.001450
        assert abs(abs(where) - 60.0) < distance


def test_gravity_wave_matches_the_linear_compressible_solution():
    check(1000.0, 250.0, 12.0, share=0.04, distance=1.5)


@pytest.mark.slow
def test_gravity_wave_on_a_finer_grid_is_closer():
    check(500.0, 250.0, 6.0, share=0.01, distance=0.4)
