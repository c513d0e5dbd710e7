# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide near the ground by latitude and season about the global trend: first guess, inflow and background.

Fitted by this project to monthly means of the stations of WDCGG below 2000 m, 2008 to 2014 (with thanks to their
contributors), and rounded to .1 ppm; it leaves 2.5 ppm of their spread.
"""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
COEFFICIENTS = (
    # ppm: constant, cos, sin of the year, cos, sin of half a year; times powers of the sine of latitude
    (0.3, 0.4, 1.3, 0.2, 0.0),
    (6.1, 4.2, 4.8, -0.3, -1.5),
    (-0.2, 3.3, 1.9, -0.3, -1.9),
    (-3.9, -1.2, -1.3, 0.5, -0.2),
)
YEAR = 365.25 * 86400.0


def departure(latitude: Floats, since_1970: float) -> Floats:
    """Departure from the global trend, ppm, of the shape of ``latitude``.

    Parameters
    ----------
    latitude : degrees
    since_1970 : time, s since 1970-01-01 UTC
    """
    turn = 2.0 * math.pi * (since_1970 / YEAR)
    waves = (1.0, math.cos(turn), math.sin(turn), math.cos(2.0 * turn), math.sin(2.0 * turn))
    sine = np.sin(np.deg2rad(latitude))
    out, power = np.zeros_like(sine), np.ones_like(sine)
    for row in COEFFICIENTS:
        out = out + power * sum(c * w for c, w in zip(row, waves, strict=True))
        power = power * sine
    return out
