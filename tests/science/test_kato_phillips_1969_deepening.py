# SPDX-License-Identifier: BSD-3-Clause
"""Mixed layers made by wind and by cooling against their classical laws, at any step."""

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
    p = Parameters(**{
        "dt": dt, "substeps": 4, "equation_of_state": "linear", "alpha": ALPHA, "beta": 0.0, "mixing": "tke",
        "reference_temperature": 10.0, "background_viscosity": 1e-6, "background_diffusivity": 1e-7,
        "momentum_advection": False, **options,
    })  # fmt: skip
    temperature = (15.0 - gradient * z)[:, None, None] + np.zeros((levels, 4, 4))
    sea = set_up(
        cartesian(4, 4, 1e4, 1e4), np.full((4, 4), depth), dz, p, temperature, periodic_x=True, periodic_y=True
    )
    return sea, z


def wind_deepened(dt, levels=50, **options):
    """Depth (m) of the strongest gradient after 30 h of u* = 0.01 m/s over N = 0.01 s-1, and the temperatures."""
    sea, z = column(1e-4, 50.0, levels, dt, **options)
    sea.forcing = replace(sea.forcing, stress_x=torch.full_like(sea.geometry.depth_t, sea.ocean.p.rho0 * 1e-4))
    start = sea.own(sea.state.tracers[0])[:, 1, 1]
    sea.run(int(30 * 3600 / dt))
    t = sea.own(sea.state.tracers[0])[:, 1, 1]
    assert t.sum() == pytest.approx(start.sum(), rel=1e-12)
    k = int(np.argmax(t[:-1] - t[1:]))
    return 0.5 * (z[k] + z[k + 1])


EXPECTED = 1.05 * 0.01 * np.sqrt(30 * 3600 / 0.01)  # Kato and Phillips (1969) after Price (1979): 34.5 m


@pytest.mark.parametrize("minutes", [20, 60])
def test_wind_deepens_the_layer_as_measured_whatever_the_step(minutes):
    """Depth 1.05 u* sqrt(t / N) within 3 % on levels of 1 m: 35 m with steps of 20 minutes, 34 m with an hour."""
    assert wind_deepened(60.0 * minutes) == pytest.approx(EXPECTED, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [5, 20, 60])
@pytest.mark.parametrize("options", [{}, {"breaking": 0.0}, {"breaking": 0.0, "langmuir": 0.0}])
def test_waves_and_steps_leave_that_depth(minutes, options):
    """34 or 35 m with and without breaking waves and Langmuir cells, at 5, 20 and 60 minutes."""
    assert wind_deepened(60.0 * minutes, mixing={"scheme": "tke", **options}) == pytest.approx(EXPECTED, rel=0.03)


def test_the_profile_scheme_deepens_it_too():
    """KPP: 33 m with steps of 20 minutes (39 m with 5: it chatters between levels), within 15 %."""
    assert wind_deepened(1200.0, mixing="kpp") == pytest.approx(EXPECTED, rel=0.15)


def convection(dt, levels=50, hours=72, **options):
    """Free convection under 100 W/m2 and N^2 = 2e-5 s-2: entrainment over the last 12 h, depth (m), scatter above (K).

    Entrainment is the largest downward flux of heat over the surface's, the depth that of the strongest gradient.
    """
    sea, z = column(2e-5, 100.0, levels, dt, **options)
    p = sea.ocean.p
    sea.forcing = replace(sea.forcing, heat=torch.full_like(sea.geometry.depth_t, -100.0))
    sea.run(int((hours - 12) * 3600 / dt))
    before = sea.own(sea.state.tracers[0])[:, 1, 1].copy()
    sea.run(int(12 * 3600 / dt))
    t = sea.own(sea.state.tracers[0])[:, 1, 1]
    flux = 100.0 + np.cumsum((t - before) * p.rho0 * p.heat_capacity * 100.0 / levels) / 43200.0
    k = int(np.argmax(t[:-1] - t[1:]))
    return -flux.min() / 100.0, 0.5 * (z[k] + z[k + 1]), np.ptp(t[z < 25.0])


def encroachment(hours):
    """sqrt(2 B t) / N, the depth without entrainment, m."""
    buoyancy = GRAVITY * ALPHA * 100.0 / (Parameters(1.0, 2).rho0 * Parameters(1.0, 2).heat_capacity)
    return np.sqrt(2 * buoyancy * hours * 3600.0 / 2e-5)


def test_cooling_entrains():
    """One day, steps of 20 minutes: deeper than encroachment (20.3 m), entrainment .1 to .25."""
    entrained, depth, _ = convection(1200.0, hours=24)
    assert 0.1 < entrained < 0.25
    assert 1.05 < depth / encroachment(24) < 1.3


@pytest.mark.slow
def test_cooling_deepens_the_layer_with_the_entrainment_of_large_eddies():
    """Three days, steps of 10 minutes: with A = 0.2 the layer is sqrt(1 + 2 A) sqrt(2 B t) / N = 41.7 m deep.

    Found: 42 m on levels of 2 m, A = 0.165 (an hour's steps: 42 m, 0.150).
    """
    entrained, depth, scatter = convection(600.0, convective_diffusivity=0.1)
    print(f"entrainment {entrained:.3f}, depth {depth:.1f} m, scatter {scatter:.3f} K")
    assert 0.15 < entrained < 0.25
    assert depth == pytest.approx(np.sqrt(1.4) * encroachment(72), rel=0.05)
    assert scatter < 0.1
