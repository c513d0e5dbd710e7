# SPDX-License-Identifier: BSD-3-Clause
"""Physics of a time step in sequence: radiation, turbulence, convection, clouds. Schemes are chosen by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.columns import INNER, Columns, columns, put_back
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes, Parts
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.radiation.scheme import Air, Radiation, interface_pressure
from components.science.constants import CP_DRY, FREEZING_POINT, LATENT_FUSION, STEFAN_BOLTZMANN
from components.science.halo import HaloFiller
from components.science.settling import fall
from components.science.sun import cosine_zenith, sun_position
from components.science.tracers import Species
from components.science.updraughts import carry

SOLIDS = "cloud_ice"
LIQUIDS = "cloud_water"
"""Names of the tracers that radiation sees as clouds."""


@dataclass
class Ground:
    """What the surface gives (y, x).

    Attributes
    ----------
    fluxes : of heat, water and momentum
    temperature : radiating temperature, K
    albedo : of the ground
    sources : upward fluxes of tracers by their names, kg m-2 s-1
    """

    fluxes: Fluxes
    temperature: torch.Tensor
    albedo: torch.Tensor
    sources: Parts = field(default_factory=dict)


class After(NamedTuple):
    """The state after the physics of a step.

    Attributes
    ----------
    s, q : state and tracers, halos filled
    rain, snow : (ny, nx) at the ground in the step, kg m-2
    deposited : what has settled on the ground in the step (ny, nx), kg m-2, by tracer
    before : the columns of air before the physics
    """

    s: State
    q: torch.Tensor
    rain: torch.Tensor
    snow: torch.Tensor
    deposited: Parts
    before: Columns


@dataclass
class Physics:
    """Physics of a block.

    Parameters
    ----------
    geometry, halo : of the block
    lon, lat : (ny, nx) degrees
    schemes : of each process
    species : the tracers, as ``q`` holds them
    compiled : whether to run the schemes through ``torch.compile``
    """

    geometry: Geometry
    halo: HaloFiller
    lon: torch.Tensor
    lat: torch.Tensor
    schemes: Schemes
    species: Species
    compiled: bool = False

    def __post_init__(self) -> None:
        wrap: Callable[[Any], Any] = (
            (lambda f: f and torch.compile(f, dynamic=False)) if self.compiled else (lambda f: f)
        )
        chosen, species = self.schemes, self.species
        self._clouds = wrap(chosen.microphysics.ready())
        self._turbulence = wrap(chosen.boundary_layer.ready())
        self._convection = wrap(chosen.convection.ready())
        self._radiation: Any = chosen.radiation.ready()
        self._carry = wrap(carry)
        self._own = [t.name for t in chosen.microphysics.scheme.species]
        names = lambda which: [species.names[n] for n in species.where(which)]  # noqa: E731
        self._mixed = names(lambda t: t.mixed_by_turbulence)
        self._carried = names(lambda t: t.carried_by_convection)
        self._settling = [t for t in species if t.settles > 0.0]

    def air(self, s: State, q: torch.Tensor, ground_t: torch.Tensor, albedo: torch.Tensor, day_of_year: float) -> Air:
        """The block's columns as radiation sees them; ``day_of_year`` fractional, UTC."""
        parts = self.species.by_name(q)
        vapour = parts[VAPOUR.name]
        c = columns(self.geometry, s, vapour)
        zero = torch.zeros_like(c.t)
        cloud = parts[LIQUIDS][:, INNER, INNER] if LIQUIDS in parts else zero
        ice = parts[SOLIDS][:, INNER, INNER] if SOLIDS in parts else zero
        mu = cosine_zenith(self.lon, self.lat, day_of_year).to(c.t)
        distance = sun_position(day_of_year)[2]
        q_v = vapour[:, INNER, INNER]
        p_i = interface_pressure(c.p, c.rho * (1.0 + q_v), c.dz)
        return Air(c.t, torch.clamp(q_v, min=1.0e-8), cloud, ice, c.p, p_i, ground_t, albedo, mu, distance)

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
        theta = c.theta if heating is None else c.theta + dt * heating / c.pi
        rain, snow = torch.zeros_like(theta[0]), torch.zeros_like(theta[0])
        if self._turbulence is not None and ground is not None:
            s, theta, parts = self._mix(s, theta, parts, c, ground, dt)
        if self._convection is not None:
            theta, parts, rain, snow = self._convect(theta, parts, c, dt)
        if self._clouds is not None:
            w = self._clouds(c, theta, {name: parts[name] for name in self._own}, dt)
            theta, parts, rain, snow = w.theta, parts | w.q, rain + w.rain, snow + w.snow
        deposited = {}
        for t in self._settling:
            speed = torch.full_like(c.rho, t.settles)
            parts[t.name], deposited[t.name] = fall(parts[t.name], speed, c.rho, c.mass, dt)
        s, q = put_back(g, self.halo, s, c, theta, self.species.stacked(parts), parts[VAPOUR.name])
        return After(s, q, rain, snow, deposited, c)

    def _mix(
        self, s: State, theta: torch.Tensor, parts: Parts, c: Columns, ground: Ground, dt: float
    ) -> tuple[State, torch.Tensor, Parts]:
        u, v = centre_wind(self.geometry, s)
        mixed = {name: parts[name] for name in self._mixed}
        m = self._turbulence(c, u, v, theta, mixed, ground.fluxes, ground.sources, dt)
        return self.push(s, m.u - u, m.v - v), m.theta, parts | m.q

    def _convect(
        self, theta: torch.Tensor, parts: Parts, c: Columns, dt: float
    ) -> tuple[torch.Tensor, Parts, torch.Tensor, torch.Tensor]:
        q_v = parts[VAPOUR.name]
        wet = self._convection(c, theta * c.pi, q_v, dt)
        falls_as_snow = c.t[0] < FREEZING_POINT
        freezing = torch.where(falls_as_snow, LATENT_FUSION / CP_DRY, 0.0) * (q_v - wet.q_v)
        parts = parts | {VAPOUR.name: wet.q_v}
        if self._carried and wet.updraught is not None:
            carried = self._carry(torch.stack([parts[name] for name in self._carried]), wet.updraught, c.mass, dt)
            parts |= dict(zip(self._carried, carried, strict=True))
        rain, snow = torch.where(falls_as_snow, 0.0, wet.rain), torch.where(falls_as_snow, wet.rain, 0.0)
        return (wet.t + freezing) / c.pi, parts, rain, snow

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


def centre_wind(g: Geometry, s: State) -> tuple[torch.Tensor, torch.Tensor]:
    """Wind along the grid's axes at cell centres (nz, ny, nx), m/s."""
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    ru, rv = s.ru[:, INNER, INNER], s.rv[:, INNER, INNER]
    return 0.5 * (ru[..., 1:] + ru[..., :-1]) / mass, 0.5 * (rv[:, 1:] + rv[:, :-1]) / mass


def radiating_temperature(upwelling_longwave: torch.Tensor) -> torch.Tensor:
    """Temperature (K) of a black ground that emits ``upwelling_longwave`` (W m-2)."""
    return torch.sqrt(torch.sqrt(torch.clamp(upwelling_longwave, min=50.0) / STEFAN_BOLTZMANN))
