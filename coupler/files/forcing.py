"""Forcing: fields of CF netCDF files, interpolated in time, on a grid of the component that reads them.

>>> from coupler.clock import Clock
>>> air = Forcing("data/east_asia_atmosphere.nc", "air_temperature", Clock("2001-01-01"))
>>> air.coverage.cyclic, air.coverage.records
(True, 12)
>>> air.problems(0, 60 * 86400)
[]
>>> air.at(0).shape
(42, 49)

A climatology is read as a cycle: records are placed by month and share of the month, whatever the calendars of file
and case. Anything else must cover the run, and `problems` says so before anything is read. Only the two records
around the present are held. Nothing depends on the order in which times are asked for, nor on the block read.
"""

import glob
import os
from pathlib import Path
from typing import Any, Literal

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.errors import FieldError, ForcingError
from coupler.fields import conversion, dictionary, did_you_mean, is_water
from coupler.files.interpolation import Bilinear
from coupler.files.time_axis import Coverage, Method, TimeAxis
from coupler.grids.grid import Grid

Array = npt.NDArray[np.float64]
Cycle = Literal["auto", "yearly", "none"]
HELD = 2
"""Records held at a time."""


class Forcing:
    """One field of one or several CF netCDF files.

    Parameters
    ----------
    path : str or Path
        File, or a pattern such as ``forcing_*.nc`` whose files follow each other in time.
    name : str
        CF standard name, or the variable's name in the file.
    clock : Clock
        Dates of the case.
    units : str, optional
        Unit wanted; the dictionary's for a known standard name, else the file's.
    method : {'linear', 'step'}
        Between records: linear, or the record whose time bounds hold the time (without bounds: the last record
        that is not later).
    cycle : {'auto', 'yearly', 'none'}
        Whether the records repeat every year; ``auto`` takes CF's climatological time axis as a cycle.
    grid : Grid, optional
        The reader's grid. One of parallels and meridians must be that of the file or a rectangle of its cells; on any
        other (a projected one) fields are interpolated bilinearly.
    block : (slice, slice), optional
        Rows and columns of `grid` that are read; all of them by default.

    Raises
    ------
    ForcingError
        A file or variable that is not there, time that cannot be read, a unit that does not convert, another grid.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        clock: Clock,
        *,
        units: str | None = None,
        method: Method = "linear",
        cycle: Cycle = "auto",
        grid: Grid | None = None,
        block: tuple[slice, slice] | None = None,
    ):
        self.path, self.name, self.clock, self.method = str(path), name, clock, method
        self._files = _files(self.path)
        self._open: dict[Path, Any] = {}
        first = self._dataset(self._files[0])
        self.variable = _find_variable(first, name, self._files[0])
        field = first.variables[self.variable]
        self.file_units = str(getattr(field, "units", "1"))
        entry = dictionary().get(name, dictionary().get(str(getattr(field, "standard_name", "")), {}))
        self.units = units or str(entry.get("units", self.file_units))
        try:
            self._factor, self._offset = conversion(self.file_units, self.units, is_water(name))
        except FieldError as error:
            raise ForcingError(f"{self.path}: {name}: {error}") from error
        self._time_name = _time_of(first, field)
        self._axis = self._read_axis(cycle) if self._time_name else None
        self._block = block or (slice(None), slice(None))
        self._onto: Bilinear | None = None
        if grid is not None and not _on_parallels(grid):
            self._place, self._onto = _interpolation(first, field, grid, self._block, self._files[0])
            self._block = (slice(None), slice(None))
        else:
            self._place = _placement(first, field, grid, self._files[0])
        self._held: dict[int, Array] = {}

    # ------------------------------------------------------------------ what there is

    @property
    def coverage(self) -> Coverage:
        """Dates that can be asked for; nothing but the time axis is read."""
        if self._axis is None:
            return Coverage("", "", 0, True, "")
        return self._axis.coverage

    def problems(self, start: int, end: int) -> list[str]:
        """What is missing for a run from `start` to `end` (seconds since the start of the case); empty if nothing."""
        if self._axis is None or self._axis.cyclic:
            return []
        low, high = self._axis.limits(self.method)
        if low <= start and end <= high:
            return []
        return [
            f"{self.path}: {self.name} is there from {self.coverage.first} to {self.coverage.last} "
            f"({self.coverage.records} records), but the run needs {self.clock.text(start)} to {self.clock.text(end)}; "
            "shorten the run, add files, or say cycle: yearly if it is a climatology"
        ]

    # ------------------------------------------------------------------ values

    def at(self, time: int) -> Array:
        """Values at a model time (seconds since the start of the case), of the block's shape (levels first, if any).

        Raises
        ------
        ForcingError
            A time that is not covered.
        """
        if self._axis is None:
            return self._record(0)
        if not self._axis.cyclic:
            for problem in self.problems(time, time):
                raise ForcingError(problem)
        if self.method == "step":
            return self._record(self._axis.holding(time))
        before, after, weight = self._axis.around(time)
        if weight == 0.0:
            return self._record(before)
        return (1.0 - weight) * self._record(before) + weight * self._record(after)

    def close(self) -> None:
        """Close the files (they open again when needed)."""
        for dataset in self._open.values():
            dataset.close()
        self._open.clear()

    def _record(self, index: int) -> Array:
        if index not in self._held:
            while len(self._held) >= HELD:
                self._held.pop(next(iter(self._held)))
            self._held[index] = self._read(index)
        else:  # the one just used is the last to go
            self._held[index] = self._held.pop(index)
        return self._held[index]

    def _read(self, index: int) -> Array:
        file, number = (self._files[0], 0) if self._axis is None else self._axis.where[index]
        field = self._dataset(file).variables[self.variable]
        rows, columns, flipped = self._place
        y, x = self._block
        # A block of the reader's grid, as slices of the file's; a grid turned upside down is read and turned.
        rows_wanted = range(rows.start, rows.stop)[y] if not flipped else range(rows.start, rows.stop)[::-1][y]
        columns_wanted = range(columns.start, columns.stop)[x]
        low, high = min(rows_wanted), max(rows_wanted) + 1
        where: tuple[Any, ...] = (slice(low, high), slice(columns_wanted.start, columns_wanted.stop))
        where = (slice(None),) * (field.ndim - 2 - (self._axis is not None)) + where
        raw = field[(number, *where)] if self._axis is not None else field[where]
        values = np.ma.filled(np.ma.asarray(raw, dtype=np.float64), np.nan)
        values = values[..., ::-1, :] if flipped else values
        if (self._factor, self._offset) != (1.0, 0.0):
            values = values * self._factor + self._offset
        return np.ascontiguousarray(values if self._onto is None else self._onto(values))

    def _dataset(self, file: Path) -> Any:
        if file not in self._open:
            try:
                self._open[file] = netCDF4.Dataset(file)
            except OSError as error:
                raise ForcingError(f"{file} cannot be read as netCDF: {error}") from error
        return self._open[file]

    def _read_axis(self, cycle: Cycle) -> TimeAxis:
        dates: list[cftime.datetime] = []
        bounds: list[tuple[cftime.datetime, cftime.datetime]] = []
        where: list[tuple[Path, int]] = []
        climatological = False
        for file in self._files:
            dataset = self._dataset(file)
            if self.variable not in dataset.variables or self._time_name not in dataset.variables:
                raise ForcingError(f"{file} has no {self.variable} with time, as {self._files[0]} has")
            time = dataset.variables[self._time_name]
            units, calendar = str(getattr(time, "units", "")), str(getattr(time, "calendar", "standard"))
            if " since " not in units:
                raise ForcingError(f"{file}: time {self._time_name!r} has the unit {units!r}; CF wants 'days since'")
            dates += list(np.atleast_1d(cftime.num2date(time[:], units, calendar)))
            edges = str(getattr(time, "climatology", getattr(time, "bounds", "")))
            climatological = climatological or hasattr(time, "climatology")
            if edges in dataset.variables:
                pairs = cftime.num2date(dataset.variables[edges][:], units, calendar)
                bounds += [(pair[0], pair[1]) for pair in pairs]
            where += [(file, i) for i in range(time.size)]
        cyclic = cycle == "yearly" or (cycle == "auto" and climatological)
        return TimeAxis(tuple(dates), tuple(bounds), tuple(where), cyclic, self.clock, self.path)


def optional_field(path: str | os.PathLike[str], name: str, clock: Clock, **how: Any) -> Forcing | None:
    """A `Forcing`, or None where the file is there but has no such field."""
    file = _files(str(path))[0]
    try:
        with netCDF4.Dataset(file) as dataset:
            names = {str(n) for n in dataset.variables}
            standard = {str(getattr(v, "standard_name", "")) for v in dataset.variables.values()}
    except OSError as error:
        raise ForcingError(f"{file} cannot be read as netCDF: {error}") from error
    return Forcing(path, name, clock, **how) if name in names | standard else None


def _files(pattern: str) -> list[Path]:
    found = sorted(Path(p) for p in glob.glob(pattern)) if glob.has_magic(pattern) else [Path(pattern)]
    if not found or not found[0].is_file():
        folder = Path(pattern).parent
        near = [p.name for p in folder.glob("*.nc")] if folder.is_dir() else []
        there = f" (its folder has {', '.join(sorted(near)[:5])})" if near else f" (nor any netCDF file in {folder})"
        hint = did_you_mean(Path(pattern).name, near) or there
        raise ForcingError(f"{pattern} does not exist{hint}")
    return found


def _find_variable(dataset: Any, name: str, file: Path) -> str:
    if name in dataset.variables:
        return name
    matches = [v for v, field in dataset.variables.items() if getattr(field, "standard_name", "") == name]
    if len(matches) == 1:
        return str(matches[0])
    fields = [v for v, field in dataset.variables.items() if field.ndim >= 2]
    if matches:
        raise ForcingError(f"{file}: {name} is the standard name of {', '.join(matches)}; say which variable is meant")
    raise ForcingError(f"{file} has no {name}{did_you_mean(name, fields)}; it has {', '.join(fields)}")


def _time_of(dataset: Any, field: Any) -> str:
    """Name of the time coordinate of a variable; empty if it has none."""
    if not field.ndim:
        return ""
    leading = field.dimensions[0]
    time = dataset.variables.get(leading)
    if time is None:
        return ""
    is_time = " since " in str(getattr(time, "units", "")) or getattr(time, "standard_name", "") == "time"
    return str(leading) if is_time else ""


def _placement(dataset: Any, field: Any, grid: Grid | None, file: Path) -> tuple[slice, slice, bool]:
    """Rows and columns of the file that are the grid's, and whether the file runs from north to south."""
    ny, nx = field.shape[-2:]
    if grid is None:
        return slice(0, ny), slice(0, nx), False
    y, x = (_coordinate(dataset, name) for name in field.dimensions[-2:])
    if y is None or x is None:
        if field.shape[-2:] == grid.shape:
            return slice(0, ny), slice(0, nx), False
        raise ForcingError(f"{file}: fields of {ny} x {nx} cells do not fit the grid {grid.name!r} of {grid.shape}")
    flipped = ny > 1 and y[1] < y[0]
    rows = _run_of(y[::-1] if flipped else y, grid.latitude[:, 0], 0.0)
    columns = _run_of(x, grid.longitude[0], 360.0)
    if rows is None or columns is None:
        raise ForcingError(
            f"{file}: cells {x[0]:g}..{x[-1]:g} E, {y.min():g}..{y.max():g} N ({ny} x {nx}) do not contain those of "
            f"grid {grid.name!r}: {grid.longitude.min():g}..{grid.longitude.max():g} E, {grid.latitude.min():g}.."
            f"{grid.latitude.max():g} N {grid.shape}; give the component the file's grid (grid: {{file: ...}}) or "
            "remap the file"
        )
    if flipped:
        rows = slice(ny - rows.stop, ny - rows.start)
    return rows, columns, flipped


def _on_parallels(grid: Grid) -> bool:
    """Whether the rows of a grid are parallels and its columns meridians."""
    if len(grid.shape) != 2:
        return False
    return bool(np.ptp(grid.latitude, axis=1).max() < 1e-9 and np.ptp(grid.longitude, axis=0).max() < 1e-9)


def _interpolation(
    dataset: Any, field: Any, grid: Grid, block: tuple[slice, slice], file: Path
) -> tuple[tuple[slice, slice, bool], Bilinear | None]:
    """All rows and columns of the file, and the way from them to a block of a grid that is not on parallels."""
    ny, nx = field.shape[-2:]
    y, x = (_coordinate(dataset, name) for name in field.dimensions[-2:])
    if y is None or x is None:
        return _placement(dataset, field, grid, file), None
    flipped = ny > 1 and y[1] < y[0]
    try:
        onto = Bilinear(y[::-1] if flipped else y, x, grid.latitude[block], grid.longitude[block])
    except ForcingError as error:
        raise ForcingError(f"{file} does not contain grid {grid.name!r}: {error}") from error
    return (slice(0, ny), slice(0, nx), flipped), onto


def _coordinate(dataset: Any, name: str) -> Array | None:
    variable = dataset.variables.get(name)
    return np.asarray(variable[:], dtype=np.float64) if variable is not None and variable.ndim == 1 else None


def _run_of(file: Array, wanted: Array, period: float) -> slice | None:
    """Where `wanted` stands in `file` without a gap, to a thousandth of a cell."""
    if wanted.size > file.size:
        return None
    tolerance = 1e-3 * (abs(file[1] - file[0]) if file.size > 1 else 1.0)
    difference = np.abs(file - wanted[0])
    if period:
        difference = np.minimum(difference % period, -difference % period)
    start = int(difference.argmin())
    part = file[start : start + wanted.size]
    if part.size < wanted.size:
        return None
    off = part - wanted
    if period:
        off = off - period * np.round(off / period)
    return slice(start, start + wanted.size) if np.abs(off).max() < tolerance else None
