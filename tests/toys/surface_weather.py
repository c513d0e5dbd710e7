# SPDX-License-Identifier: BSD-3-Clause
"""A toy air whose output has temperature at 2 m and precipitation, with structures of any grid."""

import numpy as np

from coupler.component import Component
from coupler.namelist import Kelvin, Namelist


class Weather(Component):
    """Waves that travel; rain where the air is warm."""

    imports = ()
    exports = ()
    diagnostic_units = {"air_temperature_at_2m": "K", "precipitation_flux": "kg m-2 s-1"}

    class Options(Namelist):
        """Options of the toy."""

        mean: Kelvin = 283.0
        """Mean temperature."""

    def initialize(self, context):
        self.lon, self.lat = context.local(context.grid.longitude), context.local(context.grid.latitude)
        self.time = 0
        return {}

    def step(self, time, seconds, imports):
        self.time = time + seconds
        return {}

    def diagnostics(self):
        wave = np.sin(np.radians(9.0 * self.lon) + self.time / 40000.0) * np.cos(np.radians(7.0 * self.lat))
        return {
            "air_temperature_at_2m": self.options.mean + 6.0 * wave,
            "precipitation_flux": 4e-5 * np.clip(wave - 0.3, 0.0, None),
        }

    def state(self):
        return {"time": np.array(self.time)}

    def restore(self, state):
        self.time = int(state["time"])
