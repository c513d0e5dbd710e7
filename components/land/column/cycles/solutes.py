# SPDX-License-Identifier: BSD-3-Clause
"""Nitrate, dissolved organic carbon and phosphorus: they move with the soil's water and leave with runoff."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.soil_flow import carry, flows
from components.science.sums import in_order

LEAST_WATER = 1e-3  # kg m-2 that dissolve what a frozen or dry layer holds
EXTRACTED = 0.2  # concentration of surface runoff over that of the uppermost layer (SWAT's NPERCO)


class Carried(NamedTuple):
    """Dissolved matter after a step.

    Attributes
    ----------
    amount : (layer, ...) in store, kg m-2
    leached : (...) through the bottom
    washed : (...) with runoff at the surface
    """

    amount: Tensor
    leached: Tensor
    washed: Tensor


def move(
    amount: Tensor, mobile: Tensor | float, water: Tensor, stored: Tensor, drawn: Tensor, drainage: Tensor,
    runoff: Tensor,
) -> Carried:  # fmt: skip
    """Move what is dissolved with the flows of `water_heat.move_soil_water`.

    Roots and evaporation take water alone; water that enters at the surface, or from below, brings nothing.

    Parameters
    ----------
    amount : (layer, ...) kg m-2
    mobile : (layer, ...) or a number, dissolved share of the amount; the rest stays with the soil
    water : (layer, ...) in the layers at the end of the step, kg m-2
    stored, drawn : (layer, ...) kg m-2, see `soil_flow.flows`
    drainage : (...) through the bottom, kg m-2
    runoff : (...) at the surface, kg m-2
    """
    down = flows(stored, drawn, drainage)
    free = mobile * amount
    bound = amount - free
    nothing = torch.zeros_like(drainage)
    capacity = torch.clamp(water, min=LEAST_WATER)
    leaving = torch.clamp(down[-1], min=0.0)
    moved = carry(free, capacity, down, [nothing] * amount.shape[0], nothing, leaving)
    inside = torch.stack([capacity[i] * value for i, value in enumerate(moved.value)])
    leached = leaving * moved.value[-1]
    swept = inside[0] * -torch.expm1(-EXTRACTED * torch.clamp(runoff, min=0.0) / capacity[0])
    # What the solver's rounding leaves over goes out with the water, so that mass closes.
    exfiltrated = -moved.surface
    over = in_order(free, 0) - in_order(inside, 0) - leached - exfiltrated
    inside = torch.cat([(inside[0] - swept)[None], inside[1:]])
    return Carried(inside + bound, leached + over, swept + exfiltrated)
