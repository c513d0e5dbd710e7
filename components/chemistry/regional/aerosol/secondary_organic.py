# SPDX-License-Identifier: BSD-3-Clause
"""Organic particles that form in the air of what people emit (Hodzic & Jimenez 2011, GMD 4, 901): the simple scheme.

Vapours are emitted with carbon monoxide, whose sources are theirs; OH turns them into particles, a kilogram into a
kilogram, which stay particles. They are not deposited before.
"""

import torch
from torch import Tensor

from components.science.constants import AVOGADRO
from components.science.tracers import Tracer

VAPOUR = Tracer("organic_vapour", "kg kg-1", carried_by_convection=True, boundary="zero")
WITH, OXIDANT, BECOMES = "CO", "OH", "organic_matter_secondary"
WITH_CARBON_MONOXIDE = 0.08  # kg of vapour for a kg of carbon monoxide
CARBON_MONOXIDE = 0.028010  # kg mol-1
RATE = 1.25e-11 * 1.0e-6 * AVOGADRO  # with OH, m3 mol-1 s-1


def formed(vapour: Tensor, hydroxyl: Tensor, seconds: float) -> Tensor:
    """Of the vapour, what becomes particles, in its unit.

    Parameters
    ----------
    vapour : of one unit, 0 or more
    hydroxyl : OH, mol m-3, 0 or more
    seconds : s
    """
    return -vapour * torch.expm1(-RATE * hydroxyl * seconds)
