# SPDX-License-Identifier: BSD-3-Clause
"""The weather of a single column: series of its file, and what the namelist says, as fields of every step."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.land.column.humidity import saturation_pressure
from components.land.column.single.parameters import HUMIDITIES, NEEDED, QUANTITIES, Case
from components.land.column.site import humidity_from_deficit
from components.science.single_column.parameters import at
from coupler.clock import Clock
from coupler.errors import CaseError, FieldError
from coupler.netcdf.dates import decode
from coupler.netcdf.opening import open_dataset
from coupler.netcdf.packed import in_unit
from coupler.units import convert

Series = npt.NDArray[np.float64]
PART = {"start": 0.0, "middle": 0.5, "end": 1.0}  # of an interval, which its label stands for


def fields_of(case: Case, folder: Path) -> dict[str, Series]:
    """Imports of the land by name, (steps,).

    Parameters
    ----------
    case : its namelist
    folder : where its file is looked for

    Raises
    ------
    CaseError
        The file lacks something, does not cover the run, has gaps or values that their unit cannot have.
    """
    given = {name: v for name in QUANTITIES if (v := getattr(case.weather, name)) is not None}
    steps = case.duration // case.step
    middles = (np.arange(steps) + 0.5) * case.step
    found = {name: np.array([at(v, t) for t in middles]) for name, v in given.items()}
    if case.weather.file:
        path = Path(case.weather.file) if Path(case.weather.file).is_absolute() else folder / case.weather.file
        read = _from_file(path, case)
        if any(name in given for name in HUMIDITIES):
            read = {name: v for name, v in read.items() if name not in HUMIDITIES}
        found = read | found
        lacking = [name for name in NEEDED if name not in found]
        lacking += [] if any(name in found for name in HUMIDITIES) else [f"one of {', '.join(HUMIDITIES)}"]
        if lacking:
            raise CaseError(
                f"{path}: lacks {'; '.join(lacking)}; add the columns, or say values in the namelist under weather"
            )
    return _as_imports(found)


def _as_imports(found: dict[str, Series]) -> dict[str, Series]:
    """With the specific humidity out of what was given, and all of the wind eastward."""
    t, p = found["air_temperature"], found["surface_air_pressure"]
    relative, deficit = found.pop("relative_humidity", None), found.pop("water_vapor_saturation_deficit_in_air", None)
    if "specific_humidity" not in found:
        if relative is not None:
            deficit = (1.0 - relative) * saturation_pressure(torch.as_tensor(t))[0].numpy()
        found["specific_humidity"] = humidity_from_deficit(t, np.asarray(deficit), p)
    found["eastward_wind"] = found.pop("wind_speed")
    found["northward_wind"] = np.zeros_like(t)
    return found


def _from_file(path: Path, case: Case) -> dict[str, Series]:
    """Series of a file by step."""
    clock = Clock(case.start, case.calendar)
    seconds, columns = (_csv if path.suffix.lower() in (".csv", ".txt") else _netcdf)(path, clock)
    if len(seconds) < 2:
        raise CaseError(f"{path}: expected two times or more, found {len(seconds)}")
    apart = np.diff(seconds)
    interval = float(apart[0])
    uneven = np.flatnonzero(apart != interval)
    if interval <= 0.0 or uneven.size:
        where = clock.text(int(seconds[uneven[0]])) if uneven.size else clock.text(int(seconds[0]))
        raise CaseError(f"{path}: expected times {interval:g} s apart; after {where} they are not: fill the gaps first")
    if interval % case.step:
        raise CaseError(f"{path}: its interval, {interval:g} s, is not a multiple of the step, {case.step} s")
    begins = seconds - PART[case.weather.label] * interval
    starts = np.arange(case.duration // case.step) * float(case.step)
    row = np.floor((starts - begins[0]) / interval + 1e-9).astype(int)
    if row[0] < 0 or row[-1] >= len(seconds):
        has = f"{clock.text(int(begins[0]))} to {clock.text(int(begins[-1] + interval))}"
        wants = f"{clock.text(0)} to {clock.text(case.duration)}"
        raise CaseError(f"{path}: has the weather of {has}, and the run is {wants}; change start or duration")
    wrong = []
    for name, values in columns.items():
        least, most, unit = QUANTITIES[name]
        used = values[row[0] : row[-1] + 1]
        bad = np.flatnonzero(~np.isfinite(used))
        if bad.size:
            wrong.append(f"{name}: {bad.size} gaps, the first in record {row[0] + bad[0] + 1}; fill them first")
        outside = np.flatnonzero((used < least) | (used > most))
        if outside.size:
            value = f"{used[outside[0]]:g} in record {row[0] + outside[0] + 1}"
            wrong.append(f"{name}: expected {least:g} to {most:g} {unit}, not {value}; say its unit in the file")
    if wrong:
        raise CaseError("\n".join(f"{path}: {text}" for text in wrong))
    return {name: values[row] for name, values in columns.items()}


def _csv(path: Path, clock: Clock) -> tuple[Series, dict[str, Series]]:
    """Seconds since the start, and series by name in SI units, of a CSV file."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: {error}") from None
    rows = [r for r in rows if any(cell.strip() for cell in r) and not r[0].lstrip().startswith("#")]
    if not rows:
        raise CaseError(f"{path}: is empty; expected a head such as time,air_temperature (degC),...")
    head = [_named(cell) for cell in rows[0]]
    names = [name for name, _ in head]
    if "time" not in names:
        raise CaseError(f"{path}: has no column 'time'; its columns are {', '.join(names)}")
    short = [n for n, r in enumerate(rows[1:], 2) if len(r) != len(head)]
    if short:
        raise CaseError(f"{path}: row {short[0]} has {len(rows[short[0] - 1])} cells, the head {len(head)}")
    at_ = names.index("time")
    seconds = np.array([_moment(path, n, r[at_], clock) for n, r in enumerate(rows[1:], 2)], dtype=float)
    columns = {}
    for k, (name, unit) in enumerate(head):
        if name not in QUANTITIES:
            continue
        values = np.array([_number(path, n, name, r[k]) for n, r in enumerate(rows[1:], 2)])
        try:
            columns[name] = convert(values, unit or QUANTITIES[name][2], QUANTITIES[name][2], water=True)
        except FieldError as error:
            raise CaseError(f"{path}: {name}: {error}") from None
    return seconds, columns


def _named(cell: str) -> tuple[str, str]:
    """Name and unit of a column's head, such as ``air_temperature (degC)``."""
    name, _, unit = cell.replace("[", "(").partition("(")
    return name.strip(), unit.strip().rstrip(")]").strip()


def _moment(path: Path, row: int, text: str, clock: Clock) -> int:
    """Seconds since the start."""
    words = text.strip().replace(" ", "T").rstrip("Z")
    try:
        return clock.seconds_at(words + ":00" if words.count(":") == 1 else words)
    except ValueError as error:
        raise CaseError(f"{path}: row {row}: {error}") from None


def _number(path: Path, row: int, name: str, text: str) -> float:
    """A cell's number; empty, NA and NaN are gaps."""
    if text.strip().lower() in ("", "na", "nan"):
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise CaseError(f"{path}: row {row}: {name}: {text.strip()!r} is not a number") from None


def _netcdf(path: Path, clock: Clock) -> tuple[Series, dict[str, Series]]:
    """The same of a netCDF file."""
    with open_dataset(path, CaseError) as data:
        if "time" not in data.variables:
            raise CaseError(f"{path}: has no variable 'time'")
        dates: Any = decode(data["time"], str(path), CaseError).dates
        seconds = np.array([clock.seconds_at(d.strftime("%Y-%m-%dT%H:%M:%S")) for d in dates], dtype=float)
        columns = {}
        for name in [name for name in QUANTITIES if name in data.variables]:
            values = np.asarray(in_unit(data[name], QUANTITIES[name][2], error=CaseError)).ravel()
            if values.size != seconds.size:
                raise CaseError(f"{path}: {name} has {values.size} values for {seconds.size} times of one place")
            columns[name] = values
    return seconds, columns
