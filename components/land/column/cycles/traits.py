# SPDX-License-Identifier: BSD-3-Clause
"""Traits of the cycles by plant type, out of ``tables/plant_cycles.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from components.land.column.cycles.allocation import Habit, Parts
from components.land.column.cycles.crop_day import STAGES, Farming, Organs
from components.land.column.cycles.crop_development import Calendar
from components.land.column.cycles.pools import DAY, YEARS, Traits
from components.land.column.cycles.turnover import Lives

GROWTH_RESPIRATION = 0.11  # carbon respired per carbon of tissue (Atkin et al. 2017, as in CLM5)
STORAGE_RATIO, HARVEST_RATIO = 40.0, 40.0  # C:N of reserves and of grain
SOWN = ("sown_above", "sown_below", "autumn", "killed_below", "earliest", "latest")  # of the table of crops

NOTHING = ("nitrogen", "phosphorus", "urea", "seed", "paddy", "emerged_area", "expansion", "nursery", "planted_above")
"""Of the table of crops, where a row does not say."""


def traits(
    rows: Mapping[str, Mapping[str, Any]], crops: Mapping[str, Mapping[str, Any]], plants: Sequence[str],
    vcmax25: Tensor, sand: Tensor,
) -> Traits:  # fmt: skip
    """Traits of columns with the given plant types; leaves with all they need have the row's Vcmax25, or that given.

    Parameters
    ----------
    rows : the table of plants
    crops : the table of those that are sown and harvested
    plants : one name a column
    vcmax25 : (columns,) umol m-2 s-1
    sand : (columns,) mass fraction
    """

    def of(column: str) -> Tensor:
        return torch.tensor([float(rows[k][column]) for k in plants], dtype=vcmax25.dtype, device=vcmax25.device)

    one = torch.ones_like(vcmax25)
    ratios = Parts(
        of("leaf_ratio"), of("root_ratio"), of("live_ratio"), of("dead_ratio"), STORAGE_RATIO * one, HARVEST_RATIO * one
    )
    lives = Lives(YEARS * of("leaf_life"), YEARS * of("root_life"), YEARS * of("wood_life"))
    habit = Habit(of("root_per_leaf"), of("wood_per_leaf"), of("live"), of("stored"), of("most_lai"))
    own = torch.tensor([float(rows[k].get("vcmax25", 0.0)) for k in plants], dtype=one.dtype, device=one.device)
    slope = torch.where(own > 0.0, own, vcmax25) * of("sla") * of("leaf_ratio")
    return Traits(
        of("kind"), of("warm_sum"), of("sla"), ratios, lives, habit, of("fixers"), of("ecto"), slope, one, sand,
        farming(crops, plants, vcmax25), _building(crops, plants, vcmax25),
        of("stretch"), DAY * of("leaf_fall"),
    )  # fmt: skip


def farming(crops: Mapping[str, Mapping[str, Any]], plants: Sequence[str], like: Tensor) -> Farming:
    """How columns are farmed; plants that are no crop have none of it.

    Parameters
    ----------
    crops : the table
    plants : one name a column
    like : (columns,) for type and device
    """
    none: dict[str, Any] = {k: 1.0 for k in (*Calendar._fields, *SOWN)}
    none |= dict.fromkeys(NOTHING, 0.0)
    none |= {"leaf_base": 0.0, "span": 1.0} | dict.fromkeys(Organs._fields, [0.0] * len(STAGES))
    rows = [{**none, **crops.get(name, {})} for name in plants]

    def of(column: str) -> Tensor:
        values = torch.tensor([r[column] for r in rows], dtype=like.dtype, device=like.device)
        return values.T.contiguous() if values.dim() > 1 else values

    is_crop = torch.tensor([float(name in crops) for name in plants], dtype=like.dtype, device=like.device)
    return Farming(
        is_crop, Calendar(*(of(k) for k in Calendar._fields)), of("sown_above"), of("sown_below"), of("autumn"),
        of("killed_below"), of("earliest"), of("latest"), of("nursery"), of("planted_above"), of("nitrogen"),
        of("phosphorus"), of("urea"), of("seed"), of("paddy"),
        Organs(*(of(k) for k in Organs._fields)), of("emerged_area"), of("expansion"), of("leaf_base"),
        of("span"),
    )  # fmt: skip


def _building(crops: Mapping[str, Mapping[str, Any]], plants: Sequence[str], like: Tensor) -> Tensor:
    costs = [float(crops[k]["building"]) if k in crops else GROWTH_RESPIRATION for k in plants]
    return torch.tensor(costs, dtype=like.dtype, device=like.device)
