# SPDX-License-Identifier: BSD-3-Clause
"""Transport of tracers in one ventilated layer over a region, by winds on its cells; differentiable.

As `components.science.sphere_transport`, finite volumes of second order with the monotonized central slope (van Leer
1977) and Heun's two stages, but in the advective form: what the winds' divergence would gather in a layer of given
depth leaves it upwards, so that a constant stays constant. Outside the sides stands the background, departure zero,
unless the inflow brings another.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.science.advection import difference

ROOM = 2  # cells beyond the sides that a slope at them sees
COURANT = 0.5  # of a cell a step
LOST = 0.05  # of the departure a step, at most


class PlaneWinds(NamedTuple):
    """Winds of a period, and the tracer outside.

    Attributes
    ----------
    u, v : (ny, nx) along the grid's axes, m s-1
    outside : (ny, nx) departure of what flows in at the sides; cells inside count for nothing
    """

    u: Tensor
    v: Tensor
    outside: Tensor


class PlaneTransport:
    """Winds, a source, and a loss towards the background, which is zero.

    Parameters
    ----------
    dx, dy : (ny, nx) lengths of the cells along the axes, m
    loss_time : of the layer's ventilation, s
    """

    def __init__(self, dx: Tensor, dy: Tensor, loss_time: float):
        self.dx, self.dy, self.loss_time = dx, dy, loss_time

    def __call__(self, field: Tensor, source: Tensor, winds: PlaneWinds, seconds: float) -> Tensor:
        """The tracers ``seconds`` later.

        Parameters
        ----------
        field : (..., N, ny, nx) departure from the background
        source : the same shape, or one that goes with it; in the field's unit a second
        winds : of the period
        seconds : its length
        """
        fastest = float((winds.u.abs() / self.dx + winds.v.abs() / self.dy).max())
        steps = int(seconds * max(fastest / COURANT, 1.0 / (LOST * self.loss_time))) + 1
        dt = seconds / steps
        for _ in range(steps):
            first = field + dt * self._tendency(field, source, winds)
            field = 0.5 * (field + first + dt * self._tendency(first, source, winds))
        return field

    def _tendency(self, field: Tensor, source: Tensor, winds: PlaneWinds) -> Tensor:
        moved = _along(field, winds.outside, winds.u / self.dx, -1)
        moved = moved + _along(field, winds.outside, winds.v / self.dy, -2)
        return source - field / self.loss_time - moved


def _along(field: Tensor, outside: Tensor, rate: Tensor, dim: int) -> Tensor:
    """Wind times d(field)/d(axis) of an axis, in the field's unit a second."""
    q, edge, c = (a.transpose(dim, -1) for a in (field, outside, rate))
    room = (*q.shape[:-1], ROOM)
    low, high = (e.expand(room) for e in (edge[..., :1], edge[..., -1:]))
    wide = torch.cat([low, q, high], -1)
    step = difference(wide, -1)
    before, after = step[..., :-1], step[..., 1:]
    least, most = torch.minimum(before, after), torch.maximum(before, after)
    slope = torch.clamp(0.25 * (before + after), min=most.clamp(max=0.0), max=least.clamp(min=0.0))
    inner = wide[..., 1:-1]
    forward, backward = (inner + slope)[..., :-1], (inner - slope)[..., 1:]  # at the faces, from either side
    face = 0.5 * (c[..., 1:] + c[..., :-1])
    face = torch.cat([c[..., :1], face, c[..., -1:]], -1)
    value = torch.where(face > 0.0, forward, backward)
    flow = face * value
    gathered = q * difference(face, -1)
    out: Tensor = (difference(flow, -1) - gathered).transpose(dim, -1)
    return out


def along_axes(east: Any, north: Any, angle: Any) -> tuple[Tensor, Tensor]:
    """Wind along the grid's axes.

    Parameters
    ----------
    east, north : (ny, nx) m s-1
    angle : (ny, nx) from east to the x axis, radians
    """
    cos, sin = torch.cos(angle), torch.sin(angle)
    return east * cos + north * sin, north * cos - east * sin
