# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere's dynamics gives the same bits for any block decomposition (eager), in single and double precision.

Blocks run in threads that exchange halos through shared memory; each block is a ``Dynamics`` of its own, as on a rank.
"""

import threading

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import diffusion, timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.science.halo import EdgeFiller, Edges
from tests.science.test_atmosphere_conservation import closed_case


class Neighbourhood:
    """Blocks of a domain and the exchange between their threads: columns first, then rows."""

    def __init__(self, ny, nx, rows, columns, kind):
        self.periodic = kind == "periodic"
        cut = lambda n, parts: [round(n * j / parts) for j in range(parts + 1)]  # noqa: E731
        self.y, self.x = cut(ny, rows), cut(nx, columns)
        self.rows, self.columns = rows, columns
        self.barrier = threading.Barrier(rows * columns)
        self.posted = {}
        edge = lambda outer: kind if outer else "inner"  # noqa: E731
        self.edges = {}
        for j in range(rows):
            for i in range(columns):
                sides = [edge(i == 0), edge(i == columns - 1), edge(j == 0), edge(j == rows - 1)]
                self.edges[j, i] = Edges(*(["inner"] * 4 if self.periodic else sides))

    def filler(self, j, i):
        edges = self.edges[j, i]
        ny, nx = self.y[j + 1] - self.y[j], self.x[i + 1] - self.x[i]

        def fill(fields, width):
            for dim in (-1, -2):
                self.posted[j, i] = fields
                self.barrier.wait()
                copies = []
                for n, f in enumerate(fields):
                    size = nx if dim == -1 else ny
                    staggered = f.shape[dim] == size + 2 * width + 1
                    for step in (-1, 1):
                        other = (j, i + step) if dim == -1 else (j + step, i)
                        if self.periodic:
                            other = (other[0] % self.rows, other[1] % self.columns)
                        if other not in self.posted:
                            continue
                        source = self.posted[other][n]
                        length = source.shape[dim] - 2 * width - staggered
                        if step == -1:
                            copies.append((f.narrow(dim, 0, width), source.narrow(dim, length, width).clone()))
                        else:
                            target = f.narrow(dim, width + size, width + staggered)
                            copies.append((target, source.narrow(dim, width, width + staggered).clone()))
                self.barrier.wait()
                for target, value in copies:
                    target.copy_(value)
                self.barrier.wait()
            EdgeFiller(ny, nx, edges)(fields, width)

        return fill


def run(dtype, kind, rows, columns):
    """Three steps with tracers and Smagorinsky diffusion; the fields of the whole domain's interior."""
    g, state, tracers = closed_case(Edges(kind, kind, kind, kind))
    g = g.to(dtype)
    hood = Neighbourhood(g.ny, g.nx, rows, columns, kind)
    results, failures = {}, []

    def work(j, i):
        try:
            y0, y1, x0, x1 = hood.y[j], hood.y[j + 1], hood.x[i], hood.x[i + 1]
            block = g.block(y0, y1, x0, x1)

            def cut(a):
                dy, dx = a.shape[-2] - g.dz.shape[-2], a.shape[-1] - g.dz.shape[-1]
                return a[..., y0 : y1 + 2 * H + dy, x0 : x1 + 2 * H + dx].to(dtype).contiguous()

            s, q = State(*(cut(a) for a in state)), cut(tracers)
            options = timestep.Options(limiter="monotonic", damping_depth=4000.0)
            core = timestep.Dynamics(block, options, hood.edges[j, i], hood.filler(j, i))
            core.halo([*s, q], H)
            for _ in range(3):
                d = core.diagnose(s)
                mixing = diffusion.diffuse(block, s, d, diffusion.smagorinsky_2d(block, d))
                new, flux = core.step(s, 120.0, q_total=q[0], forcing=mixing)
                q = core.transport(q, new, flux, 120.0)
                s = new
            inner = slice(H, -H)
            results[j, i] = [a[..., inner, inner][..., : y1 - y0, : x1 - x0] for a in (*s, q)]
        except BaseException as error:
            failures.append(error)
            hood.barrier.abort()

    threads = [threading.Thread(target=work, args=(j, i)) for j in range(rows) for i in range(columns)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
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
