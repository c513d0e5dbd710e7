# SPDX-License-Identifier: BSD-3-Clause
"""The physics of columns in sequence: turbulence, convection, clouds, settling. The map and a single column run it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch

from components.atmosphere.nonhydrostatic.physics import falling_water
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.held_columns import Held
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting, Convection, Fluxes, Parts
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.science.settling import fall
from components.science.slabs import in_slabs
from components.science.torch_compiler import Compiler
from components.science.tracers import Species
from components.science.updraughts import carry


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


class Moved(NamedTuple):
    """Columns after the physics of a step.

    Attributes
    ----------
    u, v : (nz, y, x) wind, m s-1
    theta : (nz, y, x) potential temperature, K
    parts : (nz, y, x) tracers by their names
    rain, snow : (y, x) at the ground in the step, kg m-2
    deposited : what has settled on the ground in the step (y, x), kg m-2, by tracer
    convection : what the convection gave, or None
    diffusivity : (nz-1, y, x) of heat on inner interfaces, m2 s-1, or None
    falling : precipitation at the layers' bottoms
    """

    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    parts: Parts
    rain: torch.Tensor
    snow: torch.Tensor
    deposited: Parts
    convection: Convection | None
    diffusivity: torch.Tensor | None = None
    falling: falling_water.Falling | None = None


@dataclass
class ColumnPhysics:
    """The schemes of a run, ready for columns of any block.

    Parameters
    ----------
    schemes : of each process
    species : the tracers
    compiler : what compiles the schemes, if they are to be
    held : columns whose air is a driving model's, if any
    land : (y, x) share of land of the columns, if known
    """

    schemes: Schemes
    species: Species
    compiler: Compiler | None = None
    held: Held | None = None
    land: torch.Tensor | None = None

    def __post_init__(self) -> None:
        compiler = self.compiler
        wrap: Callable[[Any], Any] = lambda f: f if f is None or compiler is None else compiler(f, whole=False)  # noqa: E731
        chosen, species = self.schemes, self.species
        clouds = chosen.microphysics.ready()  # eager, it goes through whole fields some hundred times
        self._clouds = in_slabs(clouds) if clouds is not None and compiler is None else wrap(clouds)
        self._turbulence = wrap(chosen.boundary_layer.ready())
        self._convection = wrap(chosen.convection.ready())
        self._carry = wrap(carry)
        self._own = [t.name for t in chosen.microphysics.scheme.species]
        self._where = tuple(getattr(self, name) for name in chosen.microphysics.scheme.places)
        names = lambda which: [species.names[n] for n in species.where(which)]  # noqa: E731
        self._mixed = names(lambda t: t.mixed_by_turbulence)
        self._water = names(lambda t: t.is_water)
        self._carried = names(lambda t: t.carried_by_convection)
        self._settling = [t for t in species if t.settles > 0.0]

    # a table of contents of the step
    def step(
        self,
        c: Columns,
        u: torch.Tensor,
        v: torch.Tensor,
        parts: Parts,
        heating: torch.Tensor | None,
        ground: Ground | None,
        dt: float,
    ) -> Moved:
        """Physics of a step of ``dt`` seconds.

        Parameters
        ----------
        c : the columns
        u, v : (nz, y, x) wind at the layers' centres, m s-1
        parts : (nz, y, x) tracers by their names, kg/kg
        heating : (nz, y, x) by radiation, K s-1, or None
        ground : what the surface gives; without it no turbulence
        dt : time step, s
        """
        theta = c.theta if heating is None else c.theta + dt * heating / c.pi
        rain, snow = torch.zeros_like(theta[0]), torch.zeros_like(theta[0])
        parts, wet, diffusivity = dict(parts), None, None
        stratiform = convective = partial(torch.zeros_like, c.mass)
        if self._turbulence is not None and ground is not None:
            mixed = {name: parts[name] for name in self._mixed}
            m = self._turbulence(c, u, v, theta, mixed, ground.fluxes, ground.sources, dt)
            u, v, theta, parts, diffusivity = m.u, m.v, m.theta, parts | m.q, m.diffusivity
        if self._convection is not None:
            water = {name: parts[name] for name in self._water}
            before = Convecting(u, v, theta * c.pi, water, None if ground is None else ground.fluxes)
            wet = self._convection(c, before, dt)
            wet = wet if self.held is None else self.held.convection(wet, before)
            u, v = (u if wet.u is None else wet.u), (v if wet.v is None else wet.v)
            theta, parts, rain, snow = wet.t / c.pi, parts | wet.q, wet.rain, wet.snow
            dried = list(water.values()), self._wet(parts)
            convective = partial(falling_water.of_convection, *dried, c.mass, rain + snow, dt)
            parts |= self._lift(parts, wet.updraught, c, dt)
        if self._clouds is not None:
            moist, own = self._wet(parts), {name: parts[name] for name in self._own}
            w = self._clouds(c, theta, own, dt, *self._where)
            w = w if self.held is None else self.held.clouds(w, theta, own)
            theta, parts, rain, snow = w.theta, parts | w.q, rain + w.rain, snow + w.snow
            stratiform = partial(falling_water.of_clouds, moist, self._wet(parts), c.mass, dt)
        deposited, falling = {}, falling_water.Falling(stratiform, convective)
        for t in self._settling:
            speed = torch.full_like(c.rho, t.settles)
            parts[t.name], deposited[t.name] = fall(parts[t.name], speed, c.rho, c.mass, dt)
        return Moved(u, v, theta, parts, rain, snow, deposited, wet, diffusivity, falling)

    def _wet(self, parts: Parts) -> list[torch.Tensor]:
        """All water of the layers, by its kinds."""
        return [parts[name] for name in self._water]

    def _lift(self, parts: Parts, updraught: torch.Tensor | None, c: Columns, dt: float) -> Parts:
        """What the updraughts of convection carry."""
        if not self._carried or updraught is None:
            return {}
        carried = self._carry(torch.stack([parts[name] for name in self._carried]), updraught, c.mass, dt)
        return dict(zip(self._carried, carried, strict=True))
