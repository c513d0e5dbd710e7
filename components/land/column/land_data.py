"""The user's maps of land cover, leaf area and soil: found by CF names, cut to the box of a grid, units checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.land.column.parameters import table
from coupler.errors import TesseraError
from coupler.grids.grid import Grid

Array = NDArray[np.float64]
MARGIN = 2  # cells kept around the box
COVER = ("area_type", "land_cover", "lc_type1", "area_type_fraction", "land_area_fraction")
LEAVES = ("leaf_area_index", "lai")
SOIL = ("soil_type", "slt")
SAND, CLAY = (("volume_fraction_of_sand_in_soil", "sand"), ("volume_fraction_of_clay_in_soil", "clay"))
FRACTION_UNITS = {"1": 1.0, "": 1.0, "%": 0.01, "percent": 0.01, "m2 m-2": 1.0, "kg kg-1": 1.0}


class LandDataError(TesseraError):
    """A map that cannot be used."""


@dataclass
class Layer:
    """Fields on the cells of one source grid; NaN where there is no land."""

    grid: Grid
    values: dict[str, Array]  # by plant type, or by name; (..., cell)


def read_cover(path: Path, target: Grid) -> Layer | None:
    """Shares of plant types, from a map of classes or from fractions by type; None where the file has neither.

    Parameters
    ----------
    path : CF file of the user
    target : grid whose box is cut out
    """
    import netCDF4

    with netCDF4.Dataset(path) as data:
        variable = _find(data, COVER)
        if variable is None:
            return None
        grid, cut = _window(path, variable, target)
        if variable.ndim - len(cut.dims) == 1:
            (axis,) = (d for d in variable.dimensions if d not in cut.dims)
            names = [_word(str(v)) for v in data[axis][:]]
            unknown = sorted(set(names) - set(table("plant_types")))
            if unknown:
                raise LandDataError(
                    f"{path}: {variable.name} has types {', '.join(unknown)}; there are"
                    f" {', '.join(table('plant_types'))}"
                )
            shares = cut.read(variable) * _scale(path, variable, FRACTION_UNITS)
            if np.nanmax(shares) > 1.0001 or np.nanmin(shares) < -1e-6:
                raise LandDataError(
                    f"{path}: {variable.name} goes from {np.nanmin(shares):g} to {np.nanmax(shares):g}; shares lie in"
                    f" 0-1: mend its units, {getattr(variable, 'units', 'none')!r}"
                )
            return Layer(grid, dict(zip(names, np.nan_to_num(shares), strict=True)))
        classes = _classes(path, variable, "igbp", table("land_classes")["land_cover"])
        codes = cut.read(variable)
        values: dict[str, Array] = {}
        for number, name in classes.items():
            for plant, share in table("land_classes")["land_cover"][name].items():
                values.setdefault(plant, np.zeros(codes.shape))
                values[plant] = values[plant] + share * (codes == number)
        _all_known(path, variable, codes, classes)
        return Layer(grid, values)


def read_leaves(path: Path, target: Grid) -> Layer | None:
    """Leaf area index of twelve months, ``values["lai"]`` (12, cell); None where the file has none.

    Parameters
    ----------
    path : CF file of the user
    target : grid whose box is cut out
    """
    import netCDF4

    with netCDF4.Dataset(path) as data:
        variable = _find(data, LEAVES)
        if variable is None:
            return None
        grid, cut = _window(path, variable, target)
        months = variable.shape[0] if variable.ndim > len(cut.dims) else 0
        if months != 12:
            raise LandDataError(
                f"{path}: {variable.name} has shape {variable.shape}; twelve months are wanted, January first"
            )
        lai = cut.read(variable) * _scale(path, variable, {"1": 1.0, "": 1.0, "m2 m-2": 1.0, "m2/m2": 1.0})
        if np.nanmax(lai) > 15.0 or np.nanmin(lai) < -1e-6:
            raise LandDataError(
                f"{path}: {variable.name} goes from {np.nanmin(lai):g} to {np.nanmax(lai):g}; leaf area lies in 0-15:"
                " apply its scale factor and mark what is missing"
            )
        return Layer(grid, {"lai": lai})


def read_soil(path: Path, target: Grid) -> Layer | None:
    """Sand and clay, mass fractions, from their maps or from a map of texture classes; None where there is neither.

    Parameters
    ----------
    path : CF file of the user
    target : grid whose box is cut out
    """
    import netCDF4

    with netCDF4.Dataset(path) as data:
        sand, clay = _find(data, SAND), _find(data, CLAY)
        if sand is not None and clay is not None:
            grid, cut = _window(path, sand, target)
            values = {
                name: _uppermost(cut.read(v)) * _scale(path, v, FRACTION_UNITS)
                for name, v in (("sand", sand), ("clay", clay))
            }
            total = values["sand"] + values["clay"]
            if np.nanmax(total) > 1.001 or np.nanmin(total) < 0.0:
                raise LandDataError(
                    f"{path}: sand and clay add up to {np.nanmin(total):g} ... {np.nanmax(total):g}: mend their units"
                )
            return Layer(grid, values)
        variable = _find(data, SOIL)
        if variable is None:
            return None
        grid, cut = _window(path, variable, target)
        textures = table("soil_textures")
        known = {**{k: k for k in textures}, **table("land_classes")["soil"], "water": None}
        classes = _classes(path, variable, "ifs", known)
        codes = cut.read(variable)
        _all_known(path, variable, codes, classes)
        values = {"sand": np.full(codes.shape, np.nan), "clay": np.full(codes.shape, np.nan)}
        for number, name in classes.items():
            row = known[name]
            if row is not None:
                for k, field in values.items():
                    field[codes == number] = textures[row][k]
        return Layer(grid, values)


@dataclass
class _Cut:
    """Which cells of a regular map to read."""

    dims: tuple[str, str]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def read(self, variable: Any) -> Array:
        """(..., cell), NaN where missing."""
        first, last = int(self.rows.min()), int(self.rows.max()) + 1
        block = np.ma.filled(np.ma.asarray(variable[..., first:last, :], dtype=np.float64), np.nan)
        block = np.where(np.abs(block) > 1e30, np.nan, block)
        block = block[..., self.rows - first, :][..., self.columns]
        return block.reshape(*block.shape[:-2], -1)


def _find(data: Any, names: tuple[str, ...]) -> Any:
    """The variable whose standard name, or else whose own name, is one of ``names``."""
    for by in (lambda v: getattr(v, "standard_name", ""), lambda v: v.name):
        for variable in data.variables.values():
            if _word(by(variable)) in names and variable.ndim >= 2:
                return variable
    return None


def _word(text: str) -> str:
    return text.strip().lower().replace("-", "_").replace("/", "_").replace(" ", "_")


def _scale(path: Path, variable: Any, known: Mapping[str, float]) -> float:
    units = str(getattr(variable, "units", "")).strip()
    if units not in known:
        raise LandDataError(
            f"{path}: {variable.name} is in {units!r}; convert it to one of {', '.join(k or 'none' for k in known)}"
        )
    return known[units]


def _uppermost(values: Array) -> Array:
    while values.ndim > 1:
        values = values[0]
    return values


def _classes(path: Path, variable: Any, scheme: str, known: Mapping[str, Any]) -> dict[int, str]:
    """Name of each number of a map of classes: by its CF flags, else by the scheme such maps mostly have."""
    if not hasattr(variable, "flag_values"):
        return {int(k): v for k, v in table("land_classes")["numbers"][scheme].items()}
    meanings = [_word(m) for m in str(variable.flag_meanings).split()]
    plants = set(table("plant_types"))
    unknown = sorted(m for m in meanings if m not in known and m not in plants)
    if unknown:
        raise LandDataError(
            f"{path}: {variable.name} has classes {', '.join(unknown)}; write flag_meanings out of {', '.join(known)}"
        )
    return dict(zip([int(v) for v in np.atleast_1d(variable.flag_values)], meanings, strict=True))


def _all_known(path: Path, variable: Any, codes: Array, classes: Mapping[int, str]) -> None:
    strange = sorted({int(v) for v in np.unique(codes[np.isfinite(codes)])} - set(classes))
    if strange:
        raise LandDataError(
            f"{path}: {variable.name} has classes {', '.join(map(str, strange[:8]))} that nothing explains:"
            " give it flag_values and flag_meanings"
        )


def _window(path: Path, variable: Any, target: Grid) -> tuple[Grid, _Cut]:
    """The source cells around a grid, as a grid of their own."""
    y, x = variable.dimensions[-2:]
    data = variable.group()
    try:
        latitude, longitude = (np.asarray(data[k][:], dtype=np.float64) for k in (y, x))
    except IndexError as error:
        raise LandDataError(f"{path}: {variable.name} lies on {y}, {x} without coordinates of these names") from error
    if latitude.ndim != 1 or np.abs(latitude).max() > 90.0 + 1e-6:
        raise LandDataError(f"{path}: {y} and {x} are not latitudes and longitudes of a lon-lat grid")
    dy, dx = np.abs(np.diff(latitude)).mean(), np.abs(np.diff(longitude)).mean()
    south, north = float(np.min(target.latitude)), float(np.max(target.latitude))
    west = float(np.min(target.longitude))
    across = float(np.max(target.longitude)) - west
    spread_y = 2.0 * (north - south) / max(np.asarray(target.latitude).shape[0], 1) + MARGIN * dy
    spread_x = 2.0 * across / max(np.asarray(target.longitude).shape[-1], 1) + MARGIN * dx
    rows = np.flatnonzero((latitude > south - spread_y) & (latitude < north + spread_y))
    rows = rows[np.argsort(latitude[rows])]
    around = np.mod(longitude - (west - spread_x), 360.0)
    columns = np.flatnonzero(around < min(across + 2.0 * spread_x, 360.0 - 1e-9))
    columns = columns[np.argsort(around[columns])]
    if rows.size < 2 or columns.size < 2:
        raise LandDataError(
            f"{path}: {variable.name} ({latitude.min():g} to {latitude.max():g} N, {longitude.min():g} to"
            f" {longitude.max():g} E) does not reach the grid ({south:g} to {north:g} N, {west:g} to"
            f" {west + across:g} E)"
        )
    edge_y = np.clip(_edges(latitude[rows]), -90.0, 90.0)
    edge_x = _edges(around[columns] + west - spread_x)
    if edge_x[-1] - edge_x[0] > 360.0:
        edge_x[-1] = edge_x[0] + 360.0
    corners = np.meshgrid(edge_x, edge_y)
    centres = np.meshgrid(0.5 * (edge_x[:-1] + edge_x[1:]), 0.5 * (edge_y[:-1] + edge_y[1:]))
    grid = Grid(path.name, *centres, *corners, {}, "latitude")
    return grid, _Cut((y, x), rows.astype(np.int64), columns.astype(np.int64))


def _edges(centres: Array) -> Array:
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2.0 * centres[0] - middle[0]], middle, [2.0 * centres[-1] - middle[-1]]])
