# SPDX-License-Identifier: BSD-3-Clause
"""Simplified Betts-Miller convection (Frierson 2007, J. Atmos. Sci. 64, 1959-1976, section 2b).

Where a parcel from the lowest layer is buoyant, temperature relaxes to its moist adiabat and humidity to a fixed
relative humidity along it, over ``tau``, up to the level of zero buoyancy. The reference temperature is shifted so
that enthalpy is conserved (deep). Where the reference holds more water than the column, it is scaled to the column's
own water and its own enthalpy: convection then carries water upwards without rain (shallow, his "qref" variant).
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
from components.science.water import saturation_pressure


class Convected(NamedTuple):
    """After convection: t (K), q_v (kg/kg) as (nz, y, x); rain (y, x) kg m-2; masks of convecting columns and layers.

    ``base`` (y, x) is the pressure at which the parcel condenses, Pa.
    """

    t: torch.Tensor
    q_v: torch.Tensor
    rain: torch.Tensor
    active: torch.Tensor
    inside: torch.Tensor
    base: torch.Tensor


def step(air: Columns, before: Convecting, dt: float, tau: float = 7200.0, humidity: float = 0.7) -> Convection:
    """`betts_miller` as a scheme of the table, with the updraught that its rain implies; it snows on frozen air."""
    q_v = before.q[VAPOUR.name]
    c = betts_miller(before.t, q_v, air.p, air.mass, dt, tau, humidity)
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
    humidity : relative humidity of the reference profile
    """
    lcp = LATENT_VAPORISATION / CP_DRY
    parcel, base = moist_parcel(t, q_v, p)
    q_p = torch.minimum(q_v[:1].expand_as(t), saturation_mixing_ratio(saturation_pressure(parcel), p))
    buoyant = parcel * (1.0 + VIRTUAL * q_p) > t * (1.0 + VIRTUAL * q_v)
    # the topmost layer of the first buoyant stretch above the condensation level
    started = torch.zeros_like(buoyant[0])
    ended = torch.zeros_like(buoyant[0])
    below_top = []
    for k in range(t.shape[0]):
        above = p[k] < base
        started = started | (buoyant[k] & above)
        ended = ended | (started & ~buoyant[k] & above)
        below_top.append(~ended)
    inside = torch.stack(below_top) & (started & (p[0] > 0.0))
    weight = torch.where(inside, mass, 0.0)
    q_ref = humidity * saturation_mixing_ratio(saturation_pressure(parcel), p)
    drying, warming, total, water, held = (torch.zeros_like(t[0]) for _ in range(5))
    for k in range(t.shape[0]):
        drying = drying + weight[k] * (q_v[k] - q_ref[k])
        warming = warming + weight[k] * (parcel[k] - t[k])
        total = total + weight[k]
        water = water + weight[k] * q_v[k]
        held = held + weight[k] * q_ref[k]
    shallow = started & (drying <= 0.0) & (warming > 0.0)
    q_ref = torch.where(shallow, q_ref * (water / torch.clamp(held, min=1.0e-12)), q_ref)
    drying = torch.where(shallow, 0.0, drying)
    deep = started & (drying > 0.0) & (warming > 0.0)
    active = deep | shallow
    shift = torch.where(active, (lcp * drying - warming) / torch.clamp(total, min=1.0), 0.0)
    share = torch.where(active, -torch.expm1(torch.tensor(-dt / tau, dtype=t.dtype, device=t.device)), 0.0)
    cap = torch.where(inside, share, 0.0)
    new_q = q_v + cap * (q_ref - q_v)
    new_t = t + cap * (parcel + shift - t)
    return Convected(new_t, new_q, share * torch.clamp(drying, min=0.0), active, inside, base)


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
        dry = t[0] * torch.exp(KAPPA * torch.log(p[k] / p[0]))
        start_p = torch.minimum(p[k - 1], p_lcl)
        start_t = torch.where(p[k - 1] > p_lcl, t_lcl, levels[-1])
        step = torch.clamp(torch.log(p[k] / start_p), max=0.0)
        half = start_t + 0.5 * step * _slope(start_t, start_p)
        middle = start_p * torch.exp(0.5 * step)
        moist = start_t + step * _slope(half, middle)
        levels.append(torch.where(p[k] >= p_lcl, dry, torch.clamp(moist, min=120.0)))
    return torch.stack(levels), p_lcl


def _slope(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """dT/dlnp of the pseudo-adiabat, K."""
    q = saturation_mixing_ratio(saturation_pressure(t), p)
    a = LATENT_VAPORISATION * q
    return (R_DRY * t + a) / CP_DRY / (1.0 + a * LATENT_VAPORISATION * EPSILON_VAPOUR / (CP_DRY * R_DRY * t * t))
