# SPDX-License-Identifier: BSD-3-Clause
"""Growth by the scarcer nutrient: what carbon asks for, and what the soil gives (as in AVIM-CN and CLM4-CN)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Limited(NamedTuple):
    """Growth that nutrients allow.

    Attributes
    ----------
    carbon : (columns,) of the carbon offered, what is built in
    excess : carbon for which there is no nutrient
    taken : (nutrient, columns) what is taken up
    scarcest : (columns,) share of the demand that is met
    """

    carbon: Tensor
    excess: Tensor
    taken: Tensor
    scarcest: Tensor


def limited_growth(carbon: Tensor, ratios: Tensor, supply: Tensor) -> Limited:
    """Build tissue at fixed ratios as far as the scarcer nutrient allows.

    Parameters
    ----------
    carbon : (columns,) for tissue, kg C m-2
    ratios : (nutrient, columns) carbon per nutrient of new tissue
    supply : (nutrient, columns) what the plant can take up, kg m-2
    """
    wanted = carbon / ratios
    met = torch.where(wanted > 0.0, supply / torch.clamp(wanted, min=1e-30), torch.ones_like(wanted))
    share = torch.clamp(met.amin(0), 0.0, 1.0)
    built = share * carbon
    return Limited(built, carbon - built, share * wanted, share)
