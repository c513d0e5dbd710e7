# SPDX-License-Identifier: BSD-3-Clause
"""What the reaches start with: the water that the climate's runoff keeps in them, as warm as the month."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.land.rivers.network import Cells, Floats, Network
from components.science.climate_water import DAY, climate_of
from components.science.constants import FREEZING_POINT, WATER_DENSITY
from coupler.component import Context


def at_start(context: Context, options: Any, network: Network, cells: Cells) -> tuple[Floats, Floats]:
    """Runoff that has run for ever (kg m-2 s-1), and temperature of the water (K), by reach. The log says which.

    Parameters
    ----------
    context : Context
        Of the component.
    options : RiverNetwork.Options
        With ``climate``, and what holds where it has no values.
    network : Network
        On the component's grid.
    cells : int64 array
        Flat numbers of the reaches' cells.
    """
    runoff, warmth = np.full(cells.size, options.initial_runoff), np.full(cells.size, options.initial_temperature)
    if not options.climate:
        return runoff, warmth
    found = climate_of(context.file(options.climate), context.clock, context.grid, network.land)
    place = np.argsort(np.argsort(cells))  # the climate is by rows and columns, reaches are by their level
    given, air = (v.numpy()[place] for v in (found.runoff, found.air))
    known = np.isfinite(given)
    runoff, warmth = np.where(known, given, runoff), np.where(known, np.maximum(air, FREEZING_POINT), warmth)
    if context.rank == 0:
        area, whole = network.area.ravel()[cells], np.zeros(network.land.shape)
        whole.ravel()[cells] = area * runoff / WATER_DENSITY
        share, mean = (area * known).sum() / area.sum(), (area * runoff).sum() / area.sum() * DAY
        context.log(
            f"rivers start with the runoff of {options.climate} about the date, on {share:.0%} of their land:"
            f" {mean:.2g} mm a day, at most {network.accumulate(whole).max():.0f} m3 s-1 in a river"
        )
    return runoff, warmth
