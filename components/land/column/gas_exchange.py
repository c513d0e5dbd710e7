# SPDX-License-Identifier: BSD-3-Clause
"""Sunlit and shaded leaves of a canopy: traits, light, and the stomatal model by name."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.land.column import night, optimality, stomata
from components.land.column.hydraulics import Plant, Weibull
from components.land.column.photosynthesis import (
    Leaf,
    c3_leaf,
    c4_leaf,
    c4_respiration_factor,
    cytochrome_leaf,
    respiration_factor,
)
from components.land.column.radiation import Shortwave
from components.land.column.roots import falling_root
from components.land.column.structure import cut
from components.science.constants import PAR_PHOTONS

ABSORBED_YIELD = 0.3  # mol electrons per mol absorbed photons (Medlyn et al. 2002)
COLD, WARM_ENOUGH = 269.15, 275.15  # K: photosynthesis stops below the first, is free above the second
PHYSIOLOGICAL = 223.15, 333.15  # K, outside which the temperature functions are held


class Traits(NamedTuple):
    """Leaf physiology of a plant type, one value a column; may require gradients."""

    vcmax25: Tensor  # umol m-2 s-1, top of the canopy
    jmax_ratio: Tensor  # Jmax25/Vcmax25 (cytochrome variant: Vqmax25/Vcmax25)
    rd_ratio: Tensor  # Rd25/Vcmax25
    extinction: Tensor  # of nitrogen with plant area
    c4: Tensor  # 1 for C4, 0 for C3
    g1: Tensor  # Medlyn slope, kPa^.5
    slope: Tensor  # of the models after Ball and Berry
    closing: Tensor | None = None  # MPa at the roots, on which stomata of empirical models close; None: by the xylem


class Leaves(NamedTuple):
    """Sunlit and shaded leaves: first index 0 sunlit, 1 shaded."""

    area: Tensor  # m2 m-2 ground
    par: Tensor  # absorbed photons per leaf area, umol m-2 s-1
    vcmax25: Tensor  # umol m-2 s-1


def split_leaves(traits: Traits, light: Shortwave, lai: Tensor, sai: Tensor) -> Leaves:
    """Leaf area, absorbed light and capacity of sunlit and shaded leaves (de Pury and Farquhar 1997).

    Stems take their share of light by area; capacity follows nitrogen, which falls off exponentially
    downward.

    Parameters
    ----------
    traits : leaf traits, one value a column
    light : what the canopy absorbs by band, W m-2
    lai, sai : (columns,) leaf and stem area index, m2 m-2
    """
    total = torch.clamp(lai + sai, min=1e-6)
    leafy = lai / total
    sun = torch.minimum(light.sunlit_area, total)
    shade = torch.clamp(total - sun, min=0.0)
    k, n = light.extinction, traits.extinction
    whole = (1.0 - torch.exp(-n * total)) / n
    lit = (1.0 - torch.exp(-(n + k) * total)) / (n + k)
    area = torch.stack([sun, shade])
    safe = torch.clamp(area, min=1e-6)
    par = torch.stack([light.sunlit[0], light.shaded[0]]) * PAR_PHOTONS / safe
    vcmax = traits.vcmax25 * torch.stack([lit, torch.clamp(whole - lit, min=0.0)]) / safe
    return Leaves(area * leafy, torch.clamp(par, min=0.0), torch.minimum(vcmax, traits.vcmax25 + 0.0 * vcmax))


def leaf_rates(kind: str, traits: Traits, leaves: Leaves, temperature: Tensor) -> Leaf:
    """Limiting rates at leaf ``temperature`` (K) for ``kind`` "c3", "cytochrome" or "c4".

    Cold closes the leaf linearly between 2 and -4 C.

    Parameters
    ----------
    kind : photosynthetic pathway
    traits : leaf traits, one value a column
    leaves : area, light and capacity of sunlit and shaded leaves
    temperature : (2, columns), K
    """
    cold = torch.clamp((temperature - COLD) / (WARM_ENOUGH - COLD), 0.0, 1.0)
    v, rd = leaves.vcmax25 * cold, traits.rd_ratio * leaves.vcmax25
    t = torch.clamp(temperature, *PHYSIOLOGICAL)
    if kind == "c4":
        return c4_leaf(t, leaves.par, v, rd)
    if kind == "cytochrome":
        return cytochrome_leaf(t, leaves.par, v, traits.jmax_ratio * v, rd)
    return c3_leaf(t, leaves.par, v, traits.jmax_ratio * v, rd, ABSORBED_YIELD)


def leaf_respiration(traits: Traits, leaves: Leaves, temperature: Tensor) -> Tensor:
    """Respiration of leaves at ``temperature`` (K), umol m-2 s-1, as :func:`leaf_rates` has it.

    Parameters
    ----------
    traits : leaf traits, one value a column
    leaves : area and capacity of sunlit and shaded leaves
    temperature : (2, columns), K
    """
    t = torch.clamp(temperature, *PHYSIOLOGICAL)
    factor = torch.where(traits.c4 > 0.5, c4_respiration_factor(t), respiration_factor(t))
    return traits.rd_ratio * leaves.vcmax25 * factor


CLOSING = 1.8  # exponent with which crops' stomata close (Traits.closing)
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-5}  # of the first-order condition


class Stomata:
    """A stomatal model by name, for whole canopies.

    Parameters
    ----------
    name
        ``medlyn``, ``ball_berry``, ``leuning``, ``gentine`` or an optimality model of
        :data:`optimality.OPTIMAL`.
    least
        Conductance left by closed stomata and cuticle, mol m-2 s-1.
    iterations
        Most evaluations of the optimality condition.
    memory
        Weight f of the day's assimilation in the optimal conductance at night (night.py); None: stomata close in the
        dark down to ``least`` or g0.
    guess
        Gives an optimality model a conductance to start from, or None, in the place of the last one (first_guess.py).
    parameters
        Of the model (``g1=...``); without g1, empirical models take the plant types' own.
    """

    def __init__(
        self,
        name: str = "medlyn",
        least: float = 0.001,
        iterations: int = 20,
        memory: float | None = None,
        guess: Callable[[optimality.Model, optimality.Scene], Tensor | None] | None = None,
        **parameters: object,
    ):
        if name not in stomata.EMPIRICAL and name not in optimality.OPTIMAL:
            names = ", ".join([*stomata.EMPIRICAL, *optimality.OPTIMAL])
            raise ValueError(f"unknown stomatal model {name!r}; known models: {names}")
        self.name, self.least, self.iterations, self.memory, self.guess = name, least, iterations, memory, guess
        self.empirical = name in stomata.EMPIRICAL
        known: dict[str, Any] = stomata.EMPIRICAL if self.empirical else optimality.OPTIMAL
        self.model = known[name](**parameters)
        self.closing: Tensor | None = None
        self.by_type = name in ("medlyn", "ball_berry", "leuning") and "g1" not in parameters

    def of(self, traits: Traits, columns: Tensor | None = None) -> Stomata:
        """The model of some columns (their numbers), with the ``traits`` of theirs where no slope was given.

        Parameters
        ----------
        traits : leaf traits of the columns
        columns : numbers of the columns, or None for all
        """
        bound = copy(self)
        bound.closing = traits.closing
        if columns is not None:
            bound.model = cut(self.model, columns)
        if self.by_type:
            bound.model = replace(bound.model, g1=traits.g1 if self.name == "medlyn" else traits.slope)
        return bound

    def __call__(
        self,
        leaf: Leaf,
        ca: Tensor,
        vpd: Tensor,
        humidity: Tensor,
        pressure: Tensor,
        plant: Plant,
        temperature: Tensor,
        guess: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Stomatal conductance to water vapour (mol m-2 s-1) and net assimilation (umol m-2 s-1).

        Parameters
        ----------
        leaf
            Limiting rates.
        ca, vpd, humidity
            CO2 (umol mol-1), vapour pressure deficit (Pa) and relative humidity at the leaf surface.
        pressure
            Pa.
        plant
            Hydraulics per leaf area; supplies the water stress K(soil)/Kmax to empirical models.
        temperature
            Leaf temperature, K.
        guess
            Conductance near which an optimality model looks first, mol m-2 s-1.
        """
        if self.name == "gentine":
            out = self._by_conductance(leaf, ca, vpd, humidity, pressure, plant)
            return out.conductance, out.assimilation
        if self.empirical:
            ratio = plant.k_soil / plant.kmax
            if self.closing is not None:
                ratio = torch.minimum(ratio, Weibull(self.closing, CLOSING).fraction(plant.p_soil))
            near = stomata.Surroundings(ca, vpd, humidity, leaf.compensation, ratio, ratio)
            out = stomata.couple(self.model, leaf, near, self.least)
            return out.conductance, out.assimilation
        scene = optimality.Scene(leaf, ca, vpd / pressure, plant, temperature)
        learned = self.guess(self.model, scene) if self.guess is not None else None
        guess = guess if learned is None else learned
        best = optimality.optimise(self.model, scene, self.iterations, guess=guess, tolerance=TOLERANCE[ca.dtype])
        return torch.clamp(best.conductance, min=self.least), best.assimilation

    def in_the_dark(
        self,
        dark: Tensor,
        conductance: Tensor,
        day: Leaf,
        ca: Tensor,
        deficit: Tensor,
        plant: Plant,
        temperature: Tensor,
        exchange: Tensor,
    ) -> Tensor:
        """Conductance with that of dark leaves replaced by the optimum of night.py, where ``memory`` asks for it.

        Parameters
        ----------
        dark
            Whether the leaf is in the dark.
        conductance
            By day, mol m-2 s-1.
        day
            The leaf as it would be in light, at its present temperature.
        ca, deficit, plant, temperature
            CO2 (umol mol-1), leaf-to-air deficit (mol mol-1), hydraulics, leaf temperature (K); the day's deficit is
            taken to be no less than 10 mmol mol-1.
        exchange
            Heat exchange of a leaf, sensible and radiative, W m-2 K-1.
        """
        if self.memory is None or not bool(dark.any()):
            return conductance
        respiration25 = day.respiration / night.respiration_factor(temperature)
        by_day = torch.clamp(deficit, min=night.DAY_DEFICIT)
        scene = night.Night(day, ca, by_day, deficit, plant, respiration25, temperature, exchange)
        best, _, _ = night.night_conductance(scene, self.memory, self.iterations)
        return torch.where(dark, torch.clamp(best, min=self.least, max=night.WIDEST), conductance)

    def _by_conductance(
        self, leaf: Leaf, ca: Tensor, vpd: Tensor, humidity: Tensor, pressure: Tensor, plant: Plant
    ) -> stomata.GasExchange:
        """Gentine's model: the conductance ratio is the leaf's own, so supply and demand are solved together."""
        deficit = torch.clamp(vpd / pressure, min=optimality.LOWEST_DEFICIT)

        def demand(s: Tensor) -> tuple[stomata.GasExchange, Tensor]:
            at = plant.along(s)
            ratio = at.k / plant.kmax
            near = stomata.Surroundings(ca, vpd, humidity, leaf.compensation, ratio, ratio)
            out = stomata.couple(self.model, leaf, near, self.least)
            return out, (out.conductance * deficit - at.e) / plant.e_crit

        start = torch.full_like(ca + leaf.respiration, 0.5)
        return demand(falling_root(lambda s: demand(s)[1], start, self.iterations))[0]
