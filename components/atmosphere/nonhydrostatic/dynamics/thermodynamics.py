# SPDX-License-Identifier: BSD-3-Clause
"""Temperature, pressure and saturation of moist air."""

import torch

from components.science.constants import (
    GAMMA,
    KAPPA,
    P_REFERENCE,
    R_DRY,
    R_VAPOUR,
)
from components.science.water import growth, mixing_ratio, saturation_pressure

VAPOUR_FACTOR = R_VAPOUR / R_DRY  # of q_v in theta_m = theta (1 + R_v/R_d q_v)


def pressure(p_base: torch.Tensor, rtheta_base: torch.Tensor, rtheta: torch.Tensor) -> torch.Tensor:
    """Pressure (Pa) from rho theta_m dz as base state plus ``rtheta`` (K kg m-2)."""
    return p_base * torch.exp(GAMMA * torch.log1p(rtheta / rtheta_base))


def exner(p: torch.Tensor) -> torch.Tensor:
    """(p/p0)^(R_d/c_p) for ``p`` in Pa."""
    return torch.exp(KAPPA * torch.log(p * (1.0 / P_REFERENCE)))


def saturation_mixing_ratio(e_s: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Mixing ratio (kg/kg) at vapour pressure ``e_s`` and pressure ``p`` (Pa); bounded where e_s comes near p."""
    e_s = torch.minimum(e_s, 0.5 * p)
    return mixing_ratio(e_s, p)


def adjust_to_saturation(
    t: torch.Tensor, q_v: torch.Tensor, q_c: torch.Tensor, p: torch.Tensor, heating: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Condensation or evaporation until saturation over water or no cloud: two Newton steps at constant pressure.

    Parameters
    ----------
    t, p : temperature (K) and pressure (Pa)
    q_v, q_c : vapour and cloud water, kg/kg
    heating : latent heat over heat capacity, K

    Returns
    -------
    t, q_v, q_c : after the adjustment
    """
    for _ in range(2):
        q_s = saturation_mixing_ratio(saturation_pressure(t), p)
        slope = q_s * growth(t)
        gain = torch.maximum((q_v - q_s) / (1.0 + heating * slope), -q_c)
        q_v, q_c, t = q_v - gain, q_c + gain, t + heating * gain
    return t, q_v, q_c


def power(x: torch.Tensor, exponent: float) -> torch.Tensor:
    """x^exponent for x >= 0 as exp(b log x), whose bits do not depend on the layout; 0 where x is below 1e-30."""
    return torch.where(x > 1.0e-30, torch.exp(exponent * torch.log(torch.clamp(x, min=1.0e-30))), 0.0)
