# SPDX-License-Identifier: BSD-3-Clause
"""Longwave fluxes of columns: emission and absorption along one slant, without scattering (Clough et al. 1992)."""

import numpy as np

from components.radiation.kernels.cloud_optics import cloud_optics, has_cloud
from components.radiation.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import HALF, ONE, ZERO, N, absorbed, gas_optics
from components.radiation.kernels.subcolumns import sample
from components.radiation.rrtmgp_tables import WIDEST

# of the slant that stands for a hemisphere (Hogan 2023, one-point Gauss-Jacobi)
SECANT = np.float32(1.0 / 0.6096748751)
PI, TWO, THIN = np.float32(np.pi), np.float32(2.0), np.float32(0.02)
THIRD, EIGHTH = np.float32(1 / 3), np.float32(1 / 8)


@compiled
def longwave(k, c, columns, aerosol, up, down):
    """Broadband fluxes of all columns.

    Parameters
    ----------
    k, c : GasTables, CloudTables of the longwave
    columns : Columns (see ``rrtmgp_scheme``), lowest layer first
    aerosol : (1, nb, nlev, n) optical depth of absorption by aerosol, or nothing: (1, 0, 0, 0)
    up, down : (nlev + 1, n) W m-2, written
    """
    nlev, n = columns.p.shape
    ng, nb = k.shape[3], k.first.size
    wide, real = ng + WIDEST, up.dtype
    tau, cloud, planck = np.zeros(wide, real), np.zeros(wide, real), np.zeros(wide, real)
    layer, below, above = np.zeros(wide, real), np.zeros(wide, real), np.zeros(wide, real)
    passed, sent_up, sent_down = (
        np.zeros((nlev, wide), real),
        np.zeros((nlev, wide), real),
        np.zeros((nlev, wide), real),
    )
    ground, beam = np.zeros(wide, real), np.zeros(wide, real)
    extinct, scattered, forward = np.zeros(nb, real), np.zeros(nb, real), np.zeros(nb, real)
    amounts, cloudy = np.zeros(3, real), np.zeros((nlev, wide), real)
    for i in range(n):
        sample(columns, i, 0, ng, cloudy)
        emission(k, columns.t_interface[0, i], above)
        for z in range(nlev):
            amounts[:] = columns.amounts[:, z, i]
            gas_optics(k, columns.p[z, i], columns.t[z, i], amounts, True, tau, planck)
            if z == 0:
                emission(k, columns.t_surface[i], ground)
                ground *= planck
            below[:] = above
            emission(k, columns.t[z, i], layer)
            emission(k, columns.t_interface[z + 1, i], above)
            cloud[:] = ZERO
            if has_cloud(columns, z, i):
                cloud_optics(c, columns, z, i, extinct, scattered, forward)
                for b in range(nb):
                    fill(cloud, k.first[b], k.width[b], extinct[b] - scattered[b])
                for g in range(ng):
                    cloud[g] *= cloudy[z, g]
            for b in range(aerosol.shape[1]):
                for g in range(k.first[b], k.first[b + 1] if b + 1 < nb else ng):
                    cloud[g] += aerosol[0, b, z, i]
            sources(tau, cloud, planck, layer, below, above, passed[z], sent_up[z], sent_down[z])
        beam[:] = ZERO
        down[nlev, i] = ZERO
        for z in range(nlev - 1, -1, -1):
            down[z, i] = through(passed[z], sent_down[z], beam, ng)
        emissivity = columns.emissivity[i]
        for g in range(ng):
            beam[g] = emissivity * ground[g] + (ONE - emissivity) * beam[g]
        total = ZERO
        for g in range(ng):
            total += beam[g]
        up[0, i] = total
        for z in range(nlev):
            up[z + 1, i] = through(passed[z], sent_up[z], beam, ng)


@compiled
def emission(k, t, out):
    """Planck's function at temperature ``t`` K, W m-2 of each g-point's whole band; a table by the K from 160 K.

    Parameters
    ----------
    k : tables of the gases
    t : temperature, K
    out : (g-points,) result
    """
    at = max(t - np.float32(160.0), ZERO)
    i = int(min(at, np.float32(k.source.shape[1] - 2)))
    f = at - np.float32(i)
    for b in range(k.first.size):
        fill(out, k.first[b], k.width[b], PI * ((ONE - f) * k.source[b, i] + f * k.source[b, i + 1]))


@compiled
def fill(out, first, width, value):
    """One value for a band's g-points, in whole blocks: what is too much the next band overwrites."""
    begin = N(first)
    for j in range(N(width)):
        out[begin + j] = value


@compiled
def sources(tau, cloud, planck, layer, below, above, passed, sent_up, sent_down):
    """What a layer lets through (1) and sends up and down (W m-2), its emission linear in tau (Clough et al. 1992).

    ``planck`` is the fraction of the band's emission at each g-point, ``layer, below, above`` that emission (W m-2).

    Parameters
    ----------
    tau, cloud : optical depth of gases and of cloud by g-point
    planck : (g-points,) fraction of the band's emission
    layer, below, above : emission of the layer and at its interfaces, W m-2
    passed, sent_up, sent_down : results by g-point
    """
    for g in range(tau.size):
        x = SECANT * max(tau[g] + cloud[g], ZERO)
        a = absorbed(x)
        thick = a / max(x, THIN) - (ONE - a)
        thin = x * (HALF - x * (THIRD - x * EIGHTH))
        bend = TWO * (thick if x > THIN else thin)
        passed[g] = ONE - a
        sent_up[g] = planck[g] * (a * above[g] + bend * (layer[g] - above[g]))
        sent_down[g] = planck[g] * (a * below[g] + bend * (layer[g] - below[g]))


@compiled
def through(passed, sent, beam, ng):
    """Take the ``beam`` (W m-2 at each g-point) through a layer, in place; its sum.

    Parameters
    ----------
    passed, sent : of `sources`
    beam : (g-points,) W m-2
    ng : how many g-points
    """
    total = ZERO
    for g in range(ng):
        beam[g] = passed[g] * beam[g] + sent[g]
        total += beam[g]
    return total
