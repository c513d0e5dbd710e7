# SPDX-License-Identifier: BSD-3-Clause
"""Batches of varied columns with the fluxes that RRTMGP gives them.

Where clouds fill a part of a layer RRTMGP draws which layers are cloudy (McICA), and its fluxes have the draw's noise.
Labels are means over draws, and what a network learns from them is the expected flux.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.ml_surrogates import course
from components.radiation.full_columns import FullColumns
from components.radiation.particles import seeds
from components.radiation.rrtmgp_scheme import FLUXES, sized_ice
from components.science.constants import SOLAR_CONSTANT

from .augmentation import Sample, varied, with_other_gases
from .inputs import Inputs, inputs

Array = npt.NDArray[np.float64]
LEVELS = (None, None, None, 20, 30, 44, 60)
"""Layers of a batch, in turn: those of the model (None), or others."""
FOR_TRAINING, FOR_SCORES = 12, 512
"""Draws of the cloudy layers."""


@dataclass
class Batch:
    """Inputs and fluxes (nlev+1, n) W m-2 of one set of columns."""

    x: Inputs
    lw_up: torch.Tensor
    lw_down: torch.Tensor
    sw_up: torch.Tensor
    sw_down: torch.Tensor
    pairs: bool = False
    """Whether the second half has the columns of the first with other gases."""

    @property
    def insolation(self) -> torch.Tensor:
        """Flux from the sun at the top (n,), W m-2."""
        return SOLAR_CONSTANT * self.x.columns.mu

    def daylight(self) -> "Batch":
        """The columns in the sun."""
        return self.take(torch.nonzero(self.x.columns.mu > 0.0)[:, 0])

    def take(self, index: torch.Tensor) -> "Batch":
        """Some of the columns."""
        fluxes = {name: getattr(self, name)[:, index] for name in FLUXES}
        return replace(self, x=self.x.take(index), **fluxes)


def labelled(sample: Sample, draws: int = FOR_SCORES) -> Batch:
    """A sample with its fluxes by RRTMGP.

    Parameters
    ----------
    sample : columns and their gases
    draws : of the cloudy layers, over which the fluxes of columns with clouds in parts of layers are means
    """
    x = inputs(sample.columns, (sample.carbon_dioxide, sample.methane, sample.nitrous_oxide), sample.particles)
    shape = tuple(sample.columns.p_interface.shape)
    fluxes = {name: np.zeros(shape) for name in FLUXES}
    gases = np.stack([sample.carbon_dioxide, sample.methane, sample.nitrous_oxide])
    kinds, which = np.unique(gases, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        some = np.flatnonzero(which.reshape(-1) == kind)
        for name, mean in of_draws(sample.take(some), draws).items():
            fluxes[name][:, some] = mean
    labels: dict[str, Any] = {name: torch.tensor(a, dtype=torch.float32) for name, a in fluxes.items()}
    return Batch(x, **labels)


def of_draws(sample: Sample, draws: int, first: int = 0) -> dict[str, Array]:
    """Means of the fluxes (nlev+1, n) over draws of the cloudy layers; columns that are alike in all draws have one.

    Parameters
    ----------
    sample : columns with gases that are alike
    draws : how many
    first : number of the first draw
    """
    scheme = sized_ice(sample.gases_of(0))
    fraction = sample.columns.fraction.numpy()
    sampled = np.flatnonzero(((fraction > 0.0) & (fraction < 1.0)).any(0))
    out = scheme.of_full(sample.columns, particles=sample.particles)
    if len(sampled):
        mine = sample.take(sampled)
        sums = {name: np.zeros((len(fraction) + 1, len(sampled))) for name in FLUXES}
        for draw in range(first, first + draws):
            drawn = mine.particles._replace(seed=seeds(0, sampled, draw))
            for name, flux in scheme.of_full(mine.columns, particles=drawn).items():
                sums[name] += flux
        for name, total in sums.items():
            out[name][:, sampled] = total / draws
    return out


def batches(
    base: dict[str, Array],
    number: int,
    size: int,
    seed: int,
    levels: Sequence[int | None] = LEVELS,
    tell: Callable[[int], None] = lambda n: None,
    pairs: bool = True,
) -> list[Batch]:
    """``number`` batches of ``size`` columns varied from ``base``, labelled by RRTMGP; every second one in pairs.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    number : of batches
    size : columns of a batch
    seed : of everything random
    levels : layers of the batches in turn, None for the model's own
    tell : takes the number of batches made so far
    pairs : whether every second batch holds pairs with other gases
    """
    rng, out = np.random.default_rng(seed), []
    for n in range(number):
        twice = pairs and n % 2 == 1
        sample = varied(base, size // 2 if twice else size, levels[n % len(levels)], rng)
        out.append(labelled(with_other_gases(sample, rng) if twice else sample, FOR_TRAINING))
        out[-1].pairs = twice
        tell(n + 1)
    return out


def together(many: list[Batch]) -> Batch:
    """Batches on the same number of layers as one."""
    x = [b.x for b in many]
    columns = FullColumns(*(torch.cat(parts, dim=-1) for parts in zip(*(i.columns for i in x), strict=True)))
    others = [torch.cat(parts, dim=-1) for parts in zip(*(i[1:] for i in x), strict=True)]
    fluxes: dict[str, Any] = {n: torch.cat([getattr(b, n) for b in many], dim=1) for n in FLUXES}
    return Batch(Inputs(columns, *others), **fluxes)


def data_hash(many: list[Batch]) -> str:
    """SHA-256 of all inputs and labels."""
    each = ((*b.x.columns, *b.x[1:], b.lw_up, b.lw_down, b.sw_up, b.sw_down) for b in many)
    return course.data_hash(itertools.chain.from_iterable(each))
