# SPDX-License-Identifier: BSD-3-Clause
"""What river water carries: heat, and dissolved carbon, nitrogen and phosphorus; each reach is well mixed.

Amounts are in their own units (J, kg); what one reach gives the next gets, so that books close by themselves.
"""

from __future__ import annotations

import numpy as np

from components.land.rivers.routing import Floats, Reaches


def carry_down(
    amounts: Floats, given: Floats, volume: Floats, lateral: Floats, outflow: Floats, reaches: Reaches, seconds: float
) -> tuple[Floats, Floats]:
    """Amounts after a step in which water only went down: what comes in is mixed with what is there, and then leaves.

    Parameters
    ----------
    amounts : float64 array
        In each reach at the start, (kind, reach).
    given : float64 array
        What the land adds during the step, (kind, reach).
    volume : float64 array
        Water at the start, m3, (reach,).
    lateral, outflow : float64 array
        Mean water from the land and out of each reach, m3 s-1, (reach,).
    reaches : Reaches
        Of the network.
    seconds : float
        Length of the step.

    Returns
    -------
    tuple of float64 array
        Amounts at the end, and what left each reach during the step, (kind, reach).
    """
    held = amounts + given
    water = volume + seconds * lateral
    left = np.zeros_like(held)
    for level in reaches.levels:
        out = seconds * outflow[level]
        share = np.minimum(np.where(water[level] > 0.0, out / np.maximum(water[level], 1e-300), 0.0), 1.0)
        left[:, level] = share * held[:, level]
        held[:, level] -= left[:, level]
        to = reaches.downstream[level]
        on = to >= 0
        np.add.at(water, to[on], out[on])
        for kind in range(held.shape[0]):
            np.add.at(held[kind], to[on], left[kind, level[on]])
    return held, left


def carry_both_ways(
    amounts: Floats, given: Floats, volume: Floats, flow: Floats, reaches: Reaches, seconds: float
) -> tuple[Floats, Floats]:
    """Amounts after a short step in which water may also back up: each flow has the mixture of the reach it leaves.

    Parameters
    ----------
    amounts, given : float64 array
        In each reach at the start, and what the land adds, (kind, reach).
    volume : float64 array
        Water at the start, m3, (reach,).
    flow : float64 array
        From each reach to that below, negative where it backs up, m3 s-1, (reach,).
    reaches : Reaches
        Of the network.
    seconds : float
        Length of the step.

    Returns
    -------
    tuple of float64 array
        Amounts at the end, and what left each reach downward during the step, (kind, reach).
    """
    to = np.maximum(reaches.downstream, 0)
    on = reaches.downstream >= 0
    giver = np.where((flow < 0.0) & on, to, np.arange(flow.size))
    share = seconds * flow / np.maximum(volume[giver], 1e-300)
    moved = np.where(volume[giver] > 0.0, share, 0.0) * amounts[:, giver]
    new = amounts + given - moved
    for kind in range(new.shape[0]):
        new[kind] += np.bincount(to[on], moved[kind, on], minlength=flow.size)
    return new, moved


def decayed(amounts: Floats, times: Floats, seconds: float) -> Floats:
    """What the step takes out of each reach (denitrification, uptake, burial): a share of the first order.

    Parameters
    ----------
    amounts : float64 array
        (kind, reach).
    times : float64 array
        In which 1/e is left, s, infinite where nothing decays, (kind,).
    seconds : float
        Length of the step.

    Returns
    -------
    float64 array
        (kind, reach).
    """
    return amounts * -np.expm1(-seconds / times)[:, None]
