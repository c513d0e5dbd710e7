# SPDX-License-Identifier: BSD-3-Clause
"""Ozone that enters through stomata, and the photosynthesis it costs (Sitch et al. 2007, Nature 448, 791).

Leaves do F of what they did, and their stomata open F as wide; F = 1 - a (flux - threshold) where the flux of ozone
into the leaf is above a threshold. The flux passes what is left open, so that F is the root of a quadratic. Nothing is
remembered: a leaf that was harmed yesterday is whole today.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

RATIO = 1.67  # resistance of stomata to ozone over that to water vapour (Sitch et al. 2007, after Laisk et al. 1989)


class Sensitivity(NamedTuple):
    """What ozone does to a plant type, one value a column.

    Attributes
    ----------
    threshold : flux per leaf area that does no harm, nmol m-2 s-1
    slope : a, share lost for each nmol m-2 s-1 above it
    """

    threshold: Tensor
    slope: Tensor


class Exposure(NamedTuple):
    """Ozone in the lowest air, nmol mol-1, and what it does to the plants there; one value a column."""

    ozone: Tensor
    sensitivity: Sensitivity


def sensitivity(
    rows: dict[str, dict[str, float]], plants: Sequence[str], level: str, dtype: torch.dtype, device: str | torch.device
) -> Sensitivity:
    """Of columns with the given plant types.

    Parameters
    ----------
    rows : table ``ozone``
    plants : one name a column
    level : ``low`` or ``high``, the two ends of what Sitch et al. (2007) read from experiments
    """

    def of(column: str) -> Tensor:
        return torch.tensor([float(rows[k][column]) for k in plants], dtype=dtype, device=device)

    return Sensitivity(of("threshold"), of(level))


def flux(ozone: Tensor, conductance: Tensor, resistance: Tensor) -> Tensor:
    """Ozone into leaves, nmol m-2 s-1 of leaf.

    Parameters
    ----------
    ozone : in the lowest air, nmol mol-1
    conductance : of stomata to water vapour, mol m-2 s-1
    resistance : of the air and of the leaf's boundary layer, mol-1 m2 s
    """
    return ozone / (resistance + RATIO / conductance)


def left(ozone: Tensor, conductance: Tensor, resistance: Tensor, s: Sensitivity) -> Tensor:
    """Share F of photosynthesis and of stomatal conductance that ozone leaves, 0 to 1.

    Parameters
    ----------
    ozone : in the lowest air, nmol mol-1
    conductance : of stomata without ozone, mol m-2 s-1
    resistance : of the air and of the leaf's boundary layer, mol-1 m2 s
    s : of the plants

    Examples
    --------
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> round(left(60.0 * x, 0.3 * x, 1.0 * x, Sensitivity(5.0 * x, 0.25 * x)).item(), 4)
    0.66
    """
    # F (G F + k) = (1 + a c)(G F + k) - a O g F with G = R g, the root that does not cancel
    whole = 1.0 + s.slope * s.threshold
    g = resistance * conductance
    b = RATIO - whole * g + s.slope * ozone * conductance
    root = torch.sqrt(b * b + 4.0 * g * whole * RATIO)
    f = torch.where(b > 0.0, 2.0 * whole * RATIO / (b + root), (root - b) / (2.0 * torch.clamp(g, min=1e-30)))
    return torch.where(flux(ozone, conductance, resistance) > s.threshold, torch.clamp(f, 0.0, 1.0), torch.ones_like(f))
