# SPDX-License-Identifier: BSD-3-Clause
"""A network of reaches, one a cell: where each drains, in which order they are worked out, how much land lies above."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from components.science.constants import EARTH_RADIUS

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]

NOWHERE = -1
"""Downstream of a mouth or of a sink."""
SEA = -2
"""Downstream of what is no land."""
STEPS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Rows and columns to the eight neighbours, northward and eastward."""
ESRI = {1: (0, 1), 2: (-1, 1), 4: (-1, 0), 8: (-1, -1), 16: (0, -1), 32: (1, -1), 64: (1, 0), 128: (1, 1)}
"""HydroSHEDS' and MERIT Hydro's codes: east 1, south-east 2, and so on clockwise; 0 is a mouth, 255 (-1) a sink."""


class NetworkError(ValueError):
    """A network with a loop, a code that is none, or arrays of different shapes."""


@dataclass(frozen=True)
class Network:
    """Reaches on a grid of latitudes and longitudes, northward and eastward.

    Parameters
    ----------
    downstream : int64 array
        Flat number of the cell that each drains to, `NOWHERE` at mouths and sinks, `SEA` where there is no land;
        shape (ny, nx).
    longitude, latitude : float64 array
        Centres of columns and rows, degrees.
    """

    downstream: Cells
    longitude: Floats
    latitude: Floats

    @property
    def land(self) -> npt.NDArray[np.bool_]:
        """Which cells have a reach, (ny, nx)."""
        return self.downstream != SEA

    @cached_property
    def area(self) -> Floats:
        """Of the cells, m2, (ny, nx)."""
        dy, dx = np.radians(np.diff(self.latitude).mean()), np.radians(np.diff(self.longitude).mean())
        latitude = np.radians(self.latitude)
        strip = np.sin(np.minimum(latitude + 0.5 * dy, np.pi / 2)) - np.sin(np.maximum(latitude - 0.5 * dy, -np.pi / 2))
        return np.repeat((EARTH_RADIUS**2 * dx * strip)[:, None], self.longitude.size, axis=1)

    @cached_property
    def length(self) -> Floats:
        """From each cell's centre to that it drains to, m, half a cell's height at mouths and sinks, (ny, nx)."""
        ny, nx = self.downstream.shape
        rows, columns = np.divmod(np.arange(ny * nx), nx)
        flat = self.downstream.ravel()
        to = np.where(flat >= 0, flat, np.arange(ny * nx))
        a, b = np.radians(self.latitude[rows]), np.radians(self.latitude[to // nx])
        turn = np.radians(self.longitude[to % nx] - self.longitude[columns])
        chord = np.sin(0.5 * (b - a)) ** 2 + np.cos(a) * np.cos(b) * np.sin(0.5 * turn) ** 2
        distance = 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(chord))
        half = 0.5 * EARTH_RADIUS * np.radians(np.diff(self.latitude).mean())
        return np.where(flat >= 0, distance, half).reshape(ny, nx)

    @cached_property
    def levels(self) -> tuple[Cells, ...]:
        """Flat numbers of the cells by the longest way down to them: each level needs only those before it.

        Raises
        ------
        NetworkError
            Cells that drain in a loop.
        """
        flat = self.downstream.ravel()
        waiting = np.bincount(flat[flat >= 0], minlength=flat.size)
        now = np.flatnonzero((waiting == 0) & (flat != SEA))
        found, done = [], 0
        while now.size:
            found.append(now)
            done += now.size
            to = flat[now]
            to = to[to >= 0]
            np.subtract.at(waiting, to, 1)
            now = np.unique(to[waiting[to] == 0])
        stuck = int((flat != SEA).sum()) - done
        if stuck:
            cell = int(np.flatnonzero((waiting > 0) & (flat != SEA))[0])
            at = self.latitude[cell // self.longitude.size], self.longitude[cell % self.longitude.size]
            raise NetworkError(
                f"{stuck} cells drain in a loop, such as that at {at[0]:g} N, {at[1]:g} E; mend the directions"
            )
        return tuple(found)

    def accumulate(self, values: npt.ArrayLike) -> Floats:
        """Sum of what stands in a cell and in all cells above it.

        Parameters
        ----------
        values : array
            By cell, shape (ny, nx).

        Returns
        -------
        float64 array
            Shape (ny, nx); 0 at sea.
        """
        total = np.where(self.land, np.asarray(values, float), 0.0).ravel()
        flat = self.downstream.ravel()
        for level in self.levels:
            to = flat[level]
            np.add.at(total, to[to >= 0], total[level[to >= 0]])
        return total.reshape(self.downstream.shape)

    @cached_property
    def upstream_area(self) -> Floats:
        """Of the land that drains through each cell, itself included, m2, (ny, nx)."""
        return self.accumulate(self.area)

    @cached_property
    def ends(self) -> Cells:
        """Flat number of the mouth or sink that each land cell's water ends in, `SEA` elsewhere; (ny, nx)."""
        flat = self.downstream.ravel()
        end = np.where(flat == SEA, SEA, np.arange(flat.size))
        for level in reversed(self.levels):
            to = flat[level]
            end[level] = np.where(to >= 0, end[to], level)
        return end.reshape(self.downstream.shape)

    def at(self, longitude: float, latitude: float) -> tuple[int, int]:
        """Row and column of the cell that holds a point.

        Parameters
        ----------
        longitude, latitude : float
            Degrees.
        """
        row = int(np.abs(self.latitude - latitude).argmin())
        return row, int(np.abs((self.longitude - longitude + 180.0) % 360.0 - 180.0).argmin())


def from_codes(codes: npt.ArrayLike, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Network:
    """A network out of directions in the convention of HydroSHEDS and MERIT Hydro.

    Parameters
    ----------
    codes : array
        Shape (ny, nx), northward or southward as ``latitude`` says: `ESRI`, 0 at a mouth, -1 or 255 at a sink, and 247
        or -9 where there is no land.
    longitude, latitude : array
        Centres, degrees.

    Raises
    ------
    NetworkError
        A code that is none, shapes that do not fit, or a direction that leaves the grid.
    """
    given, x, y = np.asarray(codes), np.asarray(longitude, float), np.asarray(latitude, float)
    if given.shape != (y.size, x.size):
        raise NetworkError(f"expected directions of shape {(y.size, x.size)}, latitude by longitude, got {given.shape}")
    if y.size > 1 and y[0] > y[-1]:
        given, y = given[::-1], y[::-1]
    downstream = np.full(given.shape, SEA, np.int64)
    known = {*ESRI, 0, -1, 255, 247, -9}
    unknown = sorted(set(np.unique(given).tolist()) - known)
    if unknown:
        raise NetworkError(f"unknown directions {unknown[:5]}; known: {', '.join(map(str, sorted(known)))}")
    downstream[np.isin(given, (0, -1, 255))] = NOWHERE
    ny, nx = given.shape
    for code, (dy, dx) in ESRI.items():
        rows, columns = np.nonzero(given == code)
        to_row, to_column = rows + dy, columns + dx
        inside = (to_row >= 0) & (to_row < ny) & (to_column >= 0) & (to_column < nx)
        downstream[rows, columns] = np.where(inside, to_row * nx + to_column, NOWHERE)
    into_the_sea = (downstream >= 0) & (downstream.ravel()[np.maximum(downstream, 0)] == SEA)
    return Network(np.where(into_the_sea, NOWHERE, downstream), x, y)
