# SPDX-License-Identifier: BSD-3-Clause
r"""Currents of a mixed layer that moves as a slab (Pollard and Millard 1970).

    du/dt - f v = tau_x / (rho h) - r u
    dv/dt + f u = tau_y / (rho h) - r v

The stress of the wind drives them, the Coriolis force turns them, and the damping r stands for what inertial waves
carry away below. With z = u + i v and s = r + i f the equations are dz/dt + s z = tau / (rho h), whose solution over
a step with constant stress is exact whatever the step:

    z(t + dt) = E z(t) + G tau / (rho h),    E = exp(-s dt),    G = (1 - E) / s

Real arithmetic throughout: complex products may round differently in blocks.
"""

from typing import NamedTuple

import numpy as np

from components.science.arrays import operations
from components.science.constants import EARTH_ROTATION, SEA_WATER_DENSITY


class Propagator(NamedTuple):
    """E and G of the exact step, real and imaginary parts: dimensionless, and in s."""

    keep_real: np.ndarray
    keep_imag: np.ndarray
    gain_real: np.ndarray
    gain_imag: np.ndarray


def propagator(latitude, seconds, damping_time):
    """E and G at some latitudes.

    Parameters
    ----------
    latitude : degrees north
    seconds : s, length of the step
    damping_time : s, 1/r, above 0

    Returns
    -------
    Propagator
    """
    r, f = 1.0 / damping_time, 2.0 * EARTH_ROTATION * np.sin(np.radians(latitude))
    decay, half = np.exp(-r * seconds), np.sin(0.5 * f * seconds)
    keep_real, keep_imag = decay * np.cos(f * seconds), -decay * np.sin(f * seconds)
    # 1 - E without cancellation; times the conjugate of s over |s|^2
    a, b = -np.expm1(-r * seconds) + 2.0 * decay * half * half, -keep_imag
    size = r * r + f * f
    return Propagator(keep_real, keep_imag, (a * r + b * f) / size, (b * r - a * f) / size)


def accelerate(u, v, stress_x, stress_y, thickness, step):
    """Currents at the end of a step.

    Parameters
    ----------
    u, v : m s-1, eastward and northward
    stress_x, stress_y : Pa, on the sea, constant over the step
    thickness : m, of the layer
    step : Propagator

    Returns
    -------
    u, v
    """
    x, y = stress_x / (SEA_WATER_DENSITY * thickness), stress_y / (SEA_WATER_DENSITY * thickness)
    er, ei, gr, gi = step
    return er * u - ei * v + (gr * x - gi * y), er * v + ei * u + (gr * y + gi * x)


def take_in_resting_water(u, v, old, new):
    """Currents after the layer has changed its thickness from `old` to `new` [m].

    A deepening layer shares its momentum with the resting water it takes in; a shoaling one keeps its speed.

    Parameters
    ----------
    u, v : (cells,) currents, m s-1
    old, new : (cells,) thickness before and after, m
    """
    share = operations(old, new).minimum(old / new, 1.0)
    return u * share, v * share
