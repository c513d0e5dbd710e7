# SPDX-License-Identifier: BSD-3-Clause
"""Groundwater below the columns: transmissivity, lateral flow between cells, TOPMODEL's saturated share."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

TOP = 1.5  # m, depth of the layer of uniform conductivity (Miguez-Macho et al. 2007)


def transmissivity(depth: Tensor, conductivity: Tensor, fold: Tensor, bedrock: Tensor | None = None) -> Tensor:
    """Conductivity below the water table, summed down to where it has died away (Miguez-Macho et al. 2007, eqs 6-7).

    Parameters
    ----------
    depth : Tensor
        Of the water table, m, at least 0, any shape.
    conductivity : Tensor
        Lateral, of the upper 1.5 m, m s-1.
    fold : Tensor
        Depth in which it falls by e below them, m.
    bedrock : Tensor, optional
        Depth below which nothing flows, m.

    Returns
    -------
    Tensor
        m2 s-1.

    Examples
    --------
    >>> t = transmissivity(torch.tensor(5.0), torch.tensor(1e-4), torch.tensor(10.0))
    >>> round(float(t) * 1e4, 4)
    7.0469
    """

    def below(at: Tensor) -> Tensor:
        uniform = (TOP - at).clamp(min=0.0)
        return conductivity * (uniform + fold * torch.exp(-(at - TOP).clamp(min=0.0) / fold))

    return below(depth) if bedrock is None else (below(depth) - below(bedrock)).clamp(min=0.0)


def saturated_share(depth: Tensor, most: Tensor, decay: Tensor) -> Tensor:
    """Share of a cell whose ground is saturated (TOPMODEL as in Niu et al. 2005, eq. 6): f_max exp(-f d / 2).

    Parameters
    ----------
    depth : Tensor
        Of the water table, m.
    most : Tensor
        f_max, with the water table at the surface.
    decay : Tensor
        f, m-1.

    Returns
    -------
    Tensor
        0 to ``most``.
    """
    return most * torch.exp(-0.5 * decay * depth)


class Aquifer(NamedTuple):
    """What of the groundwater does not change, each of shape (y, x) unless said.

    Attributes
    ----------
    bottom : Tensor
        Height of the bedrock, m.
    conductivity : Tensor
        m s-1.
    specific_yield : Tensor
        Water that a metre of water table holds, m m-1.
    active : Tensor
        1 where there is an aquifer, 0 elsewhere.
    spacing : tuple of float
        Distance of the cells' centres along y and x, m.
    """

    bottom: Tensor
    conductivity: Tensor
    specific_yield: Tensor
    active: Tensor
    spacing: tuple[float, float]


def _faces(head: Tensor, aquifer: Aquifer, axis: int) -> Tensor:
    """Flow through the faces across one axis, m2 s-1 per metre of face: Dupuit's K (h1^2 - h2^2) / (2 d)."""
    n = head.shape[axis]
    h1, b1 = (x.narrow(axis, 0, n - 1) for x in (head, aquifer.bottom))
    h2, b2 = (x.narrow(axis, 1, n - 1) for x in (head, aquifer.bottom))
    k1, k2 = (aquifer.conductivity.narrow(axis, i, n - 1) for i in (0, 1))
    open_face = aquifer.active.narrow(axis, 0, n - 1) * aquifer.active.narrow(axis, 1, n - 1)
    k = 2.0 * k1 * k2 / (k1 + k2).clamp(min=1e-30)
    thickness = 0.5 * ((h1 - b1).clamp(min=0.0) + (h2 - b2).clamp(min=0.0))
    return open_face * k * thickness * (h1 - h2) / aquifer.spacing[axis]


def lateral_inflow(head: Tensor, aquifer: Aquifer) -> Tensor:
    """Water that a cell's neighbours give it less what it gives them, m s-1; the sum over all cells is 0.

    Parameters
    ----------
    head : Tensor
        Height of the water table, m, shape (y, x).
    aquifer : Aquifer
        Of the same shape.

    Returns
    -------
    Tensor
        Shape (y, x).
    """
    gained = torch.zeros_like(head)
    for axis in (0, 1):
        if head.shape[axis] < 2:
            continue
        flow = _faces(head, aquifer, axis) / aquifer.spacing[axis]
        pad = (0, 0, 1, 1) if axis == 0 else (1, 1)
        across = torch.nn.functional.pad(flow, pad)
        gained = gained + across.narrow(axis, 0, head.shape[axis]) - across.narrow(axis, 1, head.shape[axis])
    return gained


def longest_step(head: Tensor, aquifer: Aquifer) -> float:
    """Longest stable step of `step_heads`, s: a fourth of S d2 / T.

    Parameters
    ----------
    head : Tensor
        m, shape (y, x).
    aquifer : Aquifer
        Of the same shape.
    """
    t = aquifer.conductivity * (head - aquifer.bottom).clamp(min=0.0) * aquifer.active
    least = min(d for d, n in zip(aquifer.spacing, head.shape, strict=True) if n > 1)
    return float((0.25 * aquifer.specific_yield.min() * least**2 / t.max().clamp(min=1e-30)).item())


def step_heads(head: Tensor, aquifer: Aquifer, recharge: Tensor, seconds: float, held: Tensor | None = None) -> Tensor:
    """One explicit step of the water table.

    Parameters
    ----------
    head : Tensor
        m, shape (y, x).
    aquifer : Aquifer
        Of the same shape.
    recharge : Tensor
        Of water from above, negative where the soil draws it up, m s-1, shape (y, x).
    seconds : float
        At most `longest_step`.
    held : Tensor, optional
        True where the head is given and stays, shape (y, x).

    Returns
    -------
    Tensor
        Heads at the end, m.
    """
    change = seconds * (lateral_inflow(head, aquifer) + recharge * aquifer.active) / aquifer.specific_yield
    return head + change if held is None else torch.where(held, head, head + change)
