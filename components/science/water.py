# SPDX-License-Identifier: BSD-3-Clause
r"""Saturation of air over water and ice, humidity, and the latent heat of vaporisation; for numpy and torch arrays.

    e_w = 611.2 exp(17.67 (T - T_0) / (T - 29.65))           over water, Bolton (1980, Mon. Wea. Rev. 108, eq. 10)
    e_i = 611.2 exp(22.587 (T - T_0) / (T + 0.71))           over ice, Alduchov & Eskridge (1996, J. Appl. Meteor. 35)

The two meet at T_0 = 273.15 K. Published laws that bring a formula of their own have it in `scheme_constants`.
"""

from typing import Any

import numpy as np

from components.science.constants import (
    C_LIQUID,
    CP_VAPOUR,
    EPSILON_VAPOUR,
    FREEZING_POINT,
    LATENT_VAPORISATION,
)

Array = Any
"""numpy or torch, any shape."""

E_FREEZING = 611.2  # Pa, saturation at 0 degC
OVER_WATER = 17.67, FREEZING_POINT - 243.5  # 1, K
OVER_ICE = 22.587, FREEZING_POINT - 273.86  # 1, K
ALL_ICE = FREEZING_POINT - 23.0  # K, below which a mixed cloud is all ice


def saturation_pressure(t: Array) -> Array:
    """Saturation vapour pressure over water, Pa.

    Parameters
    ----------
    t : array, K, above 30 K

    Examples
    --------
    >>> round(float(saturation_pressure(293.15)))
    2337
    """
    a, b = OVER_WATER
    return E_FREEZING * _exp(a * (t - FREEZING_POINT) / (t - b))


def saturation_pressure_ice(t: Array) -> Array:
    """Saturation vapour pressure over ice, Pa.

    Parameters
    ----------
    t : array, K

    Examples
    --------
    >>> round(float(saturation_pressure_ice(253.15)), 1)
    103.2
    """
    a, b = OVER_ICE
    return E_FREEZING * _exp(a * (t - FREEZING_POINT) / (t - b))


def saturation_pressure_mixed(t: Array) -> Array:
    """Saturation vapour pressure over water above 0 degC, over ice below -23 degC, and a mixture in between, Pa.

    The share of water is ((T - T_ice) / (T_0 - T_ice))^2, as in ECMWF's cloud scheme (Tiedtke 1993, Mon. Wea. Rev. 121,
    3040-3061); T_ice is 23 K below T_0.

    Parameters
    ----------
    t : array, K
    """
    share = ((t - ALL_ICE) / (FREEZING_POINT - ALL_ICE)).clip(0.0, 1.0)
    ice = saturation_pressure_ice(t)
    return ice + share * share * (saturation_pressure(t) - ice)


def growth(t: Array) -> Array:
    """Growth of saturation over water with temperature, d ln(e_w) / dT, K-1.

    Parameters
    ----------
    t : array, K
    """
    a, b = OVER_WATER
    return a * (FREEZING_POINT - b) / ((t - b) * (t - b))


def growth_ice(t: Array) -> Array:
    """Growth of saturation over ice with temperature, d ln(e_i) / dT, K-1.

    Parameters
    ----------
    t : array, K
    """
    a, b = OVER_ICE
    return a * (FREEZING_POINT - b) / ((t - b) * (t - b))


def mixing_ratio(e: Array, p: Array) -> Array:
    """Vapour per dry air, kg/kg, at vapour pressure ``e`` and pressure ``p``.

    Parameters
    ----------
    e, p : arrays, Pa
    """
    return EPSILON_VAPOUR * e / (p - e)


def specific_humidity(e: Array, p: Array) -> Array:
    """Vapour per moist air, kg/kg, at vapour pressure ``e`` and pressure ``p``.

    Parameters
    ----------
    e, p : arrays, Pa
    """
    return EPSILON_VAPOUR * e / (p - (1.0 - EPSILON_VAPOUR) * e)


def humidity_slope(e: Array, growing: Array, p: Array) -> Array:
    """Change of `specific_humidity` with temperature, K-1, where ``e`` grows by ``growing`` (K-1) of itself.

    Parameters
    ----------
    e, p : arrays, Pa
    growing : array, K-1; see `growth`
    """
    dry = p - (1.0 - EPSILON_VAPOUR) * e
    return EPSILON_VAPOUR * p * e * growing / (dry * dry)


def vapour_pressure(q: Array, p: Array) -> Array:
    """Vapour pressure, Pa, of air with specific humidity ``q``.

    Parameters
    ----------
    q : array, kg/kg
    p : array, Pa
    """
    return q * p / (EPSILON_VAPOUR + (1.0 - EPSILON_VAPOUR) * q)


def dew_point(e: Array) -> Array:
    """Temperature, K, at which vapour of the pressure ``e`` saturates over water: the inverse of `saturation_pressure`.

    Parameters
    ----------
    e : array, Pa, above 0

    Examples
    --------
    >>> round(float(dew_point(saturation_pressure(293.15))), 9)
    293.15
    """
    a, b = OVER_WATER
    x = _log(e / E_FREEZING)
    return (a * FREEZING_POINT - b * x) / (a - x)


def latent_heat(t: Array) -> Array:
    """Latent heat of vaporisation where vapour and liquid keep their heat capacities (Kirchhoff), J kg-1.

    Interfaces and schemes without heat in their water take `LATENT_VAPORISATION`, its value at 0 degC.

    Parameters
    ----------
    t : array, K
    """
    return LATENT_VAPORISATION - (C_LIQUID - CP_VAPOUR) * (t - FREEZING_POINT)


def _log(x: Array) -> Array:
    return x.log() if hasattr(x, "log") else np.log(x)


def _exp(x: Array) -> Array:
    return x.exp() if hasattr(x, "exp") else np.exp(x)
