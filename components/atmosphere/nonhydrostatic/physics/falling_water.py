# SPDX-License-Identifier: BSD-3-Clause
"""Precipitation at the bottoms of layers, from what the schemes did to the water of the layers above.

A cloud scheme moves water by letting it fall alone, so the flux at a layer's bottom is what the layers from there up
have lost. Convection moves vapour, too; its precipitation is said to form where it dries the air, in that proportion.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

Parts = list[torch.Tensor]


class Falling(NamedTuple):
    """Precipitation of clouds and of convection at the layers' bottoms (nz, y, x), kg m-2 s-1, when somebody asks."""

    of_clouds: Callable[[], torch.Tensor]
    of_convection: Callable[[], torch.Tensor]


def of_clouds(before: Parts, after: Parts, mass: torch.Tensor, dt: float) -> torch.Tensor:
    """Flux at the layers' bottoms (nz, y, x), kg m-2 s-1.

    Parameters
    ----------
    before, after : (nz, y, x) of all water before and after the scheme, to dry air
    mass : of dry air, kg m-2
    dt : time step, s
    """
    return _from_above((total(before) - total(after)) * mass) / dt


def of_convection(before: Parts, after: Parts, mass: torch.Tensor, ground: torch.Tensor, dt: float) -> torch.Tensor:
    """Flux at the layers' bottoms (nz, y, x), kg m-2 s-1, of what reaches the ground.

    Parameters
    ----------
    before, after : (nz, y, x) of all water before and after the scheme, to dry air
    mass : of dry air, kg m-2
    ground : (y, x) precipitation in the step, kg m-2
    dt : time step, s
    """
    formed = _from_above(torch.clamp(total(before) - total(after), min=0.0) * mass)
    share = torch.where(formed[0] > 0.0, formed / torch.clamp(formed[0], min=1.0e-30), 1.0)
    return share * ground / dt


def total(parts: Parts) -> torch.Tensor:
    """Sum of the water's parts (nz, y, x), in their order.

    Parameters
    ----------
    parts : mixing ratios
    """
    out = parts[0]
    for a in parts[1:]:
        out = out + a
    return out


def _from_above(a: torch.Tensor) -> torch.Tensor:
    sums = [a[-1]]
    for k in range(a.shape[0] - 2, -1, -1):
        sums.append(sums[-1] + a[k])
    return torch.stack(sums[::-1])
