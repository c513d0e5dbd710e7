# SPDX-License-Identifier: BSD-3-Clause
"""Shortwave radiation in the canopy: two streams in each band, sunlit and shaded leaves (Sellers 1985).

I_up and I_down are diffuse fluxes at cumulative plant area x (0 at the top), for a unit of incident flux:

    -mu dI_up/dx   + b I_up   - c I_down = w mu K beta0 exp(-K x)
     mu dI_down/dx + b I_down - c I_up   = w mu K (1 - beta0) exp(-K x)

with b = 1 - (1 - beta) w and c = beta w. The solution is written in the decaying and the growing exponential, each
scaled to 1 where it is largest, so that no canopy is too thick for it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import SOLAR_CONSTANT

LOWEST_SUN = 0.01  # cosine of the zenith angle below which the sun is down


class Foliage(NamedTuple):
    """Optics of the plants, one value a column (by band where said: visible, then near infrared)."""

    lai: Tensor  # leaf area index
    sai: Tensor  # stem area index
    reflectance: Tensor  # of leaves and stems together
    transmittance: Tensor
    orientation: Tensor  # Ross-Goudriaan chi, -.4 to .6
    clumping: Tensor  # 1: leaves at random


class Shortwave(NamedTuple):
    """Absorbed shortwave by sink, W m-2 of ground; band first where a band is named."""

    sunlit: Tensor  # by sunlit plant area, per band
    shaded: Tensor  # by shaded plant area, per band
    ground: Tensor  # both bands
    reflected: Tensor  # per band
    sunlit_area: Tensor  # sunlit plant area index
    extinction: Tensor  # K of the direct beam


def partition(total: Tensor, cos_zenith: Tensor) -> tuple[Tensor, Tensor]:
    """Split global radiation into direct and diffuse, each into two equal bands; shape (band, ...).

    The diffuse fraction follows the clearness index (Erbs, Klein and Duffie 1982).

    Parameters
    ----------
    total
        Downwelling shortwave, W m-2.
    cos_zenith
        Cosine of the solar zenith angle.
    """
    mu = torch.clamp(cos_zenith, min=LOWEST_SUN)
    kt = torch.clamp(total / (SOLAR_CONSTANT * mu), 0.0, 1.0)
    low = 1.0 - 0.09 * kt
    k2 = kt * kt
    middle = 0.9511 - 0.1604 * kt + 4.388 * k2 - 16.638 * k2 * kt + 12.336 * k2 * k2
    fraction = torch.where(kt <= 0.22, low, torch.where(kt <= 0.8, middle, torch.full_like(kt, 0.165)))
    fraction = torch.where(cos_zenith > LOWEST_SUN, fraction, torch.ones_like(fraction))
    diffuse = 0.5 * fraction * total
    direct = 0.5 * (1.0 - fraction) * total
    return torch.stack([direct, direct]), torch.stack([diffuse, diffuse])


def _share(rate: Tensor, depth: Tensor) -> Tensor:
    """Integral of exp(-rate x) from 0 to depth."""
    safe = torch.where(torch.abs(rate) < 1e-6, torch.full_like(rate, 1e-6), rate)
    return (1.0 - torch.exp(-safe * depth)) / safe


def two_stream(
    foliage: Foliage,
    cos_zenith: Tensor,
    direct: Tensor,
    diffuse: Tensor,
    ground_direct: Tensor,
    ground_diffuse: Tensor,
) -> Shortwave:
    """Solve the two-stream equations for direct and diffuse light in all bands at once.

    Parameters
    ----------
    foliage
        Plant optics.
    cos_zenith
        Cosine of the solar zenith angle.
    direct, diffuse
        Incident flux by band, W m-2, shape (band, ...).
    ground_direct, ground_diffuse
        Albedo of what lies below the canopy, shape (band, ...).

    Notes
    -----
    Leaf projection and scattering as in Sellers (1985) with the upscatter of the direct beam of Dickinson
    (1983).
    Clumping scales the plant area that light meets.
    """
    mu = torch.clamp(cos_zenith, min=LOWEST_SUN)
    chi = torch.clamp(foliage.orientation, -0.4, 0.6)
    chi = torch.where(torch.abs(chi) < 0.01, torch.full_like(chi, 0.01), chi)
    phi1 = 0.5 - 0.633 * chi - 0.33 * chi * chi
    phi2 = 0.877 * (1.0 - 2.0 * phi1)
    g = phi1 + phi2 * mu
    k = torch.clamp(g / mu, max=20.0)
    bar = (1.0 - phi1 / phi2 * torch.log((phi1 + phi2) / phi1)) / phi2
    area = (foliage.lai + foliage.sai) * foliage.clumping
    w = foliage.reflectance + foliage.transmittance
    tilt = 0.5 * (1.0 + chi)
    c = 0.5 * (w + (foliage.reflectance - foliage.transmittance) * tilt * tilt)
    b = 1.0 - w + c
    gp = g + mu * phi2
    single = 0.5 * w * g / gp * (1.0 - mu * phi1 / gp * torch.log((mu * phi1 + gp) / (mu * phi1)))
    up_source = (1.0 + bar * k) / (bar * k) * single * bar * k  # w mu K beta0
    down_source = w * bar * k - up_source
    h = torch.sqrt(torch.clamp(b * b - c * c, min=1e-9)) / bar
    # Where the beam decays just like the diffuse light the particular solution is singular: step aside.
    k_safe = torch.where(torch.abs(k - h) < 1e-3 * h, h * 1.002, k + torch.zeros_like(h))
    ratio = c / (b + bar * h)
    fade = torch.exp(-h * area)
    beam = torch.exp(-k_safe * area)
    det = b * b - c * c - (bar * k_safe) * (bar * k_safe)
    up = (up_source * (b - bar * k_safe) + c * down_source) / det
    down = (down_source * (b + bar * k_safe) + c * up_source) / det

    def amplitudes(top: Tensor, bottom: Tensor) -> tuple[Tensor, Tensor]:
        """Decaying (d) and growing (u): I_down(0) = top; I_up = albedo I_down + bottom below."""
        a11, a12 = torch.ones_like(fade), ratio * fade
        a21, a22 = (ratio - ground_diffuse) * fade, 1.0 - ground_diffuse * ratio
        determinant = a11 * a22 - a12 * a21
        return (top * a22 - a12 * bottom) / determinant, (a11 * bottom - a21 * top) / determinant

    zero = torch.zeros_like(fade)
    d1, u1 = amplitudes(-down, ground_direct * beam - (up - ground_diffuse * down) * beam)
    d2, u2 = amplitudes(zero + 1.0, zero)
    absorb = (1.0 - w) / bar
    # Diffuse light met by sunlit leaves: its profile times the sunlit fraction exp(-K x).
    lit_decay = _share(h + k_safe, area)
    lit_grow = (beam - fade) / torch.where(torch.abs(h - k_safe) < 1e-6, 1e-6 + zero, h - k_safe)
    lit_beam = _share(2.0 * k_safe, area)
    all_decay = (1.0 - fade) / h
    lit = absorb * (1.0 + ratio)
    beam_all = (1.0 - beam) / k_safe
    sun1 = lit * (d1 * lit_decay + u1 * lit_grow) + absorb * (up + down) * lit_beam + (1.0 - w) * (1.0 - beam)
    all1 = lit * (d1 + u1) * all_decay + absorb * (up + down) * beam_all + (1.0 - w) * (1.0 - beam)
    sun2 = lit * (d2 * lit_decay + u2 * lit_grow)
    all2 = lit * (d2 + u2) * all_decay
    ground1 = (1.0 - ground_direct) * beam + (1.0 - ground_diffuse) * (d1 * fade + u1 * ratio + down * beam)
    ground2 = (1.0 - ground_diffuse) * (d2 * fade + u2 * ratio)
    sunlit = direct * sun1 + diffuse * sun2
    whole = direct * all1 + diffuse * all2
    ground = direct * ground1 + diffuse * ground2
    reflected = direct + diffuse - whole - ground
    extinction = k_safe[0] * foliage.clumping
    return Shortwave(
        sunlit, whole - sunlit, ground[0] + ground[1], reflected, beam_all[0] / foliage.clumping, extinction
    )
