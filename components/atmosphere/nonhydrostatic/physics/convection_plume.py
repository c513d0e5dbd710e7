# SPDX-License-Identifier: BSD-3-Clause
"""The entraining plume of a mass-flux scheme, with a mass flux of one at its base (Tiedtke 1989; Bechtold 2008).

Tiedtke (1989, Mon. Wea. Rev. 117, 1779-1800, eq. 8-10) and Bechtold et al. (2008, Q. J. R. Meteorol. Soc. 134,
1337-1351). The plume takes in air of its surroundings, condenses, rains and leaves air behind; its speed follows from
buoyancy (Simpson & Wiggert 1969); where that is used up it ends and leaves all. Near its source a deep one is lifted
through stable air, as by gusts that no layer resolves: all of it over 120 hPa, none over 180 (Pan & Wu 1995, NMC Office
Note 409), whether or not a buoyant layer lies beneath; a shallow one to where it is first lighter than the air around,
which costs it flux by the work (`mixed_layer_thermals`). Slow air takes in others by turbulence alone: the organised
entrainment is that of air which buoyancy has made fast. It conserves water and frozen moist static energy
e = c_p T + g z + L q_v - L_f q_i.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import (
    BERGERON,
    BUOYANCY,
    COLD,
    CONVERSION,
    DETRAINMENT_DEEP,
    DRAG,
    DRY_ENTRAINS,
    ENOUGH,
    ENTRAINMENT_DEEP,
    ENTRAINMENT_LIFTED,
    ENTRAINMENT_SHALLOW,
    GUST,
    INHIBITED,
    MEAN_SPEED,
    START,
    TALLER,
    WITHOUT_RAIN,
)
from components.science.constants import (
    CP_DRY,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    VIRTUAL,
)
from components.science.torch_compiler import piece
from components.science.water import ALL_ICE, growth, growth_ice, saturation_pressure_mixed


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
    source : share of each layer in what the plume is made of beneath its base
    air : what it is within the layer
    rain, snow : formed, kg m-2 s-1 for each kg m-2 s-1
    w : speed at the upper interface, m s-1
    buoyancy : g dT_v / T_v in the layer, m s-2
    inside : whether cloud is in the layer
    base, top : pressure where it begins and ends (y, x), Pa
    begin, neutral, end : height above the ground where it is first saturated, where it is last as light as the air
        around, and where its speed is used up (y, x), m
    lift : pressure between its source and free convection (y, x), Pa
    inhibition : work against its weight between its source and there (y, x), J kg-1
    active : whether there is one (y, x)
    """

    flux: torch.Tensor
    taken: torch.Tensor
    left: torch.Tensor
    source: torch.Tensor
    air: Air
    rain: torch.Tensor
    snow: torch.Tensor
    w: torch.Tensor
    buoyancy: torch.Tensor
    inside: torch.Tensor
    base: torch.Tensor
    top: torch.Tensor
    begin: torch.Tensor
    neutral: torch.Tensor
    end: torch.Tensor
    lift: torch.Tensor
    inhibition: torch.Tensor
    active: torch.Tensor


def saturate(e: torch.Tensor, q: torch.Tensor, p: torch.Tensor, z: torch.Tensor) -> Air:
    """Air of frozen moist static energy ``e`` (J kg-1) and water ``q`` (kg/kg) at ``p`` (Pa) and ``z`` (m)."""
    heat = e - GRAVITY * z - LATENT_VAPORISATION * q
    low = heat / CP_DRY  # without cloud
    high = low + (LATENT_VAPORISATION + LATENT_FUSION) / CP_DRY * q
    t = low + 10.0
    q_c, share = torch.zeros_like(q), torch.ones_like(q)
    for _ in range(8):
        share = torch.clamp((t - ALL_ICE) / (FREEZING_POINT - ALL_ICE), 0.0, 1.0)
        latent = LATENT_VAPORISATION + (1.0 - share) * LATENT_FUSION
        q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), p)
        # Newton of c_p T - latent (q - q_s(T)) = heat, which grows with T; halved where it passes what is too warm
        miss = CP_DRY * t - latent * (q - q_s) - heat
        low, high = torch.where(miss < 0.0, t, low), torch.where(miss > 0.0, t, high)
        mixed = torch.where(
            (share > 0.0) & (share < 1.0), share.new_tensor(LATENT_FUSION / (FREEZING_POINT - ALL_ICE)), 0.0
        )
        grows = growth_ice(t) + share * share * (growth(t) - growth_ice(t))
        t = t - miss / (CP_DRY + latent * q_s * grows + mixed * torch.clamp(q - q_s, min=0.0))
        t = torch.where(t > high, 0.5 * (low + high), torch.maximum(t, low))
        q_c = torch.clamp((CP_DRY * t - heat) / latent, min=0.0)
    q_c = torch.minimum(q_c, q)
    q_i = (1.0 - share) * q_c
    t = (heat + LATENT_VAPORISATION * q_c + LATENT_FUSION * q_i) / CP_DRY
    return Air(t, q - q_c, q_c - q_i, q_i)


def energy(t: torch.Tensor, q_v: torch.Tensor, q_i: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Frozen moist static energy, J kg-1."""
    return CP_DRY * t + GRAVITY * z + LATENT_VAPORISATION * q_v - LATENT_FUSION * q_i


class Level(NamedTuple):
    """A layer that the plume passes and the air in it (y, x): t, q_v, saturation q_s, its energy and its pressure.

    Attributes
    ----------
    q_s_below : saturation in the layer below
    p_below, z, z_below : pressure (Pa) and height above the ground (m) of its centre and of the centre below
    bottom, top, dz : height of its lower and upper interface above the ground and its thickness, m
    share : of the plume's air that it gives below the base
    last : whether the lid is above it (a number)
    """

    t: torch.Tensor
    q_v: torch.Tensor
    q_s: torch.Tensor
    q_s_below: torch.Tensor
    energy: torch.Tensor
    p: torch.Tensor
    p_below: torch.Tensor
    z: torch.Tensor
    z_below: torch.Tensor
    bottom: torch.Tensor
    top: torch.Tensor
    dz: torch.Tensor
    share: torch.Tensor
    last: torch.Tensor


class Kind(NamedTuple):
    """What sets a plume apart from its surroundings (y, x).

    Attributes
    ----------
    excess, moist : energy (J kg-1) and vapour (kg/kg) of its air above that of the layers that give it
    shallow : whether it entrains and detrains as a shallow one
    """

    excess: torch.Tensor
    moist: torch.Tensor
    shallow: torch.Tensor


class Rising(NamedTuple):
    """What a plume is on its way (y, x): its mass flux, energy e, water q and the square of its speed.

    Attributes
    ----------
    started, ended, free, spent : whether it is saturated, has ended, is lighter than the air, has used up its speed
    neutral, end, base_z, base_p, top_p, lift, inhibition : as `Plume` has them
    buoyancy, over : of the layer below, m s-2, and the water there above saturation
    base_q, source_p : saturation at the base, pressure of its source
    """

    mass: torch.Tensor
    e: torch.Tensor
    q: torch.Tensor
    w2: torch.Tensor
    started: torch.Tensor
    ended: torch.Tensor
    free: torch.Tensor
    spent: torch.Tensor
    neutral: torch.Tensor
    end: torch.Tensor
    lift: torch.Tensor
    inhibition: torch.Tensor
    base_z: torch.Tensor
    base_p: torch.Tensor
    top_p: torch.Tensor
    base_q: torch.Tensor
    source_p: torch.Tensor
    buoyancy: torch.Tensor
    over: torch.Tensor


class Passed(NamedTuple):
    """What a plume was and did in a layer, as `Plume` has it; ``grows``: air taken in per what came from below."""

    flux: torch.Tensor
    taken: torch.Tensor
    left: torch.Tensor
    rain: torch.Tensor
    snow: torch.Tensor
    w: torch.Tensor
    buoyancy: torch.Tensor
    t: torch.Tensor
    q_v: torch.Tensor
    q_l: torch.Tensor
    q_i: torch.Tensor
    inside: torch.Tensor
    grows: torch.Tensor


def ascend(c: Columns, t: torch.Tensor, q_v: torch.Tensor, share: torch.Tensor, kind: Kind) -> Plume:
    """The plume of each column.

    Parameters
    ----------
    c : columns of air
    t, q_v : (nz, y, x) temperature (K) and vapour (kg/kg) around it
    share : (nz, y, x) of its air that each layer gives below the base; their sum is 1, or 0 where none is to rise
    kind : of its air
    """
    z, zc, around, q_s = surroundings(c, t, q_v)
    profile = t, q_v, q_s, around, c.p, zc, z, c.dz, share
    none = torch.zeros_like(t[0])
    no = none > 1.0
    plume = Rising(none, none, none, torch.full_like(none, START * START), no, no, no, no, none, z[-1], *[none] * 9)
    rows = []
    for k in range(t.shape[0]):
        plume, passed = rise(plume, level(profile, k), kind)
        rows.append(passed)
    return thinning(plume, Passed(*(torch.stack(x) for x in zip(*rows, strict=True))), z, kind.shallow)


def level(profile: tuple[torch.Tensor, ...], k: int) -> Level:
    """Layer ``k`` of a profile as `ascend` has it."""
    t, q_v, q_s, around, p, zc, z, dz, share = profile
    low, last = max(k - 1, 0), torch.tensor(k == len(t) - 1, device=t.device)
    return Level(
        t[k], q_v[k], q_s[k], q_s[low], around[k], p[k], p[low], zc[k], zc[low], z[k], z[k + 1], dz[k], share[k], last
    )


@piece
def surroundings(
    c: Columns, t: torch.Tensor, q_v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Heights of interfaces and centres above the ground, energy and saturation of the air around a plume.

    Parameters
    ----------
    c, t, q_v : as `ascend` has them
    """
    zc = c.z - c.z_interface[:1]
    q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), c.p)
    return c.z_interface - c.z_interface[:1], zc, energy(t, q_v, torch.zeros_like(q_v), zc), q_s


@piece
def rise(r: Rising, c: Level, kind: Kind) -> tuple[Rising, Passed]:
    """The plume above a layer, and what it was in it.

    Parameters
    ----------
    r : the plume below the layer
    c : the layer
    kind : of the plume
    """
    shallow = kind.shallow
    # from below the base: the share of the layer, with the excess
    below = ~r.started
    given = torch.where(below & ~r.ended, c.share, 0.0)
    total = r.mass + given
    safe = torch.clamp(total, min=1.0e-12)
    source_p = r.source_p + given * c.p
    e = r.e + given / safe * (c.energy + kind.excess - r.e)
    q = r.q + given / safe * (c.q_v + kind.moist - r.q)
    there = total > 0.0  # where nothing rises: the air around
    e, q = torch.where(there, e, c.energy), torch.where(there, q, c.q_v)
    dry = (e - GRAVITY * c.z - LATENT_VAPORISATION * q) / CP_DRY
    over = q - saturation_mixing_ratio(saturation_pressure_mixed(dry), c.p)
    begins = below & ~r.ended & (total > 0.999) & (over > 0.0) & (given < 0.001)
    part = torch.clamp(over / torch.clamp(over - r.over, min=1.0e-9), 0.0, 1.0)
    base_z = torch.where(begins, c.z - part * (c.z - c.z_below), r.base_z)
    base_p = torch.where(begins, c.p, r.base_p)
    base_q = torch.where(begins, c.q_s + part * (c.q_s_below - c.q_s), r.base_q)
    started = r.started | begins
    cloudy = started & ~r.ended
    # entrainment within the cloud
    humid = torch.clamp(c.q_v / c.q_s, 0.0, 1.0)
    ratio = c.q_s / torch.clamp(base_q, min=1.0e-9)
    deep = ENTRAINMENT_DEEP * (DRY_ENTRAINS - humid) * torch.clamp(ratio * ratio * ratio, max=1.0)
    near = cloudy & ~(shallow & r.free) & (source_p - c.p < INHIBITED[1])
    fast = r.free & ~(near & (r.w2 < GUST * GUST))
    rate = torch.where(fast, torch.where(shallow, ENTRAINMENT_SHALLOW, deep), ENTRAINMENT_LIFTED)
    grown = torch.where(cloudy, total * torch.expm1(rate * c.dz), 0.0)
    e = torch.where(cloudy, e + grown / (safe + grown) * (c.energy - e), e)
    q = torch.where(cloudy, q + grown / (safe + grown) * (c.q_v - q), q)
    total = total + grown
    air = saturate(e, q, c.p, c.z)
    virtual = air.t * (1.0 + VIRTUAL * air.q_v - air.q_l - air.q_i)
    b = GRAVITY * (virtual / (c.t * (1.0 + VIRTUAL * c.q_v)) - 1.0)
    faster = (r.w2 + 2.0 * BUOYANCY * b * c.dz) / (1.0 + 2.0 * DRAG * rate * c.dz)
    # gusts and slopes that the layers do not resolve lift it to where it is free, a deep one through all that is near
    freed = near & (r.buoyancy <= 0.0) & (b > 0.0)
    part = b / torch.clamp(b - torch.clamp(r.buoyancy, max=0.0), min=1.0e-9)
    lift = torch.where(freed, source_p - c.p - part * (c.p_below - c.p), r.lift)
    # against its weight, which is linear between the centres of layers
    heavy = torch.clamp(-r.buoyancy, min=0.0) + torch.clamp(-b, min=0.0)
    against = 0.5 * (c.z - c.z_below) * heavy * heavy / torch.clamp(r.buoyancy.abs() + b.abs(), min=1.0e-9)
    inhibition = r.inhibition + torch.where(there & ~r.free & ~r.ended, against, 0.0)
    faster = torch.where(near, torch.clamp(faster, min=START * START), faster)
    # where it is heavier than the air around it sheds mass as it slows down (Bechtold 2008, eq. 7)
    slower = torch.sqrt(torch.clamp(faster / torch.clamp(r.w2, min=1.0e-6), 0.0, 1.0))
    kept = torch.where(cloudy & (b < 0.0) & ~near & ~shallow, slower, 1.0)
    w2 = torch.where(cloudy, faster, r.w2)
    w = torch.sqrt(torch.clamp(w2, min=0.01))
    # rain from what is inside
    cloud = air.q_l + air.q_i
    gathers = 1.0 + BERGERON * torch.sqrt(torch.clamp(COLD[0] - air.t, 0.0, COLD[1]))
    full = gathers * cloud / ENOUGH
    often = gathers * CONVERSION * -torch.expm1(-full * full) * c.dz / (MEAN_SPEED * torch.clamp(w, 1.0, 15.0))
    high = c.z - base_z > WITHOUT_RAIN
    out = torch.where(cloudy & high, -torch.expm1(-often), 0.0)
    rain, snow = out * air.q_l, out * air.q_i
    # what is left behind; all where it is too slow to go on, or under the lid
    ends = cloudy & ~r.spent & (w2 <= 0.01)
    used = torch.clamp(r.w2 / torch.clamp(r.w2 - w2, min=1.0e-9), 0.0, 1.0)
    end = torch.where(ends, c.bottom + used * c.dz, r.end)
    spent = r.spent | ends
    crosses = cloudy & ~r.spent & (r.buoyancy > 0.0) & (b <= 0.0)  # buoyancy is the same throughout a layer
    neutral = torch.where(begins | crosses, torch.maximum(c.bottom, base_z), r.neutral)
    highest = base_z + TALLER * (end - base_z)
    slow = cloudy & (spent & (~shallow | (c.top >= highest)) | c.last)
    ends = slow | (~started & c.last)
    leaves = torch.where(cloudy, total * (1.0 - kept * torch.exp(-DETRAINMENT_DEEP * c.dz)), 0.0)
    leaves = torch.where(ends, total, leaves)
    passed = Passed(
        total - leaves, given + grown, leaves, total * rain, total * snow, torch.where(cloudy, w, 0.0),
        torch.where(cloudy, b, 0.0), air.t, air.q_v, air.q_l - rain, air.q_i - snow, cloudy, torch.expm1(rate * c.dz),
    )  # fmt: skip
    return Rising(
        total - leaves, e + LATENT_FUSION * snow, q - rain - snow, w2, started, r.ended | ends,
        r.free | (cloudy & (b > 0.0)), spent, neutral, end, lift, inhibition, base_z, base_p,
        torch.where(slow, c.p, r.top_p),
        base_q, source_p, b, over,
    ), passed  # fmt: skip


@piece
def thinning(r: Rising, p: Passed, z: torch.Tensor, shallow: torch.Tensor) -> Plume:
    """The whole plume, and a shallow one's mass flux shrinks with height, linearly, and faster above its neutral level.

    Shallow clouds end at many heights; in simulations of them the flux of all is near this line (Siebesma et al. 2003;
    de Rooy & Siebesma 2008, Mon. Wea. Rev. 136, 560-576, at a half in the middle). Where they are heavier than the air
    around they live by their speed, some of more and some of less: of what the line says another 1/e is left for each
    height that the mean cloud overshoots. What the rising air is like does not depend on what it leaves behind.

    Parameters
    ----------
    r : what it is under the lid
    p : what it did in each layer
    z : (nz+1, y, x) height of the interfaces above the ground, m
    shallow : (y, x) whether it is shallow
    """
    first_fails = torch.where(p.inside, p.flux, 0.0).amax(0) <= 0.0
    active = r.started & ~first_fails & (r.base_p > r.top_p) & (r.free | ~shallow)
    top, cloud = r.base_z + TALLER * (r.end - r.base_z), p.inside & shallow & active
    base = torch.where(cloud, z[:-1], z[-1:]).amin(0)
    top = torch.maximum(torch.minimum(top, torch.where(cloud, z[1:], z[:1]).amax(0)), base + 1.0)
    over = torch.clamp(z - r.neutral, min=0.0) / torch.clamp(r.end - r.neutral, min=1.0)
    passing = torch.clamp((top - z) / (top - base), min=0.0) * torch.exp(-over)
    low, up = passing[:-1], passing[1:]
    taken = low * p.grows
    before = p.flux + p.left
    share = torch.where(before > 0.0, (low + taken) / torch.where(before > 0.0, before, 1.0), 0.0)
    return Plume(
        torch.where(cloud, up, p.flux), torch.where(cloud, taken, p.taken),
        torch.where(cloud, low + taken - up, p.left), torch.where(p.inside, 0.0, p.taken),
        Air(p.t, p.q_v, p.q_l, p.q_i), torch.where(cloud, share * p.rain, p.rain),
        torch.where(cloud, share * p.snow, p.snow), p.w, p.buoyancy, p.inside, r.base_p, r.top_p, r.base_z,
        r.neutral, r.end, r.lift, r.inhibition, active,
    )  # fmt: skip
