# SPDX-License-Identifier: BSD-3-Clause
"""Land that changes hands: shares of tiles by year, and what shrinking tiles leave to those that grow.

Water, ice and snow go with the land, and heat as what their heat capacities hold, so that a cell keeps what it had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.land.column.column_state import State
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


class Exchange:
    """How land passes between the tiles of each cell.

    Parameters
    ----------
    old, new : Tensor
        Shares, (tile, cell), each summing to 1 over the tiles.
    """

    def __init__(self, old: Tensor, new: Tensor):
        self.kept = torch.minimum(old, new)
        self.lost, self.gained, self.new = old - self.kept, new - self.kept, new
        total = _sum(self.gained)
        self.part = self.gained / torch.where(total > 0.0, total, torch.ones_like(total))

    def __call__(self, values: Tensor) -> Tensor:
        """What each square metre has after the exchange; tiles without land keep theirs.

        Parameters
        ----------
        values : Tensor
            Per square metre, (..., tile cell).
        """
        tiles, n = self.new.shape
        rows = values.reshape(*values.shape[:-1], tiles, n)
        pool = _sum((rows * self.lost).movedim(-2, 0))[..., None, :]
        there = self.new > 0.0
        mixed = (rows * self.kept + pool * self.part) / torch.where(there, self.new, torch.ones_like(self.new))
        changed = there & (self.gained > 0.0)
        return torch.where(changed, mixed, rows).reshape(values.shape)


def _sum(rows: Tensor) -> Tensor:
    """Over the first axis, in its order."""
    total = rows[0]
    for row in rows[1:]:
        total = total + row
    return total


def pass_on(state: State, parameters: Parameters, old: Tensor, new: Tensor) -> State:
    """The state of all columns once shares have changed; a cell's water, ice, snow and heat stay.

    Parameters
    ----------
    state : State
        Of the columns, tile after tile.
    parameters : Parameters
        Of the columns; the tiles of a cell have one soil.
    old, new : Tensor
        Shares, (tile, cell).

    Raises
    ------
    ValueError
        Columns with cycles of carbon and nutrients, which shares by year do not move yet.
    """
    if state.cycles is not None:
        raise ValueError("shares by year are not made for columns with cycles; give area_type_fraction one year")
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
    return state._replace(
        canopy=mix(state.canopy), ground=mix(state.ground), zeta=mix(state.zeta), conductance=mix(state.conductance),
        air_humidity=mix(state.air_humidity), held=Held(mix(state.held.water), mix(state.held.snow)),
        snow=Snow(snow_ice, snow_liquid, mix(pack.thickness), FREEZING_POINT + cold, mix(pack.albedo)),
        soil_temperature=FREEZING_POINT + warmth, liquid=liquid, ice=ice,
    )  # fmt: skip


def _capacity(ice: Tensor, liquid: Tensor) -> Tensor:
    """Of snow layers, J m-2 K-1."""
    return ice * ICE_HEAT_CAPACITY + liquid * C_LIQUID


def years_of(data: Any, path: Any) -> tuple[int, ...]:
    """Years of a surface file's ``area_type_fraction``; empty where it has one share for all.

    Parameters
    ----------
    data : netCDF4.Dataset
        Open.
    path : Path
        Its file, for messages.

    Raises
    ------
    ValueError
        A first dimension without years, or years that do not rise.
    """
    variable = data["area_type_fraction"]
    if variable.ndim < 4:
        return ()
    name = variable.dimensions[0]
    axis = data.variables.get(name)
    if axis is None:
        raise ValueError(
            f"{path}: area_type_fraction ({', '.join(variable.dimensions)}): {name} has no years; give it some"
        )
    if "since" in str(getattr(axis, "units", "")):
        import netCDF4

        dates = netCDF4.num2date(axis[:], axis.units, getattr(axis, "calendar", "standard"))
        years = tuple(int(d.year) for d in np.asarray(dates).ravel().tolist())
    else:
        years = tuple(int(y) for y in np.atleast_1d(axis[:]))
    if list(years) != sorted(set(years)):
        raise ValueError(f"{path}: the years of area_type_fraction are {years}; expected each once, rising")
    return years
