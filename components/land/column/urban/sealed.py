# SPDX-License-Identifier: BSD-3-Clause
"""Cities that grow and shrink by year: the ground under them stays as it was sealed, and comes back when they go.

Sealed ground is one more tile of the cell that no step changes: it takes water, snow, heat, carbon, nitrogen and
phosphorus of the land that is built upon, as `land_use.hand_over` does between other tiles, and leaves them with
the land that is cleared. What stood there is felled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column.column_state import State, heat_stored, initial_state, water_stored
from components.land.column.cycles.pools import stored
from components.land.column.land_use import HandedOver, Years, hand_over, years_of
from components.land.column.parameters import Parameters, parameters
from components.land.column.start import with_plants
from components.land.column.structure import cut, join, named, rebuild

BARE = "bare"


class Sealed:
    """Ground under the built part of cells.

    Parameters
    ----------
    state : State
        Of the ground, a column a cell.
    columns : Parameters
        Of all columns of the cells, tile after tile, and of their sealed ground behind them.
    """

    def __init__(self, state: State, columns: Parameters):
        self.state, self._columns = state, columns
        self._tile: Parameters = cut(columns, slice(-state.ground.shape[-1], None))

    @classmethod
    def of(cls, land: Any, temperature: Tensor) -> Sealed:
        """Of a land component's block, with the soil that its columns start with.

        Parameters
        ----------
        land : ColumnLand
            Its options, plants and soils.
        temperature : Tensor
            At the start, K, (n,).
        """
        o, n = land.options, temperature.shape[0]

        def made(plants: list[str]) -> Parameters:
            soil = land.land.soil * (len(plants) // max(n, 1))
            return parameters(plants, soil, o.retention, cycles=land.cycling, **land.like)

        one = made([BARE] * n)
        start = initial_state(one, temperature, o.initial_wetness)
        if land.cycling:
            start = with_plants(start, one, torch.zeros_like(temperature), o.irrigation == "paddy")
        return cls(start, made([*land.plants, *[BARE] * n]))

    def hand_over(self, state: State, old: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> HandedOver:
        """The state of the columns once their shares and those of the city have changed, and what people carried away.

        Parameters
        ----------
        state : State
            Of the columns, tile after tile.
        old, new : pair of Tensor
            Shares of the tiles in the unbuilt ground, (tile, cell), and the built share of the cell, (cell,).
        """
        before, after = [torch.cat([(1.0 - built) * share, built[None]]) for share, built in (old, new)]
        n = state.ground.shape[-1]
        made = hand_over(join([state, self.state]), self._columns, before, after)
        self.state = cut(made.state, slice(n, None))
        return HandedOver(cut(made.state, slice(0, n)), made.products)

    def soak(self, water: Tensor) -> None:
        """Let water, kg m-2, stand on the ground: that of paving which is torn up.

        Parameters
        ----------
        water : Tensor
            By cell, per area of sealed ground.
        """
        held = self.state.held
        self.state = self.state._replace(held=held._replace(water=held.water + water.to(held.water)))

    def stores(self) -> dict[str, Tensor]:
        """Heat above 0 C (J m-2), water, carbon, nitrogen and phosphorus (kg m-2) of sealed ground."""
        found = {"heat": heat_stored(self.state, self._tile), "water": water_stored(self.state, self._tile)}
        if self.state.cycles is not None:
            found.update(stored(self.state.cycles)._asdict())
        return {name: value.double().cpu() for name, value in found.items()}

    def arrays(self) -> dict[str, Tensor]:
        """State by name, (..., n)."""
        return {f"sealed_{name}": value for name, value in named(self.state)}

    def restore(self, found: dict[str, Tensor]) -> None:
        """Restore what `arrays` gave.

        Parameters
        ----------
        found : dict of str to Tensor
            By name.
        """
        old = dict(named(self.state))
        self.state = rebuild(self.state, {name: found[f"sealed_{name}"].to(value) for name, value in old.items()})


def built_by_year(path: Any, cells: Any) -> Years | None:
    """Built share of the wanted cells by a surface file, (year, cell), with no years where it has one for all.

    None where the file has no ``urban_fraction``.

    Parameters
    ----------
    path : Path
        CF file on the grid.
    cells : bool array
        The wanted cells, (lat, lon) of the file.

    Raises
    ------
    ValueError
        A first dimension without years, or years that do not rise.
    """
    import netCDF4

    with netCDF4.Dataset(path) as data:
        if "urban_fraction" not in data.variables:
            return None
        share = np.clip(np.ma.filled(data["urban_fraction"][:], 0.0)[..., cells], 0.0, 1.0)
        years = years_of(data, path, "urban_fraction", 2)
        return Years(years, np.asarray(share, np.float64).reshape(max(len(years), 1), -1))
