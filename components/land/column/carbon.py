# SPDX-License-Identifier: BSD-3-Clause
"""Respiration of the soil: the place where carbon and nitrogen cycles will be built on."""

from __future__ import annotations

import torch
from torch import Tensor


def soil_respiration(at_ten: Tensor, temperature: Tensor, wetness: Tensor) -> Tensor:
    """Respiration of roots and microbes, umol m-2 s-1.

    R = R10 f(w) exp(308.56 (1/56.02 - 1/(T - 227.13))) (Lloyd and Taylor 1994, eq. 11), with
    f = 4 w (1 - w), not less than .2: soils dry or without air respire little.

    Parameters
    ----------
    at_ten
        Rate at 10 C in soil of middling wetness, umol m-2 s-1.
    temperature
        Soil temperature, K.
    wetness
        Share of the pores with water.
    """
    t = torch.clamp(temperature, min=240.0)
    warmth = torch.exp(308.56 * (1.0 / 56.02 - 1.0 / (t - 227.13)))
    moisture = torch.clamp(4.0 * wetness * (1.0 - wetness), min=0.2)
    return at_ten * torch.clamp(warmth, max=20.0) * moisture
