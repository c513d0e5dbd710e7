# SPDX-License-Identifier: BSD-3-Clause
"""Initial states of the ideal cases: from profiles and perturbations to the model's fields."""

import torch

from components.atmosphere.nonhydrostatic.dynamics.balance import density, hydrostatic_column
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry, to_faces_x, to_faces_y
from components.atmosphere.nonhydrostatic.dynamics.state import State


def resting_state(
    g: Geometry, theta: torch.Tensor, p_lowest: torch.Tensor, q_total: torch.Tensor | None = None
) -> State:
    """Hydrostatic state without motion; ``theta`` (nz, Y, X) theta_m in K, ``p_lowest`` (Y, X) in Pa."""
    rho, rtheta = hydrostatic_column(g, theta, p_lowest, q_total)
    return with_wind(g, rho, rtheta, 0.0, 0.0)


def with_wind(
    g: Geometry, rho: torch.Tensor, rtheta: torch.Tensor, u: torch.Tensor | float, v: torch.Tensor | float
) -> State:
    """State with wind ``u``, ``v``; w follows the ground and is zero inside.

    Winds are numbers or fields that broadcast to the faces, m s-1.
    """
    mass = g.rho_base + rho
    ru = to_faces_x(mass) * u
    rv = to_faces_y(mass) * v
    rw = torch.zeros((g.nz - 1, *rho.shape[1:]), dtype=rho.dtype, device=rho.device)
    return State(ru, rv, rw, rho, rtheta)


def warmed(g: Geometry, s: State, d_theta: torch.Tensor) -> State:
    """The state with ``d_theta`` (nz, Y, X) K added to theta at unchanged pressure."""
    r, t = g.rho_base + s.rho, g.rtheta_base + s.rtheta
    theta = t / r
    # rho theta is the pressure's: only the mass changes
    return s._replace(rho=t / (theta + d_theta) - g.rho_base)


def centres_x(nx: int, dx: float) -> torch.Tensor:
    """Positions of cell centres with halo (nx + 2 HALO,), m, zero at the middle of the domain."""
    return (torch.arange(nx + 2 * H, dtype=torch.float64) - H + 0.5 - 0.5 * nx) * dx


def pressure_and_theta(g: Geometry, s: State) -> tuple[torch.Tensor, torch.Tensor]:
    """Full pressure (Pa) and theta_m (K) of a state (nz, Y, X)."""
    x = s.rtheta / g.rtheta_base
    p = g.p_base * torch.exp(1.4 * torch.log1p(x))
    return p, (g.rtheta_base + s.rtheta) / (g.rho_base + s.rho)


__all__ = ["centres_x", "density", "pressure_and_theta", "resting_state", "warmed", "with_wind"]
