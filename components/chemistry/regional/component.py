# SPDX-License-Identifier: BSD-3-Clause
"""The regional chemistry as a component: options, inputs, coupling; the science is in the other files."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import model_validator

from components.chemistry.regional import (
    carbon_dioxide,
    emitted,
    gas_chemistry,
    near_ground,
    photolysis_haze,
    side_files,
)
from components.chemistry.regional.aerosol.options import Aerosol
from components.chemistry.regional.aerosol.particles import BOOKS as PARTICLE_BOOKS
from components.chemistry.regional.aerosol.particles import OF_VAPOUR, Particles, Surroundings
from components.chemistry.regional.aerosol.species import NAMES as PARTICLES
from components.chemistry.regional.deposition.dry import Ground
from components.chemistry.regional.deposition.gas_surfaces import LAND_USES
from components.chemistry.regional.deposition.rain import Rain
from components.chemistry.regional.deposition.surroundings import Below, cover_of, rains_of
from components.chemistry.regional.emissions import totals
from components.chemistry.regional.gas_chemistry import GasAir
from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.mistakes import mistakes
from components.chemistry.regional.parameters import Emissions, SideFile
from components.chemistry.regional.reactive_gases import BOOKS as GAS_BOOKS
from components.chemistry.regional.reactive_gases import ReactiveGases
from components.chemistry.regional.tracer_options import CarbonDioxide, PassiveTracer, declared
from components.chemistry.regional.transport import Booked, Mover, TooFast, Winds, column, dry_density
from components.radiation.aerosol_exchange import aerosol_fields, aerosol_out
from components.radiation.exchange import CLOUDS, GROUND, INTERFACES, LAYERS, column_fields
from components.radiation.full_columns import cloud_fraction
from components.radiation.scheme import Air
from components.science import air_exchange
from components.science.cell_faces import cell_faces
from components.science.compiled_transport import CompiledTransport
from components.science.halo import filler
from components.science.sun import days_since_2000
from components.science.surface_fields import SURFACE_OZONE
from components.science.tracers import Species
from components.science.transport import HALO
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.errors import TesseraError
from coupler.fields import FieldSpec, specs
from coupler.grids.grid import Grid
from coupler.namelist import Namelist, Range

INNER = slice(HALO, -HALO)
Mole = Annotated[float, Range(least=0.0, most=1.0)]
Rate = Annotated[float, Range(least=0.0, most=1.0e13)]
CARBON_DIOXIDE = "mole_fraction_of_carbon_dioxide_in_air"
OZONE = "mole_fraction_of_ozone_in_air"
CLOUDY = next(name for name, part in CLOUDS.items() if part == "fraction")
HELD_BY = ("volume_fraction_of_condensed_water_in_soil", "surface_snow_amount")
"""Of the land, what holds dust back: water in the topmost soil, snow."""
LAND_FLUX = carbon_dioxide.FLUX
FINE = "mass_concentration_of_pm2p5_dry_aerosol_particles_in_air"
BOOKS = {
    "added": "added_with_air", "moved": "transport", "entered": "through_sides", "emitted": "surface_flux",
    "settled": "deposition",
}  # fmt: skip
LOWEST = ("eastward_wind", "northward_wind", "surface_downwelling_shortwave_flux_in_air")
NITROGEN_DEPOSITION = (
    "minus_tendency_of_atmosphere_mass_content_of_nitrogen_compounds_expressed_as_nitrogen_due_to_deposition"
)


class NoMechanism(TesseraError):
    """The mechanism that a namelist names is not there."""


class RegionalChemistry(Component):
    """Tracers, carbon dioxide, gases, aerosol on the atmosphere's grid, moved by its mass fluxes; see README.md."""

    description = "regional chemistry: tracers, carbon dioxide, gases, aerosol"
    shapes_state = ("levels", "tracers", "carbon_dioxide", "gases", "aerosol")
    halo_cells = HALO

    class Options(Namelist):
        """Options of the regional chemistry."""

        levels: Annotated[int, Range(least=3, most=300)] = 24
        """Layers of the atmosphere."""
        gases: str = "none"
        """Gas-phase chemistry: none, cb05 (Carbon Bond 5 with ammonia and dimethyl sulphide), or a mechanism's file in
        the format of MusicBox, version 1."""
        gas_tolerance: Annotated[float, Range(least=1.0e-10, most=0.1)] = 1.0e-3
        """Relative tolerance of the gas chemistry's steps."""
        backend: Literal["compiled", "musica"] = "compiled"
        """Solver of the gas chemistry: the project's own, or musica's MICM to compare (pip install musica)."""
        start: dict[str, Mole] = {}
        """Mole fractions of gases, and mass fractions of particles (kg kg-1), at the start and at the sides, the same
        everywhere, in the place of the background's: {CO: 1.5e-7, sulfate: 2.0e-9}."""
        rates: dict[str, Rate] = {}
        """Fixed rates of a mechanism's reactions that no table gives, s-1 or mol m-3 s-1: {LOSS.dust: 1.0e-6}; of those
        on surfaces radius and number of the particles: {"SURF.x.effective radius [m]": 1.0e-7}."""
        emissions: Emissions | None = None
        """Emissions: {files: [{file: nox.nc, variable: emi_nox, molar_mass: 0.046, species: {NO: 1}}]}, or
        {proxy_year: 2014} of gases."""
        sides: list[SideFile] = []
        """Files of a larger model in the place of the background, at the sides and at the start: {file: cams.nc,
        variable: go3, molar_mass: 0.048, species: {O3: 1}}."""
        deposition: bool = True
        """Dry and wet deposition of gases."""
        land_use: Literal[LAND_USES] = "range_and_agriculture"  # type: ignore[valid-type]
        """What grows or stands on land, for dry deposition of gases and particles."""
        land_cover: str = ""
        """The land's surface file on this grid: deposition by its area_type_fraction; land_use where it has none."""
        aerosol: Aerosol | None = None
        """Sulfate, nitrate, ammonium, soot, organic matter, sea salt and dust: {} for all as they are by themselves,
        {dust: {scheme: gocart}, sea_salt: false} ...; none if not given. The first three form of gases alone."""
        tracers: list[PassiveTracer] = []
        """Passive tracers: {name: dust, start: 0, settles: 0.01, boundary: hold, surface_flux: 1.0e-9}."""
        carbon_dioxide: CarbonDioxide | None = None
        """Carbon dioxide as tags of sides, land, ocean and fossil fuel: {start: 4.0e-4, fossil_flux: 1.0e-9}."""
        limiter: Literal["positive", "monotonic", "none"] = "monotonic"
        """What the transport keeps: no new extremes, or nothing below 0."""
        substeps: Annotated[int, Range(least=1, most=50)] = 1
        """Steps of the transport in a time step."""
        precision: Literal["single", "double"] = "double"
        """Precision of the arithmetic."""

        @model_validator(mode="after")
        def _every_tracer_once(self) -> "RegionalChemistry.Options":
            Species(declared(self))
            return self

    def __init__(self, options: Any):
        super().__init__(options)
        self.mechanism: Mechanism | None = None
        if options.gases in gas_chemistry.BUILT_IN:
            self.mechanism = gas_chemistry.mechanism_of(options.gases)
        self._declare()

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The atmosphere's; a mechanism of the user's own is read here, as its species are fields of the output."""
        o = self.options
        if self.mechanism is None and o.gases != "none":
            if not setting.file(o.gases).exists():
                words = ", ".join(["none", *gas_chemistry.BUILT_IN])
                raise NoMechanism(f"gases: {o.gases!r} is neither one of {words} nor a file: {setting.file(o.gases)}")
            self.mechanism = gas_chemistry.mechanism_of(str(setting.file(o.gases)))
            self._declare()
        return super().grids(setting)

    def _declare(self) -> None:
        """Tracers, fields and output that the options ask for."""
        options = self.options
        gases = () if self.mechanism is None else gas_chemistry.tracers(self.mechanism)
        self.species = Species((*declared(options), *gases))
        self.imports = (*air_exchange.air_fields(options.levels), *column_fields(options.levels))
        names = self.species.names
        units = {t.name: t.units for t in self.species}
        self.diagnostic_units = {**units, **{f"atmosphere_mass_content_of_{n}": f"{units[n]} kg m-2" for n in names}}
        self.diagnostic_units |= {f"{n}_{book}": f"{units[n]} kg m-2" for n in names for book in BOOKS.values()}
        self.exports = ()
        if options.aerosol is not None:
            self.imports += (FieldSpec(CLOUDY, levels=options.levels, required=False),)
            self.imports += tuple(FieldSpec(name) for name in LOWEST[:2])
            if options.aerosol.dust is not None:
                self.imports += tuple(FieldSpec(name, required=False, partial=True) for name in HELD_BY)
            self.diagnostic_units |= {f"{n}_{b}": "kg m-2" for n in PARTICLES for b in PARTICLE_BOOKS}
            self.diagnostic_units |= {FINE: "kg m-3", near_ground.name_of(FINE): "kg m-3", OF_VAPOUR: "kg m-2"}
            self.exports += aerosol_fields(options.levels)
        if self.mechanism is not None:
            if options.aerosol is None:
                self.imports += (FieldSpec(CLOUDY, levels=options.levels, required=False),)
            needed = options.deposition or options.emissions is not None
            wanted = LOWEST if options.aerosol is None else LOWEST[2:]
            self.imports += tuple(FieldSpec(name, required=needed) for name in wanted)
            self.diagnostic_units |= {f"{t.name}_{b}": f"{t.units} kg m-2" for t in gases for b in GAS_BOOKS}
            self.diagnostic_units |= {near_ground.name_of(n): "mol mol-1" for n in near_ground.GASES if n in names}
            if options.deposition:
                self.exports += specs(NITROGEN_DEPOSITION)
            if gas_chemistry.OZONE in names:
                self.exports += (FieldSpec(OZONE, levels=options.levels), FieldSpec(SURFACE_OZONE))
        if options.carbon_dioxide is not None:
            self.imports += (FieldSpec(LAND_FLUX, required=False, partial=True),)
            self.exports += specs(CARBON_DIOXIDE)
            self.diagnostic_units |= {"atmosphere_mole_fraction_of_carbon_dioxide": "mol mol-1"}

    def check(self, setting: Setting) -> list[str]:
        """A grid without corners, or nothing to do."""
        grid: Any = setting.grid
        if not grid.is_structured:
            return [f"{setting.name}: the chemistry needs the atmosphere's grid, structured, with corners"]
        if not len(self.species):
            return [f"{setting.name}: no tracers, no carbon_dioxide and no gases: name what the chemistry is to hold"]
        return [f"{setting.name}: {text}" for text in mistakes(self.options, self.mechanism, self.species, setting)]

    def remarks(self, setting: Setting) -> list[str]:
        """Tg a year that is emitted, in the files, on the grid and in the domain."""
        e = self.options.emissions
        if e is None:
            return []
        return totals(emitted.sources_of(e, setting, self.options.aerosol is not None), setting.grid, 0)

    def initialize(self, context: Context) -> Fields:
        """Faces of the grid, tracers at their start."""
        o, grid, b = self.options, context.grid, context.decomposition.block
        torch.set_num_threads(context.threads)
        self.context, self.dtype = context, torch.float32 if o.precision == "single" else torch.float64
        corners: Any = grid
        whole_domain = cell_faces(corners.corner_longitude, corners.corner_latitude)
        faces = whole_domain.block(b.y0, b.y1, b.x0, b.x1).to(self.dtype, context.device)
        size, halo = (b.y1 - b.y0, b.x1 - b.x0), filler(context, "specified")
        self.mover = Mover(CompiledTransport(faces, halo, o.limiter), self.species, halo.edges, o.substeps)
        start = {t.name: t.start for t in o.tracers}
        if o.carbon_dioxide is not None:
            start[carbon_dioxide.SIDES] = o.carbon_dioxide.start
        shape = (len(self.species), o.levels, size[0] + 2 * HALO, size[1] + 2 * HALO)
        self.q = torch.zeros(shape, dtype=self.dtype, device=context.device)
        for n, t in enumerate(self.species):
            self.q[n] = start.get(t.name, 0.0)
        held = torch.tensor([float(t.boundary == "hold") for t in self.species]).to(self.q)
        self._outside = self.q[..., INNER, INNER] * held[:, None, None, None]
        self.air: torch.Tensor | None = None
        self._books = Booked(*(torch.zeros_like(self._outside[:, 0]) for _ in Booked._fields))
        self.particles: Particles | None = None
        east, north = (torch.tensor(context.local(a), dtype=self.dtype) for a in (grid.longitude, grid.latitude))
        if o.aerosol is not None or self.mechanism is not None:
            file, year = context.file(o.land_cover) if o.land_cover else None, context.clock.date(0).year
            block = slice(b.y0, b.y1), slice(b.x0, b.x1)
            self.below = Below(east, north, cover_of(east, north, o.land_use, file, grid.shape, block, year))
        if o.aerosol is not None:
            start = {n: x for n, x in o.start.items() if n in PARTICLES}
            desert = self.below.cover.desert() if o.land_cover else None
            self.particles = Particles(o.aerosol, self.species, east, north, o.levels, self.dtype, start, desert)
        e = halo.edges
        self._at_the_sides = "specified" in (e.west, e.east, e.south, e.north)
        self.gases: ReactiveGases | None = None
        if self.mechanism is not None:
            self.gases = ReactiveGases(context, o, self.mechanism, self.species, self.dtype)
            self.q[self.gases.at, :, INNER, INNER] = self.gases.standard()
        block, particles = (slice(b.y0, b.y1), slice(b.x0, b.x1)), o.aerosol is not None
        self._files = side_files.SideFiles(o.sides, context, self.species, block)
        self._emitted: emitted.Emitted | None = None
        if o.emissions is not None:
            self._emitted = emitted.Emitted(context, o.emissions, self.species, particles, self.dtype)
        return self._exports()

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Move the tracers by the period's means."""

        def read(name: str) -> torch.Tensor:
            return torch.as_tensor(np.array(imports[name]), dtype=self.dtype, device=self.q.device)

        t, q_v, p = (read(name) for name in (next(iter(LAYERS)), "humidity_mixing_ratio", "air_pressure"))
        winds = Winds(
            read(air_exchange.AIR), read(air_exchange.WEST), read(air_exchange.SOUTH), read(air_exchange.UPWARD),
            read(air_exchange.UPDRAUGHT), read(air_exchange.DIFFUSIVITY), dry_density(p, t, q_v),
        )  # fmt: skip
        if not bool((winds.air > 0.0).all()):
            raise TooFast(
                f"{self.context.name}: layers without air; is the air exchanged with lag 0 from its start on?"
            )
        before = winds.air if self.air is None else self.air
        sources = self._sources(imports, winds.air[0])
        with torch.no_grad():
            if self.gases is not None or self.particles is not None:
                ground, rains = self._below(winds, t[0], p[0], read, imports, time + seconds // 2)
            entering: list[tuple[Sequence[int], Callable[[], torch.Tensor]]] = []
            sunlight = torch.zeros_like(t[0])
            if self.gases is not None:
                air, sunlight = self._gas_air(winds, t, q_v, p, read, imports), ground.sunlight
                entering.append((self.gases.at, partial(self.gases.outside, air.p_interface, time)))
            if self.particles is not None:
                around = self._around(winds, t, q_v, p, read, imports)
                entering.append((self.particles.at, partial(self.particles.outside, around)))
                held = (None if imports.get(n) is None else torch.nan_to_num(read(n)) for n in HELD_BY)
                sources = emitted.added(sources, self.particles.emitted(around, ground.temperature, *held))
            self._from_outside(entering, time, p)
            if self._emitted is not None:
                flows, low = self._emitted.at(winds.air, winds.density, t[0], sunlight, time, seconds)
                if self.gases is not None:
                    self.gases.from_ground = low
                if self.particles is not None:
                    flows = self.particles.weighed(flows)
                    self.particles.from_ground = self.particles.weighed(low)
                sources = emitted.added(sources, flows)
            self.q, books = self.mover.advance(self.q, before, winds, self._outside, sources, float(seconds))
            self._books = Booked(*(a + b for a, b in zip(self._books, books, strict=True)))
            if self.gases is not None:
                inner = self.q[..., INNER, INNER]
                inner[self.gases.at] = self.gases.advance(inner, air, ground, rains, time, seconds)
            if self.particles is not None:
                inner = self.q[..., INNER, INNER]
                inner[:], changed = self.particles.advance(inner, around, ground, rains, float(seconds))
                if self.gases is not None:
                    self.gases.exchanged(changed, winds.air)
            self.mover.halo([self.q], HALO)
        self.air = winds.air
        return self._exports()

    def _from_outside(
        self, entering: Sequence[tuple[Sequence[int], Callable[[], torch.Tensor]]], time: int, p: torch.Tensor
    ) -> None:
        """What comes in at the sides, and at the start of the case is everywhere."""
        if self.air is None or self._at_the_sides:
            for at, values in entering:
                self._outside[at] = values()
            self._files.onto(self._outside, time, p)
        if self.air is None:
            begun = [n for at, _ in entering for n in at] + self._files.numbers
            self.q[begun, :, INNER, INNER] = self._outside[begun]
            self.mover.halo([self.q], HALO)

    def _below(
        self, winds: Winds, t: torch.Tensor, p: torch.Tensor, read: Any, imports: Mapping[str, Any], time: int
    ) -> tuple[Ground, tuple[Rain, ...]]:
        """Surface, lowest air and rain of a period."""
        east, north, sunlight = (torch.zeros_like(t) if imports.get(name) is None else read(name) for name in LOWEST)
        surface = next(read(name) for name, part in GROUND.items() if part == "t_surface")
        layered, towers = read(air_exchange.STRATIFORM), read(air_exchange.CONVECTIVE)
        reaching = torch.clamp(layered[0], min=0.0) + torch.clamp(towers[0], min=0.0)
        ground = self.below.ground(
            torch.sqrt(east * east + north * north), winds.air[0] / winds.density[0], (t, p, winds.density[0]), surface,
            sunlight, reaching, days_since_2000(self.context.clock.date(time)),
        )  # fmt: skip
        return ground, rains_of(layered, towers)

    def _gas_air(
        self, winds: Winds, t: torch.Tensor, q_v: torch.Tensor, p: torch.Tensor, read: Any, imports: Mapping[str, Any]
    ) -> GasAir:
        """The air as the gases see it; where no cover of clouds is given, a cloudy layer is cloudy all over."""
        water = read("cloud_liquid_water_mixing_ratio") + read("cloud_ice_mixing_ratio")
        cover = cloud_fraction(water) if imports.get(CLOUDY) is None else read(CLOUDY)
        inside = torch.where(cover > 0.0, water / torch.clamp(cover, min=0.01), 0.0)
        most = cover[0]
        for layer in cover[1:]:
            most = torch.maximum(most, layer)
        albedo = next(read(name) for name, part in GROUND.items() if part == "albedo")
        interfaces, haze = read(INTERFACES), None
        if self.particles is not None:
            column_air = Air(t, q_v, none := torch.zeros_like(t), none, p, interfaces, t[0], albedo, albedo)
            haze = photolysis_haze.of_particles(self.particles.fractions(self.q[..., INNER, INNER]), column_air)
        return GasAir(t, q_v, p, interfaces, winds.density, winds.air, inside, water, most, albedo, haze)

    def _around(
        self, winds: Winds, t: torch.Tensor, q_v: torch.Tensor, p: torch.Tensor, read: Any, imports: Mapping[str, Any]
    ) -> Surroundings:
        """The air as the particles see it."""
        liquid = torch.clamp(read("cloud_liquid_water_mixing_ratio"), min=0.0)
        cover = cloud_fraction(liquid) if imports.get(CLOUDY) is None else torch.clamp(read(CLOUDY), 0.0, 1.0)
        inside = torch.where(cover > 0.0, liquid / torch.clamp(cover, min=0.01), 0.0)
        east, north = (read(name) for name in LOWEST[:2])
        wind = torch.clamp(torch.sqrt(east * east + north * north), min=0.1)
        return Surroundings(t, q_v, p, winds.density, winds.air, inside, cover, wind)

    def _sources(self, imports: Mapping[str, Any], like: torch.Tensor) -> dict[str, torch.Tensor]:
        """Upward fluxes through the ground by tracer."""
        out = {t.name: torch.full_like(like, t.surface_flux) for t in self.options.tracers if t.surface_flux != 0.0}
        o = self.options.carbon_dioxide
        if o is None:
            return out
        for name, flux in ((carbon_dioxide.FOSSIL, o.fossil_flux), (carbon_dioxide.OCEAN, o.ocean_flux)):
            out[name] = carbon_dioxide.upward(torch.full_like(like, -flux))
        if imports.get(LAND_FLUX) is not None:
            land = torch.as_tensor(np.nan_to_num(np.array(imports[LAND_FLUX]))).to(like)
            out[carbon_dioxide.LAND] = carbon_dioxide.upward(land)
        return out

    def _exports(self) -> Fields:
        out = {}
        if any(f.name == OZONE for f in self.exports):
            # a mole fraction below 0 by rounding is none to others
            ozone = self.species.by_name(self.q[..., INNER, INNER])[gas_chemistry.OZONE]
            out[OZONE] = _array(torch.clamp(ozone, min=0.0))
            out[SURFACE_OZONE] = out[OZONE][0]
        if self.particles is not None:
            out |= aerosol_out(self.particles.fractions(self.q[..., INNER, INNER]))
        if self.gases is not None and self.options.deposition:
            fallen = self.gases.nitrogen_deposition
            if self.particles is not None:
                fallen = fallen + self.particles.nitrogen_deposition
            out[NITROGEN_DEPOSITION] = _array(fallen)
        if self.options.carbon_dioxide is not None:
            out[CARBON_DIOXIDE] = _array(self._carbon_dioxide()[0])
        return out

    def _carbon_dioxide(self) -> torch.Tensor:
        parts = self.species.by_name(self.q[..., INNER, INNER])
        return carbon_dioxide.total([parts[name] for name in carbon_dioxide.TAGS])

    def state(self) -> dict[str, Any]:
        """Tracers, the air that they were last mixed into, and the books."""
        air = torch.zeros_like(self._outside[0]) if self.air is None else self.air
        kept = {name: _array(a) for name, a in self.species.by_name(self.q[..., INNER, INNER]).items()}
        books = {f"{n}_{BOOKS[kind]}": _array(a[k]) for kind, a in self._books._asdict().items()
                 for k, n in enumerate(self.species.names)}  # fmt: skip
        for part in (self.gases, self.particles):
            books |= {} if part is None else {name: _array(a) for name, a in part.state().items()}
        return {**kept, **books, "air": _array(air)}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""

        def read(name: str) -> torch.Tensor:
            return torch.as_tensor(np.array(state[name])).to(self.q)

        self.q[..., INNER, INNER] = torch.stack([read(name) for name in self.species.names])
        self.mover.halo([self.q], HALO)
        air = read("air")
        self.air = air if bool((air > 0.0).all()) else None
        names = self.species.names
        self._books = Booked(*(torch.stack([read(f"{n}_{BOOKS[part]}") for n in names]) for part in Booked._fields))
        for part in (self.gases, self.particles):
            if part is not None:
                part.restore(state)
        return self._exports()

    def diagnostics(self) -> dict[str, Array]:
        """Tracers, their columns, and what became of them since the start."""
        inner = self.q[..., INNER, INNER]
        out = {name: _array(a) for name, a in self.species.by_name(inner).items()}
        air = torch.zeros_like(inner[0]) if self.air is None else self.air
        content = column(inner * air)
        for k, name in enumerate(self.species.names):
            out[f"atmosphere_mass_content_of_{name}"] = _array(content[k])
            out |= {f"{name}_{BOOKS[part]}": _array(a[k]) for part, a in self._books._asdict().items()}
        if self.gases is not None:
            out |= {name: _array(a) for name, a in (self.gases.booked() | self.gases.near_ground()).items()}
        if self.particles is not None:
            out |= {name: _array(a) for name, a in self.particles.booked().items()}
            out[FINE] = _array(self.particles.fine_matter(inner))
            out[near_ground.name_of(FINE)] = _array(self.particles.fine_at_stations)
        if self.options.carbon_dioxide is not None:
            out["atmosphere_mole_fraction_of_carbon_dioxide"] = _array(self._carbon_dioxide())
        return out


def _array(a: torch.Tensor) -> Array:
    return a.detach().cpu().double().numpy()
