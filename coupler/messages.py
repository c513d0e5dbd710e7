# SPDX-License-Identifier: BSD-3-Clause
"""What processes tell each other beside fields: bytes of JSON and arrays, which nothing unpickles.

mpi4py's calls in small letters pickle what they are given; those of this module do not.

>>> from_bytes(to_bytes({"at": (1, 0.1), "cells": np.arange(3)}))
{'at': [1, 0.1], 'cells': array([0, 1, 2])}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
_ARRAY = "array, type, shape"
"""Key of what stands for an array in the text."""


def to_bytes(item: Any) -> Bytes:
    """A small item as bytes: its JSON text, where arrays stand by their type and shape, and then the arrays.

    Parameters
    ----------
    item : of dicts with keys of text, lists, tuples (which come out as lists), text, numbers, None and arrays

    Raises
    ------
    TypeError
        Anything else.
    """
    arrays: list[Bytes] = []

    def stand_in(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            raise TypeError(
                f"expected what JSON has, or an array of numbers, in a message; found a {type(value).__name__}"
            )
        whole = np.ascontiguousarray(value)
        arrays.append(whole.reshape(-1).view(np.uint8))
        return {_ARRAY: [len(arrays) - 1, whole.dtype.str, value.shape]}

    text = np.frombuffer(json.dumps(item, default=stand_in).encode(), dtype=np.uint8)
    head = np.array([text.size], dtype="<i8").view(np.uint8)
    return np.concatenate([head, text, *arrays])


def from_bytes(data: Bytes) -> Any:
    """The item of `to_bytes`."""
    size = int(data[:8].view("<i8")[0])
    found: list[tuple[int, npt.NDArray[Any]]] = []

    def stood_in(value: dict[str, Any]) -> Any:
        if value.keys() != {_ARRAY}:
            return value
        number, kind, shape = value[_ARRAY]
        found.append((number, np.empty(shape, np.dtype(kind))))
        return found[-1][1]

    item = json.loads(data[8 : 8 + size].tobytes(), object_hook=stood_in)
    start = 8 + size
    for _, array in sorted(found, key=lambda each: each[0]):
        array.reshape(-1).view(np.uint8)[:] = data[start : start + array.nbytes]
        start += array.nbytes
    return item


def share(comm: Any, item: Any) -> list[Any]:
    """What every process contributes, on every process (all call).

    Parameters
    ----------
    comm : mpi4py communicator
    item : see `to_bytes`
    """
    mine = to_bytes(item)
    sizes = np.empty(comm.Get_size(), dtype=np.int64)
    comm.Allgather(np.array([mine.size], dtype=np.int64), sizes)
    whole = np.empty(int(sizes.sum()), dtype=np.uint8)
    comm.Allgatherv(mine, [whole, sizes])
    return _items(whole, sizes)


def gather(comm: Any, item: Any) -> list[Any] | None:
    """What every process contributes, on the first; None on the others (all call).

    Parameters
    ----------
    comm : mpi4py communicator
    item : see `to_bytes`
    """
    mine = to_bytes(item)
    first = comm.Get_rank() == 0
    sizes = np.empty(comm.Get_size() if first else 0, dtype=np.int64)
    comm.Gather(np.array([mine.size], dtype=np.int64), sizes if first else None)
    whole = np.empty(int(sizes.sum()), dtype=np.uint8)
    comm.Gatherv(mine, [whole, sizes] if first else None)
    return _items(whole, sizes) if first else None


def scatter(comm: Any, items: Sequence[Any] | None) -> Any:
    """This process's of the items that the first one has (all call).

    Parameters
    ----------
    comm : mpi4py communicator
    items : one for each process; None but on the first
    """
    parts = [] if items is None else [to_bytes(item) for item in items]
    sizes = np.array([part.size for part in parts], dtype=np.int64)
    size = np.empty(1, dtype=np.int64)
    comm.Scatter(None if items is None else sizes, size)
    mine = np.empty(int(size[0]), dtype=np.uint8)
    comm.Scatterv(None if items is None else [np.concatenate(parts), sizes], mine)
    return from_bytes(mine)


def _items(whole: Bytes, sizes: npt.NDArray[np.int64]) -> list[Any]:
    ends = np.cumsum(sizes)
    return [from_bytes(whole[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
