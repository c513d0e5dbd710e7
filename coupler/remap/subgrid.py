# SPDX-License-Identifier: BSD-3-Clause
"""Subgrid correction: a flux computed for a coarse cell, shared out by the state of the fine cells under it.

OASIS3 ``SUBGRID`` (Valcke 2006, OASIS3 user guide, section on field-specific transformations). Both forms keep the
integral over the coarse cell where its mean state is the mean of the states under it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def solar(flux: Floats, albedo: Floats, mean_albedo: Floats) -> Floats:
    """Net solar flux on fine cells: Q (1 - a) / (1 - mean a).

    Parameters
    ----------
    flux : absorbed solar flux of the coarse cell, W m-2, computed with the mean albedo.
    albedo, mean_albedo : dimensionless, of the fine cell, and its mean over the coarse one. Where the mean is 1
        nothing is absorbed, and the flux stays as it is.
    """
    absorbed = 1.0 - mean_albedo
    return flux * np.divide(1.0 - albedo, absorbed, out=np.ones_like(flux), where=absorbed > 0.0)


def nonsolar(flux: Floats, derivative: Floats | float, temperature: Floats, mean_temperature: Floats) -> Floats:
    """Non-solar flux on fine cells: Q + dQ/dT (T - mean T).

    Parameters
    ----------
    flux : of the coarse cell, W m-2, computed with the mean temperature.
    derivative : dQ/dT of the coarse cell, W m-2 K-1 (negative for a flux that counts positive downward).
    temperature, mean_temperature : K, of the fine cell, and its mean over the coarse one.
    """
    return flux + derivative * (temperature - mean_temperature)
