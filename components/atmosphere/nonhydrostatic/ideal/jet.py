# SPDX-License-Identifier: BSD-3-Clause
"""Analytic balanced jet with moisture (Ullrich et al. 2014, Q. J. R. Meteorol. Soc. 140, 1590-1602).

Wind and temperature of a shallow atmosphere in gradient-wind and hydrostatic balance as functions of latitude and
height, so that the state can be evaluated over any relief; humidity of the DCMIP 2016 moist baroclinic wave (Ullrich
et al. 2016, section 4.1), in other climates bounded by a relative humidity that decreases with the pressure alike.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.science.constants import (
    EARTH_RADIUS,
    EARTH_ROTATION,
    GRAVITY,
    P_REFERENCE,
    R_DRY,
    VIRTUAL,
)
from components.science.water import saturation_pressure, specific_humidity

Array = npt.NDArray[np.float64]

LAPSE = 0.005  # K m-1
B = 2.0  # half width parameter of the vertical profile
Q_0, PHI_W, P_W = 0.018, 2.0 * np.pi / 9.0, 34000.0  # humidity at the equator, widths in latitude and pressure (Pa)


class Climate(NamedTuple):
    """Virtual temperature (K) at the ground at equator and pole, exponent K of the latitudes, humidity at most."""

    equator: float
    pole: float
    k: int
    relative_humidity: float | None


CLIMATES = {
    "ullrich": Climate(310.0, 240.0, 3, None),  # of the paper
    # least squares to COADS of January, 115-160E, 5S-55N: 0.4 K; 80 % as observed there
    "january": Climate(304.0, 255.0, 6, 0.8),
}


class Jet(NamedTuple):
    """Eastward wind (m s-1), temperature (K), specific humidity (kg/kg), pressure (Pa) of the given shape."""

    u: Array
    t: Array
    q: Array
    p: Array


def balanced_jet(lat: Array, z: Array, q_0: float = Q_0, climate: Climate = CLIMATES["ullrich"]) -> Jet:
    """The jet at latitude ``lat`` (degrees) and height ``z`` (m), arrays that broadcast.

    ``q_0`` is the humidity at the equator, kg/kg.
    """
    T_EQUATOR, T_POLE, K, humidity = climate  # the paper's names
    phi = np.deg2rad(lat)
    cos = np.cos(phi)
    t_0 = 0.5 * (T_EQUATOR + T_POLE)
    a, b = 1.0 / LAPSE, (t_0 - T_POLE) / (t_0 * T_POLE)
    c = 0.5 * (K + 2) * (T_EQUATOR - T_POLE) / (T_EQUATOR * T_POLE)
    x = z / (B * R_DRY * t_0 / GRAVITY)
    bell = np.exp(-x * x)
    tau_1 = a * LAPSE / t_0 * np.exp(LAPSE * z / t_0) + b * (1.0 - 2.0 * x * x) * bell
    tau_2 = c * (1.0 - 2.0 * x * x) * bell
    int_1 = a * np.expm1(LAPSE * z / t_0) + b * z * bell
    int_2 = c * z * bell
    shape = cos**K - K / (K + 2) * cos ** (K + 2)
    t_v = 1.0 / (tau_1 - tau_2 * shape)
    p = P_REFERENCE * np.exp(-GRAVITY / R_DRY * (int_1 - int_2 * shape))
    big = GRAVITY * K / EARTH_RADIUS * int_2 * (cos ** (K - 1) - cos ** (K + 1)) * t_v
    omega = EARTH_ROTATION * EARTH_RADIUS * cos
    u = -omega + np.sqrt(omega * omega + EARTH_RADIUS * cos * big)
    eta = p / P_REFERENCE
    q = q_0 * np.exp(-((phi / PHI_W) ** 4)) * np.exp(-(((eta - 1.0) * P_REFERENCE / P_W) ** 2))
    if humidity is not None:
        q = np.minimum(q, _moist(t_v, p, humidity * np.exp(-(((eta - 1.0) * P_REFERENCE / P_W) ** 2))))
    q = np.where(eta > 0.1, q, 1.0e-12)
    return Jet(u + 0.0 * q, t_v / (1.0 + VIRTUAL * q), q, p + 0.0 * q)


def _moist(t_v: Array, p: Array, relative_humidity: Array) -> Array:
    """Specific humidity at a virtual temperature (K), a pressure (Pa) and a relative humidity over water."""
    q = np.zeros_like(p)
    for _ in range(4):  # the temperature falls with the humidity: contracts by a third a time in the tropics
        t = t_v / (1.0 + VIRTUAL * q)
        e = relative_humidity * saturation_pressure(t)
        e = np.minimum(e, 0.5 * p)
        q = 0.5 * q + 0.5 * specific_humidity(e, p)
    return q
