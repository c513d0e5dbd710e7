# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere of a block as a function: `Atmosphere.advance` takes a state and what acts on it, and knows no files.

Everything is torch, so gradients pass from the exports and the new state to the old state and the forcing (through
radiation with the `gray` scheme only; the spectral ones hold theirs fixed), on a block that is the whole domain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from components.atmosphere.nonhydrostatic import exports
from components.atmosphere.nonhydrostatic.driving import driven_mass, increments, passive_tracers, tracer_sides
from components.atmosphere.nonhydrostatic.driving.nudging import Nudging
from components.atmosphere.nonhydrostatic.dynamics import compiled_mixing, lateral, resting_air, timestep
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.lateral import Driver
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.atmosphere.nonhydrostatic.physics import column_budget
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.held_radiation import followed, of_dry_air
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes, Parts
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Convective
from components.atmosphere.nonhydrostatic.physics.reversible import reversible
from components.atmosphere.nonhydrostatic.physics.sequence import Ground, Physics, Radiating
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.radiation.exchange import radiation_in
from components.radiation.gray_scheme import completed
from components.radiation.scheme import Air, Radiation
from components.science import air_exchange


class Now(NamedTuple):
    """All that the atmosphere carries from step to step.

    Attributes
    ----------
    s, q : prognostic fields and tracers (n, nz, Y, X; kg/kg), halos filled
    sky : radiation as it was computed last, or None
    albedo, emissivity, ground_temperature : of the ground as radiation sees it (ny, nx); 1, 1, K
    rain, snow : at the ground, mean of the last step (ny, nx), kg m-2 s-1
    exner_shift : what `driven_mass` has added to the Exner function since the start
    added_pressure : what increments have added to the domain's mean dry surface pressure since the start, Pa
    convective : clouds of the convection of the last step, for radiation, or None
    followed : ``sky`` over the ground and with the water of the last step, or None before the first
    """

    s: State
    q: torch.Tensor
    sky: Radiation | None
    albedo: torch.Tensor
    emissivity: torch.Tensor
    ground_temperature: torch.Tensor
    rain: torch.Tensor
    snow: torch.Tensor
    exner_shift: torch.Tensor
    added_pressure: torch.Tensor
    convective: Convective | None = None
    followed: Radiation | None = None


class Surface(NamedTuple):
    """What sea and land give (ny, nx), all of it along the grid's axes.

    Attributes
    ----------
    fluxes : of heat, water and momentum
    temperature, emissivity : radiating temperature, K, and longwave emissivity
    upwelling_longwave, upwelling_shortwave : W m-2
    sources : upward fluxes of tracers by their names, kg m-2 s-1
    albedo : of the ground; without, it follows from the sunlight that comes back, and stays where it is dark
    """

    fluxes: Fluxes
    temperature: torch.Tensor
    emissivity: torch.Tensor
    upwelling_longwave: torch.Tensor
    upwelling_shortwave: torch.Tensor
    sources: Parts
    albedo: torch.Tensor | None = None


class Forcing(NamedTuple):
    """What acts on the atmosphere in a step.

    Attributes
    ----------
    time : at the start of the step, s since the start of the case
    driver : states of the driving model around it
    surface : what sea and land give, or None
    day : since 2000 began, fractional, UTC, for which radiation is computed; None: what is there holds
    radiation : heating and fluxes by their names in the exchange, from another component, or None
    increments : tendencies by their names in the exchange, from an assimilation, or None
    nudge_to : the driver's states at the end of the step where the large scales are drawn to them then, or None
    """

    time: float
    driver: Driver
    surface: Surface | None = None
    day: float | None = None
    radiation: Mapping[str, torch.Tensor] | None = None
    increments: Mapping[str, torch.Tensor] | None = None
    nudge_to: Driver | None = None


@dataclass
class Atmosphere:
    """A block of the model: what does not change in a run.

    Parameters
    ----------
    core, physics : dynamics and column physics
    mass : keeps the mean mass of the domain at the driver's
    rest : what air over slopes is at rest against
    sides : of the tracers
    turn : (cos, sin) (ny, nx) of the angle from east to the grid's x axis
    smagorinsky : constant of the horizontal viscosity
    rate : (ny+2, nx+2) of relaxation to the driver, s-1
    nudging : of the large scales, or None
    budget : whether the columns' budgets of the physics are among the exports
    give_air : whether the air and its mass fluxes are among the exports, for the chemistry
    watch : called with every new state before its mass is held; may stop the run
    moist_heat : whether cloudy air expands and condenses with the heat capacity of its water
    give_winds : whether the layers' winds are among the exports, for an assimilation
    """

    core: timestep.Dynamics
    physics: Physics
    mass: driven_mass.DrivenMass
    rest: resting_air.FollowedRest
    sides: tracer_sides.TracerSides
    turn: tuple[torch.Tensor, torch.Tensor]
    smagorinsky: float
    rate: torch.Tensor
    nudging: Nudging | None = None
    budget: bool = False
    give_air: bool = False
    watch: Callable[[State], None] | None = None
    moist_heat: bool = False
    give_winds: bool = False

    def __post_init__(self) -> None:
        compiler = self.core.compiler
        self._diffuse = held_tendencies if compiler is None else compiler(held_tendencies, whole=False)
        self._outside: Any = None  # the driver's state of the step
        self.core.impose = lambda new, part: lateral.impose(new, self._outside, self.core.edges)

    # a table of contents of the step
    def advance(self, state: Now, forcing: Forcing, seconds: float) -> tuple[Now, Parts]:
        """Dynamics, transport, then physics.

        Parameters
        ----------
        state : of the block
        forcing : what acts on it
        seconds : time step

        Returns
        -------
        state : ``seconds`` later
        exports : (ny, nx) by name, in double precision; with what settled and the columns' budgets
        """
        state, out = self.onward(state, forcing, seconds)
        fluxes = None if forcing.surface is None else forcing.surface.fluxes
        return state, {**self.seen(state, fluxes), **out}

    def onward(self, state: Now, forcing: Forcing, seconds: float) -> tuple[Now, Parts]:
        """As `advance`, without what others see of the state: what settled and the columns' budgets alone.

        Parameters
        ----------
        state, forcing, seconds : see `advance`
        """
        time, dt = forcing.time, seconds
        state, ground = self._see_ground(state, forcing.surface)
        state = self._follow(self._take_radiation(state, forcing), forcing.surface)
        s, q, flux = self._move(state, forcing.driver, time, dt)
        after = self.physics.step(s, q, None if state.followed is None else state.followed.heating, ground, dt)
        out = {passive_tracers.deposition(name): a / dt for name, a in after.deposited.items()}
        out |= self._residual(after, q, state.followed, ground, dt) if self.budget else {}
        s, q, end = after.s, after.q, time + dt
        if forcing.increments:
            s, q, state, books = self._increased(s, q, state, forcing.increments, dt)
            out |= books
        if self.nudging is not None and forcing.nudge_to is not None:
            s = self.nudging(s, self.mass.target(forcing.nudge_to, end, state.exner_shift))
        if self.watch is not None:
            self.watch(s)
        water = self.physics.species.water(q)
        s, shift = self.mass.hold(s, water, state.exner_shift, forcing.driver, end, state.added_pressure)
        state = state._replace(s=s, q=q, rain=after.rain / dt, snow=after.snow / dt, exner_shift=shift)
        state = state._replace(convective=Convective.of(after.convection))
        if ground is None:
            state = state._replace(ground_temperature=self.lowest_temperature(state))
        if self.give_air:
            updraught = None if after.convection is None else after.convection.updraught
            falling = None if after.falling is None else (after.falling.of_clouds(), after.falling.of_convection())
            out |= air_exchange.moved(flux, after.diffusivity, updraught, falling, state.albedo)
        return state, out

    def seen(self, state: Now, fluxes: Fluxes | None = None) -> Parts:
        """What the surface, and whoever looks at the lowest air, gets from a state, by name.

        ``fluxes`` through the ground shape the air below the lowest layer.
        """
        wet = state.rain, state.snow
        vapour = state.q[self.physics.species.number(VAPOUR.name)]
        out = exports.surface(self.core.geometry, state.s, vapour, self.turn, state.sky, wet)
        air = self.core.geometry, state.s, vapour, self.turn
        out |= exports.near_ground(*air, fluxes, state.ground_temperature)
        if self.give_winds:
            out |= exports.layer_winds(self.core.geometry, state.s, self.turn)
        if self.give_air:
            g = self.core.geometry
            out |= air_exchange.still(g.nz, state.albedo)  # `advance` knows what has moved
            out[air_exchange.AIR] = (g.rho_base + state.s.rho)[:, INNER, INNER].double()
        return out

    def air(self, state: Now, day: float) -> Air:
        """The columns as radiation sees them, fractional days after 2000 began (UTC)."""
        ground = Radiating(state.ground_temperature, state.albedo, state.emissivity)
        return self.physics.air(state.s, state.q, ground, day, state.convective)

    def radiation(self, state: Now, day: float) -> Radiation:
        """Radiation of the columns, fractional days after 2000 began (UTC)."""
        air = self.air(state, day)
        return completed(self.physics.radiate(air), air)

    def lowest_temperature(self, state: Now) -> torch.Tensor:
        """Temperature of the lowest layer (ny, nx), K: where there is no ground, radiation sees one as warm."""
        vapour = state.q[self.physics.species.number(VAPOUR.name)]
        return columns(self.core.geometry, state.s, vapour, lowest=1).t[0]

    def _see_ground(self, state: Now, surface: Surface | None) -> tuple[Now, Ground | None]:
        if surface is None:
            return state, None
        albedo, sky = state.albedo, state.sky
        if surface.albedo is not None:
            albedo = surface.albedo
        elif sky is not None:
            sunny = sky.shortwave_down > 10.0
            share = surface.upwelling_shortwave / torch.where(sunny, sky.shortwave_down, 1.0)
            albedo = torch.where(sunny, torch.clamp(share, 0.05, 0.9), albedo)
        state = state._replace(albedo=albedo, emissivity=surface.emissivity, ground_temperature=surface.temperature)
        return state, Ground(surface.fluxes, surface.temperature, albedo, surface.sources)

    def _take_radiation(self, state: Now, forcing: Forcing) -> Now:
        if forcing.radiation is not None:
            return state._replace(sky=radiation_in(forcing.radiation, lambda: self.air(state, 0.0)))
        if forcing.day is not None:
            return state._replace(sky=self.radiation(state, forcing.day))
        return state

    def _follow(self, state: Now, surface: Surface | None) -> Now:
        if state.sky is None:
            return state
        sky = of_dry_air(state.sky, self.physics.species.water(state.q)[:, INNER, INNER])
        if surface is not None:
            mass = (self.core.geometry.rho_base + state.s.rho)[:, INNER, INNER]
            sky = followed(sky, surface.upwelling_longwave, surface.upwelling_shortwave, mass)
        return state._replace(followed=sky)

    def _move(
        self, state: Now, driver: Driver, time: float, dt: float
    ) -> tuple[State, torch.Tensor, timestep.MeanFlux]:
        """Dynamics and transport, the sides held at and drawn towards the driver."""
        core, g = self.core, self.core.geometry
        core.resting = self.rest.at(driver, time)
        self._outside = target = self.mass.target(driver, time, state.exner_shift)
        outside = self.sides.at(time, {VAPOUR.name: driver.vapour_at(time)})
        d = core.diagnose(state.s)
        held = self._diffuse(g, state.s, d, self.smagorinsky, target, self.rate)
        new, flux = core.step(state.s, dt, self.physics.species.water(state.q), held, d)
        q = core.transport(state.q, new, flux, dt)
        tracer_sides.draw(q, outside, dt * self.rate[1:-1, 1:-1], core.edges, self.sides.shares)
        core.halo([q], H)
        if self.moist_heat:
            new, q = reversible(g, core.halo, self.physics.species, state.s, new, q, flux, dt)
        return new, q, flux

    def _increased(
        self, s: State, q: torch.Tensor, state: Now, given: Mapping[str, torch.Tensor], dt: float
    ) -> tuple[State, torch.Tensor, Now, Parts]:
        """State and tracers after increments, what they add to the mean mass noted; with the columns' books."""
        water = self.physics.species.water
        before = column_budget.content(self.core.geometry, s, q, self.physics.species) if self.budget else {}
        first = self.mass.mean(s, water(q))
        s, q = increments.add(self.physics, s, q, given, self.turn, dt)
        added = state.added_pressure + (self.mass.mean(s, water(q)) - first)
        after = column_budget.content(self.core.geometry, s, q, self.physics.species) if self.budget else {}
        books = {name: (after[name] - a) / dt for name, a in before.items()}
        return s, q, state._replace(added_pressure=added), books

    def _residual(self, after, q: torch.Tensor, sky: Radiation | None, ground: Ground | None, dt: float) -> Parts:
        heat, vapour = (0.0, 0.0) if ground is None else ground.fluxes[:2]
        heating = torch.zeros_like(after.before.t) if sky is None else sky.heating
        left = column_budget.residual(
            self.core.geometry, after.before, q, after.s, after.q, self.physics.species, heating, heat, vapour,
            after.rain, after.snow, dt,
        )  # fmt: skip
        return {"column_water_residual": left.water, "column_energy_residual": left.energy}


def held_tendencies(
    g: Geometry, s: State, d: Diagnostics, constant: float, target: State, rate: torch.Tensor
) -> Tendencies:
    """Held tendencies of a step: horizontal mixing and relaxation to the driver.

    Parameters
    ----------
    g, s, d : geometry, state and its diagnostics
    constant : of Smagorinsky; 0: no mixing
    target : state of the driver
    rate : (ny+2, nx+2) of relaxation, s-1
    """
    f = lateral.relaxation(s, target, rate)
    if constant > 0.0:
        mixed = compiled_mixing.mixed(g, s, d, constant)
        f = type(f)(*(a + b for a, b in zip(f, mixed, strict=True)))
    return f
