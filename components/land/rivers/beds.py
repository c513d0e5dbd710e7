# SPDX-License-Identifier: BSD-3-Clause
"""What the land is told of its rivers: how water passes their beds, and how much irrigation may draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.land.rivers.routing import Floats
from components.science.surface_fields import AVAILABLE_WATER, RIVER_BEDS

DAY = 86400.0


@dataclass(frozen=True)
class Beds:
    """Of the reaches, each (reach,).

    Parameters
    ----------
    conductance : float64 array
        Flow through the bed by area of the cell and head, s-1.
    bank : float64 array
        Height of the banks, where the land's surface is, above the bed, m.
    withdrawal : float
        Share of the water that irrigation may draw in a day.
    """

    conductance: Floats
    bank: Floats
    withdrawal: float

    def told(self, depth: Floats, water: Floats) -> dict[str, Floats]:
        """Fields for the land by name.

        Parameters
        ----------
        depth : float64 array
            Of the water in the channel, m, (reach,).
        water : float64 array
            In the reach, kg m-2 of its cell, (reach,).
        """
        heights = np.ones_like(depth), depth - self.bank, -self.bank
        fields = {name: self.conductance * height for name, height in zip(RIVER_BEDS, heights, strict=True)}
        return {**fields, AVAILABLE_WATER: (self.withdrawal / DAY) * np.maximum(water, 0.0)}
