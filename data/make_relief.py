# SPDX-License-Identifier: BSD-3-Clause
"""Relief of East Asia at a quarter of a degree, out of ETOPO (public domain): data/east_asia_relief.nc.

    python data/make_relief.py ETOPO5 ETOPO20

ETOPO5 (or a part of it) where it reaches, ETOPO20 beyond; the sea is 0. Means over the cells of the finer one's points.
"""

import sys
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

from coupler.files.interpolation import Bilinear

WEST, EAST, SOUTH, NORTH, STEP, POINTS = 70.0, 160.0, -10.0, 65.0, 0.25, 6


def heights(path: Path, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Heights at points, NaN where the file does not reach."""
    with xr.open_dataset(path, decode_times=False) as file:
        y, x, z = (np.asarray(file.ROSE[n], float) for n in (*file.ROSE.dims, slice(None)))
    there = (latitude >= y[0]) & (latitude <= y[-1]) & (longitude >= x[0]) & (longitude <= x[-1])
    out = np.full(latitude.shape, np.nan)
    out[there] = Bilinear(y, x, latitude[there], longitude[there])(np.clip(np.nan_to_num(z), 0.0, None))
    return out


def main(fine: Path, coarse: Path) -> None:
    """Write the file."""
    ny, nx = round((NORTH - SOUTH) / STEP), round((EAST - WEST) / STEP)
    longitude, latitude = np.meshgrid(
        WEST + STEP * (np.arange(nx * POINTS) + 0.5) / POINTS, SOUTH + STEP * (np.arange(ny * POINTS) + 0.5) / POINTS
    )
    first = heights(fine, latitude, longitude)
    z = np.where(np.isfinite(first), first, heights(coarse, latitude, longitude))
    z = z.reshape(ny, POINTS, nx, POINTS).mean((1, 3))
    with netCDF4.Dataset(Path(__file__).parent / "east_asia_relief.nc", "w", format="NETCDF4_CLASSIC") as out:
        out.Conventions, out.title = "CF-1.11", "Relief of East Asia"
        out.source = f"ETOPO: {fine.name}; {coarse.name} beyond it"
        out.comment = "derived from public-domain data of NOAA PMEL's Ferret distribution"
        axes = (
            ("latitude", "degrees_north", "Y", SOUTH + STEP * (np.arange(ny) + 0.5)),
            ("longitude", "degrees_east", "X", WEST + STEP * (np.arange(nx) + 0.5)),
        )
        for name, units, axis, values in axes:
            out.createDimension(name, values.size)
            variable = out.createVariable(name, "f8", (name,))
            variable.standard_name, variable.units, variable.axis = name, units, axis
            variable[...] = values
        height = out.createVariable("surface_altitude", "i2", ("latitude", "longitude"), zlib=True, complevel=9)
        height.standard_name, height.units = "surface_altitude", "m"
        height.long_name, height.cell_methods = "mean height of the ground, the sea at 0", "area: mean"
        height[...] = np.round(z).astype(np.int16)


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:3]))
