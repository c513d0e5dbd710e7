# SPDX-License-Identifier: BSD-3-Clause
"""Yield of chlorophyll fluorescence from the state of photosynthesis.

van der Tol et al. (2014) for the models in which Rubisco or light limits; the cytochrome model's own after Johnson and
Berry (2021). Rates of de-excitation K count in units of photochemistry, fluorescence, heat (d, n).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

FLUORESCENCE, PHOTOCHEMISTRY, DARK_HEAT = 0.05, 4.0, 0.95  # K_f, K_p, K_d (van der Tol et al. 2014, section 2.3)


class Quenching(NamedTuple):
    """K_n = K_n0 (1 + beta) x^alpha / (beta + x^alpha), x the loss of photochemical yield by light.

    Attributes
    ----------
    k0, alpha, beta : float
        Fitted to leaves.
    """

    k0: float
    alpha: float
    beta: float


UNSTRESSED = Quenching(2.48, 2.83, 0.114)  # of cotton without drought (van der Tol et al. 2014, table 1)
SUSTAINED = 4.0  # K of heat in leaves that frost has shut: F_m falls to a fifth in pines' winter (Porcar-Castell 2011)
DROUGHT = Quenching(5.01, 1.93, 10.0)  # of vines under drought (same table)


class Yield(NamedTuple):
    """Yields of a leaf, each of one shape.

    Attributes
    ----------
    fluorescence : Tensor
        Photons emitted over photons absorbed, within the reaction centres' antennae.
    relative : Tensor
        That over the yield of the dark-adapted leaf.
    photochemistry : Tensor
        Electrons moved over photons absorbed.
    """

    fluorescence: Tensor
    relative: Tensor
    photochemistry: Tensor


def dark_heat(temperature: Tensor) -> Tensor:
    """Rate of heat in the dark, K_d, at a leaf temperature (van der Tol et al. 2014, after Bernacchi's leaves).

    Parameters
    ----------
    temperature : Tensor
        K.

    Returns
    -------
    Tensor
        At least .087.
    """
    return (0.0301 * (temperature - ZERO_CELSIUS) + 0.0773).clamp(min=0.087)


def fluorescence_yield(
    used: Tensor, temperature: Tensor, quenching: Quenching = UNSTRESSED, sustained: Tensor | float = 0.0
) -> Yield:
    """Yield of a leaf of which light moves fewer electrons than it could (van der Tol et al. 2014, eqs 9-18).

    Parameters
    ----------
    used : Tensor
        Electron transport over that which the light would drive if nothing else held it back, 0 to 1.
    temperature : Tensor
        Of the leaf, K.
    quenching : Quenching
        Fitted function of the photoprotective heat.
    sustained : Tensor or float
        Further rate of heat that does not follow the light, 0 to `SUSTAINED`.

    Returns
    -------
    Yield
        Of the shape of ``used``.
    """
    kd = dark_heat(temperature)
    total = FLUORESCENCE + kd + PHOTOCHEMISTRY
    most = PHOTOCHEMISTRY / total
    photochemistry = most * used.clamp(0.0, 1.0)
    x = (1.0 - photochemistry / most).clamp(0.0, 1.0)
    power = torch.exp(quenching.alpha * torch.log(x.clamp(min=1e-12)))
    kn = quenching.k0 * (1.0 + quenching.beta) * power / (quenching.beta + power) + sustained
    maximal = FLUORESCENCE / (FLUORESCENCE + kd + kn)  # with all centres closed
    steady = maximal * (1.0 - photochemistry)
    return Yield(steady, steady * total / FLUORESCENCE, photochemistry)


def cytochrome_yield(open_centres: Tensor, photochemistry: Tensor) -> Yield:
    """Yield of photosystem II in the cytochrome model, a lake of antennae (Johnson and Berry 2021, eqs 38-41).

    The photoprotective heat is what balances the electrons moved: K_n = K_p (q / phi - 1) - K_f - K_d, where q is the
    share of open centres; fluorescence comes from open and from closed ones.

    Parameters
    ----------
    open_centres : Tensor
        q, 1 less the flow through cytochrome b6f over its maximum, 0 to 1.
    photochemistry : Tensor
        phi, electrons moved over photons absorbed by photosystem II, above 0.

    Returns
    -------
    Yield
        Of the shape of ``open_centres``.
    """
    total = FLUORESCENCE + DARK_HEAT + PHOTOCHEMISTRY
    q = open_centres.clamp(1e-6, 1.0)
    phi = torch.minimum(photochemistry, q * PHOTOCHEMISTRY / total).clamp(min=1e-9)
    kn = (PHOTOCHEMISTRY * (q / phi - 1.0) - FLUORESCENCE - DARK_HEAT).clamp(min=0.0)
    heat = FLUORESCENCE + DARK_HEAT + kn
    steady = q * FLUORESCENCE / (heat + PHOTOCHEMISTRY) + (1.0 - q) * FLUORESCENCE / heat
    return Yield(steady, steady * total / FLUORESCENCE, phi)
