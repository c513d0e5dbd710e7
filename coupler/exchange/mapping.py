"""Kernels that move numbers between fields, messages and cells.

A message from a source holds a matrix [cell, column]; one to a target holds [column, cell],
so that every field of it lies contiguous and is handed over without a copy. Each row is
summed in column order by one process: results do not depend on the number of ranks, nor on
how many fields travel together.
"""

import numba
import numpy as np
import numpy.typing as npt

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


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def pack(values: Floats, positions: Index, out: Floats) -> None:
    """``out[r, c] = values[c, positions[r]]``."""
    columns = values.shape[0]
    for r in range(positions.size):
        p = positions[r]
        for c in range(columns):
            out[r, c] = values[c, p]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def unpack(payload: Floats, positions: Index, out: Floats) -> None:
    """``out[c, positions[r]] = payload[c, r]``."""
    for c in range(payload.shape[0]):
        for r in range(positions.size):
            out[c, positions[r]] = payload[c, r]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _product_1(indptr: Index, indices: npt.NDArray[np.int32], data: Floats, values: Floats, out: Floats) -> None:
    for row in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += data[k] * values[indices[k], 0]
        out[0, row] = total


_STRIP = 16


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _product_n(indptr: Index, indices: npt.NDArray[np.int32], data: Floats, values: Floats, out: Floats) -> None:
    columns = values.shape[1]
    rows = indptr.size - 1
    strip = np.empty((_STRIP, columns))
    for start in range(0, rows, _STRIP):
        n = min(_STRIP, rows - start)
        for r in range(n):
            for c in range(columns):
                strip[r, c] = 0.0
            for k in range(indptr[start + r], indptr[start + r + 1]):
                weight, cell = data[k], indices[k]
                for c in range(columns):
                    strip[r, c] += weight * values[cell, c]
        for c in range(columns):
            for r in range(n):
                out[c, start + r] = strip[r, c]


def product(indptr: Index, indices: npt.NDArray[np.int32], data: Floats, values: Floats, out: Floats) -> None:
    """Weights times a [cell, column] matrix, into a [column, row] matrix."""
    if values.shape[1] == 1:
        _product_1(indptr, indices, data, values, out)
    else:
        _product_n(indptr, indices, data, values, out)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def first_bad(values: Floats, mask: npt.NDArray[np.bool_], low: float, high: float) -> int:
    """Flat position of the first active value that is not finite or outside [low, high]; -1 if there is none."""
    n = mask.size
    for k in range(values.size):
        v = values[k]
        if not (v >= low and v <= high) and mask[k % n]:
            return k
    return -1
