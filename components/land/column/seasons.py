# SPDX-License-Identifier: BSD-3-Clause
"""What a date makes of a place: leaves of every column, and the mean height of the sun over the day."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.land.column.parameters import leaf_area
from components.science.sun import cosine_zenith

Array = npt.NDArray[np.float64]


def leaves_at(date: Any, plants: list[str], latitude: list[float], monthly: Array | None) -> tuple[Array, Array]:
    """Leaf and stem area of every column at a date.

    Parameters
    ----------
    date : date
        Of the case's calendar.
    plants : list of str
        Type of every column.
    latitude : list of float
        Of every column, degrees; the south has the other season.
    monthly : float64 array or None
        Leaf area by month where a map gives it, (12, tile, cell).

    Returns
    -------
    float64 array, float64 array
        (column,).
    """
    month = date.month - 1 + (date.day - 1 + date.hour / 24.0) / 30.5
    names = sorted(set(plants))
    north = dict(zip(names, zip(*leaf_area(names, month), strict=True), strict=True))
    south = dict(zip(names, zip(*leaf_area(names, month, southern=True), strict=True), strict=True))
    rows = [(north if lat >= 0.0 else south)[name] for name, lat in zip(plants, latitude, strict=True)]
    lai, sai = (np.array(v, dtype=float) for v in (zip(*rows, strict=True) if rows else ((), ())))
    if monthly is not None:
        before, weight = int((month - 0.5) // 1) % 12, (month - 0.5) % 1.0
        lai = ((1.0 - weight) * monthly[before] + weight * monthly[(before + 1) % 12]).ravel()
    return lai, sai


def mean_sun(longitude: Tensor, latitude: Tensor, time: float, seconds: int = 86400) -> Tensor:
    """Mean of the cosine of the sun's zenith over some time, from the middle of each of its hours.

    Parameters
    ----------
    longitude, latitude : Tensor
        Degrees.
    time : float
        At which it begins, days since 2000 began, UTC.
    seconds : int
        How long it lasts; a day where nothing is said.
    """
    hours = max(1, seconds // 3600)
    total = torch.zeros_like(latitude)
    for n in range(hours):
        total = total + cosine_zenith(longitude, latitude, time + (n + 0.5) / hours * (seconds / 86400.0))
    return total / hours
