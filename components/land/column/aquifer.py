# SPDX-License-Identifier: BSD-3-Clause
"""The groundwater under a component's block: where its ground comes from, and its part in a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.start import rest_depth
from components.land.column.water_table import Beds, Ground, faces_of, fold_of, slope_of
from components.science.constants import C_LIQUID, FREEZING_POINT
from components.science.surface_fields import RIVER_WATER, RUNOFF_HEAT
from coupler.component import Context
from coupler.errors import CaseError
from coupler.files.forcing import optional_field

UPPER = 1.5
"""Depth of the layer of uniform conductivity, m (Miguez-Macho et al. 2007)."""
FOLDS = 3.0
"""Bedrock where none is given: so many e-folds of the conductivity below the upper layer."""


class Aquifer:
    """Water tables of the land cells of a block.

    Parameters
    ----------
    context : Context
        Of the component.
    land : ColumnLand
        Its options, cells, columns and parameters.
    """

    def __init__(self, context: Context, land: Any):
        o, grid = land.options, context.grid
        if len(grid.shape) != 2:
            raise CaseError("groundwater: lateral needs a grid of rows and columns; say  groundwater: none")
        b = context.decomposition.block_of(context.rank)
        rows, columns = slice(b.y0, b.y1), slice(b.x0, b.x1)
        height = np.zeros(grid.shape)
        found = optional_field(context.file(o.file), "surface_altitude", context.clock, grid=grid) if o.file else None
        if found is None:
            context.log("no surface_altitude in a file of the land: groundwater lies under flat ground")
        else:
            height = np.nan_to_num(found.at(0))
            found.close()
        context.log("bedrock by the slope of the relief, lateral conductivity by the soil's texture")
        fold = fold_of(slope_of(height, grid))
        tiles, n = land.share.shape
        conductivity = (land.parameters.texture.ks + torch.zeros(tiles * n)).reshape(tiles, n)[0].double().cpu()

        def own(values: Any) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(values[rows, columns][land.cells])).double()

        self.ground = Ground(
            land.cells, own(height), o.anisotropy * conductivity, own(fold), UPPER + FOLDS * own(fold),
            o.specific_yield, faces_of(grid, rows, columns), np.ascontiguousarray(np.asarray(grid.area)[rows, columns]),
        )  # fmt: skip
        self.columns, self.halo, self.period = land.columns, context.halo, o.groundwater_period
        depth = torch.full((n,), o.initial_water_table, dtype=torch.float64)
        if land.climate is not None:
            depth = rest_depth(land.climate, self.ground.bedrock, o.initial_water_table)
        self.stored = self.ground.stored(torch.minimum(depth, self.ground.bedrock))

    @property
    def depth(self) -> Tensor:
        """Of the water table, m, by cell."""
        return self.ground.depth(self.stored)

    def step(
        self, given: dict[str, Tensor], state: State, end: int, seconds: int, beds: Beds | None
    ) -> dict[str, Tensor]:
        """What the columns gave, with drainage taken in and base flow, springs, neighbours' and rivers' water booked.

        Parameters
        ----------
        given : dict of str to Tensor
            Exports of the columns by cell.
        state : State
            Of the columns at the end.
        end : int
            Model time at the end of the step, s.
        seconds : int
            Its length.
        beds : Beds or None
            Of the rivers above.
        """
        recharge = given["subsurface_runoff_flux"].cpu()
        self.stored, out = self.ground.release(self.stored, recharge, float(seconds))
        drawn = given.get(RIVER_WATER, torch.zeros_like(out))
        leaked = torch.zeros_like(out)
        if beds is not None:
            self.stored, passed = self.ground.through_beds(self.stored, beds, float(seconds))
            out, leaked = out + passed.clamp(min=0.0), (-passed).clamp(min=0.0)
        booked = given["booked_water"].cpu() + recharge - out + leaked
        if end % self.period == 0:
            inflow = self.ground.lateral(self.stored, self.halo) * float(self.period)
            self.stored = self.stored + inflow
            booked = booked + inflow / seconds
        warm = self.columns.mean(torch.clamp(state.soil_temperature[-1] - FREEZING_POINT, min=0.0)).cpu()
        return {
            **given,
            "subsurface_runoff_flux": out,
            "runoff_flux": given["runoff_flux"].cpu() + (out - recharge),
            RUNOFF_HEAT: given[RUNOFF_HEAT].cpu() + C_LIQUID * warm * (out - recharge),
            "booked_water": booked, RIVER_WATER: drawn + leaked,
        }  # fmt: skip
