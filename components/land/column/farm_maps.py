# SPDX-License-Identifier: BSD-3-Clause
"""Fertiliser, sowing, harvest, pH, phosphorus of a surface file: made from the user's maps, read, given to the columns.

In the file, beside what `surface_map` reads, any of

    fertiliser_nitrogen, fertiliser_phosphorus   (crop, lat, lon), kg m-2 a season
    sowing_day, harvest_day   (crop, lat, lon), day of the year
    soil_ph       (lat, lon)
    soil_labile_phosphorus, soil_apatite_phosphorus   (lat, lon), kg m-2
    soil_secondary_phosphorus, soil_occluded_phosphorus   (lat, lon), kg m-2

with the crops' names on ``crop``. Where one is missing or has no value, the tables and defaults hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.land.column.column_state import State
from components.land.column.cycles.fertiliser import Plans, days_of, plan_of, scaled
from components.land.column.cycles.pools import Cycles
from components.land.column.farm_data import ALL, QUANTITIES
from components.land.column.land_data import LandDataError, Layer
from components.land.column.parameters import Parameters, table
from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights

Array = NDArray[np.float64]
AHEAD = 60  # days before sowing on which fields are fertilised (ours)
Maps = Mapping[str, Array]
"""By name of :data:`QUANTITIES`: (crop, cell) or (cell,), NaN where a default holds."""


def remapped(layer: Layer, grid: Grid, name: str, overlap: Any, least: float) -> Array:
    """A map of the user on the cells of a grid, (crop, cell) or (cell,); NaN where it does not reach.

    Parameters
    ----------
    layer : of the user
    grid : target
    name : of :data:`QUANTITIES`
    overlap : areas of source cells (columns) in target cells (rows), m2
    least : share of a cell that a map must reach to be believed there
    """
    quantity = QUANTITIES[name]
    nearest = make_weights(layer.grid, grid, "nearest").matrix if quantity.nearest else None

    def one(values: Array) -> Array:
        there = np.isfinite(values)
        land = overlap @ there.astype(float)
        reached = land > least * np.asarray(grid.area).ravel()
        if nearest is not None:
            near = np.where(nearest @ there.astype(float) > 0.5, nearest @ np.where(there, values, 0.0), np.nan)
            return np.where(reached, np.round(near), np.nan)
        return np.where(reached, overlap @ np.where(there, values, 0.0) / np.where(reached, land, 1.0), np.nan)

    if not quantity.by_crop:
        return one(layer.values[ALL])
    nothing = np.full(grid.size, np.nan)
    return np.stack([
        one(layer.values[k]) if k in layer.values else one(layer.values[ALL]) if ALL in layer.values else nothing
        for k in table("crops")
    ])  # fmt: skip


def tell(
    maps: Maps, land: NDArray[np.bool_], sources: Mapping[str, Path], report: Callable[[str, float], None]
) -> None:
    """Say what comes from which map, and what keeps its default; a map that reaches no land is refused.

    Parameters
    ----------
    maps : on the cells of the grid
    land : (cell,) which are land
    sources : file of each map
    report : takes a line and the share of the work done

    Raises
    ------
    LandDataError
        A map reaches no land.
    """
    for name, values in maps.items():
        known = np.isfinite(values).reshape(-1, land.size).any(0) & land
        if not known.any():
            raise LandDataError(
                f"{sources[name]}: {QUANTITIES[name].title} reaches none of the {land.sum()} land cells"
            )
        lacking, cells = int((land & ~known).sum()), int(land.sum())
        title = QUANTITIES[name].title
        report(f"{title}: {sources[name].name}; {lacking} of {cells} land cells have {default_of(name)}", 0.0)
    rest = [n for n in QUANTITIES if n not in maps]
    for default in dict.fromkeys(default_of(n) for n in rest):
        report(f"{', '.join(QUANTITIES[n].title for n in rest if default_of(n) == default)}: no map; {default}", 0.0)


def default_of(name: str) -> str:
    """What holds without a map."""
    if name == "sowing_day":
        return "sowing by warmth and season (crops.yaml)"
    if name == "harvest_day":
        return "harvest at maturity"
    if QUANTITIES[name].by_crop:
        return "that of crops.yaml"
    return "neutral soil" if name == "soil_ph" else "one store everywhere"


def write(data: Any, maps: Maps, shape: tuple[int, int], coordinates: str) -> None:
    """Add the maps to an open surface file; without any it stays as it is.

    Parameters
    ----------
    data : open file with ``lat`` and ``lon``
    maps : on the cells of the grid
    shape : of the grid
    coordinates : of its variables where the grid is not regular, or empty
    """
    if any(QUANTITIES[name].by_crop for name in maps):
        data.createDimension("crop", len(table("crops")))
        names = data.createVariable("crop", str, ("crop",))
        names.long_name = "crop"
        names[:] = np.array(list(table("crops")), dtype=object)
    for name, values in maps.items():
        dims = ("crop", "lat", "lon") if QUANTITIES[name].by_crop else ("lat", "lon")
        v = data.createVariable(name, "f8", dims, zlib=True, fill_value=np.nan)
        v.units, v.long_name = QUANTITIES[name].units, QUANTITIES[name].title
        if coordinates:
            v.coordinates = coordinates
        v[:] = values.reshape(*values.shape[:-1], *shape)


def read(path: Path, cells: NDArray[np.bool_]) -> dict[str, Array]:
    """Maps of a surface file on the wanted cells, by crop of the model's table; an empty dictionary where it has none.

    Parameters
    ----------
    path : surface file
    cells : (lat, lon) which cells

    Raises
    ------
    ValueError
        Another grid, units or crops, or values out of range.
    """
    import netCDF4

    found: dict[str, Array] = {}
    with netCDF4.Dataset(path) as data:
        for name, q in QUANTITIES.items():
            if name not in data.variables:
                continue
            v = data[name]
            where = f"{path}: {name} ({', '.join(v.dimensions)})"
            if v.shape[-2:] != cells.shape or v.ndim != (3 if q.by_crop else 2):
                raise ValueError(
                    f"{where} is {v.shape}, expected {'(crop, ' if q.by_crop else '('}lat, lon) = {cells.shape}"
                )
            if str(getattr(v, "units", "1")) != q.units:
                raise ValueError(f"{where} is in {v.units!r}, expected {q.units}; prepare converts maps of other units")
            values = np.ma.filled(v[:].astype(float), np.nan)[..., cells]
            known = values[np.isfinite(values)]
            if known.size and (known.min() < q.least or known.max() > q.most):
                raise ValueError(
                    f"{where} goes from {known.min():g} to {known.max():g} {q.units}; expected {q.least:g} to"
                    f" {q.most:g}"
                )
            found[name] = _by_crop(data, values, where) if q.by_crop else values
    return found


def _by_crop(data: Any, values: Array, where: str) -> Array:
    crops = list(table("crops"))
    if "crop" not in data.variables:
        raise ValueError(f"{where} has no coordinate of text crop with names out of {', '.join(crops)}")
    names = [str(v) for v in data["crop"][:]]
    unknown = sorted(set(names) - set(crops))
    if unknown:
        raise ValueError(f"{where}: unknown crop {', '.join(unknown)}; known: {', '.join(crops)}")
    out = np.full((len(crops), values.shape[-1]), np.nan)
    for name, row in zip(names, values, strict=True):
        out[crops.index(name)] = row
    return out


def farmed(p: Parameters, maps: Maps, plants: Sequence[str], plans: Plans | None = None) -> Parameters:
    """Parameters of columns with cycles, fertilised and sown as maps and plans have it, in soils of their pH.

    Where a map has an amount, the dressings of a plan share it out.

    Parameters
    ----------
    p : of the columns, tile after tile
    maps : of the cells
    plants : one name a column
    plans : dressings by crop
    """
    if p.cycles is None or not (maps or plans):
        return p
    t, f = p.cycles, p.cycles.farming
    crops, like = list(table("crops")), p.height
    row = np.array([crops.index(k) if k in crops else -1 for k in plants])

    def of_crop(name: str) -> Tensor:
        cell = np.arange(len(plants)) % max(maps[name].shape[-1], 1)
        values = np.where(row >= 0, maps[name][row, cell], np.nan)
        return torch.as_tensor(values).to(like)

    plan = plan_of(plans or {}, plants, like)
    n, phosphorus = (of_crop(k) if k in maps else None for k in ("fertiliser_nitrogen", "fertiliser_phosphorus"))
    if n is not None:
        f = f._replace(nitrogen=_where_known(n, f.nitrogen))
    if phosphorus is not None:
        f = f._replace(phosphorus=_where_known(phosphorus, f.phosphorus))
    if plan is not None:
        f = f._replace(plan=scaled(plan, n, phosphorus))
    if "sowing_day" in maps:
        f = f._replace(sown_on=torch.clamp(of_crop("sowing_day"), max=365.0))
    if "harvest_day" in maps:
        f = f._replace(reaped_on=torch.clamp(of_crop("harvest_day"), max=365.0))
    t = t._replace(farming=f)
    if "soil_ph" in maps:
        t = t._replace(ph=_cells(maps["soil_ph"], like))
    return p._replace(cycles=t)


def outside_season(plans: Plans, maps: Maps) -> list[str]:
    """Dressings by date that lie outside the season in every cell, from :data:`AHEAD` days before sowing to harvest.

    Parameters
    ----------
    plans : dressings by crop
    maps : of the cells; without days of both sowing and harvest nothing is known
    """
    if "sowing_day" not in maps or "harvest_day" not in maps:
        return []
    found, crops = [], list(table("crops"))
    for crop, days in days_of(plans).items():
        first, last = (maps[k][crops.index(crop)] for k in ("sowing_day", "harvest_day"))
        known = np.isfinite(first) & np.isfinite(last)
        lasts = np.where(known, (last - first) % 365 + AHEAD, 0.0)[known]
        found += [
            f"fertiliser: day {day} of {crop} is outside its season in every cell of the surface file, from {AHEAD}"
            " days before sowing to harvest"
            for day in days
            if known.any() and not ((day - first[known] + AHEAD) % 365 <= lasts).any()
        ]
    return found


def with_phosphorus(state: State, maps: Maps) -> State:
    """A state at the start whose soil has the phosphorus of the maps.

    Parameters
    ----------
    state : of the columns
    maps : of the cells
    """
    c = state.cycles
    if c is None:
        return state
    return state._replace(cycles=_with_phosphorus(c, maps))


def _with_phosphorus(c: Cycles, maps: Maps) -> Cycles:
    minerals = c.minerals
    for form in minerals._fields:
        if f"soil_{form}_phosphorus" in maps:
            now = getattr(minerals, form)
            minerals = minerals._replace(**{form: _where_known(_cells(maps[f"soil_{form}_phosphorus"], now), now)})
    labile = c.soil.phosphorus
    if "soil_labile_phosphorus" in maps:
        given = _cells(maps["soil_labile_phosphorus"], c.due.carbon)
        labile = _where_known(labile / labile.sum(0) * given, labile)
    return c._replace(minerals=minerals, soil=c.soil._replace(phosphorus=labile))


def _where_known(given: Tensor, otherwise: Tensor) -> Tensor:
    return torch.where(torch.isfinite(given), given, otherwise)


def _cells(values: Array, like: Tensor) -> Tensor:
    """Values of cells on their columns, tile after tile."""
    tiles = like.shape[-1] // max(values.shape[-1], 1)
    return torch.as_tensor(np.tile(values, tiles)).to(like)
