# SPDX-License-Identifier: BSD-3-Clause
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cftime
import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.errors import FieldError, ForcingError
from coupler.fields import conversion, dictionary, did_you_mean, is_water
from coupler.files.placement import Block, place
from coupler.files.time_axis import Coverage, Method, TimeAxis
from coupler.grids.grid import Grid
from coupler.netcdf.axes import Axes, Choice, find_axes, read
from coupler.netcdf.dates import Label, decode, intervals, month_length, months
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.level_pressure import LevelPressure, level_pressure
from coupler.netcdf.opening import open_dataset
from coupler.units import per_month

Array = npt.NDArray[np.float64]
Cycle = Literal["auto", "yearly", "none"]
HELD = 2
"""Records held at a time."""


class Record(NamedTuple):
    """One record of a file."""

    date: cftime.datetime
    file: Path
    number: int
    bounds: tuple[cftime.datetime, cftime.datetime] | None


class Forcing:
    """One field of one or several CF netCDF files.

    Parameters
    ----------
    path : str or Path
        File, or a pattern such as ``forcing_*.nc``; the records of all its files are joined by their dates.
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
        Whether the records repeat every year; ``auto`` takes CF's climatological time axis, months by their numbers
        and the years 0 and 1 as a cycle.
    grid : Grid, optional
        The reader's grid. Where its cells are those of the file, in whatever order, they are taken as they are. On
        another grid than parallels and meridians, and from a projected file, fields are interpolated bilinearly.
    block : (slice, slice), optional
        Rows and columns of `grid` that are read; all of them by default.
    variable : str, optional
        The variable's name in the file, where neither its name nor its standard name is `name`.
    label : {'auto', 'start', 'middle', 'end'}
        Where in its interval a record's time stands, of means without time bounds.
    select : dict, optional
        Of dimensions beside time, level, y and x: the value of each that is read, or ``merge``.
    levels : int, optional
        Number of levels wanted (0: none); any by default.
    bridge : bool
        Whether a time between records that are farther apart than the others may be asked for.
    between : bool
        Whether `grid`, where it is one of parallels and meridians, may lie between those of the file.

    Raises
    ------
    ForcingError
        A file or variable that is not there, axes or times that cannot be read with certainty, a unit that does not
        convert, another grid.
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
        block: Block | None = None,
        variable: str | None = None,
        label: Label = "auto",
        select: Choice | None = None,
        levels: int | None = None,
        bridge: bool = False,
        between: bool = False,
    ):
        self.path, self.name, self.clock, self.method, self.bridge = str(path), name, clock, method, bridge
        self._files = _files(self.path)
        self._open: dict[Path, Any] = {}
        self._axes: dict[Path, Axes] = {}
        self._select = {} if select is None else dict(select)
        self._held: dict[int, Array] = {}
        try:
            self._find(variable or name, units, levels)
            first, file = self._dataset(self._files[0]), self._files[0]
            horizontal = read_horizontal(first, self._axes_of(file))
            if horizontal is not None:
                self._axes[file] = horizontal.axes
            self._place = place(horizontal, grid, block or (slice(None), slice(None)), self._here, between)
            self._axis = self._read_axis(cycle, label) if self._axes_of(file).time else None
        except BaseException:
            self.close()
            raise

    def _find(self, variable: str, units: str | None, levels: int | None) -> None:
        """The variable in the first file, with its unit and its axes."""
        first = self._dataset(self._files[0])
        self.variable = _find_variable(first, variable, self._files[0])
        field = first.variables[self.variable]
        self._here = f"{self.path}: {self.variable}"
        self._read_units(field, units)
        self._check_levels(field, self._axes_of(self._files[0]), levels)

    def _read_units(self, field: Any, units: str | None) -> None:
        """Factor and offset from the file's unit to that wanted."""
        self.file_units = str(getattr(field, "units", "1"))
        self.standard_name = str(getattr(field, "standard_name", ""))
        entry = dictionary().get(self.name, dictionary().get(self.standard_name, {}))
        self.units = units or str(entry.get("units", self.file_units))
        a_day = per_month(self.file_units)
        self._by_month = a_day is not None
        try:
            self._factor, self._offset = conversion(a_day or self.file_units, self.units, is_water(self.name))
        except FieldError as error:
            none = "" if hasattr(field, "units") else " (the variable has no units; give it some)"
            raise ForcingError(f"{self.path}: {self.name}: {error}{none}") from error
        if self._offset and "difference" in str(getattr(field, "units_metadata", "")):
            raise ForcingError(
                f"{self.path}: {self.name} holds differences of temperature in {self.file_units!r} (units_metadata); "
                f"expected values in {self.units!r}"
            )

    def _check_levels(self, field: Any, axes: Axes, wanted: int | None) -> None:
        there = field.shape[field.dimensions.index(axes.level)] if axes.level else 0
        if wanted is not None and there != wanted:
            raise ForcingError(
                f"{self._here} ({', '.join(field.dimensions)}) has {there} levels ({axes.level}), expected "
                f"{wanted or 'none'}; say which of them is meant, such as  select: {{{axes.level}: ...}}, or cut "
                "the file"
            )

    # ------------------------------------------------------------------ what there is

    @property
    def coverage(self) -> Coverage:
        """Dates that can be asked for; nothing but the time axis is read."""
        if self._axis is None:
            return Coverage("", "", 0, True, "")
        return self._axis.coverage

    def level_pressure(self) -> LevelPressure | None:
        """Pressure of its levels, from its first file; None where it has none."""
        first = self._files[0]
        level = self._axes_of(first).level
        return level_pressure(self._dataset(first), level) if level else None

    def problems(self, start: int, end: int) -> list[str]:
        """What is missing for a run from `start` to `end` (seconds since the start of the case); empty if nothing."""
        if self._axis is None:
            return []
        gaps = [] if self.bridge else self._axis.lacking(start, end)
        low, high = self._axis.limits(self.method)
        if self._axis.cyclic or (low <= start and end <= high):
            return [
                f"{self.path}: {self.name}: {gap}, farther apart than its others; add what is missing, or say  "
                "gaps: bridge  to interpolate across"
                for gap in gaps
            ]
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
        for problem in self.problems(time, time):
            raise ForcingError(problem)
        if self.method == "step":
            return self._record(self._axis.holding(time))
        before, after, weight = self._axis.around(time)
        if weight in (0.0, 1.0):  # a gap in the other record is none at this time
            return self._record(after if weight else before)
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
        if self._axis is None:
            return self._values(self._files[0], None, 1.0)
        file, number = self._axis.where[index]
        return self._values(file, number, month_length(self._axis.month(index)) if self._by_month else 1.0)

    def _values(self, file: Path, number: int | None, month: float) -> Array:
        """A record on the block, in the unit wanted."""
        found = read(self._dataset(file), self._axes_of(file), number, self._place.rows, self._place.columns)
        values = self._place(found)
        if self._by_month:
            values = values * (86400.0 / month)
        if (self._factor, self._offset) != (1.0, 0.0):
            values = values * self._factor + self._offset
        return np.ascontiguousarray(values)

    def _dataset(self, file: Path) -> Any:
        if file not in self._open:
            self._open[file] = open_dataset(file)
        return self._open[file]

    def _axes_of(self, file: Path) -> Axes:
        if file not in self._axes:
            dataset = self._dataset(file)
            if self.variable not in dataset.variables:
                raise ForcingError(f"{file} has no {self.variable}, as {self._files[0]} has")
            axes = find_axes(dataset, self.variable, choice=self._select)
            if self._axes:
                self._compare(file, axes)
                axes = next(iter(self._axes.values()))
            self._axes[file] = axes
        return self._axes[file]

    def _compare(self, file: Path, axes: Axes) -> None:
        """Refuse a file whose field is not laid out as in the first, or in another unit."""
        first = self._files[0]
        one, other = (self._dataset(f) for f in (first, file))
        a, b = (d.variables[self.variable] for d in (one, other))
        if a.dimensions != b.dimensions or [
            n for d, n in zip(a.dimensions, a.shape, strict=True) if d != axes.time
        ] != [n for d, n in zip(b.dimensions, b.shape, strict=True) if d != axes.time]:
            raise ForcingError(
                f"{file}: {self.variable} ({', '.join(b.dimensions)}) of {b.shape} is not laid out as in {first}: "
                f"({', '.join(a.dimensions)}) of {a.shape}"
            )
        for name in filter(None, (axes.latitude, axes.longitude, *axes.plane)):
            if name not in one.variables or not np.array_equal(one[name][...], other[name][...], equal_nan=True):
                raise ForcingError(f"{file}: {name} is not that of {first}; files of one field share one grid")
        units = str(getattr(b, "units", "1"))
        if units != self.file_units:
            raise ForcingError(f"{file}: {self.variable} is in {units!r}, in {first} in {self.file_units!r}")

    def _read_axis(self, cycle: Cycle, label: Label) -> TimeAxis:
        records: list[Record] = []
        climatological = False
        for file in self._files:
            axes = self._axes_of(file)
            dataset = self._dataset(file)
            if not axes.time_variable:
                dates = self._bare_months(dataset, axes, cycle)
            elif axes.time_variable not in dataset.variables:
                raise ForcingError(f"{file} has no {self.variable} with {axes.time_variable}, as {self._files[0]} has")
            else:
                dates = decode(dataset[axes.time_variable], f"{file}: {self.variable}")
            bounds: list[Any] = list(dates.bounds) or intervals(dates.dates, label)
            if not bounds and label == "auto" and not dates.climatological:
                self._ask_for_label(dataset[self.variable], axes)
            climatological = climatological or dates.climatological
            pairs = bounds or [None] * len(dates.dates)
            records += [Record(d, file, n, b) for n, (d, b) in enumerate(zip(dates.dates, pairs, strict=True))]
        if not records:
            raise ForcingError(f"{self._here} has no records")
        of_no_year = max(r.date.year for r in records) <= 1 < self.clock.origin.year and len(records) > 1
        cyclic = cycle == "yearly" or (cycle == "auto" and (climatological or of_no_year))
        if climatological and not cyclic:  # bounds over many years are no intervals on a line
            records = [r._replace(bounds=None) for r in records]
        joined = self._joined(records)
        return TimeAxis(
            tuple(r.date for r in joined),
            tuple(r.bounds for r in joined if r.bounds is not None),
            tuple((r.file, r.number) for r in joined),
            cyclic,
            self.clock,
            self._here,
        )

    def _bare_months(self, dataset: Any, axes: Axes, cycle: Cycle) -> Any:
        """Twelve records without a coordinate are the months of a year where that is said."""
        field = dataset[self.variable]
        size = field.shape[field.dimensions.index(axes.time)]
        if size == 12 and (cycle == "yearly" or axes.time.lower().startswith("month")):
            return months(list(range(1, 13)))
        raise ForcingError(
            f"{self._here}: the dimension {axes.time!r} of {size} has no coordinate that says its dates; add one (or, "
            "of the twelve months from January, say cycle: yearly)"
        )

    def _ask_for_label(self, field: Any, axes: Axes) -> None:
        """Refuse means whose interval is not known: half of it is a mistake nobody sees."""
        methods = str(getattr(field, "cell_methods", ""))
        steps = {"avg": "mean", "accum": "sum", "max": "maximum", "min": "minimum"}
        kind = steps.get(str(getattr(field, "GRIB_stepType", "")), "")
        for word in ("mean", "sum", "maximum", "minimum"):
            if f"{axes.time}: {word}" in methods or f"time: {word}" in methods:
                kind = word
        size = field.shape[field.dimensions.index(axes.time)]
        if kind and size > 1:
            raise ForcingError(
                f"{self._here} holds a {kind} over intervals ({methods or field.GRIB_stepType}) that no time bounds "
                "describe; say where in its interval a time stands:  label: start, middle or end"
            )

    def _joined(self, records: list[Record]) -> list[Record]:
        """Records by date; one that two files have is taken once, if both have the same values."""
        calendars = sorted({str(r.date.calendar) for r in records})
        if len(calendars) > 1:
            raise ForcingError(f"{self._here}: its files have the calendars {' and '.join(calendars)}; expected one")
        joined: list[Record] = []
        for record in sorted(records, key=lambda r: r.date):
            last = joined[-1] if joined else None
            if last is None or record.date != last.date:
                joined.append(record)
                continue
            date = record.date.strftime("%Y-%m-%dT%H:%M:%S")
            if record.file == last.file:
                raise ForcingError(
                    f"{record.file}: {self.variable}: times do not increase: {date} is that of the records "
                    f"{last.number + 1} and {record.number + 1}; remove one of them"
                )
            one, other = (self._values(r.file, r.number, 1.0) for r in (last, record))
            if not np.array_equal(one, other, equal_nan=True):
                raise ForcingError(
                    f"{self.variable} of {date} is in {last.file} and, with other values, in {record.file}; remove one"
                )
        return joined


def optional_field(
    path: str | os.PathLike[str], name: str, clock: Clock, names: Mapping[str, str] | None = None, **how: Any
) -> Forcing | None:
    """A `Forcing`, or None where the file is there but has no such field; `names` are those in the file by `name`."""
    variable = (names or {}).get(name, name)
    dataset = open_dataset(_files(str(path))[0])
    with dataset:
        there = {str(n) for n in dataset.variables}
        there |= {str(getattr(v, "standard_name", "")) for v in dataset.variables.values()}
    return Forcing(path, name, clock, variable=variable, **how) if variable in there else None


def optional_mask(
    path: str | os.PathLike[str], name: str, clock: Clock, names: Mapping[str, str] | None = None, **how: Any
) -> Array | None:
    """A mask on a grid, 0 to 1 (between where it is interpolated), missing for 0; None where the file has no such.

    Raises
    ------
    ForcingError
        Numbers that are no mask.
    """
    mask = optional_field(path, name, clock, names, **how)
    if mask is None:
        return None
    found = mask.at(0)
    mask.close()
    low, high = np.nanmin(found, initial=0.0), np.nanmax(found, initial=0.0)
    if low < -1e-6 or high > 1.0 + 1e-6:
        raise ForcingError(
            f"{path}: {mask.variable} ({name}) goes from {low:g} to {high:g}; expected 1 where a cell exists, 0 or "
            "missing where it does not"
        )
    return np.nan_to_num(found)


def _files(pattern: str) -> list[Path]:
    found = sorted(Path(p) for p in glob.glob(pattern)) if glob.has_magic(pattern) else [Path(pattern)]
    if Path(pattern).exists():
        found = [Path(pattern)]
    if not found or not found[0].exists():
        folder = Path(pattern).parent
        near = [p.name for p in folder.glob("*.nc")] if folder.is_dir() else []
        there = f" (its folder has {', '.join(sorted(near)[:5])})" if near else f" (nor any netCDF file in {folder})"
        hint = did_you_mean(Path(pattern).name, near) or there
        raise ForcingError(f"{pattern} does not exist{hint}")
    return found


def _find_variable(dataset: Any, name: str, file: Path) -> str:
    if name in dataset.variables:
        return name
    matches = [v for v, field in dataset.variables.items() if str(getattr(field, "standard_name", "")) == name]
    if len(matches) == 1:
        return str(matches[0])
    fields = [v for v, field in dataset.variables.items() if field.ndim >= 2 and not _is_coordinate(dataset, v)]
    if matches:
        raise ForcingError(f"{file}: {name} is the standard name of {', '.join(matches)}; say which variable is meant")
    example = f"; if one of them is it, say so:  names: {{{name}: {fields[0]}}}" if fields else ""
    raise ForcingError(f"{file} has no {name}{did_you_mean(name, fields)}; it has {', '.join(fields)}{example}")


def _is_coordinate(dataset: Any, name: str) -> bool:
    return any(name in (getattr(v, "bounds", ""), getattr(v, "climatology", "")) for v in dataset.variables.values())
