# SPDX-License-Identifier: BSD-3-Clause
"""What a network is given: a window of frames, and what does not change, each scaled."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain

from .carried import carried, carried_within

FRAME_SECONDS = 6 * 3600.0
WIND_SCALE, GEOPOTENTIAL_SCALE = 15.0, 4000.0  # m s-1, m2 s-2
WIND_TURN = 30.0  # m s-1 in which the embedding of the wind turns once
DISTANCE_SCALE = 3000e3  # m


class Window(NamedTuple):
    """Frames (b, T, ny, nx), six hours apart, the newest last.

    Attributes
    ----------
    u, v, geopotential : m s-1 and m2 s-2
    observations : departure from the background in cells with a report, ppm; anything finite elsewhere
    mask : whether a cell has a report, 0 or 1
    prior : field that the network adds to, departure from the background, ppm
    """

    u: Tensor
    v: Tensor
    geopotential: Tensor
    observations: Tensor
    mask: Tensor
    prior: Tensor


class Fixed(NamedTuple):
    """What a network knows of the cells: (ny, nx) each.

    Attributes
    ----------
    mean, spread : of the past, ppm
    land : share of land
    latitude, longitude : degrees
    """

    mean: Tensor
    spread: Tensor
    land: Tensor
    latitude: Tensor
    longitude: Tensor


def number_of_channels(embedding: str, meteorology: bool) -> tuple[int, int]:
    """Channels of a frame, and of what does not change.

    Parameters
    ----------
    embedding : none, climode, wind or carried
    meteorology : whether winds and geopotential are given
    """
    frame = 3 + (3 if meteorology else 0) + (4 if embedding == "wind" else 0)
    return frame, 4 + (6 if embedding == "climode" else 0)


def channels(
    window: Window, fixed: Fixed, distance: Tensor, embedding: str = "none", meteorology: bool = True,
    cyclic: bool = True,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Frames (b, T, c, ny, nx) and what does not change (b, f, ny, nx).

    Parameters
    ----------
    window : frames
    fixed : of the cells
    distance : (b, ny, nx) or (ny, nx) to the next station that reports, m
    embedding : none, climode, wind or carried
    meteorology : whether winds and geopotential are given
    cyclic : whether the cells go around the Earth
    """
    seen = (window.observations - fixed.mean) / fixed.spread * window.mask
    frames = torch.stack([seen, window.mask, (window.prior - fixed.mean) / fixed.spread], 2)
    if embedding == "carried" and cyclic:
        frames = carried(frames, window.u, window.v, fixed.latitude, FRAME_SECONDS)
    elif embedding == "carried":
        frames = carried_within(frames, window.u, window.v, fixed.longitude, fixed.latitude, FRAME_SECONDS)
    parts = list(frames.unbind(2))
    if meteorology:
        parts += [window.u / WIND_SCALE, window.v / WIND_SCALE, window.geopotential / GEOPOTENTIAL_SCALE]
    if embedding == "wind":
        t = window.u.shape[1]
        lead = torch.arange(t, 0, -1, dtype=window.u.dtype)[:, None, None] / t
        for wind in (window.u, window.v):
            angle = 2.0 * math.pi * lead * wind / WIND_TURN
            parts += [torch.cos(angle), torch.sin(angle)]
    b = window.u.shape[0]
    lat, lon = torch.deg2rad(fixed.latitude), torch.deg2rad(fixed.longitude)
    still = [fixed.land, torch.log(fixed.spread), torch.sin(lat), distance / DISTANCE_SCALE]
    if embedding == "climode":
        sines = (torch.sin(lat), torch.cos(lat), torch.sin(lon), torch.cos(lon))
        still += [sines[0] * sines[2], sines[0] * sines[3], sines[1], sines[2], sines[3], sines[1] * sines[3]]
    return torch.stack(parts, 2), torch.stack([a.expand(b, *fixed.land.shape) for a in still], 1)


def to_next_station(domain: Domain, places: Tensor, mask: Tensor) -> Tensor:
    """Distance (b, ny, nx) to the next station that reports, m.

    Parameters
    ----------
    domain : of the cells
    places : (p,) flat numbers of the stations' cells
    mask : (b, p) whether they report
    """
    far = 2.0e7
    rows, which = torch.unique(mask, dim=0, return_inverse=True)
    distance = domain.distance(None, places)
    each = [distance[:, row].amin(1) if bool(row.any()) else torch.full((distance.shape[0],), far) for row in rows]
    return torch.stack(each)[which].reshape(-1, *domain.shape)
