# SPDX-License-Identifier: BSD-3-Clause
"""Mixed-layer ocean: heat, fresh water and, if wanted, currents of a layer of prescribed thickness."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from components.ocean.slab.advance import CURRENTS, STRESS, Forcing, Layer, State
from components.ocean.slab.inertial import propagator
from components.ocean.slab.mixed_layer import FREEZING, ice_thickness, stored_heat
from components.science.runoff_matter import MATTER_UNITS, BroughtMatter
from components.science.surface_fields import RUNOFF_HEAT, RUNOFF_MATTER
from coupler.component import Component, Context, Fields, Setting
from coupler.errors import ForcingError, TesseraError
from coupler.fields import FieldSpec, specs
from coupler.files.forcing import Forcing as File
from coupler.files.forcing import optional_field, optional_mask
from coupler.grids.grid import Grid
from coupler.namelist import Depth, Duration, Namelist, Temperature, TemperatureDifference


class SlabOcean(Component):
    """Mixed-layer ocean: rho c h dT/dt = Q, with ice at the freezing point and inertial currents; see README.md."""

    description = "mixed layer of prescribed thickness"
    diagnostic_units = {
        "ocean_mixed_layer_thickness": "m",
        "sea_ice_thickness": "m",
        "heat_passed_below": "J m-2",
        **MATTER_UNITS,
    }

    shapes_state = ("mixed_layer", "depth", "deepest", "shallowest", "currents")

    class Options(Namelist):
        """Options of the slab ocean."""

        mixed_layer: Literal["constant", "climatology"] = "constant"
        """Thickness of the layer: constant, or from the file (ocean_mixed_layer_thickness, interpolated in time)."""
        depth: Depth = 50.0
        """Thickness of a constant layer, where the sea is as deep."""
        deepest: Depth = 200.0
        """Greatest thickness of a layer from the file, where salinity stops it and the file does not know."""
        shallowest: Depth = 5.0
        """Least thickness of any layer."""
        initial_temperature: Temperature = 288.0
        """Temperature at the start where the file gives none."""
        file: str = ""
        """CF file with any of: sea_binary_mask, sea_surface_temperature (the state at the start),
        ocean_mixed_layer_thickness, sea_floor_depth_below_geoid; looked up in the case, then in data/."""
        penetration: bool = True
        """Whether sunlight that passes through the layer leaves it (not where the layer reaches the bottom)."""
        entrainment_jump: TemperatureDifference = 0.8
        """How much colder the water is that a deepening layer takes in; 0: deepening leaves the temperature."""
        currents: bool = False
        """Whether the wind moves the layer (Pollard and Millard 1970); the flux law then sees wind relative to it."""
        damping_time: Duration = 4 * 86400
        """Time in which currents without wind decay to 1/e."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.imports = specs(
            "surface_downward_heat_flux_in_sea_water",
            FieldSpec("surface_net_downward_shortwave_flux", required=options.penetration),
            FieldSpec("precipitation_flux", required=False),
            FieldSpec("snowfall_flux", required=False),
            FieldSpec("water_evapotranspiration_flux", required=False),
            FieldSpec("runoff_flux", required=False),
            FieldSpec(RUNOFF_HEAT, required=False, companion="runoff_flux"),
            *(FieldSpec(name, required=False) for name in RUNOFF_MATTER),
            *(STRESS if options.currents else ()),
        )
        self.exports = specs("sea_surface_temperature", *(CURRENTS if options.currents else ()))

    def _field(self, setting: Setting, name: str, block: Any = None) -> File | None:
        """A field of the file; None where there is no file or it has no such field."""
        if not self.options.file:
            return None
        path = setting.file(self.options.file)
        return optional_field(path, name, setting.clock, grid=setting.grid, block=block)

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid with the file's wet mask."""
        mask = None
        if self.options.file:
            path = setting.file(self.options.file)
            mask = optional_mask(path, "sea_binary_mask", setting.clock, grid=setting.grid)
        return {"default": setting.grid if mask is None else setting.grid.with_mask(mask > 0.5)}

    def check(self, setting: Setting) -> list[str]:
        """Files that are missing or end too early; a damping that is none."""
        if self.options.damping_time <= 0:
            return ["damping_time: a time above zero is needed, such as P4D (ocean.slab.damping_time)"]
        try:
            thickness = self._field(setting, "ocean_mixed_layer_thickness")
        except TesseraError as error:
            return [str(error)]
        if self.options.mixed_layer == "constant":
            return []
        if thickness is None:
            return ["mixed_layer: climatology needs a file with ocean_mixed_layer_thickness (ocean.slab.file)"]
        return thickness.problems(0, setting.duration)

    def initialize(self, context: Context) -> Fields:
        """Read the state at the start."""
        b = context.decomposition.block_of(context.rank)
        block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
        shape = context.local_shape
        self.wet = context.local(self.grids(context)["default"].mask)

        def read(name: str, default: float) -> np.ndarray:
            field = self._field(context, name, block)
            values = np.full(shape, default) if field is None else field.at(0)
            missing = self.wet & ~np.isfinite(values)
            if missing.any():
                raise ForcingError(
                    f"{self.options.file}: {name} has no value in {int(missing.sum())} wet cells; fill them, or "
                    "mask them in sea_binary_mask"
                )
            return np.where(self.wet, values, default)

        o = self.options
        temperature = np.maximum(read("sea_surface_temperature", o.initial_temperature), FREEZING)
        self.floor = np.maximum(read("sea_floor_depth_below_geoid", 1.0e4), o.shallowest)
        self._file = None
        if o.mixed_layer == "climatology":
            self._file = self._field(context, "ocean_mixed_layer_thickness", block)
        latitude = np.ascontiguousarray(context.local(context.grids["default"].latitude))
        moves = propagator(latitude, context.step, o.damping_time) if o.currents else None
        self.layer = Layer(self.wet, self.floor, o.penetration, o.entrainment_jump, moves)
        zero = np.zeros(shape)
        self._constant = self._bounded(np.full(shape, o.depth))
        self.now = State(temperature, self._thickness_at(0), zero, zero, zero, zero, zero)
        self.brought = BroughtMatter(shape)
        return self.layer.exports(self.now)

    @property
    def temperature(self) -> Any:
        """Temperature of the layer, K."""
        return self.now.temperature

    @property
    def latent(self) -> Any:
        """Heat of the ice, J m-2, not above 0."""
        return self.now.latent

    def _thickness_at(self, time: int) -> np.ndarray:
        if self._file is None:
            return self._constant
        o = self.options
        return self._bounded(np.minimum(np.where(self.wet, self._file.at(time), o.depth), o.deepest))

    def _bounded(self, thickness: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(thickness, self.options.shallowest), self.floor)

    def forcing(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Forcing:
        """What drives the step from `time` on: imports (arrays or tensors), and the thickness at its end."""
        return Forcing(imports, self._thickness_at(time + seconds))

    def advance(self, state: State, forcing: Forcing, seconds: float) -> tuple[State, dict[str, Any]]:
        """One step as a function of arrays or tensors, see `advance.Layer`; it leaves the component as it is."""
        return self.layer.advance(state, forcing, seconds)

    def exports_of(self, state: State) -> dict[str, Any]:
        """Fields of a state by CF name, arrays or tensors."""
        return self.layer.exports(state)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Change the layer, then move it and put the heat of the step into it."""
        self.now, fields = self.advance(self.now, self.forcing(time, seconds, imports), seconds)
        self.brought.take(imports, seconds)
        return fields

    def state(self) -> dict[str, Any]:
        """Temperature, thickness, heat of ice and below, fresh water since the start, currents."""
        kept = {name: v for name, v in self.now._asdict().items() if self.options.currents or name not in ("u", "v")}
        return {**kept, **self.brought.fields()}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        own = [name for name in self.state() if name in State._fields]
        self.now = self.now._replace(**{name: np.array(state[name]) for name in own})
        self.brought.restore(state)
        return self.layer.exports(self.now)

    def budget(self) -> dict[str, np.ndarray]:
        """Heat (counted from the freezing point; layer, ice and below) and fresh water since the start."""
        s = self.now
        heat = stored_heat(s.temperature, s.latent, s.below, s.thickness)
        matter = self.brought.stores()
        return {"heat": np.where(self.wet, heat, 0.0), "water": np.where(self.wet, s.water, 0.0), **matter}

    def diagnostics(self) -> dict[str, np.ndarray]:
        """Thickness of the layer and of ice, heat handed down."""
        return {
            "ocean_mixed_layer_thickness": self.now.thickness,
            "sea_ice_thickness": ice_thickness(self.now.latent),
            "heat_passed_below": self.now.below,
            **self.brought.fields(),
        }
