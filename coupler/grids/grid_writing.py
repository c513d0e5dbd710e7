# SPDX-License-Identifier: BSD-3-Clause
"""Writing grids as CF, SCRIP or UGRID netCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Floats, Geometry


def corner_arrays(grid: Geometry) -> list[Floats]:
    """Longitude and latitude of the corners of each cell, (..., nv)."""
    if grid.corner_longitude is None or grid.corner_latitude is None:
        raise GridError(f"grid {grid.name!r} has no corners to write: give it bounds")
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
