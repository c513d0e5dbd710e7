# SPDX-License-Identifier: BSD-3-Clause
"""The kernels of the tracers' transport: the numbers of torch, and bits that do not depend on place."""

import pytest
import torch

from components.science import compiled_transport
from components.science.cell_faces import CellFaces
from components.science.compiled_transport import CompiledTransport
from components.science.halo import Edges, SerialHalo
from components.science.transport import HALO, LIMITERS, Transport

H = HALO
INNER = slice(H, -H)
NZ, NY, NX, N = 5, 12, 17, 9


def case(dtype=torch.float64, kind="specified", seed=1):
    """Cells of all sizes, air of all densities, winds of both signs up to half a cell a step, tracers of noise."""
    g = torch.Generator().manual_seed(seed)
    drawn = lambda *s: torch.rand(s, generator=g, dtype=torch.float64)  # noqa: E731
    y, x = NY + 2 * H, NX + 2 * H
    halo = SerialHalo(NY, NX, Edges(*(kind,) * 4))
    area, along, across = (
        2.5e9 * (1.0 + 0.3 * drawn(y, x)),
        5e4 * (1.0 + drawn(y, x + 1)),
        5e4 * (1.0 + drawn(y + 1, x)),
    )
    halo([area, along, across], H)
    air, q = 400.0 + 50.0 * drawn(NZ, y, x), drawn(N, NZ, y, x)
    halo([air, q], H)
    upward = torch.zeros(NZ + 1, NY, NX, dtype=torch.float64)
    upward[1:-1] = 0.4 * (drawn(NZ - 1, NY, NX) - 0.5)
    west, south = 9000.0 * (drawn(NZ, NY, NX + 1) - 0.3), 9000.0 * (drawn(NZ, NY + 1, NX) - 0.6)
    if kind == "periodic":
        west[..., -1], south[:, -1] = west[..., 0], south[:, 0]
    faces = CellFaces(1.0 / area, along, across).to(dtype)
    return faces, halo, air.to(dtype), tuple(a.to(dtype) for a in (west, south, upward)), q.to(dtype)


def moved(kind, limiter, faces, halo, air, fluxes, q):
    told = []
    out = kind(faces, halo, limiter).advance(q, air, fluxes, 300.0, lambda *sides: told.append(sides))
    return out, *(torch.cat(parts) for parts in zip(*told, strict=True))


@pytest.mark.parametrize("limiter", LIMITERS)
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_kernels_give_what_torch_gives(limiter, dtype, rounding):
    parts = case(dtype)
    for ours, torchs in zip(moved(CompiledTransport, limiter, *parts), moved(Transport, limiter, *parts), strict=True):
        assert (ours - torchs).abs().max() <= rounding * torchs.abs().max()


def test_bits_depend_on_no_place_in_memory(monkeypatch):
    """Rows taken at a time, tracers in a message, and where in a periodic domain an array begins change no bit."""
    faces, halo, air, fluxes, q = case(kind="periodic")
    whole, *_ = moved(CompiledTransport, "monotonic", faces, halo, air, fluxes, q)
    monkeypatch.setattr(compiled_transport, "STRIP", 1)
    monkeypatch.setattr(compiled_transport, "TOGETHER", 4)
    again, *_ = moved(CompiledTransport, "monotonic", faces, halo, air, fluxes, q)
    assert torch.equal(whole, again)

    def shifted(a, faces_x=0, faces_y=0, halo_cells=H):
        inner = a[..., halo_cells : halo_cells + NY, halo_cells : halo_cells + NX].roll((3, 5), (-2, -1))
        room = 2 * halo_cells
        out = a.new_empty((*a.shape[:-2], NY + faces_y + room, NX + faces_x + room))
        out[..., halo_cells : halo_cells + NY, halo_cells : halo_cells + NX] = inner
        if halo_cells:
            halo([out], halo_cells)
        else:
            out[..., NY:, :NX], out[..., :NY, NX:] = (
                inner[..., : out.shape[-2] - NY, :],
                inner[..., : out.shape[-1] - NX],
            )
        return out

    elsewhere = CellFaces(shifted(faces.inverse_area), shifted(faces.length_u, 1), shifted(faces.length_v, 0, 1))
    flows = shifted(fluxes[0], 1, 0, 0), shifted(fluxes[1], 0, 1, 0), shifted(fluxes[2], 0, 0, 0)
    turned, *_ = moved(CompiledTransport, "monotonic", elsewhere, halo, shifted(air), flows, shifted(q))
    assert torch.equal(turned[..., INNER, INNER], whole[..., INNER, INNER].roll((3, 5), (-2, -1)))


def gradient(kind, parts, along):
    """Of some tracers to themselves, the air and the fluxes, and what came out."""
    faces, halo, air, fluxes, q = parts
    at = [a.clone().requires_grad_() for a in (q[:2], air, *fluxes)]
    out = kind(faces, halo, "none").advance(at[0], at[1], tuple(at[2:]), 300.0)
    return out, torch.autograd.grad(out, at, along)


def test_without_a_limiter_the_gradient_is_that_of_torch():
    parts = case()
    along = torch.randn(parts[4][:2].shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out, found = gradient(CompiledTransport, parts, along)
    _, expected = gradient(Transport, parts, along)
    faces, halo, air, fluxes, q = parts
    assert torch.equal(out, CompiledTransport(faces, halo, "none").advance(q[:2], air, fluxes, 300.0))
    for a, b in zip(found, expected, strict=True):
        assert float(b.abs().max()) > 0.0
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12 * float(b.abs().max()))


def test_a_gradient_through_a_limiter_goes_by_torch():
    faces, halo, air, fluxes, q = case()
    q = q[:1].clone().requires_grad_()
    CompiledTransport(faces, halo, "monotonic").advance(q * 1.0, air, fluxes, 300.0)[..., INNER, INNER].sum().backward()
    assert torch.isfinite(q.grad).all() and q.grad.abs().sum() > 0.0
