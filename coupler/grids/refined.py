# SPDX-License-Identifier: BSD-3-Clause
"""Grids that nest, each cell of one so many cells of another along both sides; and the inner part of a grid."""

from __future__ import annotations

import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Floats
from coupler.grids.grid import Grid


def refined(grid: Grid, factor: int) -> Grid:
    """The grid whose cells are the ``factor`` x ``factor`` parts of another's, in the plane of its projection.

    Parameters
    ----------
    grid : structured, with vertices; masks are not taken along
    factor : parts along each side of a cell

    Raises
    ------
    GridError
        An unstructured grid, or one whose cells do not share their corners.

    Examples
    --------
    >>> coarse = Grid.regular_lonlat("coarse", 100, 104, 20, 22, resolution=1.0)
    >>> refined(coarse, 4).shape, refined(coarse, 2).longitude[0, :3].tolist()
    ((8, 16), [100.25, 100.75, 101.25])
    """
    longitude, latitude = grid.corner_longitude, grid.corner_latitude
    vertices = tuple(n + 1 for n in grid.shape)
    if longitude is None or latitude is None or len(vertices) != 2 or longitude.shape != vertices:
        raise GridError(f"grid {grid.name!r} cannot be split: expected rows and columns of cells that share corners")
    if grid.crs:
        from pyproj import Proj

        plane = Proj(grid.crs)
        x, y = (_split(a, 2 * factor) for a in plane(longitude, latitude))
        x, y = plane(x, y, inverse=True)
    else:
        x, y = _split(longitude, 2 * factor), _split(latitude, 2 * factor)
    corners, centres = np.s_[::2, ::2], np.s_[1::2, 1::2]
    name = f"{grid.name}, each cell in {factor} x {factor}"
    return Grid(name, x[centres], y[centres], x[corners], y[corners], {}, grid.edges, grid.crs)


def blocks(fine: Grid, factor: int) -> Grid:
    """The grid, a list of cells, whose cells are blocks of ``factor`` x ``factor`` cells of another.

    A block has all vertices of its cells around it as corners, so that the cells fill it to round-off, however the
    edges of both lie on the sphere.

    Parameters
    ----------
    fine : structured, with vertices
    factor : cells along each side of a block

    Raises
    ------
    GridError
        The rows or columns are no multiple of it.
    """
    longitude, latitude = fine.corner_longitude, fine.corner_latitude
    if len(fine.shape) != 2 or any(n % factor for n in fine.shape) or longitude is None or latitude is None:
        raise GridError(
            f"grid {fine.name!r}: expected rows and columns that are multiples of {factor}, found {fine.shape}"
        )
    ny, nx = (n // factor for n in fine.shape)
    steps = np.arange(factor)
    along, none, all_of_it = steps, np.zeros(factor, np.int64), np.full(factor, factor)
    down = np.concatenate([none, along, all_of_it, all_of_it - along])
    right = np.concatenate([along, all_of_it, all_of_it - along, none])
    rows = (factor * np.arange(ny))[:, None, None] + down
    columns = (factor * np.arange(nx))[None, :, None] + right
    x, y = (a[rows, columns].reshape(ny * nx, -1) for a in (longitude, latitude))
    middle = fine.longitude, fine.latitude
    lon, lat = (a.reshape(ny, factor, nx, factor)[:, factor // 2, :, factor // 2].ravel() for a in middle)
    return Grid(f"{fine.name}, blocks of {factor} x {factor}", lon, lat, x, y, {}, fine.edges, fine.crs)


def inner(grid: Grid, sides: int) -> Grid:
    """The grid without so many rows and columns along each side.

    Parameters
    ----------
    grid : structured, with vertices; masks are not taken along
    sides : rows and columns left out, at each of the four

    Raises
    ------
    GridError
        Nothing would be left, or the cells do not share their corners.

    Examples
    --------
    >>> inner(Grid.regular_lonlat("g", 100, 110, 20, 26, resolution=1.0), 2).shape
    (2, 6)
    """
    longitude, latitude = grid.corner_longitude, grid.corner_latitude
    if len(grid.shape) != 2 or min(grid.shape) <= 2 * sides or longitude is None or latitude is None:
        raise GridError(f"grid {grid.name!r}: expected more than {2 * sides} rows and columns, found {grid.shape}")
    if longitude.shape != tuple(n + 1 for n in grid.shape):
        raise GridError(f"grid {grid.name!r} has no inner part: expected cells that share their corners")
    kept = tuple(np.s_[sides : n - sides] for n in grid.shape)
    corners = tuple(np.s_[sides : n + 1 - sides] for n in grid.shape)
    parts = grid.longitude[kept], grid.latitude[kept], longitude[corners], latitude[corners]
    return Grid(f"{grid.name}, inner", *parts, {}, grid.edges, grid.crs)


def _split(vertices: Floats, parts: int) -> Floats:
    """Vertices (ny + 1, nx + 1) and those between them along straight lines, (ny parts + 1, nx parts + 1)."""
    share = np.arange(parts) / parts
    for _ in range(2):  # along columns, then, turned, along rows
        first, second = vertices[:-1], vertices[1:]
        between = first[:, None] + share[:, None] * (second - first)[:, None]
        vertices = np.concatenate([between.reshape(-1, vertices.shape[1]), vertices[-1:]]).T
    return np.ascontiguousarray(vertices)
