# SPDX-License-Identifier: BSD-3-Clause
"""Optical properties of the cloud in a layer, by band, from tables over particle size (Pincus et al. 2019)."""

import numpy as np

from components.radiation.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import ONE, TINY, ZERO, inside

GRAMS = np.float32(1000.0)


@compiled
def cloud_optics(c, liquid, ice, radius, diameter, tau, tau_w, tau_wg):
    """Optical depth, its scattered part, and that times the asymmetry, of each band (nb,), written.

    Parameters
    ----------
    c : CloudTables
    liquid, ice : water paths, kg m-2
    radius, diameter : effective radius of droplets and diameter of ice, micrometres; held within the tables
    """
    for b in range(tau.size):
        tau[b] = tau_w[b] = tau_wg[b] = ZERO
    for kind in range(2):
        path = GRAMS * (liquid if kind == 0 else ice)
        if path <= ZERO:
            continue
        size = radius if kind == 0 else diameter
        table = c.liquid if kind == 0 else c.ice
        at = inside((size - c.sizes[kind, 0]) / c.sizes[kind, 1], ZERO, np.float32(table.shape[2] - 1))
        i = min(int(at), table.shape[2] - 2)
        f = at - np.float32(i)
        for b in range(tau.size):
            extinction = path * ((ONE - f) * table[0, b, i] + f * table[0, b, i + 1])
            scattered = extinction * ((ONE - f) * table[1, b, i] + f * table[1, b, i + 1])
            tau[b] += extinction
            tau_w[b] += scattered
            tau_wg[b] += scattered * ((ONE - f) * table[2, b, i] + f * table[2, b, i + 1])


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
