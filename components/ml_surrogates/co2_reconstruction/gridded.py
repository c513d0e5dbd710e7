# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide near the ground in files of CarbonTracker (CT2022) and CMIP6, and how their years are split.

Both are CF netCDF: `molefrac_glb3x2` of CarbonTracker with levels from the ground up, and `co2` of CMIP6 on levels of
pressure. The splits are those of CO2-Net (ICCV 2025).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt

from components.chemistry.stations.series import factor
from coupler.errors import CaseError, FieldError
from coupler.netcdf.dates import decode

Floats = npt.NDArray[np.float64]
Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "test")
NAME = "mole_fraction_of_carbon_dioxide_in_air"
DOWN = ("plev", "pressure", "lev")


class Split(NamedTuple):
    """First and last years of each part."""

    training: tuple[tuple[int, int], ...]
    validation: tuple[tuple[int, int], ...]
    test: tuple[tuple[int, int], ...]

    def part(self, year: int) -> Part | None:
        """The part that a year belongs to, if any.

        Parameters
        ----------
        year : of the calendar
        """
        spans: dict[Part, tuple[tuple[int, int], ...]] = {part: getattr(self, part) for part in PARTS}
        return next((p for p in PARTS if any(first <= year <= last for first, last in spans[p])), None)


SPLITS = {
    "carbontracker": Split(((2002, 2018),), ((2001, 2001), (2019, 2019)), ((2000, 2000), (2020, 2020))),
    "cmip6": Split(((1865, 1999),), ((1860, 1864), (2000, 2004)), ((1850, 1859), (2005, 2014))),
}


class Fields(NamedTuple):
    """Fields of a file.

    Attributes
    ----------
    value : (t, ny, nx) mole fraction of the lowest level, ppm, from south to north and from Greenwich to the east
    latitude, longitude : (ny,), (nx,) degrees
    year : (t,) of the calendar
    """

    value: Floats
    latitude: Floats
    longitude: Floats
    year: npt.NDArray[np.int64]


def read(path: Path) -> Fields:
    """The fields of a file.

    Parameters
    ----------
    path : netCDF

    Raises
    ------
    CaseError
        No file of such fields.
    """
    try:
        with netCDF4.Dataset(path) as file:
            return _read(file, path.name)
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error}") from None


def _read(file: Any, name: str) -> Fields:
    v = next((v for v in file.variables.values() if getattr(v, "standard_name", "") == NAME), None)
    v = file.variables.get("co2") if v is None else v
    if v is None:
        raise CaseError(
            f"{name}: expected a variable co2 or of standard name {NAME}, found {', '.join(file.variables)}"
        )
    axes = {axis: _axis(v.dimensions, words) for axis, words in (("y", ("lat",)), ("x", ("lon",)), ("t", ("time",)))}
    missing = [axis for axis, k in axes.items() if k is None]
    if missing or v.ndim > 4:
        raise CaseError(f"{name}: expected dimensions of time, level, latitude and longitude, found {v.dimensions}")
    try:
        scale = 1e6 * factor(str(getattr(v, "units", "")))
    except FieldError as error:
        raise CaseError(f"{name}: {error}") from None
    levels = [k for k in range(v.ndim) if k not in axes.values()]
    value = np.ma.filled(np.ma.asarray(v[:], dtype=np.float64), np.nan)
    if levels:
        value = np.take(value, _lowest(file, v.dimensions[levels[0]], value.shape[levels[0]]), axis=levels[0])
    kept = [d for d in v.dimensions if d != (v.dimensions[levels[0]] if levels else "")]
    value = np.transpose(value, [kept.index(v.dimensions[axes[a]]) for a in ("t", "y", "x")])
    lat, lon = (np.asarray(file[v.dimensions[axes[a]]][:], dtype=np.float64) for a in ("y", "x"))
    if v.dimensions[axes["t"]] not in file.variables:
        raise CaseError(f"{name}: expected a variable of dates {v.dimensions[axes['t']]}, found none")
    dates = decode(file[v.dimensions[axes["t"]]], name, CaseError).dates
    south, east = np.argsort(lat), np.argsort(lon % 360.0, kind="stable")
    years = np.array([d.year for d in dates], dtype=np.int64)
    return Fields(scale * value[:, south][:, :, east], lat[south], (lon % 360.0)[east], years)


def _axis(dimensions: Sequence[str], words: Sequence[str]) -> int | None:
    return next((k for k, d in enumerate(dimensions) if d.lower().startswith(tuple(words))), None)


def _lowest(file: Any, dimension: str, size: int) -> int:
    """Number of the lowest level: the greatest pressure, or the first of numbered layers."""
    if dimension not in file.variables:
        return 0
    levels = np.asarray(file[dimension][:], dtype=np.float64)
    if dimension.lower().startswith("plev") or str(getattr(file[dimension], "units", "")) in ("Pa", "hPa"):
        return int(np.argmax(levels))
    return int(np.argmin(levels)) if size > 1 and getattr(file[dimension], "positive", "up") == "up" else size - 1


def of_part(paths: Sequence[Path], data: str, part: Part) -> Fields:
    """The fields of some files that belong to a part of a data set's years.

    Parameters
    ----------
    paths : files of one grid
    data : ``carbontracker`` or ``cmip6``
    part : training, validation or test

    Raises
    ------
    CaseError
        No field of that part, or files of several grids.
    """
    found = [read(path) for path in paths]
    for path, fields in zip(paths, found, strict=True):
        if fields.value.shape[1:] != found[0].value.shape[1:]:
            raise CaseError(
                f"{path.name}: expected a grid of {found[0].value.shape[1:]}, found {fields.value.shape[1:]}"
            )
    chosen = [np.array([SPLITS[data].part(int(y)) == part for y in f.year], dtype=bool) for f in found]
    if not any(c.any() for c in chosen):
        spans = ", ".join(f"{a}-{b}" for a, b in getattr(SPLITS[data], part))
        raise CaseError(f"{data}: expected fields of {spans} for {part}, found none in {len(paths)} files")
    value, year = (
        np.concatenate([getattr(f, name)[c] for f, c in zip(found, chosen, strict=True)]) for name in ("value", "year")
    )
    return Fields(value, found[0].latitude, found[0].longitude, year)
