# SPDX-License-Identifier: BSD-3-Clause
"""Overlaps of two grids that several users need at a start: each pair of grids is cut once, in either direction.

>>> from coupler.grids.grid import Grid
>>> one, two = (Grid.regular_lonlat(n, 0, 4, 0, 4, resolution=r) for n, r in (("one", 2), ("two", 1)))
>>> with shared_overlaps():
...     there = grid_overlap(one, two)
...     back = grid_overlap(two, one)
>>> there.indptr.size, back.indptr.size, bool(there.area.sum().round(12) == back.area.sum().round(12))
(17, 5, True)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coupler.grids.grid import Grid
from coupler.remap.matrix import transpose_rows
from coupler.remap.overlap import Overlap, overlap
from coupler.threads import granted

Mask = NDArray[np.bool_]


class _Made(NamedTuple):
    """An overlap that was made, with what it holds."""

    source: str
    target: str
    source_active: Mask
    target_active: Mask
    found: Overlap


class _Kept(NamedTuple):
    """What has been made since `shared_overlaps` was entered."""

    overlaps: list[_Made]
    others: dict[Hashable, Any]


_kept: ContextVar[_Kept | None] = ContextVar("overlaps", default=None)


@contextmanager
def shared_overlaps() -> Iterator[None]:
    """Within it, what `grid_overlap` and `keep` were given is used again; at its end the memory is given back."""
    before = _kept.set(_kept.get() or _Kept([], {}))
    try:
        yield
    finally:
        _kept.reset(before)


def keep(key: Hashable, value: Any) -> None:
    """Keep something made of overlaps until the end of `shared_overlaps`; outside of it nothing is kept.

    Parameters
    ----------
    key : hashable
        All that the value depends on.
    value : object
        What `kept` shall find.
    """
    if (there := _kept.get()) is not None:
        there.others[key] = value


def kept(key: Hashable) -> Any:
    """What was kept under a key; None where nothing was.

    Parameters
    ----------
    key : hashable
        As given to `keep`.
    """
    there = _kept.get()
    return None if there is None else there.others.get(key)


def grid_overlap(
    source: Grid,
    target: Grid,
    *,
    source_active: Mask | None = None,
    target_active: Mask | None = None,
    rows: NDArray[np.int64] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Overlap:
    """Overlap areas of the active cells of two grids, with the bits of `coupler.remap.overlap.overlap`.

    Parameters
    ----------
    source, target : Grid
        With cell corners.
    source_active, target_active : (cells,) bool, optional
        Flat masks, True where a cell takes part; all by default.
    rows : (rows,) int, optional
        Flat target cells to work on; all by default.
    threads : int, optional
        By default OMP_NUM_THREADS, or 1.
    progress : callable, optional
        Called with (rows done, rows in all), where something is made.

    Returns
    -------
    Overlap
        Areas in steradians.
    """
    rows, threads = np.arange(target.size, dtype=np.int64) if rows is None else rows, threads or granted()
    wanted = (
        np.ones(source.size, np.bool_) if source_active is None else source_active,
        np.ones(target.size, np.bool_) if target_active is None else target_active,
    )
    there = _kept.get()
    for made in () if there is None else there.overlaps:
        if (known := _of(made, (source.fingerprint, target.fingerprint), wanted, rows)) is not None:
            return known
    found = overlap(
        source.make_polygons(threads), source.shape, target.make_polygons(threads), source_active=wanted[0],
        target_active=wanted[1], rows=rows, threads=threads, progress=progress,
    )  # fmt: skip
    if there is not None:
        there.overlaps.append(_Made(source.fingerprint, target.fingerprint, *wanted, found))
    return found


def _of(
    made: _Made, fingerprints: tuple[str, str], wanted: tuple[Mask, Mask], rows: NDArray[np.int64]
) -> Overlap | None:
    """What is wanted out of what was made, if all of it is there."""
    if (made.source, made.target) == fingerprints and np.array_equal(made.found.rows, rows):
        active, found = (made.source_active, made.target_active), made.found
    elif (made.target, made.source) == fingerprints and made.found.rows.size == made.target_active.size:
        active = made.target_active, made.source_active
        indptr, row, links = transpose_rows(made.found.indptr, made.found.indices, made.source_active.size)
        found = Overlap(indptr, row.astype(np.int32), made.found.area[links], np.arange(made.source_active.size))
        if not np.array_equal(found.rows, rows):
            return None
    else:
        return None
    if any(np.any(w & ~a) for w, a in zip(wanted, active, strict=True)):
        return None
    inside = wanted[0][found.indices] & np.repeat(wanted[1][rows], np.diff(found.indptr))
    if inside.all():
        return found
    before = np.concatenate([[0], np.cumsum(inside)]).astype(np.int64)
    return Overlap(before[found.indptr], found.indices[inside], found.area[inside], rows)
