# SPDX-License-Identifier: BSD-3-Clause
"""Respiration of plants: maintenance by nitrogen and warmth (Ryan 1991), growth by the tissue that is built.

Frozen tissue all but stops: its Q10 is that of frozen soils, 63 to 237 (Mikan et al. 2002).
"""

from __future__ import annotations

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

PER_NITROGEN = 2.525e-6  # kg C per kg N and second at 20 C (Ryan 1991, as in CLM4.5)
LOG_Q10 = 0.4054651081081644  # ln 1.5
LOG_FROZEN_Q10 = 4.143134726391533  # ln 63


def maintenance(nitrogen: Tensor, temperature: Tensor) -> Tensor:
    """Respiration of living tissue, kg C m-2 s-1.

    Parameters
    ----------
    nitrogen : of the tissue, kg N m-2
    temperature : of the tissue, K
    """
    t = temperature - ZERO_CELSIUS
    frost = torch.clamp(t, max=0.0)
    return PER_NITROGEN * nitrogen * torch.exp(0.1 * (LOG_Q10 * (t - frost - 20.0) + LOG_FROZEN_Q10 * frost))


def growth(carbon: Tensor, share: Tensor | float) -> tuple[Tensor, Tensor]:
    """Tissue and growth respiration out of carbon for both: tissue = carbon / (1 + g).

    Parameters
    ----------
    carbon : for tissue and its respiration, kg C m-2
    share : g, respired per carbon of tissue
    """
    tissue = carbon / (1.0 + share)
    return tissue, carbon - tissue
