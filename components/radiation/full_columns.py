# SPDX-License-Identifier: BSD-3-Clause
"""Columns from the ground to 0.1 hPa, as a spectral scheme needs them: a standard atmosphere on the model's air."""

from typing import NamedTuple

import torch

from components.radiation import climatology, standard_atmosphere
from components.radiation.scheme import Air
from components.science.constants import GRAVITY

LAYERS_ABOVE, P_TOP = 5, 10.0  # layers above the lid, even in ln p, and where they end, Pa
FADED = 100.0  # Pa, up to which the top layer's departure from the climatology is felt
SKIN = 2.0  # K, by how much at most the air on the ground differs from the lowest layer
CLOUDY = 1.0e-6  # condensate of a cloudy layer, kg/kg


class FullColumns(NamedTuple):
    """``n`` columns of ``nlev`` layers, lowest first; layers (nlev, n), interfaces (nlev+1, n), planes (n,).

    Attributes
    ----------
    p, p_interface : pressure, Pa, decreasing
    t, t_interface : temperature, K
    q_v : vapour, kg per kg of dry air
    ozone : mole fraction
    liquid, ice : in-cloud water paths, kg m-2
    fraction : cloud fraction; 0 or 1 but where a scheme samples
    t_surface, albedo, emissivity : of the ground; K, 1, 1
    mu : cosine of the solar zenith angle, 0 at night
    """

    p: torch.Tensor
    p_interface: torch.Tensor
    t: torch.Tensor
    t_interface: torch.Tensor
    q_v: torch.Tensor
    ozone: torch.Tensor
    liquid: torch.Tensor
    ice: torch.Tensor
    fraction: torch.Tensor
    t_surface: torch.Tensor
    albedo: torch.Tensor
    emissivity: torch.Tensor
    mu: torch.Tensor


def full_columns(air: Air) -> FullColumns:
    """The columns of ``air`` with five layers above the lid, and their ozone.

    Both are climatologies of the place and season (see `climatology`), or, where ``air`` has no latitude, the US
    Standard Atmosphere and a profile of middle latitudes. The temperature above is warmed or cooled to join the
    model's top layer, the more the lower.
    """
    nz = air.t.shape[0]
    t, q_v, cloud, ice, p, p_i = (a.reshape(a.shape[0], -1) for a in air[:6])
    t_surface, albedo, mu = (a.reshape(-1) for a in air[6:9])
    # Interfaces weigh the layers; a pressure that sound waves have moved out of its layer is taken back into it, or
    # temperatures between layers would be extrapolated.
    quarter = 0.25 * (p_i[:-1] - p_i[1:])
    p = torch.minimum(torch.maximum(p, p_i[1:] + quarter), p_i[:-1] - quarter)
    lid = p_i[-1]
    part = (torch.arange(1, LAYERS_ABOVE + 1, dtype=t.dtype, device=t.device) / LAYERS_ABOVE)[:, None]
    above = torch.exp((1.0 - part) * torch.log(lid) + part * torch.log(torch.full_like(lid, P_TOP)))
    p_all_i = torch.cat([p_i, above])
    p_all = torch.cat([p, torch.sqrt(p_all_i[nz:-1] * p_all_i[nz + 1 :])])
    if air.latitude is None:
        standard, ozone = standard_atmosphere.temperature(p_all[nz - 1 :]), standard_atmosphere.ozone(p_all)
    else:
        place = air.latitude.reshape(-1).to(t)
        standard = climatology.temperature(p_all[nz - 1 :], place, air.day)
        ozone = climatology.ozone(p_all_i, place, air.day)
    if air.ozone is not None:
        ozone = torch.cat([air.ozone.reshape(nz, -1).to(t), ozone[nz:]])
    fade = torch.clamp(torch.log(p_all[nz:] / FADED) / torch.log(p[-1] / FADED), 0.0, 1.0)
    t_all = torch.cat([t, standard[1:] + (t[-1] - standard[0]) * fade])
    none = torch.zeros_like(above)
    path = (p_i[:-1] - p_i[1:]) / GRAVITY
    fraction = cloud_fraction(cloud + ice)
    emissivity = torch.ones_like(albedo) if air.emissivity is None else air.emissivity.reshape(-1)
    return FullColumns(
        p_all, p_all_i, t_all, interface_temperature(p_all, p_all_i, t_all, t_surface),
        torch.cat([q_v, none + 3.0e-6]), ozone,
        torch.cat([path * cloud * fraction, none]), torch.cat([path * ice * fraction, none]),
        torch.cat([fraction, none]),
        t_surface, albedo, emissivity, mu,
    )  # fmt: skip


def interface_temperature(
    p: torch.Tensor, p_interface: torch.Tensor, t: torch.Tensor, t_surface: torch.Tensor
) -> torch.Tensor:
    """Temperature (nlev+1, n) K at interfaces: linear in ln p between layers; of the air on the ground from both sides.

    A ground that is d warmer or colder than the lowest layer makes the air on it d / (1 + |d| / 2 K) warmer or colder:
    the more they differ, the more of it lies in the lowest metres.

    Parameters
    ----------
    p : (nlev, n) pressure of the layers, Pa
    p_interface : (nlev+1, n) pressure of the interfaces, Pa
    t : (nlev, n) temperature of the layers, K
    t_surface : (n,) radiating temperature of the ground, K
    """
    w = torch.log(p_interface[1:-1] / p[1:]) / torch.log(p[:-1] / p[1:])
    middle = t[1:] + w * (t[:-1] - t[1:])
    d = t_surface - t[0]
    return torch.cat([(t[0] + d / (1.0 + torch.abs(d) / SKIN))[None], middle, t[-1:]])


def cloud_fraction(condensate: torch.Tensor) -> torch.Tensor:
    """Cloud fraction of a layer: 1 where there is more than 1e-6 kg/kg, else 0 (RRTMG without McICA takes no parts)."""
    return (condensate > CLOUDY).to(condensate.dtype)
