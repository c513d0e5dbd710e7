# SPDX-License-Identifier: BSD-3-Clause
"""Radiation of tracers and baroclinic flow (Marchesiello and others 2001): an internal wave packet leaves."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.geometry import build_geometry, partial_cells
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import whole_domain
from components.ocean.primitive.open_boundary import Outside
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.state import state_at_rest
from components.ocean.primitive.surface import no_forcing
from components.ocean.primitive.timestep import Ocean
from components.science.constants import GRAVITY

DAY = 86400.0
NX, DX, DEPTH, LEVELS, N2, ALPHA = 44, 5e3, 500.0, 10, 6.4e-5, 2e-4
SPEED = np.sqrt(N2) * DEPTH / np.pi  # of the first mode


def baroclinic_energy_left(nudging):
    """Share of the packet's energy left when the halves, which start in the middle, have passed the edges and returned.

    Kinetic and available potential energy of the first vertical mode, per mass.
    """
    dz = np.full(LEVELS, DEPTH / LEVELS)
    z = -(np.cumsum(dz) - 0.5 * dz)
    g = build_geometry(
        cartesian(NX, 5, DX, DX), partial_cells(np.full((5, NX), DEPTH), dz), dz, periodic_y=True,
        open_edges=("west", "east"),
    )  # fmt: skip
    dt = 1200.0
    p = Parameters(
        dt=dt, substeps=26, equation_of_state="linear", alpha=ALPHA, beta=0.0, background_viscosity=0.0,
        background_diffusivity=0.0, edge_nudging=nudging,
    )  # fmt: skip
    halo = whole_domain(g, periodic_y=True)
    gradient = N2 / (GRAVITY * ALPHA)
    base = 20.0 + gradient * z[:, None, None] + np.zeros((LEVELS, 5, NX))
    x = (np.arange(NX) - NX / 2 + 0.5) * DX
    bump = 0.01 * np.exp(-((x / 25e3) ** 2)) * np.sin(np.pi * z / DEPTH)[:, None, None]
    tracers = torch.tensor(np.stack([base + bump, np.full_like(base, 35.0)]))
    state = state_at_rest(tracers, g, halo)
    zero2, zero3 = torch.zeros_like(g.depth_t), torch.zeros_like(g.h0)
    known = torch.nn.functional.pad(torch.tensor(np.stack([base, np.full_like(base, 35.0)])), (2, 2, 2, 2))
    outside = Outside(zero2, zero2, zero2, zero3, zero3, known, zero2)
    ocean, forcing = Ocean(g, p, halo), no_forcing(2, g)

    def energy():
        anomaly = (state.tracers[0] - known[0])[:, 3, 3:-3].numpy()
        u = state.u[:, 3, 3:-3].numpy()
        buoyancy = GRAVITY * ALPHA / np.sqrt(N2) * (np.sin(np.pi * z / DEPTH) @ anomaly)
        return float(np.sum((np.cos(np.pi * z / DEPTH) @ u) ** 2) + np.sum(buoyancy**2))

    start = energy()
    with torch.no_grad():
        for _ in range(int(1.1 * NX * DX / SPEED / dt)):
            state = ocean.step(state, forcing, outside)
    return energy() / start


def test_an_internal_wave_packet_leaves():
    """Less than 1 % of the energy (10 % of the amplitude) comes back."""
    radiating = baroclinic_energy_left((1.0 * DAY, 365.0 * DAY))
    print(f"energy that comes back from radiating edges: {radiating:.2e}")
    assert radiating < 0.01


@pytest.mark.slow
def test_the_packet_would_come_back_from_prescribed_edges():
    prescribed = baroclinic_energy_left(None)
    print(f"energy that comes back from prescribed edges: {prescribed:.2f}")
    assert prescribed > 0.5


def test_the_edge_follows_the_sea_outside_where_waves_enter():
    """Nothing happens inside: the edge stays within the slow nudging; water that enters is drawn to the outside."""
    from components.ocean.primitive.radiation import radiate

    n = 5
    old = torch.zeros(4, 1, n + 2).double()
    ones, along = torch.ones(1, n).double(), torch.ones(1, n + 1).double()
    outside = torch.ones(1, n).double()
    still = radiate(old, torch.zeros(3, 1, n).double(), outside, ones, along, 900.0, (DAY, 365 * DAY))
    assert still.numpy() == pytest.approx(900.0 / (365 * DAY + 900.0))
    # rising inside and higher towards the edge: the phase comes from outside
    new = torch.tensor([0.4, 0.2, 0.1]).double()[:, None, None].expand(3, 1, n)
    entering = radiate(old, new, outside, ones, along, 900.0, (DAY, 365 * DAY))
    assert entering.numpy() == pytest.approx(900.0 / (DAY + 900.0))
    # a plane wave f(x - c t) that leaves: the edge takes the value that has come up to it
    c, x = 0.4, np.arange(4)[::-1].astype(float)  # cells a step; the edge and three places inside

    def wave(t):
        return np.exp(0.1 * (x - c * t))

    old = torch.tensor(np.repeat(wave(0.0)[:, None, None], n + 2, -1))
    new = torch.tensor(np.repeat(wave(1.0)[1:, None, None], n, -1))
    left = radiate(old, new, outside * 0, ones, along, 900.0, (DAY, 1e30))
    assert left.numpy() == pytest.approx(wave(1.0)[0], rel=1e-3)
