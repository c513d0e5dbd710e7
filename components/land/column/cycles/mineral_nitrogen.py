# SPDX-License-Identifier: BSD-3-Clause
"""Ammonium and nitrate of the soil after SWAT: nitrification, volatilisation, denitrification, with N2O.

Rates of a day are exponents: what is left of an amount N is N exp(-rate days) (Neitsch et al. 2011, ch. 3:1).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

DAY = 86400.0  # s
EXCHANGE = 0.15  # of volatilisation, by cation exchange
ONSET = 0.99  # share of the pores with water, above which nitrate is denitrified with full rate
WET = 0.75  # and below which there is none (Bateman and Baggs 2005: above 70 %)
NEUTRAL = 7.0  # pH
NITRIFIED_N2O = 0.006  # of nitrified nitrogen that leaves as N2O (Li et al. 2000: .06 % to 1 %)


class Nitrified(NamedTuple):
    """Of ammonium in a step, in its unit."""

    nitrified: Tensor
    volatile: Tensor


def nitrify(
    ammonium: Tensor, temperature: Tensor, wetness: Tensor | float, depth: Tensor | float, seconds: float = DAY,
    ph: Tensor | None = None,
) -> Nitrified:  # fmt: skip
    """Ammonium that becomes nitrate and that leaves as ammonia.

    Nothing happens below 5 C. The share of each goes by 1 - exp(-rate) of its own.

    Parameters
    ----------
    ammonium : any unit
    temperature : of the soil, K
    wetness : factor of the soil's water, 0 to 1
    depth : of the middle of the layer, m
    seconds : length of the step
    ph : of the soil, NaN where it is not known; None, or not known: neutral

    Examples
    --------
    >>> x = torch.ones(1, dtype=torch.float64)
    >>> [round(v.item(), 5) for v in nitrify(10.0 * x, 293.15 * x, 1.0, 0.05)]
    [4.46612, 0.28714]
    """
    days = seconds / DAY
    warmth = torch.clamp(0.041 * (temperature - ZERO_CELSIUS - 5.0), min=0.0)
    millimetres = torch.as_tensor(1000.0 * depth, dtype=ammonium.dtype, device=ammonium.device)
    shallow = 1.0 - millimetres / (millimetres + torch.exp(4.706 - 0.0305 * millimetres))
    nit, vol = warmth * wetness * days, warmth * shallow * EXCHANGE * days
    if ph is not None:
        slower, more = by_acidity(ph, temperature)
        nit, vol = nit * slower, vol * more
    whole = ammonium * -torch.expm1(-nit - vol)
    part_nit, part_vol = -torch.expm1(-nit), -torch.expm1(-vol)
    volatile = whole * part_vol / torch.clamp(part_nit + part_vol, min=1e-30)
    return Nitrified(whole - volatile, volatile)


def by_acidity(ph: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of nitrification and of volatilisation in a soil, over those in a neutral one.

    Nitrifiers by .56 + atan(.45 pi (pH - 5))/pi (Parton et al. 1996); ammonia by its share of what is dissolved, with
    pKa = .09018 + 2729.92/T (Emerson et al. 1975).

    Parameters
    ----------
    ph : of the soil; NaN counts as neutral
    temperature : of the soil, K

    Examples
    --------
    >>> x = torch.tensor([5.0, 7.0, 8.0], dtype=torch.float64)
    >>> [[round(v, 3) for v in f.tolist()] for f in by_acidity(x, 298.15)]
    [[0.588, 1.0, 1.035], [0.01, 1.0, 9.517]]
    """
    ph = torch.where(torch.isfinite(ph), ph, torch.full_like(ph, NEUTRAL))

    def active(at: Tensor) -> Tensor:
        return 0.56 + torch.atan(0.45 * math.pi * (at - 5.0)) / math.pi

    def ammonia(at: Tensor) -> Tensor:
        return 1.0 / (1.0 + torch.exp(math.log(10.0) * (0.09018 + 2729.92 / temperature - at)))

    neutral = torch.full_like(ph, NEUTRAL)
    return active(ph) / active(neutral), ammonia(ph) / ammonia(neutral)


def wet_enough(filled: Tensor) -> Tensor:
    """Factor of denitrification by the share of pores ``filled`` with water: 0 below .75, 1 when full."""
    return torch.clamp((filled - WET) / (ONSET - WET), 0.0, 1.0)


def denitrified(
    nitrate: Tensor,
    temperature: Tensor,
    carbon: Tensor | float,
    wet: Tensor | float = 1.0,
    rate: float = 1.4,
    seconds: float = DAY,
) -> Tensor:
    """Nitrate that leaves as N2 and N2O, NO3 (1 - exp(-cdn f(T) C)), in its unit.

    Parameters
    ----------
    nitrate : any unit
    temperature : of the soil, K
    carbon : organic carbon of the soil, percent of mass
    wet : factor of `wet_enough`
    rate : cdn, of a day
    seconds : length of the step
    """
    t = torch.clamp(temperature - ZERO_CELSIUS, min=0.0)
    warmth = 0.9 * t / (t + torch.exp(9.93 - 0.312 * t)) + 0.1
    frozen = temperature < ZERO_CELSIUS
    warmth = torch.where(frozen, 0.0 * t, warmth)
    return nitrate * -torch.expm1(-rate * warmth * carbon * wet * (seconds / DAY))


def nitrous_share(filled: Tensor) -> Tensor:
    """Share of denitrified nitrogen that leaves as N2O: .2 in moist soil, .05 where all pores are ``filled``."""
    return 0.2 - 0.15 * torch.clamp((filled - WET) / (1.0 - WET), 0.0, 1.0)


def chain(first: Tensor, second: Tensor, a: Tensor | float, b: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
    """First substance decays at ``a`` to a second, which decays at ``b``: both at the end, and what was lost.

    Exact for rates that hold through the step (Bateman 1910), also where a = b.

    Parameters
    ----------
    first, second : amounts at the start
    a, b : rates times the step
    """
    a, b = (torch.as_tensor(v, dtype=first.dtype, device=first.device) for v in (a, b))
    slower, gap = torch.minimum(a, b), torch.abs(a - b)
    near = gap < 1e-6
    safe = torch.where(near, torch.ones_like(gap), gap)
    passed = torch.where(near, 1.0 - 0.5 * gap, -torch.expm1(-safe) / safe)
    left = first * torch.exp(-a)
    new = second * torch.exp(-b) + first * a * torch.exp(-slower) * passed
    return left, new, first + second - left - new
