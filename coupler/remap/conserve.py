# SPDX-License-Identifier: BSD-3-Clause
"""Corrections that make a remapped field conserve its integral, after OASIS ``CONSERV``.

Integrals are order-free sums: the correction has the same bits for any number of ranks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from coupler.exact_sum import exact_bins, rounded
from coupler.grids.grid import GridError

Floats = NDArray[np.float64]
Conservation = Literal["global", "global_positive", "basin", "basin_positive"]
CONSERVATION = ("global", "global_positive", "basin", "basin_positive")


@dataclass(frozen=True)
class Correction:
    """Replaces a remapped value v by factor x v + offset."""

    factor: float
    offset: float


def integral(area: Floats, values: Floats) -> float:
    """Sum of area x value, independent of order.

    Parameters
    ----------
    area : (cells,) m2
    values : (cells,)
    """
    return float(rounded(exact_bins(np.ascontiguousarray(area * values, np.float64))))


def correction(
    kind: Conservation, source_integral: float, target_integral: float, source_area: float, target_area: float
) -> Correction:
    """Correction of one field.

    Parameters
    ----------
    kind
        ``global``: the missing amount is spread evenly over the target. ``global_positive``: in proportion to the
        values, so that none changes sign. ``basin`` and ``basin_positive``: the same, but the mean over the active
        area is kept instead of the total, for grids whose seas differ in size.
    source_integral, target_integral
        Sum of area x value over active cells, before the correction.
    source_area, target_area
        Sum of the areas of those cells, m2.

    Raises
    ------
    GridError
        For an unknown kind, or a proportional correction of a field whose target integral is zero.
    """
    if kind not in CONSERVATION:
        raise GridError(f"conservation {kind!r}: use one of {', '.join(CONSERVATION)}")
    if target_area <= 0.0 or source_area <= 0.0:
        return Correction(1.0, 0.0)
    wanted = source_integral * (target_area / source_area) if kind.startswith("basin") else source_integral
    if not kind.endswith("positive"):
        return Correction(1.0, (wanted - target_integral) / target_area)
    if target_integral == 0.0:
        if wanted == 0.0:
            return Correction(1.0, 0.0)
        raise GridError(
            f"conservation {kind!r} scales a field, but its integral on the target is zero and {wanted:g} on the"
            f" source; use {kind.removesuffix('_positive')!r}"
        )
    return Correction(wanted / target_integral, 0.0)
