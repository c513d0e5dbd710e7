# SPDX-License-Identifier: BSD-3-Clause
"""A case of hills, rivers and a sea: rain on the hills runs off at once, and the sea counts what arrives."""

import numpy as np

from components.land.rivers.network_file import Course, write_network
from components.land.rivers.relief import Sink, network_of
from components.science.surface_fields import AIR_OVER_LAND, RUNOFF_HEAT, RUNOFF_MATTER
from coupler.component import Component
from coupler.fields import FieldSpec, specs
from coupler.namelist import Namelist
from tests.toys.cases import box, write_case

CARRIED = ("runoff_flux", RUNOFF_HEAT, *RUNOFF_MATTER)
HEAT_OF_SURFACE = (
    "surface_upwelling_longwave_flux_in_air", "surface_upwelling_shortwave_flux_in_air",
    "surface_downward_sensible_heat_flux", "surface_downward_latent_heat_flux",
)  # fmt: skip


class Hills(Component):
    """Land on which it rains for a day."""

    exports = specs(*CARRIED)

    class Options(Namelist):
        """Options of the toy hills."""

        rain_until: int = 86400
        """When it stops raining, s."""

    def initialize(self, context):
        self.wave = 1.0 + 0.5 * np.sin(np.radians(20.0 * context.local(context.grid.longitude)))
        return self.fields(0)

    def fields(self, time):
        water = 1e-4 * self.wave * (0 < time <= self.options.rain_until)
        matter = {name: share * water for name, share in zip(RUNOFF_MATTER, (5e-6, 2e-6, 1e-7), strict=True)}
        return {"runoff_flux": water, RUNOFF_HEAT: 4186.0 * 12.0 * water, **matter}

    def step(self, time, seconds, imports):
        return self.fields(time + seconds)

    def state(self):
        return {}

    def restore(self, state):
        return None


class Bay(Component):
    """A sea in the east that counts what comes in, by cell."""

    imports = tuple(FieldSpec(name, required=False) for name in CARRIED)
    exports = specs("sea_surface_temperature")

    def grids(self, setting):
        return {"default": setting.grid.with_mask(np.asarray(setting.grid.longitude) > 116.0)}

    def initialize(self, context):
        self.came = np.zeros((len(CARRIED), *context.local_shape))
        self.warm = np.full(context.local_shape, 290.0)
        return {"sea_surface_temperature": self.warm}

    def step(self, time, seconds, imports):
        for k, name in enumerate(CARRIED):
            if name in imports:
                self.came[k] += seconds * imports[name]
        return {"sea_surface_temperature": self.warm}

    def state(self):
        return {"came": self.came}

    def restore(self, state):
        self.came = np.array(state["came"])


def slope(path):
    """Write a network of a degree on a slope that falls to the east, with a hollow that keeps its water."""
    x, y = 100.5 + np.arange(20.0), 20.5 + np.arange(20.0)
    height = 40.0 * (120.0 - x)[None, :] + 30.0 * np.abs(np.sin(0.8 * y))[:, None]
    hollow = (x[None, :] - 104.5) ** 2 + (y[:, None] - 30.5) ** 2
    height = height - 300.0 * np.exp(-hollow / 4.0)
    land = np.broadcast_to(x < 116.0, height.shape)
    network = network_of(height, land, x, y, sinks=[Sink("Pan", 104.5, 30.5)])
    j, i = network.at(115.5, 21.5)
    write_network(path, Course(network, height, {j * 20 + i: "Southern Brook"}), "a toy")
    return network


def river_case(folder, *, rivers=None, coupling=None, duration="P3D", layout=None, **case):
    """Write the case; returns its folder and the network."""
    toys = "tests.toys.streams:"
    parts = {
        "land": {"model": toys + "Hills", "step": "PT3H", "grid": box(100, 120, 20, 40, 2.0)},
        "rivers": {"model": "rivers", "step": "PT3H", "grid": box(100, 120, 20, 40, 1.0),
                   "rivers": {"file": "network.nc", **(rivers or {})}},
        "ocean": {"model": toys + "Bay", "step": "PT3H", "grid": box(112, 122, 23, 37, 1.0)},
    }  # fmt: skip
    rules = coupling or [
        {"from": "land", "to": "rivers", "period": "PT3H", "remap": "conservative"},
        {"from": "rivers", "to": "ocean", "period": "PT6H", "remap": "river_mouths"},
        {"from": "land", "to": "ocean", "period": "PT3H", "remap": "river_mouths"},
    ]
    layout = layout or {"coupler": 1}
    write_case(folder, parts, rules, inline=True, duration=duration, layout=layout, **case)
    return folder, slope(folder / "network.nc")


class Sky(Component):
    """Air over the land: days and nights, showers in the west, a drought in the north."""

    exports = specs(*AIR_OVER_LAND, "precipitation_flux")

    def initialize(self, context):
        self.x, self.y = (np.radians(context.local(a)) for a in (context.grid.longitude, context.grid.latitude))
        return self.fields(0)

    def fields(self, time):
        day = 2.0 * np.pi * time / 86400.0
        sun = np.maximum(-np.cos(day + self.x - self.x.mean() + np.radians(110.0)), 0.0)
        rain = 4e-4 * np.maximum(np.cos(3.0 * self.x + day), 0.0) * (self.y < np.radians(32.0))
        return {
            "air_temperature": 291.0 + 6.0 * sun - 8.0 * (self.y - 0.5), "specific_humidity": 0.007 + 0.0 * sun,
            "eastward_wind": 3.0 + np.sin(self.y), "northward_wind": 1.0 + 0.0 * sun,
            "surface_air_pressure": 9.7e4 + 0.0 * sun, "surface_downwelling_shortwave_flux_in_air": 700.0 * sun,
            "surface_downwelling_longwave_flux_in_air": 330.0 + 0.0 * sun, "precipitation_flux": rain,
        }  # fmt: skip

    def step(self, time, seconds, imports):
        return self.fields(time + seconds)

    def state(self):
        return {}

    def restore(self, state):
        return None


LAND_WATER = {
    "plants": {"maize": 0.5, "grassland": 0.5}, "leaves": "prognostic", "nitrogen": "demand", "irrigation": "sprinkler",
    "groundwater": "lateral", "groundwater_period": "PT6H", "initial_water_table": 1.0, "initial_wetness": 0.1,
    "city": {"share": 0.2, "population": 8000.0},
}  # fmt: skip


def water_case(folder, *, duration="P1D", layout=None, land=None, rivers=None, **case):
    """Write a case of the column land with all its water, rivers, a sky and a bay; returns its folder and network."""
    wide = box(100, 120, 20, 40, 4.0)
    parts = {
        "sky": {"model": "tests.toys.streams:Sky", "step": "PT1H", "grid": wide},
        "land": {"model": "column", "step": "PT1H", "grid": wide, "column": {**LAND_WATER, **(land or {})}},
        "rivers": {"model": "rivers", "step": "PT1H", "grid": box(100, 120, 20, 40, 1.0),
                   "rivers": {"file": "network.nc", "initial_runoff": 2e-5, "leakance": 1e-5, **(rivers or {})}},
        "ocean": {"model": "tests.toys.streams:Bay", "step": "PT1H", "grid": box(112, 122, 18, 42, 1.0)},
    }  # fmt: skip
    rules = [
        {"from": "sky", "to": "land", "period": "PT1H", "remap": "conservative"},
        {"from": "land", "to": "rivers", "period": "PT2H", "lag": "PT2H", "remap": "conservative"},
        {"from": "rivers", "to": "land", "period": "PT2H", "lag": "PT2H", "remap": "conservative"},
        {"from": "rivers", "to": "ocean", "period": "PT6H", "lag": "PT6H", "remap": "river_mouths"},
    ]
    write_case(folder, parts, rules, inline=True, duration=duration, layout=layout or {"coupler": 1}, **case)
    return folder, slope(folder / "network.nc")


class Lid(Sky):
    """The sky of a case without rain that counts the heat it gets, and how warm the ground is by night."""

    imports = specs(*HEAT_OF_SURFACE, "surface_temperature")

    def initialize(self, context):
        self.got = np.zeros((2, *context.local_shape))
        return super().initialize(context)

    def fields(self, time):
        return {**super().fields(time), "precipitation_flux": np.zeros(self.x.shape)}

    def step(self, time, seconds, imports):
        if time > 0:  # fluxes of an hour arrive an hour late; those at the start are none
            up = imports[HEAT_OF_SURFACE[0]] + imports[HEAT_OF_SURFACE[1]]
            down = imports[HEAT_OF_SURFACE[2]] + imports[HEAT_OF_SURFACE[3]]
            self.got[0] += seconds * (up - down)
        dark = self.fields(time)["surface_downwelling_shortwave_flux_in_air"] <= 0.0
        self.got[1] += np.where(dark, imports["surface_temperature"], 0.0)
        return self.fields(time + seconds)

    def state(self):
        return {"got": self.got}

    def restore(self, state):
        self.got = np.array(state["got"])


def city_case(folder, city):
    """Write a case of the column land under a lid, with a city or none, that runs for 25 hours."""
    grid = box(100, 112, 20, 32, 4.0)
    parts = {
        "sky": {"model": "tests.toys.streams:Lid", "step": "PT1H", "grid": grid},
        "land": {"model": "column", "step": "PT1H", "grid": grid,
                 "column": {"initial_temperature": 291.0, **({"city": city} if city else {})}},
    }  # fmt: skip
    rules = [
        {"from": "sky", "to": "land", "period": "PT1H", "remap": "conservative"},
        {"from": "land", "to": "sky", "period": "PT1H", "lag": "PT1H", "remap": "conservative"},
    ]
    return write_case(folder, parts, rules, inline=True, start="2001-06-19", duration="PT25H", layout={"coupler": 1},
                      restart={"period": "PT1H", "keep": 2})  # fmt: skip
