# SPDX-License-Identifier: BSD-3-Clause
"""Kernels that multiply weights and fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coupler.remap.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def row_sums(indptr: NDArray[np.int64], values: Floats) -> Floats:
    """Sum of each row's values, in order.

    Parameters
    ----------
    indptr : (rows + 1,) first weight of each row
    values : (weights,)
    """
    sums = np.empty(indptr.size - 1)
    for row in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += values[k]
        sums[row] = total
    return sums


@compiled
def divide_rows(indptr: NDArray[np.int64], values: Floats, below: Floats) -> Floats:
    """Values over their row's divisor.

    Parameters
    ----------
    indptr : (rows + 1,) first weight of each row
    values : (weights,)
    below : (rows,) divisors
    """
    quotient = np.empty_like(values)
    for row in range(indptr.size - 1):
        for k in range(indptr[row], indptr[row + 1]):
            quotient[k] = values[k] / below[row]
    return quotient


@compiled
def _one(indptr: NDArray[np.uint64], indices: NDArray[np.uint32], data: Floats, values: Floats, out: Floats) -> None:
    begin = indptr[0]
    for row in range(out.size):
        end = indptr[row + 1]
        total = 0.0
        for k in range(begin, end):
            total += data[k] * values[indices[k]]
        out[row] = total
        begin = end


@compiled
def _two(indptr: NDArray[np.uint64], indices: NDArray[np.uint32], data: Floats, values: Floats, out: Floats) -> None:
    begin = indptr[0]
    for row in range(out.shape[0]):
        end = indptr[row + 1]
        a = b = 0.0
        for k in range(begin, end):
            w, cell = data[k], indices[k]
            a += w * values[cell, 0]
            b += w * values[cell, 1]
        out[row, 0], out[row, 1] = a, b
        begin = end


@compiled
def _many(indptr: NDArray[np.uint64], indices: NDArray[np.uint32], data: Floats, values: Floats, out: Floats) -> None:
    n_fields = np.uint64(values.shape[1])
    one, four = np.uint64(1), np.uint64(4)
    begin = indptr[0]
    for row in range(out.shape[0]):
        end = indptr[row + 1]
        f = np.uint64(0)
        while f + four <= n_fields:  # four sums at a time stay in registers
            a = b = c = d = 0.0
            for k in range(begin, end):
                w, cell = data[k], indices[k]
                a += w * values[cell, f]
                b += w * values[cell, f + one]
                c += w * values[cell, f + np.uint64(2)]
                d += w * values[cell, f + np.uint64(3)]
            out[row, f], out[row, f + one] = a, b
            out[row, f + np.uint64(2)], out[row, f + np.uint64(3)] = c, d
            f += four
        while f < n_fields:
            a = 0.0
            for k in range(begin, end):
                a += data[k] * values[indices[k], f]
            out[row, f] = a
            f += one
        begin = end


@compiled
def _wide(indptr: NDArray[np.uint64], indices: NDArray[np.uint32], data: Floats, values: Floats, out: Floats) -> None:
    n_fields = values.shape[1]
    begin = indptr[0]
    for row in range(out.shape[0]):
        end = indptr[row + 1]
        if end > begin:
            w, cell = data[begin], indices[begin]
            for f in range(n_fields):
                out[row, f] = 0.0 + w * values[cell, f]
        else:
            for f in range(n_fields):
                out[row, f] = 0.0
        for k in range(begin + np.uint64(1), end):
            w, cell = data[k], indices[k]
            for f in range(n_fields):
                out[row, f] += w * values[cell, f]
        begin = end


def apply_weights(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: Floats,
    values: Floats,
    out: Floats | None = None,
    *,
    fields_first: bool = False,
) -> Floats:
    """Multiply the matrix of weights with fields.

    Every row is summed in column order, so a field's result has the same bits however many fields travel with it.
    Releases the interpreter lock; one thread.

    Parameters
    ----------
    indptr, indices, data : compressed rows.
    values : (n_source,) or (n_source, n_fields); with `fields_first` (n_fields, n_source).
    out : (rows,) or (rows, n_fields), or (n_fields, rows), contiguous; made if not given.

    Raises
    ------
    ValueError
        Where a shape does not fit, or a weight reads a cell that `values` has not.
    """
    values = np.ascontiguousarray(values, np.float64)
    rows = indptr.size - 1
    shape = (values.shape[0], rows) if fields_first else (rows, *values.shape[1:])
    if values.ndim != (2 if fields_first else len(shape)) or values.ndim > 2:
        raise ValueError(f"values have shape {values.shape}; one or two dimensions are needed")
    if out is None:
        out = np.empty(shape)
    if out.shape != shape or not out.flags.c_contiguous or out.dtype != np.float64:
        raise ValueError(f"out has shape {out.shape}; a contiguous float64 {shape} is needed")
    n_source = values.shape[-1] if fields_first else values.shape[0]
    # read as unsigned: a negative index is too large as well, and the kernel need not look for it
    cells, begins = indices.view(np.uint32), indptr.view(np.uint64)
    if cells.size and int(cells.max()) >= n_source:
        raise ValueError(f"values have {n_source} source cells; the weights read cell {int(indices.max())}")
    if fields_first:
        for field in range(values.shape[0]):
            _one(begins, cells, data, values[field], out[field])
    elif values.ndim == 1 or values.shape[1] == 1:
        _one(begins, cells, data, values.reshape(-1), out.reshape(-1))
    elif values.shape[1] == 2:
        _two(begins, cells, data, values, out)
    elif values.shape[1] < 8:
        _many(begins, cells, data, values, out)
    else:
        _wide(begins, cells, data, values, out)
    return out
