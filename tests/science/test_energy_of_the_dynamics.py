# SPDX-License-Identifier: BSD-3-Clause
"""Energy of the dynamics alone: a jet over East Asia's relief within walls, dry and moist, no physics.

Nothing crosses a border, so that what is left over is the dynamics' own. The core conserves mass and m theta_m, not
energy; kinetic energy that the upwind fluxes lose does not become heat. Its own energy is that of air with the
vapour's pressure and the water's weight: m (c_v T (1 + R_v / R_d q_v) + (1 + q) (g z + k)). The house counts dry air
and latent heat (`physics/energy.py`): what is left over of that in moist air is the water's, not the core's.
"""

import numpy as np
import pytest
import torch
from pyproj import CRS, Transformer

from components.atmosphere.nonhydrostatic.dynamics import geometry, timestep
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.atmosphere.nonhydrostatic.ideal.jet import balanced_jet
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.science.constants import CV_DRY, GRAVITY, P_REFERENCE, VIRTUAL
from components.science.halo import Edges
from tests.science.test_atmosphere_rest_over_east_asia import east_asia

NX, NY, DX, DT, HOURS = 42, 30, 200e3, 600.0, 4


def jet(shared, moist):
    """Geometry, state and vapour; the wind falls off towards the walls."""
    g = east_asia(shared, DX, NX, NY)
    crs = CRS.from_proj4("+proj=lcc +lat_1=25 +lat_2=45 +lat_0=33 +lon_0=112 +R=6371229")
    sphere = Transformer.from_crs(crs, CRS.from_proj4("+proj=longlat +R=6371229"), always_xy=True)
    n, m = g.z.shape[1:]
    x, y = np.meshgrid((np.arange(m) + 0.5 - m / 2) * DX, (np.arange(n) + 0.5 - n / 2) * DX)
    start = balanced_jet(sphere.transform(x, y)[1][None], g.z.numpy())
    q = torch.tensor(start.q) * moist
    theta = torch.tensor(start.t * (P_REFERENCE / start.p) ** (2 / 7)) / (1.0 + VIRTUAL * q) * (1.0 + VAPOUR_FACTOR * q)
    state = initial_state.resting_state(g, theta, torch.tensor(start.p[0]), q if moist else None)
    wind = 0.5 * torch.tensor(start.u[..., 1:] + start.u[..., :-1])
    wind = torch.nn.functional.pad(wind, ((state.ru.shape[-1] - wind.shape[-1]) // 2,) * 2)
    edge_x, edge_y = (state.ru.shape[-1] - NX - 1) // 2 + 6, (state.ru.shape[-2] - NY) // 2 + 4
    window = torch.zeros(state.ru.shape[-2:], dtype=torch.float64)
    inside = window[edge_y:-edge_y, edge_x:-edge_x]
    inside[:] = torch.sin(torch.linspace(0.0, torch.pi, inside.shape[-1], dtype=torch.float64)) ** 2
    return g, initial_state.with_wind(g, state.rho, state.rtheta, wind * window, 0.0), q


def energies(g, s, q):
    """Of the core and of the house's dry air, and kinetic, J m-2 in the mean."""
    c, vapour = columns(g, s, q), q[:, INNER, INNER]
    u, v = centre_wind(g, s)
    kinetic = 0.5 * (u * u + v * v)
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    area = 1.0 / g.inverse_area[INNER, INNER]
    mean = lambda a: float((area * (mass * a).sum(0)).sum() / area.sum())  # noqa: E731
    core = CV_DRY * c.t * (1.0 + VAPOUR_FACTOR * vapour) + (1.0 + vapour) * (GRAVITY * c.z + kinetic)
    return mean(core), mean(CV_DRY * c.t + GRAVITY * c.z + kinetic), mean(kinetic)


@pytest.mark.parametrize("moist", [0.0, 1.0], ids=["dry", "moist"])
def test_the_core_neither_makes_nor_loses_a_watt(shared, moist):
    """Within .6 W m-2, while some 5 W m-2 become wind; of the dry energy in moist air more is left over."""
    g, s, q = jet(shared, moist)
    core = timestep.Dynamics(g, timestep.Options(damping_depth=6000.0), Edges("wall", "wall", "wall", "wall"))
    core.halo([*s, q], geometry.HALO)
    first = np.array(energies(g, s, q))
    for _ in range(round(HOURS * 3600 / DT)):
        new, flux = core.step(s, DT, q if moist else None)
        q = core.transport(q[None], new, flux, DT)[0]
        s = new
    own, dry, kinetic = (np.array(energies(g, s, q)) - first) / (HOURS * 3600)
    print(f"left over of the core's energy {own:.3f}, of dry air's {dry:.3f}; into wind {kinetic:.2f} W m-2")
    assert abs(own) < 0.6
    assert kinetic > 3.0
    assert (dry > 1.0) if moist else dry == pytest.approx(own, abs=1e-9)
