# SPDX-License-Identifier: BSD-3-Clause
"""Observed fields by month, and their place beside a run's: the same months, on the coarser of the two grids."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.observed_variables import Held, locate, read_field
from coupler.analysis.records import unit_of
from coupler.errors import CaseError, FieldError, TesseraError
from coupler.fields import conversion, is_water
from coupler.files.land_mask import is_land
from coupler.grids.grid import Grid
from coupler.netcdf.axes import Axes
from coupler.netcdf.dates import decode, month_length
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights
from coupler.units import STANDARD_GRAVITY, per_month

Floats = npt.NDArray[np.float64]
Moment = tuple[int, ...]
LEAST_COVERED = 0.5
"""Share of a coarse cell that fine cells with a value must cover."""
INLAND = 0.05
"""Share of the cells off the coast below which observations on land are ships' that went astray."""


@dataclass(frozen=True)
class Observed:
    """One observed field.

    Attributes
    ----------
    name : name of the field
    path, held : where it is
    grid : its grid
    climatology : whether a month stands for that month of any year
    moments : (year, month, day, hour, minute) of each record; year 0 of a climatology; none of a state without a date,
        which stands for any
    factors, offset : what turns each record into the dictionary's unit
    """

    name: str
    path: Path
    held: Held
    grid: Grid
    climatology: bool
    moments: tuple[Moment, ...]
    factors: tuple[float, ...]
    offset: float

    @property
    def months(self) -> tuple[tuple[int, int], ...]:
        """Year and month of each record; year 0 of a climatology."""
        return tuple((m[0], m[1]) for m in self.moments)

    def records(self, year: int, month: int, period: tuple[Moment, Moment] | None = None) -> list[int]:
        """Numbers of the records of a month; of several, those within the period.

        Parameters
        ----------
        year, month : a climatology has every year
        period : first and last moment of the run's records, if the month is not wanted as a whole
        """
        if not self.moments:
            return [0]
        found = [i for i, m in enumerate(self.moments) if m[:2] == (0 if self.climatology else year, month)]
        if period is None or len(found) < 2:
            return found
        first, last = period
        return [i for i in found if first <= (year, *self.moments[i][1:]) <= last]

    def month(self, year: int, month: int, period: tuple[Moment, Moment] | None = None) -> Floats | None:
        """The mean (y, x) of a month in the dictionary's unit, NaN where unknown; None without such a month.

        Parameters
        ----------
        year, month, period : see `records`
        """
        found = self.values(self.records(year, month, period))
        return _mean(found) if found.size else None

    def values(self, records: list[int]) -> Floats:
        """Fields (n, y, x) of some records in the dictionary's unit, NaN where unknown.

        Parameters
        ----------
        records : their numbers
        """
        with open_dataset(self.path, CaseError) as file:
            found = [self.factors[i] * read_field(file, self.held, i if self.held.axes.time else None) for i in records]
        there = np.stack(found) if found else np.zeros((0, *self.grid.shape))
        if self.held.at_sea:
            there = np.where(land_of(self.grid), np.nan, there)
        return np.asarray(self.held.sign * (there + self.offset))

    def said(self, records: list[int], month: int) -> str:
        """What the records stand for, such as ``climatology of June``.

        Parameters
        ----------
        records, month : of a comparison
        """
        if not self.moments:
            return "a state without a date"
        if self.climatology:
            return f"climatology of {MONTHS[month - 1]}"
        first, last = (self.moments[i] for i in (records[0], records[-1]))
        if len(records) == 1:
            return f"{first[0]:04d}-{first[1]:02d}"
        return f"{day_of(first)} to {day_of(last)}, n = {len(records)} times"

    def of_the_sea(self) -> bool:
        """Whether it is known over the sea alone: there, and hardly anywhere a cell away from the coast."""
        land = land_of(self.grid)
        inland = land.copy()
        for axis in (0, 1):
            for by in (-1, 1):
                inland &= np.roll(land, by, axis)
        known = np.isfinite(self.values([0])[0]).reshape(self.grid.shape)
        return bool(inland.any() and known[inland].mean() < INLAND and known[~land].any())


MONTHS = ("January February March April May June July August September October November December").split()


def day_of(moment: Moment) -> str:
    """Such as 2001-06-15.

    Parameters
    ----------
    moment : year, month, day
    """
    return f"{moment[0]:04d}-{moment[1]:02d}-{moment[2]:02d}"


def land_of(grid: Grid) -> npt.NDArray[np.bool_]:
    """Whether the centre of each cell lies on land.

    Parameters
    ----------
    grid : of the cells
    """
    return is_land(np.asarray(grid.longitude), np.asarray(grid.latitude)).reshape(grid.shape)


def _mean(values: Floats) -> Floats:
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def require(paths: list[Path]) -> None:
    """Raise a `CaseError` that names all files of observations that do not exist.

    Parameters
    ----------
    paths : of files
    """
    missing = [str(f) for f in paths if not f.is_file()]
    if missing:
        raise CaseError(f"observations do not exist: {', '.join(missing)}")


def find(paths: list[Path], names: list[str]) -> dict[str, Observed]:
    """For each field name the first file that has it, or the same flux counted the other way.

    Parameters
    ----------
    paths : files of observations, or of a driver
    names : of fields of a run

    Raises
    ------
    CaseError
        Files that cannot be read, units that do not fit; all of them.
    """
    found: dict[str, Observed] = {}
    wrong: list[str] = []
    for path in paths:
        try:
            file = open_dataset(path, CaseError)
        except CaseError as error:
            wrong.append(str(error))
            continue
        with file:
            held = {n: h for n in names if n not in found and (h := locate(file, n)) is not None}
            if not held:
                continue
            try:
                grid = Grid.from_file(path)
            except TesseraError as error:
                wrong.append(f"observations {error}")
                continue
            for name, of in held.items():
                try:
                    _compare(file, of.axes, grid)
                    found[name] = _observed(file, name, path, of, grid)
                except CaseError as error:
                    wrong.append(str(error))
    if wrong:
        raise CaseError("\n".join(dict.fromkeys(wrong)))
    return found


def _observed(file: Any, name: str, path: Path, held: Held, grid: Grid) -> Observed:
    here, axes = f"observations {path}: {held.variable}", held.axes
    unit = str(getattr(file[held.variable], "units", "1"))
    factor, offset = _conversion(name, unit, here)
    if not axes.time:
        if per_month(unit):
            raise CaseError(f"{here} is in {unit!r} of a month that nothing says")
        return Observed(name, path, held, grid, True, (), (factor,), offset)
    count = len(file.dimensions[axes.time])
    if count == 0:
        raise CaseError(f"{here} has no record in time")
    try:
        if not axes.time_variable:
            raise CaseError(f"{here}: the dimension {axes.time!r} has no coordinate that says its dates")
        dates = decode(file[axes.time_variable], here, CaseError)
    except CaseError:
        if count == 1 and not per_month(unit):
            return Observed(name, path, held, grid, True, (), (factor,), offset)
        raise
    when = dates.dates
    if dates.bounds and not dates.climatological:  # a mean is often labelled at its end: the first of the next month
        when = [a + (b - a) / 2 for a, b in dates.bounds]
    cyclic = dates.climatological or max(d.year for d in when) <= 1
    moments = tuple((0 if cyclic else d.year, *moment(d)[1:]) for d in when)
    factors = tuple(factor * (86400.0 / month_length(d) if per_month(unit) else 1.0) for d in when)
    return Observed(name, path, held, grid, cyclic, moments, factors, offset)


def moment(date: Any) -> Moment:
    """Year, month, day, hour and minute, which dates of all calendars have.

    Parameters
    ----------
    date : of cftime
    """
    return date.year, date.month, date.day, date.hour, date.minute


def _conversion(name: str, unit: str, here: str) -> tuple[float, float]:
    wanted = unit_of(name) or unit
    try:
        return conversion(per_month(unit) or unit, wanted, is_water(name))
    except FieldError as error:
        if wanted == "m":  # a geopotential
            try:
                return conversion(unit, "m2 s-2")[0] / STANDARD_GRAVITY, 0.0
            except FieldError:
                pass
        raise CaseError(f"{here} ({name}): {error}") from None


def _compare(file: Any, axes: Axes, grid: Grid) -> None:
    """Refuse a field that does not lie on the file's grid."""
    horizontal = read_horizontal(file, axes, CaseError)
    here = f"observations {file.filepath()}: {axes.variable}"
    if horizontal is None:
        raise CaseError(f"{here}: nothing says where its cells lie; give it latitude and longitude")
    lat, lon = horizontal.latitude, horizontal.longitude
    if horizontal.in_rows:
        lon, lat = np.meshgrid(lon, lat)
        lon, lat = (lon, lat) if horizontal.axes.y == axes.y else (lon.T, lat.T)
    known = np.isfinite(lat) & np.isfinite(lon)
    off = np.inf
    if lat.shape == grid.shape:
        turned = np.abs((lon - grid.longitude + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(grid.latitude))
        off = float(np.maximum(np.abs(lat - grid.latitude), turned)[known].max(initial=0.0))
    if not off < 1e-3:
        raise CaseError(
            f"{here} lies on {horizontal.extent()}, the file's grid is {grid!r}; leave one grid in the file"
        )


@dataclass(frozen=True)
class _Pair:
    """Two grids and a method, told apart by the grids' fingerprints."""

    keys: tuple[str, str, str]
    source: Grid = field(compare=False)
    target: Grid = field(compare=False)


def regridder(source: Grid, target: Grid, method: str) -> Regridder:
    """Remapping between two grids; fields of the same two share it, for of fine grids it takes longer than the rest.

    Parameters
    ----------
    source, target : grids
    method : of remapping
    """
    return _made(_Pair((source.fingerprint, target.fingerprint, method), source, target))


@functools.lru_cache(maxsize=16)
def _made(pair: _Pair) -> Regridder:
    method = pair.keys[2]
    return Regridder(make_weights(pair.source, pair.target, method, source_mask=None, target_mask=None))


class Beside:
    """A run's field and an observed one on the coarser of their grids, by conservative remapping of the finer.

    Parameters
    ----------
    model, observed : Grid
    """

    def __init__(self, model: Grid, observed: Grid):
        self.model_is_finer = bool(np.median(model.area) < np.median(observed.area))
        fine, coarse = (model, observed) if self.model_is_finer else (observed, model)
        self.grid = coarse
        self._regrid = regridder(fine, coarse, "conservative")

    def __call__(self, model: Floats, observed: Floats) -> tuple[Floats, Floats]:
        """Both fields in the shape of the coarser grid; NaN where a cell is less than half covered."""
        shape = self.grid.shape
        if self.model_is_finer:
            return self._coarsened(model).reshape(shape), observed.reshape(shape)
        return model.reshape(shape), self._coarsened(observed).reshape(shape)

    def _coarsened(self, values: Floats) -> Floats:
        flat = values.reshape(-1)
        there = np.isfinite(flat)
        both = np.stack([np.where(there, flat, 0.0), there.astype(np.float64)], axis=1)
        total, covered = self._regrid.apply(both)[0].T
        enough = covered >= LEAST_COVERED  # never of a cell that nothing reaches: NaN
        return np.where(enough, total / np.where(enough, covered, 1.0), np.nan)
