# SPDX-License-Identifier: BSD-3-Clause
"""The non-hydrostatic atmosphere as a component: options, inputs, coupling; the science is in the other files."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from pydantic import model_validator

from components.atmosphere.nonhydrostatic import restarts
from components.atmosphere.nonhydrostatic.driving import (
    column_flow,
    driven_mass,
    driving_data,
    increments,
    passive_tracers,
    preparation,
    tracer_files,
    tracer_sides,
)
from components.atmosphere.nonhydrostatic.driving.initial import state_from_fields
from components.atmosphere.nonhydrostatic.driving.nudging import Nudging
from components.atmosphere.nonhydrostatic.dynamics import lateral, regional, resting_air, timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO, Geometry
from components.atmosphere.nonhydrostatic.dynamics.stability import BlowUp as BlowUp
from components.atmosphere.nonhydrostatic.dynamics.stability import step_problems, stop_if_unstable, warn_if_too_long
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.exports import (
    DIAGNOSTICS,
    LAYER_WIND,
    PRESSURE_LEVELS,
    OnPressure,
    columns_of,
    pressure_units,
)
from components.atmosphere.nonhydrostatic.model import Atmosphere, Forcing, Now
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.atmosphere.nonhydrostatic.physics.held_columns import Held
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Law
from components.atmosphere.nonhydrostatic.physics.sequence import Physics
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.tables import (
    BOUNDARY_LAYER,
    CONVECTION,
    MICROPHYSICS,
    RADIATION,
    Schemes,
)
from components.atmosphere.nonhydrostatic.surface_in import SURFACE, surface_of
from components.radiation import exchange
from components.radiation.scheme import Air
from components.science import air_exchange, sun
from components.science.gases import GasOptions
from components.science.halo import filler
from components.science.surface_fields import RADIATING, UPWELLING
from components.science.torch_compiler import Compiler
from coupler.clock import uneven
from coupler.component import Component, Context, Fields, Setting
from coupler.fields import FieldSpec, specs
from coupler.namelist import Count, Duration, LengthOrNone, Namelist, checked, number, quantity, whole

LONGWAVE_UP, SHORTWAVE_UP = UPWELLING
VERTICAL = ("levels", "top", "lowest_layer", "relief", "relief_smoothing")
"""Options that make the model's levels: prepared files belong to them."""
Levels = whole(3, 300)
Height = quantity("m", least=1.0, most=80000.0)
AcousticSteps = whole(2, 100)
Coefficient, Share = number(least=0.0, most=10.0), number(least=0.0, most=1.0)
HectoPascal = whole(1, 1050)


class NonhydrostaticAtmosphere(Component):
    """Compressible regional atmosphere with clouds, turbulence and radiation; see README.md."""

    description = "non-hydrostatic regional atmosphere"
    halo_cells = HALO
    exports = specs(
        "air_temperature", "specific_humidity", "eastward_wind", "northward_wind", "height",
        "surface_air_pressure", "air_pressure_at_mean_sea_level",
        "surface_downwelling_shortwave_flux_in_air", "surface_downwelling_longwave_flux_in_air",
        "precipitation_flux", "rainfall_flux", "snowfall_flux",
    )  # fmt: skip
    diagnostic_units = {**DIAGNOSTICS, **pressure_units(PRESSURE_LEVELS)}

    shapes_state = (
        "levels", "top", "lowest_layer", "relief", "relief_smoothing",
        "microphysics", "boundary_layer", "convection", "radiation", "tracers",
    )  # fmt: skip

    class Options(Namelist):
        """Options of the non-hydrostatic atmosphere."""

        levels: Levels = 24
        """Number of layers."""
        top: Height = 22000.0
        """Height of the lid; radiation sees a climatology above it."""
        lowest_layer: Height = 80.0
        """Thickness of the lowest layer over flat ground."""
        relief: str = "east_asia_land.nc"
        """File with the height of the ground; looked up in the case, then in data/. Empty: flat ground."""
        relief_smoothing: Count = 2
        """Passes of a 1-2-1 filter over the relief."""
        driver: list[str] = []
        """Files for the start and the sides: those that ./run_case.py prepare made, or analyses on pressure levels (CF
        netCDF: ERA5, ERA-Interim, NCEP, CMIP6) as they are. One time is held. Empty: a jet of Ullrich et al. (2014)."""
        humidity_from: list[str] = []
        """A state whose relative humidity is used where the analyses have none. Empty: a mean profile."""
        jet: Literal["ullrich", "january"] = "ullrich"
        """Without a driver: the jet of the paper, or one as warm and moist as January over the western Pacific."""
        relaxation_width: LengthOrNone = 0.0
        """Of the strip drawn towards the driver, fading inwards; 0: 1/6.5 of the shorter side, four rows at least."""
        relaxation_of_vapour: Share = 1.0
        """Part of that strip's rate at which vapour is drawn: it enters with the air, and no wave travels by it."""
        nudging_wavelength: LengthOrNone = 0.0
        """Scales above this are nudged towards the driver above the boundary layer, increments too; 0: none."""
        nudging_time: Duration = 21600
        """Time scale of that nudging."""
        nudging_interval: Duration = 3600
        """Time between calls of that nudging."""
        microphysics: checked(MICROPHYSICS.check) = "mixed_phase"
        """Cloud scheme: none, saturation (no rain), kessler (warm rain), mixed_phase (ice), wsm6 (graupel), these two
        with droplets and droplets_over_sea, m-3; or package.module:Name. Any may be {scheme: word, option: value}."""
        moist_heat: bool = False
        """Cloudy air expands and condenses with the heat capacity of its water (Bryan & Fritsch 2002)."""
        boundary_layer: checked(BOUNDARY_LAYER.check) = "ysu"
        """Turbulence: none (nor surface fluxes), ysu, ysu_shallow (after Hong 2010), mynn, or package.module:Name."""
        convection: checked(CONVECTION.check) = "betts_miller"
        """Cumulus scheme: none, betts_miller (options tau, s, and humidity), mass_flux (option turnovers,
        1 + 264 / wave number: 2.3 for cells of 100 km, 1.7 for 50), or package.module:Name."""
        radiation: checked(RADIATION.check) = "rrtmgp"
        """Radiation scheme: none, gray, rrtmgp (options seed, overlap_length), rrtmg (needs climt), package.module:X,
        or imported: heating and fluxes come from another component, such as radiation.rrtmgp."""
        cloud_fraction: Law = "sundqvist"
        """Part of a layer that clouds fill, which RRTMGP sees: xu_randall, sundqvist (by humidity besides), whole."""
        gases: GasOptions = GasOptions()
        """Well-mixed gases that radiation sees: {year: 2005}, or mole fractions such as {carbon_dioxide: 5.6e-4}."""
        tracers: list[passive_tracers.PassiveTracer] = []
        """Passive tracers: {name: dust, start: 0, settles: 0.01, boundary: hold, surface_flux: 1.0e-9}; see README."""
        pressure_levels: list[HectoPascal] = list(PRESSURE_LEVELS)
        """hPa, of output such as geopotential_height_at_500hPa, also air_temperature, specific_humidity, the winds."""
        export_columns: bool = False
        """Export the columns of air, winds among them, for an assimilation; radiation: imported needs no such word."""
        export_air: bool = False
        """Export the air of the layers and what moves it, with the columns: what chemistry.regional takes."""
        radiation_interval: Duration = 3600
        """Time between calls of the radiation scheme; it holds in between."""
        column_budget: bool = False
        """Give what the physics leaves over of each column's water and energy, and what increments add, as output."""
        increments: bool = False
        """Add tendencies that an assimilation gives; nudging, where it is on, takes their large scales back."""
        precision: Literal["single", "double"] = "single"
        """Precision of the arithmetic."""
        compile: bool | Literal["dynamics"] = False
        """Compile the kernels (needs a C++ compiler): twice as fast, after minutes at the first start on a grid; the
        last bits may differ. dynamics: all but the schemes of columns, which take most of those minutes."""
        compile_limit: Duration = 900
        """Time after which the kernels that are not compiled yet run uncompiled."""
        acoustic_steps: AcousticSteps = 4
        """Acoustic steps a time step, even."""
        smagorinsky: Coefficient = 0.25
        """Constant of the horizontal viscosity; 0: none."""
        limiter: Literal["positive", "monotonic", "none"] = "positive"
        """What the transport of tracers keeps."""
        damping_depth: LengthOrNone = 5000.0
        """Depth of the layer under the lid that damps vertical motion."""

        @model_validator(mode="after")
        def _every_tracer_once(self) -> "NonhydrostaticAtmosphere.Options":
            Schemes.of_options(self).species([t.tracer() for t in self.tracers])
            return self

    def __init__(self, options: Any):
        super().__init__(options)
        self.schemes = Schemes.of_options(options)
        self.species = self.schemes.species([t.tracer() for t in options.tracers])
        self._turbulent = self.schemes.boundary_layer.name != "none"
        self.imports = tuple(FieldSpec(name, required=self._turbulent) for name in SURFACE)
        whole = zip(RADIATING, (LONGWAVE_UP, LONGWAVE_UP, SHORTWAVE_UP), strict=True)
        self.imports += tuple(FieldSpec(name, required=False, companion=other) for name, other in whole)
        self.imports += tuple(passive_tracers.flux_field(t) for t in self.species if isinstance(t.surface_flux, str))
        if self._imported:
            self.imports += exchange.radiation_fields(options.levels)
        if options.increments:
            self.imports += increments.fields(options.levels)
        if self._gives_columns:
            self.exports += (*exchange.column_fields(options.levels), *exchange.cloud_fields(options.levels))
        self.exports += tuple(FieldSpec(n, levels=options.levels) for n in LAYER_WIND if options.export_columns)
        if options.export_air:
            self.exports += air_exchange.air_fields(options.levels)
        more = passive_tracers.output_units(options.tracers) | pressure_units(options.pressure_levels)
        self.diagnostic_units = {**DIAGNOSTICS, **more}

    @property
    def _imported(self) -> bool:
        return self.schemes.radiation.name == "imported"

    @property
    def _radiates(self) -> bool:
        return self.schemes.radiation.name != "none" and not self._imported

    @property
    def _gives_columns(self) -> bool:
        return self.options.export_columns or self.options.export_air or self._imported

    # ------------------------------------------------------------------ before the run

    def check(self, setting: Setting) -> list[str]:
        """Missing files, a grid without corners, a time step that the sound waves do not allow."""
        o, problems = self.options, []
        grid: Any = setting.grid
        if not grid.is_structured:
            return [f"{setting.name}: the atmosphere needs a structured grid with corners, such as a projected one"]
        for path in setting.files(([o.relief] if o.relief else []) + o.driver + o.humidity_from):
            if not path.exists():
                problems.append(f"{path.name} does not exist, neither in the case nor in data/")
        cells = regional.cell_lengths(grid.corner_longitude, grid.corner_latitude)
        problems += step_problems(cells, setting.step, o.acoustic_steps)
        intervals = {"radiation_interval": o.radiation_interval} if self._radiates else {}
        intervals |= {"nudging_interval": o.nudging_interval} if o.nudging_wavelength > 0.0 else {}
        problems += uneven(setting.step, intervals)
        if o.levels * o.lowest_layer > o.top:
            problems.append(f"{o.levels} layers of {o.lowest_layer:g} m do not fit below {o.top:g} m")
        taken = {*restarts.KEYS, *(f.name for f in (*self.imports, *self.exports)), *type(self).diagnostic_units}
        problems += passive_tracers.problems(setting, self.species, o.tracers, taken, self._turbulent)
        if not problems:
            try:
                problems = driving_data.source(setting, o.driver, o.humidity_from).problems(setting, self._vertical)
            except driving_data.DriverError as error:
                problems = [str(error)]
        return [f"{setting.name}: {text}" for text in problems]

    def remarks(self, setting: Setting) -> list[str]:
        """That nudging takes back what an assimilation adds, where both are on."""
        return increments.remarks(self.options)

    @property
    def _vertical(self) -> dict[str, Any]:
        """Options that make the levels."""
        return {name: getattr(self.options, name) for name in VERTICAL}

    def _whole(self, setting: Setting) -> Geometry:
        """Geometry of the whole domain, in double precision."""
        o = self.options
        grid: Any = setting.grid  # structured, with corners: `check` has seen to it
        corners = grid.corner_longitude, grid.corner_latitude
        relief = regional.mean_relief(setting.file(o.relief), *corners) if o.relief else np.zeros(grid.shape)
        return regional.regional_geometry(
            grid.latitude, *corners, relief, o.levels, o.top, o.lowest_layer, o.relief_smoothing
        )

    def prepare_inputs(self, setting: Setting, files: Sequence[Path], report: Any) -> Mapping[str, Any]:
        """Initial and boundary file from analyses on pressure levels; see `preparation.prepare`."""
        return self.prepare_corrected_inputs(setting, files, report, None)

    def prepare_corrected_inputs(self, setting: Setting, files: Sequence[Path], report: Any, bias: Any) -> Any:
        """The same from analyses whose bias is taken off; see `driving.bias_correction`."""
        dry = [setting.file(name) for name in self.options.humidity_from]
        return preparation.prepare(setting, self._whole(setting), self._vertical, files, dry, report, bias)

    # ------------------------------------------------------------------ start

    def initialize(self, context: Context) -> Fields:
        """Geometry, start from the driver or the analytic jet, radiation at the start."""
        o, grid = self.options, cast(Any, context.grid)
        torch.set_num_threads(context.threads)
        self.context, self.clock, self.time = context, context.clock, 0
        dtype = torch.float32 if o.precision == "single" else torch.float64
        b = context.decomposition.block_of(context.rank)
        self.geometry = g = self._whole(context).block(b.y0, b.y1, b.x0, b.x1).to(dtype, context.device)
        tensor = lambda a, kind=dtype: torch.tensor(context.local(a), dtype=kind, device=context.device)  # noqa: E731
        self.cos, self.sin = (tensor(f(grid.angle), torch.float64) for f in (np.cos, np.sin))
        lon, lat, corners = tensor(grid.longitude), tensor(grid.latitude), (grid.corner_longitude, grid.corner_latitude)
        self.core = self._dynamics()
        self._spacing = regional.mean_spacing(*corners)
        rows = lateral.strip(grid.shape, self._spacing, o.relaxation_width)
        strip = grid.shape, (b.y0, b.x0), g.ny, g.nx, rows, float(context.step)
        self._rate, kept = lateral.relaxation_rate(*strip), lateral.convection_kept(*strip).to(g.dz)
        seen = o.gases.at(context.clock.date(0).year), o.cloud_fraction, exchange.column_numbers(context)
        land = regional.mean_land(context.file(o.relief), *corners) if o.relief else None
        more = *seen, Held(kept, self.core.edges), None if land is None else tensor(land)
        compiler = None if o.compile == "dynamics" else self.core.compiler
        self.physics = Physics(g, self.core.halo, lon, lat, self.schemes, self.species, compiler, *more)
        place = driving_data.Place(
            context.local(grid.longitude), context.local(grid.latitude), g.z[:, INNER, INNER].double().cpu().numpy(),
            slice(b.y0, b.y1), slice(b.x0, b.x1),
        )  # fmt: skip
        source = driving_data.source(context, o.driver, o.humidity_from, o.jet)
        self.sides = driving_data.Sides(
            source, place, self.state_of, partial(driven_mass.column_mass, g), self._balanced, float(context.duration)
        )
        state, vapour = self.sides.start()
        self.driver = self.sides.around(0.0)
        for note in source.notes():
            context.log(note)
        read = lambda t: tracer_files.TracerFile(context.file(t.file), t.name, t.units, self.clock)  # noqa: E731
        files = {t.name: read(t).on(place, g, self.core.halo) for t in o.tracers if t.boundary == "file"}
        q = self._tracers_at_the_start(vapour, files)
        self.model = self._assembled(tracer_sides.TracerSides(self.species, q, files, o.relaxation_of_vapour))
        plane, shift = torch.zeros_like(lon), torch.zeros((), dtype=torch.float64)
        s = State(*(a.clone() for a in state))
        self.now = Now(s, q, None, torch.full_like(plane, 0.15), plane + 1.0, plane, plane, plane, shift, shift)
        self.now = self.now._replace(ground_temperature=self.model.lowest_temperature(self.now))
        warn_if_too_long(context, g, self.s, float(context.step))
        if self.schemes.radiation.name != "none":
            self.now = self.now._replace(sky=self.model.radiation(self.now, self._day(0)))
        self._seen = self.model.seen(self.now)
        return self._exports()

    def _dynamics(self) -> timestep.Dynamics:
        """The dynamical core of this rank's block."""
        o, g, halo = self.options, self.geometry, filler(self.context, "specified")
        options = timestep.Options(acoustic_steps=o.acoustic_steps, limiter=o.limiter, damping_depth=o.damping_depth)
        compiler = Compiler(float(o.compile_limit), self.context.log) if o.compile else None
        return timestep.Dynamics(g, options, halo.edges, halo, compiler)

    def _assembled(self, sides: tracer_sides.TracerSides) -> Atmosphere:
        """What `step` runs."""
        o, context, g, nudging = self.options, self.context, self.geometry, None
        if o.nudging_wavelength > 0.0:
            share = o.nudging_interval / o.nudging_time
            nudging = Nudging(self.physics, context.gather, context.scatter, self._spacing, o.nudging_wavelength, share)
        self.mass = driven_mass.DrivenMass(g, context.sum)
        return Atmosphere(
            self.core, self.physics, self.mass, resting_air.FollowedRest(g, lambda s: self.core.diagnose(s).p), sides,
            (self.cos, self.sin), o.smagorinsky, self._rate.to(g.dz), nudging, o.column_budget, o.export_air,
            self._watch, o.moist_heat, o.export_columns,
        )  # fmt: skip

    def _tracers_at_the_start(self, vapour: torch.Tensor, files: Mapping[str, Any]) -> torch.Tensor:
        """Vapour as the driver has it, passive tracers as declared, nothing of the others; halos filled."""
        starts = {t.name: t.start for t in self.options.tracers}
        parts = {t.name: torch.full_like(vapour, starts.get(t.name, 0.0)) for t in self.species}
        parts |= {name: at(0.0) for name, at in files.items()}
        return self.species.stacked({**parts, VAPOUR.name: vapour})

    def state_of(self, f: driving_data.Fields) -> tuple[State, torch.Tensor]:
        """The dynamics' state and vapour of meteorological fields on the block's layers.

        Parameters
        ----------
        f : ``t`` (K), ``q`` (specific), ``u``, ``v`` (eastward, northward, m s-1), ``p`` (Pa), each (nz, ny, nx)
        """
        cos, sin = self.cos.cpu().numpy(), self.sin.cpu().numpy()
        u, v = f["u"] * cos + f["v"] * sin, f["v"] * cos - f["u"] * sin
        return state_from_fields(self.core.geometry, self.core.halo, u, v, f["t"], f["q"], f["p"])

    def _balanced(self, s: State, gain: torch.Tensor | None) -> State:
        """The state with winds that bring each column ``gain`` (kg m-2 s-1)."""
        c, at = self.core, self.context
        return column_flow.balance_columns(s, c.geometry, c.edges, c.halo, at.gather, at.scatter, gain)

    # ------------------------------------------------------------------ step

    def forcing(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Forcing:
        """What acts in the step from `time` on: imports (arrays or tensors), the driver, the day of radiation."""
        o, end = self.options, time + seconds
        self.driver = self.sides.around(time)
        tensors = partial(self._tensors, imports)
        return Forcing(
            time,
            self.driver,
            surface_of(tensors, self.species, (self.cos, self.sin)) if self._turbulent else None,
            self._day(time) if self._radiates and time % o.radiation_interval == 0 and time > 0 else None,
            tensors([f.name for f in exchange.radiation_fields(o.levels)]) if self._imported else None,
            tensors(increments.NAMES) if o.increments else None,
            self.sides.around(end) if o.nudging_wavelength > 0.0 and end % o.nudging_interval == 0 else None,
        )

    def advance(self, state: Now, forcing: Forcing, seconds: float) -> tuple[Now, dict[str, torch.Tensor]]:
        """One step as a function of tensors, see `model.Atmosphere.advance`; it leaves the component as it is."""
        return self.model.advance(state, forcing, seconds)

    def exports_of(self, state: Now) -> dict[str, torch.Tensor]:
        """Fields of a state by CF name, tensors."""
        return self.model.seen(state)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Read what acts on the atmosphere, and advance it."""
        forcing = self.forcing(time, seconds, imports)
        self.time = end = time + seconds
        with torch.no_grad():
            self.now, self._seen = self.advance(self.now, forcing, float(seconds))
        if end % 3600 == 0:
            warn_if_too_long(self.context, self.geometry, self.s, float(seconds))
        return self._exports()

    def _watch(self, s: State) -> None:
        stop_if_unstable(self.context, self.geometry, State(*(a.detach() for a in s)), self.clock.text(self.time))

    def _tensors(self, imports: Mapping[str, Any], names: Sequence[str]) -> dict[str, torch.Tensor]:
        """Those of the imports that are there, in the model's precision and on its device."""
        like = self.now.albedo
        there = [name for name in names if imports.get(name) is not None]
        values = {n: v if isinstance(v := imports[n], torch.Tensor) else torch.as_tensor(np.array(v)) for n in there}
        return {n: v.to(dtype=like.dtype, device=like.device) for n, v in values.items()}

    def _day(self, time: int) -> float:
        """Days since 2000 began, in the middle of the interval for which radiation holds."""
        return sun.days_since_2000(self.clock.date(time + self.options.radiation_interval // 2))

    def _air(self, time: int) -> Air:
        return self.model.air(self.now, self._day(time))

    # ------------------------------------------------------------------ what others see

    @property
    def s(self) -> State:
        """Prognostic fields, with halos."""
        return self.now.s

    @property
    def q(self) -> torch.Tensor:
        """Tracers (n, nz, Y, X), kg/kg, with halos."""
        return self.now.q

    def _exports(self) -> Fields:
        out = {name: _array(a) for name, a in self._seen.items() if name not in self.diagnostic_units}
        return {**out, **exchange.columns_out(self._air(self.time))} if self._gives_columns else out

    def state(self) -> dict[str, Any]:
        """All that is carried from step to step; see `restarts.arrays`."""
        return {**restarts.arrays(self.now, self.species), "time": self.time}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        self.now = restarts.taken_up(state, self.now, self.species, self.core.halo)
        self.time = int(state["time"])
        self._seen = self.model.seen(self.now)
        return self._exports()

    def diagnostics(self) -> Mapping[str, np.ndarray]:
        """Outgoing longwave, columns, updraught, tracers, residuals of the budgets; fields on pressure levels."""
        out = columns_of(self.geometry, self.s, self.q, self.species, [t.name for t in self.options.tracers])
        if (sky := self.now.followed or self.now.sky) is not None:
            out["toa_outgoing_longwave_flux"] = sky.outgoing_longwave
        out |= {name: a for name, a in self._seen.items() if name in self.diagnostic_units}
        vapour = self.q[self.species.number(VAPOUR.name)]
        levels = OnPressure(self.geometry, self.s, vapour, (self.cos, self.sin), self.options.pressure_levels)
        return ChainMap({name: _array(a) for name, a in out.items()}, levels)  # type: ignore[arg-type]


def _array(a: torch.Tensor) -> np.ndarray:
    return a.detach().cpu().double().numpy()
