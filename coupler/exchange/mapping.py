# SPDX-License-Identifier: BSD-3-Clause
"""Kernels that move numbers between fields, messages and cells.

A message from a source holds a matrix [cell, column]; one to a target holds [column, cell], so that every field of it
lies contiguous and is handed over without a copy. Each row is summed in column order by one process: results do not
depend on the number of ranks, nor on how many fields travel together.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.compiled import compiler

compiled = compiler(Path(__file__))
Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
HEADER = 4
"""Numbers before the payload of a message: task, window, model time, spare."""


def header_rows(columns: int) -> int:
    """Rows of a [cell, column] matrix that the header of a message takes.

    >>> header_rows(1), header_rows(3), header_rows(10)
    (4, 2, 1)
    """
    return -(-HEADER // columns)


@compiled
def pack(values: Floats, positions: Index, out: Floats) -> None:
    """``out[r, c] = values[c, positions[r]]``.

    Parameters
    ----------
    values : (columns, cells)
    positions : (rows,) cells
    out : (rows, columns), written
    """
    columns = values.shape[0]
    for r in range(positions.size):
        p = positions[r]
        for c in range(columns):
            out[r, c] = values[c, p]


@compiled
def unpack(payload: Floats, positions: Index, out: Floats) -> None:
    """``out[c, positions[r]] = payload[c, r]``.

    Parameters
    ----------
    payload : (rows, columns)
    positions : (rows,) cells
    out : (columns, cells), written
    """
    for c in range(payload.shape[0]):
        for r in range(positions.size):
            out[c, positions[r]] = payload[c, r]


def compact_counts(indptr: Index) -> npt.NDArray[Any]:
    """Links of every row in the smallest integers that hold them: a product is bound by what it reads."""
    counts = np.diff(indptr)
    largest = int(counts.max(initial=0))
    return counts.astype(np.uint8 if largest < 256 else np.uint16 if largest < 65536 else np.int64)


@compiled
def _product_1(counts: npt.NDArray[Any], indices: Any, data: Floats, values: Floats, first: int, out: Floats) -> None:
    k = 0
    target = out[first]
    for row in range(counts.size):
        total = 0.0
        for _ in range(counts[row]):
            total += data[k] * values[indices[k], first]
            k += 1
        target[row] = total


@compiled
def _product_2(counts: npt.NDArray[Any], indices: Any, data: Floats, values: Floats, first: int, out: Floats) -> None:
    k = 0
    for row in range(counts.size):
        a0 = a1 = 0.0
        for _ in range(counts[row]):
            w, i = data[k], indices[k]
            a0 += w * values[i, first]
            a1 += w * values[i, first + 1]
            k += 1
        out[first, row] = a0
        out[first + 1, row] = a1


@compiled
def _product_8(counts: npt.NDArray[Any], indices: Any, data: Floats, values: Floats, first: int, out: Floats) -> None:
    k = 0
    for row in range(counts.size):
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
        for _ in range(counts[row]):
            w, i = data[k], indices[k]
            a0 += w * values[i, first]
            a1 += w * values[i, first + 1]
            a2 += w * values[i, first + 2]
            a3 += w * values[i, first + 3]
            a4 += w * values[i, first + 4]
            a5 += w * values[i, first + 5]
            a6 += w * values[i, first + 6]
            a7 += w * values[i, first + 7]
            k += 1
        out[first, row] = a0
        out[first + 1, row] = a1
        out[first + 2, row] = a2
        out[first + 3, row] = a3
        out[first + 4, row] = a4
        out[first + 5, row] = a5
        out[first + 6, row] = a6
        out[first + 7, row] = a7


def product(
    counts: npt.NDArray[Any], indices: npt.NDArray[np.int32], data: Floats, values: Floats, out: Floats
) -> None:
    """Weights times a [cell, column] matrix, into a [column, row] matrix.

    Columns go in eights, twos and ones: the sums of a column are the same whatever it travels with.

    Parameters
    ----------
    counts : (rows,) how many weights each row has
    indices, data : (weights,) columns and values of the weights
    values : (cells, columns) fields
    out : (columns, rows), written
    """
    first, columns = 0, values.shape[1]
    while columns - first >= 8:
        _product_8(counts, indices, data, values, first, out)
        first += 8
    while columns - first >= 2:
        _product_2(counts, indices, data, values, first, out)
        first += 2
    if first < columns:
        _product_1(counts, indices, data, values, first, out)


@compiled
def first_bad(values: Floats, mask: npt.NDArray[np.bool_], low: float, high: float) -> int:
    """Flat position of the first active value that is not finite or outside [low, high]; -1 if there is none.

    Parameters
    ----------
    values : (..., cells)
    mask : (cells,) active cells
    low, high : plausible range in the values' unit
    """
    n = mask.size
    for k in range(values.size):
        v = values[k]
        if not (v >= low and v <= high) and mask[k % n]:
            return k
    return -1


def put_constants(out: Floats, constants: Floats | None, fraction: bool) -> None:
    """Write fixed values into ``[column, cell]`` fields where there are any; the fraction there is one.

    Parameters
    ----------
    out : (columns, cells) fields, changed in place
    constants : (cells,) NaN where there is none, or None
    fraction : whether the last column is the fraction
    """
    if constants is None:
        return
    fixed = ~np.isnan(constants)
    np.copyto(out, constants, where=fixed)
    if fraction:
        out[-1, fixed] = 1.0
