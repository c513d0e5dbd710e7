# SPDX-License-Identifier: BSD-3-Clause
"""The mass flux at a plume's base; see `convection_mass_flux.base_flux`."""

import math
from typing import Any

from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.plume import Whole
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    GIVEN,
    GRANT,
    INHIBITED,
    PASSAGE,
    SLOWEST,
)
from components.science.constants import CP_DRY, GRAVITY, VIRTUAL


@compiled
def base_flux(
    c: Any, whole: Whole, shallow: bool, heat: float, water: float, theta: float, pi: float, turnovers: float, dt: float
) -> float:
    """Mass flux at the base of an active plume, kg m-2 s-1.

    Parameters
    ----------
    c : the column with its plume and its downdraught, see `layers`
    whole, shallow : of the plume
    heat, water : fluxes through the ground, W m-2, kg m-2 s-1; of a shallow plume
    theta, pi : potential temperature (K) and Exner function of the lowest layer
    turnovers, dt : see `convection_mass_flux.step`
    """
    if shallow:
        kinematic = heat / (c[0, at.RHO] * CP_DRY * pi) + VIRTUAL * theta * water / c[0, at.RHO]
        cube = max(GRAVITY / (c[0, at.T] * (1.0 + VIRTUAL * c[0, at.Q])) * kinematic * whole.begin, 0.0)
        flux = GRANT * (math.exp(math.log(cube) / 3.0) if cube > 1.0e-30 else 0.0) * c[0, at.RHO]
    else:
        flux = closure(c, whole, turnovers, dt)
    most = 0.0
    for k in range(len(c) - 1):
        most = max(most, (c[k, at.TAKEN] + c[k, at.GIVEN]) / c[k, at.MASS])
    return min(flux, GIVEN / (dt * max(most, 1.0e-12)), 1.0)


@compiled
def closure(c: Any, whole: Whole, turnovers: float, dt: float) -> float:
    """That of a deep plume: CAPE over the time in which it is used up, by what a flux of one would take of it."""
    cape = used = passing = 0.0
    nz = len(c) - 1
    for k in range(nz):
        if c[k, at.INSIDE] > 0.0:
            cape += max(c[k, at.BUOYANCY], 0.0) * c[k, at.DZ]
            passing += c[k, at.DZ] / max(c[k, at.W], SLOWEST)
            if k < nz - 1:
                virtual = c[k, at.T] * (1.0 + VIRTUAL * c[k, at.Q])
                above = c[k + 1, at.T] * (1.0 + VIRTUAL * c[k + 1, at.Q])
                slope = (above - virtual) / (c[k + 1, at.Z] - c[k, at.Z]) + GRAVITY / CP_DRY
                sinks = c[k, at.FLUX] - c[k + 1, at.DOWN]
                used += sinks / c[k, at.RHO] * GRAVITY / virtual * max(slope, 0.0) * c[k, at.DZ]
    tau = min(max(turnovers * passing, PASSAGE[0]), PASSAGE[1])
    can = min(max((INHIBITED[1] - whole.lift) / (INHIBITED[1] - INHIBITED[0]), 0.0), 1.0)
    return can * cape * -math.expm1(-dt / tau) / dt / max(used, 1.0e-6)
