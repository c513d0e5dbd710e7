# SPDX-License-Identifier: BSD-3-Clause
"""Clouds that no tracer holds: the share of a layer that those of convection fill by the mass flux; their water."""

import torch

from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    COVER_DEEP,
    COVER_FLUX,
    COVER_MOST,
    COVER_SHALLOW,
)
from components.science.sums import in_order

DENSEST, SCALE = 2.1e-4, 700.0  # kg m-3 at sea level, m (Kiehl et al. 1998)


def cover(flux: torch.Tensor, deep: torch.Tensor) -> torch.Tensor:
    """Share of a layer that convective clouds fill, by the mass flux in it (Xu & Krueger 1991).

    Parameters
    ----------
    flux : (nz, y, x) kg m-2 s-1
    deep : (y, x) whether the convection is deep, else shallow
    """
    share = torch.where(deep, flux.new_tensor(COVER_DEEP), COVER_SHALLOW)
    return torch.clamp(share * torch.log1p(COVER_FLUX * flux), 0.0, COVER_MOST)


def water(air: Columns, q_v: torch.Tensor) -> torch.Tensor:
    """Condensate inside clouds (nz, y, x), kg per kg of dry air, where a scheme has none of its own.

    It falls off with height over 700 m ln(1 + W / kg m-2), W being the precipitable water (Kiehl et al. 1998, J.
    Climate 11, 1131-1149, section 3).

    Parameters
    ----------
    air : the columns
    q_v : (nz, y, x) vapour, kg/kg
    """
    precipitable = in_order(air.mass * torch.clamp(q_v, min=0.0), 0)
    scale = SCALE * torch.log1p(precipitable) + 1.0
    return DENSEST * torch.exp(-(air.z - air.z_interface[:1]) / scale) / air.rho
