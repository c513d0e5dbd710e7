# SPDX-License-Identifier: BSD-3-Clause
"""The downdraught of one column, from where it starts to where it ends; see `convection_downdraught`."""

import math
from typing import Any

from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.moist_air import wetted
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import MIXING, SHARE, SPREAD
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, VIRTUAL


@compiled
def descend(c: Any) -> None:
    """`convection_downdraught.descend` beside a deep plume that is active.

    Parameters
    ----------
    c : the column, see `layers`; what is the downdraught's is set; it was 0
    """
    nz = len(c) - 1
    highest, least = -1, math.inf
    for k in range(nz):
        if c[k, at.INSIDE] > 0.0:
            h = c[k, at.DRY] + LATENT_VAPORISATION * c[k, at.Q_S]
            if h <= least:
                highest, least = k, h
    ground = c[0, at.P] + 0.5 * (c[0, at.P] - c[1, at.P])
    mass = h = q = 0.0
    begun = False
    for k in range(highest, -1, -1):
        if not begun and c[k, at.INSIDE] == 0.0:
            continue
        t, q_v, p, z, dz = c[k, at.T], c[k, at.Q], c[k, at.P], c[k, at.Z], c[k, at.DZ]
        virtual = t * (1.0 + VIRTUAL * q_v)
        given = s_mixed = q_mixed = h_mixed = 0.0
        if not begun:
            h_mixed = 0.5 * (
                c[k, at.ENERGY] + CP_DRY * c[k, at.UP_T] + GRAVITY * z + LATENT_VAPORISATION * c[k, at.UP_Q]
            )
            q_mixed = 0.5 * (q_v + c[k, at.UP_Q])
            s_mixed = h_mixed - LATENT_VAPORISATION * q_mixed
            t_wet, q_wet = wetted(h_mixed, t, p, z)
            if not t_wet * (1.0 + VIRTUAL * q_wet) < virtual:
                continue
            begun, given = True, SHARE
        grown = mass * math.expm1(MIXING * dz)
        total = mass + given + grown
        if total == 0.0:
            break
        safe = max(total, 1.0e-12)
        h = (mass * h + given * h_mixed + grown * c[k, at.ENERGY]) / safe
        q = (mass * q + given * q_mixed + grown * q_v) / safe
        t_d, q_d = wetted(h, t, p, z)
        out = 0.0
        if not t_d * (1.0 + VIRTUAL * q_d) > virtual:
            below = ground if k == 0 else 0.5 * (p + c[k - 1, at.P])
            above = p if k == nz - 1 else 0.5 * (p + c[k + 1, at.P])
            low = min(max((ground - below) / SPREAD, 0.0), 1.0)
            up = min(max((ground - above) / SPREAD, 0.0), 1.0)
            out = total * math.exp(-MIXING * dz) * low / max(up, 1.0e-6)
        left = total - out
        c[k, at.DOWN], c[k, at.GIVEN] = out, given + grown
        c[k, at.GIVEN_S] = given * s_mixed + grown * c[k, at.DRY]
        c[k, at.GIVEN_Q] = given * q_mixed + grown * q_v
        c[k, at.GOT], c[k, at.GOT_S], c[k, at.GOT_Q] = left, left * (h - LATENT_VAPORISATION * q_d), left * q_d
        c[k, at.WETTING] = total * (q_d - q)
        mass, q = out, q_d
    if begun:
        within_means(c)


@compiled
def within_means(c: Any) -> None:
    """`convection_downdraught.within_means`."""
    nz = len(c) - 1
    formed = used = 0.0
    most = 1.0
    for k in range(nz - 1, -1, -1):
        formed += c[k, at.RAIN] + c[k, at.SNOW]
        used += c[k, at.WETTING]
        if used > formed:
            most = min(most, formed / max(used, 1.0e-12))
        if k > 0 and c[k, at.DOWN] > 0.0:
            most = min(most, c[k - 1, at.FLUX] / max(c[k, at.DOWN], 1.0e-12))
    if most < 1.0:
        c[:, at.DOWN : at.WETTING + 1] *= most
