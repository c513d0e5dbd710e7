# SPDX-License-Identifier: BSD-3-Clause
"""A step of all reaches, of their water and of what it carries, by one of three routings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.land.rivers.carried import carry_down, decayed
from components.land.rivers.kernels.inertia import run_inertia
from components.land.rivers.routing import (
    COURANT,
    SHALLOW,
    Floats,
    Muskingum,
    Reaches,
    kinematic_step,
    muskingum_step,
    normal_depth,
)
from components.science.constants import WATER_DENSITY
from components.science.surface_fields import RUNOFF_HEAT, RUNOFF_MATTER

KINDS = (RUNOFF_HEAT, *RUNOFF_MATTER)
"""What the water carries: heat above water at 0 C (J), and mass (kg)."""
MOST_DRAWN = 0.9
"""Share of the water of a reach that the land may draw in a step."""


class State(NamedTuple):
    """Of the reaches, each (reach,), amounts (kind, reach).

    Attributes
    ----------
    volume : float64 array
        Water in the reach, m3.
    inflow, outflow : float64 array
        At the end of the last step, m3 s-1 (Muskingum); the outflow by width, m2 s-1 (local inertia).
    lake : float64 array
        Water that has come to the end of a closed basin, m3.
    owed : float64 array
        Water that the land has drawn and neither the reach nor those below it had, m3; the next runoff pays it.
    amounts, lake_amounts : float64 array
        What the water of the reach, and of the lake, carries, in J and kg.
    """

    volume: Floats
    inflow: Floats
    outflow: Floats
    lake: Floats
    owed: Floats
    amounts: Floats
    lake_amounts: Floats


class Flow(NamedTuple):
    """Means of a step.

    Attributes
    ----------
    water : float64 array
        Out of each reach, m3 s-1, (reach,).
    carried : float64 array
        With it, J s-1 and kg s-1, (kind, reach).
    removed : float64 array
        What decayed during the step or went with the water that the land drew, (kind, reach), in J and kg.
    """

    water: Floats
    carried: Floats
    removed: Floats


@dataclass(frozen=True)
class Rivers:
    """What stays the same through a run.

    Parameters
    ----------
    reaches : Reaches
        Of the network.
    sinks : bool array
        Reaches whose water ends inland, (reach,).
    routing : str
        ``muskingum``, ``kinematic`` or ``local_inertia``.
    celerity : float
        Of a flood wave, m s-1 (Muskingum).
    weight : float
        X, of the inflow in the storage (Muskingum).
    decay : float64 array
        Time in which 1/e of each kind is left, s, infinite where nothing decays, (kind,).
    """

    reaches: Reaches
    sinks: npt.NDArray[np.bool_]
    routing: str
    celerity: float
    weight: float
    decay: Floats

    def steady(self, lateral: Floats) -> State:
        """Reaches through which a runoff has run for ever, by Manning's formula; with nothing in the water.

        Parameters
        ----------
        lateral : float64 array
            What the land gives, m3 s-1, (reach,).
        """
        r, n = self.reaches, self.reaches.width.size
        inflow = lateral.astype(float).copy()
        for level in r.levels:
            to = r.downstream[level]
            np.add.at(inflow, to[to >= 0], inflow[level[to >= 0]])
        volume, outflow = r.held(normal_depth(r, inflow)), inflow.copy()
        if self.routing == "muskingum":
            volume = inflow * self._travel(1.0)[0]
        elif self.routing == "local_inertia":
            outflow = inflow / r.width
        else:
            inflow, outflow = np.zeros(n), np.zeros(n)
        none = np.zeros((len(KINDS), n))
        return State(volume, inflow, outflow, np.zeros(n), np.zeros(n), none, none.copy())

    def _travel(self, seconds: float) -> tuple[Floats, Floats]:
        """K and X of each reach: within what the step can take (Chow et al. 1988, section 8.4)."""
        travel = np.maximum(self.reaches.length / self.celerity, 0.5 * seconds / (1.0 - self.weight))
        return travel, np.minimum(self.weight, 0.5 * seconds / travel)

    def advance(self, state: State, lateral: Floats, given: Floats, seconds: float) -> tuple[State, Flow]:
        """Water and what it carries down the network for one step.

        Parameters
        ----------
        state : State
            At the start.
        lateral : float64 array
            What the land gives, negative where it draws, m3 s-1, (reach,).
        given : float64 array
            What comes with it, J s-1 and kg s-1, (kind, reach).
        seconds : float
            Length of the step.

        Returns
        -------
        State, Flow
            At the end, and the means of the step. All that came is there, has left or was removed.
        """
        net = lateral - state.owed / seconds
        owed, lateral = np.maximum(-net, 0.0) * seconds, np.maximum(net, 0.0)
        drawn = np.zeros_like(state.amounts)
        if owed.any():
            state, owed, drawn = self._drawn(state, owed)
        moved, water, amounts, left = self._moved(state, lateral, given * seconds, seconds)
        removed = decayed(amounts, self.decay, seconds)
        lake = state.lake + np.where(self.sinks, seconds * water, 0.0)
        lake_amounts = state.lake_amounts + np.where(self.sinks, left, 0.0)
        new = moved._replace(lake=lake, owed=owed, amounts=amounts - removed, lake_amounts=lake_amounts)
        return new, Flow(water, left / seconds, removed + drawn)

    def _drawn(self, state: State, wanted: Floats) -> tuple[State, Floats, Floats]:
        """Take water out of the reaches, with what it carries; what one has not is asked of the reach below.

        Returns the state, what no reach down to the end had, m3, and what went with the water, (kind, reach).
        """
        r, owed, kept, gone = self.reaches, wanted.copy(), np.ones_like(wanted), np.zeros_like(wanted)
        for level in r.levels:
            asking = level[owed[level] > 0.0]
            have = state.volume[asking]
            taken = np.minimum(owed[asking], MOST_DRAWN * have)
            kept[asking], gone[asking] = 1.0 - taken / np.maximum(have, 1e-300), taken
            rest, to = owed[asking] - taken, r.downstream[asking]
            owed[asking] = np.where(to >= 0, 0.0, rest)
            np.add.at(owed, to[to >= 0], rest[to >= 0])
        amounts, inflow, outflow = state.amounts * kept, state.inflow, state.outflow
        if self.routing == "muskingum":  # the volume is that of the flows
            inflow, outflow = inflow * kept, outflow * kept
        new = state._replace(volume=state.volume - gone, inflow=inflow, outflow=outflow, amounts=amounts)
        return new, owed, state.amounts - amounts

    def _moved(
        self, state: State, lateral: Floats, given: Floats, seconds: float
    ) -> tuple[State, Floats, Floats, Floats]:
        """State with its water moved, mean outflow, amounts at the end, and amounts that left each reach."""
        r = self.reaches
        if self.routing == "local_inertia":
            return self._backing_up(state, lateral, given, seconds)
        if self.routing == "kinematic":
            volume, water = kinematic_step(state.volume, r, lateral, seconds)
            new = state._replace(volume=volume)
        else:
            travel, weight = self._travel(seconds)
            now = Muskingum(state.inflow, state.outflow)
            (inflow, outflow), volume, water = muskingum_step(now, r, lateral, travel, weight, seconds, lateral)
            new = state._replace(volume=volume, inflow=inflow, outflow=outflow)
        amounts, left = carry_down(state.amounts, given, state.volume, lateral, water, r, seconds)
        return new, water, amounts, left

    def _backing_up(
        self, state: State, lateral: Floats, given: Floats, seconds: float
    ) -> tuple[State, Floats, Floats, Floats]:
        """Short steps of local inertia, as long as they are stable."""
        r = self.reaches
        channel = r.width * r.length
        bank = np.full_like(channel, np.inf) if r.bank is None or r.plain is None else r.bank
        there = np.flatnonzero(state.amounts.any(1) | given.any(1))  # kinds that nobody gives cost nothing
        volume, discharge = state.volume.copy(), state.outflow.copy()
        held, rates = state.amounts[there], given[there] / seconds
        through, gone = run_inertia(
            volume, discharge, held, lateral, rates, r.downstream, r.length, r.width, r.bed, r.roughness, r.slope,
            bank, channel if r.plain is None else r.plain, seconds, COURANT, SHALLOW,
        )  # fmt: skip
        amounts, left = np.zeros_like(given), np.zeros_like(given)
        amounts[there], left[there] = held, gone
        return state._replace(volume=volume, outflow=discharge), through / seconds, amounts, left


def mass(volume: Floats) -> Floats:
    """Of river water, kg.

    Parameters
    ----------
    volume : float64 array
        m3.
    """
    return volume * WATER_DENSITY
