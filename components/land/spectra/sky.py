# SPDX-License-Identifier: BSD-3-Clause
"""The light of sun and sky by wavelength, shaped to hold the energy that a broad band has."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from components.science.constants import BOLTZMANN, LIGHT_SPEED, PLANCK
from components.science.sums import in_order

PHOTOSPHERE = 5772.0  # K, effective temperature of the sun (IAU 2015)
VISIBLE = (400.0, 700.0)  # nm, the column's first band
AEROSOL = 0.15, 1.3  # optical depth at 550 nm and Angstrom's exponent of ordinary continental air


def solar_shape(wavelength: Tensor) -> Tensor:
    """Spectrum of a black body at the sun's temperature, any unit (Planck 1901).

    Parameters
    ----------
    wavelength : Tensor
        nm.

    Returns
    -------
    Tensor
        Same shape, 1 at 500 nm.
    """

    def planck(nm: Tensor) -> Tensor:
        return 1.0 / (nm**5 * torch.expm1(PLANCK * LIGHT_SPEED / (BOLTZMANN * PHOTOSPHERE) * 1e9 / nm))

    exact = wavelength.double()
    return (planck(exact) / planck(torch.full_like(exact, 500.0))).to(wavelength.dtype)


def sun_and_sky(wavelength: Tensor, direct: Tensor, diffuse: Tensor, cos_zenith: Tensor) -> tuple[Tensor, Tensor]:
    """Spectra of direct and diffuse light that hold the visible energy given.

    The direct beam is what Rayleigh's and ordinary aerosol's extinction leave of the sun's black body, the diffuse
    light what they take out of it (optical depths of Hansen and Travis 1974, eq. 2.30, and Angstrom 1929).

    Parameters
    ----------
    wavelength : Tensor
        nm, shape (band,).
    direct, diffuse : Tensor
        Energy of 400 to 700 nm on a horizontal plane, W m-2, shape (canopy,).
    cos_zenith : Tensor
        Of the sun, above 0, shape (canopy,).

    Returns
    -------
    tuple of Tensor
        Both of shape (canopy, band), W m-2 um-1.
    """
    fine = torch.arange(VISIBLE[0], VISIBLE[1] + 1.0, 5.0, dtype=wavelength.dtype, device=wavelength.device)

    def shapes(nm: Tensor) -> tuple[Tensor, Tensor]:
        um = nm * 1e-3
        inverse = 1.0 / (um * um)
        rayleigh = 0.008569 * inverse * inverse * (1.0 + 0.0113 * inverse + 0.00013 * inverse * inverse)
        depth = rayleigh + AEROSOL[0] * torch.exp(-AEROSOL[1] * torch.log(nm / 550.0))
        through = torch.exp(-depth / cos_zenith.clamp(min=0.05).unsqueeze(-1))
        sun = solar_shape(nm)
        return sun * through, sun * (1.0 - through)

    here, whole = shapes(wavelength), shapes(fine)
    weight = torch.full_like(fine, (VISIBLE[1] - VISIBLE[0]) * 1e-3 / (fine.numel() - 1))  # um
    weight[0] = weight[-1] = 0.5 * weight[1]
    held = [in_order(shape * weight, -1).unsqueeze(-1) for shape in whole]
    return here[0] * direct.unsqueeze(-1) / held[0], here[1] * diffuse.unsqueeze(-1) / held[1]


def degrees_from_zenith(cos_zenith: Tensor) -> Tensor:
    """Zenith angle, degrees, of a sun that stands at most 85 degrees from it.

    Parameters
    ----------
    cos_zenith : Tensor
        0 to 1.

    Returns
    -------
    Tensor
        Same shape.
    """
    return torch.rad2deg(torch.acos(cos_zenith.clamp(math.cos(math.radians(85.0)), 1.0)))
