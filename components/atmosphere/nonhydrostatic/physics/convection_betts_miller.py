# SPDX-License-Identifier: BSD-3-Clause
"""Simplified Betts-Miller convection (Frierson 2007, J. Atmos. Sci. 64, 1959-1976, section 2b), with a gradual switch.

Where a parcel from the lowest layer is buoyant, the cloudy layers, from where it condenses up to the level of zero
buoyancy, relax over ``tau``: humidity to a fixed share of the air's saturation, temperature to the parcel's moist
adiabat. Of the two the one that has more to give takes longer, so that what condenses is what warms (deep): rain grows
from nothing with both. Where the reference holds more water than the cloudy layers, it is scaled to their own water:
convection then carries water upwards without rain or warming (shallow, his "qref" variant). The air below the clouds is
left to turbulence, as in Betts (1986): drawn to the reference as well, a mixed layer over the sea lost a fifth of its
vapour, and a temperature that was shifted instead, to conserve enthalpy, cooled the stable air that keeps it shallow.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    KAPPA,
    saturation_mixing_ratio,
)
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convective_clouds import cover, water
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting, Convection
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import (
    CP_DRY,
    EPSILON_VAPOUR,
    FREEZING_POINT,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    R_DRY,
    VIRTUAL,
)
from components.science.sums import in_order, so_far
from components.science.torch_compiler import in_pieces, piece
from components.science.water import saturation_pressure

GRADUAL = 0.5  # K, mean excess of the parcel over the air, up to which the relaxation grows from none to its full rate


class Convected(NamedTuple):
    """After convection: t (K), q_v (kg/kg) as (nz, y, x); rain (y, x) kg m-2; masks of convecting columns and layers.

    ``inside`` reaches from the lowest layer, out of which the parcel rises, to the highest; it relaxes above ``base``.
    ``base`` (y, x) is the pressure at which the parcel condenses, Pa.
    """

    t: torch.Tensor
    q_v: torch.Tensor
    rain: torch.Tensor
    active: torch.Tensor
    inside: torch.Tensor
    base: torch.Tensor


@in_pieces
def step(air: Columns, before: Convecting, dt: float, tau: float = 7200.0, humidity: float = 0.7) -> Convection:
    """`betts_miller` as a scheme of the table, with the updraught that its rain implies; it snows on frozen air."""
    q_v = before.q[VAPOUR.name]
    c = betts_miller(before.t, q_v, air.p, air.mass, dt, tau, humidity)
    return precipitated(c, q_v, air, dt)


@piece
def precipitated(c: Convected, q_v: torch.Tensor, air: Columns, dt: float) -> Convection:
    """What the scheme gives, from what convection did.

    Parameters
    ----------
    c : what convection did
    q_v : (nz, y, x) vapour before it, kg/kg
    air, dt : the columns, and the time step, s
    """
    frozen = air.t[0] < FREEZING_POINT
    t = c.t + torch.where(frozen, c.t.new_tensor(LATENT_FUSION / CP_DRY), 0.0) * (q_v - c.q_v)
    rain, snow = torch.where(frozen, 0.0, c.rain), torch.where(frozen, c.rain, 0.0)
    m = updraught(q_v, c.inside, c.rain / dt)
    share = clouds(q_v, air, c, m, dt)
    return Convection(
        t, {VAPOUR.name: c.q_v}, rain, snow, m, cover=share, condensate=share * water(air, q_v)
    )  # fmt: skip


def clouds(q_v: torch.Tensor, air: Columns, c: Convected, deep: torch.Tensor, dt: float) -> torch.Tensor:
    """Share of each layer (nz, y, x) that the clouds of the convection fill, see `convective_clouds.cover`.

    What shallow convection lifts is the mass flux that carries its water up, out of the lowest layer's air.

    Parameters
    ----------
    q_v : (nz, y, x) vapour before the convection, kg/kg
    air : the columns
    c : what convection did
    deep : (nz-1, y, x) mass flux of columns that rain, kg m-2 s-1
    dt : s
    """
    lifted, shallow = torch.zeros_like(q_v[0]), []
    for k in range(q_v.shape[0] - 1):
        lifted = lifted + air.mass[k] * (q_v[k] - c.q_v[k]) / dt
        shallow.append(torch.clamp(lifted, min=0.0) / torch.clamp(q_v[0] - q_v[k + 1], min=1.0e-3))
    raining = c.rain > 0.0
    flux = torch.where(raining, deep, torch.where(c.inside[1:] & c.active, torch.stack(shallow), 0.0))
    none = torch.zeros_like(flux[:1])
    most = torch.maximum(torch.cat([none, flux]), torch.cat([flux, none]))
    return torch.where(c.inside & (air.p < c.base), cover(most, raining), 0.0)


def updraught(q_v: torch.Tensor, inside: torch.Tensor, rain: torch.Tensor) -> torch.Tensor:
    """Mass flux that the rain of deep columns implies: M = rain / (q_base - q_top) (nz-1, y, x), kg m-2 s-1.

    The scheme itself relaxes profiles and has none. It is what would carry the water that falls out: in with the air of
    the lowest layer, out with that of the topmost layer of the convection. M is the same on the interfaces between them
    and zero in shallow convection, which does not rain.

    Parameters
    ----------
    q_v : (nz, y, x) vapour before the convection, kg/kg
    inside : (nz, y, x) the convecting layers, contiguous from the lowest
    rain : (y, x) kg m-2 s-1
    """
    q_top = q_v[0]
    for k in range(1, q_v.shape[0]):
        q_top = torch.where(inside[k], q_v[k], q_top)
    m = rain / torch.clamp(q_v[0] - q_top, min=1.0e-3)
    return torch.where(inside[1:], m, 0.0)


def betts_miller(
    t: torch.Tensor,
    q_v: torch.Tensor,
    p: torch.Tensor,
    mass: torch.Tensor,
    dt: float,
    tau: float = 7200.0,
    humidity: float = 0.7,
) -> Convected:
    """Convective adjustment over ``dt`` seconds.

    Parameters
    ----------
    t, q_v, p : (nz, y, x) temperature (K), vapour (kg/kg), pressure (Pa), lowest layer first
    mass : dry mass of the layers, kg m-2
    tau : relaxation time, s
    humidity : relative humidity of the reference profile in the air's own temperature
    """
    parcel, base = moist_parcel(t, q_v, p)
    return relaxed(t, q_v, p, mass, parcel, base, dt, tau, humidity)


@piece
def relaxed(
    t: torch.Tensor,
    q_v: torch.Tensor,
    p: torch.Tensor,
    mass: torch.Tensor,
    parcel: torch.Tensor,
    base: torch.Tensor,
    dt: float,
    tau: float,
    humidity: float,
) -> Convected:
    """Columns that relax to the profile of the ``parcel`` (nz, y, x), K, which condenses at ``base`` (y, x), Pa.

    Parameters
    ----------
    t, q_v, p, mass, dt, tau, humidity : as `betts_miller` has them
    parcel, base : of `moist_parcel`
    """
    lcp = LATENT_VAPORISATION / CP_DRY
    q_p = torch.minimum(q_v[:1].expand_as(t), saturation_mixing_ratio(saturation_pressure(parcel), p))
    buoyant = parcel * (1.0 + VIRTUAL * q_p) > t * (1.0 + VIRTUAL * q_v)
    # the topmost layer of the first buoyant stretch above the condensation level
    above = p < base
    begun = so_far(buoyant & above)
    started, ended = begun[-1], so_far(begun & ~buoyant & above)
    inside = ~ended & started
    cloudy = inside & above
    weight = torch.where(cloudy, mass, 0.0)
    q_ref = humidity * saturation_mixing_ratio(saturation_pressure(t), p)
    warmer = torch.clamp(parcel - t, min=0.0)  # stable air that the parcel rises through stays
    drying, warming, total = (in_order(weight * a, 0) for a in (q_v - q_ref, warmer, torch.ones_like(t)))
    water, held = in_order(weight * q_v, 0), in_order(weight * q_ref, 0)
    shallow = started & (drying <= 0.0) & (warming > 0.0)
    q_ref = torch.where(shallow, q_ref * (water / torch.clamp(held, min=1.0e-12)), q_ref)
    deep = started & (drying > 0.0) & (warming > 0.0)
    active = deep | shallow
    # the heat of the rain is what warms: temperature or humidity takes longer
    heat = torch.minimum(warming, lcp * torch.clamp(drying, min=0.0))
    whole = -torch.expm1(torch.tensor(-dt / tau, dtype=t.dtype, device=t.device))
    share = torch.where(active, whole * torch.clamp(warming / (GRADUAL * torch.clamp(total, min=1.0)), max=1.0), 0.0)
    share_t = torch.where(deep, share * heat / torch.clamp(warming, min=1.0e-12), 0.0)
    share_q = torch.where(deep, share * heat / torch.clamp(lcp * drying, min=1.0e-12), share)
    new_q = q_v + torch.where(cloudy, share_q, 0.0) * (q_ref - q_v)
    new_t = t + torch.where(cloudy, share_t, 0.0) * warmer
    return Convected(new_t, new_q, share * heat / lcp, active, inside, base)


def moist_parcel(t: torch.Tensor, q_v: torch.Tensor, p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Temperature (nz, y, x) of a parcel lifted from the lowest layer, and its condensation pressure (y, x).

    The condensation level follows Bolton (1980, eq. 21); above it dT/dlnp of the pseudo-adiabat, second order.
    """
    e = torch.clamp(q_v[0], min=1.0e-6) * p[0] / (EPSILON_VAPOUR + torch.clamp(q_v[0], min=1.0e-6)) * 0.01
    t_lcl = 2840.0 / (3.5 * torch.log(t[0]) - torch.log(e) - 4.805) + 55.0
    t_lcl = torch.minimum(t_lcl, t[0])
    p_lcl = p[0] * torch.exp(torch.log(t_lcl / t[0]) / KAPPA)
    levels = [t[0]]
    for k in range(1, t.shape[0]):
        levels.append(lifted(levels[-1], p[k - 1], p[k], t[0], p[0], t_lcl, p_lcl))
    return torch.stack(levels), p_lcl


@piece
def lifted(
    t_below: torch.Tensor,
    p_below: torch.Tensor,
    p: torch.Tensor,
    t_start: torch.Tensor,
    p_start: torch.Tensor,
    t_lcl: torch.Tensor,
    p_lcl: torch.Tensor,
) -> torch.Tensor:
    """Temperature (K) of a parcel at pressure ``p`` (Pa), from what it was a layer below.

    Parameters
    ----------
    t_below, p_below : (y, x) a layer below
    p : (y, x) in the layer
    t_start, p_start : (y, x) in the lowest layer
    t_lcl, p_lcl : (y, x) where it condenses
    """
    dry = t_start * torch.exp(KAPPA * torch.log(p / p_start))
    from_p = torch.minimum(p_below, p_lcl)
    from_t = torch.where(p_below > p_lcl, t_lcl, t_below)
    step = torch.clamp(torch.log(p / from_p), max=0.0)
    half = from_t + 0.5 * step * _slope(from_t, from_p)
    middle = from_p * torch.exp(0.5 * step)
    moist = from_t + step * _slope(half, middle)
    return torch.where(p >= p_lcl, dry, torch.clamp(moist, min=120.0))


def _slope(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """dT/dlnp of the pseudo-adiabat, K."""
    q = saturation_mixing_ratio(saturation_pressure(t), p)
    a = LATENT_VAPORISATION * q
    return (R_DRY * t + a) / CP_DRY / (1.0 + a * LATENT_VAPORISATION * EPSILON_VAPOUR / (CP_DRY * R_DRY * t * t))
