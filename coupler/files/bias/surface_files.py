# SPDX-License-Identifier: BSD-3-Clause
"""A field of the surface, such as sea surface temperature, in CF files with its bias taken off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.component import Bias
from coupler.errors import ForcingError
from coupler.fields import conversion, dictionary
from coupler.files.atomic import whole_file
from coupler.files.bias.common_period import common_years, problems
from coupler.files.bias.gathering import gather
from coupler.files.bias.moments import Correction
from coupler.files.bias.months import Month, stamp
from coupler.files.bias.writing import describe, kept
from coupler.netcdf.axes import Axes, find_axes, read
from coupler.netcdf.dates import decode
from coupler.netcdf.horizontal import read_horizontal
from coupler.netcdf.opening import open_dataset

Floats = npt.NDArray[np.float64]
Report = Callable[[str, float], None]


class _Series:
    """The records of one field in several files on one latitude-longitude grid, by date."""

    def __init__(self, paths: Sequence[Path], name: str, variable: str | None):
        self.name, self.paths, self.lat, self.lon = name, list(paths), np.zeros(0), np.zeros(0)
        self.units = str(dictionary()[name]["units"])
        found: list[tuple[Any, Path, Axes, int, float, float]] = []
        for path in paths:
            with open_dataset(path) as f:
                named = [str(k) for k, v in f.variables.items() if str(getattr(v, "standard_name", k)) == name]
                key = variable or (named or [""])[0]
                if key not in f.variables:
                    raise ForcingError(f"{path}: no variable of the standard name {name}")
                axes = find_axes(f, key)
                where = read_horizontal(f, axes)
                if where is None or not where.in_rows or not axes.time_variable:
                    raise ForcingError(f"{path}: {key} is not on latitudes and longitudes with dates")
                if self.lat.size and (where.latitude.shape, where.longitude.shape) != (self.lat.shape, self.lon.shape):
                    raise ForcingError(f"{path}: {key} is on another grid than {paths[0]}")
                self.lat, self.lon = where.latitude, where.longitude
                factor, offset = conversion(str(getattr(f[key], "units", self.units)), self.units)
                for n, date in enumerate(decode(f[axes.time_variable], f"{path}: {key}").dates):
                    found.append((date, path, where.axes, n, factor, offset))
        self._records = sorted(found, key=lambda r: r[0])
        self.dates = [r[0] for r in self._records]
        self.stamps = [stamp(date) for date in self.dates]

    def __call__(self, number: int) -> Floats:
        """Values (ny, nx) of a record in the dictionary's unit."""
        _, path, axes, n, factor, offset = self._records[number]
        with open_dataset(path) as f:
            return np.asarray(read(f, axes, n) * factor + offset)


def correct_file(
    paths: Sequence[Path], name: str, wanted: Sequence[Month], bias: Bias, target: Path, report: Report,
    variable: str | None = None,
) -> None:  # fmt: skip
    """Write a field of some files with its bias taken off, and what was changed beside it.

    Values stay within the range that driver and reference span. Where the reference has no value, as on another coast,
    its nearest is taken; months that it does not have are left out.

    Parameters
    ----------
    paths : the driver's files
    name : CF name of the field
    wanted : months of the run
    bias : the reference, and what is corrected
    target : file to write
    report : takes a line and the share of the work that is done
    variable : in the driver's files, where it has no standard name

    Raises
    ------
    ForcingError
        What is missing, before anything is written.
    """
    driver, reference = _Series(paths, name, variable), _Series(bias.reference, name, None)
    wrong = problems(driver.stamps, reference.stamps, wanted, bias.method, bias.daily)
    if wrong:
        raise ForcingError("\n".join([f"the bias of {name} cannot be corrected:", *(f"  {w}" for w in wrong)]))
    onto = _Onto(reference, driver)
    span = [np.inf, -np.inf]

    def own(number: int) -> dict[str, Floats]:
        return {name: driver(number)}

    def theirs(number: int) -> dict[str, Floats]:
        return {name: onto(reference(number))}

    def gathered() -> dict[str, Any]:
        parts = {"driver": (driver, own), "reference": (reference, theirs)}
        return {
            who: gather(s.stamps, get, daily=bias.daily, progress=lambda share: None) for who, (s, get) in parts.items()
        }

    files = {"driver": driver.paths, "reference": reference.paths}
    made = kept(target.with_suffix(".bias_months.npz"), files, [name, bias.daily], gathered)
    for data in made.values():
        span = [min(span[0], float(np.nanmin(data.means[name]))), max(span[1], float(np.nanmax(data.means[name])))]
    common = common_years(driver.stamps, reference.stamps)
    part = Correction(made["driver"], made["reference"], name, common, bias.method, daily=bias.daily)
    calendar = str(driver.dates[0].calendar)
    since = f"seconds since {driver.dates[0].strftime('%Y-%m-%d %H:%M:%S')}"

    def coordinates(f: netCDF4.Dataset) -> None:
        for axis, values, unit in (
            ("latitude", driver.lat, "degrees_north"),
            ("longitude", driver.lon, "degrees_east"),
        ):
            f.createDimension(axis, len(values))
            f.createVariable(axis, "f8", (axis,))[:] = values
            f[axis].setncatts({"units": unit, "standard_name": axis})

    with whole_file(target) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4_CLASSIC") as f:
        f.Conventions = "CF-1.11"
        f.comment = f"bias corrected ({bias.method}) by {', '.join(p.name for p in bias.reference)}"
        f.createDimension("time", None)
        coordinates(f)
        time = f.createVariable("time", "f8", ("time",))
        time.setncatts({"units": since, "calendar": calendar, "standard_name": "time"})
        v = f.createVariable(name, "f4", ("time", "latitude", "longitude"), zlib=True, fill_value=np.float32(1e20))
        v.setncatts({"standard_name": name, "units": driver.units})
        corrected = [n for n, when in enumerate(driver.stamps) if when.month[1] in common]
        for done, n in enumerate(corrected):
            when, values = driver.stamps[n], driver(n)
            new = np.clip(part(when, values), min(span[0], np.nanmin(values)), max(span[1], np.nanmax(values)))
            time[done] = netCDF4.date2num(driver.dates[n], since, calendar)
            v[done] = np.ma.masked_invalid(new)
            report(f"{name} of {driver.dates[n].strftime('%Y-%m-%d')}", (done + 1) / len(corrected))
    describe(
        target.with_suffix(".bias.nc"),
        {name: part},
        {name: driver.units},
        {name: ("latitude", "longitude")},
        coordinates,
    )


class _Onto:
    """From one latitude-longitude grid to the points of another, bilinear; gaps are filled by the nearest value."""

    def __init__(self, source: _Series, target: _Series):
        self._south_first = bool(source.lat[0] < source.lat[-1])
        self._lat = source.lat if self._south_first else source.lat[::-1]
        start = source.lon[0]
        self._lon = start + (source.lon - start) % 360.0
        step = float(np.median(np.diff(self._lon)))
        self._circle = abs(step * source.lon.size - 360.0) < 0.5 * step
        if self._circle:
            self._lon = np.append(self._lon, start + 360.0)
        x, y = np.meshgrid(start + (target.lon - start) % 360.0, target.lat)
        if y.min() < self._lat[0] - step or y.max() > self._lat[-1] + step or x.max() > self._lon[-1] + step:
            raise ForcingError(
                f"{source.paths[0]} spans {source.lon[0]:g} to {source.lon[-1]:g} E, {self._lat[0]:g} to"
                f" {self._lat[-1]:g} N, and does not reach all of the driver's points"
            )
        self._points = np.clip(y, self._lat[0], self._lat[-1]), np.clip(x, self._lon[0], self._lon[-1])

    def __call__(self, values: Floats) -> Floats:
        """Values at the target's points."""
        from scipy.interpolate import RegularGridInterpolator
        from scipy.ndimage import distance_transform_edt

        a = values if self._south_first else values[::-1]
        if self._circle:
            a = np.concatenate([a, a[:, :1]], axis=1)
        gaps = np.isnan(a)
        if gaps.any():
            nearest = distance_transform_edt(gaps, return_distances=False, return_indices=True)
            a = a[tuple(nearest)]
        return np.asarray(RegularGridInterpolator((self._lat, self._lon), a)(self._points))
