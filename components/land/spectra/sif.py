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
    Excitation,
    emission_spectrum,
    excitation_matrices,
)
from components.land.spectra.geometry import geometry
from components.land.spectra.layers import Layers, even_layers, solar_light, views
from components.land.spectra.leaf import SURFACE_ANGLE, LeafTraits, leaf
from components.land.spectra.optical_constants import OpticalConstants, optical_constants
from components.land.spectra.plates import Interfaces, interfaces

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
    spectrum : Tensor
        Emission within the leaf, nm-1, shape (f,).
    """

    constants: OpticalConstants
    surface: Interfaces
    excitation: Tensor
    emission: Tensor
    spectrum: Tensor


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
) -> Fluorescence:
    """Fluorescence of canopies of one kind of leaf each, excited by sun and sky.

    Parameters
    ----------
    traits : LeafTraits
        Each of shape (canopy,) or a number.
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

    Returns
    -------
    Fluorescence
        Each of shape (canopy, f).
    """
    count = grid.excitation.numel()
    e_at, f_at = torch.arange(count), torch.arange(count, count + grid.emission.numel())
    whole = LeafTraits(*(torch.as_tensor(x, dtype=grid.excitation.dtype).expand_as(canopies.lai) for x in traits))
    light_of_leaf = leaf(whole, grid.constants, grid.surface)
    leaf_matrix = excitation_matrices(
        light_of_leaf, grid.surface, (e_at, f_at), (grid.excitation, grid.emission), grid.spectrum
    )
    scale = efficiency[:, None, None]
    matrix = Excitation(leaf_matrix.back * scale, leaf_matrix.forward * scale)
    directions = geometry(canopies.shares, canopies.sun, canopies.view, canopies.azimuth)
    lai = even_layers(canopies.lai, layers)
    seen = views(lai, canopies.hot_spot, directions)

    def cut(part: slice) -> Layers:
        return Layers(
            lai,
            canopies.hot_spot,
            light_of_leaf.reflectance[:, None, part],
            light_of_leaf.transmittance[:, None, part],
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
        matrix,
        (grid.excitation, grid.emission),
        given,
    )
