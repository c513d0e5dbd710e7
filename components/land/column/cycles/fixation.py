# SPDX-License-Identifier: BSD-3-Clause
"""What a plant pays in carbon for nitrogen that its symbionts fix, by temperature (kg C per kg N)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

A, B, C = -3.62, 0.27, 25.15  # 1, degC-1, degC (Houlton et al. 2008)
LEAST, OPTIMAL, MOST = -2.04, 32.10, 43.98  # degC, of nitrogenase (Bytnerowicz et al. 2022)
PRICE = 6.0  # kg C per kg N at the best temperature
DEAREST = 1e6  # kg C per kg N, where nothing is fixed


def _houlton(temperature: Tensor) -> Tensor:
    t = temperature - ZERO_CELSIUS
    return torch.exp(A + B * t * (1.0 - 0.5 * t / C))


def houlton_cost(temperature: Tensor) -> Tensor:
    """6 / (1.25 exp(a + b T (1 - T / 2c))), as in CLM5 (Lawrence et al. 2019); ``temperature`` in K."""
    return torch.clamp(PRICE / (1.25 * _houlton(temperature)), max=DEAREST)


def fisher_cost(temperature: Tensor) -> Tensor:
    """-6.25 (exp(a + b T (1 - T / 2c)) - 2) (Fisher et al. 2010, eq. 9); ``temperature`` of the soil in K."""
    return -6.25 * (_houlton(temperature) - 2.0)


def bytnerowicz_cost(temperature: Tensor) -> Tensor:
    """6 / F, F the beta function of Bytnerowicz et al. (2022) with 1 at 32.1 C; ``temperature`` of the soil in K.

    Below -2.04 C and above 43.98 C nothing is fixed.
    """
    outside = (temperature - ZERO_CELSIUS <= LEAST) | (temperature - ZERO_CELSIUS >= MOST)
    t = torch.clamp(temperature - ZERO_CELSIUS, LEAST + 1e-3, MOST - 1e-3)
    exponent = (OPTIMAL - LEAST) / (MOST - OPTIMAL)
    rise = torch.exp(exponent * torch.log((t - LEAST) / (OPTIMAL - LEAST)))
    cost = torch.clamp(PRICE / ((MOST - t) / (MOST - OPTIMAL) * rise), max=DEAREST)
    return torch.where(outside, torch.full_like(cost, DEAREST), cost)


COST: dict[str, Callable[[Tensor], Tensor]] = {
    "houlton": houlton_cost,
    "fisher": fisher_cost,
    "bytnerowicz": bytnerowicz_cost,
}
"""Costs of fixation by name."""
