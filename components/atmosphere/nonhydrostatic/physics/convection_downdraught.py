# SPDX-License-Identifier: BSD-3-Clause
"""The saturated downdraught of a deep cloud, beside a plume with a mass flux of one at its base (Tiedtke 1989).

Tiedtke (1989, Mon. Wea. Rev. 117, 1779-1800, section 3c). It starts in the highest layer in which a mixture of cloud
and surroundings in equal parts, wetted by the rain, is heavier than the air around it, not above the one where
saturated air would have the least energy (IFS documentation CY47R3 part IV, chapter 6), with 0.3 of the plume's
flux. On its way rain evaporates until it is saturated; it mixes with its surroundings, ends where it is lighter than
they are, and leaves its air evenly in pressure within the lowest 60 hPa. It takes no more water than rain and snow
form above it, and no more air than rises in the plume.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convection_plume import Plume
from components.atmosphere.nonhydrostatic.physics.mass_flux_constants import MIXING, SHARE, SPREAD
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, VIRTUAL
from components.science.sums import so_far
from components.science.torch_compiler import piece
from components.science.water import growth, saturation_pressure_mixed


class Downdraught(NamedTuple):
    """What sinks beside a plume with a mass flux of 1 kg m-2 s-1 at its base; layers (nz, y, x).

    Attributes
    ----------
    flux : down through the lower interface of each layer
    taken, taken_s, taken_q : air that a layer gives, its dry static energy (J kg-1) and vapour, for each kg m-2 s-1
    left, left_s, left_q : the same of what it gets
    wetting : rain that evaporates, kg m-2 s-1 for each kg m-2 s-1
    """

    flux: torch.Tensor
    taken: torch.Tensor
    taken_s: torch.Tensor
    taken_q: torch.Tensor
    left: torch.Tensor
    left_s: torch.Tensor
    left_q: torch.Tensor
    wetting: torch.Tensor


class Sinking(NamedTuple):
    """A downdraught on its way (y, x): its flux, moist static energy (J kg-1) and vapour, and whether it has begun."""

    mass: torch.Tensor
    h: torch.Tensor
    q: torch.Tensor
    begun: torch.Tensor


class Around(NamedTuple):
    """A layer that it passes (y, x).

    Attributes
    ----------
    t, q_v : of the air around
    p, z, dz : pressure (Pa) and height above the ground (m) of its centre, its thickness
    cloud_t, cloud_q : temperature and vapour of the plume in it
    cloudy : whether a downdraught may start in it
    kept : share of it that passes the lower interface, of what the ground lets pass
    """

    t: torch.Tensor
    q_v: torch.Tensor
    p: torch.Tensor
    z: torch.Tensor
    dz: torch.Tensor
    cloud_t: torch.Tensor
    cloud_q: torch.Tensor
    cloudy: torch.Tensor
    kept: torch.Tensor


def descend(air: Columns, t: torch.Tensor, q_v: torch.Tensor, plume: Plume, deep: torch.Tensor) -> Downdraught:
    """The downdraught of each column.

    Parameters
    ----------
    air : columns
    t, q_v : (nz, y, x) temperature (K) and vapour (kg/kg) around it
    plume : beside it
    deep : (y, x) whether its cloud may have one
    """
    zc, kept, cloudy = passages(air, t, plume, deep)
    profile = t, q_v, air.p, zc, air.dz, plume.air.t, plume.air.q_v, cloudy, kept
    none = torch.zeros_like(t[0])
    one, rows = Sinking(none, none, none, none > 1.0), []
    for k in range(t.shape[0] - 1, -1, -1):
        one, passed = fall_through(one, Around(*(a[k] for a in profile)))
        rows.append(passed)
    return within_means(Downdraught(*(torch.stack(x[::-1]) for x in zip(*rows, strict=True))), plume)


@piece
def passages(
    air: Columns, t: torch.Tensor, plume: Plume, deep: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Height of the centres above the ground, share that the ground lets pass, and where it may start (nz, y, x).

    Parameters
    ----------
    air, t, plume, deep : as `descend` has them
    """
    ground = air.p[:1] + 0.5 * (air.p[:1] - air.p[1:2])
    p_i = torch.cat([ground, 0.5 * (air.p[1:] + air.p[:-1]), air.p[-1:]])
    low, up = (torch.clamp((ground - p) / SPREAD, 0.0, 1.0) for p in (p_i[:-1], p_i[1:]))
    zc = air.z - air.z_interface[:1]
    saturated = saturation_mixing_ratio(saturation_pressure_mixed(t), air.p)
    h = torch.where(plume.inside, CP_DRY * t + GRAVITY * zc + LATENT_VAPORISATION * saturated, torch.inf)
    low_enough = so_far((h <= h.amin(0)).flip(0)).flip(0)
    return zc, low / torch.clamp(up, min=1.0e-6), plume.inside & low_enough & plume.active & deep


@piece
def fall_through(d: Sinking, c: Around) -> tuple[Sinking, Downdraught]:
    """The downdraught beneath a layer, and what it did in it.

    Parameters
    ----------
    d : the downdraught above the layer
    c : the layer
    """
    s_around, s_cloud = CP_DRY * c.t + GRAVITY * c.z, CP_DRY * c.cloud_t + GRAVITY * c.z
    h_around = s_around + LATENT_VAPORISATION * c.q_v
    h_mixed = 0.5 * (h_around + s_cloud + LATENT_VAPORISATION * c.cloud_q)
    q_mixed = 0.5 * (c.q_v + c.cloud_q)
    virtual = c.t * (1.0 + VIRTUAL * c.q_v)
    t_wet, q_wet = wetted(h_mixed, c)
    starts = c.cloudy & ~d.begun & (t_wet * (1.0 + VIRTUAL * q_wet) < virtual)
    given = torch.where(starts, c.t.new_tensor(SHARE), 0.0)
    grown = d.mass * torch.expm1(MIXING * c.dz)
    total = d.mass + given + grown
    safe = torch.clamp(total, min=1.0e-12)
    h = (d.mass * d.h + given * h_mixed + grown * h_around) / safe
    q = (d.mass * d.q + given * q_mixed + grown * c.q_v) / safe
    t_d, q_d = wetted(torch.where(total > 0.0, h, h_around), c)
    lighter = t_d * (1.0 + VIRTUAL * q_d) > virtual
    out = torch.where(lighter, 0.0, total * torch.exp(-MIXING * c.dz) * c.kept)
    s_mixed = h_mixed - LATENT_VAPORISATION * q_mixed
    left = total - out
    row = Downdraught(
        out, given + grown, given * s_mixed + grown * s_around, given * q_mixed + grown * c.q_v,
        left, left * (h - LATENT_VAPORISATION * q_d), left * q_d, total * (q_d - q),
    )  # fmt: skip
    return Sinking(out, h, q_d, d.begun | starts), row


def wetted(h: torch.Tensor, c: Around) -> tuple[torch.Tensor, torch.Tensor]:
    """Temperature (K) and vapour (kg/kg) of saturated air of moist static energy ``h`` (J kg-1) in layer ``c``."""
    t = c.t
    for _ in range(4):
        q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), c.p)
        miss = CP_DRY * t + GRAVITY * c.z + LATENT_VAPORISATION * q_s - h
        t = t - miss / (CP_DRY + LATENT_VAPORISATION * q_s * growth(t))
    return t, (h - CP_DRY * t - GRAVITY * c.z) / LATENT_VAPORISATION


@piece
def within_means(d: Downdraught, plume: Plume) -> Downdraught:
    """The same with no more water than there is rain and snow to evaporate, and no more air than rises beside it.

    Parameters
    ----------
    d, plume : as `descend` has them
    """
    formed = torch.zeros_like(d.flux[0])
    used, most = torch.zeros_like(formed), torch.ones_like(formed)
    for k in range(d.flux.shape[0] - 1, -1, -1):
        formed, used = formed + plume.rain[k] + plume.snow[k], used + d.wetting[k]
        most = torch.where(used > formed, torch.minimum(most, formed / torch.clamp(used, min=1.0e-12)), most)
        if k > 0:
            down = d.flux[k]
            most = torch.minimum(most, torch.where(down > 0.0, plume.flux[k - 1] / torch.clamp(down, min=1.0e-12), 1.0))
    return Downdraught(*(most * x for x in d))
