# SPDX-License-Identifier: BSD-3-Clause
"""Saturation of a piece of air, number by number: `components.science.water` and `convection_plume.saturate`."""

import math

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.science.constants import (
    CP_DRY,
    EPSILON_VAPOUR,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
)
from components.science.water import ALL_ICE, E_FREEZING, OVER_ICE, OVER_WATER

WATER, WATER_B = OVER_WATER
ICE, ICE_B = OVER_ICE
PER_KELVIN = 1.0 / (FREEZING_POINT - ALL_ICE)  # K-1, change of the share of water in a cloud that has both
STILL = 1.0e-6  # K: a step of Newton by less is the last


@compiled
def over_water(t: float) -> float:
    """`water.saturation_pressure`."""
    return E_FREEZING * math.exp(WATER * (t - FREEZING_POINT) / (t - WATER_B))


@compiled
def over_mixed(t: float) -> float:
    """`water.saturation_pressure_mixed`; one exponential where there is one phase."""
    if t >= FREEZING_POINT:
        return over_water(t)
    ice = E_FREEZING * math.exp(ICE * (t - FREEZING_POINT) / (t - ICE_B))
    if t <= ALL_ICE:
        return ice
    share = (t - ALL_ICE) * PER_KELVIN
    return ice + share * share * (over_water(t) - ice)


@compiled
def over_mixed_and_slope(t: float) -> tuple[float, float]:
    """`over_mixed` and its change with temperature, Pa K-1."""
    water = slope_water = 0.0
    if t > ALL_ICE:
        x = 1.0 / (t - WATER_B)
        water = E_FREEZING * math.exp(WATER * (t - FREEZING_POINT) * x)
        slope_water = water * (WATER * (FREEZING_POINT - WATER_B)) * x * x
        if t >= FREEZING_POINT:
            return water, slope_water
    x = 1.0 / (t - ICE_B)
    ice = E_FREEZING * math.exp(ICE * (t - FREEZING_POINT) * x)
    slope_ice = ice * (ICE * (FREEZING_POINT - ICE_B)) * x * x
    share = max((t - ALL_ICE) * PER_KELVIN, 0.0)
    mixing = 2.0 * share * PER_KELVIN * (water - ice)
    return ice + share * share * (water - ice), slope_ice + share * share * (slope_water - slope_ice) + mixing


@compiled
def growth(t: float) -> float:
    """`water.growth`."""
    return WATER * (FREEZING_POINT - WATER_B) / ((t - WATER_B) * (t - WATER_B))


@compiled
def ratio(e: float, p: float) -> float:
    """`thermodynamics.saturation_mixing_ratio`."""
    e = min(e, 0.5 * p)
    return EPSILON_VAPOUR * e / (p - e)


@compiled
def liquid_share(t: float) -> float:
    """Share of water in a cloud, that a plume keeps liquid."""
    return min(max((t - ALL_ICE) * PER_KELVIN, 0.0), 1.0)


@compiled
def saturate(e: float, q: float, p: float, z: float, near: float, near_q: float) -> tuple[float, float, float, float]:
    """`convection_plume.saturate`: temperature, vapour, liquid and ice.

    It begins with a step of Newton from air that is ``near``, K, and its saturation, kg/kg.
    """
    heat = e - GRAVITY * z - LATENT_VAPORISATION * q
    low = heat / CP_DRY
    high = low + (LATENT_VAPORISATION + LATENT_FUSION) / CP_DRY * q
    share = liquid_share(near)
    latent = LATENT_VAPORISATION + (1.0 - share) * LATENT_FUSION
    t = near + (heat - CP_DRY * near + latent * (q - near_q)) / (CP_DRY + latent * near_q * growth(near))
    t = max(min(t, near + 10.0, high), low)
    for _ in range(40):
        share = liquid_share(t)
        latent = LATENT_VAPORISATION + (1.0 - share) * LATENT_FUSION
        pressure, slope = over_mixed_and_slope(t)
        bounded = pressure > 0.5 * p
        if bounded:
            pressure, slope = 0.5 * p, 0.0
        of_air = 1.0 / (p - pressure)
        q_s = EPSILON_VAPOUR * pressure * of_air
        miss = CP_DRY * t - latent * (q - q_s) - heat
        if miss < 0.0:
            low = t
        elif miss > 0.0:
            high = t
        freezing = LATENT_FUSION * PER_KELVIN * max(q - q_s, 0.0) if 0.0 < share < 1.0 else 0.0
        new = t - miss / (CP_DRY + latent * EPSILON_VAPOUR * p * slope * of_air * of_air + freezing)
        new = 0.5 * (low + high) if new > high or bounded else max(new, low)
        step, t = new - t, new
        if abs(step) < STILL:
            break
    q_c = min(max((CP_DRY * t - heat) / latent, 0.0), q)
    q_i = (1.0 - share) * q_c
    return (heat + LATENT_VAPORISATION * q_c + LATENT_FUSION * q_i) / CP_DRY, q - q_c, q_c - q_i, q_i


@compiled
def wetted(h: float, t: float, p: float, z: float) -> tuple[float, float]:
    """`convection_downdraught.wetted`: temperature and vapour; ``t`` (K) to begin with."""
    for _ in range(4):
        q_s = ratio(over_mixed(t), p)
        miss = CP_DRY * t + GRAVITY * z + LATENT_VAPORISATION * q_s - h
        step = miss / (CP_DRY + LATENT_VAPORISATION * q_s * growth(t))
        t -= step
        if abs(step) < STILL:
            break
    return t, (h - CP_DRY * t - GRAVITY * z) / LATENT_VAPORISATION
