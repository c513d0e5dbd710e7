# SPDX-License-Identifier: BSD-3-Clause
"""Leaf photosynthesis: Farquhar-von Caemmerer-Berry C3, its cytochrome b6f variant, and Collatz C4.

Every limiting gross rate of the three models is a ratio of two linear functions of the intercellular CO2,

    A_i(Ci) = (p Ci - q) / (r Ci + s),

so that diffusion, empirical stomata and optimal stomata meet each of them in one quadratic.
Carbon is in umol, CO2 in umol mol-1 of air, conductance in mol m-2 s-1, temperature in K.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS
from components.science.scheme_constants import FITTED_GAS_CONSTANT as GAS_CONSTANT_PAPER

REFERENCE_TEMPERATURE = 298.15  # K
OXYGEN = 210.0  # mmol mol-1
CO2_TO_WATER = 1.57  # ratio of stomatal conductances to water vapour and to CO2


class Rate(NamedTuple):
    """One limiting gross rate, (p Ci - q) / (r Ci + s) in umol m-2 s-1."""

    p: Tensor
    q: Tensor
    r: Tensor
    s: Tensor

    def at(self, ci: Tensor) -> Tensor:
        """Gross rate at ``ci`` (umol mol-1)."""
        return (self.p * ci - self.q) / (self.r * ci + self.s)


class Leaf(NamedTuple):
    """What the light, the temperature and the traits make of a leaf: all that stomata need to know of it."""

    rates: tuple[Rate, ...]
    curvature: tuple[float, ...]  # of the smoothed minimum after the first rate, one for each further rate
    respiration: Tensor  # umol m-2 s-1
    compensation: Tensor  # Gamma*, umol mol-1


def arrhenius(temperature: Tensor, activation: float) -> Tensor:
    """exp(Ea (T - Tr) / (R T Tr)), Tr = 298.15 K; ``activation`` Ea in J mol-1.

    Parameters
    ----------
    temperature : K
    activation : J mol-1
    """
    return torch.exp(
        activation * (temperature - REFERENCE_TEMPERATURE) / (REFERENCE_TEMPERATURE * GAS_CONSTANT_PAPER * temperature)
    )


def peaked_arrhenius(temperature: Tensor, activation: float, deactivation: float, entropy: float) -> Tensor:
    """Peaked Arrhenius function, 1 at 25 C (Medlyn et al. 2002, eq. 17).

    Parameters
    ----------
    temperature
        Leaf temperature, K.
    activation, deactivation
        Ea and Hd, J mol-1.
    entropy
        dS, J mol-1 K-1.
    """
    tr, gas = REFERENCE_TEMPERATURE, GAS_CONSTANT_PAPER
    at_reference = 1.0 + torch.exp(torch.as_tensor((entropy * tr - deactivation) / (gas * tr))).item()
    at_leaf = 1.0 + torch.exp((entropy * temperature - deactivation) / (gas * temperature))
    return arrhenius(temperature, activation) * at_reference / at_leaf


def vcmax_factor(temperature: Tensor) -> Tensor:
    """Vcmax(T) / Vcmax(25 C) (Ea 58550, Hd 200000 J mol-1, dS 629.26 J mol-1 K-1: Kattge and Knorr 2007 form)."""
    return peaked_arrhenius(temperature, 58550.0, 200000.0, 629.26)


def jmax_factor(temperature: Tensor) -> Tensor:
    """Jmax(T) / Jmax(25 C) (Ea 29680, Hd 200000 J mol-1, dS 631.88 J mol-1 K-1)."""
    return peaked_arrhenius(temperature, 29680.0, 200000.0, 631.88)


def respiration_factor(temperature: Tensor) -> Tensor:
    """Rd(T) / Rd(25 C) = Q10^((T - 25)/10), Q10 1.92 (Tjoelker et al. 2001 at mean temperatures)."""
    return torch.exp(0.0652325186039 * (temperature - REFERENCE_TEMPERATURE))


def c4_respiration_factor(temperature: Tensor) -> Tensor:
    """Rd(T) / Rd(25 C) of a C4 leaf, which heat above 55 C ends (Collatz et al. 1992)."""
    q10 = torch.exp(0.069314718056 * (temperature - REFERENCE_TEMPERATURE))
    return q10 / (1.0 + torch.exp(1.3 * (temperature - 328.15)))


def compensation_point(temperature: Tensor) -> Tensor:
    """CO2 compensation point without day respiration, Gamma*, umol mol-1 (Bernacchi et al. 2001)."""
    return 42.75 * arrhenius(temperature, 37830.0)


def michaelis_constant(temperature: Tensor) -> Tensor:
    """Effective Michaelis constant of Rubisco Kc (1 + O/Ko), umol mol-1 (Bernacchi et al. 2001)."""
    kc = 404.9 * arrhenius(temperature, 79430.0)
    ko = 278.4 * arrhenius(temperature, 36380.0)
    return kc * (1.0 + OXYGEN / ko)


def electron_transport(par: Tensor, jmax: Tensor, alpha: float | Tensor = 0.24, theta: float | Tensor = 0.85) -> Tensor:
    """Electron transport J: theta J2 - (alpha Q + Jmax) J + alpha Q Jmax = 0 (Farquhar and Wong 1984).

    Parameters
    ----------
    par
        Photosynthetically active photons Q, umol m-2 s-1 (incident, if ``alpha`` holds the absorptance).
    jmax
        Jmax at leaf temperature, umol m-2 s-1.
    alpha
        Quantum yield, mol electrons per mol photons.
    theta
        Curvature, 0 < theta <= 1.
    """
    light = alpha * par
    total = light + jmax
    root = torch.sqrt(torch.clamp(total * total - 4.0 * theta * light * jmax, min=1e-24))
    return 2.0 * light * jmax / (total + root)


def c3_leaf(
    temperature: Tensor,
    par: Tensor,
    vcmax25: Tensor,
    jmax25: Tensor,
    rd25: Tensor,
    alpha: float | Tensor = 0.24,
    theta: float | Tensor = 0.85,
) -> Leaf:
    """C3 leaf after Farquhar, von Caemmerer and Berry (1980): Rubisco- and RuBP-limited rates.

    Parameters
    ----------
    temperature
        Leaf temperature, K.
    par
        Photons reaching the leaf, umol m-2 s-1.
    vcmax25, jmax25, rd25
        Capacities and day respiration at 25 C, umol m-2 s-1.

    Examples
    --------
    >>> x = torch.tensor([298.15], dtype=torch.float64)
    >>> leaf = c3_leaf(x, 0 * x + 1500.0, 0 * x + 50.0, 0 * x + 100.0, 0 * x + 0.92)
    >>> round(assimilation(leaf, 0 * x + 306.235).item(), 2)
    12.03
    """
    gamma = compensation_point(temperature)
    vcmax = vcmax25 * vcmax_factor(temperature)
    j = electron_transport(par, jmax25 * jmax_factor(temperature), alpha, theta)
    one = torch.ones_like(gamma)
    rubisco = Rate(vcmax, vcmax * gamma, one, michaelis_constant(temperature))
    light = Rate(0.25 * j, 0.25 * j * gamma, one, 2.0 * gamma)
    return Leaf((rubisco, light), (0.9999,), rd25 * respiration_factor(temperature), gamma)


def cytochrome_leaf(
    temperature: Tensor,
    par: Tensor,
    vcmax25: Tensor,
    vqmax25: Tensor,
    rd25: Tensor,
    psi_absorption: float = 0.41,
    psi_yield: float = 0.96,
    linear_atp: float = 0.75,
    cyclic_atp: float = 1.0,
) -> Leaf:
    """C3 leaf with electron transport limited by cytochrome b6f (Johnson and Berry 2021).

    J700 = Q Vq / (Q + Vq/(a1 phi1)); linear flow J680 = J700/eta with
    eta = 1 - nL/nC + (3 + 7 G/Ci) / ((4 + 8 G/Ci) nC), so that the light-limited rate
    J680 (Ci - G)/(4 Ci + 8 G) is again linear over linear in Ci.

    Parameters
    ----------
    temperature, par, vcmax25, rd25
        As in :func:`c3_leaf`.
    vqmax25
        Maximum activity of cytochrome b6f at 25 C, umol electrons m-2 s-1.
    psi_absorption, psi_yield
        Share of the photons absorbed by photosystem I, and its maximum photochemical yield.
    linear_atp, cyclic_atp
        ATP per electron in linear (nL) and cyclic (nC) flow.
    """
    gamma = compensation_point(temperature)
    vcmax = vcmax25 * vcmax_factor(temperature)
    vqmax = vqmax25 * jmax_factor(temperature)
    light = psi_absorption * psi_yield * par
    j700 = light * vqmax / (light + vqmax + 1e-12)
    one = torch.ones_like(gamma)
    rest = 1.0 - linear_atp / cyclic_atp
    slope = 4.0 * rest + 3.0 / cyclic_atp
    offset = (8.0 * rest + 7.0 / cyclic_atp) * gamma
    rubisco = Rate(vcmax, vcmax * gamma, one, michaelis_constant(temperature))
    cytochrome = Rate(j700, j700 * gamma, slope * one, offset)
    return Leaf((rubisco, cytochrome), (0.9999,), rd25 * respiration_factor(temperature), gamma)


def c4_leaf(
    temperature: Tensor,
    par: Tensor,
    vcmax25: Tensor,
    rd25: Tensor,
    quantum_yield: float = 0.05,
    pep: float = 0.02,
) -> Leaf:
    """C4 leaf after Collatz, Ribas-Carbo and Berry (1992): Rubisco, light and PEP-carboxylase limits.

    Parameters
    ----------
    temperature, par
        K and umol m-2 s-1.
    vcmax25, rd25
        Capacity and day respiration at 25 C, umol m-2 s-1.
    quantum_yield
        mol CO2 per mol incident photons.
    pep
        Initial slope of A against Ci over Vcmax25: k = ``pep`` Vcmax25, mol m-2 s-1 per unit mole fraction
        (Bonan et al. 2011: 20000 umol per umol at 1 bar).
    """
    zero = torch.zeros_like(temperature)
    one = torch.ones_like(temperature)
    q10 = torch.exp(0.069314718056 * (temperature - REFERENCE_TEMPERATURE))
    celsius = temperature - ZERO_CELSIUS
    heat = 1.0 + torch.exp(0.3 * (celsius - 40.0))
    cold = 1.0 + torch.exp(0.2 * (15.0 - celsius))
    vcmax = vcmax25 * q10 / (heat * cold)
    respiration = rd25 * c4_respiration_factor(temperature)
    rubisco = Rate(zero, -vcmax, zero, one)
    light = Rate(zero, -quantum_yield * par, zero, one)
    carboxylase = Rate(pep * vcmax25 * q10, zero, zero, one)
    return Leaf((rubisco, light, carboxylase), (0.8, 0.95), respiration, zero)


def smooth_minimum(first: Tensor, second: Tensor, curvature: float) -> tuple[Tensor, Tensor, Tensor]:
    """Smaller root x of curvature x2 - (a + b) x + a b = 0, with dx/da and dx/db.

    Parameters
    ----------
    first, second : the rates a and b, umol m-2 s-1
    curvature : 0 to 1; 1 is the plain minimum
    """
    total = first + second
    root = torch.sqrt(torch.clamp(total * total - 4.0 * curvature * first * second, min=1e-24))
    # Two forms of the smaller root, each without cancellation on its side; root = (a + b) - 2 curvature x.
    positive = 2.0 * first * second / torch.clamp(total + root, min=1e-24)
    low = torch.where(total > 0.0, positive, (total - root) / (2.0 * curvature))
    return low, (second - low) / root, (first - low) / root


def gross_assimilation(leaf: Leaf, ci: Tensor) -> Tensor:
    """Gross rate at ``ci`` (umol mol-1): the smoothed minimum of the limiting rates, umol m-2 s-1.

    Parameters
    ----------
    leaf : limiting rates and respiration
    ci : CO2 inside the leaf, umol mol-1
    """
    rate = leaf.rates[0].at(ci)
    for other, curvature in zip(leaf.rates[1:], leaf.curvature, strict=True):
        rate = smooth_minimum(rate, other.at(ci), curvature)[0]
    return rate


def assimilation(leaf: Leaf, ci: Tensor) -> Tensor:
    """Net assimilation at ``ci`` (umol mol-1): the demand function, or A-Ci curve, umol m-2 s-1.

    Parameters
    ----------
    leaf : limiting rates and respiration
    ci : CO2 inside the leaf, umol mol-1
    """
    return gross_assimilation(leaf, ci) - leaf.respiration


class Demand(NamedTuple):
    """One limiting rate under a given Ca: the net rate A through gc solves r A2 - (gc u + p) A + gc v = 0."""

    r: Tensor
    p: Tensor  # largest net rate, umol m-2 s-1, for r = 1
    u: Tensor
    v: Tensor
    w: Tensor  # 4 (u p - r v), never negative

    def net(self, gc: Tensor) -> tuple[Tensor, Tensor]:
        """Net rate through ``gc`` and its derivative, the smaller root of the quadratic."""
        step = gc * self.u
        linear, across = step + self.p, step - self.p
        root = torch.sqrt(torch.clamp(across * across + gc * self.w, min=1e-24))
        # Two forms of the same root: each keeps its digits on its own side of linear = 0.
        net = torch.where(
            linear >= 0.0,
            2.0 * gc * self.v / torch.clamp(linear + root, min=1e-24),
            (linear - root) / torch.clamp(2.0 * self.r, min=1e-24),
        )
        return net, (self.v - self.u * net) / root


def demands(leaf: Leaf, ca: Tensor) -> tuple[Demand, ...]:
    """What of the limiting rates does not change with the conductance, at CO2 ``ca`` outside (umol mol-1).

    Parameters
    ----------
    leaf : limiting rates and respiration
    ca : CO2 outside, umol mol-1
    """
    found = []
    for rate in leaf.rates:
        p = rate.p - leaf.respiration * rate.r
        q = rate.q + leaf.respiration * rate.s
        w = 4.0 * (rate.p * rate.s + rate.q * rate.r)
        found.append(Demand(rate.r, p, rate.r * ca + rate.s, p * ca - q, w))
    return tuple(found)


def assimilation_along(leaf: Leaf, lines: tuple[Demand, ...], gc: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`assimilation_at_conductance`, with :func:`demands` given.

    Parameters
    ----------
    leaf : limiting rates and respiration
    lines : of :func:`demands`
    gc : conductance for CO2, mol m-2 s-1
    """
    gross, slope = lines[0].net(gc)
    gross = gross + leaf.respiration
    for line, curvature in zip(lines[1:], leaf.curvature, strict=True):
        value, gain = line.net(gc)
        gross, to_first, to_second = smooth_minimum(gross, value + leaf.respiration, curvature)
        slope = to_first * slope + to_second * gain
    return gross - leaf.respiration, slope


def assimilation_at_conductance(leaf: Leaf, gc: Tensor, ca: Tensor) -> tuple[Tensor, Tensor]:
    """Net assimilation through a conductance to CO2, and its derivative dA/dgc at constant Ca.

    Each limiting rate meets the diffusion line in its own Ci; the gross rates are then merged by the smoothed
    minimum, as in MAESTRA and plantecophys (Duursma 2015).

    Parameters
    ----------
    leaf
        From :func:`c3_leaf`, :func:`cytochrome_leaf` or :func:`c4_leaf`.
    gc
        Conductance to CO2, mol m-2 s-1.
    ca
        CO2 outside, umol mol-1.

    Returns
    -------
    tuple of Tensor
        A (umol m-2 s-1) and dA/dgc (umol mol-1).
    """
    return assimilation_along(leaf, demands(leaf, ca), gc)
