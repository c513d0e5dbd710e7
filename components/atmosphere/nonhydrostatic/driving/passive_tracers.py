"""Passive tracers of a namelist: declared there, moved with the air, without effect on it."""

from typing import Annotated, Literal

from components.science.tracers import Tracer
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
