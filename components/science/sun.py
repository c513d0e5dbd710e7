# SPDX-License-Identifier: BSD-3-Clause
"""Position of the sun: the low-precision formulas of The Astronomical Almanac, as in Michalsky (1988).

Michalsky, J. J. (1988): The Astronomical Almanac's algorithm for approximate solar position (1950-2050), Solar Energy
40, 227-235: .01 degrees. Time is counted in days since 2000 began, so that the sun keeps to the seasons and not to the
calendar, in which an equinox moves by up to two days. Where only a day of the year is known, it stands for one of 2000.
"""

import math
from typing import Any

import torch

YEAR = 365.2425
"""Days of the mean year."""
JUNE_SOLSTICE, DECEMBER_SOLSTICE = 172.1, 355.6
"""Days since 2000 began."""
EPOCH = 0.5  # J2000.0, noon of 1 January, to which the formulas refer
OF_MODELS = 366.0  # the year of a calendar that is none of the world's goes as 2001 went
WORLDLY = ("standard", "gregorian", "proleptic_gregorian", "julian")
DAYS = {"noleap": 365, "365_day": 365, "all_leap": 366, "366_day": 366, "360_day": 360}


def days_since_2000(date: Any) -> float:
    """Days from 2000-01-01 00 UTC to a date, whose whole part tells the sun's season and whose fraction the hour.

    A year of a model's calendar (360, 365 or 366 days) is laid over the mean year, to the nearest day: so each of its
    years has the same seasons, and the sun of one of 360 days leaps over a day every ten weeks.

    Parameters
    ----------
    date : of `cftime`, in any calendar, or of `datetime`, UTC

    Examples
    --------
    >>> from datetime import datetime
    >>> days_since_2000(datetime(2001, 1, 1, 6))
    366.25
    >>> import cftime
    >>> days_since_2000(cftime.datetime(1850, 12, 30, calendar="360_day"))
    730.0
    """
    hour = (date.hour * 3600 + date.minute * 60 + date.second) / 86400.0
    calendar = getattr(date, "calendar", "datetime")
    if calendar == "datetime":
        return float(date.toordinal() - 730120 + hour)
    if calendar in WORLDLY:
        return float(date.toordinal() - 2451545 + hour)
    through = (date.dayofyr - 1 + hour) / DAYS[calendar]
    return float(OF_MODELS + round(through * YEAR - hour) + hour)


def sun_position(day: float) -> tuple[float, float, float]:
    """Declination (rad), equation of time (s) and (mean distance / distance)^2.

    Parameters
    ----------
    day : days since 2000 began, fractional, UTC
    """
    n = day - EPOCH
    mean_longitude = math.radians(math.fmod(280.460 + 0.9856474 * n, 360.0))
    anomaly = math.radians(math.fmod(357.528 + 0.9856003 * n, 360.0))
    longitude = mean_longitude + math.radians(1.915) * math.sin(anomaly) + math.radians(0.020) * math.sin(2 * anomaly)
    obliquity = math.radians(23.439 - 4.0e-7 * n)
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    equation = math.remainder(mean_longitude - ascension, 2.0 * math.pi)
    distance = 1.00014 - 0.01671 * math.cos(anomaly) - 0.00014 * math.cos(2 * anomaly)
    return declination, 86400.0 * equation / (2.0 * math.pi), 1.0 / (distance * distance)


def cosine_zenith(lon: torch.Tensor, lat: torch.Tensor, day: float) -> torch.Tensor:
    """Cosine of the solar zenith angle, 0 at night.

    Parameters
    ----------
    lon, lat : (y, x) degrees
    day : days since 2000 began, fractional, UTC
    """
    declination, equation, _ = sun_position(day)
    hour = 2.0 * math.pi * ((day % 1.0) - 0.5 + equation / 86400.0) + torch.deg2rad(lon)
    phi = torch.deg2rad(lat)
    cosine = torch.sin(phi) * math.sin(declination) + torch.cos(phi) * math.cos(declination) * torch.cos(hour)
    return torch.clamp(cosine, min=0.0)


def day_length(lat: torch.Tensor, day: float, below: float = 0.0) -> torch.Tensor:
    """Time between sunrise and sunset of the sun's centre, s; 0 in the polar night, 86400 in the polar day.

    Parameters
    ----------
    lat : degrees
    day : days since 2000 began, fractional, UTC
    below : degrees below the horizon at which the day begins and ends: 0, or as far as twilight counts
    """
    declination, _, _ = sun_position(day)
    phi = torch.deg2rad(lat)
    height = torch.sin(phi) * math.sin(declination)
    swing = torch.clamp(torch.cos(phi) * math.cos(declination), min=1e-9)
    return 86400.0 / math.pi * torch.acos(torch.clamp(-(height + math.sin(math.radians(below))) / swing, -1.0, 1.0))


def longest_day(lat: torch.Tensor) -> torch.Tensor:
    """Day length at the summer solstice of either hemisphere, s.

    Parameters
    ----------
    lat : degrees
    """
    return torch.maximum(day_length(lat, JUNE_SOLSTICE), day_length(lat, DECEMBER_SOLSTICE))
