# SPDX-License-Identifier: BSD-3-Clause
"""Transport in the chemistry by mean fluxes: constants, mass, extremes, and periods of several steps."""

import pytest
import torch

from components.chemistry.regional import carbon_dioxide
from components.chemistry.regional.transport import Booked, Mover, TooFast, Winds
from components.science.cell_faces import CellFaces, cell_faces
from components.science.compiled_transport import CompiledTransport
from components.science.constants import GRAVITY
from components.science.halo import Edges, SerialHalo
from components.science.tracers import Species, Tracer
from components.science.transport import HALO, air_before

D = torch.float64
INNER = slice(HALO, -HALO)
NZ, NY, NX = 8, 24, 28
DX, STEP = 1.0e5, 240.0
QUIET = {"mixed_by_turbulence": False, "carried_by_convection": False}


def sides(kind):
    return Edges(*(kind,) * 4)


def plane(kind):
    """Faces of squares of 100 km and a halo."""
    y, x = NY + 2 * HALO, NX + 2 * HALO
    ones = lambda *s: torch.full(s, DX, dtype=D)  # noqa: E731
    faces = CellFaces(1.0 / ones(y, x) ** 2, ones(y, x + 1), ones(y + 1, x))
    return faces, SerialHalo(NY, NX, sides(kind))


def mover(tracers, kind="specified", faces=None, limiter="monotonic", substeps=1):
    own, halo = plane(kind)
    return Mover(CompiledTransport(faces or own, halo, limiter), Species(tracers), sides(kind), substeps)


def air_over_relief(dtype=D):
    """Dry air of layers that thin out over a mountain, kg m-2, and the flow through every face, kg m-1 s-1."""
    y, x = torch.meshgrid(torch.arange(NY, dtype=D), torch.arange(NX, dtype=D), indexing="ij")
    mountain = 0.3 * torch.exp(-(((y - 12) / 4) ** 2) - ((x - 14) / 5) ** 2)
    share = torch.linspace(0.18, 0.07, NZ, dtype=D)
    return (1.0e4 * (share / share.sum())[:, None, None] * (1.0 - mountain)).to(dtype)


def winds(air, k=0, calm=False, seed=0, closed=False):
    """A flow that turns in time (step ``k``), with vertical motion that has nothing to do with it."""
    g = torch.Generator().manual_seed(seed + k)
    noise = lambda *s: 0.05 * torch.randn(s, generator=g, dtype=D)  # noqa: E731
    angle = torch.tensor(0.05 * k, dtype=D)
    u, v = 20.0 * torch.cos(angle), 12.0 * torch.sin(angle) + 6.0
    west, south = air * u * (1.0 + noise(NZ, NY, NX)), air * v * (1.0 + noise(NZ, NY, NX))
    upward = 0.02 * air[1:] / 240.0 * noise(NZ - 1, NY, NX) / 0.05
    if closed:
        west[..., 0], south[:, 0] = 0.0, 0.0
    none = torch.zeros_like(air[1:])
    k_h = none if calm else 20.0 + 10.0 * torch.rand(none.shape, generator=g, dtype=D)
    lift = none if calm else torch.clamp(0.02 * torch.randn(none.shape, generator=g, dtype=D), min=0.0)
    parts = air, west, south, upward, lift, k_h, 1.1 * air / air[0].mean()
    return Winds(*(a.to(air.dtype) for a in parts))


def start(values, dtype=D):
    return torch.stack(
        [torch.as_tensor(v, dtype=dtype).expand(NZ, NY + 2 * HALO, NX + 2 * HALO) for v in values]
    ).clone()


@pytest.mark.parametrize(("dtype", "allowed"), [(D, 1e-12), (torch.float32, 1e-6)])
def test_a_constant_stays_over_relief_with_held_sides(dtype, allowed):
    m = mover([Tracer("one", carried_by_convection=True, boundary="hold")])
    m.transport.faces = m.transport.faces.to(dtype)
    q, air = start([1.0], dtype), air_over_relief(dtype)
    outside = q[..., INNER, INNER].clone()
    for k in range(6):  # the air jumps from period to period, as relaxation and held mass make it
        w = winds(air * (1.0 + 0.01 * k), k)
        q, booked = m.advance(q, air, w, outside, {}, 600.0)
        air = w.air
    assert (q[..., INNER, INNER] - 1.0).abs().max() <= allowed
    assert booked.added.abs().max() > 1.0 and booked.emitted.abs().max() < 1e4 * allowed


def test_a_closed_box_keeps_its_mass_and_makes_no_new_extremes():
    m = mover([Tracer("q", carried_by_convection=True)], "periodic")
    g = torch.Generator().manual_seed(3)
    q = start([0.0])
    q[..., INNER, INNER] = (torch.rand((1, NZ, NY, NX), generator=g, dtype=D) > 0.7).to(D)
    m.halo([q], HALO)
    air, w = air_over_relief(), winds(air_over_relief(), 2)
    fluxes = m._with_ring(m._faces(w))
    before = air_before(m.transport.faces, m._wide(air), *fluxes, 600.0)[:, INNER, INNER]
    content = (before * q[0, :, INNER, INNER]).sum()
    new, booked = m.advance(q.clone(), air, w, q[..., INNER, INNER], {}, 600.0)
    assert abs((air * new[0, :, INNER, INNER]).sum() / content - 1.0) < 1e-12
    assert new.min() >= -1e-13 and new.max() <= 1.0 + 1e-13
    assert abs(booked.moved.sum()) < 1e-12 * content


@pytest.mark.parametrize("limiter", ["positive", "monotonic", "none"])
def test_what_passes_the_sides_is_booked_by_its_own_fluxes(limiter):
    """Inside the outermost ring: the change by transport beside the fluxes through the ring's inner faces."""
    m = mover([Tracer("a", **QUIET), Tracer("b", **QUIET)], limiter=limiter, substeps=2)
    g = torch.Generator().manual_seed(8)
    q = torch.rand((2, NZ, NY + 2 * HALO, NX + 2 * HALO), generator=g, dtype=D)
    m.halo([q], HALO)
    air, outside = air_over_relief(), torch.full((2, NZ, NY, NX), 0.5, dtype=D)
    w = winds(air, 3, calm=True)._replace(upward=torch.zeros_like(air[1:]))
    _, booked = m.advance(q, air, w, outside, {}, 600.0)
    inner = (..., slice(1, -1), slice(1, -1))
    moved, entered = (a[inner].sum((1, 2)) for a in (booked.moved, booked.entered))
    assert (moved - entered).abs().max() < 1e-11 * booked.entered[inner].abs().sum()
    assert not booked.entered[..., 2:-2, 2:-2].any() and moved.abs().min() > 0.0


def shapes():
    """A smooth blob and a box of ones, both far from the sides."""
    y, x = torch.meshgrid(torch.arange(NY + 2 * HALO) - HALO, torch.arange(NX + 2 * HALO) - HALO, indexing="ij")
    blob = torch.exp(-(((y - 10.0) / 4.0) ** 2) - ((x - 11.0) / 4.0) ** 2)
    box = ((y > 6) & (y < 14) & (x > 7) & (x < 15)).to(D)
    return start([blob.to(D), box])


@pytest.mark.parametrize("steps", [2, 4, 6])
def test_periods_of_several_steps_beside_one(steps):
    m = mover([Tracer("blob", **QUIET), Tracer("box", **QUIET)])
    air, n = air_over_relief(), 12
    outside = torch.zeros((2, NZ, NY, NX), dtype=D)
    flows = [winds(air, k, calm=True)._replace(upward=torch.zeros_like(air[1:])) for k in range(n)]
    once, q = shapes(), shapes()
    end = air
    ends = []
    for w in flows:  # the air as the flow leaves it
        faces = m._with_ring(m._faces(w))
        lost = m._wide(end) - air_before(m.transport.faces, m._wide(end), *faces, STEP)
        end = (m._wide(end) + lost)[:, INNER, INNER]
        ends.append(end)
    for w, a in zip(flows, ends, strict=True):
        once, _ = m.advance(once, a, w._replace(air=a), outside, {}, STEP)
    for k in range(0, n, steps):
        part = flows[k : k + steps]
        mean = Winds(*(torch.stack([getattr(w, name) for w in part]).mean(0) for name in Winds._fields))
        q, _ = m.advance(q, air, mean._replace(air=ends[k + steps - 1]), outside, {}, steps * STEP)
    norm = lambda a: (a * a).sum((1, 2, 3)).sqrt()  # noqa: E731
    off = norm((q - once)[..., INNER, INNER]) / norm(once[..., INNER, INNER])
    assert off[0] < 1e-3 and off[1] < 0.02, off


def test_substeps_and_air_that_is_too_fast():
    air = torch.full((NZ, NY, NX), 1200.0, dtype=D)
    none = torch.zeros_like(air)
    w = winds(air, 0, calm=True)._replace(west=20.0 * air, south=none, upward=none[1:])
    q, outside = shapes(), torch.zeros((2, NZ, NY, NX), dtype=D)
    tracers = [Tracer("blob", **QUIET), Tracer("box", **QUIET)]
    with pytest.raises(TooFast, match=r"2\.80 of a cell's air .* set substeps: 3"):
        mover(tracers).advance(q, air, w, outside, {}, 14000.0)
    new, _ = mover(tracers, substeps=3).advance(q, air, w, outside, {}, 14000.0)
    x = torch.arange(NX, dtype=D)
    was, now = (((a * x).sum((1, 2, 3)) / a.sum((1, 2, 3))) for a in (q[..., INNER, INNER], new[..., INNER, INNER]))
    assert (now - was).tolist() == pytest.approx([2.8, 2.8], abs=0.02)


def test_a_day_of_carbon_dioxide_from_the_ground():
    """1e-8 kg C m-2 s-1 for a day in 98,000 Pa of dry air: + .2085 ppm in the column."""
    m = mover(carbon_dioxide.tracers(), "periodic")
    layers = torch.linspace(1.5, 0.5, NZ, dtype=D)
    air = (98000.0 / GRAVITY * layers / layers.sum())[:, None, None].expand(NZ, NY, NX).contiguous()
    calm = winds(air, 0)
    calm = calm._replace(west=torch.zeros_like(air), south=torch.zeros_like(air), upward=torch.zeros_like(air[1:]))
    q = start([4e-4, 0.0, 0.0, 0.0])
    sources = {
        carbon_dioxide.LAND: carbon_dioxide.upward(torch.full((NY, NX), 3e-8, dtype=D)),  # a forest takes up
        carbon_dioxide.FOSSIL: carbon_dioxide.upward(torch.full((NY, NX), -4e-8, dtype=D)),
    }
    books = None
    for _ in range(24):
        q, b = m.advance(q, air, calm, q[..., INNER, INNER], sources, 3600.0)
        books = b if books is None else Booked(*(x + y for x, y in zip(books, b, strict=True)))
    inner = q[..., INNER, INNER]
    total = carbon_dioxide.total(list(inner))
    column = (total * air).sum(0) / air.sum(0) - 4e-4
    assert (1e6 * column).mean().item() == pytest.approx(0.2085, abs=5e-5)
    assert inner[1].max() < 0.0  # the land's tag is negative and stays so
    assert (books.emitted[1] / (air * inner[1]).sum(0) - 1.0).abs().max() < 1e-10


def test_settling_reaches_the_ground_and_is_booked():
    m = mover([Tracer("dust", settles=0.05, **QUIET)], "periodic")
    air = air_over_relief()
    calm = winds(air, 0, calm=True)
    calm = calm._replace(west=torch.zeros_like(air), south=torch.zeros_like(air), upward=torch.zeros_like(air[1:]))
    q, booked = m.advance(start([1e-6]), air, calm, torch.zeros((1, NZ, NY, NX), dtype=D), {}, 3600.0)
    lost = 1e-6 * air.sum(0) - (air * q[0, :, INNER, INNER]).sum(0)
    assert (booked.settled[0] / lost - 1.0).abs().max() < 1e-10


def test_faces_of_a_part_are_those_of_the_whole():
    lon, lat = torch.meshgrid(
        torch.linspace(100, 120, NX + 1, dtype=D), torch.linspace(20, 40, NY + 1, dtype=D), indexing="xy"
    )
    whole = cell_faces(lon.numpy(), lat.numpy())
    part = whole.block(4, 12, 6, 20)
    assert torch.equal(part.inverse_area, whole.inverse_area[4 : 12 + 2 * HALO, 6 : 20 + 2 * HALO])
    assert part.length_u.shape == (8 + 2 * HALO, 15 + 2 * HALO) and part.length_v.shape == (9 + 2 * HALO, 14 + 2 * HALO)
    assert (1.0 / part.inverse_area).mean().item() == pytest.approx(8.2e9, rel=0.2)
