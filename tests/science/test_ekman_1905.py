# SPDX-License-Identifier: BSD-3-Clause
"""The Ekman spiral (Ekman 1905): constant viscosity 0.01 m2/s, f = 1e-4 s-1, stress 0.1 N/m2, rho 1025 kg/m3."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters


def test_depth_and_transport():
    """Depth pi sqrt(2 Av / f) = 44.43 m and transport tau / (rho f) = 0.9756 m2/s to the right of the wind.

    Within 1 %.
    """
    f, rho, viscosity = 1e-4, 1025.0, 0.01
    inertial = 2 * np.pi / f
    dt = inertial / 30
    parameters = Parameters(
        dt=dt, substeps=4, rho0=rho, equation_of_state="linear", background_viscosity=viscosity,
        momentum_advection=False,
        reference_temperature=10.0,
    )  # fmt: skip
    dz = np.full(50, 2.0)
    sea = set_up(
        cartesian(4, 4, 1e4, 1e4, f0=f), np.full((4, 4), 100.0), dz, parameters, periodic_x=True, periodic_y=True
    )
    # undamped inertial oscillations of the transport and damped ones of the shear: the mean over whole periods is
    # free of them
    sea.forcing = replace(sea.forcing, stress_x=torch.full_like(sea.geometry.depth_t, 0.1))
    sea.run(30 * 6)
    u, v, transport, n = 0.0, 0.0, 0.0, 30 * 10
    for _ in range(n):
        sea.run(1)
        u, v = u + sea.own(sea.state.u)[:, 1, 1] / n, v + sea.own(sea.state.v)[:, 1, 1] / n
        transport += float(sea.own(sea.state.V)[1, 1]) / n
    z = np.cumsum(dz) - 0.5 * dz
    turned = -np.unwrap(np.arctan2(v, u))[:22]  # to about the Ekman depth
    depth = np.pi / np.polyfit(z[:22], turned, 1)[0]
    print(f"Ekman depth {depth:.2f} m, transport {-transport:.4f} m2/s, surface angle {np.degrees(turned[0]):.1f}")
    assert depth == pytest.approx(44.43, rel=0.01)
    assert -transport == pytest.approx(0.9756, rel=0.01)
