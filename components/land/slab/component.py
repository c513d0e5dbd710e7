"""Land of one layer of heat and one bucket of water."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.land.energy_balance import Air, Fluxes, solve
from components.land.slab.bucket import snow_albedo, water_balance, wetness
from components.science.constants import LATENT_FUSION
from coupler.component import Component, Context, Fields, Setting
from coupler.errors import TesseraError
from coupler.fields import FieldSpec, specs
from coupler.files.forcing import Forcing, optional_field
from coupler.grids.grid import Grid
from coupler.namelist import Fraction, Namelist, Temperature, quantity

ELSEWHERE = {"air_temperature": 280.0, "surface_air_pressure": 1.0e5}
"""Air over cells that are no land, which get no values."""
HeatCapacity = quantity("J m-2 K-1", least=1.0e3, most=1.0e10)
Water = quantity("kg m-2", above=0.0, most=1.0e5)
Snow = quantity("kg m-2", above=0.0, most=1.0e4)
Roughness = quantity("m", least=1e-6, most=10.0)
AirHeight = quantity("m", above=0.0, most=1000.0)


class SlabLand(Component):
    """Energy balance of one layer, Manabe's bucket, snow; owns its fluxes; see README.md."""

    description = "one layer of heat, one bucket of water"
    imports = specs(
        "air_temperature",
        "specific_humidity",
        "eastward_wind",
        "northward_wind",
        "surface_air_pressure",
        "surface_downwelling_shortwave_flux_in_air",
        "surface_downwelling_longwave_flux_in_air",
        "precipitation_flux",
        FieldSpec("wind_speed", required=False),
        FieldSpec("height", required=False),
    )
    exports = specs(
        "surface_temperature",
        "surface_albedo",
        "surface_downward_sensible_heat_flux",
        "surface_downward_latent_heat_flux",
        "surface_downward_eastward_stress",
        "surface_downward_northward_stress",
        "water_evapotranspiration_flux",
        "surface_upwelling_longwave_flux_in_air",
        "surface_upwelling_shortwave_flux_in_air",
        "surface_net_downward_longwave_flux",
        "surface_net_downward_shortwave_flux",
        "runoff_flux",
        "mass_content_of_water_in_soil",
        "surface_snow_amount",
    )

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
        mask = optional_field(setting.file(self.options.file), "land_binary_mask", setting.clock, grid=setting.grid)
        return {"default": setting.grid if mask is None else setting.grid.with_mask(mask.at(0) > 0.0)}

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
        self.land = context.local(self.grids(context)["default"].mask)
        self.temperature = np.full(shape, self.options.initial_temperature) if initial is None else initial.at(0)
        self.soil = np.full(shape, self.options.initial_wetness * self.options.bucket)
        self.snow = np.zeros(shape)
        zero = np.zeros(shape)
        return self._exports(Fluxes(*[zero] * len(Fluxes._fields)), zero)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Energy balance, then water balance."""
        o = self.options

        def air_field(name: str) -> np.ndarray:
            return np.where(self.land, imports[name], ELSEWHERE.get(name, 0.0))

        east, north = air_field("eastward_wind"), air_field("northward_wind")
        air = Air(
            air_field("air_temperature"),
            air_field("specific_humidity"),
            east,
            north,
            air_field("wind_speed") if "wind_speed" in imports else np.sqrt(east * east + north * north),
            air_field("surface_air_pressure"),
            air_field("surface_downwelling_shortwave_flux_in_air"),
            air_field("surface_downwelling_longwave_flux_in_air"),
        )
        rain = air_field("precipitation_flux") * seconds
        self.temperature, fluxes = solve(
            self.temperature,
            air,
            wetness(self.soil, self.snow, o.bucket),
            self.soil + self.snow,
            self._albedo(),
            o.emissivity,
            o.roughness,
            o.heat_capacity,
            np.where(self.land, imports["height"], o.air_height) if "height" in imports else o.air_height,
            seconds,
        )
        self.soil, self.snow, self.temperature, runoff = water_balance(
            self.soil,
            self.snow,
            self.temperature,
            rain,
            fluxes.evaporation * seconds,
            air.temperature,
            o.bucket,
            o.heat_capacity,
        )
        return self._exports(fluxes, runoff / seconds)

    def _albedo(self) -> np.ndarray:
        return snow_albedo(self.snow, self.options.albedo, self.options.snow_albedo, self.options.snow_masking)

    def _exports(self, fluxes: Fluxes, runoff: np.ndarray) -> Fields:
        return {
            "surface_temperature": self.temperature,
            "surface_albedo": self._albedo(),
            "surface_downward_sensible_heat_flux": fluxes.sensible,
            "surface_downward_latent_heat_flux": fluxes.latent,
            "surface_downward_eastward_stress": fluxes.eastward_stress,
            "surface_downward_northward_stress": fluxes.northward_stress,
            "water_evapotranspiration_flux": fluxes.evaporation,
            "surface_upwelling_longwave_flux_in_air": fluxes.longwave_up,
            "surface_upwelling_shortwave_flux_in_air": fluxes.shortwave_up,
            "surface_net_downward_longwave_flux": fluxes.net_longwave,
            "surface_net_downward_shortwave_flux": fluxes.net_shortwave,
            "runoff_flux": runoff,
            "mass_content_of_water_in_soil": self.soil,
            "surface_snow_amount": self.snow,
        }

    def state(self) -> dict[str, Any]:
        """Temperature, soil water, snow."""
        return {"temperature": self.temperature, "soil": self.soil, "snow": self.snow}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a saved state; the last fluxes come from the couplings' own restart."""
        self.temperature, self.soil, self.snow = (np.array(state[n]) for n in ("temperature", "soil", "snow"))

    def budget(self) -> dict[str, np.ndarray]:
        """Heat (less what melting the snow will take) and water."""
        heat = self.options.heat_capacity * self.temperature - LATENT_FUSION * self.snow
        return {"heat": np.where(self.land, heat, 0.0), "water": np.where(self.land, self.soil + self.snow, 0.0)}
