# SPDX-License-Identifier: BSD-3-Clause
"""Files of networks: directions (HydroSHEDS, MERIT Hydro) or next cells (CaMa-Flood) on longitudes and latitudes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np

from components.land.rivers.network import ESRI, Floats, Network, NetworkError, from_codes, from_next, part_of
from coupler.files.atomic import whole_file
from coupler.netcdf.axes import find_axes
from coupler.netcdf.axes import read as read_axes
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset

DIRECTIONS = ("flow_direction", "dir", "fdir", "flwdir", "flowdir", "d8", "drainage_direction", "Band1")
HEIGHTS = ("surface_altitude", "elevation", "elv", "elevtn", "height", "z", "ROSE", "topo", "orog")
NEAR = 1e-3
"""Of a cell's width, by which centres of a file and of a grid may differ."""


class Course(NamedTuple):
    """A network with what its file says besides.

    Attributes
    ----------
    network : Network
        On the grid asked for.
    height : float64 array or None
        Of the relief, m, (ny, nx).
    names : mapping of int to str
        Of flat cells, mouths and sinks.
    """

    network: Network
    height: Floats | None
    names: Mapping[int, str]


def find_map(data: Any, names: tuple[str, ...]) -> Any:
    """The first variable of two dimensions or more with one of the names, in any case, or as its standard name.

    Parameters
    ----------
    data : netCDF4.Dataset
        Open.
    names : tuple of str
        In order of no preference.
    """
    lower = {name.lower() for name in names}
    planes = [(n, v) for n, v in data.variables.items() if v.ndim >= 2]
    return next((v for n, v in planes if n.lower() in lower or getattr(v, "standard_name", "") in lower), None)


def read_plane(data: Any, variable: Any, path: Path) -> tuple[Floats, Floats, Floats]:
    """Values (y, x) of a map on rows and columns, northward and eastward, with longitudes and latitudes.

    Parameters
    ----------
    data : netCDF4.Dataset
        Open.
    variable : netCDF4.Variable
        The map; NaN stands where it is missing.
    path : Path
        Its file, for messages.

    Raises
    ------
    NetworkError
        A map that does not stand in parallels and meridians.
    """
    axes = find_axes(data, variable.name, other=True, error=NetworkError)
    horizontal = read_horizontal(data, axes, NetworkError)
    if horizontal is None or not horizontal.in_rows:
        raise NetworkError(
            f"{path}: expected {variable.name} on longitudes and latitudes in rows and columns, with coordinates of"
            f" these names, found ({', '.join(variable.dimensions)})"
        )
    field = read_axes(data, horizontal.axes, 0, error=NetworkError)
    field = field.reshape(-1, *field.shape[-2:])[0]
    x, y = np.asarray(horizontal.longitude, float), np.asarray(horizontal.latitude, float)
    if y.size > 1 and y[0] > y[-1]:
        field, y = field[::-1], y[::-1]
    return field, np.rad2deg(np.unwrap(np.deg2rad(x))), y


def holds_directions(path: Path) -> bool:
    """Whether a file has directions or next cells of a network.

    Parameters
    ----------
    path : Path
        A netCDF file.
    """
    with open_dataset(path, NetworkError) as data:
        return find_map(data, DIRECTIONS) is not None or find_map(data, ("nextx",)) is not None


def read_network(path: Path, longitude: Floats | None = None, latitude: Floats | None = None) -> Course:
    """Read a network, or the part of it on a grid.

    Parameters
    ----------
    path : Path
        netCDF file with ``flow_direction`` (or ``dir``, ``flwdir`` ...) in the codes of HydroSHEDS, or ``nextx`` and
        ``nexty`` of CaMa-Flood; perhaps with the height of the relief.
    longitude, latitude : float64 array, optional
        Centres wanted, degrees, latitudes northward; by default all of the file's.

    Raises
    ------
    NetworkError
        A file without directions, unknown codes, or another grid.
    """
    with open_dataset(path, NetworkError) as data:
        codes, next_x, next_y = (find_map(data, names) for names in (DIRECTIONS, ("nextx",), ("nexty",)))
        if codes is None and (next_x is None or next_y is None):
            raise NetworkError(
                f"{path}: expected flow_direction (1, 2, 4 ... 128 as HydroSHEDS has them) or nextx and nexty of"
                f" CaMa-Flood, found {', '.join(data.variables)}"
            )
        try:
            if codes is not None:
                field, x, y = read_plane(data, codes, path)
                network = from_codes(np.where(np.isnan(field), 247, field).astype(np.int64), x, y)
            else:
                (i, x, y), (j, _, _) = (read_plane(data, v, path) for v in (next_x, next_y))
                network = from_next(_numbers(i), _numbers(j), x, y, southward=True)
        except NetworkError as error:
            raise NetworkError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
        given = find_map(data, HEIGHTS)
        height = None if given is None else read_plane(data, given, path)[0]
        names = {}
        if "end_name" in data.variables:
            cells = np.asarray(data["end_cell"][:]).tolist()
            names = dict(zip(cells, map(str, data["end_name"][:]), strict=True))
    whole = Course(network, height, names)
    return whole if longitude is None or latitude is None else _on_grid(path, whole, longitude, latitude)


def _numbers(field: Floats) -> Any:
    return np.where(np.isnan(field), -9999, field).astype(np.int64)


def _on_grid(path: Path, whole: Course, longitude: Floats, latitude: Floats) -> Course:
    """The part of a network that lies on a grid."""
    picks = []
    for have, want, turns in ((whole.network.latitude, latitude, 0.0), (whole.network.longitude, longitude, 360.0)):
        step = abs(have[1] - have[0])
        turn = turns * round((want.mean() - have.mean()) / 360.0)
        first = round((want[0] - turn - have[0]) / step)
        fits = first >= 0 and first + want.size <= have.size
        if not fits or np.abs(have[first : first + want.size] + turn - want).max() > NEAR * step:
            x, y = whole.network.longitude, whole.network.latitude
            raise NetworkError(
                f"{path} has cells of {abs(y[1] - y[0]):.6g} degrees, {x[0]:.6g} to {x[-1]:.6g} E and {y[0]:.6g} to"
                f" {y[-1]:.6g} N (centres), in which the namelist's grid ({longitude[0]:.6g} to {longitude[-1]:.6g} E,"
                f" {latitude[0]:.6g} to {latitude[-1]:.6g} N) is not found; give the rivers a grid of its cells, such"
                f" as {{west: {x[0] - step / 2:g}, east: {x[-1] + step / 2:g}, south: {y[0] - step / 2:g}, north:"
                f" {y[-1] + step / 2:g}, resolution: {step:g}}}"
            )
        picks.append(slice(first, first + want.size))
    rows, columns = picks
    if (rows.start, columns.start) == (0, 0) and (latitude.size, longitude.size) == whole.network.downstream.shape:
        return whole
    network, nx = part_of(whole.network, rows, columns), whole.network.longitude.size
    names = {
        (cell // nx - rows.start) * longitude.size + cell % nx - columns.start: name
        for cell, name in whole.names.items()
        if rows.start <= cell // nx < rows.stop and columns.start <= cell % nx < columns.stop
    }
    return Course(network, None if whole.height is None else whole.height[rows, columns], names)


def _write_ways(data: Any, network: Network) -> None:
    """Directions, or next cells where a course leaps over a cell of another."""
    if network.leaps:
        for name, axis, values in zip(("nextx", "nexty"), ("column", "row"), network.next_cells, strict=True):
            variable = data.createVariable(name, "i4", ("lat", "lon"), zlib=True)
            variable.long_name = f"{axis} of the cell below, from the north-west, in the convention of CaMa-Flood"
            variable[:] = values
        return
    codes = data.createVariable("flow_direction", "i2", ("lat", "lon"), zlib=True)
    codes.long_name = "direction of the cell below, clockwise from the east, in the convention of HydroSHEDS"
    codes.flag_values = np.array([*ESRI, 0, 255, 247], np.int16)
    codes.flag_meanings = "east southeast south southwest west northwest north northeast mouth sink sea"
    codes[:] = network.codes


def write_network(path: Path, course: Course, source: str) -> None:
    """Write a network with its relief and the names of its ends.

    Parameters
    ----------
    path : Path
        The file, beside which it is written before it is moved there whole.
    course : Course
        What is written.
    source : str
        Where it is from.
    """
    network = course.network
    with whole_file(path) as part, netCDF4.Dataset(part, "w") as data:
        data.Conventions, data.title, data.source = "CF-1.11", "directions of rivers", source
        for name, standard, units, values in (
            ("lat", "latitude", "degrees_north", network.latitude),
            ("lon", "longitude", "degrees_east", network.longitude),
        ):
            data.createDimension(name, values.size)
            axis = data.createVariable(name, "f8", (name,))
            axis.standard_name, axis.units = standard, units
            axis[:] = values
        _write_ways(data, network)
        if course.height is not None:
            height = data.createVariable("surface_altitude", "f4", ("lat", "lon"), zlib=True, least_significant_digit=1)
            height.standard_name, height.units = "surface_altitude", "m"
            height[:] = course.height
        data.createDimension("end", len(course.names))
        cell = data.createVariable("end_cell", "i4", ("end",))
        cell.long_name = "flat number of the cell of a mouth or sink, row by row from the south-west"
        cell[:] = np.array(sorted(course.names), np.int32)
        words: Any = data.createVariable("end_name", str, ("end",))
        words.long_name = "name of the river or basin that ends there"
        words[:] = np.array([course.names[c] for c in sorted(course.names)], dtype=object)
