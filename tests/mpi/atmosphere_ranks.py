# SPDX-License-Identifier: BSD-3-Clause
"""Steps the atmosphere on the ranks it is started with and writes its state.

Run by tests/unit/test_atmosphere_component.py.
"""

import sys
from pathlib import Path

import numpy as np

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid

LAMBERT = "+proj=lcc +lat_1=25 +lat_2=45 +lat_0=32 +lon_0=113 +R=6371229"


def context(comm=None, nx=32, ny=23, dx=200e3, step=600):
    grid = Grid.projected("atmosphere", LAMBERT, nx, ny, dx)
    return Context(
        name="atmosphere", clock=Clock("2001-06-01T03:00:00"), step=step, duration=10 * 86400, grid=grid,
        folder=Path("."),
        grids={"default": grid}, decompositions={"default": Decomposition(grid.shape, comm)}, logger=lambda text: None,
    )  # fmt: skip


def surface(c, exports):
    """Fluxes of a simple ground from the atmosphere's own exports, this rank's block."""
    east, north = exports["eastward_wind"], exports["northward_wind"]
    speed = np.sqrt(east * east + north * north)
    t = exports["air_temperature"]
    x = c.local(np.broadcast_to(np.arange(c.grid.shape[1], dtype=float), c.grid.shape))
    return {
        "surface_downward_sensible_heat_flux": -60.0 * np.cos(x / 7.0),
        "water_evapotranspiration_flux": 4e-5 + 0.0 * t,
        "surface_downward_eastward_stress": 2.2e-3 * speed * east,
        "surface_downward_northward_stress": 2.2e-3 * speed * north,
        "surface_upwelling_longwave_flux_in_air": 5.67e-8 * t * t * t * t,
        "surface_upwelling_shortwave_flux_in_air": 0.15 * exports["surface_downwelling_shortwave_flux_in_air"],
    }


def run(steps, comm=None, kept=None, **options):
    """State after some steps, whole fields on the first rank; ``kept`` starts from a state."""
    c = context(comm)
    options = {"radiation": "gray", "radiation_interval": "PT20M", "limiter": "monotonic", **options}
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**options))
    exports = air.initialize(c)
    first = 0
    if kept is not None:
        exports = air.restore({k: v if np.isscalar(v) else c.local(v) for k, v in kept.items()})
        first = int(kept["time"]) // 600
    for n in range(first, steps):
        exports = air.step(600 * n, 600, surface(c, exports))
    state = {name: value if np.isscalar(value) else c.gather(value) for name, value in air.state().items()}
    return state, exports


if __name__ == "__main__":
    from mpi4py import MPI

    whole, _ = run(int(sys.argv[2]), MPI.COMM_WORLD, precision=sys.argv[3])
    if MPI.COMM_WORLD.rank == 0:
        np.savez(sys.argv[1], **whole)
