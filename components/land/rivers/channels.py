# SPDX-License-Identifier: BSD-3-Clause
"""Channels of a network by its discharge: width, depth of the banks, bed, and the plain beside them."""

from __future__ import annotations

import numpy as np

from components.land.rivers.network import Floats, Network
from components.land.rivers.routing import Integers, Reaches, normal_depth, reaches_of
from components.science.constants import WATER_DENSITY

STEEPEST = 0.05
"""Of a bed between two cells."""
HIGH_WATER = 2.0
"""Discharge of the wettest thirty days of a year over the mean: what a channel just holds (Yangtze at Datong 1.8)."""


def width_of(discharge: Floats) -> Floats:
    """Width of a channel by its high water, m (Yamazaki et al. 2011, eq. 14: .40 Q^.75, at least 10 m).

    Parameters
    ----------
    discharge : float64 array
        Of the wettest thirty days of the year, m3 s-1.
    """
    return np.maximum(0.40 * np.exp(0.75 * np.log(np.maximum(discharge, 1e-30))), 10.0)


def bank_of(discharge: Floats) -> Floats:
    """Depth of a channel below its banks, m (Yamazaki et al. 2011, eq. 15: .14 Q^.40, at least 2 m).

    Parameters
    ----------
    discharge : float64 array
        Of the wettest thirty days of the year, m3 s-1.
    """
    return np.maximum(0.14 * np.exp(0.40 * np.log(np.maximum(discharge, 1e-30))), 2.0)


def banks_of(reaches: Reaches, discharge: Floats) -> Floats:
    """Depth of channels that hold their high water by Manning's formula, m, and that of `bank_of` at least.

    Where the bed is nearly level the formula of discharge alone puts the mean flow far above the banks.

    Parameters
    ----------
    reaches : Reaches
        Of the network.
    discharge : float64 array
        Mean, m3 s-1, (reach,).
    """
    high = HIGH_WATER * discharge
    return np.maximum(bank_of(high), normal_depth(reaches, high))


def smooth_bed(network: Network, height: Floats | None, slope: float) -> Floats:
    """Height of the beds, m, (ny, nx): that of the relief, raised where a reach would lie below the one it drains to.

    Parameters
    ----------
    network : Network
        On its grid.
    height : float64 array, optional
        Of the relief, m, (ny, nx); without it every bed has the same slope.
    slope : float
        Of beds without relief, and the least of all.
    """
    flat = network.downstream.ravel()
    length = network.length.ravel()
    bed = np.zeros(flat.size) if height is None else height.astype(float).ravel().copy()
    for level in reversed(network.levels):
        to = flat[level]
        below = np.where(to >= 0, bed[np.maximum(to, 0)], -np.inf)
        least, most = below + slope * length[level], below + STEEPEST * length[level]
        start = least if height is None else np.clip(bed[level], least, np.where(to >= 0, most, np.inf))
        bed[level] = np.where(to >= 0, start, bed[level])
    return bed.reshape(network.downstream.shape)


def channels_of(
    network: Network,
    height: Floats | None = None,
    *,
    mean_runoff: float = 1e-5,
    roughness: float = 0.03,
    slope: float = 1e-5,
    flood_plain: float = 0.05,
) -> tuple[Reaches, Integers]:
    """Reaches with channels by discharge, and plains beside them.

    Parameters
    ----------
    network : Network
        On its grid.
    height : float64 array, optional
        Of the relief, m, (ny, nx).
    mean_runoff : float
        From which the mean discharge follows, kg m-2 s-1.
    roughness : float
        Manning's n, s m-1/3.
    slope : float
        Least slope of the beds.
    flood_plain : float
        Share of a cell that the water may take above its banks; 0: the banks have no end.

    Returns
    -------
    Reaches, int64 array
        And the flat number of each reach's cell.
    """
    discharge = network.upstream_area * (mean_runoff / WATER_DENSITY)
    reaches, cells = reaches_of(
        network, width_of(HIGH_WATER * discharge), smooth_bed(network, height, slope), roughness
    )
    if flood_plain <= 0.0:
        return reaches, cells
    plain = np.maximum(flood_plain * network.area.ravel()[cells], reaches.width * reaches.length)
    return reaches._replace(bank=banks_of(reaches, discharge.ravel()[cells]), plain=plain), cells
