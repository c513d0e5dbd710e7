# SPDX-License-Identifier: BSD-3-Clause
"""Which places are land, for what a case without a land model must know of the ground."""

import torch
from torch import Tensor

from coupler.files import land_mask


def is_land(longitude: Tensor, latitude: Tensor) -> Tensor:
    """Whether places are land.

    Parameters
    ----------
    longitude, latitude : degrees, of one shape
    """
    return torch.tensor(land_mask.is_land(longitude.double().numpy(), latitude.double().clamp(-90.0, 90.0).numpy()))
