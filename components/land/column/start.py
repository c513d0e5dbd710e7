# SPDX-License-Identifier: BSD-3-Clause
"""What the land's columns start with: temperature of a file, soil water at rest in its climate, leaves of the date."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.cycles import crop_day, pools, variety
from components.land.column.parameters import Parameters
from components.land.column.water_table import DECAY, MOST_BASE_FLOW
from components.science.climate_water import CAPACITY, DAY, Climate, climate_of
from components.science.constants import WATER_DENSITY
from coupler.component import Array, Context
from coupler.files.forcing import Forcing as File

LEAST_SLOPE = 1e-3
FACE = 8  # iterations of the conductivity between two layers
WETTEST, DRIEST = 1e-3, 1e4
"""Suctions between which a soil at rest is sought, m."""


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


def climate(context: Context, file: str, cells: Array) -> Climate | None:
    """The water of the block's land cells in the climate of a file; None without one. The log says which.

    Parameters
    ----------
    context : of the component
    file : CF file with a mean year of precipitation_flux and air_temperature, or empty
    cells : of the block, whether they are land
    """
    if not file:
        return None
    b = context.decomposition.block_of(context.rank)
    block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
    found = climate_of(context.file(file), context.clock, context.grid, cells, block)
    known = torch.isfinite(found.runoff)
    if context.rank == 0 and bool(known.any()):
        filled = found.filled[known]
        context.log(
            f"soil water at rest in the climate of {file}: available water of the roots {float(filled.min()):.0%} to"
            f" {float(filled.max()):.0%} of its most, runoff {float(found.runoff[known].mean()) * DAY:.2g} mm a day"
            + ("" if bool(known.all()) else "; initial_wetness where the file has none")
        )
    return found


def rest_depth(found: Climate, bedrock: Tensor, otherwise: float) -> Tensor:
    """Depth of the water table whose base flow is the runoff of the climate (`Ground.release`), m, (cell,).

    Parameters
    ----------
    found : the climate's water by cell
    bedrock : its depth, m, where the water table ends in a desert
    otherwise : depth where the climate is not known, m
    """
    depth = torch.log(MOST_BASE_FLOW / found.runoff.clamp(min=1e-30)) / DECAY
    depth = torch.where(torch.isfinite(found.runoff), depth, torch.full_like(depth, otherwise))
    return torch.minimum(depth.clamp(min=0.0), bedrock)


def soil_water(p: Parameters, options: Any, found: Climate | None, tiles: int, table: Tensor | None) -> float | Tensor:
    """Wetness of the soil at the start: at rest in its climate, or everywhere that of the options.

    Parameters
    ----------
    p : Parameters of the columns
    options : ColumnOptions
    found : the climate's water by cell, or None
    tiles : columns a cell
    table : depth of the water table by cell, m, or None
    """
    if found is None:
        return float(options.initial_wetness)
    if table is None and options.bottom == "water_table":
        table = torch.full_like(found.runoff, float(p.thickness.sum()))
    slope = options.drainage_slope if options.bottom == "free_drainage" else 1.0
    below = None if table is None else table.repeat(tiles).to(p.thickness)
    runoff, filled = (v.repeat(tiles).to(p.thickness) for v in (found.runoff, found.filled))
    return wetness_at_rest(p, runoff, filled, options.initial_wetness, slope, below)


def wetness_at_rest(
    p: Parameters, runoff: Tensor, filled: Tensor, otherwise: float, slope: float, table: Tensor | None = None
) -> Tensor:
    """Soil water through which the climate's runoff drains for ever, less what roots have drawn, (layer, column).

    From 0 at the wilting point to 1 at saturation, as `initial_state` takes it. Heads follow upward from the
    bottom by the steady flux, q = K (1 + dh/dz) of the suction h, which is nowhere beyond that with K(h) = q; the
    soil's available water is what the monthly balance has left of it, from the top down.

    Parameters
    ----------
    p : Parameters of the columns
    runoff : (column,) kg m-2 s-1, or not a number
    filled : (column,) share of the available water
    otherwise : wetness where the climate is not known
    slope : share of the conductivity with which the bottom drains freely
    table : (column,) depth of the water table, m; None: free drainage
    """
    q = torch.nan_to_num(runoff) / WATER_DENSITY
    dry = _suction(p, q)
    last = 0.5 * float(p.thickness[-1, 0])
    if table is None:
        h = _suction(p, q / max(slope, LEAST_SLOPE))
    else:
        h = torch.minimum(table - float(p.thickness.sum()) + last, dry)  # negative below the water table
    suctions = [h]
    for i in range(p.thickness.shape[0] - 2, -1, -1):
        apart, below, k = 0.5 * (p.thickness[i, 0] + p.thickness[i + 1, 0]), h, p.retention.at(-h).conductivity
        for _ in range(FACE):
            face = 0.5 * (k + p.retention.at(-h).conductivity)
            h = torch.minimum(below + apart * (1.0 - q / face).clamp(min=0.0), dry)
        suctions.append(h)
    soil = p.texture
    theta = torch.maximum(p.retention.at(-torch.stack(suctions[::-1])).theta, soil.wilting + 0.0 * dry)
    held = (soil.field_capacity - soil.wilting).clamp(min=1e-3) * WATER_DENSITY * p.thickness + 0.0 * theta
    above = torch.cumsum(held, 0) - held
    drawn = ((CAPACITY - above) / held).clamp(0.0, 1.0) * (1.0 - torch.nan_to_num(filled, nan=1.0))
    theta = torch.maximum(theta - drawn * (soil.field_capacity - soil.wilting), soil.wilting + 0.0 * theta)
    wetness = (theta - soil.wilting) / (soil.theta_s - soil.wilting)
    return torch.where(torch.isfinite(runoff), wetness, torch.full_like(wetness, otherwise))


def _suction(p: Parameters, q: Tensor) -> Tensor:
    """Suction at which the conductivity is ``q``, m, by halving its logarithm."""
    low, high = torch.full_like(q, math.log(WETTEST)), torch.full_like(q, math.log(DRIEST))
    for _ in range(50):
        middle = 0.5 * (low + high)
        wet = p.retention.at(-torch.exp(middle)).conductivity > q
        low, high = torch.where(wet, middle, low), torch.where(wet, high, middle)
    return torch.exp(high)


def with_usual_year(state: State, parameters: Parameters, found: Climate | None, share: Tensor) -> tuple[State, str]:
    """A state whose farmers know the climate's warmth; and, for the log, where no variety of a crop ripens in it.

    Parameters
    ----------
    state : of the columns
    parameters : of the columns
    found : the climate by cell, or None
    share : of the cell's land, (tile, cell)
    """
    c, t = state.cycles, parameters.cycles
    if c is None or t is None or found is None:
        return state, ""
    f = t.farming
    months = found.months.to(c.means.usual).repeat(1, share.shape[0])
    usual = f.crop * variety.of_months(months, f.calendar)
    here = share.reshape(-1) > 0.0
    short, crops = int((here & crop_day.never_sown(f, usual)).sum()), int((here & (f.crop > 0.5)).sum())
    said = f"the year of the climate is too short for a crop in {short} of {crops} columns with crops; not sown there"
    return state._replace(cycles=c._replace(means=c.means._replace(usual=usual))), said if short else ""


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
