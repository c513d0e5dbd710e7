# SPDX-License-Identifier: BSD-3-Clause
"""Observations of land: a row is snow cover, a brightness temperature or water storage at a place and a time.

Of a brightness temperature ``radiation_frequency`` (Hz) and ``polarization`` (H or V) are told besides.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates import observation_rows
from components.ml_surrogates.estimation.land import BOUNDS, FREQUENCIES, OPERATORS
from coupler.clock import Clock
from coupler.errors import CaseError
from coupler.grids.sphere import to_cartesian

Floats = npt.NDArray[np.float64]
COVER, BRIGHTNESS, STORAGE = OPERATORS
CHANNELS = {COVER: 1, BRIGHTNESS: 2 * len(FREQUENCIES), STORAGE: 1}
PLACE = {"longitude": "degrees", "latitude": "degrees"}
UNITS = {COVER: "1", BRIGHTNESS: "K", STORAGE: "kg m-2"}
FURTHER = {"radiation_frequency": "Hz", "polarization": ""}


class Table(NamedTuple):
    """Observations in the order of their times, (n,) each.

    Attributes
    ----------
    time : s since the start of the case
    longitude, latitude : degrees
    variable : names
    channel : number of the variable's channel, 0 where there is one
    value, error : and standard deviation, SI
    """

    time: Floats
    longitude: Floats
    latitude: Floats
    variable: npt.NDArray[np.str_]
    channel: npt.NDArray[np.int64]
    value: Floats
    error: Floats

    def where(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Table":
        """Some of the rows."""
        rows: list[Any] = [a[keep] for a in self]
        return Table(*rows)


def read(path: Path, clock: Clock) -> Table:
    """The observations of a file.

    Parameters
    ----------
    path : netCDF
    clock : dates of the case

    Raises
    ------
    CaseError
        All that is wrong with the file.
    """
    rows = observation_rows.read(path, clock, PLACE, UNITS, FURTHER)
    problems = observation_rows.wrong(rows, tuple(OPERATORS))
    bright = rows["variable"] == BRIGHTNESS
    channel = np.zeros(len(bright), dtype=np.int64)
    if bright.any() and not {"radiation_frequency", "polarization"} <= set(rows):
        problems.append(
            f"{BRIGHTNESS} is observed: expected variables radiation_frequency and polarization, found not both"
        )
    elif bright.any():
        known = [(f, p) for f in FREQUENCIES for p in "HV"]
        near = [np.isclose(rows["radiation_frequency"], f, rtol=1e-3) & (rows["polarization"] == p) for f, p in known]
        channel[bright] = np.argmax(near, 0)[bright]
        bad = np.flatnonzero(bright & ~np.any(near, 0))
        if bad.size:
            f, p = rows["radiation_frequency"][bad[0]], rows["polarization"][bad[0]]
            problems.append(
                f"{bad.size} brightness temperatures of an unknown channel, the first is row {bad[0]}, {f / 1e9:g} GHz "
                f"{p}; known: {', '.join(f'{a / 1e9:g}' for a in FREQUENCIES)} GHz, H and V"
            )
    for name, (low, high) in BOUNDS.items():
        outside = (rows["variable"] == name) & ((rows["value"] < low) | (rows["value"] > high))
        bad = np.flatnonzero(outside)
        if bad.size:
            problems.append(
                f"{bad.size} rows of {name} lie outside {low:g} to {high:g}, the first is row {bad[0]} "
                f"({rows['value'][bad[0]]:g})"
            )
    if problems:
        raise CaseError("\n".join(f"{path.name}: {text}" for text in problems))
    time, lon, lat, variable, value, error = (rows[n] for n in ("time", *PLACE, "variable", "value", "error"))
    table = Table(time, lon, lat, variable, channel, value, error)
    return table.where(np.argsort(table.time, kind="stable"))


def cells_of(longitude: Floats, latitude: Floats, table: Table, reach: float) -> npt.NDArray[np.int64]:
    """Number of the nearest cell centre of each row, -1 where none lies within reach.

    Parameters
    ----------
    longitude, latitude : (n,) of the cells, degrees
    table : observations
    reach : distance on the unit sphere
    """
    if not len(table.time) or not longitude.size:
        return np.full(len(table.time), -1)
    centres, points = to_cartesian(longitude, latitude), to_cartesian(table.longitude, table.latitude)
    cosine = points @ centres.T
    nearest = cosine.argmax(1)
    near = np.arccos(np.clip(cosine.max(1), -1.0, 1.0)) <= reach  # a row without a place is near to none
    return np.where(near, nearest, -1)


def on_cells(
    table: Table, cells: npt.NDArray[np.int64], n: int, block: npt.NDArray[np.int64]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What was observed of each cell, and its standard deviation: the mean by 1 / error2 of the rows that fall on it.

    Parameters
    ----------
    table : observations in use
    cells : (rows,) number of each row's cell, or below zero
    n : cells
    block : (n,) number of each cell's block: a storage is that of all its cells

    Returns
    -------
    value, error : by variable, (channels, n); not a number where nothing was observed, 1 for its error
    """
    values, errors = {}, {}
    for name, channels in CHANNELS.items():
        here = (table.variable == name) & (cells >= 0)
        if not here.any():
            continue
        at = block[cells[here]] if name == STORAGE else cells[here]
        weight = np.zeros((channels, n))
        total = np.zeros((channels, n))
        one = 1.0 / table.error[here] ** 2
        np.add.at(weight, (table.channel[here], at), one)
        np.add.at(total, (table.channel[here], at), one * table.value[here])
        if name == STORAGE:
            weight, total = weight[:, block], total[:, block]
        seen = weight > 0.0
        some = np.where(seen, weight, 1.0)
        values[name] = torch.as_tensor(np.where(seen, total / some, np.nan))
        errors[name] = torch.as_tensor(1.0 / np.sqrt(some))
    return values, errors
