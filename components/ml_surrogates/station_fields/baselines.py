# SPDX-License-Identifier: BSD-3-Clause
"""What a learned field has to beat at unseen stations: harmonics by latitude, and kriging of what they leave."""

import math

import torch
from torch import Tensor

from components.ml_surrogates.station_fields.monthly import Monthly


def season(months: int) -> Tensor:
    """A constant, a trend, the year's harmonic and half a year's at the middles of months, (t, 6).

    Parameters
    ----------
    months : their number
    """
    year = (torch.arange(months, dtype=torch.float64) + 0.5) / 12.0
    turn = 2.0 * math.pi * year
    parts = (torch.ones_like(year), year - year.mean())
    waves = (torch.cos(turn), torch.sin(turn), torch.cos(2.0 * turn), torch.sin(2.0 * turn))
    return torch.stack([*parts, *waves], -1)


def harmonics(data: Monthly, training: Tensor, degree: int) -> Tensor:
    """Trend and harmonics whose coefficients are polynomials of the sine of latitude, at all stations (s, t).

    Parameters
    ----------
    data : stations
    training : numbers of those that they are fitted to
    degree : of the polynomials; 0: the same everywhere
    """
    b = season(data.value.shape[1])
    sine = torch.sin(torch.deg2rad(data.latitude))
    p = torch.stack([sine**k for k in range(degree + 1)], -1)
    x = (p[:, None, :, None] * b[None, :, None, :]).reshape(len(sine), len(b), -1)
    known = data.known()[training]
    a, y = x[training][known], data.value[training][known]
    found = torch.linalg.solve(a.T @ a + 1e-3 * torch.eye(a.shape[1], dtype=a.dtype), a.T @ y)
    out: Tensor = x @ found
    return out


def kriged(data: Monthly, rest: Tensor, training: Tensor, length: float, nugget: float, rise: float = 0.0) -> Tensor:
    """Simple kriging of what is left, month by month, at all stations (s, t); exponential in distance.

    Parameters
    ----------
    data : stations
    rest : (s, t) what is left at the training stations; NaN where nothing is known
    training : numbers of the training stations
    length : m
    nugget : share of the variance that nearby stations do not have in common, over that which they have
    rise : metres along that a metre of height is worth
    """
    apart, up = data.distance(), rise * (data.height[:, None] - data.height)
    c = torch.exp(-torch.sqrt(apart * apart + up * up) / length)
    out = torch.zeros_like(rest)
    for month in range(rest.shape[1]):
        at = training[torch.isfinite(rest[training, month])]
        if not len(at):
            continue
        gram = c[at][:, at] + nugget * torch.eye(len(at), dtype=c.dtype)
        out[:, month] = c[:, at] @ torch.linalg.solve(gram, rest[at, month])
    return out
