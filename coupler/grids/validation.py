# SPDX-License-Identifier: BSD-3-Clause
"""Whether a grid that was read can be right: centres in their cells, cells with an area, no two on each other."""

from __future__ import annotations

import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Floats, Geometry, Mask

BLOCK = 200_000
"""Cells looked at together."""
OUTSIDE = 0.05
"""Share of a cell's size by which its centre may lie beyond its edges."""


def validate(grid: Geometry, path: str) -> None:
    """Refuse a grid that cannot be right.

    Raises
    ------
    GridError
        With the file, how many cells are concerned, the first of them and what it has.
    """
    here = f"{path}: grid {grid.name!r}"
    active = grid.mask.ravel()
    if grid.masks and "default" in grid.masks and not active.any():
        raise GridError(f"{here}: its mask leaves no cell active; expected 1 where a cell is active")
    if grid.corner_longitude is None:
        return
    lon, lat = np.asarray(grid.longitude).ravel(), np.asarray(grid.latitude).ravel()
    outside, empty = np.zeros(lon.size, bool), np.zeros(lon.size, bool)
    for start in range(0, lon.size, BLOCK):
        part = slice(start, min(start + BLOCK, lon.size))
        outside[part], empty[part] = _faults(grid, lon[part], lat[part], part)
    said = (
        (empty & active, "have no area", "their corners are missing or lie on each other: mask them, or mend them"),
        (outside & active & ~empty, "have their centre outside of their bounds",
         "the bounds belong to other cells, run in another order or are damaged: mend them"),
        (_twice(lon, lat, active), "lie on another active cell",
         "cut or mask the cells that come twice, as in the halo of a global grid"),
    )  # fmt: skip
    for cells, what, remedy in said:
        if cells.any():
            n = int(np.flatnonzero(cells)[0])
            place = tuple(int(i) for i in np.unravel_index(n, grid.shape))
            raise GridError(
                f"{here}: {int(cells.sum())} of {grid.size} cells {what}, first {place} at {lon[n]:g} E, {lat[n]:g} N;"
                f" {remedy}"
            )


def _faults(grid: Geometry, lon: Floats, lat: Floats, part: slice) -> tuple[Mask, Mask]:
    """Cells whose centre is outside, and cells without an area."""
    corners = _cell_corners(grid, part)
    if grid.edges == "latitude":  # in longitude and latitude, where these edges are straight
        x = (corners[0] - lon[:, None] + 180.0) % 360.0 - 180.0
        pole = np.abs(np.abs(corners[1]) - 90.0) < 1e-9
        x, y = np.where(pole & (np.abs(x) > 179.0), 0.0, x), corners[1] - lat[:, None]
    else:  # in the plane that touches the sphere at the centre, where great circles are straight
        lam, phi = np.deg2rad(corners[0] - lon[:, None]), np.deg2rad(corners[1])
        at = np.deg2rad(lat)[:, None]
        depth = np.sin(at) * np.sin(phi) + np.cos(at) * np.cos(phi) * np.cos(lam)
        depth = np.where(depth > 0.05, depth, 0.05)
        x = np.cos(phi) * np.sin(lam) / depth
        y = (np.cos(at) * np.sin(phi) - np.sin(at) * np.cos(phi) * np.cos(lam)) / depth
    following_x, following_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    cross = x * following_y - y * following_x
    area = 0.5 * cross.sum(axis=1)
    length = np.hypot(following_x - x, following_y - y)
    extent = np.hypot(np.ptp(x, axis=1), np.ptp(y, axis=1))
    empty = ~(np.abs(area) > 1e-9 * extent**2)
    angle = np.arctan2(cross, x * following_x + y * following_y).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.where(length > 1e-9 * extent[:, None], np.sign(area)[:, None] * cross / length, np.inf).min(axis=1)
    # the lowest distance from an edge is below zero outside of a convex cell; the angle decides of a concave one
    outside = (np.abs(angle) < np.pi) & (away < -OUTSIDE * np.sqrt(np.abs(area)))
    return outside, empty | ~np.isfinite(area)


def _cell_corners(grid: Geometry, part: slice) -> tuple[Floats, Floats]:
    """Longitude and latitude of the corners of some cells (cell, nv); missing ones repeat the one before."""
    found = []
    assert grid.corner_longitude is not None and grid.corner_latitude is not None
    for values in (grid.corner_longitude, grid.corner_latitude):
        if grid.is_structured:
            vertex = np.stack([values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1]], axis=-1)
            corners = vertex.reshape(-1, 4)[part].copy()
        else:
            corners = np.asarray(values).reshape(grid.size, -1)[part].copy()
        for k in range(1, corners.shape[1]):
            missing = np.isnan(corners[:, k])
            corners[missing, k] = corners[missing, k - 1]
        found.append(corners)
    return found[0], found[1]


def _twice(lon: Floats, lat: Floats, active: Mask) -> Mask:
    """Active cells whose centre is that of an earlier one."""
    lam, phi = np.deg2rad(lon), np.deg2rad(lat)
    unit = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)
    active = active & (np.abs(lat) < 89.999)  # a row of points on the pole is one of wedges around it
    keys = np.round(unit * 1e8).astype(np.int64)[active]
    order = np.lexsort(keys.T)
    same = np.zeros(keys.shape[0], bool)
    same[order[1:]] = (keys[order[1:]] == keys[order[:-1]]).all(axis=1)
    found = np.zeros(lon.size, bool)
    found[np.flatnonzero(active)[same]] = True
    return found
