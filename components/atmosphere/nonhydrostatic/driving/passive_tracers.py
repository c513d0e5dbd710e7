# SPDX-License-Identifier: BSD-3-Clause
"""Passive tracers of a namelist: declared there, moved with the air, without effect on it."""

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from components.atmosphere.nonhydrostatic.driving import tracer_files
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.tracers import Species, Tracer
from coupler.component import Setting
from coupler.fields import FieldSpec, dictionary
from coupler.namelist import MetresPerSecond, Namelist, Range


class PassiveTracer(Namelist):
    """A passive tracer, a mixing ratio to dry air."""

    name: str
    """Its name, in output and restarts too."""
    units: str = "kg kg-1"
    """Units of its mixing ratio."""
    start: Annotated[float, Range(least=0.0, most=1e12)] = 0.0
    """Its mixing ratio everywhere at the start; with boundary: file, the file's."""
    mixed_by_turbulence: bool = True
    """Whether the boundary layer mixes it."""
    carried_by_convection: bool = True
    """Whether the updraughts of the convection carry it; betts_miller has no mass flux of its own and takes what its
    rain implies."""
    settles: MetresPerSecond = 0.0
    """Fall speed."""
    boundary: Literal["zero", "hold", "file", "driver"] = "hold"
    """What comes in through the sides: nothing, the start's values, those of `file`, or the driving model's, which has
    vapour only."""
    file: str = ""
    """CF netCDF with its values, looked up in the case, then in data/: a profile over height, or a field."""
    surface_flux: Annotated[float, Range(least=-1e12, most=1e12)] | str | None = None
    """Upward flux through the ground, in its units times kg m-2 s-1: a number, or the name of a field that another
    component gives; mixed in by the boundary layer."""

    def tracer(self) -> Tracer:
        """The declaration that the model works with."""
        return Tracer(
            self.name, self.units, mixed_by_turbulence=self.mixed_by_turbulence,
            carried_by_convection=self.carried_by_convection, settles=self.settles, boundary=self.boundary,
            surface_flux=self.surface_flux,
        )  # fmt: skip


def deposition(tracer: str) -> str:
    """Name of the flux of a tracer that has settled on the ground, in its units times kg m-2 s-1."""
    return f"{tracer}_deposition_flux"


def output_units(declared: Sequence[PassiveTracer]) -> dict[str, str]:
    """Names and units of what output may hold: the tracers, their columns and what settles."""
    own = {t.name: t.units for t in declared}
    columns = {f"atmosphere_mass_content_of_{name}": f"{units} kg m-2" for name, units in own.items()}
    return own | columns | {deposition(t.name): f"{t.units} kg m-2 s-1" for t in declared if t.settles > 0.0}


def flux_field(tracer: Tracer) -> FieldSpec:
    """The field that a tracer's surface flux is imported as; one outside the dictionary is in the tracer's units."""
    name = str(tracer.surface_flux)
    if name in dictionary():
        return FieldSpec(name)
    units = "kg m-2 s-1" if tracer.units in ("kg kg-1", "1") else f"{tracer.units} kg m-2 s-1"
    return FieldSpec(name, units=units, kind="flux")


def problems(
    setting: Setting,
    species: Species,
    declared: Sequence[PassiveTracer],
    taken: Collection[str],
    turbulent: bool,
) -> list[str]:
    """Tracers that cannot be: of another's name, that nothing brings in, or whose surface flux nothing mixes.

    Parameters
    ----------
    setting : of the component
    species : all tracers
    declared : those of the namelist
    taken : names that mean something else in output or restarts
    turbulent : whether there is a boundary layer
    """
    found = []
    for t in species:
        if t.boundary == "driver" and t.name != VAPOUR.name:
            found.append(f"tracer {t.name!r}: the driver has vapour only; take boundary: zero, hold or file")
        if t.surface_flux is not None and not (turbulent and t.mixed_by_turbulence):
            found.append(
                f"tracer {t.name!r} has a surface flux, which the boundary layer mixes in: it needs a"
                " boundary_layer and mixed_by_turbulence: true"
            )
    for own in declared:
        if own.name in taken:
            found.append(f"tracer {own.name!r}: the atmosphere has another field of this name; take another")
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", own.name):
            found.append(f"tracer {own.name!r}: a name is of letters, digits and underscores, the first a letter")
        found += tracer_files.problems(setting, own.name, own.units, own.boundary, own.file)
    return found
