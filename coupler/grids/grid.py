"""Horizontal grids: cell centres, corners, masks, areas and a fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
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
class Grid:
    """A horizontal grid on the sphere; degrees throughout.

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
        return f"Grid({self.name!r}, shape={self.shape}, edges={self.edges!r}, masks={sorted(self.masks)})"

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
                    f"{here}: {key} reaches {values.flat[np.nanargmax(np.abs(values))]:g}; degrees north are wanted:"
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

    # ------------------------------------------------------------------ grids from grids

    def with_mask(self, mask: ArrayLike, name: str = "default") -> Grid:
        """Return the same grid with one mask added or replaced."""
        grid = dataclasses.replace(self, masks={**self.masks, name: np.asarray(mask, bool).reshape(self.shape)})
        for key in ("polygons", "area", "angle", "fingerprint"):  # the geometry is the same: keep what is known
            if key in self.__dict__:
                grid.__dict__[key] = self.__dict__[key]
        return grid

    def cells(self, indices: ArrayLike) -> Grid:
        """Return the unstructured grid of some flat cells, their geometry unchanged to the bit."""
        chosen = np.asarray(indices, np.int64).ravel()
        corner_longitude = corner_latitude = None
        if self.corner_longitude is not None and self.corner_latitude is not None:
            numbers = self._corner_numbers()[chosen]
            corner_longitude = self.corner_longitude.ravel()[numbers]
            corner_latitude = self.corner_latitude.ravel()[numbers]
        return Grid(
            self.name,
            self.longitude.ravel()[chosen],
            self.latitude.ravel()[chosen],
            corner_longitude,
            corner_latitude,
            {key: mask.ravel()[chosen] for key, mask in self.masks.items()},
            self.edges,
            self.crs,
            self.angle.ravel()[chosen],
        )

    # ------------------------------------------------------------------ grids from descriptions

    @classmethod
    def regular_lonlat(
        cls,
        name: str,
        west: float,
        east: float,
        south: float,
        north: float,
        *,
        resolution: float | tuple[float, float] | None = None,
        nx: int | None = None,
        ny: int | None = None,
        edges: Edges = "latitude",
        masks: Mapping[str, Mask] | None = None,
    ) -> Grid:
        """Grid of equal steps in longitude and latitude between the outer edges given (degrees).

        >>> Grid.regular_lonlat("one_degree", 0, 360, -90, 90, resolution=1).shape
        (180, 360)
        """
        if east <= west:
            east += 360.0
        if not -90.0 <= south < north <= 90.0 or east - west > 360.0 + 1e-9:
            raise GridError(
                f"grid {name!r}: west {west:g} .. east {east:g}, south {south:g} .. north {north:g} is no box on the"
                " sphere; give edges with south < north within -90 .. 90 and at most 360 degrees across"
            )
        steps = (resolution, resolution) if isinstance(resolution, int | float) else resolution
        counts = []
        for axis, given, extent in (("nx", nx, east - west), ("ny", ny, north - south)):
            step = None if steps is None else float(steps[axis == "ny"])
            count = given if given is not None else (round(extent / step) if step else 0)
            if count < 1 or (step is not None and abs(count * step - extent) > 1e-6 * step * max(count, 1)):
                raise GridError(
                    f"grid {name!r}: {axis} {given} and step {step} degrees do not make up {extent:g} degrees; give"
                    " either resolution or nx and ny, and edges a whole number of steps apart"
                )
            counts.append(int(count))
        x, y = np.linspace(west, east, counts[0] + 1), np.linspace(south, north, counts[1] + 1)
        corner_longitude, corner_latitude = np.meshgrid(x, y)
        longitude, latitude = np.meshgrid(0.5 * (x[:-1] + x[1:]), 0.5 * (y[:-1] + y[1:]))
        return cls(name, longitude, latitude, corner_longitude, corner_latitude, masks or {}, edges)

    @classmethod
    def projected(
        cls,
        name: str,
        crs: str,
        nx: int,
        ny: int,
        dx: float,
        dy: float | None = None,
        center: tuple[float, float] | None = None,
        *,
        masks: Mapping[str, Mask] | None = None,
    ) -> Grid:
        """Grid of nx x ny cells of dx x dy in the plane of a projection (Lambert, Mercator, rotated pole ...).

        Parameters
        ----------
        crs
            PROJ string, such as ``+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000``.
        dx, dy
            Cell size in the projection's unit: metres, or degrees for a rotated pole
            (``+proj=ob_tran +o_proj=longlat ...``).
        center
            Longitude and latitude of the middle of the grid; the projection's origin if not given.
        """
        from pyproj import CRS, Proj
        from pyproj.exceptions import CRSError

        try:
            projection = Proj(crs)
            angular = "longlat" in crs or CRS.from_user_input(crs).is_geographic
        except CRSError as error:
            raise GridError(f"grid {name!r}: PROJ does not understand {crs!r}: {error}") from None
        dy = dx if dy is None else dy
        if nx < 1 or ny < 1 or dx <= 0.0 or dy <= 0.0:
            raise GridError(f"grid {name!r}: nx {nx}, ny {ny}, dx {dx:g}, dy {dy:g} must all be positive")
        # PROJ's rotated longitude and latitude are in radians on the rotated side
        unit = np.deg2rad(1.0) if "ob_tran" in crs and angular else 1.0
        x0, y0 = (0.0, 0.0) if center is None else (value / unit for value in projection(*center))
        x = (x0 + (np.arange(nx + 1) - 0.5 * nx) * dx) * unit
        y = (y0 + (np.arange(ny + 1) - 0.5 * ny) * dy) * unit

        def geographic(along: Any, across: Any) -> tuple[Floats, Floats]:
            xx, yy = np.meshgrid(along, across)
            longitude, latitude = projection(xx, yy, inverse=True)
            return longitude, latitude

        corner_longitude, corner_latitude = geographic(x, y)
        longitude, latitude = geographic(0.5 * (x[:-1] + x[1:]), 0.5 * (y[:-1] + y[1:]))
        if not np.isfinite(corner_longitude).all():
            raise GridError(
                f"grid {name!r}: {nx} x {ny} cells of {dx:g} {'degrees' if angular else 'm'} reach beyond the"
                " projection; make the grid smaller"
            )
        return cls(name, longitude, latitude, corner_longitude, corner_latitude, masks or {}, "great_circle", crs)

    @classmethod
    def from_file(cls, path: str | Path, *, name: str | None = None, edges: Edges | None = None) -> Grid:
        """Read a CF (with bounds), SCRIP or UGRID file; see `coupler.grids.grid_files.read_grid`."""
        from coupler.grids.grid_files import read_grid

        return read_grid(path, name=name, edges=edges)

    def to_file(self, path: str | Path, convention: Literal["cf", "scrip", "ugrid"] = "cf") -> None:
        """Write the grid and its masks as CF, SCRIP or UGRID netCDF."""
        from coupler.grids.grid_files import write_grid

        write_grid(self, path, convention)


def _unit(longitude: Floats, latitude: Floats) -> Floats:
    lon, lat = np.deg2rad(longitude), np.deg2rad(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
