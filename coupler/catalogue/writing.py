# SPDX-License-Identifier: BSD-3-Clause
"""A data set on a grid as a CF file, with its citation and licence."""

from __future__ import annotations

from pathlib import Path

import cftime
import numpy as np

from coupler.catalogue.dataset import DataSet
from coupler.errors import CatalogueError, NamelistError
from coupler.files.atomic import whole_file
from coupler.grids.grid import Grid
from coupler.namelist import read_text


def grid_of(path: Path) -> Grid:
    """The grid of a grid file, or of a component's namelist that describes one by its box and resolution.

    Parameters
    ----------
    path : Path
        A netCDF file, or YAML with ``grid: {west: ..., east: ..., south: ..., north: ..., resolution: ...}``.

    Raises
    ------
    CatalogueError
        Neither of them.
    """
    if not path.is_file():
        raise CatalogueError(f"{path} does not exist")
    if path.suffix not in (".yaml", ".yml"):
        return Grid.from_file(path)
    try:
        node = read_text(path.read_text(encoding="utf-8"), str(path))
    except NamelistError as error:
        raise CatalogueError(str(error)) from error
    given = node.values.get("grid") if isinstance(node.values, dict) else None
    box = ("west", "east", "south", "north", "resolution")
    if isinstance(given, str):
        return Grid.from_file(path.parent / given)
    if not isinstance(given, dict) or any(key not in given for key in box):
        raise CatalogueError(f"{path}: expected grid: with {', '.join(box)}, or a grid file; got {given!r}")
    return Grid.regular_lonlat(path.stem, *(given[key] for key in box[:4]), resolution=given["resolution"])


def on_grid(data: DataSet, grid_file: Path, output: Path | None) -> str:
    """Remap a data set and write it.

    Parameters
    ----------
    data : DataSet
        The whole map.
    grid_file : Path
        See `grid_of`.
    output : Path, optional
        The tag in small letters, with .nc, here, if left out; it is not written over.

    Returns
    -------
    str
        What was done.

    Raises
    ------
    CatalogueError
        The output exists, or the grid meets no value.
    """
    import netCDF4

    path = output if output is not None else Path(f"{data.tag.lower()}.nc")
    if path.exists():
        raise CatalogueError(f"{path} exists; name another --output")
    grid = grid_of(grid_file)
    values = data.on(grid)
    with whole_file(path) as part, netCDF4.Dataset(part, "w") as file:
        file.setncatts(
            {"Conventions": "CF-1.11", "title": data.tag, "references": data.citation, "license": data.licence}
        )
        places = ("y", "x") if len(grid.shape) == 2 else ("cell",)
        for name, size in zip(places, grid.shape, strict=True):
            file.createDimension(name, size)
        dimensions: tuple[str, ...] = places
        if data.dates is not None:
            file.createDimension("time", values.shape[0])
            time = file.createVariable("time", "f8", ("time",))
            calendar = data.dates.dates[0].calendar or "standard"
            time.setncatts({"standard_name": "time", "units": "days since 1850-01-01", "calendar": calendar})
            time[:] = cftime.date2num(data.dates.dates, time.units, calendar)
            dimensions = ("time", *places)
        for name in ("longitude", "latitude"):
            place = file.createVariable(name, "f8", places)
            units = "degrees_east" if name == "longitude" else "degrees_north"
            place.setncatts({"standard_name": name, "units": units})
            place[:] = getattr(grid, name)
        field = file.createVariable(data.tag.split("_")[0].lower(), "f8", dimensions, fill_value=9.96921e36)
        field.setncatts({"units": data.units, "coordinates": "longitude latitude", "long_name": data.tag})
        field[:] = np.ma.masked_invalid(values if data.dates is not None else values[0])
    covered = 100.0 * np.isfinite(values[0]).mean()
    return f"{path}: {values.shape[0]} records of {data.tag} on {grid.name}, {covered:.0f} % of its cells have a value"
