"""What files of analyses on pressure levels hold: which variables, at which dates, and their values in SI units.

CF netCDF as of ERA5, ERA-Interim, NCEP and CMIP6: variables are found by standard name or by the short names in use,
units are converted or refused, levels and latitudes may come in any order, and several files may share the variables
and the dates. GRIB is read through cfgrib where that is installed.
"""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from components.science.constants import GRAVITY
from coupler.errors import FieldError, TesseraError
from coupler.fields import conversion

Array = npt.NDArray[np.float64]

NAMES = {
    "eastward_wind": ("u", "ua", "U", "u_component_of_wind", "uwnd"),
    "northward_wind": ("v", "va", "V", "v_component_of_wind", "vwnd"),
    "air_temperature": ("t", "ta", "T", "temperature", "air"),
    "geopotential_height": ("zg", "Z3", "hgt", "gh", "geopotential", "z"),
    "specific_humidity": ("q", "hus", "SHUM", "shum"),
    "relative_humidity": ("r", "hur", "RELHUM", "rhum"),
}
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
SPELLINGS = {"gpm": "m", "geopotential meters": "m", "mb": "hPa", "(0 - 1)": "1", "Pascals": "Pa", "": "1"}
"""Units as some centres write them."""


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
        self._named = ", ".join(str(path) for path in paths)
        self.paths = [part for path in paths for part in self._readable(Path(path))]
        self.lat, self.lon = np.zeros(0), np.zeros(0)
        self._where: dict[str, dict[cftime.datetime | None, tuple[Path, str, int]]] = {}
        for path in self.paths:
            with netCDF4.Dataset(path) as f:
                self._take_stock(f, path)
        missing = [name for name in required if name not in self._where]
        if missing:
            raise DriverError(f"{self}: no {' and no '.join(missing)}")
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
        with netCDF4.Dataset(path) as f:
            values, p = _values(f, key, index, rows)
            values, notes = _in_si(f, key, name, values)
        if np.isnan(values).any():
            # below the ground some centres leave the levels out
            for n in range(values.shape[0] - 2, -1, -1):
                values[n] = np.where(np.isnan(values[n]), values[n + 1], values[n])
            notes.append(f"{key} has gaps, as below the ground: the value of the level above is taken")
            if np.isnan(values).any():
                raise DriverError(f"{path}: {key} has gaps with nothing above them")
        return values, p, notes

    def _readable(self, path: Path) -> list[Path]:
        if not path.is_file():
            raise DriverError(f"driving data {path} do not exist")
        with open(path, "rb") as handle:
            start = handle.read(4)
        if start == b"GRIB":
            return _from_grib(path, Path(self._scratch.name))
        if start[:3] != b"CDF" and start != b"\x89HDF":
            raise DriverError(f"{path} is neither netCDF nor GRIB")
        return [path]

    def _take_stock(self, f: netCDF4.Dataset, path: Path) -> None:
        for name, short in NAMES.items():
            key = _find(f, name, short)
            if key is None:
                continue
            lat, lon = (_coordinate(f, key, start) for start in ("lat", "lon"))
            steps = np.diff(lon) % 360.0
            if lon.size < 2 or lat.size < 2 or np.ptp(steps) > 0.01 * float(np.median(steps)):
                raise DriverError(f"{path}: {key} is not on several latitudes and equal steps of longitude")
            lat = np.sort(lat)
            if self.lat.size and not (_same(lat, self.lat) and _same(lon, self.lon)):
                raise DriverError(
                    f"{path}: {key} is on {lat.size} x {lon.size} points, {lat[0]:g} to {lat[-1]:g} N, {lon[0]:g} to"
                    f" {lon[-1]:g} E; the files before it on {self.lat.size} x {self.lon.size}, {self.lat[0]:g} to"
                    f" {self.lat[-1]:g} N, {self.lon[0]:g} to {self.lon[-1]:g} E; all must share one grid"
                )
            self.lat, self.lon = lat, lon
            there = self._where.setdefault(name, {})
            for index, date in enumerate(_dates(f, key)):
                there.setdefault(date, (path, key, index))

    def _common_dates(self) -> tuple[cftime.datetime | None, ...]:
        wanted = {name: set(found) for name, found in self._where.items()}
        every = set.union(*wanted.values())
        calendars = sorted({date.calendar for date in every if date is not None})
        if len(calendars) > 1:
            raise DriverError(f"{self}: dates of the calendars {' and '.join(calendars)}; one is wanted")
        if None in every and len(every) > 1:
            raise DriverError(f"{self}: some variables have a date and some have none")
        for name, found in wanted.items():
            absent = sorted(every - found)
            if absent:
                some = ", ".join(str(d) for d in absent[:3])
                raise DriverError(
                    f"{self}: {name} lacks {len(absent)} of {len(every)} dates that other variables have: {some}"
                    f"{' ...' if len(absent) > 3 else ''}"
                )
        return (None,) if None in every else tuple(sorted(every))


def _find(f: netCDF4.Dataset, name: str, short: Sequence[str]) -> str | None:
    """Name of a variable on levels, by standard name, else by the short names in use."""
    aliases = (name, "geopotential") if name == "geopotential_height" else (name,)
    upper_air = [str(k) for k, v in f.variables.items() if _level(v) and v.ndim >= 3]
    named = [k for k in upper_air if getattr(f[k], "standard_name", None) in aliases]
    return (named or [k for k in short if k in upper_air] or [None])[0]


def _level(variable: netCDF4.Variable) -> str | None:
    return next((d for d in variable.dimensions if d.startswith(("lev", "plev", "pressure", "isobaric"))), None)


def _coordinate(f: netCDF4.Dataset, key: str, start: str) -> Array:
    dim = next((d for d in f[key].dimensions if d.startswith(start)), None)
    if dim is None or dim not in f.variables:
        raise DriverError(
            f"{f.filepath()}: {key} has the dimensions {', '.join(f[key].dimensions)}; pressure level, latitude and"
            " longitude with their coordinates are wanted"
        )
    return np.asarray(f[dim][:], dtype=np.float64)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, atol=1e-4))


def _dates(f: netCDF4.Dataset, key: str) -> list[cftime.datetime | None]:
    """Dates of the records of a variable; one None where there is a single record without a readable date."""
    dims = [d for d in f[key].dimensions if not d.startswith(("lat", "lon")) and d != _level(f[key])]
    long = [d for d in dims if len(f.dimensions[d]) > 1]
    names = [n for n in (*dims, "time", "valid_time") if n in f.variables and _is_time(f[n])]
    if any(d not in names for d in long) or len(long) > 1:
        raise DriverError(
            f"{f.filepath()}: {key} has the dimensions {', '.join(f[key].dimensions)}; beside level, latitude and"
            " longitude only time may be longer than 1: select one member or version first"
        )
    time = f[long[0]] if long else (f[names[0]] if names else None)
    try:
        units, calendar = str(time.units), str(getattr(time, "calendar", "standard"))
        calendar = "standard" if calendar in ("gregorian", "proleptic_gregorian") else calendar
        return list(np.atleast_1d(cftime.num2date(time[:], units, calendar)))
    except (AttributeError, ValueError) as error:
        if long:
            raise DriverError(f"{f.filepath()}: the times of {key} cannot be read: {error}") from error
        return [None]


def _is_time(variable: netCDF4.Variable) -> bool:
    return " since " in str(getattr(variable, "units", "")) or variable.name in ("time", "valid_time")


def _values(f: netCDF4.Dataset, key: str, index: int, rows: slice) -> tuple[Array, Array]:
    """One record (level, lat, lon) from the ground up, latitudes increasing, and its pressures (Pa)."""
    variable = f[key]
    level = _level(variable)
    order = np.argsort(_coordinate(f, key, "lat"))[rows]
    band = slice(int(order.min()), int(order.max()) + 1)
    kept = {level: 0} | {d: n for d in variable.dimensions for n, s in ((1, "lat"), (2, "lon")) if d.startswith(s)}
    where = tuple(
        band if d.startswith("lat") else slice(None) if d in kept else (index if len(f.dimensions[d]) > 1 else 0)
        for d in variable.dimensions
    )
    values = np.ma.filled(np.ma.asarray(variable[where], dtype=np.float64), np.nan)
    values = values.transpose(np.argsort([kept[d] for d in variable.dimensions if d in kept]))
    p = _pressures(f, str(level))
    return np.ascontiguousarray(values[np.argsort(-p)][:, order - band.start]), -np.sort(-p)


def _pressures(f: netCDF4.Dataset, level: str) -> Array:
    """Pressures of the levels, Pa; without a unit hPa where they are those of hPa."""
    if level not in f.variables:
        raise DriverError(f"{f.filepath()}: the levels {level!r} have no values")
    p = np.asarray(f[level][:], dtype=np.float64)
    units = str(getattr(f[level], "units", "")).strip()
    units = SPELLINGS.get(units, units)
    if units in ("1", "level", "levels"):
        units = "hPa" if p.max() <= 1100.0 else "Pa"
    try:
        factor, _ = conversion(units, "Pa")
    except FieldError as error:
        raise DriverError(f"{f.filepath()}: the levels are in {units!r}, not pressures: {error}") from error
    p = factor * p
    if p.max() < 5.0e4 or p.min() <= 0.0 or p.max() > 1.1e5:
        raise DriverError(
            f"{f.filepath()}: levels of {p.min() / 100:g} to {p.max() / 100:g} hPa: these are not pressure levels from"
            " near the ground upwards (model levels must be interpolated to pressure first)"
        )
    return np.asarray(p)


def _in_si(f: netCDF4.Dataset, key: str, name: str, values: Array) -> tuple[Array, list[str]]:
    """Values in the unit of :data:`UNITS`, and what was assumed; an unknown or implausible unit is refused."""
    wanted, low, high = UNITS[name]
    given = str(getattr(f[key], "units", "")).strip()
    units, notes = SPELLINGS.get(given, given), []
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
        raise DriverError(f"{f.filepath()}: {key} ({name}) is in {given!r}, which cannot become {choice}")
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
