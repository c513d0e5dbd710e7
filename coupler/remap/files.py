# SPDX-License-Identifier: BSD-3-Clause
"""Weight files: ours, those of ESMF, xESMF, SCRIP and YAC, and a cache on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap.apply import row_sums
from coupler.remap.matrix import SecondOrder, Weights
from coupler.remap.weights import VERSION, Method, make_weights, read_method, resolve_mask

Floats = NDArray[np.float64]


def save_weights(
    path: str | Path,
    weights: Weights,
    source: Grid | None = None,
    target: Grid | None = None,
    convention: Literal["esmf", "scrip"] = "esmf",
) -> None:
    """Write weights; a reader sees the old file or the whole new one, never a part.

    Parameters
    ----------
    path
        The netCDF file.
    weights
        Of all rows, or of some (the rows then keep their numbers).
    source, target
        With the grids, centres, areas and masks are written as well; CDO needs them (``scrip``).
    convention
        ``esmf``: ``S``, ``row``, ``col`` counted from one, as ESMF and xESMF write and read. ``scrip``:
        ``remap_matrix``, ``src_address``, ``dst_address``, as CDO and OASIS read.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with netCDF4.Dataset(partial, "w") as file:
            file.title, file.program = "remapping weights", f"tessera weights {VERSION}"
            file.method, file.normalization = weights.method, weights.normalization
            file.source_grid_fingerprint, file.target_grid_fingerprint = (
                weights.source_fingerprint,
                weights.target_fingerprint,
            )
            row = np.repeat(weights.target_cells, np.diff(weights.indptr)) + 1
            if convention == "scrip":
                _write_scrip(file, weights, row, source, target)
            else:
                _write_esmf(file, weights, row, source, target)
            file.sha256 = _digest(file)
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _put(file: Any, key: str, values: ArrayLike, dimensions: tuple[str, ...], **attributes: str) -> None:
    array = np.asarray(values)
    variable = file.createVariable(key, "i4" if array.dtype.kind in "iub" else "f8", dimensions)
    variable.setncatts(attributes)
    variable[:] = array


def _write_esmf(file: Any, w: Weights, row: NDArray[np.int64], source: Grid | None, target: Grid | None) -> None:
    for key, size in (("n_s", w.data.size), ("n_a", w.shape[1]), ("n_b", w.target_size), ("rows", w.shape[0])):
        file.createDimension(key, size)
    _put(file, "S", w.data, ("n_s",), long_name="weights")
    _put(file, "row", row, ("n_s",), long_name="target cells, from one")
    _put(file, "col", w.indices.astype(np.int64) + 1, ("n_s",), long_name="source cells, from one")
    if w.area is not None:
        _put(file, "overlap_area", w.area, ("n_s",), units="m2")
    frac_b = np.zeros(w.target_size)
    frac_b[w.target_cells] = w.covered
    _put(file, "frac_b", frac_b, ("n_b",), long_name="covered fraction of target cells")
    _put(file, "target_cells", w.target_cells, ("rows",), long_name="target cells of these weights, from zero")
    if w.constant is not None:
        _put(file, "constant", w.constant, ("rows",), long_name="value of rows without links")
    for grid, side in ((source, "a"), (target, "b")):
        if grid is None:
            continue
        _put(file, f"xc_{side}", grid.longitude.ravel(), (f"n_{side}",), units="degrees_east")
        _put(file, f"yc_{side}", grid.latitude.ravel(), (f"n_{side}",), units="degrees_north")
        _put(file, f"mask_{side}", grid.mask.ravel(), (f"n_{side}",))
        if grid.corner_longitude is not None:
            _put(file, f"area_{side}", grid.polygons.area, (f"n_{side}",), units="radian2")
            if side == "a" and w.area is not None:
                used = np.bincount(w.indices, w.area, minlength=w.shape[1]) / EARTH_RADIUS**2
                cell = grid.polygons.area
                _put(file, "frac_a", np.divide(used, cell, out=np.zeros_like(used), where=cell > 0), ("n_a",))
    if w.second is not None:
        group = file.createGroup("limiter")
        for part in dataclasses.fields(SecondOrder):
            values: Any = getattr(w.second, part.name)
            names = tuple(f"{part.name}_{k}" for k in range(values.ndim))
            for key, length in zip(names, values.shape, strict=True):
                group.createDimension(key, length)
            group.createVariable(part.name, values.dtype, names)[:] = values


def _write_scrip(file: Any, w: Weights, row: NDArray[np.int64], source: Grid | None, target: Grid | None) -> None:
    if source is None or target is None:
        raise GridError("a SCRIP weight file holds both grids: give source and target")
    file.conventions, file.normalization = "SCRIP", w.normalization
    file.map_method = "Conservative remapping" if w.area is not None else "Distance weighted avg of nearest neighbors"
    file.source_grid, file.dest_grid = source.name, target.name
    file.createDimension("num_links", w.data.size)
    file.createDimension("num_wgts", 1)
    frac = np.zeros(w.target_size)
    frac[w.target_cells] = w.covered
    used = (np.bincount(w.indices, minlength=w.shape[1]) > 0).astype(float)
    if w.area is not None and source.corner_longitude is not None:
        used = np.bincount(w.indices, w.area, minlength=w.shape[1]) / source.area.ravel()
    for grid, side, fraction in ((source, "src", used), (target, "dst", frac)):
        file.createDimension(f"{side}_grid_size", grid.size)
        file.createDimension(f"{side}_grid_rank", len(grid.shape))
        _put(file, f"{side}_grid_dims", grid.shape[::-1], (f"{side}_grid_rank",))
        for axis, values in (("lat", grid.latitude), ("lon", grid.longitude)):
            _put(
                file, f"{side}_grid_center_{axis}", np.deg2rad(values.ravel()), (f"{side}_grid_size",), units="radians"
            )
        _put(file, f"{side}_grid_imask", grid.mask.ravel(), (f"{side}_grid_size",), units="unitless")
        if grid.corner_longitude is not None:
            _put(file, f"{side}_grid_area", grid.polygons.area, (f"{side}_grid_size",), units="square radians")
        _put(file, f"{side}_grid_frac", fraction, (f"{side}_grid_size",), units="unitless")
    _put(file, "src_address", w.indices.astype(np.int64) + 1, ("num_links",))
    _put(file, "dst_address", row, ("num_links",))
    _put(file, "remap_matrix", w.data[:, None], ("num_links", "num_wgts"))


def load_weights(path: str | Path, source: Grid | None = None, target: Grid | None = None) -> Weights:
    """Read weights of Tessera, ESMF, xESMF, SCRIP (also CDO's and OASIS's) or YAC.

    NaN weights mark unmapped rows (xESMF) and are dropped; links given twice are summed.

    Parameters
    ----------
    path
        The netCDF file.
    source, target
        Grids the weights shall fit: sizes are compared, and fingerprints where the file has them.

    Raises
    ------
    GridError
        Where the file is not of these kinds, or belongs to other grids: with the fingerprints of both.
    """
    path = Path(path)
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise GridError(f"weight file {path} cannot be read: {error}; make the weights again") from None
    with file:
        file.set_auto_mask(False)
        names = file.variables
        if getattr(file, "sha256", "") not in ("", _digest(file)):
            raise GridError(
                f"{path} is damaged: its numbers are not those whose checksum it holds (attribute sha256). Make the "
                "weights again; remove the attribute if they were changed on purpose"
            )
        if {"S", "row", "col"} <= set(names):
            row, col, data = (np.asarray(file[key][:]) for key in ("row", "col", "S"))
            sizes = [file.dimensions[key].size if key in file.dimensions else None for key in ("n_a", "n_b")]
        elif "remap_matrix" in names:
            row, col = (np.asarray(file[f"{side}_address"][:]) for side in ("dst", "src"))
            data = np.asarray(file["remap_matrix"][:])[:, 0]
            sizes = [file.dimensions[f"{side}_grid_size"].size for side in ("src", "dst")]
        else:
            raise GridError(
                f"{path} is not a weight file: it has neither S, row, col (ESMF, xESMF) nor remap_matrix (SCRIP); it "
                f"has {', '.join(list(names)[:12])}"
            )
        of_grids = [source.size if source else None, target.size if target else None]
        ends = [int(col.max(initial=0)), int(row.max(initial=0))]
        n_source, n_target = (
            int(stated or given or end) for stated, given, end in zip(sizes, of_grids, ends, strict=True)
        )
        if row.min(initial=1) < 1 or col.min(initial=1) < 1 or ends[0] > n_source or ends[1] > n_target:
            raise GridError(
                f"{path}: cell numbers run from one to {n_source} (source) and {n_target} (target); not here. "
                "Are they weights of other grids? Make them again"
            )
        prints = [str(getattr(file, f"{side}_grid_fingerprint", "")) for side in ("source", "target")]
        _refuse_other_grids(path, (source, target), (n_source, n_target), prints)
        cells = np.asarray(file["target_cells"][:], np.int64) if "target_cells" in names else np.arange(n_target)
        area = np.asarray(file["overlap_area"][:]) if "overlap_area" in names else None
        constant = np.asarray(file["constant"][:]) if "constant" in names else None
        indptr, indices, data, area = _compressed(row - 1, col - 1, data, area, cells, n_target)
        covered = (np.diff(indptr) > 0).astype(np.float64)
        for key in ("frac_b", "dst_grid_frac"):
            if key in names:
                covered = np.asarray(file[key][:], np.float64)[cells]
        second = None
        if "limiter" in file.groups:
            group = file["limiter"]
            second = SecondOrder(*(group[part.name][:] for part in dataclasses.fields(SecondOrder)))
        method = str(getattr(file, "method", getattr(file, "map_method", "read from a file")))
        normalization = str(getattr(file, "normalization", "destarea")).lower()
    return Weights(
        indptr, indices, data, (cells.size, n_source), covered, cells.astype(np.int64), method, normalization,
        prints[0] or (source.fingerprint if source else ""), prints[1] or (target.fingerprint if target else ""),
        n_target, area, constant, second,
    )  # fmt: skip


def _refuse_other_grids(
    path: Path, grids: tuple[Grid | None, Grid | None], sizes: tuple[int, int], prints: list[str]
) -> None:
    for grid, size, fingerprint, side in zip(grids, sizes, prints, ("source", "target"), strict=True):
        if grid is None or (grid.size == size and (not fingerprint or grid.fingerprint == fingerprint)):
            continue
        raise GridError(
            f"{path} was made for another {side} grid: the file's has {size} cells, fingerprint"
            f" {fingerprint or '(none)'}; grid {grid.name!r} has {grid.size} cells, fingerprint {grid.fingerprint}."
            " Make the weights again, or give the grid they were made for."
        )


def _compressed(
    row: NDArray[Any], col: NDArray[Any], data: Floats, area: Floats | None, cells: NDArray[np.int64], n_target: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats, Floats | None]:
    """Compressed rows of the target cells `cells`, columns ascending, equal links summed, NaN dropped."""
    place = np.full(n_target, -1, np.int64)
    place[cells] = np.arange(cells.size)
    keep = ~np.isnan(data)
    where, col, data = place[np.asarray(row, np.int64)[keep]], np.asarray(col, np.int64)[keep], data[keep]
    area = None if area is None else area[keep]
    order = np.lexsort((col, where))
    where, col, data = where[order], col[order], np.asarray(data, np.float64)[order]
    first = np.ones(where.size, bool)
    first[1:] = (np.diff(where) != 0) | (np.diff(col) != 0)
    starts = np.append(np.flatnonzero(first), where.size).astype(np.int64)
    summed = row_sums(starts, data) if where.size else data
    if area is not None:
        area = row_sums(starts, np.ascontiguousarray(area[order])) if where.size else area
    counts = np.bincount(where[first], minlength=cells.size)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, col[first].astype(np.int32), summed, area


def _digest(file: Any) -> str:
    """SHA-256 of all numbers of a weight file: a bit that has changed on the disk is no weight."""
    digest = hashlib.sha256()
    for group in (file, *file.groups.values()):
        for name, variable in sorted(group.variables.items()):
            variable.set_auto_mask(False)
            digest.update(f"{name} {variable.shape} {variable.dtype}".encode())
            digest.update(np.ascontiguousarray(variable[...]).tobytes())
    return digest.hexdigest()


def cache_key(
    source: Grid,
    target: Grid,
    method: Method = "conservative",
    *,
    normalization: str = "destarea",
    source_mask: str | ArrayLike | None = "default",
    target_mask: str | ArrayLike | None = "default",
    rows: ArrayLike | None = None,
) -> str:
    """SHA-256 of everything weights depend on: grids, masks, method, normalization, rows, version.

    Parameters
    ----------
    source, target : grids
    method : of remapping
    normalization : destarea or fracarea
    source_mask, target_mask : name of a mask, array, or None for all cells
    rows : flat target cells, or None for all
    """
    digest = hashlib.sha256()
    stated = [VERSION, source.fingerprint, target.fingerprint, read_method(method), normalization]
    digest.update(json.dumps(stated).encode())
    for grid, mask in ((source, source_mask), (target, target_mask)):
        digest.update(np.packbits(resolve_mask(grid, mask)).tobytes())
    if rows is not None:
        digest.update(np.asarray(rows, "<i8").tobytes())
    return digest.hexdigest()


def weights_cached(
    folder: str | Path,
    source: Grid,
    target: Grid,
    method: Method = "conservative",
    *,
    rows: ArrayLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Weights:
    """Weights from a file of `folder` if they are there, else made and kept.

    The file's name is a digest of both grids, both masks, method, normalization and version, so a changed mask or grid
    never finds an old file. A file that cannot be read is made again. With `rows` each coupler rank keeps its own
    file; a file of all rows serves any of them.

    Parameters
    ----------
    folder
        Made if it does not exist. A folder that cannot be written is no error: the weights are made each time.
    options
        `normalization`, `source_mask`, `target_mask` of `make_weights`; `rows`, `threads`, `progress` as there.
    """
    folder = Path(folder)
    whole = folder / f"{cache_key(source, target, method, **options)[:32]}.nc"
    own = whole if rows is None else folder / f"{cache_key(source, target, method, rows=rows, **options)[:32]}.nc"
    for path in dict.fromkeys((own, whole)):
        if path.is_file():
            try:
                found = load_weights(path, source, target)
            except (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError):
                continue  # torn, or another's
            return found.rows(np.asarray(rows)) if rows is not None and path == whole else found
    made = make_weights(source, target, method, rows=rows, threads=threads, progress=progress, **options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(own, made)
    except OSError:
        pass
    return made
