# SPDX-License-Identifier: BSD-3-Clause
"""Truth from runs of this project's own atmosphere on a fine grid: its history files, coarse-grained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coupler.errors import CaseError
from coupler.grids.grid import Grid
from coupler.grids.refined import blocks, inner
from coupler.netcdf.opening import open_dataset
from coupler.netcdf.packed import in_unit

from .ground import MAPS, under
from .projection import Projection
from .scenes import Field, Scene

FIELDS = (
    Field("air_temperature_at_2m", "K"),
    Field("precipitation_flux", "kg m-2 s-1", positive=True, bend=1.0e-5, power=1.0 / 3.0),
)
"""The cube root of rain (Stidd 1953): what splines lack of its logarithm has a long tail below where it is heavy."""
FACTOR = 4
SPIN_UP = 6
"""Records at the start of a run that are left out: coarse analyses have no small scales to start from."""
SIDES = 8
"""Rows and columns left out along each side: the strip that is drawn to the driver, a tenth of 72 cells."""


def read(path: Path, factor: int = FACTOR, spin_up: int = SPIN_UP, sides: int = SIDES) -> tuple[Scene, Projection]:
    """A run's fine fields over their ground, and the projection onto its coarse means, without its sides.

    Parameters
    ----------
    path : history file of a run with `FIELDS`
    factor : fine cells that a coarse one has across
    spin_up : records left out
    sides : rows and columns left out along each side

    Raises
    ------
    CaseError
        A field is missing or lies on another grid than rows and columns, or too few records are left.
    """
    if not path.is_file():
        raise CaseError(f"{path} does not exist; name history files of runs on a fine grid")
    with open_dataset(path, CaseError) as file:
        lacking = [f.name for f in FIELDS if f.name not in file.variables]
        if lacking:
            raise CaseError(f"{path} has no {', '.join(lacking)}; write them in one stream of output:")
        fields = np.stack([in_unit(file[f.name], f.units, np.s_[spin_up:], CaseError) for f in FIELDS], axis=1)
    if fields.ndim != 4 or not len(fields) or not np.isfinite(fields).all():
        raise CaseError(f"{path}: expected values in all rows and columns after {spin_up} records")
    grid = inner(Grid.from_file(path), sides)
    fields = fields[..., sides : fields.shape[-2] - sides, sides : fields.shape[-1] - sides]
    ground = np.broadcast_to(under(grid), (len(fields), MAPS, *grid.shape))
    return Scene(fields, ground, factor), Projection(grid, blocks(grid, factor))


def read_all(paths: Sequence[Path], factor: int = FACTOR) -> list[tuple[Scene, Projection]]:
    """As `read`, of runs of one rectangle.

    Parameters
    ----------
    paths : history files
    factor : fine cells that a coarse one has across

    Raises
    ------
    CaseError
        As `read`, or rectangles that differ.
    """
    found = [read(path, factor) for path in paths]
    shapes = {s.fields.shape[-2:] for s, _ in found}
    if len(shapes) > 1:
        raise CaseError(f"expected runs with one number of rows and columns, found {sorted(shapes)}")
    return found


def about(path: Path, factor: int = FACTOR) -> dict[str, float]:
    """Size of the coarse cells, km, and the length of the means, s, of a history file.

    Parameters
    ----------
    path : as of `read`
    factor : fine cells that a coarse one has across

    Raises
    ------
    CaseError
        The file has no means.
    """
    with open_dataset(path, CaseError) as file:
        if "time_bounds" not in file.variables:
            raise CaseError(f"{path}: expected means of a period, such as  period: PT1H, statistic: mean")
        first = file["time_bounds"][0]
    size = factor * float(np.sqrt(np.median(Grid.from_file(path).area))) / 1000.0
    return {"cell_km": round(size, 1), "seconds": float(first[1] - first[0])}
