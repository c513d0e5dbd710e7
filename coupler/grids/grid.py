# SPDX-License-Identifier: BSD-3-Clause
"""Horizontal grids: made from a description, a file, or another grid."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from coupler.errors import GridError as GridError
from coupler.grids.geometry import EARTH_RADIUS as EARTH_RADIUS
from coupler.grids.geometry import Edges as Edges
from coupler.grids.geometry import Floats, Geometry
from coupler.grids.geometry import Mask as Mask
from coupler.grids.sizes import refuse_too_large


class Grid(Geometry):
    """A horizontal grid on the sphere; degrees throughout. Its parameters are those of `Geometry`."""

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
                f"grid {name!r}: west {west:g} .. east {east:g}, south {south:g} .. north {north:g} is not a box on the"
                " sphere; give edges with south < north within -90 .. 90 and at most 360 degrees across"
            )
        steps = (resolution, resolution) if isinstance(resolution, int | float) else resolution
        if steps is not None and min(steps) > 0.0 and (nx is None or ny is None):
            cells = (east - west) / steps[0] * ((north - south) / steps[1])
            refuse_too_large(name, cells, f"resolution {resolution}")
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
        refuse_too_large(name, counts[0] * counts[1])
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
            raise GridError(
                f"grid {name!r}: PROJ does not understand {crs!r}: {error}; give a PROJ string or EPSG:CODE"
            ) from None
        dy = dx if dy is None else dy
        if nx < 1 or ny < 1 or dx <= 0.0 or dy <= 0.0:
            raise GridError(f"grid {name!r}: nx {nx}, ny {ny}, dx {dx:g}, dy {dy:g} must all be positive")
        refuse_too_large(name, nx * ny, f"nx {nx}, ny {ny}")
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

        read = read_grid(path, name=name, edges=edges)
        return cls(**{part.name: getattr(read, part.name) for part in dataclasses.fields(read)})

    def to_file(self, path: str | Path, convention: Literal["cf", "scrip", "ugrid"] = "cf") -> None:
        """Write the grid and its masks as CF, SCRIP or UGRID netCDF."""
        from coupler.grids.grid_writing import write_grid

        write_grid(self, path, convention)
