# SPDX-License-Identifier: BSD-3-Clause
"""Columns from the ground to 0.1 hPa, as a spectral scheme needs them: a standard atmosphere on the model's air."""

from typing import NamedTuple

import torch

from components.radiation import standard_atmosphere
from components.radiation.scheme import Air
from components.science.constants import GRAVITY

LAYERS_ABOVE, P_TOP = 5, 10.0  # layers above the lid, even in ln p, and where they end, Pa
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
    """The columns of ``air`` with five layers of the US Standard Atmosphere above the lid.

    These are warmed or cooled to join the model's top layer, the more the lower; ozone is the standard profile
    everywhere, and the ground is black in the longwave.
    """
    nz = air.t.shape[0]
    t, q_v, cloud, ice, p, p_i = (a.reshape(a.shape[0], -1) for a in air[:6])
    t_surface, albedo, mu = (a.reshape(-1) for a in air[6:9])
    lid = p_i[-1]
    part = (torch.arange(1, LAYERS_ABOVE + 1, dtype=t.dtype, device=t.device) / LAYERS_ABOVE)[:, None]
    above = torch.exp((1.0 - part) * torch.log(lid) + part * torch.log(torch.full_like(lid, P_TOP)))
    p_all_i = torch.cat([p_i, above])
    p_all = torch.cat([p, torch.sqrt(p_all_i[nz:-1] * p_all_i[nz + 1 :])])
    join = t[-1] - standard_atmosphere.temperature(p[-1])
    fade = torch.clamp(torch.log(p_all[nz:] / 300.0) / torch.log(p[-1] / 300.0), 0.0, 1.0)
    t_all = torch.cat([t, standard_atmosphere.temperature(p_all[nz:]) + join * fade])
    none = torch.zeros_like(above)
    path = (p_i[:-1] - p_i[1:]) / GRAVITY
    fraction = cloud_fraction(cloud + ice)
    return FullColumns(
        p_all, p_all_i, t_all, interface_temperature(p_all, p_all_i, t_all),
        torch.cat([q_v, none + 3.0e-6]), standard_atmosphere.ozone(p_all),
        torch.cat([path * cloud * fraction, none]), torch.cat([path * ice * fraction, none]),
        torch.cat([fraction, none]),
        t_surface, albedo, torch.ones_like(albedo), mu,
    )  # fmt: skip


def interface_temperature(p: torch.Tensor, p_interface: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Temperature (nlev+1, n) K at interfaces: linear in ln p between layers, half a step further at the ground.

    Parameters
    ----------
    p : (nlev, n) pressure of the layers, Pa
    p_interface : (nlev+1, n) pressure of the interfaces, Pa
    t : (nlev, n) temperature of the layers, K
    """
    w = torch.log(p_interface[1:-1] / p[1:]) / torch.log(p[:-1] / p[1:])
    middle = t[1:] + w * (t[:-1] - t[1:])
    return torch.cat([(t[0] + 0.5 * (t[0] - middle[0]))[None], middle, t[-1:]])


def cloud_fraction(condensate: torch.Tensor) -> torch.Tensor:
    """Cloud fraction of a layer: 1 where there is more than 1e-6 kg/kg, else 0 (RRTMG without McICA takes no parts)."""
    return (condensate > CLOUDY).to(condensate.dtype)
