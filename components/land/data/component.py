# SPDX-License-Identifier: BSD-3-Clause
"""Land prescribed from CF files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.land.energy_balance import Air, Fluxes, resting, solve
from components.science.surface_fields import AIR_OVER_LAND, RADIATING, SURFACE_FLUXES
from coupler.component import Array, Context, Fields
from coupler.fields import FieldSpec, specs
from coupler.files.prescribed import Prescribed
from coupler.namelist import Fraction, quantity

PARTS = ("sensible", "latent", "eastward_stress", "northward_stress", "evaporation", "longwave_up", "shortwave_up")
FLUXES = dict(zip(SURFACE_FLUXES, PARTS, strict=True))
Roughness = quantity("m", least=1e-6, most=10.0)
AirHeight = quantity("m", above=0.0, most=1000.0)


class DataLand(Prescribed):
    """Surface temperature from CF files, interpolated in time; land where the file's `land_binary_mask` is 1."""

    description = "prescribed surface temperature"
    offers = ("surface_temperature",)
    mask_variable = "land_binary_mask"
    mask_least = 0.0  # interpolated: all cells with some land

    class Options(Prescribed.Options):
        """Options of the data land."""

        fluxes: bool = False
        """Whether it gives the air the fluxes of a ground with the prescribed temperature, as an active air needs."""
        wetness: Fraction = 0.5
        """Evaporation over potential evaporation."""
        albedo: Fraction = 0.2
        """Albedo of the ground."""
        emissivity: Fraction = 0.97
        """Longwave emissivity."""
        roughness: Roughness = 0.1
        """Roughness length."""
        air_height: AirHeight = 10.0
        """Height of the air's values above ground, where no height is imported."""

    def __init__(self, options: Any):
        super().__init__(options)
        if options.fluxes:
            self.imports = specs(*AIR_OVER_LAND, FieldSpec("height", required=False))
            given = [f.name for f in self.exports]  # the albedo may come from the files
            self.exports = (*self.exports, *specs(*FLUXES, *(name for name in RADIATING if name not in given)))

    def initialize(self, context: Context) -> Fields:
        """Open the files; no flux has passed yet."""
        fields = super().initialize(context)
        if self.options.fluxes:
            ground = np.where(self._wanted, fields["surface_temperature"], 280.0)
            fields = self._with_fluxes(fields, resting(ground, self._radiating(fields)[1]))
        return fields

    def _radiating(self, fields: Fields) -> tuple[Array, Array]:
        """Albedo and emissivity: those of the files, where they are prescribed, or the options'."""
        o, land = self.options, self._wanted
        given = zip(RADIATING[:0:-1], (o.albedo, o.emissivity), strict=True)
        albedo, emissivity = (np.where(land, fields.get(name, option), option) for name, option in given)
        return albedo, emissivity

    def _with_fluxes(self, fields: Fields, fluxes: Fluxes) -> Fields:
        """The prescribed fields, the fluxes, and how the ground radiates."""
        albedo, emissivity = self._radiating(fields)
        radiating = dict(zip(RADIATING, (fluxes.emitted, emissivity, albedo), strict=True))
        return {**radiating, **fields, **{name: getattr(fluxes, part) for name, part in FLUXES.items()}}

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """The fields at the end of the step, and the fluxes at that temperature."""
        fields, o = super().step(time, seconds, imports), self.options
        if not o.fluxes:
            return fields
        land = self._wanted
        ground = np.where(land, fields["surface_temperature"], 280.0)
        elsewhere = {"air_temperature": 280.0, "surface_air_pressure": 1.0e5}
        t, q, east, north, p, sun, sky = (np.where(land, imports[n], elsewhere.get(n, 0.0)) for n in AIR_OVER_LAND)
        air = Air(t, q, east, north, np.sqrt(east * east + north * north), p, sun, sky)
        height = np.where(land, imports["height"], o.air_height) if "height" in imports else o.air_height
        # a ground of endless heat capacity and water keeps its temperature
        albedo, emissivity = self._radiating(fields)
        _, fluxes = solve(ground, air, o.wetness, np.inf, albedo, emissivity, o.roughness, np.inf, height, seconds)
        return self._with_fluxes(fields, fluxes)
