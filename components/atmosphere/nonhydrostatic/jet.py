"""Analytic balanced jet with moisture (Ullrich et al. 2014, Q. J. R. Meteorol. Soc. 140, 1590-1602.

Shallow atmosphere).

Wind and temperature in gradient-wind and hydrostatic balance as functions of latitude and height, so that the
state can be
evaluated over any relief; humidity of the DCMIP 2016 moist baroclinic wave (Ullrich et al. 2016, section 4.1).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .constants import EARTH_RADIUS, EARTH_ROTATION, GRAVITY, P_REFERENCE, R_DRY

Array = npt.NDArray[np.float64]

T_EQUATOR, T_POLE = 310.0, 240.0  # surface temperature, K
LAPSE = 0.005  # K m-1
K, B = 3, 2.0  # width of the jet, half width parameter of the vertical profile
Q_0, PHI_W, P_W = (
    0.018,
    2.0 * np.pi / 9.0,
    34000.0,
)  # specific humidity at the equator, its widths in latitude and pressure


class Jet(NamedTuple):
    """Eastward wind (m s-1), temperature (K), specific humidity (kg/kg), pressure (Pa) of the given shape."""

    u: Array
    t: Array
    q: Array
    p: Array


def balanced_jet(lat: Array, z: Array, q_0: float = Q_0) -> Jet:
    """The jet at latitude ``lat`` (degrees) and height ``z`` (m), arrays that broadcast.

    ``q_0`` kg/kg at the equator.
    """
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
    q = np.where(eta > 0.1, q, 1.0e-12)
    return Jet(u + 0.0 * q, t_v / (1.0 + 0.608 * q), q, p + 0.0 * q)
