# SPDX-License-Identifier: BSD-3-Clause
"""A file of emissions."""

import netCDF4
import numpy as np

FINE = (100.0, 130.0, 20.0, 50.0, 0.5)


def write(path, units="kg m-2 s-1", fill=1.0e-9):
    """A file of one variable on half degrees; some of it is missing."""
    west, east, south, north, step = FINE
    lon, lat = np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    with netCDF4.Dataset(path, "w") as f:
        for name, values, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            f.createDimension(name, values.size)
            v = f.createVariable(name, "f8", (name,))
            v.units, v.standard_name, v[:] = unit, {"lat": "latitude", "lon": "longitude"}[name], values
        v = f.createVariable("emi_nox", "f8", ("lat", "lon"), fill_value=-9999.0)
        v.units = units
        g = np.random.default_rng(3)
        values = fill * g.random((lat.size, lon.size))
        values[:4] = -9999.0
        v[:] = values
    return path
