# SPDX-License-Identifier: BSD-3-Clause
"""One time step: three-stage Runge-Kutta with acoustic substeps (Wicker & Skamarock 2002; Klemp et al. 2007).

``Dynamics`` holds what does not change (geometry, options, halo filler, compiled kernels); ``step`` is the table of
contents of a time step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import torch

from components.atmosphere.nonhydrostatic.dynamics import (
    acoustic,
    compiled_acoustic,
    compiled_diagnosis,
    compiled_momentum,
    tendencies,
)
from components.atmosphere.nonhydrostatic.dynamics.boundaries import open_sides
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.resting_air import resting_differences
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.science.compiled_transport import CompiledTransport
from components.science.cuts import inside, with_room
from components.science.halo import Edges, HaloFiller, SerialHalo
from components.science.torch_compiler import Compiler
from components.science.transport import LIMITERS


@dataclass(frozen=True)
class Options:
    """Numerical options of the dynamics.

    Attributes
    ----------
    acoustic_steps : acoustic steps a time step, even
    off_centring : epsilon of the vertically implicit solve (0 to 0.5)
    divergence_damping : forward weight of the acoustic pressure (Klemp, Skamarock & Ha 2018)
    full_damping_step : acoustic step, s, below which the two above grow with the step. Both delay sound by a share of a
        step, an error of first order; a share that is itself in proportion to the step leaves one of second order
    damping_depth : depth below the lid of the Rayleigh layer for w, m; 0 for none
    damping_rate : its rate at the lid, s-1
    limiter : of tracer transport: "positive", "monotonic" or "none"
    gravity_wave_speed : outward phase speed at open sides, m s-1 (Klemp & Wilhelmson 1978)
    """

    acoustic_steps: int = 4
    off_centring: float = 0.1
    divergence_damping: float = 0.1
    full_damping_step: float = 20.0
    damping_depth: float = 0.0
    damping_rate: float = 0.2
    limiter: str = "positive"
    gravity_wave_speed: float = 30.0

    def __post_init__(self) -> None:
        if self.acoustic_steps < 2 or self.acoustic_steps % 2:
            raise ValueError(f"acoustic_steps must be even and at least 2, not {self.acoustic_steps}")
        if self.limiter not in LIMITERS:
            raise ValueError(f"unknown limiter '{self.limiter}': choose one of {', '.join(LIMITERS)}")

    def for_step(self, dt: float) -> tuple[float, float]:
        """Off-centring and divergence damping in a time step of ``dt`` s."""
        share = min(1.0, dt / self.acoustic_steps / self.full_damping_step) if self.full_damping_step > 0.0 else 1.0
        return share * self.off_centring, share * self.divergence_damping


class MeanFlux(NamedTuple):
    """Mass fluxes averaged over a time step, which carry the tracers.

    As ``ru``, ``rv`` (interior, all faces) and ``omega``.
    """

    ru: torch.Tensor
    rv: torch.Tensor
    omega: torch.Tensor


Forcing = Callable[[State], Tendencies] | Tendencies | None


@dataclass
class Dynamics:
    """The dynamical core on one block.

    Parameters
    ----------
    geometry : of the block, in the precision and on the device of the run
    options : numerical options
    edges : kind of boundary on each side of the block
    halo : fills halos; by default that of a block that is the whole domain
    compiler : what compiles the kernels, if they are to be
    impose : sets boundary rows of a new state in place, given the share of the time step it stands at
    """

    geometry: Geometry
    options: Options = field(default_factory=Options)
    edges: Edges = field(default_factory=Edges)
    halo: HaloFiller = None  # type: ignore[assignment]
    compiler: Compiler | None = None
    impose: Callable[[State, float], None] | None = None

    def __post_init__(self) -> None:
        g, o = self.geometry, self.options
        like: dict[str, Any] = {"dtype": g.dz.dtype, "device": g.dz.device}
        if self.halo is None:
            self.halo = SerialHalo(g.ny, g.nx, self.edges)
        self.open_x = torch.ones((g.ny, g.nx + 1), **like)
        self.open_y = torch.ones((g.ny + 1, g.nx), **like)
        for side, view in (("west", self.open_x[:, 0]), ("east", self.open_x[:, -1])):
            view[:] = 0.0 if self.edges.closed(side) else 1.0
        for side, view in (("south", self.open_y[0]), ("north", self.open_y[-1])):
            view[:] = 0.0 if self.edges.closed(side) else 1.0
        self.resting: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None)
        top = g.z_interface[-1:, H:-H, H:-H]
        z = g.z_interface[1:-1, H:-H, H:-H]
        if o.damping_depth > 0.0:
            x = torch.clamp((z - top + o.damping_depth) / o.damping_depth, min=0.0)
            s = torch.sin(0.5 * torch.pi * x)
            self.rayleigh = o.damping_rate * s * s
        else:
            self.rayleigh = torch.zeros((g.nz - 1, 1, 1), **like)
        wrap: Callable[[Any], Any] = self.compiler or (lambda f: f)
        self._scalars = wrap(tendencies.scalars)
        steps, rates = (compiled_acoustic, compiled_momentum) if self.compiler is None else (acoustic, tendencies)
        self._diagnose = compiled_diagnosis.diagnose if self.compiler is None else wrap(tendencies.diagnose)
        self._momentum = wrap(rates.momentum)
        self._coefficients = wrap(steps.coefficients)
        self._horizontal = wrap(steps.horizontal_step)
        self._vertical = wrap(steps.vertical_step)
        self._transport = CompiledTransport(g, self.halo, o.limiter, self.compiler)

    def diagnose(self, s: State) -> Diagnostics:
        """Velocities, potential temperature, pressure and vertical mass flux of a state with halos."""
        return self._diagnose(self.geometry, s)

    def rest(self, reference: State) -> None:
        """Take a state (halos filled) as the one against which air over slopes is at rest; see `resting_air`."""
        if self.geometry.metric is not None:
            self.resting = resting_differences(self.geometry, self.diagnose(reference).p)

    def step(
        self,
        s0: State,
        dt: float,
        q_total: torch.Tensor | None = None,
        forcing: Forcing = None,
        diagnosed: Diagnostics | None = None,
    ) -> tuple[State, MeanFlux]:
        """Advance by ``dt`` seconds.

        Parameters
        ----------
        s0 : state with filled halos
        dt : time step, s
        q_total : (nz, Y, X) mixing ratio of all water with filled halo, kg/kg, or None when dry
        forcing : rates of change that are held through the step, or a function of a stage's state that gives them
        diagnosed : `diagnose` of ``s0`` where it is known

        Returns
        -------
        state : at the end of the step, halos filled
        flux : mean mass fluxes over the step, for the transport of tracers
        """
        n = self.options.acoustic_steps
        s, d = s0, diagnosed or self.diagnose(s0)
        for substeps, dtau in ((1, dt / 3.0), (n // 2, dt / n), (n, dt / n)):
            d = self.diagnose(s) if s is not s0 else d
            s, flux = self.stage(s0, s, d, substeps, dtau, dt, q_total, forcing)
        return s, cast(MeanFlux, flux)

    def stage(
        self,
        s0: State,
        s: State,
        d: Diagnostics,
        substeps: int,
        dtau: float,
        dt: float,
        q_total: torch.Tensor | None,
        forcing: Forcing,
    ) -> tuple[State, MeanFlux | None]:
        """One Runge-Kutta stage from ``s0``, ``substeps`` acoustic steps long, with the tendencies of ``s``.

        ``d`` are the diagnostics of ``s``.
        """
        g, o = self.geometry, self.options
        last = substeps == o.acoustic_steps
        tau = torch.tensor(dtau, dtype=g.dz.dtype, device=g.dz.device)
        f = Tendencies(
            *self._momentum(g, s, d, q_total, self.rayleigh, self.open_x, self.open_y, *self.resting),
            *self._scalars(g, s, d),
        )
        f = open_sides(f, g, s, d, self.edges, o.gravity_wave_speed)
        held = forcing(s) if callable(forcing) else forcing
        if held is not None:
            f = Tendencies(*(a if b is None else a + b for a, b in zip(f, held, strict=True)))
        off_centring, damping = o.for_step(dt)
        c = self._coefficients(g, d, q_total, self.rayleigh, tau, off_centring, self.open_x, self.open_y)
        x = acoustic.start(s0, s)
        p = self._first_pressure(d, s0, s)
        mean: tuple[torch.Tensor, ...] = ()
        for step in range(substeps):
            ru, rv = self._horizontal(g, x, p, f, c, tau)
            rw, rho, rtheta, omega, p_new = self._vertical(g, x, ru, rv, f, c, tau, off_centring, damping)
            x = acoustic.Deviation(ru, rv, rw, rho, rtheta)
            if last:
                mean = (mean[0] + ru, mean[1] + rv, mean[2] + omega) if mean else (ru, rv, omega)
            if step < substeps - 1:
                p = with_room(p_new, 1)
                self.halo([p], 1)
        new = State(*(with_room(inside(a, H) + b, H) for a, b in zip(s, x, strict=True)))
        if self.impose is not None:
            self.impose(new, substeps * dtau / dt)
        self.halo(list(new), H)
        if not last:
            return new, None
        om = inside(d.omega[1:-1], 1) + mean[2] * (1.0 / substeps)
        zero = torch.zeros_like(om[:1])
        flux = MeanFlux(
            inside(s.ru, H) + mean[0] * (1.0 / substeps),
            inside(s.rv, H) + mean[1] * (1.0 / substeps),
            torch.cat([zero, om, zero]),
        )
        return new, flux

    def transport(self, q0: torch.Tensor, s: State, flux: MeanFlux, dt: float) -> torch.Tensor:
        """Tracers after the step that led to ``s``, halos filled.

        Parameters
        ----------
        q0 : (n, nz, Y, X) mixing ratios before, halos filled
        s : state after the step
        flux : mean mass fluxes of the step
        dt : time step, s
        """
        return self._transport.advance(q0, self.geometry.rho_base + s.rho, flux, dt)

    def _first_pressure(self, d: Diagnostics, s0: State, s: State) -> torch.Tensor:
        """Pressure deviation at the start of the acoustic steps, with one halo cell."""
        if s is s0:
            return torch.zeros_like(d.p)
        return d.stiffness * (inside(s0.rtheta, H - 1) - inside(s.rtheta, H - 1))
