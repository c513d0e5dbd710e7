# SPDX-License-Identifier: BSD-3-Clause
"""The plume of one column, layer by layer until it ends; see `convection_plume`, whose numbers it has to round-off."""

import math
from typing import Any, NamedTuple

from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.moist_air import over_mixed, ratio, saturate
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    BERGERON,
    BUOYANCY,
    COLD,
    CONVERSION,
    DETRAINMENT_DEEP,
    DRAG,
    DRY_ENTRAINS,
    ENOUGH,
    ENTRAINMENT_DEEP,
    ENTRAINMENT_LIFTED,
    ENTRAINMENT_SHALLOW,
    GUST,
    INHIBITED,
    MEAN_SPEED,
    START,
    TALLER,
    WITHOUT_RAIN,
)
from components.science.constants import CP_DRY, GRAVITY, LATENT_FUSION, LATENT_VAPORISATION, VIRTUAL


class Whole(NamedTuple):
    """What a plume is in all; see `convection_plume.Plume`."""

    active: bool
    base: float
    top: float
    begin: float
    neutral: float
    end: float
    lift: float
    inhibition: float


@compiled
def ascend(c: Any, excess: float, moist: float, shallow: bool) -> Whole:
    """`convection_plume.ascend`, without `thinning`.

    Parameters
    ----------
    c : the column, see `layers`; what is the plume's is set. Some SHARE must not be 0
    excess, moist, shallow : see `convection_plume.Kind`
    """
    nz = len(c) - 1
    c[:, at.FLUX : at.GROWS + 1] = 0.0
    first = 0
    while c[first, at.SHARE] == 0.0:
        first += 1
    mass = e = q = source_p = over_below = b_below = 0.0
    w2 = START * START
    started = free = spent = False
    neutral, end, lift, inhibition = 0.0, c[nz, at.BOTTOM], 0.0, 0.0
    base_z = base_p = base_q = top_p = most = 0.0
    for k in range(first, nz):
        p, z, dz, last = c[k, at.P], c[k, at.Z], c[k, at.DZ], k == nz - 1
        given = grown = expanded = 0.0
        begins = False
        if not started:
            given = c[k, at.SHARE]
            source_p += given * p
            part = given / max(mass + given, 1.0e-12)
            e += part * (c[k, at.ENERGY] + excess - e)
            q += part * (c[k, at.Q] + moist - q)
            dry = (e - GRAVITY * z - LATENT_VAPORISATION * q) / CP_DRY
            over = q - ratio(over_mixed(dry), p)
            begins = mass + given > 0.999 and over > 0.0 and given < 0.001
            if begins:
                below = max(k - 1, 0)
                part = min(max(over / max(over - over_below, 1.0e-9), 0.0), 1.0)
                base_z, base_p = z - part * (z - c[below, at.Z]), p
                base_q = c[k, at.Q_S] + part * (c[below, at.Q_S] - c[k, at.Q_S])
                started = True
            over_below = over
        total = mass + given
        near = False
        rate = ENTRAINMENT_LIFTED
        if started:
            near = not (shallow and free) and source_p - p < INHIBITED[1]
            if free and shallow:
                rate = ENTRAINMENT_SHALLOW
            elif free and not (near and w2 < GUST * GUST):
                humid = min(max(c[k, at.Q] / c[k, at.Q_S], 0.0), 1.0)
                cube = c[k, at.Q_S] / max(base_q, 1.0e-9)
                rate = ENTRAINMENT_DEEP * (DRY_ENTRAINS - humid) * min(cube * cube * cube, 1.0)
            expanded = math.expm1(rate * dz)
            grown = total * expanded
            part = grown / (max(total, 1.0e-12) + grown)
            e += part * (c[k, at.ENERGY] - e)
            q += part * (c[k, at.Q] - q)
            total += grown
        if started or over_below > 0.0:
            t, q_v, q_l, q_i = saturate(e, q, p, z, c[k, at.T], c[k, at.Q_S])
        else:
            t, q_v, q_l, q_i = dry, q, 0.0, 0.0
        b = GRAVITY * (t * (1.0 + VIRTUAL * q_v - q_l - q_i) / (c[k, at.T] * (1.0 + VIRTUAL * c[k, at.Q])) - 1.0)
        if not free:
            heavy = max(-b_below, 0.0) + max(-b, 0.0)
            deep = z - c[max(k - 1, 0), at.Z]
            inhibition += 0.5 * deep * heavy * heavy / max(abs(b_below) + abs(b), 1.0e-9)
        c[k, at.TAKEN] = given + grown
        if not started:
            mass, b_below = total, b
            c[k, at.FLUX], c[k, at.SOURCE] = total, given
            continue
        faster = (w2 + 2.0 * BUOYANCY * b * dz) / (1.0 + 2.0 * DRAG * rate * dz)
        if near:
            if b_below <= 0.0 and b > 0.0:
                part = b / max(b - b_below, 1.0e-9)
                below = max(k - 1, 0)
                lift = source_p - p - part * (c[below, at.P] - p)
            faster = max(faster, START * START)
        kept = 1.0
        if b < 0.0 and not near and not shallow:
            kept = math.sqrt(min(max(faster / max(w2, 1.0e-6), 0.0), 1.0))
        w = math.sqrt(max(faster, 0.01))
        rain = snow = 0.0
        if z - base_z > WITHOUT_RAIN:
            gathers = 1.0 + BERGERON * math.sqrt(min(max(COLD[0] - t, 0.0), COLD[1]))
            full = gathers * (q_l + q_i) / ENOUGH
            often = gathers * CONVERSION * -math.expm1(-full * full) * dz / (MEAN_SPEED * min(max(w, 1.0), 15.0))
            out = -math.expm1(-often)
            rain, snow = out * q_l, out * q_i
        ends = not spent and faster <= 0.01
        if begins or (not spent and b_below > 0.0 and b <= 0.0):
            neutral = max(c[k, at.BOTTOM], base_z)
        if ends:
            end = c[k, at.BOTTOM] + min(max(w2 / max(w2 - faster, 1.0e-9), 0.0), 1.0) * dz
        spent = spent or ends
        highest = base_z + TALLER * (end - base_z)
        slow = last or (spent and (not shallow or c[k + 1, at.BOTTOM] >= highest))
        leaves = total if slow else total * (1.0 - kept * math.exp(-DETRAINMENT_DEEP * dz))
        c[k, at.FLUX], c[k, at.LEFT] = total - leaves, leaves
        c[k, at.RAIN], c[k, at.SNOW] = total * rain, total * snow
        c[k, at.W], c[k, at.BUOYANCY], c[k, at.INSIDE], c[k, at.GROWS] = w, b, 1.0, expanded
        c[k, at.UP_T], c[k, at.UP_Q], c[k, at.UP_LIQUID], c[k, at.UP_ICE] = t, q_v, q_l - rain, q_i - snow
        most = max(most, total - leaves)
        if slow:
            top_p = p
            break
        mass, e, q, w2 = total - leaves, e + LATENT_FUSION * snow, q - rain - snow, faster
        free = free or b > 0.0
        b_below = b
    active = started and most > 0.0 and base_p > top_p and (free or not shallow)
    return Whole(active, base_p, top_p, base_z, neutral, end, lift, inhibition)


@compiled
def thin(c: Any, whole: Whole) -> None:
    """`convection_plume.thinning` of a shallow plume that is active."""
    nz = len(c) - 1
    begin = whole.begin
    low = nz
    up = 0
    for k in range(nz):
        if c[k, at.INSIDE] > 0.0:
            low, up = min(low, k), k + 1
    base = c[low, at.BOTTOM]
    top = max(min(begin + TALLER * (whole.end - begin), c[up, at.BOTTOM]), base + 1.0)
    for k in range(low, up):
        before = c[k, at.FLUX] + c[k, at.LEFT]
        here, above = passing(c[k, at.BOTTOM], base, top, whole), passing(c[k + 1, at.BOTTOM], base, top, whole)
        taken = here * c[k, at.GROWS]
        share = (here + taken) / before if before > 0.0 else 0.0
        c[k, at.FLUX], c[k, at.TAKEN], c[k, at.LEFT] = above, taken, here + taken - above
        c[k, at.RAIN], c[k, at.SNOW] = share * c[k, at.RAIN], share * c[k, at.SNOW]


@compiled
def passing(z: float, base: float, top: float, whole: Whole) -> float:
    """Mass flux of a shallow plume at height ``z`` (m)."""
    over = max(z - whole.neutral, 0.0) / max(whole.end - whole.neutral, 1.0)
    return max((top - z) / (top - base), 0.0) * math.exp(-over)


@compiled
def evenly(c: Any) -> None:
    """`convection_mass_flux.evenly` of a plume that is active."""
    first = 0
    while c[first, at.SOURCE] == 0.0:
        first += 1
    base, mass = first, 0.0
    while c[base, at.INSIDE] == 0.0:
        mass += c[base, at.MASS]
        base += 1
    passed = 0.0
    for k in range(len(c) - 1):
        if first <= k < base:
            part = c[k, at.MASS] / max(mass, 1.0e-12)
            passed += part
            c[k, at.FLUX], c[k, at.TAKEN] = passed, part
        elif c[k, at.INSIDE] == 0.0:
            c[k, at.TAKEN] = 0.0
