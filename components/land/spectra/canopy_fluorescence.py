# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence that leaves a canopy: excited by sun and sky, scattered and absorbed again (van der Tol et al. 2019)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.fluorescence import Excitation
from components.land.spectra.geometry import Geometry
from components.land.spectra.layers import Layers, SolarLight, Views, diffuse_light
from components.science.constants import AVOGADRO, LIGHT_SPEED, PLANCK
from components.science.sums import in_order


class Yields(NamedTuple):
    """Yield of fluorescence relative to that of the dark-adapted leaf, each of shape (canopy, layer).

    Attributes
    ----------
    sunlit, shaded : Tensor
        Of leaves in the sun and in the shade.
    """

    sunlit: Tensor
    shaded: Tensor


class Fluorescence(NamedTuple):
    """What a canopy emits, by wavelength of emission, each of shape (canopy, f), for energies of W m-2 um-1.

    Attributes
    ----------
    radiance : Tensor
        Towards the viewer, W m-2 um-1 sr-1.
    hemispheric : Tensor
        Upward flux at the top, W m-2 um-1.
    emitted : Tensor
        By all leaves, before the canopy absorbs any of it again, W m-2 um-1.
    """

    radiance: Tensor
    hemispheric: Tensor
    emitted: Tensor


def photons(wavelength: Tensor) -> Tensor:
    """Photons an energy of light, mol J-1 (Planck's E = h c / wavelength).

    Parameters
    ----------
    wavelength : Tensor
        nm.

    Returns
    -------
    Tensor
        Shape of ``wavelength``.
    """
    return wavelength * (1e-9 / (PLANCK * LIGHT_SPEED * AVOGADRO))


def canopy_fluorescence(
    layers: Layers,
    light: Geometry,
    seen: Views,
    soil: Tensor,
    solar: SolarLight,
    sun: Tensor,
    leaf: Excitation,
    wavelengths: tuple[Tensor, Tensor],
    yields: Yields,
) -> Fluorescence:
    """Fluorescence of a canopy of layers.

    Parameters
    ----------
    layers : Layers
        With the leaves' optics at the wavelengths of emission.
    light : Geometry
        Each of shape (canopy, 1).
    seen : Views
        Of these layers.
    soil : Tensor
        Reflectance at the wavelengths of emission, shape (canopy, f) or (f,).
    solar : SolarLight
        At the wavelengths of excitation, which are evenly spaced.
    sun : Tensor
        Sunlight at the top at the wavelengths of excitation, shape (canopy, e), W m-2 um-1.
    leaf : Excitation
        Of the leaves for a quantum efficiency of their own, shape (canopy, f, e).
    wavelengths : tuple of Tensor
        Of excitation (e,) and of emission (f,), nm.
    yields : Yields
        Of the layers.

    Returns
    -------
    Fluorescence
        For an energy of W m-2 um-1.
    """
    excitation, emission = wavelengths
    step = excitation[1] - excitation[0]
    to_photons, to_energy = photons(excitation) * step, 1.0 / photons(emission)

    down, up = solar.field.mean()
    shade, sunny = yields.shaded.unsqueeze(-1), yields.sunlit.unsqueeze(-1)
    # Light on the leaves of a layer and area of leaves: in the sun and in the shade.
    lai = layers.lai.unsqueeze(-1)
    mean = sunny * seen.sunlit.unsqueeze(-1) + shade * (lai - seen.sunlit.unsqueeze(-1))
    viewed = sunny * seen.both.unsqueeze(-1) + shade * (seen.seen - seen.both).unsqueeze(-1)
    number = down.shape[1]
    exciting = torch.cat([sun.unsqueeze(1), down, up], 1) * to_photons
    (b_sun, b_down, b_up), (f_sun, f_down, f_up) = (
        torch.split(_answer(matrix, exciting) * to_energy, [1, number, number], 1) for matrix in leaf
    )

    d = Geometry(*(x.unsqueeze(-1) for x in light))
    lit = sunny * seen.sunlit.unsqueeze(-1)
    falling = (d.sdf * b_sun + d.sdb * f_sun) * lit + mean * (
        d.ddf * b_down + d.ddb * f_down + d.ddb * b_up + d.ddf * f_up
    )
    rising = (d.sdb * b_sun + d.sdf * f_sun) * lit + mean * (
        d.ddb * b_down + d.ddf * f_down + d.ddf * b_up + d.ddb * f_up
    )
    none = torch.zeros_like(falling[:, 0])
    field = diffuse_light(layers, light, soil, (falling, rising), none, none)
    fall, rise = field.mean()
    rho, tau = layers.reflectance, layers.transmittance
    first = (d.sob * b_sun + d.sof * f_sun) * (sunny * seen.both.unsqueeze(-1)) + viewed * (
        d.dob * b_down + d.dof * f_down + d.dof * b_up + d.dob * f_up
    )
    again = ((d.dob * rho + d.dof * tau) * fall + (d.dof * rho + d.dob * tau) * rise) * seen.seen.unsqueeze(-1)
    ground = soil * field.down[:, -1] * seen.soil_seen
    return Fluorescence(
        radiance=(in_order(first + again, 1) + ground) / torch.pi,
        hemispheric=field.up[:, 0],
        emitted=in_order(falling + rising, 1),
    )


def _answer(matrix: Tensor, photons_in: Tensor) -> Tensor:
    """Product of (canopy, f, e) and (canopy, x, e), (canopy, x, f), in one order: no block changes its bits."""
    total = matrix[:, None, :, 0] * photons_in[..., 0, None]
    for e in range(1, matrix.shape[-1]):
        total = torch.addcmul(total, matrix[:, None, :, e], photons_in[..., e, None])
    return total
