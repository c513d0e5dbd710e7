# SPDX-License-Identifier: BSD-3-Clause
"""Where new tissue goes: leaves up to the area that pays, roots in balance with them, wood, and storage."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Parts(NamedTuple):
    """One value an organ: mass (kg m-2) of an element, or a share."""

    leaf: Tensor
    root: Tensor
    live_wood: Tensor
    dead_wood: Tensor
    storage: Tensor
    harvest: Tensor


class Habit(NamedTuple):
    """How a plant type builds, one value a column.

    Attributes
    ----------
    root_per_leaf, wood_per_leaf : carbon of roots and of all wood for each of leaves
    live : share of new wood that lives
    stored : share of growth that is laid by for the next spring
    most_lai : leaf area index beyond which no leaves are built, m2 m-2
    """

    root_per_leaf: Tensor
    wood_per_leaf: Tensor
    live: Tensor
    stored: Tensor
    most_lai: Tensor


def shares(habit: Habit, lai: Tensor, leafing: Tensor, laid_by: Tensor | float = 0.0) -> Parts:
    """Shares of growth by organ, 1 in all; dormant plants lay everything by, full ones nothing.

    Parameters
    ----------
    habit : of the plant type
    lai : leaf area index, m2 m-2
    leafing : 1 with leaves, 0 dormant
    laid_by : reserves over what the next spring can use
    """
    room = torch.clamp(1.0 - lai / habit.most_lai, 0.0, 1.0)
    leaf, root, wood = torch.clamp(4.0 * room, max=1.0), habit.root_per_leaf, habit.wood_per_leaf
    growing = leafing * (1.0 - habit.stored * torch.clamp(torch.as_tensor(1.0 - laid_by), 0.0, 1.0))
    whole = leaf + root + wood
    part = growing / torch.clamp(whole, min=1e-12)
    none = torch.zeros_like(part)
    return Parts(
        part * leaf, part * root, part * wood * habit.live, part * wood * (1.0 - habit.live),
        torch.where(whole > 0.0, 1.0 - growing, torch.ones_like(growing)), none,
    )  # fmt: skip


def whole_reserve(habit: Habit, area_per_carbon: Tensor) -> Tensor:
    """Reserves of a plant that has had good years, kg C m-2: the leaves of a whole canopy and half of their roots.

    Parameters
    ----------
    habit : of the plant type
    area_per_carbon : specific leaf area, m2 kg-1 C
    """
    return habit.most_lai / area_per_carbon * (1.0 + 0.5 * habit.root_per_leaf)


def mean_ratio(split: Parts, ratios: Parts) -> Tensor:
    """Carbon per nutrient of tissue built by ``split``.

    Parameters
    ----------
    split : shares by organ
    ratios : carbon per nutrient by organ
    """
    content = torch.zeros_like(split.leaf)
    for share, ratio in zip(split, ratios, strict=True):
        content = content + share / ratio
    return 1.0 / content


def spread(amount: Tensor, split: Parts, ratios: Parts) -> Parts:
    """A nutrient over organs in proportion to what their new tissue needs, all of it.

    Parameters
    ----------
    amount : of the nutrient, kg m-2
    split : shares of new carbon by organ
    ratios : carbon per nutrient by organ
    """
    content = 1.0 / mean_ratio(split, ratios)
    return Parts(*(amount * ((share / ratio) / content) for share, ratio in zip(split, ratios, strict=True)))
