# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide as tagged tracers: one for each origin, and their sum is the gas.

A tag is the mole fraction of dry air that its origin has added or taken away since the start; it may be negative (a
forest by day) and is never clipped. The transport's limiter works on each tag, so the total is their sum, not a tracer.
"""

from collections.abc import Sequence

from torch import Tensor

from components.science.constants import CARBON_MOLAR_MASS, DRY_AIR_MOLAR_MASS
from components.science.tracers import Tracer

SIDES = "carbon_dioxide_of_sides"
LAND, OCEAN, FOSSIL = "carbon_dioxide_of_land", "carbon_dioxide_of_ocean", "carbon_dioxide_of_fossil_fuel"
TAGS = (SIDES, LAND, OCEAN, FOSSIL)
FLUX = "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon"
MOLES = DRY_AIR_MOLAR_MASS / CARBON_MOLAR_MASS
"""Mole fraction times kg of dry air that a kg of carbon makes."""


def tracers() -> tuple[Tracer, ...]:
    """The tags: what the sides (and the start) give comes in there, the others begin at nothing."""
    return tuple(
        Tracer(name, "mol mol-1", carried_by_convection=True, boundary="hold" if name == SIDES else "zero")
        for name in TAGS
    )


def upward(downward_carbon: Tensor) -> Tensor:
    """Flux into the air in mole fraction times kg m-2 s-1, of carbon downward in kg m-2 s-1.

    Parameters
    ----------
    downward_carbon : (ny, nx) kg m-2 s-1
    """
    return -MOLES * downward_carbon


def total(tags: Sequence[Tensor]) -> Tensor:
    """Mole fraction of carbon dioxide: the sum of its tags, in their order.

    Parameters
    ----------
    tags : as in `TAGS`
    """
    out = tags[0]
    for tag in tags[1:]:
        out = out + tag
    return out
