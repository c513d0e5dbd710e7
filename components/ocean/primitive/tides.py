# SPDX-License-Identifier: BSD-3-Clause
"""Tidal elevation of eight constituents at the open edges, with the 18.6-year modulation by the lunar nodes.

Schureman, P. (1958): Manual of harmonic analysis and prediction of tides. US Coast and Geodetic Survey, Special
Publication 98 (S58): speeds and arguments of table 2, node factors of eqs. 65-78, 215-235. Mean longitudes from Meeus,
J. (1998): Astronomical algorithms, 2nd edition.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# name: speed (degrees per mean solar hour); multiples of T, s, h, p and a constant (degrees) in the argument V (S58)
CONSTITUENTS = {
    "M2": (28.9841042, (2, -2, 2, 0), 0.0),
    "S2": (30.0, (2, 0, 0, 0), 0.0),
    "N2": (28.4397295, (2, -3, 2, 1), 0.0),
    "K2": (30.0821373, (2, 0, 2, 0), 0.0),
    "K1": (15.0410686, (1, 0, 1, 0), -90.0),
    "O1": (13.9430356, (1, -2, 1, 0), 90.0),
    "P1": (14.9589314, (1, 0, -1, 0), 90.0),
    "Q1": (13.3986609, (1, -3, 1, 1), 90.0),
}
SPEEDS = {name: speed for name, (speed, _, _) in CONSTITUENTS.items()}
OBLIQUITY, MOON_INCLINATION = np.radians(23.452), np.radians(5.145)  # S58, table 1
DAYS_A_CENTURY = 36525.0


@dataclass(frozen=True)
class Longitudes:
    """Mean longitudes (degrees): ``moon`` s, ``sun`` h, lunar ``perigee`` p, lunar ascending ``node`` N."""

    moon: float
    sun: float
    perigee: float
    node: float


def longitudes(days: float) -> Longitudes:
    """Mean longitudes at a time in days since 2000-01-01 12:00 (Meeus 1998, chapters 25 and 47, linear terms)."""
    t = days / DAYS_A_CENTURY
    return Longitudes(
        (218.3164477 + 481267.88123421 * t) % 360.0, (280.46646 + 36000.76983 * t) % 360.0,
        (83.3532465 + 4069.0137287 * t) % 360.0, (125.0445479 - 1934.1362891 * t) % 360.0,
    )  # fmt: skip


def equilibrium_arguments(days: float, constituents: tuple[str, ...] = tuple(CONSTITUENTS)) -> np.ndarray:
    """Argument V of each constituent at Greenwich (degrees), ``days`` after 2000-01-01 12:00 UT (S58, table 2).

    The hour angle T of the mean sun is 180 degrees at midnight.

    Parameters
    ----------
    days : after 2000-01-01 12:00 UT
    constituents : names
    """
    at = longitudes(days)
    hour_angle = 360.0 * ((days + 1.0) % 1.0)
    angles = np.array([hour_angle, at.moon, at.sun, at.perigee])
    return np.array([(np.dot(CONSTITUENTS[n][1], angles) + CONSTITUENTS[n][2]) % 360.0 for n in constituents])


def node_factors(node: float, constituents: tuple[str, ...] = tuple(CONSTITUENTS)) -> tuple[np.ndarray, np.ndarray]:
    """Factor f of the amplitude and correction u of the argument (degrees), by the longitude of the node (degrees).

    S58: inclination I of the moon's orbit to the equator, xi and nu (sections 24-25); f from eqs. 75, 78, 227, 235;
    u from table 2 and eqs. 224, 232.

    Parameters
    ----------
    node : longitude of the ascending node, degrees
    constituents : names
    """
    n = np.radians(((node + 180.0) % 360.0) - 180.0)
    w, i = OBLIQUITY, MOON_INCLINATION
    inclination = np.arccos(np.cos(w) * np.cos(i) - np.sin(w) * np.sin(i) * np.cos(n))
    plus = np.arctan(np.cos(0.5 * (w - i)) / np.cos(0.5 * (w + i)) * np.tan(0.5 * n))
    minus = np.arctan(np.sin(0.5 * (w - i)) / np.sin(0.5 * (w + i)) * np.tan(0.5 * n))
    nu, xi = plus - minus, n - plus - minus
    one, two = np.sin(2 * inclination), np.sin(inclination) ** 2
    nu1 = np.arctan2(one * np.sin(nu), one * np.cos(nu) + 0.3347)
    twice_nu2 = np.arctan2(two * np.sin(2 * nu), two * np.cos(2 * nu) + 0.0727)
    m2 = (np.cos(0.5 * inclination) ** 4 / 0.9154, 2 * (xi - nu))
    o1 = (np.sin(inclination) * np.cos(0.5 * inclination) ** 2 / 0.3800, 2 * xi - nu)
    k1 = (np.sqrt(0.8965 * one**2 + 0.6001 * one * np.cos(nu) + 0.1006), -nu1)
    k2 = (np.sqrt(19.0444 * two**2 + 2.7702 * two * np.cos(2 * nu) + 0.0981), -twice_nu2)
    steady = (1.0, 0.0)
    of = {"M2": m2, "S2": steady, "N2": m2, "K2": k2, "K1": k1, "O1": o1, "P1": steady, "Q1": o1}
    return np.array([of[c][0] for c in constituents]), np.degrees(np.array([of[c][1] for c in constituents]))


def tidal_elevation(
    seconds: float, amplitude: Tensor, phase: Tensor, constituents: tuple[str, ...] = tuple(SPEEDS),
    start_days: float | None = None,
) -> Tensor:  # fmt: skip
    """Sum of ``f A cos(speed t + V0 + u - G)``.

    Parameters
    ----------
    seconds : float
        Time since the instant to which the phases refer, s; with ``start_days``, since that instant.
    amplitude, phase : Tensor
        Amplitude (m) and phase lag (degrees), ``(n, y, x)`` in the order of ``constituents``.
    constituents : tuple of str
        Names in `SPEEDS`.
    start_days : float or None
        Days from 2000-01-01 12:00 UT to the start, for phases that are lags behind the equilibrium tide at Greenwich;
        the nodes then modulate amplitude and phase. None: phases at an instant, no modulation.

    Raises
    ------
    KeyError
        If a constituent has no known speed.
    """
    factor, argument = np.ones(len(constituents)), np.zeros(len(constituents))
    if start_days is not None:
        factor, correction = node_factors(longitudes(start_days + seconds / 86400.0).node, constituents)
        argument = equilibrium_arguments(start_days, constituents) + correction
    total = torch.zeros_like(amplitude[0])
    for n, name in enumerate(constituents):
        angle = np.radians((SPEEDS[name] * seconds / 3600.0 + argument[n]) % 360.0)
        lag = phase[n] * (np.pi / 180.0)
        total = total + factor[n] * amplitude[n] * (np.cos(angle) * torch.cos(lag) + np.sin(angle) * torch.sin(lag))
    return total


@dataclass(frozen=True)
class Tide:
    """Sea level outside with its tide.

    ``amplitude`` (m) and ``phase`` (degrees) ``(n, y, x)``, ``mean`` sea level (m), the model time ``origin`` (s) from
    which `tidal_elevation` counts, and its ``start_days``.
    """

    amplitude: Tensor
    phase: Tensor
    mean: Tensor
    origin: int
    start_days: float | None

    def level(self, time: float) -> Tensor:
        """Sea level (m) at a model time (s)."""
        elapsed = float(time - self.origin)
        return self.mean + tidal_elevation(elapsed, self.amplitude, self.phase, start_days=self.start_days)
