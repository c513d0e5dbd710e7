# SPDX-License-Identifier: BSD-3-Clause
"""Widening of an ensemble that an analysis has narrowed too far."""

import torch
from torch import Tensor


def relax_to_prior_spread(
    prior: Tensor, posterior: Tensor, relaxation: float, factor: float = 1.0, acted: Tensor | None = None
) -> Tensor:
    """RTPS, only where observations acted: there spread_a := factor (a spread_b + (1 - a) spread_a).

    Whitaker & Hamill (2012), eq. 2. Where no observation acted the ensemble stays as it is: inflated again and again,
    it would grow without bound.

    Parameters
    ----------
    prior, posterior : (N, ...) members
    relaxation : a, 0 to 1
    factor : of the spread besides
    acted : bool, of a shape that goes with a member's; default: everywhere
    """
    if relaxation == 0.0 and factor == 1.0:
        return posterior
    mean = posterior.mean(0)
    before, after = prior.std(0), posterior.std(0)
    growth = factor * (1.0 + relaxation * (before - after) / torch.where(after > 0.0, after, torch.ones_like(after)))
    if acted is not None:
        growth = torch.where(acted, growth, torch.ones_like(growth))
    return mean + growth * (posterior - mean)
