# SPDX-License-Identifier: BSD-3-Clause
"""Rivers on a grid of their own: runoff in, outflow at the mouths out, with the heat and the substances it carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from components.land.rivers.advance import KINDS, Flow, Rivers, State, mass
from components.land.rivers.beds import Beds
from components.land.rivers.channels import banks_of, channels_of
from components.land.rivers.network_file import Course, read_network
from components.land.rivers.prepare import axes_of, prepare
from components.land.rivers.start import at_start
from components.land.rivers.warmed import warmed
from components.science.climate_water import check_climate
from components.science.constants import C_LIQUID, FREEZING_POINT, WATER_DENSITY
from components.science.fingerprint import fingerprint_of
from components.science.surface_fields import AIR_OVER_LAND, AVAILABLE_WATER, RIVER_BEDS, RIVER_WATER, RUNOFF_MATTER
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.errors import TesseraError
from coupler.fields import FieldSpec, specs
from coupler.grids.grid import Grid
from coupler.namelist import Duration, Fraction, Namelist, Temperature, quantity

Speed = quantity("m s-1", least=0.01, most=20.0)
Runoff = quantity("kg m-2 s-1", least=0.0, most=0.01)
Roughness = quantity("s m-1/3", least=0.005, most=1.0)
Leakance = quantity("s-1", least=0.0, most=1e-3)
Slope = quantity("1", least=1e-7, most=0.1)
Weight = quantity("1", least=0.0, most=0.5)
WATER = "runoff_flux"
EXPORTS = (WATER, *KINDS)
UNITS = ("kg s-1", "W", *("kg s-1" for _ in RUNOFF_MATTER))


class RiverNetwork(Component):
    """Water of the land on its way to the sea; see README.md."""

    description = "river network: Muskingum, kinematic wave or local inertia, with heat and nutrients"
    imports = (
        *specs(WATER, *(FieldSpec(name, required=False) for name in (*KINDS, RIVER_WATER))),
        *(FieldSpec(name, required=False, partial=True) for name in AIR_OVER_LAND),
    )
    exports = (
        *(FieldSpec(name, units=unit, kind="outflow") for name, unit in zip(EXPORTS, UNITS, strict=True)),
        *specs(*RIVER_BEDS, AVAILABLE_WATER),
    )
    diagnostic_units = {
        "water_volume_transport_in_river_channel": "m3 s-1",
        "river_water_depth": "m",
        "river_water_temperature": "K",
        "river_water_amount": "kg m-2",
        "closed_basin_water_amount": "kg m-2",
        "river_upstream_area": "m2",
        "water_residual": "kg",
        "heat_residual": "J",
        "surface_downward_heat_flux_in_river_water": "W m-2",
    }
    shapes_state = ("file", "routing")

    class Options(Namelist):
        """Options of the rivers."""

        file: str
        """Network, made by ``prepare --component rivers``, or directions of HydroSHEDS, MERIT Hydro or CaMa-Flood."""
        routing: Literal["muskingum", "kinematic", "local_inertia"] = "kinematic"
        """Muskingum, kinematic wave (any step), or local inertia (floods back up)."""
        celerity: Speed = 0.7
        """Of a flood wave (Muskingum)."""
        weight: Weight = 0.1
        """X, of the inflow in the storage (Muskingum)."""
        roughness: Roughness = 0.03
        """Manning's n of the channels."""
        slope: Slope = 1e-5
        """Least slope of the beds."""
        mean_runoff: Runoff = 1e-5
        """By which channels are as wide and deep as they are; 1e-5 is 316 mm a year."""
        flood_plain: Fraction = 0.05
        """Share of a cell that the water may take above the banks; 0: no bank is ever overtopped."""
        leakance: Leakance = 1e-7
        """Flow through the beds by their area and the head between river and groundwater; 0: none."""
        withdrawal: Fraction = 0.2
        """Share of the water of the reaches that irrigation may draw in a day."""
        climate: str = ""
        """CF file with the months of precipitation_flux and air_temperature: reaches start with its runoff's water."""
        initial_runoff: Runoff = 0.0
        """Runoff that has run for ever at the start, where no `climate` gives it; 0: empty channels."""
        initial_temperature: Temperature = 283.15
        """Of the water at the start, where no `climate` gives it."""
        nitrogen_decay: Duration = 0
        """Time in which 1/e of the nitrogen is left in the water (denitrification, uptake); 0: nothing is lost."""
        phosphorus_decay: Duration = 0
        """Time in which 1/e of the phosphorus is left in the water (sorption, burial); 0: nothing is lost."""

    def __init__(self, options: Any):
        super().__init__(options)
        self._read: Course | None = None

    def _course(self, setting: Setting) -> Course:
        """The network on the namelist's grid, read once."""
        if self._read is None:
            self._read = read_network(setting.file(self.options.file), *axes_of(setting.grid))
        return self._read

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid: active cells have a reach, `mouths` are where water leaves."""
        network = self._course(setting).network
        return {"default": setting.grid.with_mask(network.land).with_mask(network.mouths, "mouths")}

    def state_marks(self, setting: Setting) -> Mapping[str, str]:
        """The network: water of a reach belongs to no other."""
        network = self._course(setting).network
        mark = fingerprint_of(network.downstream, network.sinks)
        return {"network": f"{np.count_nonzero(network.land)} reaches (fingerprint {mark})"}

    def cell_names(self, setting: Setting) -> Mapping[int, str]:
        """Rivers by the flat cells of their mouths."""
        return self._course(setting).names

    def check(self, setting: Setting) -> list[str]:
        """Directions that run in a loop, and a climate that is none."""
        try:
            if self.options.climate:
                check_climate(setting.file(self.options.climate), setting.clock, setting.grid)
            network = self._course(setting).network
            _ = network.levels
        except TesseraError as error:
            return [str(error)]
        return [] if network.land.any() else [f"{self.options.file}: no land on the grid of the rivers"]

    def prepare_inputs(
        self, setting: Setting, files: Sequence[Path], report: Callable[[str, float], None]
    ) -> Mapping[str, Any]:
        """A network out of directions or relief; see prepare.py."""
        prepare(setting.grid, files, setting.folder / "rivers.nc", report)
        return {"file": "rivers.nc"}

    def initialize(self, context: Context) -> Fields:
        """Reaches and their water at the start; the first rank has them all."""
        o, course = self.options, self._course(context)
        network = course.network
        self.context, self.shape = context, network.downstream.shape
        reaches, self.cells = channels_of(
            network, course.height, mean_runoff=o.mean_runoff, roughness=o.roughness, slope=o.slope,
            flood_plain=o.flood_plain,
        )  # fmt: skip
        decay = np.array([np.inf, np.inf, *(t or np.inf for t in (o.nitrogen_decay, o.phosphorus_decay))])
        sinks = np.isin(self.cells, network.sinks)
        self.rivers = Rivers(reaches, sinks, o.routing, o.celerity, o.weight, decay)
        self.mouths = network.mouths.ravel()[self.cells]
        self.area = network.area.ravel()[self.cells]
        self.upstream = network.upstream_area.ravel()[self.cells]
        bank = banks_of(reaches, self.upstream * (o.mean_runoff / WATER_DENSITY))
        self.beds = Beds(o.leakance * reaches.width * reaches.length / self.area, bank, o.withdrawal)
        runoff, warmth = at_start(context, o, network, self.cells)
        self.now = self.rivers.steady(self.area * runoff / WATER_DENSITY)
        self.now.amounts[0] = C_LIQUID * (warmth - FREEZING_POINT) * mass(self.now.volume)
        n = self.cells.size
        self.received, self.delivered = np.zeros((1 + len(KINDS), n)), np.zeros((1 + len(KINDS), n))
        self.removed, self.begun = np.zeros((len(KINDS), n)), self._stored()
        self.from_air, self.gain = np.zeros(n), np.zeros(n)
        self.last = Flow(np.zeros(n), np.zeros((len(KINDS), n)), np.zeros((len(KINDS), n)))
        return self._fields()

    def _stored(self) -> Array:
        """Water (kg), heat (J) and the rest (kg) by reach, lakes and debts included, (1 + kind, reach)."""
        s = self.now
        return np.concatenate([mass(s.volume + s.lake - s.owed)[None], s.amounts + s.lake_amounts])

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """Route the runoff of the step; the outflow is its mean."""
        whole = [self.context.gather(imports[name]) if name in imports else None for name in (RIVER_WATER, *EXPORTS)]
        if self.context.rank == 0:
            zero = np.zeros(self.cells.size)
            drawn, *given = (zero if f is None else f.ravel()[self.cells] * self.area for f in whole)
            rates = np.stack(given)
            rates[0] -= drawn
            self.now, self.last = self.rivers.advance(self.now, rates[0] / WATER_DENSITY, rates[1:], float(seconds))
            self.received += seconds * rates
            self.delivered += seconds * self._outflow()
            self.removed += self.last.removed
        self._warm(imports, float(seconds))
        return self._fields()

    def _warm(self, imports: Mapping[str, Array], seconds: float) -> None:
        """Exchange heat with the air, where a rule brings all of it."""
        if any(name not in imports for name in AIR_OVER_LAND):
            return
        air = [self.context.gather(imports[name]) for name in AIR_OVER_LAND]
        if self.context.rank == 0:
            s, reaches = self.now, self.rivers.reaches
            above = [a.ravel()[self.cells].astype(float) for a in air if a is not None]
            gained = warmed(s.amounts[0], s.volume, reaches.surface(s.volume), above, seconds)
            self.gain = gained / (seconds * reaches.surface(s.volume))
            self.from_air += gained
            self.now = s._replace(amounts=np.concatenate([(s.amounts[0] + gained)[None], s.amounts[1:]]))

    def _outflow(self) -> Array:
        """Water (kg s-1) and what it carries (W, kg s-1) at the mouths, (1 + kind, reach)."""
        return np.where(self.mouths, np.concatenate([mass(self.last.water)[None], self.last.carried]), 0.0)

    def _fields(self) -> Fields:
        leaving = dict(zip(EXPORTS, self._outflow(), strict=True))
        s = self.now
        told = self.beds.told(self.rivers.reaches.depth(s.volume), mass(s.volume) / self.area)
        return {name: self._block(values) for name, values in {**leaving, **told}.items()}

    def _block(self, values: Array, elsewhere: float = 0.0) -> Array:
        """This rank's block of values by reach, which the first rank has."""
        whole = np.full((*values.shape[:-1], *self.shape), elsewhere)
        whole.reshape(*values.shape[:-1], -1)[..., self.cells] = values
        return self.context.scatter(whole if self.context.rank == 0 else None)

    def state(self) -> dict[str, Any]:
        """All of it: a restart is bit-identical."""
        kept = {**self.now._asdict(), **self.last._asdict(), "received": self.received, "delivered": self.delivered}
        kept |= {"removed_in_all": self.removed, "begun": self.begun, "heat_from_air": self.from_air, "gain": self.gain}
        return {name: self._block(values) for name, values in kept.items()}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        found = {}
        for name, values in state.items():
            whole = self.context.gather(np.asarray(values))
            if whole is not None:
                found[name] = np.ascontiguousarray(whole.reshape(*whole.shape[:-2], -1)[..., self.cells])
        if self.context.rank == 0:
            self.now = State(*(found[name] for name in State._fields))
            self.last = Flow(*(found[name] for name in Flow._fields))
            self.received, self.delivered = found["received"], found["delivered"]
            self.removed, self.begun = found["removed_in_all"], found["begun"]
            self.from_air, self.gain = found["heat_from_air"], found["gain"]
        return self._fields()

    def budget(self) -> dict[str, Array]:
        """Water and heat of the reaches and lakes."""
        water, heat = self._stored()[:2] / self.area
        return {"water": self._block(water), "heat": self._block(heat)}

    def diagnostics(self) -> Mapping[str, Array]:
        """Discharge, depth and temperature; what of all that came is neither there nor gone (rounding)."""
        s = self.now
        warmth = s.amounts[0] / np.maximum(C_LIQUID * mass(s.volume), 1e-30)
        residual = self._stored() - self.begun - self.received + self.delivered
        residual[1:] += self.removed
        residual[1] -= self.from_air
        fields = {
            "water_volume_transport_in_river_channel": self.last.water,
            "river_water_depth": self.rivers.reaches.depth(s.volume),
            "river_water_temperature": FREEZING_POINT + np.where(s.volume > 1.0, warmth, 0.0),
            "river_water_amount": mass(s.volume) / self.area,
            "closed_basin_water_amount": mass(s.lake) / self.area,
            "river_upstream_area": self.upstream,
            "water_residual": np.full(self.cells.size, residual[0].sum()),
            "heat_residual": np.full(self.cells.size, residual[1].sum()),
            "surface_downward_heat_flux_in_river_water": self.gain,
        }
        return {name: self._block(values, np.nan) for name, values in fields.items()}
