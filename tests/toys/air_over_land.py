# SPDX-License-Identifier: BSD-3-Clause
"""Air over a land: warm days with a sun and rain, with or without nitrogen and phosphorus that fall."""

import numpy as np

from components.land.column.component_cycles import DEPOSITION, PHOSPHORUS_DEPOSITION
from components.science.surface_fields import AIR_OVER_LAND
from coupler.component import Component
from coupler.fields import specs
from coupler.namelist import Namelist

FALLING = 3e-10  # kg N m-2 s-1, 95 kg ha-1 a-1
FALLING_PHOSPHORUS = 2e-11  # kg P m-2 s-1


class AirOverLand(Component):
    """What a land needs, as functions of place and time."""

    exports = specs(*AIR_OVER_LAND, "precipitation_flux")

    class Options(Namelist):
        """Options of the toy air."""

        deposition: bool = False
        """Whether nitrogen and phosphorus fall out of it."""

    def __init__(self, options):
        super().__init__(options)
        if options.deposition:
            self.exports = (*self.exports, *specs(DEPOSITION, PHOSPHORUS_DEPOSITION))

    def initialize(self, context):
        self.lon, self.lat = context.local(context.grid.longitude), context.local(context.grid.latitude)
        return self.fields(0)

    def step(self, time, seconds, imports):
        return self.fields(time + seconds)

    def fields(self, time):
        hour = time / 3600.0 + self.lon / 15.0
        day = -np.cos(2.0 * np.pi * hour / 24.0)
        some = np.cos(np.radians(7.0 * self.lon + 11.0 * self.lat))
        found = {
            "air_temperature": 291.0 + 5.0 * day + 3.0 * some,
            "specific_humidity": 0.009 + 0.001 * some,
            "eastward_wind": 3.0 + some,
            "northward_wind": -1.0 + 0.0 * some,
            "surface_air_pressure": 97000.0 + 500.0 * some,
            "surface_downwelling_shortwave_flux_in_air": np.clip(700.0 * day, 0.0, None) * (1.0 + 0.2 * some),
            "surface_downwelling_longwave_flux_in_air": 340.0 + 15.0 * some,
            "precipitation_flux": np.where(np.sin(time / 20000.0) > 0.6, 2e-4, 0.0) * (1.0 + some),
            DEPOSITION: FALLING + 0.0 * some,
            PHOSPHORUS_DEPOSITION: FALLING_PHOSPHORUS + 0.0 * some,
        }
        return {spec.name: found[spec.name] for spec in self.exports}

    def state(self):
        return {}

    def restore(self, state):
        return None
