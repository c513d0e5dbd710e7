# SPDX-License-Identifier: BSD-3-Clause
"""A network of reaches, one a cell: where each drains, in which order they are worked out, how much land lies above."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from components.science.constants import EARTH_RADIUS
from coupler.errors import TesseraError

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


class NetworkError(TesseraError, ValueError):
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
    sinks : int64 array
        Flat numbers of the cells in which water ends inland; the others that drain `NOWHERE` are mouths.
    """

    downstream: Cells
    longitude: Floats
    latitude: Floats
    sinks: Cells = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def land(self) -> npt.NDArray[np.bool_]:
        """Which cells have a reach, (ny, nx)."""
        return self.downstream != SEA

    @property
    def mouths(self) -> npt.NDArray[np.bool_]:
        """Which cells give their water to the sea, or to what lies beyond the grid's edge, (ny, nx)."""
        ends = (self.downstream == NOWHERE).ravel()
        ends[self.sinks] = False
        return ends.reshape(self.downstream.shape)

    @property
    def codes(self) -> Cells:
        """Directions in the convention of HydroSHEDS, (ny, nx); see `from_codes`."""
        ny, nx = self.downstream.shape
        flat = self.downstream.ravel()
        rows, columns = np.divmod(np.arange(ny * nx), nx)
        to = np.maximum(flat, 0)
        out = np.where(flat == SEA, 247, 0)
        for code, (dy, dx) in ESRI.items():
            out[(flat >= 0) & (to // nx - rows == dy) & (to % nx - columns == dx)] = code
        out[self.sinks] = 255
        return out.reshape(ny, nx)

    @property
    def leaps(self) -> bool:
        """Whether a cell drains to one that is no neighbour, which directions cannot say."""
        return bool((self.codes.ravel()[self.downstream.ravel() >= 0] == 0).any())

    @property
    def next_cells(self) -> tuple[Cells, Cells]:
        """Column and row, from the north, of the cell below, in the convention of CaMa-Flood; see `from_next`."""
        ny, nx = self.downstream.shape
        to = self.downstream.ravel()
        end = np.where(to == SEA, -9999, -9)
        end[self.sinks] = -10
        pair = np.where(to >= 0, to % nx + 1, end), np.where(to >= 0, ny - to // nx, end)
        return pair[0].reshape(ny, nx), pair[1].reshape(ny, nx)

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
    return _ending_at_sea(downstream, x, y, np.isin(given, (-1, 255)))


def _ending_at_sea(downstream: Cells, x: Floats, y: Floats, sinks: npt.NDArray[np.bool_]) -> Network:
    into_the_sea = (downstream >= 0) & (downstream.ravel()[np.maximum(downstream, 0)] == SEA)
    return Network(np.where(into_the_sea, NOWHERE, downstream), x, y, np.flatnonzero(sinks))


def from_next(
    next_x: npt.ArrayLike,
    next_y: npt.ArrayLike,
    longitude: npt.ArrayLike,
    latitude: npt.ArrayLike,
    *,
    southward: bool | None = None,
) -> Network:
    """A network out of the next cell's numbers in the convention of CaMa-Flood.

    Parameters
    ----------
    next_x, next_y : array
        Column and row of the cell below, counted from 1; -9 at a mouth, -10 at a sink, -9999 where there is no land;
        shape (ny, nx).
    longitude, latitude : array
        Centres, degrees; latitudes of either order.
    southward : bool, optional
        Whether rows are counted from the north, as CaMa-Flood does; by default in the order of ``latitude``.

    Raises
    ------
    NetworkError
        Shapes that do not fit, or a cell beyond the grid.
    """
    i, j = np.asarray(next_x, np.int64), np.asarray(next_y, np.int64)
    x, y = np.asarray(longitude, float), np.asarray(latitude, float)
    if i.shape != (y.size, x.size) or j.shape != i.shape:
        raise NetworkError(f"expected nextx and nexty of shape {(y.size, x.size)}, found {i.shape} and {j.shape}")
    if i.max() > x.size or j.max() > y.size:
        raise NetworkError(f"expected a next cell within {x.size} x {y.size}, found {int(i.max())}, {int(j.max())}")
    turned = y.size > 1 and y[0] > y[-1]
    to_row = y.size - j if (turned if southward is None else southward) else j - 1
    if turned:
        i, to_row, y = i[::-1], to_row[::-1], y[::-1]
    downstream = np.where(i > 0, to_row * x.size + i - 1, np.where(i == -9999, SEA, NOWHERE))
    return _ending_at_sea(downstream, x, y, i == -10)


def part_of(network: Network, rows: slice, columns: slice) -> Network:
    """A box of a network: what leaves it ends at its edge.

    Parameters
    ----------
    network : Network
        The whole.
    rows, columns : slice
        Of the box.
    """
    ny, nx = network.downstream.shape
    j, i = (np.arange(n)[s] for n, s in ((ny, rows), (nx, columns)))
    here = network.downstream[rows, columns]
    to_row, to_column = np.divmod(np.maximum(here, 0), nx)
    inside = (to_row >= j[0]) & (to_row <= j[-1]) & (to_column >= i[0]) & (to_column <= i[-1])
    number = np.where(inside, (to_row - j[0]) * i.size + to_column - i[0], NOWHERE)
    sinks = np.zeros(ny * nx, bool)
    sinks[network.sinks] = True
    kept = np.flatnonzero(sinks.reshape(ny, nx)[rows, columns])
    return Network(np.where(here >= 0, number, here), network.longitude[columns], network.latitude[rows], kept)
