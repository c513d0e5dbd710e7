# SPDX-License-Identifier: BSD-3-Clause
"""The regional chemistry as a component: options, inputs, coupling; the science is in the other files."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import model_validator

from components.chemistry.regional import carbon_dioxide
from components.chemistry.regional.transport import Booked, Mover, TooFast, Winds, column, dry_density
from components.radiation.exchange import LAYERS, column_fields
from components.science import air_exchange
from components.science.cell_faces import cell_faces
from components.science.halo import filler
from components.science.torch_compiler import Compiler
from components.science.tracers import Species, Tracer
from components.science.transport import HALO, Transport
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.fields import FieldSpec, specs
from coupler.namelist import Namelist, Range, Unit

INNER = slice(HALO, -HALO)
Ratio = Annotated[float, Range(least=0.0, most=1.0e12)]
Flux = Annotated[float, Range(least=-1.0, most=1.0)]
CARBON_DIOXIDE = "mole_fraction_of_carbon_dioxide_in_air"
LAND_FLUX = carbon_dioxide.FLUX
BOOKS = {"added": "added_with_air", "moved": "transport", "emitted": "surface_flux", "settled": "deposition"}


class PassiveTracer(Namelist):
    """``{name: dust, start: 0, settles: 0.01, boundary: hold, surface_flux: 1.0e-9}``."""

    name: str
    """Its name, in output and restarts too."""
    units: str = "kg kg-1"
    """Units of its mixing ratio to dry air."""
    start: Ratio = 0.0
    """Its mixing ratio everywhere at the start."""
    mixed_by_turbulence: bool = True
    """Whether the boundary layer mixes it."""
    carried_by_convection: bool = True
    """Whether the updraughts of the convection carry it."""
    settles: Annotated[float, Unit("m s-1"), Range(least=0.0, most=50.0)] = 0.0
    """Fall speed."""
    boundary: Literal["zero", "hold"] = "hold"
    """What comes in through the sides: nothing, or the start's values."""
    surface_flux: Flux = 0.0
    """Upward flux through the ground, in its units times kg m-2 s-1."""

    def tracer(self) -> Tracer:
        """As the transport sees it."""
        return Tracer(
            self.name, self.units, mixed_by_turbulence=self.mixed_by_turbulence,
            carried_by_convection=self.carried_by_convection, settles=self.settles, boundary=self.boundary,
        )  # fmt: skip


class CarbonDioxide(Namelist):
    """``{start: 4.0e-4, fossil_flux: 1.0e-9}``."""

    start: Annotated[float, Range(least=0.0, most=0.05)] = 4.0e-4
    """Mole fraction at the start and at the sides."""
    fossil_flux: Flux = 0.0
    """Upward flux of carbon from fossil fuel, kg m-2 s-1, the same everywhere."""
    ocean_flux: Flux = 0.0
    """Upward flux of carbon from the ocean, kg m-2 s-1, the same everywhere."""


class RegionalChemistry(Component):
    """Tracers and carbon dioxide on the atmosphere's grid, moved by its mean mass fluxes; see README.md."""

    description = "regional chemistry: tracers and carbon dioxide"
    shapes_state = ("levels", "tracers", "carbon_dioxide")

    class Options(Namelist):
        """Options of the regional chemistry."""

        levels: Annotated[int, Range(least=3, most=300)] = 24
        """Layers of the atmosphere."""
        gases: Literal["none"] = "none"
        """Gas-phase chemistry: none; passive tracers and carbon dioxide need none."""
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
        compile: bool = False
        """Compile the transport (needs a C++ compiler); the last bits may differ."""

        @model_validator(mode="after")
        def _every_tracer_once(self) -> "RegionalChemistry.Options":
            Species(_tracers(self))
            return self

    def __init__(self, options: Any):
        super().__init__(options)
        self.species = Species(_tracers(options))
        self.imports = (*air_exchange.air_fields(options.levels), *column_fields(options.levels))
        names = self.species.names
        units = {t.name: t.units for t in self.species}
        self.diagnostic_units = {**units, **{f"atmosphere_mass_content_of_{n}": f"{units[n]} kg m-2" for n in names}}
        self.diagnostic_units |= {f"{n}_{book}": f"{units[n]} kg m-2" for n in names for book in BOOKS.values()}
        if options.carbon_dioxide is not None:
            self.imports += (FieldSpec(LAND_FLUX, required=False, partial=True),)
            self.exports = specs(CARBON_DIOXIDE)
            self.diagnostic_units |= {"atmosphere_mole_fraction_of_carbon_dioxide": "mol mol-1"}

    def check(self, setting: Setting) -> list[str]:
        """A grid without corners, or nothing to do."""
        grid: Any = setting.grid
        if not grid.is_structured:
            return [f"{setting.name}: the chemistry needs the atmosphere's grid, structured, with corners"]
        if not len(self.species):
            return [f"{setting.name}: no tracers and no carbon_dioxide: name what the chemistry is to hold"]
        return []

    def initialize(self, context: Context) -> Fields:
        """Faces of the grid, tracers at their start."""
        o, grid, b = self.options, context.grid, context.decomposition.block
        torch.set_num_threads(context.threads)
        self.context, self.dtype = context, torch.float32 if o.precision == "single" else torch.float64
        corners: Any = grid
        whole_domain = cell_faces(corners.corner_longitude, corners.corner_latitude)
        faces = whole_domain.block(b.y0, b.y1, b.x0, b.x1).to(self.dtype, context.device)
        size, halo = (b.y1 - b.y0, b.x1 - b.x0), filler(context, "specified")
        compiler = Compiler(say=context.log) if o.compile else None
        self.mover = Mover(Transport(faces, halo, o.limiter, compiler), self.species, halo.edges, o.substeps)
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
            self.q, books = self.mover.advance(self.q, before, winds, self._outside, sources, float(seconds))
        self._books = Booked(*(a + b for a, b in zip(self._books, books, strict=True)))
        self.air = winds.air
        return self._exports()

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
        if self.options.carbon_dioxide is None:
            return {}
        return {CARBON_DIOXIDE: _array(self._carbon_dioxide()[0])}

    def _carbon_dioxide(self) -> torch.Tensor:
        parts = self.species.by_name(self.q[..., INNER, INNER])
        return carbon_dioxide.total([parts[name] for name in carbon_dioxide.TAGS])

    def state(self) -> dict[str, Any]:
        """Tracers, the air that they were last mixed into, and the books."""
        air = torch.zeros_like(self._outside[0]) if self.air is None else self.air
        kept = {name: _array(a) for name, a in self.species.by_name(self.q[..., INNER, INNER]).items()}
        books = {f"{n}_{BOOKS[part]}": _array(a[k]) for part, a in self._books._asdict().items()
                 for k, n in enumerate(self.species.names)}  # fmt: skip
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
        if self.options.carbon_dioxide is not None:
            out["atmosphere_mole_fraction_of_carbon_dioxide"] = _array(self._carbon_dioxide())
        return out


def _tracers(options: Any) -> tuple[Tracer, ...]:
    tags = carbon_dioxide.tracers() if options.carbon_dioxide is not None else ()
    return (*(t.tracer() for t in options.tracers), *tags)


def _array(a: torch.Tensor) -> Array:
    return a.detach().cpu().double().numpy()
