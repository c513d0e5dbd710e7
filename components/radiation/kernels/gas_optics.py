# SPDX-License-Identifier: BSD-3-Clause
"""Optical depth of a layer's gases from correlated-k tables (Pincus, Mlawer & Delamere 2019, section 2 and appendix).

Absorption by the two major gases of a band is interpolated in ln p, T and their ratio eta; by minor gases, Rayleigh
scattering in T and eta. A g-point is what vector instructions work on: tables and results have it fastest, and bands
are taken in blocks of eight, whose surplus the next band overwrites.
"""

import math

import numpy as np

from components.radiation.kernels.compiled import compiled
from components.radiation.rrtmgp_tables import BLOCK, COMPLEMENT, DRY, NONE, WATER, WIDEST
from components.science.kernels.lanes import alike, put_from, since

ONE, HALF, ZERO, TINY = np.float32(1.0), np.float32(0.5), np.float32(0.0), np.float32(1e-30)
HECTOPASCAL = np.float32(0.01)
N = np.uint64  # unsigned: an index that cannot be negative needs no look from the end


@compiled
def inside(x, lowest, highest):
    """``x`` within its bounds."""
    return min(max(x, lowest), highest)


@compiled
def gas_optics(k, p, t, amounts, planck, tau, other):
    """Absorption and what goes with it at all g-points of a layer.

    Parameters
    ----------
    k : GasTables
    p, t : pressure, Pa, and temperature, K
    amounts : (3,) dry air, vapour and ozone in the layer, 1e20 molecules cm-2
    planck : whether ``other`` is the fraction of the band's emission (longwave), else Rayleigh scattering
    tau : (ng + 16,) optical depth of absorption, written
    other : (ng + 16,) written
    """
    n_p, n_e, ng = k.shape[1], k.shape[2], k.shape[3]
    ln_p = math.log(p)
    s = 0 if ln_p > k.axes[4] else 1
    at = (ln_p - k.axes[0]) / k.axes[1]
    i_p = int(inside(at, ZERO, np.float32(n_p - 3)))
    f_p = at - np.float32(i_p)
    at = inside((t - k.axes[2]) / k.axes[3], ZERO, np.float32(k.shape[0] - 1))
    i_t = min(int(at), k.shape[0] - 2)
    f_t = at - np.float32(i_t)
    air = amounts[DRY] + amounts[WATER]
    density = HECTOPASCAL * p / t
    up, q = n_e * ng, ONE - f_p
    for b in range(k.first.size):
        first, width = k.first[b], k.width[b]
        one = k.parts[s, b, 0] * amounts[k.pair[s, b, 0]]
        two = k.parts[s, b, 1] * amounts[k.pair[s, b, 1]]
        mix_a = one + k.ratio[s, b, i_t] * two
        mix_b = one + k.ratio[s, b, i_t + 1] * two
        at_a = np.float32(n_e - 1) * (one / mix_a if mix_a > TINY else HALF)
        at_b = np.float32(n_e - 1) * (one / mix_b if mix_b > TINY else HALF)
        e_a, e_b = min(int(at_a), n_e - 2), min(int(at_b), n_e - 2)
        f_a, f_b = at_a - np.float32(e_a), at_b - np.float32(e_b)
        a0, a1 = (ONE - f_t) * (ONE - f_a), (ONE - f_t) * f_a
        b0, b1 = f_t * (ONE - f_b), f_t * f_b
        # corners of the cube in the table: temperatures a and b, pressures 0 and 1, eta next to each other
        oa = ((i_t * n_p + i_p + s) * n_e + e_a) * ng + first
        ob = (((i_t + 1) * n_p + i_p + s) * n_e + e_b) * ng + first
        for j in range(0, width, BLOCK):
            x, y = oa + j, ob + j
            amount = (
                pair(k.major, x, ng, mix_a * q * a0, mix_a * q * a1)
                + pair(k.major, x + up, ng, mix_a * f_p * a0, mix_a * f_p * a1)
            ) + (
                pair(k.major, y, ng, mix_b * q * b0, mix_b * q * b1)
                + pair(k.major, y + up, ng, mix_b * f_p * b0, mix_b * f_p * b1)
            )
            put_from(tau, first + j, amount)
        if planck:
            for j in range(0, width, BLOCK):
                x, y = oa + j, ob + j
                share = (pair(k.other, x, ng, q * a0, q * a1) + pair(k.other, x + up, ng, f_p * a0, f_p * a1)) + (
                    pair(k.other, y, ng, q * b0, q * b1) + pair(k.other, y + up, ng, f_p * b0, f_p * b1)
                )
                put_from(other, first + j, share)
        else:
            x = ((s * k.shape[0] + i_t) * n_e + e_a) * ng + first
            y = ((s * k.shape[0] + i_t + 1) * n_e + e_b) * ng + first
            for j in range(0, width, BLOCK):
                light = pair(k.other, x + j, ng, air * a0, air * a1) + pair(k.other, y + j, ng, air * b0, air * b1)
                put_from(other, first + j, light)
        for m in range(k.entry[s, b], k.entry[s, b + 1]):
            c = amounts[k.rule[m, 0]]
            if k.rule[m, 1]:
                c *= density
            if k.rule[m, 2] != NONE:
                part = amounts[k.rule[m, 3]] / air
                c *= ONE - part if k.rule[m, 2] == COMPLEMENT else part
            x = ((m * k.shape[0] + i_t) * n_e + e_a) * WIDEST
            y = ((m * k.shape[0] + i_t + 1) * n_e + e_b) * WIDEST
            for j in range(0, width, BLOCK):
                more = pair(k.minor, x + j, WIDEST, c * a0, c * a1) + pair(k.minor, y + j, WIDEST, c * b0, c * b1)
                put_from(tau, first + j, since(tau, first + j) + more)


@compiled
def pair(table, k, apart, low, high):
    """``low`` times the eight numbers from ``k`` on, plus ``high`` times those that begin ``apart`` from there."""
    return alike(table, low) * since(table, k) + alike(table, high) * since(table, k + apart)


@compiled
def absorbed(x):
    """1 - exp(-x) for x >= 0 to a few units in the last place, in arithmetic that vectorises: series, then doubling."""
    y = min(x, np.float32(64.0)) * np.float32(1.0 / 64.0)
    e = y * (
        ONE
        - y
        * (
            HALF
            - y * (np.float32(1 / 6) - y * (np.float32(1 / 24) - y * (np.float32(1 / 120) - y * np.float32(1 / 720))))
        )
    )
    for _ in range(6):
        e = e * (np.float32(2.0) - e)
    return e
