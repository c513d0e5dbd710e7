# SPDX-License-Identifier: BSD-3-Clause
"""One layer around the sphere: what transport keeps, how fast it converges, and that it can be differentiated."""

import math

import numpy as np
import pytest
import torch

from components.science.constants import EARTH_RADIUS
from components.science.sphere_transport import (
    MemberTransport,
    SphereFluxes,
    SphereGrid,
    SphereTransport,
    divergence,
    fluxes_of_streamfunction,
    fluxes_of_wind,
    winds_of_fluxes,
)

NEVER = 1e30


def corners(grid):
    lat = torch.deg2rad(torch.as_tensor(grid.corner_latitude))[:, None]
    lon = torch.deg2rad(torch.as_tensor(grid.corner_longitude))[None, :]
    return lat, lon


def turning(grid, speed, tilt):
    """Solid turning about an axis tilted from the pole's (Williamson et al. 1992, case 1), m2 s-1 at the corners."""
    lat, lon = corners(grid)
    psi = -speed * EARTH_RADIUS * (torch.sin(lat) * math.cos(tilt) - torch.cos(lon) * torch.cos(lat) * math.sin(tilt))
    return fluxes_of_streamfunction(psi.to(grid.area.dtype))


def stirring(grid):
    lat, lon = corners(grid)
    wave = torch.cos(lat) ** 3 * torch.sin(4.0 * lon) + 0.5 * torch.cos(lat) ** 2 * torch.cos(2.0 * lon + 1.0)
    return fluxes_of_streamfunction((EARTH_RADIUS * (8.0 * wave - 15.0 * torch.sin(lat))).to(grid.area.dtype))


def test_a_constant_stays_and_the_sum_is_kept():
    grid = SphereGrid(45, 60)
    move = SphereTransport(grid, NEVER)
    field = torch.rand((2, 45, 60), generator=torch.Generator().manual_seed(1)) * 20.0
    field[0] = 400.0
    new = move(field, torch.zeros(()), stirring(grid), 86400.0)
    assert (new[0] / 400.0 - 1.0).abs().max() < 4e-7
    total = ((field[1] * grid.area).double().sum(), (new[1] * grid.area).double().sum())
    assert abs(total[1] / total[0] - 1.0) < 1e-6
    assert new[1].min() > -1e-4 and new[1].max() < 20.001  # monotone


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_for_many_tracers_has_the_bits_of_torch(dtype):
    grid = SphereGrid(15, 20, dtype)
    generator = torch.Generator().manual_seed(1)
    field = torch.randn((2, 5, 15, 20), generator=generator, dtype=dtype)
    kept, source = field.clone(), 1e-5 * torch.randn((2, 1, 15, 20), generator=generator, dtype=dtype)
    winds = SphereFluxes(*(torch.stack([a, -0.5 * a]) for a in stirring(grid)))
    slow, fast = (move(grid, 8 * 86400.0)(field, source, winds, 10800.0) for move in (SphereTransport, MemberTransport))
    assert torch.equal(slow, fast) and torch.equal(field, kept)


def bell_error(ny):
    """Mean error after a quarter of a turn, relative to the bell's own size."""
    grid = SphereGrid(ny, ny * 4 // 3, torch.float64)
    speed = 2.0 * math.pi * EARTH_RADIUS / (12.0 * 86400.0)
    lat, lon = (torch.deg2rad(a) for a in (grid.latitude[:, None], grid.longitude[None, :]))

    def bell(lon0):
        near = torch.cos(lat) * torch.cos(lon - lon0)
        return torch.exp(-(torch.acos(near.clamp(-1.0, 1.0)) ** 2) / 0.15)

    step = 450.0 * 45 / ny
    move = SphereTransport(grid, NEVER, step)
    got = move(bell(math.pi / 2)[None], torch.zeros((), dtype=torch.float64), turning(grid, speed, 0.0), 3.0 * 86400.0)
    wrong = (got[0] - bell(math.pi)).abs() * grid.area
    return float(wrong.sum() / (bell(math.pi) * grid.area).sum())


def test_a_bell_converges_at_second_order():
    coarse, fine = bell_error(45), bell_error(90)
    assert math.log2(coarse / fine) > 1.7, (coarse, fine)


def test_over_the_pole_nothing_is_lost_and_little_is_smeared():
    grid = SphereGrid(45, 60, torch.float64)
    lat, lon = (torch.deg2rad(a) for a in (grid.latitude[:, None], grid.longitude[None, :]))
    bell = torch.exp(-(torch.acos((torch.cos(lat) * torch.cos(lon - math.pi / 2)).clamp(-1.0, 1.0)) ** 2) / 0.3)
    speed = 2.0 * math.pi * EARTH_RADIUS / (12.0 * 86400.0)
    move = SphereTransport(grid, NEVER, 200.0)
    got = move(bell[None], torch.zeros((), dtype=torch.float64), turning(grid, speed, math.pi / 2), 6.0 * 86400.0)[0]
    other = torch.roll(bell, 30, -1)
    assert abs(float((got * grid.area).sum() / (bell * grid.area).sum()) - 1.0) < 1e-12
    assert float(torch.sqrt(((got - other) ** 2 * grid.area).sum() / (other**2 * grid.area).sum())) < 0.25


@pytest.mark.parametrize("transport", [SphereTransport, MemberTransport])
def test_a_wind_over_the_poles_crosses_no_cell_in_a_step(transport):
    """2 degrees, 30 m/s: 3.5 of a cell at the pole would leave it in 450 s, which ended in NaN within six days."""
    grid = SphereGrid(90, 180)
    winds = turning(grid, 30.0, math.pi / 2)
    move = transport(grid, NEVER)
    assert move.steps(winds, 3600.0) == 28 > 8
    field = torch.ones((1, 90, 180))
    field[:, 80:, 40:60] = 2.0
    got = move(field, torch.zeros(()), winds, 6.0 * 3600.0)
    assert 1.0 - 1e-5 < float(got.min()) and float(got.max()) < 2.0 + 1e-5


def test_loss_and_source_reach_their_balance():
    grid = SphereGrid(12, 16, torch.float64)
    tau = 86400.0
    move = SphereTransport(grid, tau)
    got = move(torch.zeros((1, 12, 16), dtype=torch.float64), torch.tensor(2.0 / 86400.0), stirring(grid), tau)
    np.testing.assert_allclose(got, 2.0 * (1.0 - math.exp(-1.0)), rtol=1e-5)


def test_a_wind_loses_its_divergence_and_little_else():
    grid = SphereGrid(45, 60, torch.float64)
    exact = stirring(grid)
    u, v = winds_of_fluxes(grid, exact)
    got = fluxes_of_wind(grid, u, v)
    out = divergence(torch.ones((45, 60), dtype=torch.float64), got) / grid.area
    assert out.abs().max() < 1e-14
    again = winds_of_fluxes(grid, got)
    assert torch.sqrt(((again[0] - u) ** 2).mean()) < 0.05 * u.std()
    assert torch.sqrt(((again[1] - v)[2:-2] ** 2).mean()) < 0.05 * v.std()


def test_the_gradient_is_that_of_differences():
    grid = SphereGrid(8, 12, torch.float64)
    move = SphereTransport(grid, 8.0 * 86400.0, 3600.0)
    winds = stirring(grid)
    start = torch.rand((1, 8, 12), generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def end(field):
        return move(field, torch.zeros((), dtype=torch.float64), winds, 10800.0)[0, 4, 5]

    at = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(end(at), at)
    way = torch.rand(start.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    slope = (end(start + 1e-6 * way) - end(start - 1e-6 * way)) / 2e-6
    assert float((gradient * way).sum()) == pytest.approx(float(slope), rel=1e-6)
