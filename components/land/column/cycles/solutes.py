# SPDX-License-Identifier: BSD-3-Clause
"""Nitrate, dissolved organic carbon and phosphorus: they move with the soil's water and leave with runoff."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column import dissolved
from components.land.column.soil_flow import flows
from components.science.sums import in_order

LEAST_WATER = 1e-3  # kg m-2 that dissolve what a frozen or dry layer holds
EXTRACTED = 0.2  # concentration of surface runoff over that of the uppermost layer (SWAT's NPERCO)


class Carried(NamedTuple):
    """Dissolved matter after a step.

    Attributes
    ----------
    amount : (layer, m, columns) in store, kg m-2
    leached : (m, columns) through the bottom
    washed : (m, columns) with runoff at the surface
    """

    amount: Tensor
    leached: Tensor
    washed: Tensor


def move(
    amount: Tensor, mobile: Tensor | float, water: Tensor, stored: Tensor, drawn: Tensor, drainage: Tensor,
    runoff: Tensor, thickness: Tensor,
) -> Carried:  # fmt: skip
    """Move what is dissolved with the flows of `water_heat.move_soil_water`.

    Roots and evaporation take water alone; water that enters at the surface, or from below, brings nothing. The mean
    depth moves as fast as the water, and nothing falls below nothing (`dissolved.crossing`).

    Parameters
    ----------
    amount : (layer, m, columns) of each of m, kg m-2
    mobile : (layer, m, columns) or a number, dissolved share of the amount; the rest stays with the soil
    water : (layer, columns) in the layers at the end of the step, kg m-2
    stored, drawn : (layer, columns) kg m-2, see `soil_flow.flows`
    drainage : (columns,) through the bottom, kg m-2
    runoff : (columns,) at the surface, kg m-2
    thickness : (layer, 1) m
    """
    down = torch.stack(flows(stored, drawn, drainage))
    free = mobile * amount
    bound = amount - free
    capacity = torch.clamp(water, min=LEAST_WATER)[:, None]
    moved = dissolved.move(free, capacity, down[:, None], thickness[:, None])
    inside = capacity * moved.value
    swept = inside[0] * -torch.expm1(-EXTRACTED * torch.clamp(runoff, min=0.0) / capacity[0])
    # What the solver's rounding leaves over goes out with the water, so that mass closes.
    over = in_order(free, 0) - in_order(inside, 0) - moved.left - moved.risen
    inside = torch.cat([(inside[0] - swept)[None], inside[1:]])
    return Carried(inside + bound, moved.left + over, swept + moved.risen)
