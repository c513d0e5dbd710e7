# SPDX-License-Identifier: BSD-3-Clause
"""A closed, stratified, wind-driven basin with rain, evaporation, a river and heat: what must be conserved is.

Three days; thirty are slow.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ocean.primitive.diagnostics import cell_volume, inventories
from components.ocean.primitive.horizontal_grid import longitude_latitude
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.stencil import inner

DT = 3600.0
LONG = pytest.mark.slow


def rough_basin(rain=True, **options):
    """A basin of 20 x 16 x 8 cells over a rough floor with partial cells; passive tracers: a constant and a step."""
    rng = np.random.default_rng(7)
    ny, nx = 16, 20
    dz = np.array([20.0, 30, 50, 100, 200, 400, 600, 800])
    depth = np.zeros((ny, nx))
    depth[1:-1, 1:-1] = rng.uniform(300, 2200, (ny - 2, nx - 2))
    depth[6:9, 8:10] = 0.0
    grid = longitude_latitude(120 + 0.5 * np.arange(nx + 1), 30 + 0.5 * np.arange(ny + 1))
    z = (np.cumsum(dz) - 0.5 * dz)[:, None, None]
    temperature = 2 + 20 * np.exp(-z / 400) + 0.5 * rng.standard_normal((1, ny, nx))
    salinity = 34.5 + 0.5 * np.exp(-z / 300) + np.zeros((1, ny, nx))
    step = (np.arange(nx) < nx // 2) * np.ones((len(dz), ny, 1))
    p = Parameters(
        dt=DT, substeps=40, harmonic_viscosity=2000.0, lateral_diffusivity=200.0, mixing="tke",
        convective_diffusivity=1.0,
        drag_quadratic=2e-3, fresh_concentration=(1.0, 0.0), **options,
    )  # fmt: skip
    sea = set_up(grid, depth, dz, p, temperature, salinity, (1.0, step))
    g = sea.geometry
    water = 2e-4 * torch.sin(g.x) * g.wet_t
    water[10, 5] += 0.01  # a river
    sea.forcing = replace(
        sea.forcing, stress_x=0.1 * torch.cos(g.y / 2) * g.wet_t, stress_y=0.05 * torch.sin(g.x) * g.wet_t,
        heat=100 * torch.sin(g.y) * g.wet_t, shortwave=150.0 * g.wet_t, water=water * float(rain),
    )  # fmt: skip
    return sea


@pytest.mark.parametrize("days", [3, pytest.param(30, marks=LONG)])
def test_volume_heat_salt_and_tracers_close(days):
    """Volume, heat and salt to 1e-12 relative of what is there and what came in; a constant stays constant."""
    sea = rough_basin()
    g, p = sea.geometry, sea.ocean.p
    volume0, content0 = inventories(sea.state, g)
    area = inner(g.area_t * g.wet_t)
    water = float((inner(sea.forcing.water) / p.rho0 * area).sum()) * DT
    heat = (
        float(((inner(sea.forcing.heat) + inner(sea.forcing.shortwave)) * area).sum()) * DT / (p.rho0 * p.heat_capacity)
    )
    steps = int(days * 86400 / DT)
    sea.run(steps)
    volume, content = inventories(sea.state, g)
    # rain and rivers bring the temperature of the surface, booked by the model
    carried = float((sea.state.water_heat * area).sum()) / (p.rho0 * p.heat_capacity)
    assert abs(volume - volume0 - steps * water) / volume0 < 1e-12
    assert abs(content[0] - content0[0] - steps * heat - carried) / content0[0] < 1e-12
    assert abs(content[1] - content0[1]) / content0[1] < 1e-12
    wet = inner(g.mask_t) > 0
    constant, step = sea.state.tracers[2], sea.state.tracers[3]
    assert float((inner(constant)[wet] - 1.0).abs().max()) < 1e-12
    assert float(inner(step)[wet].min()) >= -1e-12
    assert float(sea.state.u.abs().max()) > 0.05  # it did move
    assert abs(water) * steps / volume0 > 1e-6


@pytest.mark.parametrize("days", [2, pytest.param(10, marks=LONG)])
def test_extremes_are_kept_without_sources(days):
    """No rain, no heat: temperature and salinity stay between their first extremes, in every level of a rough basin."""
    sea = rough_basin(rain=False)
    zero = torch.zeros_like(sea.forcing.heat)
    sea.forcing = replace(sea.forcing, heat=zero, shortwave=zero)
    wet = inner(sea.geometry.mask_t) > 0
    first = [inner(q)[wet] for q in sea.state.tracers]
    for _ in range(2 * days):
        sea.run(12)
        for q, q0 in zip(sea.state.tracers, first, strict=True):
            scale = float(q0.abs().max())
            assert float(inner(q)[wet].max()) <= float(q0.max()) + 1e-12 * scale
            assert float(inner(q)[wet].min()) >= float(q0.min()) - 1e-12 * scale


@pytest.mark.parametrize("days", [2, pytest.param(5, marks=LONG)])
def test_freezing_books_its_heat(days):
    """Strong cooling: no water below freezing.

    And the heat lost equals the heat taken out less the heat booked as frozen.
    """
    sea = rough_basin(rain=False, freezing_limiter=True)
    g, p = sea.geometry, sea.ocean.p
    tracers = sea.state.tracers.clone()
    tracers[0] = 0.05 * tracers[0] - 1.85
    sea.state = replace(sea.state, tracers=tracers)
    cold = torch.full_like(sea.forcing.heat, -3000.0)
    sea.forcing = replace(sea.forcing, heat=cold, shortwave=torch.zeros_like(cold))
    _, content0 = inventories(sea.state, g)
    sea.run(24 * days)
    _, content = inventories(sea.state, g)
    area = inner(g.area_t * g.wet_t)
    taken = float((area * 3000.0).sum()) * 24 * days * DT
    booked = float((sea.state.frozen_heat * area).sum())
    lost = (content0[0] - content[0]) * p.rho0 * p.heat_capacity
    assert booked > 0.005 * taken
    assert lost == pytest.approx(taken - booked, rel=1e-10)
    wet = inner(g.mask_t) > 0
    assert float(inner(sea.state.tracers[0])[wet].min()) > -2.0
    assert float(cell_volume(sea.state.eta, g).min()) >= 0.0
