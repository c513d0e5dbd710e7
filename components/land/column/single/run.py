# SPDX-License-Identifier: BSD-3-Clause
"""One column of the land through time: the model's own component on a grid of one cell."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from components.land.column.component import FOLLOWED, ColumnLand
from components.land.column.single.parameters import Case
from components.land.column.single.weather import fields_of
from components.land.column.surface_map import SurfaceMap
from coupler.clock import Clock
from coupler.component import Context
from coupler.errors import CaseError
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid

Tell = Callable[[str], None]
SOIL = {
    "soil_temperature": "K", "volume_fraction_of_condensed_water_in_soil_layer": "1",
    "volume_fraction_of_frozen_water_in_soil_layer": "1",
}  # fmt: skip
"""Profiles by name and unit."""


class Course(NamedTuple):
    """A run: times (s), by name series ``(time,)`` and profiles of the soil ``(time, layer)``, and their units.

    ``means`` are the series that are means over the interval before each time.
    """

    time: np.ndarray
    fields: dict[str, np.ndarray]
    units: dict[str, str]
    means: frozenset[str]


class SiteLand(ColumnLand):
    """The land with the leaf area and the height that are known of a site.

    Parameters
    ----------
    case : its namelist
    """

    def __init__(self, case: Case):
        super().__init__(case.column)
        self.case = case

    def _surface(self, context: Context, latitude: Any) -> SurfaceMap:
        made, leaves = super()._surface(context, latitude), self.case.leaf_area_index
        if leaves is None:
            return made
        months = np.broadcast_to(np.array(leaves, dtype=float), 12)[:, None, None]
        return made._replace(monthly_lai=months + np.zeros((12, *made.share.shape)))

    def initialize(self, context: Context) -> Any:
        """As the land; then the plants are as tall as the site's."""
        exports = super().initialize(context)
        if self.case.canopy_height is not None:
            height = torch.full_like(self.parameters.height, self.case.canopy_height)
            self._tell(parameters=self.parameters._replace(height=height))
        return exports


def build(case: Case, folder: Path) -> tuple[SiteLand, Context]:
    """The land at the start, and what it works with.

    Parameters
    ----------
    case : its namelist
    folder : where its files are looked for

    Raises
    ------
    CaseError
        What the land finds wrong with its options, all of it.
    """
    x, y = case.longitude, case.latitude
    grid = Grid.regular_lonlat("land", x - 0.5, x + 0.5, y - 0.5, y + 0.5, resolution=1.0)
    context = Context(
        "land", Clock(case.start, case.calendar), case.step, case.duration, grid, folder,
        grids={"default": grid}, decompositions={"default": Decomposition(grid.shape)}, logger=lambda text: None,
    )  # fmt: skip
    land = SiteLand(case)
    wrong = land.check(context)
    if wrong:
        raise CaseError("\n".join(f"column: {text}" for text in wrong))
    return land, context


def run(case: Case, folder: Path, tell: Tell = lambda text: None) -> Course:
    """Run a column.

    Parameters
    ----------
    case : its namelist
    folder : where its files are looked for
    tell : takes a line of progress after each output
    """
    land, context = build(case, folder)
    weather = fields_of(case, folder)
    land.initialize(context)
    steps, every = case.duration // case.step, case.output // case.step
    for _ in range(case.repeat):
        for n in range(steps):
            _step(land, case, weather, n)
    if case.repeat:
        tell(f"went through the weather {case.repeat} times before the run")
    passing = [*(spec.name for spec in land.exports if spec.kind == "flux"), *FOLLOWED]
    times, sums, began = [0.0], dict[str, float](), time.monotonic()
    rows: list[dict[str, Any]] = [_soil(land)]
    for n in range(steps):
        values = _step(land, case, weather, n)
        for name in passing:
            sums[name] = sums.get(name, 0.0) + values[name]
        if (n + 1) % every == 0 or n + 1 == steps:  # the end, whether an interval ends there or not
            number = n + 1 - round(times[-1] / case.step)
            times.append(float((n + 1) * case.step))
            means = {name: total / number for name, total in sums.items()}
            rows.append(values | _numbers(land.diagnostics()) | means | _soil(land))
            sums.clear()
            seconds = int((time.monotonic() - began) * (steps / (n + 1) - 1.0))
            date = context.clock.text((n + 1) * case.step)
            tell(f"{date}  {(n + 1) / steps:4.0%}  ETA {seconds // 60:02d}:{seconds % 60:02d}")
    units = {spec.name: spec.units for spec in land.exports} | dict(land.diagnostic_units) | SOIL
    none = {name: np.full_like(np.asarray(value, dtype=float), np.nan) for name, value in rows[-1].items()}
    fields = {name: np.array([row.get(name, gap) for row in rows], dtype=float) for name, gap in none.items()}
    return Course(np.array(times), fields, units, frozenset(passing))


def _step(land: SiteLand, case: Case, weather: dict[str, np.ndarray], n: int) -> dict[str, float]:
    """Step ``n``: what the land then gives the air, and what it follows of its plants, by name."""
    here = {name: np.full((1, 1), values[n]) for name, values in weather.items()}
    return _numbers({**land.step(n * case.step, case.step, here), **land.followed})


def _numbers(fields: Mapping[str, Any]) -> dict[str, float]:
    """Those fields of one cell that are a number."""
    return {name: float(np.asarray(v).ravel()[0]) for name, v in fields.items() if np.size(v) == 1}


def _soil(land: SiteLand) -> dict[str, np.ndarray]:
    """Profiles of the soil, means over the plants of the column."""
    s, mean = land.now, land.columns.mean
    profiles = (s.soil_temperature, s.liquid + s.ice, s.ice)
    return {name: mean(values)[:, 0].numpy() for name, values in zip(SOIL, profiles, strict=True)}
