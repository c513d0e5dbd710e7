# SPDX-License-Identifier: BSD-3-Clause
"""How well background and analysis fit the observations, by variable and window: a netCDF and a plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt

from components.ml_surrogates.data_assimilation.observation_file import UNITS
from coupler.files.atomic import whole_file

COLUMNS = ("count", "rejected", "omb_mean", "omb_rms", "oma_mean", "oma_rms", "spread")
"""For each variable and window: rows used and not, observed less background and analysis, the ensemble's spread."""


class Row(NamedTuple):
    """A window.

    Attributes
    ----------
    time : of its start, s
    values : (variables, columns)
    freedom : twice J_b; not a number without a minimisation
    """

    time: int
    values: npt.NDArray[np.float64]
    freedom: float


def row(
    time: int, variable: npt.NDArray[np.str_], used: npt.NDArray[np.bool_], before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64], spread: npt.NDArray[np.float64], freedom: float | None,
) -> Row:  # fmt: skip
    """The statistics of a window.

    Parameters
    ----------
    time : of the window's start, s
    variable : (n,) what each row observes
    used : (n,) whether it was used
    before, after, spread : of the rows used, in their order
    freedom : twice J_b, or None
    """
    names = variable
    values = np.full((len(UNITS), len(COLUMNS)), np.nan)
    mine = names[used]
    for i, name in enumerate(UNITS):
        here = mine == name
        values[i, :2] = here.sum(), (names == name).sum() - here.sum()
        if here.any():
            b, a, s = before[here], after[here], spread[here]
            values[i, 2:] = b.mean(), _rms(b), a.mean(), _rms(a), _rms(s)
    return Row(time, values, np.nan if freedom is None else freedom)


def _rms(a: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(a * a)))


def write(path: Path, rows: Sequence[Row], start: str, calendar: str) -> None:
    """A CF netCDF of all windows so far.

    Parameters
    ----------
    path : to write
    rows : windows
    start, calendar : date of the case's start, ISO 8601, and its calendar
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w") as file:
        file.setncatts({"Conventions": "CF-1.11", "title": "observations less background and analysis, by window"})
        file.createDimension("time", len(rows))
        file.createDimension("variable", len(UNITS))
        time = file.createVariable("time", "f8", ("time",))
        time.setncatts({"units": f"seconds since {start}", "calendar": calendar, "standard_name": "time"})
        time[:] = [r.time for r in rows]
        names = file.createVariable("variable", str, ("variable",))
        for i, name in enumerate(UNITS):
            names[i] = name
        for j, column in enumerate(COLUMNS):
            made = file.createVariable(column, "f8", ("time", "variable"))
            made.comment = "in the unit of the variable" if j > 1 else "rows"
            made[:] = np.stack([r.values[:, j] for r in rows]) if rows else np.zeros((0, len(UNITS)))
        made = file.createVariable("degrees_of_freedom", "f8", ("time",))
        made.comment = "twice J_b at the minimum"
        made[:] = [r.freedom for r in rows]


def read(path: Path) -> list[Row]:
    """The windows of a file that `write` made."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        values = np.stack([file[column][:] for column in COLUMNS], -1)
        times, freedom = file["time"][:], file["degrees_of_freedom"][:]
    return [Row(int(t), v, float(f)) for t, v, f in zip(times, values, freedom, strict=True)]


def text(r: Row) -> str:
    """``air_temperature 1.2 -> 0.7 (80)``: RMS before and after, and rows used, of each variable observed."""
    at = {name: COLUMNS.index(name) for name in ("count", "omb_rms", "oma_rms")}
    parts = [
        f"{name} {v[at['omb_rms']]:.3g} -> {v[at['oma_rms']]:.3g} ({int(v[at['count']])})"
        for name, v in zip(UNITS, r.values, strict=True)
        if v[at["count"]] > 0
    ]
    return ", ".join(parts)


def plot(path: Path, rows: Sequence[Row]) -> None:
    """RMS of both departures and the spread by window, a panel a variable.

    Parameters
    ----------
    path : PNG to write
    rows : windows
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    hours = [r.time / 3600.0 for r in rows]
    for i, (axes, (name, units)) in enumerate(zip(figure.subplots(2, 2).flat, UNITS.items(), strict=True)):
        for column, style in (("omb_rms", "o-"), ("oma_rms", "s-"), ("spread", ":")):
            axes.plot(hours, [r.values[i, COLUMNS.index(column)] for r in rows], style, label=column)
        axes.set(title=name, xlabel="hours", ylabel=units)
    axes.legend(frameon=False)
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=110)
