# SPDX-License-Identifier: BSD-3-Clause
"""Respiration of plants: maintenance by nitrogen and warmth (Ryan 1991), growth by the tissue that is built."""

from __future__ import annotations

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

PER_NITROGEN = 2.525e-6  # kg C per kg N and second at 20 C (Ryan 1991, as in CLM4.5)
LOG_Q10 = 0.4054651081081644  # ln 1.5


def maintenance(nitrogen: Tensor, temperature: Tensor) -> Tensor:
    """Respiration of living tissue, kg C m-2 s-1.

    Parameters
    ----------
    nitrogen : of the tissue, kg N m-2
    temperature : of the tissue, K
    """
    return PER_NITROGEN * nitrogen * torch.exp(0.1 * LOG_Q10 * (temperature - ZERO_CELSIUS - 20.0))


def growth(carbon: Tensor, share: Tensor | float) -> tuple[Tensor, Tensor]:
    """Tissue and growth respiration out of carbon for both: tissue = carbon / (1 + g).

    Parameters
    ----------
    carbon : for tissue and its respiration, kg C m-2
    share : g, respired per carbon of tissue
    """
    tissue = carbon / (1.0 + share)
    return tissue, carbon - tissue
