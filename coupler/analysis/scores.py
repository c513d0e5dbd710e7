# SPDX-License-Identifier: BSD-3-Clause
"""How far a field is from an observed one: bias, root-mean-square error and pattern correlation by region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from coupler.analysis.similarity import NothingToScore, likeness
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


EVERYWHERE = Box(WHOLE, -180.0, 180.0 - 1e-9, -90.0, 90.0)
"""The region that stands before all others."""


@dataclass(frozen=True)
class Score:
    """Numbers of one field, region and month.

    Attributes
    ----------
    cells : cells where both have a value
    model, observed : area means
    bias, rmse : of model minus observed, area-weighted
    correlation : of the two patterns about their means; NaN of a constant
    deviation_ratio, variance_ratio : standard deviation and variance of the model's pattern over the observed
    kling_gupta : efficiency (Gupta et al. 2009)
    spread : root-mean-square difference of two observations there; NaN where one is given
    note : why a number is not there
    """

    cells: int
    model: float
    observed: float
    bias: float
    rmse: float
    correlation: float
    deviation_ratio: float = np.nan
    variance_ratio: float = np.nan
    kling_gupta: float = np.nan
    spread: float = np.nan
    note: str = ""


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
    >>> score(np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.ones(2)).note
    'the observations are constant (2 at all 2 values), so that correlation and ratio of variances do not exist'
    """
    both = np.isfinite(model) & np.isfinite(observed)
    if not both.any():
        return Score(0, np.nan, np.nan, np.nan, np.nan, np.nan, note="no place where both have a value")
    m, o, w = model[both], observed[both], area[both] / area[both].sum()
    means = float((w * m).sum()), float((w * o).sum())
    basic = int(both.sum()), *means, means[0] - means[1], float(np.sqrt((w * (m - o) ** 2).sum()))
    try:
        pair = likeness(model, observed, area, "")
    except NothingToScore as error:
        return Score(*basic, np.nan, note=str(error).removeprefix(": "))
    try:
        efficiency, note = pair.kling_gupta, ""
    except NothingToScore as error:
        efficiency, note = np.nan, str(error)
    ratio = pair.deviation / pair.observed_deviation
    return Score(*basic, pair.correlation, ratio, ratio * ratio, efficiency, note=note)


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
