# SPDX-License-Identifier: BSD-3-Clause
"""Applying weights to fields: values with their covered fraction, limiter, conservation, vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.grids.grid import Grid, GridError
from coupler.remap.apply import apply_weights, row_sums
from coupler.remap.conserve import Conservation, correction, integral
from coupler.remap.matrix import Weights

Floats = NDArray[np.float64]
__all__ = ["Regridder", "apply_weights", "row_sums", "vector_from_east_north", "vector_to_east_north"]


@dataclass(frozen=True, eq=False)
class Regridder:
    """Weights made ready to remap fields.

    Parameters
    ----------
    weights
        From `coupler.remap.weights.make_weights` or a file.
    source, target
        The grids; needed for `conserve`, for vectors and for fields in the grid's shape.
    limiter
        Of second-order conservative weights: cut gradients back so that no value leaves the range of the source.
    conserve
        ``global``, ``global_positive``, ``basin`` or ``basin_positive``: see `coupler.remap.conserve`.
    fill
        Value of cells that nothing reaches.

    Examples
    --------
    >>> from coupler.remap.weights import make_weights
    >>> fine = Grid.regular_lonlat("fine", 0, 360, -90, 90, resolution=30)
    >>> coarse = Grid.regular_lonlat("coarse", 0, 360, -90, 90, resolution=90)
    >>> regrid = Regridder(make_weights(fine, coarse), fine, coarse)
    >>> values, covered = regrid.apply(np.ones(fine.size))
    >>> values.round(12).tolist(), regrid(np.ones((5, 6, 12))).shape
    ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], (5, 2, 4))
    """

    weights: Weights
    source: Grid | None = None
    target: Grid | None = None
    limiter: bool = False
    conserve: Conservation | None = None
    fill: float = np.nan

    def __post_init__(self) -> None:
        for grid, fingerprint, size, side in (
            (self.source, self.weights.source_fingerprint, self.weights.shape[1], "source"),
            (self.target, self.weights.target_fingerprint, self.weights.target_size, "target"),
        ):
            if grid is not None and fingerprint and grid.fingerprint != fingerprint:
                raise GridError(
                    f"the weights were made for another {side} grid: {fingerprint}, {size} cells; grid"
                    f" {grid.name!r} is {grid.fingerprint}, {grid.size} cells: make the weights again"
                )
        if self.conserve is not None and (self.source is None or self.target is None):
            raise GridError("conserve needs the source and the target grid for their areas")
        if self.limiter and self.weights.second is None:
            raise GridError(
                f"a limiter needs weights of method 'conservative_second_order'; these are {self.weights.method!r}"
            )

    def apply(self, values: ArrayLike) -> tuple[Floats, Floats]:
        """Remap (n_source,) or (n_source, n_fields).

        Returns
        -------
        values : (rows,) or (rows, n_fields); `fill` where nothing reaches the cell.
        covered : (rows,) share of the cell's area that has a source.
        """
        given = np.ascontiguousarray(values, np.float64)
        if given.ndim not in (1, 2) or given.shape[0] != self.weights.shape[1]:
            raise GridError(
                f"a field of shape {given.shape} does not fit weights from {self.weights.shape[1]} source cells; give"
                " (cells,) or (cells, fields), or call the regridder with (..., ny, nx)"
            )
        weights = self.weights
        matrix = given.reshape(given.shape[0], -1)
        out = np.empty((weights.shape[0], matrix.shape[1]))
        if self.limiter and weights.second is not None:
            from coupler.remap.second_order import apply_limited

            apply_limited(weights.second, matrix, out)
        else:
            apply_weights(weights.indptr, weights.indices, weights.data, matrix, out)
        if weights.constant is not None:
            fixed = ~np.isnan(weights.constant)
            out[fixed] = weights.constant[fixed, None]
        if self.conserve is not None:
            self._conserve(matrix, out)
        out[weights.open_rows()] = self.fill
        return out.reshape(weights.shape[0], *given.shape[1:]), weights.covered

    def _conserve(self, given: Floats, out: Floats) -> None:
        assert self.source is not None and self.target is not None and self.conserve is not None
        if self.weights.shape[0] != self.target.size:
            raise GridError("conserve needs the weights of all target cells: a part does not know the whole integral")
        active = self.source.mask.ravel()
        reached = np.ones(out.shape[0], bool)
        reached[self.weights.open_rows()] = False
        source_area, target_area = self.source.area.ravel()[active], self.target.area.ravel()[reached]
        whole = (integral(source_area, np.ones_like(source_area)), integral(target_area, np.ones_like(target_area)))
        for field in range(out.shape[1]):
            change = correction(
                self.conserve,
                integral(source_area, given[active, field]),
                integral(target_area, out[reached, field]),
                *whole,
            )
            out[reached, field] = change.factor * out[reached, field] + change.offset

    def transpose(self) -> Regridder:
        """The regridder of the transposed weights, from fields of the target to fields of the source.

        Its `apply_vector` is the transpose of this one's. Fixed and fill values are no part of the linear map.

        Raises
        ------
        GridError
            With a limiter or `conserve`: what they do depends on the field.
        """
        refuse_transpose(self.limiter, self.conserve)
        return Regridder(self.weights.transpose(), self.target, self.source, fill=0.0)

    def __call__(self, field: ArrayLike) -> Floats:
        """Remap an array (..., *source shape) to (..., *target shape)."""
        array = np.asarray(field, np.float64)
        shape = (self.weights.shape[1],) if self.source is None else self.source.shape
        end: tuple[int, ...] = (self.weights.shape[0],)
        if self.target is not None and self.weights.shape[0] == self.target.size:
            end = self.target.shape
        if array.shape[array.ndim - len(shape) :] != shape:
            raise GridError(f"a field of shape {array.shape} does not end in the source grid's shape {shape}")
        leading = array.shape[: array.ndim - len(shape)]
        flat = array.reshape(-1, self.weights.shape[1]).T
        return self.apply(flat)[0].T.reshape(*leading, *end)

    def apply_vector(self, u: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Remap a vector along the source's grid axes to the target's grid axes.

        The three Cartesian components are remapped, so that directions are right across a pole as well; the result
        is projected on the target's horizontal plane.

        Parameters
        ----------
        u, v : (n_source,) or (n_source, n_fields), components along the source grid's x and y.

        Returns
        -------
        u, v : (rows,) or (rows, n_fields), along the target grid's x and y.
        covered : (rows,).
        """
        if self.source is None or self.target is None:
            raise GridError("vectors need the source and the target grid for their directions")
        if self.conserve is not None:
            raise GridError("conserve corrects scalars; remap a vector without it")
        first, second = np.asarray(u, np.float64), np.asarray(v, np.float64)
        east, north = vector_to_east_north(self.source, first, second)
        towards_east, towards_north = _directions(self.source, slice(None))
        parts = []
        for d in range(3):
            e, n = (_like(direction[:, d], east) for direction in (towards_east, towards_north))
            parts.append(self.apply(e * east + n * north)[0])
        towards_east, towards_north = _directions(self.target, self.weights.target_cells)
        east = sum(_like(towards_east[:, d], parts[d]) * parts[d] for d in range(3))  # type: ignore[assignment]
        north = sum(_like(towards_north[:, d], parts[d]) * parts[d] for d in range(3))  # type: ignore[assignment]
        u_out, v_out = vector_from_east_north(self.target, east, north, self.weights.target_cells)
        return u_out, v_out, self.weights.covered


def refuse_transpose(limiter: bool, conserve: str | None) -> None:
    """Raise GridError where a remapping is no linear map."""
    for given, name in ((limiter, "limiter: true"), (conserve, f"conserve: {conserve}")):
        if given:
            raise GridError(
                f"a remapping with {name} has no transpose: what it does depends on the field; leave it out where "
                "gradients are needed"
            )


def _like(column: Floats, values: Floats) -> Floats:
    return column if values.ndim == 1 else column[:, None]


def _directions(grid: Grid, cells: slice | NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Unit vectors to the east and to the north, (cells, 3)."""
    lon, lat = np.deg2rad(grid.longitude.ravel()[cells]), np.deg2rad(grid.latitude.ravel()[cells])
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=1)
    return east, north


def vector_to_east_north(
    grid: Grid, u: Floats, v: Floats, cells: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """Eastward and northward components of a vector along a grid's axes; (cells,) or (cells, fields).

    Parameters
    ----------
    grid : whose axes are meant
    u, v : components along its axes
    cells : flat cells of the values, or None for all
    """
    angle = grid.angle.ravel() if cells is None else grid.angle.ravel()[cells]
    c, s = _like(np.cos(angle), u), _like(np.sin(angle), u)
    return c * u - s * v, s * u + c * v


def vector_from_east_north(
    grid: Grid, east: Floats, north: Floats, cells: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """Components along a grid's axes of a vector given east and north; (cells,) or (cells, fields).

    Parameters
    ----------
    grid : whose axes are meant
    east, north : components
    cells : flat cells of the values, or None for all
    """
    angle = grid.angle.ravel() if cells is None else grid.angle.ravel()[cells]
    c, s = _like(np.cos(angle), east), _like(np.sin(angle), east)
    return c * east + s * north, -s * east + c * north
