"""Remapping weights: a sparse matrix from source cells to target cells, and how much of each target it covers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Normalization = Literal["destarea", "fracarea"]
VERSION = 1
"""Raised with every change of the numbers: weight files of another version are not reused."""


@dataclass(frozen=True, eq=False)
class Weights:
    """A linear map from the cells of one grid to cells of another, in compressed rows.

    Attributes
    ----------
    indptr : int64 (rows + 1,)
    indices : int32 (links,), flat source cells, ascending within a row
    data : float64 (links,)
    shape : (rows, source cells)
    covered : float64 (rows,), fraction of the target cell's area under active source cells; for methods between
        points 1 where the row has links, 0 where not
    target_cells : int64 (rows,), the flat target cell of each row
    area : float64 (links,), overlap areas in m2 (conservative methods only)
    method, normalization : how they were made
    source_fingerprint, target_fingerprint : of the grids, without masks
    target_size : cells of the target grid
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: Floats
    shape: tuple[int, int]
    covered: Floats
    target_cells: NDArray[np.int64]
    method: str
    normalization: str
    source_fingerprint: str
    target_fingerprint: str
    target_size: int
    area: Floats | None = None

    @property
    def matrix(self) -> Any:
        """The weights as a `scipy.sparse.csr_matrix`, (rows, source cells)."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.data, self.indices, self.indptr), shape=self.shape)

    @property
    def uncovered(self) -> NDArray[np.int64]:
        """Flat target cells that no active source cell reaches."""
        return self.target_cells[np.diff(self.indptr) == 0]

    @property
    def source_cells(self) -> NDArray[np.int64]:
        """Flat source cells that any row needs, ascending."""
        return np.unique(self.indices).astype(np.int64)

    def rows(self, selection: ArrayLike) -> Weights:
        """Weights of some rows (positions in this object, in the order given), the numbers unchanged."""
        chosen = np.asarray(selection, np.int64).ravel()
        counts = np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        links = np.repeat(self.indptr[chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        return dataclasses.replace(
            self,
            indptr=indptr,
            indices=self.indices[links],
            data=self.data[links],
            shape=(chosen.size, self.shape[1]),
            covered=self.covered[chosen],
            target_cells=self.target_cells[chosen],
            area=None if self.area is None else self.area[links],
        )


def resolve_mask(grid: Grid, mask: str | ArrayLike | None) -> Mask:
    """Flat mask of a grid: a name, an array, or None for all cells."""
    if mask is None:
        return np.ones(grid.size, bool)
    if isinstance(mask, str):
        return grid.mask_named(mask).ravel()
    array = np.asarray(mask, bool)
    if array.size != grid.size:
        raise GridError(f"mask of shape {array.shape} does not fit grid {grid.name!r} of shape {grid.shape}")
    return array.ravel()


def make_weights(
    source: Grid,
    target: Grid,
    method: str = "conservative",
    *,
    normalization: Normalization = "destarea",
    source_mask: str | ArrayLike | None = "default",
    target_mask: str | ArrayLike | None = "default",
    rows: ArrayLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Weights:
    """Weights that take fields from `source` to `target`.

    Parameters
    ----------
    method
        ``conservative`` (first order).
    normalization
        ``destarea``: the integral is conserved, a value is diluted where the target cell is only partly covered.
        ``fracarea``: the mean over the covered part, within the range of the source; value x covered x area is
        conserved.
    source_mask, target_mask
        Name of a mask, an array, or None for all cells.
    rows
        Flat target cells to make; the weights of a row do not depend on which others are made.
    threads
        Threads to use; by default OMP_NUM_THREADS, or 1.
    progress
        Called with (rows done, rows in all).

    Raises
    ------
    GridError
        For grids without corners, masks of another shape or an unknown method.

    Examples
    --------
    >>> one = Grid.regular_lonlat("one", 0, 360, -90, 90, resolution=30)
    >>> two = Grid.regular_lonlat("two", 0, 360, -90, 90, resolution=60)
    >>> make_weights(one, two).data.sum().round(12)
    np.float64(18.0)
    """
    if threads is None:
        threads = int(os.environ.get("OMP_NUM_THREADS", "1") or "1")
    if normalization not in ("destarea", "fracarea"):
        raise GridError(f"normalization {normalization!r}: use 'destarea' or 'fracarea'")
    chosen = np.arange(target.size, dtype=np.int64) if rows is None else np.asarray(rows, np.int64).ravel()
    if method == "conservative":
        return _conservative(
            source,
            target,
            normalization,
            resolve_mask(source, source_mask),
            resolve_mask(target, target_mask),
            chosen,
            threads,
            progress,
        )
    raise GridError(f"remapping method {method!r} is not known; use 'conservative'")


def _conservative(
    source: Grid,
    target: Grid,
    normalization: str,
    source_active: Mask,
    target_active: Mask,
    rows: NDArray[np.int64],
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> Weights:
    from coupler.remap.overlap import overlap

    found = overlap(
        source.polygons,
        source.shape,
        target.polygons,
        source_active=source_active,
        target_active=target_active,
        rows=rows,
        threads=threads,
        progress=progress,
    )
    data, covered = normalize(found.indptr, found.area, target.polygons.area[rows], normalization == "fracarea")
    return Weights(
        found.indptr,
        found.indices,
        data,
        (rows.size, source.size),
        covered,
        rows,
        "conservative",
        normalization,
        source.fingerprint,
        target.fingerprint,
        target.size,
        found.area * EARTH_RADIUS**2,
    )


def normalize(indptr: NDArray[np.int64], area: Floats, target_area: Floats, by_covered: bool) -> tuple[Floats, Floats]:
    """Weights and covered fractions from overlap areas; each row is summed in column order."""
    from coupler.remap.regridder import row_sums

    total = row_sums(indptr, area)
    with np.errstate(divide="ignore", invalid="ignore"):
        covered = np.where(target_area > 0.0, total / target_area, 0.0)
    below = total if by_covered else target_area
    return area / np.repeat(below, np.diff(indptr)), covered
