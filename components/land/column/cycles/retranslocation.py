# SPDX-License-Identifier: BSD-3-Clause
"""Nitrogen that a plant draws out of falling leaves: some for nothing, more for carbon (Fisher et al. 2010; CLM5).

Litter gives its nitrogen freely up to a C:N of 1.5 times the target of leaves. From there on each step of one in C:N
costs C:N^1.3 / target (kg C per kg N), until other nitrogen is cheaper, the litter has 3 times the target, or the plant
has no carbon left to build with what it draws.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

FREE, LAST = 1.5, 3.0  # of the target C:N
EXPONENT = 1.3


class Resorbed(NamedTuple):
    """What was drawn out of litter.

    Attributes
    ----------
    free, paid : (columns,) nitrogen, in the litter's unit
    spent : carbon paid
    ratio : C:N of the litter that falls
    """

    free: Tensor
    paid: Tensor
    spent: Tensor
    ratio: Tensor


def retranslocate(
    litter_carbon: Tensor,
    litter_nitrogen: Tensor,
    target: Tensor,
    price: Tensor,
    plant_ratio: Tensor | float,
    growth_respiration: Tensor | float,
    carbon: Tensor,
) -> Resorbed:
    """Draw nitrogen out of falling leaves while that is cheaper than the other paths.

    Parameters
    ----------
    litter_carbon, litter_nitrogen : (columns,) of the leaves that fall, kg m-2
    target : C:N of living leaves
    price : of nitrogen on the other paths, kg C per kg N
    plant_ratio : C:N of new tissue
    growth_respiration : carbon respired per carbon of new tissue
    carbon : at hand, kg m-2
    """
    c, tissue = litter_carbon, plant_ratio * (1.0 + growth_respiration)
    some = (c > 0.0) & (litter_nitrogen > 0.0)
    one = torch.ones_like(c)
    safe_c, safe_n = torch.where(some, c, one), torch.where(some, litter_nitrogen, one)
    start = safe_c / safe_n
    ratio = torch.maximum(start, FREE * target)
    free = torch.where(some, torch.clamp(safe_n - safe_c / ratio, min=0.0), 0.0 * c)
    left = torch.clamp(carbon - free * tissue, min=0.0)
    paid, spent = torch.zeros_like(c), torch.zeros_like(c)
    active = some
    while True:
        cost = torch.exp(EXPONENT * torch.log(ratio)) / target
        active = active & (cost < price) & (ratio < LAST * target) & (left > 0.0)
        if not bool(active.any()):
            return Resorbed(free, paid, spent, torch.where(some, ratio, 0.0 * c))
        step = safe_c / ratio - safe_c / (ratio + 1.0)
        whole = step * (cost + tissue)
        share = torch.clamp(left / torch.clamp(whole, min=1e-30), max=1.0)
        drawn = torch.where(active, share * step, 0.0 * c)
        paid, spent = paid + drawn, spent + torch.where(active, drawn * cost, 0.0 * c)
        ratio = torch.where(active, safe_c / (safe_c / ratio - drawn), ratio)
        left = torch.where(active, left - share * whole, left)
        active = active & (share >= 1.0)
