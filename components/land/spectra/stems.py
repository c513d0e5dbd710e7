# SPDX-License-Identifier: BSD-3-Clause
"""Stems among the leaves: the light that both scatter, in proportion to their area."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.leaf import Leaf, LeafTraits, leaf
from components.land.spectra.optical_constants import OpticalConstants
from components.land.spectra.plates import Interfaces

WATER = 0.02  # cm, of stems: a living twig's bark


class Stems(NamedTuple):
    """Stems of canopies.

    Attributes
    ----------
    share : Tensor
        Of the plants' area, 0 to 1, shape (canopy,).
    contents : Tensor
        Plates, brown pigments, and dry matter (g cm-2) of PROSPECT's leaf that reflects as they do, shape (3, canopy).
    """

    share: Tensor
    contents: Tensor

    def light(self, constants: OpticalConstants, surface: Interfaces | None = None) -> Leaf:
        """Spectrum of the stems alone.

        Parameters
        ----------
        constants : OpticalConstants
            Of shape (band,).
        surface : Interfaces, optional
            Of these bands.

        Returns
        -------
        Leaf
            Each of shape (canopy, band).
        """
        if self.contents.requires_grad:
            return _bark(self.contents, constants, surface)
        kinds, which = torch.unique(self.contents, dim=1, return_inverse=True)  # a few, of many canopies
        return Leaf(*(x[which] for x in _bark(kinds, constants, surface)))

    def among(self, leaves: Leaf, constants: OpticalConstants, surface: Interfaces | None = None) -> Leaf:
        """Mean of leaves and stems by area, as light meets them.

        Parameters
        ----------
        leaves : Leaf
            Each of shape (canopy, band) or (canopy, layer, band).
        constants : OpticalConstants
            Of shape (band,).
        surface : Interfaces, optional
            Of these bands.

        Returns
        -------
        Leaf
            Reflectance and transmittance of both; absorption and chlorophyll's share stay the leaves'.
        """
        own, share = self.light(constants, surface), self.share.unsqueeze(-1)
        if leaves.reflectance.ndim == 3:
            own, share = Leaf(*(x.unsqueeze(1) for x in own)), share.unsqueeze(1)
        return leaves._replace(
            reflectance=leaves.reflectance + share * (own.reflectance - leaves.reflectance),
            transmittance=leaves.transmittance + share * (own.transmittance - leaves.transmittance),
        )


def _bark(contents: Tensor, constants: OpticalConstants, surface: Interfaces | None) -> Leaf:
    structure, brown, dry_matter = contents
    return leaf(LeafTraits(structure, 0.0, 0.0, 0.0, brown, WATER, dry_matter), constants, surface)
