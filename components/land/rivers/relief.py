# SPDX-License-Identifier: BSD-3-Clause
"""Directions of rivers out of relief: main courses are given, pits filled, closed basins kept where they are named.

Priority flood (Barnes, Lehman and Mulla 2014): from the sea, the courses and the sinks the land is flooded in the order
of its height; each cell drains to its steepest neighbour on the flooded surface (O'Callaghan and Mark 1984).
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.land.rivers.network import NOWHERE, SEA, STEPS, Floats, Network, NetworkError

DATA = Path(__file__).parent / "data"
RISE = 1e-3
"""By which each flooded cell lies above that it was flooded from, m."""

GAP = 0.75
"""Degrees within which a course that ends inland finds the sea or another course."""

Point = tuple[float, float]


class Sink(NamedTuple):
    """A basin that drains nowhere.

    Attributes
    ----------
    name : str
        As maps have it.
    longitude, latitude : float
        Of its lowest part, degrees.
    """

    name: str
    longitude: float
    latitude: float


COURSES = DATA / "courses_of_east_asia.csv", DATA / "further_courses.csv"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def read_courses(paths: Sequence[Path] = COURSES) -> dict[str, list[Point]]:
    """Main courses, points from source to mouth or confluence.

    Parameters
    ----------
    paths : sequence of Path
        CSV with river, point, longitude, latitude; ``#`` begins a remark.
    """
    courses: dict[str, list[Point]] = {}
    for row in (row for path in paths for row in _rows(path)):
        courses.setdefault(row["river"], []).append((float(row["longitude"]), float(row["latitude"])))
    return courses


def read_leveed(path: Path = DATA / "leveed_reaches.csv") -> dict[str, Point]:
    """Where reaches begin whose bed stands above the plain, by river.

    Parameters
    ----------
    path : Path
        CSV with river, longitude, latitude; ``#`` begins a remark.
    """
    return {row["river"]: (float(row["longitude"]), float(row["latitude"])) for row in _rows(path)}


def read_sinks(path: Path = DATA / "sinks_of_east_asia.csv") -> list[Sink]:
    """Basins that drain nowhere.

    Parameters
    ----------
    path : Path
        CSV with name, longitude, latitude; ``#`` begins a remark.
    """
    return [Sink(row["name"], float(row["longitude"]), float(row["latitude"])) for row in _rows(path)]


def _line(a: tuple[int, int], b: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """Cells from a to b, each a neighbour of the one before."""
    steps = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
    for i in range(steps + 1):
        yield round(a[0] + (b[0] - a[0]) * i / steps), round(a[1] + (b[1] - a[1]) * i / steps)


def _course(points: Sequence[Point], longitude: Floats, latitude: Floats) -> list[tuple[int, int]]:
    """Cells of a course, each once, loops cut off."""

    def place(point: Point) -> tuple[int, int]:
        dx, dy = longitude[1] - longitude[0], latitude[1] - latitude[0]
        return round((point[1] - latitude[0]) / dy), round((point[0] - longitude[0]) / dx)

    cells: list[tuple[int, int]] = []
    for a, b in pairwise(points):
        for cell in _line(place(a), place(b)):
            if cell in cells:
                del cells[cells.index(cell) + 1 :]
            else:
                cells.append(cell)
    ny, nx = latitude.size, longitude.size
    return [(j, i) for j, i in cells if 0 <= j < ny and 0 <= i < nx]


def network_of(
    height: Floats,
    land: npt.NDArray[np.bool_],
    longitude: Floats,
    latitude: Floats,
    courses: Mapping[str, Sequence[Point]] | None = None,
    sinks: Sequence[Sink] = (),
    leveed: Mapping[str, Point] | None = None,
) -> Network:
    """The network of a relief.

    Parameters
    ----------
    height : float64 array
        Of the cells, m, northward and eastward, shape (ny, nx).
    land : bool array
        Which cells are land; height below 0 is not sea.
    longitude, latitude : float64 array
        Centres, degrees, evenly spaced.
    courses : mapping, optional
        Main courses by name, points from source to mouth or confluence; a course that ends inland without meeting
        another is carried on by the relief.
    sinks : sequence of Sink
        Basins that drain nowhere.
    leveed : mapping, optional
        By river, where the reach begins that stands above its plain: beyond it no cell but the river's own joins.

    Returns
    -------
    Network
        Every land cell ends in the sea, at the edge of the grid or in a sink.

    Raises
    ------
    NetworkError
        Arrays of different shapes, or a sink at sea.
    """
    ny, nx = latitude.size, longitude.size
    if height.shape != (ny, nx) or land.shape != (ny, nx):
        raise NetworkError(f"expected height and land of shape {(ny, nx)}, got {height.shape} and {land.shape}")
    downstream = np.where(land, NOWHERE, SEA).astype(np.int64)
    level = np.array(height, float)
    fixed = np.zeros((ny, nx), bool)
    heap: list[tuple[float, int]] = []
    given = {name: _course(points, longitude, latitude) for name, points in (courses or {}).items()}
    above = np.zeros((ny, nx), bool)
    reach = max(2, round(GAP / abs(latitude[1] - latitude[0])))
    for cells in sorted(given.values(), key=len, reverse=True):  # long rivers first, so that others end in them
        _lay(_ended(cells, land, fixed, reach), land, level, downstream, fixed)
    ending: list[int] = []
    for sink in sinks:
        j, i = (
            int(np.abs(axis - value).argmin())
            for axis, value in ((latitude, sink.latitude), (longitude, sink.longitude))
        )
        if not land[j, i]:
            raise NetworkError(f"the sink {sink.name} at {sink.latitude:g} N, {sink.longitude:g} E is not on land here")
        if not fixed[j, i]:
            downstream[j, i], fixed[j, i] = NOWHERE, True
            ending.append(j * nx + i)
    for name, point in (leveed or {}).items():
        _raise_above(given.get(name, []), point, longitude, latitude, above)
    above &= fixed
    seen = fixed | ~land
    for j, i in zip(*np.nonzero(fixed & land & ~above), strict=True):
        heapq.heappush(heap, (level[j, i], int(j) * nx + int(i)))
    for j, i in zip(*np.nonzero(land & ~fixed), strict=True):
        if j in (0, ny - 1) or i in (0, nx - 1) or not land[j - 1 : j + 2, i - 1 : i + 2].all():
            seen[j, i] = True
            heapq.heappush(heap, (level[j, i], int(j) * nx + int(i)))
    outlet = seen & land & ~fixed
    _flood(level, seen, heap)
    _descend(np.where(above, np.inf, level), land, fixed, outlet, longitude, latitude, downstream)
    return Network(downstream, longitude, latitude, np.array(ending, np.int64))


def _ended(
    cells: list[tuple[int, int]], land: npt.NDArray[np.bool_], fixed: npt.NDArray[np.bool_], reach: int
) -> list[tuple[int, int]]:
    """A course up to the sea, the edge or the course that it ends in; nothing where none is near its end.

    Where it only passes through a cell of another, as cells are wider than the ridges between gorges, it leaps over
    that cell: beyond it, it has cells of its own that lie away from all other courses.
    """
    ny, nx = land.shape
    run: list[tuple[int, int]] = []
    alone = [n for n, cell in enumerate(cells) if land[cell] and not _beside_any(fixed, cell)]
    for n, cell in enumerate(cells):
        if run and not land[cell]:
            return run
        if not land[cell] or (fixed[cell] and alone and alone[-1] > n):
            continue
        run.append(cell)
        if fixed[cell]:
            return run if len(run) > 1 else []
    if not run:
        return run
    j, i = run[-1]
    if j in (0, ny - 1) or i in (0, nx - 1):
        return run
    rows, columns = slice(max(j - reach, 0), j + reach + 1), slice(max(i - reach, 0), i + reach + 1)
    ends = np.argwhere((fixed | ~land)[rows, columns]) + (rows.start, columns.start)
    if not ends.size:
        return []
    nearest = ends[((ends - (j, i)) ** 2).sum(1).argmin()]
    way = [cell for cell in _line((j, i), (int(nearest[0]), int(nearest[1]))) if cell not in run]
    return _ended(run + way, land, fixed, 0)


def _beside_any(fixed: npt.NDArray[np.bool_], cell: tuple[int, int]) -> bool:
    """Whether a cell or one of its neighbours belongs to a course."""
    j, i = cell
    return bool(fixed[max(j - 1, 0) : j + 2, max(i - 1, 0) : i + 2].any())


def _lay(
    cells: list[tuple[int, int]], land: npt.NDArray[np.bool_], level: Floats, downstream: npt.NDArray[np.int64],
    fixed: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """Let a course run through its cells, never uphill; into the course that its last cell may belong to."""
    nx = level.shape[1]
    lowest = np.inf
    for n, cell in enumerate(cells):
        if fixed[cell]:
            break
        lowest = level[cell] = min(level[cell], lowest)
        fixed[cell] = True
        downstream[cell] = NOWHERE if n + 1 == len(cells) else cells[n + 1][0] * nx + cells[n + 1][1]


def _raise_above(
    cells: list[tuple[int, int]], point: Point, longitude: Floats, latitude: Floats, above: npt.NDArray[np.bool_]
) -> None:
    """Mark the cells of a course from the one nearest to a point on."""
    if not cells:
        return
    away = [(longitude[i] - point[0]) ** 2 + (latitude[j] - point[1]) ** 2 for j, i in cells]
    for cell in cells[int(np.argmin(away)) :]:
        above[cell] = True


def _flood(level: Floats, seen: npt.NDArray[np.bool_], heap: list[tuple[float, int]]) -> None:
    """Raise every cell to the lowest pass on its way to a seed."""
    ny, nx = level.shape
    heapq.heapify(heap)
    while heap:
        height, cell = heapq.heappop(heap)
        j, i = divmod(cell, nx)
        for dj, di in STEPS:
            b, a = j + dj, i + di
            if 0 <= b < ny and 0 <= a < nx and not seen[b, a]:
                seen[b, a] = True
                level[b, a] = max(level[b, a], height + RISE)
                heapq.heappush(heap, (float(level[b, a]), b * nx + a))


def _descend(
    level: Floats,
    land: npt.NDArray[np.bool_],
    fixed: npt.NDArray[np.bool_],
    outlet: npt.NDArray[np.bool_],
    longitude: Floats,
    latitude: Floats,
    downstream: npt.NDArray[np.int64],
) -> None:
    """Let each cell drain to its steepest neighbour on the flooded surface; outlets where no land lies lower."""
    ny, nx = level.shape
    numbers = np.arange(ny * nx).reshape(ny, nx)
    east = np.cos(np.radians(latitude)) * (longitude[1] - longitude[0])
    north = latitude[1] - latitude[0]
    best = np.zeros((ny, nx))
    high = np.pad(np.where(land, level, np.inf), 1, constant_values=np.inf)
    number = np.pad(numbers, 1, constant_values=NOWHERE)
    choice = np.full((ny, nx), NOWHERE, np.int64)
    for dj, di in STEPS:
        distance = np.sqrt((dj * north) ** 2 + (di * east) ** 2)[:, None]
        with np.errstate(invalid="ignore"):
            slope = (level - high[1 + dj : ny + 1 + dj, 1 + di : nx + 1 + di]) / distance
        steeper = slope > best
        best = np.where(steeper, slope, best)
        choice = np.where(steeper, number[1 + dj : ny + 1 + dj, 1 + di : nx + 1 + di], choice)
    free = land & ~fixed & ~outlet
    downstream[free] = choice[free]
