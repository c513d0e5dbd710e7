# SPDX-License-Identifier: BSD-3-Clause
"""Stomata at night: cooling saves respiration, water spent now is not there by day (Wang et al. 2021).

The optimum satisfies -dR/dE - f A_d(E) / (E_crit - E) = 0 (Wang, Anderegg, Venturas, Trugman, Yu and Frankenberg
2021, New Phytologist 230, 1550-1561): R is the leaf's respiration, which falls with the leaf temperature that
transpiration lowers; A_d(E) is the assimilation the same flow would have bought by day; f, between 0 and 1, weighs
the plant's memory of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.optimality import SupplyCurve
from components.land.column.photosynthesis import (
    CO2_TO_WATER,
    Leaf,
    assimilation_at_conductance,
    respiration_factor,
)
from components.land.column.roots import falling_root
from components.science.constants import LATENT_VAPORISATION, WATER_MOLAR_MASS

DAY_DEFICIT = 0.01  # mol mol-1, the least deficit of the day the leaf saves its water for
DAY_LIGHT = 500.0  # umol m-2 s-1 absorbed by a leaf of that day
WIDEST = 0.1  # mol m-2 s-1: in air close to saturation any conductance costs nothing
MOLAR_HEAT = LATENT_VAPORISATION * WATER_MOLAR_MASS  # J mol-1


class Night(NamedTuple):
    """A leaf in the dark and the day it saves its water for."""

    day_leaf: Leaf  # the leaf in daylight
    ca: Tensor  # umol mol-1
    day_deficit: Tensor  # mol mol-1, by day
    deficit: Tensor  # mol mol-1, now
    plant: SupplyCurve
    respiration25: Tensor  # umol m-2 s-1 at 25 C
    dry_temperature: Tensor  # leaf temperature without transpiration, K
    exchange: Tensor  # sensible and thermal-radiative exchange coefficient of the leaf, W m-2 K-1


def marginals(night: Night, e: Tensor, memory: float | Tensor) -> tuple[Tensor, Tensor]:
    """Marginal saving -dR/dE and marginal penalty f A_d/(E_crit - E), both umol mol-1.

    Parameters
    ----------
    night : leaves, temperature and the day's trade
    e : transpiration at night, mol m-2 s-1
    memory : weight f of the day's carbon
    """
    temperature = night.dry_temperature - MOLAR_HEAT * e / night.exchange
    respiration = night.respiration25 * respiration_factor(temperature)
    saving = 0.0652325186039 * respiration * MOLAR_HEAT / night.exchange  # d ln R / dT of respiration_factor
    gc = e / (CO2_TO_WATER * night.day_deficit)
    by_day = torch.clamp(assimilation_at_conductance(night.day_leaf, gc, night.ca)[0], min=0.0)
    return saving, memory * by_day / torch.clamp(night.plant.e_crit - e, min=1e-12)


def night_conductance(
    night: Night, memory: float | Tensor = 0.15, iterations: int = 30
) -> tuple[Tensor, Tensor, Tensor]:
    """Optimal conductance in the dark.

    Parameters
    ----------
    night
        Leaf, plant and day.
    memory
        The factor f.

    Returns
    -------
    tuple of Tensor
        Stomatal conductance to water vapour (mol m-2 s-1), flow E (mol m-2 s-1) and the relative residual
        of the
        first-order condition.
    """

    def balance(s: Tensor) -> Tensor:
        saving, penalty = marginals(night, s * night.plant.e_crit, memory)
        return (saving - penalty) / (saving + penalty + 1e-30)

    e = night.plant.e_crit * falling_root(balance, torch.full_like(night.respiration25, 0.5), iterations)
    saving, penalty = marginals(night, e, memory)
    return e / torch.clamp(night.deficit, min=5e-4), e, 1.0 - penalty / saving
