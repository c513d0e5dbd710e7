# SPDX-License-Identifier: BSD-3-Clause
"""Heat that river water takes from the air and the light above it (Edinger, Duttweiler & Geyer 1968).

Over a step the water goes towards the temperature at which its surface would gain nothing, as fast as the surface's
balance changes with temperature. The vapour's heat leaves the water, the vapour itself (some mm a day) does not; what
the air gets of all this it has from the land of the cell, so that the gain is heat from outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.land.rivers.routing import Floats
from components.science.constants import C_LIQUID, FREEZING_POINT, STEFAN_BOLTZMANN, WATER_DENSITY
from components.science.water import growth, saturation_pressure, vapour_pressure

ALBEDO, EMISSIVITY = 0.06, 0.97  # of open water
CALM, WINDY = 0.0690, 0.00345  # W m-2 Pa-1, and by the wind's square: 70 + .7 W^2 BTU ft-2 d-1 mmHg-1, W in mph
BOWEN = 62.7  # Pa K-1: .47 mmHg K-1, heat by touch over heat by vapour


def balance(water: Floats, air: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Gain of a water surface and how fast it falls with the water's temperature.

    The exchange with the air is that of Brady, Graves & Geyer (1969), the lowest level's wind standing for that of 7 m.

    Parameters
    ----------
    water : float64 array
        Temperature, K, (reach,).
    air : sequence of float64 array
        As `AIR_OVER_LAND` has them: temperature (K), humidity, both winds (m s-1), pressure (Pa), short- and longwave
        light from above (W m-2), each (reach,).

    Returns
    -------
    tuple of float64 array
        W m-2, and W m-2 K-1 above 0.
    """
    t, q, u, v, p, sun, sky = air
    wind = CALM + WINDY * (u * u + v * v)
    sends = EMISSIVITY * STEFAN_BOLTZMANN * water**3
    e = saturation_pressure(water)
    gives = wind * (e - vapour_pressure(q, p) + BOWEN * (water - t))
    gain = (1.0 - ALBEDO) * sun + EMISSIVITY * sky - sends * water - gives
    return gain, 4.0 * sends + wind * (e * growth(water) + BOWEN)


def warmed(heat: Floats, volume: Floats, surface: Floats, air: Sequence[Floats], seconds: float) -> Floats:
    """Heat that the water gains in a step, J: exact for a balance that is a straight line in temperature.

    Water does not cool below 0 C, where ice would cover it; without air above (not a number) nothing is gained.

    Parameters
    ----------
    heat : float64 array
        Of the water above 0 C, J, (reach,).
    volume : float64 array
        m3.
    surface : float64 array
        Of the water, m2.
    air : sequence of float64 array
        See `balance`.
    seconds : float
        Length of the step.
    """
    capacity = C_LIQUID * WATER_DENSITY * np.maximum(volume, 0.0)
    known = np.isfinite(sum(air)) & (capacity > 0.0)
    there = [np.where(known, a, 300.0) for a in air]
    above = np.where(known, heat / np.where(known, capacity, 1.0), 0.0)
    gain, slope = balance(np.maximum(above, 0.0) + FREEZING_POINT, there)
    share = -np.expm1(-slope * surface * seconds / np.where(known, capacity, 1.0))
    after = np.maximum(above + share * gain / slope, np.minimum(above, 0.0))
    return np.where(known, capacity * (after - above), 0.0)
