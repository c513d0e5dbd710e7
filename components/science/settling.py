# SPDX-License-Identifier: BSD-3-Clause
"""Settling of what falls through the air: implicit upstream differences, stable for any step."""

from typing import Any

import torch
from torch import Tensor

from components.science.kernels import columns


def fall(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    """Sedimentation with implicit upstream differences from the top down; conserves what falls.

    On the CPU by a kernel, elsewhere by `by_levels`, with the same bits.

    Parameters
    ----------
    q : (nz, y, x) mixing ratio, kg/kg; ``speed`` its fall speed, m/s
    rho, mass : density of dry air (kg m-3) and mass of dry air in the layer (kg m-2)
    dt : time step, s

    Returns
    -------
    q : after ``dt`` seconds
    surface : (y, x) what reached the ground, kg m-2
    """
    if q.device.type == "cpu":
        after, surface = _fall(q, speed, rho, mass, float(dt))
        return after, surface
    return by_levels(q, speed, rho, mass, dt)


def by_levels(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    """`fall` in torch, level by level.

    Parameters
    ----------
    q, speed, rho, mass, dt : as `fall` has them
    """
    falling = torch.zeros_like(q[0])
    layers = []
    for k in range(q.shape[0] - 1, -1, -1):
        layer = (mass[k] * q[k] + falling) / (mass[k] + dt * rho[k] * speed[k])
        falling = dt * rho[k] * speed[k] * layer
        layers.append(layer)
    return torch.stack(layers[::-1]), falling


@torch.library.custom_op("tessera::fall", mutates_args=(), device_types="cpu")
def _fall(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    shape = q.shape[0], q[0].numel()
    after, surface = q.new_empty(q.shape), q.new_empty(q.shape[1:])
    air = [a.detach().contiguous().view(shape).numpy() for a in (q, speed, rho, mass)]
    columns.fall(*air, air[0].dtype.type(dt), after.view(shape).numpy(), surface.view(shape[1:]).numpy())
    return after, surface


@_fall.register_fake
def _(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    return q.new_empty(q.shape), q.new_empty(q.shape[1:])


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:4], output[0])
    ctx.dt = inputs[4]


def _backward(ctx: Any, of_q: Tensor, of_surface: Tensor) -> tuple[Tensor | None, ...]:
    """From the ground up: what a layer's content is worth there and, by what falls out of it, in the layers below."""
    q, speed, rho, mass, after = ctx.saved_tensors
    moves = ctx.dt * rho * speed
    below, worth, next_worth = of_surface, [], []
    for k in range(q.shape[0]):
        next_worth.append(below)  # of a kilogram that falls out of the layer
        below = (of_q[k] + moves[k] * below) / (mass[k] + moves[k])
        worth.append(below)  # of one that is in it
    inside = torch.stack(worth)
    of_moves = after * (torch.stack(next_worth) - inside)
    return mass * inside, ctx.dt * rho * of_moves, ctx.dt * speed * of_moves, inside * (q - after), None


_fall.register_autograd(_backward, setup_context=_keep)
