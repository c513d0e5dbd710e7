# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence of canopies in one call: leaves, layers, light and emission on grids of wavelengths made once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.canopy_fluorescence import Fluorescence, Yields, canopy_fluorescence
from components.land.spectra.fluorescence import (
    EMISSION,
    EXCITATION,
    emission_spectrum,
    glow,
)
from components.land.spectra.geometry import Geometry, geometry
from components.land.spectra.layers import Layers, even_layers, solar_light, views
from components.land.spectra.leaf import SURFACE_ANGLE, LeafTraits, leaf
from components.land.spectra.optical_constants import OpticalConstants, optical_constants
from components.land.spectra.plates import Interfaces, interfaces
from components.land.spectra.stems import Stems

LAYERS = 10  # within .3 % of the limit of thin layers up to a leaf area of 6


class Wavelengths(NamedTuple):
    """Wavelengths of excitation and emission, and what does not depend on the leaf there.

    Attributes
    ----------
    constants : OpticalConstants
        Of excitation, then of emission, shape (e + f,).
    surface : Interfaces
        Each of shape (e + f,).
    excitation, emission : Tensor
        nm, shapes (e,) and (f,).
    width : Tensor
        What each wavelength of excitation stands for in the sum over them, nm, shape (e,).
    spectrum : Tensor
        Emission within the leaf, nm-1, shape (f,).
    """

    constants: OpticalConstants
    surface: Interfaces
    excitation: Tensor
    emission: Tensor
    width: Tensor
    spectrum: Tensor

    def trapezoids(self) -> Wavelengths:
        """The same with half the width at both ends: of second order, where SCOPE's plain sum is of first."""
        width = self.width.clone()
        width[0] *= 0.5
        width[-1] *= 0.5
        return self._replace(width=width)


def fluorescence_wavelengths(
    emission: object = None, step: float = 5.0, dtype: torch.dtype = torch.float64, angle: float = SURFACE_ANGLE
) -> Wavelengths:
    """Wavelengths for `sif`.

    Parameters
    ----------
    emission : array of float, optional
        nm, 640 to 850; every nanometre if left out.
    step : float
        Between wavelengths of excitation, nm.
    dtype : torch.dtype
        Precision of all that follows.
    angle : float
        Largest angle of incidence on the leaf's rough surface, degrees.

    Returns
    -------
    Wavelengths
        Of all leaves.
    """
    excited = torch.arange(EXCITATION[0], EXCITATION[1] + 0.5 * step, step, dtype=torch.float64)
    wanted = torch.arange(EMISSION[0], EMISSION[1] + 0.5, dtype=torch.float64) if emission is None else emission
    emitted = torch.atleast_1d(torch.as_tensor(wanted, dtype=torch.float64))
    constants = optical_constants(torch.cat([excited, emitted]).numpy())
    surface = interfaces(constants.refractive_index, angle)
    return Wavelengths(
        constants.to(dtype),
        Interfaces(*(x.to(dtype) for x in surface)),
        excited.to(dtype),
        emitted.to(dtype),
        torch.full_like(excited, step, dtype=dtype),
        emission_spectrum(emitted).to(dtype),
    )


class Canopies(NamedTuple):
    """Canopies to look at, each of shape (canopy,) but for the leaves' shares.

    Attributes
    ----------
    lai : Tensor
        Leaf area index (times the clumping index).
    hot_spot : Tensor
        Leaf size over canopy height.
    shares : Tensor
        Of leaf area by inclination, shape (canopy, 18).
    sun, view, azimuth : Tensor
        Degrees.
    """

    lai: Tensor
    hot_spot: Tensor
    shares: Tensor
    sun: Tensor
    view: Tensor
    azimuth: Tensor


def sif(
    traits: LeafTraits,
    efficiency: Tensor,
    canopies: Canopies,
    soil: Tensor,
    light: tuple[Tensor, Tensor],
    yields: Yields | None,
    grid: Wavelengths,
    layers: int = LAYERS,
    stems: Stems | None = None,
    directions: Geometry | None = None,
) -> Fluorescence:
    """Fluorescence of canopies, excited by sun and sky.

    Parameters
    ----------
    traits : LeafTraits
        Each of shape (canopy,), or (canopy, layer) where leaves differ between layers, or a number.
    efficiency : Tensor
        Quantum efficiency of fluorescence of the dark-adapted leaf, shape (canopy,).
    canopies : Canopies
        Each of shape (canopy,).
    soil : Tensor
        Reflectance at the wavelengths of ``grid``, shape (canopy, e + f) or (e + f,).
    light : tuple of Tensor
        Of the sun and of the sky on a horizontal plane at the wavelengths of excitation, (canopy, e), W m-2 um-1.
    yields : Yields, optional
        Relative to the dark-adapted leaf, each of shape (canopy, layer); 1 everywhere if left out.
    grid : Wavelengths
        From `fluorescence_wavelengths`.
    layers : int
        Of equal leaf area.
    stems : Stems, optional
        Among the leaves, their area in ``lai``; they scatter and do not emit.
    directions : Geometry, optional
        Of the canopies, where they are known.

    Returns
    -------
    Fluorescence
        Each of shape (canopy, f).
    """
    count = grid.excitation.numel()
    e_at, f_at = torch.arange(count), torch.arange(count, count + grid.emission.numel())
    parts = [torch.as_tensor(x, dtype=grid.excitation.dtype, device=canopies.lai.device) for x in traits]
    by_layer = LeafTraits(*(x if x.ndim == 2 else x.reshape(-1, 1) for x in parts))
    light_of_leaf = leaf(by_layer, grid.constants, grid.surface)
    glowing = glow(light_of_leaf, grid.surface, (e_at, f_at), (grid.excitation, grid.emission), grid.spectrum)
    if stems is not None:
        light_of_leaf = stems.among(light_of_leaf, grid.constants, grid.surface)
        efficiency = efficiency * (1.0 - stems.share)
    out = glowing.out[0] * efficiency[:, None, None], glowing.out[1] * efficiency[:, None, None]
    if directions is None:
        directions = geometry(canopies.shares, canopies.sun, canopies.view, canopies.azimuth)
    lai = even_layers(canopies.lai, layers)
    seen = views(lai, canopies.hot_spot, directions)

    def cut(part: slice) -> Layers:
        return Layers(
            lai,
            canopies.hot_spot,
            light_of_leaf.reflectance[..., part],
            light_of_leaf.transmittance[..., part],
        )

    exciting, emitting = slice(0, count), slice(count, None)
    solar = solar_light(cut(exciting), directions, seen, soil[..., exciting], *light)
    given = yields if yields is not None else Yields(torch.ones_like(lai), torch.ones_like(lai))
    return canopy_fluorescence(
        cut(emitting),
        directions,
        seen,
        soil[..., emitting],
        solar,
        light[0],
        glowing._replace(out=out),
        (grid.excitation, grid.width, grid.emission),
        given,
    )
