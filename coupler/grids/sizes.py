# SPDX-License-Identifier: BSD-3-Clause
"""The largest grid that is taken, refused before memory is: a few characters can ask for 1e10 cells."""

from __future__ import annotations

import math
from typing import Any

from coupler.errors import GridError

MOST_CELLS = 100_000_000
"""Cells of a horizontal grid: a tenth of a kilometre over a thousand, or a hundredth of a degree over a continent."""


def refuse_too_large(name: str, cells: float, why: str = "") -> None:
    """Refuse a grid of more than `MOST_CELLS` cells.

    Parameters
    ----------
    name : str
        What messages call it.
    cells : float
        How many cells it would have.
    why : str
        What makes it so large.

    Raises
    ------
    GridError
        It is too large.

    Examples
    --------
    >>> refuse_too_large("ocean", 1e10, "resolution 0.0001")
    Traceback (most recent call last):
    coupler.errors.GridError: grid 'ocean' would have 1e+10 cells (resolution 0.0001); at most 1e+08 are taken
    """
    if not cells <= MOST_CELLS:
        because = f" ({why})" if why else ""
        raise GridError(f"grid {name!r} would have {cells:.3g} cells{because}; at most {MOST_CELLS:.0e} are taken")


def refuse_large_file(file: Any, name: str) -> None:
    """Refuse a netCDF file whose coordinates make too large a grid, from its dimensions alone.

    Parameters
    ----------
    file : netCDF4.Dataset
        The file.
    name : str
        What messages call the grid.

    Raises
    ------
    GridError
        It is too large.
    """
    angular = [v for v in file.variables.values() if str(getattr(v, "units", "")).lower().startswith(("deg", "rad"))]
    axes = sorted((v.size for v in angular if v.dimensions == (v.name,)), reverse=True)[:2]
    corners = 16  # of a cell, at most
    refuse_too_large(name, max([math.prod(axes), *(v.size / corners for v in angular)], default=0), "by its dimensions")
