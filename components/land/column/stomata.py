# SPDX-License-Identifier: BSD-3-Clause
"""Empirical stomata, gs = g0 + 1.57 m(environment) A, coupled to photosynthesis without iteration.

A model is a small frozen dataclass with ``g0`` and a method ``slope`` that returns m, the conductance to CO2 per unit
of net assimilation (mol air per umol). Any parameter can be a float or a tensor that requires a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from components.land.column.photosynthesis import CO2_TO_WATER, Leaf, assimilation_at_conductance, smooth_minimum

Parameter = float | Tensor
LOWEST_VPD = 50.0  # Pa; below it the Medlyn slope would grow without bound


class Surroundings(NamedTuple):
    """Air and water status a leaf meets."""

    ca: Tensor  # CO2, umol mol-1
    vpd: Tensor  # leaf-to-air vapour pressure deficit, Pa
    humidity: Tensor  # relative humidity of the air, 0-1
    compensation: Tensor  # Gamma*, umol mol-1
    stress: Tensor  # 0 (closed by drought) to 1
    conductance_ratio: Tensor  # hydraulic K/Kmax, 0-1


class EmpiricalStomata(Protocol):
    """What the coupled solution needs of a stomatal model."""

    g0: Parameter

    def slope(self, near: Surroundings) -> Tensor:
        """Conductance to CO2 per unit of net assimilation, mol air per umol."""
        ...


@dataclass(frozen=True)
class Medlyn:
    """Medlyn et al. (2011), eq. 11: gc = (1 + g1 / sqrt(D)) A / Ca; ``g1`` in kPa^.5, ``g0`` in mol m-2 s-1."""

    g1: Parameter = 4.0
    g0: Parameter = 0.0

    def slope(self, near: Surroundings) -> Tensor:
        """See :class:`EmpiricalStomata`."""
        root = torch.sqrt(torch.clamp(near.vpd, min=LOWEST_VPD) * 1e-3)
        return (1.0 + near.stress * self.g1 / root) / near.ca


@dataclass(frozen=True)
class BallBerry:
    """Ball, Woodrow and Berry (1987): gs = g0 + g1 h A / Ca, h the relative humidity."""

    g1: Parameter = 9.0
    g0: Parameter = 0.01

    def slope(self, near: Surroundings) -> Tensor:
        """See :class:`EmpiricalStomata`."""
        return near.stress * self.g1 * near.humidity / (near.ca * CO2_TO_WATER)


@dataclass(frozen=True)
class Leuning:
    """Leuning (1995): gs = g0 + g1 A / ((Ca - Gamma) (1 + D/D0)); without Gamma if ``compensated`` is false.

    ``d0`` is in Pa.
    """

    g1: Parameter = 9.0
    g0: Parameter = 0.01
    d0: Parameter = 1500.0
    compensated: bool = True

    def slope(self, near: Surroundings) -> Tensor:
        """See :class:`EmpiricalStomata`."""
        ca = near.ca - near.compensation if self.compensated else near.ca
        return near.stress * self.g1 / (ca * (1.0 + near.vpd / self.d0) * CO2_TO_WATER)


@dataclass(frozen=True)
class Gentine:
    """Gentine-type model: gs = g0 + g1 (K/Kmax) A / Ca; the plant's hydraulics stand for humidity and drought."""

    g1: Parameter = 9.0
    g0: Parameter = 0.01

    def slope(self, near: Surroundings) -> Tensor:
        """See :class:`EmpiricalStomata`."""
        return self.g1 * near.conductance_ratio / (near.ca * CO2_TO_WATER)


EMPIRICAL = {"medlyn": Medlyn, "ball_berry": BallBerry, "leuning": Leuning, "gentine": Gentine}


class GasExchange(NamedTuple):
    """A leaf's exchange with the air."""

    assimilation: Tensor  # net, umol m-2 s-1
    conductance: Tensor  # stomatal, to water vapour, mol m-2 s-1
    ci: Tensor  # intercellular CO2, umol mol-1


def couple(stomata: EmpiricalStomata, leaf: Leaf, near: Surroundings, least: float = 0.0) -> GasExchange:
    """Net assimilation, stomatal conductance and Ci that satisfy demand, diffusion and the stomatal model at once.

    For each limiting rate a(Ci) = (P Ci - Q)/(r Ci + s), Rd taken off, the three equations leave the quadratic
    (P m + g0 r) Ci2 + (P (1 - m Ca) - Q m - g0 (Ca r - s)) Ci - (Q (1 - m Ca) + g0 Ca s) = 0, whose larger root
    holds; the gross rates are merged by the smoothed minimum. Where stomata would be narrower than g0 or ``least``, as
    in dim light and drought, the leaf breathes through that: the quadratic's Ci holds only for leaves that gain.

    Parameters
    ----------
    stomata : the empirical model
    leaf : limiting rates and respiration
    near : air at the leaf: CO2, vapour pressure deficit, humidity
    least : conductance to water vapour left by closed stomata and cuticle, mol m-2 s-1

    Examples
    --------
    The defaults of plantecophys 1.4-6 (Duursma 2015) give A 12.03, gs .2015, Ci 306.2:

    >>> from components.land.column.photosynthesis import c3_leaf
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> leaf = c3_leaf(298.15 * x, 1500 * x, 50 * x, 100 * x, 0.92 * x)
    >>> near = Surroundings(400 * x, 1500 * x, 0.5 * x, leaf.compensation, x, x)
    >>> [round(v.item(), 4) for v in couple(Medlyn(), leaf, near)]
    [12.0341, 0.2015, 306.235]
    """
    m = stomata.slope(near)
    g0 = torch.as_tensor(stomata.g0, dtype=m.dtype, device=m.device) / CO2_TO_WATER
    rest = 1.0 - m * near.ca
    values = []
    for rate in leaf.rates:
        p = rate.p - leaf.respiration * rate.r
        q = rate.q + leaf.respiration * rate.s
        a = p * m + g0 * rate.r
        b = p * rest - q * m - g0 * (near.ca * rate.r - rate.s)
        c = -(q * rest + g0 * near.ca * rate.s)
        root = torch.sqrt(torch.clamp(b * b - 4.0 * a * c, min=1e-24))
        upper = (root - b) / (2.0 * torch.where(torch.abs(a) < 1e-12, torch.full_like(a, 1e-12), a))
        single = -c / torch.where(torch.abs(b) < 1e-12, torch.full_like(b, 1e-12), b)
        ci = torch.where(torch.abs(a) < 1e-12, single, upper)
        ci = torch.minimum(torch.clamp(ci, min=0.0), near.ca)
        values.append(rate.at(ci))
    gross = values[0]
    for value, curvature in zip(values[1:], leaf.curvature, strict=True):
        gross = smooth_minimum(gross, value, curvature)[0]
    net = gross - leaf.respiration
    conductance = g0 + m * torch.clamp(net, min=0.0)
    floor = torch.clamp(g0, min=least / CO2_TO_WATER) + 0.0 * conductance
    closed = conductance <= floor
    if bool(closed.any()):
        net = torch.where(closed, assimilation_at_conductance(leaf, floor, near.ca)[0], net)
        conductance = torch.maximum(conductance, floor)
    ci = near.ca - net / torch.clamp(conductance, min=1e-9)
    return GasExchange(net, CO2_TO_WATER * conductance, ci)
