# SPDX-License-Identifier: BSD-3-Clause
"""The network of a case from the user's data: what ``./run_case.py prepare CASE FILES --component rivers`` makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.land.rivers.network import Floats, Network, NetworkError
from components.land.rivers.network_file import (
    HEIGHTS,
    Course,
    find_map,
    holds_directions,
    read_network,
    read_plane,
    write_network,
)
from components.land.rivers.relief import network_of, read_courses, read_leveed, read_sinks
from coupler.files.land_mask import is_land
from coupler.grids.grid import Grid
from coupler.netcdf.opening import open_dataset
from coupler.remap.weights import make_weights

LAND = ("land_binary_mask", "lsm", "land_area_fraction", "landmask")
Report = Callable[[str, float], None]


def prepare(grid: Grid, files: Sequence[Path], out: Path, report: Report) -> Course:
    """Write the network on a grid from directions, or from relief with the committed courses and sinks.

    Parameters
    ----------
    grid : Grid
        Of the rivers, parallels and meridians.
    files : sequence of Path
        A file of directions (on the grid's cells), or one of relief (m; on any longitudes and latitudes) and perhaps
        one of land (``land_binary_mask``, or a share of land).
    out : Path
        What is written.
    report : callable
        Takes a line and the share of the work done.

    Raises
    ------
    NetworkError
        Files without what is needed, or on another grid.
    """
    longitude, latitude = axes_of(grid)
    given = [path for path in files if holds_directions(path)]
    if given:
        report(f"directions of {given[0].name}", 0.3)
        course = read_network(given[0], longitude, latitude)
    else:
        course = _of_relief(longitude, latitude, grid, files, report)
    network = course.network
    ends, inland = int(network.mouths.sum()), network.sinks.size
    if not network.land.any():
        raise NetworkError(f"{', '.join(p.name for p in files)}: no land on the grid of the rivers")
    steps = len(network.levels)
    report(f"{int(network.land.sum())} reaches, {ends} mouths, {inland} sinks, the longest way {steps} cells", 0.0)
    write_network(out, course, ", ".join(p.name for p in files))
    return course


def axes_of(grid: Grid) -> tuple[Floats, Floats]:
    """Longitudes and latitudes of a grid of parallels and meridians.

    Parameters
    ----------
    grid : Grid
        Of the rivers.

    Raises
    ------
    NetworkError
        Another grid.
    """
    x, y = np.asarray(grid.longitude), np.asarray(grid.latitude)
    if x.ndim != 2 or np.ptp(x, axis=0).max() > 1e-9 or np.ptp(y, axis=1).max() > 1e-9:
        raise NetworkError(
            "rivers need a grid of longitudes and latitudes, such as"
            " {west: 85, east: 160, south: -10, north: 65, resolution: 0.25}"
        )
    return x[0].copy(), y[:, 0].copy()


def _of_relief(longitude: Floats, latitude: Floats, grid: Grid, files: Sequence[Path], report: Report) -> Course:
    """A network out of relief; land by a file's mask, or by that of the package global-land-mask."""
    height, fine = None, None
    for n, path in enumerate(files):
        report(f"reading {path.name}", (n + 0.5) / (len(files) + 2))
        with open_dataset(path, NetworkError) as data:
            relief, dry = find_map(data, HEIGHTS), find_map(data, LAND)
            if relief is None and dry is None:
                raise NetworkError(
                    f"{path}: expected directions (flow_direction, dir, nextx), relief (surface_altitude, elevation) or"
                    f" land (land_binary_mask), found {', '.join(data.variables)}"
                )
            if relief is not None:
                height = _mean(*read_plane(data, relief, path), grid)
            if dry is not None:
                field, x, y = read_plane(data, dry, path)
                fine = _mean(np.nan_to_num(field), x, y, grid)
    if height is None:
        raise NetworkError(f"{', '.join(p.name for p in files)}: land without relief; name a file of heights too")
    if fine is None:
        report("no file of land: land is where the package global-land-mask has it", 0.0)
        fine = _land_share(longitude, latitude)
    land = (fine >= 0.5) & np.isfinite(height)
    report("directions", len(files) / (len(files) + 2))
    courses, sinks = read_courses(), read_sinks()
    inside = [s for s in sinks if _holds(land, longitude, latitude, s.longitude, s.latitude)]
    network = network_of(np.nan_to_num(height), land, longitude, latitude, courses, inside, read_leveed())
    names = {network.at(s.longitude, s.latitude)[0] * longitude.size + network.at(s.longitude, s.latitude)[1]: s.name
             for s in inside}  # fmt: skip
    return Course(network, height, {**_mouth_names(network, courses), **names})


def _holds(land: npt.NDArray[np.bool_], longitude: Floats, latitude: Floats, x: float, y: float) -> bool:
    """Whether a point lies on land of the grid."""
    half = 0.5 * abs(latitude[1] - latitude[0])
    j, i = int(np.abs(latitude - y).argmin()), int(np.abs(longitude - x).argmin())
    return bool(abs(latitude[j] - y) <= half and abs(longitude[i] - x) <= half and land[j, i])


def _mouth_names(network: Network, courses: dict[str, list[tuple[float, float]]]) -> dict[int, str]:
    """The river with the longest course among those that end in a mouth gives it its name."""
    found: dict[int, tuple[float, str]] = {}
    for name, points in courses.items():
        j, i = network.at(*points[len(points) // 2])
        end = int(network.ends[j, i])
        length = float(np.hypot(*np.diff(np.array(points), axis=0).T).sum())
        if end >= 0:
            found[end] = max(found.get(end, (0.0, "")), (length, name))
    return {end: name for end, (_, name) in found.items() if network.mouths.ravel()[end]}


def _mean(field: Floats, x: Floats, y: Floats, grid: Grid) -> Floats:
    """Mean of a map over the cells of a grid; NaN where it does not reach."""
    dx, dy = abs(x[1] - x[0]), abs(y[1] - y[0])
    source = Grid.regular_lonlat(
        "relief", x[0] - dx / 2, x[-1] + dx / 2, max(y[0] - dy / 2, -90.0), min(y[-1] + dy / 2, 90.0),
        nx=x.size, ny=y.size,
    )  # fmt: skip
    weights = make_weights(source, grid, target_mask=None)
    rows = np.repeat(np.arange(grid.size), np.diff(weights.indptr))
    flat = field.ravel()[weights.indices]
    there = np.isfinite(flat)
    total = np.bincount(rows, weights.data * there, minlength=grid.size)
    sums = np.bincount(rows, weights.data * np.where(there, flat, 0.0), minlength=grid.size)
    return np.where(total > 0.0, sums / np.where(total > 0.0, total, 1.0), np.nan).reshape(grid.shape)


def _land_share(longitude: Floats, latitude: Floats, points: int = 4) -> Floats:
    """Share of land of each cell, from points in it."""
    part = (np.arange(points) + 0.5) / points - 0.5
    dx, dy = longitude[1] - longitude[0], latitude[1] - latitude[0]
    x = (longitude[:, None] + dx * part).ravel()
    y = (latitude[:, None] + dy * part).ravel()
    there = is_land(x[None, :], y[:, None])
    return np.asarray(there.reshape(latitude.size, points, longitude.size, points).mean((1, 3)))
