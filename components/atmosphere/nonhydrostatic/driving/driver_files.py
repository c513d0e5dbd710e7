# SPDX-License-Identifier: BSD-3-Clause
"""The initial and the boundary files that `./run_case.py prepare` makes: driving states on the model's own columns.

CF netCDF with the fields of :data:`FIELDS` at the layer centres, hydrostatic in the sense of the dynamics. The files
know the fingerprint of their grid and the vertical levels they were made for, and are refused by any other.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from components.atmosphere.nonhydrostatic.driving.analysis_files import DriverError
from coupler.clock import Clock
from coupler.files.atomic import whole_file
from coupler.grids.grid import Grid
from coupler.paths import COMMAND

Array = npt.NDArray[np.float64]

FIELDS = {
    "u": ("eastward_wind", "m s-1"),
    "v": ("northward_wind", "m s-1"),
    "t": ("air_temperature", "K"),
    "q": ("specific_humidity", "1"),
    "p": ("air_pressure", "Pa"),
}
MARK = "tessera_driver"
"""Attribute that tells these files from analyses: ``initial`` or ``boundary``."""


def write(
    path: Path,
    kind: str,
    grid: Grid,
    z: Array,
    vertical: Mapping[str, Any],
    clock: Clock,
    records: Iterable[tuple[int, Mapping[str, Array]]],
    notes: Iterable[str] = (),
) -> None:
    """Write a driver file whole.

    Parameters
    ----------
    path, kind : where, and ``initial`` or ``boundary``
    grid : the model's grid
    z : (nz, ny, nx) heights of the layer centres, m
    vertical : options that make the levels, as in the namelist
    clock : dates of the case
    records : seconds since the start of the case, and the fields (nz, ny, nx) of :data:`FIELDS` then
    notes : what was supplied or assumed

    Raises
    ------
    DiskError
        If the file cannot be written; what stood there is untouched.
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w", format="NETCDF4_CLASSIC") as f:
        f.Conventions = "CF-1.11"
        f.title = f"{kind} state{'s' if kind == 'boundary' else ''} of {grid.name}"
        f.grid_fingerprint = grid.fingerprint
        f.vertical = json.dumps(dict(vertical))
        f.comment = "\n".join(notes)
        f.setncattr(MARK, kind)
        for name, size in (("time", None), ("level", z.shape[0]), ("y", grid.shape[0]), ("x", grid.shape[1])):
            f.createDimension(name, size)
        _put(f, "latitude", ("y", "x"), grid.latitude, "degrees_north")
        _put(f, "longitude", ("y", "x"), grid.longitude, "degrees_east")
        _put(f, "altitude", ("level", "y", "x"), z, "m")
        time = f.createVariable("time", "f8", ("time",))
        time.setncatts(
            {
                "standard_name": "time",
                "units": f"seconds since {clock.text(0).replace('T', ' ')}",
                "calendar": clock.calendar,
                "axis": "T",
            }
        )
        for standard, units in FIELDS.values():
            v = f.createVariable(standard, "f4", ("time", "level", "y", "x"), zlib=True, complevel=1, shuffle=True)
            v.setncatts({"standard_name": standard, "units": units, "coordinates": "altitude latitude longitude"})
        for n, (seconds, fields) in enumerate(records):
            time[n] = seconds
            for short, (standard, _) in FIELDS.items():
                f[standard][n] = fields[short]


def _put(f: netCDF4.Dataset, name: str, dims: tuple[str, ...], values: Array, units: str) -> None:
    v = f.createVariable(name, "f8", dims)
    v.setncatts({"standard_name": name, "units": units})
    v[:] = values


def kind_of(path: Path) -> str:
    """``initial`` or ``boundary`` of a file of this module; empty for any other."""
    try:
        with netCDF4.Dataset(path) as f:
            return str(getattr(f, MARK, ""))
    except OSError:
        return ""


class DriverFile:
    """One of the files; see `write`.

    Attributes
    ----------
    dates : dates of the records
    notes : what was supplied or assumed when it was made
    """

    def __init__(self, path: Path):
        self.path = path
        with netCDF4.Dataset(path) as f:
            self.kind = str(f.getncattr(MARK))
            self.fingerprint, self.vertical = str(f.grid_fingerprint), json.loads(f.vertical)
            self.shape = tuple(f["altitude"].shape)
            self.notes = str(f.comment).splitlines()
            times = f["time"]
            self.dates: tuple[cftime.datetime, ...] = tuple(
                np.atleast_1d(cftime.num2date(times[:], times.units, times.calendar))
            )
        if not self.dates:
            raise DriverError(f"{path} has no times; make it again with  {COMMAND} prepare")

    def problems(self, grid: Grid, vertical: Mapping[str, Any]) -> list[str]:
        """What keeps a model on ``grid`` with these options of its levels from using the file."""
        again = f"; make it again with  {COMMAND} prepare"
        if self.fingerprint != grid.fingerprint:
            return [
                f"{self.path} was made for another grid, of {self.shape[1]} x {self.shape[2]} cells; this one has"
                f" {grid.shape[0]} x {grid.shape[1]} (or other corners){again}"
            ]
        other = [
            f"{k}: {self.vertical.get(k)} there, {v} here" for k, v in vertical.items() if self.vertical.get(k) != v
        ]
        return [f"{self.path} was made for other levels ({', '.join(other)}){again}"] if other else []

    def read(self, record: int, rows: slice, columns: slice, z: Array) -> dict[str, Array]:
        """Fields (nz, ny, nx) of one record on a block whose layer centres are at ``z``, m.

        Raises
        ------
        DriverError
            If the file was made for other heights, as after a change of the relief.
        """
        with netCDF4.Dataset(self.path) as f:
            there = np.asarray(f["altitude"][:, rows, columns])
            off = float(np.abs(there - z).max()) if there.shape == z.shape else np.inf
            if not off < 0.5:
                raise DriverError(
                    f"{self.path} was made for layers that lie up to {off:.0f} m elsewhere (another relief?); make it"
                    f" again with  {COMMAND} prepare"
                )
            return {
                short: np.ascontiguousarray(
                    np.ma.filled(f[standard][record, :, rows, columns], np.nan), dtype=np.float64
                )
                for short, (standard, _) in FIELDS.items()
            }


class Chain:
    """Files of driving states that follow each other in time, such as a month each, read as one.

    Parameters
    ----------
    files : one or more, in any order

    Attributes
    ----------
    dates : of all records
    notes : what was supplied or assumed when they were made

    Raises
    ------
    DriverError
        Files that overlap in time, or between which there is more time than between any two records of a file.
    """

    def __init__(self, files: Sequence[DriverFile]):
        self.files = sorted(files, key=lambda file: file.dates[0])
        self.dates = tuple(date for file in self.files for date in file.dates)
        self.notes = list(dict.fromkeys(note for file in self.files for note in file.notes))
        self._records = [(file, n) for file in self.files for n in range(len(file.dates))]
        steps = [b - a for file in self.files for a, b in pairwise(file.dates)]
        for one, other in pairwise(self.files):
            last, first = one.dates[-1], other.dates[0]
            if first <= last:
                raise DriverError(f"{one.path} and {other.path} both hold {first.isoformat()}: name one of them")
            if steps and first - last > max(steps):
                raise DriverError(
                    f"no driving state between {last.isoformat()} ({one.path.name}) and {first.isoformat()}"
                    f" ({other.path}): a file is missing; make it again with  {COMMAND} prepare"
                )

    def __str__(self) -> str:
        first, last = self.files[0].path, self.files[-1].path
        return str(first) if first == last else f"{first} ... {last.name}"

    def read(self, record: int, rows: slice, columns: slice, z: Array) -> dict[str, Array]:
        """As `DriverFile.read`, of a record of the chain."""
        file, number = self._records[record]
        return file.read(number, rows, columns, z)
