# SPDX-License-Identifier: BSD-3-Clause
"""A case of hills, rivers and a sea: rain on the hills runs off at once, and the sea counts what arrives."""

import numpy as np

from components.land.rivers.network_file import Course, write_network
from components.land.rivers.relief import Sink, network_of
from components.science.surface_fields import RUNOFF_HEAT
from coupler.component import Component
from coupler.fields import FieldSpec, specs
from coupler.namelist import Namelist
from tests.toys.cases import box, write_case

NITROGEN = "runoff_mass_flux_of_nitrogen"
CARRIED = ("runoff_flux", RUNOFF_HEAT, NITROGEN)


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
        return {"runoff_flux": water, RUNOFF_HEAT: 4186.0 * 12.0 * water, NITROGEN: 2e-6 * water}

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
