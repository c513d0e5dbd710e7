# SPDX-License-Identifier: BSD-3-Clause
"""The gradient of a forecast to its initial state, by automatic differentiation (Taylor test)."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.dynamics import timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.model import Forcing
from components.science.halo import Edges
from tests.mpi.atmosphere_ranks import context, surface
from tests.science.test_atmosphere_conservation import closed_case


def forecast(core, state, tracers, steps=6, dt=60.0):
    """A scalar of the state after six steps: kinetic, thermal and tracer contributions of similar size."""
    fields = [a.clone() for a in state]
    core.halo(fields, H)
    state = type(state)(*fields)
    tracers = tracers.clone()
    core.halo([tracers], H)
    for _ in range(steps):
        new, flux = core.step(state, dt)
        tracers = core.transport(tracers, new, flux, dt)
        state = new
    i = slice(H, -H)
    return (
        (state.ru[:, i, i] ** 2).mean() * 1e-8
        + (state.rtheta[:, i, i] ** 2).mean() * 1e-6
        + (state.rw[:, i, i] ** 2).mean() * 1e-2
        + (tracers[:, :, i, i] ** 2).mean()
    )


def test_taylor_ratio_of_a_six_step_forecast_is_one():
    edges = Edges()
    g, state, tracers = closed_case(edges, ny=10, nx=12, nz=8)
    core = timestep.Dynamics(g, timestep.Options(limiter="none"), edges)
    for a in (*state, tracers):
        a.requires_grad_(True)
    value = forecast(core, state, tracers)
    value.backward()
    generator = torch.Generator().manual_seed(3)
    directions = [
        torch.randn(a.shape, generator=generator, dtype=a.dtype) * a.detach().abs().mean() for a in (*state, tracers)
    ]
    slope = sum(float((a.grad * d).sum()) for a, d in zip((*state, tracers), directions, strict=True))
    errors = []
    with torch.no_grad():
        for size in (1e-4, 1e-6, 1e-8):  # small: upwind fluxes have kinks
            moved = [
                [a + sign * size * d for a, d in zip((*state, tracers), directions, strict=True)] for sign in (1, -1)
            ]
            up, down = (float(forecast(core, type(state)(*m[:5]), m[5])) for m in moved)
            errors.append(abs((up - down) / (2 * size * slope) - 1.0))
    print("Taylor ratio minus one", errors)
    assert min(errors) < 1e-6
    assert abs(slope) > 1e-8


def exports_after(air, now, forcing, moved):
    """A scalar of the new state and of the exports, from a state, the heat of the ground and a tracer's flux."""
    s, q, heat, source = moved
    surface = forcing.surface
    given = surface._replace(fluxes=surface.fluxes._replace(sensible_heat=heat), sources={"dust": source})
    state, out = air.model.advance(now._replace(s=s, q=q), forcing._replace(surface=given), 600.0)
    i = slice(H, -H)
    return (
        (state.s.rtheta[:, i, i] ** 2).mean() * 1e-6
        + (state.s.rw[:, i, i] ** 2).mean() * 1e-2
        + (state.q[air.species.number("vapour"), :, i, i] ** 2).mean() * 1e4
        + (state.q[air.species.number("dust"), :, i, i] ** 2).mean()
        + (out["air_temperature"] - 280.0).mean() * 1e-2
        + (out["eastward_wind"] ** 2).mean() * 1e-2
        + out["surface_downwelling_longwave_flux_in_air"].mean() * 1e-2
    )


@pytest.mark.parametrize("microphysics", ["kessler", "mixed_phase"])
def test_taylor_ratio_of_advance_with_physics_is_one(microphysics):
    """Through dynamics, transport, turbulence, convection, gray radiation, clouds, sides, held mass and exports."""
    options = {"radiation": "gray", "microphysics": microphysics, "limiter": "none"}
    tracers = [{"name": "dust", "start": 1.0, "surface_flux": 1e-4}]
    air = NonhydrostaticAtmosphere(
        NonhydrostaticAtmosphere.Options(
            precision="double", levels=10, tracers=tracers, nudging_wavelength=1e6, **options
        )
    )
    c = context(nx=14, ny=12)
    exports = air.initialize(c)
    for n in range(3):  # clouds and rain form
        exports = air.step(600 * n, 600, surface(c, exports))
    seen = air.forcing(1800, 600, surface(c, exports)).surface
    forcing = Forcing(1800.0, air.driver, seen, 151.5, nudge_to=air.driver)
    now = air.now
    leaves = [*now.s, now.q, seen.fluxes.sensible_heat, seen.sources["dust"]]
    leaves = [a.clone().requires_grad_(True) for a in leaves]
    packed = lambda a: (type(now.s)(*a[:5]), *a[5:])  # noqa: E731
    exports_after(air, now, forcing, packed([a * 1.0 for a in leaves])).backward()
    assert all(a.grad is not None and float(a.grad.abs().max()) > 0.0 for a in leaves)
    generator = torch.Generator().manual_seed(5)
    random = lambda a: torch.randn(a.shape, generator=generator, dtype=a.dtype)  # noqa: E731
    directions = [1e-3 * random(a) * a.detach() for a in leaves]  # what is zero stays: it could not become negative
    slope = sum(float((a.grad * d).sum()) for a, d in zip(leaves, directions, strict=True))
    errors = []
    with torch.no_grad():
        for size in (1e-2, 1e-3, 1e-4, 1e-5):
            ends = [
                float(
                    exports_after(
                        air, now, forcing, packed([a + f * d for a, d in zip(leaves, directions, strict=True)])
                    )
                )
                for f in (size, -size)
            ]
            errors.append(abs((ends[0] - ends[1]) / (2 * size * slope) - 1.0))
    print("Taylor ratio minus one", errors, "slope", slope)
    assert min(errors) < 1e-6
