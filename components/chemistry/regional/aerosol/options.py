# SPDX-License-Identifier: BSD-3-Clause
"""What the namelist says of aerosol."""

from typing import Annotated, Literal

from torch import Tensor

from components.chemistry.regional.aerosol.secondary_organic import WITH_CARBON_MONOXIDE
from coupler.namelist import Namelist, Range

Longitude = Annotated[float, Range(least=-360.0, most=360.0)]
Latitude = Annotated[float, Range(least=-90.0, most=90.0)]
Share = Annotated[float, Range(least=0.0, most=1.0)]


class Desert(Namelist):
    """``{west: 77, east: 90, south: 36.5, north: 41.5, bare: 0.8}``."""

    west: Longitude
    """Degrees east."""
    east: Longitude
    """Degrees east."""
    south: Latitude
    """Degrees north."""
    north: Latitude
    """Degrees north."""
    bare: Share = 0.5
    """Share of the ground that emits."""

    def holds(self, longitude: Tensor, latitude: Tensor) -> Tensor:
        """Which places lie in it.

        Parameters
        ----------
        longitude, latitude : degrees
        """
        along = (longitude - self.west) % 360.0 <= (self.east - self.west) % 360.0
        return along & (latitude >= self.south) & (latitude <= self.north)


DESERTS = (
    Desert(west=76.0, east=90.0, south=36.5, north=41.5, bare=0.6),
    Desert(west=90.0, east=112.0, south=37.5, north=45.5, bare=0.4),
)
"""Taklamakan and Gobi, roughly."""


class Dust(Namelist):
    """``{scheme: kok}``."""

    scheme: Literal["kok", "gocart"] = "kok"
    """Flux after Kok et al. (2014) or after GOCART (Ginoux et al. 2001)."""
    clay: Share = 0.1
    """Share of clay in the soil, the same everywhere."""
    deserts: list[Desert] | None = None
    """Where dust rises: [{west: 77, east: 90, south: 36.5, north: 41.5, bare: 0.8}]; in order, the last one holds. By
    itself the bare ground of land_cover, or without such a file Taklamakan and Gobi, roughly."""


class Aerosol(Namelist):
    """``{dust: {scheme: kok}, sea_salt: true}``; ``{}`` for all of it as it is by itself."""

    dust: Dust | None = Dust()
    """Dust from dry ground: {scheme: kok, clay: 0.1}; null: none."""
    sea_salt: bool = True
    """Salt from the sea (Gong 2003)."""
    organic_vapour: Share = WITH_CARBON_MONOXIDE
    """Vapour emitted with each kilogram of carbon monoxide, kg, that OH turns into organic particles (Hodzic & Jimenez
    2011); 0: none."""
