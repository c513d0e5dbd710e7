"""The non-hydrostatic atmosphere as a component: options, inputs, coupling; the science is in the other files."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from components.atmosphere.nonhydrostatic import exports
from components.atmosphere.nonhydrostatic.driving import (
    column_flow,
    driven_mass,
    driving_data,
    increments,
    nudging,
    preparation,
)
from components.atmosphere.nonhydrostatic.driving.initial import state_from_fields
from components.atmosphere.nonhydrostatic.dynamics import diffusion, lateral, regional, resting_air, timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.stability import BlowUp as BlowUp
from components.atmosphere.nonhydrostatic.dynamics.stability import stop_if_unstable, warn_if_too_long
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics import column_budget
from components.atmosphere.nonhydrostatic.physics.boundary_layer_ysu import Fluxes
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import (
    Ground,
    Physics,
    centre_wind,
    radiating_temperature,
)
from components.radiation.exchange import column_fields, columns_out, day_of_year, radiation_fields, radiation_in
from components.radiation.scheme import Air
from components.science.halo import DecomposedHalo, Edges, SerialHalo
from coupler.component import Component, Context, Fields, Setting
from coupler.fields import FieldSpec, specs
from coupler.namelist import Duration, Metres, Namelist

SURFACE = (
    "surface_downward_sensible_heat_flux",
    "water_evapotranspiration_flux",
    "surface_downward_eastward_stress",
    "surface_downward_northward_stress",
    "surface_upwelling_longwave_flux_in_air",
    "surface_upwelling_shortwave_flux_in_air",
)
VERTICAL = ("levels", "top", "lowest_layer", "relief", "relief_smoothing")
"""Options that make the model's levels: prepared files belong to them."""


class NonhydrostaticAtmosphere(Component):
    """Compressible regional atmosphere with clouds, turbulence and radiation; see README.md."""

    description = "non-hydrostatic regional atmosphere"
    exports = specs(
        "air_temperature",
        "specific_humidity",
        "eastward_wind",
        "northward_wind",
        "height",
        "surface_air_pressure",
        "air_pressure_at_mean_sea_level",
        "surface_downwelling_shortwave_flux_in_air",
        "surface_downwelling_longwave_flux_in_air",
        "precipitation_flux",
        "rainfall_flux",
        "snowfall_flux",
    )
    diagnostic_units = {
        "toa_outgoing_longwave_flux": "W m-2",
        "atmosphere_mass_content_of_water_vapor": "kg m-2",
        "largest_upward_air_velocity": "m s-1",
        "column_water_residual": "kg m-2 s-1",
        "column_energy_residual": "W m-2",
    }

    class Options(Namelist):
        """Options of the non-hydrostatic atmosphere."""

        levels: int = 24
        """Number of layers."""
        top: Metres = 22000.0
        """Height of the lid; radiation sees a standard atmosphere above it."""
        lowest_layer: Metres = 80.0
        """Thickness of the lowest layer over flat ground."""
        relief: str = "east_asia_land.nc"
        """File with the height of the ground; looked up in the case, then in data/. Empty: flat ground."""
        relief_smoothing: int = 2
        """Passes of a 1-2-1 filter over the relief."""
        driver: list[str] = []
        """Files for the start and the sides: those that ./run_case.py prepare made, or analyses on pressure levels (CF
        netCDF: ERA5, ERA-Interim, NCEP, CMIP6) as they are. One time is held. Empty: a jet of Ullrich et al. (2014)."""
        humidity_from: list[str] = []
        """A state whose relative humidity is used where the analyses have none. Empty: a mean profile."""
        jet: Literal["ullrich", "january"] = "ullrich"
        """Without a driver: the jet of the paper, or one as warm and moist as January over the western Pacific."""
        relaxation_rows: int = 4
        """Rows drawn towards the driver inside the specified row."""
        nudging_wavelength: Metres = 0.0
        """Scales above this are drawn towards the driver above the boundary layer; 0: none."""
        nudging_time: Duration = 21600
        """Time scale of that nudging."""
        microphysics: Literal["none", "kessler", "mixed_phase"] = "mixed_phase"
        """Cloud scheme: none, warm rain, or five classes with ice."""
        boundary_layer: Literal["none", "ysu"] = "ysu"
        """Turbulence scheme; none also leaves the surface fluxes out."""
        convection: Literal["none", "betts_miller"] = "betts_miller"
        """Cumulus scheme."""
        radiation: Literal["none", "gray", "rrtmg", "rrtmgp", "imported"] = "rrtmg"
        """Radiation scheme; imported: heating and fluxes come from another component, such as radiation.rrtmg."""
        export_columns: bool = False
        """Export the columns of air, for chemistry or assimilation; radiation: imported exports them anyway."""
        radiation_interval: Duration = 3600
        """Time between calls of the radiation scheme; it holds in between."""
        column_budget: bool = False
        """Give what the physics leaves over of each column's water and energy among the output fields."""
        increments: bool = False
        """Add tendencies of temperature, humidity and wind that another component gives, such as an assimilation."""
        precision: Literal["single", "double"] = "single"
        """Precision of the arithmetic."""
        compile: bool = False
        """Compile the kernels (needs a C++ compiler): twice as fast after half a minute; the last bits may differ."""
        acoustic_steps: int = 4
        """Acoustic steps a time step, even."""
        smagorinsky: float = 0.25
        """Constant of the horizontal viscosity; 0: none."""
        limiter: Literal["positive", "monotonic", "none"] = "positive"
        """What the transport of tracers keeps."""
        damping_depth: Metres = 5000.0
        """Depth of the layer under the lid that damps vertical motion."""

    def __init__(self, options: Any):
        super().__init__(options)
        needed = options.boundary_layer != "none"
        self.imports = tuple(FieldSpec(name, required=needed) for name in SURFACE)
        if options.radiation == "imported":
            self.imports += radiation_fields(options.levels)
        if options.increments:
            self.imports += tuple(FieldSpec(n, levels=options.levels, required=False) for n in increments.NAMES)
        if self._gives_columns:
            self.exports += column_fields(options.levels)

    @property
    def _gives_columns(self) -> bool:
        return self.options.export_columns or self.options.radiation == "imported"

    # ------------------------------------------------------------------ before the run

    def check(self, setting: Setting) -> list[str]:
        """Missing files, a grid without corners, a time step that the sound waves do not allow."""
        o, problems = self.options, []
        grid = setting.grid
        if not grid.is_structured:
            return [f"{setting.name}: the atmosphere needs a structured grid with corners, such as a projected one"]
        for name in ([o.relief] if o.relief else []) + o.driver + o.humidity_from:
            if not setting.file(name).exists():
                problems.append(f"{setting.name}: {name} does not exist, neither in the case nor in data/")
        dx, dy = regional.cell_lengths(grid.corner_longitude, grid.corner_latitude)
        small = float(min(dx.min(), dy.min()))
        longest = 0.7 * small / 350.0 * o.acoustic_steps
        enough = 2 * int(np.ceil(setting.step / longest * o.acoustic_steps / 2))
        if setting.step > longest:
            problems.append(
                f"{setting.name}: a step of {setting.step} s with {o.acoustic_steps} acoustic steps is too long for"
                f" cells of {small / 1e3:.1f} km: at most {longest:.0f} s, or {enough} acoustic steps"
            )
        if o.acoustic_steps < 2 or o.acoustic_steps % 2:
            problems.append(f"{setting.name}: acoustic_steps must be even, not {o.acoustic_steps}")
        if not problems:
            try:
                found = driving_data.source(setting, o.driver, o.humidity_from).problems(setting, self._vertical)
            except driving_data.DriverError as error:
                found = [str(error)]
            problems += [f"{setting.name}: {text}" for text in found]
        return problems

    @property
    def _vertical(self) -> dict[str, Any]:
        """Options that make the levels."""
        return {name: getattr(self.options, name) for name in VERTICAL}

    def _whole(self, setting: Setting) -> Geometry:
        """Geometry of the whole domain, in double precision."""
        o, grid = self.options, setting.grid
        relief = np.zeros(grid.shape)
        if o.relief:
            relief = regional.mean_relief(setting.file(o.relief), grid.corner_longitude, grid.corner_latitude)
        return regional.regional_geometry(
            grid.latitude, grid.corner_longitude, grid.corner_latitude, relief,
            o.levels, o.top, o.lowest_layer, o.relief_smoothing,
        )  # fmt: skip

    def prepare_inputs(self, setting: Setting, files: Sequence[Path], report: Any) -> Mapping[str, Any]:
        """Initial and boundary file from analyses on pressure levels; see `preparation.prepare`."""
        humidity = [setting.file(name) for name in self.options.humidity_from]
        made = preparation.prepare(setting, self._whole(setting), self._vertical, files, humidity, report)
        return {"driver": [path.name for path in made]}

    # ------------------------------------------------------------------ start

    def initialize(self, context: Context) -> Fields:
        """Geometry, start from the driver or the analytic jet, radiation at the start."""
        o, grid = self.options, context.grid
        torch.set_num_threads(context.threads)
        self.context = context
        self.clock = context.clock
        dtype = torch.float32 if o.precision == "single" else torch.float64
        b = context.decomposition.block_of(context.rank)
        ny, nx = grid.shape
        self.geometry = self._whole(context).block(b.y0, b.y1, b.x0, b.x1).to(dtype, context.device)
        sides = (b.x0 == 0, b.x1 == nx, b.y0 == 0, b.y1 == ny)
        edges = Edges(*("specified" if outer else "inner" for outer in sides))
        g = self.geometry
        alone = context.ranks == 1
        halo = SerialHalo(g.ny, g.nx, edges) if alone else DecomposedHalo(g.ny, g.nx, edges, context.halo)
        local = context.local
        angle = local(grid.angle)
        self.cos, self.sin = np.cos(angle), np.sin(angle)
        tensor = lambda a: torch.tensor(a, dtype=dtype, device=context.device)  # noqa: E731
        self.physics = Physics(
            g, halo, tensor(local(grid.longitude)), tensor(local(grid.latitude)),
            o.microphysics, o.boundary_layer, o.convection, o.radiation, o.compile,
        )  # fmt: skip
        options = timestep.Options(acoustic_steps=o.acoustic_steps, limiter=o.limiter, damping_depth=o.damping_depth)
        self.core = timestep.Dynamics(g, options, edges, halo, o.compile, self._impose)
        self._diffuse = torch.compile(_mixing, dynamic=False) if o.compile else _mixing
        place = driving_data.Place(
            local(grid.longitude), local(grid.latitude), g.z[:, INNER, INNER].double().cpu().numpy(),
            slice(b.y0, b.y1), slice(b.x0, b.x1),
        )  # fmt: skip
        source = driving_data.source(context, o.driver, o.humidity_from, o.jet)
        self.sides = driving_data.Sides(
            source, place, self._state_of, partial(driven_mass.column_mass, g), self._balanced, float(context.duration)
        )
        state, tracers = self.sides.start()
        self.driver = self.sides.around(0.0)
        for note in source.notes():
            context.log(note)
        self.s, self.q = State(*(a.clone() for a in state)), tracers.clone()
        self.mass = driven_mass.DrivenMass(g, context.sum)
        self.rest = resting_air.FollowedRest(g, lambda s: self.core.diagnose(s).p)
        self.rate = None
        self.albedo = torch.full_like(self.physics.heating[0], 0.15)
        self.rain, self.snow = torch.zeros_like(self.albedo), torch.zeros_like(self.albedo)
        self.residual = column_budget.Residual(self.rain, self.rain)
        self.time, self.ground_temperature = 0, columns(g, self.s, self.q[0], lowest=1).t[0]
        warn_if_too_long(context, g, self.s, float(context.step))
        if o.radiation != "none":
            self.physics.radiate(self._air(0))
        return self._exports()

    def _state_of(self, f: driving_data.Fields) -> tuple[State, torch.Tensor]:
        """The dynamics' state and tracers of meteorological fields on the block's layers."""
        u, v = f["u"] * self.cos + f["v"] * self.sin, f["v"] * self.cos - f["u"] * self.sin
        core = self.core
        return state_from_fields(core.geometry, core.halo, u, v, f["t"], f["q"], f["p"], len(self.physics.species))

    def _balanced(self, s: State, gain: torch.Tensor | None) -> State:
        """The state with winds that bring each column ``gain`` (kg m-2 s-1)."""
        core, context = self.core, self.context
        return column_flow.balance_columns(
            s, core.geometry, core.edges, core.halo, context.gather, context.scatter, gain
        )

    # ------------------------------------------------------------------ step

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Dynamics, transport, then physics."""
        g, o, dt = self.geometry, self.options, float(seconds)
        if self.rate is None:
            b = self.context.decomposition.block_of(self.context.rank)
            rate = lateral.relaxation_rate(self.context.grid.shape, (b.y0, b.x0), g.ny, g.nx, o.relaxation_rows, dt)
            self.rate = rate.to(g.dz)
        self.driver = self.sides.around(time)
        self.core.resting = self.rest.at(self.driver, time)
        target, wet_target = self.mass.target(self.driver, time), self.driver.tracer(time)
        q_total = self.q[0].clone()
        for n in range(1, self.q.shape[0]):
            q_total += self.q[n]
        ground = self._ground(imports)
        if ground is not None:
            self.ground_temperature = ground.temperature
        if o.radiation == "imported":
            self.physics.take(radiation_in(imports, self.albedo, self.ground_temperature))
        elif o.radiation != "none" and time % o.radiation_interval == 0 and time > 0:
            self.physics.radiate(self._air(time))
        d = self.core.diagnose(self.s)
        forcing = self._diffuse(g, self.s, d, o.smagorinsky, target, self.rate)
        self._imposed = (self.s, target, wet_target)
        new, flux = self.core.step(self.s, dt, q_total, forcing, d)
        q = self.core.transport(self.q, self.s, new, flux, dt)
        draw = dt * self.rate[1:-1, 1:-1]
        q[..., INNER, INNER] += draw * (wet_target[..., INNER, INNER] - q[..., INNER, INNER])
        lateral.impose_field(q, wet_target, self.core.edges)
        self.core.halo([q], H)
        self.s, self.q, rain, snow, before = self.physics.step(new, q, ground, dt)
        if o.column_budget:
            heat, vapour = (0.0, 0.0) if ground is None else ground.fluxes[:2]
            self.residual = column_budget.residual(
                g, before, q, self.s, self.q, self.physics.species, self.physics.heating, heat, vapour, rain, snow, dt
            )
        if o.increments:
            self.s, self.q = increments.add(self.physics, self.s, self.q, imports, (self.cos, self.sin), dt)
        if o.nudging_wavelength > 0.0 and (time + seconds) % o.radiation_interval == 0:
            self._nudge(time + seconds)
        self.rain, self.snow = rain / dt, snow / dt
        self.time = time + seconds
        stop_if_unstable(self.context, g, self.s, self.clock.text(self.time))
        if self.time % 3600 == 0:
            warn_if_too_long(self.context, g, self.s, dt)
        self.s = self.mass.hold(self.s, self.q, self.driver, self.time)
        if ground is None:  # radiation then sees a ground as warm as the lowest air
            self.ground_temperature = columns(g, self.s, self.q[0], lowest=1).t[0]
        return self._exports()

    def _impose(self, new: State, part: float) -> None:
        lateral.impose(new, self._imposed[1], self.core.edges)

    def _ground(self, imports: Mapping[str, Any]) -> Ground | None:
        """The surface's fluxes along the grid's axes; None where nothing is imported."""
        if self.options.boundary_layer == "none" or imports.get(SURFACE[0]) is None:
            return None
        like = self.albedo
        heat, water, east, north, long, short = (
            torch.as_tensor(np.array(imports[name]), dtype=like.dtype, device=like.device) for name in SURFACE
        )
        cos, sin = (torch.as_tensor(a, dtype=like.dtype, device=like.device) for a in (self.cos, self.sin))
        sky = self.physics.sky
        if sky is not None:
            sunny = sky.shortwave_down > 10.0
            self.albedo = torch.where(
                sunny, torch.clamp(short / torch.where(sunny, sky.shortwave_down, 1.0), 0.05, 0.9), self.albedo
            )
        fluxes = Fluxes(-heat, water, east * cos + north * sin, north * cos - east * sin)
        return Ground(fluxes, radiating_temperature(long), self.albedo)

    def _air(self, time: int) -> Air:
        day = day_of_year(self.clock.date(time + self.options.radiation_interval // 2))
        return self.physics.air(self.s, self.q, self.ground_temperature, self.albedo, day)

    def _nudge(self, time: int) -> None:
        """Draw the large scales of wind, heat and mass towards the driver's."""
        g, o, context = self.geometry, self.options, self.context
        target = self.mass.target(self.sides.around(time), time)
        share = o.radiation_interval / o.nudging_time
        corner = regional.cell_lengths(context.grid.corner_longitude, context.grid.corner_latitude)
        spacing = float(corner[1].mean()), float(corner[0].mean())
        wind, goal = centre_wind(g, self.s), centre_wind(g, target)
        # mass and heat together: heat alone would leave the columns out of balance and drive the wind away
        pairs = [*zip(wind, goal, strict=True), (self.s.rho, target.rho), (self.s.rtheta, target.rtheta)]
        differences = [b - a for a, b in pairs[:2]] + [(b - a)[:, INNER, INNER] for a, b in pairs[2:]]
        above = (g.z - g.z_interface[:1])[:, INNER, INNER]
        whole = [context.gather(a.double().cpu().numpy()) for a in (above, *differences)]
        changes = []
        for a in whole[1:]:
            part = None if a is None else nudging.nudged(a, whole[0], *spacing, o.nudging_wavelength, share)
            changes.append(torch.tensor(context.scatter(part), dtype=g.dz.dtype, device=g.dz.device))
        rho, rtheta = self.s.rho.clone(), self.s.rtheta.clone()
        rho[:, INNER, INNER] += changes[2]
        rtheta[:, INNER, INNER] += changes[3]
        self.core.halo([rho, rtheta], H)
        self.s = self.physics.push(self.s._replace(rho=rho, rtheta=rtheta), changes[0], changes[1])

    # ------------------------------------------------------------------ what others see

    def _exports(self) -> Fields:
        wet = self.rain + self.snow, self.rain, self.snow
        out = exports.surface(self.geometry, self.s, self.q, (self.cos, self.sin), self.physics.sky, wet)
        return {**out, **columns_out(self._air(self.time))} if self._gives_columns else out

    def state(self) -> dict[str, Any]:
        """Prognostic fields (momentum by both faces of each cell), tracers, held radiation, albedo."""
        array = lambda a: a.detach().cpu().numpy()  # noqa: E731
        inner = [a[:, INNER, INNER] for a in self.s]
        out = {
            "momentum_x_west": array(inner[0][..., :-1]), "momentum_x_east": array(inner[0][..., 1:]),
            "momentum_y_south": array(inner[1][:, :-1]), "momentum_y_north": array(inner[1][:, 1:]),
            "momentum_z": array(inner[2]), "mass": array(inner[3]), "heat": array(inner[4]),
            "albedo": array(self.albedo), "rain": array(self.rain), "snow": array(self.snow),
            "heating": array(self.physics.heating),
            "ground_temperature": array(self.ground_temperature),
            "time": self.time, "exner_shift": self.mass.shift,
        }  # fmt: skip
        for n, name in enumerate(self.physics.species):
            out[name] = array(self.q[n][:, INNER, INNER])
        if self.physics.sky is not None:
            out.update({f"sky_{k}": array(a) for k, a in self.physics.sky._asdict().items() if k != "heating"})
        return out

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Take up a state."""
        like = self.s.rho
        tensor = lambda a: torch.as_tensor(np.array(a), dtype=like.dtype, device=like.device)  # noqa: E731
        s = self.s
        s.ru[:, INNER, H:-H] = torch.cat(
            [tensor(state["momentum_x_west"]), tensor(state["momentum_x_east"])[..., -1:]], -1
        )
        s.rv[:, H:-H, INNER] = torch.cat(
            [tensor(state["momentum_y_south"]), tensor(state["momentum_y_north"])[:, -1:]], -2
        )
        for a, name in ((s.rw, "momentum_z"), (s.rho, "mass"), (s.rtheta, "heat")):
            a[:, INNER, INNER] = tensor(state[name])
        for n, name in enumerate(self.physics.species):
            self.q[n][:, INNER, INNER] = tensor(state[name])
        self.core.halo([*s, self.q], H)
        self.albedo, self.rain, self.snow = (tensor(state[k]) for k in ("albedo", "rain", "snow"))
        self.ground_temperature = tensor(state["ground_temperature"])
        if self.physics.sky is not None:
            planes = {k: tensor(state[f"sky_{k}"]) for k in self.physics.sky._fields if k != "heating"}
            self.physics.sky = type(self.physics.sky)(tensor(state["heating"]), **planes)
            self.physics.heating = self.physics.sky.heating
        self.time, self.mass.shift = int(state["time"]), float(state["exner_shift"])
        return self._exports()

    def diagnostics(self) -> dict[str, np.ndarray]:
        """Outgoing longwave, column vapour, largest updraught, residuals of the columns' budgets."""
        g = self.geometry
        mass = (g.rho_base + self.s.rho)[:, INNER, INNER]
        array = lambda a: a.detach().cpu().double().numpy()  # noqa: E731
        w = self.s.rw[:, INNER, INNER] * 2.0 / (mass[1:] + mass[:-1])
        out = {
            "atmosphere_mass_content_of_water_vapor": array((mass * self.q[0][:, INNER, INNER]).cumsum(0)[-1]),
            "largest_upward_air_velocity": array(w.amax(0)),
        }
        if self.physics.sky is not None:
            out["toa_outgoing_longwave_flux"] = array(self.physics.sky.outgoing_longwave)
        if self.options.column_budget:
            out["column_water_residual"], out["column_energy_residual"] = map(array, self.residual)
        return out


def _mixing(g, s, d, constant, target, rate):
    """Held tendencies of a step: horizontal mixing and relaxation to the driver."""
    f = lateral.relaxation(s, target, rate)
    if constant > 0.0:
        mixed = diffusion.diffuse(g, s, d, diffusion.smagorinsky_2d(g, d, constant))
        f = type(f)(*(a + b for a, b in zip(f, mixed, strict=True)))
    return f
