# SPDX-License-Identifier: BSD-3-Clause
"""Mole fractions of the well-mixed gases, by year or as given."""

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Annotated

import netCDF4
import numpy as np

from coupler.namelist import Fraction, Namelist, Range

TABLE = Path(__file__).parent / "greenhouse_gases.nc"
FIRST, LAST = 1765, 2499
Year = Annotated[int, Range(least=FIRST, most=LAST)]


@dataclass(frozen=True)
class Gases:
    """Mole fractions of the well-mixed gases (2014 values of the RFMIP protocol); the last two are RRTMGP's alone."""

    carbon_dioxide: float = 397.5e-6
    methane: float = 1831.5e-9
    nitrous_oxide: float = 327.0e-9
    oxygen: float = 0.209
    cfc11: float = 233.1e-12
    cfc12: float = 520.6e-12
    cfc22: float = 229.5e-12
    carbon_tetrachloride: float = 83.1e-12
    nitrogen: float = 0.781
    carbon_monoxide: float = 1.2e-7


class GasOptions(Namelist):
    """The namelist block ``gases``, the same for every scheme of radiation."""

    year: Year | None = None
    """Year of the mole fractions: history, from 2015 on SSP2-4.5. Not given: that in which the case starts."""
    carbon_dioxide: Fraction | None = None
    """Mole fraction in the place of the year's."""
    methane: Fraction | None = None
    """Mole fraction in the place of the year's."""
    nitrous_oxide: Fraction | None = None
    """Mole fraction in the place of the year's."""
    cfc11: Fraction | None = None
    """Mole fraction in the place of the year's."""
    cfc12: Fraction | None = None
    """Mole fraction in the place of the year's."""

    def at(self, start: int) -> Gases:
        """The gases of a case that starts in the year ``start`` (1765 or 2499 if it is before or after these)."""
        given = {name: value for name in _names() if (value := getattr(self, name)) is not None}
        return replace(of_year(self.year if self.year is not None else min(max(start, FIRST), LAST)), **given)


def of_year(year: int) -> Gases:
    """Mole fractions of a year; HCFC-22 and carbon tetrachloride keep their ratio to CFC-12 of 2014.

    Parameters
    ----------
    year : 1765 to 2499

    Raises
    ------
    ValueError
        The year is not in the table.
    """
    if not FIRST <= year <= LAST:
        raise ValueError(f"greenhouse gases are known from {FIRST} to {LAST}, not in {year}")
    table, now = _table(), Gases()
    known = {name: float(table[name][year - FIRST]) for name in _names()}
    share = known["cfc12"] / now.cfc12
    return replace(now, **known, cfc22=share * now.cfc22, carbon_tetrachloride=share * now.carbon_tetrachloride)


def _names() -> list[str]:
    return [f.name for f in fields(Gases) if f.name in GasOptions.model_fields]


@cache
def _table() -> dict[str, np.ndarray]:
    with netCDF4.Dataset(TABLE) as f:
        f.set_auto_mask(False)
        return {name: np.asarray(f[name][:]) for name in _names()}
