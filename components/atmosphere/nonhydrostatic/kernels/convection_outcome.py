# SPDX-License-Identifier: BSD-3-Clause
"""What a plume does to its column: the air around sinks, rain falls, clouds are seen; see `convection_mass_flux`."""

import math
from typing import Any

from components.atmosphere.nonhydrostatic.kernels import layers as at
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.moist_air import growth, over_water, ratio
from components.atmosphere.nonhydrostatic.kernels.plume import Whole
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    COVER_DEEP,
    COVER_FLUX,
    COVER_MOST,
    COVER_SHALLOW,
    DEEP,
    EVAPORATION,
    FULL,
    MEAN_SPEED,
    MOISTER,
    RAINING,
    SLOWEST,
    WARMER,
)
from components.science.constants import CP_DRY, FREEZING_POINT, GRAVITY, LATENT_FUSION, LATENT_VAPORISATION


@compiled
def sinking(c: Any, lifted: float, out: Any, i: int) -> None:
    """`convection_mass_flux.sinking`: the column's temperature and water before it has rained.

    Parameters
    ----------
    c : the column with its plume and its downdraught, see `layers`; T and Q are set
    lifted : what rose through the base in the step, kg m-2
    out, i : see `convection.step`; cloud water and ice of the column are set
    """
    nz = len(c) - 1
    water, ice = out[2], out[3]
    for k in range(nz):
        c[k, at.THROUGH] = lifted * (c[k, at.FLUX] - c[k + 1, at.DOWN])
    for dry in (True, False):
        x, new = (at.DRY, at.NEW_S) if dry else (at.Q, at.NEW_Q)
        more = 0.0
        for k in range(nz):
            more += (c[k, at.SOURCE] - (0.0 if c[k, at.INSIDE] > 0.0 else c[k, at.TAKEN])) * c[k, x]
        more += WARMER * CP_DRY if dry else MOISTER
        for k in range(nz - 1):
            c[k, at.MORE] = c[k, at.THROUGH] * beyond(c, x, k, c[k, at.THROUGH] / c[k + 1, at.MASS])
        c[nz - 1, at.MORE] = 0.0
        sinks = 0.0
        for k in range(nz - 1, -1, -1):
            below = 0.0 if c[k, at.INSIDE] > 0.0 else c[k, at.TAKEN]
            taken = lifted * (c[k, at.TAKEN] * c[k, x] + below * more)
            moves = 0.0
            if k > 0:
                taken += c[k, at.MORE] - c[k - 1, at.MORE]
                moves = c[k - 1, at.THROUGH]
            else:
                taken += c[k, at.MORE]
            if dry:
                of_plume = CP_DRY * c[k, at.UP_T] + GRAVITY * c[k, at.Z]
                left = c[k, at.LEFT] * of_plume + c[k, at.GOT_S] - c[k, at.GIVEN_S]
            else:
                left = c[k, at.LEFT] * c[k, at.UP_Q] + c[k, at.GOT_Q] - c[k, at.GIVEN_Q]
            c[k, new] = (c[k, at.MASS] * c[k, x] + lifted * left - taken + sinks) / (c[k, at.MASS] + moves)
            sinks = moves * c[k, new]
    for k in range(nz):
        t, q_v = (c[k, at.NEW_S] - GRAVITY * c[k, at.Z]) / CP_DRY, c[k, at.NEW_Q]
        left = lifted * c[k, at.LEFT] / c[k, at.MASS]
        liquid, frozen = left * c[k, at.UP_LIQUID], left * c[k, at.UP_ICE]
        if ice.shape[0] > 0:
            ice[k, i] += frozen
        else:
            t, liquid = t - LATENT_FUSION / CP_DRY * frozen, liquid + frozen
        if water.shape[0] > 0:
            water[k, i] += liquid
        else:
            t, q_v = t - LATENT_VAPORISATION / CP_DRY * liquid, q_v + liquid
        c[k, at.T], c[k, at.Q] = t, q_v


@compiled
def slope(c: Any, x: int, k: int) -> float:
    """Of ``x`` between layers k and k+1."""
    return (c[k + 1, x] - c[k, x]) / (c[k + 1, at.Z] - c[k, at.Z])


@compiled
def beyond(c: Any, x: int, k: int, passes: float) -> float:
    """`convection_mass_flux.beyond` above layer ``k``."""
    last = len(c) - 2
    jump = c[k + 1, x] - c[k, x]
    if c[k, at.INSIDE] > 0.0:
        low = slope(c, x, k)
        if k + 1 < last:
            next_ = slope(c, x, k + 1)
            low = max(min(low, next_), 0.0) if low > 0.0 else min(max(low, next_), 0.0)
        return low * (c[k + 1, at.Z] - c[k + 1, at.BOTTOM]) * max(1.0 - passes, 0.0)
    if c[k + 1, at.INSIDE] > 0.0:
        above = slope(c, x, min(k + 1, last - 1)) * (c[k + 1, at.Z] - c[k + 1, at.BOTTOM])
        return min(max(above, 0.0), jump) if jump > 0.0 else max(min(above, 0.0), jump)
    return 0.5 * jump


@compiled
def precipitate(c: Any, whole: Whole, lifted: float, dt: float, out: Any, i: int) -> None:
    """`convection_mass_flux.precipitate`: temperature, vapour, rain and snow of column ``i`` are set in ``out``."""
    a1, a2, a3 = EVAPORATION
    lcp = LATENT_VAPORISATION / CP_DRY
    t_out, q_out = out[0], out[1]
    liquid = frozen = owed = 0.0
    for k in range(len(c) - 1):
        owed += lifted * c[k, at.WETTING]
    for k in range(len(c) - 1 - 1, -1, -1):
        t, q_v, mass, p = c[k, at.T], c[k, at.Q], c[k, at.MASS], c[k, at.P]
        liquid += lifted * c[k, at.RAIN]
        frozen += lifted * c[k, at.SNOW]
        wetting = lifted * c[k, at.WETTING]
        owed -= wetting
        from_snow = max(wetting - liquid, 0.0)
        liquid -= wetting - from_snow
        frozen = max(frozen - from_snow, 0.0)
        t -= LATENT_FUSION * from_snow / (CP_DRY * mass)
        melted = min(frozen, max(t - FREEZING_POINT, 0.0) * CP_DRY * mass / LATENT_FUSION)
        t -= LATENT_FUSION * melted / (CP_DRY * mass)
        liquid += melted
        frozen -= melted
        gone = 0.0
        if p > whole.base and liquid > 0.0:
            q_s = ratio(over_water(t), p)
            missing = max(FULL * q_s - q_v, 0.0) / (1.0 + lcp * q_s * growth(t))
            rate = math.sqrt(p / c[0, at.P]) / a2 * liquid / (dt * RAINING)
            thick = math.exp(a3 * math.log(rate)) if rate > 1.0e-30 else 0.0
            free = min(liquid, max(liquid + frozen - owed, 0.0))
            gone = min(RAINING * a1 * dt * thick * missing * mass, RAINING * missing * mass * 4.0, free)
        t_out[k, i], q_out[k, i] = t - lcp * gone / mass, q_v + gone / mass
        liquid -= gone
    out[7][i], out[8][i] = liquid, frozen


@compiled
def clouds(c: Any, whole: Whole, flux: float, out: Any, i: int) -> None:
    """`convection_mass_flux.clouds`, and the mass flux through the inner interfaces, of column ``i`` in ``out``."""
    nz = len(c) - 1
    covers, condensates, fluxes = out[4], out[5], out[6]
    share = COVER_DEEP if whole.base - whole.top > DEEP else COVER_SHALLOW
    for k in range(nz):
        through = flux * c[k, at.FLUX]
        if k < nz - 1:
            fluxes[k, i] = through
        if c[k, at.INSIDE] > 0.0:
            most = max(through, flux * c[k - 1, at.FLUX] if k > 0 else 0.0)
            cover = min(max(share * math.log1p(COVER_FLUX * most), 0.0), COVER_MOST)
            rising = most / (c[k, at.RHO] * max(MEAN_SPEED * c[k, at.W], SLOWEST))
            covers[k, i] = cover
            condensates[k, i] = min(rising, cover) * (c[k, at.UP_LIQUID] + c[k, at.UP_ICE])
