# SPDX-License-Identifier: BSD-3-Clause
"""What is known of the ground under a fine grid: its mean height, the share of land, and the land that runs have.

Runs take their coasts from the sea of their files, half a degree wide, and their air is warm or cold over those.
"""

from pathlib import Path

import netCDF4
import numpy as np

from coupler.errors import CaseError
from coupler.files.interpolation import Bilinear
from coupler.files.land_mask import is_land
from coupler.files.prescribed import Prescribed
from coupler.grids.grid import Grid
from coupler.grids.refined import refined
from coupler.paths import DATA

from .scenes import Array

RELIEF = DATA / "east_asia_relief.nc"
"""A quarter of a degree, from ETOPO."""
HEIGHT = "surface_altitude"
SEA = DATA / "east_asia_ocean.nc"
"""Where the cases of East Asia have their sea."""
WET = "sea_binary_mask"
MAPS = 3
POINTS = 4  # of a cell along each side
UNIT = 1000.0  # m


def under(grid: Grid, relief: Path = RELIEF, sea: Path = SEA) -> Array:
    """Maps (3, y, x): height in km, the sea at 0; the share of land; and what a run on the grid has of land.

    Height and share are means over points of each cell.

    Parameters
    ----------
    grid : structured
    relief : CF netCDF with ``surface_altitude`` on latitudes and longitudes
    sea : CF netCDF with ``sea_binary_mask``, that of the runs

    Raises
    ------
    CaseError
        A file has no such field.
    """
    points = refined(grid, POINTS)
    height, y, x = _map(relief, HEIGHT)
    above = np.clip(height, 0.0, None)
    maps = Bilinear(y, x, points.latitude, points.longitude)(above) / UNIT, is_land(points.longitude, points.latitude)
    ny, nx = grid.shape
    means = (np.asarray(a, np.float64).reshape(ny, POINTS, nx, POINTS).mean((1, 3)) for a in maps)
    wet, y, x = _map(sea, WET)
    dry = Bilinear(y, x, grid.latitude, grid.longitude)(wet) <= Prescribed.mask_least
    return np.stack([*means, np.asarray(dry, np.float64).reshape(ny, nx)])


def _map(path: Path, name: str) -> tuple[Array, Array, Array]:
    """A field, missing values as 0, with its latitudes, southernmost first, and longitudes."""
    with netCDF4.Dataset(path) as file:
        if name not in file.variables or file[name].ndim != 2:
            raise CaseError(f"{path}: expected {name} on latitudes and longitudes, found {', '.join(file.variables)}")
        field = np.nan_to_num(np.ma.filled(np.ma.asarray(file[name][:], dtype=np.float64), 0.0))
        y, x = (np.asarray(file[d][:], dtype=np.float64) for d in file[name].dimensions)
    return (field[::-1], y[::-1], x) if y[0] > y[-1] else (field, y, x)
