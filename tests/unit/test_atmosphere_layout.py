# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere's dynamics gives the same bits for any block decomposition (eager), in single and double precision.

Blocks run in threads that exchange halos through shared memory; each block is a ``Dynamics`` of its own, as on a rank.
"""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import diffusion, timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.science.halo import Edges
from tests.science.test_atmosphere_conservation import closed_case
from tests.toys.blocks import Blocks


def run(dtype, kind, rows, columns):
    """Three steps with tracers and Smagorinsky diffusion; the fields of the whole domain's interior."""
    g, state, tracers = closed_case(Edges(kind, kind, kind, kind))
    g = g.to(dtype)
    blocks = Blocks(g.ny, g.nx, rows, columns, kind)

    def work(j, i):
        y, x = blocks.place(j, i)
        block = g.block(y.start, y.stop, x.start, x.stop)

        def cut(a):
            dy, dx = a.shape[-2] - g.dz.shape[-2], a.shape[-1] - g.dz.shape[-1]
            return a[..., y.start : y.stop + 2 * H + dy, x.start : x.stop + 2 * H + dx].to(dtype).contiguous()

        s, q = State(*(cut(a) for a in state)), cut(tracers)
        options = timestep.Options(limiter="monotonic", damping_depth=4000.0)
        core = timestep.Dynamics(block, options, blocks.edges(j, i), blocks.filler(j, i))
        core.halo([*s, q], H)
        for _ in range(3):
            d = core.diagnose(s)
            mixing = diffusion.diffuse(block, s, d, diffusion.smagorinsky_2d(block, d))
            new, flux = core.step(s, 120.0, q_total=q[0], forcing=mixing)
            q = core.transport(q, new, flux, 120.0)
            s = new
        inner = slice(H, -H)
        return [a[..., inner, inner][..., : block.ny, : block.nx] for a in (*s, q)]

    results = blocks.run(work)
    rows_of = [[torch.cat([results[j, i][n] for i in range(columns)], -1) for n in range(6)] for j in range(rows)]
    return [torch.cat([row[n] for row in rows_of], -2) for n in range(6)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["periodic", "wall", "open"])
def test_two_and_four_blocks_give_the_same_bits_as_one(dtype, kind):
    whole = run(dtype, kind, 1, 1)
    assert float(whole[2].abs().max()) > 0.1, "the case must move"
    assert all(bool(torch.isfinite(a).all()) for a in whole)
    for rows, columns in ((1, 2), (2, 2), (3, 1)):
        for a, b in zip(whole, run(dtype, kind, rows, columns), strict=True):
            assert torch.equal(a, b)
