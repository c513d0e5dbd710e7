# SPDX-License-Identifier: BSD-3-Clause
"""From meteorological fields on the model's columns to the dynamics' state and tracers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.balance import hydrostatic_column
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.science.constants import KAPPA, P_REFERENCE
from components.science.halo import HaloFiller

Array = npt.NDArray[np.float64]


def state_from_fields(
    g: Geometry, halo: HaloFiller, u: Array, v: Array, t: Array, q: Array, p: Array
) -> tuple[State, torch.Tensor]:
    """State and vapour of a block, hydrostatic in the sense of the dynamics.

    Parameters
    ----------
    g : geometry of the block
    halo : fills its halos
    u, v : (nz, ny, nx) wind along the grid's axes at layer centres, m/s
    t, q : temperature (K) and specific humidity (kg/kg) at layer centres
    p : (nz, ny, nx) pressure, Pa; the lowest layer's is kept, the others follow hydrostatically

    Returns
    -------
    state, vapour : with halos; halos filled; vapour (nz, Y, X) kg per kg of dry air
    """
    like: dict[str, Any] = {"dtype": torch.float64, "device": g.dz.device}
    r = torch.as_tensor(q / (1.0 - q), **like)  # mixing ratio
    # theta_m uses the pressure of the data; the model's own follows below
    theta = torch.as_tensor(t * (P_REFERENCE / p) ** KAPPA, **like) * (1.0 + VAPOUR_FACTOR * r)
    vapour = torch.zeros((g.nz, g.ny + 2 * H, g.nx + 2 * H), **like)
    wind_x, wind_y, heat = (torch.zeros_like(vapour) for _ in range(3))
    inner = (slice(None), slice(H, -H), slice(H, -H))
    lowest = torch.zeros_like(heat[:1])
    wind_x[inner], wind_y[inner], heat[inner] = (torch.as_tensor(a, **like) for a in (u, v, theta))
    lowest[inner] = torch.as_tensor(p[:1], **like)
    vapour[inner] = r
    halo([wind_x, wind_y, heat, lowest, vapour], H)
    wide = g.to(torch.float64)
    rho, rtheta = hydrostatic_column(wide, heat, lowest[0], vapour)
    mass = wide.rho_base + rho
    ru = torch.zeros((g.nz, mass.shape[1], mass.shape[2] + 1), **like)
    rv = torch.zeros((g.nz, mass.shape[1] + 1, mass.shape[2]), **like)
    ru[..., 1:-1] = 0.25 * (mass[..., 1:] + mass[..., :-1]) * (wind_x[..., 1:] + wind_x[..., :-1])
    rv[:, 1:-1] = 0.25 * (mass[:, 1:] + mass[:, :-1]) * (wind_y[:, 1:] + wind_y[:, :-1])
    rw = torch.zeros((g.nz - 1, *mass.shape[1:]), **like)
    dtype = g.dz.dtype
    state = State(*(a.to(dtype).contiguous() for a in (ru, rv, rw, rho, rtheta)))
    halo(list(state), H)
    return state, vapour.to(dtype).contiguous()
