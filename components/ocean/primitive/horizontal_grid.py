# SPDX-License-Identifier: BSD-3-Clause
"""The horizontal C-grid: lengths, areas and the Coriolis parameter, with a halo of two cells around the domain."""

from dataclasses import dataclass

import numpy as np

from components.ocean.primitive.stencil import HALO
from components.science.constants import EARTH_RADIUS, EARTH_ROTATION


@dataclass(frozen=True)
class HorizontalGrid:
    """Metric terms of a C-grid, arrays ``(ny + 4, nx + 4)`` in double precision.

    ``dxt dyt``: size of a cell through its centre (m). ``dxu``: distance between the centres on either side of the
    east face, ``dyu``: length of that face; ``dyv``, ``dxv``: the same for the north face. ``dxq dyq``: sizes around
    the north-east corner. ``area_*``: m2. ``f_q``: Coriolis parameter at the corner (s-1). ``x y``: centre
    coordinates (m, or degrees east and north).
    """

    dxt: np.ndarray
    dyt: np.ndarray
    dxu: np.ndarray
    dyu: np.ndarray
    dxv: np.ndarray
    dyv: np.ndarray
    dxq: np.ndarray
    dyq: np.ndarray
    area_t: np.ndarray
    area_u: np.ndarray
    area_v: np.ndarray
    area_q: np.ndarray
    f_q: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells in y and x, halo not counted."""
        return self.x.shape[0] - 2 * HALO, self.x.shape[1] - 2 * HALO


def cartesian(
    nx: int, ny: int, dx: float, dy: float, f0: float = 0.0, beta: float = 0.0, y_of_f0: float = 0.0
) -> HorizontalGrid:
    """Uniform grid on a beta plane; lengths in m, ``f0`` in s-1 at ``y = y_of_f0``, ``beta`` in m-1 s-1.

    The south-west corner is at 0, 0.

    Parameters
    ----------
    nx, ny : cells east and north
    dx, dy : their sides, m
    f0, beta : Coriolis parameter (s-1) and its gradient (m-1 s-1)
    y_of_f0 : where ``f0`` holds, m
    """
    shape = (ny + 2 * HALO, nx + 2 * HALO)
    x = (np.arange(shape[1]) - HALO + 0.5) * dx + np.zeros(shape)
    y = (np.arange(shape[0])[:, None] - HALO + 0.5) * dy + np.zeros(shape)
    dxs, dys, area = np.full(shape, float(dx)), np.full(shape, float(dy)), np.full(shape, float(dx) * dy)
    f_q = f0 + beta * (y + 0.5 * dy - y_of_f0)
    return HorizontalGrid(dxs, dys, dxs, dys, dxs, dys, dxs, dys, area, area, area, area, f_q, x, y)


def longitude_latitude(
    longitude_edges: np.ndarray, latitude_edges: np.ndarray, radius: float = EARTH_RADIUS
) -> HorizontalGrid:
    """Grid of parallels and meridians from the edges of its cells (degrees, increasing).

    Cell areas are exact on the sphere.

    Parameters
    ----------
    longitude_edges, latitude_edges : (nx + 1,), (ny + 1,) degrees
    radius : of the sphere, m
    """
    lon, lat = (np.radians(_widen(np.asarray(edges, float))) for edges in (longitude_edges, latitude_edges))
    lat = np.clip(lat, -0.5 * np.pi + 1e-6, 0.5 * np.pi - 1e-6)
    lon_t, lat_t = 0.5 * (lon[:-1] + lon[1:]), 0.5 * (lat[:-1] + lat[1:])
    dlon_t, dlat_t = np.diff(lon)[None, :], np.diff(lat)[:, None]
    # between centres, with the last one repeated: it belongs to the outermost ring of the halo, which no formula uses
    dlon_u = np.append(np.diff(lon_t), np.diff(lon)[-1])[None, :]
    dlat_v = np.append(np.diff(lat_t), np.diff(lat)[-1])[:, None]
    cos_t, cos_v = np.cos(lat_t)[:, None], np.cos(lat[1:])[:, None]
    full = np.zeros((lat_t.size, lon_t.size))
    band_t = np.diff(np.sin(lat))[:, None]
    band_v = np.append(np.diff(np.sin(lat_t)), band_t[-1])[:, None]
    return HorizontalGrid(
        dxt=radius * cos_t * dlon_t + full, dyt=radius * dlat_t + full,
        dxu=radius * cos_t * dlon_u + full, dyu=radius * dlat_t + full,
        dxv=radius * cos_v * dlon_t + full, dyv=radius * dlat_v + full,
        dxq=radius * cos_v * dlon_u + full, dyq=radius * dlat_v + full,
        area_t=radius**2 * band_t * dlon_t + full, area_u=radius**2 * band_t * dlon_u + full,
        area_v=radius**2 * band_v * dlon_t + full, area_q=radius**2 * band_v * dlon_u + full,
        f_q=2.0 * EARTH_ROTATION * np.sin(lat[1:])[:, None] + full,
        x=np.degrees(lon_t)[None, :] + full, y=np.degrees(lat_t)[:, None] + full,
    )  # fmt: skip


def curvilinear(
    corner_longitude: np.ndarray, corner_latitude: np.ndarray, radius: float = EARTH_RADIUS
) -> HorizontalGrid:
    """Grid of any curvilinear coordinates from the corners of its cells (degrees), ``(ny + 1, nx + 1)``.

    Lengths are great circles between the points of the grid and their midpoints, areas those of plane quadrilaterals
    between them, so that neighbouring areas tile the sphere to second order. Winds and currents given in east and north
    components have to be turned to the grid by the caller. Beyond the edges the grid is continued linearly in space.

    Parameters
    ----------
    corner_longitude, corner_latitude : (ny + 1, nx + 1) degrees
    radius : of the sphere, m
    """
    corners = _on_sphere(corner_longitude, corner_latitude)
    for axis in (0, 1):
        corners = _widen_points(corners, axis)
    corners /= np.linalg.norm(corners, axis=-1, keepdims=True)
    mid_x, mid_y = _middle(corners, 1), _middle(corners, 0)
    centre = _middle(mid_x, 0)
    # index j, i of a face or corner is that of the cell to its south-west
    east, north, corner = mid_y[:, 1:], mid_x[1:], corners[1:, 1:]

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        chord = np.linalg.norm(a - b, axis=-1)
        return 2.0 * radius * np.arcsin(0.5 * chord)

    def repeat_last(a: np.ndarray, axis: int) -> np.ndarray:
        return np.concatenate([a, np.take(a, [-1], axis)], axis)

    dxt, dyt = distance(mid_y[:, 1:], mid_y[:, :-1]), distance(mid_x[1:], mid_x[:-1])
    dxu = repeat_last(distance(centre[:, 1:], centre[:, :-1]), 1)
    dyv = repeat_last(distance(centre[1:], centre[:-1]), 0)
    dyu, dxv = distance(corners[1:, 1:], corners[:-1, 1:]), distance(corners[1:, 1:], corners[1:, :-1])
    dxq = repeat_last(distance(north[:, 1:], north[:, :-1]), 1)
    dyq = repeat_last(distance(east[1:], east[:-1]), 0)
    area_t = _quadrilateral(corners, radius)
    area_u = repeat_last(_quadrilateral(mid_x, radius), 1)
    area_v = repeat_last(_quadrilateral(mid_y, radius), 0)
    area_q = repeat_last(repeat_last(_quadrilateral(centre, radius), 0), 1)
    longitude, latitude = np.degrees(np.arctan2(centre[..., 1], centre[..., 0])), np.degrees(np.arcsin(centre[..., 2]))
    return HorizontalGrid(
        dxt, dyt, dxu, dyu, dxv, dyv, dxq, dyq, area_t, area_u, area_v, area_q,
        2.0 * EARTH_ROTATION * corner[..., 2], longitude % 360.0, latitude,
    )  # fmt: skip


def _on_sphere(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def _widen_points(points: np.ndarray, axis: int) -> np.ndarray:
    first, second = np.take(points, [0], axis), np.take(points, [1], axis)
    last, before = np.take(points, [-1], axis), np.take(points, [-2], axis)
    lower = [first - k * (second - first) for k in range(HALO, 0, -1)]
    upper = [last + k * (last - before) for k in range(1, HALO + 1)]
    return np.concatenate([*lower, points, *upper], axis)


def _middle(points: np.ndarray, axis: int) -> np.ndarray:
    n = points.shape[axis]
    middle = np.take(points, np.arange(1, n), axis) + np.take(points, np.arange(n - 1), axis)
    return middle / np.linalg.norm(middle, axis=-1, keepdims=True)


def _quadrilateral(points: np.ndarray, radius: float) -> np.ndarray:
    """Area of the quadrilaterals between neighbouring points: half the cross product of the diagonals."""
    up, down = points[1:, 1:] - points[:-1, :-1], points[1:, :-1] - points[:-1, 1:]
    return 0.5 * radius**2 * np.linalg.norm(np.cross(up, down), axis=-1)


def _widen(edges: np.ndarray) -> np.ndarray:
    steps = np.arange(1, HALO + 1)
    return np.concatenate(
        [edges[0] - steps[::-1] * (edges[1] - edges[0]), edges, edges[-1] + steps * (edges[-1] - edges[-2])]
    )
