# SPDX-License-Identifier: BSD-3-Clause
"""What lies under the air, by shares of a cell: what gases and particles deposit on.

Area types are those of a land's surface file (`area_type_fraction`), or one land use for all land; the sea is water.
"""

from pathlib import Path
from typing import Any, NamedTuple, cast

import netCDF4
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coupler.errors import TesseraError
from coupler.fields import did_you_mean


class Surface(NamedTuple):
    """What an area type is to gases (Wesely's land uses) and to particles (Zhang's), and to the wind.

    Attributes
    ----------
    land_use : of gases
    particles : of particles
    roughness : z_0, m, of the orders in use
    """

    land_use: str
    particles: str
    roughness: float


SEA = Surface("water", "ocean", 1.0e-4)
CROPS = Surface("agriculture", "crops", 0.1)
BY_LAND_USE = {
    "urban": Surface("urban", "urban", 1.0),
    "agriculture": CROPS,
    "range": Surface("range", "grass", 0.05),
    "deciduous_forest": Surface("deciduous_forest", "deciduous_broadleaf", 1.0),
    "coniferous_forest": Surface("coniferous_forest", "evergreen_needleleaf", 1.0),
    "mixed_forest": Surface("mixed_forest", "mixed_forest", 1.0),
    "water": Surface("water", "inland_water", 1.0e-4),
    "barren": Surface("barren", "desert", 0.002),
    "wetland": Surface("wetland", "wetland", 0.15),
    "range_and_agriculture": Surface("range_and_agriculture", "crops", 0.1),
    "rocky_shrubs": Surface("rocky_shrubs", "shrubs", 0.1),
}
"""Of Wesely's land uses, each with the nearest of Zhang's."""
BY_AREA_TYPE = {
    "evergreen_needleleaf_forest": BY_LAND_USE["coniferous_forest"],
    "deciduous_needleleaf_forest": Surface("deciduous_forest", "deciduous_needleleaf", 1.0),
    "evergreen_broadleaf_forest": Surface("deciduous_forest", "evergreen_broadleaf", 1.0),
    "deciduous_broadleaf_forest": BY_LAND_USE["deciduous_forest"],
    "mixed_forest": BY_LAND_USE["mixed_forest"],
    "shrubland": BY_LAND_USE["rocky_shrubs"],
    "savanna": Surface("range", "grass", 0.1),
    "grassland": BY_LAND_USE["range"],
    "grassland_c4": BY_LAND_USE["range"],
    "tundra": Surface("range", "tundra", 0.03),
    **dict.fromkeys(("cropland", "maize", "rice", "soybean", "wheat"), CROPS),
    "bare": BY_LAND_USE["barren"],
    "bare_ground": BY_LAND_USE["barren"],
    "urban": BY_LAND_USE["urban"],
    "urban_and_built_up": BY_LAND_USE["urban"],
    "wetland": BY_LAND_USE["wetland"],
    "lake": BY_LAND_USE["water"],
    "ice_sheet": Surface("barren", "ice", 0.001),
}
"""Of the area types that a land's surface file may name."""


class Cover(NamedTuple):
    """Surfaces and their shares.

    Attributes
    ----------
    surfaces : each once
    share : (surfaces, ny, nx); sums to 1
    """

    surfaces: tuple[Surface, ...]
    share: Tensor

    def mean(self, values: list[Tensor]) -> Tensor:
        """Mean over a cell of a value by surface.

        Parameters
        ----------
        values : (ny, nx) of each surface
        """
        total = self.share[0] * values[0]
        for share, value in zip(self.share[1:], values[1:], strict=True):
            total = total + share * value
        return total

    def desert(self) -> Tensor:
        """Share (ny, nx) of a cell that is desert, neither ice nor sea."""
        kinds = [share for of, share in zip(self.surfaces, self.share, strict=True) if of == BY_AREA_TYPE["bare"]]
        return sum(kinds, torch.zeros_like(self.share[0]))


class CoverError(TesseraError):
    """A file of land cover that cannot be used."""


def one_use(land_use: str, land: Tensor, dtype: torch.dtype) -> Cover:
    """One use for all land, and water.

    Parameters
    ----------
    land_use : of `BY_LAND_USE`
    land : (ny, nx) bool
    dtype : of the shares
    """
    share = land.to(dtype)
    return Cover((BY_LAND_USE[land_use], SEA), torch.stack([share, 1.0 - share]))


def read_shares(path: Path, shape: tuple[int, ...], year: int) -> dict[str, npt.NDArray[np.float64]]:
    """Shares (ny, nx) of the land by area type.

    Parameters
    ----------
    path : a land's surface file, with ``area_type_fraction ([year,] type, lat, lon)``
    shape : of the grid
    year : of the shares, where the file has several: the last that has begun

    Raises
    ------
    CoverError
        No such variable, another grid, or an area type of which the deposition knows nothing.
    """
    try:
        with netCDF4.Dataset(path) as data:
            if "area_type_fraction" not in data.variables or "type" not in data.variables:
                raise CoverError(f"land_cover: {path} has no area_type_fraction with its coordinate type")
            names = [str(v) for v in data["type"][:]]
            values = np.ma.filled(data["area_type_fraction"][:].astype(float), 0.0)
            if values.ndim == 4:
                variable = data["year"]
                years: Any = variable[:]
                if "since" in getattr(variable, "units", ""):
                    years = [date.year for date in np.atleast_1d(cast(Any, netCDF4.num2date(years, variable.units)))]
                values = values[max(sum(y <= year for y in years) - 1, 0)]
    except OSError as error:
        raise CoverError(f"land_cover: {path} cannot be read: {error}") from error
    if values.shape[-2:] != shape:
        raise CoverError(f"land_cover: {path} has {values.shape[-2:]} cells, the grid of the chemistry {shape}")
    unknown = [n for n in names if n not in BY_AREA_TYPE]
    if unknown:
        raise CoverError(
            f"land_cover: {path} has area types of which deposition knows nothing: {', '.join(unknown)}"
            f"{did_you_mean(unknown[0], BY_AREA_TYPE)}; it knows: {', '.join(BY_AREA_TYPE)}"
        )
    return dict(zip(names, values, strict=True))


def by_area_type(shares: dict[str, npt.NDArray[np.float64]], land_use: str, land: Tensor, dtype: torch.dtype) -> Cover:
    """Area types on land, whose shares are scaled to 1; where the file has none, one use; and water.

    Parameters
    ----------
    shares : (ny, nx) by area type
    land_use : where the file has nothing on land
    land : (ny, nx) bool
    dtype : of the shares
    """
    whole = sum(shares.values(), np.zeros(land.shape))
    known = whole > 1.0e-6
    found: dict[Surface, Tensor] = {}
    plain = one_use(land_use, land, dtype)
    on_land = plain.share[0]
    for name, values in shares.items():
        part = torch.as_tensor(np.where(known, values / np.where(known, whole, 1.0), 0.0)).to(dtype) * on_land
        surface = BY_AREA_TYPE[name]
        found[surface] = found[surface] + part if surface in found else part
    rest = on_land * torch.as_tensor(~known).to(dtype)
    other = plain.surfaces[0]
    found[other] = found[other] + rest if other in found else rest
    return Cover((*found, SEA), torch.stack([*found.values(), plain.share[1]]))
