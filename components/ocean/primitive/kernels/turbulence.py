# SPDX-License-Identifier: BSD-3-Clause
"""The two halves of an iteration of turbulent kinetic energy; see `turbulent_energy.by_torch`.

Roots are taken by torch, which does not round all of them correctly.
"""

from typing import Any

import numpy as np

from components.ocean.primitive.kernels.compiled import compiled


@compiled
def lengths(length: Any, h: Any, below: Any, least: Any, shortest: Any, product: Any) -> None:
    """Length of mixing and the square of that of dissipation; see `turbulent_energy.mixing_lengths`.

    Parameters
    ----------
    length, h, below : (nz, n) length that stratification allows, thickness of cells, whether the cell below is wet
    least : m
    shortest, product : (nz, n) are set
    """
    nz, n = length.shape
    grown = np.empty(n)
    grown[:] = 0.0
    for k in range(nz):
        for i in range(n):
            x, y = length[k, i], grown[i] + h[k, i]
            grown[i] = x if x < y else y
        for i in range(n):
            product[k, i] = grown[i]
    grown[:] = 0.0
    for k in range(nz - 1, -1, -1):
        if k < nz - 1:
            for i in range(n):
                x, y = length[k, i], (grown[i] + h[k + 1, i]) * below[k, i]
                grown[i] = x if x < y else y
        for i in range(n):
            x, y = product[k, i], grown[i]
            x = x if x < y else y
            shortest[k, i] = least if x < least else x
        for i in range(n):
            product[k, i] = product[k, i] * grown[i] + 1e-30


@compiled
def advance(
    n2: Any, shear2: Any, h: Any, below: Any, old: Any, spacing: Any, cells: Any, by_shear: Any, surface: Any,
    numbers: Any, e: Any, root: Any, dissipation: Any, momentum: Any, new: Any, prandtl: Any,
) -> None:  # fmt: skip
    """Energy at the end of the step with given lengths and viscosities, level by level.

    Parameters
    ----------
    n2, shear2, h, below, old, spacing, cells, by_shear : (nz, n)
    surface : (n,) energy at the surface, m2 s-2
    numbers : dt, transport, C_EPS, LEAST_TKE
    e, root, dissipation, momentum : (nz, n) energy, its root, length of dissipation and viscosity
    new, prandtl : (nz, n) are set
    """
    dt, transport, c_eps, least = numbers
    nz, n = n2.shape
    half, whole = 0.5 * dt * transport, dt * transport
    factor, inverse = np.empty((nz, n)), np.empty(n)
    convection, sheared, above, under, flux = np.zeros(n), np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    for k in range(nz):
        for i in range(n):
            unstable = -momentum[k, i] * n2[k, i]
            unstable = 0.0 if unstable < 0.0 else unstable
            convection[i] = convection[i] + unstable * spacing[k, i]
        for i in range(n):
            sheared[i] = sheared[i] + momentum[k, i] * shear2[k, i] * spacing[k, i]
        for i in range(n):
            share = convection[i] / (convection[i] + sheared[i] + 1e-30)
            prandtl[k, i] = by_shear[k, i] + (1.0 - by_shear[k, i]) * share
        # fluxes at the cell centres, above and below
        if k == 0:
            for i in range(n):
                above[i] = -(whole * momentum[k, i] / h[k, i]) / spacing[k, i]
        else:
            for i in range(n):
                above[i] = -flux[i] / spacing[k, i]
        if k < nz - 1:
            for i in range(n):
                flux[i] = half * (momentum[k + 1, i] + momentum[k, i]) / h[k + 1, i] * below[k + 1, i]
            for i in range(n):
                under[i] = -flux[i] / spacing[k, i]
        else:
            for i in range(n):
                under[i] = 0.0
        for i in range(n):
            heat = momentum[k, i] / prandtl[k, i]
            lost, gained = heat * n2[k, i], -heat * n2[k, i]
            lost, gained = (0.0 if lost < 0.0 else lost), (0.0 if gained < 0.0 else gained)
            production = momentum[k, i] * shear2[k, i] + gained + cells[k, i]
            sink = lost / e[k, i] + c_eps * root[k, i] / dissipation[k, i]
            right, diagonal = old[k, i] + dt * production, 1.0 - above[i] - under[i] + dt * sink
            if k == 0:
                right = right - above[i] * surface[i]
                inverse[i] = 1.0 / diagonal
                new[k, i] = right * inverse[i]
            else:
                inverse[i] = 1.0 / (diagonal - above[i] * factor[k - 1, i])
                new[k, i] = (right - above[i] * new[k - 1, i]) * inverse[i]
            factor[k, i] = under[i] * inverse[i]
    for k in range(nz - 2, -1, -1):
        for i in range(n):
            new[k, i] = new[k, i] - factor[k, i] * new[k + 1, i]
    for k in range(nz):
        for i in range(n):
            new[k, i] = least if new[k, i] < least else new[k, i]
