# SPDX-License-Identifier: BSD-3-Clause
"""What an assimilation sees of the land's cells, and what it adds to them: soil water by layer, and snow.

What is added to a cell goes to its tiles alike: to each the same water in each layer, as far as its pores take it, and
the same share of its pack. Heat goes with it: water comes and goes with the temperature of where it is put or taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column import snow
from components.land.column.advance import Land
from components.land.column.column import State
from components.science.constants import WATER_DENSITY
from components.science.land_increments import DRIEST, LEAST_SNOW, LEFT, MOST_CHANGE
from coupler.fields import FieldSpec

LIQUID = "liquid_water_content_of_soil_layer"
FROZEN = "frozen_water_content_of_soil_layer"
TEMPERATURE = "soil_temperature"
COVER = "surface_snow_area_fraction"
SOIL_RATE = "tendency_of_mass_content_of_water_in_soil_layer_due_to_data_assimilation"
SNOW_RATE = "tendency_of_surface_snow_amount_due_to_data_assimilation"


def seen_fields(layers: int) -> tuple[FieldSpec, ...]:
    """What `seen` gives, as exports.

    Parameters
    ----------
    layers : of the soil
    """
    return (*(FieldSpec(name, levels=layers) for name in (LIQUID, FROZEN, TEMPERATURE)), FieldSpec(COVER))


def added_fields(layers: int) -> tuple[FieldSpec, ...]:
    """What is added, as imports.

    Parameters
    ----------
    layers : of the soil
    """
    return FieldSpec(SOIL_RATE, levels=layers, required=False), FieldSpec(SNOW_RATE, required=False)


def seen(land: Land, state: State) -> dict[str, Tensor]:
    """Liquid and frozen water (kg m-2) and temperature (K) by layer, and snow cover, of the cells.

    Parameters
    ----------
    land, state : of the columns
    """
    thickness, mean = land.parameters.thickness * WATER_DENSITY, land.mean
    return {
        LIQUID: mean(state.liquid * thickness),
        FROZEN: mean(state.ice * thickness),
        TEMPERATURE: mean(state.soil_temperature),
        COVER: mean(snow.cover_fraction(state.snow)),
    }


def given(imports: Mapping[str, Any], cells: Any, seconds: float, land: Land, state: State) -> State:
    """The state after tendencies of an assimilation have acted for some seconds; the same one where they are zero.

    Parameters
    ----------
    imports : among them `SOIL_RATE` (layers, ny, nx) and `SNOW_RATE` (ny, nx), kg m-2 s-1, or neither
    cells : (ny, nx) where there is land
    seconds : that they act
    land, state : of the columns
    """
    rates = [imports.get(name) for name in (SOIL_RATE, SNOW_RATE)]
    if any(a is None for a in rates):
        return state
    soil, pack_rate = (torch.as_tensor(np.asarray(a, dtype=float)[..., cells]).to(land.share.device) for a in rates)
    if not bool((soil != 0.0).any() | (pack_rate != 0.0).any()):
        return state
    pack = land.stores(state)["surface_snow_amount"]
    there = pack > LEAST_SNOW
    share = (pack + seconds * pack_rate) / torch.where(there, pack, 1.0)
    share = torch.where(there, torch.clamp(share, 1.0 / MOST_CHANGE, MOST_CHANGE), 1.0)
    return moved(state, land, seconds * soil, share)


def moved(state: State, land: Land, water: Tensor, share: Tensor) -> State:
    """The state with water added to the soil's layers, and a share of the pack left or made.

    Parameters
    ----------
    state, land : of the columns
    water : (layers, n) kg m-2 of each cell, liquid
    share : (n,) of the pack, by which its ice, liquid and thickness are multiplied
    """
    tiles, parameters, like = land.share.shape[0], land.parameters, state.liquid
    more = water.to(like).repeat(1, tiles) / (WATER_DENSITY * parameters.thickness)
    # what lies outside the bounds already is not moved by them alone
    low = torch.clamp(like, max=DRIEST)
    high = torch.maximum(parameters.texture.theta_s - LEFT - state.ice, like)
    liquid = torch.where(more == 0.0, like, torch.minimum(torch.maximum(like + more, low), high))
    part, pack = share.to(like).repeat(tiles), state.snow
    white = pack._replace(ice=pack.ice * part, liquid=pack.liquid * part, thickness=pack.thickness * part)
    return state._replace(liquid=liquid, snow=white)
