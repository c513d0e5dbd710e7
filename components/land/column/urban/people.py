# SPDX-License-Identifier: BSD-3-Clause
"""Heat that people's bodies and cars make (Sailor and Lu 2004)."""

from __future__ import annotations

ACTIVE, ASLEEP = 175.0, 75.0  # W a person, awake and asleep (Sailor and Lu 2004, section 2.4)
ASLEEP_HOURS = 8.0
VEHICLE = 3975.0  # J m-1 a car drives (Sailor and Lu 2004, table 4)


def metabolic_heat(density: float, asleep_hours: float = ASLEEP_HOURS) -> float:
    """Mean heat of bodies over a day, W m-2.

    Parameters
    ----------
    density : float
        People a square kilometre.
    asleep_hours : float
        Of the day.

    Examples
    --------
    >>> round(metabolic_heat(1e4), 5)
    1.41667
    """
    return density * 1e-6 * (ACTIVE * (24.0 - asleep_hours) + ASLEEP * asleep_hours) / 24.0


def traffic_heat(density: float, cars: float, distance: float) -> float:
    """Mean heat of traffic over a day, W m-2.

    Parameters
    ----------
    density : float
        People a square kilometre.
    cars : float
        A head.
    distance : float
        That each is driven a day, km.

    Examples
    --------
    >>> round(traffic_heat(1e4, 0.3, 20.0), 5)
    2.76042
    """
    return density * 1e-6 * cars * distance * 1e3 * VEHICLE / 86400.0
