# SPDX-License-Identifier: BSD-3-Clause
"""Remapping weights made by a method, or by several of which each fills what those before it left."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.remap.matrix import Floats, Mask
from coupler.remap.matrix import Weights as Weights
from coupler.threads import granted

Normalization = Literal["destarea", "fracarea"]
Method = str | Mapping[str, float] | Sequence[str | Mapping[str, float]]
METHODS = (
    "conservative",
    "conservative_second_order",
    "bilinear",
    "nearest",
    "inverse_distance",
    "creep",
    "river_mouths",
    "fixed",
)
OVERLAP = 0.01
"""Share of a cell that may be covered twice: corners are often kept in single precision."""
SELF_CHECKED = 300_000
"""Cells up to which a grid is laid over itself to find those that lie on each other."""
VERSION = 3
"""Raised with every change of what a file holds: weight files of another version are not reused."""


def resolve_mask(grid: Grid, mask: str | ArrayLike | None) -> Mask:
    """Flat mask of a grid: a name, an array, or None for all cells.

    Parameters
    ----------
    grid : whose cells are meant
    mask : name, array, or None for all cells
    """
    if mask is None:
        return np.ones(grid.size, bool)
    if isinstance(mask, str):
        return np.asarray(grid.mask_named(mask)).ravel()
    array = np.asarray(mask, bool)
    if array.size != grid.size:
        raise GridError(f"mask of shape {array.shape} does not fit grid {grid.name!r} of shape {grid.shape}")
    return array.ravel()


def make_weights(
    source: Grid,
    target: Grid,
    method: Method = "conservative",
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
        A name, a name with its option, or a list of them: each fills the active cells that those before it left.

        - ``conservative``: first order; ``conservative_second_order``: with gradients inside the source cells
        - ``bilinear``; ``nearest``; ``inverse_distance`` or ``{inverse_distance: 4}``, the number of neighbours
        - ``creep`` or ``{creep: 3}``: from neighbouring target cells, that many rings at most; only after others
        - ``{fixed: 0}``: a value; only after others
        - ``river_mouths`` or ``{river_mouths: 50e3}``: from each source cell to the nearest coast of the target's
          mask, spread over so many metres; the total is conserved, other cells get 0
    normalization
        Of conservative methods. ``destarea``: the integral is conserved, a value is diluted where the target cell is
        only partly covered. ``fracarea``: the mean over the covered part, within the range of the source; value x
        covered x area is conserved.
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
    if normalization not in ("destarea", "fracarea"):
        raise GridError(f"normalization {normalization!r}: use 'destarea' or 'fracarea'")
    steps = read_method(method)
    active, wanted = resolve_mask(source, source_mask), resolve_mask(target, target_mask)
    chosen = np.arange(target.size, dtype=np.int64) if rows is None else np.asarray(rows, np.int64).ravel()
    # creep and river mouths look around: they need all rows, whichever are wanted
    whole = any(name in ("creep", "river_mouths") for name, _ in steps)
    made = np.arange(target.size, dtype=np.int64) if whole else chosen
    result: Weights | None = None
    for name, option in steps:
        if name == "creep":
            assert result is not None
            result = _crept(result, target, wanted, option)
            continue
        open_ = np.arange(made.size) if result is None else result.open_rows(wanted[made])
        part = _make(
            source, target, name, option, normalization, active, wanted, made[open_], threads=threads, progress=progress
        )
        result = part if result is None else _filled(result, open_, part)
    assert result is not None
    result = dataclasses.replace(result, method=" > ".join(name for name, _ in steps))
    return result.rows(chosen) if whole else result


def read_method(method: Method) -> list[tuple[str, float | None]]:
    """Names and options of a method in order. Raises GridError for what is not known."""
    listed = method if isinstance(method, list | tuple) else [method]
    steps: list[tuple[str, float | None]] = []
    for item in listed:
        if isinstance(item, Mapping) and len(item) == 1:
            name, option = next(iter(item.items()))
            steps.append((str(name), float(option)))
        else:
            steps.append((str(item), None))
    for position, (name, option) in enumerate(steps):
        if name not in METHODS:
            close = difflib.get_close_matches(name, METHODS, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise GridError(f"unknown remapping method {name!r}{hint} Known methods: {', '.join(METHODS)}.")
        if name in ("creep", "fixed") and position == 0:
            raise GridError(f"{name!r} fills what another method leaves: put one before it, [conservative, {name}]")
        if name == "fixed" and option is None:
            raise GridError("'fixed' needs its value: {fixed: 0}")
    if not steps:
        raise GridError(f"no remapping method is given. Known methods: {', '.join(METHODS)}.")
    return steps


def _make(
    source: Grid,
    target: Grid,
    name: str,
    option: float | None,
    normalization: str,
    active: Mask,
    wanted: Mask,
    rows: NDArray[np.int64],
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> Weights:
    """Weights of one method for some rows; `active` and `wanted` are the masks of source and target."""
    if name == "conservative":
        return _conservative(source, target, normalization, active, wanted, rows, threads, progress)
    if name == "conservative_second_order":
        from coupler.remap.second_order import second_order

        first = _conservative(source, target, normalization, active, wanted, rows, threads, progress)
        return second_order(source, target, first, active)
    from coupler.remap.fill import river_mouth_rows
    from coupler.remap.points import bilinear_rows, inverse_distance_rows, nearest_rows

    constant = None
    open_ = rows[wanted[rows]]
    if name == "fixed":
        indptr, indices, data = np.zeros(rows.size + 1, np.int64), np.empty(0, np.int32), np.empty(0)
        constant = np.where(wanted[rows], float(option or 0.0), np.nan).astype(np.float64)
        covered = wanted[rows].astype(np.float64)
    elif name == "river_mouths":
        indptr, indices, data = river_mouth_rows(source, target, active, wanted, option or 0.0)
        constant = np.where(wanted[rows] & (np.diff(indptr) == 0), 0.0, np.nan)
        covered = wanted[rows].astype(np.float64)
    else:
        if name == "bilinear":
            made = bilinear_rows(source, target, active, open_)
        elif name == "nearest":
            made = nearest_rows(source, target, active, open_)
        else:
            made = inverse_distance_rows(source, target, active, open_, 4 if option is None else int(option))
        counts = np.zeros(rows.size, np.int64)
        counts[wanted[rows]] = np.diff(made[0])
        indptr, indices, data = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), made[1], made[2]
        covered = (counts > 0).astype(np.float64)
    return Weights(
        indptr,
        indices,
        data,
        (rows.size, source.size),
        covered,
        rows,
        name,
        normalization,
        source.fingerprint,
        target.fingerprint,
        target.size,
        constant=constant,
    )


def _filled(weights: Weights, positions: NDArray[np.int64], part: Weights) -> Weights:
    """Put the rows of `part` at some (empty) rows of `weights`."""
    counts = np.diff(weights.indptr)
    counts[positions] = np.diff(part.indptr)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    new = np.zeros(weights.shape[0], bool)
    new[positions] = True
    of_part = np.repeat(new, counts)
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
    indices[~of_part], data[~of_part] = weights.indices, weights.data
    indices[of_part], data[of_part] = part.indices, part.data
    covered = weights.covered.copy()
    covered[positions] = part.covered
    constant = weights.constant
    if part.constant is not None:
        constant = np.full(weights.shape[0], np.nan) if constant is None else constant.copy()
        constant[positions] = part.constant
    area = None
    if weights.area is not None:  # a filled row shares no area with the source
        area = np.zeros(indptr[-1])
        area[~of_part] = weights.area
    second = None if weights.second is None else weights.second.filled(new, part)
    return dataclasses.replace(
        weights, indptr=indptr, indices=indices, data=data, covered=covered, constant=constant, area=area, second=second
    )


def _crept(weights: Weights, target: Grid, wanted: Mask, option: float | None) -> Weights:
    """Fill open rows from their neighbours; `weights` has all rows of the target."""
    from coupler.remap.fill import creep

    before = np.diff(weights.indptr)
    steps = None if option is None else int(option)
    open_ = np.zeros(target.size, bool)
    open_[weights.open_rows(wanted)] = True
    indptr, indices, data = creep(
        target, (weights.indptr, weights.indices, weights.data), weights.shape[1], open_, steps
    )
    positions = np.flatnonzero((before == 0) & (np.diff(indptr) > 0))
    all_rows = dataclasses.replace(
        weights, indptr=indptr, indices=indices, data=data, area=None, second=None, covered=np.ones(target.size)
    )
    return _filled(weights, positions, all_rows.rows(positions))


def _conservative(
    source: Grid,
    target: Grid,
    normalization: str,
    source_active: Mask,
    target_active: Mask,
    rows: NDArray[np.int64],
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> Weights:
    from coupler.remap.shared import grid_overlap

    threads = threads or granted()
    with ThreadPoolExecutor(1) as beside:
        if threads > 1:  # digests run beside the clipping
            beside.submit(lambda: (source.fingerprint, target.fingerprint))
        found = grid_overlap(
            source,
            target,
            source_active=source_active,
            target_active=target_active,
            rows=rows,
            threads=threads,
            progress=progress,
        )
    data, covered = normalize(found.indptr, found.area, target.polygons.area[rows], normalization == "fracarea")
    given = np.asarray(np.bincount(found.indices, found.area, source.size), np.float64)
    _refuse_overlap(source, target, rows, covered, given)
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


def refuse_cells_on_each_other(grid: Grid) -> None:
    """Lay a grid whose cells share no vertices over itself.

    Raises
    ------
    GridError
        Active cells that lie on each other.
    """
    if grid.corner_longitude is not None and not grid.is_structured and grid.size <= SELF_CHECKED:
        make_weights(grid, grid, "conservative", target_mask=None)


def _refuse_overlap(source: Grid, target: Grid, rows: NDArray[np.int64], covered: Floats, given: Floats) -> None:
    """Refuse cells that lie on each other: what they cover would be counted twice."""
    area = source.polygons.area
    taken = np.divide(given, area, out=np.zeros_like(given), where=area > 0.0)
    for grid, other, cells, share in ((source, target, rows, covered), (target, source, np.arange(area.size), taken)):
        worst = int(share.argmax()) if share.size else 0
        if share.size and share[worst] > 1.0 + OVERLAP:
            raise GridError(
                f"cells of grid {grid.name!r} lie on each other: they cover cell {int(cells[worst])} of grid "
                f"{other.name!r} {share[worst]:.3f} times; mask the cells that repeat others, or mend its bounds"
            )


def normalize(indptr: NDArray[np.int64], area: Floats, target_area: Floats, by_covered: bool) -> tuple[Floats, Floats]:
    """Weights and covered fractions from overlap areas; each row is summed in column order.

    Parameters
    ----------
    indptr : (rows + 1,) first overlap of each row
    area : (overlaps,) on the unit sphere
    target_area : (rows,) on the unit sphere
    by_covered : whether to divide by the covered area
    """
    from coupler.remap.apply import divide_rows, row_sums

    total = row_sums(indptr, area)
    covered = np.divide(total, target_area, out=np.zeros_like(total), where=target_area > 0.0)
    return divide_rows(indptr, area, total if by_covered else target_area), covered
