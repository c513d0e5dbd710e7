# SPDX-License-Identifier: BSD-3-Clause
"""The clouds and the snow that radiation sees: of the tracers, of layers below saturation, of convection."""

from typing import Literal, NamedTuple

import torch

from components.atmosphere.nonhydrostatic.physics import layer_clouds
from components.atmosphere.nonhydrostatic.physics.cloud_fraction import cloud_fraction
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convective_clouds import water
from components.atmosphere.nonhydrostatic.physics.interfaces import Convection, Parts
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import FREEZING_POINT

Law = Literal["sundqvist", "xu_randall", "whole"]
"""Words of `cloud_fraction`: by condensate and humidity, by condensate (Xu & Randall 1996), all or nothing."""
LIQUIDS, SOLIDS, SNOW, GRAUPEL = "cloud_water", "cloud_ice", "snow", "graupel"
"""Names of the tracers that radiation sees."""
GRAUPEL_AS_SNOW = 0.2  # of its mass: graupel has a fifth of the area that snow has, being as much larger and denser
ALL_ICE = FREEZING_POINT - 20.0  # K, below which clouds of convection are ice; all water above freezing
LEAST, MOST = 0.01, 0.99  # parts of a layer that are none and all of it


class Convective(NamedTuple):
    """Clouds of convection (nz, y, x): the share of a layer that they fill, their water in kg per kg of all its air."""

    cover: torch.Tensor
    condensate: torch.Tensor

    @classmethod
    def of(cls, convection: Convection | None) -> "Convective | None":
        """What a convection scheme has given, if it gives clouds."""
        if convection is None or convection.cover is None or convection.condensate is None:
            return None
        return cls(convection.cover, convection.condensate)


class Seen(NamedTuple):
    """What radiation sees (nz, y, x): water, ice and snow in kg per kg of all its air; the fraction, or None."""

    cloud: torch.Tensor
    ice: torch.Tensor
    snow: torch.Tensor
    fraction: torch.Tensor | None


def seen(parts: Parts, air: Columns, convective: Convective | None, law: Law, size: torch.Tensor) -> Seen:
    """Clouds and snow of a state.

    Parameters
    ----------
    parts : (nz, y, x) tracers by their names, kg/kg
    air : the columns
    convective : clouds of convection, which the tracers do not hold; they lie at random beside the others
    law : of the part of a layer that clouds fill; "whole": `fraction` is None, all of it or nothing
    size : (y, x) width of the cells, m
    """
    none = torch.zeros_like(air.t)
    cloud, ice = parts.get(LIQUIDS, none), parts.get(SOLIDS, none)
    snow = parts.get(SNOW, none) + GRAUPEL_AS_SNOW * parts.get(GRAUPEL, none)
    q_v, fraction = parts[VAPOUR.name], None
    frozen = torch.clamp((FREEZING_POINT - air.t) / (FREEZING_POINT - ALL_ICE), 0.0, 1.0)
    if law != "whole":
        fraction = cloud_fraction(q_v, cloud, ice + snow, air.t, air.p)
    if law == "sundqvist" and fraction is not None:
        more = torch.clamp(layer_clouds.cover(air, q_v, size) - fraction, min=0.0)
        fraction, unheld = fraction + more, more * water(air, q_v)
        ice, cloud = ice + frozen * unheld, cloud + (1.0 - frozen) * unheld
    if convective is not None:
        ice, cloud = ice + frozen * convective.condensate, cloud + (1.0 - frozen) * convective.condensate
        if fraction is not None:
            fraction = 1.0 - (1.0 - fraction) * (1.0 - torch.clamp(convective.cover, 0.0, 1.0))
    if fraction is not None:
        fraction = torch.where(fraction < LEAST, 0.0, torch.where(fraction > MOST, 1.0, fraction))
    return Seen(cloud, ice, snow, fraction)
