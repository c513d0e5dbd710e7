"""Observed fields by month, and their place beside a run's: the same months, on the coarser of the two grids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError, FieldError
from coupler.fields import conversion, dictionary, is_water
from coupler.grids.grid import Grid
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights

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
    path, variable : where it is
    grid : its grid
    climatology : whether a month stands for that month of any year
    months : (year, month) of each record; year 0 of a climatology, and no month of a constant field
    """

    name: str
    path: Path
    variable: str
    grid: Grid
    climatology: bool
    months: tuple[tuple[int, int], ...]
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
        with netCDF4.Dataset(self.path) as file:
            v = file[self.variable]
            values = np.ma.filled(np.ma.asarray(v[records] if self.months else v[:][None], dtype=np.float64), np.nan)
            unit = str(getattr(v, "units", "1"))
        wanted_unit = str(dictionary().get(self.name, {}).get("units", unit))
        factor, offset = conversion(unit, wanted_unit, is_water(self.name))
        mean = _mean(values * factor + offset)
        return np.asarray(self.sign * mean)


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
        try:
            file = netCDF4.Dataset(path)
        except OSError as error:
            raise CaseError(f"observations {path} cannot be read: {error}") from None
        with file:
            there = {str(getattr(v, "standard_name", n)): n for n, v in file.variables.items() if v.ndim in (2, 3)}
            wanted = {n: (there.get(n) or there.get(opposite(n), "")) for n in names if n not in found}
            wanted = {n: v for n, v in wanted.items() if v}
            if not wanted:
                continue
            grid = Grid.from_file(path)
            for name, variable in wanted.items():
                v = file[variable]
                unit = str(getattr(v, "units", "1"))
                try:
                    conversion(unit, str(dictionary().get(name, {}).get("units", unit)), is_water(name))
                except FieldError as error:
                    raise CaseError(f"observations {path}: {variable}: {error}") from None
                cyclic, months = _months(file, v)
                sign = 1.0 if there.get(name) else -1.0
                found[name] = Observed(name, path, variable, grid, cyclic, months, sign)
    return found


def _months(file: Any, variable: Any) -> tuple[bool, tuple[tuple[int, int], ...]]:
    if variable.ndim == 2:
        return True, ()
    time = file[variable.dimensions[0]]
    dates = cftime.num2date(time[:], time.units, getattr(time, "calendar", "standard"))
    cyclic = hasattr(time, "climatology")
    return cyclic, tuple((0 if cyclic else d.year, d.month) for d in dates)


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
