# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence that leaves a canopy: excited by sun and sky, scattered and absorbed again (van der Tol et al. 2019)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.fluorescence import Glow
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
    leaf: Glow,
    wavelengths: tuple[Tensor, Tensor, Tensor],
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
        At the wavelengths of excitation.
    sun : Tensor
        Sunlight at the top at the wavelengths of excitation, shape (canopy, e), W m-2 um-1.
    leaf : Glow
        Of the leaves for a quantum efficiency of their own, shapes (canopy, layer or 1, e, f), (canopy, layer or 1, e)
        and (canopy, layer or 1, f).
    wavelengths : tuple of Tensor
        Of excitation and what each stands for (e,), and of emission (f,), nm.
    yields : Yields
        Of the layers.

    Returns
    -------
    Fluorescence
        For an energy of W m-2 um-1.
    """
    excitation, width, emission = wavelengths
    to_photons, to_energy = photons(excitation) * width, 0.5 / photons(emission)  # half, of sum and difference

    down, up = solar.field.mean()
    shade, sunny = yields.shaded.unsqueeze(-1), yields.sunlit.unsqueeze(-1)
    # Light on the leaves of a layer and area of leaves: in the sun and in the shade.
    lai = layers.lai.unsqueeze(-1)
    mean = sunny * seen.sunlit.unsqueeze(-1) + shade * (lai - seen.sunlit.unsqueeze(-1))
    viewed = sunny * seen.both.unsqueeze(-1) + shade * (seen.seen - seen.both).unsqueeze(-1)
    onto, through = sun.unsqueeze(1) * to_photons, ((down + up) * to_photons, (down - up) * to_photons)
    from_sun = [_answer(leaf, side, onto) * to_energy for side in (0, 1)]
    from_sky = [_answer(leaf, side, through[side]) * to_energy for side in (0, 1)]

    # Both faces' sum goes with the sum of what a leaf scatters back and forward, their difference with its difference.
    d = Geometry(*(x.unsqueeze(-1) for x in light))
    lit = sunny * seen.sunlit.unsqueeze(-1)
    even = (d.sdb + d.sdf) * from_sun[0] * lit + (d.ddb + d.ddf) * from_sky[0] * mean
    odd = (d.sdb - d.sdf) * from_sun[1] * lit + (d.ddb - d.ddf) * from_sky[1] * mean
    falling, rising = even - odd, even + odd
    none = torch.zeros_like(falling[:, 0])
    field = diffuse_light(layers, light, soil, (falling, rising), none, none)
    fall, rise = field.mean()
    rho, tau = layers.reflectance, layers.transmittance
    first = ((d.sob + d.sof) * from_sun[0] + (d.sob - d.sof) * from_sun[1]) * (sunny * seen.both.unsqueeze(-1))
    first = first + ((d.dob + d.dof) * from_sky[0] + (d.dob - d.dof) * from_sky[1]) * viewed
    again = ((d.dob * rho + d.dof * tau) * fall + (d.dof * rho + d.dob * tau) * rise) * seen.seen.unsqueeze(-1)
    ground = soil * field.down[:, -1] * seen.soil_seen
    return Fluorescence(
        radiance=(in_order(first + again, 1) + ground) / torch.pi,
        hemispheric=field.up[:, 0],
        emitted=in_order(falling + rising, 1),
    )


def _answer(leaf: Glow, side: int, photons_in: Tensor) -> Tensor:
    """What leaves emit for light of shape (canopy, layer or 1, e), by f, in one order: no block changes its bits."""
    light, kernel = photons_in * leaf.into[side], leaf.kernel[side]
    total = light[..., 0, None] * kernel[..., 0, :]
    for e in range(1, light.shape[-1]):
        total = torch.addcmul(total, light[..., e, None], kernel[..., e, :])
    return total * leaf.out[side]
