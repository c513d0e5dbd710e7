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


class Glow(NamedTuple):
    """Both sides of a leaf lit and seen at once: their sum is emitted for the light's sum, as their difference.

    A leaf lit by ``x`` on one face and ``y`` on the other emits ``out * (kernel (into * (x + y)))`` from both faces
    together, by the first of each pair, and the difference of its faces by the second for ``x - y``. So half the
    products are needed that back and forward take, and what depends on one wavelength alone stays out of them.

    Attributes
    ----------
    kernel : tuple of Tensor
        Each of shape (..., excitation, emission).
    into : tuple of Tensor
        Each of shape (..., excitation).
    out : tuple of Tensor
        Each of shape (..., emission), photons nm-1 a photon.
    """

    kernel: tuple[Tensor, Tensor]
    into: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]

    def matrices(self) -> Excitation:
        """To the lit side and through the leaf."""
        both, between = (
            (kernel * into.unsqueeze(-1) * out.unsqueeze(-2)).transpose(-1, -2)
            for kernel, into, out in zip(*self, strict=True)
        )
        return Excitation(0.5 * (both + between), 0.5 * (both - between))


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
    """Integrals over 0 to 1 of exp(-a x) exp(-b x) and of exp(-a x) exp(-b (1 - x)), of all a with all b."""
    decay_a, decay_b = torch.exp(-a).unsqueeze(-1), torch.exp(-b).unsqueeze(-2)
    root_a, root_b = torch.exp(-0.5 * a).unsqueeze(-1), torch.exp(-0.5 * b).unsqueeze(-2)
    a, b = a.unsqueeze(-1), b.unsqueeze(-2)
    same = (1.0 - decay_a * decay_b) / (a + b)
    difference = a - b
    near = difference.abs() < 0.4
    square = difference * difference
    series = 1.0 + square / 24.0 * (1.0 + square / 80.0 * (1.0 + square / 168.0))  # sinh(h) / h, h half the difference
    apart = (decay_b - decay_a) / torch.where(near, 1.0, difference)
    return same, torch.where(near, root_a * root_b * series, apart)


def glow(
    light: Leaf, surface: Interfaces, bands: tuple[Tensor, Tensor], wavelengths: tuple[Tensor, Tensor], spectrum: Tensor
) -> Glow:
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
    Glow
        Photons nm-1 emitted a photon that falls on the leaf.
    """
    inside = interior(light, surface)
    e_at, f_at = bands
    m, p, q = _exponentials(inside)
    same, across = _overlap(m[..., e_at], m[..., f_at])
    downhill = 1.0 / (1.0 + torch.exp((wavelengths[0].unsqueeze(-1) - wavelengths[1]) / STOKES_WIDTH))

    # The interfaces: light that enters, turns inside at both faces, and what is emitted likewise on its way out.
    r21 = surface.r21
    turned = inside.transmittance * r21 / (1.0 - inside.reflectance * r21)
    loops = 1.0 - r21 * (inside.reflectance + inside.transmittance * turned)
    enter = (0.5 * light.chlorophyll_share * inside.absorption * surface.t_alpha / loops)[..., e_at]
    leave = (surface.t21 / loops)[..., f_at] * spectrum
    both, between = (p + q) * (1.0 + turned), (p - q) * (1.0 - turned)
    return Glow(
        (downhill * (same + across), downhill * (same - across)),
        (enter * both[..., e_at], enter * between[..., e_at]),
        (leave * both[..., f_at], leave * between[..., f_at]),
    )
