# SPDX-License-Identifier: BSD-3-Clause
"""What deposition must know of a case: what lies on the ground, and of a period: the lowest air and the rain."""

from pathlib import Path

import torch
from torch import Tensor

from components.chemistry.regional.deposition import dry, land_cover, rain
from components.chemistry.regional.deposition.gas_surfaces import season_of
from components.chemistry.regional.land_mask import is_land

LEAST_WIND = 0.5  # m s-1, of gusts where the mean wind is calm


class Below:
    """What lies under the air of a block.

    Parameters
    ----------
    longitude, latitude : (ny, nx) degrees
    cover : of the ground
    """

    def __init__(self, longitude: Tensor, latitude: Tensor, cover: land_cover.Cover):
        self.longitude, self.latitude, self.cover = longitude, latitude, cover

    def ground(
        self,
        wind: Tensor,
        depth: Tensor,
        air: tuple[Tensor, Tensor, Tensor],
        surface: Tensor,
        sunlight: Tensor,
        precipitation: Tensor,
        day: float,
    ) -> dry.Ground:
        """Surface and lowest air of a period.

        Parameters
        ----------
        wind : (ny, nx) speed in the lowest layer, m s-1
        depth : (ny, nx) of that layer, m
        air : temperature (K), pressure (Pa) and density of dry air (kg m-3) in it, (ny, nx)
        surface : (ny, nx) temperature of the ground, K
        sunlight : (ny, nx) W m-2
        precipitation : (ny, nx) kg m-2 s-1
        day : since 2000 began
        """
        season = season_of(self.latitude, surface, day)
        gusts = torch.clamp(wind, min=LEAST_WIND)
        return dry.Ground(gusts, 0.5 * depth, *air, surface, sunlight, precipitation, season, self.cover)


def cover_of(
    longitude: Tensor,
    latitude: Tensor,
    land_use: str,
    file: Path | None,
    whole: tuple[int, ...],
    block: tuple[slice, slice],
    year: int,
) -> land_cover.Cover:
    """What lies on the ground of a block.

    Parameters
    ----------
    longitude, latitude : (ny, nx) degrees
    land_use : of all land, or where the file has nothing
    file : of the land's area types, if the case names one
    whole : shape of the grid
    block : rows and columns of the block
    year : of the shares
    """
    land = is_land(longitude, latitude)
    if file is None:
        return land_cover.one_use(land_use, land, latitude.dtype)
    shares = {name: values[block] for name, values in land_cover.read_shares(file, whole, year).items()}
    return land_cover.by_area_type(shares, land_use, land, latitude.dtype)


def rains_of(stratiform: Tensor, convective: Tensor) -> tuple[rain.Rain, ...]:
    """Both kinds of rain by their flux at the layers' bottoms; nothing falls through the top.

    Parameters
    ----------
    stratiform, convective : (nz, ny, nx) kg m-2 s-1
    """
    none = torch.zeros_like(stratiform[:1])
    layered, towers = (torch.cat([torch.clamp(flux, min=0.0), none]) for flux in (stratiform, convective))
    return rain.stratiform(layered), rain.convective(towers)
