# SPDX-License-Identifier: BSD-3-Clause
"""Primitive-equation ocean as a component: names, units and the time step; the formulas are in its neighbours."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.advance import Forcing, advance, exports
from components.ocean.primitive.barotropic_mode import plane_of
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.inputs import (
    GREENWICH,
    TIDES,
    WATER_TYPE,
    InputError,
    Inputs,
    read_depth,
    read_domain,
    read_inputs,
    sea_floor_mark,
)
from components.ocean.primitive.mixing_schemes import MIXING
from components.ocean.primitive.open_boundary import Outside
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.regional import (
    Region,
    build_region,
    climatology,
    light,
    outside_sea,
    substeps_for,
    tide_constants,
)
from components.ocean.primitive.state import State, state_at_rest
from components.ocean.primitive.stencil import HALO, inner, over_levels
from components.ocean.primitive.tides import Tide
from components.ocean.primitive.timestep import Ocean
from components.science.halo import Padded, filler
from components.science.runoff_matter import MATTER_UNITS, BroughtMatter
from components.science.surface_fields import RUNOFF_HEAT, RUNOFF_MATTER
from coupler.clock import Clock
from coupler.component import Component, Context, Fields, Setting
from coupler.errors import ForcingError
from coupler.fields import FieldSpec, specs
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from coupler.namelist import Fraction, Namelist, Seconds, TimeScale, Viscosity, checked, number, quantity, whole

DAY = 86400
SUBSTEPS_AN_EXCHANGE = 8  # barotropic substeps between two exchanges of halos among ranks
SpongeCells = whole(1, 1000)
SmagorinskyCoefficient = number(least=0.0, most=100.0)
BiharmonicViscosity = quantity("m4 s-1", least=0.0, most=1e20)
BackgroundMixing = quantity("m2 s-1", least=0.0, most=100.0)
Convection = quantity("m2 s-1", least=0.0, most=1000.0)
DragCoefficient = number(least=0.0, most=1.0)


class PrimitiveOcean(Component):
    """Regional primitive-equation ocean with a free surface and open edges; see README.md."""

    halo_cells = HALO
    description = "primitive equations: C-grid, z* levels with partial cells, free surface, open edges"
    exports = specs(
        "sea_surface_temperature",
        "surface_eastward_sea_water_velocity",
        "surface_northward_sea_water_velocity",
        "sea_surface_height_above_geoid",
        "sea_surface_salinity",
        "heat_flux_into_sea_water_due_to_freezing_of_frazil_ice",
    )
    diagnostic_units = {"heat_of_freezing": "J m-2", "northward_sea_water_transport": "m2 s-1", **MATTER_UNITS}

    shapes_state = ("file", "open_edges")

    class Options(Namelist):
        """Options of the primitive-equation ocean."""

        file: str
        """Sea floor, hydrography and open edges, as data/make_ocean_inputs.py writes them.

        Looked up in the case, then in data/.
        """
        open_edges: tuple[Literal["east", "south"], ...] = ("east", "south")
        """Edges where the sea outside enters; the others are closed."""
        sponge_cells: SpongeCells = 8
        """Width over which temperature and salinity relax towards the climatology at open edges."""
        sponge_time: TimeScale = 5.0 * DAY
        """Time of that relaxation at the edge itself."""
        radiation: Fraction = 0.05
        """Share of Flather's radiation term at open edges.

        1 for tides; small where the transports are better known than the level.
        """
        baroclinic_edges: Literal["prescribed", "radiation"] = "prescribed"
        """Tracers and vertical shear at open edges: those outside, or radiating (Marchesiello and others 2001)."""
        nudging_inward: TimeScale = 1.0 * DAY
        """With radiation: time in which the edge is drawn to the sea outside where waves enter."""
        nudging_outward: TimeScale = 365.0 * DAY
        """With radiation: the same where they leave."""
        tides: bool = False
        """Add the tide of eight constituents, given in the file, to the level outside; set radiation to 1 with it.

        Phases are lags behind the equilibrium tide at Greenwich, with nodal modulation, or refer to a date.
        """
        salinity_restoring: Seconds = 30.0 * DAY
        """Time in which the first level's salinity relaxes towards the climatology; 0: never."""
        precision: Literal["single", "double"] = "double"
        """Floating-point numbers of the state."""
        compile: bool = False
        """Compile the kernels with torch.compile.

        This takes minutes at the first start; a step then takes half the time, and its bits differ from the eager ones.
        """
        equation_of_state: Literal["teos10", "linear"] = "teos10"
        """Density of seawater."""
        harmonic_viscosity: Viscosity = 100.0
        """Constant lateral viscosity."""
        smagorinsky: SmagorinskyCoefficient = 0.0
        """Coefficient of the Smagorinsky lateral viscosity; 0: none."""
        biharmonic_viscosity: BiharmonicViscosity = 0.0
        """Biharmonic lateral viscosity."""
        biharmonic_velocity: quantity("m s-1", least=0.0, most=10.0) = 0.2
        """Biharmonic lateral viscosity by the grid: this velocity times the cube of the cells' width over 12."""
        lateral_diffusivity: Viscosity = 200.0
        """Lateral diffusivity of tracers along levels."""
        isoneutral_diffusivity: Viscosity = 0.0
        """Diffusivity of tracers along neutral surfaces (Redi 1982); 0: none."""
        thickness_diffusivity: Viscosity = 0.0
        """Diffusivity by which eddies flatten neutral surfaces (Gent & McWilliams 1990); 0: none."""
        steepest_slope: number(least=1.0e-4, most=0.1) = 4.0e-3
        """Slope of neutral surfaces at which both are tapered to a half (Danabasoglu & McWilliams 1995)."""
        overflow_diffusivity: Viscosity = 0.0
        """Diffusivity along the floor of water that runs down from sills (Beckmann & Doescher 1997); 0: none."""
        background_viscosity: BackgroundMixing = 1.0e-4
        """Vertical viscosity where nothing stirs."""
        background_diffusivity: BackgroundMixing = 1.0e-5
        """Vertical diffusivity where nothing stirs."""
        vertical_mixing: checked(MIXING.check) = "tke"
        """Scheme: tke, kpp, constant, or with options {scheme: tke, breaking: 100, langmuir: 0.15, transport: 24}."""
        convective_diffusivity: Convection = 1.0
        """Vertical diffusivity of unstable layers with constant mixing; the other schemes convect by themselves."""
        bottom_drag: DragCoefficient = 2.0e-3
        """Quadratic drag coefficient of the sea floor."""
        pressure_loading: bool = False
        """Whether the weight of the air presses on the sea (the level at open edges does not know of it)."""
        no_slip: bool = False
        """No-slip side walls instead of free slip."""
        jerlov: Literal["I", "IA", "IB", "II", "III", "file"] = "I"
        """Optical water type (Jerlov) of the light's penetration: one for all, or cell by cell as the file says."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.imports = specs(
            "surface_downward_heat_flux_in_sea_water",
            FieldSpec("surface_net_downward_shortwave_flux", required=False),
            "surface_downward_eastward_stress",
            "surface_downward_northward_stress",
            FieldSpec("precipitation_flux", required=False),
            FieldSpec("snowfall_flux", required=False),
            FieldSpec("water_evapotranspiration_flux", required=False),
            FieldSpec("runoff_flux", required=False),
            FieldSpec(RUNOFF_HEAT, required=False, companion="runoff_flux"),
            *(FieldSpec(name, required=False) for name in RUNOFF_MATTER),
            *([FieldSpec("air_pressure_at_mean_sea_level")] if options.pressure_loading else []),
        )

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid with the file's sea, less the ring that holds the sea outside."""
        path = setting.file(self.options.file)
        if not path.is_file():
            raise ForcingError(f"{path} does not exist (ocean.primitive.file)")
        longitude, latitude, depth = read_depth(path)
        grid = setting.grid
        if grid.shape != depth.shape or not (
            np.allclose(grid.longitude[0], longitude, atol=1e-4)
            and np.allclose(grid.latitude[:, 0], latitude, atol=1e-4)
        ):
            step = longitude[1] - longitude[0]
            raise ForcingError(
                f"{path} is for the grid west {longitude[0] - step / 2:g}, east {longitude[-1] + step / 2:g}, south"
                f" {latitude[0] - step / 2:g}, north {latitude[-1] + step / 2:g}, resolution {step:g};"
                " the namelist has another: give it that grid, or another file"
            )
        sea = depth > 0
        if "east" in self.options.open_edges:
            sea[:, -1] = False
        if "south" in self.options.open_edges:
            sea[0] = False
        grid, domain = grid.with_mask(sea), read_domain(path)
        return {"default": grid if domain is None else grid.with_mask(domain, "domain")}

    def state_marks(self, setting: Setting) -> dict[str, str]:
        """The sea floor: a state over another one makes currents run into walls."""
        path = setting.file(self.options.file)
        return {"sea_floor": sea_floor_mark(path)} if path.is_file() else {}

    def check(self, setting: Setting) -> list[str]:
        """What is missing in the file."""
        try:
            inputs = read_inputs(setting.file(self.options.file))
        except (InputError, OSError) as error:
            return [str(error)]
        found = []
        if self.options.tides and inputs.tides is None:
            found.append(f"tides: true needs {', '.join(TIDES.values())} in {self.options.file}")
        if self.options.jerlov == "file" and inputs.water_type is None:
            found.append(f"jerlov: file needs {WATER_TYPE} in {self.options.file}; data/make_ocean_inputs.py writes it")
        return found

    def initialize(self, context: Context) -> Fields:
        """Build the block's geometry and the state at the start: climatology at rest."""
        o = self.options
        torch.set_num_threads(context.threads)
        self.context = context
        self.dtype = torch.float64 if o.precision == "double" else torch.float32
        device = torch.device(context.device)
        self.region = build_region(read_inputs(context.file(o.file)), tuple(o.open_edges), o.no_slip)
        b = context.decomposition.block
        self.rows, self.columns = slice(b.y0, b.y1), slice(b.x0, b.x1)
        self.halo = Padded(filler(context, "masked"), HALO)
        g = self.region.geometry.block(self.rows, self.columns).to(self.dtype, device)
        substeps = substeps_for(self.region.geometry, context.step)
        parameters = Parameters(
            dt=float(context.step), substeps=substeps, equation_of_state=o.equation_of_state,
            harmonic_viscosity=o.harmonic_viscosity, biharmonic_viscosity=o.biharmonic_viscosity,
            biharmonic_velocity=o.biharmonic_velocity, isoneutral_diffusivity=o.isoneutral_diffusivity,
            thickness_diffusivity=o.thickness_diffusivity, steepest_slope=o.steepest_slope,
            overflow_diffusivity=o.overflow_diffusivity,
            smagorinsky=o.smagorinsky, lateral_diffusivity=o.lateral_diffusivity, mixing=o.vertical_mixing,
            background_viscosity=o.background_viscosity,
            background_diffusivity=o.background_diffusivity, convective_diffusivity=o.convective_diffusivity,
            drag_quadratic=o.bottom_drag, shortwave_type="I" if o.jerlov == "file" else o.jerlov, freezing_limiter=True,
            edge_nudging=(o.nudging_inward, o.nudging_outward) if o.baroclinic_edges == "radiation" else None,
        )  # fmt: skip
        context.log(
            f"{g.levels} levels, {int(self.region.geometry.mask_t.sum())} wet cells, {substeps} barotropic substeps"
        )
        plane = plane_of(self.region.geometry, self.rows, self.columns, _barotropic_halo(context.decomposition))
        bands = light(self.region) if o.jerlov == "file" else None
        self.ocean = Ocean(
            g, parameters, self.halo, o.compile, plane.to(self.dtype, device),
            None if bands is None else bands[self._window()],
        )  # fmt: skip
        self.outside = self._outside(self.region, g)
        self._tide = None
        if o.tides and self.outside is not None:
            window = self._window()
            constants = [a[window].contiguous().to(device, self.dtype) for a in tide_constants(self.region)]
            given: list[Any] = [*constants, self.outside.eta, *_tide_origin(self.region.inputs, context.clock)]
            self._tide = Tide(*given)
        self._climatology_day = -1
        self._renew_climatology(0)
        tracers = self._clim[:, :, HALO:-HALO, HALO:-HALO].contiguous()
        self.now = state_at_rest(tracers, g, self.halo)
        self.brought = BroughtMatter(context.local_shape)
        return self._exports()

    def _outside(self, region: Region, g: Geometry) -> Outside | None:
        if not region.open_edges:
            return None
        o = self.options
        whole = outside_sea(region, o.sponge_cells, o.sponge_time, o.radiation).block(self.rows, self.columns)
        like: dict[str, Any] = {"dtype": self.dtype, "device": g.h0.device}
        fields = {n: getattr(whole, n).to(**like) for n in ("eta", "U", "V", "u", "v", "tracers", "rate")}
        return Outside(**fields, radiation=o.radiation)

    def _window(self) -> tuple[Any, ...]:
        """This rank's block with its halo, in fields of the whole domain with theirs."""
        rows, columns = self.rows, self.columns
        return ..., slice(rows.start, rows.stop + 2 * HALO), slice(columns.start, columns.stop + 2 * HALO)

    def _renew_climatology(self, time: int) -> None:
        """Take the climatology of the day that holds `time`: once a day, so that a restart sees the same."""
        day = time // DAY
        if day == self._climatology_day:
            return
        self._climatology_day = day
        date = self.context.clock.date(day * DAY)
        whole = climatology(self.region, date.dayofyr - 0.5)
        g = self.ocean.g if hasattr(self, "ocean") else None
        device = whole.device if g is None else g.h0.device
        self._clim = whole[self._window()].contiguous().to(device, self.dtype)
        if self.outside is not None:
            self.outside = replace(self.outside, tracers=self._clim)

    def forcing(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Forcing:
        """What drives the step from `time` on: imports (arrays or tensors), climatology of the day, tide at its end."""
        self._renew_climatology(time)
        if self._tide is not None and self.outside is not None:
            self.outside = replace(self.outside, eta=self._tide.level(time + seconds))
        like: dict[str, Any] = {"dtype": self.dtype, "device": self.now.eta.device}
        arrays = {n: v if isinstance(v, Tensor) else torch.tensor(np.asarray(v)) for n, v in imports.items()}
        fluxes = {name: values.to(**like) for name, values in arrays.items()}
        return Forcing(fluxes, self._clim, self.outside)

    def advance(self, state: State, forcing: Forcing, seconds: float) -> tuple[State, dict[str, Tensor]]:
        """One baroclinic step as a function of tensors, see `advance.advance`; it leaves the component as it is."""
        return advance(self.ocean, state, forcing, seconds, self.options.salinity_restoring)

    def exports_of(self, state: State) -> dict[str, Tensor]:
        """Fields of a state by CF name, tensors."""
        return exports(self.ocean, state)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Advance by one baroclinic step."""
        with torch.no_grad():
            self.now, given = self.advance(self.now, self.forcing(time, seconds, imports), seconds)
        self.brought.take(imports, seconds)
        return {name: _array(values) for name, values in given.items()}

    def _exports(self) -> Fields:
        return {name: _array(values) for name, values in exports(self.ocean, self.now).items()}

    def state(self) -> dict[str, Any]:
        """All prognostic fields, tendencies of past steps and the number of steps."""
        kept = {name: value.cpu().numpy() for name, value in self.now.own().tensors().items()}
        return kept | {"steps": self.now.steps, **self.brought.fields()}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        like = self.now.eta
        tensors = {
            name: torch.as_tensor(np.ascontiguousarray(state[name])).to(like.device, self.dtype)
            for name in self.now.tensors()
        }
        self.now = State(**tensors, steps=int(state["steps"])).with_halos(self.halo)
        self.brought.restore(state)
        return self._exports()

    def budget(self) -> dict[str, np.ndarray]:
        """Heat (J m-2, from 0 degC), water (kg m-2) and salt (kg m-2) that only the imports change.

        Left out is what freezing, the temperature of fresh water, open edges with their sponge, and the restoring of
        salinity have added; on the mask of the grid, to which the ring at open edges does not belong.
        """
        s, g, p = self.now, self.ocean.g, self.ocean.p
        h = inner(g.h0 * (1.0 + s.eta / g.depth_t) * g.mask_t)
        content = over_levels((h * inner(s.tracers)).movedim(1, 0)) - s.side_content
        heat = content[0] * (p.rho0 * p.heat_capacity) - s.frozen_heat - s.water_heat
        amounts = {
            "heat": heat,
            "water": p.rho0 * (inner(s.eta) - s.side_volume),
            "salt": (1e-3 * p.rho0) * content[1],
        }
        found = {name: _array(value * inner(g.active_t)) for name, value in amounts.items()}
        return {**found, **self.brought.stores()}

    def diagnostics(self) -> dict[str, np.ndarray]:
        """Heat of freezing so far, and the northward transport."""
        return {
            "heat_of_freezing": _array(self.now.frozen_heat),
            "northward_sea_water_transport": _array(inner(self.now.V * self.ocean.g.wide_v / self.ocean.g.dxv)),
            **self.brought.fields(),
        }


def _tide_origin(inputs: Inputs, clock: Clock) -> tuple[int, float | None]:
    """Model time from which the tide counts, and its days after 2000-01-01 12:00 where phases are Greenwich lags."""
    if inputs.tide_reference != GREENWICH:
        return clock.seconds_at(inputs.tide_reference), None
    start = clock.origin
    real = datetime(start.year, start.month, min(start.day, 28), start.hour, start.minute, start.second)
    real += timedelta(days=max(0, start.day - 28))  # the calendars of models have days that the real one has not
    return 0, (real - datetime(2000, 1, 1, 12)).total_seconds() / DAY


def _barotropic_halo(decomposition: Decomposition) -> int:
    """Halo of the barotropic mode (cells): of `SUBSTEPS_AN_EXCHANGE`, less where the narrowest block is narrower."""
    if decomposition.ranks == 1:
        return HALO
    narrowest = min(min(decomposition.block_of(rank).shape) for rank in range(decomposition.ranks))
    return 2 * max(1, min(SUBSTEPS_AN_EXCHANGE, narrowest // 2))


def _array(a: Tensor) -> np.ndarray:
    return a.detach().cpu().to(torch.float64).contiguous().numpy()
