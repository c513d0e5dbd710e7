# SPDX-License-Identifier: BSD-3-Clause
"""Land of one layer of heat and one bucket of water."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.land.energy_balance import resting
from components.land.slab.advance import Ground, State
from components.science.constants import LATENT_FUSION
from components.science.surface_fields import AIR_OVER_LAND, NET_RADIATION, RADIATING, SURFACE_FLUXES
from coupler.component import Component, Context, Fields, Setting
from coupler.errors import TesseraError
from coupler.fields import FieldSpec, specs
from coupler.files.forcing import Forcing, optional_mask
from coupler.grids.grid import Grid
from coupler.namelist import Fraction, Namelist, Temperature, quantity

HeatCapacity = quantity("J m-2 K-1", least=1.0e3, most=1.0e10)
Water = quantity("kg m-2", above=0.0, most=1.0e5)
Snow = quantity("kg m-2", above=0.0, most=1.0e4)
Roughness = quantity("m", least=1e-6, most=10.0)
AirHeight = quantity("m", above=0.0, most=1000.0)


class SlabLand(Component):
    """Energy balance of one layer, Manabe's bucket, snow; owns its fluxes; see README.md."""

    description = "one layer of heat, one bucket of water"
    imports = specs(
        *AIR_OVER_LAND,
        "precipitation_flux",
        FieldSpec("snowfall_flux", required=False),
        FieldSpec("wind_speed", required=False),
        FieldSpec("height", required=False),
    )
    exports = specs(
        "surface_temperature",
        *RADIATING,
        *SURFACE_FLUXES,
        *NET_RADIATION,
        "runoff_flux",
        "mass_content_of_water_in_soil",
        "volume_fraction_of_condensed_water_in_soil",
        "surface_snow_amount",
    )

    shapes_state = ("bucket", "heat_capacity")

    class Options(Namelist):
        """Options of the slab land."""

        heat_capacity: HeatCapacity = 1.0e6
        """Heat capacity of the layer (half a metre of moist soil)."""
        bucket: Water = 150.0
        """Water the soil holds (Manabe 1969)."""
        initial_wetness: Fraction = 0.5
        """Share of the bucket that is full at the start."""
        roughness: Roughness = 0.1
        """Roughness length."""
        albedo: Fraction = 0.18
        """Albedo of snow-free ground."""
        snow_albedo: Fraction = 0.6
        """Albedo of ground under deep snow."""
        snow_masking: Snow = 10.0
        """Snow that covers half of the ground."""
        emissivity: Fraction = 0.97
        """Longwave emissivity."""
        air_height: AirHeight = 10.0
        """Height of the air's values above ground, where no height is imported."""
        initial_temperature: Temperature = 283.0
        """Temperature at the start, where no file gives it."""
        file: str = ""
        """CF file with surface_temperature (the state at the start) and, optionally, land_binary_mask; looked up in the
        case, then in data/."""

    def _initial(self, setting: Setting, block: Any = None) -> Forcing | None:
        if not self.options.file:
            return None
        return Forcing(
            setting.file(self.options.file), "surface_temperature", setting.clock, grid=setting.grid, block=block
        )

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid with the file's land mask, where it has one; interpolated: all cells with some land."""
        if not self.options.file:
            return {"default": setting.grid}
        mask = optional_mask(setting.file(self.options.file), "land_binary_mask", setting.clock, grid=setting.grid)
        return {"default": setting.grid if mask is None else setting.grid.with_mask(mask > 0.0)}

    def check(self, setting: Setting) -> list[str]:
        """A file that is missing or does not hold the start."""
        try:
            initial = self._initial(setting)
        except TesseraError as error:
            return [str(error)]
        return [] if initial is None else initial.problems(0, 0)

    def initialize(self, context: Context) -> Fields:
        """State at the start; no flux has passed yet."""
        b = context.decomposition.block_of(context.rank)
        initial = self._initial(context, (slice(b.y0, b.y1), slice(b.x0, b.x1)))
        shape = context.local_shape
        o = self.options
        self.land = context.local(self.grids(context)["default"].mask)
        self.ground = Ground(
            self.land, o.heat_capacity, o.bucket, o.roughness, o.albedo, o.snow_albedo, o.snow_masking, o.emissivity,
            o.air_height,
        )  # fmt: skip
        temperature = np.full(shape, o.initial_temperature) if initial is None else initial.at(0)
        zero = np.zeros(shape)
        self.now = State(temperature, np.full(shape, o.initial_wetness * o.bucket), zero)
        return self.exports_of(self.now)

    @property
    def snow(self) -> Any:
        """Snow on the ground, kg m-2."""
        return self.now.snow

    def advance(self, state: State, forcing: Mapping[str, Any], seconds: float) -> tuple[State, dict[str, Any]]:
        """One step as a function of arrays or tensors, see `advance.Ground`; it leaves the component as it is."""
        return self.ground.advance(state, forcing, seconds)

    def exports_of(self, state: State) -> dict[str, Any]:
        """Fields of a state by CF name, arrays or tensors, while no flux passes: as at the start."""
        zero = 0.0 * state.snow
        return self.ground.exports(state, resting(state.temperature, self.options.emissivity), zero)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Energy balance, then water balance."""
        self.now, fields = self.advance(self.now, imports, seconds)
        return fields

    def state(self) -> dict[str, Any]:
        """Temperature, soil water, snow."""
        return self.now._asdict()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a saved state; the last fluxes come from the couplings' own restart."""
        self.now = State(**{name: np.array(state[name]) for name in State._fields})

    def budget(self) -> dict[str, np.ndarray]:
        """Heat (less what melting the snow will take) and water."""
        s = self.now
        heat = self.options.heat_capacity * s.temperature - LATENT_FUSION * s.snow
        return {"heat": np.where(self.land, heat, 0.0), "water": np.where(self.land, s.soil + s.snow, 0.0)}
