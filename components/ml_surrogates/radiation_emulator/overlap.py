# SPDX-License-Identifier: BSD-3-Clause
"""Clear and cloudy parts of layers, and what passes from one to the other between layers.

Where clouds fill a part of each layer and overlap as a chain from layer to layer (exponential-random; Hogan &
Illingworth 2000), the mean over all columns that are cloudy or clear in each layer follows from two streams, one
through the clear and one through the cloudy parts, that meet between layers (Shonk & Hogan 2008): without scattering
exactly.
"""

from typing import NamedTuple

import torch

SMALL = 1.0e-6  # of a part of a layer, below which it is not divided by


class Overlap(NamedTuple):
    """Shares (nlev - 1, 2, n, 1) that enter the cloud behind an interface from the clear (0) and cloudy (1) part.

    Attributes
    ----------
    down : of what goes from layer k + 1 to layer k
    up : of what goes from layer k to layer k + 1
    """

    down: torch.Tensor
    up: torch.Tensor


def overlap_of(fraction: torch.Tensor, overlap: torch.Tensor) -> Overlap:
    """Shares of what crosses interfaces, for clouds that cover together a mean of least and random cover.

    Parameters
    ----------
    fraction : (nlev, n) part of each layer that clouds fill
    overlap : (nlev, n) of a layer with the next higher one: 1 maximal, 0 random
    """
    below, above, a = fraction[:-1], fraction[1:], overlap[:-1]
    both = below * above + a * (torch.minimum(below, above) - below * above)

    def of(parts: tuple[torch.Tensor, torch.Tensor], whole: torch.Tensor) -> torch.Tensor:
        shares = [p / torch.clamp(w, min=SMALL) for p, w in zip(parts, (1.0 - whole, whole), strict=True)]
        return torch.clamp(torch.stack(shares, dim=1), max=1.0)[..., None]

    return Overlap(of((below - both, both), above), of((above - both, both), below))


def crossed(flux: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Fluxes (..., 2, n, classes) of clear and cloudy parts behind an interface; the sum of the parts stays.

    Parameters
    ----------
    flux : (..., 2, n, classes) in front of it, per area of the whole layer
    share : (2, n, 1) that enters the cloud
    """
    inside = (share * flux).sum(-3, keepdim=True)
    return torch.cat([flux.sum(-3, keepdim=True) - inside, inside], dim=-3)
