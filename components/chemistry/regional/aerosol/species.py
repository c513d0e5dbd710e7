# SPDX-License-Identifier: BSD-3-Clause
"""The aerosol that the chemistry holds: tracers, their sizes, and what water does to them."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.aerosol import dust, sea_salt
from components.chemistry.regional.aerosol.secondary_organic import BECOMES
from components.science.constants import CARBON_MOLAR_MASS
from components.science.tracers import Tracer

ORGANIC = 1.8  # mass of organic matter over that of its carbon (Turpin & Lim 2001)
MOLAR_MASS = {
    "sulfate": 0.09606, "nitrate": 0.062, "ammonium": 0.01804, "black_carbon_fresh": CARBON_MOLAR_MASS,
    "organic_matter_fresh": ORGANIC * CARBON_MOLAR_MASS, "other_primary": 1.0,
}  # fmt: skip
"""kg per mole of the ion, or of the carbon in it: what a mole of an emission weighs; of no molecule: a kilogram."""


class Kind(NamedTuple):
    """A tracer of aerosol.

    Attributes
    ----------
    name : of the tracer, kg per kg of dry air
    field : name in the tables of optics and in the exported field
    diameter : dry, which stands for how its mass moves, m
    density : dry, kg m-3
    kappa : hygroscopicity (Petters & Kreidenweis 2007)
    taken : share in the water of a cloud
    fine : share of the dry mass in particles of less than 2.5 micrometres
    """

    name: str
    field: str
    diameter: float
    density: float
    kappa: float
    taken: float
    fine: float = 1.0

    def soluble(self) -> bool:
        """Whether all of it is small, takes up water and is in the water of clouds."""
        return self.kappa > 0.0 and self.taken == 1.0 and self.fine == 1.0

    def tracer(self) -> Tracer:
        """As the transport sees it."""
        return Tracer(self.name, "kg kg-1", carried_by_convection=True, boundary="hold")


def _middle(edges: tuple[float, ...]) -> list[float]:
    return [(low * high) ** 0.5 for low, high in pairwise(edges)]


def _fine_dust() -> list[float]:
    """Share of each size that is smaller than 2.5 micrometres."""
    out = []
    for low, high in pairwise(dust.EDGES):
        between = min(max(low, FINE), high)
        parts = dust.shares((low, between, high)) if low < between < high else (float(high <= FINE), 0.0)
        out.append(parts[0])
    return out


FINE = 2.5e-6  # m, diameter
SMALL_SALT = sea_salt.mass((sea_salt.EDGES[1], 0.5 * FINE))[0] / sea_salt.mass()[1]
KINDS = (
    Kind("sulfate", "sulfate", 0.35e-6, 1770.0, 0.53, 1.0),
    Kind("nitrate", "nitrate", 0.35e-6, 1725.0, 0.67, 1.0),
    Kind("ammonium", "ammonium", 0.35e-6, 1750.0, 0.6, 1.0),
    Kind("black_carbon_fresh", "elemental_carbon", 0.15e-6, 1800.0, 0.0, 0.0),
    Kind("black_carbon_aged", "aged_elemental_carbon", 0.20e-6, 1800.0, 0.1, 1.0),
    Kind("organic_matter_fresh", "particulate_organic_matter", 0.20e-6, 1300.0, 0.0, 0.0),
    Kind("organic_matter_aged", "particulate_organic_matter", 0.30e-6, 1300.0, 0.1, 1.0),
    Kind(BECOMES, "particulate_organic_matter", 0.30e-6, 1300.0, 0.1, 1.0),
    # ash and dust of works and streets: mineral, as fine dust is to light
    Kind("other_primary", "dust_1", 0.5e-6, dust.DENSITY, 0.03, 0.5),
    Kind("sea_salt_1", "sea_salt_1", 0.5e-6, sea_salt.DENSITY, 1.1, 1.0),
    Kind("sea_salt_2", "sea_salt_2", 4.0e-6, sea_salt.DENSITY, 1.1, 1.0, SMALL_SALT),
    *(
        Kind(f"dust_{n + 1}", f"dust_{n + 1}", d, dust.DENSITY, 0.03, 0.5, fine)
        for n, (d, fine) in enumerate(zip(_middle(dust.EDGES), _fine_dust(), strict=True))
    ),
)
"""In the order in which arrays hold them; diameters of the accumulation mode by mass after Seinfeld & Pandis (2006)."""

NAMES = tuple(kind.name for kind in KINDS)
KIND = {kind.name: kind for kind in KINDS}
FRESH = {"black_carbon_fresh": "black_carbon_aged", "organic_matter_fresh": "organic_matter_aged"}


def columns_of(values: str, like: Tensor) -> Tensor:
    """A property of all kinds (n, 1, 1, 1) in the precision of ``like``.

    Parameters
    ----------
    values : name of the property of `Kind`
    like : tensor
    """
    return torch.tensor([getattr(kind, values) for kind in KINDS], dtype=like.dtype, device=like.device)[
        :, None, None, None
    ]
