"""The gradient of a forecast to its initial state, by automatic differentiation (Taylor test)."""

import torch

from components.atmosphere.nonhydrostatic.dynamics import timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.science.halo import Edges
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
        tracers = core.transport(tracers, state, new, flux, dt)
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
        for size in (1e-4, 1e-5, 1e-6):
            moved = [
                [a + sign * size * d for a, d in zip((*state, tracers), directions, strict=True)] for sign in (1, -1)
            ]
            up, down = (float(forecast(core, type(state)(*m[:5]), m[5])) for m in moved)
            errors.append(abs((up - down) / (2 * size * slope) - 1.0))
    print("Taylor ratio minus one", errors)
    assert min(errors) < 1e-6
    assert abs(slope) > 1e-8
