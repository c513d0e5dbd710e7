# SPDX-License-Identifier: BSD-3-Clause
"""Resistance of the soil's surface to evaporation, by name; s m-1."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.soil_properties import Texture

VAPOUR_DIFFUSIVITY = 2.2e-5  # m2 s-1
AIR_DRY = 1e4  # m of suction, at which soil is dry in air (Lawrence et al. 2019)


def sellers(soil: Texture, liquid: Tensor, thickness: Tensor) -> Tensor:
    """exp(8.206 - 4.255 W), W the saturation of the uppermost layer (Sellers et al. 1992, eq. 19).

    Parameters
    ----------
    soil : texture of the uppermost layer
    liquid : its water, m3 m-3
    thickness : of the layer, m
    """
    wetness = torch.clamp(liquid / soil.theta_s, 0.0, 1.0)
    return torch.exp(8.206 - 4.255 * wetness)


def sakaguchi_zeng(soil: Texture, liquid: Tensor, thickness: Tensor) -> Tensor:
    """Diffusion through a dry crust (Sakaguchi and Zeng 2009, eq. 13-15): L/D.

    L = d (exp((1 - W)^5) - 1)/(e - 1) with d the depth of the layer W stands for, here .1 m as in Noah-MP whatever
    the uppermost layer is; D = 2.2e-5 theta_s^2 (1 - theta_r/theta_s)^(2 + 3/b). The crust is as dry as air makes it:
    theta_r is the water at :data:`AIR_DRY`, as in CLM5's dry layer, and not what plants leave.

    Parameters
    ----------
    soil : texture of the uppermost layer
    liquid : its water, m3 m-3
    thickness : of the layer, m

    Examples
    --------
    >>> from components.land.column.soil_properties import texture
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> soil = texture(0.1 * x, 0.34 * x)
    >>> [round(sakaguchi_zeng(soil, w * soil.theta_s, x).item(), 1) for w in (1.0, 0.8, 0.6, 0.4)]
    [0.0, 8.0, 256.2, 2014.4]
    """
    dry = 1.0 - torch.clamp(liquid / soil.theta_s, 0.0, 1.0)
    crust = 0.1 * (torch.exp(dry * dry * dry * dry * dry) - 1.0) / 1.718281828459045
    pores = torch.clamp(1.0 - torch.exp(torch.log(soil.psi_s / AIR_DRY) / soil.b), min=0.05)
    diffusivity = VAPOUR_DIFFUSIVITY * soil.theta_s * soil.theta_s * torch.exp((2.0 + 3.0 / soil.b) * torch.log(pores))
    return torch.clamp(crust / diffusivity, max=1e6)


RESISTANCE = {"sellers": sellers, "sakaguchi_zeng": sakaguchi_zeng}
