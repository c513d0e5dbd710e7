# SPDX-License-Identifier: BSD-3-Clause
"""Clouds in parts of layers that are not saturated as a whole, which no tracer holds; for radiation.

Air within a cell is not all alike: a part of it is saturated before its mean is. That part grows from nothing at a
critical humidity (Sundqvist, Berge & Kristjansson 1989, Mon. Wea. Rev. 117, 1641-1657), which rises towards the ground
(Lohmann & Roeckner 1996, Clim. Dyn. 12, 557-572) and with smaller cells. Stratus that is thinner than a layer lies
under strong inversions over low ground (Klein & Hartmann 1993, J. Climate 6, 1587-1606) where the air is moist (Slingo
1987, Q. J. R. Meteorol. Soc. 113, 899-927).
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science.water import saturation_pressure_mixed

ALOFT, GROUND, STEEP = 0.7, 0.9, 4.0  # critical humidity and the power of its change (Lohmann & Roeckner 1996)
LEAST_LACK = 1.0e-8  # at saturation, where the root has no slope and a gradient would not be a number
THEIR_CELLS = 3.0e5  # m, those of T42
SLOPE, LEAST_STABLE = 0.057, 0.5573  # K-1, 1: cover by stability up to 700 hPa (Klein & Hartmann 1993)
STABLE_TO, LOW_INVERSION, LOW_GROUND = 7.0e4, 7.5e4, 9.0e4  # Pa
INVERSION = 1.25e-3  # K Pa-1, of potential temperature (Collins et al. 2004, NCAR/TN-464)
DRY, MOIST = 0.6, 0.8  # relative humidity without, and with all, of the stratus (Slingo 1987)


def cover(air: Columns, q_v: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Share of each layer (nz, y, x) that such clouds fill.

    Parameters
    ----------
    air : the columns
    q_v : (nz, y, x) vapour, kg/kg
    size : (y, x) width of the cells, m
    """
    humidity = q_v / saturation_mixing_ratio(saturation_pressure_mixed(air.t), air.p)
    return torch.maximum(below_saturation(humidity, air.p, size), under_inversion(air, humidity))


def below_saturation(humidity: torch.Tensor, p: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Share 1 - sqrt((1 - RH) / (1 - RH_c)) of a layer that is saturated (Sundqvist et al. 1989, eq. 3.13).

    Parameters
    ----------
    humidity : (nz, y, x) relative humidity, 1 at saturation
    p : (nz, y, x) pressure, Pa
    size : (y, x) width of the cells, m
    """
    lack = (1.0 - humidity) / (1.0 - critical_humidity(p, size))
    return torch.where(lack < LEAST_LACK, 1.0, 1.0 - torch.sqrt(torch.clamp(lack, LEAST_LACK, 1.0)))


def critical_humidity(p: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Relative humidity above which a part of the air is saturated (Lohmann & Roeckner 1996, eq. 34).

    What it is short of 1 is the scatter of humidity within a cell, which grows with the cube root of its width where
    variance falls with the power 5/3 of the wave number (Nastrom & Gage 1985, J. Atmos. Sci. 42, 950-960).

    Parameters
    ----------
    p : (nz, y, x) pressure, lowest layer first, Pa
    size : (y, x) width of the cells, m
    """
    ratio = p[:1] / p
    ratio = ratio * ratio
    theirs = ALOFT + (GROUND - ALOFT) * torch.exp(1.0 - ratio * ratio)
    return 1.0 - (1.0 - theirs) * torch.exp(torch.log(size / THEIR_CELLS) / 3.0)


def under_inversion(air: Columns, humidity: torch.Tensor) -> torch.Tensor:
    """Share of each layer (nz, y, x) that stratus fills: of the layer beneath the steepest inversion, no other.

    An inversion that stands on the ground has none beneath it.

    Parameters
    ----------
    air : the columns
    humidity : (nz, y, x) relative humidity
    """
    theta, p = air.theta, air.p
    steep = (theta[1:] - theta[:-1]) / (p[:-1] - p[1:])
    high = theta[0]
    steepest = torch.zeros_like(theta[0])
    for k in range(theta.shape[0] - 1):
        part = (p[k] - STABLE_TO) / (p[k] - p[k + 1])
        crossed = (p[k] >= STABLE_TO) & (p[k + 1] < STABLE_TO)
        high = torch.where(crossed, theta[k] + part * (theta[k + 1] - theta[k]), high)
        steepest = torch.where(p[k + 1] > LOW_INVERSION, torch.maximum(steepest, steep[k]), steepest)
    stable = torch.clamp(SLOPE * (high - theta[0]) - LEAST_STABLE, 0.0, 1.0)
    stable = torch.where((steepest > INVERSION) & (p[0] > LOW_GROUND), stable, 0.0)
    there = torch.zeros_like(theta)
    there[1:-1] = torch.where((steep[1:] >= steepest) & (p[2:] > LOW_INVERSION), stable, 0.0)
    return there * torch.clamp((humidity - DRY) / (MOIST - DRY), 0.0, 1.0)
