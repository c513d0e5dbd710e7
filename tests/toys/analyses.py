# SPDX-License-Identifier: BSD-3-Clause
"""Synthetic analyses on pressure levels: a warm tropics, a jet, and a wave that moves east, at given dates."""

import cftime
import netCDF4
import numpy as np

LEVELS = (1000.0, 925.0, 850.0, 700.0, 500.0, 400.0, 300.0, 200.0, 100.0, 50.0, 20.0)


def write_analyses(path, hours=(0.0, 6.0), start="2001-06-01 00:00:00", calendar="standard", **change):
    """An ERA5-like file in hydrostatic balance; returns its path.

    Parameters
    ----------
    path : where
    hours : times after ``start``
    change : ``lat``, ``lon`` (degrees), ``units`` and ``factors`` by short name, ``leave_out`` short names,
        ``names`` in the file by the usual ones (then levels are in Pa from the top, as in CMIP6)
    """
    lat = np.asarray(change.get("lat", np.arange(90.0, -90.1, -5.0)))
    lon = np.asarray(change.get("lon", np.arange(0.0, 360.0, 5.0)))
    p = 100.0 * np.array(LEVELS)
    phi, lam = np.deg2rad(lat)[:, None], np.deg2rad(lon)[None, :]
    fields = {k: [] for k in ("t", "u", "v", "q", "z")}
    for hour in np.asarray(hours):
        wave = np.cos(4.0 * lam - 2.0 * np.pi * hour / 96.0) * np.cos(phi) ** 4
        shape = (p.size, lat.size, lon.size)
        t = np.empty(shape)
        for k, level in enumerate(p):
            t[k] = np.maximum(300.0 - 40.0 * np.sin(phi) ** 2 + 45.0 * np.log(level / 1e5), 205.0) + 2.0 * wave
        z = np.empty(shape)
        z[0] = 100.0 + 40.0 * wave
        for k in range(1, p.size):
            z[k] = z[k - 1] + 287.0 / 9.80665 * 0.5 * (t[k] + t[k - 1]) * np.log(p[k - 1] / p[k])
        up = np.log(1e5 / p)[:, None, None]
        fields["t"].append(t)
        fields["u"].append(12.0 * up * np.sin(2.0 * np.abs(phi)) + 3.0 * wave)
        fields["v"].append(4.0 * np.sin(4.0 * lam) * np.cos(phi) ** 4 + 0.0 * up)
        fields["q"].append(0.014 * np.exp(-4.0 * up) * np.cos(phi) ** 2 + 2e-6)
        fields["z"].append(9.80665 * z)
    units = {"t": "K", "u": "m s**-1", "v": "m s**-1", "q": "kg kg**-1", "z": "m**2 s**-2"} | change.get("units", {})
    names = change.get("names", {})
    level = ("level", LEVELS, "millibars") if not names else ("level", p[::-1], "Pa")
    order = slice(None, None, -1 if names else 1)
    called = lambda name: names.get(name, name)  # noqa: E731
    with netCDF4.Dataset(path, "w") as f:
        for name, values, unit in (level, ("latitude", lat, "degrees_north"), ("longitude", lon, "degrees_east")):
            f.createDimension(called(name), len(values))
            f.createVariable(called(name), "f8", (called(name),))[:] = values
            f[called(name)].units = unit
        f.createDimension("time", None)
        time = f.createVariable("time", "i4", ("time",))
        time.units, time.calendar = "hours since 1900-01-01 00:00:00.0", calendar
        first = cftime.datetime.strptime(start, "%Y-%m-%d %H:%M:%S", calendar=calendar)
        time[:] = cftime.date2num(first, time.units, calendar) + np.asarray(hours)
        for name, values in fields.items():
            if name in change.get("leave_out", ()):
                continue
            dims = ("time", *map(called, ("level", "latitude", "longitude")))
            v = f.createVariable(called(name), "f4", dims)
            v.units = units[name]
            v[:] = np.stack(values)[:, order] * change.get("factors", {}).get(name, 1.0)
    return path
