# SPDX-License-Identifier: BSD-3-Clause
"""Shortwave fluxes of columns: two-stream layers (Zdunkowski et al. 1980; Meador & Weaver 1980), added up.

The solutions are written in S = (1 - e^(-2 k tau)) / k, which stays exact in single precision where nothing absorbs
(k to 0); layers are added as Shonk & Hogan (2008) do.
"""

import math

import numpy as np

from components.radiation.kernels.cloud_optics import cloud_optics, delta_scale, has_cloud
from components.radiation.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import HALF, ONE, ZERO, absorbed, gas_optics
from components.radiation.kernels.subcolumns import sample
from components.radiation.rrtmgp_tables import WIDEST

QUARTER, TWO, THREE, FIVE, EIGHT = np.float32(0.25), np.float32(2.0), np.float32(3.0), np.float32(5.0), np.float32(8.0)
FLOOR, NEAR, TINY = np.float32(1e-12), np.float32(1e-3), np.float32(1e-30)
DARK = np.float32(1e-4)  # cosine of the zenith angle below which it is night


@compiled
def shortwave(k, c, columns, aerosol, sunlight, up, down):
    """Broadband fluxes of all columns; columns without sun are left at zero.

    Parameters
    ----------
    k, c : GasTables, CloudTables of the shortwave
    columns : Columns (see ``rrtmgp_scheme``), lowest layer first
    aerosol : (3, nb, nlev, n) aerosol's optical depth, its scattered part, and that times the asymmetry; or nothing:
        (3, 0, 0, 0)
    sunlight : irradiance at the top on a plane across the rays, W m-2
    up, down : (nlev + 1, n) W m-2, written
    """
    nlev, n = columns.p.shape
    ng, nb = k.shape[3], k.first.size
    wide, real = ng + WIDEST, up.dtype
    tau, rayleigh = np.zeros(wide, real), np.zeros(wide, real)
    w, asymmetry = np.zeros(wide, real), np.zeros(wide, real)
    layers = np.zeros((nlev, 5, wide), real)  # reflected, transmitted; of the beam: reflected, transmitted, unscattered
    albedo, source = np.zeros((nlev + 1, wide), real), np.zeros((nlev + 1, wide), real)
    beam, bounced = np.zeros((nlev + 1, wide), real), np.zeros((nlev, wide), real)
    diffuse = np.zeros(wide, real)
    cloud, haze = np.zeros((3, nb), real), np.zeros((3, nb), real)
    amounts, cloudy = np.zeros(3, real), np.zeros((nlev, wide), real)
    for i in range(n):
        mu = columns.mu[i]
        for z in range(nlev + 1):
            up[z, i] = down[z, i] = ZERO
        if mu <= DARK:
            continue
        sample(columns, i, 1, ng, cloudy)
        for z in range(nlev):
            amounts[:] = columns.amounts[:, z, i]
            gas_optics(k, columns.p[z, i], columns.t[z, i], amounts, False, tau, rayleigh)
            for g in range(ng):
                tau[g] = max(tau[g], ZERO) + rayleigh[g]
                w[g] = rayleigh[g] / max(tau[g], TINY)
                asymmetry[g] = ZERO
            particles = False
            if has_cloud(columns, z, i):
                cloud_optics(c, columns, z, i, cloud[0], cloud[1], cloud[2])
                delta_scale(cloud[0], cloud[1], cloud[2])
                particles = True
            else:
                cloud[:] = ZERO
            if aerosol.shape[1] > 0:
                haze[:] = aerosol[:, :, z, i]
                delta_scale(haze[0], haze[1], haze[2])
                particles = True
            if particles:
                for b in range(nb):
                    for g in range(k.first[b], k.first[b + 1] if b + 1 < nb else ng):
                        there = cloudy[z, g]
                        tau[g] += there * cloud[0, b] + haze[0, b]
                        scatters = rayleigh[g] + there * cloud[1, b] + haze[1, b]
                        w[g] = scatters / max(tau[g], TINY)
                        asymmetry[g] = (there * cloud[2, b] + haze[2, b]) / max(scatters, TINY)
            two_stream(tau, w, asymmetry, mu, ng, layers[z])
        for g in range(ng):
            beam[nlev, g] = sunlight * mu * k.source[0, g]
            diffuse[g] = ZERO
        for z in range(nlev - 1, -1, -1):
            for g in range(ng):
                beam[z, g] = beam[z + 1, g] * layers[z, 4, g]
        for g in range(ng):
            albedo[0, g] = columns.albedo[i]
            source[0, g] = columns.albedo[i] * beam[0, g]
        for z in range(nlev):
            add_layer(layers[z], beam[z + 1], albedo[z], source[z], albedo[z + 1], source[z + 1], bounced[z], ng)
        up[nlev, i], down[nlev, i] = fluxes_at(albedo[nlev], source[nlev], beam[nlev], diffuse, ng)
        for z in range(nlev - 1, -1, -1):
            sink(layers[z], beam[z + 1], source[z], bounced[z], diffuse, ng)
            up[z, i], down[z, i] = fluxes_at(albedo[z], source[z], beam[z], diffuse, ng)


@compiled
def two_stream(tau, w, asymmetry, mu, ng, out):
    """Reflection and transmission of a layer for diffuse light and for the beam, and the beam's unscattered part.

    Zdunkowski's practical improved flux method (gamma_1..4) in the solutions of Meador & Weaver (1980, eqs 14, 15, 25,
    26), each divided through by k.

    Parameters
    ----------
    tau, w, asymmetry : optical depth, single-scattering albedo and asymmetry by g-point
    mu : cosine of the solar zenith angle
    ng : how many g-points
    out : results by g-point
    """
    slant = ONE / mu
    for g in range(ng):
        t, s, a = tau[g], w[g], asymmetry[g]
        gamma_1 = QUARTER * (EIGHT - s * (FIVE + THREE * a))
        gamma_2 = QUARTER * THREE * s * (ONE - a)
        gamma_3 = QUARTER * (TWO - THREE * mu * a)
        gamma_4 = ONE - gamma_3
        alpha_1 = gamma_1 * gamma_4 + gamma_2 * gamma_3
        alpha_2 = gamma_1 * gamma_3 + gamma_2 * gamma_4
        # (gamma_1 - gamma_2) (gamma_1 + gamma_2), without the difference of two numbers that are nearly the same
        k = math.sqrt(max(TWO * (ONE - s) * (TWO - s * (HALF + THREE * HALF * a)), FLOOR))
        # at k mu = 1 the solution for the beam is 0/0: a thousandth beside it is as good
        k = k if abs(ONE - k * mu) > NEAR else (ONE + NEAR) * slant
        lost = absorbed(k * t)
        e = ONE - lost
        s_ = lost * (TWO - lost) / k
        both = ONE + e * e
        d = ONE / (both + gamma_1 * s_)
        unscattered = ONE - absorbed(t * slant)
        kk_mu = k * k * mu
        f = s * d / (ONE - kk_mu * mu)
        reflected = f * (
            alpha_2 * (s_ - mu * both)
            + gamma_3 * (both - kk_mu * s_)
            - TWO * (gamma_3 - alpha_2 * mu) * e * unscattered
        )
        transmitted = -f * (
            unscattered * (alpha_1 * (s_ + mu * both) + gamma_4 * (both + kk_mu * s_))
            - TWO * (gamma_4 + alpha_1 * mu) * e
        )
        reflected = min(max(reflected, ZERO), ONE - unscattered)
        out[0, g] = gamma_2 * s_ * d
        out[1, g] = TWO * e * d
        out[2, g] = reflected
        out[3, g] = min(max(transmitted, ZERO), ONE - unscattered - reflected)
        out[4, g] = unscattered


@compiled
def add_layer(layer, beam, albedo, source, albedo_above, source_above, bounced, ng):
    """Albedo of, and diffuse light from, everything below a layer's top, from that below its bottom.

    Parameters
    ----------
    layer : reflection and transmission of `two_stream`
    beam : direct light at the layer's top by g-point, W m-2
    albedo, source : of everything below the layer's bottom
    albedo_above, source_above : results, below its top
    bounced : result, light between the layer and what is below
    ng : how many g-points
    """
    for g in range(ng):
        reflects, transmits = layer[0, g], layer[1, g]
        b = ONE / (ONE - reflects * albedo[g])
        bounced[g] = b
        albedo_above[g] = reflects + transmits * transmits * albedo[g] * b
        source_above[g] = layer[2, g] * beam[g] + transmits * b * (source[g] + albedo[g] * layer[3, g] * beam[g])


@compiled
def sink(layer, beam, source, bounced, diffuse, ng):
    """Take the diffuse light downwards through a layer, in place.

    Parameters
    ----------
    layer : reflection and transmission of `two_stream`
    beam, source : direct light at the top, and light sent up from below, W m-2
    bounced : of `add_layer`
    diffuse : downward diffuse light, changed in place, W m-2
    ng : how many g-points
    """
    for g in range(ng):
        diffuse[g] = (layer[1, g] * diffuse[g] + layer[0, g] * source[g] + layer[3, g] * beam[g]) * bounced[g]


@compiled
def fluxes_at(albedo, source, beam, diffuse, ng):
    """Broadband fluxes up and down at an interface, W m-2.

    Parameters
    ----------
    albedo, source : of everything below the interface
    beam, diffuse : light downwards by g-point, W m-2
    ng : how many g-points
    """
    up = down = ZERO
    for g in range(ng):
        up += albedo[g] * diffuse[g] + source[g]
        down += diffuse[g] + beam[g]
    return up, down
