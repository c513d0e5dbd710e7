# SPDX-License-Identifier: BSD-3-Clause
"""Where runs live that stand for nature: the map of East Asia at 295 km, or the same map further east."""

from pathlib import Path

from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.grid import Grid

LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0={} +R=6371000"
MIDDLE = (119.02, 25.02)  # degrees
MERIDIAN, SPACING, STEP = 130.0, 295e3, 1800


def nature_context(clock: Clock, cells: int, duration: int, east: float = 0.0, step: int = STEP) -> Context:
    """A map at 295 km, half-hour steps.

    Parameters
    ----------
    clock : dates
    cells : along a side
    duration : of the runs, s
    east : degrees from East Asia; latitudes and map factors are the same everywhere
    step : s
    """

    def at(longitude: float) -> float:
        return (longitude + east + 180.0) % 360.0 - 180.0

    middle = (at(MIDDLE[0]), MIDDLE[1])
    grid = Grid.projected("nature", LAMBERT.format(f"{at(MERIDIAN):g}"), cells, cells, SPACING, center=middle)
    return Context("nature", clock, step, duration, grid, Path("."), grids={"default": grid})
