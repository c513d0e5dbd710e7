# SPDX-License-Identifier: BSD-3-Clause
"""The way from the cells of a file to those of a grid: the same cells in whatever order, or interpolation.

Cells are compared by where they lie, never by the shape of arrays. Longitudes have the period 360.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from coupler.errors import ForcingError
from coupler.files.interpolation import Bilinear
from coupler.grids.grid import Grid
from coupler.netcdf.horizontal import Horizontal
from coupler.netcdf.packed import Floats

Block = tuple[slice, slice]
Indices = npt.NDArray[np.intp]
SAME = 1e-3
"""Share of a cell within which two centres are one."""


class Placement(Protocol):
    """Values of a block of a grid from those of a file."""

    rows: slice
    columns: slice

    def __call__(self, values: Floats) -> Floats:
        """(..., rows, columns) of the file as (..., block of the grid)."""
        ...


class Whole:
    """The file's cells as they lie, or a block of them."""

    def __init__(self, block: Block = (slice(None), slice(None))):
        self.rows, self.columns = block

    def __call__(self, values: Floats) -> Floats:
        """Values of the block."""
        return values


class Rectangle:
    """Rows and columns of a file, in any order."""

    def __init__(self, rows: Indices, columns: Indices):
        self.rows, self.columns = (slice(int(i.min()), int(i.max()) + 1) for i in (rows, columns))
        self._take = rows - self.rows.start, columns - self.columns.start

    def __call__(self, values: Floats) -> Floats:
        """Values of the block."""
        return values[..., self._take[0][:, None], self._take[1]]


class Scattered:
    """Cells of a file by their flat number."""

    def __init__(self, cells: Indices, shape: tuple[int, ...]):
        self.rows = self.columns = slice(None)
        self._cells, self._dimensions = cells, len(shape)

    def __call__(self, values: Floats) -> Floats:
        """Values of the block."""
        return values.reshape(*values.shape[: values.ndim - self._dimensions], -1)[..., self._cells]


class Interpolated:
    """Bilinear interpolation between rows and columns, which may run in any direction and begin anywhere."""

    def __init__(self, y: Floats, x: Floats, period: float, points_y: Floats, points_x: Floats):
        self.rows = self.columns = slice(None)
        self._rows, self._columns = np.argsort(y, kind="stable"), np.argsort(x, kind="stable")
        x = x[self._columns]
        if period:
            self._columns, x = unwrapped(x, self._columns, period)
        self._onto = Bilinear(y[self._rows], x, points_y, points_x, period)

    def __call__(self, values: Floats) -> Floats:
        """Values of the block."""
        return self._onto(values[..., self._rows[:, None], self._columns])


class Weighted:
    """Bilinear interpolation between cells that stand in no rows of any plane; missing ones are left out."""

    def __init__(self, horizontal: Horizontal, grid: Grid, block: Block):
        from coupler.remap.weights import make_weights

        self.rows = self.columns = slice(None)
        there = np.isfinite(horizontal.latitude) & np.isfinite(horizontal.longitude)
        source = Grid(
            "file", np.where(there, horizontal.longitude, 0.0), np.where(there, horizontal.latitude, 0.0),
            masks={"default": there},
        )  # fmt: skip
        weights = make_weights(source, grid, "bilinear", source_mask="default", target_mask=None)
        numbers = np.arange(grid.size).reshape(grid.shape)[block[: len(grid.shape)]]
        self._shape, self._dimensions = numbers.shape, horizontal.latitude.ndim
        outside = int((np.diff(weights.indptr) == 0).sum())
        if outside:
            raise ForcingError(f"{outside} of {grid.size} cells are outside of it, {horizontal.extent()}")
        self._matrix = weights.matrix[numbers.ravel()]

    def __call__(self, values: Floats) -> Floats:
        """Values of the block."""
        flat = values.reshape(-1, self._matrix.shape[1])
        there = np.isfinite(flat)
        share = (self._matrix @ there.T.astype(np.float64)).T
        total = (self._matrix @ np.where(there, flat, 0.0).T).T
        found = np.where(share > 1e-6, total / np.where(share > 1e-6, share, 1.0), np.nan)
        return np.asarray(found.reshape(*values.shape[: values.ndim - self._dimensions], *self._shape))


def place(
    horizontal: Horizontal | None, grid: Grid | None, block: Block, here: str, between: bool = False
) -> Placement:
    """The way from a file's cells to a block of a grid.

    Parameters
    ----------
    horizontal : Horizontal or None
        Where the file's cells lie.
    grid : Grid or None
        Where values are wanted; None: where the file has them.
    block : (slice, slice)
        Rows and columns of `grid` wanted.
    here : str
        File and variable, for messages.
    between : bool
        Whether a grid of parallels and meridians may lie between those of the file.

    Raises
    ------
    ForcingError
        A file whose cells are not known, or do not contain those of the grid.
    """
    if grid is None:
        return Whole(block)
    if horizontal is None:
        raise ForcingError(
            f"{here}: nothing says where its cells lie: give it latitude and longitude (standard_name, or units"
            " degrees_north and degrees_east, named in its attribute coordinates), or the x and y of a grid_mapping"
        )
    if on_parallels(grid) and horizontal.in_rows and not between:
        return _rectangle(horizontal, grid, block, here)
    same = None if horizontal.in_rows and not on_parallels(grid) else _same_cells(horizontal, grid)
    if same is not None:
        return Scattered(same[block[: len(grid.shape)]], horizontal.shape)
    part = block[: len(grid.shape)]
    try:
        if horizontal.in_rows:
            at = (grid.latitude[part], grid.longitude[part])
            return Interpolated(horizontal.latitude, horizontal.longitude, 360.0, *at)
        if horizontal.plane is not None:
            x, y = horizontal.plane.forward(grid.longitude[part], grid.latitude[part])
            return Interpolated(horizontal.plane.y, horizontal.plane.x, horizontal.plane.period, y, x)
        if horizontal.latitude.ndim == 2:
            return Weighted(horizontal, grid, block)
    except ForcingError as error:
        raise ForcingError(f"{here} does not contain grid {grid.name!r}: {error}") from error
    raise ForcingError(
        f"{here} is a list of cells, {horizontal.extent()}, and not all cells of grid {grid.name!r} are among them;"
        " give the component the file's grid (grid: {file: ...}) or remap the file"
    )


def on_parallels(grid: Grid) -> bool:
    """Whether the rows of a grid are parallels and its columns meridians."""
    if len(grid.shape) != 2:
        return False
    return bool(np.ptp(grid.latitude, axis=1).max() < 1e-9 and np.ptp(grid.longitude, axis=0).max() < 1e-9)


def unwrapped(x: Floats, order: Indices, period: float) -> tuple[Indices, Floats]:
    """Longitudes on a circle, each once, ascending from behind their largest gap; and their numbers."""
    turned = x % period
    turned = np.where(period - turned < 1e-9 * period, 0.0, turned)
    first = np.argsort(turned, kind="stable")
    turned, order = turned[first], order[first]
    once = np.append(True, np.diff(turned) > 1e-9 * period)
    turned, order = turned[once], order[once]
    gaps = np.diff(np.append(turned, turned[0] + period))
    start = (int(gaps.argmax()) + 1) % turned.size if np.ptp(gaps) > 1e-6 * period else 0
    ahead = np.where(np.arange(turned.size) < start, turned + period, turned)
    return np.roll(order, -start), np.roll(ahead, -start)


def _rectangle(horizontal: Horizontal, grid: Grid, block: Block, here: str) -> Rectangle:
    """Rows and columns of the file that are those of a grid of parallels and meridians."""
    rows = _numbers(horizontal.latitude, np.asarray(grid.latitude[:, 0]), 0.0)
    columns = _numbers(horizontal.longitude, np.asarray(grid.longitude[0]), 360.0)
    if rows is None or columns is None:
        raise ForcingError(
            f"{here}: cells {horizontal.extent()} do not contain those of grid {grid.name!r}: "
            f"{grid.longitude.min():g}..{grid.longitude.max():g} E, {grid.latitude.min():g}..{grid.latitude.max():g} N "
            f"{grid.shape}; give the component the file's grid (grid: {{file: ...}}) or remap the file"
        )
    return Rectangle(rows[block[0]], columns[block[1]])


def _numbers(there: Floats, wanted: Floats, period: float) -> Indices | None:
    """Where each of some coordinates stands in the file; None if one does not."""
    order = np.argsort(there % period if period else there, kind="stable")
    known = (there % period if period else there)[order]
    if period:
        known, order = (
            np.concatenate([known[-1:] - period, known, known[:1] + period]),
            np.r_[order[-1], order, order[0]],
        )
        wanted = wanted % period
    gaps = np.diff(known)
    cell = float(gaps[gaps > 0].min()) if (gaps > 0).any() else 1.0
    after = np.clip(np.searchsorted(known, wanted), 1, known.size - 1) if known.size > 1 else np.zeros(wanted.size, int)
    nearer = np.abs(known[after - 1] - wanted) <= np.abs(known[after] - wanted) if known.size > 1 else False
    number = np.where(nearer, after - 1, after)
    return order[number] if (np.abs(known[number] - wanted) <= SAME * cell).all() else None


def _same_cells(horizontal: Horizontal, grid: Grid) -> Indices | None:
    """Number of the file's cell in each cell of the grid; None unless each has one."""
    lat, lon = horizontal.latitude, horizontal.longitude
    if horizontal.in_rows:
        lon, lat = np.meshgrid(lon, lat)
    lat, lon = lat.ravel(), lon.ravel()
    numbers = np.arange(lat.size)
    if lat.size == grid.size:  # most often the cells stand in the order of the grid
        off = _chord(lon, lat, grid.longitude.ravel(), grid.latitude.ravel())
        if off.max(initial=0.0) < 1e-9:
            return numbers.reshape(grid.shape)
    from scipy.spatial import cKDTree

    from coupler.grids.sphere import to_cartesian

    there = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    if there.size == 0:
        return None
    points = to_cartesian(lon[there], lat[there])
    tree = cKDTree(points)
    chord, place_ = tree.query(to_cartesian(grid.longitude.ravel(), grid.latitude.ravel()))
    some = points[:: max(1, there.size // 2000)]
    apart = tree.query(some, k=2)[0][:, 1] if there.size > 1 else np.array([np.inf])
    cell = float(np.median(apart[apart > 1e-9])) if (apart > 1e-9).any() else 1.0
    if chord.max(initial=0.0) > SAME * min(cell, 0.1):
        return None
    return np.asarray(there[place_].reshape(grid.shape), np.intp)


def _chord(lon: Floats, lat: Floats, other_lon: Any, other_lat: Any) -> Floats:
    from coupler.grids.sphere import to_cartesian  # numba: not needed for parallels and meridians

    there = np.isfinite(lon) & np.isfinite(lat)
    if not there.all():
        return np.full(lon.shape, np.inf)
    return np.asarray(np.abs(to_cartesian(lon, lat) - to_cartesian(other_lon, other_lat)).max(axis=-1))
