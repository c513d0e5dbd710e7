# SPDX-License-Identifier: BSD-3-Clause
"""Convection by a mass flux, a column after another; see `convection_mass_flux`, whose numbers it has to round-off.

A column without a cloud costs its saturation and a look for one; it keeps its bits. All is double precision inside.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import downdraught, plume
from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.convection_flux import base_flux, closure, shallow_flux
from components.atmosphere.nonhydrostatic.kernels.convection_outcome import clouds, precipitate, sinking
from components.atmosphere.nonhydrostatic.kernels.moist_air import over_mixed, ratio
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    DEEP,
    MIDDLE,
    MIDDLE_HUMIDITY,
    MOISTER,
    SOURCE,
    WARMER,
)
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION


def step(air: tuple[Any, ...], fluxes: tuple[Any, Any], turnovers: float, dt: float, out: tuple[Any, ...]) -> None:
    """All columns.

    Parameters
    ----------
    air : p, rho, mass, z, dz (nz, n), height of the interfaces (nz+1, n), and theta and pi of the lowest layer (1, n)
    fluxes : of heat and water through the ground (n,), or empty
    turnovers, dt : see `convection_mass_flux.step`
    out : t, vapour, cloud water, cloud ice (nz, n), changed, the last two without layers where there are none; cover,
        condensate (nz, n), mass flux (nz-1, n), rain, snow (n,), which were 0
    """
    columns(air, fluxes, float(turnovers), float(dt), out, np.zeros((len(air[0]) + 1, at.ALL)))


@compiled
def columns(air: Any, fluxes: Any, turnovers: float, dt: float, out: Any, c: Any) -> None:
    """`step`, with room for a column; see `layers`."""
    for i in range(air[0].shape[1]):
        take(c, air, out, i)
        lowest(c)
        excess = WARMER * CP_DRY + LATENT_VAPORISATION * MOISTER
        whole = plume.ascend(c, excess, MOISTER, False)
        shallow = whole.active and whole.base - whole.top <= DEEP
        lives, flux = whole.active, 0.0
        if shallow:
            flux = from_ground(c, whole, fluxes, air, i)
            if flux > 0.0:  # by the deep plume: a shallow one is the same until it is free, and inhibited no less
                whole = plume.ascend(c, excess, MOISTER, True)
                flux = from_ground(c, whole, fluxes, air, i) if whole.active else 0.0
            lives = flux > 0.0
            if lives:
                plume.thin(c, whole)
        if not lives:
            shallow = False
            if not aloft(c):
                continue
            whole = plume.ascend(c, excess, MOISTER, False)
            if not whole.active:
                continue
        plume.evenly(c)
        c[:, at.DOWN : at.WETTING + 1] = 0.0
        if not shallow:
            downdraught.descend(c)
            flux = closure(c, whole, turnovers, dt)
        flux = base_flux(c, flux, dt)
        if flux > 0.0:
            sinking(c, dt * flux, out, i)
            precipitate(c, whole, dt * flux, dt, out, i)
            clouds(c, whole, flux, out, i)


@compiled
def from_ground(c: Any, whole: plume.Whole, fluxes: Any, air: Any, i: int) -> float:
    """Mass flux at the base of a shallow plume by the fluxes through the ground; none where these are not given."""
    if fluxes[0].size == 0:
        return 0.0
    return shallow_flux(c, whole, fluxes[0][i], fluxes[1][i], air[6][0, i], air[7][0, i])


@compiled
def take(c: Any, air: Any, out: Any, i: int) -> None:
    """Column ``i`` and what follows from its temperature and vapour."""
    p, rho, mass, z, dz, interface, _, _ = air
    t, vapour = out[0], out[1]
    ground = 1.0 * interface[0, i]  # in double precision
    nz = len(c) - 1
    for k in range(nz):
        c[k, at.T], c[k, at.Q], c[k, at.P] = t[k, i], vapour[k, i], p[k, i]
        c[k, at.RHO], c[k, at.MASS] = rho[k, i], mass[k, i]
        c[k, at.Z], c[k, at.DZ], c[k, at.BOTTOM] = z[k, i] - ground, dz[k, i], interface[k, i] - ground
        c[k, at.Q_S] = ratio(over_mixed(c[k, at.T]), c[k, at.P])
        c[k, at.DRY] = CP_DRY * c[k, at.T] + GRAVITY * c[k, at.Z]
        c[k, at.ENERGY] = c[k, at.DRY] + LATENT_VAPORISATION * c[k, at.Q]
    c[nz, at.BOTTOM] = interface[nz, i] - ground


@compiled
def lowest(c: Any) -> None:
    """`convection_mass_flux.lowest_air`."""
    total = 0.0
    for k in range(len(c) - 1):
        c[k, at.SHARE] = c[k, at.MASS] if c[k, at.Z] < SOURCE or k == 0 else 0.0
        total += c[k, at.SHARE]
    c[:, at.SHARE] /= total


@compiled
def aloft(c: Any) -> bool:
    """Source of a plume from aloft, as `convection_mass_flux.best_source` has it; whether there is one."""
    best, number = 0.0, 0
    for k in range(len(c) - 1):
        c[k, at.SHARE] = 0.0
        able = c[k, at.Q] / c[k, at.Q_S] > MIDDLE_HUMIDITY and MIDDLE[0] < c[k, at.Z] < MIDDLE[1]
        if able and c[k, at.ENERGY] >= best:
            if c[k, at.ENERGY] > best:
                c[:k, at.SHARE] = 0.0
                best, number = c[k, at.ENERGY], 0
            c[k, at.SHARE] = 1.0
            number += 1
    if number > 0:
        c[:, at.SHARE] /= number
    return number > 0
