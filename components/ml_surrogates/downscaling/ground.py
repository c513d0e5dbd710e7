# SPDX-License-Identifier: BSD-3-Clause
"""What is known of the ground under a fine grid: its mean height, and the share of land."""

from pathlib import Path

import netCDF4
import numpy as np

from coupler.errors import CaseError
from coupler.files.interpolation import Bilinear
from coupler.files.land_mask import is_land
from coupler.grids.grid import Grid
from coupler.grids.refined import refined
from coupler.paths import DATA

from .scenes import Array

RELIEF = DATA / "east_asia_relief.nc"
"""A quarter of a degree, from ETOPO."""
HEIGHT = "surface_altitude"
POINTS = 4  # of a cell along each side
UNIT = 1000.0  # m


def under(grid: Grid, relief: Path = RELIEF) -> Array:
    """Maps (2, y, x): height in km, the sea at 0, and the share of land; means over points of each cell.

    Parameters
    ----------
    grid : structured
    relief : CF netCDF with ``surface_altitude`` on latitudes and longitudes

    Raises
    ------
    CaseError
        The file has no such field.
    """
    points = refined(grid, POINTS)
    with netCDF4.Dataset(relief) as file:
        if HEIGHT not in file.variables or file[HEIGHT].ndim != 2:
            raise CaseError(
                f"{relief}: expected {HEIGHT} on latitudes and longitudes, found {', '.join(file.variables)}"
            )
        height = np.ma.filled(np.ma.asarray(file[HEIGHT][:], dtype=np.float64), 0.0)
        y, x = (np.asarray(file[d][:], dtype=np.float64) for d in file[HEIGHT].dimensions)
    height = np.clip(np.nan_to_num(height), 0.0, None)
    if y[0] > y[-1]:
        y, height = y[::-1], height[::-1]
    maps = Bilinear(y, x, points.latitude, points.longitude)(height) / UNIT, is_land(points.longitude, points.latitude)
    ny, nx = grid.shape
    return np.stack([np.asarray(a, np.float64).reshape(ny, POINTS, nx, POINTS).mean((1, 3)) for a in maps])
