# SPDX-License-Identifier: BSD-3-Clause
"""Setting up the ocean from a few arrays: idealised basins and channels, and experiments at a prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry, build_geometry, partial_cells
from components.ocean.primitive.horizontal_grid import HorizontalGrid
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.state import State, state_at_rest
from components.ocean.primitive.stencil import HALO
from components.ocean.primitive.surface import SurfaceForcing, no_forcing
from components.ocean.primitive.timestep import Ocean
from components.science.halo import Edges, Padded, SerialHalo


@dataclass
class Experiment:
    """An ocean, its state and its forcing; `run` advances it.

    >>> from components.ocean.primitive.horizontal_grid import cartesian
    >>> grid, depth = cartesian(8, 8, 1e4, 1e4, f0=1e-4), np.full((8, 8), 100.0)
    >>> basin = set_up(grid, depth, np.full(5, 20.0), Parameters(dt=600.0, substeps=10))
    >>> basin.run(3)
    >>> float(basin.state.eta.abs().max())
    0.0
    """

    ocean: Ocean
    state: State
    forcing: SurfaceForcing

    @property
    def geometry(self) -> Geometry:
        """The basin's geometry."""
        return self.ocean.g

    def run(self, steps: int) -> None:
        """Advance by a number of baroclinic steps without keeping gradients."""
        with torch.no_grad():
            for _ in range(steps):
                self.state = self.ocean.step(self.state, self.forcing)

    def own(self, field: Tensor) -> np.ndarray:
        """Return a field with a halo of two as numpy, halo cut off."""
        return field[..., HALO:-HALO, HALO:-HALO].detach().cpu().numpy()


def whole_domain(g: Geometry, periodic_x: bool = False, periodic_y: bool = False) -> Padded:
    """Halo of a block that is the whole domain.

    Parameters
    ----------
    g : the block
    periodic_x, periodic_y : whether it closes on itself; land lies beyond other edges
    """
    sides = ("periodic" if periodic else "masked" for periodic in (periodic_x, periodic_x, periodic_y, periodic_y))
    return Padded(SerialHalo(*g.shape, Edges(*sides)), HALO)


def set_up(
    grid: HorizontalGrid,
    depth: np.ndarray,
    level_thickness: Sequence[float] | np.ndarray,
    parameters: Parameters,
    temperature: Tensor | np.ndarray | float = 10.0,
    salinity: Tensor | np.ndarray | float = 35.0,
    passive: Sequence[Tensor | np.ndarray | float] = (),
    eta: np.ndarray | None = None,
    periodic_x: bool = False,
    periodic_y: bool = False,
    no_slip: bool = False,
    compile: bool = False,
    open_share: tuple[np.ndarray, np.ndarray] | None = None,
) -> Experiment:
    """Ocean at rest over a given sea floor.

    Parameters
    ----------
    grid : HorizontalGrid
        Metric terms.
    depth : ndarray
        Sea floor (m, positive down; 0 is land), ``(ny, nx)``.
    level_thickness : sequence of float
        Thickness of the levels from the surface down, m.
    parameters : Parameters
        Schemes and coefficients.
    temperature, salinity, passive : array or float
        Initial tracers, anything that broadcasts to ``(nz, ny, nx)``.
    eta : ndarray or None
        Initial sea level (m), ``(ny, nx)``.
    periodic_x, periodic_y, no_slip : bool
        As in `build_geometry`.
    compile : bool
        Compile with `torch.compile`.
    open_share : pair of ndarray, or None
        As in `build_geometry`.
    """
    level_thickness = np.asarray(level_thickness, float)
    g = build_geometry(
        grid, partial_cells(np.asarray(depth, float), level_thickness), level_thickness, periodic_x, periodic_y,
        no_slip, open_share=open_share,
    )  # fmt: skip
    halo = whole_domain(g, periodic_x, periodic_y)
    shape = (g.levels, *g.shape)
    tracers = torch.stack(
        [torch.as_tensor(q, dtype=g.h0.dtype).broadcast_to(shape) for q in (temperature, salinity, *passive)]
    )
    level = None if eta is None else torch.as_tensor(eta, dtype=g.h0.dtype).broadcast_to(g.shape).contiguous()
    state = state_at_rest(tracers.contiguous(), g, halo, level)
    return Experiment(Ocean(g, parameters, halo, compile), state, no_forcing(len(tracers), g))
