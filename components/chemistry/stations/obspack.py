# SPDX-License-Identifier: BSD-3-Clause
"""ObsPack files, in netCDF and in text: a data set of a site each, moving platforms too.

Of the flags a value needs all that a file has: ``obs_flag`` is 1 (representative), and the first two characters of
``qcflag`` are dots where it has NOAA's three (neither rejected nor of other air), or it is one of ICOS's O, U, R.
"""

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from components.chemistry.stations.series import (
    Floats,
    Found,
    Series,
    factor,
    seconds_of_text,
    series_of,
    unit_note,
    wrong_places,
)
from components.chemistry.stations.text_tables import Table, header_value
from coupler.errors import FieldError

ICOS = ("O", "U", "R")
MOVES = 0.5
"""Degrees by which places of one data set may differ before each is a place of its own."""


def is_obspack(file: Any) -> bool:
    """Whether an open netCDF file is an ObsPack.

    Parameters
    ----------
    file : netCDF4.Dataset
    """
    return "value" in file.variables and ("obspack_id" in file.variables or "dataset_name" in file.ncattrs())


def read(path: Path) -> Found:
    """The series of a netCDF file.

    Parameters
    ----------
    path : of the file
    """
    with netCDF4.Dataset(path) as file:
        missing = [n for n in ("time", "latitude", "longitude", "value") if n not in file.variables]
        if missing:
            return Found((), (), (f"expected variables {', '.join(missing)}, found none of that name",))
        units = str(getattr(file["value"], "units", "mol mol-1"))
        n = file["value"].size

        def numbers(name: str, fill: float = np.nan) -> Floats:
            if name not in file.variables:
                return np.full(n, fill)
            return np.ma.filled(np.ma.asarray(file[name][:], dtype=np.float64), np.nan)

        time = numbers("time")  # s since 1970-01-01, of an interval's start
        mid = numbers("midpoint_time") if "midpoint_time" in file.variables else time
        name = str(getattr(file, "site_code", "") or getattr(file, "dataset_name", path.stem))
        error = numbers("value_unc")
        error = np.where(error > 0.0, error, numbers("value_std_dev"))
        good = numbers("obs_flag", 1.0) == 1.0
        if "qcflag" in file.variables:
            texts = file["qcflag"][:]
            if texts.ndim > 1:
                texts = netCDF4.chartostring(np.ma.filled(texts, b"."))
            good &= passes(np.atleast_1d(texts).astype(str))
        values = [numbers(k) for k in ("longitude", "latitude", "altitude", "value")]
    return _found(name, units, time, time + 2.0 * np.clip(mid - time, 0.0, None), values, error, good)


def read_text(path: Path, lines: list[str]) -> Found:
    """The series of a text.

    Parameters
    ----------
    path : of the file
    lines : of it
    """
    header = [x for x in lines if x.startswith("#")]
    table = Table.of_columns(lines)
    missing = [n for n in ("value", "latitude", "longitude") if n not in table.columns]
    if missing:
        return Found((), (), (f"expected columns {', '.join(missing)}, found {', '.join(table.columns) or 'none'}",))
    units = header_value(header, ("value:units",)) or "mol mol-1"
    name = header_value(header, ("site_code", "dataset_name")) or path.stem
    if "year" in table.columns:
        parts = [table.texts(n) for n in ("year", "month", "day", "hour", "minute", "second")]
        time = np.array(
            [seconds_of_text("{}-{:>02}-{:>02}T{:>02}:{:>02}:{:>02}".format(*x)) for x in zip(*parts, strict=True)]
        )
    else:
        time = table.numbers("time")
    error = table.numbers("value_unc")
    error = np.where(error > 0.0, error, table.numbers("value_std_dev"))
    flag = table.numbers("obs_flag")
    good = ~np.isfinite(flag) | (flag == 1.0)
    if "qcflag" in table.columns:
        good &= passes(table.texts("qcflag"))
    values = [table.numbers(k) for k in ("longitude", "latitude", "altitude", "value")]
    return _found(name, units, time, time, values, error, good)


def passes(flags: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Which values their flags let pass.

    Parameters
    ----------
    flags : (n,) NOAA's three characters, or a letter of ICOS

    Examples
    --------
    >>> passes(np.array(["...", "..P", "*..", ".S.", "O", "K"])).tolist()
    [True, True, False, False, True, False]
    """
    words = [f.replace("\x00", "").strip() for f in flags]
    return np.array(
        [w in ICOS if len(w) == 1 and w != "." else w[:2] in ("..", ".", "", "NA") for w in words], dtype=bool
    )


def _found(name: str, units: str, begin: Floats, end: Floats, values: list[Floats], error: Floats, good: Any) -> Found:
    try:
        scale, notes = factor(units), unit_note(units)
    except FieldError as problem:
        return Found((), (), (f"value: {problem}",))
    lon, lat, height, value = values
    cells = np.round(np.stack([lon, lat]) / MOVES).T
    if len(cells) and np.ptp(lon[np.isfinite(lon)]) < MOVES and np.ptp(lat[np.isfinite(lat)]) < MOVES:
        cells[:] = 0.0
    series: list[Series] = []
    for cell in np.unique(cells[np.isfinite(cells).all(1)], axis=0):
        at = (cells == cell).all(1)
        place = [float(np.nanmedian(a[at])) if np.isfinite(a[at]).any() else np.nan for a in (lon, lat, height)]
        series.append(series_of(name, place, begin[at], end[at], value[at] * scale, error[at] * scale, good[at]))
    left = int((~good).sum())
    said = (f"{left} of {good.size} values are flagged and left out",) if left else ()
    return Found(tuple(series), (*notes, *said), tuple(wrong_places(series, units)))
