# SPDX-License-Identifier: BSD-3-Clause
"""An atmosphere of 200 km over a slab of warm ocean and a prescribed one around: small enough to be differentiated."""

import netCDF4
import numpy as np

from tests.toys.cases import write_case

STEP = 1200
PLANE = {"projection": "+proj=lcc +lat_1=15 +lat_2=35 +lat_0=25 +lon_0=150 +R=6371000", "nx": 12, "ny": 12,
         "spacing": 200000, "center": [150.0, 25.0]}  # fmt: skip
NODE = {"flux": "air_sea", "scheme": "ncar", "between": ["atmosphere", "ocean"], "period": "PT20M",
        "states": "second_order"}  # fmt: skip
AROUND = {**NODE, "between": ["atmosphere", "prescribed_ocean"]}
RAIN = {"from": "atmosphere", "to": "ocean", "period": "PT20M", "lag": "PT20M"}


def coupled_case(folder, *, air=None, rules=(NODE, AROUND, RAIN), duration="P1D", ocean=None):
    """The case; ``air`` are options of the atmosphere that differ, ``ocean`` is its whole namelist."""
    options = {"levels": 10, "top": 18000, "jet": "january", "precision": "double", "radiation": "gray",
               "microphysics": "kessler", "convection": "none", "acoustic_steps": 8, **(air or {})}  # fmt: skip
    slab = {"model": "slab", "step": "PT20M", "slab": {"depth": "5 m", "initial_temperature": "302 K"},
            "grid": {"west": 141, "east": 159, "south": 17, "north": 33, "resolution": 1.0}}  # fmt: skip
    parts = {"atmosphere": {"model": "nonhydrostatic", "step": "PT20M", "grid": PLANE, "nonhydrostatic": options},
             "ocean": ocean or slab,
             "prescribed_ocean": {"model": "data", "role": "prescribed", "step": "PT20M",
                                  "grid": "atmosphere",
                                  "data": {"file": "around.nc", "fields": ["sea_surface_temperature"]}}}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    _write_sea_around(folder / "around.nc")
    return write_case(folder, parts, list(rules), duration=duration, inline=True, layout={"coupler": 1})


def _write_sea_around(path):
    """Temperature of the sea around, warm in the south: months of one year."""
    with netCDF4.Dataset(path, "w") as f:
        for name, values, units in (
            ("time", np.arange(0.0, 800.0, 30.0), "days since 2000-12-01"),
            ("lat", np.arange(7.0, 44.0, 2.0), "degrees_north"),
            ("lon", np.arange(131.0, 170.0, 2.0), "degrees_east"),
        ):
            f.createDimension(name, values.size)
            f.createVariable(name, "f8", (name,))[:] = values
            f[name].units = units
        f["time"].calendar = "noleap"
        sst = f.createVariable("sea_surface_temperature", "f8", ("time", "lat", "lon"))
        sst.units, sst.standard_name = "K", "sea_surface_temperature"
        sst[:] = 302.0 - 0.2 * np.abs(f["lat"][:] - 15.0)[None, :, None]
