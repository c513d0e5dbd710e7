# SPDX-License-Identifier: BSD-3-Clause
"""Sea salt from bubbles (Gong 2003, doi:10.1029/2003GB002079)."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

DENSITY = 2200.0  # kg m-3, dry
EDGES = (0.01e-6, 0.5e-6, 8.0e-6)  # dry radii of the two sizes, m
WET = 2.0  # radius at a relative humidity of 80 % over the dry one (Gong 2003)
THETA = 30.0  # of eq. 2
MICROMETRE = 1.0e-6


def number(r: np.ndarray) -> np.ndarray:
    """Particles at a wind of 1 m s-1 per size, m-2 s-1 um-1 (eq. 2), of radius ``r`` (um) at 80 % humidity.

    Parameters
    ----------
    r : micrometres
    """
    a = 4.7 * (1.0 + THETA * r) ** (-0.017 * r**-1.44)
    b = (0.433 - np.log10(r)) / 0.433
    return np.asarray(1.373 * r**-a * (1.0 + 0.057 * r**3.45) * 10.0 ** (1.607 * np.exp(-(b**2))))


@cache
def mass(edges: tuple[float, ...] = EDGES) -> tuple[float, ...]:
    """Dry mass at a wind of 1 m s-1 in each size, kg m-2 s-1.

    Parameters
    ----------
    edges : dry radii between the sizes, m, growing
    """
    out = []
    for low, high in pairwise(edges):
        ln = np.linspace(math.log(low), math.log(high), 2001)
        dry = np.exp(ln)
        r = WET * dry / MICROMETRE
        each = 4.0 / 3.0 * math.pi * DENSITY * dry**3
        f = number(r) * r * each  # dF/dln r
        out.append(float(((f[1:] + f[:-1]) * np.diff(ln)).sum() / 2.0))
    return tuple(out)


def flux(wind: Tensor, sea: Tensor, edges: tuple[float, ...] = EDGES) -> Tensor:
    """Upward flux of dry salt (sizes, ...), kg m-2 s-1: that of the wind to the power of 3.41.

    Parameters
    ----------
    wind : (...) at 10 m, m s-1
    sea : (...) share of the cell that is open sea
    edges : dry radii between the sizes, m
    """
    power = torch.exp(3.41 * torch.log(torch.clamp(wind, min=1.0e-9)))
    return torch.stack([m * power * sea for m in mass(edges)])
