# SPDX-License-Identifier: BSD-3-Clause
"""What is dissolved moves with the soil's water: mass, mean depth, sign and gradients."""

import pytest
import torch

from components.land.column import dissolved
from components.land.column.cycles import solutes
from components.land.column.parameters import THICKNESS

D = torch.float64


def t(*values):
    return torch.tensor(values, dtype=D)


def layers_of(thickness):
    return torch.tensor(thickness, dtype=D)[:, None]


def draining(steps, thickness, q, at, theta=0.3):
    """Pulses spread over a layer under constant flows, a column each: amounts by step, and what left at the bottom."""
    layers, flow = layers_of(thickness), t(*q)
    water = 1000.0 * theta * layers + 0.0 * flow
    amounts = [torch.nn.functional.one_hot(torch.tensor(at), len(thickness)).to(D).T]
    gone = torch.zeros_like(flow)
    for _ in range(steps):
        # Water enters as fast as it leaves: nothing is stored.
        done = solutes.move(amounts[-1][:, None], 1.0, water, 0.0 * water, 0.0 * water, flow, 0.0 * flow, layers)
        amounts.append(done.amount[:, 0])
        gone = gone + (done.leached + done.washed)[0]
    return torch.stack(amounts), gone


def middles(thickness):
    layers = torch.tensor(thickness, dtype=D)
    return torch.cumsum(layers, 0) - 0.5 * layers


def test_a_pulse_of_nitrate_moves_with_the_water_and_keeps_its_mass():
    thickness = [0.02] * 60
    depth = middles(thickness)[:, None]
    amounts, gone = draining(50, thickness, [2.0, 60.0], [5, 5])
    assert (amounts[-1].sum(0) + gone).tolist() == pytest.approx([1.0, 1.0], abs=1e-12)
    moved = ((amounts[-1] * depth).sum(0) / amounts[-1].sum(0) - depth[5])[0].item()
    assert moved == pytest.approx(50 * 2.0 / 300.0, rel=0.01)
    assert gone[1] > 0.9


def test_on_the_columns_own_layers_a_pulse_moves_with_the_water_within_a_hundredth():
    """From the first step on, until a ten-thousandth has left through the bottom; .1, 1 and 5 mm a step."""
    depth = middles(THICKNESS)[:, None]
    q, at = [0.1, 1.0, 5.0] * 3, [0, 0, 0, 3, 3, 3, 5, 5, 5]
    amounts, _ = draining(250, THICKNESS, q, at)
    assert (amounts >= 0.0).all()
    inside = amounts.sum(1)
    moved = (amounts * depth).sum(1) / inside - depth[at, 0]
    gone = torch.arange(len(inside), dtype=D)[:, None] * t(*q) / 300.0
    held = inside > 1.0 - 1e-4
    assert (held.sum(0) > 15).all()
    assert torch.allclose(moved[held], gone[held], rtol=0.01, atol=0.0)


def test_a_pulse_rises_as_fast_as_it_sinks():
    sunk, _ = draining(100, THICKNESS, [1.0], [4])
    risen, _ = draining(100, THICKNESS[::-1], [-1.0], [5])
    assert torch.allclose(risen.flip(1), sunk, rtol=0, atol=1e-14)


@pytest.mark.parametrize("q", [1.0, -1.0])
def test_what_is_uniform_crosses_faces_as_it_is(q):
    """But for the layer that clean water enters, which thins from that side."""
    factor = dissolved.crossing(torch.ones(10, 2, dtype=D), torch.full((11, 2), q, dtype=D), layers_of(THICKNESS))
    inner = factor[2:] if q > 0.0 else factor[:-2]
    assert torch.allclose(inner, torch.ones_like(inner), rtol=0, atol=1e-15)


def test_water_that_leaves_without_any_coming_in_takes_what_it_holds():
    """A column that dries from the bottom: one concentration stays one."""
    down = torch.linspace(0.0, 10.0, 11, dtype=D)[:, None]
    factor = dissolved.crossing(torch.ones(10, 1, dtype=D), down, layers_of(THICKNESS))
    assert torch.allclose(factor, torch.ones_like(factor), rtol=0, atol=1e-15)


def test_what_moves_has_gradients():
    layers = layers_of(THICKNESS)
    zero = torch.zeros(10, 1, dtype=D)

    def left(amount, drainage):
        done = solutes.move(amount[:, None], 1.0, 300.0 * layers, zero, zero, drainage, t(0.5), layers)
        return done.amount, done.leached, done.washed

    amount = torch.linspace(1.0, 2.0, 10, dtype=D)[:, None].requires_grad_()
    assert torch.autograd.gradcheck(left, (amount, t(3.0).requires_grad_()), rtol=1e-6)
    pulse = torch.nn.functional.one_hot(torch.tensor(3), 10).to(D)[:, None].requires_grad_()
    given = torch.autograd.grad(left(pulse, t(3.0))[0][5].sum(), pulse)[0]
    assert torch.isfinite(given).all() and given[3] > 0.0


def test_solutes_keep_mass_in_any_flow_and_stay_positive():
    gen = torch.Generator().manual_seed(3)
    n, m = 10, 200
    water = 100.0 * torch.rand(n, m, dtype=D, generator=gen)
    stored = torch.minimum(20.0 * torch.randn(n, m, dtype=D, generator=gen), water)
    drawn = 3.0 * torch.rand(n, m, dtype=D, generator=gen)
    drained = 5.0 * torch.randn(m, dtype=D, generator=gen)
    amount = torch.rand(n, m, dtype=D, generator=gen)
    runoff = 4.0 * torch.rand(m, dtype=D, generator=gen)
    done = solutes.move(amount[:, None], 0.7, water, stored, drawn, drained, runoff, layers_of(THICKNESS))
    assert torch.allclose(done.amount.sum(0) + done.leached + done.washed, amount.sum(0)[None], rtol=0, atol=1e-12)
    assert (done.amount >= 0.0).all() and (done.washed >= 0.0).all() and (done.leached >= -1e-12).all()


@pytest.mark.parametrize("precision", [torch.float64, torch.float32])
@pytest.mark.parametrize("turned", [1.0, -1.0])
def test_the_kernel_has_the_bits_of_torch(turned, precision):
    gen = torch.Generator().manual_seed(5)
    capacity = 20.0 * torch.rand(10, 1, 300, dtype=D, generator=gen) + 1e-3
    down = turned * (3.0 * torch.randn(11, 1, 300, dtype=D, generator=gen) + 2.0)
    down = torch.where(torch.rand(11, 1, 300, dtype=D, generator=gen) < 0.1, 0.0, down)
    amount = torch.rand(10, 3, 300, dtype=D, generator=gen)
    amount = torch.where(torch.rand(10, 3, 300, dtype=D, generator=gen) < 0.3, 0.0, amount)
    given = [v.to(precision) for v in (amount, capacity, down, layers_of(THICKNESS)[:, None])]
    found, expected = dissolved.move(*given), dissolved.by_torch(*given)
    for name, a, b in zip(found._fields, found, expected, strict=True):
        assert torch.equal(a, b), name
    assert (found.value >= 0.0).all() and found.risen.max() > 0.0 and found.left.max() > 0.0
