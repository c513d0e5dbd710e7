# SPDX-License-Identifier: BSD-3-Clause
"""Reflectance and transmittance of a leaf from its contents: PROSPECT-D and PROSPECT-PRO.

Jacquemoud and Baret (1990); Feret et al. (2017), PROSPECT-D; Feret et al. (2021), PROSPECT-PRO.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.optical_constants import OpticalConstants
from components.land.spectra.plates import Interfaces, TwoSided, interfaces, pile, plate_transmissivity
from components.science.sums import in_order

SURFACE_ANGLE = 40.0  # degrees, largest angle of incidence on the rough surface of a leaf (Jacquemoud and Baret 1990)


class LeafTraits(NamedTuple):
    """What a leaf is made of; each a number or a Tensor of one shape (leaf, ...).

    Attributes
    ----------
    structure : Tensor or float
        N, number of plates, at least 1.
    chlorophyll, carotenoids, anthocyanins : Tensor or float
        ug cm-2.
    brown : Tensor or float
        Brown pigments, any unit.
    water : Tensor or float
        Equivalent water thickness, cm.
    dry_matter : Tensor or float
        g cm-2 (PROSPECT-D); 0 where ``protein`` and ``other_carbon`` say it (PROSPECT-PRO).
    protein, other_carbon : Tensor or float
        g cm-2: proteins, and the other carbon-based constituents.
    """

    structure: Tensor | float = 1.5
    chlorophyll: Tensor | float = 40.0
    carotenoids: Tensor | float = 8.0
    anthocyanins: Tensor | float = 0.0
    brown: Tensor | float = 0.0
    water: Tensor | float = 0.01
    dry_matter: Tensor | float = 0.009
    protein: Tensor | float = 0.0
    other_carbon: Tensor | float = 0.0


class Leaf(NamedTuple):
    """Light of a leaf by band, each of shape (..., band).

    Attributes
    ----------
    reflectance, transmittance : Tensor
        Of one face lit by diffuse and direct light within the surface's cone.
    absorption : Tensor
        k of one plate.
    chlorophyll_share : Tensor
        Of the absorption, that by chlorophyll.
    """

    reflectance: Tensor
    transmittance: Tensor
    absorption: Tensor
    chlorophyll_share: Tensor


def _columns(traits: LeafTraits, like: Tensor) -> tuple[Tensor, ...]:
    values = torch.broadcast_tensors(*(torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in traits))
    return tuple(x.unsqueeze(-1) for x in values)


def refuse_wrong_traits(traits: LeafTraits) -> None:
    """Refuse leaves that cannot be.

    Parameters
    ----------
    traits : LeafTraits
        Of any shape.

    Raises
    ------
    ValueError
        A trait that is negative or not a number, or fewer plates than one.
    """
    for name, value in traits._asdict().items():
        number = torch.as_tensor(value)
        least = 1.0 if name == "structure" else 0.0
        if not bool(((number >= least) & torch.isfinite(number)).all()):
            raise ValueError(f"leaf {name}: expected numbers of at least {least:g}, got {number.min().item():g}")


def absorption(traits: LeafTraits, constants: OpticalConstants) -> tuple[Tensor, Tensor]:
    """Absorption of one plate, and the part of it that is chlorophyll's (Feret et al. 2017, eq. 1).

    Parameters
    ----------
    traits : LeafTraits
        Of shape (...).
    constants : OpticalConstants
        Of shape (band,).

    Returns
    -------
    tuple of Tensor
        Both of shape (..., band).
    """
    n, chl, car, ant, brown, water, dry, protein, other = _columns(traits, constants.wavelength)
    by_chlorophyll = chl * constants.chlorophyll
    total = by_chlorophyll + car * constants.carotenoids + water * constants.water
    rest = (
        (ant, constants.anthocyanins),
        (brown, constants.brown),
        (dry, constants.dry_matter),
        (protein, constants.protein),
        (other, constants.other_carbon),
    )
    for amount, coefficient in rest:
        if amount.requires_grad or bool(amount.any()):  # most leaves lack most of them
            total = torch.addcmul(total, amount, coefficient)
    return total / n, by_chlorophyll / n


def leaf(
    traits: LeafTraits, constants: OpticalConstants, surface: Interfaces | None = None, angle: float = SURFACE_ANGLE
) -> Leaf:
    """Reflectance and transmittance of leaves (PROSPECT; Jacquemoud and Baret 1990, eqs 1-10).

    Parameters
    ----------
    traits : LeafTraits
        Of shape (...).
    constants : OpticalConstants
        Of shape (band,); its precision is the result's.
    surface : Interfaces, optional
        Of these bands, where many leaves share them; else made from ``angle``.
    angle : float
        Largest angle of incidence on the rough surface, degrees.

    Returns
    -------
    Leaf
        Each of shape (..., band).

    Examples
    --------
    >>> constants = optical_constants([550.0, 800.0])
    >>> light = leaf(LeafTraits(chlorophyll=40.0, carotenoids=8.0, water=0.01, dry_matter=0.009), constants)
    >>> [round(float(r), 5) for r in light.reflectance]
    [0.15117, 0.44254]
    """
    light = surface if surface is not None else interfaces(constants.refractive_index, angle)
    k, chlorophyll = absorption(traits, constants)
    tau = plate_transmissivity(k)
    inside = light.r21 * tau
    through = light.t21 * tau / (1.0 - inside * inside)
    t_top, t = light.t_alpha * through, light.t12 * through
    back = inside  # the light that turns once at the far side
    r_top, r = light.r_alpha + back * t_top, light.r12 + back * t
    (number,) = _columns(LeafTraits(structure=traits.structure), k)[:1]
    below = pile(r, t, number - 1.0)
    loop = 1.0 - below.reflectance * r
    transmittance = t_top * below.transmittance / loop
    reflectance = r_top + t_top * below.reflectance * t / loop
    return Leaf(reflectance, transmittance, k, chlorophyll / k.clamp(min=torch.finfo(k.dtype).tiny))


def broadband(light: Leaf, irradiance: Tensor) -> TwoSided:
    """Reflectance and transmittance of a leaf over a wide band, weighted by the light that falls on it.

    Parameters
    ----------
    light : Leaf
        Of shape (..., band).
    irradiance : Tensor
        Of the band's wavelengths, shape (band,), any unit per wavelength.

    Returns
    -------
    TwoSided
        Shape (...).
    """
    weight = irradiance / irradiance.sum()
    return TwoSided(in_order(light.reflectance * weight, -1), in_order(light.transmittance * weight, -1))
