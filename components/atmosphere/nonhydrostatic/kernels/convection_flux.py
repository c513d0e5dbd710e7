# SPDX-License-Identifier: BSD-3-Clause
"""The mass flux at a plume's base; see `convection_mass_flux.base_flux`."""

import math
from typing import Any

from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.plume import Whole
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    FASTEST,
    GIVEN,
    GRANT,
    INHIBITED,
    LEAST_VARIANCE,
    PASSAGE,
    SLOWEST,
    VARIANCE,
)
from components.science.constants import CP_DRY, GRAVITY, VIRTUAL


@compiled
def shallow_flux(c: Any, whole: Whole, heat: float, water: float, theta: float, pi: float) -> float:
    """Mass flux at the base of a shallow plume, kg m-2 s-1; see `mixed_layer_thermals`.

    Parameters
    ----------
    c : the column, see `layers`
    whole : of the plume
    heat, water : fluxes through the ground, W m-2, kg m-2 s-1
    theta, pi : potential temperature (K) and Exner function of the lowest layer
    """
    kinematic = heat / (c[0, at.RHO] * CP_DRY * pi) + VIRTUAL * theta * water / c[0, at.RHO]
    cube = GRAVITY / (c[0, at.T] * (1.0 + VIRTUAL * c[0, at.Q])) * kinematic * whole.begin
    w_star = math.exp(math.log(cube) / 3.0) if cube > 1.0e-30 else 0.0
    variance = max(VARIANCE * w_star * w_star, LEAST_VARIANCE)
    against = whole.inhibition / variance
    if against >= 0.5 * FASTEST * FASTEST:
        return 0.0
    able = math.sqrt(variance / (2.0 * math.pi)) * math.exp(-against)
    return min(GRANT * w_star, able) * c[0, at.RHO]


@compiled
def base_flux(c: Any, flux: float, dt: float) -> float:
    """Mass flux ``flux`` at the base of an active plume, kg m-2 s-1, no larger than layers can give in ``dt`` (s)."""
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
