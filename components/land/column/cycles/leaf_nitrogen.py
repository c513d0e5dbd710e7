# SPDX-License-Identifier: BSD-3-Clause
"""Capacity of leaves by their nitrogen: Vcmax25 in proportion to nitrogen per leaf area (Kattge et al. 2009)."""

from __future__ import annotations

import torch
from torch import Tensor

BETWEEN = (0.1, 3.0)  # of the target's nitrogen, beyond which capacity follows no more


def relative_content(carbon: Tensor, nitrogen: Tensor, target: Tensor) -> Tensor:
    """Nitrogen of leaves over that of leaves which have all they need; 1 where there are none.

    Parameters
    ----------
    carbon, nitrogen : of leaves, kg m-2
    target : C:N of leaves that have all they need
    """
    share = torch.where(carbon > 0.0, nitrogen / torch.clamp(carbon, min=1e-12), 1.0 / target) * target
    return torch.clamp(share, *BETWEEN)


def by_day_length(length: Tensor, longest: Tensor) -> Tensor:
    """Share of its capacity that a leaf has at a day length: (length / longest)^2 (Bauerle et al. 2012, as in CLM4.5).

    Parameters
    ----------
    length : of the day, s
    longest : day of the year, s
    """
    share = torch.clamp(length / torch.clamp(longest, min=1.0), 0.1, 1.0)
    return share * share


def vcmax25(carbon: Tensor, nitrogen: Tensor, area_per_carbon: Tensor, slope: Tensor, target: Tensor) -> Tensor:
    """Vcmax25 at the top of the canopy, umol m-2 s-1.

    Parameters
    ----------
    carbon, nitrogen : of leaves, kg m-2
    area_per_carbon : specific leaf area at the top of the canopy, m2 kg-1 C
    slope : umol s-1 per kg N
    target : C:N of leaves that have all they need
    """
    return slope / (area_per_carbon * target) * relative_content(carbon, nitrogen, target)
