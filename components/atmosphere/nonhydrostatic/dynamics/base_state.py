# SPDX-License-Identifier: BSD-3-Clause
"""Hydrostatic base states: pressure and density as functions of height.

The dynamics carries perturbations from one of these (Klemp, Skamarock & Dudhia 2007, section 2). Each is an exact
solution of dp/dz = -rho g with p = rho R T, so that the base state drops out of the pressure gradient analytically.
"""

from dataclasses import dataclass

import torch

from components.science.constants import CP_DRY, GRAVITY, KAPPA, P_REFERENCE, R_DRY


@dataclass(frozen=True)
class Isentropic:
    """Constant potential temperature ``theta_0`` (K) above a surface pressure ``p_surface`` (Pa)."""

    theta_0: float = 300.0
    p_surface: float = P_REFERENCE

    def __call__(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pressure (Pa) and density (kg m-3) at height ``z`` (m)."""
        exner_0 = (self.p_surface / P_REFERENCE) ** KAPPA
        exner = exner_0 - GRAVITY * z / (CP_DRY * self.theta_0)
        p = P_REFERENCE * torch.exp(torch.log(exner) / KAPPA)
        return p, p / (R_DRY * self.theta_0 * exner)


@dataclass(frozen=True)
class ConstantStability:
    """Constant Brunt-Vaisala frequency ``n`` (s-1): theta = theta_0 exp(n2 z / g)."""

    theta_0: float = 300.0
    n: float = 0.01
    p_surface: float = P_REFERENCE

    def __call__(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pressure (Pa) and density (kg m-3) at height ``z`` (m)."""
        s = self.n * self.n / GRAVITY
        exner_0 = (self.p_surface / P_REFERENCE) ** KAPPA
        exner = exner_0 + GRAVITY / (CP_DRY * self.theta_0 * s) * torch.expm1(-s * z)
        p = P_REFERENCE * torch.exp(torch.log(exner) / KAPPA)
        theta = self.theta_0 * torch.exp(s * z)
        return p, p / (R_DRY * theta * exner)


@dataclass(frozen=True)
class Isothermal:
    """Constant temperature ``temperature`` (K)."""

    temperature: float = 250.0
    p_surface: float = P_REFERENCE

    def __call__(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pressure (Pa) and density (kg m-3) at height ``z`` (m)."""
        rt = R_DRY * self.temperature
        p = self.p_surface * torch.exp(-GRAVITY * z / rt)
        return p, p / rt


@dataclass(frozen=True)
class LogPressure:
    """T = T_0 + A ln(p/p_0) down to ``t_stratosphere``, isothermal above (the base state of WRF, NCAR/TN-556, 5.2).

    ``t_0`` (K) is the temperature at 1000 hPa, ``lapse`` (K) the change of temperature for one e-folding of pressure.
    """

    t_0: float = 290.0
    lapse: float = 50.0
    t_stratosphere: float = 205.0

    def __call__(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pressure (Pa) and density (kg m-3) at height ``z`` (m)."""
        t_0, a, t_s = self.t_0, self.lapse, self.t_stratosphere
        x_s = (t_s - t_0) / a
        z_s = -(R_DRY / GRAVITY) * (t_0 * x_s + 0.5 * a * x_s * x_s)
        below = torch.clamp(z, max=z_s)
        x = (-t_0 + torch.sqrt(t_0 * t_0 - 2.0 * a * GRAVITY * below / R_DRY)) / a
        x = x - GRAVITY * torch.clamp(z - z_s, min=0.0) / (R_DRY * t_s)
        p = P_REFERENCE * torch.exp(x)
        t = torch.clamp(t_0 + a * x, min=t_s)
        return p, p / (R_DRY * t)
