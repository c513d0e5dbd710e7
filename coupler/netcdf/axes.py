# SPDX-License-Identifier: BSD-3-Clause
"""Which axis of a netCDF variable is which: time, level, y and x, and the coordinates that say where its cells lie.

Found by standard name, `axis`, units, the attribute `coordinates`, `grid_mapping`, and by names last. Dimensions of one
are dropped; any other one is refused by name, unless the caller says which of it is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coupler.errors import ForcingError, TesseraError
from coupler.netcdf.coordinates import dimension_kind, kind
from coupler.netcdf.packed import Floats, values

MERGE = "merge"
"""Choice of a dimension whose gaps fill each other, as ERA5's ``expver``."""
VERSIONS = "expver"
"""Dimension of ERA5 and its preliminary ERA5T, which is merged: final values (1) before preliminary ones (5)."""
Choice = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Axes:
    """Axes of one variable.

    Parameters
    ----------
    variable : str
        Its name.
    time, level, y, x : str
        Names of dimensions, empty where there is none. `y` and `x` are the same of a list of cells, and of coordinates
        in two dimensions `y` is the first.
    time_variable, level_variable, latitude, longitude : str
        Names of the coordinates, empty where there is none.
    plane : (str, str)
        Names of the coordinates y and x in the plane of a projection; empty where there are none.
    mapping : str
        Name of the variable that describes the projection.
    fixed : dict
        The index at which every other dimension is read.
    merged : str
        Name of a dimension whose gaps fill each other.
    """

    variable: str
    time: str = ""
    level: str = ""
    y: str = ""
    x: str = ""
    time_variable: str = ""
    level_variable: str = ""
    latitude: str = ""
    longitude: str = ""
    plane: tuple[str, str] = ("", "")
    mapping: str = ""
    fixed: Mapping[str, int] = field(default_factory=dict)
    merged: str = ""


def find_axes(
    dataset: Any,
    name: str,
    *,
    choice: Choice | None = None,
    other: bool = False,
    error: type[TesseraError] = ForcingError,
) -> Axes:
    """Axes of a variable.

    Parameters
    ----------
    dataset : netCDF4.Dataset
    name : str
        Name of the variable in the file.
    choice : dict, optional
        Of other dimensions: a value of its coordinate (its index, where it has none), or ``merge``.
    other : bool
        Whether one further dimension, whatever it is, is taken as the level.
    error : type
        What is raised of a dimension that cannot be placed.
    """
    variable, choice = dataset[name], dict(choice or {})
    here = f"{dataset.filepath()}: {name} ({', '.join(variable.dimensions)})"
    around = _Around(dataset, variable)
    time, time_variable = _time(around, set(choice), here, error)
    mapping = _mapping(dataset, variable)
    latitude, longitude, plane = _places(around, mapping, {time}, here, error)
    y, x = _horizontal(around, latitude, longitude, plane, time)
    if not y and not x:
        y, x = _by_name(around, {time, *choice})
    level, fixed, merged = "", dict[str, int](), ""
    for d in variable.dimensions:
        if d in (time, y, x):
            continue
        if d in choice:
            if choice[d] == MERGE:
                merged = d
            else:
                fixed[d] = _chosen(around, d, choice[d], here, error)
        elif around.size(d) == 1:
            fixed[d] = 0
        elif d == VERSIONS and d in dataset.variables and not merged:
            merged = d
        elif not level and (other or around.kind_of(d) == "level"):
            level = d
        else:
            raise error(
                f"{here}: the dimension {d!r} of {around.size(d)} is neither time, level, y nor x"
                + _remedy(around, d, error)
            )
    unknown = sorted(set(choice) - set(variable.dimensions))
    if unknown:
        raise error(f"{here} has no dimension {', '.join(map(repr, unknown))} to select from")
    level_variable = level if level in dataset.variables else ""
    return Axes(
        name, time, level, y, x, time_variable, level_variable, latitude, longitude, plane, mapping, fixed, merged
    )


def read(
    dataset: Any,
    axes: Axes,
    record: int | None,
    rows: slice = slice(None),
    columns: slice = slice(None),
    error: type[TesseraError] = ForcingError,
) -> Floats:
    """Values ([level,] y, x) of a record, unpacked, NaN where missing; (..., cell) of a list of cells."""
    variable = dataset[axes.variable]
    where: list[Any] = []
    kept: list[str] = []
    for d in variable.dimensions:
        if d == axes.time:
            where.append(record if record is not None else slice(None))
            if record is None:
                kept.append(d)
        elif d in axes.fixed:
            where.append(axes.fixed[d])
        else:
            where.append(rows if d == axes.y and axes.y != axes.x else columns if d == axes.x else slice(None))
            kept.append(d)
    found = values(variable, tuple(where), error)
    wanted = [d for d in (axes.merged, axes.time if record is None else "", axes.level, axes.y, axes.x) if d]
    found = found.transpose([kept.index(d) for d in dict.fromkeys(wanted) if d in kept])
    if bool(axes.y) != bool(axes.x):  # one row, or one column, whose other coordinate is a scalar
        found = found[..., None] if axes.y else found[..., None, :]
    if axes.merged:
        first, *others = found[_final_first(dataset, axes.merged, len(found))]
        for other in others:
            first = np.where(np.isnan(first), other, first)
        return np.ascontiguousarray(first)
    return found


def _final_first(dataset: Any, merged: str, size: int) -> list[int]:
    """Order in which parts fill each other's gaps: as the numbers of ERA5's versions, else as they lie."""
    if merged != VERSIONS or merged not in dataset.variables or dataset[merged].shape != (size,):
        return list(range(size))
    there = [str(v) for v in dataset[merged][:]] if _is_text(dataset[merged]) else list(values(dataset[merged]))
    return sorted(range(size), key=lambda n: there[n])


class _Around:
    """A variable with the coordinates that may belong to it."""

    def __init__(self, dataset: Any, variable: Any):
        self.dataset, self.variable = dataset, variable
        self.sizes = dict(zip(variable.dimensions, variable.shape, strict=True))
        bounds = {
            str(getattr(v, key))
            for v in dataset.variables.values()
            for key in ("bounds", "climatology")
            if hasattr(v, key)
        }
        named = [n for n in str(getattr(variable, "coordinates", "")).split() if n in dataset.variables]
        own = [d for d in variable.dimensions if d in dataset.variables]
        rest = [n for n in dataset.variables if n not in bounds and n != variable.name]
        self.names = [n for n in dict.fromkeys((*own, *named, *rest)) if self._fits(n)]
        self.named = set(named) | set(own)
        self.kinds = {n: kind(dataset[n]) for n in self.names}

    def _fits(self, name: str) -> bool:
        v = self.dataset[name]
        if v.dtype == str or getattr(v.dtype, "kind", "") == "S":
            return bool(v.ndim) and v.dimensions[0] in self.sizes and v.ndim <= 2
        return {d for d in v.dimensions if len(self.dataset.dimensions[d]) > 1} <= set(self.sizes)

    def size(self, dimension: str) -> int:
        return int(self.sizes[dimension])

    def long(self, name: str) -> tuple[str, ...]:
        """Dimensions of a coordinate that the variable has and that are longer than one."""
        return tuple(d for d in self.dataset[name].dimensions if self.sizes.get(d, 1) > 1)

    def of(self, wanted: str) -> list[str]:
        """Coordinates of a kind: those the variable names before all others."""
        found = [n for n in self.names if self.kinds[n] == wanted]
        return [n for n in found if n in self.named] or found

    def kind_of(self, dimension: str) -> str:
        own = self.kinds.get(dimension) if dimension in self.dataset.variables else None
        found = own or next((k for n, k in self.kinds.items() if self.dataset[n].dimensions == (dimension,) and k), "")
        return found or dimension_kind(dimension)


def _time(around: _Around, chosen: set[str], here: str, error: type[TesseraError]) -> tuple[str, str]:
    """The dimension and the coordinate of time."""
    dims = around.variable.dimensions
    found = [n for n in around.names if around.kinds[n] == "time" and len(around.long(n)) <= 1]
    found = [n for n in found if around.dataset[n].ndim == 1 or n in around.named or around.long(n)]
    of = {n: next((d for d in dims if d in around.dataset[n].dimensions), "") for n in found}
    forecasts = [d for d in dims if around.kind_of(d) == "forecast" and around.size(d) > 1 and d not in chosen]
    times = sorted({d for d in of.values() if d and around.size(d) > 1 and d not in chosen}, key=dims.index)
    if forecasts and not set(times) <= set(forecasts):
        raise error(
            f"{here} has forecasts ({', '.join(forecasts)}) of several starts ({', '.join(times)}); select one of them"
        )
    if len(times) > 1:
        raise error(f"{here} has several times: {', '.join(times)}; select a record of one of them")
    candidates = [n for n in found if of[n] in times] if times else [n for n in found if of[n]]
    if not candidates:
        bare = [d for d in dims if dimension_kind(d) == "time"]
        return (bare[0], "") if bare else ("", next(iter(found), ""))
    dimension = of[candidates[0]]
    same = [n for n in candidates if of[n] == dimension]
    same.sort(key=lambda n: (_is_text(around.dataset[n]), n != dimension, n not in around.named))
    return dimension, same[0]


def _is_text(variable: Any) -> bool:
    return bool(variable.dtype == str or getattr(variable.dtype, "kind", "") == "S")


def _mapping(dataset: Any, variable: Any) -> str:
    """Variable of the projection; empty for plain latitude and longitude."""
    text = str(getattr(variable, "grid_mapping", ""))
    name = next((w.rstrip(":") for w in text.split()), "")
    v = dataset.variables.get(name)
    if v is None or str(getattr(v, "grid_mapping_name", "")) in ("", "latitude_longitude"):
        return ""
    return name


def _places(
    around: _Around, mapping: str, taken: set[str], here: str, error: type[TesseraError]
) -> tuple[str, str, tuple[str, str]]:
    """Names of latitude, longitude and of the coordinates in the plane."""
    dims = around.variable.dimensions
    flat = {n for n in around.names if around.dataset[n].dimensions == (n,) and n in dims and n not in taken}
    plane = tuple(next((n for n in flat if around.kinds[n] == k), "") for k in "yx")
    if mapping and not all(plane):
        # the axes of a rotated grid are sometimes called latitude and longitude themselves
        loose = {k: next((n for n in flat if around.kinds[n] == k), "") for k in ("latitude", "longitude")}
        if all(loose.values()) and (geographic := _pair(around, flat, here, error)):
            return *geographic, (loose["latitude"], loose["longitude"])
        if all(loose.values()):
            return "", "", (loose["latitude"], loose["longitude"])
    pair = _pair(around, set(), here, error) or ("", "")
    return *pair, ((plane[0], plane[1]) if all(plane) and mapping else ("", ""))


def _pair(around: _Around, besides: set[str], here: str, error: type[TesseraError]) -> tuple[str, str] | None:
    """A latitude and a longitude that lie alike."""
    latitudes, longitudes = (
        [n for n in around.of(k) if n not in besides and around.long(n)] for k in ("latitude", "longitude")
    )
    if not latitudes or not longitudes:
        latitudes, longitudes = ([n for n in around.of(k) if n not in besides] for k in ("latitude", "longitude"))
    pairs = [
        (a, b)
        for a in latitudes
        for b in longitudes
        if max(around.dataset[a].ndim, around.dataset[b].ndim) <= 1
        or around.dataset[a].dimensions == around.dataset[b].dimensions
    ]
    if len(pairs) > 1:  # those with a standard name, if that settles it
        said = [p for p in pairs if all(hasattr(around.dataset[n], "standard_name") for n in p)]
        pairs = said if len(said) == 1 else pairs
    own = [p for p in pairs if set(p) <= set(around.variable.dimensions)]
    pairs = own if len(own) == 1 else pairs
    if len(pairs) > 1:
        words = " or ".join(f"{a} with {b}" for a, b in pairs)
        raise error(f"{here} may lie on {words}; name one pair in its attribute coordinates")
    return pairs[0] if pairs else None


def _horizontal(around: _Around, latitude: str, longitude: str, plane: tuple[str, str], time: str) -> tuple[str, str]:
    """The dimensions y and x."""
    if all(plane):
        return plane
    if not latitude:
        return "", ""
    dims = around.variable.dimensions
    lat, lon = ([d for d in around.dataset[n].dimensions if d in dims and d != time] for n in (latitude, longitude))
    if around.dataset[latitude].ndim > 1:
        while len(lat) > 2:  # a coordinate that has more single dimensions
            lat.remove(next((d for d in lat if around.size(d) == 1), lat[0]))
        return (lat[0], lat[1]) if len(lat) == 2 else (lat[0], lat[0]) if lat else ("", "")
    return (lat[0] if lat else "", lon[0] if lon else "")


def _by_name(around: _Around, taken: set[str]) -> tuple[str, str]:
    """The dimensions y and x of a variable without coordinates: called so, or the last two."""
    dims = [d for d in around.variable.dimensions if d not in taken]
    names = {dimension_kind(d): d for d in dims}
    y, x = names.get("y", names.get("latitude", "")), names.get("x", names.get("longitude", ""))
    if y and x:
        return y, x
    rest = [d for d in dims if around.kind_of(d) not in ("level", "member", "forecast")]
    return (rest[-2], rest[-1]) if len(rest) > 1 else ("", "")


def _chosen(around: _Around, dimension: str, wanted: Any, here: str, error: type[TesseraError]) -> int:
    """Index of a value of a dimension's coordinate; without one the index itself."""
    size = around.size(dimension)
    v = around.dataset.variables.get(dimension)
    if v is None or v.dimensions != (dimension,):
        if isinstance(wanted, int) and 0 <= wanted < size:
            return wanted
        raise error(f"{here}: {dimension} is selected by an index from 0 to {size - 1}, not {wanted!r}")
    there = list(v[:]) if _is_text(v) else list(values(v, error=error))
    for index, value in enumerate(there):
        if str(value) == str(wanted) or (not isinstance(wanted, str) and value == wanted):
            return index
    raise error(f"{here}: {dimension} has no {wanted!r}; it has {', '.join(f'{t}' for t in there[:12])}")


def _remedy(around: _Around, dimension: str, error: type[TesseraError]) -> str:
    if error is not ForcingError:
        return f"; select one member or version first (ncks -d {dimension},0)"
    v = around.dataset.variables.get(dimension)
    first: Any = 0
    if v is not None and v.dimensions == (dimension,):
        first = v[0] if _is_text(v) else f"{float(values(v, 0)):g}"
    word = re.sub(r"\W", "_", dimension)
    return f"; say which of it is meant, such as  select: {{{word}: {first}}}"
