# SPDX-License-Identifier: BSD-3-Clause
"""Open edges: a surface wave leaves (Flather 1976), a through-flow and its tracer enter, a tide comes in."""

from dataclasses import replace

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
from components.ocean.primitive.tides import tidal_elevation
from components.ocean.primitive.timestep import Ocean
from components.science.constants import GRAVITY

NX, DX, DEPTH = 60, 10e3, 100.0


def channel(eta=None, temperature=10.0, transport=0.0):
    """Channel along x, open at both ends, with three levels; the sea outside at rest or with a transport (m2/s)."""
    dz = np.array([20.0, 30.0, 50.0])
    g = build_geometry(
        cartesian(NX, 4, DX, DX),
        partial_cells(np.full((4, NX), DEPTH), dz),
        dz,
        periodic_y=True,
        open_edges=("west", "east"),
    )
    p = Parameters(
        dt=600.0,
        substeps=10,
        equation_of_state="linear",
        alpha=0.0,
        reference_temperature=10.0,
        reference_salinity=35.0,
    )
    halo = whole_domain(g, periodic_y=True)
    shape = (g.levels, *g.shape)
    tracers = torch.stack([torch.full(shape, t, dtype=torch.float64) for t in (10.0, 35.0)])
    level = None if eta is None else torch.tensor(eta).broadcast_to(g.shape).contiguous()
    zero2, zero3 = torch.zeros_like(g.depth_t), torch.zeros_like(g.h0)
    outside = Outside(
        zero2, zero2 + transport, zero2, zero3, zero3,
        torch.stack([zero3 + temperature, zero3 + 35.0]), zero2,
    )  # fmt: skip
    return Ocean(g, p, halo), state_at_rest(tracers, g, halo, level), no_forcing(2, g), outside


def test_a_wave_leaves():
    """A bump of 10 cm splits and leaves.

    Less than 1 % of its energy is left after both halves have passed the edges.
    """
    x = np.arange(NX) - NX / 2
    ocean, state, forcing, outside = channel(0.1 * np.exp(-((x / 6) ** 2)))
    start = float((state.eta**2).sum())
    crossing = NX * DX / np.sqrt(GRAVITY * DEPTH)
    with torch.no_grad():
        for _ in range(int(1.2 * crossing / 600.0)):
            state = ocean.step(state, forcing, outside)
    left = float((state.eta**2).sum()) / start
    print(f"energy left {left:.1e}")
    assert left < 0.01


def test_a_through_flow_enters_with_its_temperature():
    """0.1 m/s through the channel within 2 %, and the warm front has gone u t far within a cell."""
    ocean, state, forcing, outside = channel(temperature=15.0, transport=0.1 * DEPTH)
    with torch.no_grad():
        for _ in range(300):
            state = ocean.step(state, forcing, outside)
    u = state.u[:, 3, 2 : 2 + NX - 1]
    assert float(u.mean()) == pytest.approx(0.1, rel=0.02)
    t = state.tracers[0][1, 3, 2:-2].numpy()
    assert t.min() >= 10.0 - 1e-9 and t.max() <= 15.0 + 1e-9
    front = DX * float(((t[1:-1] - 10.0) / 5.0).sum())
    assert front == pytest.approx(0.1 * 300 * 600.0, abs=DX)


def test_a_tide_comes_in():
    """M2 of 0.5 m outside both ends: the two waves meet in the middle with 0.5 m within 5 %."""
    ocean, state, forcing, outside = channel()
    amplitude, phase = torch.full((1, *state.eta.shape), 0.5), torch.zeros(1, *state.eta.shape)
    amplitude, phase = amplitude.double(), phase.double()
    middle, edge = [], []
    with torch.no_grad():
        for n in range(300):
            level = tidal_elevation((n + 1) * 600.0, amplitude, phase, ("M2",))
            state = ocean.step(state, forcing, replace(outside, eta=level))
            middle.append(float(state.eta[3, 2 + NX // 2]))
            edge.append(float(state.eta[3, 3]))
    omega = np.radians(28.9841042 / 3600)
    t = 600.0 * (1 + np.arange(300))
    late = t > 86400
    basis = np.stack([np.cos(omega * t), np.sin(omega * t)])[:, late]
    fit = np.linalg.lstsq(basis.T, np.array(middle)[late], rcond=None)[0]
    at_edge = np.linalg.lstsq(basis.T, np.array(edge)[late], rcond=None)[0]
    # each end lets in a wave of half the level outside, and radiates the other's; in the middle both have the same
    # phase
    k = omega / np.sqrt(GRAVITY * DEPTH)
    print(f"M2 in the middle {np.hypot(*fit):.3f} m, at the edge {np.hypot(*at_edge):.3f} m, k L = {k * NX * DX:.2f}")
    assert np.hypot(*fit) == pytest.approx(0.5, rel=0.05)
    assert np.hypot(*at_edge) < 0.97 * np.hypot(*fit)
