# SPDX-License-Identifier: BSD-3-Clause
"""Height and depth of roots of plants out of their pools, where leaves are prognostic.

Height of trees follows their stems and that of grass its leaves, H = a C^b (Arora and Boer 2005, Global Change Biology
11, 39; Melton and Arora 2016); crops grow towards the table's height with the same power of their shoot. Roots thin out
exponentially, and the depth above which 99 % of them are goes with C^.8 of their carbon (Arora and Boer 2003, Earth
Interactions 7, 6).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles.pools import Cycles, Traits

LAWS = ("own", "tree", "herb", "crop")
"""What a plant type's height follows: the table, stems, leaves, or the shoot."""
OWN, TREE, HERB, CROP = range(4)
BELOW = 0.29  # coarse roots for each of stems, both in the pools of wood (White et al. 2000)
OF_STEMS, OF_LEAVES = (10.0, 0.385), (3.5, 0.5)  # a (m) and b, of kg C m-2
OF_SHOOT, GROWN = 0.385, 0.3  # b; leaves and stems of a crop of full height, kg C m-2 (ours: 6.7 t ha-1 of straw)
LOWEST, TALLEST = 0.05, 45.0  # m; the first is stubble and winter grass (ours)
DEEPER = 0.8  # power with which the depth of roots goes with their carbon
SHALLOWEST = 0.1  # m: depth of 99 % of a seedling's roots (as WOFOST's RDI)
NEARLY_ALL = 4.605170185988091  # -log of the .01 that lies deeper


class Stature(NamedTuple):
    """What height and roots of a plant type follow from, one value a column.

    Attributes
    ----------
    law : number in :data:`LAWS`
    height : of the table, m
    thinning : of roots by depth where there are as many as usual, m-1
    usual : carbon of fine roots of a plant with half of its most leaves, kg m-2 (ours)
    """

    law: Tensor
    height: Tensor
    thinning: Tensor
    usual: Tensor


def stature(law: Tensor, height: Tensor, beta: Tensor, t: Traits) -> Stature:
    """Of plant types; roots as many as usual have the profile of Jackson et al. (1996), Y = 1 - beta^depth (cm).

    Parameters
    ----------
    law : (columns,) number in :data:`LAWS`
    height : (columns,) of the table, m
    beta : (columns,) Jackson's extinction
    t : Traits of the columns
    """
    return Stature(law, height, -100.0 * torch.log(beta), 0.5 * t.habit.most_lai / t.sla * t.habit.root_per_leaf)


def height(c: Cycles, t: Traits, s: Stature) -> Tensor:
    """Of the plants, m.

    Parameters
    ----------
    c : pools
    t : Traits of the columns
    s : Stature of the columns
    """
    p = c.carbon.plant
    wood = p.live_wood + p.dead_wood
    tree, herb = (a * _power(mass, b) for mass, (a, b) in ((wood / (1.0 + BELOW), OF_STEMS), (p.leaf, OF_LEAVES)))
    crop = s.height * torch.clamp(_power((wood + p.leaf) / GROWN, OF_SHOOT), max=1.0)
    found = torch.where(s.law == TREE, tree, torch.where(s.law == HERB, herb, crop))
    return torch.where(s.law == OWN, s.height, torch.clamp(found, LOWEST, TALLEST))


def root_shares(c: Cycles, s: Stature, thickness: Tensor) -> Tensor:
    """Share of the roots in each layer, (layer, columns); none reach deeper than the soil.

    Parameters
    ----------
    c : pools
    s : Stature of the columns
    thickness : (layer, 1) of the soil's layers, m
    """
    edges = torch.cumsum(thickness, 0)
    depth = NEARLY_ALL / s.thinning * _power(c.carbon.plant.root / torch.clamp(s.usual, min=1e-9), DEEPER)
    thinning = NEARLY_ALL / torch.minimum(torch.clamp(depth, min=SHALLOWEST), edges[-1])
    below = torch.exp(-thinning * edges)
    return torch.cat([1.0 - below[:1], below[:-1] - below[1:]]) / (1.0 - below[-1])


def _power(x: Tensor, b: float) -> Tensor:
    return torch.exp(b * torch.log(torch.clamp(x, min=1e-9)))
