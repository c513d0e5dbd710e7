# SPDX-License-Identifier: BSD-3-Clause
"""Linear mountain waves over a bell-shaped ridge and over the ridges of Schaer et al. (2002, Mon. Wea. Rev. 130, 2459).

U = 10 m/s, N = 0.01 s-1. Drag: rho0 x 779 m3/s2 for the bell (h 100 m, a 10 km), rho0 x 15.02 m3/s2 for Schaer's ridges
(h 25 m, a 5 km, lambda 4 km). Lid at 26 km with a sponge of 12 km (bell), 22 km and 10 km (Schaer); periodic in x with
relaxation to the undisturbed flow in the outer eighths.
"""

import math
from dataclasses import dataclass

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, geometry, levels, tendencies, timestep
from components.atmosphere.nonhydrostatic.dynamics.state import Tendencies
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.constants import GRAVITY

U, N = 10.0, 0.01


@dataclass
class Ridge:
    """A case: half width (m), spacing, domain and lid, time step (s)."""

    a: float
    dx: float
    dz: float
    width: float
    top: float
    sponge: float
    dt: float
    schaer: bool

    def height(self, x):
        if self.schaer:
            return 25.0 * torch.exp(-((x / self.a) ** 2)) * torch.cos(math.pi * x / 4e3) ** 2
        return 100.0 / (1.0 + (x / self.a) ** 2)


def run(ridge: Ridge, until: float) -> tuple[float, float]:
    """Surface drag / rho0 (m3 s-2) and the correlation of w at 4 km with the linear solution at time ``until`` (s)."""
    torch.set_num_threads(1)
    nx, nz = round(ridge.width / ridge.dx), round(ridge.top / ridge.dz)
    x = initial_state.centres_x(nx, ridge.dx)
    inner = x[4:-4]
    h = ridge.height(inner)
    h = h - h[0]
    zeta = torch.linspace(0, ridge.top, nz + 1, dtype=torch.float64)
    base = base_state.ConstantStability(288.0, N)
    interfaces = levels.hybrid_heights(zeta, h[None], power=1, passes=0)
    g = geometry.build_geometry(interfaces, ridge.dx, ridge.dx, base, periodic_x=True, periodic_y=True)
    options = timestep.Options(acoustic_steps=6, damping_depth=ridge.sponge, damping_rate=0.1)
    core = timestep.Dynamics(g, options)
    state = initial_state.resting_state(g, 288.0 * torch.exp(N * N / GRAVITY * g.z), g.p_base[0])
    state = initial_state.with_wind(g, state.rho, state.rtheta, U, 0.0)
    core.halo(list(state), geometry.HALO)
    first = state
    rate = 0.01 * torch.clamp((inner.abs() - 0.375 * ridge.width) / (0.125 * ridge.width), min=0.0) ** 2
    rate_u = torch.cat([rate[:1], 0.5 * (rate[1:] + rate[:-1]), rate[-1:]])
    i = slice(4, -4)

    def relax(s):
        return Tendencies(
            *(
                (b[:, i, i] - a[:, i, i]) * (rate_u if n == 0 else rate)
                for n, (a, b) in enumerate(zip(s, first, strict=True))
            )
        )

    for _ in range(round(until / ridge.dt)):
        state, _ = core.step(state, ridge.dt, forcing=relax(state))
    d = tendencies.diagnose(g, state)
    p = d.p[:, 1, 1:-1]
    dz = g.dz[:, 4, i]
    ground = p[0] - (p[1] - p[0]) * dz[0] / (dz[0] + dz[1])
    rho_0 = float(base(torch.zeros(1, dtype=torch.float64))[1])
    drag = float((ground * (torch.roll(h, -1) - torch.roll(h, 1))).sum()) / 2.0 / rho_0

    k = 2.0 * math.pi * torch.fft.fftfreq(nx, ridge.dx, dtype=torch.float64)
    m2 = N * N / (U * U) - k * k
    real = torch.sign(k) * torch.sqrt(m2.clamp(min=0.0))
    m = torch.complex(real, torch.sqrt((-m2).clamp(min=0.0)))
    linear = torch.fft.ifft(1j * k * U * torch.fft.fft(h) * torch.exp(1j * m * 4000.0)).real
    w = d.w[round(4000.0 / ridge.dz) + 1, 3, 3:-3]
    here = inner.abs() < 0.375 * ridge.width
    correlation = float(torch.corrcoef(torch.stack([w[here], linear[here]]))[0, 1])
    print(ridge, f"drag {drag:.3f} correlation {correlation:.4f}")
    return drag, correlation


@pytest.mark.parametrize(
    ("width", "dt", "until"), [(240e3, 60.0, 20e3), pytest.param(400e3, 40.0, 30e3, marks=pytest.mark.slow)]
)
def test_bell_shaped_ridge_on_a_coarse_grid(width, dt, until):
    """a / dx = 2.5 and U t / a = 20 or 30: the drag is set up to within a tenth."""
    ridge = Ridge(10e3, 4000.0, 500.0, width, 26e3, 12e3, dt, schaer=False)
    drag, correlation = run(ridge, until)
    assert abs(drag - 779.0) < 0.08 * 779.0
    assert correlation > 0.97


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_bell_shaped_ridge():
    drag, correlation = run(Ridge(10e3, 2000.0, 250.0, 400e3, 26e3, 12e3, 20.0, schaer=False), 60e3)
    assert abs(drag - 779.0) < 0.05 * 779.0
    assert correlation > 0.98


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_schaer_ridges():
    drag, correlation = run(Ridge(5e3, 500.0, 250.0, 200e3, 22e3, 10e3, 8.0, schaer=True), 30e3)
    assert abs(drag - 15.02) < 0.05 * 15.02
    assert correlation > 0.98
