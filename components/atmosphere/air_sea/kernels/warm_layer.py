# SPDX-License-Identifier: BSD-3-Clause
"""Diurnal warm layer of the sea above the depth of the temperature measurement.

Fairall, C. W., et al. (1996): Cool-skin and warm-layer effects on sea surface temperature, J. Geophys. Res.
101, 1295-1308 ("F96"): from sunrise on, heat and momentum put into the sea are accumulated in a layer whose
thickness keeps the bulk Richardson number critical; the account is closed at local midnight.
"""

import math

import numpy as np

from components.atmosphere.air_sea.kernels.coare import CP_WATER, RHO_WATER, gravity
from components.atmosphere.air_sea.kernels.compiled import compiled

CRITICAL_RICHARDSON = 0.65
GREATEST_THICKNESS = 19.0  # m
ONSET = 50.0  # W m-2 of net heating that starts the accumulation
STATE = (
    "heat",
    "momentum",
    "thickness",
    "absorbed_fraction",
    "accumulating",
    "armed",
    "local_time",
    "warming",
    "warming_above_sensor",
)


def new_warm_layer(n):
    """State of ``n`` points without a warm layer; shape ``(len(STATE), n)``, rows named by `STATE`."""
    state = np.zeros((len(STATE), n))
    state[2] = GREATEST_THICKNESS
    state[3] = 0.5
    state[6] = np.nan  # no time known yet
    return state


@compiled
def absorbed_solar_fraction(depth):
    """Share of the sunlight that stays above ``depth`` [m]; three bands (F96 eq. 17)."""
    return (
        1.0
        - (
            0.28 * 0.014 * (1.0 - math.exp(-depth / 0.014))
            + 0.27 * 0.357 * (1.0 - math.exp(-depth / 0.357))
            + 0.45 * 12.82 * (1.0 - math.exp(-depth / 12.82))
        )
        / depth
    )


def local_solar_seconds(utc_seconds, longitude):
    """Seconds since midnight of local mean solar time, at a longitude in degrees east; shapes broadcast."""
    return np.mod(np.asarray(utc_seconds) + np.asarray(longitude) * 240.0, 86400.0)


@compiled
def advance_warm_layer(state, local_seconds, latitude, t_sea, net_solar, cooling, stress, sensor_depth):
    """Advance the warm layer of every point to a time of day.

    Parameters
    ----------
    state : array (len(STATE), n), changed in place
    local_seconds : seconds since local midnight, shape (n,), as all that follow (see `local_solar_seconds`)
    latitude : degrees
    t_sea : degrees C at the sensor
    net_solar : W m-2 into the sea
    cooling : W m-2, longwave + sensible + latent + rain heat leaving the sea since the last call
    stress : Pa since the last call
    sensor_depth : m

    Returns
    -------
    Warming between sensor and surface in K, shape (n,).
    """
    for i in range(t_sea.size):
        now = local_seconds[i]
        last = state[6, i]
        state[6, i] = now
        if math.isnan(last):
            continue
        if now > 21600.0 and state[5, i] == 0.0:  # 6 h
            continue  # wait for the first morning: a layer begun at noon would lack its history
        state[5, i] = 1.0
        thickness = state[2, i]
        if now < last:  # midnight
            state[0, i] = state[1, i] = state[4, i] = state[7, i] = 0.0
            thickness = GREATEST_THICKNESS
            state[3, i] = 0.5
        else:
            dt = now - last
            fraction = state[3, i]
            heating = fraction * net_solar[i] - cooling[i]
            if heating >= ONSET or state[4, i] == 1.0:
                state[4, i] = 1.0
                momentum = state[1, i] + max(0.002, stress[i]) * dt
                expansion = 2.1e-5 * (t_sea[i] + 3.2) ** 0.79
                g = gravity(latitude[i])
                depth_scale = math.sqrt(2.0 * CRITICAL_RICHARDSON * CP_WATER / (expansion * g * RHO_WATER))
                heat = state[0, i]
                if heat + heating * dt > 0.0:
                    gain = 0.0
                    for _ in range(5):  # thickness and absorbed sunlight depend on each other
                        fraction = absorbed_solar_fraction(thickness)
                        gain = (fraction * net_solar[i] - cooling[i]) * dt
                        if heat + gain > 0.0:
                            thickness = min(GREATEST_THICKNESS, depth_scale * momentum / math.sqrt(heat + gain))
                else:
                    fraction = 0.75
                    thickness = GREATEST_THICKNESS
                    gain = (fraction * net_solar[i] - cooling[i]) * dt
                heat += gain
                state[0, i], state[1, i], state[3, i] = heat, momentum, fraction
                if heat > 0.0:
                    scale = math.sqrt(2.0 * expansion * g / (CRITICAL_RICHARDSON * RHO_WATER)) / CP_WATER**1.5
                    state[7, i] = scale * heat**1.5 / momentum
                else:
                    state[7, i] = 0.0
        state[2, i] = thickness
        share = 1.0 if thickness < sensor_depth[i] else sensor_depth[i] / thickness
        state[8, i] = state[7, i] * share
    return state[8].copy()
