# SPDX-License-Identifier: BSD-3-Clause
"""The lock exchange: a gravity current's speed is half that of the long interfacial wave (Benjamin 1968).

And mixing is stated.
"""

import numpy as np
import pytest
import torch

from components.ocean.primitive.diagnostics import cell_volume, reference_potential_energy
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.stencil import inner
from components.science.constants import GRAVITY

RHO0, DRHO, DEPTH = 1025.0, 5.0, 20.0


def test_front_speed_and_mixing():
    """H 20 m, drho 5 kg/m3: front 0.489 m/s within 10 %.

    The reference potential energy grows by less than 1e-4 of itself in 17 h.

    Domain and resolution of Ilicak et al. (2012): 64 km, 500 m by 1 m, 17 hours.
    """
    n, dx, alpha = 128, 500.0, 2e-4
    cold = 20.0 - DRHO / (RHO0 * alpha)
    x = (np.arange(n) + 0.5) * dx
    temperature = np.where(x < n * dx / 2, cold, 20.0) + np.zeros((20, 4, n))
    parameters = Parameters(
        dt=60.0, substeps=6, rho0=RHO0, equation_of_state="linear", alpha=alpha, beta=0.0, reference_temperature=20.0,
        harmonic_viscosity=10.0, background_viscosity=1e-4, background_diffusivity=0.0,
    )  # fmt: skip
    sea = set_up(
        cartesian(n, 4, dx, dx),
        np.full((4, n), DEPTH),
        np.full(20, 1.0),
        parameters,
        temperature,
        35.0,
        periodic_y=True,
    )
    g = sea.geometry

    def energy():
        wet = inner(g.mask_t) > 0
        rho = RHO0 * (1 - alpha * (inner(sea.state.tracers[0]) - 20.0))
        return reference_potential_energy(rho[wet], cell_volume(sea.state.eta, g)[wet], float(inner(g.area_t).sum()))

    def front():
        """Where the density of the bottom cell falls through its mean, measured from the gate."""
        t = sea.own(sea.state.tracers[0])[-1, 1]
        k = np.nonzero((t[:-1] < 0.5 * (cold + 20)) & (t[1:] >= 0.5 * (cold + 20)))[0][-1]
        return x[k] + dx * (0.5 * (cold + 20) - t[k]) / (t[k + 1] - t[k]) - n * dx / 2

    start, times, places = energy(), [], []
    for hour in range(1, 18):
        sea.run(60)
        times.append(hour * 3600.0)
        places.append(front())
    speed = np.polyfit(times[2:14], places[2:14], 1)[0]
    growth = energy() / start - 1.0
    exact = 0.5 * np.sqrt(GRAVITY * DRHO / RHO0 * DEPTH)
    t = inner(sea.state.tracers[0])
    print(
        f"front {speed:.3f} m/s, Benjamin {exact:.3f}; relative growth of the reference potential energy {growth:.2e}"
    )
    assert speed == pytest.approx(0.489, rel=0.10)
    assert 0.0 <= growth < 1e-4
    assert float(t.max()) <= 20.0 + 1e-9 and float(t.min()) >= cold - 1e-9
    assert bool(torch.isfinite(sea.state.u).all())
