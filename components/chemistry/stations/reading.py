# SPDX-License-Identifier: BSD-3-Clause
"""Files of stations by what is in them, and all that is wrong with any of them at once."""

from collections.abc import Sequence
from pathlib import Path

import netCDF4

from components.chemistry.stations import cf_file, monthly_table, obspack, wdcgg
from components.chemistry.stations.series import Found, Series
from components.chemistry.stations.text_tables import lines_of

FORMATS = "CF netCDF of time series, ObsPack (netCDF or text), text of WDCGG, or a CSV table with a column a month"


def read(path: Path) -> Found:
    """The series of a file of any format.

    Parameters
    ----------
    path : of the file
    """
    if not path.exists():
        return Found((), (), (f"{path} does not exist, neither in the case nor in data/",))
    try:
        found = _read(path)
    except (OSError, RuntimeError, IndexError, KeyError, ValueError) as error:
        found = Found((), (), (f"cannot be read: {type(error).__name__}: {error}",))
    if not found.problems and not sum(len(s.value) for s in found.series):
        found = Found((), found.notes, ("expected at least a good value, found none",))
    notes, problems = (tuple(f"{path.name}: {text}" for text in texts) for texts in (found.notes, found.problems))
    return Found(found.series, notes, problems)


def _read(path: Path) -> Found:
    with path.open("rb") as start:
        head = start.read(8)
    if head[:3] == b"CDF" or head[1:4] == b"HDF":
        with netCDF4.Dataset(path) as file:
            packed = obspack.is_obspack(file)
        return obspack.read(path) if packed else cf_file.read(path)
    lines = lines_of(path)
    first = lines[0] if lines else ""
    if wdcgg.is_old(first):
        return wdcgg.read_old(path, lines)
    if monthly_table.is_table(first):
        return monthly_table.read(path, lines)
    if any("st_year" in line for line in lines):
        return wdcgg.read_new(path, lines)
    if first.startswith("#"):
        return obspack.read_text(path, lines)
    return Found((), (), (f"expected {FORMATS}; found a file that begins with {first[:60]!r}",))


def read_all(paths: Sequence[Path]) -> Found:
    """The series of several files together, with all notes and problems.

    Parameters
    ----------
    paths : of the files
    """
    found = [read(path) for path in paths]
    series: list[Series] = [s for f in found for s in f.series]
    return Found(tuple(series), tuple(x for f in found for x in f.notes), tuple(x for f in found for x in f.problems))
