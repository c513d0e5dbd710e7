# SPDX-License-Identifier: BSD-3-Clause
"""Reflectance of soil and snow by wavelength, out of their albedo in two bands and the water on the grains."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.spectra.optical_constants import OpticalConstants

BANDS = (550.0, 900.0)  # nm, where the broad bands' albedos stand; between them the spectrum is a straight line
FILM = 0.02  # cm of water on the grains of a saturated soil; the order that Bach and Mauser (1994) find


def soil_reflectance(albedo: Tensor, wetness: Tensor, constants: OpticalConstants) -> Tensor:
    """Spectrum of the ground: a straight line between its two albedos, less what its film of water absorbs.

    The darkening of wet soil at all wavelengths is in the albedos; the film adds water's bands (Bach and Mauser 1994,
    eq. 4: exp(-2 k d)), from 1000 nm on, since below they are in the near-infrared albedo.

    Parameters
    ----------
    albedo : Tensor
        Of the ground in the visible and the near infrared, snow included, shape (2, canopy).
    wetness : Tensor
        Water over saturation, 0 to 1, 0 under snow, shape (canopy,).
    constants : OpticalConstants
        Of the bands, shape (band,).

    Returns
    -------
    Tensor
        Shape (canopy, band).
    """
    place = ((constants.wavelength - BANDS[0]) / (BANDS[1] - BANDS[0])).clamp(0.0, 1.0)
    visible, near_infrared = albedo[0].unsqueeze(-1), albedo[1].unsqueeze(-1)
    line = visible + (near_infrared - visible) * place
    film = torch.exp(-2.0 * FILM * constants.water * wetness.unsqueeze(-1))
    return torch.where(constants.wavelength >= 1000.0, line * film, line)
