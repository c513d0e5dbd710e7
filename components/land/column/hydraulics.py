# SPDX-License-Identifier: BSD-3-Clause
"""Plant hydraulics: vulnerability curves and one-segment plants; the continuum stands in `continuum`.

Xylem tension P = -(water potential) is in MPa, positive when the plant pulls; flow E in mol m-2 (leaf) s-1;
conductance K in mol m-2 s-1 MPa-1. A segment with local conductance K f(P) carries, from tension P0 to P,

    E = K (integral of f from P0 to P)                                   (Sperry and Love 2015, eq. 1).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch import Tensor

Parameter = float | Tensor
FEW = 2000  # values in which the overhead of a call outweighs its arithmetic
CRITICAL_FRACTION = 1e-3  # of Kmax left at P_crit (Sperry et al. 2017)
_NODES, _WEIGHTS = (array.tolist() for array in np.polynomial.legendre.leggauss(16))


def _power(base: Tensor, exponent: Parameter) -> Tensor:
    """``base ** exponent`` for base >= 0, by exp and log, which keep their bits on any block."""
    return torch.exp(exponent * torch.log(torch.clamp(base, min=1e-30)))


class Curve(Protocol):
    """A vulnerability curve: the fraction of conductance left at tension P (1 at P <= 0)."""

    def fraction(self, p: Tensor) -> Tensor:
        """f(P)."""
        ...

    def log_slope(self, p: Tensor) -> Tensor:
        """(df/dP) / f, MPa-1; never positive."""
        ...

    def tension(self, fraction: float) -> Parameter:
        """P at which ``fraction`` of the conductance is left, MPa."""
        ...


@dataclass(frozen=True)
class Weibull:
    """f = exp(-(P/b)^c) (Neufeld et al. 1992); ``b`` in MPa."""

    b: Parameter = 2.0
    c: Parameter = 3.0

    def fraction(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        return torch.exp(-_power(torch.clamp(p, min=0.0) / self.b, self.c))

    def log_slope(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        return -(self.c / self.b) * _power(torch.clamp(p, min=0.0) / self.b, self.c - 1.0)

    def tension(self, fraction: float) -> Parameter:
        """See :class:`Curve`."""
        return self.b * (-np.log(fraction)) ** (1.0 / self.c)


@dataclass(frozen=True)
class Logistic:
    """f = (1 + exp(-a P50)) / (1 + exp(a (P - P50))) (Pammenter and Vander Willigen 1998, 1 at P = 0)."""

    a: Parameter = 3.0  # MPa-1
    p50: Parameter = 2.0  # MPa

    def _weight(self) -> Parameter:
        x = self.a * self.p50
        return 1.0 + (torch.exp(-x) if isinstance(x, Tensor) else float(np.exp(-x)))

    def fraction(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        return self._weight() / (1.0 + torch.exp(self.a * (torch.clamp(p, min=0.0) - self.p50)))

    def log_slope(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        return -self.a * (1.0 - self.fraction(p) / self._weight())

    def tension(self, fraction: float) -> Parameter:
        """See :class:`Curve`."""
        x = self._weight() / fraction - 1.0
        return self.p50 + (torch.log(x) if isinstance(x, Tensor) else float(np.log(x))) / self.a


@dataclass(frozen=True)
class Power:
    """f = 1 / (1 + (P/a)^b) (Manzoni et al. 2013); ``a`` = P50 in MPa."""

    a: Parameter = 2.0
    b: Parameter = 4.0

    def fraction(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        return 1.0 / (1.0 + _power(torch.clamp(p, min=0.0) / self.a, self.b))

    def log_slope(self, p: Tensor) -> Tensor:
        """See :class:`Curve`."""
        x = torch.clamp(p, min=0.0) / self.a
        return -(self.b / self.a) * _power(x, self.b - 1.0) * self.fraction(p)

    def tension(self, fraction: float) -> Parameter:
        """See :class:`Curve`."""
        return self.a * (1.0 / fraction - 1.0) ** (1.0 / self.b)


CURVES = {"weibull": Weibull, "logistic": Logistic, "power": Power}


def potential_difference(curve: Curve, start: Tensor, end: Tensor) -> Tensor:
    """Integral of f from ``start`` to ``end`` (MPa), by Gauss-Legendre quadrature with 16 nodes.

    Parameters
    ----------
    curve : vulnerability curve f(P)
    start, end : tensions, MPa
    """
    half, middle = 0.5 * (end - start), 0.5 * (end + start)
    total = torch.zeros_like(half)
    if half.numel() < FEW:  # all nodes in one call: the same numbers, but each call costs more than its arithmetic
        nodes = torch.tensor(_NODES, dtype=half.dtype, device=half.device).reshape(-1, *[1] * half.dim())
        for weight, value in zip(_WEIGHTS, curve.fraction(middle + nodes * half), strict=True):
            total = total + weight * value
        return half * total
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total = total + weight * curve.fraction(middle + node * half)
    return half * total


class Supply(NamedTuple):
    """One state on the supply curve of a plant."""

    e: Tensor  # flow, mol m-2 s-1
    p: Tensor  # leaf tension, MPa
    k: Tensor  # dE/dP, mol m-2 s-1 MPa-1
    dk_de: Tensor  # dK/dE, MPa-1


class Plant:
    """One-segment plant: local conductance kmax f(P) from the soil's tension to the leaf's.

    Parameters
    ----------
    kmax
        Whole-plant conductance per leaf area, mol m-2 s-1 MPa-1.
    curve
        Vulnerability curve.
    p_soil
        Tension at the roots, MPa (>= 0 in unsaturated soil).

    Examples
    --------
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> round(Plant(0.01 * x, Weibull(2.0, 3.0), 0 * x).e_crit.item(), 5)
    0.01786
    """

    def __init__(self, kmax: Tensor, curve: Curve, p_soil: Tensor) -> None:
        self.kmax, self.curve = kmax, curve
        limit = torch.as_tensor(curve.tension(CRITICAL_FRACTION), dtype=p_soil.dtype, device=p_soil.device)
        # Beyond P_crit nothing flows; a sliver is left so that every bracket has a width.
        self.p_soil = torch.minimum(torch.clamp(p_soil, min=0.0), limit * 0.999)
        self.p_crit = limit + torch.zeros_like(p_soil)
        self.k_soil = kmax * curve.fraction(self.p_soil)

    @cached_property
    def e_crit(self) -> Tensor:
        """Flow at P_crit, mol m-2 s-1."""
        return self.kmax * potential_difference(self.curve, self.p_soil, self.p_crit)

    def gather(self, pick: Callable[[Tensor], Tensor]) -> Plant:
        """The plants of some leaves, ``pick`` choosing them from an array (structure.py)."""
        few = copy(self)
        for name in ("kmax", "p_soil", "p_crit", "k_soil", "e_crit"):
            few.__dict__[name] = pick(getattr(self, name))
        parts = {k: v for k, v in vars(self.curve).items() if isinstance(v, Tensor)}
        few.curve = replace(cast(Any, self.curve), **{k: pick(v) for k, v in parts.items()})
        return few

    def at_tension(self, p: Tensor) -> Supply:
        """Supply curve at leaf tension ``p``."""
        k = self.kmax * self.curve.fraction(p)
        e = self.kmax * potential_difference(self.curve, self.p_soil, p)
        return Supply(e, p, k, self.curve.log_slope(p))

    def along(self, s: Tensor) -> Supply:
        """Supply curve from no flow (``s`` 0) to the critical flow (``s`` 1)."""
        return self.at_tension(self.p_soil + s * (self.p_crit - self.p_soil))
