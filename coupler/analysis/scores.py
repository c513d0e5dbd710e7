# SPDX-License-Identifier: BSD-3-Clause
"""How far a field is from an observed one: bias, root-mean-square error and pattern correlation by region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]
WHOLE = "whole region"


@dataclass(frozen=True)
class Box:
    """A region of degrees; ``west`` may be greater than ``east`` (over the date line)."""

    name: str
    west: float
    east: float
    south: float
    north: float

    def holds(self, longitude: Floats, latitude: Floats) -> npt.NDArray[np.bool_]:
        """Whether places lie in the region.

        Parameters
        ----------
        longitude, latitude : degrees, of one shape
        """
        along = (longitude - self.west) % 360.0 <= (self.east - self.west) % 360.0
        return np.asarray(along & (latitude >= self.south) & (latitude <= self.north))


@dataclass(frozen=True)
class Score:
    """Numbers of one field, region and month.

    Attributes
    ----------
    cells : cells where both have a value
    model, observed : area means
    bias, rmse : of model minus observed, area-weighted
    correlation : of the two patterns about their means; NaN of a constant
    """

    cells: int
    model: float
    observed: float
    bias: float
    rmse: float
    correlation: float


def score(model: Floats, observed: Floats, area: Floats) -> Score:
    """Compare two fields of one shape where both are finite, weighted by ``area``.

    Parameters
    ----------
    model, observed : values of one unit and shape, NaN where unknown
    area : of the cells, any unit

    Examples
    --------
    >>> s = score(np.array([1.0, 3.0, 5.0]), np.array([0.0, 2.0, np.nan]), np.ones(3))
    >>> s.cells, s.bias, s.rmse, round(s.correlation, 12)
    (2, 1.0, 1.0, 1.0)
    """
    both = np.isfinite(model) & np.isfinite(observed)
    if not both.any():
        return Score(0, np.nan, np.nan, np.nan, np.nan, np.nan)
    m, o, w = model[both], observed[both], area[both] / area[both].sum()
    mean, seen = float((w * m).sum()), float((w * o).sum())
    about, around = m - mean, o - seen
    spread = np.sqrt((w * about**2).sum() * (w * around**2).sum())
    correlation = float((w * about * around).sum() / spread) if spread > 0.0 else np.nan
    return Score(int(both.sum()), mean, seen, mean - seen, float(np.sqrt((w * (m - o) ** 2).sum())), correlation)


def read_regions(path: Path) -> list[Box]:
    """Regions of a YAML file: ``name: {west: 119, east: 127, south: 33, north: 41}`` each.

    Raises
    ------
    CaseError
        No such file, or an entry that is not a box; all of them at once.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise CaseError(f"regions {path} cannot be read: {error}") from None
    boxes, wrong = [], []
    for name, sides in content.items() if isinstance(content, dict) else [("the file", content)]:
        try:
            boxes.append(Box(str(name), **{k: float(sides[k]) for k in ("west", "east", "south", "north")}))
        except (TypeError, KeyError, ValueError):
            wrong.append(
                f"{path}: {name} must be a box of degrees such as {{west: 119, east: 127, south: 33, north: 41}}"
            )
    if wrong:
        raise CaseError("\n".join(wrong))
    return boxes
