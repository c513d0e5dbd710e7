# SPDX-License-Identifier: BSD-3-Clause
"""The land as a forecast operator for an assimilation: an ensemble is more columns of the same land.

An assimilation finds it by the model's name. Members share parameters and weather, but for the rain of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.land.column import assimilated
from components.land.column.column import State
from components.land.column.component import ColumnLand
from components.land.column.parameters import THICKNESS
from components.land.column.structure import cut, named, rebuild
from coupler.component import Context, Setting
from coupler.grids.grid import Grid

PRECIPITATION = ("precipitation", "snowfall")


class Forecast:
    """An ensemble of the land's columns on this rank's block.

    Parameters
    ----------
    context : grid, dates, decomposition and step
    options : of the column land
    members : of the ensemble
    """

    layers = len(THICKNESS)
    """Of the soil."""

    def __init__(self, context: Context, options: Mapping[str, Any], members: int):
        self.single = ColumnLand(ColumnLand.Options(**options))
        self.single.initialize(context)
        self.members, (tiles, self.cells) = members, self.single.share.shape
        numbers = torch.arange(tiles * self.cells).reshape(tiles, 1, self.cells)
        self._column = numbers.expand(-1, members, -1).reshape(-1)
        parameters = cut(self.single.parameters, self._column)
        self.land = replace(self.single.columns, parameters=parameters, share=self.single.share.repeat(1, members))

    @staticmethod
    def imports(options: Mapping[str, Any]) -> tuple[Any, ...]:
        """Weather that a step needs.

        Parameters
        ----------
        options : of the column land
        """
        return tuple(ColumnLand(ColumnLand.Options(**options)).imports)

    @staticmethod
    def grids(setting: Setting, options: Mapping[str, Any]) -> dict[str, Grid]:
        """The grid with the land's mask.

        Parameters
        ----------
        setting : of the component
        options : of the column land
        """
        return ColumnLand(ColumnLand.Options(**options)).grids(setting)

    @staticmethod
    def problems(setting: Setting, options: Mapping[str, Any]) -> list[str]:
        """What is wrong before anything runs.

        Parameters
        ----------
        setting : grid, dates, folder, step
        options : of the column land
        """
        o = ColumnLand.Options(**options)
        beyond = [word for word, on in (("city", o.city is not None), ("groundwater", o.groundwater != "none"),
                                        ("leaves", o.leaves != "prescribed"), ("nitrogen", o.nitrogen != "none"),
                                        ("spectra", o.spectra is not None)) if on]  # fmt: skip
        unknown = f"of the ensemble: expected none of {', '.join(beyond)}, which members do not have"
        return [*([unknown] if beyond else []), *ColumnLand(o).check(setting)]

    @property
    def thickness(self) -> Tensor:
        """Of the soil's layers (layers, 1), m."""
        return self.single.parameters.thickness

    @property
    def pores(self) -> Tensor:
        """Volume fraction of the cells' pores (layers, n), the mean over their tiles."""
        held = self.single.parameters.texture.theta_s
        return self.single.columns.mean(held.expand(len(self.thickness), self.single.share.numel()))

    def start(self, wetter: npt.ArrayLike) -> State:
        """The ensemble at the start of the case.

        Parameters
        ----------
        wetter : (N, n) liquid water of each member and cell beyond the land's own start, volume fraction
        """
        one = self.single.now
        state = rebuild(one, {name: value[..., self._column] for name, value in named(one)})
        more = torch.as_tensor(np.asarray(wetter)).reshape(1, -1) * 1000.0 * self.thickness.double()
        return assimilated.moved(state, self.land, more, torch.ones(more.shape[-1], dtype=torch.float64))

    def advance(self, state: State, time: int, seconds: int, weather: Mapping[str, Any], rain: Tensor) -> State:
        """The ensemble a step later.

        Parameters
        ----------
        state : of the members
        time, seconds : of the step's start, s since the start of the case, and its length
        weather : what the land imports, on the block
        rain : (N, n) by which precipitation is multiplied
        """
        w, many = self.single.weather(time, seconds, weather), {}
        for name, value in w._asdict().items():
            if value is None:
                continue
            by_tile = value.numel() == self._column.numel() // self.members and name in ("cos_zenith", "daylight",
                "lai", "sai", "day_length", "longest_day", "date", "photoperiod")  # fmt: skip
            many[name] = value[self._column] if by_tile else value.repeat(self.members)
        many |= {name: many[name] * rain.reshape(-1).to(many[name]) for name in PRECIPITATION if name in many}
        return self.land.advance(state, w._replace(**many), float(seconds))[0]

    def seen(self, state: State) -> dict[str, Tensor]:
        """What an assimilation sees of the members, (N, ..., n), by the names that the land exports.

        Parameters
        ----------
        state : of the members
        """
        fields = {**assimilated.seen(self.land, state), **self.land.stores(state)}
        return {k: v.reshape(*v.shape[:-1], self.members, -1).movedim(-2, 0) for k, v in fields.items()}

    def moved(self, state: State, water: Tensor, share: Tensor) -> State:
        """Members after an analysis, tiles alike.

        Parameters
        ----------
        state : of the members
        water : (N, layers, n) to add, kg m-2
        share : (N, n) of the pack that is left or made
        """
        return assimilated.moved(state, self.land, water.movedim(0, -2).flatten(-2), share.reshape(-1))

    def arrays(self, state: State) -> dict[str, npt.NDArray[np.float64]]:
        """A state as fields of the block (..., tiles members, ny, nx), for a restart.

        Parameters
        ----------
        state : of the members
        """
        lead = self._column.numel() // max(self.cells, 1)
        return {name: self.single._field(a.reshape(*a.shape[:-1], lead, self.cells)) for name, a in named(state)}

    def restored(self, like: State, arrays: Mapping[str, Any]) -> State:
        """A state of what `arrays` gave.

        Parameters
        ----------
        like : a state of the same ensemble
        arrays : by name
        """
        found = {}
        for name, value in named(like):
            field = np.asarray(arrays[name])[..., self.single.cells]
            found[name] = torch.as_tensor(np.ascontiguousarray(field.reshape(value.shape))).to(value)
        return rebuild(like, found)
