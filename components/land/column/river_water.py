# SPDX-License-Identifier: BSD-3-Clause
"""Where the land's cells meet their rivers: irrigation draws from them, groundwater feeds them or is fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column.irrigation import out_of_rivers
from components.land.column.water_table import Beds
from components.science.surface_fields import AVAILABLE_WATER, RIVER_BEDS, RIVER_WATER


def asked_of_rivers(groundwater: bool, irrigated: bool) -> tuple[str, ...]:
    """Fields that rivers tell the land, where there are rivers; with any of them the land says what it draws.

    Parameters
    ----------
    groundwater, irrigated : bool
        Whether the land has them.
    """
    return (*(RIVER_BEDS if groundwater else ()), *((AVAILABLE_WATER,) if irrigated else ()))


def meet_rivers(
    given: dict[str, Tensor], imports: Mapping[str, Any], land: Any, end: int, seconds: int
) -> dict[str, Tensor]:
    """What the cells gave, once irrigation has asked the rivers and groundwater has met them.

    Parameters
    ----------
    given : dict of str to Tensor
        Exports by cell, (n,).
    imports : mapping of str to array
        Of the component's block; cells without a river are not-a-number.
    land : ColumnLand
        Its cells, its water table, and whether it irrigates.
    end : int
        Model time at the end of the step, s.
    seconds : int
        Its length.
    """
    if not asked_of_rivers(land.table is not None, land.irrigated):
        return given

    def told(name: str) -> Tensor:
        return torch.as_tensor(np.nan_to_num(np.asarray(imports[name])[land.cells])).double()

    given = {**given, RIVER_WATER: torch.zeros(given["runoff_flux"].shape, dtype=torch.float64)}
    if land.irrigated and AVAILABLE_WATER in imports:
        given = out_of_rivers(given, told(AVAILABLE_WATER))
    if land.table is None:
        return given
    beds = Beds(*map(told, RIVER_BEDS)) if all(name in imports for name in RIVER_BEDS) else None
    return land.table.step(given, land.now, end, seconds, beds)
