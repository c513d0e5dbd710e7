# SPDX-License-Identifier: BSD-3-Clause
"""Mixed layers made by wind and by cooling, with the TKE scheme, against their classical laws."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters
from components.science.constants import GRAVITY

ALPHA = 2e-4


def column(n2, depth, levels, dt, **options):
    """A horizontally uniform, linearly stratified sea without rotation."""
    dz = np.full(levels, depth / levels)
    z = np.cumsum(dz) - 0.5 * dz
    gradient = n2 / (GRAVITY * ALPHA)
    p = Parameters(
        dt=dt, substeps=4, equation_of_state="linear", alpha=ALPHA, beta=0.0, mixing="tke", reference_temperature=10.0,
        background_viscosity=1e-6, background_diffusivity=1e-7, momentum_advection=False, **options,
    )  # fmt: skip
    temperature = (15.0 - gradient * z)[:, None, None] + np.zeros((levels, 4, 4))
    sea = set_up(
        cartesian(4, 4, 1e4, 1e4), np.full((4, 4), depth), dz, p, temperature, periodic_x=True, periodic_y=True
    )
    return sea, z


def test_wind_deepens_the_layer_as_measured():
    """Kato and Phillips (1969) after Price (1979): depth 1.05 u* sqrt(t / N) after 30 h within 15 %.

    U* = 0.01 m/s, N = 0.01 s-1.
    """
    sea, z = column(1e-4, 50.0, 50, 300.0)
    rho0 = sea.ocean.p.rho0
    sea.forcing = replace(sea.forcing, stress_x=torch.full_like(sea.geometry.depth_t, rho0 * 1e-4))
    start = sea.own(sea.state.tracers[0])[:, 1, 1]
    sea.run(360)
    t = sea.own(sea.state.tracers[0])[:, 1, 1]
    # the depth where the profile meets the undisturbed one: the strongest gradient
    k = int(np.argmax(t[:-1] - t[1:]))
    depth = 0.5 * (z[k] + z[k + 1])
    expected = 1.05 * 0.01 * np.sqrt(30 * 3600 / 0.01)
    print(f"mixed layer {depth:.1f} m, expected {expected:.1f} m")
    assert depth == pytest.approx(expected, rel=0.15)
    assert t.sum() == pytest.approx(start.sum(), rel=1e-12)


def test_cooling_deepens_the_layer_by_convection():
    """Free convection: the layer without penetration has the depth sqrt(2 B t) / N, within a cell of 2 m.

    100 W/m2 over three days, N^2 = 2e-5 s-2. The base is where the profile leaves the undisturbed one, and where the
    temperature of the layer meets it. (A threshold of 0.05 K below the surface lies 0.05 K over the gradient, 5 m,
    deeper than either.) With an entrainment ratio A the depth is sqrt(1 + 2 A) times that; large-eddy simulations have
    A near 0.2 and 41.7 m, this scheme none.
    """
    n2 = 2e-5
    sea, z = column(n2, 100.0, 50, 600.0, convective_diffusivity=0.1)
    p = sea.ocean.p
    start = sea.own(sea.state.tracers[0])[:, 1, 1].copy()
    sea.forcing = replace(sea.forcing, heat=torch.full_like(sea.geometry.depth_t, -100.0))
    sea.run(432)
    t = sea.own(sea.state.tracers[0])[:, 1, 1]
    buoyancy = GRAVITY * ALPHA * 100.0 / (p.rho0 * p.heat_capacity)
    expected = np.sqrt(2 * buoyancy * 259200.0 / n2)
    mixed = t[z < 0.7 * expected].mean()
    meets = (15.0 - mixed) / (n2 / (GRAVITY * ALPHA))
    base = z[(np.abs(t - start) > 2.5e-3) & (z < 80.0)][-1] + 1.0  # background diffusion changes the floor
    print(
        f"convective layer {base:.1f} m, its temperature meets the profile at {meets:.2f} m; expected {expected:.2f} m"
    )
    assert meets == pytest.approx(expected, rel=0.01)
    assert base == pytest.approx(expected, abs=2.0)
    assert np.ptp(t[z < 0.7 * base]) < 0.02
