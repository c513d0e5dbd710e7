# SPDX-License-Identifier: BSD-3-Clause
"""The matrix of a remapping: compressed rows from source cells to target cells, and how much of each they cover."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
CSR = tuple[Integers, NDArray[np.int32], Floats]
"""Compressed rows: where each begins, its columns, its numbers."""


def transpose_rows(indptr: Integers, indices: NDArray[np.int32], columns: int) -> tuple[Integers, Integers, Integers]:
    """The order that turns compressed rows into those of the transpose.

    Parameters
    ----------
    indptr, indices : compressed rows.
    columns : their number.

    Returns
    -------
    indptr : (columns + 1,)
    row : (links,), the columns of the transpose, ascending within each of its rows
    links : (links,), where each link of the transpose stands in the rows given
    """
    links = np.argsort(indices, kind="stable").astype(np.int64)
    row = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))[links]
    turned = np.concatenate([[0], np.cumsum(np.bincount(indices, minlength=columns))]).astype(np.int64)
    return turned, row, links


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """What the limiter needs beside the combined matrix.

    Attributes
    ----------
    indptr, indices, data : first-order weights, compressed rows.
    moment : (links, 3), (M_ij - A_ij C_j) over the area that normalizes row i.
    neighbour_start, neighbour, slope : g_j is the sum over the neighbours k of j of slope_jk (f_k - f_j), (pairs, 3).
    reach : (source cells, corners, 3), corners relative to C_j.
    bulge : (source cells,), how far the cell stands out of its corners.
    """

    indptr: Integers
    indices: NDArray[np.int32]
    data: Floats
    moment: Floats
    neighbour_start: Integers
    neighbour: NDArray[np.int32]
    slope: Floats
    reach: Floats
    bulge: Floats

    def rows(self, chosen: Integers) -> SecondOrder:
        """The same for some rows."""
        counts = np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        links = np.repeat(self.indptr[chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        return dataclasses.replace(
            self, indptr=indptr, indices=self.indices[links], data=self.data[links], moment=self.moment[links]
        )

    def filled(self, new: Mask, part: Weights) -> SecondOrder:
        """The same with the rows of `part`, which take no gradients, at the (empty) rows `new`.

        Parameters
        ----------
        new : (rows,) which rows are filled
        part : first-order weights of those
        """
        counts = np.diff(self.indptr)
        counts[new] = np.diff(part.indptr)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        of_part = np.repeat(new, counts)
        indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
        indices[~of_part], data[~of_part] = self.indices, self.data
        indices[of_part], data[of_part] = part.indices, part.data
        moment = np.zeros((indptr[-1], 3))
        moment[~of_part] = self.moment
        return dataclasses.replace(self, indptr=indptr, indices=indices, data=data, moment=moment)


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
    area : float64 (links,), overlap areas in m2 (conservative methods only; 0 in rows that a fallback filled)
    constant : float64 (rows,), value of a row without links (a fallback ``{fixed: value}``), NaN elsewhere; or None
    second : gradients for the limiter (``conservative_second_order`` only)
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
    constant: Floats | None = None
    second: SecondOrder | None = None

    @property
    def matrix(self) -> Any:
        """The weights as a `scipy.sparse.csr_matrix`, (rows, source cells)."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.data, self.indices, self.indptr), shape=self.shape)

    @property
    def uncovered(self) -> NDArray[np.int64]:
        """Flat target cells that no active source cell reaches."""
        return self.target_cells[self.open_rows()]

    def open_rows(self, wanted: Mask | None = None) -> NDArray[np.int64]:
        """Positions of rows without links and without a fixed value, of those `wanted` (rows,) if given."""
        nothing = np.diff(self.indptr) == 0
        if self.constant is not None:
            nothing &= np.isnan(self.constant)
        return np.flatnonzero(nothing if wanted is None else nothing & wanted)

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
            constant=None if self.constant is None else self.constant[chosen],
            second=None if self.second is None else self.second.rows(chosen),
        )

    def transpose(self) -> Weights:
        """The transposed linear map, from the rows of this object to its source cells.

        <y, A x> = <A' y, x> for the matrix A of any method, that with gradients (without the limiter) and filled rows
        included. What a fixed value adds is no part of the linear map. Cells that no row reads get 0.

        Returns
        -------
        Weights
            Its rows are all source cells, its columns the rows of this object in their order.

        Examples
        --------
        >>> one = np.array([0, 1, 3]), np.array([0, 0, 2], np.int32), np.array([2.0, 3.0, 4.0])
        >>> w = Weights(*one, (2, 3), np.ones(2), np.arange(2), "any", "destarea", "", "", 2)
        >>> w.matrix.toarray().tolist(), w.transpose().matrix.toarray().tolist()
        ([[2.0, 0.0, 0.0], [3.0, 0.0, 4.0]], [[2.0, 3.0], [0.0, 0.0], [0.0, 4.0]])
        """
        indptr, row, links = transpose_rows(self.indptr, self.indices, self.shape[1])
        read = np.diff(indptr) > 0
        whole = np.array_equal(self.target_cells, np.arange(self.target_size))
        return Weights(
            indptr=indptr, indices=row.astype(np.int32), data=self.data[links], shape=(self.shape[1], self.shape[0]),
            covered=read.astype(np.float64), target_cells=np.arange(self.shape[1], dtype=np.int64),
            method=f"transpose of {self.method}", normalization=self.normalization,
            source_fingerprint=self.target_fingerprint if whole else "", target_fingerprint=self.source_fingerprint,
            target_size=self.shape[1], area=None if self.area is None else self.area[links],
            constant=np.where(read, np.nan, 0.0),
        )  # fmt: skip
