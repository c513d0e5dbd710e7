# SPDX-License-Identifier: BSD-3-Clause
"""The barotropic gyre of the MITgcm tutorial: ten steps of 1200 s from rest.

Expected values: linear shallow water with an explicit surface, converged in time (steps of 60 to 10 s) by an
independent solver.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters


def gyre(barotropic_filter):
    depth = np.zeros((62, 62))
    depth[1:-1, 1:-1] = 5000.0
    grid = cartesian(62, 62, 20e3, 20e3, f0=1e-4, beta=1e-11, y_of_f0=20e3)
    parameters = Parameters(
        dt=1200.0, substeps=40, barotropic_filter=barotropic_filter, momentum_advection=False, rho0=1000.0,
        equation_of_state="linear",
        harmonic_viscosity=400.0, reference_temperature=0.0, reference_salinity=0.0,
    )  # fmt: skip
    basin = set_up(grid, depth, [5000.0], parameters, 0.0, 0.0, no_slip=True)
    g = basin.geometry
    basin.forcing = replace(basin.forcing, stress_x=-0.1 * torch.cos(torch.pi * (g.y - 20e3) / 1200e3) * g.wet_t)
    basin.run(10)
    u, v = basin.state.U / 5000.0, basin.state.V / 5000.0
    energy = 0.25 * (u[2:-2, 2:-2] ** 2 + u[2:-2, 1:-3] ** 2 + v[2:-2, 2:-2] ** 2 + v[1:-3, 2:-2] ** 2)
    eta = basin.state.eta
    return {
        "eta_max": float(eta.max()), "eta_min": float(eta.min()), "u_max": float(u.max()), "v_max": float(v.max()),
        "kinetic_energy": float(energy[1:-1, 1:-1].mean()),
    }  # fmt: skip


EXPECTED = {
    "eta_max": 1.0059e-3,
    "eta_min": -1.5068e-3,
    "u_max": 1.3762e-4,
    "v_max": 2.1875e-4,
    "kinetic_energy": 5.9281e-9,
}


@pytest.mark.parametrize("barotropic_filter", ["power_law", "none"])
def test_reaches_the_converged_solution(barotropic_filter):
    """Within 2 % at the tutorial's own step, with the barotropic mode filtered over it and without."""
    assert gyre(barotropic_filter) == pytest.approx(EXPECTED, rel=0.02)
