# SPDX-License-Identifier: BSD-3-Clause
"""Clouds without rain: vapour condenses, and cloud evaporates, until saturation over water or no cloud."""

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import adjust_to_saturation
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Parts
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, VAPOUR
from components.science.constants import CP_DRY, LATENT_VAPORISATION

SPECIES = (VAPOUR, CLOUD_WATER)


def step(air: Columns, theta: torch.Tensor, q: Parts, dt: float) -> Clouds:
    """`saturation` as a scheme of the table; it takes no time."""
    heating = LATENT_VAPORISATION / CP_DRY
    t, vapour, cloud = adjust_to_saturation(theta * air.pi, q[VAPOUR.name], q[CLOUD_WATER.name], air.p, heating)
    none = torch.zeros_like(theta[0])
    return Clouds(t / air.pi, {VAPOUR.name: vapour, CLOUD_WATER.name: cloud}, none, none)
