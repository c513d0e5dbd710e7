# SPDX-License-Identifier: BSD-3-Clause
"""Land that changes hands: shares of tiles by year, and what shrinking tiles leave to those that grow.

Water, ice and snow go with the land, and heat as what their heat capacities hold, so that a cell keeps what it had;
what soils and plants hold of carbon and nutrients see `cycles.converted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.cycles.converted import convert
from components.land.column.exchanged_land import Exchange
from components.land.column.interception import Held
from components.land.column.parameters import Parameters
from components.land.column.snow import Snow
from components.land.column.soil_properties import soil_heat_capacity
from components.science.constants import C_LIQUID, FREEZING_POINT, ICE_HEAT_CAPACITY

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Years:
    """Shares of tiles by year.

    Parameters
    ----------
    years : tuple of int
        Ascending.
    share : float64 array
        (year, tile, cell), summing to 1 over the tiles.
    """

    years: tuple[int, ...]
    share: Array

    def of(self, year: int) -> Array:
        """Shares of a year, (tile, cell): those of the last year that is not later, or of the first.

        Parameters
        ----------
        year : int
            Of the calendar.
        """
        return self.share[max(int(np.searchsorted(self.years, year, side="right")) - 1, 0)]


def pass_on(state: State, parameters: Parameters, old: Tensor, new: Tensor) -> State:
    """The state of all columns once shares have changed; a cell's water, ice, snow and heat stay, see `hand_over`.

    Parameters
    ----------
    state : State
        Of the columns, tile after tile.
    parameters : Parameters
        Of the columns; the tiles of a cell have one soil.
    old, new : Tensor
        Shares, (tile, cell).
    """
    return hand_over(state, parameters, old, new).state


class HandedOver(NamedTuple):
    """What a change of shares makes.

    Attributes
    ----------
    state : State
        Of all columns.
    products : Tensor or None
        Carbon, nitrogen and phosphorus that people carried away, (lifetime, element, cell), kg m-2 of the cell; None
        without cycles.
    """

    state: State
    products: Tensor | None


def hand_over(state: State, parameters: Parameters, old: Tensor, new: Tensor) -> HandedOver:
    """The state of all columns once shares have changed; what a cell had it has, or its products have.

    Parameters
    ----------
    state : State
        Of the columns, tile after tile.
    parameters : Parameters
        Of the columns; the tiles of a cell have one soil.
    old, new : Tensor
        Shares, (tile, cell).
    """
    mix = Exchange(old, new)
    soil, pack = parameters.texture, state.snow
    liquid, ice = mix(state.liquid), mix(state.ice)
    held = soil_heat_capacity(soil, state.liquid, state.ice) * (state.soil_temperature - FREEZING_POINT)
    warmth = mix(held) / soil_heat_capacity(soil, liquid, ice)
    snow_ice, snow_liquid = mix(pack.ice), mix(pack.liquid)
    snow_heat = mix(_capacity(pack.ice, pack.liquid) * (pack.temperature - FREEZING_POINT))
    capacity = _capacity(snow_ice, snow_liquid)
    some = capacity > 0.0
    cold = torch.where(some, snow_heat / torch.where(some, capacity, 1.0), 0.0)
    cycles, products = state.cycles, None
    if cycles is not None and parameters.cycles is not None:
        cycles, products = convert(cycles, parameters.cycles, mix)
    return HandedOver(state._replace(
        canopy=mix(state.canopy), ground=mix(state.ground), zeta=mix(state.zeta), conductance=mix(state.conductance),
        air_humidity=mix(state.air_humidity), held=Held(mix(state.held.water), mix(state.held.snow)),
        snow=Snow(snow_ice, snow_liquid, mix(pack.thickness), FREEZING_POINT + cold, mix(pack.albedo)),
        soil_temperature=FREEZING_POINT + warmth, liquid=liquid, ice=ice, cycles=cycles,
        pond=None if state.pond is None else mix(state.pond),
    ), products)  # fmt: skip


def _capacity(ice: Tensor, liquid: Tensor) -> Tensor:
    """Of snow layers, J m-2 K-1."""
    return ice * ICE_HEAT_CAPACITY + liquid * C_LIQUID


def years_of(data: Any, path: Any, field: str, dimensions: int) -> tuple[int, ...]:
    """Years of a surface file's shares; empty where it has one share for all.

    Parameters
    ----------
    data : netCDF4.Dataset
        Open.
    path : Path
        Its file, for messages.
    field : str
        Name of the shares.
    dimensions : int
        That they have without years.

    Raises
    ------
    ValueError
        A first dimension without years, or years that do not rise.
    """
    variable = data[field]
    if variable.ndim <= dimensions:
        return ()
    name = variable.dimensions[0]
    axis = data.variables.get(name)
    if axis is None:
        raise ValueError(f"{path}: {field} ({', '.join(variable.dimensions)}): {name} has no years; give it some")
    if "since" in str(getattr(axis, "units", "")):
        import netCDF4

        dates = netCDF4.num2date(axis[:], axis.units, getattr(axis, "calendar", "standard"))
        years = tuple(int(d.year) for d in np.asarray(dates).ravel().tolist())
    else:
        years = tuple(int(y) for y in np.atleast_1d(axis[:]))
    if list(years) != sorted(set(years)):
        raise ValueError(f"{path}: the years of {field} are {years}; expected each once, rising")
    return years
