# SPDX-License-Identifier: BSD-3-Clause
"""A file of a larger model's air: fields on levels of pressure, or on hybrid ones."""

import netCDF4
import numpy as np

LON, LAT = np.arange(90.0, 141.0, 2.5), np.arange(10.0, 56.0, 2.5)
LEVELS = np.array([100000.0, 92500.0, 85000.0, 70000.0, 50000.0, 30000.0, 20000.0, 10000.0, 5000.0, 2000.0])


def pressures(hybrid):
    """Coefficients (constant, share) of the levels and the pressure at the surface (ny, nx), Pa."""
    surface = 1.0e5 - 3.0e4 * np.exp(-(((LON[None] - 100.0) / 15.0) ** 2) - ((LAT[:, None] - 35.0) / 10.0) ** 2)
    share = np.clip(LEVELS / 1.0e5 - 0.1, 0.0, None) / 0.9 if hybrid else np.zeros_like(LEVELS)
    return LEVELS - share * 1.0e5, share, surface


def write(path, fields, times=(0.0,), hybrid=False, since="days since 2001-06-01", level_units="hPa", east=140.0):
    """Variables (time, level, lat, lon), functions of (days, p, lat, lon): {name: (units, standard name, function)}."""
    constant, share, surface = pressures(hybrid)
    lon = LON[LON <= east]
    surface = surface[:, : lon.size]
    p = constant[:, None, None] + share[:, None, None] * surface
    with netCDF4.Dataset(path, "w") as f:
        axes = {
            "time": (np.asarray(times), since, "time"), "lat": (LAT, "degrees_north", "latitude"),
            "lon": (lon, "degrees_east", "longitude"),
        }  # fmt: skip
        axes["lev"] = (LEVELS * (0.01 if level_units == "hPa" else 1.0), level_units, "air_pressure")
        for name, (values, units, standard) in axes.items():
            f.createDimension(name, len(values))
            v = f.createVariable(name, "f8", (name,))
            v.units, v.standard_name, v[:] = units, standard, values
        if hybrid:
            f["lev"].standard_name = "atmosphere_hybrid_sigma_pressure_coordinate"
            f["lev"].units, f["lev"].formula_terms = "1", "a: hyam b: hybm p0: P0 ps: PS"
            for name, values in (("hyam", constant / 1.0e5), ("hybm", share)):
                f.createVariable(name, "f8", ("lev",))[:] = values
            v = f.createVariable("P0", "f8", ())
            v.units, v[...] = "Pa", 1.0e5
            v = f.createVariable("PS", "f8", ("time", "lat", "lon"))
            v.units, v[:] = "Pa", np.stack([surface] * len(times))
        for name, (units, standard, function) in fields.items():
            v = f.createVariable(name, "f8", ("time", "lev", "lat", "lon"), fill_value=-9.0e9)
            v.units = units
            if standard:
                v.standard_name = standard
            for n, day in enumerate(times):
                v[n] = function(day, p, LAT[:, None], lon[None])
    return path
