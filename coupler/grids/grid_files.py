"""Grids in netCDF files: CF with bounds, SCRIP and UGRID."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np
from numpy.typing import NDArray

from coupler.errors import GridError
from coupler.grids.geometry import Edges, Floats, Geometry


def read_grid(path: str | Path, *, name: str | None = None, edges: Edges | None = None) -> Geometry:
    """Read a grid and its masks.

    Parameters
    ----------
    path
        netCDF file: SCRIP (``grid_center_lat``), UGRID (a variable with ``cf_role = mesh_topology``), or CF latitude
        and longitude, with one dimension each or two together, and bounds. Rectilinear coordinates without bounds
        get bounds half-way.
    name
        Name of the grid; the file's by default.
    edges
        ``great_circle`` or ``latitude``. By default what the file says (attribute ``cell_edges``), else ``latitude``
        for rectilinear latitude and longitude and ``great_circle`` for everything else.

    Raises
    ------
    GridError
        Where the file cannot be read, or holds no grid: with what was looked for.
    """
    path = Path(path)
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise GridError(f"grid file {path} cannot be read: {error}") from None
    with file:
        file.set_auto_mask(False)
        label = name or str(getattr(file, "title", "") or path.stem)
        stated: Any = edges or getattr(file, "cell_edges", None)
        crs = getattr(file, "proj4", None)
        meshes = [v for v in file.variables.values() if getattr(v, "cf_role", "") == "mesh_topology"]
        if "grid_center_lat" in file.variables:
            return _read_scrip(file, label, stated, crs)
        if meshes:
            return _read_ugrid(file, meshes[0], label, stated, crs)
        return _read_cf(file, path, label, stated, crs)


def _degrees(variable: Any) -> Floats:
    values = np.asarray(variable[:], np.float64)
    return np.rad2deg(values) if str(getattr(variable, "units", "degrees")).startswith("rad") else values


def _read_scrip(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    shape = tuple(int(n) for n in file["grid_dims"][:][::-1])
    centers = [_degrees(file[f"grid_center_{axis}"]).reshape(shape) for axis in ("lon", "lat")]
    corners = [_degrees(file[f"grid_corner_{axis}"]).reshape(*shape, -1) for axis in ("lon", "lat")]
    masks = {"default": file["grid_imask"][:].reshape(shape) != 0} if "grid_imask" in file.variables else {}
    return _grid(name, centers, corners, masks, edges or "great_circle", crs)


def _read_ugrid(file: Any, mesh: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    table = file[mesh.face_node_connectivity]
    fill = int(getattr(table, "_FillValue", -1))
    nodes = np.asarray(table[:], np.int64)
    empty = nodes == fill
    nodes = nodes - int(getattr(table, "start_index", 0))
    coordinates = {file[key].standard_name: _degrees(file[key]) for key in mesh.node_coordinates.split()}
    corners = [
        np.where(empty, np.nan, coordinates[axis][np.where(empty, 0, nodes)]) for axis in ("longitude", "latitude")
    ]
    masks = _masks(file, (nodes.shape[0],))
    if "face_coordinates" in mesh.ncattrs():
        faces = {file[key].standard_name: _degrees(file[key]) for key in mesh.face_coordinates.split()}
        centers = [faces["longitude"], faces["latitude"]]
    else:
        outline = Geometry(name, np.zeros(nodes.shape[0]), np.zeros(nodes.shape[0]), corners[0], corners[1])
        x, y, z = outline.polygons.center.T
        centers = [np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y)))]
    return Geometry(name, centers[0], centers[1], corners[0], corners[1], masks, edges or "great_circle", crs)


def _read_cf(file: Any, path: Path, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    found = {}
    for axis, units in (("longitude", "degrees_east"), ("latitude", "degrees_north")):
        fitting = [
            v
            for v in file.variables.values()
            if getattr(v, "standard_name", "") == axis
            or str(getattr(v, "units", "")) in (units, units[:-1], units[:-2])
        ]
        bounds = {getattr(v, "bounds", None) for v in file.variables.values()}
        fitting = [v for v in fitting if v.name not in bounds and v.ndim in (1, 2)]
        if not fitting:
            raise GridError(
                f"{path} holds no grid: no {axis} (CF standard_name or units {units}), no SCRIP grid_center_lat and no"
                f" UGRID mesh; it has {', '.join(list(file.variables)[:12])}"
            )
        found[axis] = fitting[0]
    lon, lat = found["longitude"], found["latitude"]
    corners: list[Floats] | None
    if lon.ndim == 1 and lat.ndim == 1 and lon.dimensions != lat.dimensions:
        x, y = (_vertices_1d(file, v) for v in (lon, lat))
        centers = list(np.meshgrid(_degrees(lon), _degrees(lat)))
        corners = list(np.meshgrid(x, np.clip(y, -90.0, 90.0)))
        edges = edges or "latitude"
    else:
        centers = [_degrees(v) for v in (lon, lat)]
        named = [getattr(v, "bounds", None) for v in (lon, lat)]
        corners = [_degrees(file[key]) for key in named] if all(named) else None
    return _grid(name, centers, corners, _masks(file, centers[0].shape), edges or "great_circle", crs)


def _vertices_1d(file: Any, variable: Any) -> Floats:
    values = _degrees(variable)
    bounds = getattr(variable, "bounds", None)
    if bounds in file.variables:
        pairs = _degrees(file[bounds])
        return np.concatenate([pairs[:, 0], pairs[-1:, 1]])
    if values.size < 2:
        raise GridError(f"{variable.name} has one value and no bounds: the size of its cell is not known")
    middle = 0.5 * (values[:-1] + values[1:])
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])


def _masks(file: Any, shape: tuple[int, ...]) -> dict[str, NDArray[np.bool_]]:
    """Variables of the grid's shape whose attribute ``mask_name`` or standard name says they are masks."""
    masks = {}
    for variable in file.variables.values():
        key = getattr(variable, "mask_name", None)
        if getattr(variable, "standard_name", "") == "sea_binary_mask":
            key = key or "default"
        if key and variable.shape == shape:
            masks[str(key)] = variable[:] != 0
    return masks


def _grid(
    name: str,
    centers: list[Floats],
    corners: list[Floats] | None,
    masks: dict[str, NDArray[np.bool_]],
    edges: Edges,
    crs: str | None,
) -> Geometry:
    if corners is None:
        return Geometry(name, centers[0], centers[1], None, None, masks, edges, crs)
    if corners[0].ndim == 3 and corners[0].shape[-1] == 4:
        shared = [_shared_vertices(values) for values in corners]
        if shared[0] is not None and shared[1] is not None:
            return Geometry(name, centers[0], centers[1], shared[0], shared[1], masks, edges, crs)
    return Geometry(name, centers[0], centers[1], corners[0], corners[1], masks, edges, crs)


def _shared_vertices(corners: Floats) -> Floats | None:
    """(ny + 1, nx + 1) vertices if the corners (ny, nx, 4), anticlockwise from the lower left, share them."""
    ny, nx = corners.shape[:2]
    vertices = np.empty((ny + 1, nx + 1))
    vertices[:-1, :-1] = corners[..., 0]
    vertices[:-1, -1], vertices[-1, -1], vertices[-1, :-1] = corners[:, -1, 1], corners[-1, -1, 2], corners[-1, :, 3]
    around = (vertices[:-1, :-1], vertices[:-1, 1:], vertices[1:, 1:], vertices[1:, :-1])
    return vertices if np.array_equal(np.stack(around, axis=-1), corners) else None


def corner_arrays(grid: Geometry) -> list[Floats]:
    """Longitude and latitude of the corners of each cell, (..., nv)."""
    if grid.corner_longitude is None or grid.corner_latitude is None:
        raise GridError(f"grid {grid.name!r} has no corners to write")
    if not grid.is_structured:
        return [np.asarray(grid.corner_longitude), np.asarray(grid.corner_latitude)]
    return [
        np.stack([v[:-1, :-1], v[:-1, 1:], v[1:, 1:], v[1:, :-1]], axis=-1)
        for v in (grid.corner_longitude, grid.corner_latitude)
    ]


def write_grid(grid: Geometry, path: str | Path, convention: Literal["cf", "scrip", "ugrid"] = "cf") -> None:
    """Write a grid with its masks; reading it back gives the same fingerprint (CF and SCRIP)."""
    writers = {"cf": _write_cf, "scrip": _write_scrip, "ugrid": _write_ugrid}
    if convention not in writers:
        raise GridError(f"grid files are written as {', '.join(writers)}, not {convention!r}")
    with netCDF4.Dataset(path, "w") as file:
        file.title = grid.name
        file.cell_edges = grid.edges
        file.grid_fingerprint = grid.fingerprint
        if grid.crs:
            file.proj4 = grid.crs
        writers[convention](file, grid)


def _write_cf(file: Any, grid: Geometry) -> None:
    file.Conventions = "CF-1.11"
    dimensions = ("y", "x") if len(grid.shape) == 2 else ("cell",)
    for key, size in zip(dimensions, grid.shape, strict=True):
        file.createDimension(key, size)
    corners = corner_arrays(grid) if grid.corner_longitude is not None else None
    if corners is not None:
        file.createDimension("nv", corners[0].shape[-1])
    for k, (key, units) in enumerate((("longitude", "degrees_east"), ("latitude", "degrees_north"))):
        variable = file.createVariable(key, "f8", dimensions)
        variable.standard_name, variable.units = key, units
        variable[:] = getattr(grid, key)
        if corners is not None:
            variable.bounds = f"{key}_bounds"
            file.createVariable(variable.bounds, "f8", (*dimensions, "nv"))[:] = corners[k]
    if corners is not None:
        area = file.createVariable("cell_area", "f8", dimensions)
        area.standard_name, area.units, area.coordinates = "cell_area", "m2", "longitude latitude"
        area[:] = grid.area
    _write_masks(file, grid, dimensions)


def _write_masks(file: Any, grid: Geometry, dimensions: tuple[str, ...]) -> None:
    for key, mask in grid.masks.items():
        variable = file.createVariable("mask" if key == "default" else f"mask_{key}", "i1", dimensions)
        variable.long_name, variable.mask_name = "1 where the cell is active", key
        variable.flag_values, variable.flag_meanings = np.array([0, 1], np.int8), "inactive active"
        variable[:] = mask


def _write_scrip(file: Any, grid: Geometry) -> None:
    corners = corner_arrays(grid)
    width = corners[0].shape[-1]
    file.createDimension("grid_size", grid.size)
    file.createDimension("grid_corners", width)
    file.createDimension("grid_rank", len(grid.shape))
    file.createVariable("grid_dims", "i4", ("grid_rank",))[:] = grid.shape[::-1]
    for axis, values, corner in (("lon", grid.longitude, corners[0]), ("lat", grid.latitude, corners[1])):
        for key, array, dimensions in (
            (f"grid_center_{axis}", values.ravel(), ("grid_size",)),
            (f"grid_corner_{axis}", _repeated(corner.reshape(-1, width)), ("grid_size", "grid_corners")),
        ):
            variable = file.createVariable(key, "f8", dimensions)
            variable.units = "degrees"
            variable[:] = array
    file.createVariable("grid_imask", "i4", ("grid_size",))[:] = grid.mask.ravel()


def _repeated(corners: Floats) -> Floats:
    """Missing (NaN) corners repeat the last one, as SCRIP wants."""
    filled = corners.copy()
    for k in range(1, corners.shape[1]):
        missing = np.isnan(filled[:, k])
        filled[missing, k] = filled[missing, k - 1]
    return filled


def _write_ugrid(file: Any, grid: Geometry) -> None:
    file.Conventions = "CF-1.11 UGRID-1.0"
    polygons = grid.polygons
    width = polygons.corners.shape[1]
    assert grid.corner_longitude is not None and grid.corner_latitude is not None
    file.createDimension("node", polygons.points.shape[0])
    file.createDimension("face", grid.size)
    file.createDimension("nv", width)
    mesh = file.createVariable("mesh", "i4", ())
    mesh.cf_role, mesh.topology_dimension = "mesh_topology", np.int32(2)
    mesh.node_coordinates, mesh.face_coordinates = "node_longitude node_latitude", "face_longitude face_latitude"
    mesh.face_node_connectivity = "face_nodes"
    for where, lon, lat in (
        ("node", grid.corner_longitude.ravel(), grid.corner_latitude.ravel()),
        ("face", grid.longitude.ravel(), grid.latitude.ravel()),
    ):
        for key, values, units in (("longitude", lon, "degrees_east"), ("latitude", lat, "degrees_north")):
            variable = file.createVariable(f"{where}_{key}", "f8", (where,))
            variable.standard_name, variable.units = key, units
            variable[:] = values
    table = file.createVariable("face_nodes", "i4", ("face", "nv"), fill_value=-1)
    table.start_index = np.int32(0)
    table[:] = np.where(np.arange(width) < polygons.count[:, None], polygons.corners, -1)
    for key, mask in grid.masks.items():
        variable = file.createVariable("mask" if key == "default" else f"mask_{key}", "i1", ("face",))
        variable.mask_name = key
        variable[:] = mask.ravel()
