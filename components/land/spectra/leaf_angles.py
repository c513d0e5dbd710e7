# SPDX-License-Identifier: BSD-3-Clause
"""How leaves stand: shares of their area by inclination, from Verhoef's two parameters (1998) or Ross's index."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from components.science.sums import in_order

EDGES = tuple(range(0, 95, 5))  # degrees; SCOPE's 13 classes give .1 % more in reflectance, a hundred .01 % less
CENTRES = tuple(0.5 * (low + high) for low, high in pairwise(EDGES))
ITERATIONS = 60  # each halves the error
MEANS = 41  # distributions from upright to flat between which Ross's index chooses


def _cumulative(a: Tensor, b: Tensor, angle: float) -> Tensor:
    x = torch.full_like(a, 2.0 * angle)
    y = torch.zeros_like(a)
    for _ in range(ITERATIONS):
        y = a * torch.sin(x) + 0.5 * b * torch.sin(2.0 * x)
        x = x + 0.5 * (y - x + 2.0 * angle)
    return (2.0 * y + 2.0 * angle) / math.pi


def leaf_angle_shares(a: Tensor | float, b: Tensor | float, dtype: torch.dtype = torch.float64) -> Tensor:
    """Shares of leaf area in 18 classes of inclination (Verhoef 1998).

    Parameters
    ----------
    a : Tensor or float
        LIDFa, mean inclination: -1 upright (erectophile) to 1 flat (planophile), any shape.
    b : Tensor or float
        LIDFb, bimodality; ``|a| + |b|`` at most 1, broadcast against ``a``.
    dtype : torch.dtype
        Of the result.

    Returns
    -------
    Tensor
        Shape (..., 18), summing to 1, of the classes at `CENTRES`.

    Raises
    ------
    ValueError
        ``|a| + |b|`` above 1: no distribution.

    Examples
    --------
    >>> shares = leaf_angle_shares(-0.35, -0.15)  # nearly spherical
    >>> round(float(shares[:12].sum()), 2)
    0.47
    """
    first, second = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    first, second = torch.broadcast_tensors(first, second)
    if bool((first.abs() + second.abs() > 1.0 + 1e-12).any()):
        raise ValueError("leaf angles: expected |LIDFa| + |LIDFb| of at most 1, got more: no such distribution exists")
    steps = [_cumulative(first, second, math.radians(edge)) for edge in EDGES[1:-1]]
    edges = torch.stack([torch.zeros_like(first), *steps, torch.ones_like(first)], -1)
    return edges.diff(dim=-1).to(dtype)


@cache
def _upright_to_flat() -> tuple[Tensor, Tensor]:
    """Distributions from LIDFa -1 to 1 through nearly spherical leaves (-.35, -.15), and their mean cosines."""
    a = torch.linspace(-1.0, 1.0, MEANS, dtype=torch.float64)
    shares = leaf_angle_shares(a, -0.15 / 0.65 * (1.0 - a.abs()))
    return shares, in_order(shares * torch.cos(torch.deg2rad(torch.tensor(CENTRES, dtype=torch.float64))), -1)


def oriented_shares(orientation: Tensor) -> Tensor:
    """Shares of leaf area by inclination of leaves that the column's two streams know by Ross's index.

    A mixture of two neighbours among Verhoef's distributions whose mean cosine of inclination, what leaves show to the
    zenith, is that of the index: phi1 + phi2, phi1 = .5 - .633 chi - .33 chi^2, phi2 = .877 (1 - 2 phi1) (Ross 1975;
    Sellers 1985).

    Parameters
    ----------
    orientation : Tensor
        Ross-Goudriaan chi, -.4 (upright) to .6 (flat), 0 for leaves that point in all directions alike, any shape.

    Returns
    -------
    Tensor
        Shape (..., 18), summing to 1.

    Examples
    --------
    >>> upright, flat = oriented_shares(torch.tensor([-0.4, 0.6]))
    >>> bool(upright[12:].sum() > 0.5), bool(flat[:6].sum() > 0.3)
    (True, True)
    """
    shares, cosines = (x.to(orientation.device) for x in _upright_to_flat())
    chi = orientation.double().clamp(-0.4, 0.6)
    phi1 = 0.5 - 0.633 * chi - 0.33 * chi * chi
    wanted = phi1 + 0.877 * (1.0 - 2.0 * phi1)
    right = torch.searchsorted(cosines, wanted.contiguous()).clamp(1, MEANS - 1)
    weight = ((wanted - cosines[right - 1]) / (cosines[right] - cosines[right - 1])).clamp(0.0, 1.0).unsqueeze(-1)
    return ((1.0 - weight) * shares[right - 1] + weight * shares[right]).to(orientation.dtype)
