# SPDX-License-Identifier: BSD-3-Clause
"""Grids whose cells stand in a list: SCRIP, UGRID and ESMF meshes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coupler.errors import GridError
from coupler.grids.cf_grids import made
from coupler.grids.geometry import Edges, Floats, Geometry
from coupler.grids.masks import read_mask, read_masks
from coupler.netcdf.coordinates import degrees, kind
from coupler.netcdf.packed import number, stored, values

Integers = NDArray[np.int64]


def read_scrip(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """A SCRIP grid (Jones, 1998)."""
    needed = [f"grid_{part}_{axis}" for part in ("center", "corner") for axis in ("lon", "lat")]
    missing = [n for n in ("grid_dims", *needed) if n not in file.variables]
    if missing:
        raise GridError(f"{file.filepath()} is a SCRIP grid without {', '.join(missing)}; add them")
    shape = tuple(int(n) for n in np.ravel(stored(file["grid_dims"], error=GridError))[::-1])
    centers = [degrees(file[f"grid_center_{axis}"], error=GridError) for axis in ("lon", "lat")]
    corners = [degrees(file[f"grid_corner_{axis}"], error=GridError) for axis in ("lon", "lat")]
    if any(c.size != int(np.prod(shape)) for c in centers) or any(len(c) != centers[0].size for c in corners):
        raise GridError(
            f"{file.filepath()}: grid_dims says {shape}, but there are {centers[0].size} cells; mend grid_dims"
        )
    masks = {"default": read_mask(file["grid_imask"], shape)} if "grid_imask" in file.variables else {}
    _refuse_padding_by_zeros(centers, corners, file.filepath())
    centers, corners = [c.reshape(shape) for c in centers], [c.reshape(*shape, -1) for c in corners]
    return made(name, centers, corners, masks, edges or "great_circle", crs)


def _refuse_padding_by_zeros(centers: list[Floats], corners: list[Floats], path: str) -> None:
    """Unused corners are to repeat the last one; some programs leave zeros, which draw the cell out to 0E 0N."""

    def away(longitude: Floats, latitude: Floats) -> Floats:
        east = np.abs((longitude - centers[0].ravel()[:, None] + 180.0) % 360.0 - 180.0)
        return np.maximum(east, np.abs(latitude - centers[1].ravel()[:, None]))

    unused = (corners[0] == 0.0) & (corners[1] == 0.0)
    distance = away(*corners)
    reach = np.where(unused, 0.0, distance).max(axis=1)
    padded = unused[:, -1] & (unused.sum(axis=1) <= unused.shape[1] - 3) & (distance[:, -1] > 3.0 * reach)
    if padded.any():
        cell = int(np.flatnonzero(padded)[0])
        raise GridError(
            f"{path}: {int(padded.sum())} of {padded.size} cells have their last corners at 0 degrees east and north, "
            f"far from their centre (cell {cell}: {centers[0].ravel()[cell]:g}, {centers[1].ravel()[cell]:g}). "
            "Unused corners seem to be filled with zeros; repeat the cell's last corner there, as SCRIP does"
        )


def read_ugrid(file: Any, mesh: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """A UGRID mesh of faces."""
    here = f"{file.filepath()}: mesh {mesh.name!r}"
    for attribute in ("face_node_connectivity", "node_coordinates"):
        if not hasattr(mesh, attribute):
            raise GridError(f"{here} has no {attribute}; expected a mesh of faces (topology_dimension 2)")
    names = [mesh.face_node_connectivity, *mesh.node_coordinates.split()]
    missing = [n for n in names if n not in file.variables]
    if missing:
        raise GridError(f"{here} names {', '.join(missing)}, which the file does not have; add them, or mend the names")
    table = file[mesh.face_node_connectivity]
    nodes = stored(table, error=GridError).astype(np.int64)
    padding = nodes == int(getattr(table, "_FillValue", -(2**62)))
    if getattr(mesh, "face_dimension", table.dimensions[0]) == table.dimensions[-1]:
        nodes, padding = nodes.T, padding.T
    x, y = _both(file, mesh.node_coordinates.split(), here)
    corners = _corners(
        nodes - int(number(table, "start_index", 0.0, GridError)), padding | (nodes < 0), x, y, f"{here}: {table.name}"
    )
    masks = read_masks(file, (table.dimensions[0],), (nodes.shape[0],))
    centers = (
        _both(file, mesh.face_coordinates.split(), here) if "face_coordinates" in mesh.ncattrs() else _middle(*corners)
    )
    return Geometry(name, centers[0], centers[1], corners[0], corners[1], masks, edges or "great_circle", crs)


def read_esmf(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """An unstructured mesh of ESMF; its node numbers begin at 1."""
    here = f"{file.filepath()}: the ESMF mesh"
    missing = [n for n in ("nodeCoords", "elementConn", "numElementConn") if n not in file.variables]
    if missing:
        raise GridError(f"{here} has no {', '.join(missing)}; add them")
    table = file["elementConn"]
    nodes = stored(table, error=GridError).astype(np.int64)
    count = stored(file["numElementConn"], error=GridError).astype(np.int64)
    if nodes.ndim == 1:  # one cell behind the other
        if int(count.sum()) != nodes.size:
            raise GridError(
                f"{here}: numElementConn adds up to {count.sum()}, elementConn has {nodes.size}; mend either"
            )
        wide = np.full((count.size, int(count.max())), -1, np.int64)
        wide[np.arange(wide.shape[1]) < count[:, None]] = nodes
        nodes = wide
    padding = np.arange(nodes.shape[1]) >= count[:, None]
    x, y = _columns(file["nodeCoords"])
    corners = _corners(nodes - int(number(table, "start_index", 1.0, GridError)), padding, x, y, f"{here}: elementConn")
    centers = list(_columns(file["centerCoords"])) if "centerCoords" in file.variables else _middle(*corners)
    masks = {}
    if "elementMask" in file.variables:
        masks["default"] = read_mask(file["elementMask"], (count.size,))
    return Geometry(name, centers[0], centers[1], corners[0], corners[1], masks, edges or "great_circle", crs)


def _columns(variable: Any) -> tuple[Floats, Floats]:
    """Longitude and latitude of an ESMF table of points."""
    table = values(variable, error=GridError)
    units = str(getattr(variable, "units", "degrees"))
    if units.startswith("rad"):
        table = np.rad2deg(table)
    elif not units.startswith("deg"):
        raise GridError(f"{variable.group().filepath()}: {variable.name} is in {units!r}; expected degrees")
    return table[:, 0], table[:, 1]


def _both(file: Any, names: list[str], here: str) -> list[Floats]:
    found = {kind(file[n]): degrees(file[n], error=GridError) for n in names if n in file.variables}
    if not {"longitude", "latitude"} <= set(found):
        raise GridError(
            f"{here}: {' and '.join(names)} are not longitude and latitude (standard_name, or units degrees_east and"
            " degrees_north)"
        )
    return [found["longitude"], found["latitude"]]


def _corners(nodes: Integers, padding: NDArray[np.bool_], x: Floats, y: Floats, here: str) -> list[Floats]:
    """Coordinates of each cell's corners (cell, nv), NaN beyond its last."""
    beyond = ~padding & ((nodes < 0) | (nodes >= x.size))
    if beyond.any():
        cell = int(np.flatnonzero(beyond.any(axis=1))[0])
        raise GridError(
            f"{here} names node {int(nodes[cell][beyond[cell]][0])} (from 0) of cell {cell}; there are {x.size}: is"
            " start_index right?"
        )
    few = (~padding).sum(axis=1) < 3
    if few.any():
        raise GridError(
            f"{here}: {int(few.sum())} cells have fewer than three corners; drop them, or mend their corners"
        )
    return [np.where(padding, np.nan, c[np.where(padding, 0, nodes)]) for c in (x, y)]


def _middle(longitude: Floats, latitude: Floats) -> list[Floats]:
    """Centres of cells from their corners."""
    lam, phi = np.deg2rad(longitude), np.deg2rad(latitude)
    x, y, z = (np.nansum(part, axis=1) for part in (np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))
    return [np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y)))]
