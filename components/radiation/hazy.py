# SPDX-License-Identifier: BSD-3-Clause
"""A spectral scheme on ranks of its own: it may see the chemistry's aerosol, and put out what that and clouds do."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch

from components.radiation.aerosol_exchange import aerosol_fields, aerosol_in, optics
from components.radiation.aerosol_optics import BandOptics, visible_depth
from components.radiation.exchange import RadiationComponent
from components.radiation.scheme import Air, Radiation
from coupler.component import Array, Context, Fields
from coupler.namelist import Namelist

DEPTH = "atmosphere_optical_thickness_due_to_ambient_aerosol_particles"
EFFECTS = {
    f"aerosol_effect_on_net_downward_{light}_flux_at_{level}": (light, level)
    for light in ("shortwave", "longwave")
    for level in ("top_of_atmosphere", "surface")
}
CLEAR_SKY = {
    f"{flux}_assuming_clear_sky": part
    for flux, part in {
        "toa_outgoing_longwave_flux": "outgoing_longwave",
        "toa_outgoing_shortwave_flux": "reflected_shortwave",
        "surface_downwelling_longwave_flux_in_air": "longwave_down",
        "surface_downwelling_shortwave_flux_in_air": "shortwave_down",
    }.items()
}


class Aerosol(Namelist):
    """``{feedback: true, effect: false}``: the chemistry's aerosol, whose mass fractions arrive by a rule."""

    feedback: bool = True
    """Whether the atmosphere feels it; else it gets the radiation of air without aerosol."""
    effect: bool = False
    """Whether radiation is computed twice, with aerosol and without, and the difference put out."""


class HazyScheme(Protocol):
    """A scheme that takes aerosol beside the columns."""

    def __call__(self, air: Air, aerosol: BandOptics | None = None) -> Radiation:
        """Radiation of columns."""
        ...


class HazyRadiation(RadiationComponent):
    """Radiation of a scheme that sees aerosol by its bands; subclasses make the `scheme` in `prepare`."""

    class Options(RadiationComponent.Options):
        """Options of radiation that sees aerosol."""

        aerosol: Aerosol | None = None
        """Aerosol that radiation sees: {feedback: true, effect: false}; none if not given."""
        clear_sky: bool = False
        """Whether radiation is computed a second time without clouds, and its fluxes put out for cloud forcings."""

    scheme: HazyScheme

    def __init__(self, options: Any):
        super().__init__(options)
        self._fractions: dict[str, Array] | None = None
        if options.aerosol is not None:
            self.imports = (*self.imports, *aerosol_fields(options.levels))
            units = dict.fromkeys(EFFECTS, "W m-2") if options.aerosol.effect else {}
            self.diagnostic_units = {DEPTH: "1", **units}
        if options.clear_sky:
            self.diagnostic_units = {**self.diagnostic_units, **dict.fromkeys(CLEAR_SKY, "W m-2")}

    def prepare(self, context: Context) -> None:
        """Room for what is put out."""
        self._shown = {name: np.zeros(tuple(self.lat.shape)) for name in self.diagnostic_units}

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Radiation of the columns and the aerosol that have arrived."""
        self._fractions = None if self.options.aerosol is None else aerosol_in(imports)
        return super().step(time, seconds, imports)

    def radiate(self, air: Air) -> Radiation:
        """Radiation of this rank's columns."""
        haze = None if self._fractions is None else optics(self._fractions, air)
        felt = haze if haze is not None and self.options.aerosol.feedback else None
        if self.options.clear_sky:
            clear = self.scheme(air.without_clouds(), felt)
            self._shown |= {name: getattr(clear, part).double().numpy() for name, part in CLEAR_SKY.items()}
        if haze is not None:
            self._shown[DEPTH] = visible_depth(haze).reshape(air.t.shape[1:])
            if self.options.aerosol.effect:
                return self._with_effect(haze, air)
        return self.scheme(air, felt)

    def _with_effect(self, haze: BandOptics, air: Air) -> Radiation:
        """Radiation that the atmosphere gets; what the aerosol does to fluxes is kept for the output."""
        shape = air.t.shape[1:]
        hazy, clean = self.scheme(air, haze), self.scheme(air)
        for name, (light, level) in EFFECTS.items():
            change = net(hazy, light, level) - net(clean, light, level)
            self._shown[name] = change.double().numpy().reshape(shape)
        return hazy if self.options.aerosol.feedback else clean

    def diagnostics(self) -> dict[str, Array]:
        """Of the last call: optical depth of the aerosol at 550 nm and its effect, fluxes without clouds."""
        return dict(self._shown)


def net(sky: Radiation, light: str, level: str) -> torch.Tensor:
    """Net downward flux (y, x), W m-2.

    Parameters
    ----------
    sky : radiation
    light : 'shortwave' or 'longwave'
    level : 'surface' or 'top_of_atmosphere'
    """
    if level == "surface":
        down, up = getattr(sky, f"{light}_down"), getattr(sky, f"{light}_up")
        return torch.as_tensor(down - up)
    return sky.insolation - sky.reflected_shortwave if light == "shortwave" else -sky.outgoing_longwave
