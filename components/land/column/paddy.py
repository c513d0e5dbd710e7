# SPDX-License-Identifier: BSD-3-Clause
"""Paddies: water that stands behind bunds while rice grows, kept up by irrigation, seeping through a puddled soil.

Depths and seepage are those of common practice (Bouman et al. 2007): 5 cm of water, bunds of 10 cm, 2 to 6 mm a day
through the plough pan. Fields are drained when the crop is mature. The water has the warmth of the soil that it meets.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.cycles.crop_development import MATURE, SOWN
from components.land.column.parameters import Parameters
from components.science.constants import FREEZING_POINT

DEPTH, BUNDS = 50.0, 100.0  # kg m-2, that irrigation keeps and bunds hold
FILLING = 30.0 / 86400.0  # kg m-2 s-1, at most
SEEPAGE = 5.0 / 86400.0  # kg m-2 s-1, through the plough pan


class Flooding(NamedTuple):
    """Water on the ground in a step, one value a column.

    Attributes
    ----------
    standing : at the start with what is let in, kg m-2
    supply : irrigation that stands at once, kg m-2 s-1
    bunds : what can stand at the end, kg m-2; 0 where nothing is flooded
    """

    standing: Tensor
    supply: Tensor
    bunds: Tensor


def is_flooded(state: State, p: Parameters) -> Tensor:
    """Columns of rice between sowing and maturity, (columns,).

    Parameters
    ----------
    state : State at the start
    p : Parameters of the columns
    """
    assert state.cycles is not None and p.cycles is not None
    phase = state.cycles.crop.phase
    return (p.cycles.farming.paddy > 0.5) & (phase >= SOWN) & (phase < MATURE)


def flood(state: State, p: Parameters, seconds: float) -> Flooding | None:
    """Fill the paddies; None where there are none.

    Parameters
    ----------
    state : State at the start
    p : Parameters of the columns
    seconds : length of the step, s
    """
    if state.pond is None:
        return None
    flooded, none = is_flooded(state, p), torch.zeros_like(state.pond)
    lacking = torch.clamp(DEPTH - state.pond, min=0.0) / seconds
    thawed = flooded & (state.soil_temperature[0] > FREEZING_POINT)
    supply = torch.where(thawed, torch.clamp(lacking, max=FILLING), none)
    return Flooding(state.pond + seconds * supply, supply, torch.where(flooded, none + BUNDS, none))


def seeping(flooding: Flooding, offered: Tensor, arriving: Tensor, demand: Tensor, seconds: float) -> Tensor:
    """Water that may enter the soil, kg m-2: under standing water what the pan lets through, and what is drawn above.

    Parameters
    ----------
    flooding : of the step
    offered : to the soil without a pan, kg m-2
    arriving : all water on the ground, kg m-2
    demand : of evaporation and roots, kg m-2
    seconds : length of the step, s
    """
    through = torch.minimum(arriving, torch.clamp(demand, min=0.0) + SEEPAGE * seconds)
    return torch.where(flooding.bunds > 0.0, through, offered)
