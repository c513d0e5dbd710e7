# SPDX-License-Identifier: BSD-3-Clause
"""A sea with its own main loop, as the tests start it beside a case."""

import sys

import numpy as np

from coupler.grids.grid import Grid
from coupler.participant import Participant

how = sys.argv[1]
with Participant("sea") as sea:
    if how == "wrong_grid":
        sea.define_grid(Grid.regular_lonlat("mine", 102, 138, 2, 38, resolution=2.0))
    sea.define_grid(Grid.regular_lonlat("mine", 102, 138, 2, 38, resolution=1.5))
    sea.define_field("sea_surface_temperature", "K")
    if how == "points":
        order = np.random.default_rng(3).permutation(sea.grid.size)
        half = sea.grid.size // 2
        cells = sea.partition(order[:half] if sea.rank == 0 else order[half:])
    else:
        cells = sea.partition(how if how in ("strips", "boxes", "serial") else "strips")
    sea.end_definition()
    latitude = sea.grid.latitude.reshape(-1)[cells]
    temperature = 290.0 - 0.2 * latitude
    if sea.restored:
        temperature = sea.restored["temperature"].reshape(-1)
    sea.put("sea_surface_temperature", sea.start, temperature)
    actions = []
    for time in sea.times(state=lambda: {"temperature": temperature}):  # noqa: B023
        if how == "late_get":
            sea.get("air_temperature", time + 2 * sea.step)
        heat, action = sea.get("surface_downwelling_shortwave_flux_in_air", time)
        air, _ = sea.get("air_temperature", time)
        actions.append(action)
        flux = heat - 200.0 + 20.0 * (air - temperature)
        temperature = temperature + flux * sea.step / (1025.0 * 3990.0 * 30.0)
        sea.put("sea_surface_temperature", time + (2 if how == "late_put" else 1) * sea.step, temperature)
    if sea.rank == 0:
        print(f"first get: {actions[0]}; second get: {actions[1]}", flush=True)
