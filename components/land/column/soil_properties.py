# SPDX-License-Identifier: BSD-3-Clause
"""Hydraulic and thermal properties of soil from its texture."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import (
    C_LIQUID,
    ICE_CONDUCTIVITY,
    ICE_HEAT_CAPACITY,
    WATER_CONDUCTIVITY,
    WATER_DENSITY,
)

LN10 = 2.302585092994046


class Texture(NamedTuple):
    """Pedotransfer of Cosby et al. (1984), and the thermal properties of the dry soil."""

    theta_s: Tensor  # porosity
    psi_s: Tensor  # air-entry suction, m
    b: Tensor  # Campbell exponent
    ks: Tensor  # m s-1
    wilting: Tensor  # theta at -150 m
    field_capacity: Tensor  # theta where K = .1 mm/day
    k_dry: Tensor  # W m-1 K-1
    log_k_solid: Tensor  # ln of the grains' conductivity
    c_solid: Tensor  # J m-3 K-1 of soil volume


def texture(sand: Tensor, clay: Tensor) -> Texture:
    """Properties of a mineral soil (Cosby et al. 1984; Johansen 1975; Peters-Lidard et al. 1998).

    Parameters
    ----------
    sand, clay
        Mass fractions, 0-1.

    Examples
    --------
    >>> loam = texture(torch.tensor(0.43), torch.tensor(0.18))
    >>> round(loam.theta_s.item(), 3), round(loam.b.item(), 2)
    (0.435, 5.77)
    """
    theta_s = 0.489 - 0.126 * sand
    psi_s = 0.01 * torch.exp(LN10 * (1.88 - 1.31 * sand))
    b = 2.91 + 15.9 * clay
    ks = 7.0556e-6 * torch.exp(LN10 * (-0.884 + 1.53 * sand))
    wilting = theta_s * torch.exp(torch.log(psi_s / 150.0) / b)
    field_capacity = theta_s * torch.exp(torch.log(1e-4 / 86400.0 / ks) / (2.0 * b + 3.0))
    bulk_density = 2700.0 * (1.0 - theta_s)
    k_dry = (0.135 * bulk_density + 64.7) / (2700.0 - 0.947 * bulk_density)
    quartz = sand  # the share of quartz is taken as that of sand
    other = torch.where(quartz > 0.2, torch.full_like(sand, 2.0), torch.full_like(sand, 3.0))
    log_k_solid = quartz * 2.0412203 + (1.0 - quartz) * torch.log(other)  # ln 7.7
    c_solid = (2.128 * sand + 2.385 * clay) / (sand + clay + 1e-12) * 1e6 * (1.0 - theta_s)
    return Texture(theta_s, psi_s, b, ks, wilting, field_capacity, k_dry, log_k_solid, c_solid)


def soil_conductivity(soil: Texture, liquid: Tensor, ice: Tensor) -> Tensor:
    """Thermal conductivity, W m-1 K-1 (Johansen 1975 as in Peters-Lidard et al. 1998).

    Parameters
    ----------
    liquid, ice
        Volume fractions.
    """
    total = liquid + ice
    frozen = ice / torch.clamp(total, min=1e-9)
    log_pore = frozen * _LOG_ICE + (1.0 - frozen) * _LOG_WATER
    saturated = torch.exp((1.0 - soil.theta_s) * soil.log_k_solid + soil.theta_s * log_pore)
    wetness = torch.clamp(total / soil.theta_s, 1e-3, 1.0)
    kersten = torch.clamp(1.0 + torch.log(wetness) / LN10, min=0.0)
    kersten = frozen * wetness + (1.0 - frozen) * kersten
    return kersten * saturated + (1.0 - kersten) * soil.k_dry


_LOG_ICE = 0.7884573603642703  # ln 2.2
_LOG_WATER = -0.5621189181535413  # ln 0.57
assert abs(_LOG_ICE - torch.log(torch.tensor(ICE_CONDUCTIVITY, dtype=torch.float64)).item()) < 1e-12
assert abs(_LOG_WATER - torch.log(torch.tensor(WATER_CONDUCTIVITY, dtype=torch.float64)).item()) < 1e-12


def soil_heat_capacity(soil: Texture, liquid: Tensor, ice: Tensor) -> Tensor:
    """Volumetric heat capacity, J m-3 K-1; ``liquid`` and ``ice`` as volume fractions of water (mass over 1000).

    Parameters
    ----------
    soil : texture
    liquid, ice : (layer, columns) volume fractions of water
    """
    return soil.c_solid + WATER_DENSITY * (C_LIQUID * liquid + ICE_HEAT_CAPACITY * ice)
