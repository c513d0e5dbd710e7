"""Tidal elevation of eight constituents at the open edges.

Speeds from Schureman (1958), Manual of harmonic analysis and prediction of tides, US Coast and Geodetic Survey,
table 2.
"""

import numpy as np
import torch
from torch import Tensor

# degrees per mean solar hour
SPEEDS = {
    "M2": 28.9841042,
    "S2": 30.0,
    "N2": 28.4397295,
    "K2": 30.0821373,
    "K1": 15.0410686,
    "O1": 13.9430356,
    "P1": 14.9589314,
    "Q1": 13.3986609,
}


def tidal_elevation(
    seconds: float, amplitude: Tensor, phase: Tensor, constituents: tuple[str, ...] = tuple(SPEEDS)
) -> Tensor:
    """Sum of ``A cos(speed t - G)``.

    Parameters
    ----------
    seconds : float
        Time since the instant to which the phases refer, s. Nodal modulation (18.6 years) is left to the amplitudes
        and phases.
    amplitude, phase : Tensor
        Amplitude (m) and phase lag (degrees), ``(n, y, x)`` in the order of ``constituents``.
    constituents : tuple of str
        Names in `SPEEDS`.

    Raises
    ------
    KeyError
        If a constituent has no known speed.
    """
    total = torch.zeros_like(amplitude[0])
    for n, name in enumerate(constituents):
        angle = np.radians(SPEEDS[name] * seconds / 3600.0 % 360.0)
        lag = phase[n] * (np.pi / 180.0)
        total = total + amplitude[n] * (np.cos(angle) * torch.cos(lag) + np.sin(angle) * torch.sin(lag))
    return total
