# SPDX-License-Identifier: BSD-3-Clause
"""The cells of a horizontal grid: centres, corners, masks, areas and a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coupler.errors import GridError as GridError

if TYPE_CHECKING:
    from coupler.grids.cells import Cells

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Edges = Literal["great_circle", "latitude"]
EARTH_RADIUS = 6.371e6
"""Mean radius of the earth in metres."""


def _frozen(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    array = np.ascontiguousarray(values, dtype=dtype).view()
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False, repr=False)
class Geometry:
    """Cells on the sphere; degrees throughout. `coupler.grids.grid.Grid` is one that can be made, cut and filed.

    Parameters
    ----------
    name
        What messages call it.
    longitude, latitude
        Cell centres, float64, of the grid's `shape`: (ny, nx), or (n,) for an unstructured grid.
    corner_longitude, corner_latitude
        Either the (ny + 1, nx + 1) vertices of a structured grid, or the corners of each cell, (..., nv), where a
        cell with fewer corners repeats one or has NaN. None for a grid of points (no areas, no conservation).
    masks
        Masks by name, bool arrays of `shape`, True where a cell is active (sea, on an ocean grid). ``default`` is
        used unless another is asked for; without it all cells are active.
    edges
        ``great_circle``, or ``latitude``: edges between corners of one latitude follow it. Areas and overlaps obey it.
    crs
        PROJ string of the projection, for files and plots.
    rotation
        Direction of the grid's x axis against east in radians, anticlockwise; found from the geometry if not given.

    Raises
    ------
    GridError
        Where shapes disagree, coordinates are not finite or latitudes are out of range.
    """

    name: str
    longitude: Floats
    latitude: Floats
    corner_longitude: Floats | None = None
    corner_latitude: Floats | None = None
    masks: Mapping[str, Mask] = field(default_factory=dict)
    edges: Edges = "great_circle"
    crs: str | None = None
    rotation: Floats | None = None

    def __post_init__(self) -> None:
        for key in ("longitude", "latitude", "corner_longitude", "corner_latitude", "rotation"):
            if getattr(self, key) is not None:
                object.__setattr__(self, key, _frozen(getattr(self, key)))
        object.__setattr__(self, "masks", {key: _frozen(mask, bool) for key, mask in self.masks.items()})
        self._check()

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.name!r}, shape={self.shape}, edges={self.edges!r}, masks={sorted(self.masks)})"

    def _check(self) -> None:
        shape, here = self.longitude.shape, f"grid {self.name!r}"
        if self.latitude.shape != shape or len(shape) not in (1, 2) or self.longitude.size == 0:
            raise GridError(
                f"{here}: longitude has shape {shape}, latitude {self.latitude.shape}; give both as (ny, nx), or as"
                " (n,) for an unstructured grid"
            )
        if not (np.isfinite(self.longitude).all() and np.isfinite(self.latitude).all()):
            raise GridError(f"{here}: a cell centre is not finite; fill or drop such cells and mask them")
        if (self.corner_longitude is None) != (self.corner_latitude is None):
            raise GridError(f"{here}: give both corner_longitude and corner_latitude, or neither")
        if self.corner_longitude is not None and self.corner_latitude is not None:
            corners = self.corner_longitude.shape
            per_cell = len(corners) == len(shape) + 1 and corners[:-1] == shape and corners[-1] >= 3
            vertices = len(shape) == 2 and corners == (shape[0] + 1, shape[1] + 1)
            if self.corner_latitude.shape != corners or not (per_cell or vertices):
                wanted = f"{(shape[0] + 1, shape[1] + 1)} or {(*shape, 4)}" if len(shape) == 2 else f"{(*shape, 'nv')}"
                raise GridError(
                    f"{here}: corners have shapes {corners} and {self.corner_latitude.shape}; cells of shape {shape}"
                    f" need {wanted}"
                )
        for key in ("latitude", "corner_latitude"):
            values = getattr(self, key)
            if values is not None and np.nanmax(np.abs(values), initial=0.0) > 90.0 + 1e-9:
                raise GridError(
                    f"{here}: {key} reaches {values.flat[np.nanargmax(np.abs(values))]:g}; expected degrees north:"
                    " were longitude and latitude swapped, or is it a projection's y in metres?"
                )
        for key, mask in self.masks.items():
            if mask.shape != shape:
                raise GridError(f"{here}: mask {key!r} has shape {mask.shape}, the grid {shape}")
        if self.edges not in ("great_circle", "latitude"):
            raise GridError(f"{here}: edges {self.edges!r}: use 'great_circle' or 'latitude'")

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> tuple[int, ...]:
        """(ny, nx), or (n,) of an unstructured grid."""
        return self.longitude.shape

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.longitude.size)

    @property
    def is_structured(self) -> bool:
        """Whether neighbouring cells share the vertices of one (ny + 1, nx + 1) array."""
        return self.corner_longitude is not None and self.corner_longitude.ndim == len(self.shape) == 2

    @property
    def mask(self) -> Mask:
        """The default mask; all True without one."""
        return self.masks["default"] if "default" in self.masks else np.ones(self.shape, bool)

    def mask_named(self, name: str) -> Mask:
        """Mask `name`; ``default`` always exists. Raises GridError with the names there are."""
        if name == "default":
            return self.mask
        if name not in self.masks:
            raise GridError(f"grid {self.name!r} has no mask {name!r}; it has {sorted({'default', *self.masks})}")
        return self.masks[name]

    @cached_property
    def polygons(self) -> Cells:
        """Cells as oriented polygons on the unit sphere (flat cell order)."""
        return self.make_polygons()

    def make_polygons(self, threads: int = 1) -> Cells:
        """Make (or give back) the polygons with some threads; the bits do not depend on how many."""
        from coupler.grids.cells import make_cells  # numba: not needed to read a case

        if "polygons" in self.__dict__:
            return self.polygons
        if self.corner_longitude is None or self.corner_latitude is None:
            raise GridError(
                f"grid {self.name!r} has no cell corners, which areas and conservative remapping need: add bounds to"
                " its file (ncap2, cdo genbounds) or use a method like 'bilinear' or 'nearest'"
            )
        along = self.edges == "latitude"
        try:
            made = make_cells(self.corner_longitude, self.corner_latitude, self._corner_numbers(), along, threads)
        except ValueError as error:
            raise GridError(f"grid {self.name!r}: {error}; refine the grid or check its corners") from None
        self.__dict__["polygons"] = made
        return made

    def _corner_numbers(self) -> NDArray[np.int32]:
        assert self.corner_longitude is not None
        if not self.is_structured:
            return np.arange(self.corner_longitude.size, dtype=np.int32).reshape(self.size, -1)
        ny, nx = self.shape
        vertex = np.arange((ny + 1) * (nx + 1), dtype=np.int32).reshape(ny + 1, nx + 1)
        around = (vertex[:-1, :-1], vertex[:-1, 1:], vertex[1:, 1:], vertex[1:, :-1])
        return np.stack(around, axis=-1).reshape(-1, 4)

    @cached_property
    def area(self) -> Floats:
        """Cell areas in m2, of `shape`, with the edges the grid says."""
        return _frozen(self.polygons.area.reshape(self.shape) * EARTH_RADIUS**2)

    @cached_property
    def angle(self) -> Floats:
        """Direction of the grid's x axis against east in radians, anticlockwise, of `shape`.

        A vector (u, v) along the grid's axes has eastward component u cos(angle) - v sin(angle). Zero on an
        unstructured grid, whose vectors are taken as east and north.
        """
        if self.rotation is not None:
            return _frozen(self.rotation.reshape(self.shape))
        if len(self.shape) == 1:
            return _frozen(np.zeros(self.shape))
        if self.is_structured:
            assert self.corner_longitude is not None and self.corner_latitude is not None
            corner = _unit(self.corner_longitude, self.corner_latitude)
            side = corner[:-1] + corner[1:]
            along = side[:, 1:] - side[:, :-1]
        elif self.shape[1] > 1:
            along = np.gradient(_unit(self.longitude, self.latitude), axis=1)
        else:
            return _frozen(np.zeros(self.shape))
        lon, lat = np.deg2rad(self.longitude), np.deg2rad(self.latitude)
        x, y, z = np.moveaxis(along, -1, 0)
        east = y * np.cos(lon) - x * np.sin(lon)
        north = z * np.cos(lat) - np.sin(lat) * (x * np.cos(lon) + y * np.sin(lon))
        return _frozen(np.arctan2(north, east))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape, centres, corners and kind of edges (not the masks, not the name)."""
        digest = hashlib.sha256(f"{self.shape} {self.edges}".encode())
        for values in (self.longitude, self.latitude, self.corner_longitude, self.corner_latitude):
            digest.update(b"none" if values is None else str(values.shape).encode())
            if values is not None:
                digest.update(values.astype("<f8", copy=False).data)
        return digest.hexdigest()

    def mask_fingerprint(self, name: str = "default") -> str:
        """SHA-256 of a mask."""
        return hashlib.sha256(np.packbits(self.mask_named(name)).tobytes()).hexdigest()


def _unit(longitude: Floats, latitude: Floats) -> Floats:
    lon, lat = np.deg2rad(longitude), np.deg2rad(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
