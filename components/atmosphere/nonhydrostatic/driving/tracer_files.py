# SPDX-License-Identifier: BSD-3-Clause
"""Values of a tracer from a CF netCDF file, for the start and the sides: a profile over height, or a field.

The variable has the tracer's name and any of the dimensions (time, height, latitude, longitude), in this order; height
is in metres above the sea. Values are linear in time, height and place, and held outside the file's heights and area.
"""

from collections.abc import Callable
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.driving.analysis_files import DriverError
from components.atmosphere.nonhydrostatic.driving.driving_data import Place, interval, model_times, too_short
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.science.halo import HaloFiller
from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import FieldError
from coupler.fields import conversion

Array = npt.NDArray[np.float64]
AXES = ("time", "height", "latitude", "longitude")


class TracerFile:
    """One tracer's values.

    Parameters
    ----------
    path, name, units : the file, its variable, and the unit that is wanted
    clock : dates of the case

    Raises
    ------
    DriverError
        A file without the variable, with other dimensions, or in a unit that does not convert.
    """

    def __init__(self, path: Path, name: str, units: str, clock: Clock):
        try:
            with netCDF4.Dataset(path) as f:
                if name not in f.variables:
                    raise DriverError(f"{path} has no variable {name!r}, only {', '.join(f.variables)}")
                variable = f[name]
                axes = [_axis(f, d, path) for d in variable.dimensions]
                if axes != [a for a in AXES if a in axes]:
                    raise DriverError(f"{path}: {name} has the dimensions {', '.join(axes)}; expected some of {AXES}")
                factor, offset = _conversion(getattr(variable, "units", units), units, path, name)
                self._values = factor * np.ma.filled(variable[:].astype(np.float64), np.nan) + offset
                at = {a: f[d][:] for a, d in zip(axes, variable.dimensions, strict=True)}
                dates = _dates(f, variable.dimensions[0]) if "time" in axes else []
        except OSError as error:
            raise DriverError(f"{path} cannot be read: {error}") from error
        if not np.isfinite(self._values).all():
            raise DriverError(f"{path}: {name} has missing values; fill them")
        # the axes that the file does not have become one long
        self._values = self._values.reshape([len(at[a]) if a in at else 1 for a in AXES])
        self._at = {a: np.asarray(at.get(a, [0.0]), dtype=np.float64) for a in AXES[1:]}
        for n, a in enumerate(AXES[1:], 1):
            if len(self._at[a]) > 1 and self._at[a][0] > self._at[a][-1]:
                self._at[a], self._values = self._at[a][::-1], np.flip(self._values, n)
        self.times = model_times(dates, clock, str(path)) if dates else (0.0,)

    def read(self, record: int, place: Place) -> Array:
        """Values (nz, ny, nx) of one of the times at a place."""
        height, lat, lon = (self._at[a] for a in AXES[1:])
        k, wk = _between(height, place.z)
        j, wj = _between(lat, place.lat)
        i, wi = _between(lon, (place.lon - lon[0]) % 360.0 + lon[0])
        out = np.zeros(place.z.shape)
        for dk, a in ((0, 1.0 - wk), (1, wk)):
            for dj, b in ((0, 1.0 - wj), (1, wj)):
                for di, c in ((0, 1.0 - wi), (1, wi)):
                    z, y, x = (
                        np.minimum(n + d, m.size - 1) for n, d, m in ((k, dk, height), (j, dj, lat), (i, di, lon))
                    )
                    out += a * b * c * self._values[record][z, y[None], x[None]]
        return out

    def on(self, place: Place, g: Geometry, halo: HaloFiller) -> Callable[[float], torch.Tensor]:
        """Values (nz, Y, X) of a block at a time (s), halos filled."""
        known: dict[int, torch.Tensor] = {}

        def record(n: int) -> torch.Tensor:
            if n not in known:
                wide = torch.zeros_like(g.dz)
                wide[:, H:-H, H:-H] = torch.as_tensor(self.read(n, place)).to(wide)
                halo([wide], H)
                known[n] = wide
            return known[n]

        def at(time: float) -> torch.Tensor:
            if len(self.times) == 1:
                return record(0)
            before, after = interval(self.times, time)
            for n in [n for n in known if n not in (before, after)]:
                del known[n]
            w = (time - self.times[before]) / (self.times[after] - self.times[before])
            return record(before) + w * (record(after) - record(before))

        return at


def problems(setting: Setting, name: str, units: str, boundary: str, file: str) -> list[str]:
    """What is wrong with the file of a tracer that is declared with these."""
    if boundary != "file":
        return [f"tracer {name!r}: file {file} is not read without boundary: file"] if file else []
    if not file:
        return [f"tracer {name!r}: boundary: file needs a file"]
    path = setting.file(file)
    if not path.exists():
        return [f"tracer {name!r}: {file} does not exist, neither in the case nor in data/"]
    try:
        return too_short(TracerFile(path, name, units, setting.clock).times, setting, str(path))
    except DriverError as error:
        return [f"tracer {name!r}: {error}"]


def _between(axis: Array, x: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Number of the point of an increasing axis below each ``x``, and the weight of the next; held at the ends."""
    if axis.size == 1:
        return np.zeros(x.shape, dtype=np.int64), np.zeros(x.shape)
    n = np.clip(np.searchsorted(axis, x, side="right") - 1, 0, axis.size - 2)
    return n, np.clip((x - axis[n]) / (axis[n + 1] - axis[n]), 0.0, 1.0)


def _axis(f: netCDF4.Dataset, dimension: str, path: Path) -> str:
    """Which of `AXES` a dimension is."""
    if dimension not in f.variables:
        raise DriverError(f"{path}: the dimension {dimension!r} has no coordinate of its own; add one with a unit")
    units = str(getattr(f[dimension], "units", ""))
    if " since " in units:
        return "time"
    if units.startswith("degree"):
        return "latitude" if units.lower().replace("_", "").startswith(("degreen", "degreesn")) else "longitude"
    if units == "m":
        return "height"
    raise DriverError(f"{path}: {dimension!r} is in {units or 'no unit'}; expected a date, m, degrees_north or _east")


def _dates(f: netCDF4.Dataset, dimension: str) -> list[cftime.datetime]:
    times = f[dimension]
    return list(cftime.num2date(times[:], times.units, getattr(times, "calendar", "standard")))


def _conversion(given: str, wanted: str, path: Path, name: str) -> tuple[float, float]:
    try:
        return conversion(given, wanted)
    except FieldError as error:
        raise DriverError(f"{path}: {name} is in {given!r}, expected {wanted!r}: {error}") from error
