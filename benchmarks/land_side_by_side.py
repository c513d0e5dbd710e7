# SPDX-License-Identifier: BSD-3-Clause
"""Several stomatal models in one run: each on columns of its own, all advanced together.

A step costs much the same for three columns and for three hundred, so that fourteen models cost little more than three.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from components.land.column.gas_exchange import Stomata, Traits
from components.land.column.optimality import OPTIMAL, Trade
from components.land.column.stomata import BallBerry, Leuning, Medlyn, Surroundings

BY_SLOPE = ["medlyn", "ball_berry", "leuning"]  # of the plant type's slope
MODELS = [*BY_SLOPE, "gentine", *(k for k in OPTIMAL if k not in ("manzoni", "lu"))]


def groups(models: Sequence[str]) -> list[list[str]]:
    """Models that can share a run."""
    shared = [[k for k in models if k in BY_SLOPE], [k for k in models if k in OPTIMAL]]
    return [g for g in (*shared, *([k] for k in models if k == "gentine")) if g]


@dataclass(frozen=True)
class _Optimal:
    """The penalty of each column's own model."""

    names: Sequence[str]
    of: Tensor  # number of the model, one a column
    needs_tension = True
    needs_limit = True

    def penalty(self, at: Trade) -> Tensor:
        total = torch.zeros_like(at.e)
        for i, name in enumerate(self.names):
            total = torch.where(self.of == i, OPTIMAL[name]().penalty(at), total)
        return total


@dataclass(frozen=True)
class _Empirical:
    """The slope of each column's own model."""

    models: Sequence[Any]
    of: Tensor

    @property
    def g0(self) -> Tensor:
        return torch.tensor([float(m.g0) for m in self.models], dtype=torch.float64)[self.of]

    def slope(self, near: Surroundings) -> Tensor:
        total = torch.zeros_like(near.ca)
        for i, model in enumerate(self.models):
            total = torch.where(self.of == i, model.slope(near), total)
        return total


class SideBySide(Stomata):
    """Stomata whose model changes from column to column; ``names`` are of one group of :func:`groups`.

    Parameters
    ----------
    columns
        Columns of each model; those of the first model come first.
    """

    def __init__(self, names: Sequence[str], columns: int) -> None:
        super().__init__(names[0])
        self.names = list(names)
        self.of_column = torch.arange(len(names)).repeat_interleave(columns)
        self.by_type = names[0] in BY_SLOPE

    def of(self, traits: Traits, columns: Tensor | None = None) -> Stomata:
        """The models of some columns with the plant types' own slopes."""
        bound = copy(self)
        of_column = self.of_column if columns is None else self.of_column[columns]
        if self.by_type:
            known = {
                "medlyn": Medlyn(traits.g1),
                "ball_berry": BallBerry(traits.slope),
                "leuning": Leuning(traits.slope),
            }
            bound.model, bound.closing = _Empirical([known[k] for k in self.names], of_column), traits.closing
        else:
            bound.model = _Optimal(self.names, of_column)
        return bound


def repeat(value: Any, times: int) -> Any:
    """A nested structure of columns, ``times`` over."""
    if isinstance(value, Tensor):
        return value.repeat(*[1] * (value.dim() - 1), times)
    if isinstance(value, tuple):
        return type(value)(*(repeat(v, times) for v in value))
    if hasattr(value, "__dataclass_fields__"):
        return type(value)(*(repeat(getattr(value, k), times) for k in value.__dataclass_fields__))
    return value
