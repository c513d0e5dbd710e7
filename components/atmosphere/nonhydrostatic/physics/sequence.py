# SPDX-License-Identifier: BSD-3-Clause
"""Physics of a block in a time step: its columns, what radiation sees of them, and the physics put back."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.column_physics import ColumnPhysics, Ground
from components.atmosphere.nonhydrostatic.physics.columns import INNER, Columns, columns, put_back
from components.atmosphere.nonhydrostatic.physics.falling_water import Falling
from components.atmosphere.nonhydrostatic.physics.held_columns import Held
from components.atmosphere.nonhydrostatic.physics.interfaces import Convection, Parts
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Convective, Law, seen
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.radiation.scheme import Air, Radiation, interface_pressure
from components.science.constants import GRAVITY, STEFAN_BOLTZMANN
from components.science.gases import Gases
from components.science.halo import HaloFiller
from components.science.sun import cosine_zenith, sun_position
from components.science.torch_compiler import Compiler
from components.science.tracers import Species


class After(NamedTuple):
    """The state after the physics of a step.

    Attributes
    ----------
    s, q : state and tracers, halos filled
    rain, snow : (ny, nx) at the ground in the step, kg m-2
    deposited : what has settled on the ground in the step (ny, nx), kg m-2, by tracer
    before : the columns of air before the physics
    convection : what the convection gave, or None
    diffusivity : (nz-1, ny, nx) of heat on inner interfaces, m2 s-1, or None
    falling : precipitation at the layers' bottoms
    """

    s: State
    q: torch.Tensor
    rain: torch.Tensor
    snow: torch.Tensor
    deposited: Parts
    before: Columns
    convection: Convection | None = None
    diffusivity: torch.Tensor | None = None
    falling: Falling | None = None


class Radiating(NamedTuple):
    """The ground as radiation sees it (y, x): radiating temperature (K), albedo, longwave emissivity."""

    temperature: torch.Tensor
    albedo: torch.Tensor
    emissivity: torch.Tensor


@dataclass
class Physics:
    """Physics of a block.

    Parameters
    ----------
    geometry, halo : of the block
    lon, lat : (ny, nx) degrees
    schemes : of each process
    species : the tracers, as ``q`` holds them
    compiler : what compiles the schemes, if they are to be
    gases : mole fractions that radiation sees
    cloud_law : of the part of a layer that clouds fill, see `radiated_clouds`
    numbers : (ny, nx) whole numbers of the columns in the whole grid, from which sampling schemes draw
    held : columns whose air is a driving model's, if any
    land : (ny, nx) share of land of the columns, if known
    """

    geometry: Geometry
    halo: HaloFiller
    lon: torch.Tensor
    lat: torch.Tensor
    schemes: Schemes
    species: Species
    compiler: Compiler | None = None
    gases: Gases = field(default_factory=Gases)
    cloud_law: Law = "whole"
    numbers: torch.Tensor | None = None
    held: Held | None = None
    land: torch.Tensor | None = None

    def __post_init__(self) -> None:
        self._columns = ColumnPhysics(self.schemes, self.species, self.compiler, self.held, self.land)
        self._radiation: Any = self.schemes.radiation.ready(gases=self.gases)

    def air(
        self, s: State, q: torch.Tensor, ground: Radiating, day: float, convective: Convective | None = None
    ) -> Air:
        """The block's columns as radiation sees them; ``day`` since 2000 began, fractional, UTC.

        Interfaces are as far apart in pressure as the air and the water between them weigh.
        """
        parts = self.species.by_name(q)
        vapour = parts[VAPOUR.name]
        c = columns(self.geometry, s, vapour)
        inner = {name: a[:, INNER, INNER].contiguous() for name, a in parts.items()}
        size = 1.0 / torch.sqrt(self.geometry.inverse_area[INNER, INNER])
        clouds = seen(inner, c, convective, self.cloud_law, size)
        clouds = clouds if self.held is None else self.held.seen(clouds)
        mu = cosine_zenith(self.lon, self.lat, day).to(c.t)
        distance = sun_position(day)[2]
        q_v = vapour[:, INNER, INNER]
        top = interface_pressure(c.p, c.rho * (1.0 + q_v), c.dz)[-1:]
        weight = GRAVITY * c.mass * (1.0 + self.species.water(q)[:, INNER, INNER])
        p_i = torch.cat([(top + weight.flip(0).cumsum(0)).flip(0), top])
        return Air(
            c.t, torch.clamp(q_v, min=1.0e-8), clouds.cloud, clouds.ice, c.p, p_i, ground.temperature, ground.albedo,
            mu, distance, latitude=self.lat, day=day, snow=clouds.snow, fraction=clouds.fraction,
            column=self.numbers, emissivity=ground.emissivity,
        )  # fmt: skip

    def radiate(self, air: Air) -> Radiation:
        """Radiation of columns."""
        return self._radiation(air)

    def step(self, s: State, q: torch.Tensor, heating: torch.Tensor | None, ground: Ground | None, dt: float) -> After:
        """Physics after the dynamics of a step of ``dt`` seconds.

        Parameters
        ----------
        s, q : state and tracers, halos filled
        heating : (nz, ny, nx) by radiation, K s-1, or None
        ground : what the surface gives; without it no turbulence
        dt : time step, s
        """
        g = self.geometry
        parts = self.species.by_name(q[..., INNER, INNER])
        c = columns(g, s, q[self.species.number(VAPOUR.name)])
        u, v = centre_wind(g, s)
        m = self._columns.step(c, u, v, parts, heating, ground, dt)
        if m.u is not u or m.v is not v:
            s = self.push(s, m.u - u, m.v - v)
        s, q = put_back(g, self.halo, s, c, m.theta, self.species.ordered(m.parts), m.parts[VAPOUR.name])
        return After(s, q, m.rain, m.snow, m.deposited, c, m.convection, m.diffusivity, m.falling)

    def push(self, s: State, du: torch.Tensor, dv: torch.Tensor) -> State:
        """Momentum on the faces changed by the mean of what its two cells' winds changed."""
        g = self.geometry
        wide = torch.zeros((2, g.nz, g.ny + 2, g.nx + 2), dtype=du.dtype, device=du.device)
        wide[0, :, 1:-1, 1:-1], wide[1, :, 1:-1, 1:-1] = du, dv
        self.halo([wide], 1)
        mass = (g.rho_base + s.rho)[:, H - 1 : 1 - H, H - 1 : 1 - H]
        ru, rv = s.ru.clone(), s.rv.clone()
        m, d = mass[:, 1:-1], wide[0, :, 1:-1]
        ru[:, INNER, INNER] += 0.25 * (m[..., 1:] + m[..., :-1]) * (d[..., 1:] + d[..., :-1])
        m, d = mass[..., 1:-1], wide[1, ..., 1:-1]
        rv[:, INNER, INNER] += 0.25 * (m[:, 1:] + m[:, :-1]) * (d[:, 1:] + d[:, :-1])
        self.halo([ru, rv], H)
        return s._replace(ru=ru, rv=rv)


def centre_wind(g: Geometry, s: State, lowest: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Wind along the grid's axes at cell centres (nz, ny, nx), m/s, or in the ``lowest`` layers."""
    low = slice(lowest)
    mass = (g.rho_base[low] + s.rho[low])[:, INNER, INNER]
    ru, rv = s.ru[low, INNER, INNER], s.rv[low, INNER, INNER]
    return 0.5 * (ru[..., 1:] + ru[..., :-1]) / mass, 0.5 * (rv[:, 1:] + rv[:, :-1]) / mass


def radiating_temperature(emitted: torch.Tensor, emissivity: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Temperature (K) of a ground of some ``emissivity`` that emits ``emitted`` (W m-2)."""
    share = torch.as_tensor(emissivity, dtype=emitted.dtype, device=emitted.device)
    black = torch.clamp(emitted / torch.clamp(share, min=1.0e-3), min=50.0)
    return torch.sqrt(torch.sqrt(black / STEFAN_BOLTZMANN))
