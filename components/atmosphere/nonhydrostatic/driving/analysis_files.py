# SPDX-License-Identifier: BSD-3-Clause
"""What files of analyses on pressure levels hold: which variables, at which dates, and their values in SI units.

CF netCDF as of ERA5, ERA-Interim, NCEP and CMIP6: variables are found by standard name or by the short names in use,
units are converted or refused, levels and latitudes may come in any order, and several files may share the variables
and the dates. GRIB is read through cfgrib where that is installed.
"""

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import numpy.typing as npt

from components.science.constants import GRAVITY
from coupler.errors import FieldError, TesseraError
from coupler.fields import conversion
from coupler.netcdf.axes import Axes, find_axes, read
from coupler.netcdf.coordinates import dimension_kind, kind
from coupler.netcdf.dates import decode
from coupler.netcdf.horizontal import Horizontal, read_horizontal
from coupler.netcdf.level_pressure import level_pressure
from coupler.netcdf.opening import NETCDF, open_dataset, what_is_wrong
from coupler.netcdf.short_names import UPPER_AIR

Array = npt.NDArray[np.float64]

MOST_OPEN = 8
"""Files held open at once."""
REQUIRED = ("eastward_wind", "northward_wind", "air_temperature")
UNITS = {
    "eastward_wind": ("m s-1", -250.0, 250.0),
    "northward_wind": ("m s-1", -250.0, 250.0),
    "air_temperature": ("K", 130.0, 350.0),
    "geopotential_height": ("m", -2000.0, 100000.0),
    "specific_humidity": ("1", -0.01, 0.06),
    "relative_humidity": ("1", -0.5, 2.0),
}
"""Unit in the model, and the range outside which the file's unit must be wrong."""


class DriverError(TesseraError, ValueError):
    """Driving data that are missing, incomplete or do not cover the grid or the time."""

    exit_code = 2


class AnalysisFiles:
    """The variables and dates of one or several files.

    Attributes
    ----------
    dates : dates that all required variables have, increasing; None for a single time without a readable date
    lat, lon : (ny,) increasing and (nx,) as in the files, degrees
    names : variables found, by standard name

    Raises
    ------
    DriverError
        A file, variable, date or coordinate that is missing; the message names it.
    """

    def __init__(self, paths: Sequence[str | Path], required: Sequence[str] = REQUIRED):
        self._scratch = tempfile.TemporaryDirectory(prefix="tessera-")
        self._open: dict[Path, Any] | None = None
        self._places: dict[tuple[Path, str], tuple[Axes, Any, Array]] = {}
        self._named = ", ".join(str(path) for path in paths)
        self.paths = [part for path in paths for part in self._readable(Path(path))]
        self.lat, self.lon = np.zeros(0), np.zeros(0)
        self._where: dict[str, dict[cftime.datetime | None, tuple[Path, str, int]]] = {}
        for path in self.paths:
            with open_dataset(path, DriverError) as f:
                self._take_stock(f, path)
        missing = [name for name in required if name not in self._where]
        if missing:
            raise DriverError(f"{self}: no {' and no '.join(missing)}; add the files that hold them")
        self.names = tuple(self._where)
        self.dates = self._common_dates()

    def __str__(self) -> str:
        return self._named

    def rows(self, south: float, north: float) -> slice:
        """Rows that surround the latitudes from ``south`` to ``north``, degrees."""
        first = int(np.searchsorted(self.lat, south, side="right")) - 1
        last = int(np.searchsorted(self.lat, north, side="left"))
        return slice(max(first - 1, 0), last + 2)

    def read(self, name: str, record: int, rows: slice = slice(None)) -> tuple[Array, Array, list[str]]:
        """A variable (level, lat, lon) from the ground up in SI units, its pressures (Pa), and what was assumed.

        ``rows`` of increasing latitude are read; all by default.
        """
        path, key, index = self._where[name][self.dates[record]]
        with self._dataset(path) as f:
            if (path, key) not in self._places:
                axes, horizontal = _axes(f, key)
                self._places[path, key] = axes, np.argsort(horizontal.latitude), _pressures(f, axes.level)
            values, p = _values(f, index, rows, *self._places[path, key])
            values, notes = _in_si(f, key, name, values)
        if np.isnan(values).any():
            # below the ground some centres leave the levels out
            for n in range(values.shape[0] - 2, -1, -1):
                values[n] = np.where(np.isnan(values[n]), values[n + 1], values[n])
            notes.append(f"{key} has gaps, as below the ground: the value of the level above is taken")
            if np.isnan(values).any():
                raise DriverError(f"{path}: {key} has gaps with nothing above them; fill them")
        return values, p, notes

    def pressures(self) -> Array:
        """Pressures of the temperature's levels, Pa, from the ground up."""
        path, key, _ = self._where["air_temperature"][self.dates[0]]
        with self._dataset(path) as f:
            return -np.sort(-_pressures(f, _axes(f, key)[0].level))

    @contextlib.contextmanager
    def held_open(self) -> Iterator[None]:
        """Leave the file that is read open for the next record: for reading many."""
        self._open = {}
        try:
            yield
        finally:
            for f in self._open.values():
                f.close()
            self._open = None

    @contextlib.contextmanager
    def _dataset(self, path: Path) -> Iterator[Any]:
        if self._open is None:
            with open_dataset(path, DriverError) as f:
                yield f
            return
        if path not in self._open:
            while len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            self._open[path] = open_dataset(path, DriverError)
        yield self._open[path]

    def _readable(self, path: Path) -> list[Path]:
        if not path.is_file():
            raise DriverError(f"driving data {path} do not exist; check the path")
        with open(path, "rb") as handle:
            start = handle.read(4)
        if start == b"GRIB":
            return _from_grib(path, Path(self._scratch.name))
        if not start.startswith(NETCDF):
            raise DriverError(f"{path} is neither netCDF nor GRIB: {what_is_wrong(path)}")
        return [path]

    def _take_stock(self, f: Any, path: Path) -> None:
        for name, short in UPPER_AIR.items():
            key = _find(f, name, short)
            if key is None:
                continue
            axes, horizontal = _axes(f, key)
            lat, lon = horizontal.latitude, horizontal.longitude
            steps = np.diff(lon) % 360.0
            if not horizontal.in_rows or lon.size < 2 or lat.size < 2 or np.ptp(steps) > 0.01 * float(np.median(steps)):
                raise DriverError(
                    f"{path}: {key} is not on several latitudes and equal steps of longitude; interpolate it to such"
                )
            lat = np.sort(lat)
            if self.lat.size and not (_same(lat, self.lat) and _same(lon, self.lon)):
                raise DriverError(
                    f"{path}: {key} is on {lat.size} x {lon.size} points, {lat[0]:g} to {lat[-1]:g} N, {lon[0]:g} to"
                    f" {lon[-1]:g} E; the files before it on {self.lat.size} x {self.lon.size}, {self.lat[0]:g} to"
                    f" {self.lat[-1]:g} N, {self.lon[0]:g} to {self.lon[-1]:g} E; all must share one grid"
                )
            self.lat, self.lon = lat, lon
            there = self._where.setdefault(name, {})
            for index, date in enumerate(_dates(f, axes)):
                there.setdefault(date, (path, key, index))

    def _common_dates(self) -> tuple[cftime.datetime | None, ...]:
        wanted = {name: set(found) for name, found in self._where.items()}
        every = set.union(*wanted.values())
        calendars = sorted({date.calendar for date in every if date is not None})
        if len(calendars) > 1:
            raise DriverError(
                f"{self}: dates of the calendars {' and '.join(calendars)}; expected one: convert the others"
            )
        if None in every and len(every) > 1:
            raise DriverError(f"{self}: some variables have a date and some have none; give all of them one, or none")
        for name, found in wanted.items():
            absent: list[Any] = sorted(every - found)
            if absent:
                some = ", ".join(str(d) for d in absent[:3])
                raise DriverError(
                    f"{self}: {name} lacks {len(absent)} of {len(every)} dates that other variables have: {some}"
                    f"{' ...' if len(absent) > 3 else ''}; add these, or leave the other variables' out"
                )
        dates: list[Any] = [date for date in every if date is not None]
        return tuple(sorted(dates)) or (None,)


def _find(f: Any, name: str, short: Sequence[str]) -> str | None:
    """Name of a variable on levels, by standard name, else by the short names in use."""
    aliases = (name, "geopotential") if name == "geopotential_height" else (name,)
    upper_air = [str(k) for k, v in f.variables.items() if v.ndim >= 3 and _has_levels(f, v)]
    named = [k for k in upper_air if str(getattr(f[k], "standard_name", "")) in aliases]
    return next(iter(named or [k for k in short if k in upper_air]), None)


def _has_levels(f: Any, variable: Any) -> bool:
    return any(
        (kind(f[d]) if d in f.variables else dimension_kind(d)) == "level" and len(f.dimensions[d]) > 1
        for d in variable.dimensions
    )


def _axes(f: Any, key: str) -> tuple[Axes, Horizontal]:
    """Axes of a variable, and where it lies."""
    axes = find_axes(f, key, error=DriverError)
    horizontal = read_horizontal(f, axes, DriverError)
    if horizontal is None or not axes.level:
        raise DriverError(
            f"{f.filepath()}: {key} has the dimensions {', '.join(f[key].dimensions)}; expected pressure "
            "level, latitude and longitude with their coordinates"
        )
    return horizontal.axes, horizontal


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, atol=1e-4))


def _dates(f: Any, axes: Axes) -> list[cftime.datetime | None]:
    """Dates of the records of a variable; one None where there is a single record without a readable date."""
    records = len(f.dimensions[axes.time]) if axes.time else 1
    here = f"{f.filepath()}: the times of {axes.variable} cannot be read"
    if not axes.time_variable:
        if records > 1:
            raise DriverError(f"{here}: the dimension {axes.time!r} has no coordinate; add its dates")
        return [None]
    try:
        found = decode(f[axes.time_variable], here, DriverError).dates
    except DriverError:
        if records > 1:
            raise
        return [None]
    # the same dates in both, since 1582
    return [
        d if d.calendar != "proleptic_gregorian" else cftime.datetime(
            d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond, calendar="standard"
        )
        for d in found
    ]  # fmt: skip


def _values(f: Any, index: int, rows: slice, axes: Axes, northward: Any, p: Array) -> tuple[Array, Array]:
    """One record (level, lat, lon) from the ground up, latitudes increasing, and its pressures (Pa)."""
    order = northward[rows]
    band = slice(int(order.min()), int(order.max()) + 1)
    found = read(f, axes, index, band, error=DriverError)
    return np.ascontiguousarray(found[np.argsort(-p)][:, order - band.start]), -np.sort(-p)


def _pressures(f: Any, level: str) -> Array:
    """Pressures of the levels, Pa, which reach from near the ground upwards."""
    found = level_pressure(f, level, DriverError)
    p = found.constant
    if found.surface or p.max() < 5.0e4 or p.min() <= 0.0 or p.max() > 1.1e5:
        raise DriverError(
            f"{f.filepath()}: levels of {p.min() / 100:g} to {p.max() / 100:g} hPa: these are not pressure levels from"
            " near the ground upwards (model levels must be interpolated to pressure first)"
        )
    return p


def _in_si(f: Any, key: str, name: str, values: Array) -> tuple[Array, list[str]]:
    """Values in the unit of :data:`UNITS`, and what was assumed; an unknown or implausible unit is refused."""
    wanted, low, high = UNITS[name]
    given = str(getattr(f[key], "units", "")).strip()
    units, notes = given, []
    if not given:
        units = wanted
        notes.append(f"{key} says no unit: {wanted} is assumed")
    factor = offset = None
    for target, scale in ((wanted, 1.0), ("m2 s-2", 1.0 / GRAVITY))[: 2 if name == "geopotential_height" else 1]:
        try:
            factor, offset = (scale * x for x in conversion(units, target))
        except FieldError:
            continue
    if factor is None or offset is None:
        choice = f"{wanted} or m2 s-2" if name == "geopotential_height" else wanted
        raise DriverError(
            f"{f.filepath()}: {key} ({name}) is in {given!r}, which cannot become {choice}; mend its units"
        )
    values = values * factor + offset
    if np.isnan(values).all() or np.nanmin(values) < low or np.nanmax(values) > high:
        raise DriverError(
            f"{f.filepath()}: {key} ({name}) has values from {np.nanmin(values):.4g} to {np.nanmax(values):.4g} "
            f"{wanted} with its unit {given or wanted!r}; {low:g} to {high:g} is plausible: is the unit right?"
        )
    return values, notes


def _from_grib(path: Path, scratch: Path) -> list[Path]:
    """Copies as netCDF of a GRIB file, one for each set of coordinates in it."""
    try:
        import cfgrib
    except ImportError as error:
        raise DriverError(
            f"{path} is GRIB, and cfgrib is not there to read it: pip install cfgrib, or convert the file to netCDF"
            " (grib_to_netcdf of ecCodes, or cdo -f nc copy)"
        ) from error
    out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of cfgrib's use of xarray
        # without an index file, which would be written beside the data
        for n, part in enumerate(cfgrib.open_datasets(str(path), backend_kwargs={"indexpath": ""})):
            out.append(scratch / f"{path.name}.{n}.nc")
            part.to_netcdf(out[-1])
    return out
