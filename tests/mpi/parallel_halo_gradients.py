# SPDX-License-Identifier: BSD-3-Clause
"""Checks of gradients across ranks, called on all ranks by test_halo_gradients.py."""

import math
from dataclasses import replace

import numpy as np
import torch
from together import run_checks

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as WIDE
from components.atmosphere.nonhydrostatic.dynamics.timestep import Dynamics, Options
from components.ocean.primitive.barotropic_mode import plane_of
from components.ocean.primitive.stencil import HALO, inner
from components.ocean.primitive.timestep import Ocean
from components.science.halo import DecomposedHalo, Edges, Padded
from coupler.grids.decomposition import Decomposition
from tests.science.test_atmosphere_conservation import closed_case
from tests.science.test_ocean_conservation import rough_basin

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def normal(shape, seed):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def total(comm, value):
    return math.fsum(comm.allgather(float(value.detach())))


def block_filler(d, outer):
    b, (ny, nx) = d.block, d.shape
    at_edge = (b.x0 == 0, b.x1 == nx, b.y0 == 0, b.y1 == ny)
    return DecomposedHalo(*b.shape, Edges(*(outer if edge else "inner" for edge in at_edge)), d)


def check_the_transpose_of_an_exchange(comm):
    """<y, H x> = <H' y, x>, summed over all ranks."""
    for shape, width in (((13, 18), 1), ((13, 18), 3), ((31, 7), 2)):
        for periodic in ((False, False), (True, False), (True, True)):
            d = Decomposition(shape, comm)
            padded = (4, d.block.shape[0] + 2 * width, d.block.shape[1] + 2 * width)
            x, y = normal(padded, 10 + d.rank), normal(padded, 50 + d.rank)
            hx, hy = x.clone(), y.clone()
            d.halo(hx, width=width, periodic=periodic)
            d.halo_transposed(hy, width=width, periodic=periodic)
            left, right = total(comm, (y * hx).sum()), total(comm, (hy * x).sum())
            assert abs(left - right) < 1e-12 * total(comm, (y * hx).abs().sum()), (left, right)


def check_the_gradient_of_a_filler(comm):
    """The same through autograd, for staggered fields, every kind of edge, and fields without a halo."""
    for outer in ("wall", "open", "specified", "masked"):
        d, w = Decomposition((13, 18), comm), 3
        fill = block_filler(d, outer)
        ny, nx = d.block.shape
        shapes = [(2, ny + 2 * w + a, nx + 2 * w + b) for a, b in ((0, 0), (0, 1), (1, 0))]
        x = [normal(s, 10 * n + d.rank).requires_grad_() for n, s in enumerate(shapes)]
        y = [normal(s, 70 + 10 * n + d.rank) for n, s in enumerate(shapes)]
        hx = [a.clone() for a in x]
        fill(hx, w)
        back = torch.autograd.grad(hx, x, y)
        left = total(comm, sum((a * b).sum() for a, b in zip(y, hx, strict=True)))
        right = total(comm, sum((a * b).sum() for a, b in zip(back, x, strict=True)))
        size = total(comm, sum((a * b).abs().sum() for a, b in zip(y, hx, strict=True)))
        assert abs(left - right) < 1e-12 * size, (outer, left, right)
        own = normal((2, ny, nx), 90 + d.rank).requires_grad_()
        (around,) = Padded(fill, w)(own)
        (back,) = torch.autograd.grad(around, own, y[0])
        left, right = total(comm, (y[0] * around).sum()), total(comm, (back * own).sum())
        assert abs(left - right) < 1e-12 * size, (outer, left, right)


def check_a_filler_gives_the_same_numbers_with_and_without_gradients(comm):
    d = Decomposition((13, 18), comm)
    fill, (ny, nx) = block_filler(d, "open"), d.block.shape
    fields = [torch.full((ny + 2 * WIDE + a, nx + 2 * WIDE + b), -1.0) for a, b in ((0, 0), (0, 1), (1, 0))]
    whole = [normal((13 + a, 18 + b), 3 + a + 2 * b) for a, b in ((0, 0), (0, 1), (1, 0))]
    b = d.block
    for f, values in zip(fields, whole, strict=True):
        more_y, more_x = f.shape[0] - ny - 2 * WIDE, f.shape[1] - nx - 2 * WIDE
        f[WIDE : WIDE + ny + more_y, WIDE : WIDE + nx + more_x] = values[b.y0 : b.y1 + more_y, b.x0 : b.x1 + more_x]
    with_gradient = [f.clone().requires_grad_().clone() for f in fields]
    fill(fields, WIDE)
    fill(with_gradient, WIDE)
    for f, g in zip(fields, with_gradient, strict=True):
        assert torch.equal(f, g)


def basin_on(comm):
    """A step of the rough basin on this rank's block as a function of its temperature: share in a score."""
    sea = rough_basin()
    sea.run(5)
    d = Decomposition(sea.geometry.shape, comm)
    rows, columns = slice(d.block.y0, d.block.y1), slice(d.block.x0, d.block.x1)
    wide = ..., slice(rows.start, rows.stop + 2 * HALO), slice(columns.start, columns.stop + 2 * HALO)
    halo = Padded(block_filler(d, "masked"), HALO)
    width = HALO if comm is None else 4 * HALO
    ocean = Ocean(
        sea.geometry.block(rows, columns), sea.ocean.p, halo, plane=plane_of(sea.geometry, rows, columns, width)
    )

    def part(container, window):
        tensors = {n: v for n, v in vars(container).items() if isinstance(v, torch.Tensor)}
        return replace(container, **{n: v[window].contiguous() for n, v in tensors.items()})

    forcing = part(sea.forcing, wide)
    own = part(sea.state.own(), (..., rows, columns))
    weight = torch.cos(torch.arange(sea.geometry.h0[0].numel(), dtype=torch.float64)).reshape(sea.geometry.h0[0].shape)

    def score(temperature):
        s = replace(own, tracers=torch.cat([temperature[None], own.tracers[1:]])).with_halos(halo)
        for _ in range(3):
            s = ocean.step(s, forcing)
        return (inner(weight[wide]) * (inner(s.eta) + inner(s.tracers[0, 0]) + 10.0 * inner(s.u[1]))).sum()

    return d, own.tracers[0], score


def atmosphere_on(comm):
    """Steps of a closed atmosphere on this rank's block as a function of its heat: share in a score."""
    g, state, tracers = closed_case(Edges("wall", "wall", "wall", "wall"), ny=10, nx=12, nz=8)
    d = Decomposition((g.ny, g.nx), comm)
    y, x = (d.block.y0, d.block.y1), (d.block.x0, d.block.x1)
    block, fill = g.block(*y, *x), block_filler(d, "wall")
    core = Dynamics(block, Options(limiter="none"), fill.edges, fill)

    def cut(a):
        more = a.shape[-2] - g.dz.shape[-2], a.shape[-1] - g.dz.shape[-1]
        return a[..., y[0] : y[1] + 2 * WIDE + more[0], x[0] : x[1] + 2 * WIDE + more[1]].clone()

    own = slice(WIDE, -WIDE)
    weight = torch.cos(torch.arange(g.ny * g.nx, dtype=torch.float64)).reshape(g.ny, g.nx)[slice(*y), slice(*x)]

    def score(heat):
        s, q = type(state)(*map(cut, state)), cut(tracers)
        rtheta = s.rtheta.clone()
        rtheta[:, own, own] = heat
        s = s._replace(rtheta=rtheta)
        core.halo([*s, q], WIDE)
        for _ in range(3):
            new, flux = core.step(s, 60.0)
            s, q = new, core.transport(q, new, flux, 60.0)
        east = s.ru[:, own, own][..., : block.nx]
        return (weight * (1e-2 * east + s.rtheta[:, own, own] + q[0][:, own, own])).sum() + (
            s.rw[:, own, own] ** 2
        ).sum()

    return d, cut(state.rtheta)[:, own, own], score


def check_the_gradient_of_steps_of_an_ocean(comm):
    """That of one rank, and Taylor's ratio along it over all ranks."""
    compare_with_one_rank(comm, basin_on)


def check_the_gradient_of_steps_of_an_atmosphere(comm):
    """The same, through dynamics and transport."""
    compare_with_one_rank(comm, atmosphere_on)


def compare_with_one_rank(comm, model_on):
    d, start, score = model_on(comm)
    x = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(x), x)
    _, whole_start, whole_score = model_on(None)
    whole = whole_start.clone().requires_grad_()
    (expected,) = torch.autograd.grad(whole_score(whole), whole)
    expected = torch.tensor(d.local(expected.numpy()))
    largest = comm.allreduce(float(expected.abs().max()), op=MAX)
    off = comm.allreduce(float((gradient - expected).abs().max()), op=MAX) / largest
    with torch.no_grad():
        e, direction = 1e-5, gradient / largest
        slope = total(comm, (gradient * direction).sum())
        change = total(comm, score(start + e * direction)) - total(comm, score(start - e * direction))
    ratio = change / (2 * e * slope)
    if d.rank == 0:
        print(f"gradient on {d.ranks} ranks less that on one {off:.1e}, Taylor ratio - 1 = {ratio - 1:.1e}", flush=True)
    assert off < 1e-12 and abs(ratio - 1.0) < 1e-6


if __name__ == "__main__":
    from mpi4py.MPI import MAX

    run_checks(globals())
