# SPDX-License-Identifier: BSD-3-Clause
"""Water on its way down a network: Muskingum, kinematic wave, local inertia. What comes in goes on or is stored.

Every function takes reaches as flat arrays and returns the new state; the water in a reach is its volume, so that books
close by themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.land.rivers.network import SEA, Network
from components.science.constants import GRAVITY

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
COURANT = 0.7  # of local inertia (Bates et al. 2010)
SHALLOW = 1e-4  # m, depth below which no water moves between reaches
NEWTON = 40  # iterations at most, to 1e-14 of the volume


class Reaches(NamedTuple):
    """Reaches of a network, each of shape (reach,).

    Attributes
    ----------
    downstream : int64 array
        Number of the reach below, -1 at a mouth or a sink.
    levels : tuple of int64 array
        Reaches by the longest way down to them.
    length, width : float64 array
        m.
    bed : float64 array
        Height of the bed, m.
    roughness : float64 array
        Manning's n, s m-1/3.
    bank : float64 array
        Depth above which water leaves the channel, m.
    plain : float64 array
        Area that the water has above its banks, the channel's included, m2; None for walls without an end.
    """

    downstream: Integers
    levels: tuple[Integers, ...]
    length: Floats
    width: Floats
    bed: Floats
    roughness: Floats
    bank: Floats | None = None
    plain: Floats | None = None

    def depth(self, volume: Floats) -> Floats:
        """Depth of the water in the channel, m.

        Parameters
        ----------
        volume : float64 array
            m3, (reach,).
        """
        channel = self.width * self.length
        if self.bank is None or self.plain is None:
            return volume / channel
        full = channel * self.bank
        return np.where(volume <= full, volume / channel, self.bank + (volume - full) / self.plain)

    def held(self, depth: Floats) -> Floats:
        """Water of a depth in the channel, with that on the plain, m3: `depth` the other way.

        Parameters
        ----------
        depth : float64 array
            m, (reach,).
        """
        channel = self.width * self.length
        if self.bank is None or self.plain is None:
            return depth * channel
        return np.minimum(depth, self.bank) * channel + np.maximum(depth - self.bank, 0.0) * self.plain

    def surface(self, volume: Floats) -> Floats:
        """Area of the water, m2: of the channel, and above its banks of the plain.

        Parameters
        ----------
        volume : float64 array
            m3, (reach,).
        """
        channel = self.width * self.length
        if self.bank is None or self.plain is None:
            return channel
        return np.where(volume <= channel * self.bank, channel, self.plain)

    @property
    def slope(self) -> Floats:
        """Of the bed towards the reach below, at least 1e-6; at mouths as in the reach itself, 1e-4."""
        below = np.where(self.downstream >= 0, self.bed[np.maximum(self.downstream, 0)], self.bed - 1e-4 * self.length)
        return np.maximum((self.bed - below) / self.length, 1e-6)


def reaches_of(network: Network, width: Floats, bed: Floats, roughness: float = 0.03) -> tuple[Reaches, Integers]:
    """Reaches of the land cells of a network.

    Parameters
    ----------
    network : Network
        On its grid.
    width, bed : float64 array
        By cell, m, (ny, nx).
    roughness : float
        Manning's n, s m-1/3.

    Returns
    -------
    Reaches, int64 array
        And the flat number of each reach's cell.
    """
    cells = np.flatnonzero(network.downstream.ravel() != SEA)
    number = np.full(network.downstream.size, -1)
    number[cells] = np.arange(cells.size)
    to = network.downstream.ravel()[cells]
    below = np.where(to >= 0, number[np.maximum(to, 0)], -1)
    levels = tuple(number[level] for level in network.levels)
    length, across, floor = (x.ravel()[cells] for x in (network.length, width, bed))
    return Reaches(below, levels, length, across, floor, np.full(cells.size, roughness)), cells


def muskingum_coefficients(travel: float, weight: float, seconds: float) -> tuple[float, float, float]:
    """C1, C2, C3 of O2 = C1 I2 + C2 I1 + C3 O1 (Chow, Maidment and Mays 1988, eqs 8.4.8 to 8.4.10).

    Parameters
    ----------
    travel : float
        K, time that the water takes through the reach, s.
    weight : float
        X, of the inflow in the storage, 0 to .5.
    seconds : float
        Length of the step.

    Raises
    ------
    ValueError
        A step outside 2 K X to 2 K (1 - X), where a coefficient would be negative.
    """
    low, high = 2.0 * travel * weight, 2.0 * travel * (1.0 - weight)
    if not low <= seconds <= high:
        raise ValueError(
            f"expected a step of {low:g} to {high:g} s for K {travel:g} s and X {weight:g}, got {seconds:g} s"
        )
    whole = high + seconds
    return (seconds - low) / whole, (seconds + low) / whole, (high - seconds) / whole


class Muskingum(NamedTuple):
    """State of Muskingum routing, each of shape (reach,), m3 s-1.

    Attributes
    ----------
    inflow, outflow : float64 array
        At the end of the last step.
    """

    inflow: Floats
    outflow: Floats


def muskingum_step(
    state: Muskingum,
    reaches: Reaches,
    lateral: Floats,
    travel: Floats,
    weight: Floats | float,
    seconds: float,
    mean: Floats | None = None,
) -> tuple[Muskingum, Floats, Floats]:
    """One step of Muskingum routing down the network.

    Parameters
    ----------
    state : Muskingum
        At the start.
    reaches : Reaches
        Of the network.
    lateral : float64 array
        What the land adds to the inflow of each reach at the end of the step, m3 s-1.
    travel : float64 array
        K of each reach, s.
    weight : float or float64 array
        X.
    seconds : float
        Length of the step.
    mean : float64 array, optional
        What the land adds in the mean of the step, m3 s-1; by default the mean of both ends, as the state has them.

    Returns
    -------
    Muskingum, float64 array, float64 array
        At the end; the volume in each reach, K (X I + (1 - X) O), m3; and the mean outflow of the step, m3 s-1.
    """
    low, high = 2.0 * travel * weight, 2.0 * travel * (1.0 - weight)
    whole = high + seconds
    inflow, outflow = lateral.astype(float).copy(), np.zeros_like(state.outflow)
    before = _from_above(state.outflow, reaches.downstream)
    twice = 2.0 * mean if mean is not None else lateral + state.inflow - before  # mean inflow of the step, times two
    twice = twice + before
    for level in reaches.levels:
        old = low[level] * state.inflow[level] + (high[level] - seconds) * state.outflow[level]
        outflow[level] = (seconds * twice[level] - low[level] * inflow[level] + old) / whole[level]
        _pass_on(outflow, inflow, level, reaches.downstream)
        _pass_on(outflow, twice, level, reaches.downstream)
    volume = travel * (weight * inflow + (1.0 - weight) * outflow)
    return Muskingum(inflow, outflow), volume, 0.5 * (state.outflow + outflow)


def _from_above(outflow: Floats, downstream: Integers) -> Floats:
    """Sum of what the reaches above give, by reach."""
    there = downstream >= 0
    return np.bincount(downstream[there], outflow[there], minlength=outflow.size).astype(np.float64)


def _pass_on(outflow: Floats, inflow: Floats, level: Integers, downstream: Integers) -> None:
    to = downstream[level]
    np.add.at(inflow, to[to >= 0], outflow[level[to >= 0]])


def kinematic_step(volume: Floats, reaches: Reaches, lateral: Floats, seconds: float) -> tuple[Floats, Floats]:
    """One implicit step of the kinematic wave in wide rectangular channels (Manning; Lighthill and Whitham 1955).

    Parameters
    ----------
    volume : float64 array
        In each reach, m3.
    reaches : Reaches
        Of the network.
    lateral : float64 array
        What the land adds, m3 s-1.
    seconds : float
        Length of the step, of any size.

    Returns
    -------
    tuple of float64 array
        Volume at the end and mean outflow of the step, m3 and m3 s-1; none is negative.
    """
    conveyance = seconds * reaches.width * np.sqrt(reaches.slope) / reaches.roughness
    channel = reaches.width * reaches.length
    bank = np.full_like(channel, np.inf) if reaches.bank is None or reaches.plain is None else reaches.bank
    wide = channel if reaches.plain is None else reaches.plain
    full = channel * bank
    brim = full + conveyance * bank * np.cbrt(bank) ** 2  # what a reach has that is left full to its banks
    new, outflow, inflow = np.zeros_like(volume), np.zeros_like(volume), lateral.astype(float).copy()
    for level in reaches.levels:
        have = np.maximum(volume[level] + seconds * inflow[level], 0.0)
        over = have > brim[level]
        area, start = np.where(over, wide[level], channel[level]), np.where(over, full[level], 0.0)
        foot = np.where(over, bank[level], 0.0)
        v = np.where(over, have, np.minimum(have, full[level]))
        c = conveyance[level]
        for _ in range(NEWTON):  # v + c h(v)^(5/3) - have rises and bends up: Newton from above never overshoots
            depth = foot + (v - start) / area
            root = np.cbrt(depth) ** 2
            change = (v + c * depth * root - have) / (1.0 + 5.0 / 3.0 * c / area * root)
            v = np.maximum(v - change, start)
            if not (np.abs(change) > 1e-14 * have).any():
                break
        new[level] = v
        outflow[level] = (have - v) / seconds
        _pass_on(outflow, inflow, level, reaches.downstream)
    return new, outflow


def normal_depth(reaches: Reaches, discharge: Floats) -> Floats:
    """Depth of a uniform flow in a wide rectangular channel, m (Manning), (reach,).

    Parameters
    ----------
    reaches : Reaches
        Of the network.
    discharge : float64 array
        m3 s-1, (reach,).
    """
    root = discharge * reaches.roughness / (reaches.width * np.sqrt(reaches.slope))
    return np.where(root > 0.0, np.exp(0.6 * np.log(np.maximum(root, 1e-300))), 0.0)


class Inertia(NamedTuple):
    """State of local inertia.

    Attributes
    ----------
    volume : float64 array
        In each reach, m3.
    discharge : float64 array
        From each reach to that below, by width, m2 s-1; negative where it backs up.
    """

    volume: Floats
    discharge: Floats


def longest_step(state: Inertia, reaches: Reaches) -> float:
    """Longest stable step of local inertia, s (Bates et al. 2010, eq. 12).

    Parameters
    ----------
    state : Inertia
        Now.
    reaches : Reaches
        Of the network.
    """
    depth = reaches.depth(state.volume)
    wave = np.sqrt(GRAVITY * np.maximum(depth, 0.01))
    return float(COURANT * (reaches.length / wave).min())


def inertia_step(
    state: Inertia, reaches: Reaches, lateral: Floats, seconds: float, sea_level: float = -np.inf
) -> tuple[Inertia, Floats]:
    """One explicit step of the local inertia equations (Bates et al. 2010, eq. 11), in rectangular channels.

    Parameters
    ----------
    state : Inertia
        At the start.
    reaches : Reaches
        Of the network.
    lateral : float64 array
        What the land adds, m3 s-1.
    seconds : float
        At most `longest_step`.
    sea_level : float
        Beyond the mouths, m; without it water leaves by the bed's slope.

    Returns
    -------
    Inertia, float64 array
        At the end, and the mean outflow of each reach, m3 s-1. No reach gives more than it has.
    """
    below = reaches.downstream
    to = np.maximum(below, 0)
    level = reaches.bed + reaches.depth(state.volume)
    fall = reaches.slope * reaches.length
    beyond = np.maximum(level - fall, sea_level)
    other, other_bed = (
        np.where(below >= 0, level[to], beyond),
        np.where(below >= 0, reaches.bed[to], reaches.bed - fall),
    )
    depth = np.maximum(np.maximum(level, other) - np.maximum(reaches.bed, other_bed), 0.0)
    wet = depth > SHALLOW
    safe = np.where(wet, depth, 1.0)
    pull = GRAVITY * safe * seconds * (level - other) / reaches.length
    drag = GRAVITY * seconds * reaches.roughness**2 * np.abs(state.discharge) / (safe**2 * np.cbrt(safe))
    q = np.where(wet, (state.discharge + pull) / (1.0 + drag), 0.0)
    width = np.where(below >= 0, np.minimum(reaches.width, reaches.width[to]), reaches.width)
    flow = q * width
    # What leaves a reach by all its ends is scaled to what it has; what comes back from below by what that one has.
    leaving = np.maximum(flow, 0.0)
    np.add.at(leaving, to[(below >= 0) & (flow < 0.0)], -flow[(below >= 0) & (flow < 0.0)])
    have = np.maximum(state.volume + seconds * np.minimum(lateral, 0.0), 0.0)
    share = np.where(seconds * leaving > have, have / np.maximum(seconds * leaving, 1e-300), 1.0)
    giver = np.where((flow < 0.0) & (below >= 0), to, np.arange(flow.size))
    flow = np.where((flow < 0.0) & (below < 0), 0.0, flow * share[giver])
    gained = lateral - flow
    np.add.at(gained, to[below >= 0], flow[below >= 0])
    return Inertia(state.volume + seconds * gained, flow / width), flow
