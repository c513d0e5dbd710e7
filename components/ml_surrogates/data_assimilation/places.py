# SPDX-License-Identifier: BSD-3-Clause
"""Where observations lie on a grid, in cells and parts of cells."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.science.constants import EARTH_RADIUS

Floats = npt.NDArray[np.float64]


class Places(NamedTuple):
    """Fractional indices of points among cell centres.

    Attributes
    ----------
    y, x : (n,) row and column
    inside : (n,) whether a point lies among the centres; one without a place does not
    """

    y: Floats
    x: Floats
    inside: npt.NDArray[np.bool_]


def unit_vectors(longitude: Floats, latitude: Floats) -> Floats:
    """Points on the unit sphere (..., 3).

    Parameters
    ----------
    longitude, latitude : (...) degrees
    """
    a, b = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], -1)


def locate(longitude: Floats, latitude: Floats, lon: Floats, lat: Floats) -> Places:
    """Fractional indices of points on a structured grid.

    Parameters
    ----------
    longitude, latitude : (ny, nx) of the cell centres, degrees
    lon, lat : (n,) of the points, degrees
    """
    known = np.isfinite(lon) & np.isfinite(lat)
    centres, points = (
        unit_vectors(longitude, latitude),
        unit_vectors(np.where(known, lon, 0.0), np.where(known, lat, 0.0)),
    )
    ny, nx = longitude.shape
    nearest = np.argmax(points @ centres.reshape(-1, 3).T, axis=1) if len(points) else np.zeros(0, dtype=int)
    y, x = (a.astype(np.float64) for a in np.divmod(nearest, nx))
    for _ in range(8):  # Newton's method on the bilinear surface through four centres
        j, i = np.clip(y.astype(int), 0, ny - 2), np.clip(x.astype(int), 0, nx - 2)
        a, b, c, d = centres[j, i], centres[j, i + 1], centres[j + 1, i], centres[j + 1, i + 1]
        fy, fx = (y - j)[:, None], (x - i)[:, None]
        at = (1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * c + fx * d)
        by_y, by_x = (1 - fx) * (c - a) + fx * (d - b), (1 - fy) * (b - a) + fy * (d - c)
        size = np.linalg.norm(at, axis=-1, keepdims=True)
        gap = points * size - at
        yy, xx, yx = (by_y * by_y).sum(-1), (by_x * by_x).sum(-1), (by_y * by_x).sum(-1)
        ry, rx = (by_y * gap).sum(-1), (by_x * gap).sum(-1)
        det = yy * xx - yx * yx
        y = np.clip(y + (xx * ry - yx * rx) / det, -1.0, float(ny))
        x = np.clip(x + (yy * rx - yx * ry) / det, -1.0, float(nx))
    edge = 1e-9
    inside = (y >= -edge) & (y <= ny - 1 + edge) & (x >= -edge) & (x <= nx - 1 + edge)
    return Places(np.clip(y, 0.0, ny - 1.0), np.clip(x, 0.0, nx - 1.0), inside & known)


def spacing_of(grid: Any) -> float:
    """Mean distance of neighbouring cells of a structured grid, m."""
    at = unit_vectors(np.asarray(grid.longitude), np.asarray(grid.latitude))
    along = [np.linalg.norm(np.diff(at, axis=axis), axis=-1).mean() for axis in (0, 1)]
    return float(EARTH_RADIUS * sum(along) / len(along))
