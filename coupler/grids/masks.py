# SPDX-License-Identifier: BSD-3-Clause
"""Masks of grid files: 1 where a cell is active, 0 or missing where it is not, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Mask
from coupler.netcdf.packed import values

USUAL = ("mask", "mask_rho", "tmask", "tmaskutil", "wet", "ocean_mask", "kmt_mask")
"""Names under which ocean models keep the mask of their cells, where no attribute says so."""


def read_mask(variable: Any, shape: tuple[int, ...]) -> Mask:
    """A mask of a grid's shape.

    Raises
    ------
    GridError
        Numbers other than 0 and 1, or another shape.
    """
    here = f"{variable.group().filepath()}: mask {variable.name!r}"
    found = values(variable, error=GridError)
    while found.ndim > len(shape) and found.shape[0] == 1:
        found = found[0]
    if found.ndim == len(shape) + 1 and found.shape[1:] == shape:  # by levels, as NEMO's tmask: the surface
        found = found[0]
    if found.size == int(np.prod(shape)) and found.ndim == 1:
        found = found.reshape(shape)
    if found.shape != shape:
        raise GridError(f"{here} has the shape {found.shape}, the grid {shape}; a mask has a value for each cell")
    strange = np.isfinite(found) & (np.abs(found) > 1e-6) & (np.abs(found - 1.0) > 1e-6)
    if strange.any():
        some = ", ".join(f"{v:g}" for v in np.unique(found[strange])[:5])
        raise GridError(f"{here} holds {some}; expected 1 where a cell is active, and 0 (or missing) where it is not")
    return np.asarray(found > 0.5)


def read_masks(file: Any, dimensions: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Mask]:
    """Masks on some dimensions: by the attribute ``mask_name``, by standard name, by the names that models use."""
    found: dict[str, Any] = {}
    usual: dict[str, Any] = {}
    for variable in file.variables.values():
        tail = tuple(variable.dimensions[-len(dimensions) :])
        if tail != dimensions or variable.ndim > len(dimensions) + 2:
            continue
        if hasattr(variable, "mask_name"):
            found[str(variable.mask_name)] = variable
        elif str(getattr(variable, "standard_name", "")) == "sea_binary_mask":
            found.setdefault("default", variable)
        elif variable.name in USUAL:
            usual.setdefault("default", variable)
    return {key: read_mask(variable, shape) for key, variable in {**usual, **found}.items()}
