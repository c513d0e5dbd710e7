# SPDX-License-Identifier: BSD-3-Clause
"""Columns of layers seen on pressure levels.

Between the middles of two layers temperature, humidity and wind are linear in ln p; the height is hypsometric for that
temperature, scaled so that it meets both middles. Below the lowest middle, under the ground too, the air goes on with
the lapse rate of the standard atmosphere (ECMWF's way of old: Trenberth, Berry & Buja 1993, NCAR/TN-396), wind and
humidity as they are there. Above the highest middle nothing is known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from components.science.constants import GRAVITY, R_DRY, VIRTUAL

LAPSE = 0.0065  # K m-1, standard atmosphere


class Columns(NamedTuple):
    """Middles of layers (nz, ny, nx), lowest first.

    Attributes
    ----------
    p : pressure, Pa
    z : height above the sea, m
    t : temperature, K
    q : specific humidity, kg/kg
    u, v : wind, m s-1
    """

    p: torch.Tensor
    z: torch.Tensor
    t: torch.Tensor
    q: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor


def on_levels(air: Columns, levels: Sequence[float]) -> Columns:
    """The columns at pressure levels (n, ny, nx), in the order of ``levels``; not a number above the highest middle.

    Parameters
    ----------
    air : layers
    levels : Pa
    """
    log_p = torch.log(air.p)
    at = torch.log(torch.tensor(list(levels), dtype=air.p.dtype, device=air.p.device))[:, None, None]
    above = (log_p[None] >= at[:, None]).sum(1)  # layers whose middle is not above the level
    low = (above - 1).clamp(0, air.p.shape[0] - 2)
    high = low + 1

    def pair(a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.gather(a, 0, low), torch.gather(a, 0, high)

    (below_p, above_p), (z_0, z_1) = pair(log_p), pair(air.z)
    share = ((below_p - at) / (below_p - above_p)).clamp(0.0, 1.0)
    t, q, u, v = (a + share * (b - a) for a, b in map(pair, air[2:]))
    warm, cold = pair(air.t * (1.0 + VIRTUAL * air.q))
    z = z_0 + (z_1 - z_0) * share * (warm + 0.5 * share * (cold - warm)) / (0.5 * (warm + cold))
    down = (at - log_p[:1]).clamp(min=0.0)  # how far below the lowest middle
    growth = torch.exp(R_DRY * LAPSE / GRAVITY * down)
    z = z - warm / LAPSE * (growth - 1.0)
    unknown = at < log_p[-1:]
    t, q, u, v, z = (torch.where(unknown, torch.nan, a) for a in (t * growth, q, u, v, z))
    return Columns(torch.exp(at).expand_as(t), z, t, q, u, v)
