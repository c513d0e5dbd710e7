# SPDX-License-Identifier: BSD-3-Clause
"""Density current of Straka et al. (1993, Int. J. Numer. Meth. Fluids 17, 1-22).

A cold bubble (-15 K in temperature) sinks and spreads in an isentropic atmosphere with a viscosity of 75 m2/s. Their
25-m reference has a minimum of -9.77 K and the -1 K front at 15.54 km after 900 s. A symmetric domain: x from -25.6 to
25.6 km; the long runs compute its right half between walls, which mirror.
"""

import math

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, diffusion, geometry, timestep
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.halo import Edges


def run(dx: float, dt: float, until: float = 900.0, half: bool = True) -> dict[str, float]:
    """Run the case at spacing ``dx`` (m), on ``half`` the domain or all of it; its figures at ``until`` (s)."""
    torch.set_num_threads(1)
    nx, nz = round((25600 if half else 51200) / dx), round(6400 / dx)
    interfaces = torch.linspace(0, 6400, nz + 1, dtype=torch.float64)[:, None, None].expand(nz + 1, 1, nx)
    g = geometry.build_geometry(interfaces, dx, dx, base_state.Isentropic(300.0), periodic_x=not half, periodic_y=True)
    edges = Edges("wall", "wall", "periodic", "periodic") if half else Edges()
    core = timestep.Dynamics(g, timestep.Options(acoustic_steps=6), edges)
    state = initial_state.resting_state(g, torch.full_like(g.dz, 300.0), g.p_base[0])
    x = initial_state.centres_x(nx, dx) + (12800.0 if half else 0.0)
    distance = torch.sqrt((x / 4000.0) ** 2 + ((g.z - 3000.0) / 2000.0) ** 2)
    d_temperature = torch.where(distance < 1.0, -7.5 * (1.0 + torch.cos(math.pi * distance)), 0.0)
    p, _ = initial_state.pressure_and_theta(g, state)
    state = initial_state.warmed(g, state, d_temperature / (p / 1.0e5) ** (2.0 / 7.0))
    core.halo(list(state), geometry.HALO)
    for _ in range(round(until / dt)):
        d = tendencies_of(g, state)
        state, _ = core.step(state, dt, forcing=diffusion.diffuse(g, state, d, 75.0, 75.0))
    _, theta = initial_state.pressure_and_theta(g, state)
    theta = (theta - 300.0)[:, 4, 4:-4]
    d = tendencies_of(g, state)
    ground, x = theta[0], x[4:-4]
    j = int((ground < -1.0).nonzero().max())
    front = float(x[j] + dx * (-1.0 - ground[j]) / (ground[j + 1] - ground[j]))
    figures = {
        "theta_min": float(theta.min()),
        "front": front,
        "u_max": float(d.u.max()),
        "w_max": float(d.w.max()),
    }
    if not half:
        figures["asymmetry"] = float((theta - theta.flip(-1)).abs().max())
    print(dx, figures)
    return figures


def tendencies_of(g, state):
    from components.atmosphere.nonhydrostatic.dynamics.tendencies import diagnose

    return diagnose(g, state)


def test_density_current_at_200_m_has_its_front():
    """Coarse version: the front within 2 % of the reference; the cold core is under-resolved at 200 m."""
    got = run(200.0, 2.0)
    assert 15200.0 < got["front"] < 15850.0
    assert -12.5 < got["theta_min"] < -9.3


def test_density_current_keeps_its_symmetry():
    assert run(400.0, 4.0, half=False)["asymmetry"] < 1e-6


@pytest.mark.slow
def test_density_current_at_100_m_matches_the_published_minimum():
    got = run(100.0, 1.0)
    assert -10.1 < got["theta_min"] < -9.3
    assert 15200.0 < got["front"] < 15700.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_density_current_at_50_m_and_its_convergence():
    fine, middle, coarse = run(50.0, 0.5), run(100.0, 1.0), run(200.0, 2.0)
    assert -9.9 < fine["theta_min"] < -9.5
    assert 15200.0 < fine["front"] < 15600.0
    whole = run(200.0, 2.0, half=False)
    assert all(abs(coarse[name] - whole[name]) < 1e-6 for name in coarse), "half the domain is as good as all of it"
    assert abs(fine["theta_min"] - middle["theta_min"]) < 0.5 * abs(middle["theta_min"] - coarse["theta_min"])
