# SPDX-License-Identifier: BSD-3-Clause
"""Batches of varied columns with the fluxes that RRTMG gives them."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.ml_surrogates import course
from components.radiation.rrtmg_scheme import Rrtmg
from components.science.constants import SOLAR_CONSTANT

from .augmentation import Sample, varied, with_other_gases
from .inputs import Inputs, inputs

Array = npt.NDArray[np.float64]
LEVELS = (None, None, None, 20, 30, 44, 60)
"""Layers of a batch, in turn: those of the model (None), or others."""
FLUXES = ("lw_up", "lw_down", "sw_up", "sw_down")


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


def labelled(sample: Sample, scheme: Rrtmg) -> Batch:
    """A sample with its fluxes by RRTMG.

    Parameters
    ----------
    sample : columns and their gases
    scheme : RRTMG, whose gases are set to the sample's
    """
    scheme.gases = sample.gases
    f = scheme.of_full(sample.columns)
    x = inputs(sample.columns, (sample.carbon_dioxide, sample.methane, sample.nitrous_oxide))
    fluxes: dict[str, Any] = {name: torch.tensor(f[name], dtype=torch.float32) for name in FLUXES}
    return Batch(x, **fluxes)


def batches(
    base: dict[str, Array],
    number: int,
    size: int,
    seed: int,
    levels: Sequence[int | None] = LEVELS,
    tell: Callable[[int], None] = lambda n: None,
    pairs: bool = True,
) -> list[Batch]:
    """``number`` batches of ``size`` columns varied from ``base``, labelled by RRTMG; every second one in pairs.

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
    rng, scheme, out = np.random.default_rng(seed), Rrtmg(), []
    for n in range(number):
        twice = pairs and n % 2 == 1
        sample = varied(base, size // 2 if twice else size, levels[n % len(levels)], rng)
        out.append(labelled(with_other_gases(sample, rng) if twice else sample, scheme))
        out[-1].pairs = twice
        tell(n + 1)
    return out


def together(many: list[Batch]) -> Batch:
    """Batches on the same number of layers as one."""
    x = [b.x for b in many]
    columns = type(x[0].columns)(*(torch.cat(parts, dim=-1) for parts in zip(*(i.columns for i in x), strict=True)))
    gases = [torch.cat(parts) for parts in zip(*(i[1:] for i in x), strict=True)]
    fluxes: dict[str, Any] = {n: torch.cat([getattr(b, n) for b in many], dim=1) for n in FLUXES}
    return Batch(Inputs(columns, *gases), **fluxes)


def data_hash(many: list[Batch]) -> str:
    """SHA-256 of all inputs and labels."""
    each = ((*b.x.columns, *b.x[1:], b.lw_up, b.lw_down, b.sw_up, b.sw_down) for b in many)
    return course.data_hash(itertools.chain.from_iterable(each))
