# SPDX-License-Identifier: BSD-3-Clause
"""The user's maps of land cover, leaf area and soil: found by CF names, cut to the box of a grid, units checked.

Which axis of a map is which is read from its coordinates (`coupler.netcdf`), never from the order of its dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.land.column.parameters import table
from coupler.errors import FieldError, TesseraError
from coupler.fields import conversion
from coupler.grids.grid import Grid
from coupler.netcdf import axes as netcdf_axes
from coupler.netcdf.axes import Axes, find_axes
from coupler.netcdf.dates import decode
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset
from coupler.netcdf.packed import values as numbers

Array = NDArray[np.float64]
MARGIN = 2  # cells kept around the box
COVER = ("area_type", "land_cover", "lc_type1", "area_type_fraction", "land_area_fraction")
LEAVES = ("leaf_area_index", "lai")
SOIL = ("soil_type", "slt")
SAND, CLAY = (("volume_fraction_of_sand_in_soil", "sand"), ("volume_fraction_of_clay_in_soil", "clay"))


class LandDataError(TesseraError):
    """A map that cannot be used."""

    exit_code = 2


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
    with open_dataset(path, LandDataError) as data:
        variable = find(data, COVER)
        if variable is None:
            return None
        grid, cut = window(data, variable, target)
        if cut.axes.level:
            names = type_names(data, cut.axes, path, tuple(table("plant_types")))
            unknown = sorted(set(names) - set(table("plant_types")))
            if unknown:
                raise LandDataError(
                    f"{path}: {variable.name} has types {', '.join(unknown)}; there are"
                    f" {', '.join(table('plant_types'))}"
                )
            shares = cut.read() * _scale(path, variable)
            if np.nanmax(shares) > 1.0001 or np.nanmin(shares) < -1e-6:
                raise LandDataError(
                    f"{path}: {variable.name} goes from {np.nanmin(shares):g} to {np.nanmax(shares):g}; shares lie in"
                    f" 0-1: mend its units, {getattr(variable, 'units', 'none')!r}"
                )
            return Layer(grid, dict(zip(names, np.nan_to_num(shares), strict=True)))
        classes = _classes(path, variable, "igbp", table("land_classes")["land_cover"])
        codes = cut.read()
        values: dict[str, Array] = {}
        for number, name in classes.items():
            for plant, share in table("land_classes")["land_cover"].get(name, {name: 1.0}).items():
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
    with open_dataset(path, LandDataError) as data:
        variable = find(data, LEAVES)
        if variable is None:
            return None
        grid, cut = window(data, variable, target, monthly=True)
        if _scale(path, variable) != 1.0:
            raise LandDataError(f"{path}: {variable.name} is in {variable.units!r}; expected a leaf area in m2 m-2")
        lai = cut.read()[_months(data, cut.axes, variable, path)]
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
    with open_dataset(path, LandDataError) as data:
        sand, clay = find(data, SAND), find(data, CLAY)
        if sand is not None and clay is not None:
            values = {}
            for name, v in (("sand", sand), ("clay", clay)):
                grid, cut = window(data, v, target)
                values[name] = cut.uppermost() * _scale(path, v)
            total = values["sand"] + values["clay"]
            if np.nanmax(total) > 1.001 or np.nanmin(total) < 0.0:
                raise LandDataError(
                    f"{path}: sand and clay add up to {np.nanmin(total):g} ... {np.nanmax(total):g}: mend their units"
                )
            return Layer(grid, values)
        variable = find(data, SOIL)
        if variable is None:
            return None
        grid, cut = window(data, variable, target)
        textures = table("soil_textures")
        known = {**{k: k for k in textures}, **table("land_classes")["soil"], "water": None}
        classes = _classes(path, variable, "ifs", known)
        codes = cut.read()
        _all_known(path, variable, codes, classes)
        values = {"sand": np.full(codes.shape, np.nan), "clay": np.full(codes.shape, np.nan)}
        for number, name in classes.items():
            row = known[name]
            if row is not None:
                for k, field in values.items():
                    field[codes == number] = textures[row][k]
        return Layer(grid, values)


@dataclass
class Cut:
    """Which cells of a map to read."""

    data: Any
    axes: Axes
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def read(self) -> Array:
        """([time,] [level,] cell), NaN where missing."""
        first, last = int(self.rows.min()), int(self.rows.max()) + 1
        block = netcdf_axes.read(self.data, self.axes, None, slice(first, last), error=LandDataError)
        block = block[..., self.rows - first, :][..., self.columns]
        return np.asarray(block.reshape(*block.shape[:-2], -1))

    def uppermost(self) -> Array:
        """(cell,) of the level nearest to the surface, at the first time."""
        found = self.read()
        if self.axes.level:
            depth = self.data.variables.get(self.axes.level_variable)
            order = 0 if depth is None else int(np.abs(numbers(depth, error=LandDataError)).argmin())
            found = found[..., order, :]
        while found.ndim > 1:
            found = found[0]
        return found


def type_names(data: Any, axes: Axes, path: Path, known: tuple[str, ...]) -> list[str]:
    """Names on the axis of types, in small letters.

    Parameters
    ----------
    data : open file
    axes : of the variable
    path : of the file, for messages
    known : names that there are, for messages
    """
    v = data.variables.get(axes.level)
    if v is None or not (v.dtype is str or getattr(v.dtype, "kind", "") == "S"):
        raise LandDataError(
            f"{path}: {axes.variable} has the dimension {axes.level!r} without the names of its types; give it a"
            f" coordinate of text, out of {', '.join(known)}"
        )
    raw = np.asarray(v[...])
    words = ["".join(c.decode() for c in row) for row in raw] if raw.dtype.kind == "S" else list(raw)
    return [_word(str(w)) for w in words]


def _months(data: Any, axes: Axes, variable: Any, path: Path) -> NDArray[np.int64]:
    """Numbers of the twelve records from January to December."""
    here = f"{path}: {variable.name} ({', '.join(variable.dimensions)})"
    size = variable.shape[variable.dimensions.index(axes.time)] if axes.time else 0
    if size != 12:
        raise LandDataError(f"{here} has shape {variable.shape}; expected twelve months of one year")
    if not axes.time_variable:
        if axes.time.lower().startswith("month"):
            return np.arange(12)
        raise LandDataError(
            f"{here}: {axes.time!r} has no coordinate that says which record is January; give it dates, or call the"
            " dimension month where the first record is January"
        )
    dates = decode(data[axes.time_variable], here, LandDataError)
    when = [a + (b - a) / 2 for a, b in dates.bounds] if dates.bounds and not dates.climatological else dates.dates
    months = [date.month for date in when]
    if sorted(months) != list(range(1, 13)):
        raise LandDataError(f"{here} has the months {', '.join(map(str, months))}; each from January to December once")
    return np.argsort(months)


def find(data: Any, names: tuple[str, ...]) -> Any:
    """The variable whose standard name, or else whose own name, is one of ``names``; None where there is none.

    Parameters
    ----------
    data : open file
    names : in small letters
    """
    for by in (lambda v: str(getattr(v, "standard_name", "")), lambda v: v.name):
        for variable in data.variables.values():
            if _word(by(variable)) in names and variable.ndim >= 2:
                return variable
    return None


def _word(text: str) -> str:
    return text.strip().lower().replace("-", "_").replace("/", "_").replace(" ", "_")


def _scale(path: Path, variable: Any) -> float:
    units = str(getattr(variable, "units", "")).strip()
    try:
        return conversion(units, "1")[0]
    except FieldError as error:
        raise LandDataError(
            f"{path}: {variable.name} is in {units!r}; convert it to 1 or % (m2 m-2, kg kg-1): {error}"
        ) from None


def _classes(path: Path, variable: Any, scheme: str, known: Mapping[str, Any]) -> dict[int, str]:
    """Name of each number of a map of classes: by its CF flags, else by the scheme such maps mostly have."""
    if not hasattr(variable, "flag_values"):
        said = " ".join(str(v.getncattr(k)) for v in (variable, variable.group()) for k in v.ncattrs()).lower()
        if scheme == "igbp" and "usgs" in said and "igbp" not in said:
            raise LandDataError(
                f"{path}: {variable.name} has the classes of the USGS, whose numbers are not the IGBP's; give it"
                f" flag_values and flag_meanings out of {', '.join(known)}"
            )
        return {int(k): v for k, v in table("land_classes")["numbers"][scheme].items()}
    meanings = [_word(m) for m in str(getattr(variable, "flag_meanings", "")).split()]
    plants = set(table("plant_types"))
    unknown = sorted(m for m in meanings if m not in known and m not in plants)
    if unknown:
        raise LandDataError(
            f"{path}: {variable.name} has classes {', '.join(unknown)}; write flag_meanings out of {', '.join(known)}"
        )
    numbers_ = [int(v) for v in np.atleast_1d(variable.flag_values)]
    if len(numbers_) != len(meanings):
        raise LandDataError(
            f"{path}: {variable.name} has {len(numbers_)} flag_values and {len(meanings)} flag_meanings; one for each"
        )
    return dict(zip(numbers_, meanings, strict=True))


def _all_known(path: Path, variable: Any, codes: Array, classes: Mapping[int, str]) -> None:
    strange = sorted({int(v) for v in np.unique(codes[np.isfinite(codes)])} - set(classes))
    if strange:
        raise LandDataError(
            f"{path}: {variable.name} has classes {', '.join(map(str, strange[:8]))} that nothing explains:"
            " give it flag_values and flag_meanings"
        )


def window(data: Any, variable: Any, target: Grid, monthly: bool = False) -> tuple[Grid, Cut]:
    """The source cells around a grid, as a grid of their own.

    Parameters
    ----------
    data : open file
    variable : of the file
    target : grid
    monthly : whether twelve times are welcome
    """
    path = Path(data.filepath())
    axes = find_axes(data, variable.name, other=True, error=LandDataError)
    horizontal = read_horizontal(data, axes, LandDataError)
    here = f"{path}: {variable.name} ({', '.join(variable.dimensions)})"
    if horizontal is None:
        raise LandDataError(f"{here} lies on {axes.y}, {axes.x} without coordinates of these names")
    if not horizontal.in_rows:
        raise LandDataError(
            f"{here}: its cells are not on a lon-lat grid of rows and columns; remap it to one first (cdo remapcon)"
        )
    axes, latitude, longitude = horizontal.axes, horizontal.latitude, horizontal.longitude
    times = variable.shape[variable.dimensions.index(axes.time)] if axes.time else 1
    if times == 1 and axes.time:
        axes = replace(axes, time="", fixed={**axes.fixed, axes.time: 0})
    elif times > 1 and not monthly:
        raise LandDataError(f"{here} has {times} times; cut one out of the file first (cdo seltimestep, ncks -d)")
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
            f"{here}: {latitude.min():g} to {latitude.max():g} N, {longitude.min():g} to"
            f" {longitude.max():g} E, does not reach the grid ({south:g} to {north:g} N, {west:g} to"
            f" {west + across:g} E)"
        )
    edge_y = np.clip(_edges(latitude[rows]), -90.0, 90.0)
    edge_x = _edges(around[columns] + west - spread_x)
    if edge_x[-1] - edge_x[0] > 360.0:
        edge_x[-1] = edge_x[0] + 360.0
    corners = np.meshgrid(edge_x, edge_y)
    centres = np.meshgrid(0.5 * (edge_x[:-1] + edge_x[1:]), 0.5 * (edge_y[:-1] + edge_y[1:]))
    grid = Grid(path.name, *centres, *corners, {}, "latitude")
    return grid, Cut(data, axes, rows.astype(np.int64), columns.astype(np.int64))


def _edges(centres: Array) -> Array:
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2.0 * centres[0] - middle[0]], middle, [2.0 * centres[-1] - middle[-1]]])
