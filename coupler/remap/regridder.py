"""Applying weights to fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coupler.remap.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def row_sums(indptr: NDArray[np.int64], values: Floats) -> Floats:
    """Sum of each row's values, in order."""
    sums = np.empty(indptr.size - 1)
    for row in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += values[k]
        sums[row] = total
    return sums


@compiled
def _apply_cells_by_fields(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], data: Floats, values: Floats, out: Floats
) -> None:
    n_fields = values.shape[1]
    for row in range(indptr.size - 1):
        for field in range(n_fields):
            out[row, field] = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            weight, cell = data[k], indices[k]
            for field in range(n_fields):
                out[row, field] += weight * values[cell, field]


@compiled
def _apply_one(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], data: Floats, values: Floats, out: Floats
) -> None:
    for row in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += data[k] * values[indices[k]]
        out[row] = total


def apply_weights(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], data: Floats, values: Floats, out: Floats | None = None
) -> Floats:
    """Matrix of weights times `values`: (n_source,) -> (rows,) or (n_source, n_fields) -> (rows, n_fields).

    Every row is summed in column order, so a field's result has the same bits however many fields travel with it.
    Releases the interpreter lock; one thread.
    """
    values = np.ascontiguousarray(values, np.float64)
    if out is None:
        out = np.empty((indptr.size - 1, *values.shape[1:]))
    if out.shape != (indptr.size - 1, *values.shape[1:]) or not out.flags.c_contiguous:
        raise ValueError(f"out has shape {out.shape}; a contiguous {(indptr.size - 1, *values.shape[1:])} is needed")
    if indices.size and int(indices.max()) >= values.shape[0]:
        raise ValueError(f"values have {values.shape[0]} rows; the weights read cell {int(indices.max())}")
    if values.ndim == 1:
        _apply_one(indptr, indices, data, values, out)
    elif values.ndim == 2 and values.shape[1] == 1:
        _apply_one(indptr, indices, data, values[:, 0].copy(), out[:, 0])
    else:
        _apply_cells_by_fields(indptr, indices, data, values, out)
    return out
