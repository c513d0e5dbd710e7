# SPDX-License-Identifier: BSD-3-Clause
"""Eddies along neutral surfaces: no diapycnal flux, conservation, falling potential energy, gradients, bits."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from components.ocean.primitive.equation_of_state import linear_anomaly, teos10_anomaly
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.horizontal_grid import longitude_latitude
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.isoneutral import stir
from components.ocean.primitive.momentum import divergence_and_vorticity_force, root_of_biharmonic
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import at, inner
from components.ocean.primitive.vertical_diffusion import diffuse
from tests.science.test_ocean_conservation import rough_basin
from tests.unit.test_ocean_blocks import run_in_blocks

OF_HEAT_ALONE = partial(linear_anomaly, rho0=1025.0, alpha=2e-4, beta=0.0, t0=10.0, s0=35.0)
DAY = 86400.0


def tilted() -> tuple[Geometry, torch.Tensor]:
    """A rough basin whose isotherms slope by 1e-3 and are steep near the surface; a passive third tracer."""
    g = rough_basin().geometry
    z = -g.centre
    across = 111e3 * (g.y - g.y.mean()) + 60e3 * torch.sin(2.0 * g.x)
    temperature = (12.0 + 10.0 * torch.exp((z + 1e-3 * across) / 500.0) + 2e-3 * z) * g.mask_t
    wave = torch.sin(3.0 * g.x) * torch.cos(2.0 * g.y) * torch.exp(z / 300.0) * g.mask_t
    return g, torch.stack([temperature, 35.0 * g.mask_t, wave])


def after(g: Geometry, q: torch.Tensor, density, dt: float, along: float, thickness: float) -> torch.Tensor:
    """Tracers after a step; walls all around."""
    eddies = stir(q, torch.zeros_like(g.depth_t), density, along, thickness, 4e-3, g)
    h = inner(g.h0)
    own = diffuse(inner(q) + dt * eddies.gain / h, h, eddies.diffusivity, dt)
    return torch.nn.functional.pad(own * inner(g.mask_t), (2, 2, 2, 2))


def amount(g: Geometry, q: torch.Tensor) -> torch.Tensor:
    return (inner(g.h0 * g.mask_t * g.area_t) * inner(q)).sum((-3, -2, -1))


def test_a_density_of_temperature_alone_stays_where_a_passive_tracer_spreads():
    g, q = tilted()
    new = after(g, q, OF_HEAT_ALONE, 0.25 * DAY, 1000.0, 0.0)
    assert float((new - q)[0].abs().max()) < 1e-11
    assert float((new - q)[2].abs().max()) > 1e-2
    before, now = amount(g, q), amount(g, new)
    assert float(((now - before).abs() / amount(g, q.abs())).max()) < 1e-14
    assert float(amount(g, new[2] * new[2])) < float(amount(g, q[2] * q[2]))


@pytest.mark.parametrize("along", [0.0, 1000.0])
def test_neutral_surfaces_flatten_and_potential_energy_falls_in_every_step(along):
    g, q = tilted()

    def energy(q):
        return float(-(amount(g, OF_HEAT_ALONE(q[1], q[0], g.centre) * g.mask_t * g.centre)))

    levels, first = [energy(q)], amount(g, q)
    for _ in range(20):
        q = after(g, q, OF_HEAT_ALONE, 0.25 * DAY, along, 1000.0)
        levels.append(energy(q))
    assert (np.diff(levels) < 0.0).all()
    assert float(((amount(g, q) - first).abs() / first.abs().clamp(min=1.0))[:2].max()) < 1e-13


def dissipation(g: Geometry, q: torch.Tensor, c: torch.Tensor, along: float, steepest: float) -> torch.Tensor:
    """Half the rate (units of c squared times m3 s-1) at which diffusion along neutral surfaces takes variance of c."""
    slopes, total = [], torch.zeros((), dtype=c.dtype)
    for n in (0, 1):  # the coefficients by automatic differentiation, not by differences
        t, s = (a.clone().requires_grad_(n == i) for i, a in enumerate(q[:2]))
        slopes.append(torch.autograd.grad(teos10_anomaly(s, t, g.centre).sum(), (t, s)[n])[0])
    gap = 0.5 * (g.h0[:-1] + g.h0[1:])
    for axis, length, face in ((-1, g.dxu, g.wide_u * g.hu0), (-2, g.dyv, g.wide_v * g.hv0)):
        faces = g.h0.shape[axis] - 1
        length, face = length.narrow(axis, 0, faces), face.narrow(axis, 0, faces)
        for beside in (0, 1):
            for low in (0, 1):
                level = slice(low, g.levels - 1 + low)

                def x(a, level=level, axis=axis, faces=faces, length=length):
                    return ((a.narrow(axis, 1, faces) - a.narrow(axis, 0, faces)) / length)[level]

                def z(a, axis=axis, faces=faces, beside=beside):
                    return ((a[:-1] - a[1:]) / gap).narrow(axis, beside, faces)

                a, b = (d.narrow(axis, beside, faces)[level] for d in slopes)
                slope = (a * x(q[0]) + b * x(q[1])) / torch.clamp(-(a * z(q[0]) + b * z(q[1])), min=1e-8)
                taper = 0.5 * (1.0 + torch.tanh((1.0 - slope.abs() / steepest) / 0.25))
                volume = 0.25 * (face[level] * length) * g.below[:-1].narrow(axis, beside, faces)
                total = total + 0.5 * along * (volume * taper * (x(c) + slope * z(c)) ** 2).sum()
    return total


@pytest.mark.parametrize("seed", [1, 2])
def test_fluxes_are_the_derivative_of_the_variance_they_take_and_flattening_takes_none(seed):
    """Random water over a random floor on uneven cells, TEOS-10 (Griffies and others 1998, section 3): 1e-6."""
    rng = np.random.default_rng(seed)
    ny, nx = 9, 11
    dz, depth = np.sort(rng.uniform(10, 400, 6)), rng.uniform(30, 1500, (ny, nx))
    depth[rng.random((ny, nx)) < 0.2] = 0.0
    lon, lat = (start + np.cumsum(rng.uniform(0.2, 0.9, n + 1)) for start, n in ((150, nx), (-40, ny)))
    g = set_up(longitude_latitude(lon, lat), depth, dz, Parameters(600.0, 10)).geometry
    warm = 15.0 * torch.exp(-g.centre / 300.0)
    noise = torch.from_numpy(rng.normal(size=(3, *g.h0.shape)))
    q = torch.stack([warm + 1.5 * noise[0], 35.0 + 0.3 * noise[1], noise[2]]) * g.mask_t
    along, steepest, eta = 900.0, 8e-3, torch.zeros_like(g.depth_t)
    diffused, skew = (stir(q, eta, teos10_anomaly, *k, steepest, g) for k in ((along, 0.0), (0.0, 700.0)))
    volume = inner(g.area_t * g.mask_t)
    for n in range(3):
        c = q[n].clone().requires_grad_(True)
        (derivative,) = torch.autograd.grad(dissipation(g, q, c, along, steepest), c)
        own, h = inner(q[n]), inner(g.h0)
        up = torch.cat([diffused.diffusivity[:-1] * (own[:-1] - own[1:]) / (0.5 * (h[:-1] + h[1:])), 0.0 * own[:1]])
        gain = diffused.gain[n] - up + torch.cat([0.0 * up[:1], up[:-1]])
        assert float((gain * volume + inner(derivative)).abs().max()) < 1e-6 * float(inner(derivative).abs().max())
        taken = own * skew.gain[n] * volume
        assert abs(float(taken.sum())) < 1e-13 * float(taken.abs().sum())
    assert float(skew.diffusivity.abs().max()) == 0.0


def test_gradients_pass():
    g, q = tilted()
    window = (..., slice(4, 10), slice(4, 10))
    g = g.block(slice(4, 6), slice(4, 6))
    q = q[window].contiguous().requires_grad_(True)
    eta = torch.zeros_like(g.depth_t)

    def of(q):
        eddies = stir(q, eta, teos10_anomaly, 1000.0, 600.0, 4e-3, g)
        return 1e6 * eddies.gain, eddies.diffusivity

    assert torch.autograd.gradcheck(of, (q,), eps=1e-5, atol=1e-5, rtol=1e-3, fast_mode=True)


EDDIES = {"isoneutral_diffusivity": 1000.0, "thickness_diffusivity": 600.0, "biharmonic_velocity": 0.1}


def test_blocks_and_a_restart_give_the_bits_of_the_whole():
    sea = rough_basin(**EDDIES)
    sea.run(2)
    kept = State(**{n: v.clone() for n, v in sea.state.own().tensors().items()}, steps=sea.state.steps)
    blocks = run_in_blocks(sea, 2, 2, 3, 4)
    sea.run(3)
    again = rough_basin(**EDDIES)
    again.state = kept.with_halos(again.ocean.halo)
    again.run(3)
    for name, value in sea.state.own().tensors().items():
        assert torch.equal(blocks[name], value), name
        assert torch.equal(again.state.own().tensors()[name], value), name
    plain = rough_basin()
    plain.run(5)
    assert not torch.equal(plain.state.tracers, sea.state.tracers)


def test_a_biharmonic_viscosity_by_the_grid_takes_energy_where_cells_change_their_width():
    g = rough_basin().geometry
    torch.manual_seed(3)
    area = g.area_t * (1.0 + 3.0 * torch.rand_like(g.area_t))
    u, v = (torch.randn_like(g.mask_u) * m for m in (g.mask_u, g.mask_v))
    a_t, a_q = root_of_biharmonic(0.0, 0.1, area), root_of_biharmonic(0.0, 0.1, g.area_q)
    assert float(root_of_biharmonic(1e11, 0.0, area).square().mean()) == pytest.approx(1e11)
    # without partial cells the two Laplacians are each other's transpose
    flat = replace(g, slip=torch.where(g.slip == 1.0, 1.0, 0.0))
    lap = divergence_and_vorticity_force(u, v, a_t, a_q, flat)
    fu, fv = divergence_and_vorticity_force(*lap, at(a_t), at(a_q), flat)
    work = (inner(u * g.area_u * g.mask_u) * fu).sum() + (inner(v * g.area_v * g.mask_v) * fv).sum()
    assert float(work) > 0.0, "the force is less this"
