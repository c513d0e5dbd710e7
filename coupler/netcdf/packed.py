# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of a netCDF variable: unpacked in double precision, missing ones NaN.

The value is the stored number times ``scale_factor`` plus ``add_offset``, both taken as doubles (netCDF4 itself
computes in the precision of the attributes).
"""

from __future__ import annotations

from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.errors import FieldError, ForcingError, TesseraError
from coupler.units import convert

Floats = npt.NDArray[np.float64]
MOST_NUMBERS = 1_000_000_000
"""Numbers that are read at once: levels of a record of the largest grid, 8 GB."""
ABSURD = 1e30
"""Size from which a floating-point number can only be a mark of missing values."""


def values(variable: Any, where: Any = ..., error: type[TesseraError] = ForcingError) -> Floats:
    """Numbers of a variable, or of a part of it.

    Parameters
    ----------
    variable : netCDF4.Variable
        Numbers; text is refused.
    where : index
        Part to read; all of it by default.
    error : type
        What is raised of numbers that cannot be read or are none.

    Returns
    -------
    float64 array
        NaN where missing: ``_FillValue``, ``missing_value``, the fill value of the type, beyond ``valid_min``,
        ``valid_max`` or ``valid_range`` (in the packed unit where they are of the packed type, else in the unpacked).
    """
    raw = stored(variable, where, error)
    packed = hasattr(variable, "scale_factor") or hasattr(variable, "add_offset")
    scale, offset = (
        number(variable, key, default, error) for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    out = raw.astype(np.float64)
    if packed:
        out = out * scale + offset
    missing = _is_fill(variable, raw, out)
    for key, beyond in (("valid_min", np.less), ("valid_max", np.greater)):
        limit = _limit(variable, key, error)
        if limit is None:
            continue
        if packed and limit.dtype.kind == "f" and raw.dtype.kind in "iu":
            slack = 0.5 * abs(scale)
            missing |= beyond(out, float(limit) + (-slack if key == "valid_min" else slack))
        elif raw.dtype.kind == "f":
            missing |= beyond(raw, limit.astype(raw.dtype))
        else:
            missing |= beyond(raw, float(limit) % 2 ** (8 * raw.itemsize) if raw.dtype.kind == "u" else float(limit))
    if missing.any():
        out[missing] = np.nan
    return np.asarray(out)


def in_unit(variable: Any, unit: str, where: Any = ..., error: type[TesseraError] = ForcingError) -> Floats:
    """Numbers as of `values`, converted to a unit; a variable that says none has it.

    Parameters
    ----------
    variable : netCDF4.Variable
        Numbers.
    unit : str
        Wanted; depths of water may stand for masses.
    where : index
        Part to read; all of it by default.
    error : type
        What is raised of numbers that cannot be read, or of a unit of something else.
    """
    try:
        return convert(values(variable, where, error), str(getattr(variable, "units", unit)), unit, water=True)
    except FieldError as problem:
        raise error(f"{_file(variable)}: {variable.name}: {problem}") from None


def stored(variable: Any, where: Any = ..., error: type[TesseraError] = ForcingError) -> npt.NDArray[Any]:
    """Numbers as they are stored; ``_Unsigned`` is obeyed."""
    variable.set_auto_maskandscale(False)
    refuse_large_part(variable, where, error)
    try:
        raw = np.asarray(variable[where])
    except (OSError, RuntimeError, IndexError) as problem:
        raise error(
            f"{_file(variable)}: {variable.name} cannot be read: {problem}; the file is damaged: fetch it again"
        ) from None
    if raw.dtype.kind not in "iuf":
        raise error(f"{_file(variable)}: {variable.name} holds {_kind(raw)}; expected numbers")
    if str(getattr(variable, "_Unsigned", "false")).lower() == "true" and raw.dtype.kind == "i":
        raw = raw.view(raw.dtype.str.replace("i", "u"))
    return raw


def refuse_large_part(variable: Any, where: Any, error: type[TesseraError]) -> None:
    """Refuse to read more than `MOST_NUMBERS` at once: a file of a few kB may claim as many as it likes."""
    parts = where if isinstance(where, tuple) else (where,)
    count = 1
    for n, size in enumerate(variable.shape):
        part = parts[n] if n < len(parts) else slice(None)
        whole = len(range(*part.indices(size))) if isinstance(part, slice) else size if part is Ellipsis else 1
        count *= whole
        if part is Ellipsis:
            parts = parts[: n + 1]
    if count > MOST_NUMBERS:
        raise error(
            f"{_file(variable)}: {variable.name} {variable.shape} has {count:.3g} numbers to be read at once; at most "
            f"{MOST_NUMBERS:.0e} are: cut out what the run needs"
        )


def number(variable: Any, key: str, default: float, error: type[TesseraError] = ForcingError) -> float:
    """An attribute that is one number."""
    given = getattr(variable, key, default)
    try:
        found = float(np.ravel(np.asarray(given, dtype=np.float64))[0])
    except (TypeError, ValueError, IndexError):
        found = np.nan
    if not np.isfinite(found) or np.size(given) != 1:
        raise error(f"{_file(variable)}: {variable.name} has the {key} {given!r}; expected one number")
    return found


def _is_fill(variable: Any, raw: npt.NDArray[Any], out: Floats) -> npt.NDArray[np.bool_]:
    if raw.dtype.kind == "f":
        missing = ~np.isfinite(raw) | (np.abs(raw) >= ABSURD)
    else:
        missing = np.zeros(raw.shape, bool)
    marks: list[Any] = []
    for key in ("_FillValue", "missing_value"):
        if hasattr(variable, key):
            marks += list(np.ravel(getattr(variable, key)))
    if not hasattr(variable, "_FillValue") and raw.dtype.itemsize > 1:
        marks.append(netCDF4.default_fillvals.get(raw.dtype.str[1:], np.nan))
    for mark in marks:
        try:
            value = float(mark)
        except (TypeError, ValueError):
            continue
        if raw.dtype.kind == "f":
            missing |= raw == raw.dtype.type(value)
            continue
        if raw.dtype.kind == "u" and value < 0.0:
            value %= 2 ** (8 * raw.itemsize)
        limits = np.iinfo(raw.dtype)
        if value == np.floor(value) and limits.min <= value <= limits.max:
            missing |= raw == raw.dtype.type(int(value))
        elif np.isfinite(value):  # a mark that the packed type cannot hold is one of the unpacked values
            missing |= out == value
    return np.asarray(missing, bool)


def _limit(variable: Any, key: str, error: type[TesseraError]) -> npt.NDArray[Any] | None:
    """The least or the largest number that is valid; None where the file has none."""
    given: Any = getattr(variable, key, None)
    if given is None and hasattr(variable, "valid_range"):
        both = np.ravel(variable.valid_range)
        given = both[("valid_min", "valid_max").index(key)] if both.size == 2 else both
    if given is None:
        return None
    limit = np.asarray(given)
    if limit.size != 1 or limit.dtype.kind not in "iuf":
        raise error(
            f"{_file(variable)}: {variable.name} has a {key} or valid_range that is {given!r}; expected numbers"
        )
    limit = limit.reshape(())
    return limit if np.isfinite(limit) else None


def _file(variable: Any) -> str:
    return str(variable.group().filepath())


def _kind(raw: npt.NDArray[Any]) -> str:
    return "text" if raw.dtype.kind in "SUO" else f"numbers of the kind {raw.dtype}"
