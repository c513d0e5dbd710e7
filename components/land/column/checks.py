# SPDX-License-Identifier: BSD-3-Clause
"""What can be wrong with the options of the column land before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from components.land.column import farm_maps, first_guess
from components.land.column.component_cycles import NITROGEN, PHOSPHORUS, check_deposition
from components.land.column.cycles import fertiliser, variety
from components.land.column.cycles.crop_day import never_sown
from components.land.column.cycles.traits import farming
from components.land.column.optimality import OPTIMAL
from components.land.column.parameters import table
from components.land.column.stomata import EMPIRICAL
from components.land.column.surface_map import SurfaceMap, from_file, uniform
from components.land.column.urban.sealed import built_by_year
from components.science.climate_water import check_climate, months_of
from coupler.component import Setting
from coupler.errors import TesseraError
from coupler.files.forcing import Forcing as File
from coupler.grids.grid import Grid

DAY = 86400  # s
Grids = Callable[[Setting], Mapping[str, Grid]]


def problems_of(options: Any, setting: Setting, grids: Grids) -> list[str]:
    """Unknown names, files that are missing or on another grid, choices that exclude each other.

    Parameters
    ----------
    options : ColumnOptions
        As the namelist has them.
    setting : Setting
        Of the component.
    grids : callable
        The component's grids in that setting.
    """
    o, problems = options, list[str]()
    known = [*EMPIRICAL, *OPTIMAL]
    if o.stomata not in known:
        problems.append(f"unknown stomatal model {o.stomata!r}; known models: {', '.join(known)}")
    if o.first_guess == "learned" and not first_guess.knows(o.stomata):
        problems.append(f"first_guess: learned serves optimal stomata, and stomata: {o.stomata} are none")
    problems += [
        f"unknown plant type {k!r}; known types: {', '.join(table('plant_types'))}"
        for k in o.plants
        if k not in table("plant_types")
    ]
    if o.soil not in table("soil_textures"):
        problems.append(f"unknown soil texture {o.soil!r}; known textures: {', '.join(table('soil_textures'))}")
    if 0 < o.rest_after < 365:
        problems.append(f"rest_after: expected 0, or 365 days and more that give the means; found {o.rest_after}")
    if o.disturbance is not None and o.disturbance.year > setting.clock.origin.year:
        problems.append(
            f"disturbance: year {o.disturbance.year} is after the start, {setting.clock.origin.year}; expected one "
            "before it, from which a spin-up lets stands grow"
        )
    if [p.until for p in o.past] != sorted({p.until for p in o.past}):
        problems.append(f"past: expected years that rise; found {', '.join(str(p.until) for p in o.past)}")
    if o.past and o.past[-1].until > setting.clock.origin.year:
        problems.append(
            f"past: until {o.past[-1].until} is after the start, {setting.clock.origin.year}; then the run's own growth"
            " follows"
        )
    problems += _without_cycles(o) + _fertiliser(o)
    if (o.nitrogen != "none" or o.leaves == "prognostic") and DAY % setting.step:
        problems.append(
            f"the cycles have a daily clock: expected a step that divides a day, {DAY} s; found {setting.step} s"
        )
    whole = sum(o.plants.values())
    if o.plants and abs(whole - 1.0) > 0.02:
        problems.append(f"plants: expected shares that add up to 1; found {whole:g}; bare is the ground without plants")
    if o.device == "cuda" and not torch.cuda.is_available():
        problems.append("device: cuda, but torch finds no CUDA device here; use auto or cpu")
    problems += [] if o.spectra is None else o.spectra.problems()
    if o.groundwater == "lateral" and (o.groundwater_period <= 0 or o.groundwater_period % setting.step):
        problems.append(f"groundwater_period: expected a multiple of the step, {setting.step} s")
    for looked_at in (_deposition, _start, _climate, _surface):
        try:
            problems += looked_at(o, setting, grids)
        except (TesseraError, ValueError, OSError) as error:
            problems.append(str(error))
    return list(dict.fromkeys(problems))


def short_seasons(options: Any, setting: Setting, grids: Grids) -> list[str]:
    """A line for each crop that is on the map where the year of ``climate`` is too short for its every variety.

    Parameters
    ----------
    options : ColumnOptions
        As the namelist has them.
    setting : Setting
        Of the component.
    grids : callable
        The component's grids in that setting.
    """
    o = options
    if not o.climate or not (o.surface or o.plants):
        return []
    mask = np.asarray(grids(setting)["default"].mask)
    found = uniform(o.plants, o.soil, int(mask.sum()), o.tiles) if o.plants else _map(o, setting, mask)
    share = found.share if found.years is None else found.years.share.max(0)
    names = np.array(found.plants).reshape(share.shape)
    tile, cell = np.nonzero(np.isin(names, list(table("crops"))) & (share > 0.0))
    if not cell.size:
        return []
    at = setting.grid.cells(np.flatnonzero(mask)[cell])
    months = months_of(setting.file(o.climate), "air_temperature", setting.clock, at)
    crops = names[tile, cell]
    f = farming(table("crops"), list(crops), months[0])
    if "sowing_day" in found.maps:
        days = found.maps["sowing_day"][[list(table("crops")).index(k) for k in crops], cell]
        f = f._replace(sown_on=torch.as_tensor(days))
    never = never_sown(f, variety.of_months(months, f.calendar)).numpy()
    lines = []
    for crop in sorted(set(crops[never])):
        short = np.flatnonzero(never & (crops == crop))
        y, x = (float(np.asarray(v)[mask][cell[short[0]]]) for v in (setting.grid.latitude, setting.grid.longitude))
        place = f"{abs(y):g} {'N' if y >= 0.0 else 'S'} {x:g} E"
        lines.append(
            f"{crop}: the year of {o.climate} is too short for every variety in {short.size} of"
            f" {int((crops == crop).sum())} cells that have it, one at {place}; it"
            " is not sown there by season: give days of sowing (prepare), or another plant type"
        )
    return lines


def _map(o: Any, setting: Setting, mask: np.ndarray[Any, Any]) -> SurfaceMap:
    return from_file(setting.file(o.surface), mask, np.asarray(setting.grid.latitude)[mask], o.tiles)


def _without_cycles(o: Any) -> list[str]:
    """Options that only a land with cycles reads."""
    if o.nitrogen != "none" or o.leaves == "prognostic":
        return []
    asked = {
        "disturbance": o.disturbance is not None, "past": bool(o.past), "rest_after": o.rest_after > 0,
        "fertiliser": bool(o.fertiliser), "irrigation": o.irrigation != "none",
        "deposition_file": bool(o.deposition_file),
        "phosphorus_deposition_file": bool(o.phosphorus_deposition_file),
    }  # fmt: skip
    return [
        f"{name}: this land has no cycles of carbon; add nitrogen: fun or leaves: prognostic"
        for name, given in asked.items()
        if given
    ]


def _fertiliser(o: Any) -> list[str]:
    if not o.fertiliser:
        return []
    found = fertiliser.problems(o.fertiliser, list(o.plants))
    if o.nitrogen == "none":
        found.append("fertiliser: plants have no want of nitrogen; add nitrogen: fun or nitrogen: demand")
    return found


def _deposition(o: Any, setting: Setting, grids: Grids) -> list[str]:
    found = check_deposition(NITROGEN, o.deposition_file, o.deposition_cycle, setting)
    return found + check_deposition(PHOSPHORUS, o.phosphorus_deposition_file, o.deposition_cycle, setting)


def _start(o: Any, setting: Setting, grids: Grids) -> list[str]:
    if not o.file:
        return []
    found = File(setting.file(o.file), "surface_temperature", setting.clock, grid=setting.grid)
    found.close()
    return found.problems(0, 0)


def _climate(o: Any, setting: Setting, grids: Grids) -> list[str]:
    if o.climate:
        check_climate(setting.file(o.climate), setting.clock, setting.grid)
    return []


def _surface(o: Any, setting: Setting, grids: Grids) -> list[str]:
    """What is wrong with the map of what grows where, or changes with the years where it must not."""
    if not o.surface:
        return []
    path = setting.file(o.surface)
    try:
        mask = np.asarray(grids(setting)["default"].mask)
    except TesseraError:  # told where the grid is made
        mask = np.asarray(setting.grid.mask)
    found = _map(o, setting, mask)
    late = farm_maps.outside_season(o.fertiliser, found.maps)
    built = built_by_year(path, mask) if o.city else None
    changing = {"area_type_fraction": found.years, "urban_fraction": built}
    return late + [
        f"{name} by year: not with hydraulics: continuum; give one year"
        for name, years in changing.items()
        if o.hydraulics == "continuum" and years is not None and years.years
    ]
