# SPDX-License-Identifier: BSD-3-Clause
"""The namelist of a single column: what acts on it, as its paper says it, in SI units."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import model_validator

from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Law
from components.atmosphere.nonhydrostatic.physics.tables import BOUNDARY_LAYER, CONVECTION, MICROPHYSICS, RADIATION
from components.science.gases import GasOptions, Year
from components.science.single_column.parameters import Moment, Number, Value, as_many, increasing, read, within
from coupler.namelist import (
    Duration,
    Fraction,
    Length,
    LengthOrNone,
    Namelist,
    Range,
    checked,
    number,
    quantity,
    whole,
)

CASES = "columns"
Height = Annotated[float, Range(least=0.0, most=1.0e5, unit="m")]
Levels = whole(3, 2000)
FEWEST = 3  # layers of even thickness


class Profile(Namelist):
    """Values by height, and by time where ``time`` is given; linear in between, constant outside.

    {height: [0, 1000], value: [300, 303]} or {time: [0, 3600], height: [0, 1000], value: [[300, 303], [301, 303]]}.
    """

    height: list[Height]
    """Heights above the ground, m, increasing."""
    value: list[Value] | list[list[Value]]
    """A value a height; with times, such a list a time."""
    time: list[Moment] = []
    """Times since the start, s, increasing; without: the same always."""

    @model_validator(mode="after")
    def _alike(self) -> "Profile":
        increasing(self.height, "height")
        rows: list[Any] = list(self.value)
        if not self.time:
            if any(isinstance(v, list) for v in rows):
                raise ValueError("value is a list of lists: expected 'time' beside it, with a time for each")
            as_many(rows, self.height, "value", "height")
            return self
        increasing(self.time, "time")
        as_many(rows, self.time, "value", "time")
        for row in rows:
            if not isinstance(row, list):
                raise ValueError("with 'time' value is a list of lists, one a time")
            as_many(row, self.height, "a list in value", "height")
        return self

    def at(self, z: Any, time: float = 0.0) -> Any:
        """Values at heights ``z`` (numpy, m) and ``time`` (s)."""
        rows = np.atleast_2d(np.asarray(self.value, dtype=float))
        if self.time:
            row = [np.interp(time, self.time, rows[:, k]) for k in range(rows.shape[1])]
        else:
            row = list(rows[0])
        return np.interp(z, self.height, row)


WIND = "m s-1", -300.0, 300.0
HEAT = "W m-2", -2.0e3, 5.0e3


class Grid(Namelist):
    """Layers: the model's stretched ones, or even ones where ``spacing`` is given."""

    levels: Levels = 24
    """Number of stretched layers."""
    top: Length = 22000.0
    """Height of the lid."""
    lowest_layer: Length = 80.0
    """Thickness of the lowest of the stretched layers."""
    spacing: LengthOrNone = 0.0
    """Thickness of even layers; 0: stretched ones."""


class Start(Namelist):
    """Profiles at the start."""

    potential_temperature: within(Profile, "K", 100.0, 1.0e5) | None = None
    """K; this or ``temperature``."""
    temperature: within(Profile, "K", 100.0, 400.0) | None = None
    """K."""
    specific_humidity: within(Profile, "kg kg-1", 0.0, 0.1) = Profile(height=[0.0], value=[0.0])
    """kg/kg."""
    eastward_wind: within(Profile, *WIND) = Profile(height=[0.0], value=[0.0])
    """m s-1."""
    northward_wind: within(Profile, *WIND) = Profile(height=[0.0], value=[0.0])
    """m s-1."""

    @model_validator(mode="after")
    def _one(self) -> "Start":
        if (self.potential_temperature is None) == (self.temperature is None):
            raise ValueError("expected either potential_temperature or temperature")
        return self


class Surface(Namelist):
    """The ground: given fluxes, or a temperature by which similarity theory finds them."""

    sensible_heat_flux: within(Number, *HEAT) | None = None
    """Upward, W m-2."""
    latent_heat_flux: within(Number, *HEAT) | None = None
    """Upward, W m-2: evaporation times the latent heat at 0 degC."""
    kinematic_heat_flux: within(Number, "K m s-1", -2.0, 5.0) | None = None
    """Upward flux of potential temperature, K m s-1, in place of the sensible heat flux."""
    kinematic_moisture_flux: within(Number, "m s-1", -1.0e-3, 2.0e-3) | None = None
    """Upward flux of specific humidity, m s-1, in place of the latent heat flux."""
    friction_velocity: within(Number, "m s-1", 1.0e-3, 10.0) | None = None
    """m s-1; without it the stress follows from the roughness."""
    temperature: within(Number, "K", 150.0, 400.0) | None = None
    """Of the ground, K; without fluxes, they follow from it."""
    wetness: Fraction = 0.0
    """Share of saturation at the ground: 1 over water, 0 over dry ground."""
    roughness: Length = 0.1
    """Roughness length of momentum."""
    roughness_heat: LengthOrNone = 0.0
    """Roughness length of heat and water; 0: that of momentum."""
    beta_momentum: number(least=1.0, most=20.0) = 5.0
    """Slope of phi_m in stable air."""
    beta_heat: number(least=1.0, most=20.0) = 5.0
    """Slope of phi_h in stable air."""
    gustiness: quantity("m s-1", least=0.0, most=20.0) = 0.1
    """Least wind that the fluxes see."""
    albedo: Fraction = 0.1
    """For sunlight."""

    @model_validator(mode="after")
    def _enough(self) -> "Surface":
        if self.temperature is None and self.sensible_heat_flux is None and self.kinematic_heat_flux is None:
            raise ValueError("expected a temperature or a flux of heat")
        for a, b in (
            ("sensible_heat_flux", "kinematic_heat_flux"),
            ("latent_heat_flux", "kinematic_moisture_flux"),
        ):
            if getattr(self, a) is not None and getattr(self, b) is not None:
                raise ValueError(f"{a} and {b} are the same: give one of them")
        return self


class Forcing(Namelist):
    """What acts on the column besides its physics."""

    geostrophic_eastward_wind: within(Profile, *WIND) | None = None
    """m s-1; with the Coriolis parameter of the latitude."""
    geostrophic_northward_wind: within(Profile, *WIND) | None = None
    """m s-1; 0 where the other one is given alone."""
    vertical_velocity: within(Profile, "m s-1", -10.0, 10.0) | None = None
    """Of the large scale, m s-1, upward; it moves temperature, humidity and momentum."""
    potential_temperature_tendency: within(Profile, "K s-1", -0.1, 0.1) | None = None
    """Advection and given radiation, K s-1."""
    temperature_tendency: within(Profile, "K s-1", -0.1, 0.1) | None = None
    """The same as a tendency of temperature, K s-1."""
    specific_humidity_tendency: within(Profile, "s-1", -1.0e-5, 1.0e-5) | None = None
    """Advection, s-1."""
    wind_relaxation: Duration = 0
    """Time in which the wind is drawn to that of the start; 0: it is not."""


class Sun(Namelist):
    """What the radiation scheme needs to know; without ``cosine_zenith`` the sun follows date and place."""

    start: quantity("day", least=0.0, most=366.0) = 79.0
    """Day of the year (2000) at the start, fractional, UTC."""
    year: Year = 2014
    """Of the well-mixed gases, unless ``gases`` says another."""
    cosine_zenith: Fraction | None = None
    """Fixed cosine of the zenith angle."""
    insolation: quantity("W m-2", least=0.0, most=2000.0) | None = None
    """At the top, fixed, with ``cosine_zenith``."""
    interval: Duration = 3600
    """Time between calls of the radiation scheme."""


class Case(Namelist):
    """A column's namelist."""

    title: str
    """For the output file."""
    source: str = ""
    """Where the case comes from."""
    latitude: quantity("degree", least=-90.0, most=90.0) = 0.0
    """Degrees north."""
    longitude: quantity("degree", least=-360.0, most=360.0) = 0.0
    """Degrees east."""
    coriolis_parameter: quantity("s-1", least=-2.0e-4, most=2.0e-4) | None = None
    """In place of that of the latitude."""
    duration: Duration
    """Length of the run."""
    step: Duration = 60
    """Time step."""
    output: Duration = 600
    """Time between outputs."""
    surface_pressure: quantity("Pa", least=2.0e4, most=1.2e5)
    """At the ground at the start."""
    grid: Grid = Grid()
    """Layers."""
    start: Start
    """Profiles at the start."""
    surface: Surface
    """The ground."""
    forcing: Forcing = Forcing()
    """What acts from outside."""
    sun: Sun = Sun()
    """For the radiation scheme."""
    microphysics: checked(MICROPHYSICS.check) = "none"
    """Cloud scheme, by the words of the atmosphere."""
    boundary_layer: checked(BOUNDARY_LAYER.check) = "ysu"
    """Turbulence scheme."""
    convection: checked(CONVECTION.check) = "none"
    """Cumulus scheme."""
    radiation: checked(RADIATION.check) = "none"
    """Radiation scheme; none leaves what ``forcing`` gives."""
    cloud_fraction: Law = "sundqvist"
    """As in the atmosphere."""
    cell: Length = 1.0e5
    """Width of the cell that the column stands for; how unlike its air is, as clouds that radiation sees have it."""
    gases: GasOptions = GasOptions()
    """Well-mixed gases for the radiation scheme."""

    @model_validator(mode="after")
    def _multiples(self) -> "Case":
        for name in ("duration", "output"):
            if self.step < 1 or getattr(self, name) % self.step or getattr(self, name) < self.step:
                raise ValueError(f"{name} is not a multiple of step ({self.step} s)")
        if self.radiation != "none" and self.sun.interval % self.step:
            raise ValueError(f"sun.interval is not a multiple of step ({self.step} s), at which radiation could be due")
        if self.grid.spacing * FEWEST > self.grid.top:
            raise ValueError(f"grid: at least {FEWEST} layers of 'spacing' must fit under the lid: make them thinner")
        if not self.grid.spacing and self.grid.levels * self.grid.lowest_layer >= self.grid.top:
            raise ValueError("grid: the layers do not fit under the lid: use fewer or thinner ones")
        lowest = 0.5 * (self.grid.spacing or self.grid.lowest_layer)
        if max(self.surface.roughness, self.surface.roughness_heat) >= lowest:
            raise ValueError(f"surface: the roughness reaches to the middle of the lowest layer, {lowest:g} m")
        return self


def read_case(path: Path, changes: Sequence[str] = ()) -> Case:
    """A column's namelist from its file.

    Parameters
    ----------
    path : YAML file
    changes : such as ``grid.spacing=50`` or ``boundary_layer=mynn``, which win over the file

    Raises
    ------
    NamelistError
        Every mistake at its file and line.
    """
    return read(path, Case, changes)
