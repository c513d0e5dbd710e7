# SPDX-License-Identifier: BSD-3-Clause
"""What plants lose: leaves and roots at the end of their life, wood that dies, litter by its quality."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles.allocation import Parts

YEAR = 365.0 * 86400.0  # s
WOOD_DIES = 0.7  # a-1, living wood that becomes dead (Lawrence et al. 2019)
METABOLIC, LIGNIN = 0.25, 0.25  # of leaves and roots


class Lives(NamedTuple):
    """Life spans of organs, s, one value a column; ``wood`` that of the whole plant."""

    leaf: Tensor
    root: Tensor
    wood: Tensor


def falling(parts: Parts, lives: Lives, shed: Tensor, seconds: float) -> Parts:
    """Share of each organ that falls in a step: by age, and by season what ``shed`` says of leaves and roots.

    Parameters
    ----------
    parts : carbon by organ, kg m-2
    lives : life spans, s
    shed : share of leaves that the season takes
    seconds : length of the step
    """
    none = torch.zeros_like(parts.leaf)

    def aged(life: Tensor) -> Tensor:
        return -torch.expm1(-seconds / life)

    old = torch.clamp(aged(lives.leaf) + shed, max=1.0)
    wood = aged(lives.wood)
    return Parts(old, aged(lives.root), wood, wood, none, none)


def ageing_wood(live: Tensor, seconds: float) -> Tensor:
    """Living wood that becomes dead wood in a step.

    Parameters
    ----------
    live : kg m-2
    seconds : length of the step
    """
    return live * -torch.expm1(torch.full_like(live, -WOOD_DIES * seconds / YEAR))


def by_quality(litter: Tensor) -> Tensor:
    """Metabolic, cellulose and lignin part of soft litter, (3, ...)."""
    return torch.stack([METABOLIC * litter, litter - METABOLIC * litter - LIGNIN * litter, LIGNIN * litter])
