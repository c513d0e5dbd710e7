# SPDX-License-Identifier: BSD-3-Clause
"""Inorganic phosphorus of the soil: weathering, Langmuir sorption, occlusion (Wang et al. 2010, Yang et al. 2014)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

YEAR = 365.0 * 86400.0  # s
TO_SECONDARY, FROM_SECONDARY, OCCLUDED = 0.09, 0.03, 1.2e-5  # a-1 (Yang et al. 2014: of labile, secondary, secondary)
WEATHERED = 1e-4  # a-1, of apatite at 25 C (Yang et al. 2014: 1e-5 to 1e-2 by soil order)


def in_solution(labile: Tensor, most: Tensor | float, half: Tensor | float) -> Tensor:
    """Dissolved part S of labile phosphorus where S + Smax S / (K + S) = labile (Langmuir).

    Parameters
    ----------
    labile : dissolved and sorbed together, kg m-2 or any other unit
    most : Smax, same unit
    half : K, same unit

    Examples
    --------
    >>> x = torch.tensor([50.0, 130.0], dtype=torch.float64)
    >>> [round(v, 5) for v in in_solution(x, 100.0, 20.0).tolist()]
    [12.16991, 56.23475]
    """
    # S^2 + (Smax + K - labile) S - K labile = 0, written so that nothing cancels.
    b = 0.5 * (most + half - labile)
    root = torch.sqrt(b * b + half * labile)
    over = half * labile / torch.clamp(b + root, min=1e-300)
    return torch.where(b > 0.0, over, root - b)


class Minerals(NamedTuple):
    """Phosphorus that plants cannot reach, kg m-2."""

    apatite: Tensor
    secondary: Tensor
    occluded: Tensor


def weather(minerals: Minerals, labile: Tensor, warmth: Tensor, seconds: float) -> tuple[Minerals, Tensor]:
    """Advance the minerals; returns them and what labile phosphorus gained, kg m-2.

    Parameters
    ----------
    minerals : at the start, kg m-2
    labile : phosphorus that may become secondary, kg m-2
    warmth : factor of temperature, 1 at 25 C
    seconds : length of the step
    """
    part = seconds / YEAR
    fresh = minerals.apatite * -torch.expm1(-WEATHERED * part * warmth)
    bound = labile * -torch.expm1(-TO_SECONDARY * part * torch.ones_like(labile))
    freed = minerals.secondary * -torch.expm1(-FROM_SECONDARY * part * torch.ones_like(labile))
    shut = (minerals.secondary - freed) * -torch.expm1(-OCCLUDED * part * torch.ones_like(labile))
    new = Minerals(minerals.apatite - fresh, minerals.secondary - freed - shut + bound, minerals.occluded + shut)
    return new, fresh + freed - bound
