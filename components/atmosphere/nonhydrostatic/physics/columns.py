# SPDX-License-Identifier: BSD-3-Clause
"""Between the dynamics' fields and what column physics works on."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.science.halo import HaloFiller
from components.science.kernel_arrays import wanted

INNER = slice(H, -H)


class Columns(NamedTuple):
    """Air of a block's interior, (nz, ny, nx), lowest layer first.

    Attributes
    ----------
    t, theta : temperature and potential temperature, K
    p : pressure, Pa; ``pi`` its Exner function
    rho : density of dry air, kg m-3
    mass : mass of dry air in the layer, kg m-2
    z, dz : height of the layer's centre above sea level and its thickness, m
    z_interface : (nz+1, ny, nx) height of its lower and upper interface, m
    """

    t: torch.Tensor
    theta: torch.Tensor
    p: torch.Tensor
    pi: torch.Tensor
    rho: torch.Tensor
    mass: torch.Tensor
    z: torch.Tensor
    dz: torch.Tensor
    z_interface: torch.Tensor


def columns(g: Geometry, s: State, q_v: torch.Tensor, lowest: int | None = None) -> Columns:
    """Thermodynamic columns of a state, or their ``lowest`` layers.

    ``q_v`` (nz, Y, X) is the vapour mixing ratio, kg/kg.
    """
    low = slice(lowest)
    heat_base, heat_part = g.rtheta_base[low], s.rtheta[low]
    mass = (g.rho_base[low] + s.rho[low])[:, INNER, INNER]
    heat = (heat_base + heat_part)[:, INNER, INNER]
    p = thermo.pressure(g.p_base[low], heat_base, heat_part)[:, INNER, INNER].contiguous()
    pi = thermo.exner(p)
    theta = heat / (mass * (1.0 + thermo.VAPOUR_FACTOR * q_v[low, INNER, INNER]))
    dz = g.dz[low, INNER, INNER].contiguous()
    z_interface = g.z_interface[: g.nz + 1 if lowest is None else lowest + 1, INNER, INNER].contiguous()
    z = 0.5 * (z_interface[1:] + z_interface[:-1])
    return Columns(theta * pi, theta, p, pi, mass / dz, mass, z, dz, z_interface)


def put_back(
    g: Geometry,
    halo: HaloFiller,
    s: State,
    c: Columns,
    theta: torch.Tensor,
    tracers: Sequence[torch.Tensor],
    q_v: torch.Tensor | None = None,
) -> tuple[State, torch.Tensor]:
    """State and tracers after the physics, halos filled. Mass and volume of a layer stay as they are.

    Parameters
    ----------
    g, halo, s, c : of the block; ``c`` the columns before the physics
    theta : (nz, ny, nx) potential temperature, K
    tracers : (nz, ny, nx) mixing ratios, kg/kg
    q_v : (nz, ny, nx) vapour among them; by default the first
    """
    q_v = tracers[0] if q_v is None else q_v
    heat = torch.empty_like(s.rtheta)
    heat[:, INNER, INNER] = c.mass * theta * (1.0 + thermo.VAPOUR_FACTOR * q_v) - g.rtheta_base[:, INNER, INNER]
    q = q_v.new_empty((len(tracers), *s.rtheta.shape))
    if wanted(*tracers):  # one copy in place has one gradient of all of it
        q[:, :, INNER, INNER] = torch.stack(tuple(tracers))
    else:
        for n, a in enumerate(tracers):
            q[n, :, INNER, INNER] = a
    halo([heat, q], H)
    return s._replace(rtheta=heat), q
