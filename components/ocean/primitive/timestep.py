# SPDX-License-Identifier: BSD-3-Clause
"""One step of the ocean: the table of contents of this folder.

Velocities live half a step before tracers and sea level: momentum goes from n - 1/2 to n + 1/2 with the pressure of
the tracers at n, the barotropic mode from n to n + 1 with averages centred at n + 1/2, and tracers from n to n + 1
with that flow. Internal gravity waves are forward-backward; Coriolis and advection are third-order Adams-Bashforth;
vertical mixing is backward Euler.
"""

import shutil
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive import barotropic, equation_of_state, momentum, transport, vertical_mixing
from components.ocean.primitive.barotropic_mode import BarotropicMode, Plane, plane_of
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.isoneutral import Stirred, stir
from components.ocean.primitive.mixing_schemes import MIXING
from components.ocean.primitive.open_boundary import Outside, relax
from components.ocean.primitive.overflow import run_down
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.pressure import pressure_force
from components.ocean.primitive.radiation import RadiatingEdges
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import at, inner, over_levels
from components.ocean.primitive.surface import (
    SHORTWAVE_BANDS,
    SurfaceForcing,
    limit_to_freezing,
    shortwave_absorbed,
)
from components.ocean.primitive.vertical_diffusion import diffuse
from components.science.halo import Padded

ADAMS_BASHFORTH = ((1.0, 0.0, 0.0), (1.5, -0.5, 0.0), (23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0))


@dataclass(frozen=True)
class Explicit:
    """What the explicit part of the momentum equations hands on, at the block's own faces."""

    u: Tensor
    v: Tensor
    slow_u: Tensor
    slow_v: Tensor
    drag_u: Tensor
    drag_v: Tensor
    gu: Tensor
    gv: Tensor
    coriolis_u: Tensor
    coriolis_v: Tensor


class Ocean:
    """The primitive-equation ocean on one block.

    Parameters
    ----------
    geometry : Geometry
        The block, halo included.
    parameters : Parameters
        Schemes and coefficients.
    halo : Padded
        Exchange with the neighbouring blocks.
    compile : bool
        Compile the science functions with `torch.compile` (bits then depend on the block's shape).
    plane : Plane or None
        The block for the barotropic mode, where its halo shall be wider than two.
    bands : Tensor or None
        Bands of the light as `surface.bands_of` gives them, ``(3, y, x)`` with halo; None: of the parameters' water.
    """

    def __init__(
        self,
        geometry: Geometry,
        parameters: Parameters,
        halo: Padded,
        compile: bool = False,
        plane: Plane | None = None,
        bands: Tensor | None = None,
    ):
        self.g, self.p, self.halo = geometry, parameters, halo
        like: dict[str, Any] = {"dtype": geometry.h0.dtype, "device": geometry.h0.device}
        self.adams_bashforth = torch.tensor(ADAMS_BASHFORTH, **like)
        water = SHORTWAVE_BANDS[parameters.shortwave_type]
        self.absorbed = shortwave_absorbed(geometry, water if bands is None else bands.to(**like))
        self.absorbed_inside = inner(self.absorbed).contiguous()
        if compile and geometry.h0.device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
            warnings.warn("no C++ compiler (g++, clang++): the ocean runs uncompiled", stacklevel=2)
            compile = False
        wrap = partial(torch.compile, dynamic=False, fullgraph=True) if compile else lambda f: f
        self._mixing = wrap(partial(_mixing, _scheme(parameters)))
        self._explicit = wrap(_explicit_momentum)
        self.barotropic = BarotropicMode(
            plane or plane_of(geometry, slice(0, geometry.shape[0]), slice(0, geometry.shape[1])),
            parameters,
            halo,
            wrap,
        )
        self._finish = wrap(_finish_momentum)
        self._horizontal = wrap(_horizontal_transport)
        self._stir = wrap(_stirring)
        self._vertical = wrap(_vertical_transport)
        self._relax = wrap(_relax)
        self.edges = (
            None
            if parameters.edge_nudging is None
            else RadiatingEdges(geometry, parameters.dt, parameters.edge_nudging)
        )

    def step(self, s: State, forcing: SurfaceForcing, outside: Outside | None = None) -> State:
        """Advance the state by one baroclinic step; ``outside`` is the sea beyond open edges.

        Parameters
        ----------
        s : state at the start
        forcing : what passes the surface
        outside : the sea beyond open edges, or None
        """
        g, p = self.g, self.p
        ab = self.adams_bashforth[min(s.steps, 2)]
        water = forcing.water / p.rho0
        mixed = self._mixing(s.tracers, s.u, s.v, s.eta, s.tke, forcing, self.absorbed, p, g)
        e = self._explicit(
            s.u, s.v, s.w_flux, s.eta, s.tracers, s.past_u, s.past_v, s.past_coriolis_u, s.past_coriolis_v,
            forcing.stress_x, forcing.stress_y, forcing.pressure, ab, p, g,
        )  # fmt: skip
        mean_U, mean_V, U, V = self.barotropic.run(s, (e.slow_u, e.slow_v, e.drag_u, e.drag_v), water, outside)
        rise = barotropic.divergence(mean_U, mean_V, g) - at(water)  # one ring is enough to finish the momentum
        eta = torch.nn.functional.pad(at(s.eta) - p.dt * at(g.active_t) * rise, (1, 1, 1, 1))
        u, v = self._finish(
            e.u, e.v, mean_U, mean_V, s.eta, eta, mixed.viscosity, e.drag_u, e.drag_v, forcing.stress_x,
            forcing.stress_y, outside, p, g,
        )  # fmt: skip
        if outside is not None and self.edges:
            u, v = self.edges.velocities(s.u, s.v, u, v, outside.u, outside.v)
        eta, U, V, u, v = self.halo(inner(eta), U, V, u, v)
        tracers, volume, volume_up, side_volume, side_content = self._horizontal(
            u, v, s.eta, eta, s.tracers, water, s.steps % 2 == 0, outside is not None, p, g
        )
        eddies = self._stir(s.tracers, eta, p, g) if p.stirs else None
        tracers, frozen, carried = self._vertical(
            tracers, volume, volume_up, mixed, eddies, eta, water, forcing.heat, forcing.shortwave, forcing.tracer_flux,
            self.absorbed_inside, p, g,
        )  # fmt: skip
        if outside is not None:
            beyond = inner(outside.tracers)
            if self.edges:
                beyond = self.edges.tracers(s.tracers, tracers, outside.tracers)
            tracers, added = self._relax(tracers, eta, beyond, outside.rate, p, g)
            side_content = side_content + added
            eta = torch.where(g.wet_t > g.active_t, outside.eta, eta)
        (tracers,) = self.halo(tracers)
        return State(
            eta=eta, U=U, V=V, u=u, v=v, tracers=tracers, w_flux=volume_up / p.dt, tke=mixed.tke,
            past_u=torch.stack([e.gu, s.past_u[0]]), past_v=torch.stack([e.gv, s.past_v[0]]),
            past_coriolis_u=torch.stack([e.coriolis_u, s.past_coriolis_u[0]]),
            past_coriolis_v=torch.stack([e.coriolis_v, s.past_coriolis_v[0]]),
            frozen_heat=s.frozen_heat + frozen, water_heat=s.water_heat + carried,
            side_volume=s.side_volume + side_volume,
            side_content=s.side_content + side_content + p.dt * (inner(forcing.tracer_flux) * inner(g.wet_t)),
            freezing=frozen / p.dt, steps=s.steps + 1,
        )  # fmt: skip


def density_anomaly(p: Parameters):
    """Density function ``(salinity, temperature, depth)`` of the chosen equation of state."""
    if p.equation_of_state == "teos10":
        return equation_of_state.teos10_anomaly
    return partial(
        equation_of_state.linear_anomaly,
        rho0=p.rho0,
        alpha=p.alpha,
        beta=p.beta,
        t0=p.reference_temperature,
        s0=p.reference_salinity,
    )


def _scheme(p: Parameters):
    """The scheme of vertical mixing; None for constant mixing that leaves unstable layers alone."""
    if p.mixing != "constant":
        return MIXING.choose(p.mixing).ready()
    convective = {"scheme": "constant", "convective": p.convective_diffusivity}
    return MIXING.choose(convective).ready() if p.convective_diffusivity else None


def _mixing(scheme, tracers, u, v, eta, tke, forcing, light, p: Parameters, g: Geometry) -> vertical_mixing.Mixed:
    """Viscosity and diffusivity at the bottom of the cells, one ring less than the state."""
    if scheme is None:
        below = at(g.below)
        return vertical_mixing.Mixed(tke, p.background_viscosity * below, p.background_diffusivity * below)
    density = density_anomaly(p)
    friction = at(torch.sqrt(forcing.stress_x * forcing.stress_x + forcing.stress_y * forcing.stress_y + 1e-20))
    columns = vertical_mixing.Columns(
        at(vertical_mixing.buoyancy_frequency(tracers, eta, density, p.rho0, g)),
        vertical_mixing.shear_squared(u, v, eta, g), at(g.h0 * (1.0 + eta / g.depth_t)), at(g.below), tke,
        friction / p.rho0,
        lambda: vertical_mixing.boundary(tracers, u, v, forcing, light, density, p, g),
    )  # fmt: skip
    return scheme(columns, p.dt, p.background_viscosity, p.background_diffusivity)


def _explicit_momentum(
    u,
    v,
    w_flux,
    eta,
    tracers,
    past_u,
    past_v,
    past_cu,
    past_cv,
    stress_x,
    stress_y,
    pressure,
    ab,
    p: Parameters,
    g: Geometry,
) -> Explicit:
    """Everything in the momentum equations but vertical mixing and the barotropic mode.

    Its depth integral is the slow forcing of the latter.
    """
    gu, gv = momentum.vector_invariant(u, v, w_flux, eta, g, p.momentum_advection)
    gu, gv = gu * inner(g.mask_u), gv * inner(g.mask_v)
    anomaly = density_anomaly(p)(tracers[1], tracers[0], g.centre)
    pu, pv = pressure_force(anomaly, eta, p.rho0, g)
    fu, fv = _lateral_friction(u, v, p, g)
    force_u = ab[0] * gu + ab[1] * past_u[0] + ab[2] * past_u[1] + pu + fu
    force_v = ab[0] * gv + ab[1] * past_v[0] + ab[2] * past_v[1] + pv + fv

    hu, hv = momentum.face_thickness(eta, g)
    U, V = over_levels(hu * at(u)), over_levels(hv * at(v))
    wide = torch.nn.functional.pad
    cu = barotropic.coriolis_u(wide(V, (1, 1, 1, 1)), g)[1:-1, 1:-1]
    cv = barotropic.coriolis_v(wide(U, (1, 1, 1, 1)), g)[1:-1, 1:-1]
    drag_u, drag_v, deficit_u, deficit_v = _bottom_drag(u, v, U, V, hu, hv, p, g)
    wind_u, wind_v = _stress_at_faces(stress_x, stress_y, p, g)
    press_u = at(at(pressure, 0, 1) - at(pressure))
    press_v = at(at(pressure, 1, 0) - at(pressure))
    hu, hv = at(hu), at(hv)
    slow_u = (
        over_levels(hu * force_u) - (ab[0] * cu + ab[1] * past_cu[0] + ab[2] * past_cu[1]) + wind_u - drag_u * deficit_u
    )
    slow_v = (
        over_levels(hv * force_v) - (ab[0] * cv + ab[1] * past_cv[0] + ab[2] * past_cv[1]) + wind_v - drag_v * deficit_v
    )
    slow_u = slow_u - inner(g.depth_u) * press_u / inner(g.dxu) / p.rho0
    slow_v = slow_v - inner(g.depth_v) * press_v / inner(g.dyv) / p.rho0
    return Explicit(
        inner(u) + p.dt * force_u, inner(v) + p.dt * force_v, slow_u * inner(g.wet_u), slow_v * inner(g.wet_v),
        drag_u, drag_v, gu, gv, cu, cv,
    )  # fmt: skip


def _stirring(tracers, eta, p: Parameters, g: Geometry) -> Stirred:
    """Eddies along neutral surfaces and dense water along the floor, for own cells."""
    density, no = density_anomaly(p), torch.zeros_like(inner(tracers))
    stirred = Stirred(no, no[0])
    if p.isoneutral_diffusivity or p.thickness_diffusivity:
        stirred = stir(tracers, eta, density, p.isoneutral_diffusivity, p.thickness_diffusivity, p.steepest_slope, g)
    if p.overflow_diffusivity:
        stirred = stirred._replace(gain=stirred.gain + run_down(tracers, density, p.overflow_diffusivity, g))
    return stirred


def _lateral_friction(u, v, p: Parameters, g: Geometry):
    """Harmonic (constant plus Smagorinsky) less biharmonic friction, at the block's own faces (m s-2)."""
    fu = fv = torch.zeros_like(inner(u))
    if p.harmonic_viscosity or p.smagorinsky:
        a_t = a_q = torch.full_like(g.depth_t, p.harmonic_viscosity)
        if p.smagorinsky:
            s_t, s_q = momentum.smagorinsky_viscosity(u, v, p.smagorinsky, g)
            a_t, a_q = a_t + s_t, a_q + s_q
        lap_u, lap_v = momentum.divergence_and_vorticity_force(u, v, a_t, a_q, g)
        fu, fv = at(lap_u), at(lap_v)
    if p.biharmonic_viscosity or p.biharmonic_velocity:  # the root in both Laplacians: it takes energy everywhere
        a_t, a_q = (
            momentum.root_of_biharmonic(p.biharmonic_viscosity, p.biharmonic_velocity, a) for a in (g.area_t, g.area_q)
        )
        lap_u, lap_v = momentum.divergence_and_vorticity_force(u, v, a_t, a_q, g)
        bu, bv = momentum.divergence_and_vorticity_force(lap_u, lap_v, at(a_t), at(a_q), g)
        fu, fv = fu - bu, fv - bv
    return fu, fv


def _bottom_drag(u, v, U, V, hu, hv, p: Parameters, g: Geometry):
    """Drag velocity r (m s-1) at the faces and how far the bottom flow departs from the depth mean (m s-1).

    Stress over density is ``r u_bottom``, with ``r = drag_linear + drag_quadratic |u_bottom|``.
    """
    ub, vb = over_levels(u * g.bottom_u), over_levels(v * g.bottom_v)
    deficit_u = at(at(ub) - U / (over_levels(hu) + (1.0 - at(g.wet_u))))
    deficit_v = at(at(vb) - V / (over_levels(hv) + (1.0 - at(g.wet_v))))
    r = torch.full_like(deficit_u, p.drag_linear)
    if not p.drag_quadratic:
        return r * inner(g.wet_u), r * inner(g.wet_v), deficit_u, deficit_v
    v_at_u = at(0.25 * (at(vb, 0, 0) + at(vb, 0, 1) + at(vb, -1, 0) + at(vb, -1, 1)))
    u_at_v = at(0.25 * (at(ub, 0, 0) + at(ub, 0, -1) + at(ub, 1, 0) + at(ub, 1, -1)))
    own_u, own_v = inner(ub), inner(vb)
    speed_u = torch.sqrt(own_u * own_u + v_at_u * v_at_u + 1e-12)
    speed_v = torch.sqrt(own_v * own_v + u_at_v * u_at_v + 1e-12)
    return (
        (r + p.drag_quadratic * speed_u) * inner(g.wet_u), (r + p.drag_quadratic * speed_v) * inner(g.wet_v),
        deficit_u, deficit_v,
    )  # fmt: skip


def _stress_at_faces(stress_x, stress_y, p: Parameters, g: Geometry):
    """Wind stress over density at the block's own faces (m2 s-2)."""
    wind_u = at((0.5 / p.rho0) * (at(stress_x, 0, 0) + at(stress_x, 0, 1)))
    wind_v = at((0.5 / p.rho0) * (at(stress_y, 0, 0) + at(stress_y, 1, 0)))
    return wind_u * inner(g.wet_u), wind_v * inner(g.wet_v)


def _finish_momentum(
    u, v, mean_U, mean_V, eta_old, eta_new, viscosity, drag_u, drag_v, stress_x, stress_y, outside,
    p: Parameters, g: Geometry,
):  # fmt: skip
    """Give the velocity the averaged transport, mix it in the vertical, and give it that transport again, exactly."""
    hu, hv = momentum.face_thickness(0.5 * (eta_old + eta_new), g)
    wind_u, wind_v = _stress_at_faces(stress_x, stress_y, p, g)
    viscosity_u = 0.5 * (at(viscosity, 0, 0) + at(viscosity, 0, 1))
    viscosity_v = 0.5 * (at(viscosity, 0, 0) + at(viscosity, 1, 0))
    prescribed_u = None if outside is None else (inner(g.open_u), inner(outside.u))
    prescribed_v = None if outside is None else (inner(g.open_v), inner(outside.v))
    return (
        _finish_component(u, inner(mean_U), at(hu), viscosity_u, drag_u, wind_u, g.mask_u, g.bottom_u, prescribed_u, p),
        _finish_component(v, inner(mean_V), at(hv), viscosity_v, drag_v, wind_v, g.mask_v, g.bottom_v, prescribed_v, p),
    )


def _finish_component(u, transport_, h, viscosity, drag, wind, mask, bottom, prescribed, p: Parameters):
    mask, bottom = inner(mask), inner(bottom)
    dry = 1.0 - mask
    column = over_levels(h) + dry[0]
    u = (u + (transport_ - over_levels(h * u)) / column) * mask
    safe = h + dry
    u = torch.cat([u[:1] + p.dt * wind / safe[:1], u[1:]])
    below = torch.cat([mask[1:], torch.zeros_like(mask[:1])])
    u = diffuse(u[None], safe, viscosity * below, p.dt, drag * bottom)[0]
    if prescribed is not None:  # the shear of the sea outside at open faces
        u = torch.where(prescribed[0] != 0, prescribed[1], u)
    return (u + (transport_ - over_levels(h * u)) / column) * mask


def _horizontal_transport(
    u, v, eta_old, eta_new, tracers, water, x_first: bool, open_edges: bool, p: Parameters, g: Geometry
):
    """Horizontal sweeps.

    Returns tracers and volumes after them, the volume that goes up through the cell bottoms, and the volume and the
    tracers that came in through open faces.
    """
    flux_x, flux_y, hu, hv = transport.face_volumes(u, v, 0.5 * (eta_old + eta_new), p.dt, g)
    volume_up = transport.vertical_volume(flux_x, flux_y, eta_old, eta_new, water, p.dt, g)
    tracers, volume, through_x, through_y = transport.advect_horizontally(
        tracers, flux_x, flux_y, hu, hv, eta_old, p.lateral_diffusivity, p.dt, x_first, g
    )
    if not open_edges:
        zero = torch.zeros_like(inner(g.area_t))
        return tracers, volume, volume_up, zero, torch.zeros_like(tracers[:, 0])
    side_volume = transport.through_open_faces(flux_x[..., 2:-2, 1:-1], flux_y[..., 1:-1, 2:-2], g)
    return tracers, volume, volume_up, side_volume, transport.through_open_faces(through_x, through_y, g)


def _relax(tracers, eta, outside, rate, p: Parameters, g: Geometry):
    """Sponge and ring; returns tracers and what the sponge added (tracer unit times m)."""
    h = inner(g.h0) * (1.0 + inner(eta) / inner(g.depth_t))
    ring = inner(g.wet_t - g.active_t)
    return relax(tracers, outside, inner(rate), ring, h, inner(g.mask_t), p.dt)


def _vertical_transport(
    tracers,
    volume,
    volume_up,
    mixed,
    eddies: Stirred | None,
    eta,
    water,
    heat,
    shortwave,
    tracer_flux,
    absorbed,
    p: Parameters,
    g: Geometry,
):
    """Vertical sweep, sources through the surface, implicit mixing, freezing.

    Returns tracers, the heat added by the freezing limiter and the heat that fresh water brought (J m-2).
    """
    tracers, volume = transport.advect_vertically(tracers, volume, at(volume_up), g)
    wet = inner(g.wet_t)
    area, water = inner(g.area_t), inner(water) * wet
    h = inner(g.h0) * (1.0 + inner(eta) / inner(g.depth_t))
    content = tracers * (volume / area)  # tracer times m
    # fresh water brings the surface temperature, no salt, and what is stated for the passive tracers
    brought = [water * tracers[0, 0], torch.zeros_like(water), *(c * water for c in p.fresh_concentration)]
    brought += [water * tracers[n, 0] for n in range(len(brought), tracers.shape[0])]
    source = p.dt * (torch.stack(brought) + inner(tracer_flux) * wet)
    per_heat = p.dt / (p.rho0 * p.heat_capacity)
    source = torch.cat([source[:1] + per_heat * (inner(heat) * wet)[None], source[1:]])
    content = torch.cat([content[:, :1] + source[:, None], content[:, 1:]], 1)
    if mixed.nonlocal_share is not None:  # plumes carry part of what the surface gives and what it takes down
        down = at(mixed.nonlocal_share) * source[:, None]
        content = content + torch.cat([-down[:, :1], down[:, :-1] - down[:, 1:]], 1)
    diffusivity = at(mixed.diffusivity)
    if eddies is not None:
        content, diffusivity = content + p.dt * eddies.gain, diffusivity + eddies.diffusivity
    light = per_heat * inner(shortwave) * absorbed
    content = torch.cat([content[:1] + light[None], content[1:]])
    carried = brought[0] * (p.dt * p.rho0 * p.heat_capacity)
    tracers = diffuse(content / h, h, diffusivity, p.dt)
    if not p.freezing_limiter:
        return tracers, torch.zeros_like(water), carried
    raised, rise = limit_to_freezing(tracers[0], tracers[1])
    mask = inner(g.mask_t)
    frozen = over_levels(h * rise * mask) * (p.rho0 * p.heat_capacity)
    temperature = torch.where(mask > 0, raised, tracers[0])
    return torch.cat([temperature[None], tracers[1:]]), frozen, carried
