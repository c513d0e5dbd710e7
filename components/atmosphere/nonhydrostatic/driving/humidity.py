# SPDX-License-Identifier: BSD-3-Clause
"""Humidity of driving states: from relative humidity, above the data, and no more than air can hold."""

import numpy as np
import numpy.typing as npt

from components.science import water
from components.science.constants import P_REFERENCE

Array = npt.NDArray[np.float64]

STRATOSPHERE = 3.0e-6  # kg/kg; 4.8 ppmv, between 2.5e-6 and 3.5e-6 in SPARC (2000, WCRP-113)
TROPOPAUSE = 1.0e4  # Pa; above, air is as dry as the stratosphere
DRY_AT = 0.02  # of the ground's pressure, at which relative humidity ends (Manabe & Wetherald 1967)
MOST = 5.0e-6  # kg/kg, of data above that pressure


def specific_humidity(relative: Array, t: Array, p: Array) -> Array:
    """Specific humidity (kg/kg) from relative humidity over water.

    Parameters
    ----------
    relative : 0-1
    t : K
    p : Pa
    """
    e = relative * water.saturation_pressure(t)
    return np.asarray(water.specific_humidity(np.minimum(e, 0.3 * p), p))


def relative_humidity(q: Array, t: Array, p: Array) -> Array:
    """Relative humidity (0-1) over water.

    Parameters
    ----------
    q : specific humidity, kg/kg
    t : K
    p : Pa
    """
    return np.asarray(water.vapour_pressure(q, p) / water.saturation_pressure(t))


def saturation(t: Array, p: Array) -> Array:
    """Specific humidity (kg/kg) at saturation over water, over ice below -23 degC, and mixed in between.

    Parameters
    ----------
    t : K
    p : Pa
    """
    return np.asarray(water.specific_humidity(np.minimum(water.saturation_pressure_mixed(t), 0.3 * p), p))


def dried_aloft(q: Array, t: Array, p: Array, top: float) -> Array:
    """Humidity (level, ...) kg/kg whose values above the data give way to a profile.

    Between the data's highest level and `TROPOPAUSE` its relative humidity falls linearly with pressure, to none at
    `DRY_AT` (Manabe & Wetherald 1967, J. Atmos. Sci. 24, 241-259); it is no more than a power of the pressure that
    leads to that of the `STRATOSPHERE`, and no less than that. Above it is the stratosphere's; data from there are at
    most `MOST`.

    Parameters
    ----------
    q, t : (level, ...) kg/kg and K; of ``q`` what is above ``top`` is not looked at
    p : (level,) Pa, decreasing
    top : lowest pressure at which there are data, Pa
    """
    column = p.reshape(-1, *(1,) * (q.ndim - 1))
    known = np.where(column < TROPOPAUSE, np.minimum(q, MOST), q)
    if p[-1] >= top * (1.0 - 1e-6):
        return known
    highest = np.flatnonzero(p >= top * (1.0 - 1e-6))[-1]
    last = known[highest]
    if top <= TROPOPAUSE:
        made = np.broadcast_to(np.minimum(last, STRATOSPHERE), q.shape)
    else:
        share = np.clip(np.log(top / column) / np.log(top / TROPOPAUSE), 0.0, 1.0)
        made = last ** (1.0 - share) * STRATOSPHERE**share
        most = np.broadcast_to(saturation(t, column), q.shape)
        falls = (column - DRY_AT * P_REFERENCE) / (top - DRY_AT * P_REFERENCE)
        relative = last / most[highest] * np.clip(falls, 0.0, 1.0)
        made = np.minimum(made, np.maximum(relative * most, np.minimum(last, STRATOSPHERE)))
    return np.where(column < top * (1.0 - 1e-6), made, known)
