# SPDX-License-Identifier: BSD-3-Clause
"""Flexible C:N of new tissue: where nitrogen is dear plants build with less of it, between two bounds.

A leaf with less nitrogen takes up less, but what is saved grows more of them. Growth with carbon C at a price p is
C s R / (p + s R), with R carbon per nitrogen of tissue that has all it needs (its growth respiration included) and s
how far that is stretched; uptake with 1/s of the nitrogen is (1 + k) / (1 + k s) of the whole. Their product, what
a day's carbon earns, is largest at s = sqrt(p / (k R)): there more carbon for nitrogen and more for tissue bring the
same return, the principle of Thomas and Williams (2014).
"""

from __future__ import annotations

import torch
from torch import Tensor

HALF = 0.3  # k: x (1 + k) / (x + k) is the day's uptake of the column's own maize with x of its nitrogen


def stretch(price: Tensor, tissue: Tensor, most: Tensor) -> Tensor:
    """C:N of new tissue over that of tissue which has all it needs.

    Parameters
    ----------
    price : of nitrogen, kg C per kg N
    tissue : carbon per nitrogen of tissue that has all it needs and of its growth respiration
    most : the largest; 1 where the C:N is fixed

    Examples
    --------
    >>> x = torch.tensor([1.0, 40.0, 1e9], dtype=torch.float64)
    >>> [round(v, 4) for v in stretch(x, 33.0 * torch.ones(3), 2.5 * torch.ones(3)).tolist()]
    [1.0, 2.0101, 2.5]
    """
    best = torch.sqrt(price / (HALF * torch.clamp(tissue, min=1e-12)))
    return torch.minimum(torch.clamp(best, min=1.0), most)
