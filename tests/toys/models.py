# SPDX-License-Identifier: BSD-3-Clause
"""Components whose numbers are easy to follow, and that can be told to fail."""

import os
import signal
import time as wall

import numpy as np

from coupler.component import Component
from coupler.fields import FieldSpec, specs
from coupler.namelist import Kelvin, Metres, Namelist


class Air(Component):
    """An air temperature that swings and relaxes to the sea; exports fluxes too."""

    imports = specs()
    exports = specs(
        "air_temperature", "surface_downwelling_shortwave_flux_in_air", "precipitation_flux", "eastward_wind",
        "northward_wind", "specific_humidity", "air_pressure_at_mean_sea_level",
        "surface_downwelling_longwave_flux_in_air",
    )  # fmt: skip

    class Options(Namelist):
        """Options of the toy air."""

        mean: Kelvin = 285.0
        """Mean temperature."""
        fail_at: int = -1
        """Model time at which rank 0 raises."""
        nan_at: int = -1
        """Model time at which a value is not a number."""
        kill_at: int = -1
        """Model time at which rank 0 is killed."""
        sleep: float = 0.0
        """Wall-clock seconds a step."""
        hang_at: int = -1
        """Model time at which it hangs."""
        turn_at: int = -1
        """Model time at which a field comes transposed."""

    def initialize(self, context):
        self.context = context
        self.lon, self.lat = context.local(context.grid.longitude), context.local(context.grid.latitude)
        self.phase = np.zeros(context.local_shape)
        return self.fields(0)

    def fields(self, time):
        wave = np.sin(self.phase + np.radians(3 * self.lon) + time / 40000.0) * np.cos(np.radians(2 * self.lat))
        return {
            "air_temperature": self.options.mean + 10 * wave,
            "surface_downwelling_shortwave_flux_in_air": 200.0 + 150.0 * wave,
            "precipitation_flux": 1e-5 * (1.0 + wave),
            "eastward_wind": 6.0 + 3 * wave,
            "northward_wind": -2.0 + wave,
            "specific_humidity": 0.008 + 0.002 * wave,
            "air_pressure_at_mean_sea_level": 101000.0 + 500 * wave,
            "surface_downwelling_longwave_flux_in_air": 320.0 + 20 * wave,
        }

    def step(self, time, seconds, imports):
        end = time + seconds
        o = self.options
        if o.sleep:
            wall.sleep(o.sleep)
        if self.context.rank == 0 and 0 <= o.fail_at <= time:
            raise RuntimeError("the toy was told to fail")
        if self.context.rank == 0 and 0 <= o.kill_at <= time:
            os.kill(os.getpid(), signal.SIGKILL)
        if 0 <= o.hang_at <= time:
            wall.sleep(3600)
        self.phase = self.phase + 1e-5 * seconds * (1.0 + 0.1 * np.sin(np.radians(self.lat)))
        out = self.fields(end)
        if self.context.rank == 0 and 0 <= o.nan_at <= time:
            out["air_temperature"] = out["air_temperature"].copy()
            out["air_temperature"][1, 2] = np.nan
        if 0 <= o.turn_at <= time:
            out["air_temperature"] = out["air_temperature"].T
        return out

    def state(self):
        return {"phase": self.phase}

    def restore(self, state):
        self.phase = np.asarray(state["phase"])


class Sea(Component):
    """A mixed layer under imported fluxes."""

    imports = specs("surface_downwelling_shortwave_flux_in_air", "precipitation_flux", "air_temperature")
    exports = specs("sea_surface_temperature", "sea_surface_salinity")

    class Options(Namelist):
        """Options of the toy sea."""

        depth: Metres = 50.0
        """Depth of the mixed layer."""

    def initialize(self, context):
        lat = context.local(context.grid.latitude)
        self.temperature = 290.0 - 0.2 * lat
        self.salt = np.full(context.local_shape, 35.0)
        return self.fields()

    def fields(self):
        return {"sea_surface_temperature": self.temperature, "sea_surface_salinity": self.salt}

    def step(self, time, seconds, imports):
        heat = imports["surface_downwelling_shortwave_flux_in_air"] - 200.0
        heat = heat + 20.0 * (imports["air_temperature"] - self.temperature)
        self.temperature = self.temperature + heat * seconds / (1025.0 * 3990.0 * self.options.depth)
        self.salt = self.salt - self.salt * imports["precipitation_flux"] * seconds / (1000.0 * self.options.depth)
        return self.fields()

    def state(self):
        return {"temperature": self.temperature, "salt": self.salt}

    def restore(self, state):
        self.temperature, self.salt = np.asarray(state["temperature"]), np.asarray(state["salt"])


class SummingSea(Sea):
    """A mixed layer that sums over its ranks at each step."""

    def initialize(self, context):
        self.context = context
        return super().initialize(context)

    def step(self, time, seconds, imports):
        out = super().step(time, seconds, imports)
        self.total = self.context.sum(self.temperature)
        return out


class FluxSea(Sea):
    """A mixed layer under the heat flux of a flux node."""

    imports = specs("surface_downward_heat_flux_in_sea_water", "water_evapotranspiration_flux")

    def step(self, time, seconds, imports):
        heat = imports["surface_downward_heat_flux_in_sea_water"]
        self.temperature = self.temperature + heat * seconds / (1025.0 * 3990.0 * self.options.depth)
        return self.fields()


class Soil(Component):
    """Takes the air's temperature at once (no lag) and gives its own back."""

    imports = specs("air_temperature")
    exports = specs("surface_temperature")

    def initialize(self, context):
        self.temperature = np.full(context.local_shape, 280.0)
        return {"surface_temperature": self.temperature}

    def step(self, time, seconds, imports):
        self.temperature = self.temperature + (imports["air_temperature"] - self.temperature) * (seconds / 86400.0)
        return {"surface_temperature": self.temperature}

    def state(self):
        return {"temperature": self.temperature}

    def restore(self, state):
        self.temperature = np.asarray(state["temperature"])


class Leaves(Component):
    """Takes carbon up at a given rate, whatever the air holds, and keeps what the air held."""

    imports = specs("mole_fraction_of_carbon_dioxide_in_air")
    exports = specs("surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon")

    class Options(Namelist):
        """Options of the toy leaves."""

        uptake: float = 0.0
        """Carbon, kg m-2 s-1."""

    def initialize(self, context):
        self.carbon_dioxide = np.zeros(context.local_shape)
        return self.exported()

    def exported(self):
        return {self.exports[0].name: np.full_like(self.carbon_dioxide, self.options.uptake)}

    def step(self, time, seconds, imports):
        self.carbon_dioxide = np.array(imports[self.imports[0].name])
        return self.exported()

    def state(self):
        return {"carbon_dioxide": self.carbon_dioxide}

    def restore(self, state):
        self.carbon_dioxide = np.asarray(state["carbon_dioxide"])
        return self.exported()


class WarmAir(Air):
    """Air that feels the ground."""

    imports = specs("surface_temperature")

    def step(self, time, seconds, imports):
        self.phase = self.phase + 1e-6 * (imports["surface_temperature"] - 280.0)
        return super().step(time, seconds, imports)


class Layers(Component):
    """A field of three levels and one of the surface; a fraction that grows weights the surface field."""

    exports = (
        FieldSpec("air_potential_temperature", levels=3),
        FieldSpec("surface_temperature", fraction="sea_ice_area_fraction"),
        FieldSpec("sea_ice_area_fraction"),
    )

    def initialize(self, context):
        self.lon, self.lat = context.local(context.grid.longitude), context.local(context.grid.latitude)
        return self.fields(0)

    def fields(self, time):
        level = np.arange(3.0)[:, None, None]
        return {
            "air_potential_temperature": 300.0 + 10 * level + np.sin(np.radians(4 * self.lon)) + time / 86400.0,
            "surface_temperature": 270.0 + 0.1 * self.lat + time / 36000.0,
            "sea_ice_area_fraction": np.clip(0.1 + 0.01 * self.lat + time / 200000.0, 0, 1),
        }

    def step(self, time, seconds, imports):
        return self.fields(time + seconds)

    def state(self):
        return {}

    def restore(self, state):
        return None


class Taker(Component):
    """Keeps what it gets."""

    imports = (FieldSpec("air_potential_temperature", levels=3, units="degC"), FieldSpec("surface_temperature"))
    exports = ()

    def initialize(self, context):
        self.got = {f.name: np.zeros((f.columns, *context.local_shape)) for f in self.imports}
        return {}

    def step(self, time, seconds, imports):
        self.got = {name: np.array(values).reshape(-1, *values.shape[-2:]) for name, values in imports.items()}
        return {}

    def state(self):
        return dict(self.got)

    def restore(self, state):
        self.got = dict(state)


class MosaicAir(Air):
    """Air that takes the sensible heat flux of all tiles below it."""

    imports = specs("surface_downward_sensible_heat_flux")

    def initialize(self, context):
        self.heat = np.zeros(context.local_shape)
        return super().initialize(context)

    def step(self, time, seconds, imports):
        self.heat = np.array(imports["surface_downward_sensible_heat_flux"])
        return super().step(time, seconds, imports)

    def state(self):
        return {**super().state(), "heat": self.heat}

    def restore(self, state):
        super().restore(state)
        self.heat = np.asarray(state["heat"])


class MaskedSea(FluxSea):
    """A sea with islands."""

    def grids(self, setting):
        lon, lat = setting.grid.longitude, setting.grid.latitude
        return {"default": setting.grid.with_mask(np.sin(0.7 * lon) * np.cos(0.9 * lat) < 0.3)}


class FarSea(Component):
    """A prescribed sea with islands of its own."""

    exports = specs("sea_surface_temperature")

    def grids(self, setting):
        lon, lat = setting.grid.longitude, setting.grid.latitude
        return {"default": setting.grid.with_mask(np.cos(0.3 * lon + 0.2 * lat) < 0.5)}

    def initialize(self, context):
        self.shape = context.local_shape
        return {"sea_surface_temperature": np.full(self.shape, 300.0)}

    def step(self, time, seconds, imports):
        return {"sea_surface_temperature": np.full(self.shape, 300.0)}

    def state(self):
        return {}

    def restore(self, state):
        return None


class Ground(Component):
    """Land whose sensible heat flux is minus one everywhere."""

    exports = specs("surface_downward_sensible_heat_flux")

    def initialize(self, context):
        self.shape = context.local_shape
        return {"surface_downward_sensible_heat_flux": np.full(self.shape, -1.0)}

    def step(self, time, seconds, imports):
        return {"surface_downward_sensible_heat_flux": np.full(self.shape, -1.0)}

    def state(self):
        return {}

    def restore(self, state):
        return None


class FluxAir(Air):
    """Air that sends a non-solar and a solar heat flux of its own, and how the first changes with temperature."""

    exports = specs(
        "air_temperature",
        "surface_downward_sensible_heat_flux",
        "surface_net_downward_shortwave_flux",
        FieldSpec("derivative_of_sensible_heat_flux", units="W m-2 K-1", kind="state"),
    )

    def fields(self, time):
        all_fields = super().fields(time)
        wave = (all_fields["air_temperature"] - self.options.mean) / 10
        return {
            "air_temperature": all_fields["air_temperature"],
            "surface_downward_sensible_heat_flux": -60.0 + 40.0 * wave,
            "surface_net_downward_shortwave_flux": 200.0 + 150.0 * wave,
            "derivative_of_sensible_heat_flux": -35.0 - 10.0 * wave,
        }


class BrightSea(Component):
    """A sea with islands, a front and some ice, that keeps the fluxes it gets."""

    imports = specs("surface_downward_sensible_heat_flux", "surface_net_downward_shortwave_flux")
    exports = specs("sea_surface_temperature", "surface_albedo")

    def grids(self, setting):
        x, y = np.meshgrid(*(np.arange(n) for n in reversed(setting.grid.shape)))
        return {"default": setting.grid.with_mask((x * y) % 7 != 3)}

    def initialize(self, context):
        lat, lon = context.local(context.grid.latitude), context.local(context.grid.longitude)
        self.temperature = 285.0 + 8.0 * np.tanh((lat - 10.0 - 0.2 * (lon - 110.0)) / -1.5)
        self.albedo = np.where(lat > 15.0, 0.6, 0.07)
        self.got = {f.name: np.zeros(context.local_shape) for f in self.imports}
        return self.fields()

    def fields(self):
        return {"sea_surface_temperature": self.temperature, "surface_albedo": self.albedo}

    def step(self, time, seconds, imports):
        self.got = {name: np.array(values) for name, values in imports.items()}
        self.temperature = self.temperature + 1e-3 * np.cos(time / 20000.0)
        return self.fields()

    def state(self):
        return {"temperature": self.temperature, **self.got}

    def restore(self, state):
        self.temperature = np.asarray(state["temperature"])
        self.got = {name: np.asarray(state[name]) for name in self.got}


class FrontAir(Air):
    """Air of two temperatures, with a front of some degrees between them that moves."""

    exports = specs("air_temperature")

    def fields(self, time):
        warm = (self.lon + 0.3 * self.lat - 111.0 - time / 3600.0) / 5.0
        return {"air_temperature": 270.0 + 30.0 * np.clip(warm, 0.0, 1.0)}
