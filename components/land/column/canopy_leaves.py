# SPDX-License-Identifier: BSD-3-Clause
"""The leaves of many columns: each photosynthetic pathway's are worked out together, and only where there are any."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.gas_exchange import Leaves, Stomata, Traits, leaf_rates, leaf_respiration
from components.land.column.hydraulics import Plant, Weibull
from components.land.column.night import DAY_LIGHT
from components.land.column.structure import cut

DARK = 1.0  # umol m-2 s-1 absorbed, below which it is night for a leaf


class Water(NamedTuple):
    """What the plants' hydraulics follow from, one value a column."""

    kmax: Tensor  # mol m-2 s-1 MPa-1
    b: Tensor  # MPa, of the Weibull curve
    c: Tensor
    tension: Tensor  # at the roots, MPa


class Pathway(NamedTuple):
    """Columns whose leaves share a photosynthetic pathway."""

    columns: Tensor | None  # their numbers; None: all there are
    kind: str
    traits: Traits
    leaves: Leaves
    plant: Plant
    stomata: Stomata
    pressure: Tensor  # Pa

    def exchange(
        self, t: Tensor, ca: Tensor, vpd: Tensor, humidity: Tensor, warmth: Tensor, guess: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`CanopyLeaves.__call__`, for these columns alone.

        Parameters
        ----------
        t : (2, columns) temperature of sunlit and shaded leaves, K
        ca : CO2 at the leaf, umol mol-1
        vpd : vapour pressure deficit at the leaf, Pa
        humidity : relative humidity at the leaf, 0 to 1
        warmth : derivative of the leaf's heat loss with its temperature, W m-2 K-1
        guess : conductance to start from, mol m-2 s-1
        """
        leaf = leaf_rates(self.kind, self.traits, self.leaves, t)
        gs, assimilated = self.stomata(leaf, ca, vpd, humidity, self.pressure, self.plant, t, guess)
        if self.stomata.memory is not None:
            lit = self.leaves._replace(par=torch.full_like(self.leaves.par, DAY_LIGHT))
            day = leaf_rates(self.kind, self.traits, lit, t)
            dark = self.leaves.par < DARK
            gs = self.stomata.in_the_dark(dark, gs, day, ca, vpd / self.pressure, self.plant, t, warmth)
        return gs, assimilated


class CanopyLeaves:
    """Gas exchange of the sunlit and shaded leaves of all columns (canopy.LeafModel).

    Parameters
    ----------
    stomata
        Stomatal model.
    kind
        Of C3 photosynthesis: ``c3`` or ``cytochrome``.
    traits, leaves, water, pressure
        Of the columns.
    """

    def __init__(
        self, stomata: Stomata, kind: str, traits: Traits, leaves: Leaves, water: Water, pressure: Tensor
    ) -> None:
        self.traits, self.leaves, self.least = traits, leaves, stomata.least
        leafy, is_c4 = leaves.area[0] + leaves.area[1] > 0.0, traits.c4 > 0.5
        self.pathways = []
        for name, member in ((kind, leafy & ~is_c4), ("c4", leafy & is_c4)):
            found = torch.nonzero(member)[:, 0]
            if found.numel() == 0:
                continue
            columns = None if found.numel() == member.numel() else found
            own = traits, leaves, water, pressure
            part, lit, w, p = own if columns is None else cut(own, columns)
            plant = Plant(w.kmax, Weibull(w.b, w.c), w.tension)
            self.pathways.append(Pathway(columns, name, part, lit, plant, stomata.of(part, columns), p))

    def __call__(
        self, temperature: Tensor, ca: Tensor, vpd: Tensor, humidity: Tensor, exchange: Tensor, guess: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Stomatal conductance (mol m-2 s-1) and net assimilation (umol m-2 s-1), (2, ...); no leaves have none."""
        given = temperature, ca, vpd, humidity, exchange, guess
        gs, assimilated = torch.full_like(vpd, self.least), torch.zeros_like(vpd)
        for pathway in self.pathways:
            if pathway.columns is None:
                return pathway.exchange(*given)
            new, net = pathway.exchange(*cut(given, pathway.columns))
            gs, assimilated = (v.index_copy(-1, pathway.columns, n) for v, n in ((gs, new), (assimilated, net)))
        return gs, assimilated

    def respiration(self, temperature: Tensor) -> Tensor:
        """Of the leaves, umol m-2 s-1, (2, ...)."""
        return leaf_respiration(self.traits, self.leaves, temperature)
