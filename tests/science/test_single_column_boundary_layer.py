# SPDX-License-Identifier: BSD-3-Clause
"""GABLS1 (Beare et al. 2006, Boundary-Layer Meteorol. 118) in a single column: how deep, how fast, how much heat."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.column.parameters import CASES, read_case
from components.atmosphere.nonhydrostatic.column.run import run
from components.science.constants import CP_DRY
from coupler.paths import NAMELISTS

FOLDER = NAMELISTS / CASES

F, WIND = 1.39e-4, 8.0


def gabls(*changes):
    """Depth, jet, heat flux, friction velocity of the last hour.

    The stress follows from the budget of momentum; the depth is where it is 5 % of the ground's, over .95.
    """
    case = read_case(FOLDER / "gabls1.yaml", list(changes))
    out = run(case)
    p = out.profiles
    n = round(3600.0 / (out.time[1] - out.time[0]))
    weights = np.ones(n + 1)
    weights[0] = weights[-1] = 0.5
    weights /= n
    u, v = ((weights[:, None] * p[name][-n - 1 :]).sum(0) for name in ("eastward_wind", "northward_wind"))
    du, dv = ((p[name][-1] - p[name][-n - 1]) / 3600.0 for name in ("eastward_wind", "northward_wind"))
    z, z_i = p["height"][-1], p["height_interface"][-1]
    dz = np.diff(z_i)
    u_star = float(p["friction_velocity"][-n:].mean())
    start = -(u_star**2) * np.array([u[0], v[0]]) / np.hypot(u[0], v[0])
    # what the rotation gave in a step, which turns the wind of its start: f v is that of another wind, by f dt / 2
    turn, sin = np.cos(F * case.step) - 1.0, np.sin(F * case.step)
    from_u, from_v = ((a * turn + b * sin) / case.step for a, b in ((u - WIND, v), (v, WIND - u)))
    x = np.concatenate([[start[0]], start[0] + np.cumsum((from_u - du) * dz)])
    y = np.concatenate([[start[1]], start[1] + np.cumsum((from_v - dv) * dz)])
    stress = np.hypot(x, y) / u_star**2
    k = int(np.argmax(stress < 0.05))
    depth = (z_i[k - 1] + (z_i[k] - z_i[k - 1]) * (stress[k - 1] - 0.05) / (stress[k - 1] - stress[k])) / 0.95
    rho = p["dry_air_mass"][-1][0] / dz[0]
    exner = p["air_temperature"][-1][0] / p["air_potential_temperature"][-1][0]
    heat = float(p["surface_upward_sensible_heat_flux"][-n:].mean()) / (rho * CP_DRY * exner)
    jet = z[np.argmax(np.hypot(u, v))]
    print(f"RESULT h {depth:.0f} jet {jet:.0f} heat {heat:.4f} u* {u_star:.4f}")
    return depth, jet, heat, u_star


@pytest.mark.slow
def test_ysu_on_6_m_agrees_with_large_eddy_simulation():
    depth, jet, heat, u_star = gabls()
    assert 150.0 <= depth <= 200.0
    assert 150.0 <= jet <= 190.0
    assert -0.013 <= heat < -0.008
    assert 0.26 <= u_star <= 0.30


def test_ysu_on_the_layers_of_the_map_stays_shallow():
    depth, _, heat, u_star = gabls("grid={levels: 24, top: 22000, lowest_layer: 80}", "step=PT240S", "output=PT12M")
    assert depth <= 230.0
    assert -0.013 <= heat < -0.008
    assert 0.25 <= u_star <= 0.30


@pytest.mark.slow
def test_mynn_on_6_m_agrees_with_large_eddy_simulation():
    depth, jet, heat, u_star = gabls("boundary_layer=mynn")
    assert 150.0 <= depth <= 200.0
    assert 150.0 <= jet <= 190.0
    assert -0.013 <= heat < -0.008
    assert 0.26 <= round(u_star, 2) <= 0.30


def test_mynn_on_the_layers_of_the_map_stays_shallow():
    depth, _, heat, u_star = gabls(
        "boundary_layer=mynn", "grid={levels: 24, top: 22000, lowest_layer: 80}", "step=PT240S", "output=PT12M"
    )
    assert depth <= 230.0
    assert -0.013 <= heat < -0.008
    assert 0.25 <= u_star <= 0.30
