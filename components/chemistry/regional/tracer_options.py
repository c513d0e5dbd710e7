# SPDX-License-Identifier: BSD-3-Clause
"""What the namelist says of passive tracers and carbon dioxide."""

from typing import Annotated, Any, Literal

from components.chemistry.regional import carbon_dioxide
from components.chemistry.regional.aerosol.secondary_organic import VAPOUR
from components.chemistry.regional.aerosol.species import KINDS
from components.science.tracers import Tracer
from coupler.namelist import Namelist, Range, Unit

Ratio = Annotated[float, Range(least=0.0, most=1.0e12)]
Flux = Annotated[float, Range(least=-1.0, most=1.0)]


class PassiveTracer(Namelist):
    """``{name: dust, start: 0, settles: 0.01, boundary: hold, surface_flux: 1.0e-9}``."""

    name: str
    """Its name, in output and restarts too."""
    units: str = "kg kg-1"
    """Units of its mixing ratio to dry air."""
    start: Ratio = 0.0
    """Its mixing ratio everywhere at the start."""
    mixed_by_turbulence: bool = True
    """Whether the boundary layer mixes it."""
    carried_by_convection: bool = True
    """Whether the updraughts of the convection carry it."""
    settles: Annotated[float, Unit("m s-1"), Range(least=0.0, most=50.0)] = 0.0
    """Fall speed."""
    boundary: Literal["zero", "hold"] = "hold"
    """What comes in through the sides: nothing, or the start's values."""
    surface_flux: Flux = 0.0
    """Upward flux through the ground, in its units times kg m-2 s-1."""

    def tracer(self) -> Tracer:
        """As the transport sees it."""
        return Tracer(
            self.name, self.units, mixed_by_turbulence=self.mixed_by_turbulence,
            carried_by_convection=self.carried_by_convection, settles=self.settles, boundary=self.boundary,
        )  # fmt: skip


class CarbonDioxide(Namelist):
    """``{start: 4.0e-4, fossil_flux: 1.0e-9}``."""

    start: Annotated[float, Range(least=0.0, most=0.05)] = 4.0e-4
    """Mole fraction at the start and at the sides."""
    fossil_flux: Flux = 0.0
    """Upward flux of carbon from fossil fuel, kg m-2 s-1, the same everywhere."""
    ocean_flux: Flux = 0.0
    """Upward flux of carbon from the ocean, kg m-2 s-1, the same everywhere."""


def declared(options: Any) -> tuple[Tracer, ...]:
    """Tracers beside the gases: passive ones, tags of carbon dioxide, particles and their vapour.

    Parameters
    ----------
    options : of the chemistry
    """
    tags = carbon_dioxide.tracers() if options.carbon_dioxide is not None else ()
    aerosol = (*(kind.tracer() for kind in KINDS), VAPOUR) if options.aerosol is not None else ()
    return (*(t.tracer() for t in options.tracers), *tags, *aerosol)
