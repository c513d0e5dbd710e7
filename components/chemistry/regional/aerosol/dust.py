# SPDX-License-Identifier: BSD-3-Clause
"""Dust from dry ground: thresholds, fluxes by choice, and sizes.

Thresholds after Shao & Lu (2000) and Fecan et al. (1999), fluxes after Kok et al. (2014) or Ginoux et al. (2001), sizes
after Kok (2011).
"""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from scipy.integrate import quad
from torch import Tensor

from components.science.constants import FREEZING_POINT, GRAVITY, WATER_DENSITY

DENSITY = 2650.0  # kg m-3
EDGES = (0.2e-6, 2.0e-6, 3.6e-6, 6.0e-6, 12.0e-6, 20.0e-6)  # diameters of the five sizes, m
COHESION = 1.65e-4  # gamma, kg s-2 (Shao & Lu 2000)
AIR = 1.225  # rho_a0, kg m-3, for which thresholds are standardised (Kok et al. 2014)
ST0, C_D0, C_E, C_ALPHA = 0.16, 4.4e-5, 2.0, 2.7  # m s-1, 1, 1, 1 (Kok et al. 2014, eqs. 18)
FREEZES_OVER = 2.0  # K below the melting point, over which the water of the topmost soil freezes
SNOW_DENSITY, SOIL_ROUGHNESS = 250.0, 0.01  # kg m-3, of settled snow, and m, of bare soil (Dickinson et al. 1993)
PORES = 0.395  # share of sand that can hold water (Clapp & Hornberger 1978)
BARE_BELOW = 0.3  # leaf and stem area up to which ground between plants emits (Mahowald et al. 2006)
GOCART_C, GOCART_A = 1.0e-9, 6.5  # kg s2 m-5, 1 (Ginoux et al. 2001, eqs. 2, 3)


@cache
def shares(edges: tuple[float, ...] = EDGES) -> tuple[float, ...]:
    """Shares of the emitted mass by size (Kok 2011, eq. 6): soil particles that break like glass.

    Parameters
    ----------
    edges : diameters between the sizes, m, growing
    """
    d_s, sigma, crack = 3.4e-6, 3.0, 12.0e-6

    def volume(ln_d: float) -> float:
        d = math.exp(ln_d)
        part = 1.0 + math.erf(math.log(d / d_s) / (math.sqrt(2.0) * math.log(sigma)))
        return d * part * math.exp(-((d / crack) ** 3))

    ln = np.log(edges)
    parts = [quad(volume, a, b, epsrel=1e-10)[0] for a, b in pairwise(ln)]
    return tuple(p / sum(parts) for p in parts)


def least_threshold(air: Tensor, diameter: Tensor | float | None = None) -> Tensor:
    """Friction velocity from which dry bare grains move, m s-1 (Shao & Lu 2000, eq. 24).

    Parameters
    ----------
    air : density of the air, kg m-3
    diameter : of the grains, m; that of the least threshold, 80 micrometres, if not given
    """
    d = torch.as_tensor(most_mobile() if diameter is None else diameter, dtype=air.dtype, device=air.device)
    return torch.sqrt(0.0123 * (DENSITY * GRAVITY * d + COHESION / d) / air)


def most_mobile() -> float:
    """Diameter of the grains that move first, m."""
    return math.sqrt(COHESION / (DENSITY * GRAVITY))


def wetted(threshold: Tensor, water: Tensor, clay: Tensor, ground: float = 1400.0) -> Tensor:
    """Threshold of ground that holds water (Fecan et al. 1999, eqs. 14, 15).

    Parameters
    ----------
    threshold : of dry ground, m s-1
    water : in the topmost soil, m3 m-3
    clay : share of the soil
    ground : density of dry soil, kg m-3
    """
    percent = 100.0 * water * (WATER_DENSITY / ground)
    bound = 100.0 * clay * (0.17 + 0.14 * clay)  # w' = 0.17 clay% + 0.0014 clay%^2
    over = torch.clamp(percent - bound, min=0.0)
    wet = torch.exp(0.68 * torch.log(torch.clamp(over, min=1.0e-30)))
    return threshold * torch.sqrt(1.0 + torch.where(over > 0.0, 1.21 * wet, torch.zeros_like(wet)))


def bare(leaf_area: Tensor, snow: Tensor) -> Tensor:
    """Share of the ground that neither plants nor snow cover.

    Parameters
    ----------
    leaf_area : leaf and stem area index, 1
    snow : share that snow covers
    """
    return torch.clamp(1.0 - leaf_area / BARE_BELOW, 0.0, 1.0) * torch.clamp(1.0 - snow, 0.0, 1.0)


def snow_cover(snow: Tensor) -> Tensor:
    """Share of flat ground that snow covers (Dickinson et al. 1993, BATS, NCAR/TN-387+STR): d / (d + 10 z_0).

    Parameters
    ----------
    snow : kg m-2
    """
    depth = torch.clamp(snow, min=0.0) / SNOW_DENSITY
    return depth / (depth + 10.0 * SOIL_ROUGHNESS)


def thawed(temperature: Tensor) -> Tensor:
    """Share of the topmost soil's water that is liquid: frozen ground holds its grains, and gives no dust.

    Models of land multiply the ground that emits by it (Oleson et al. 2013, NCAR/TN-503+STR, chapter 30); here the
    water freezes over two kelvins.

    Parameters
    ----------
    temperature : of the ground's surface, K
    """
    return torch.clamp((temperature - (FREEZING_POINT - FREEZES_OVER)) / FREEZES_OVER, 0.0, 1.0)


def kok(friction: Tensor, threshold: Tensor, clay: Tensor, bare: Tensor, air: Tensor) -> Tensor:
    """Upward flux of dust of all sizes, kg m-2 s-1 (Kok et al. 2014, eq. 18).

    Parameters
    ----------
    friction : velocity u*, m s-1
    threshold : u*_t of the ground as it is, m s-1
    clay : share of the soil, 1; more than 0.2 counts as 0.2 (as Kok et al. 2014 do)
    bare : share of the ground that emits
    air : density, kg m-3
    """
    standard = threshold * torch.sqrt(air / AIR)
    harder = (standard - ST0) / ST0
    c_d = C_D0 * torch.exp(-C_E * harder)
    u, t = torch.maximum(friction, threshold), threshold
    flux = air * (u * u - t * t) / standard * torch.exp(C_ALPHA * harder * torch.log(u / t))
    return c_d * bare * torch.clamp(clay, max=0.2) * flux


def gocart(wind: Tensor, source: Tensor, wetness: Tensor, air: Tensor) -> Tensor:
    """Upward flux of dust of all sizes after GOCART, kg m-2 s-1 (Ginoux et al. 2001, eqs. 2 and 3).

    Parameters
    ----------
    wind : at 10 m, m s-1
    source : share of the ground where sediment lies
    wetness : of the topmost soil, between 0 and 1; from 0.5 on nothing is emitted
    air : density, kg m-3
    """
    d = most_mobile()
    wet = torch.clamp(wetness, min=1.0e-3)
    dry_threshold = GOCART_A * torch.sqrt((DENSITY - air) / air * (GRAVITY * d))
    threshold = dry_threshold * torch.clamp(1.2 + 0.2 * torch.log10(wet), min=0.0)
    flux = GOCART_C * source * wind * wind * torch.clamp(wind - threshold, min=0.0)
    return torch.where(wetness < 0.5, flux, torch.zeros_like(flux))
