# SPDX-License-Identifier: BSD-3-Clause
"""A file of emissions."""

import netCDF4
import numpy as np

FINE = (100.0, 130.0, 20.0, 50.0, 0.5)


def write(path, units="kg m-2 s-1", fill=1.0e-9, months=()):
    """A file of one variable on half degrees, in months of 2014 or all the same; some of it is missing."""
    west, east, south, north, step = FINE
    lon, lat = np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    with netCDF4.Dataset(path, "w") as f:
        for name, values, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            f.createDimension(name, values.size)
            v = f.createVariable(name, "f8", (name,))
            v.units, v.standard_name, v[:] = unit, {"lat": "latitude", "lon": "longitude"}[name], values
        if months:
            f.createDimension("time", len(months))
            f.createDimension("two", 2)
            v, bounds = f.createVariable("time", "f8", ("time",)), f.createVariable("bounds", "f8", ("time", "two"))
            v.units, v.bounds, v.calendar = "days since 2014-01-01", "bounds", "standard"
            bounds[:] = [[30.0 * (m - 1), 30.0 * m] for m in months]
            v[:] = [30.0 * m - 15.0 for m in months]
        dimensions = ("time", "lat", "lon") if months else ("lat", "lon")
        v = f.createVariable("emi_nox", "f8", dimensions, fill_value=-9999.0)
        v.units = units
        g = np.random.default_rng(3)
        values = fill * g.random((lat.size, lon.size))
        values[:4] = -9999.0
        v[:] = np.stack([values] * len(months)) if months else values
    return path
