# SPDX-License-Identifier: BSD-3-Clause
"""Observed fields by month, and their place beside a run's: the same months, on the coarser of the two grids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError, FieldError, TesseraError
from coupler.fields import conversion, dictionary, is_water
from coupler.grids.grid import Grid
from coupler.netcdf.axes import Axes, find_axes, read
from coupler.netcdf.dates import decode, month_length
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights
from coupler.units import per_month

Floats = npt.NDArray[np.float64]
OPPOSITES = ("upward", "downward"), ("upwelling", "downwelling")
LEAST_COVERED = 0.5
"""Share of a coarse cell that fine cells with a value must cover."""


@dataclass(frozen=True)
class Observed:
    """One observed field.

    Attributes
    ----------
    name : CF standard name; ``sign`` -1 where the file holds the flux of the opposite direction
    path, axes : where it is
    grid : its grid
    climatology : whether a month stands for that month of any year
    months : (year, month) of each record; year 0 of a climatology, and no month of a constant field
    factors, offset : what turns each record into the dictionary's unit
    """

    name: str
    path: Path
    axes: Axes
    grid: Grid
    climatology: bool
    months: tuple[tuple[int, int], ...]
    factors: tuple[float, ...]
    offset: float
    sign: float = 1.0

    def month(self, year: int, month: int) -> Floats | None:
        """The mean (y, x) of a month in the dictionary's unit, NaN where unknown; None without such a month.

        Parameters
        ----------
        year, month : of the mean; a climatology has every year
        """
        wanted = (0 if self.climatology else year, month)
        records = [i for i, m in enumerate(self.months) if m == wanted] if self.months else [0]
        if not records:
            return None
        with open_dataset(self.path, CaseError) as file:
            values = [
                self.factors[i] * read(file, self.axes, i if self.months else None, error=CaseError) for i in records
            ]
        return np.asarray(self.sign * _mean(np.stack(values) + self.offset))


def _mean(values: Floats) -> Floats:
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def opposite(name: str) -> str:
    """Name of the same flux counted the other way, or an empty string.

    >>> opposite("surface_upward_latent_heat_flux")
    'surface_downward_latent_heat_flux'
    """
    for a, b in OPPOSITES:
        for this, other in ((a, b), (b, a)):
            if this in name.split("_"):
                return "_".join(other if word == this else word for word in name.split("_"))
    return ""


def find(paths: list[Path], names: list[str]) -> dict[str, Observed]:
    """For each field name the first file that has it, or the same flux counted the other way.

    Parameters
    ----------
    paths : files of observations
    names : CF names of fields

    Raises
    ------
    CaseError
        A file that cannot be read, or whose unit does not fit.
    """
    found: dict[str, Observed] = {}
    for path in paths:
        with open_dataset(path, CaseError) as file:
            there = {str(getattr(v, "standard_name", n)): n for n, v in file.variables.items() if v.ndim > 1}
            wanted = {n: (there.get(n) or there.get(opposite(n), "")) for n in names if n not in found}
            axes = {n: find_axes(file, v, error=CaseError) for n, v in wanted.items() if v}
            axes = {n: a for n, a in axes.items() if not a.level}
            if not axes:
                continue
            try:
                grid = Grid.from_file(path)
            except TesseraError as error:
                raise CaseError(f"observations {error}") from None
            for name, of in axes.items():
                _compare(file, of, grid)
                found[name] = _observed(file, name, path, of, grid, 1.0 if there.get(name) else -1.0)
    return found


def _observed(file: Any, name: str, path: Path, axes: Axes, grid: Grid, sign: float) -> Observed:
    v = file[axes.variable]
    unit = str(getattr(v, "units", "1"))
    try:
        factor, offset = conversion(
            per_month(unit) or unit, str(dictionary().get(name, {}).get("units", unit)), is_water(name)
        )
    except FieldError as error:
        raise CaseError(f"observations {path}: {axes.variable}: {error}") from None
    if not axes.time:
        if per_month(unit):
            raise CaseError(f"observations {path}: {axes.variable} is in {unit!r} of a month that nothing says")
        return Observed(name, path, axes, grid, True, (), (factor,), offset, sign)
    here = f"observations {path}: {axes.variable}"
    if not axes.time_variable:
        raise CaseError(f"{here}: the dimension {axes.time!r} has no coordinate that says its dates")
    dates = decode(file[axes.time_variable], here, CaseError)
    when = dates.dates
    if dates.bounds and not dates.climatological:  # a mean is often labelled at its end: the first of the next month
        when = [a + (b - a) / 2 for a, b in dates.bounds]
    cyclic = dates.climatological or max(d.year for d in when) <= 1
    months = tuple((0 if cyclic else d.year, d.month) for d in when)
    factors = tuple(factor * (86400.0 / month_length(d) if per_month(unit) else 1.0) for d in when)
    return Observed(name, path, axes, grid, cyclic, months, factors, offset, sign)


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
        self._regrid = Regridder(make_weights(fine, coarse, "conservative", source_mask=None, target_mask=None))

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
