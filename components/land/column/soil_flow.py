# SPDX-License-Identifier: BSD-3-Clause
"""What water carries through the soil, heat or anything dissolved: one implicit step for both, upwind for heat.

What is dissolved takes flows that `dissolved.crossing` corrects for layers of unlike thickness.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.column_solver import solve


class Moved(NamedTuple):
    """Layers after their water has moved.

    Attributes
    ----------
    value : (layer, ...) temperature or concentration, uniform in a layer
    surface : what left upward through the surface less what came in with the water that entered
    """

    value: list[Tensor]
    surface: Tensor


def flows(stored: Tensor, drawn: Tensor, drainage: Tensor) -> list[Tensor]:
    """Flow of water down through every face from the surface on, kg m-2 a step, from the balance of each layer.

    Parameters
    ----------
    stored : (layer, ...) water gained by each layer, kg m-2
    drawn : (layer, ...) taken out of it by roots and by evaporation, kg m-2
    drainage : (...) through the bottom, kg m-2
    """
    found = [drainage]
    for i in range(stored.shape[0] - 1, -1, -1):
        found.append(found[-1] + stored[i] + drawn[i])
    return list(reversed(found))


def carry(
    amount: Tensor, capacity: Tensor, down: list[Tensor], drawn: list[Tensor], entering: Tensor, leaving: Tensor
) -> Moved:
    """Values of layers such that capacity times value is what was there and what the flows brought and took.

    Upwind and implicit: no flow is too fast for a thin layer, and what is uniform stays so.

    Parameters
    ----------
    amount : (layer, ...) at the start
    capacity : (layer, ...) at the end, amount per value
    down : faces from the surface to the bottom, each (...): what flows down per value
    drawn : layers, each (...): what is taken out per value
    entering : (...) value of what enters at the surface
    leaving : (...) what flows out through the bottom per value, ``down[-1]`` or its positive part
    """
    n = amount.shape[0]
    forward = [torch.clamp(f, min=0.0) for f in down]
    backward = [torch.clamp(f, max=0.0) for f in down]
    right = [amount[0] + forward[0] * entering, *amount[1:].unbind(0)]
    diagonal = []
    for i in range(n):
        out = leaving if i == n - 1 else forward[i + 1]
        diagonal.append(capacity[i] + out - backward[i] + drawn[i])
    lower = [-f for f in forward[:n]]
    upper = [*backward[1:n], torch.zeros_like(leaving)]
    new = list(solve(*(torch.stack(rows) for rows in (lower, diagonal, upper, right))).unbind(0))
    return Moved(new, forward[0] * entering + backward[0] * new[0])
