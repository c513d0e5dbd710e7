# SPDX-License-Identifier: BSD-3-Clause
"""Ages of a crop's leaves: they grow old by warmth and die at the end of their span, as in WOFOST.

A leaf ages by (T - base) / (35 C - base) days a day, and dies when that has summed to its span (de Wit et al. 2019).
WOFOST keeps one class a day; here leaves born within an eighth of the span are one class, in which births are even.
A class moves with its leaves, so that nothing of it spreads to others; leaves die out of the oldest bit by bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS
from components.science.sums import in_order

CLASSES = 9  # the first is filling and the last is dying: the others span seven eighths
REFERENCE = 35.0  # degC, at which a span is so many days


def ageing(temperature: Tensor, base: Tensor, span: Tensor) -> Tensor:
    """Part of the first class's time that a day passes; below 1.

    Parameters
    ----------
    temperature : of the air, K
    base : below which leaves do not age, degC
    span : of their life at 35 C, days
    """
    days = torch.clamp((temperature - ZERO_CELSIUS - base) / (REFERENCE - base), min=0.0)
    return torch.clamp((CLASSES - 1) * days / torch.clamp(span, min=1.0), max=1.0 - 1e-9)


def older(leaves: Tensor, passed: Tensor, gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Leaves after a day's ageing, with those that are beyond their span still among the oldest.

    Parameters
    ----------
    leaves : share of all by class, the youngest first, (class, columns)
    passed : part of the first class's time that is over, 0 to 1
    gain : what the day adds to it

    Returns
    -------
    Tensor, Tensor, Tensor
        Shares by class, part of the first class's time, and the share of all leaves that dies, always of the oldest.
    """
    now = passed + gain
    turned = now >= 1.0
    moved = torch.cat([torch.zeros_like(leaves[:1]), leaves[:-2], leaves[-2:-1] + leaves[-1:]])
    rest = torch.where(turned, now - 1.0, now)
    within = torch.clamp(gain / torch.clamp(1.0 - passed, min=1e-12), max=1.0)
    dead = torch.where(turned, leaves[-1] + leaves[-2] * rest, leaves[-1] * within)
    return torch.where(turned, moved, leaves), rest, dead


def without_oldest(leaves: Tensor, share: Tensor) -> Tensor:
    """What is left of each class, as a share of the leaves before, when the oldest die first.

    Parameters
    ----------
    leaves : share of all by class, (class, columns)
    share : of all that dies
    """
    left, rest = [], share
    for one in reversed(leaves.unbind(0)):
        gone = torch.minimum(one, rest)
        left.append(one - gone)
        rest = rest - gone
    return torch.stack(left[::-1])


def with_new(leaves: Tensor, kept: Tensor, new: Tensor) -> Tensor:
    """Shares by class once new leaves have grown.

    Parameters
    ----------
    leaves : in any unit, (class, columns)
    kept, new : carbon of the leaves that are left and of the new ones, kg m-2
    """
    old = leaves * (kept / torch.clamp(in_order(leaves, 0), min=1e-30))
    grown = torch.cat([(old[0] + new)[None], old[1:]])
    return grown / torch.clamp(in_order(grown, 0), min=1e-30)


def born(leaves: Tensor, passed: Tensor, when: Tensor) -> tuple[Tensor, Tensor]:
    """Leaves that are all new in columns that have just emerged.

    Parameters
    ----------
    leaves, passed : of all columns
    when : (columns,) which have emerged
    """
    new = torch.cat([torch.ones_like(leaves[:1]), torch.zeros_like(leaves[1:])])
    return torch.where(when, new, leaves), torch.where(when, torch.zeros_like(passed), passed)
