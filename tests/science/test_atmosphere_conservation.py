# SPDX-License-Identifier: BSD-3-Clause
"""Mass and tracers in a closed domain with relief, rotation and map factors: to round-off, in double precision."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, geometry, levels, timestep
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.halo import Edges

H = geometry.HALO


def closed_case(
    edges: Edges, ny: int = 20, nx: int = 24, nz: int = 12
) -> tuple[geometry.Geometry, initial_state.State, torch.Tensor]:
    """A jet over a hill in a box, with a patchy, a sharp-edged and a constant tracer."""
    torch.set_num_threads(1)
    y, x = torch.meshgrid(torch.arange(ny).double(), torch.arange(nx).double(), indexing="ij")
    hill = 1500.0 * torch.exp(-((x - 10) ** 2 + (y - 9) ** 2) / 12.0)
    m = 1.0 + 0.03 * torch.cos(2 * torch.pi * y / ny)
    periodic = edges.west == "periodic"
    g = geometry.build_geometry(
        levels.hybrid_heights(levels.stretched_levels(nz, 18e3, 200.0), hill), 40e3, 40e3, base_state.LogPressure(),
        periodic_x=periodic, periodic_y=periodic, map_factor_x=m, map_factor_y=m, coriolis=1e-4 * (0.7 + 0.02 * y),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(7)
    theta = g.rtheta_base / g.rho_base + 0.5 * torch.rand(g.dz.shape, generator=generator, dtype=torch.float64)
    state = initial_state.resting_state(g, theta, g.p_base[0])
    state = initial_state.with_wind(g, state.rho, state.rtheta, 25.0, 8.0)
    for a, b, c in ((state.ru, 4, "x"), (state.rv, 4, "y")):
        if not periodic:
            (a[..., : b + 1], a[..., -b - 1 :]) if c == "x" else (a[..., : b + 1, :], a[..., -b - 1 :, :])
            if c == "x":
                a[..., : b + 1] = 0.0
                a[..., -b - 1 :] = 0.0
            else:
                a[..., : b + 1, :] = 0.0
                a[..., -b - 1 :, :] = 0.0
    patchy = torch.rand(g.dz.shape, generator=generator, dtype=torch.float64) * 1e-3
    sharp = torch.zeros_like(patchy)
    sharp[2:6, 10:16, 10:16] = 1e-2
    return g, state, torch.stack([patchy, sharp, torch.full_like(patchy, 3.7)])


def contents(g: geometry.Geometry, state: initial_state.State, tracers: torch.Tensor) -> torch.Tensor:
    """Mass of air and of each tracer, kg."""
    i = slice(H, -H)
    mass = (g.rho_base + state.rho)[:, i, i] / g.inverse_area[i, i]
    return torch.stack([mass.sum(), *(mass * tracers[..., i, i]).sum((1, 2, 3))])


@pytest.mark.parametrize("kind", ["periodic", "wall"])
@pytest.mark.parametrize("limiter", ["positive", "monotonic"])
def test_mass_and_tracers_are_conserved(kind, limiter):
    edges = Edges(kind, kind, kind, kind)
    g, state, tracers = closed_case(edges)
    core = timestep.Dynamics(g, timestep.Options(limiter=limiter), edges)
    core.halo([*state, tracers], H)
    before = contents(g, state, tracers)
    low, high = tracers[:2].amin((1, 2, 3)), tracers[:2].amax((1, 2, 3))
    for _ in range(20):
        new, flux = core.step(state, 120.0)
        tracers = core.transport(tracers, new, flux, 120.0)
        state = new
    after = contents(g, state, tracers)
    print(kind, limiter, ((after - before) / before).tolist())
    assert float(((after - before) / before).abs().max()) < 1e-12
    assert float((tracers[2] / 3.7 - 1.0).abs().max()) < 1e-12
    assert float(tracers.min()) >= -1e-18
    assert float(torch.stack([state.rw.abs().max(), state.ru.abs().max()]).min()) > 1.0, "the case must move"
    if limiter == "monotonic":
        assert bool((tracers[:2].amin((1, 2, 3)) >= low - 1e-15).all())
        assert bool((tracers[:2].amax((1, 2, 3)) <= high + 1e-15).all())
