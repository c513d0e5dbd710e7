# SPDX-License-Identifier: BSD-3-Clause
"""One water table a cell, under all its tiles: recharge both ways, base flow, springs, and flow between cells.

The store is a depth of water above the bedrock. What the soil's lowest layer gives or draws changes it at every step;
the flow between cells once a period, from heads that the neighbours' halo brings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.land.column.groundwater import transmissivity
from components.land.column.richards import Bottom
from components.science.constants import EARTH_RADIUS, WATER_DENSITY
from coupler.grids.grid import Grid

Array = npt.NDArray[np.float64]
Halo = Callable[..., None]
DECAY = 2.0  # f of TOPMODEL, m-1 (Niu et al. 2005)
MOST_BASE_FLOW = 4.5e-4  # kg m-2 s-1, with the water table at the surface (Niu et al. 2005)
MOST_FOLD, LEAST_FOLD, BY_SLOPE = 120.0, 5.0, 150.0  # m, m, 1 (Fan et al. 2007)


class Beds(NamedTuple):
    """Beds of the rivers of each cell, (n,); heights above the land's surface.

    Attributes
    ----------
    conductance : Tensor
        Flow by area of the cell and head, s-1.
    stage, bed : Tensor
        Conductance times the height of the water and of the bed, m s-1.
    """

    conductance: Tensor
    stage: Tensor
    bed: Tensor


class Faces(NamedTuple):
    """Widths over distances of the faces of a block, those at its edges included.

    Attributes
    ----------
    west_east : float64 array
        Between columns, (ny, nx + 1); 0 where a side has no ground.
    south_north : float64 array
        Between rows, (ny + 1, nx).
    """

    west_east: Array
    south_north: Array


def faces_of(grid: Grid, rows: slice, columns: slice) -> Faces:
    """Faces of a block of a grid of rows and columns: the mean area of both cells over the square of their distance.

    Parameters
    ----------
    grid : Grid
        The whole; nothing flows through its edges, nor where its mask has no land.
    rows, columns : slice
        Of the block.
    """
    area, land = np.asarray(grid.area), np.asarray(grid.mask)
    out = []
    for axis in (1, 0):
        n = area.shape[axis]
        low, high = (slice(None),) * axis + (slice(0, n - 1),), (slice(None),) * axis + (slice(1, n),)
        shape = 0.5 * (area[low] + area[high]) / _apart(grid, axis) * (land[low] & land[high])
        out.append(np.pad(shape, [(1, 1) if axis == d else (0, 0) for d in (0, 1)]))
    across = slice(columns.start, columns.stop + 1)
    along = slice(rows.start, rows.stop + 1)
    return Faces(np.ascontiguousarray(out[0][rows, across]), np.ascontiguousarray(out[1][along, columns]))


def _apart(grid: Grid, axis: int) -> Array:
    """Square of the distance between neighbours along an axis, m2."""
    x, y = np.radians(grid.longitude), np.radians(grid.latitude)
    points = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    return np.asarray(EARTH_RADIUS**2 * (np.diff(points, axis=1 + axis) ** 2).sum(0))


def fold_of(slope: Array) -> Array:
    """Depth in which conductivity falls by e: 120 m / (1 + 150 s), at least 5 m (Fan et al. 2007).

    Parameters
    ----------
    slope : float64 array
        Of the ground, m m-1.
    """
    return np.maximum(MOST_FOLD / (1.0 + BY_SLOPE * slope), LEAST_FOLD)


def slope_of(height: Array, grid: Grid) -> Array:
    """Slope of the relief between cells, m m-1, (ny, nx).

    Parameters
    ----------
    height : float64 array
        Of the ground, m, (ny, nx).
    grid : Grid
        Of rows and columns.
    """
    slope = np.zeros(height.shape)
    for axis in (0, 1):
        if height.shape[axis] > 1:
            start = [(1, 0) if a == axis else (0, 0) for a in (0, 1)]
            way = np.cumsum(np.pad(np.sqrt(_apart(grid, axis)), start), axis)
            slope = np.hypot(slope, np.gradient(height, axis=axis) / np.gradient(way, axis=axis))
    return slope


@dataclass(frozen=True)
class Ground:
    """What of the groundwater does not change, by cell of the block's land (n,) unless said.

    Parameters
    ----------
    cells : bool array
        Which cells of the block are land, (ny, nx).
    height : Tensor
        Of the surface, m.
    conductivity : Tensor
        Lateral, of the upper 1.5 m, m s-1.
    fold : Tensor
        Depth in which it falls by e, m.
    bedrock : Tensor
        Depth, m.
    specific_yield : float
        Water that a metre of water table holds, m m-1.
    faces : Faces
        Of the block.
    area : float64 array
        Of the block's cells, m2, (ny, nx).
    """

    cells: npt.NDArray[np.bool_]
    height: Tensor
    conductivity: Tensor
    fold: Tensor
    bedrock: Tensor
    specific_yield: float
    faces: Faces
    area: Array

    def depth(self, stored: Tensor) -> Tensor:
        """Depth of the water table, m, below the bedrock where the soil has drawn what is not there.

        Parameters
        ----------
        stored : Tensor
            kg m-2.
        """
        return self.bedrock - stored / (WATER_DENSITY * self.specific_yield)

    def stored(self, depth: Tensor) -> Tensor:
        """Water above the bedrock, kg m-2, of a water table at a depth (m).

        Parameters
        ----------
        depth : Tensor
            m.
        """
        return (self.bedrock - depth) * (WATER_DENSITY * self.specific_yield)

    def release(self, stored: Tensor, recharge: Tensor, seconds: float) -> tuple[Tensor, Tensor]:
        """Take in the recharge of a step and let base flow and springs out.

        Parameters
        ----------
        stored : Tensor
            At the start, kg m-2.
        recharge : Tensor
            Out of the soil, negative where it draws, kg m-2 s-1.
        seconds : float
            Length of the step.

        Returns
        -------
        Tensor, Tensor
            Stored at the end, kg m-2; base flow (TOPMODEL, Niu et al. 2005: falling by e in half a metre) with what
            springs above the surface, kg m-2 s-1.
        """
        filled = stored + seconds * recharge
        base = MOST_BASE_FLOW * torch.exp(-DECAY * self.depth(stored).clamp(min=0.0))
        base = torch.minimum(base, filled.clamp(min=0.0) / seconds)
        filled = filled - seconds * base
        spring = (filled - self.stored(torch.zeros_like(stored))).clamp(min=0.0)
        return filled - spring, base + spring / seconds

    def through_beds(self, stored: Tensor, beds: Beds, seconds: float) -> tuple[Tensor, Tensor]:
        """Exchange water with the rivers of the cells: by the head between both, or out of rivers that lie above it.

        The river's level stays through the step, the water table's follows (backward Euler), so that no step is too
        long. A bed above the water table leaks by the depth of its river alone (McDonald and Harbaugh 1988, ch. 6).

        Parameters
        ----------
        stored : Tensor
            kg m-2, (n,).
        beds : Beds
            Of the cells' rivers.
        seconds : float
            Length of the step.

        Returns
        -------
        Tensor, Tensor
            Stored at the end, kg m-2, and what the rivers got, negative where they gave, kg m-2 s-1.
        """
        head, c = -self.depth(stored), beds.conductance
        bed = beds.bed / torch.where(c > 0.0, c, torch.ones_like(c))
        joined = (c * head - beds.stage) / (1.0 + seconds * c / self.specific_yield)
        given = WATER_DENSITY * torch.where(head > bed, joined, beds.bed - beds.stage)
        given = torch.minimum(given, stored.clamp(min=0.0) / seconds)
        return stored - seconds * given, given

    def lateral(self, stored: Tensor, halo: Halo) -> Tensor:
        """What the neighbours give each cell less what it gives them, kg m-2 s-1; sums to 0 over all cells' areas.

        Parameters
        ----------
        stored : Tensor
            kg m-2.
        halo : callable
            Fills the halos of padded blocks in place, as a component's `Context.halo` does.
        """
        depth = self.depth(stored)
        flowing = transmissivity(
            torch.minimum(depth.clamp(min=0.0), self.bedrock), self.conductivity, self.fold, self.bedrock
        )
        head, t = (self._padded(values) for values in (self.height - depth, flowing))
        halo(head, t, width=1)
        gained = np.zeros(self.cells.shape)
        for faces, low, high, axis in (
            (self.faces.west_east, (slice(1, -1), slice(0, -1)), (slice(1, -1), slice(1, None)), 1),
            (self.faces.south_north, (slice(0, -1), slice(1, -1)), (slice(1, None), slice(1, -1)), 0),
        ):
            fall = head[low] - head[high]
            # the higher side gives, so that none gives what it has not
            flow = faces * np.where(fall > 0.0, t[low], t[high]) * fall
            n = self.cells.shape[axis]
            into, out = (np.take(flow, range(i, n + i), axis) for i in (0, 1))
            gained = gained + (into - out)
        return torch.as_tensor(gained[self.cells] * (WATER_DENSITY / self.area[self.cells])).to(stored)

    def _padded(self, values: Tensor) -> Array:
        block = np.zeros(tuple(n + 2 for n in self.cells.shape))
        block[1:-1, 1:-1][self.cells] = values.double().cpu().numpy()
        return block


def bottom_of(depth: Tensor, thickness: Tensor) -> Bottom:
    """The lower boundary of a soil over a water table: hydrostatic where it is in reach, else by the way down to it.

    Parameters
    ----------
    depth : Tensor
        Of the water table below the surface, m, (column,).
    thickness : Tensor
        Of the soil's layers, m, (layer, 1).
    """
    last = 0.5 * float(thickness[-1, 0])
    below = depth - float(thickness.sum())
    return Bottom("water_table", head=(-below).clamp(min=0.0), gap=last + below.clamp(min=0.0), table=depth)
