# SPDX-License-Identifier: BSD-3-Clause
"""Mass flux at the base of shallow clouds: what the mixed layer's thermals carry there (Grant 2001; Bretherton 2004).

Clouds over a mixed layer in balance have 0.03 ``w_*`` (Grant 2001, Q. J. R. Meteorol. Soc. 127, 407-421). Where stable
air lies beneath free convection only thermals whose energy is above its inhibition CIN get through. With a normal
distribution of vertical velocity, of variance sigma^2, these carry (Bretherton, McCaa & Grenier 2004, Mon. Wea. Rev.
132, 864-882)::

    M = rho sigma / sqrt(2 pi) exp(-CIN / sigma^2)

The lesser of both is taken. Over a slight inhibition it is Grant's, which the second exceeds up to CIN = 1.8 sigma^2.
"""

import math

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convection_plume import Plume
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import FASTEST, GRANT, LEAST_VARIANCE, VARIANCE
from components.science.constants import CP_DRY, GRAVITY, VIRTUAL
from components.science.torch_compiler import piece


@piece
def shallow_flux(air: Columns, t: torch.Tensor, q_v: torch.Tensor, plume: Plume, fluxes: Fluxes | None) -> torch.Tensor:
    """Mass flux at the base of a shallow plume (y, x), kg m-2 s-1; 0 where no thermal is fast enough.

    Parameters
    ----------
    air : columns
    t, q_v : (nz, y, x) temperature (K), vapour (kg/kg)
    plume : of each column
    fluxes : through the ground, or None: no thermals
    """
    if fluxes is None:
        return torch.zeros_like(t[0])
    w_heat = (
        fluxes.sensible_heat / (air.rho[0] * CP_DRY * air.pi[0]) + VIRTUAL * air.theta[0] * fluxes.water / air.rho[0]
    )
    lifts = GRAVITY / (t[0] * (1.0 + VIRTUAL * q_v[0])) * w_heat
    w_star = power(torch.clamp(lifts * plume.begin, min=0.0), 1.0 / 3.0)
    variance = torch.clamp(VARIANCE * w_star * w_star, min=LEAST_VARIANCE)
    against = plume.inhibition / variance
    able = torch.sqrt(variance / (2.0 * math.pi)) * torch.exp(-against)
    flux = torch.minimum(GRANT * w_star, able) * air.rho[0]
    return torch.where(against < 0.5 * FASTEST * FASTEST, flux, 0.0)
