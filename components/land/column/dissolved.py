# SPDX-License-Identifier: BSD-3-Clause
"""What is dissolved in the soil's water moves with it, its mean depth as fast as the water, whatever the layers.

Upwind, the mean depth moves too fast in layers that thicken downward, by half of what each is thicker than the one
above, since what is uniform in a layer leaves it from its middle. The concentrations at faces correct that.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.soil_flow import carry
from components.science.kernel_arrays import flat, plain

TURNS = 3  # of the concentrations at faces by those of the layers, from upwind on: see test_land_solutes.py


class Moved(NamedTuple):
    """After the water has moved.

    Attributes
    ----------
    value : (layer, ...) concentration
    risen : (...) what has left upward through the surface
    left : (...) through the bottom
    """

    value: Tensor
    risen: Tensor
    left: Tensor


def move(amount: Tensor, capacity: Tensor, down: Tensor, thickness: Tensor) -> Moved:
    """Concentrations after a step, implicit in them; water that comes in brings nothing.

    Positive, whatever the flow: each turn solves a system that keeps signs and mass.

    Parameters
    ----------
    amount : (layer, m, columns) of each of m, 0 or more, kg m-2
    capacity : (layer, 1, columns) water at the end, kg m-2
    down : (face, 1, columns) flow of water from the surface to the bottom, positive down, kg m-2
    thickness : (layer, 1, 1) m
    """
    if plain(amount, capacity, down, thickness):
        return _by_kernel(amount, capacity, down, thickness)
    return by_torch(amount, capacity, down, thickness)


def by_torch(amount: Tensor, capacity: Tensor, down: Tensor, thickness: Tensor) -> Moved:
    """`move` in torch.

    Parameters
    ----------
    amount, capacity, down, thickness : as `move` has them
    """
    none = torch.zeros_like(amount[0])
    passing, layers = down + 0.0 * amount[:1], [none] * amount.shape[0]
    for turn in range(TURNS + 1):
        leaving = torch.clamp(passing[-1], min=0.0)
        value, surface = carry(amount, capacity + none, list(passing.unbind(0)), layers, none, leaving)
        if turn < TURNS:
            passing = crossing(torch.stack(value), down, thickness) * down
    return Moved(torch.stack(value), -surface, leaving * value[-1])


def _by_kernel(amount: Tensor, capacity: Tensor, down: Tensor, thickness: Tensor) -> Moved:
    from components.land.column.kernels import dissolved  # numba is slow to load

    layers, m, n = amount.shape
    value, risen, left = torch.empty_like(amount), amount.new_empty(m, n), amount.new_empty(m, n)
    given = flat(amount, (layers, m, n)), flat(capacity, (layers, n)), flat(down, (layers + 1, n))
    out = value.numpy(), risen.numpy(), left.numpy()
    dissolved.move(*given, flat(thickness, (layers,)), TURNS, *out)
    return Moved(value, risen, left)


def crossing(value: Tensor, down: Tensor, thickness: Tensor) -> Tensor:
    """What crosses each face over what the layer that it leaves holds, such that the mean depth moves with the water.

    With F what crosses a face, d its distance between centres and h c of a layer what its water holds a unit of depth,
    sum F d = q sum h c if F d = q (h c - S + S'), whatever S a layer has (S' is the next one's). Half of h times the
    lesser of c and of the c before it, in the direction of the flow, keeps what is uniform and takes nothing out of
    a layer that has nothing. Without a state within the layers this cannot be had without fronts that overshoot.

    Parameters
    ----------
    value : (layer, ...) concentration, 0 or more; beyond the surface and the bottom there is none
    down : (face, ...) flow of water from the surface to the bottom, positive down
    thickness : (layer, 1, ...) m

    Returns
    -------
    (face, ...) factors, from 0 to 2; 1 where nothing flows
    """
    falling = _downward(value, torch.clamp(down, min=0.0), thickness)
    rising = _downward(value.flip(0), torch.clamp(-down, min=0.0).flip(0), thickness.flip(0)).flip(0)
    one = torch.ones_like(value[:1])
    return torch.where(down > 0.0, torch.cat([one, falling]), torch.cat([rising, one]))


def _downward(value: Tensor, flow: Tensor, thickness: Tensor) -> Tensor:
    """`crossing` of the faces below the layers where all that flows (0 or more) goes on to the next layer."""
    none = torch.zeros_like(value[:1])
    nothing = value <= 0.0
    held = torch.where(nothing, 1.0, value)
    before = torch.where(nothing, 0.0, torch.clamp(torch.cat([none, value[:-1]]) / held, max=1.0))
    after = torch.where(nothing, 0.0, torch.clamp(torch.cat([value[1:], value[-1:]]) / held, max=1.0))
    beyond = torch.cat([thickness[1:], thickness[-1:]])
    still = flow[1:] <= 0.0
    through = torch.where(still, 0.0, torch.clamp(flow[:-1] / torch.where(still, 1.0, flow[1:]), max=1.0))
    return (thickness * (1.0 + through * (1.0 - before)) + beyond * after) / (thickness + beyond)
