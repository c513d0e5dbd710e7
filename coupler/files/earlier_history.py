# SPDX-License-Identifier: BSD-3-Clause
"""A history file that an earlier piece of the run left: gone on with where it fits, else moved aside and said."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

UNREADABLE = (OSError, RuntimeError, KeyError, IndexError, AttributeError, ValueError, TypeError)
"""What the netCDF library raises for a file that is torn, empty, or something else."""


def take_up(path: Path, time: int, say: Callable[[str], None]) -> None:
    """Make a file ready to go on at `time`, or move it aside where it cannot be read.

    Parameters
    ----------
    path : Path
        The history file.
    time : int
        Model time from which the run goes on, s.
    say : callable
        Takes a line of text.
    """
    try:
        trim(path, time)
    except UNREADABLE as error:
        set_aside(path, "{name}.damaged{n}", f"cannot be read ({str(error) or type(error).__name__})", say)


def set_aside(path: Path, pattern: str, why: str, say: Callable[[str], None]) -> None:
    """Rename a file, never over another one, and say so.

    Parameters
    ----------
    path : Path
        The file.
    pattern : str
        Its new name, of ``{name}`` or ``{stem}``, and ``{n}``, which is nothing for the first of that name.
    why : str
        What is wrong with it.
    say : callable
        Takes a line of text.
    """
    names = (pattern.format(name=path.name, stem=path.stem, n=n or "") for n in (0, *range(2, 10**6)))
    kept = next(k for k in map(path.with_name, names) if not k.exists())
    os.rename(path, kept)
    say(f"the history {path.name} {why}: it was moved to {kept.name}, and a new file begins")


def goes_on(path: Path, made: Path, say: Callable[[str], None]) -> None:
    """Let records go on in the file there is, if the new one is like it; else the new one takes its place.

    Parameters
    ----------
    path : Path
        The file there is.
    made : Path
        A file of this run, without records; it is used up.
    say : callable
        Takes a line of text.
    """
    wrong = misfit(path, made)
    if not wrong:
        made.unlink()
        return
    set_aside(path, "{stem}.earlier{n}.nc", wrong, say)
    os.replace(made, path)


def misfit(path: Path, made: Path) -> str:
    """Why records cannot be added to a file: what differs from the one that this run would make; empty if nothing.

    Parameters
    ----------
    path : Path
        The file there is.
    made : Path
        A file of this run, without records.
    """
    try:
        with netCDF4.Dataset(path) as old, netCDF4.Dataset(made) as new:
            return _difference(old, new)
    except UNREADABLE as error:
        return f"cannot be read ({str(error) or type(error).__name__})"


def _difference(old: Any, new: Any) -> str:
    more, gone = set(new.variables) - set(old.variables), set(old.variables) - set(new.variables)
    if more:
        return f"has no {', '.join(sorted(more))}"
    if gone:
        return f"has {', '.join(sorted(gone))}, which the output has no longer"
    if old.history != new.history:
        return f"holds {old.history}, the output is {new.history}"
    for name, variable in new.variables.items():
        there = old[name]
        sizes = [[d for d in v.dimensions if d != "time"] for v in (there, variable)]
        shapes = [tuple(f.dimensions[d].size for d in ds) for f, ds in zip((old, new), sizes, strict=True)]
        if shapes[0] != shapes[1]:
            return f"has {name} on {shapes[0]} cells, the run on {shapes[1]}"
        for key in ("units", "calendar"):
            if getattr(there, key, "") != getattr(variable, key, ""):
                return f"has {name} with {key} {getattr(there, key, '')!r}, not {getattr(variable, key, '')!r}"
        if "time" not in variable.dimensions and variable.dimensions and not _same(there, variable):
            return f"has other values of {name}"
    return ""


def _same(a: Any, b: Any) -> bool:
    left, right = (np.ma.filled(np.ma.asarray(v[...]), np.nan) for v in (a, b))
    return bool(np.array_equal(left, right, equal_nan=True))


def trim(path: Path, time: int) -> None:
    """Remove records later than `time`: a run that is continued writes them again."""
    with netCDF4.Dataset(path) as old:
        old.set_auto_mask(False)
        times: npt.NDArray[Any] = np.asarray(old["time"][:])
        keep = int(np.sum(times <= time))
        if keep == times.size:
            return
        part = path.with_name(f".{path.name}.part")
        with netCDF4.Dataset(part, "w", format=old.data_model) as new:
            _copy(old, new, keep)
    os.replace(part, path)


def _copy(old: Any, new: Any, keep: int) -> None:
    new.setncatts({k: old.getncattr(k) for k in old.ncattrs()})
    for name, dim in old.dimensions.items():
        new.createDimension(name, None if dim.isunlimited() else dim.size)
    for name, v in old.variables.items():
        attributes: Mapping[str, Any] = {k: v.getncattr(k) for k in v.ncattrs()}
        fill = attributes.get("_FillValue")
        copy = new.createVariable(name, v.dtype, v.dimensions, zlib=v.ndim > 2, fill_value=fill)
        copy.setncatts({k: a for k, a in attributes.items() if k != "_FillValue"})
        copy.set_auto_mask(False)
        copy[...] = v[:keep] if "time" in v.dimensions else v[...]
