# SPDX-License-Identifier: BSD-3-Clause
"""Grids of latitudes and longitudes in one dimension each or two together, as CF, ROMS and NEMO write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Edges, Floats, Geometry, Mask
from coupler.grids.masks import read_masks
from coupler.netcdf.coordinates import degrees, kind

CORNERS = {
    "lat_rho": ("lon_psi", "lat_psi", "between"),
    "gphit": ("glamf", "gphif", "upper"),
}
"""Points at the corners of cells by the name of the cells' latitudes: ROMS's between the cells, NEMO's at their upper
right."""
CELLS = ("lat_rho", "gphit", "nav_lat", "TLAT", "geolat", "yt_ocean", "lat")
"""Latitudes of the cells themselves among those of a staggered grid."""


def read_cf(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """The grid of a file's latitudes and longitudes."""
    lat, lon = _pair(file)
    if lat.ndim == 1 and lat.dimensions != lon.dimensions:
        return _rectilinear(file, lat, lon, name, edges, crs)
    dimensions = tuple(d for d in lat.dimensions if len(file.dimensions[d]) > 1 or lat.ndim <= 2)[-2:]
    centers = [_last(degrees(v, error=GridError), len(dimensions)) for v in (lon, lat)]
    shape = centers[0].shape
    corners = _corners_2d(file, lat, lon, shape) or _corner_points(file, lat, shape)
    masks = read_masks(file, dimensions, shape)
    unknown = ~(np.isfinite(centers[0]) & np.isfinite(centers[1]))
    if unknown.any():  # parts of the globe that a model leaves out have no coordinates
        centers = [np.where(unknown, 0.0, c) for c in centers]
        masks = {key: mask & ~unknown for key, mask in (masks or {"default": np.ones(shape, bool)}).items()}
        if corners is not None and corners[0].shape[:2] == shape and corners[0].ndim > len(shape):
            corners = [np.where(unknown[..., None], np.nan, c) for c in corners]
        elif corners is not None:
            corners = None
    return made(name, centers, corners, masks, edges or "great_circle", crs)


def made(
    name: str,
    centers: list[Floats],
    corners: list[Floats] | None,
    masks: dict[str, Mask],
    edges: Edges,
    crs: str | None,
) -> Geometry:
    """A grid; corners that neighbours share become vertices."""
    if corners is None:
        return Geometry(name, centers[0], centers[1], None, None, masks, edges, crs)
    if corners[0].ndim == 3 and corners[0].shape[-1] == 4:
        shared = [_shared_vertices(values) for values in corners]
        if shared[0] is not None and shared[1] is not None:
            return Geometry(name, centers[0], centers[1], shared[0], shared[1], masks, edges, crs)
    return Geometry(name, centers[0], centers[1], corners[0], corners[1], masks, edges, crs)


def _pair(file: Any) -> tuple[Any, Any]:
    """The latitude and longitude of the cells."""
    bounds = {str(getattr(v, k)) for v in file.variables.values() for k in ("bounds",) if hasattr(v, k)}
    found: dict[str, list[Any]] = {"latitude": [], "longitude": []}
    for v in file.variables.values():
        numeric = v.dtype != str and getattr(v.dtype, "kind", "") in "iuf"
        if numeric and v.name not in bounds and v.ndim and kind(v) in found and np.prod(v.shape) > 0:
            found[kind(v)].append(v)
    for axis, units in (("longitude", "degrees_east"), ("latitude", "degrees_north")):
        if not found[axis]:
            raise GridError(
                f"{file.filepath()} holds no grid: no {axis} (CF standard_name or units {units}), no SCRIP"
                f" grid_center_lat, no UGRID or ESMF mesh; it has {', '.join(list(file.variables)[:12])}"
            )
    pairs = [
        (a, b)
        for a in found["latitude"]
        for b in found["longitude"]
        if a.ndim == b.ndim and (a.dimensions == b.dimensions or (a.ndim == 1 and a.shape != b.shape) or a.ndim == 1)
    ]
    if not pairs:
        raise GridError(
            f"{file.filepath()} holds no grid: no latitude and longitude of the same dimensions among "
            f"{', '.join(v.name for v in (*found['latitude'], *found['longitude']))}; "
            "give the cells one of each on the dimensions of the cells"
        )
    for better in (
        lambda p: all(getattr(v, "bounds", None) in file.variables for v in p),
        lambda p: p[0].name in CELLS,
        lambda p: _alike(p[0].name, p[1].name),
        lambda p: all(hasattr(v, "standard_name") for v in p),
        lambda p: p[0].ndim == 2,
    ):
        best = [p for p in pairs if better(p)]
        pairs = best or pairs
        if len(pairs) == 1:
            return pairs[0]
    words = " or ".join(f"{a.name} with {b.name}" for a, b in pairs[:4])
    raise GridError(f"{file.filepath()}: the cells may lie on {words}; leave one pair in the file, or give it bounds")


def _alike(latitude: str, longitude: str) -> bool:
    """Whether two names differ in latitude and longitude only: lat_rho and lon_rho."""
    plain = latitude.lower().replace("latitude", "longitude")
    return longitude.lower() in (plain, plain.replace("lat", "lon"), plain.replace("gphi", "glam"))


def _rectilinear(file: Any, lat: Any, lon: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    x, y = np.unwrap(degrees(lon, error=GridError), period=360.0), degrees(lat, error=GridError)
    for v, values in ((lon, x), (lat, y)):
        if not np.isfinite(values).all():
            raise GridError(f"{file.filepath()}: {v.name} has missing values; mend the file")
        steps = np.diff(values)
        if steps.size and not ((steps > 0).all() or (steps < 0).all()):
            raise GridError(f"{file.filepath()}: {v.name} turns back ({values[0]:g} to {values[-1]:g}); sort the file")
    edges_x, edges_y = _edges(file, lon, x, 360.0), np.clip(_edges(file, lat, y, 0.0), -90.0, 90.0)
    if abs(edges_x[-1] - edges_x[0]) > 360.0 + 1e-6:
        raise GridError(
            f"{file.filepath()}: {lon.name} goes {abs(edges_x[-1] - edges_x[0]):g} degrees round, so that cells lie on"
            " each other; cut the columns that repeat others"
        )
    centers, corners = list(np.meshgrid(x, y)), list(np.meshgrid(edges_x, edges_y))
    masks = read_masks(file, (*lat.dimensions, *lon.dimensions), centers[0].shape)
    return made(name, centers, corners, masks, edges or "latitude", crs)


def _edges(file: Any, variable: Any, centres: Floats, period: float) -> Floats:
    """The edges between rows or columns, in the direction in which the centres run."""
    here = f"{file.filepath()}: {variable.name}"
    bounds = file.variables.get(str(getattr(variable, "bounds", "")))
    if bounds is None:
        if centres.size < 2:
            raise GridError(f"{here} has one value and no bounds: so its cell has no size; give it bounds")
        middle = 0.5 * (centres[:-1] + centres[1:])
        return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
    pairs = degrees(bounds, error=GridError)
    if pairs.shape == (centres.size + 1,):
        pairs = np.stack([pairs[:-1], pairs[1:]], axis=-1)
    if pairs.shape == (2, centres.size) and centres.size != 2:
        pairs = pairs.T
    if pairs.shape != (centres.size, 2) or not np.isfinite(pairs).all():
        raise GridError(
            f"{here}: its bounds {bounds.name!r} of {pairs.shape} are not one pair of numbers for each value; "
            f"write them as ({centres.size}, 2)"
        )
    if period:
        pairs = pairs + period * np.round((centres[:, None] - pairs) / period)
    rising = centres.size < 2 or centres[1] > centres[0]
    if ((pairs[:, 1] < pairs[:, 0]) == rising).all():
        pairs = pairs[:, ::-1]  # given against the axis
    size = np.abs(pairs[:, 1] - pairs[:, 0])
    slack = 1e-4 * max(float(size.max()), 1e-9)
    outside = (np.maximum(pairs[:, 0], pairs[:, 1]) < centres - slack) | (
        np.minimum(pairs[:, 0], pairs[:, 1]) > centres + slack
    )
    if outside.any():
        n = int(np.flatnonzero(outside)[0])
        raise GridError(f"{here}: {centres[n]:g} is outside its bounds {pairs[n, 0]:g} to {pairs[n, 1]:g}; mend them")
    apart = np.abs(pairs[1:, 0] - pairs[:-1, 1])
    if apart.size and apart.max() > 10.0 * slack:
        n = int(apart.argmax())
        raise GridError(
            f"{here}: the bounds of {centres[n]:g} end at {pairs[n, 1]:g}, those of {centres[n + 1]:g} begin at "
            f"{pairs[n + 1, 0]:g}: they leave a gap, overlap, or run against each other; mend them"
        )
    return np.concatenate([pairs[:, 0], pairs[-1:, 1]])


def _last(values: Floats, count: int) -> Floats:
    while values.ndim > count:
        values = values[0]
    return values


def _corners_2d(file: Any, lat: Any, lon: Any, shape: tuple[int, ...]) -> list[Floats] | None:
    """Corners that the attribute `bounds` names: of every cell, or the vertices that cells share."""
    named = [file.variables.get(str(getattr(v, "bounds", ""))) for v in (lon, lat)]
    if any(v is None for v in named):
        return None
    corners = []
    for v in named:
        found = degrees(v, error=GridError)
        vertices = len(shape) == 2 and found.shape == (shape[0] + 1, shape[1] + 1)
        if not vertices and found.ndim == len(shape) + 1 and found.shape[1:] == shape:
            found = np.moveaxis(found, 0, -1)
        if not vertices and found.shape[:-1] != shape:
            raise GridError(
                f"{file.filepath()}: the bounds {v.name!r} have the shape {found.shape}, the cells {shape}; "
                "their last dimension is to hold a cell's corners"
            )
        corners.append(found)
    return corners


def _corner_points(file: Any, lat: Any, shape: tuple[int, ...]) -> list[Floats] | None:
    """Vertices from the points that a staggered grid keeps at the corners of its cells; the outermost are continued."""
    lon_name, lat_name, where = CORNERS.get(lat.name, ("", "", ""))
    if lon_name not in file.variables or lat_name not in file.variables or len(shape) != 2:
        return None
    points = [_last(degrees(file[n], error=GridError), 2) for n in (lon_name, lat_name)]
    ny, nx = shape
    if points[0].shape != {"between": (ny - 1, nx - 1), "upper": shape}[where] or min(points[0].shape) < 2:
        return None
    if not all(np.isfinite(p).all() for p in points):
        return None
    lam, phi = (np.deg2rad(p) for p in points)
    unit = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    unit = np.concatenate([2.0 * unit[:, :1] - unit[:, 1:2], unit], axis=1)
    unit = np.concatenate([2.0 * unit[:, :, :1] - unit[:, :, 1:2], unit], axis=2)
    if where == "between":
        unit = np.concatenate([unit, 2.0 * unit[:, -1:] - unit[:, -2:-1]], axis=1)
        unit = np.concatenate([unit, 2.0 * unit[:, :, -1:] - unit[:, :, -2:-1]], axis=2)
    x, y, z = unit
    return [np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y)))]


def _shared_vertices(corners: Floats) -> Floats | None:
    """(ny + 1, nx + 1) vertices if the corners (ny, nx, 4), anticlockwise from the lower left, share them."""
    ny, nx = corners.shape[:2]
    vertices = np.empty((ny + 1, nx + 1))
    vertices[:-1, :-1] = corners[..., 0]
    vertices[:-1, -1], vertices[-1, -1], vertices[-1, :-1] = corners[:, -1, 1], corners[-1, -1, 2], corners[-1, :, 3]
    around = (vertices[:-1, :-1], vertices[:-1, 1:], vertices[1:, 1:], vertices[1:, :-1])
    return vertices if np.array_equal(np.stack(around, axis=-1), corners) else None
