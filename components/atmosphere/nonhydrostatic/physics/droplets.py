# SPDX-License-Identifier: BSD-3-Clause
"""Droplets of cloud: how many there are over land and sea, and how fast they settle.

Air over land has more particles on which cloud condenses than air over the sea, so that its clouds have more and
smaller droplets, of more unequal sizes. Of k, the cube of the mean volume radius over the effective radius, Martin,
Johnson & Spice (1994, J. Atmos. Sci. 51, 1823-1842) measured .80 in maritime and .67 in continental stratocumulus. The
numbers are those of Meso-NH (Lac et al. 2018, Geosci. Model Dev. 11, 1929-1969), blended by the share of land as there.
"""

import math
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.atmosphere.nonhydrostatic.physics.hydrometeors import dynamic_viscosity
from components.science.constants import GRAVITY, WATER_DENSITY
from components.science.remaining import of_each

Number = float | torch.Tensor


class Droplets(NamedTuple):
    """Droplets of cloud: their ``number``, m-3, and the ``spectrum`` k, one or one a cell."""

    number: Number
    spectrum: Number

    def of(self, cells: torch.Tensor | None, shape: torch.Size) -> "Droplets":
        """Those of some cells (m,) of a block of ``shape``, of all if None."""
        return Droplets(*(of_each(cells, a, shape) for a in self))


OVER_LAND, OVER_SEA = Droplets(3.0e8, 0.67), Droplets(1.0e8, 0.80)


def by_surface(land: torch.Tensor | None, over_land: float, over_sea: float) -> Droplets:
    """Droplets of columns by their share of land; as over land where nobody knows it.

    Parameters
    ----------
    land : (y, x) share, or None
    over_land, over_sea : their number, m-3
    """
    there, beyond = OVER_LAND._replace(number=over_land), OVER_SEA._replace(number=over_sea)
    if land is None:
        return there
    return Droplets(*(b + land * (a - b) for a, b in zip(there, beyond, strict=True)))


def speed(q_c: torch.Tensor, t: torch.Tensor, rho: torch.Tensor, droplets: Droplets) -> torch.Tensor:
    """Fall speed of droplets weighted with their mass, m s-1: Stokes' 2 g rho_w r^2 / (9 mu) over a lognormal.

    The mean of r^5 over that of r^3 is r_v^2 exp(5 ln^2 sigma), r_v being the mean volume radius (Bretherton, Blossey &
    Uchida 2007, Geophys. Res. Lett. 34, L03813), and k is exp(-3 ln^2 sigma).

    Parameters
    ----------
    q_c, t, rho : cloud water (kg/kg), temperature (K), density of dry air (kg m-3)
    droplets : in the cells
    """
    k = torch.as_tensor(droplets.spectrum, dtype=q_c.dtype, device=q_c.device)
    volume = 3.0 / (4.0 * math.pi * WATER_DENSITY) * rho * q_c / droplets.number  # r_v^3
    wide = volume / (k * k * torch.sqrt(k))  # r_v^2 k^(-5/3) is its power 2/3: a power is what costs
    return 2.0 * GRAVITY * WATER_DENSITY / 9.0 * power(wide, 2.0 / 3.0) / dynamic_viscosity(t)
