# SPDX-License-Identifier: BSD-3-Clause
"""Which places are land, for what a case without a land model must know of the ground."""

import numpy as np
import torch
from global_land_mask import globe
from torch import Tensor


def is_land(longitude: Tensor, latitude: Tensor) -> Tensor:
    """Whether places are land.

    Parameters
    ----------
    longitude, latitude : degrees, of one shape
    """
    east = ((longitude.double().numpy() + 180.0) % 360.0) - 180.0
    return torch.tensor(globe.is_land(np.clip(latitude.double().numpy(), -90.0, 90.0), east))
