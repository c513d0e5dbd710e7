# SPDX-License-Identifier: BSD-3-Clause
"""Rain and snow held by leaves."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import FREEZING_POINT

WATER_CAPACITY = 0.1  # kg m-2 of water per plant area (Dickinson et al. 1993)
SNOW_CAPACITY = 4.4  # kg m-2 of snow per plant area (Essery et al. 2003)
COLD_UNLOADING, WARM_UNLOADING = 864000.0, 172800.0  # s (Essery 2015)


class Held(NamedTuple):
    """Water on the canopy."""

    water: Tensor  # kg m-2
    snow: Tensor  # kg m-2


class Intercepted(NamedTuple):
    """Result of a step."""

    held: Held
    rain: Tensor  # reaches the ground, kg m-2
    snowfall: Tensor  # reaches the ground, kg m-2


def intercept(
    held: Held, rain: Tensor, snowfall: Tensor, plant_area: Tensor, canopy: Tensor, seconds: float
) -> Intercepted:
    """Catch rain and snow, let go what is too much, unload snow.

    Leaves that have I of I* take .7 (I* - I) (1 - exp(-P/I*)) of a snowfall P (Hedstrom and Pomeroy 1998; Essery et
    al. 2003).

    Parameters
    ----------
    held
        Stores at the start.
    rain, snowfall
        kg m-2 in this step.
    plant_area
        Leaf and stem area index.
    canopy
        Canopy temperature, K: snow falls off within two days above freezing and ten below.
    seconds
        Step.
    """
    caught = 0.25 * (1.0 - torch.exp(-0.5 * plant_area))
    water = held.water + caught * rain
    most = WATER_CAPACITY * plant_area
    drip = torch.clamp(water - most, min=0.0)
    capacity = SNOW_CAPACITY * plant_area
    room = torch.clamp(capacity - held.snow, min=0.0)
    loaded = 0.7 * room * -torch.expm1(-torch.clamp(snowfall / torch.clamp(capacity, min=1e-9), max=50.0))
    snow = held.snow + loaded
    rate = torch.where(canopy > FREEZING_POINT, canopy.new_tensor(1.0 / WARM_UNLOADING), 1.0 / COLD_UNLOADING)
    fallen = snow * torch.clamp(rate * seconds, max=1.0)
    fallen = torch.where(plant_area > 0.0, fallen, snow)
    return Intercepted(Held(water - drip, snow - fallen), rain - caught * rain + drip, snowfall - loaded + fallen)


def evaporate(held: Held, frozen_share: Tensor, loss: Tensor) -> tuple[Held, Tensor, Tensor]:
    """Take evaporated water from both stores by their shares.

    Parameters
    ----------
    held : water and snow on the leaves, kg m-2
    frozen_share : of what evaporates, 0-1
    loss : kg m-2

    Returns
    -------
    stores, what was not there, and the ice in that (kg m-2)
    """
    water, white = held.water - (1.0 - frozen_share) * loss, held.snow - frozen_share * loss
    lacking = torch.clamp(-white, min=0.0)
    short = torch.clamp(-water, min=0.0) + lacking
    return Held(torch.clamp(water, min=0.0), torch.clamp(white, min=0.0)), short, lacking


def wet_fraction(held: Held, plant_area: Tensor) -> Tensor:
    """Share of the leaves that is wet or white, (W/Wmax)^(2/3) (Deardorff 1978).

    Parameters
    ----------
    held : water and snow on the leaves, kg m-2
    plant_area : (columns,) leaf and stem area index, m2 m-2
    """
    area = torch.clamp(plant_area, min=1e-6)
    share = held.water / (WATER_CAPACITY * area) + held.snow / (SNOW_CAPACITY * area)
    wet = torch.exp(torch.log(torch.clamp(share, 1e-12, 1.0)) * 0.6666666666666666)
    return torch.where(share > 1e-9, wet, 0.0 * wet)
