"""Where the sun stands."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cos_zenith(latitude: Tensor, longitude: Tensor, day_of_year: float, utc_hour: float) -> Tensor:
    """Cosine of the solar zenith angle (Spencer 1971: declination and equation of time).

    Parameters
    ----------
    latitude, longitude
        Degrees.
    day_of_year
        1 on 1 January.
    utc_hour
        Hours of the day, UTC.

    Examples
    --------
    >>> x = torch.tensor(0.0, dtype=torch.float64)
    >>> round(cos_zenith(x, x, 80.0, 12.1).item(), 2)
    1.0
    """
    g = 2.0 * math.pi * (day_of_year - 1.0 + (utc_hour - 12.0) / 24.0) / 365.0
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
    hour_angle = (15.0 * (utc_hour + minutes / 60.0 - 12.0) + longitude) * (math.pi / 180.0)
    phi = latitude * (math.pi / 180.0)
    # sin(x + pi/2) for cos(x): sin keeps its bits on any block.
    cos_phi, cos_hour = torch.sin(phi + 0.5 * math.pi), torch.sin(hour_angle + 0.5 * math.pi)
    return torch.sin(phi) * math.sin(declination) + cos_phi * math.cos(declination) * cos_hour
