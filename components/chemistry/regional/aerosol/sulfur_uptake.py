# SPDX-License-Identifier: BSD-3-Clause
"""Sulfur dioxide that moist particles take up and turn into sulfate: what makes it where there is no cloud.

In winter haze sunlight and clouds are few, and sulfate forms in the water of particles; the oxidants there (nitrogen
dioxide, oxygen with metals, hydrogen peroxide) are taken as abundant. Uptake by a sphere of Schwartz (1986) as Jacob
(2000, Atmos. Environ. 34, 2131, eq. 1), its coefficient by humidity of Wang et al. (2014, J. Geophys. Res. 119, 10425)
and Zheng et al. (2015, ACP 15, 2031).
"""

import math

import torch
from torch import Tensor

from components.science.constants import GAS_CONSTANT, ZERO_CELSIUS

MOLAR_MASS = 0.064064  # kg mol-1
LEAST, MOST, FROM = 2.0e-5, 5.0e-5, 0.5  # coefficients below a relative humidity and at saturation; that humidity
DIFFUSIVITY = 1.1e-5  # m2 s-1 in air at 0 degC (Massman 1998), with temperature to the power of 1.81


def coefficient(humidity: Tensor) -> Tensor:
    """Share of the molecules that hit a particle and become sulfate.

    Parameters
    ----------
    humidity : relative humidity, 1
    """
    return LEAST + (MOST - LEAST) * torch.clamp((humidity - FROM) / (1.0 - FROM), 0.0, 1.0)


def rate(surface: Tensor, diameter: Tensor, temperature: Tensor, humidity: Tensor) -> Tensor:
    """Share of the gas that particles take up in a second, s-1.

    Parameters
    ----------
    surface : of wet particles, m2 per m3 of air
    diameter : of these, m
    temperature : K
    humidity : relative humidity, 1
    """
    speed = torch.sqrt(8.0 * GAS_CONSTANT * temperature / (math.pi * MOLAR_MASS))  # mean, of the molecules
    diffusivity = DIFFUSIVITY * torch.exp(1.81 * torch.log(temperature / ZERO_CELSIUS))
    return surface / (0.5 * diameter / diffusivity + 4.0 / (coefficient(humidity) * speed))
