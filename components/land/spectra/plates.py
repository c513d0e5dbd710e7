# SPDX-License-Identifier: BSD-3-Clause
"""A leaf as a pile of plates: what an interface, a plate, and a pile of them let through.

Allen et al. (1969, 1970): a plate of refractive index n and absorption k; Stokes (1862): a pile of N of them.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


def interface_transmissivity(degrees: float, n: Tensor) -> Tensor:
    """Mean transmissivity of an interface for light within a cone (Stern 1964; Allen 1973, eqs 4-9).

    Parameters
    ----------
    degrees : float
        Half the cone's opening, above 0 and up to 90.
    n : Tensor
        Refractive index, above 1, any shape.

    Returns
    -------
    Tensor
        Shape of ``n``.
    """
    n2 = n * n
    p, m = n2 + 1.0, n2 - 1.0
    a = 0.5 * (n + 1.0) ** 2
    k = -0.25 * m * m
    s2 = math.sin(math.radians(degrees)) ** 2
    b2 = s2 - 0.5 * p
    b1 = torch.zeros_like(n) if degrees == 90 else torch.sqrt(b2 * b2 + k)
    b = b1 - b2
    b3, a3 = b**3, a**3
    ts = (k**2 / (6.0 * b3) + k / b - 0.5 * b) - (k**2 / (6.0 * a3) + k / a - 0.5 * a)
    tp1 = -2.0 * n2 * (b - a) / p**2
    tp2 = -2.0 * n2 * p * torch.log(b / a) / m**2
    tp3 = 0.5 * n2 * (1.0 / b - 1.0 / a)
    tp4 = 16.0 * n2**2 * (n2**2 + 1.0) * torch.log((2.0 * p * b - m**2) / (2.0 * p * a - m**2)) / (p**3 * m**2)
    tp5 = 16.0 * n2**3 * (1.0 / (2.0 * p * b - m**2) - 1.0 / (2.0 * p * a - m**2)) / p**3
    return (ts + tp1 + tp2 + tp3 + tp4 + tp5) / (2.0 * s2)


class Interfaces(NamedTuple):
    """What the leaf's interfaces let through and reflect, by band; they depend on no leaf trait.

    Attributes
    ----------
    t_alpha, r_alpha : Tensor
        From air into the first plate, for light within the cone of the leaf's rough surface.
    t12, r12 : Tensor
        From air into a plate, diffuse light.
    t21, r21 : Tensor
        From a plate into air, diffuse light.
    """

    t_alpha: Tensor
    r_alpha: Tensor
    t12: Tensor
    r12: Tensor
    t21: Tensor
    r21: Tensor


def interfaces(n: Tensor, degrees: float = 40.0) -> Interfaces:
    """Interfaces of a leaf (Jacquemoud and Baret 1990, eqs 3-5).

    Parameters
    ----------
    n : Tensor
        Refractive index, any shape.
    degrees : float
        Largest angle of incidence on the rough surface.

    Returns
    -------
    Interfaces
        Each of the shape of ``n``.
    """
    exact = n.double()  # the formula loses six digits to cancellation
    t_alpha, t12 = interface_transmissivity(degrees, exact), interface_transmissivity(90.0, exact)
    t21 = t12 / (exact * exact)
    return Interfaces(*(x.to(n.dtype) for x in (t_alpha, 1.0 - t_alpha, t12, 1.0 - t12, t21, 1.0 - t21)))


@cache
def _fits(double: bool) -> tuple[list[float], list[float]]:
    """Polynomials from scipy's E1: E1(x) + ln x in x below 1, x exp(x) E1(x) in 1 / (x + 1) above; to 1e-7 or 1e-10."""
    from scipy.special import exp1  # scipy is slow to load

    def near(x: np.ndarray) -> np.ndarray:
        x = np.maximum(x, 1e-300)
        return np.asarray(exp1(x) + np.log(x))

    def far(u: np.ndarray) -> np.ndarray:
        x = 1.0 / u - 1.0
        return np.where(x < 600.0, x * np.exp(np.minimum(x, 600.0)) * exp1(np.minimum(x, 600.0)), 1.0 - 1.0 / (x + 2.0))

    fit, power = np.polynomial.Chebyshev.interpolate, np.polynomial.Polynomial
    return (
        fit(near, 12 if double else 6, domain=(0.0, 1.0)).convert(kind=power).coef.tolist(),
        fit(far, 16 if double else 10, domain=(1e-3, 0.5)).convert(kind=power).coef.tolist(),
    )


def _horner(coefficients: list[float], x: Tensor) -> Tensor:
    value = torch.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value.mul_(x).add_(coefficient)
    return value


class _PlateTransmissivity(torch.autograd.Function):
    """(1 - k) exp(-k) + k^2 E1(k), whose derivative is 2 (k E1(k) - exp(-k))."""

    @staticmethod
    def forward(ctx: Any, k: Tensor) -> Tensor:
        near, far = _fits(k.dtype == torch.float64)
        decay = torch.exp(-k)
        below = _horner(near, k.clamp(max=1.0)).sub_(torch.log(k.clamp(1e-30, 1.0))).mul_(k)
        above = _horner(far, 1.0 / (k.clamp(min=1.0) + 1.0)).mul_(decay)
        k_e1 = torch.where(k < 1.0, below, above)
        ctx.save_for_backward(k_e1 - decay)
        return (1.0 - k).mul_(decay).add_(k_e1.mul_(k))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Tensor:
        (half,) = ctx.saved_tensors
        return 2.0 * half * gradients[0]


def plate_transmissivity(k: Tensor) -> Tensor:
    """Share of diffuse light that crosses a plate unabsorbed: (1 - k) exp(-k) + k^2 E1(k) (Allen et al. 1969, eq. 15).

    Parameters
    ----------
    k : Tensor
        Absorption of the plate, at least 0, any shape.

    Returns
    -------
    Tensor
        Shape of ``k``; differentiable once.
    """
    return _PlateTransmissivity.apply(k)


class TwoSided(NamedTuple):
    """Reflectance and transmittance of a leaf, or of a part of one."""

    reflectance: Tensor
    transmittance: Tensor


def pile(r: Tensor, t: Tensor, number: Tensor) -> TwoSided:
    """Reflectance and transmittance of a pile of plates that need not be a whole number (Stokes 1862).

    Parameters
    ----------
    r, t : Tensor
        Of one plate, above 0, any shape; where r + t reaches 1 nothing is absorbed.
    number : Tensor
        Of plates, above 0, broadcast against them.

    Returns
    -------
    TwoSided
        Of the broadcast shape.
    """
    lossless = r + t >= 1.0 - 1e-7
    rs = torch.where(lossless, 0.25, r)  # so that no gradient is taken where the formula is 0 / 0
    ts = torch.where(lossless, 0.25, t)
    d = torch.sqrt((1.0 + rs + ts) * (1.0 + rs - ts) * (1.0 - rs + ts) * (1.0 - rs - ts))
    difference = rs * rs - ts * ts
    a = (1.0 + difference + d) / (2.0 * rs)
    b = torch.exp(number * torch.log((1.0 - difference + d) / (2.0 * ts)))
    a2 = a * a
    below = a2 * b * b - 1.0
    no_loss = t / (t + (1.0 - t) * number)
    return TwoSided(
        torch.where(lossless, 1.0 - no_loss, a * (b * b - 1.0) / below),
        torch.where(lossless, no_loss, b * (a2 - 1.0) / below),
    )
