# SPDX-License-Identifier: BSD-3-Clause
"""What the land's columns start with: the temperature of a file, and leaves at the date of the start."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.cycles import pools
from components.land.column.parameters import Parameters
from coupler.component import Array, Context
from coupler.files.forcing import Forcing as File


def temperature(context: Context, file: str, otherwise: float, cells: Array) -> Array:
    """Temperature of the block's land cells, K, (n,).

    Parameters
    ----------
    context : of the component
    file : CF file with surface_temperature, or empty
    otherwise : K, where no file gives it
    cells : of the block, whether they are land
    """
    if not file:
        return np.full(int(cells.sum()), otherwise)
    b = context.decomposition.block_of(context.rank)
    block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
    found = File(context.file(file), "surface_temperature", context.clock, grid=context.grid, block=block).at(0)
    return np.where(np.isfinite(found), found, otherwise)[cells]


def with_plants(state: State, parameters: Parameters, leaf_area: Tensor, paddies: bool = False) -> State:
    """A state whose perennial plants begin with a leaf area; dormant ones keep it in their reserves.

    Parameters
    ----------
    state : of the columns
    parameters : of the columns
    leaf_area : m2 m-2, of the table or the file at the date of the start
    paddies : whether rice stands in water
    """
    if parameters.cycles is None:
        return state
    cycles = pools.at_start(parameters.cycles, parameters.thickness, leaf_area=leaf_area)
    return state._replace(cycles=cycles, pond=torch.zeros_like(leaf_area) if paddies else None)
