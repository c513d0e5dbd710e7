# SPDX-License-Identifier: BSD-3-Clause
"""Which cells live on which rank: of components from their blocks, of external programs as they say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from coupler.errors import LayoutError
from coupler.grids.decomposition import block_cells
from coupler.plan import Plan

Index = npt.NDArray[np.int64]


class Partitions:
    """Cells of every rank of every component.

    Parameters
    ----------
    plan : Plan
        The plan.
    declared : mapping, optional
        Flat cells by (component, rank) of external programs.
    """

    def __init__(self, plan: Plan, declared: Mapping[tuple[str, int], Index] | None = None):
        self.plan = plan
        self.declared = dict(declared or {})
        for c in plan.components:
            if c.component is None:
                self._check_external(c.name)

    def cells(self, component: str, rank: int, grid: str = "default") -> Index:
        """Flat cells of rank `rank` (within the component).

        Parameters
        ----------
        component : name in the case
        rank : within the component
        grid : name of the grid
        """
        if (component, rank) in self.declared:
            return self.declared[component, rank]
        c = self.plan[component]
        return block_cells(c.grids[grid].shape, len(c.ranks), rank)

    def _check_external(self, name: str) -> None:
        """Every cell of an external program's grid on one rank at most."""
        c = self.plan[name]
        parts = [self.declared.get((name, r)) for r in range(len(c.ranks))]
        if all(p is None for p in parts):
            return
        size = c.grids["default"].size
        cells = np.concatenate([p for p in parts if p is not None])
        if cells.size and (cells.min() < 0 or cells.max() >= size):
            raise LayoutError(f"{name}: its partition names cell {cells.max()}, the grid has {size}")
        if np.unique(cells).size != cells.size:
            raise LayoutError(f"{name}: its partition has cells that live on two ranks")
