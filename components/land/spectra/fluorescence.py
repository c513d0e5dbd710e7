# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence of a leaf: Fluspect in closed form (Vilfan et al. 2016, 2018; van der Tol et al. 2019).

Fluspect doubles a thin sheet until it is a leaf. The sheet's two fluxes obey Kubelka and Munk's equations, whose
solution is two exponentials at the wavelength of excitation and two at that of emission; what is emitted at a depth
escapes to a face in proportion to the light that would come to that depth from that face (reciprocity). So each
matrix is an integral over depth of products of exponentials, which needs no doubling.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.leaf import Leaf
from components.land.spectra.plates import Interfaces

EXCITATION = (400.0, 750.0)  # nm
EMISSION = (640.0, 850.0)  # nm
STOKES_WIDTH = (
    10.0  # nm: emission at shorter wavelengths than the excitation's falls off over this (Vilfan et al. 2016)
)
PEAKS = (
    (0.009072, 683.519, 13.906),
    (0.005944, 683.825, 5.639),
    (0.009898, 743.302, 29.64),
    (-0.003349, 768.113, 16.109),
)


class Excitation(NamedTuple):
    """Emission of a leaf for light of each wavelength of excitation, photons nm-1 a photon.

    Attributes
    ----------
    back, forward : Tensor
        To the lit side and through the leaf, shape (..., emission, excitation).
    """

    back: Tensor
    forward: Tensor


class Interior(NamedTuple):
    """A leaf without its interfaces, as Kubelka and Munk's medium of unit thickness, each of shape (..., band).

    Attributes
    ----------
    reflectance, transmittance : Tensor
        Of the inside.
    absorption, scattering : Tensor
        k and s.
    """

    reflectance: Tensor
    transmittance: Tensor
    absorption: Tensor
    scattering: Tensor


def emission_spectrum(wavelength: Tensor, peaks: tuple[tuple[float, float, float], ...] = PEAKS) -> Tensor:
    """Spectrum of chlorophyll's fluorescence within the leaf, a sum of Gaussians (van der Tol et al. 2019).

    Parameters
    ----------
    wavelength : Tensor
        nm, shape (band,).
    peaks : tuple
        Height, centre (nm) and width (nm) of each Gaussian.

    Returns
    -------
    Tensor
        nm-1, shape (band,), whose integral over 640 to 850 nm is 1.
    """
    grid = torch.arange(EMISSION[0], EMISSION[1] + 1.0, dtype=torch.float64)

    def shape(x: Tensor) -> Tensor:
        return torch.stack([height * torch.exp(-0.5 * ((x - at) / width) ** 2) for height, at, width in peaks]).sum(0)

    return (shape(wavelength.double()) / shape(grid).sum()).to(wavelength.dtype)


def interior(light: Leaf, surface: Interfaces) -> Interior:
    """Take the interfaces off a leaf, and find its absorption and scattering (Vilfan et al. 2016, eqs 2-8).

    Parameters
    ----------
    light : Leaf
        Each of shape (..., band).
    surface : Interfaces
        Of the same bands.

    Returns
    -------
    Interior
        Each of shape (..., band).
    """
    through = surface.t_alpha * surface.t21
    back = (light.reflectance - surface.r_alpha) / (through + (light.reflectance - surface.r_alpha) * surface.r21)
    z = light.transmittance * (1.0 - back * surface.r21) / through
    loop = 1.0 - (surface.r21 * z) ** 2
    r = ((back - surface.r21 * z * z) / loop).clamp(min=1e-9)
    t = ((1.0 - back * surface.r21) / loop * z).clamp(min=1e-12)
    lossless = r + t >= 1.0 - 1e-9
    rs, ts = torch.where(lossless, 0.25, r), torch.where(lossless, 0.25, t)
    d = torch.sqrt((1.0 + rs + ts) * (1.0 + rs - ts) * (1.0 - rs + ts) * (1.0 - rs - ts))
    a = (1.0 + rs * rs - ts * ts + d) / (2.0 * rs)
    log_b = torch.log((1.0 - rs * rs + ts * ts + d) / (2.0 * ts))
    k = torch.where(lossless, 0.0, (a - 1.0) / (a + 1.0) * log_b)
    s = torch.where(lossless, r / t, 2.0 * a / (a * a - 1.0) * log_b)
    return Interior(r, t, k, s)


def _exponentials(inside: Interior) -> tuple[Tensor, Tensor, Tensor]:
    """Both fluxes' sum in a medium lit from one face: p exp(-m x) + q exp(-m (1 - x)), x from the lit face."""
    k, s, t = inside.absorption.clamp(min=1e-9), inside.scattering, inside.transmittance
    m = torch.sqrt(k * (k + 2.0 * s))
    ratio = (k + 2.0 * s) / m
    return m, 0.5 * t * (1.0 + ratio) * torch.exp(m), 0.5 * t * (1.0 - ratio)


def _overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Integrals over 0 to 1 of exp(-a x) exp(-b x) and of exp(-a x) exp(-b (1 - x))."""
    total, half = a + b, 0.5 * (a - b)
    same = (1.0 - torch.exp(-total)) / total
    near = half.abs() < 0.2
    safe = torch.where(near, 1.0, half)
    square = half * half
    series = 1.0 + square / 6.0 * (1.0 + square / 20.0 * (1.0 + square / 42.0 * (1.0 + square / 72.0)))
    apart = (torch.exp(-b) - torch.exp(-a)) / (2.0 * safe)  # exp and no sinh: its bits depend on the block
    return same, torch.where(near, torch.exp(-0.5 * total) * series, apart)


def excitation_matrices(
    light: Leaf, surface: Interfaces, bands: tuple[Tensor, Tensor], wavelengths: tuple[Tensor, Tensor], spectrum: Tensor
) -> Excitation:
    """Fluorescence of a leaf, for a yield of 1, by wavelength of excitation and of emission.

    Parameters
    ----------
    light : Leaf
        Each of shape (..., band).
    surface : Interfaces
        Of the same bands, each of shape (band,).
    bands : tuple of Tensor
        Positions among the bands of the wavelengths of excitation (e,) and of emission (f,).
    wavelengths : tuple of Tensor
        Of excitation (e,) and of emission (f,), nm.
    spectrum : Tensor
        Of emission within the leaf, shape (f,), nm-1.

    Returns
    -------
    Excitation
        Photons nm-1 emitted to each side a photon that falls on the leaf, each of shape (..., f, e).
    """
    inside = interior(light, surface)
    e_at, f_at = bands
    m, p, q = _exponentials(inside)
    (me, pe, qe), (mf, pf, qf) = (
        (x[..., e_at].unsqueeze(-2) for x in (m, p, q)),
        (x[..., f_at].unsqueeze(-1) for x in (m, p, q)),
    )
    same, across = _overlap(me, mf)
    straight, crossed = pe * pf + qe * qf, pe * qf + qe * pf
    by_chlorophyll = (light.chlorophyll_share * inside.absorption)[..., e_at].unsqueeze(-2)
    downhill = 1.0 / (1.0 + torch.exp((wavelengths[0] - wavelengths[1].unsqueeze(-1)) / STOKES_WIDTH))
    source = 0.5 * by_chlorophyll * (spectrum.unsqueeze(-1) * downhill)
    back = source * (straight * same + crossed * across)
    forward = source * (crossed * same + straight * across)

    # The interfaces again: light that enters, turns inside at both faces, and what is emitted likewise on its way out.
    r21 = surface.r21
    turned = inside.transmittance * r21 / (1.0 - inside.reflectance * r21)
    whole = inside.reflectance + inside.transmittance * turned
    enter = (surface.t_alpha / (1.0 - r21 * whole))[..., e_at].unsqueeze(-2)
    leave = (surface.t21 / (1.0 - r21 * whole))[..., f_at].unsqueeze(-1)
    ye, yf = turned[..., e_at].unsqueeze(-2), turned[..., f_at].unsqueeze(-1)
    kept, swapped = enter * leave * (1.0 + ye * yf), enter * leave * (ye + yf)
    return Excitation(kept * back + swapped * forward, kept * forward + swapped * back)
