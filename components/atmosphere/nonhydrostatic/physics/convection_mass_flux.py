# SPDX-License-Identifier: BSD-3-Clause
"""Convection by an entraining mass flux: deep, shallow and mid-level (Tiedtke 1989; Bechtold et al. 2008).

The plume of `convection_plume` rises from the lowest air, or where that gives none, or none with a flux, from the layer
aloft with the most energy that is nearly saturated (mid-level). It is deep where its cloud is thicker than 200 hPa. Its
mass flux at the base is::

    deep, mid-level    CAPE / tau over what a flux of one would take of it (Nordeng 1994; Gregory et al. 2000), tau the
                       time in which the plume passes through its cloud (Bechtold et al. 2008); the mean of the step,
                       less the nearer its lifting comes to the limit
    shallow            0.03 w_*, or of the mixed layer's thermals those that get through the stable air beneath free
                       convection, where they are fewer: see `mixed_layer_thermals`

The air around sinks in its place, upstream, limited to second order, and implicitly. Rain wets the downdraught of
`convection_downdraught` within the cloud and evaporates in the open beneath its base (Kessler 1969 as in Tiedtke 1989,
eq. 14), snow melts. Momentum is carried with 0.3 of the flux: the rest is undone by the pressure gradient across the
plumes (Gregory et al. 1997).

On the CPU the kernel `convection` does a column after another; where a gradient is wanted and elsewhere torch does.
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power, saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convection_downdraught import Downdraught, descend
from components.atmosphere.nonhydrostatic.physics.convection_plume import Kind, Plume, ascend, energy
from components.atmosphere.nonhydrostatic.physics.convective_clouds import cover
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting, Convection, Fluxes, Parts
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    DEEP,
    EVAPORATION,
    FULL,
    GIVEN,
    INHIBITED,
    MEAN_SPEED,
    MIDDLE,
    MIDDLE_HUMIDITY,
    MOISTER,
    MOMENTUM,
    PASSAGE,
    RAINING,
    SLOWEST,
    SOURCE,
    WARMER,
)
from components.atmosphere.nonhydrostatic.physics.mixed_layer_thermals import shallow_flux
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, VAPOUR
from components.science.constants import (
    CP_DRY,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    VIRTUAL,
)
from components.science.kernel_arrays import array, flat, plain
from components.science.limited_slopes import limited_slopes
from components.science.settling import sink
from components.science.sums import in_order, so_far
from components.science.torch_compiler import in_pieces, piece
from components.science.updraughts import carry
from components.science.water import growth, saturation_pressure, saturation_pressure_mixed


@in_pieces
def step(air: Columns, before: Convecting, dt: float, turnovers: float = 2.3) -> Convection:
    """`mass_flux` as a scheme of the table.

    Parameters
    ----------
    air, before, dt : see `interfaces`
    turnovers : times in which a plume passes through its cloud, after which CAPE is used up; the larger the cells, the
        more: 1 + 264 / n for those of a spectral model of wave number n, 2.3 for 100 km (IFS from CY32R3 on)
    """
    given = *air, before.t, *before.q.values(), *(before.fluxes or ())
    wet, flux = (by_kernel if plain(*given) else by_torch)(air, before, dt, turnovers)
    wind = carry(torch.stack([before.u, before.v]), MOMENTUM * flux, air.mass, dt)
    return wet._replace(updraught=flux, u=wind[0], v=wind[1])


def by_kernel(air: Columns, before: Convecting, dt: float, turnovers: float) -> tuple[Convection, torch.Tensor]:
    """What convection does but for the wind, and its mass flux (nz-1, y, x), kg m-2 s-1, by the kernel `convection`.

    Parameters
    ----------
    air, before, dt, turnovers : see `step`
    """
    from components.atmosphere.nonhydrostatic.kernels import convection  # numba is slow to load

    rows = lambda a: flat(a, (len(a), -1))  # noqa: E731
    t = before.t.clone(memory_format=torch.contiguous_format)
    names = VAPOUR.name, CLOUD_WATER.name, CLOUD_ICE.name
    q = {name: before.q[name].clone(memory_format=torch.contiguous_format) for name in names if name in before.q}
    share, condensate, flux = (t.new_zeros(t[first:].shape) for first in (0, 0, 1))
    rain, snow = t.new_zeros(t[0].shape), t.new_zeros(t[0].shape)
    ground = (t[:0], t[:0]) if before.fluxes is None else (before.fluxes.sensible_heat, before.fluxes.water)
    none = t.new_empty((0, t[0].numel()))
    convection.step(
        (*map(rows, (air.p, air.rho, air.mass, air.z, air.dz, air.z_interface, air.theta[:1], air.pi[:1])),),
        tuple(flat(a, (-1,)) for a in ground), turnovers, dt,
        (*(array(none) if a is None else rows(a) for a in (t, *map(q.get, names), share, condensate, flux)),
         *(flat(a, (-1,)) for a in (rain, snow))),
    )  # fmt: skip
    return Convection(t, q, rain, snow, cover=share, condensate=condensate), flux


def by_torch(air: Columns, before: Convecting, dt: float, turnovers: float) -> tuple[Convection, torch.Tensor]:
    """The same in torch, for gradients and other devices.

    Parameters
    ----------
    air, before, dt, turnovers : see `step`
    """
    t, q_v = before.t, before.q[VAPOUR.name]
    plume, down, flux = choose(air, t, q_v, before.fluxes, turnovers, dt)
    t, q = sinking(air, before, plume, down, flux, dt)
    t, q_v, rain, snow = precipitate(air, t, q[VAPOUR.name], plume, down, dt * flux, dt)
    share, condensate = clouds(plume, flux, air.rho)
    wet = Convection(t, q | {VAPOUR.name: q_v}, rain, snow, cover=share, condensate=condensate)
    return wet, flux * plume.flux[:-1]


@piece
def clouds(plume: Plume, flux: torch.Tensor, rho: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of each layer (nz, y, x) that the clouds fill, and the water in it, kg/kg.

    The plume's water is where it rises, on M / (rho w) of the layer, w the mean speed: what has left it is among the
    tracers.

    Parameters
    ----------
    plume, flux : of each column, and its mass flux at the base (y, x), kg m-2 s-1
    rho : (nz, y, x) kg m-3
    """
    thick = plume.base - plume.top > DEEP
    through = flux * plume.flux
    most = torch.maximum(through, torch.cat([torch.zeros_like(flux)[None], through[:-1]]))
    share = cover(torch.where(plume.inside, most, 0.0), thick)
    rising = most / (rho * torch.clamp(MEAN_SPEED * plume.w, min=SLOWEST))
    return share, torch.minimum(rising, share) * (plume.air.q_l + plume.air.q_i)


def choose(
    air: Columns, t: torch.Tensor, q_v: torch.Tensor, fluxes: Fluxes | None, turnovers: float, dt: float
) -> tuple[Plume, Downdraught, torch.Tensor]:
    """The plume of each column, its downdraught and its mass flux at the base (y, x), kg m-2 s-1; see the module.

    Parameters
    ----------
    air : columns
    t, q_v : (nz, y, x) temperature (K), vapour (kg/kg)
    fluxes : through the ground, or None
    turnovers : see `step`
    dt : time step, s
    """
    share, deep = lowest_air(air, t)
    first = ascend(air, t, q_v, share, deep)
    ground = deep._replace(shallow=first.active & (first.base - first.top <= DEEP))
    again = ascend(air, t, q_v, share, ground)
    lives = again.active & (~ground.shallow | (shallow_flux(air, t, q_v, again, fluxes) > 0.0))
    share, kind = best_source(air, t, q_v, share, lives, ground)
    plume = evenly(ascend(air, t, q_v, share, kind), air.mass)
    down = descend(air, t, q_v, plume, ~kind.shallow)
    return plume, down, base_flux(air, t, q_v, plume, down, kind.shallow, fluxes, turnovers, dt)


@piece
def evenly(p: Plume, mass: torch.Tensor) -> Plume:
    """The plume, drawn evenly from the layers beneath its base (Tiedtke 1989, section 3d: fluxes fall linearly there).

    Its air is that of the lowest layers, as the strongest thermals are, but all of the mixed layer feeds its clouds. If
    the lowest layers gave all, the rest of it would sink, and warm, as the stable air above the base does: under deep
    convection it became a lid of 4 K at 400 m, with half the vapour of the air beneath it.

    Parameters
    ----------
    p : that takes its air from where it starts
    mass : (nz, y, x) of the layers, kg m-2
    """
    beneath = so_far(p.source > 0.0) & ~so_far(p.inside) & p.active
    weight = torch.where(beneath, mass, 0.0)
    part = weight / torch.clamp(in_order(weight, 0), min=1.0e-12)
    return p._replace(
        flux=torch.where(beneath, part.cumsum(0), p.flux), taken=torch.where(p.inside | ~p.active, p.taken, part)
    )


@piece
def lowest_air(air: Columns, t: torch.Tensor) -> tuple[torch.Tensor, Kind]:
    """Share of the lowest layers in a plume from the ground (nz, y, x), and such a deep plume.

    Parameters
    ----------
    air, t : as `choose` has them
    """
    zc, no = air.z - air.z_interface[:1], torch.zeros_like(t[0])
    low = torch.where((zc < SOURCE) | (zc <= zc[:1]), air.mass, 0.0)
    warm = no + WARMER * CP_DRY + LATENT_VAPORISATION * MOISTER
    return low / in_order(low, 0), Kind(warm, no + MOISTER, no > 1.0)


@piece
def best_source(
    air: Columns, t: torch.Tensor, q_v: torch.Tensor, share: torch.Tensor, lives: torch.Tensor, kind: Kind
) -> tuple[torch.Tensor, Kind]:
    """Share of the layers (nz, y, x) that the plume shall start from, and its kind.

    Aloft it is the layer of the most energy that is nearly saturated.

    Parameters
    ----------
    air, t, q_v : as `choose` has them
    share, lives, kind : of a plume from the ground, and whether there is one (y, x)
    """
    zc = air.z - air.z_interface[:1]
    humid = q_v / saturation_mixing_ratio(saturation_pressure_mixed(t), air.p)
    able = (humid > MIDDLE_HUMIDITY) & (zc > MIDDLE[0]) & (zc < MIDDLE[1])
    e = torch.where(able, energy(t, q_v, torch.zeros_like(q_v), zc), 0.0)
    best = torch.clamp(e.amax(0), min=0.0)
    aloft = torch.where(able & (e >= best) & ~lives, 1.0, 0.0)
    aloft = aloft / torch.clamp(in_order(aloft, 0), min=1.0)
    return torch.where(lives, share, aloft), kind._replace(shallow=kind.shallow & lives)


@piece
def base_flux(
    air: Columns,
    t: torch.Tensor,
    q_v: torch.Tensor,
    plume: Plume,
    down: Downdraught,
    shallow: torch.Tensor,
    fluxes: Fluxes | None,
    turnovers: float,
    dt: float,
) -> torch.Tensor:
    """Mass flux at the plume's base (y, x), kg m-2 s-1; see the module.

    Parameters
    ----------
    air, t, q_v, fluxes, turnovers, dt : as `choose` has them
    plume, down, shallow : of each column, its downdraught, and whether it is shallow (y, x)
    """
    zc, no = air.z - air.z_interface[:1], torch.zeros_like(t[0])
    work = torch.where(plume.inside, torch.clamp(plume.buoyancy, min=0.0) * air.dz, 0.0)
    cape = in_order(work, 0)
    virtual = t * (1.0 + VIRTUAL * q_v)
    slope = (virtual[1:] - virtual[:-1]) / (zc[1:] - zc[:-1]) + GRAVITY / CP_DRY
    slope = torch.cat([slope, no[None]])
    sinks = plume.flux - torch.cat([down.flux[1:], no[None]])
    used = in_order(
        torch.where(plume.inside, sinks / air.rho * GRAVITY / virtual * torch.clamp(slope, min=0.0) * air.dz, 0.0),
        0,
    )
    depth, passing = (
        in_order(torch.where(plume.inside, air.dz, 0.0), 0),
        in_order(torch.where(plume.inside, air.dz / torch.clamp(plume.w, min=SLOWEST), 0.0), 0),
    )
    tau = torch.clamp(turnovers * passing, *PASSAGE)
    # the mean of the step, in which CAPE dies away; less the nearer the lifting comes to its limit
    can = torch.clamp((INHIBITED[1] - plume.lift) / (INHIBITED[1] - INHIBITED[0]), 0.0, 1.0)
    deep_flux = can * cape * -torch.expm1(-dt / tau) / dt / torch.clamp(used, min=1.0e-6)
    flux = torch.where(shallow, shallow_flux(air, t, q_v, plume, fluxes), torch.where(depth > 0.0, deep_flux, 0.0))
    most = ((plume.taken + down.taken) / air.mass).amax(0)
    flux = torch.minimum(flux, GIVEN / (dt * torch.clamp(most, min=1.0e-12)))
    return torch.where(plume.active, torch.clamp(flux, max=1.0), 0.0)


@piece
def sinking(
    air: Columns, before: Convecting, plume: Plume, down: Downdraught, flux: torch.Tensor, dt: float
) -> tuple[torch.Tensor, Parts]:
    """Temperature (K) and water (kg/kg) after what plume and downdraught did to the air around, before it has rained.

    Parameters
    ----------
    air, before : columns and what convection starts from
    plume, down, flux : of a flux of one, and the flux at the base (y, x), kg m-2 s-1
    dt : time step, s
    """
    scale = dt * flux
    q_v, t = before.q[VAPOUR.name], before.t
    zc = air.z - air.z_interface[:1]
    dry = CP_DRY * t + GRAVITY * zc
    # what the plume took is e and water; beneath the base all layers gave their part of what it is there
    s_u = CP_DRY * plume.air.t + GRAVITY * zc
    taken_s, taken_q = scale * plume.taken * dry, scale * plume.taken * q_v
    below = torch.where(plume.inside, 0.0, plume.taken)
    more_s, more_q = (in_order((plume.source - below) * x, 0) for x in (dry, q_v))
    taken_s = taken_s + scale * below * (more_s + WARMER * CP_DRY)
    taken_q = taken_q + scale * below * (more_q + MOISTER)
    left = scale * plume.left
    through = scale * (plume.flux - torch.cat([down.flux[1:], torch.zeros_like(down.flux[:1])]))
    # what sinks through an interface has the values there, as at Tiedtke's half levels
    more = torch.zeros_like(dry[:1])
    up_s, up_q = (
        torch.cat([more, through[:-1] * beyond(air, plume, x, through[:-1] / air.mass[1:]), more]) for x in (dry, q_v)
    )
    taken_s, taken_q = taken_s + up_s[1:] - up_s[:-1], taken_q + up_q[1:] - up_q[:-1]
    in_s = air.mass * dry + left * s_u - taken_s + scale * (down.left_s - down.taken_s)
    in_q = air.mass * q_v + left * plume.air.q_v - taken_q + scale * (down.left_q - down.taken_q)
    to_below = torch.cat([more, through[:-1]])
    (s_new, _), (q_v_new, _) = sink(in_s, to_below, air.mass), sink(in_q, to_below, air.mass)
    t_new = (s_new - GRAVITY * zc) / CP_DRY
    liquid, frozen = left * plume.air.q_l / air.mass, left * plume.air.q_i / air.mass
    q: Parts = {}
    if CLOUD_ICE.name in before.q:
        q[CLOUD_ICE.name] = before.q[CLOUD_ICE.name] + frozen
    else:  # a scheme without ice: it is thawed
        t_new, liquid = t_new - LATENT_FUSION / CP_DRY * frozen, liquid + frozen
    if CLOUD_WATER.name in before.q:
        q[CLOUD_WATER.name] = before.q[CLOUD_WATER.name] + liquid
    else:
        t_new, q_v_new = t_new - LATENT_VAPORISATION / CP_DRY * liquid, q_v_new + liquid
    return t_new, q | {VAPOUR.name: q_v_new}


def beyond(air: Columns, plume: Plume, x: torch.Tensor, passes: torch.Tensor) -> torch.Tensor:
    """What ``x`` (nz, y, x) has more in the layer above an inner interface than at the interface itself.

    Half of the difference of the two layers beneath the clouds; at their base, where a mixed layer meets a stable one,
    what the gradient above it says, within the two layers' values; within them the limited slope of the layer above,
    as far as the layer is not passed in the step.

    Parameters
    ----------
    air, plume : columns and their plume
    x : (nz, y, x) what sinks
    passes : (nz-1, y, x) of the layer above each inner interface the part that sinks out of it in the step
    """
    z = air.z
    within = limited_slopes(x, z)[1:] * (z[1:] - air.z_interface[1:-1]) * torch.clamp(1.0 - passes, min=0.0)
    jump = x[1:] - x[:-1]
    slope = jump / (z[1:] - z[:-1])
    above = torch.cat([slope[1:], slope[-1:]]) * (z[1:] - air.z_interface[1:-1])
    above = torch.where(jump > 0.0, above.clamp(min=0.0).minimum(jump), above.clamp(max=0.0).maximum(jump))
    at_base = plume.inside[1:] & ~plume.inside[:-1]
    return torch.where(plume.inside[:-1], within, torch.where(at_base, above, 0.5 * jump))


def precipitate(
    air: Columns, t: torch.Tensor, q_v: torch.Tensor, plume: Plume, down: Downdraught, lifted: torch.Tensor, dt: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Fall of what the plume made: it wets the downdraught, snow melts, rain evaporates beneath the cloud.

    Parameters
    ----------
    air : columns
    t, q_v : (nz, y, x) temperature (K), vapour (kg/kg)
    plume, down : of a flux of one
    lifted : (y, x) what rose through the base in the step, kg m-2
    dt : time step, s

    Returns
    -------
    t, q_v, rain and snow at the ground (y, x), kg m-2
    """
    t_new, q_new = [], []
    liquid, frozen = torch.zeros_like(t[0]), torch.zeros_like(t[0])
    wetting = lifted * down.wetting
    owed = in_order(wetting, 0)
    for k in range(t.shape[0] - 1, -1, -1):
        liquid, frozen = liquid + lifted * plume.rain[k], frozen + lifted * plume.snow[k]
        beneath = air.p[k] > plume.base
        owed = owed - wetting[k]
        layer, liquid, frozen = pass_layer(
            t[k], q_v[k], liquid, frozen, wetting[k], owed, beneath, air.mass[k], air.p[k], air.p[0], dt
        )
        t_new.append(layer[0])
        q_new.append(layer[1])
    return torch.stack(t_new[::-1]), torch.stack(q_new[::-1]), liquid, frozen


@piece
def pass_layer(
    t: torch.Tensor,
    q_v: torch.Tensor,
    liquid: torch.Tensor,
    frozen: torch.Tensor,
    wetting: torch.Tensor,
    owed: torch.Tensor,
    beneath: torch.Tensor,
    mass: torch.Tensor,
    p: torch.Tensor,
    p_ground: torch.Tensor,
    dt: float,
) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Temperature and vapour of a layer through which it has rained and snowed, and the rain and snow beneath it.

    Parameters
    ----------
    t, q_v : (y, x) of the layer, K, kg/kg
    liquid, frozen : what falls into it and what begins in it, kg m-2
    wetting, owed : what the downdraught has evaporated of it there as if it were liquid, and does further down, kg m-2
    beneath : whether the layer is beneath the cloud's base, where rain is in the open
    mass : of the layer, kg m-2
    p, p_ground : pressure in it and in the lowest layer, Pa
    dt : time step, s
    """
    a1, a2, a3 = EVAPORATION
    lcp = LATENT_VAPORISATION / CP_DRY
    from_snow = torch.clamp(wetting - liquid, min=0.0)
    liquid, frozen = liquid - (wetting - from_snow), torch.clamp(frozen - from_snow, min=0.0)
    t = t - LATENT_FUSION * from_snow / (CP_DRY * mass)
    melted = torch.minimum(frozen, torch.clamp(t - FREEZING_POINT, min=0.0) * CP_DRY * mass / LATENT_FUSION)
    now = t - LATENT_FUSION * melted / (CP_DRY * mass)
    liquid, frozen = liquid + melted, frozen - melted
    q_s = saturation_mixing_ratio(saturation_pressure(now), p)
    missing = torch.where(beneath, torch.clamp(FULL * q_s - q_v, min=0.0), 0.0) / (1.0 + lcp * q_s * growth(now))
    thick = power(torch.sqrt(p / p_ground) / a2 * liquid / (dt * RAINING), a3)
    gone = RAINING * a1 * dt * thick * missing * mass
    free = torch.minimum(liquid, torch.clamp(liquid + frozen - owed, min=0.0))
    gone = torch.minimum(torch.minimum(gone, RAINING * missing * mass * 4.0), free)
    return (now - lcp * gone / mass, q_v + gone / mass), liquid - gone, frozen
