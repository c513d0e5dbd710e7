# SPDX-License-Identifier: BSD-3-Clause
"""Turbulence by the cooling of a cloud's top, a column after another; see `cloud_top_mixing`, to round-off.

A column without a cloud that radiation cools costs a look for one. All is double precision inside.
"""

import math
from typing import Any

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.physics.cloud_top_constants import (
    CLOUDY,
    DRY,
    EXCESS,
    LEAST_JUMP,
    PROFILE,
    WET,
)
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, VIRTUAL, VON_KARMAN

LATENT = LATENT_VAPORISATION / CP_DRY


@compiled
def conductance(air: Any, theta: Any, q_v: Any, q_l: Any, heating: Any, out: Any) -> None:
    """All columns.

    Parameters
    ----------
    air : z, dz, rho, pi (nz, n) and the height of the interfaces (nz+1, n)
    theta, q_v, q_l, heating : (nz, n), see `cloud_top_mixing.conductance`
    out : (nz-1, n), which was 0
    """
    z, dz, rho, pi, interface = air
    for i in range(theta.shape[1]):
        top, flux = coolest_deck(q_l, heating, pi, dz, i)
        if not flux > 0.0:
            continue
        thick, own = 1.0 * dz[top, i], virtual(theta, q_v, q_l, pi, top, i)
        depth, velocity, lowest = thick, 0.0, top
        for _ in range(2):
            cube = GRAVITY / max(own, 1.0) * flux * depth
            velocity = math.exp(math.log(cube) / 3.0) if cube > 0.0 else 0.0
            sinks = own - EXCESS * flux / max(velocity, 1.0e-3)
            depth, lowest = thick, top
            while lowest > 0 and virtual(theta, q_v, q_l, pi, lowest - 1, i) > sinks:
                lowest -= 1
                depth += dz[lowest, i]
        foot = interface[top + 1, i] - depth
        for k in range(lowest, top):
            share = min(max((interface[k + 1, i] - foot) / max(depth, 1.0), 0.0), 1.0)
            mixed = PROFILE * VON_KARMAN * velocity * depth * share * share * math.sqrt(1.0 - share)
            out[k, i] = 0.5 * (rho[k + 1, i] + rho[k, i]) * mixed / (z[k + 1, i] - z[k, i])
        jump = max(virtual(theta, q_v, q_l, pi, top + 1, i) - own, LEAST_JUMP)
        efficiency = DRY * (1.0 + WET * LATENT * q_l[top, i] / pi[top, i] / jump)
        out[top, i] = 0.5 * (rho[top + 1, i] + rho[top, i]) * min(efficiency * flux / jump, velocity)


@compiled
def coolest_deck(q_l: Any, heating: Any, pi: Any, dz: Any, i: int) -> tuple[int, float]:
    """Top layer of the deck that loses most heat, and that flux, K m s-1; 0 where none loses any."""
    top, most, lost = 0, 0.0, 0.0
    last = len(q_l) - 1
    for k in range(last):
        if not q_l[k, i] > CLOUDY:
            lost = 0.0
            continue
        lost += max(-heating[k, i] / pi[k, i], 0.0) * dz[k, i]
        if lost > most and not q_l[k + 1, i] > CLOUDY:
            top, most = k, lost
    return top, most


@compiled
def virtual(theta: Any, q_v: Any, q_l: Any, pi: Any, k: int, i: int) -> float:
    """Potential temperature of a layer's air whose cloud has evaporated, with what its water weighs less."""
    water = 1.0 * q_l[k, i]
    return (theta[k, i] - LATENT * water / pi[k, i]) * (1.0 + VIRTUAL * (q_v[k, i] + water))
