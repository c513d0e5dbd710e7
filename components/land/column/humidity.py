# SPDX-License-Identifier: BSD-3-Clause
"""Saturation of air over water and ice."""

from __future__ import annotations

import torch
from torch import Tensor

from components.science import water
from components.science.constants import FREEZING_POINT


def saturation_pressure(temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Saturation vapour pressure (Pa) and its slope (Pa K-1), over water above 0 C and over ice below.

    Examples
    --------
    >>> round(saturation_pressure(torch.tensor(293.15, dtype=torch.float64))[0].item())
    2337
    """
    t = torch.clamp(temperature, FREEZING_POINT - 150.0, FREEZING_POINT + 100.0)
    wet = t >= FREEZING_POINT
    pressure = torch.where(wet, water.saturation_pressure(t), water.saturation_pressure_ice(t))
    return pressure, pressure * torch.where(wet, water.growth(t), water.growth_ice(t))


def saturation_humidity(temperature: Tensor, pressure: Tensor) -> tuple[Tensor, Tensor]:
    """Saturation specific humidity (kg kg-1) and its slope (K-1) at air pressure ``pressure`` (Pa).

    Parameters
    ----------
    temperature : K
    pressure : Pa
    """
    e, slope = saturation_pressure(temperature)
    e_max = 0.5 * pressure  # hot air at low pressure: the formula ends where air would be all vapour
    growing = torch.where(e > e_max, torch.zeros_like(slope), slope / e)
    e = torch.minimum(e, e_max)
    return water.specific_humidity(e, pressure), water.humidity_slope(e, growing, pressure)
