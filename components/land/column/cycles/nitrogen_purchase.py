# SPDX-License-Identifier: BSD-3-Clause
"""FUN: a plant buys nitrogen on several paths and grows with the carbon left (Fisher et al. 2010, Shi et al. 2016)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.sums import in_order

LITTLE = 1e-30
CHEAPEST, DEAREST = 1e-12, 1e12  # kg C per kg N, of paths that cost nothing and of those that give nothing


class Shares(NamedTuple):
    """How the carbon of a purchase is spread over the paths.

    Attributes
    ----------
    carbon : (path, columns) share of the carbon that is spent on each path
    cost : (columns,) of the whole, kg C per kg N
    """

    carbon: Tensor
    cost: Tensor


class Purchase(NamedTuple):
    """What a plant spends and gets, in the unit of the carbon it had.

    Attributes
    ----------
    spent : (columns,) carbon paid for nitrogen
    nitrogen : (path, columns) got on each path
    growth : (columns,) carbon left for tissue and its growth respiration
    """

    spent: Tensor
    nitrogen: Tensor
    growth: Tensor


def shares(costs: Tensor) -> Shares:
    """Spread carbon over paths like resistors in parallel: shares by 1/cost, nitrogen by share/cost.

    Parameters
    ----------
    costs : (path, columns) kg C per kg N, 0 or more; infinite where a path is closed

    Examples
    --------
    >>> split = shares(torch.tensor([[10.0], [30.0], [float("inf")]], dtype=torch.float64))
    >>> [round(v, 6) for v in (*split.carbon[:, 0].tolist(), split.cost.item())]
    [0.75, 0.25, 0.0, 12.0]
    """
    conductance = 1.0 / torch.clamp(costs, CHEAPEST, DEAREST)
    carbon = conductance / in_order(conductance, 0)
    return Shares(carbon, 1.0 / in_order(carbon * conductance, 0))


def uptake_cost(available: Tensor, roots: Tensor, kn: Tensor | float, kc: Tensor | float) -> Tensor:
    """Cost of uptake from the soil, kn / N + kc / C_root, kg C per kg N (Brzostek et al. 2014, eq. 4 and 5).

    The published table swaps kc and kn of direct uptake, as CTSM notes.

    Parameters
    ----------
    available : mineral nitrogen within reach, kg N m-2
    roots : carbon of fine roots there, kg C m-2
    kn : kg C m-2
    kc : kg2 C kg-1 N m-2
    """
    return kn / torch.clamp(available, min=1e-9) + kc / torch.clamp(roots, min=1e-9)


def buy(
    carbon: Tensor,
    costs: Tensor,
    ratio: Tensor | float,
    growth_respiration: Tensor | float,
    limits: Tensor | None = None,
    turns: int = 3,
) -> Purchase:
    """Spend carbon on nitrogen and on the tissue that this nitrogen allows, all of it.

    N = C / (cost + (1 + g) C:N). A path that has given its limit is closed and the rest spent on the others.

    Parameters
    ----------
    carbon : (columns,) at hand
    costs : (path, columns) kg C per kg N
    ratio : C:N of the plant's new tissue
    growth_respiration : g, of new tissue
    limits : (path, columns) the most that a path gives; None: no limit
    turns : how often the carbon that limits left is spent again

    Examples
    --------
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> done = buy(100.0 * x, 12.0 * x[None], 50.0, 0.11)
    >>> round(done.spent.item(), 4), round(done.nitrogen.sum().item(), 5)
    (17.7778, 1.48148)
    """
    tissue = (1.0 + growth_respiration) * ratio
    got, spent, growth, left = torch.zeros_like(costs), torch.zeros_like(carbon), torch.zeros_like(carbon), carbon
    dear, costs = torch.full_like(costs, DEAREST), torch.clamp(costs, CHEAPEST, DEAREST)
    for _ in range(1 if limits is None else turns):
        room = torch.ones_like(costs) if limits is None else limits - got
        offered = torch.where(room > LITTLE, costs, dear)
        split = shares(offered)
        nitrogen = left / (split.cost + tissue)
        wanted = split.carbon / offered * (nitrogen * split.cost)
        taken = wanted if limits is None else torch.minimum(wanted, torch.clamp(room, min=0.0))
        price = in_order(taken * costs, 0)
        got, spent = got + taken, spent + price
        growing = in_order(taken, 0) * tissue
        growth, left = growth + growing, torch.clamp(left - price - growing, min=0.0)
    return Purchase(spent, got, growth)
