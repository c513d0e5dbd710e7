# SPDX-License-Identifier: BSD-3-Clause
"""What a correction changes, as CF netCDF; and monthly data kept for the next period of a long run."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from coupler.files.atomic import whole_file
from coupler.files.bias.gathering import MonthlyData
from coupler.files.bias.moments import Correction

ENDING = ".bias.nc"
"""Of the files that `describe` writes."""


def describe(
    path: Path,
    parts: Mapping[str, Correction],
    units: Mapping[str, str],
    dims: Mapping[str, tuple[str, ...]],
    coordinates: Callable[[netCDF4.Dataset], None],
) -> None:
    """Write the change of the mean by month and the factors of the standard deviations.

    Parameters
    ----------
    path : file to write
    parts : by variable
    units, dims : of the variables, without the month
    coordinates : adds dimensions, coordinates and comments
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w", format="NETCDF4_CLASSIC") as f:
        f.Conventions = "CF-1.11"
        f.title = "what the correction of the driver's bias changes"
        f.createDimension("month", 12)
        f.createVariable("month", "i4", ("month",))[:] = np.arange(1, 13)
        f["month"].long_name = "calendar month"
        coordinates(f)
        for name, made in parts.items():
            for kind, values, text, unit in (
                ("mean_change", made.change, "change of the mean by month", units[name]),
                ("interannual_factor", made.spread, "factor of the standard deviation of years", "1"),
                ("daily_factor", made.weather, "factor of the standard deviation of days", "1"),
            ):
                v = f.createVariable(f"{name}_{kind}", "f4", ("month", *dims[name]), zlib=True, complevel=1)
                v.setncatts({"long_name": f"{text}: {name}", "units": unit})
                v[:] = values.reshape(v.shape)


def kept(
    path: Path,
    files: Mapping[str, Sequence[Path]],
    about: Any,
    make: Callable[[], dict[str, MonthlyData]],
) -> dict[str, MonthlyData]:
    """Monthly data from the file ``path``, if they are of these files as they are now; else made, and kept there.

    Parameters
    ----------
    path : where they are kept
    files : data of each, by name
    about : what else they depend on, as plain values
    make : gathers them
    """
    there = {name: [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths] for name, paths in files.items()}
    key = hashlib.sha256(json.dumps([there, about]).encode()).hexdigest()
    found = _read(path, key, files)
    if found is None:
        found = make()
        content: dict[str, Any] = {"key": np.array(key)}
        for name, data in found.items():
            content[f"{name}/months"], content[f"{name}/hats"] = np.array(data.months), data.hats
            content[f"{name}/whole"] = np.array(sorted(data.whole))
            for kind in ("means", "daily"):
                content |= {f"{name}/{kind}/{k}": v for k, v in getattr(data, kind).items()}
        with whole_file(path) as part, part.open("wb") as stream:
            np.savez(stream, **content)
    return found


def _read(path: Path, key: str, names: Mapping[str, Any]) -> dict[str, MonthlyData] | None:
    try:
        with np.load(path) as file:
            if str(file["key"]) != key:
                return None
            made = {}
            for name in names:
                months = [(int(y), int(m)) for y, m in file[f"{name}/months"]]
                whole = {(int(y), int(m)) for y, m in file[f"{name}/whole"]}
                means, daily = (
                    {k.rsplit("/", 1)[1]: file[k] for k in file.files if k.startswith(f"{name}/{kind}/")}
                    for kind in ("means", "daily")
                )
                made[name] = MonthlyData(months, whole, file[f"{name}/hats"], means, daily)
            return made
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
