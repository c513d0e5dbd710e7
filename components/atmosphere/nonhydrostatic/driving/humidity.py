# SPDX-License-Identifier: BSD-3-Clause
"""Humidity of driving states: from relative humidity, above the data, and no more than air can hold."""

import numpy as np
import numpy.typing as npt

from components.science import water
from components.science.constants import GRAVITY, R_DRY

Array = npt.NDArray[np.float64]

STRATOSPHERE = 3.0e-6  # kg/kg; 4.8 ppmv, between 2.5e-6 and 3.5e-6 in SPARC (2000, WCRP-113)
TROPOPAUSE = 1.0e4  # Pa, of the tropics; above, air is as dry as the stratosphere everywhere
MIXED = 0.6  # of the tropopause's pressure, above which it is as dry as that: the extratropics mix across it
MOIST_ALOFT = 0.7  # relative humidity to which tropical air comes beneath its tropopause (ERA5: 0.64 to 0.75)
LEAST_LAPSE, LOWEST = 2.0e-3, 5.0e4  # K m-1 of a tropopause (WMO 1957) and the highest pressure of one, Pa
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


def tropopause(t: Array, p: Array) -> Array:
    """Pressure (...) Pa of the lowest level from which temperature falls by 2 K/km at most, 500 to 100 hPa.

    Parameters
    ----------
    t : (level, ...) K
    p : (level,) Pa, decreasing
    """
    steps = np.log(p[:-1] / p[1:]).reshape(-1, *(1,) * (t.ndim - 1))
    lapse = GRAVITY / R_DRY * np.log(t[:-1] / t[1:]) / steps
    above = (lapse <= LEAST_LAPSE) & ((p[:-1] <= LOWEST) & (p[:-1] > TROPOPAUSE)).reshape(steps.shape)
    return np.where(above.any(0), p[above.argmax(0)], TROPOPAUSE)


def dried_aloft(q: Array, t: Array, p: Array, top: float) -> Array:
    """Humidity (level, ...) kg/kg whose values above the data give way to a profile.

    It is a power of the pressure that leads from the data's highest level to that of the `STRATOSPHERE` at `MIXED` of
    the tropopause's pressure, in the tropics at `TROPOPAUSE`; its relative humidity is no more than that of the highest
    level or `MOIST_ALOFT`. From ERA5 without its humidity above 300 hPa this makes that up to 110 hPa with an RMS of
    ln q of .31, in the tropics .36; a relative humidity that falls linearly with pressure (Manabe & Wetherald 1967) .69
    and .87, too dry there by half. Above it is the stratosphere's; data from there are at most `MOST`.

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
    dry = np.minimum(last, STRATOSPHERE)
    if top <= TROPOPAUSE:
        made = np.broadcast_to(dry, q.shape)
    else:
        end = np.clip(MIXED * tropopause(t, p), TROPOPAUSE, 0.9 * top)
        share = np.clip(np.log(top / column) / np.log(top / end), 0.0, 1.0)
        most = saturation(t, np.broadcast_to(column, t.shape))
        relative = np.maximum(last / most[highest], MOIST_ALOFT)
        made = np.maximum(np.minimum(last ** (1.0 - share) * STRATOSPHERE**share, relative * most), dry)
    return np.where(column < top * (1.0 - 1e-6), made, known)
