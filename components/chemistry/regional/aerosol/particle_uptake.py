# SPDX-License-Identifier: BSD-3-Clause
"""Gases that moist particles take up and turn into acids: what makes these where there is no cloud and no light.

Uptake by a sphere of Schwartz (1986) as Jacob (2000, Atmos. Environ. 34, 2131, eq. 1). In winter haze sulfate forms in
the water of particles; the oxidants there (nitrogen dioxide, oxygen with metals, hydrogen peroxide) are taken as
abundant, and the coefficient is that by humidity of Wang et al. (2014, J. Geophys. Res. 119, 10425) and Zheng et al.
(2015, ACP 15, 2031). Nitrogen pentoxide, which ozone and nitrogen dioxide make at night, becomes two molecules of
nitric acid; its coefficient is that on sulfate of Evans & Jacob (2005, Geophys. Res. Lett. 32, L09813).
"""

import math

import torch
from torch import Tensor

from components.science.constants import GAS_CONSTANT, ZERO_CELSIUS

SULFUR_DIOXIDE, NITROGEN_PENTOXIDE = 0.064064, 0.10801  # kg mol-1
LEAST, MOST = 2.0e-5, 5.0e-5  # coefficients of sulfur dioxide below a relative humidity and at saturation
FROM = 0.5  # that humidity
DIFFUSIVITY = 1.1e-5  # m2 s-1 of sulfur dioxide in air at 0 degC (Massman 1998), with temperature to the power of 1.81


def of_sulfur_dioxide(humidity: Tensor) -> Tensor:
    """Share of the molecules that hit a particle and become sulfate.

    Parameters
    ----------
    humidity : relative humidity, 1
    """
    return LEAST + (MOST - LEAST) * torch.clamp((humidity - FROM) / (1.0 - FROM), 0.0, 1.0)


def of_nitrogen_pentoxide(temperature: Tensor, humidity: Tensor) -> Tensor:
    """Share of the molecules that hit a particle and become nitric acid.

    Parameters
    ----------
    temperature : K; below 282 counts as 282
    humidity : relative humidity, 1; above .95 counts as .95
    """
    rh = 100.0 * torch.clamp(humidity, 0.0, 0.95)
    moist = 2.79e-4 + rh * (1.3e-4 + rh * (-3.43e-6 + rh * 7.52e-8))
    return moist * torch.exp(-0.04 * math.log(10.0) * (torch.clamp(temperature, min=282.0) - 294.0))


def rate(
    surface: Tensor, diameter: Tensor, temperature: Tensor, coefficient: Tensor, molar_mass: float = SULFUR_DIOXIDE
) -> Tensor:
    """Share of the gas that particles take up in a second, s-1.

    Parameters
    ----------
    surface : of wet particles, m2 per m3 of air
    diameter : of these, m
    temperature : K
    coefficient : share of the molecules that hit a particle and stay
    molar_mass : of the gas, kg mol-1
    """
    speed = torch.sqrt(8.0 * GAS_CONSTANT * temperature / (math.pi * molar_mass))  # mean, of the molecules
    diffusivity = DIFFUSIVITY * torch.exp(1.81 * torch.log(temperature / ZERO_CELSIUS))
    return surface / (0.5 * diameter / diffusivity + 4.0 / (coefficient * speed))
