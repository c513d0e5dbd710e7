# SPDX-License-Identifier: BSD-3-Clause
"""The namelist of a single column of the ocean, in SI units, temperatures in degrees C and salinities in g kg-1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import model_validator

from components.ocean.primitive.mixing_schemes import MIXING
from components.science.single_column.parameters import Number, Value, as_many, increasing, read, within
from coupler.namelist import Duration, Length, LengthOrNone, Namelist, Range, checked, quantity, whole

Depth = Annotated[float, Range(least=0.0, most=1.2e4, unit="m")]
Background = quantity("m2 s-1", least=0.0, most=100.0)
CASES = "ocean_columns"


class Profile(Namelist):
    """Values by depth, linear in between and constant outside: {depth: [0, 100], value: [15.0, 10.0]}."""

    depth: list[Depth]
    """Depths, m, increasing."""
    value: list[Value]
    """A value a depth."""

    @model_validator(mode="after")
    def _alike(self) -> "Profile":
        increasing(self.depth, "depth")
        as_many(self.value, self.depth, "value", "depth")
        return self

    def at(self, z: Any) -> Any:
        """Values at depths ``z`` (numpy, m)."""
        return np.interp(z, self.depth, self.value)


class Grid(Namelist):
    """Levels: even ones, or levels that thicken downward where ``first`` is given."""

    depth: Length
    """Of the sea floor."""
    levels: whole(3, 1000) = 50
    """Number of levels."""
    first: LengthOrNone = 0.0
    """Thickness of the uppermost level; 0: all levels are alike."""

    @model_validator(mode="after")
    def _fits(self) -> "Grid":
        if self.first * self.levels > self.depth:
            raise ValueError("levels as thick as 'first' reach below the sea floor: use fewer or thinner ones")
        return self

    def thickness(self) -> Any:
        """Thickness of the levels from the surface down, m; each thicker than the one above by the same factor."""
        if not self.first:
            return np.full(self.levels, self.depth / self.levels)
        low, high = 1.0, 10.0
        for _ in range(100):
            factor = 0.5 * (low + high)
            total = self.first * np.sum(factor ** np.arange(self.levels))
            low, high = (factor, high) if total < self.depth else (low, factor)
        h = self.first * factor ** np.arange(self.levels)
        return h * (self.depth / h.sum())


class Start(Namelist):
    """Profiles at the start."""

    temperature: within(Profile, "degC", -3.0, 45.0)
    """Conservative temperature, degrees C."""
    salinity: within(Profile, "g kg-1", 0.0, 50.0) = Profile(depth=[0.0], value=[35.0])
    """Absolute salinity, g kg-1."""


class Forcing(Namelist):
    """What passes the surface, by time; positive into the sea."""

    eastward_stress: within(Number, "N m-2", -20.0, 20.0) = 0.0
    """N m-2."""
    northward_stress: within(Number, "N m-2", -20.0, 20.0) = 0.0
    """N m-2."""
    heat: within(Number, "W m-2", -1.0e4, 1.0e4) = 0.0
    """All heat but sunlight, W m-2."""
    shortwave: within(Number, "W m-2", 0.0, 1.5e3) = 0.0
    """Net sunlight, W m-2."""
    diurnal: bool = False
    """Whether ``shortwave`` is the mean of a day, to be shared out by the sun's height."""
    freshwater: within(Number, "kg m-2 s-1", -0.1, 0.1) = 0.0
    """Precipitation and runoff less evaporation, kg m-2 s-1."""


class Case(Namelist):
    """A column's namelist."""

    title: str
    """For the output file."""
    source: str = ""
    """Where the case comes from."""
    latitude: quantity("degree", least=-90.0, most=90.0) = 0.0
    """Degrees north: of the Coriolis force and the sun."""
    coriolis_parameter: quantity("s-1", least=-2.0e-4, most=2.0e-4) | None = None
    """In place of that of the latitude."""
    day: quantity("day", least=0.0, most=366.0) = 0.0
    """Day of the year at the start, fractional, by the sun: noon is at .5."""
    duration: Duration
    """Length of the run."""
    step: Duration = 1200
    """Time step."""
    output: Duration = 86400
    """Time between outputs."""
    grid: Grid
    """Levels."""
    start: Start
    """Profiles at the start."""
    forcing: Forcing = Forcing()
    """What passes the surface."""
    vertical_mixing: checked(MIXING.check) = "tke"
    """Scheme, by the words of the ocean, with options."""
    equation_of_state: Literal["teos10", "linear"] = "teos10"
    """Density of seawater."""
    thermal_expansion: quantity("K-1", least=0.0, most=1.0e-3) = 2.0e-4
    """With the linear equation of state."""
    haline_contraction: quantity("kg g-1", least=0.0, most=2.0e-3) = 7.6e-4
    """With the linear equation of state."""
    jerlov: Literal["I", "IA", "IB", "II", "III"] = "I"
    """Optical water type."""
    background_viscosity: Background = 1.0e-4
    """Where nothing stirs."""
    background_diffusivity: Background = 1.0e-5
    """Where nothing stirs."""

    @model_validator(mode="after")
    def _multiples(self) -> "Case":
        for name in ("duration", "output"):
            if self.step < 1 or getattr(self, name) % self.step or getattr(self, name) < self.step:
                raise ValueError(f"{name} is not a multiple of step ({self.step} s)")
        if self.forcing.diurnal and 86400 % self.step:
            raise ValueError(f"with a diurnal sun a day is a multiple of step ({self.step} s)")
        return self


def read_case(path: Path, changes: Sequence[str] = ()) -> Case:
    """A column's namelist from its file.

    Parameters
    ----------
    path : YAML file
    changes : such as ``step=PT1H`` or ``vertical_mixing=kpp``, which win over the file
    """
    return read(path, Case, changes)
