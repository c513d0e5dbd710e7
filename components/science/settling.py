# SPDX-License-Identifier: BSD-3-Clause
"""What sinks through layers of air: implicit upstream differences from the top down, stable for any step."""

from typing import Any

import torch
from torch import Tensor, library

from components.science.kernel_arrays import flat, plain


def fall(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    """Sedimentation with implicit upstream differences from the top down; conserves what falls.

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
    given = q, speed, rho, mass
    if plain(*given) and len({a.dtype for a in given}) == 1:
        return _fall(*given, dt)
    return sink(mass * q, dt * rho * speed, mass)


def _fall(q: Tensor, speed: Tensor, rho: Tensor, mass: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    from components.science.kernels import columns  # numba is slow to load

    x, out = q.new_empty(q.shape), q.new_empty(q.shape[1:])
    form = len(q), q[0].numel()
    v, r, m = (flat(a.expand(q.shape), form) for a in (speed, rho, mass))
    columns.fall(flat(q, form), v, r, m, dt, flat(x, form), flat(out, form[1:]))
    return x, out


def sink(content: Tensor, moves: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    """Values x of layers such that (mass + moves) x is the content and what moves in from above.

    On the CPU by a kernel, which is one operation to `torch.compile`; elsewhere by `by_levels`, with the same bits.

    Parameters
    ----------
    content : (nz, ...), or (nz, m, ...) of m quantities: mass times value before
    moves : (nz, ...) mass that sinks out of the layer, kg m-2
    mass : (nz, ...) of the layer, kg m-2

    Returns
    -------
    x : of the shape of ``content``
    out : what has left the lowest layer
    """
    given = content, moves.to(content.dtype), mass.to(content.dtype)
    if plain(*given):
        return _by_kernel(*given)
    if content.device.type == "cpu":
        x, out = _sink(*given)
        return x, out
    return by_levels(content, moves, mass)


def by_levels(content: Tensor, moves: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    """`sink` in torch, level by level.

    Parameters
    ----------
    content, moves, mass : as `sink` has them
    """
    sinking, layers = torch.zeros_like(content[0]), []
    for k in range(content.shape[0] - 1, -1, -1):
        layers.append((content[k] + sinking) / (mass[k] + moves[k]))
        sinking = moves[k] * layers[-1]
    return torch.stack(layers[::-1]), sinking


def _by_kernel(content: Tensor, moves: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    from components.science.kernels import columns  # numba is slow to load

    nz, n = moves.shape[0], moves[0].numel()
    many = (nz, content[0].numel() // max(n, 1), n)
    x, out = content.new_empty(content.shape), content.new_empty(content.shape[1:])
    columns.sink(
        flat(content, many), flat(moves, (nz, n)), flat(mass, (nz, n)), flat(x, many), flat(out, many[1:])
    )  # fmt: skip
    return x, out


# for those who trace or ask for a gradient: its first call loads torch's compiler, seconds in every process
_sink = library.custom_op("tessera::sink", _by_kernel, mutates_args=(), device_types="cpu")


@_sink.register_fake
def _(content: Tensor, moves: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    return content.new_empty(content.shape), content.new_empty(content.shape[1:])


def _keep(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[1:], output[0])


def _backward(ctx: Any, of_x: Tensor, of_out: Tensor) -> tuple[Tensor, ...]:
    """From the ground up: what a layer's content is worth there and, by what sinks out of it, in the layers below."""
    moves, mass, x = ctx.saved_tensors
    below, inside, outside = of_out, [], []
    for k in range(x.shape[0]):
        outside.append(below)  # of a kilogram that sinks out of the layer
        below = (of_x[k] + moves[k] * below) / (mass[k] + moves[k])
        inside.append(below)  # of one that is in it
    worth = torch.stack(inside)
    parts = [x * (torch.stack(outside) - worth), -worth * x]
    while parts[0].dim() > mass.dim():
        parts = [sum(a.unbind(1)[1:], a[:, 0]) for a in parts]
    return worth, *parts


_sink.register_autograd(_backward, setup_context=_keep)
