# SPDX-License-Identifier: BSD-3-Clause
"""An air-ice flux law and an ice floe from outside the project."""

import numpy as np

from coupler.component import Component
from coupler.fields import specs
from coupler.flux_law import FluxLaw, Side
from coupler.namelist import Fraction, Namelist

HEAT, STRESS = "surface_downward_sensible_heat_flux", "surface_downward_eastward_stress"


class Options(Namelist):
    """Options of the law."""

    coefficient: Fraction = 1.4e-3
    """Transfer coefficient of heat and momentum."""


def bulk(air, ice, options):
    """Heat and eastward stress of a bulk formula."""
    exchange = 1.3 * options.coefficient * np.hypot(air["eastward_wind"], air["northward_wind"])
    heat = 1005.0 * exchange * (air["air_temperature"] - ice["surface_temperature"])
    return {HEAT: heat, STRESS: exchange * air["eastward_wind"]}


AIR = Side(needs=("air_temperature", "eastward_wind", "northward_wind"), gets=(HEAT,))
AIR_ICE = FluxLaw(bulk, AIR, Side(needs=("surface_temperature",), gets=(HEAT, STRESS)), Options)
FORGETFUL = FluxLaw(lambda air, ice, options: {HEAT: ice["surface_temperature"]}, AIR, AIR_ICE.second)
MISSPELT = FluxLaw(bulk, Side(needs=("air_temprature",), gets=(HEAT,)), AIR_ICE.second)


class Ice(Component):
    """A slab of ice that warms by the heat it gets, and keeps the momentum."""

    imports = specs(HEAT, STRESS)
    exports = specs("surface_temperature")

    def initialize(self, context):
        """Cold in the north."""
        self.temperature = 268.0 - 0.1 * context.local(context.grid.latitude)
        self.momentum = np.zeros(context.local_shape)
        return {"surface_temperature": self.temperature}

    def step(self, time, seconds, imports):
        """Warm and move."""
        self.temperature = self.temperature + imports[HEAT] * seconds / 2.0e6
        self.momentum = self.momentum + imports[STRESS] * seconds
        return {"surface_temperature": self.temperature}

    def state(self):
        """Temperature and momentum."""
        return {"temperature": self.temperature, "momentum": self.momentum}

    def restore(self, state):
        """Take both up."""
        self.temperature, self.momentum = np.asarray(state["temperature"]), np.asarray(state["momentum"])
        return {"surface_temperature": self.temperature}
