# SPDX-License-Identifier: BSD-3-Clause
"""Capacity of leaves by their nitrogen: Vcmax25 in proportion to nitrogen per leaf area (Kattge et al. 2009)."""

from __future__ import annotations

import torch
from torch import Tensor

BETWEEN = (0.1, 3.0)  # of the target's nitrogen, beyond which capacity follows no more


def vcmax25(carbon: Tensor, nitrogen: Tensor, area_per_carbon: Tensor, slope: Tensor, target: Tensor) -> Tensor:
    """Vcmax25 at the top of the canopy, umol m-2 s-1.

    Parameters
    ----------
    carbon, nitrogen : of leaves, kg m-2
    area_per_carbon : specific leaf area at the top of the canopy, m2 kg-1 C
    slope : umol s-1 per kg N
    target : C:N of leaves that have all they need
    """
    share = torch.where(carbon > 0.0, nitrogen / torch.clamp(carbon, min=1e-12), 1.0 / target) * target
    return slope / (area_per_carbon * target) * torch.clamp(share, *BETWEEN)
