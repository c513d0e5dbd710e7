# SPDX-License-Identifier: BSD-3-Clause
"""Grids out of netCDF files: CF with bounds, SCRIP, UGRID, ESMF meshes, and grid files of ROMS, NEMO, MOM6 and WRF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coupler.errors import GridError
from coupler.grids.cf_grids import read_cf
from coupler.grids.geometry import Edges, Geometry
from coupler.grids.mesh_files import read_esmf, read_scrip, read_ugrid
from coupler.grids.model_grids import is_supergrid, read_supergrid, read_wrf
from coupler.grids.sizes import refuse_large_file
from coupler.grids.validation import validate
from coupler.netcdf.opening import open_dataset


def read_grid(path: str | Path, *, name: str | None = None, edges: Edges | None = None) -> Geometry:
    """Read a grid and its masks.

    Parameters
    ----------
    path
        netCDF file: SCRIP (``grid_center_lat``), UGRID (a variable with ``cf_role = mesh_topology``), an ESMF mesh
        (``elementConn``), MOM6's supergrid, WRF's geo_em, or latitude and longitude as CF, ROMS and NEMO write them,
        with one dimension each or two together, and bounds. Rectilinear coordinates without bounds get bounds
        half-way.
    name
        Name of the grid; the file's by default.
    edges
        ``great_circle`` or ``latitude``. By default what the file says (attribute ``cell_edges``), else ``latitude``
        for rectilinear latitude and longitude and ``great_circle`` for everything else.

    Raises
    ------
    GridError
        Where the file cannot be read, holds no grid (with what was looked for), or one that cannot be right: see
        `coupler.grids.validation`.
    """
    path = Path(path)
    with open_dataset(path, GridError) as file:
        label = name or str(getattr(file, "title", "") or path.stem)
        refuse_large_file(file, f"{label} of {path}")
        stated: Any = edges or getattr(file, "cell_edges", None)
        try:
            geometry = _read(file, label, stated, getattr(file, "proj4", None))
        except GridError as error:
            raise error if str(path) in str(error) else GridError(f"{path}: {error}") from None
    validate(geometry, str(path))
    return geometry


def _read(file: Any, label: str, edges: Edges | None, crs: str | None) -> Geometry:
    meshes = [v for v in file.variables.values() if str(getattr(v, "cf_role", "")) == "mesh_topology"]
    if "grid_center_lat" in file.variables:
        return read_scrip(file, label, edges, crs)
    if meshes:
        return read_ugrid(file, meshes[0], label, edges, crs)
    if "elementConn" in file.variables:
        return read_esmf(file, label, edges, crs)
    if is_supergrid(file):
        return read_supergrid(file, label, edges, crs)
    if "XLAT_M" in file.variables or ("XLAT" in file.variables and hasattr(file, "MAP_PROJ")):
        return read_wrf(file, label, edges, crs)
    return read_cf(file, label, edges, crs)
