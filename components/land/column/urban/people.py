# SPDX-License-Identifier: BSD-3-Clause
"""Heat that people's bodies and cars make (Sailor and Lu 2004)."""

from __future__ import annotations

import torch
from torch import Tensor

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


TRAFFIC = (
    0.28,
    0.19,
    0.16,
    0.17,
    0.27,
    0.55,
    1.02,
    1.50,
    1.52,
    1.30,
    1.25,
    1.27,
    1.32,
    1.36,
    1.45,
    1.55,
    1.66,
    1.70,
    1.50,
    1.20,
    0.95,
    0.80,
    0.63,
    0.40,
)  # of the mean, by hour of a weekday (after Sailor and Lu 2004, fig. 2: two peaks)
SATURDAY = 5  # first day of the weekend, from Monday
WEEKEND = 0.8  # traffic of a day of the weekend over that of a weekday (Sailor and Lu 2004)


def local_time(hour: float, weekday: int, longitude: Tensor) -> tuple[Tensor, Tensor]:
    """The sun's hour and the day of the week by it, of places.

    Parameters
    ----------
    hour : float
        Of the day at Greenwich, 0 to 24.
    weekday : int
        At Greenwich, 0 on a Monday.
    longitude : Tensor
        Degrees east, of any turn, (n,).

    Returns
    -------
    Tensor, Tensor
        0 to 24, and 0 to 6, (n,).

    Examples
    --------
    >>> shanghai = torch.tensor([120.0])
    >>> [x.item() for x in local_time(18.0, 4, shanghai)]  # Friday evening at Greenwich
    [2.0, 5]
    """
    here = hour + (torch.remainder(longitude + 180.0, 360.0) - 180.0) / 15.0
    days = torch.floor(here / 24.0)
    return here - 24.0 * days, torch.remainder(days.long() + weekday, 7)


def heat_of_people(hour: Tensor, weekday: Tensor, density: float, cars: float, distance: float) -> Tensor:
    """Heat of bodies and traffic at an hour, W m-2; its mean over a weekday is that of the two functions above.

    Parameters
    ----------
    hour : Tensor
        Of the sun's day, 0 to 24, (n,).
    weekday : Tensor
        0 on a Monday to 6, where it is that hour, (n,).
    density : float
        People a square kilometre.
    cars : float
        A head.
    distance : float
        That each is driven a day, km.
    """
    profile = torch.tensor(TRAFFIC, dtype=hour.dtype) * (24.0 / sum(TRAFFIC))
    traffic = traffic_heat(density, cars, distance) * profile[hour.long() % 24]
    traffic = torch.where(weekday < SATURDAY, traffic, WEEKEND * traffic)
    asleep = ((hour + 1.0) % 24.0) < ASLEEP_HOURS  # from 23 to 7
    return traffic + density * 1e-6 * torch.where(asleep, hour.new_tensor(ASLEEP), ACTIVE)
