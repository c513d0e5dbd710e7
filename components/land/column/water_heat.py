# SPDX-License-Identifier: BSD-3-Clause
"""Heat that water carries: what rain, evaporation, uptake and runoff bring and take, and how it moves through the soil.

Enthalpy is counted from liquid water at 0 C: liquid at T holds c_w (T - 273.15) a kilogram, ice c_i (T - 273.15) - L.
Between realms water passes without its warmth (docs/coupling.md): rain and snow take on the temperature of what they
fall on, and vapour and runoff leave with that of what they come from, so that their passing warms and cools nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.snow import Snow, over_layers
from components.land.column.soil_flow import carry, flows
from components.science.constants import C_LIQUID, FREEZING_POINT, ICE_HEAT_CAPACITY, LATENT_FUSION, WATER_DENSITY


class Carried(NamedTuple):
    """Soil after its water has moved."""

    temperature: Tensor  # K, (layer, ...)
    gained: Tensor  # enthalpy that came in with water less what left, J m-2


def soil_heat(capacity: Tensor, temperature: Tensor, ice: Tensor) -> Tensor:
    """Heat of soil layers, J m-2, 0 for liquid water at 0 C.

    Parameters
    ----------
    capacity
        J m-2 K-1 by layer, of grains, water and ice.
    temperature
        K.
    ice
        kg m-2.
    """
    return over_layers(capacity * (temperature - FREEZING_POINT) - LATENT_FUSION * ice)


def snow_heat(pack: Snow) -> Tensor:
    """Heat of a snowpack, J m-2, 0 for liquid water at 0 C."""
    capacity = pack.ice * ICE_HEAT_CAPACITY + pack.liquid * C_LIQUID
    return over_layers(capacity * (pack.temperature - FREEZING_POINT) - LATENT_FUSION * pack.ice)


def snowfall_heat(temperature: Tensor) -> Tensor:
    """Enthalpy of falling snow, J kg-1, without its latent heat: it has ``temperature`` (K) or 0 C."""
    return ICE_HEAT_CAPACITY * torch.clamp(temperature - FREEZING_POINT, max=0.0)


def move_soil_water(
    temperature: Tensor,
    capacity: Tensor,
    new_capacity: Tensor,
    stored: Tensor,
    drawn: Tensor,
    drainage: Tensor,
    arriving: Tensor,
) -> Carried:
    """Temperatures once the soil's water has moved, each parcel with the temperature of the layer it leaves.

    Parameters
    ----------
    temperature
        Before, K, (layer, ...).
    capacity, new_capacity
        J m-2 K-1 before and after.
    stored
        Liquid water gained by each layer, kg m-2.
    drawn
        Taken out of each layer by roots and by evaporation at the surface, kg m-2; it leaves with the layer's warmth.
    drainage
        Through the bottom, kg m-2.
    arriving
        Temperature of the water that enters at the top, K.

    Notes
    -----
    The flow through every face follows from the water balance, so heat closes to rounding. Upwind and implicit in the
    temperatures: no flow is too fast for a thin layer, and water of one temperature leaves the soil's as it is.
    """
    n = temperature.shape[0]
    old = temperature - FREEZING_POINT
    down = [C_LIQUID * f for f in flows(stored, drawn, drainage)]
    taken = [C_LIQUID * drawn[i] for i in range(n)]
    new, gained = carry(capacity * old, new_capacity, down, taken, arriving - FREEZING_POINT, down[n])
    gained = gained - down[n] * new[-1]
    for i in range(n):
        gained = gained - taken[i] * new[i]
    return Carried(torch.stack(new) + FREEZING_POINT, gained)


def liquid_mass(fraction: Tensor, thickness: Tensor) -> Tensor:
    """Water of the layers, kg m-2.

    Parameters
    ----------
    fraction : (layer, columns) m3 m-3
    thickness : (layer, 1) m
    """
    return WATER_DENSITY * fraction * thickness
