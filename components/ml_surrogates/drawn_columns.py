# SPDX-License-Identifier: BSD-3-Clause
"""Columns drawn from runs of this project, split by place and by day, and the file that keeps them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
import torch

from components.radiation.exchange import CLOUDS, EMISSIVITY, GROUND, INTERFACES, LAYERS
from components.radiation.scheme import Air

Array = npt.NDArray[np.float64]
PARTS = {**LAYERS, INTERFACES: "p_interface", **GROUND}
BESIDES = {**CLOUDS, EMISSIVITY: "emissivity"}
"""Parts that a file of columns may have besides."""
SPLITS = ("train", "validation", "test")
LAST_TRAINING_DAY = 4.5
"""Days of a run from which columns are for training; later ones are for testing."""
BLOCK = 8.0
"""Side of the blocks of places that belong to one split, degrees."""


def split_of(lon: Array, lat: Array, days: Array) -> npt.NDArray[np.int64]:
    """Number of the split of places and days of a run: 0 train, 1 validation, 2 test, -1 none.

    Blocks of 8 degrees in a pattern of seven: five train, one validates, one tests. Tests take test places on test days
    only, the others training days only, so that neither place nor day of a test was seen in training.

    Parameters
    ----------
    lon, lat : degrees
    days : since the start of the run
    """
    block = (np.floor(lon / BLOCK) + 3 * np.floor(lat / BLOCK)).astype(np.int64) % 7
    part = np.where(block == 5, 1, np.where(block == 6, 2, 0))
    late = days > LAST_TRAINING_DAY
    return np.where((part == 2) == late, part, -1)


def draw(histories: Sequence[Path], numbers: Sequence[int], seed: int) -> dict[str, Array]:
    """Columns of history files that hold the exported columns: ``numbers`` of each split, evenly over the files.

    Parameters
    ----------
    histories : history files, one a run
    numbers : of columns for training, validation and tests
    seed : of the choice

    Returns
    -------
    dict
        The parts of `Air` by name, (nz, n) or (n,), with ``split``, ``longitude``, ``latitude``, ``day`` of the run,
        ``run`` and ``day_of_year`` (of the middle of the run), all (n,).
    """
    rng = np.random.default_rng(seed)
    out: dict[str, list[Array]] = {}
    for run, path in enumerate(histories):
        with netCDF4.Dataset(path) as f:
            f.set_auto_mask(False)
            time, lat, lon = (np.asarray(f[name][:], dtype=np.float64) for name in ("time", "lat", "lon"))
            lat, lon = np.meshgrid(lat, lon, indexing="ij") if lat.ndim == 1 else (lat, lon)
            whole = (len(time), *lat.shape)
            day = np.broadcast_to((time / 86400.0)[:, None, None], whole)
            y, x = (np.broadcast_to(a, whole) for a in (lat, lon))
            dates: Any = netCDF4.num2date(time, f["time"].units, f["time"].calendar)
            middle = float(dates[len(time) // 2].dayofyr - 1)
            split = split_of(x, y, day)
            chosen = [
                rng.choice(np.flatnonzero(split == s), n // len(histories), replace=False)
                for s, n in enumerate(numbers)
            ]
            where = np.concatenate(chosen)
            for name, part in {**PARTS, **{k: v for k, v in BESIDES.items() if k in f.variables}}.items():
                a = np.asarray(f[name][:], dtype=np.float64)
                a = a.reshape(len(time), -1, lat.size).transpose(1, 0, 2)
                out.setdefault(part, []).append(a.reshape(a.shape[0], -1)[:, where].squeeze())
        for part, of_all in (("split", split.astype(np.float64)), ("longitude", x), ("latitude", y), ("day", day)):
            out.setdefault(part, []).append(of_all.reshape(-1)[where])
        for part, value in (("run", float(run)), ("day_of_year", middle)):
            out.setdefault(part, []).append(np.full(len(where), value))
    return {part: np.concatenate(a, axis=-1) for part, a in out.items()}


def write(path: Path, columns: dict[str, Array]) -> None:
    """Keep columns in a netCDF file, four significant digits (pressure: six).

    Parameters
    ----------
    path : file to write
    columns : parts by name, (nz, n) or (n,)
    """
    temporary = path.with_suffix(".part")
    with netCDF4.Dataset(temporary, "w", format="NETCDF4") as f:
        nz, n = columns["t"].shape
        for name, size in (("level", nz), ("interface", nz + 1), ("column", n)):
            f.createDimension(name, size)
        f.title = "Columns of the non-hydrostatic atmosphere of this project, for training a radiation emulator"
        for part, a in columns.items():
            dims = {nz: ("level", "column"), nz + 1: ("interface", "column")}.get(a.shape[0] if a.ndim == 2 else -1)
            digits = 6 if part.startswith("p") else 4
            v = f.createVariable(
                part, "f4", dims or ("column",), zlib=True, complevel=9, significant_digits=digits,
                quantize_mode="BitGroom",
            )  # fmt: skip
            v[:] = a
    temporary.replace(path)


def read(path: Path) -> dict[str, Array]:
    """The columns of `write`."""
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        return {name: np.asarray(v[:], dtype=np.float64) for name, v in f.variables.items()}


def of_split(columns: dict[str, Array], split: str) -> dict[str, Array]:
    """The columns of ``train``, ``validation`` or ``test``.

    Parameters
    ----------
    columns : parts by name, (nz, n) or (n,)
    split : train, validation or test
    """
    mine = columns["split"] == SPLITS.index(split)
    return {part: np.ascontiguousarray(a[..., mine]) for part, a in columns.items()}


def air_of(columns: dict[str, Array], mu: Array) -> Air:
    """Columns as `Air` of shape (nz, 1, n) in double precision.

    Parameters
    ----------
    columns : parts by name, (nz, n) or (n,)
    mu : (n,) cosine of the solar zenith angle
    """
    parts = {part: columns[part] for part in (*PARTS.values(), *BESIDES.values()) if part in columns}
    arrays: dict[str, Any] = {part: torch.tensor(a)[..., None, :] for part, a in {**parts, "mu": mu}.items()}
    if "day_of_year" in columns:  # with place and season comes a climatology of ozone and of the air above the lid
        latitude = torch.tensor(columns["latitude"])[None, :]
        return Air(**arrays, latitude=latitude, day=float(columns["day_of_year"].mean()))
    return Air(**arrays)
