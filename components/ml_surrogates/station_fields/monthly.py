# SPDX-License-Identifier: BSD-3-Clause
"""Stations' records as monthly means without the global trend, and what is known of the places."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.chemistry.stations.global_mean import GlobalMean
from components.chemistry.stations.series import Series
from components.science.constants import EARTH_RADIUS
from coupler.files.land_mask import is_land

LAND_RADIUS = 300e3
"""Half the side of the square about a station of which the share of land is counted, m."""


class Monthly(NamedTuple):
    """Stations and their months.

    Attributes
    ----------
    names : of the stations
    longitude, latitude : (s,) degrees
    height : (s,) m
    land : (s,) share of land about a station
    value : (s, t) monthly mean less the global trend, ppm; NaN where there is none
    """

    names: tuple[str, ...]
    longitude: Tensor
    latitude: Tensor
    height: Tensor
    land: Tensor
    value: Tensor

    def known(self) -> Tensor:
        """Where there is a value (s, t)."""
        return torch.isfinite(self.value)

    def distance(self) -> Tensor:
        """Great circles (s, s) between stations, m."""
        lon, lat = torch.deg2rad(self.longitude), torch.deg2rad(self.latitude)
        at = torch.stack([torch.cos(lat) * torch.cos(lon), torch.cos(lat) * torch.sin(lon), torch.sin(lat)], 1)
        chord = torch.cdist(at, at, compute_mode="donot_use_mm_for_euclid_dist")
        return 2.0 * EARTH_RADIUS * torch.asin(torch.clamp(0.5 * chord, max=1.0))


def monthly_means(series: Sequence[Series], mean: GlobalMean, first: str, months: int, least: int = 12) -> Monthly:
    """Monthly means of stations with enough months.

    Parameters
    ----------
    series : records, in any interval up to a month
    mean : whose trend is taken off
    first : month, ``2008-01``
    months : their number
    least : of months that a station must have
    """
    edges = (np.datetime64(first, "M") + np.arange(months + 1)).astype("datetime64[s]").astype(np.int64)
    middle = 0.5 * (edges[1:] + edges[:-1]).astype(np.float64)
    trend = 1e6 * mean.trend_at(middle)
    rows, kept = [], []
    for s in series:
        at = np.searchsorted(edges, 0.5 * (s.begin + s.end), side="right") - 1
        inside = (at >= 0) & (at < months)
        count = np.bincount(at[inside], minlength=months)
        total = np.bincount(at[inside], weights=1e6 * s.value[inside], minlength=months)
        if (count > 0).sum() >= least:
            rows.append(np.where(count > 0, total / np.maximum(count, 1), np.nan) - trend)
            kept.append(s)
    lon, lat, height = (
        torch.tensor([getattr(s, name) for s in kept], dtype=torch.float64)
        for name in ("longitude", "latitude", "height")
    )
    value = torch.as_tensor(np.array(rows).reshape(len(kept), months))
    return Monthly(tuple(s.name for s in kept), lon, lat, torch.nan_to_num(height), land_about(lon, lat), value)


def land_about(longitude: Tensor, latitude: Tensor) -> Tensor:
    """Share (s,) of land in a circle of `LAND_RADIUS` about each place.

    Parameters
    ----------
    longitude, latitude : (s,) degrees
    """
    degree = np.pi * EARTH_RADIUS / 180.0
    step = np.linspace(-1.0, 1.0, 25) * LAND_RADIUS / degree
    dy, dx = (a.ravel() for a in np.meshgrid(step, step, indexing="ij"))
    circle = dy * dy + dx * dx <= (LAND_RADIUS / degree) ** 2
    out = []
    for lon, lat in zip(longitude.tolist(), latitude.tolist(), strict=True):
        y = np.clip(lat + dy[circle], -89.9, 89.9)
        x = lon + dx[circle] / np.maximum(np.cos(np.deg2rad(y)), 0.05)
        out.append(float(is_land(x, y).mean()))
    return torch.tensor(out, dtype=torch.float64)
