# SPDX-License-Identifier: BSD-3-Clause
"""Restarts: one netCDF file a component, and a manifest written last.

A set is a folder ``run/restart/<date>``; it counts only with its manifest, and with every file of the size and
checksum that the manifest says. Arrays are whole fields, so a restart continues on any number of ranks.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.errors import RestartError
from coupler.files.atomic import DiskError, checksum, sync_folder, write_text
from coupler.paths import COMMAND

VERSION = 2
MANIFEST = "manifest.json"


def set_name(date: str) -> str:
    """Folder name of a set."""
    return date.replace(":", "")


def write_part(folder: Path, component: str, arrays: Mapping[str, npt.ArrayLike]) -> dict[str, Any]:
    """Write one component's file of a set that is being made; returns its entry of the manifest.

    Parameters
    ----------
    folder : of the set
    component : name in the case
    arrays : by name

    Raises
    ------
    DiskError
        The disk is full or the folder read-only.
    """
    path = folder / f"{component}.nc"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
            file.title = f"restart of {component}"
            for name, values in arrays.items():
                array = np.asarray(values)
                array = array.astype(array.dtype.newbyteorder("="), copy=False)
                boolean = array.dtype == bool
                if boolean:
                    array = array.astype(np.int8)
                dims = []
                for size in array.shape:
                    if f"n{size}" not in file.dimensions:
                        file.createDimension(f"n{size}", size)
                    dims.append(f"n{size}")
                variable = file.createVariable(name, array.dtype, dims, fill_value=False)
                variable.set_auto_mask(False)
                if boolean:
                    variable.boolean = 1
                variable[...] = array
        with open(path, "rb") as handle:
            os.fsync(handle.fileno())
    except (OSError, RuntimeError) as error:
        raise DiskError(
            f"cannot write the restart {path}: {error}; the last complete restart is intact (see {COMMAND} status)"
        ) from error
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": checksum(path)}


def write_json(path: Path, content: Any) -> dict[str, Any]:
    """Write plain values into a set that is being made; returns the file's entry of the manifest."""
    write_text(path, json.dumps(content) + "\n")
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": checksum(path)}


def read_json(path: Path) -> Any:
    """Plain values of a set.

    Raises
    ------
    RestartError
        The file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RestartError(f"cannot read {path}: {error}") from error


def complete(part: Path, final: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest and give the set its name: from now on it counts.

    Parameters
    ----------
    part : folder of the set in the making
    final : its folder when it counts
    manifest : what it holds
    """
    whole = {"version": VERSION, **manifest}
    write_text(part / MANIFEST, json.dumps({**whole, "sha256": _digest(whole)}, indent=1) + "\n")
    if final.exists():
        shutil.rmtree(final)
    os.replace(part, final)
    sync_folder(final.parent)


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest complete sets, and what a killed run left half-written before them.

    Parameters
    ----------
    folder : of all sets
    keep : how many of the newest stay
    """
    sets = complete_sets(folder)
    for old in sets[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    for part in folder.glob(".*.part"):
        # a later set may be in the making: components that are ahead write before the others arrive
        if sets and part.name[1:] < sets[-1].name:
            shutil.rmtree(part, ignore_errors=True)


def complete_sets(folder: Path) -> list[Path]:
    """Complete sets in a folder, oldest first by model date."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            try:
                found.append((int(read_manifest(path)["time"]), path))
            except RestartError:
                continue
    return [path for _, path in sorted(found)]


def newest(folder: Path, say: Callable[[str], None] = lambda text: None) -> Path | None:
    """The newest complete set, whose files are verified; None if there is none.

    Parameters
    ----------
    folder : Path
        Where the sets are.
    say : callable
        Takes a line for each set that is newer and cannot be used, with the reason.
    """
    if not folder.is_dir():
        return None
    sets = complete_sets(folder)
    last = sets[-1].name if sets else ""
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if path not in sets and path.name > last:
            _verified(path, say)
    for path in reversed(sets):
        if _verified(path, say):
            return path
    return None


def _verified(path: Path, say: Callable[[str], None]) -> bool:
    try:
        verify(path)
    except RestartError as error:
        say(f"passed over: {error}")
        return False
    return True


def read_manifest(path: Path) -> dict[str, Any]:
    """Manifest of a set.

    Raises
    ------
    RestartError
        There is none, or it is damaged.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RestartError(f"{path} is not a complete restart: its {MANIFEST} is missing or damaged") from error
    if isinstance(manifest, dict) and isinstance(manifest.get("version"), int) and manifest["version"] != VERSION:
        raise RestartError(f"{path}: written by another version ({manifest['version']}, this one reads {VERSION})")
    if not _sound(manifest):
        raise RestartError(f"{path} is not a complete restart: its {MANIFEST} is damaged (not as it was written)")
    return dict(manifest)


def _digest(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _sound(manifest: Any) -> bool:
    """Whether a manifest is what was written: of the right types, and with its own checksum."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("components"), dict):
        return False
    rest = {k: v for k, v in manifest.items() if k != "sha256"}
    if manifest.get("sha256") != _digest(rest) or type(manifest.get("time")) is not int:
        return False
    entries = manifest["components"].values()
    kinds = {"file": str, "bytes": int, "sha256": str}
    return all(isinstance(e, dict) and all(isinstance(e.get(k), t) for k, t in kinds.items()) for e in entries)


def verify(path: Path) -> dict[str, Any]:
    """Manifest of a set whose files are all there and undamaged."""
    manifest = read_manifest(path)
    files = {**manifest["components"], **({"the budget": manifest["budget"]} if "budget" in manifest else {})}
    for component, entry in files.items():
        file = path / Path(entry["file"]).name
        if not file.is_file() or file.stat().st_size != entry["bytes"] or checksum(file) != entry["sha256"]:
            raise RestartError(f"{path}: the file of {component}, {entry['file']}, is missing or damaged")
    return manifest


def read_part(path: Path, component: str) -> dict[str, npt.NDArray[Any]]:
    """All arrays of one component's file; values near the fill value survive.

    Parameters
    ----------
    path : of the set
    component : name in the case
    """
    file_path = path / f"{component}.nc"
    try:
        with netCDF4.Dataset(file_path) as file:
            file.set_auto_mask(False)
            return {name: _as_written(variable) for name, variable in file.variables.items()}
    except (OSError, RuntimeError) as error:
        raise RestartError(f"cannot read {file_path}: {error}") from error


def _as_written(variable: Any) -> npt.NDArray[Any]:
    array = np.asarray(variable[...])
    return array.astype(bool) if "boolean" in variable.ncattrs() else array
