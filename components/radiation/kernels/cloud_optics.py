# SPDX-License-Identifier: BSD-3-Clause
"""Optical properties of the cloud in a layer, by band, from tables over particle size (Pincus et al. 2019)."""

import numpy as np

from components.radiation.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import ONE, TINY, ZERO, inside
from components.radiation.rrtmgp_tables import KINDS

GRAMS = np.float32(1000.0)


@compiled
def has_cloud(columns, z, i):
    """Whether there is anything to see in a layer.

    Parameters
    ----------
    columns : Columns (see ``rrtmgp_scheme``)
    z, i : layer and column
    """
    path = ZERO
    for kind in range(KINDS):
        path += columns.water[kind, z, i]
    return path > ZERO and columns.fraction[z, i] > ZERO


@compiled
def cloud_optics(c, columns, z, i, tau, tau_w, tau_wg):
    """Optical depth, its scattered part, and that times the asymmetry, of each band (nb,), written.

    Particles larger than the table's largest are opaque and scatter like those; as the area of a mass goes with one
    over their size, so does their extinction.

    Parameters
    ----------
    c : CloudTables
    columns : Columns (see ``rrtmgp_scheme``)
    z, i : layer and column
    tau, tau_w, tau_wg : (nb,) results
    """
    for b in range(tau.size):
        tau[b] = tau_w[b] = tau_wg[b] = ZERO
    for kind in range(KINDS):
        path = GRAMS * columns.water[kind, z, i]
        if path <= ZERO:
            continue
        size = columns.size[kind, z, i]
        row = min(kind, 1)
        table = c.liquid if kind == 0 else c.ice
        most = np.float32(table.shape[2] - 1)
        at = (size - c.sizes[row, 0]) / c.sizes[row, 1]
        if at > most:
            path *= (c.sizes[row, 0] + most * c.sizes[row, 1]) / size
        at = inside(at, ZERO, most)
        low = min(int(at), table.shape[2] - 2)
        f = at - np.float32(low)
        for b in range(tau.size):
            extinction = path * ((ONE - f) * table[0, b, low] + f * table[0, b, low + 1])
            scattered = extinction * ((ONE - f) * table[1, b, low] + f * table[1, b, low + 1])
            tau[b] += extinction
            tau_w[b] += scattered
            tau_wg[b] += scattered * ((ONE - f) * table[2, b, low] + f * table[2, b, low + 1])


@compiled
def delta_scale(tau, tau_w, tau_wg):
    """Take the forward peak out of the scattering (Joseph, Wiscombe & Weinman 1976), in place: f = g**2.

    Parameters
    ----------
    tau, tau_w, tau_wg : optical depth, times single-scattering albedo, times asymmetry
    """
    for b in range(tau.size):
        g = tau_wg[b] / max(tau_w[b], TINY)
        peak = g * g * tau_w[b]
        tau[b] -= peak
        tau_w[b] -= peak
        tau_wg[b] -= peak
