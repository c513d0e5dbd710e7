# SPDX-License-Identifier: BSD-3-Clause
"""What grows where: plant types, their shares, leaf area and soil texture, from a CF file or the zonal default.

A surface file has the grid's ``lat``/``lon`` dimensions and any of

    area_type_fraction ([year,] type, lat, lon)   shares of the land, by years that begin on 1 January
    leaf_area_index    (time, type, lat, lon), 12 months
    sand, clay         (lat, lon), mass fractions
    deep_temperature   (lat, lon), K
    fertiliser, sowing, pH and phosphorus as farm_maps.py says

A coordinate ``type`` has the plant types' names, ``year`` numbers or dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.land.column import farm_maps
from components.land.column.land_use import Years, years_of
from components.land.column.parameters import table

Array = NDArray[np.float64]

# Poleward limit of each zone (degrees) and its plants: a stated default, not a map. Shares after the zonal means of
# global land cover north of the equator (Bonan et al. 2002, fig. 2, coarsely).
ZONES: tuple[tuple[float, dict[str, float]], ...] = (
    (15.0, {"evergreen_broadleaf_forest": 0.7, "savanna": 0.3}),
    (25.0, {"evergreen_broadleaf_forest": 0.4, "cropland": 0.4, "bare": 0.2}),
    (40.0, {"cropland": 0.4, "deciduous_broadleaf_forest": 0.2, "grassland": 0.2, "bare": 0.2}),
    (50.0, {"mixed_forest": 0.3, "cropland": 0.2, "grassland": 0.3, "bare": 0.2}),
    (66.0, {"evergreen_needleleaf_forest": 0.4, "deciduous_needleleaf_forest": 0.3, "tundra": 0.3}),
    (90.0, {"tundra": 0.7, "bare": 0.3}),
)


class SurfaceMap(NamedTuple):
    """Tiles of a set of cells."""

    plants: list[list[str]]  # one name a tile and cell, [tile][cell]
    share: Array  # of the land, (tile, cell); sums to 1 over the tiles
    soil: list[str]  # texture class by cell
    monthly_lai: Array | None  # (12, tile, cell) where the file gives it
    years: Years | None = None  # shares by year, where the file gives them; ``share`` is then the first year's
    maps: Mapping[str, Array] = {}  # of farming and soil, by cell; see farm_maps.py


def zonal(latitude: Array, tiles: int) -> SurfaceMap:
    """The default: the ``tiles`` largest plant types of each cell's zone, on loam.

    Parameters
    ----------
    latitude : (cell,) degrees
    tiles : plant types a cell
    """
    plants: list[list[str]] = [[] for _ in range(tiles)]
    share = np.zeros((tiles, latitude.size))
    for cell, where in enumerate(np.abs(latitude)):
        mix = next(m for limit, m in ZONES if where <= limit)
        _add_cell(plants, share, cell, mix, tiles)
    return SurfaceMap(plants, share, ["loam"] * latitude.size, None)


def uniform(mix: dict[str, float], soil: str, cells: int, tiles: int) -> SurfaceMap:
    """The same plants and soil everywhere.

    Parameters
    ----------
    mix : share of each plant type, adding up to 1
    soil : texture class
    cells : how many
    tiles : plant types a cell
    """
    plants: list[list[str]] = [[] for _ in range(tiles)]
    share = np.zeros((tiles, cells))
    for cell in range(cells):
        _add_cell(plants, share, cell, mix, tiles)
    return SurfaceMap(plants, share, [soil] * cells, None)


def _add_cell(plants: list[list[str]], share: Array, cell: int, mix: dict[str, float], tiles: int) -> None:
    """The largest types of one cell, their shares scaled to 1; spare tiles repeat the largest with no share."""
    largest = sorted(mix.items(), key=lambda item: (-item[1], item[0]))[:tiles]
    total = sum(v for _, v in largest)
    for i in range(tiles):
        name, value = largest[i] if i < len(largest) else (largest[0][0], 0.0)
        plants[i].append(name)
        share[i, cell] = value / total if total > 0.0 else float(i == 0)


def texture_class(sand: float, clay: float) -> str:
    """USDA texture class whose centre is nearest in sand and clay.

    Parameters
    ----------
    sand, clay : mass fractions, 0 to 1
    """
    rows = table("soil_textures")
    return min(rows, key=lambda k: (rows[k]["sand"] - sand) ** 2 + (rows[k]["clay"] - clay) ** 2)


def from_file(path: Path, cells: NDArray[np.bool_], latitude: Array, tiles: int) -> SurfaceMap:
    """Read a surface file.

    Parameters
    ----------
    cells
        The wanted cells, (lat, lon) of the file.
    latitude
        Of the wanted cells, for what the file does not say.

    Raises
    ------
    ValueError
        The file's grid is another, a type has no row in the table, or shares are missing where there is land.
    """
    import netCDF4

    default = zonal(latitude, tiles)
    with netCDF4.Dataset(path) as data:
        lai, years = None, None
        plants, share, soil = default.plants, default.share, default.soil
        if "area_type_fraction" in data.variables:
            names = [str(v) for v in data["type"][:]]
            unknown = sorted(set(names) - set(table("plant_types")))
            if unknown:
                raise ValueError(
                    f"{path}: unknown plant type {', '.join(unknown)}; known types: {', '.join(table('plant_types'))}"
                )
            when = years_of(data, path, "area_type_fraction", 3)
            values = np.ma.filled(data["area_type_fraction"][:], 0.0)
            if values.shape[-2:] != cells.shape:
                raise ValueError(f"{path}: the map is {values.shape[-2:]}, the grid {cells.shape}")
            by_year = values.reshape(-1, *values.shape[-3:])[..., cells]
            empty = int((by_year.sum(1) <= 0.0).any(0).sum())
            if empty:
                raise ValueError(f"{path}: area_type_fraction is zero in {empty} land cells")
            values = by_year.max(0)  # tiles are the types that matter in any year
            plants, share = [[] for _ in range(tiles)], np.zeros((tiles, values.shape[1]))
            for cell in range(values.shape[1]):
                mix = {n: float(v) for n, v in zip(names, values[:, cell], strict=True) if v > 0.0}
                _add_cell(plants, share, cell, mix, tiles)
            if when:
                years = Years(when, _by_year(by_year, names, plants))
                share = years.share[0]
            if "leaf_area_index" in data.variables:
                monthly = np.ma.filled(data["leaf_area_index"][:], 0.0)[:, :, cells]
                number = {n: i for i, n in enumerate(names)}
                lai = np.stack([
                    np.stack([monthly[:, number[row[c]], c] for c in range(values.shape[1])], axis=1) for row in plants
                ], axis=1)  # fmt: skip
        if "sand" in data.variables and "clay" in data.variables:
            sand, clay = (np.ma.filled(data[k][:], np.nan)[cells] for k in ("sand", "clay"))
            soil = [texture_class(a, b) if np.isfinite(a + b) else "loam" for a, b in zip(sand, clay, strict=True)]
    return SurfaceMap(plants, share, soil, lai, years, farm_maps.read(path, cells))


def _by_year(values: Array, names: list[str], plants: list[list[str]]) -> Array:
    """Shares of the tiles of every year, scaled to 1; a spare tile, which repeats the first one's type, has none."""
    number = {name: i for i, name in enumerate(names)}
    kinds = np.array([[number[name] for name in row] for row in plants])
    share = np.take_along_axis(values, np.broadcast_to(kinds, (len(values), *kinds.shape)), axis=1)
    for i in range(1, len(plants)):
        share[:, i] = np.where(kinds[i] == kinds[0], 0.0, share[:, i])
    total = share.sum(1, keepdims=True)
    share[:, 0] = np.where(total[:, 0] > 0.0, share[:, 0], 1.0)
    return np.asarray(share / np.where(total > 0.0, total, 1.0))
