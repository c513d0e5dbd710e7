# SPDX-License-Identifier: BSD-3-Clause
"""Soil water retention and conductivity by name: van Genuchten, Brooks-Corey, Campbell, Haverkamp.

Pressure head psi in m (negative when unsaturated), water content theta in m3 m-3, conductivity in m s-1. Every
parameter can be a float or a tensor that broadcasts against psi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Parameter = float | Tensor
NEAREST = 1e-4  # m, heads closer to 0 count as this in derivatives
FARTHEST = 1e6  # m
DRIEST = 1e-7  # effective saturation


class Hydraulics(NamedTuple):
    """What Richards' equation needs at a head."""

    theta: Tensor  # m3 m-3
    capacity: Tensor  # d theta / d psi, m-1
    conductivity: Tensor  # m s-1
    slope: Tensor  # dK/dpsi, s-1


class Retention(Protocol):
    """A pair of retention and conductivity curves."""

    @property
    def theta_s(self) -> Parameter:
        """Water content at saturation, m3 m-3."""

    @property
    def theta_r(self) -> Parameter:
        """Residual water content, m3 m-3."""

    @property
    def ks(self) -> Parameter:
        """Conductivity at saturation, m s-1."""

    def at(self, psi: Tensor) -> Hydraulics:
        """Water content, capacity, conductivity and its slope at ``psi``."""
        ...

    def head(self, theta: Tensor) -> Tensor:
        """Head at a water content; never positive."""
        ...


def _saturation(soil: Retention, theta: Tensor) -> Tensor:
    return torch.clamp((theta - soil.theta_r) / (soil.theta_s - soil.theta_r), DRIEST, 1.0)


@dataclass(frozen=True)
class VanGenuchten:
    """Se = (1 + (alpha |psi|)^n)^-m, K = Ks Se^.5 (1 - (1 - Se^(1/m))^m)^2, m = 1 - 1/n (van Genuchten 1980)."""

    theta_r: Parameter
    theta_s: Parameter
    alpha: Parameter  # m-1
    n: Parameter
    ks: Parameter  # m s-1

    def at(self, psi: Tensor) -> Hydraulics:
        """See :class:`Retention`."""
        m = 1.0 - 1.0 / self.n
        wet = psi >= 0.0
        h = torch.clamp(-psi, NEAREST, FARTHEST)
        x = torch.exp(self.n * torch.log(self.alpha * h))
        se = torch.exp(-m * torch.log1p(x))
        f = -torch.expm1(-m * torch.log1p(1.0 / x))  # 1 - (1 - Se^(1/m))^m without cancellation
        rate = m * self.n / (h * (1.0 + x))
        span = self.theta_s - self.theta_r
        root = torch.sqrt(se)
        zero = torch.zeros_like(psi)
        return Hydraulics(
            torch.where(wet, self.theta_s + zero, self.theta_r + span * se),
            torch.where(wet, zero, span * se * x * rate),
            torch.where(wet, self.ks + zero, self.ks * root * f * f),
            torch.where(wet, zero, self.ks * root * rate * f * (0.5 * x * f + 2.0 * (1.0 - f))),
        )

    def head(self, theta: Tensor) -> Tensor:
        """See :class:`Retention`."""
        m = 1.0 - 1.0 / self.n
        x = torch.expm1(-torch.log(_saturation(self, theta)) / m)
        h = torch.exp(torch.log(torch.clamp(x, min=1e-30)) / self.n) / self.alpha
        return -torch.clamp(h, max=FARTHEST)


@dataclass(frozen=True)
class BrooksCorey:
    """Se = (psi_b/psi)^lambda below air entry, K = Ks Se^(3 + 2/lambda) (Brooks and Corey 1964)."""

    theta_r: Parameter
    theta_s: Parameter
    psi_b: Parameter  # air-entry suction, m, positive
    lam: Parameter
    ks: Parameter

    def at(self, psi: Tensor) -> Hydraulics:
        """See :class:`Retention`."""
        zero = torch.zeros_like(psi)
        entry = self.psi_b + zero
        wet = -psi <= entry
        h = torch.clamp(-psi, max=FARTHEST)
        h = torch.where(wet, entry, h)
        log = torch.log(entry / h)
        se = torch.exp(self.lam * log)
        exponent = 2.0 + 3.0 * self.lam
        k = self.ks * torch.exp(exponent * log)
        span = self.theta_s - self.theta_r
        return Hydraulics(
            self.theta_r + span * se,
            torch.where(wet, zero, span * se * self.lam / h),
            k,
            torch.where(wet, zero, k * exponent / h),
        )

    def head(self, theta: Tensor) -> Tensor:
        """See :class:`Retention`."""
        h = self.psi_b * torch.exp(-torch.log(_saturation(self, theta)) / self.lam)
        return -torch.clamp(h, max=FARTHEST)


def campbell(theta_s: Parameter, psi_s: Parameter, b: Parameter, ks: Parameter) -> BrooksCorey:
    """Campbell (1974), Clapp and Hornberger (1978): Brooks-Corey with theta_r 0 and lambda 1/b; ``psi_s`` m > 0.

    Parameters
    ----------
    theta_s : water content at saturation, m3 m-3
    psi_s : suction at saturation, m, positive
    b : exponent
    ks : conductivity at saturation, m s-1
    """
    return BrooksCorey(0.0 * theta_s, theta_s, psi_s, 1.0 / b, ks)


@dataclass(frozen=True)
class Haverkamp:
    """Se = alpha/(alpha + |psi|^beta), K = Ks A/(A + |psi|^gamma), |psi| in cm (Haverkamp et al. 1977)."""

    theta_r: Parameter
    theta_s: Parameter
    alpha: Parameter
    beta: Parameter
    a: Parameter
    gamma: Parameter
    ks: Parameter  # m s-1

    def at(self, psi: Tensor) -> Hydraulics:
        """See :class:`Retention`."""
        wet = psi >= 0.0
        cm = 100.0 * torch.clamp(-psi, NEAREST, FARTHEST)
        log, zero = torch.log(cm), torch.zeros_like(psi)
        x, y = torch.exp(self.beta * log), torch.exp(self.gamma * log)
        span = self.theta_s - self.theta_r
        se, kr = self.alpha / (self.alpha + x), self.a / (self.a + y)
        return Hydraulics(
            torch.where(wet, self.theta_s + zero, self.theta_r + span * se),
            torch.where(wet, zero, 100.0 * span * se * self.beta * x / (cm * (self.alpha + x))),
            torch.where(wet, self.ks + zero, self.ks * kr),
            torch.where(wet, zero, 100.0 * self.ks * kr * self.gamma * y / (cm * (self.a + y))),
        )

    def head(self, theta: Tensor) -> Tensor:
        """See :class:`Retention`."""
        x = self.alpha * (1.0 / _saturation(self, theta) - 1.0)
        cm = torch.exp(torch.log(torch.clamp(x, min=1e-30)) / self.beta)
        return -torch.clamp(0.01 * cm, max=FARTHEST)


RETENTION = {
    "van_genuchten": VanGenuchten,
    "brooks_corey": BrooksCorey,
    "campbell": campbell,
    "haverkamp": Haverkamp,
}
