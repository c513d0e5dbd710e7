# SPDX-License-Identifier: BSD-3-Clause
"""Water of the land in its climate: rain and snow, soil, evaporation and runoff of a mean year, month by month.

The monthly balance of Thornthwaite as McCabe and Markstrom (2007) have it, repeated until the year returns to itself.
Its months are twelfths of the year from the date of the start on, so that a start needs no interpolation in time.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.science.constants import FREEZING_POINT
from components.science.sun import YEAR, day_length, days_since_2000
from coupler.clock import Clock
from coupler.errors import CaseError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

MONTHS = 12
DAY = 86400.0
CAPACITY = 150.0  # kg m-2 that the soil of the roots holds for evaporation (McCabe and Markstrom 2007)
ALL_SNOW, ALL_RAIN = FREEZING_POINT - 10.0, FREEZING_POINT + 3.3  # K, of a month
AT_ONCE = 0.05  # share of rain that runs off where it falls
MOST_MELT, RELEASED = 0.5, 0.5  # of the snow, and of the surplus, in a month
HAMON = 13.97 * 4.95 / 100.0  # mm d-1 of evaporation where a day of 12 h has 0 C (Hamon 1961)
HAMON_RISE = 0.062  # per K
REPEATED = 30
"""Years from a full soil without snow; what is left of it after these is below rounding but on glaciers."""


class Climate(NamedTuple):
    """The land's water at the date of a start, one value a cell; not a number where the climate is not known.

    Attributes
    ----------
    runoff : Tensor
        kg m-2 s-1, of the month about the start.
    yearly : Tensor
        kg m-2 s-1, mean of the year.
    filled : Tensor
        Share of the soil's available water, 0 to 1.
    air : Tensor
        Temperature, K.
    months : Tensor
        That of the year's twelve months from the start on, K, (12, cell).
    """

    runoff: Tensor
    yearly: Tensor
    filled: Tensor
    air: Tensor
    months: Tensor


def evaporation_wanted(air: Tensor, hours: Tensor) -> Tensor:
    """Potential evaporation of a day, kg m-2 (Hamon 1961, as in McCabe and Markstrom 2007); none in frost.

    Parameters
    ----------
    air : Tensor
        Mean temperature, K.
    hours : Tensor
        Of daylight over 12.
    """
    t = air - FREEZING_POINT
    return torch.where(t > 0.0, HAMON * hours * hours * torch.exp(HAMON_RISE * t), torch.zeros_like(t))


def balance(rain: Tensor, air: Tensor, latitude: Tensor, day: float) -> tuple[Tensor, Tensor]:
    """Runoff and soil water of a mean year.

    Parameters
    ----------
    rain : Tensor
        Rain and snow of twelve equal months, kg m-2 s-1, (12, cell).
    air : Tensor
        Their temperature, K, (12, cell).
    latitude : Tensor
        Degrees, (cell,).
    day : float
        Since 2000 began, on which the first month begins.

    Returns
    -------
    Tensor, Tensor
        Runoff by month, kg m-2 s-1, and what is filled of the soil's available water at its end, (12, cell).
    """
    days = YEAR / MONTHS
    water = rain.clamp(min=0.0) * (days * DAY)
    liquid = ((air - ALL_SNOW) / (ALL_RAIN - ALL_SNOW)).clamp(0.0, 1.0)
    middles = [(day + (m + 0.5) * days) % YEAR for m in range(MONTHS)]
    light = torch.stack([day_length(latitude, middle) for middle in middles]) / (0.5 * DAY)
    wanted = days * evaporation_wanted(air, light)
    soil, snow = torch.full_like(latitude, CAPACITY), torch.zeros_like(latitude)
    surplus = torch.zeros_like(latitude)
    runoff, filled = [surplus] * MONTHS, [surplus] * MONTHS
    for _ in range(REPEATED):
        for m in range(MONTHS):
            falling = liquid[m] * water[m]
            at_once = AT_ONCE * falling
            snow = snow + (water[m] - falling)
            melting = MOST_MELT * liquid[m] * snow
            snow = snow - melting
            over = falling - at_once + melting - wanted[m]
            soil = soil + torch.where(over < 0.0, torch.clamp(over, min=-CAPACITY) * (soil / CAPACITY), over)
            surplus = surplus + (soil - CAPACITY).clamp(min=0.0)
            soil = soil.clamp(max=CAPACITY)
            runoff[m] = (RELEASED * surplus + at_once) / (days * DAY)
            filled[m] = soil / CAPACITY
            surplus = surplus - RELEASED * surplus
    return torch.stack(runoff), torch.stack(filled)


def climate_of(
    file: Path, clock: Clock, grid: Grid, cells: npt.NDArray[np.bool_], block: tuple[slice, slice] | None = None
) -> Climate:
    """The land's water at the start of a case, by the months of a file, interpolated bilinearly to cells.

    Parameters
    ----------
    file : Path
        CF file with precipitation_flux and air_temperature of a mean year.
    clock : Clock
        Of the case.
    grid : Grid
        Of the reader; the file's fields are interpolated to it.
    cells : bool array
        Of the block, those wanted, (ny, nx).
    block : tuple of slice, optional
        Rows and columns; all by default.

    Raises
    ------
    TesseraError
        A field that is missing, of another unit, or no yearly cycle.
    """
    numbers = np.arange(grid.size).reshape(grid.shape)
    at = grid.cells((numbers if block is None else numbers[block])[cells])
    none = torch.zeros(MONTHS, 0, dtype=torch.float64)
    rain, air = (
        months_of(file, name, clock, at) if at.size else none for name in ("precipitation_flux", "air_temperature")
    )
    latitude = torch.as_tensor(np.array(at.latitude, float))
    known = torch.isfinite(rain).all(0) & torch.isfinite(air).all(0)
    start = days_since_2000(clock.date(0))
    runoff, filled = balance(torch.nan_to_num(rain), torch.nan_to_num(air, nan=FREEZING_POINT), latitude, start)
    found = 0.5 * (runoff[-1] + runoff[0]), runoff.mean(0), filled[-1], 0.5 * (air[-1] + air[0]), air
    return Climate(*(torch.where(known, v, torch.full_like(v, torch.nan)) for v in found))


def check_climate(file: Path, clock: Clock, grid: Grid) -> None:
    """Open the fields of a climate, and close them again.

    Parameters
    ----------
    file : Path
        As in `climate_of`.
    clock : Clock
        Of the case.
    grid : Grid
        Of the reader.

    Raises
    ------
    TesseraError
        As `climate_of`.
    """
    corners = np.arange(grid.size).reshape(grid.shape)
    ends = np.unique(np.concatenate([corners[0], corners[-1], corners[..., 0], corners[..., -1]], axis=None))
    for name in ("precipitation_flux", "air_temperature"):
        _open(file, name, clock, grid.cells(ends)).close()


def _open(file: Path, name: str, clock: Clock, at: Grid) -> Forcing:
    found = Forcing(file, name, clock, grid=at)
    if not found.coverage.cyclic or found.coverage.records < MONTHS:
        said = f"{found.coverage.records} records" + ("" if found.coverage.cyclic else " that are no yearly cycle")
        found.close()
        raise CaseError(
            f"{file}: {name} has {said}; climate: expected the twelve months of a mean year (a climatological time"
            " axis, or a dimension month)"
        )
    return found


def months_of(file: Path, name: str, clock: Clock, at: Grid) -> Tensor:
    """Twelve values from the start on, at the middle of each twelfth of the year, (12, cell).

    Parameters
    ----------
    file : Path
        As in `climate_of`.
    name : str
        Standard name of the field.
    clock : Clock
        Of the case.
    at : Grid
        Cells that are wanted.

    Raises
    ------
    TesseraError
        As `climate_of`.
    """
    field = _open(file, name, clock, at)
    length = YEAR / MONTHS * DAY
    found = [torch.as_tensor(np.ascontiguousarray(field.at(int((m + 0.5) * length)))) for m in range(MONTHS)]
    field.close()
    return torch.stack(found).double()
