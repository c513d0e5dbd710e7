# SPDX-License-Identifier: BSD-3-Clause
"""The heat capacity of water in the expansion and the condensation of cloudy air.

The dynamics conserve theta_m, which is exact where water holds no heat: what is missing is small in most air and the
whole answer where a deep saturated layer is neutral (Bryan & Fritsch 2002, Mon. Wea. Rev. 130, 2917-2928). With
R_m = R_d + R_v q_v, c_vm = c_v + c_vv q_v + c_l q_l + c_i q_i, c_pm = c_vm + R_m (per kg of dry air), they are

    d ln(theta) / dt = -(R_m / c_vm - R_d c_pm / (c_p c_vm)) div(u)                     between changes of phase
    c_vm dT = (L_v - R_v T) dq_l,   L_v = L_0 - (c_l - c_pv) (T - T_0)                  condensation at constant volume

so that mass and energy are both conserved. The first follows a step of the dynamics, with the flow that the step had.
"""

from typing import TYPE_CHECKING

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.science.advection import difference
from components.science.constants import (
    C_LIQUID,
    CP_DRY,
    CP_VAPOUR,
    CV_DRY,
    ICE_HEAT_CAPACITY,
    R_DRY,
    R_VAPOUR,
)
from components.science.water import growth, latent_heat, saturation_pressure

if TYPE_CHECKING:
    from components.atmosphere.nonhydrostatic.dynamics.timestep import MeanFlux


def heat_capacity(q_v: torch.Tensor, q_l: torch.Tensor, q_i: torch.Tensor | float = 0.0) -> torch.Tensor:
    """c_vm of dry air with vapour, liquid and ice (kg/kg) at constant volume, J K-1 per kg of dry air."""
    return CV_DRY + (CP_VAPOUR - R_VAPOUR) * q_v + C_LIQUID * q_l + ICE_HEAT_CAPACITY * q_i


def expansion(g: Geometry, s0: State, s: State, flux: "MeanFlux", dt: float) -> torch.Tensor:
    """Growth in volume, div(u) dt (nz, ny, nx), in the step of ``dt`` s from ``s0`` to ``s`` with the mean ``flux``."""
    i, one = slice(H, -H), slice(H - 1, 1 - H)
    rho = (g.rho_base + 0.5 * (s0.rho + s.rho))[:, one, one] / g.dz[:, one, one]
    u = flux.ru * g.length_u[i, i] * 2.0 / (rho[:, 1:-1, 1:] + rho[:, 1:-1, :-1])
    v = flux.rv * g.length_v[i, i] * 2.0 / (rho[:, 1:, 1:-1] + rho[:, :-1, 1:-1])
    inner = rho[:, 1:-1, 1:-1]
    zero = torch.zeros_like(inner[:1])
    w = torch.cat([zero, flux.omega[1:-1] * 2.0 / (inner[1:] + inner[:-1]), zero])
    return dt * ((difference(u, 2) + difference(v, 1)) * g.inverse_area[i, i] + difference(w, 0)) / g.dz[:, i, i]


def expand(theta: torch.Tensor, q_v: torch.Tensor, capacity: torch.Tensor, expanded: torch.Tensor) -> torch.Tensor:
    """Theta (K) after moist air of a `heat_capacity` has grown by exp(``expanded``) in volume, no phase changing."""
    r_m = R_DRY + R_VAPOUR * q_v
    return theta * torch.exp(-(r_m / capacity - R_DRY / CP_DRY * (1.0 + r_m / capacity)) * expanded)


def condense(
    t: torch.Tensor,
    q_v: torch.Tensor,
    q_l: torch.Tensor,
    rho: torch.Tensor,
    others: torch.Tensor | float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Reversible condensation or evaporation until saturation or no cloud, at constant volume.

    Parameters
    ----------
    t : temperature, K
    q_v, q_l : vapour and cloud water, kg per kg of dry air
    rho : density of dry air, kg m-3
    others : heat capacity of the other water, J K-1 per kg of dry air

    Returns
    -------
    t, q_v, q_l : after the adjustment
    """
    for _ in range(3):
        q_s = saturation_pressure(t) / (R_VAPOUR * rho * t)
        slope = q_s * (growth(t) - 1.0 / t)
        warming = (latent_heat(t) - R_VAPOUR * t) / (heat_capacity(q_v, q_l) + others)
        gain = torch.maximum((q_v - q_s) / (1.0 + warming * slope), -q_l)
        q_v, q_l, t = q_v - gain, q_l + gain, t + warming * gain
    return t, q_v, q_l
