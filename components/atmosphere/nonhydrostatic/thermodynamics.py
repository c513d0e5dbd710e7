"""Temperature, pressure and saturation of moist air."""

import torch

from .constants import EPSILON_VAPOUR, GAMMA, KAPPA, P_REFERENCE, R_DRY, R_VAPOUR, T_FREEZE

VAPOUR_FACTOR = R_VAPOUR / R_DRY  # of q_v in theta_m = theta (1 + R_v/R_d q_v)


def pressure(p_base: torch.Tensor, rtheta_base: torch.Tensor, rtheta: torch.Tensor) -> torch.Tensor:
    """Pressure (Pa) from rho theta_m dz as base state plus ``rtheta`` (K kg m-2)."""
    return p_base * torch.exp(GAMMA * torch.log1p(rtheta / rtheta_base))


def exner(p: torch.Tensor) -> torch.Tensor:
    """(p/p0)^(R_d/c_p) for ``p`` in Pa."""
    return torch.exp(KAPPA * torch.log(p * (1.0 / P_REFERENCE)))


def saturation_vapour_pressure(t: torch.Tensor) -> torch.Tensor:
    """Over water, Pa, for ``t`` in K (Bolton 1980, Mon. Wea. Rev. 108, eq. 10)."""
    return 611.2 * torch.exp(17.67 * (t - T_FREEZE) / (t - 29.65))


def saturation_vapour_pressure_ice(t: torch.Tensor) -> torch.Tensor:
    """Over ice, Pa, for ``t`` in K (Murray 1967, J. Appl. Meteor. 6, eq. 6 with its constants for ice)."""
    return 610.78 * torch.exp(21.8745584 * (t - 273.16) / (t - 7.66))


def saturation_mixing_ratio(e_s: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Mixing ratio (kg/kg) at vapour pressure ``e_s`` and pressure ``p`` (Pa); bounded where e_s comes near p."""
    e_s = torch.minimum(e_s, 0.5 * p)
    return EPSILON_VAPOUR * e_s / (p - e_s)


def power(x: torch.Tensor, exponent: float) -> torch.Tensor:
    """x^exponent for x >= 0 as exp(b log x), whose bits do not depend on the layout; 0 where x is below 1e-30."""
    return torch.where(x > 1.0e-30, torch.exp(exponent * torch.log(torch.clamp(x, min=1.0e-30))), 0.0)
