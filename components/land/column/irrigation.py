# SPDX-License-Identifier: BSD-3-Clause
"""Irrigation of crops by deficit: sprinklers that run while the soil where roots are has too little water."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.column_state import Forcing, State
from components.land.column.cycles.crop_development import MATURE, VEGETATIVE
from components.land.column.growth import available_water
from components.land.column.paddy import is_flooded
from components.land.column.parameters import Parameters
from components.science.constants import FREEZING_POINT
from components.science.surface_fields import RIVER_WATER

IRRIGATION = "irrigation_from_outside"
DEFICIT = 0.5  # share of the available water below which it runs
RATE = 20.0 / 86400.0  # kg m-2 s-1 at most, where nothing is left
FULL = 0.25  # share of the available water by which the deficit opens the sprinklers whole


def sprinkle(state: State, forcing: Forcing, p: Parameters) -> tuple[Forcing, Tensor]:
    """The step's forcing with irrigation as rain, and the irrigation, kg m-2 s-1, which comes from outside the column.

    Parameters
    ----------
    state : State at the start
    forcing : Forcing of the step
    p : Parameters of the columns
    """
    none = torch.zeros_like(forcing.rain)
    if state.cycles is None or p.cycles is None:
        return forcing, none
    phase = state.cycles.crop.phase
    growing = (p.cycles.farming.crop > 0.5) & (phase >= VEGETATIVE) & (phase < MATURE)
    if state.pond is not None:
        growing = growing & ~is_flooded(state, p)
    lacking = torch.clamp((DEFICIT - available_water(p, state.liquid)) / FULL, 0.0, 1.0)
    water = torch.where(growing & (state.soil_temperature[0] > FREEZING_POINT), RATE * lacking, none)
    return forcing._replace(rain=forcing.rain + water), water


def out_of_rivers(given: dict[str, Tensor], available: Tensor) -> dict[str, Tensor]:
    """Exports with irrigation drawn from rivers as far as they have water; only the rest comes from outside.

    Parameters
    ----------
    given : dict of str to Tensor
        Exports by cell, with all irrigation as from outside.
    available : Tensor
        Most that the rivers give, kg m-2 s-1, by cell.
    """
    wanted = given[IRRIGATION].cpu()
    drawn = torch.minimum(wanted, available)
    return {**given, IRRIGATION: wanted - drawn, RIVER_WATER: drawn}
