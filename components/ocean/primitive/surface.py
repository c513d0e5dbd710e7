# SPDX-License-Identifier: BSD-3-Clause
"""What passes the sea surface: stress, heat, light, fresh water; and the freezing limiter.

Paulson, C. A. and J. J. Simpson (1977): Irradiance measurements in the upper ocean. J. Phys. Oceanogr. 7, 952-956.
McDougall, T. J. and P. M. Barker (2011): Getting started with TEOS-10 and the Gibbs Seawater (GSW) Oceanographic
Toolbox, SCOR/IAPSO WG127: the freezing temperature of IOC, SCOR and IAPSO (2010), section 3.33, as a polynomial.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry

# Jerlov type: fraction in the red band, e-folding depths of the two bands (m) (Paulson and Simpson 1977, table 2)
SHORTWAVE_BANDS = {
    "I": (0.58, 0.35, 23.0),
    "IA": (0.62, 0.60, 20.0),
    "IB": (0.67, 1.00, 17.0),
    "II": (0.77, 1.50, 14.0),
    "III": (0.78, 1.40, 7.9),
}


@dataclass(frozen=True)
class SurfaceForcing:
    """Fluxes through the surface at the cell centres, ``(y, x)`` with a halo of two, positive into the ocean.

    ``stress_x stress_y`` (N m-2), ``heat`` without shortwave (W m-2), ``shortwave`` (W m-2), ``water``
    (precipitation, runoff less evaporation; kg m-2 s-1), ``tracer_flux`` ``(n, y, x)``: further sources of the
    tracers (tracer unit times m s-1), ``pressure`` (Pa).
    """

    stress_x: Tensor
    stress_y: Tensor
    heat: Tensor
    shortwave: Tensor
    water: Tensor
    tracer_flux: Tensor
    pressure: Tensor


def no_forcing(tracers: int, g: Geometry) -> SurfaceForcing:
    """Forcing that is zero everywhere.

    Parameters
    ----------
    tracers : how many
    g : geometry of the block
    """
    zero = torch.zeros_like(g.depth_t)
    return SurfaceForcing(zero, zero, zero, zero, zero, torch.stack([zero] * tracers), zero)


def bands_of(types: np.ndarray) -> Tensor:
    """Fraction in the red band and e-folding depths of the two bands (m), ``(3, ...)``.

    Parameters
    ----------
    types : water types as positions in `SHORTWAVE_BANDS`, any shape
    """
    table = np.array(list(SHORTWAVE_BANDS.values()))
    return torch.from_numpy(np.moveaxis(table[types], -1, 0).copy())


def shortwave_absorbed(g: Geometry, bands: Sequence[float] | Tensor) -> Tensor:
    """Fraction of the surface shortwave absorbed in each cell at rest, ``(z, y, x)``.

    What reaches the sea floor heats the last cell.

    Parameters
    ----------
    g : geometry of the block
    bands : fraction in the red band and e-folding depths of the two bands (m), numbers or ``(y, x)`` each
    """
    red, d1, d2 = bands
    reaching = (red * torch.exp(-g.interface / d1) + (1.0 - red) * torch.exp(-g.interface / d2)) * g.below
    from_above = torch.cat([torch.ones_like(reaching[:1]), reaching[:-1]])
    return (from_above - reaching) * g.mask_t


FREEZING = (
    0.017947064327968736, -6.076099099929818, 4.883198653547851, -11.88081601230542, 13.34658511480257,
    -8.722761043208607, 2.082038908808201,
)  # fmt: skip
"""Of water without air, degC: powers 0, 2, 3, 4 ... of the root of the salinity in 100 g kg-1."""
AIR = (2.4e-3, 1.4289763856964e-5, 0.057000649899720)
"""What air dissolved to saturation takes off, K."""


def freezing_point(salinity: Tensor) -> Tensor:
    """Freezing temperature of water in contact with air at the surface, as conservative temperature, degC.

    Parameters
    ----------
    salinity : absolute, g kg-1

    Examples
    --------
    >>> round(float(freezing_point(torch.tensor(35.16504, dtype=torch.float64))), 4)
    -1.9184
    """
    s = torch.clamp(salinity, min=0.0)
    part = 0.01 * s
    root = torch.sqrt(part + 1e-30)
    total = torch.full_like(part, FREEZING[-1])
    for c in FREEZING[-2:0:-1]:
        total = total * root + c
    most, by_salt, fresh = AIR
    return FREEZING[0] + part * total - (most - by_salt * s) * (1.0 + fresh * (1.0 - s / 35.16504))


def limit_to_freezing(temperature: Tensor, salinity: Tensor) -> tuple[Tensor, Tensor]:
    """Raise temperatures below freezing to it; return them and the rise (K).

    The caller books the rise as latent heat of ice.

    Parameters
    ----------
    temperature : (z, y, x) conservative, degrees C
    salinity : (z, y, x) absolute, g kg-1
    """
    raised = torch.maximum(temperature, freezing_point(salinity))
    return raised, raised - temperature
