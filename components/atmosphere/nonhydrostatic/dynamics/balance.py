# SPDX-License-Identifier: BSD-3-Clause
"""Hydrostatically balanced columns in the discrete sense of the dynamics."""

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.science.constants import GAMMA, GRAVITY, P_REFERENCE, R_DRY


def hydrostatic_column(
    g: Geometry, theta_m: torch.Tensor, p_lowest: torch.Tensor, q_total: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Perturbation mass and heat whose vertical pressure gradient balances their weight exactly.

    Solves p'_k - p'_(k-1) = -(g/2) [(rho' + rho q_t)_k + (rho' + rho q_t)_(k-1)] upwards with Newton's method.

    Parameters
    ----------
    theta_m : (nz, Y, X) theta (1 + R_v/R_d q_v), K
    p_lowest : (Y, X) full pressure at the centre of the lowest layer, Pa
    q_total : (nz, Y, X) mixing ratio of all water, kg/kg, or None

    Returns
    -------
    rho, rtheta : (nz, Y, X) as in :class:`state.State`
    """
    rho, rtheta = [], []
    p = p_lowest
    load_below = torch.zeros_like(p_lowest)
    for k in range(g.nz):
        q = 0.0 if q_total is None else q_total[k]
        if k > 0:
            p_prime_below = p - g.p_base[k - 1]
            p = g.p_base[k] + p_prime_below
            for _ in range(8):
                mass = density(p, theta_m[k]) * g.dz[k]
                load = mass * (1.0 + q) - g.rho_base[k]
                error = (p - g.p_base[k]) - p_prime_below + 0.5 * GRAVITY * (load + load_below)
                p = p - error / (1.0 + 0.5 * GRAVITY * (1.0 + q) * mass / (GAMMA * p))
        mass = density(p, theta_m[k]) * g.dz[k]
        load_below = mass * (1.0 + q) - g.rho_base[k]
        rho.append(mass - g.rho_base[k])
        rtheta.append(mass * theta_m[k] - g.rtheta_base[k])
    return torch.stack(rho), torch.stack(rtheta)


def pressure_rise(heavier: torch.Tensor, per_pressure: torch.Tensor, lowest: torch.Tensor) -> torch.Tensor:
    """Changes of pressure d that go with changes of the layers' weight in the balance of `hydrostatic_column`.

    Solves d_k - d_(k-1) = -(g/2) [(heavier + per_pressure d)_k + (heavier + per_pressure d)_(k-1)] upwards.

    Parameters
    ----------
    heavier : (nz, ...) change of a layer's mass, water included, at the pressure that was there, kg m-2
    per_pressure : (nz, ...) by how much it changes with its pressure, kg m-2 Pa-1
    lowest : (...) change in the lowest layer, Pa

    Returns
    -------
    rise : (nz, ...) Pa; zero where nothing changes
    """
    half, d = 0.5 * GRAVITY, lowest
    rises, below = [lowest], heavier[0] + per_pressure[0] * lowest
    for k in range(1, len(heavier)):
        d = (d - half * (heavier[k] + below)) / (1.0 + half * per_pressure[k])
        below = heavier[k] + per_pressure[k] * d
        rises.append(d)
    return torch.stack(rises)


def density(p: torch.Tensor, theta_m: torch.Tensor) -> torch.Tensor:
    """Density of dry air rho_d (kg m-3) from p = p_0 (R_d rho_d theta_m / p_0)^gamma."""
    return P_REFERENCE / R_DRY * torch.exp(torch.log(p / P_REFERENCE) / GAMMA) / theta_m
