# SPDX-License-Identifier: BSD-3-Clause
"""Emissions on a grid's cells: fluxes of files, remapped conservatively; heights, hours, weekdays and months.

Isoprene of plants follows light and temperature after Guenther (1997, Ecol. Appl. 7, 34, eq. 1-2), from one capacity
for all land.
"""

import glob
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.chemistry.regional.parameters import Course, EmissionFile
from components.science.constants import GAS_CONSTANT, PAR_PHOTONS
from coupler.clock import Clock
from coupler.errors import TesseraError
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid
from coupler.remap.apply import apply_weights
from coupler.remap.weights import make_weights

Floats = npt.NDArray[np.float64]
MASS, AMOUNT = "kg m-2 s-1", "mol m-2 s-1"
YEAR = 365.25 * 86400.0  # s
TERAGRAM = 1.0e9  # kg


class EmissionError(TesseraError):
    """Emissions that cannot be used."""


class Source(NamedTuple):
    """One flux: where, of what, when.

    Attributes
    ----------
    name : for messages
    grid : its cells
    at : gives the flux (cells,) at a model time, mol m-2 s-1
    species : moles of gases that a mole becomes
    molar_mass : kg mol-1 of what is counted in Tg; 0 where it is not known
    course : heights, hours, weekdays, months
    """

    name: str
    grid: Grid
    at: Callable[[int], Floats]
    species: Mapping[str, float]
    molar_mass: float
    course: Course


def of_file(entry: EmissionFile, path: str, clock: Clock, end: int = 0) -> Source:
    """A file's flux.

    Parameters
    ----------
    entry : of the namelist
    path : of the file, or a pattern
    clock : dates of the case
    end : of the run, s since its start: the file must reach so far

    Raises
    ------
    TesseraError
        No such file or variable, dates that it does not have, a unit that is no flux of mass or amount, mass of an
        unknown molar mass.
    """

    def read(units: str) -> Forcing:
        return Forcing(
            path,
            entry.variable,
            clock,
            units=units,
            method="step",
            cycle=entry.cycle,
            variable=entry.variable,
            levels=0,
        )

    try:
        flux = read(MASS)
        per_mole = entry.molar_mass
    except TesseraError as of_mass:
        try:
            flux = read(AMOUNT)
        except TesseraError:
            raise EmissionError(f"emissions: {of_mass}; expected a flux of mass or of amount") from of_mass
        per_mole = 1.0
    if problems := flux.problems(0, end):
        raise EmissionError("; ".join(f"emissions: {text}" for text in problems))
    if per_mole is None:
        raise EmissionError(
            f"emissions: {path}: {entry.variable} is a flux of mass ({flux.file_units}); say of what, such as "
            " molar_mass: 0.046  for NOx as NO2"
        )
    grid = Grid.from_file(next(iter(sorted(glob.glob(path))), path))
    factor = entry.factor / per_mole

    def at(time: int) -> Floats:
        values = flux.at(time).ravel()
        return factor * np.where(np.isfinite(values), values, 0.0)

    return Source(f"{path}: {entry.variable}", grid, at, entry.species, entry.molar_mass or 0.0, entry)


class OnCells:
    """Sources on cells of a grid.

    Parameters
    ----------
    sources : fluxes
    grid : that they are wanted on
    rows : flat cells of it
    """

    def __init__(self, sources: Sequence[Source], grid: Grid, rows: Any):
        self.sources = tuple(sources)
        made: dict[str, Any] = {}
        for s in self.sources:
            if s.grid.fingerprint not in made:
                made[s.grid.fingerprint] = make_weights(
                    s.grid, grid, "conservative", source_mask=None, target_mask=None, rows=rows
                )
        self._weights = [made[s.grid.fingerprint] for s in self.sources]
        self._held: dict[int, tuple[Floats, Floats]] = {}

    def fluxes(self, time: int) -> list[Floats]:
        """Flux (rows,) of each source at a model time, mol m-2 s-1, without hours, weekdays and months.

        Parameters
        ----------
        time : s since the start of the case
        """
        out = []
        for n, (s, w) in enumerate(zip(self.sources, self._weights, strict=True)):
            given = s.at(time)
            held = self._held.get(n)
            if held is None or not np.array_equal(held[0], given):
                values = np.zeros((w.shape[0], 1))
                apply_weights(w.indptr, w.indices, w.data, np.ascontiguousarray(given[:, None]), values)
                held = self._held[n] = (given.copy(), np.nan_to_num(values[:, 0]))
            out.append(held[1])
        return out


def rhythm(course: Course, longitude: Tensor, date: Any) -> Tensor:
    """Factor (ny, nx) of the hour and the day of the week in local solar time, and of the month.

    Parameters
    ----------
    course : hours, weekdays, months
    longitude : degrees east
    date : UTC, a cftime date
    """
    seconds = 3600.0 * date.hour + 60.0 * date.minute + date.second
    east = (longitude + 180.0) % 360.0 - 180.0
    local = seconds + 240.0 * east
    out = torch.ones_like(longitude)
    if course.hours:
        table = torch.tensor(course.hours, dtype=longitude.dtype)
        out = out * (table * (24.0 / sum(course.hours)))[(torch.floor(local / 3600.0).long() % 24)]
    if course.weekdays:
        table = torch.tensor(course.weekdays, dtype=longitude.dtype)
        day = torch.floor(local / 86400.0).long() + int(date.dayofwk)
        out = out * (table * (7.0 / sum(course.weekdays)))[day % 7]
    if course.months:
        out = out * (course.months[date.month - 1] * (12.0 / sum(course.months)))
    return out


def by_layer(course: Course, interfaces: Tensor) -> Tensor:
    """Share (nz, ny, nx) of an emission that each layer gets; the lowest what comes from the ground.

    Parameters
    ----------
    course : heights
    interfaces : (nz+1, ny, nx) heights above the ground, m
    """
    out = torch.zeros_like(interfaces[1:])
    ground = 1.0
    for slab in course.heights:
        low, high = (torch.clamp(a, slab.bottom, slab.top) for a in (interfaces[:-1], interfaces[1:]))
        part = (high - low) / (slab.top - slab.bottom)
        within = torch.zeros_like(part[0])
        for layer in part:
            within = within + layer
        part[-1] = part[-1] + (1.0 - within)  # what is above the lid stays below it
        out = out + slab.share * part
        ground -= slab.share
    out[0] = out[0] + max(ground, 0.0)
    return out


def isoprene(capacity: float, temperature: Tensor, sunlight: Tensor) -> Tensor:
    """Flux of isoprene from plants, in the unit of ``capacity``: its share by light and temperature.

    Parameters
    ----------
    capacity : at 303 K and 1000 umol m-2 s-1
    temperature : of the air, K
    sunlight : W m-2, of which .45 is light that plants use
    """
    photons = 0.45 * PAR_PHOTONS * sunlight  # umol m-2 s-1
    alpha, c_l = 0.0027, 1.066
    light = alpha * c_l * photons / torch.sqrt(1.0 + alpha * alpha * photons * photons)
    t_s, t_m, c_1, c_2, c_3 = 303.0, 314.0, 95000.0, 230000.0, 0.961
    below = GAS_CONSTANT * t_s * temperature
    warmth = torch.exp(c_1 * (temperature - t_s) / below) / (c_3 + torch.exp(c_2 * (temperature - t_m) / below))
    return capacity * light * warmth


def totals(sources: Sequence[Source], grid: Grid, time: int) -> list[str]:
    """What `check` says: Tg a year of each source in its file, on the grid and in the domain; what is nothing there.

    Parameters
    ----------
    sources : fluxes
    grid : of the chemistry; its outermost cells are outside the domain
    time : whose rate is told, s since the start of the case
    """
    inside = np.zeros(grid.shape, bool)
    inside[1:-1, 1:-1] = True
    on = OnCells(sources, grid, np.arange(grid.size))
    area = grid.area.ravel()
    lines = []
    by_name: dict[str, tuple[Source, Floats]] = {}  # parts of one total are told together
    sums: dict[str, list[float]] = {}
    for s, flux in zip(sources, on.fluxes(time), strict=True):
        amounts = np.array([s.at(time) @ s.grid.area.ravel(), flux @ area, flux[inside.ravel()] @ area[inside.ravel()]])
        before = by_name.get(s.name)
        by_name[s.name] = (s, amounts if before is None else before[1] + amounts)
    for s, amounts in by_name.values():
        unit, size = ("Tg", s.molar_mass / TERAGRAM) if s.molar_mass else ("Tmol", 1.0e-12)
        there = " ".join(s.species)
        file, all_cells, domain = (float(p) * YEAR * size for p in amounts)
        lines.append(
            f"emissions of {there} ({s.name}): {file:.4g} {unit} a year in the file, {all_cells:.4g} on the grid,"
            f" {domain:.4g} in the domain"
        )
        for species, share in s.species.items():
            sums.setdefault(species, []).append(share * domain)
    nothing = [species for species, parts in sums.items() if sum(parts) == 0.0]
    if nothing:
        lines.append(f"emissions of {', '.join(nothing)} come to nothing in the domain")
    return lines
