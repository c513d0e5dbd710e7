# SPDX-License-Identifier: BSD-3-Clause
"""The entraining plume of a mass-flux scheme, with a mass flux of one at its base (Tiedtke 1989; Bechtold 2008).

Tiedtke (1989, Mon. Wea. Rev. 117, 1779-1800, eq. 8-10) and Bechtold et al. (2008, Q. J. R. Meteorol. Soc. 134,
1337-1351). The plume takes in air of its surroundings, condenses, rains and leaves air behind; its speed follows from
buoyancy (Simpson & Wiggert 1969); where that is used up it ends and leaves all. Near its source a deep one is lifted
through stable air, as by gusts that no layer resolves: all of it over 120 hPa, none over 180 (Pan & Wu 1995, NMC Office
Note 409), whether or not a buoyant layer lies beneath. Slow air takes in others by turbulence alone: the organised
entrainment is that of air which buoyancy has made fast. It conserves water and frozen moist static energy
e = c_p T + g z + L q_v - L_f q_i.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science.constants import (
    CP_DRY,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    VIRTUAL,
)
from components.science.water import ALL_ICE, growth, saturation_pressure_mixed

ENTRAINMENT_DEEP = 1.75e-3  # m-1, times (1.3 - RH) and the cube of q_s over that at the base (Bechtold 2008, eq. 3)
ENTRAINMENT_LIFTED = 1.0e-4  # m-1, of a deep one below free convection: turbulent alone (Tiedtke 1989)
ENTRAINMENT_SHALLOW = 1.5e-3  # m-1 (Siebesma & Cuijpers 1995: 1.5e-3 to 2e-3)
DETRAINMENT_DEEP = 0.75e-4  # m-1; of shallow clouds see `thinning`
BUOYANCY, DRAG = 0.5, 0.25  # share of the buoyancy that becomes speed; drag by entrainment, times the rate
TALLER = 1.15  # times the height above their base at which the mean shallow cloud ends, none of them rises any more
GUST = 2.0  # m s-1, speed of what lifts it: faster air takes in more
START = 1.0  # m s-1, speed at the base
INHIBITED = (1.2e4, 1.8e4)  # Pa, air below free convection that all, and none, of it is lifted through (Pan & Wu 1995)
CONVERSION, ENOUGH = 1.5e-3, 5.0e-4  # s-1 and kg/kg: cloud water becomes rain (Sundqvist 1978)
WITHOUT_RAIN = 1500.0  # m above its base, up to which a cloud keeps its water (Tiedtke 1989)


class Air(NamedTuple):
    """Air with its condensate: t (K), q_v, liquid q_l and ice q_i (kg/kg)."""

    t: torch.Tensor
    q_v: torch.Tensor
    q_l: torch.Tensor
    q_i: torch.Tensor


class Plume(NamedTuple):
    """A plume with a mass flux of 1 kg m-2 s-1 at its base; layers (nz, y, x).

    Attributes
    ----------
    flux : through the upper interface of each layer
    taken, left : air that a layer gives to the plume and gets from it, kg m-2 s-1 for each kg m-2 s-1
    air : what it is within the layer
    rain, snow : formed, kg m-2 s-1 for each kg m-2 s-1
    w : speed at the upper interface, m s-1
    buoyancy : g dT_v / T_v in the layer, m s-2
    inside : whether cloud is in the layer
    base, top : pressure where it begins and ends (y, x), Pa
    begin, end : height above the ground where it is first saturated and where its speed is used up (y, x), m
    lift : pressure between its source and free convection (y, x), Pa
    active : whether there is one (y, x)
    """

    flux: torch.Tensor
    taken: torch.Tensor
    left: torch.Tensor
    air: Air
    rain: torch.Tensor
    snow: torch.Tensor
    w: torch.Tensor
    buoyancy: torch.Tensor
    inside: torch.Tensor
    base: torch.Tensor
    top: torch.Tensor
    begin: torch.Tensor
    end: torch.Tensor
    lift: torch.Tensor
    active: torch.Tensor


def saturate(e: torch.Tensor, q: torch.Tensor, p: torch.Tensor, z: torch.Tensor) -> Air:
    """Air of frozen moist static energy ``e`` (J kg-1) and water ``q`` (kg/kg) at ``p`` (Pa) and ``z`` (m)."""
    heat = e - GRAVITY * z - LATENT_VAPORISATION * q
    low = heat / CP_DRY  # without cloud
    high = low + (LATENT_VAPORISATION + LATENT_FUSION) / CP_DRY * q
    t = low + 10.0
    q_c, share = torch.zeros_like(q), torch.ones_like(q)
    for _ in range(6):
        share = torch.clamp((t - ALL_ICE) / (FREEZING_POINT - ALL_ICE), 0.0, 1.0)
        latent = LATENT_VAPORISATION + (1.0 - share) * LATENT_FUSION
        q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), p)
        # Newton of c_p T - latent (q - q_s(T)) = heat, which grows with T; halved where it passes what is too warm
        miss = CP_DRY * t - latent * (q - q_s) - heat
        low, high = torch.where(miss < 0.0, t, low), torch.where(miss > 0.0, t, high)
        mixed = torch.where(
            (share > 0.0) & (share < 1.0), share.new_tensor(LATENT_FUSION / (FREEZING_POINT - ALL_ICE)), 0.0
        )
        t = t - miss / (CP_DRY + latent * q_s * growth(t) + mixed * torch.clamp(q - q_s, min=0.0))
        t = torch.where(t > high, 0.5 * (low + high), torch.maximum(t, low))
        q_c = torch.clamp((CP_DRY * t - heat) / latent, min=0.0)
    q_c = torch.minimum(q_c, q)
    q_i = (1.0 - share) * q_c
    t = (heat + LATENT_VAPORISATION * q_c + LATENT_FUSION * q_i) / CP_DRY
    return Air(t, q - q_c, q_c - q_i, q_i)


def energy(t: torch.Tensor, q_v: torch.Tensor, q_i: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Frozen moist static energy, J kg-1."""
    return CP_DRY * t + GRAVITY * z + LATENT_VAPORISATION * q_v - LATENT_FUSION * q_i


def ascend(
    c: Columns, t: torch.Tensor, q_v: torch.Tensor, share: torch.Tensor, excess: torch.Tensor, moist: torch.Tensor,
    shallow: torch.Tensor,
) -> Plume:  # fmt: skip
    """The plume of each column.

    Parameters
    ----------
    c : columns of air
    t, q_v : (nz, y, x) temperature (K) and vapour (kg/kg) around it
    share : (nz, y, x) of its air that each layer gives below the base; their sum is 1, or 0 where none is to rise
    excess, moist : (y, x) frozen moist static energy (J kg-1) and vapour (kg/kg) of that air above those layers
    shallow : (y, x) whether it is to entrain and detrain as a shallow one
    """
    nz = t.shape[0]
    none = torch.zeros_like(t[0])
    zc = c.z - c.z_interface[:1]
    around = energy(t, q_v, torch.zeros_like(q_v), zc)
    q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), c.p)
    mass, e, q, w2 = none, none, none, torch.full_like(none, START * START)
    started, ended, free, spent = none > 1.0, none > 1.0, none > 1.0, none > 1.0
    end, lift, b_below = c.z_interface[-1] - c.z_interface[0], none, none
    base_z, base_p, top_p, base_q, source_p = none, none, none, none, none
    over = none
    rows: dict[str, list[torch.Tensor]] = {
        name: [] for name in ("flux", "taken", "left", "rain", "snow", "w", "b", "grows")
    }
    rows |= {name: [] for name in ("t", "q_v", "q_l", "q_i", "inside")}
    for k in range(nz):
        # from below the base: the share of the layer, with the excess
        below = ~started
        given = torch.where(below & ~ended, share[k], 0.0)
        total = mass + given
        safe = torch.clamp(total, min=1.0e-12)
        source_p = source_p + given * c.p[k]
        e = e + given / safe * (around[k] + excess - e)
        q = q + given / safe * (q_v[k] + moist - q)
        there = total > 0.0  # where nothing rises: the air around
        e, q = torch.where(there, e, around[k]), torch.where(there, q, q_v[k])
        dry = (e - GRAVITY * zc[k] - LATENT_VAPORISATION * q) / CP_DRY
        over_below, over = over, q - saturation_mixing_ratio(saturation_pressure_mixed(dry), c.p[k])
        damp = over > 0.0
        begins = below & ~ended & (total > 0.999) & damp & (given < 0.001)
        part = torch.clamp(over / torch.clamp(over - over_below, min=1.0e-9), 0.0, 1.0)
        base_z = torch.where(begins, zc[k] - part * (zc[k] - zc[max(k - 1, 0)]), base_z)
        base_p = torch.where(begins, c.p[k], base_p)
        base_q = torch.where(begins, q_s[k], base_q)
        started = started | begins
        cloudy = started & ~ended
        # entrainment within the cloud
        humid = torch.clamp(q_v[k] / q_s[k], 0.0, 1.0)
        ratio = q_s[k] / torch.clamp(base_q, min=1.0e-9)
        deep = ENTRAINMENT_DEEP * (1.3 - humid) * torch.clamp(ratio * ratio * ratio, max=1.0)
        near = cloudy & ~shallow & (source_p - c.p[k] < INHIBITED[1])
        deep = torch.where(free & ~(near & (w2 < GUST * GUST)), deep, ENTRAINMENT_LIFTED)
        rate = torch.where(shallow, ENTRAINMENT_SHALLOW, deep)
        grown = torch.where(cloudy, total * torch.expm1(rate * c.dz[k]), 0.0)
        e = torch.where(cloudy, e + grown / (safe + grown) * (around[k] - e), e)
        q = torch.where(cloudy, q + grown / (safe + grown) * (q_v[k] - q), q)
        total = total + grown
        air = saturate(e, q, c.p[k], zc[k])
        virtual = air.t * (1.0 + VIRTUAL * air.q_v - air.q_l - air.q_i)
        b = GRAVITY * (virtual / (t[k] * (1.0 + VIRTUAL * q_v[k])) - 1.0)
        faster = (w2 + 2.0 * BUOYANCY * b * c.dz[k]) / (1.0 + 2.0 * DRAG * rate * c.dz[k])
        # gusts and slopes that the layers do not resolve lift a deep one to where it is free
        freed = near & (b_below <= 0.0) & (b > 0.0)
        part = b / torch.clamp(b - torch.clamp(b_below, max=0.0), min=1.0e-9)
        lift = torch.where(freed, source_p - c.p[k] - part * (c.p[max(k - 1, 0)] - c.p[k]), lift)
        free, b_below = free | (cloudy & (b > 0.0)), b
        faster = torch.where(near, torch.clamp(faster, min=START * START), faster)
        # where it is heavier than the air around it sheds mass as it slows down (Bechtold 2008, eq. 7)
        slower = torch.sqrt(torch.clamp(faster / torch.clamp(w2, min=1.0e-6), 0.0, 1.0))
        kept = torch.where(cloudy & (b < 0.0) & ~near & ~shallow, slower, 1.0)
        w2_below, w2 = w2, torch.where(cloudy, faster, w2)
        w = torch.sqrt(torch.clamp(w2, min=0.01))
        # rain from what is inside
        cloud = air.q_l + air.q_i
        often = CONVERSION * -torch.expm1(-(cloud / ENOUGH) * (cloud / ENOUGH)) * c.dz[k] / torch.clamp(w, 1.0, 15.0)
        high = zc[k] - base_z > WITHOUT_RAIN
        out = torch.where(cloudy & high, -torch.expm1(-often), 0.0)
        rain, snow = out * air.q_l, out * air.q_i
        air = air._replace(q_l=air.q_l - rain, q_i=air.q_i - snow)
        q = q - rain - snow
        e = e + LATENT_FUSION * snow
        # what is left behind; all where it is too slow to go on, or under the lid
        ends = cloudy & ~spent & (w2 <= 0.01)
        used = torch.clamp(w2_below / torch.clamp(w2_below - w2, min=1.0e-9), 0.0, 1.0)
        end = torch.where(ends, c.z_interface[k] - c.z_interface[0] + used * c.dz[k], end)
        spent = spent | ends
        highest = base_z + TALLER * (end - base_z)
        slow = cloudy & (spent & (~shallow | (c.z_interface[k + 1] - c.z_interface[0] >= highest)) | (k == nz - 1))
        ended_now = slow | (~started & (none + float(k == nz - 1) > 0.0))
        leaves = torch.where(cloudy, total * (1.0 - kept * torch.exp(-DETRAINMENT_DEEP * c.dz[k])), 0.0)
        leaves = torch.where(ended_now, total, leaves)
        top_p = torch.where(slow, c.p[k], top_p)
        ended = ended | ended_now
        mass = total - leaves
        now = {
            "flux": mass, "taken": given + grown, "left": leaves, "rain": total * rain, "snow": total * snow,
            "w": torch.where(cloudy, w, 0.0), "b": torch.where(cloudy, b, 0.0), "t": air.t, "q_v": air.q_v,
            "q_l": air.q_l, "q_i": air.q_i, "inside": cloudy, "grows": torch.expm1(rate * c.dz[k]) + none,
        }  # fmt: skip
        for name, x in now.items():
            rows[name].append(x)
    r = {name: torch.stack(x) for name, x in rows.items()}
    first_fails = torch.where(r["inside"], r["flux"], 0.0).amax(0) <= 0.0
    active = started & ~first_fails & (base_p > top_p)
    air = Air(r["t"], r["q_v"], r["q_l"], r["q_i"])
    plume = Plume(
        r["flux"], r["taken"], r["left"], air, r["rain"], r["snow"], r["w"], r["b"], r["inside"], base_p, top_p,
        base_z, end, lift, active,
    )  # fmt: skip
    top = base_z + TALLER * (end - base_z)
    return thinning(plume, c.z_interface - c.z_interface[:1], top, r["grows"], shallow & active)


def thinning(plume: Plume, z: torch.Tensor, top: torch.Tensor, grows: torch.Tensor, where: torch.Tensor) -> Plume:
    """A plume whose mass flux shrinks with height, linearly from its base to nothing where it ends.

    Shallow clouds end at many heights, some above where their mean does; in simulations of them the flux of all is near
    this line (Siebesma et al. 2003; de Rooy & Siebesma 2008, Mon. Wea. Rev. 136, 560-576, at a half in the middle).
    What the rising air is like does not depend on what it leaves behind.

    Parameters
    ----------
    plume : that of each column
    z : (nz+1, y, x) height of the interfaces above the ground, m
    top : (y, x) height where the flux vanishes, m
    grows : (nz, y, x) air that it takes in in each layer, per what comes from below
    where : (y, x) columns in which this holds
    """
    cloud = plume.inside & where
    base = torch.where(cloud, z[:-1], z[-1:]).amin(0)
    top = torch.maximum(torch.minimum(top, torch.where(cloud, z[1:], z[:1]).amax(0)), base + 1.0)
    thick = top - base
    low, up = (torch.clamp((top - x) / thick, min=0.0) for x in (z[:-1], z[1:]))
    taken = low * grows
    before = plume.flux + plume.left
    share = torch.where(before > 0.0, (low + taken) / torch.where(before > 0.0, before, 1.0), 0.0)
    return plume._replace(
        flux=torch.where(cloud, up, plume.flux),
        taken=torch.where(cloud, taken, plume.taken),
        left=torch.where(cloud, low + taken - up, plume.left),
        rain=torch.where(cloud, share * plume.rain, plume.rain),
        snow=torch.where(cloud, share * plume.snow, plume.snow),
    )
