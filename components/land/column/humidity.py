"""Saturation of air over water and ice."""

from __future__ import annotations

import torch
from torch import Tensor

from components.science.constants import EPSILON_VAPOUR, FREEZING_POINT


def saturation_pressure(temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Saturation vapour pressure (Pa) and its slope (Pa K-1), over water above 0 C and over ice below.

    Magnus form with the coefficients of Bolton (1980, eq. 10) over water and Alduchov and Eskridge (1996)
    over ice,
    joined at 611.2 Pa.

    Examples
    --------
    >>> round(saturation_pressure(torch.tensor(293.15, dtype=torch.float64))[0].item())
    2337
    """
    celsius = torch.clamp(temperature - FREEZING_POINT, -150.0, 100.0)
    water = celsius >= 0.0
    a = torch.where(water, 17.67, 22.587).to(celsius.dtype)
    bottom = celsius + torch.where(water, 243.5, 273.86).to(celsius.dtype)
    pressure = 611.2 * torch.exp(a * celsius / bottom)
    return pressure, pressure * a * (bottom - celsius) / (bottom * bottom)


def saturation_humidity(temperature: Tensor, pressure: Tensor) -> tuple[Tensor, Tensor]:
    """Saturation specific humidity (kg kg-1) and its slope (K-1) at air pressure ``pressure`` (Pa).

    Parameters
    ----------
    temperature : K
    pressure : Pa
    """
    e, slope = saturation_pressure(temperature)
    e_max = 0.5 * pressure  # hot air at low pressure: the formula ends where air would be all vapour
    slope = torch.where(e > e_max, torch.zeros_like(slope), slope)
    e = torch.minimum(e, e_max)
    bottom = pressure - (1.0 - EPSILON_VAPOUR) * e
    return EPSILON_VAPOUR * e / bottom, EPSILON_VAPOUR * pressure * slope / (bottom * bottom)
