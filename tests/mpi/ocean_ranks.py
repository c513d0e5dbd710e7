# SPDX-License-Identifier: BSD-3-Clause
"""Steps the regional ocean on the ranks it is started with and writes its state.

Run by tests/unit/test_ocean_component.py.
"""

import json
import sys
from pathlib import Path

import numpy as np

from components.ocean.primitive.component import PrimitiveOcean
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid


def context(folder, comm=None):
    grid = Grid.regular_lonlat("ocean", 99, 150, -5, 52, resolution=0.5)
    return Context(
        name="ocean", clock=Clock("2001-01-01", "noleap"), step=3600, duration=86400, grid=grid, folder=folder,
        decompositions={"default": Decomposition(grid.shape, comm)}, logger=lambda text: None,
    )  # fmt: skip


def imports(time, c):
    """Fluxes that vary in space and time, this rank's block."""
    x, y = np.meshgrid(np.arange(c.grid.shape[1]), np.arange(c.grid.shape[0]))
    return {
        "surface_downward_heat_flux_in_sea_water": c.local(-100.0 + 50 * np.sin(x / 9.0 + time / 3600.0)),
        "surface_net_downward_shortwave_flux": c.local(150.0 + 0.0 * x),
        "surface_downward_eastward_stress": c.local(0.1 * np.cos(y / 20.0)),
        "surface_downward_northward_stress": c.local(-0.05 + 0.0 * x),
        "precipitation_flux": c.local(3e-5 * (1 + np.cos(x / 5.0))),
    }


def run(folder, steps, comm=None, kept=None, **options):
    """State after some steps, whole fields on the first rank; ``kept`` starts from a state after half of them."""
    c = context(folder, comm)
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc", **options))
    ocean.initialize(c)
    first = 0
    if kept is not None:
        ocean.restore(kept)
        first = kept["steps"]
    for n in range(first, steps):
        ocean.step(3600 * n, 3600, imports(3600 * n, c))
    state = ocean.state()
    return {name: value if np.isscalar(value) else c.gather(value) for name, value in state.items()}


if __name__ == "__main__":
    from mpi4py import MPI

    whole = run(Path("."), int(sys.argv[2]), MPI.COMM_WORLD, **json.loads(sys.argv[3]))
    if MPI.COMM_WORLD.rank == 0:
        np.savez(sys.argv[1], **whole)
