# SPDX-License-Identifier: BSD-3-Clause
"""What a larger model or an analysis says of the air at the sides, and at the start: fields of CF files on levels.

Values are linear in time, bilinear in place and linear in ln p; below the file's lowest level, and where it has none
under its ground, they stay as they are there. Above its highest level the background goes on.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from components.chemistry.regional.parameters import SideFile
from components.science.constants import DRY_AIR_MOLAR_MASS
from components.science.tracers import Species
from coupler.component import Setting
from coupler.errors import TesseraError
from coupler.fields import did_you_mean
from coupler.files.forcing import Forcing
from coupler.files.placement import Block

Floats = npt.NDArray[np.float64]
MOLES, MASS = "mol mol-1", "kg kg-1"
TOP = 1.0e-3
"""Pa: a highest level of no pressure stands there."""


class SideError(TesseraError):
    """A file of the sides that cannot be used."""


class SideFiles:
    """Fields of files on a block of the grid.

    Parameters
    ----------
    entries : of the namelist
    setting : folder, clock and grid of the case
    species : the tracers
    block : rows and columns of the grid

    Raises
    ------
    TesseraError
        A tracer that is not there, a file or variable that is not, a unit that is no fraction of what is wanted, levels
        that are no pressures, a grid that the file does not cover, dates that it does not have.
    """

    def __init__(self, entries: Sequence[SideFile], setting: Setting, species: Species, block: Block):
        self._fields = [_Levels(e, setting, _units(e, species), block) for e in entries]
        self._to = [{species.number(name): share for name, share in e.species.items()} for e in entries]
        self.numbers = sorted({n for to in self._to for n in to})
        """Of the tracers that come from files."""

    def onto(self, outside: torch.Tensor, time: int, p: torch.Tensor) -> None:
        """Put the files' values in the place of the background's, where they reach.

        Parameters
        ----------
        outside : (n, nz, ny, nx) all tracers, changed in place
        time : s since the start of the case
        p : (nz, ny, nx) Pa
        """
        log_p = np.log(p.double().cpu().numpy())
        between: _Between | None = None
        for field, to in zip(self._fields, self._to, strict=True):
            values, levels = field.at(time)
            if between is None or not between.of(levels):  # fields of one model have the same levels
                between = _Between(levels, log_p)
            found, known = (torch.as_tensor(a).to(outside.device) for a in (between(values), between.known))
            for n, share in to.items():
                outside[n] = torch.where(known, (share * found).to(outside), outside[n])

    def close(self) -> None:
        """Close the files (they open again when needed)."""
        for field in self._fields:
            field.close()


def problems(entries: Sequence[SideFile], setting: Setting, species: Species) -> list[str]:
    """What is wrong with the files of the sides, each entry by itself."""
    found = []
    for entry in entries:
        try:
            SideFiles([entry], setting, species, (slice(None), slice(None))).close()
        except TesseraError as error:
            found.append(f"sides: {error}")
    return found


class _Between:
    """The way from levels (Pa, from the ground up) to layers: linear in ln p, held below the lowest."""

    def __init__(self, levels: Floats, log_p: Floats):
        self.levels = levels
        log_k = np.log(np.maximum(levels, TOP))
        self._low = np.clip((log_k[:, None] >= log_p[None]).sum(0) - 1, 0, len(levels) - 2)
        below, above = self._pair(log_k)
        self._share, self.known = np.clip((below - log_p) / (below - above), 0.0, 1.0), log_p >= log_k[-1]

    def of(self, levels: Floats) -> bool:
        """Whether it begins at these levels."""
        return levels.shape == self.levels.shape and bool(np.array_equal(levels, self.levels))

    def __call__(self, values: Floats) -> Floats:
        """Values (nz, ny, nx) in the layers."""
        below, above = self._pair(values)
        return np.asarray(below + self._share * (above - below))

    def _pair(self, a: Floats) -> tuple[Floats, Floats]:
        return np.take_along_axis(a, self._low, 0), np.take_along_axis(a, self._low + 1, 0)


class _Levels:
    """One field of a file, at the pressures of a block's layers."""

    def __init__(self, entry: SideFile, setting: Setting, units: str, block: Block):
        path = str(setting.file(entry.file))
        here = f"{path}: {entry.variable}"

        def read(variable: str, wanted: str, levels: int | None = None) -> Forcing:
            return Forcing(
                path, variable, setting.clock, units=wanted, grid=setting.grid, block=block, variable=variable,
                levels=levels, cycle=entry.cycle, between=True,
            )  # fmt: skip

        self.field = read(entry.variable, units)
        self._read = [self.field]
        try:
            pressure = self.field.level_pressure()
            if pressure is None:
                raise SideError(f"{here} has no levels; expected levels of pressure, or hybrid ones with their formula")
            self.pressure = pressure
            if pressure.surface:
                self._read.append(read(pressure.surface, "Pa", 0))
            self.factor = entry.factor * _factor(self.field, entry, units, here)
            if lacking := [text for f in self._read for text in f.problems(0, setting.duration)]:
                raise SideError("; ".join(lacking))
        except BaseException:
            self.close()
            raise

    def at(self, time: int) -> tuple[Floats, Floats]:
        """Values (levels, ny, nx) and their pressures, Pa, from the ground up."""
        values = self.factor * self.field.at(time)
        levels = self.pressure.at(self._read[1].at(time) if self.pressure.surface else None)
        levels = np.broadcast_to(levels if levels.ndim > 1 else levels[:, None, None], values.shape)
        if levels[0].mean() < levels[-1].mean():
            levels, values = levels[::-1], values[::-1]
        return _filled(values, self.field), levels

    def close(self) -> None:
        """Close the files."""
        for field in self._read:
            field.close()


def _filled(values: Floats, field: Forcing) -> Floats:
    """Missing values as those of the nearest level above, or else below; levels from the ground up."""
    out = values.copy()
    for order in (range(len(out) - 2, -1, -1), range(1, len(out))):
        for k in order:
            beside = out[k + 1] if order.step < 0 else out[k - 1]
            out[k] = np.where(np.isfinite(out[k]), out[k], beside)
    if not np.isfinite(out).all():
        raise SideError(f"{field.path}: {field.variable} has columns without any value within the domain; fill them")
    return out


def _units(entry: SideFile, species: Species) -> str:
    """Units of the tracers that a field becomes: all of one kind."""
    names = species.names
    if unknown := [n for n in entry.species if n not in names]:
        text = ", ".join(f"{n!r}{did_you_mean(n, names)}" for n in unknown)
        raise SideError(f"{entry.file}: {entry.variable}: unknown tracer {text}; known: {', '.join(names)}")
    units = sorted({t.units for t in species if t.name in entry.species})
    if len(units) != 1:
        raise SideError(
            f"{entry.file}: {entry.variable} becomes {', '.join(entry.species)}, which are in {' and '.join(units)};"
            " say an entry for each"
        )
    return units[0]


def _factor(field: Forcing, entry: SideFile, units: str, here: str) -> float:
    """From fractions of mass to those of moles or back: both have the unit 1, and are told apart by their words."""
    given, standard = field.file_units, field.standard_name
    of_moles = "mol" in given or "mole_fraction" in standard or given.startswith(("ppb", "ppm", "ppt"))
    of_mass = not of_moles and ("g" in given or standard.startswith(("mass_fraction", "mass_mixing", "humidity")))
    if units == MOLES and of_mass:
        if entry.molar_mass is None:
            raise SideError(f"{here} is a fraction of mass ({given}); say of what, such as  molar_mass: 0.048")
        return DRY_AIR_MOLAR_MASS / entry.molar_mass
    if units == MASS and of_moles:
        if entry.molar_mass is None:
            raise SideError(f"{here} is a mole fraction ({given}); say of what, such as  molar_mass: 0.096")
        return entry.molar_mass / DRY_AIR_MOLAR_MASS
    if units in (MOLES, MASS) and not of_mass and not of_moles:
        raise SideError(
            f"{here} is in {given!r}: of mass or of moles? give it the unit {MASS} or {MOLES}, or a standard name"
        )
    return 1.0
